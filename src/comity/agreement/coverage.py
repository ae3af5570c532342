"""Which test showed what becomes of each clause (``spec/agreement.md`` steps 9 and 10).

Rules of this file:

- The table is data: written when the tests of the articles ran and passed, read by whoever asks.
- It speaks of one text of an agreement, by digest. Of another text it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from comity.agreement.model import Clause
from comity.errors import Rejected

COVERAGE_FORMAT = 1
"""The version of the table that this code reads and writes."""
COVERAGE_CHARACTERS_MAX = 4_000_000
"""Longest table read; one of 1,000 rows has some 400,000 characters."""


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """What one test showed of one clause.

    Attributes:
        clause: the clause's id.
        does: what the system does there, in one phrase.
        command: what a user types.
        test: the test, as ``file::function``.
        rests_on: ids of rules, checklists and obligations, and names of tables, without any one of which it fails.
    """

    clause: str
    does: str
    command: str
    test: str
    rests_on: tuple[str, ...] = ()


class Coverage(Struct, frozen=True, forbid_unknown_fields=True):
    """The table for one text: the agreement's id and digest, and the rows in the order of its clauses."""

    format: int
    agreement: str
    digest: str
    rows: tuple[Row, ...]


def in_order(rows: Iterable[Row], clauses: Iterable[Clause]) -> tuple[Row, ...]:
    """Rows in the order of the clauses in their file, then of the tests; those of no clause come last."""
    place = {clause.id: number for number, clause in enumerate(clauses)}
    return tuple(sorted(rows, key=lambda row: (place.get(row.clause, len(place)), row.test, row.does)))


def write_coverage(coverage: Coverage) -> str:
    """The table as text: JSON, one row to a line, so that a change can be read."""
    head = msgspec.structs.replace(coverage, rows=())
    opening = msgspec.json.encode(head).decode().removesuffix("]}")
    rows = ",\n".join(msgspec.json.encode(row).decode() for row in coverage.rows)
    return f"{opening}\n{rows}\n]}}\n"


def read_coverage(text: str, file: str) -> Coverage:
    """The table written in ``text``; ``file`` is the name that errors give.

    Raises:
        Rejected: it is too long, of another format, or no such table.
    """
    if len(text) > COVERAGE_CHARACTERS_MAX:
        raise Rejected(
            f"{len(text)} characters; at most {COVERAGE_CHARACTERS_MAX} are read", code="too-long", place=file
        )
    try:
        coverage = msgspec.json.decode(text, type=Coverage)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Rejected(f"no table of coverage: {error}", code="bad-coverage", place=file) from None
    if coverage.format != COVERAGE_FORMAT:
        sentence = f"'format' is {coverage.format}; this version of comity reads format {COVERAGE_FORMAT}"
        raise Rejected(sentence, code="unknown-format", place=file)
    return coverage


def uncovered(clauses: Iterable[Clause], coverage: Coverage) -> tuple[str, ...]:
    """The ids of the clauses that no test shows, in the order of the file."""
    shown = {row.clause for row in coverage.rows}
    return tuple(clause.id for clause in clauses if clause.id not in shown)
