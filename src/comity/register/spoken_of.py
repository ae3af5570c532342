"""What a record's rule knows of an item that an obligation may or may not speak of (``spec/duties.md`` step 1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from comity.agreement.conditions import Known, about_item, holds
from comity.agreement.model import Agreement, Obligation
from comity.register.rows import Facts, ItemRow, Key
from comity.register.rows.ending import LevelRow, level_key
from comity.register.rows.lineage import DerivativeRow, derivative_key
from comity.register.verdict import Put


def item_keys(relationship: str, item: str) -> list[Key]:
    """The rows that say what an item is: registered, made from others, and at which level by now."""
    return [(ItemRow.table, item), derivative_key(relationship, item), level_key(relationship, item)]


def known_of(facts: Facts, puts: Sequence[Put], relationship: str, item: str) -> Known | None:
    """What is known of an item once the record has taken effect; None of one that neither side has registered."""
    rows = {key: facts.get(key) for key in item_keys(relationship, item)}
    rows |= {put.key: put.row for put in puts if put.key in rows}
    registered, made, level = rows.values()
    row = cast("DerivativeRow | ItemRow | None", made or registered)
    if row is None:
        return None
    changed = cast("LevelRow | None", level)
    return about_item(
        form=row.form,
        mark=changed.mark if changed is not None else row.label.mark,
        subject=row.subject,
        originator=row.label.originator,
        categories=row.label.categories,
    )


def speaks_of(agreement: Agreement, obligation: Obligation, known: Known | None) -> bool:
    """Whether an obligation speaks of an item; of one that is not known every obligation does."""
    if obligation.when is None or known is None:
        return True
    return holds(agreement, obligation.when, known) is not False
