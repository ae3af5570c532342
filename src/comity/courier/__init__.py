"""Carrying requests to a peer, and the signatures that make the carrier unimportant.

Rules of this room (``spec/exchange.md``, part "over HTTP"):

- A courier is trusted for nothing but its effort: what it brings back is verified, what it loses is sent again.
- ``paths`` and ``signature`` are pure; both ends share them, and what we would not write we do not read.
- Everything that bears on the meaning of a request is in its method, its path or its body, and is signed.
"""
