"""Whether something came to a party in a relationship: given to it, shown to it, or made by it from what was.

Whoever says something about an item of the other party's must have it; else he could learn by asking that there is one.
"""

from __future__ import annotations

from typing import cast

from comity.register.rows import Facts, Key
from comity.register.rows.consents import ShownItemRow, shown_item_key
from comity.register.rows.ending import HoldingRow, holding_key
from comity.register.rows.lineage import DerivativeRow, derivative_key


def came_reads(relationship: str, item: str) -> list[Key]:
    """The keys of the rows that show it."""
    return [derivative_key(relationship, item), holding_key(relationship, item), shown_item_key(relationship, item)]


def came_to(facts: Facts, relationship: str, item: str, party: str) -> bool:
    """Whether an item came to a party, as far as both registers know.

    Args:
        facts: among them the rows of ``came_reads``.
        relationship: where.
        item: item id.
        party: party id.
    """
    made = cast("DerivativeRow | None", facts[derivative_key(relationship, item)])
    holding = cast("HoldingRow | None", facts[holding_key(relationship, item)])
    shown = cast("ShownItemRow | None", facts[shown_item_key(relationship, item)])
    return (
        (made is not None and made.maker == party)
        or (holding is not None and holding.keeper == party)
        or (shown is not None and shown.author != party)
    )
