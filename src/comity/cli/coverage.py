"""The table of ``comity agreement coverage``: each clause with what shows what becomes of it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

import msgspec

from comity.agreement.coverage import Coverage, uncovered
from comity.agreement.model import Clause
from comity.cli.output import Output, visible


class Covered(msgspec.Struct, frozen=True, kw_only=True):
    """A clause with one test that shows what becomes of it."""

    clause: str
    heading: str
    provenance: str
    does: str
    command: str
    test: str


class CoverageShown(msgspec.Struct, frozen=True, kw_only=True):
    """The table of one agreement.

    Attributes:
        agreement: its id.
        digest: of the text asked about.
        tested: digest of the text that the tests ran on.
        same: they are one and the same.
        rows: in the order of the clauses.
        missing: ids of the clauses without a row.
    """

    agreement: str
    digest: str
    tested: str
    same: bool
    rows: tuple[Covered, ...]
    missing: tuple[str, ...]


def covered(agreement: str, digest: str, clauses: Sequence[Clause], table: Coverage) -> CoverageShown:
    """The rows of a table that speak of ``clauses``."""
    rows = [
        Covered(
            clause=clause.id,
            heading=clause.heading.en,
            provenance=clause.provenance,
            does=row.does,
            command=row.command,
            test=row.test,
        )
        for clause in clauses
        for row in table.rows
        if row.clause == clause.id
    ]
    return CoverageShown(
        agreement=agreement,
        digest=digest,
        tested=table.digest,
        same=digest == table.digest,
        rows=tuple(rows),
        missing=uncovered(clauses, table),
    )


def tell_coverage(out: Output, shown: CoverageShown) -> None:
    """Clause by clause: heading and provenance, then what is done, by which command, and the test."""
    for (clause, heading, provenance), rows in groupby(
        shown.rows, key=lambda row: (row.clause, row.heading, row.provenance)
    ):
        out.line((f"Article {clause}", "strong"), f"  {visible(heading)} ", (f"[{provenance}]", "dim"))
        for row in rows:
            out.text(visible(row.does), indent=2)
            out.line((visible(row.command), "good"), indent=4)
            out.line((visible(row.test.rpartition("/")[2]), "dim"), indent=4)
    out.gap()
    articles = len({row.clause for row in shown.rows})
    tests = len({row.test for row in shown.rows})
    out.text(
        f"{articles} clauses of {shown.agreement} are shown by {tests} tests in tests/articles. P is read in the text "
        "itself, S in a secondary source, K is not checked: what rests on K warns and never refuses.",
        style="dim",
    )
    for clause in shown.missing:
        out.line(("nothing shows what becomes of Article ", "bad"), clause)
    if not shown.same:
        out.gap()
        out.line(("the tests ran on another text of this agreement", "bad"))
        out.fields([("here", shown.digest), ("tested", shown.tested)])
