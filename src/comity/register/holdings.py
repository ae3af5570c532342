"""What is left of an item, counted as copies come and go (``spec/ending.md`` steps 1 and 2).

A consequence of records of any type: whatever makes, loses, finds, passes on, returns or destroys a copy, the numbers
follow from the rows that its rule wrote. No rule has to know of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import cast

import msgspec

from comity.record import bodies
from comity.record.bodies.lineage import Derived
from comity.record.statement import DOMESTIC, Record
from comity.register.rows import CopyRow, Facts, Key
from comity.register.rows.ending import HoldingRow, holding_key
from comity.register.sides import other_party
from comity.register.verdict import Consequence, Context, Put

LEFT = frozenset({"in transit", "held", "lost"})
"""States of a copy that has still to be accounted for; a lost one can be found again."""


def holding_reads(facts: Facts, relationship: str, items: Sequence[str]) -> list[Key]:
    """The rows about what is left of ``items`` and, once those are known, of everything they were made from."""
    keys = [holding_key(relationship, item) for item in items]
    for key in tuple(keys):
        row = cast("HoldingRow | None", facts[key]) if key in facts else None
        keys += [holding_key(relationship, above) for above in (row.above if row is not None else ())]
    return keys


def _named(record: Record) -> list[str]:
    """The items whose copies the record may change, and those they are made from."""
    if record.statement.relationship == DOMESTIC:
        return []
    body = record.body
    item = cast("str | None", getattr(body, "item", None))  # no record changes copies of several items
    if item is None:
        return []
    return [item, *(ancestor.item for ancestor in (body.ancestors if isinstance(body, Derived) else ()))]


def _reads(_: Context, facts: Facts, record: Record) -> list[Key]:
    return holding_reads(facts, record.statement.relationship, _named(record))


def _apply(context: Context, facts: Facts, record: Record, puts: Sequence[Put]) -> list[Put]:
    named = _named(record)
    change = _change(facts, puts)
    if not named or not change:
        return []
    relationship = record.statement.relationship
    key = holding_key(relationship, named[0])
    row = cast("HoldingRow | None", facts[key]) or _new(context, facts, record, named[1:])
    if row is None:  # it crossed before anything was counted; a rebuild counts it
        return []
    at, ends = record.statement.at, change < 0
    kept = msgspec.structs.replace(row, left=row.left + change)
    changed = [Put(key, kept.with_end(at, record.id) if ends else kept)]
    for above in row.above:
        ancestor = cast("HoldingRow | None", facts[holding_key(relationship, above)])
        if ancestor is not None:
            counted = msgspec.structs.replace(ancestor, below=ancestor.below + change)
            counted = counted.with_end(at, record.id) if ends else counted
            if isinstance(record.body, Derived):
                counted = counted.with_made({record.body.label.mark: 1})
            changed.append(Put(holding_key(relationship, above), counted))
    return changed


def _change(facts: Facts, puts: Sequence[Put]) -> int:
    """How many copies more are left than before."""
    change: Counter[bool] = Counter()
    for put in puts:
        if isinstance(put.row, CopyRow):
            before = cast("CopyRow | None", facts[put.key])
            change[True] += put.row.state in LEFT
            change[False] += before is not None and before.state in LEFT
    return change[True] - change[False]


def _new(context: Context, facts: Facts, record: Record, ancestors: Sequence[str]) -> HoldingRow | None:
    """The row of an item whose first copies this record makes; None for any other record."""
    statement = record.statement
    if isinstance(record.body, bodies.Consigned):
        return HoldingRow(keeper=other_party(context, facts, record), given=record.body.label.mark)
    if isinstance(record.body, Derived):
        rows = [cast("HoldingRow | None", facts[holding_key(statement.relationship, each)]) for each in ancestors]
        above = {*ancestors, *(each for row in rows if row is not None for each in row.above)}
        return HoldingRow(keeper=statement.author, above=tuple(sorted(above)), given=record.body.label.mark)
    return None


HOLDINGS = Consequence(_reads, _apply)
"""What follows from a record for what is left of an item."""
