"""May this be done, and why: decisions as data, with ordered reasons that cite clauses.

A pure room above ``agreement`` and ``marking``. ``compile_agreement`` makes an agreement ready, ``decide`` answers a
case, ``what_would_change`` says what is missing, ``state`` and ``replay`` keep a decision so that anybody can work it
out again, ``wording`` makes sentences for people.
"""
