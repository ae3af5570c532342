"""The node: what listens, what sends, and what puts the whole together.

Rules of this room:

- Nothing is decided here. The doors authenticate, bound and translate; ``flows`` acts.
- Two doors: peers over TLS with signed requests (``server``), the command line over a local socket (``local``).
- One table turns errors into statuses (``errors``); both doors use it.
- Quotas and replay protection take the time as an argument; only ``run`` knows a real clock.
"""
