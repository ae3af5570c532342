"""What every store refuses before it touches anything, so that no two adapters differ at the edges.

Rules of this file (``spec/store.md`` steps 1 to 3):

- Text is what both SQLite and PostgreSQL hold and order alike: Unicode without lone surrogates and without U+0000.
- Integers fit 63 bits; instants are aware.
- A batch moves only heads whose present value it names: there is no blind write of a head.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from comity.errors import Misuse
from comity.ports import Batch, Conflict, Head, Put

INTEGER_MAX = 2**63 - 1
"""Largest integer a store holds (SQLite INTEGER, PostgreSQL bigint)."""


def check_batch(batch: Batch, expected: Mapping[str, Head | None]) -> None:
    """Refuse a batch that no store could hold, or that would move a head without looking at it.

    Raises:
        Misuse: text with a surrogate or U+0000, an integer out of range, a naive instant, or a head in the batch
            whose chain is not in ``expected`` (steps 1 and 2).
    """
    for chain, head in batch.heads.items():
        if chain not in expected:  # (2)
            raise Misuse(
                f"the batch moves the head of {chain!r} without saying where it expects it; name it in expected",
                code="head-not-expected",
            )
        check_text("a chain", chain)
        _check_integers(head.size)
    for entry in batch.entries:
        for text in (entry.chain, entry.verdict, entry.reason):
            check_text("a journal entry", text)
        _check_integers(entry.sequence, entry.rules)
        if entry.at.tzinfo is None:
            raise Misuse(f"the instant {entry.at.isoformat()!r} has no zone; give aware UTC", code="naive-instant")
    check_puts(batch.puts)


def check_puts(puts: Iterable[Put]) -> None:
    """Refuse rows that no store could hold.

    Raises:
        Misuse: text with a surrogate or U+0000 in a table name or key (step 1).
    """
    for put in puts:
        check_text("a table name", put.table)
        check_text("a key", put.key)


def check_replacement(tables: Sequence[str], puts: Iterable[Put]) -> None:
    """Refuse rows that do not belong to the tables being replaced (step 14).

    Raises:
        Misuse: a row is for another table, or no store could hold it.
    """
    for put in puts:
        check_puts((put,))
        if put.table not in tables:
            raise Misuse(f"a row for table {put.table!r}, which is not being replaced", code="other-table")


def raised(sizes: Mapping[str, int], others: Mapping[str, int]) -> dict[str, int]:
    """The greater size of each chain: a high-water mark never goes down (step 54)."""
    return {chain: max(sizes.get(chain, 0), others.get(chain, 0)) for chain in sizes.keys() | others.keys()}


def check_text(what: str, text: str) -> None:
    """Refuse text that SQLite and PostgreSQL do not hold and order alike (step 1).

    Raises:
        Misuse: it has a lone surrogate or U+0000.
    """
    if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
        raise Misuse(f"{what} reads {text!r}, which has U+0000 or half a character in it", code="store-text")


def check_limit(limit: int) -> None:
    """Refuse a count of rows below zero, which SQLite would read as "all".

    Raises:
        Misuse: ``limit`` is negative.
    """
    if limit < 0:
        raise Misuse(f"a limit of {limit} rows is negative; ask for none or more", code="store-limit")


def check_head(chain: str, expected: Head | None, actual: Head | None) -> None:
    """Compare a head with what the caller read (step 3).

    Raises:
        Conflict: it moved.
    """
    if expected != actual:
        raise Conflict(
            f"chain {chain!r} {_standing(actual)}, and the commit expected that it {_standing(expected)}; "
            "nothing was written: read the heads again",
            code="conflict",
            place=chain,
        )


def _standing(head: Head | None) -> str:
    return "does not exist" if head is None else f"stands at {head.size} records ({head.last.hex()[:16]})"


def _check_integers(*integers: int) -> None:
    for integer in integers:
        if not 0 <= integer <= INTEGER_MAX:
            raise Misuse(f"{integer} is not between 0 and 2^63-1", code="store-integer")
