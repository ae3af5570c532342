"""In whose hands copies are: what somebody of this house has, found by holder (``spec/places.md`` steps 5 and 6)."""

from __future__ import annotations

import msgspec

from comity.flows.house import PSEUDONYM_OF, House
from comity.marking.label import Label
from comity.register.conditions import is_cleared
from comity.register.hands import IN_HAND
from comity.register.rows import CopyRow, ItemRow, PersonRow, copy_key
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


async def to_hand_over(house: House, relationship: str, copy: CopyRow) -> bool:
    """Whether a copy is in the hands of somebody of this house who holds no clearance, or none any more (5)."""
    holder = await house.side(PSEUDONYM_OF, f"{relationship}/{copy.holder}")
    if holder is None or copy.state not in IN_HAND:
        return False
    return not is_cleared(await house.row(PersonRow, holder.decode()), house.now())
