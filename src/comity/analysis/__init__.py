"""What follows from agreements before anybody acts: the holes in one, and how far information gets under several.

A pure room above ``decision``. ``lint`` finds what is missing, ambiguous, contradictory or dead in one agreement with
its layers; ``flows`` says whom information from one party can reach under a set of agreements, by which steps, and
whether any third party is reached without that party's consent (``spec/analysis.md``). Both ask the steps of
``decision`` themselves, never a second reading of the rules.
"""
