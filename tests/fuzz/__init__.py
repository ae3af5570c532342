"""Everything that reads what a stranger wrote, read on bytes that nobody meant (``SECURITY.md``).

Rules of this room:

- ``decoders`` is the table: each decoder, the errors with which it may refuse, and how its value is written again.
- ``corpora`` has real examples of each, made by two houses and by the library; each example is taken by its decoder.
- ``mutations`` alters them. ``test_decoders`` does so a fixed number of times with Hypothesis; ``python -m tests.fuzz``
  for as long as asked, led by what of the code was reached.
"""
