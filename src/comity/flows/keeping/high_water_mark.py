"""The high-water mark against the database: a restored copy must not sign a second history."""

from __future__ import annotations

from collections.abc import Mapping

from comity.errors import Rejected
from comity.ports import Head


def check_high_water_mark(heads: Mapping[str, Head], mark: Mapping[str, int]) -> None:
    """Compare the database with the mark, before anything is signed (``spec/store.md`` step 57).

    Args:
        heads: the heads of the store.
        mark: sizes of this party's own chains, from the mark or as its peers hold them.

    Raises:
        Rejected: ``restored-database``: a chain is shorter than the mark says it was.
    """
    for chain, size in sorted(mark.items()):
        held = heads[chain].size if chain in heads else 0
        if held < size:
            raise Rejected(
                f"the database holds {held} records of chain {chain!r}, which this party had signed up to {size}: it "
                "is an older copy. Put the newest database back, or recover the missing records from the peers "
                "('comity catch-up --older-database'); "
                "signing from here would make a second history",
                code="restored-database",
                place=chain,
            )
