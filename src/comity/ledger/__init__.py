"""The Merkle log: what was recorded, in an order nobody can change afterwards.

Rules of this room (``spec/ledger.md`` is its text; code and tests cite its numbers):

- Pure: no socket, file, clock or randomness. Tiles come in through a callable and go out as values; keys are objects
  that sign; time is an argument.
- What we would not write we do not read: decimals, base64, names and paths have one spelling.
- Verification raises ``Rejected`` and returns what it verified.

``tree`` grows a log, ``tiles`` says where its hashes lie, ``proof`` shows and checks membership and growth, ``leaf``
says what is hashed, ``note`` and ``checkpoint`` sign a state, ``witness`` cosigns it, ``policy`` says whose
cosignatures suffice, ``tlog_proof`` packs it all for a stranger.
"""
