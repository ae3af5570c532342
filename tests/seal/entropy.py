"""Entropy that a test can repeat."""

from __future__ import annotations

from hashlib import shake_256


class Repeatable:
    """The same bytes for the same seed, never the same twice in a row."""

    def __init__(self, seed: bytes = b"comity tests") -> None:
        self._hash = shake_256(seed)
        self._given = 0

    def __call__(self, count: int) -> bytes:
        self._given += count
        return self._hash.digest(self._given)[-count:]
