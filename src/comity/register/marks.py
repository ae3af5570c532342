"""By which marks an item may be known to its recipient (``spec/ending.md`` step 16).

A change of level that the recipient was told of, and has not carried out, may not have reached him when he spoke. So
what he says is held against the mark that he last proved, or of which he cites the notice, and every one that he was
told of since.
"""

from __future__ import annotations

from typing import cast

from comity.record.statement import Record
from comity.register.rows import Facts, ItemRow, Key
from comity.register.rows.ending import ChangeRow, HoldingRow, LevelRow, change_key, holding_key, level_key
from comity.register.rows.lineage import DerivativeRow, derivative_key


def marks_reads(relationship: str, item: str) -> list[Key]:
    """The keys of the rows of an item, of how it was made or given, and of its level."""
    return [
        (ItemRow.table, item),
        derivative_key(relationship, item),
        holding_key(relationship, item),
        level_key(relationship, item),
    ]


def marks_more(facts: Facts, relationship: str, item: str) -> list[Key]:
    """The keys of the changes of level that the recipient of an item has not answered.

    Args:
        facts: among them the rows of ``marks_reads``.
        relationship: where it was given.
        item: item id.
    """
    level = cast("LevelRow | None", facts[level_key(relationship, item)])
    return [change_key(relationship, item, each) for each in (level.pending if level is not None else ())]


def possible_marks(facts: Facts, relationship: str, item: str, record: Record | None = None) -> tuple[str, ...]:
    """The originator's mark as it is now, then those by which the recipient may still go; none where there is no item.

    Args:
        facts: among them the rows of ``marks_reads`` and ``marks_more``.
        relationship: where it was given, or made.
        item: item id.
        record: what the recipient says; a notice that its author cites as seen he knows, carried out or not.
    """
    made = cast("DerivativeRow | None", facts[derivative_key(relationship, item)])
    if made is not None:
        return (made.label.mark,)
    level = cast("LevelRow | None", facts[level_key(relationship, item)])
    if level is None:  # at home it may have another mark already, of which nobody was told
        given = cast("HoldingRow | None", facts[holding_key(relationship, item)])
        row = cast("ItemRow | None", facts[ItemRow.table, item])
        return (given.given,) if given is not None else (row.label.mark,) if row is not None else ()
    marks: list[str] = []
    for key in marks_more(facts, relationship, item):
        change = cast("ChangeRow", facts[key])
        if record is not None and record.statement.has_seen(change.sequence):
            marks.clear()
        else:
            marks.append(change.before)
        marks.append(change.mark)
    return tuple(dict.fromkeys((level.mark, *marks)))
