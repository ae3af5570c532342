"""The register: what the records add up to.

Rules of this room (``spec/register.md``):

- ``reads(context, record)`` names the rows a verdict depends on; ``step(context, facts, record)`` gives the verdict
  from those rows and nothing else. Neither touches a store, a clock or a file.
- A verdict is ``Changes`` (rows to write), ``Held`` (kept, tried again) or ``Rejection`` (never: returned signed).
- The same function steps our own records and the other party's. Rebuilding is stepping the journal again.
- A row is a frozen type from ``rows/``; keys sort the way people list them.
- What follows from records of any type (duties, tallies, chains of custody) is a ``Consequence``; no rule knows of it.
"""
