"""In whose hands copies are: an index by holder that follows the copies (``spec/places.md`` step 6).

A consequence of records of any type: whatever gives somebody a copy or takes it from him, the index follows the rows
that its rule wrote. No rule has to know of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from comity.record.statement import Record
from comity.register.rows import CopyRow, Facts, Key
from comity.register.rows.places import HolderRow, holder_key
from comity.register.verdict import Consequence, Context, Put

IN_HAND = frozenset({"in transit", "held"})
"""States in which a copy is with its holder, or is about to be."""


def _reads(_: Context, __: Facts, ___: Record) -> list[Key]:
    return []


def _index(relationship: str, row: CopyRow | None) -> Key | None:
    if row is None or row.state not in IN_HAND:
        return None
    return holder_key(relationship, row.holder, row.item, row.number)


def _apply(_: Context, facts: Facts, record: Record, puts: Sequence[Put]) -> list[Put]:
    relationship = record.statement.relationship
    changed: list[Put] = []
    for put in puts:
        if put.key[0] != CopyRow.table:
            continue
        now = cast("CopyRow | None", put.row)
        before = _index(relationship, cast("CopyRow | None", facts[put.key])) if put.key in facts else None
        after = _index(relationship, now)
        if before == after:
            continue
        if before is not None:
            changed.append(Put(before, None))
        if after is not None and now is not None:
            changed.append(Put(after, HolderRow(item=now.item, number=now.number)))
    return changed


HANDS = Consequence(_reads, _apply)
"""What follows from a record for the index of who holds what."""
