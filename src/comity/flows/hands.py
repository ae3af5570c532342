"""In whose hands copies are: what somebody of this house has, found by holder (``spec/places.md`` steps 5 and 6)."""

from __future__ import annotations

import msgspec

from comity.flows.house import House
from comity.marking.label import Label
from comity.register.rows import CopyRow, ItemRow, copy_key
from comity.register.rows.places import HolderRow


class InHand(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that somebody has, or that is on its way to him."""

    relationship: str
    item: str
    number: int
    state: str
    label: Label


async def in_hand(house: House, person: str) -> tuple[InHand, ...]:
    """The copies in the hands of a person of this house, by relationship, item and number."""
    found = []
    for relationship, _peer in await house.relationships():
        pseudonym = house.pseudonym(relationship, person)
        async for _key, each in house.rows(HolderRow, f"{relationship}/{pseudonym}/"):
            copy = await house.need(CopyRow, copy_key(relationship, each.item, each.number)[1], "copy")
            item = await house.need(ItemRow, each.item, "item")
            found.append(
                InHand(
                    relationship=relationship,
                    item=each.item,
                    number=each.number,
                    state=copy.state,
                    label=item.alternative or item.label,
                )
            )
    return tuple(found)
