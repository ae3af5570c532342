"""Batches for the tests of stores: chains that grow by records with made-up, but distinct, bytes."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from comity.ports import Batch, Head, JournalEntry, Put

AT = datetime(2016, 11, 23, 1, 2, 3, 456789, tzinfo=UTC)


def digest(*parts: object) -> bytes:
    return hashlib.sha256(repr(parts).encode()).digest()


def entry(chain: str, sequence: int, *, extends: bool = True, salt: object = 0) -> JournalEntry:
    return JournalEntry(
        chain=chain,
        sequence=sequence,
        record=digest(chain, sequence, salt),
        envelope=b"envelope %d of %s" % (sequence, chain.encode()),
        salt=digest("salt", sequence),
        verdict="changes" if extends else "held",
        reason="" if extends else "missing-predecessor",
        extends=extends,
        rules=1,
        at=AT + timedelta(microseconds=sequence),
    )


def head(chain: str, size: int, salt: object = 0) -> Head:
    return Head(size, digest(chain, size - 1, salt), digest("root", chain, size))


def batch(chain: str, sequence: int, count: int = 1, *puts: Put, salt: object = 0) -> Batch:
    """``count`` records from ``sequence`` on, the head after them, and some rows."""
    return Batch(
        entries=tuple(entry(chain, number, salt=salt) for number in range(sequence, sequence + count)),
        heads={chain: head(chain, sequence + count, salt)},
        puts=puts,
    )


def expected(chain: str, sequence: int, salt: object = 0) -> dict[str, Head | None]:
    """What a commit that begins at ``sequence`` expects of its chain."""
    return {chain: head(chain, sequence, salt) if sequence else None}
