"""Adapters behind ``ports``: where a node keeps what it must not lose (``spec/store.md``).

Rules of this room:

- It imports ``ports``, types of the core and libraries; never a flow, never a surface.
- Nothing returns before it is durable: a file is written, synced and renamed, and then its folder is synced.
- What the world does wrong becomes one of four errors that say what was written: ``Conflict``, ``DiskFull`` and a plain
  ``Unavailable`` mean nothing, ``Ambiguous`` means that nobody knows.
- Every store answers alike: ``memory`` and ``sqlite`` share one contract test and ``batch`` refuses the same things
  for both.
"""
