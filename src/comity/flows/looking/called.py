"""What items are called: for lists in which an item stands by its number alone (``spec/visibility.md`` steps 5 and 8).

Titles stay at home, so whoever received an item has none for it; its topic and the day on which it was registered are
what he has to name it by.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.house import House
from comity.flows.looking.views import title_of
from comity.marking.label import Label

ITEMS_MAX = 2_000
"""Most items that are named at once."""


class NameItems(msgspec.Struct, frozen=True, kw_only=True):
    """What these items are called, as ``actor`` may see them; at most ``ITEMS_MAX``."""

    items: tuple[str, ...]
    actor: Actor | None = None


class ItemNamed(msgspec.Struct, frozen=True, kw_only=True):
    """An item, by what people call it; ``title`` is empty where this house has none for it."""

    item: str
    title: str
    topic: str
    registered: datetime
    label: Label
    alternative: Label | None


async def name_items(house: House, request: NameItems) -> list[ItemNamed]:
    """What items are called, in the order asked; one that is not there, or not for this viewer, is left out.

    Raises:
        Misuse: nobody has that handle, or too many are asked for (``too-many-lines``).
    """
    if len(request.items) > ITEMS_MAX:
        raise Misuse(f"at most {ITEMS_MAX} items are named at once", code="too-many-lines", place="items")
    sight = Sight(house, await viewer(house, request.actor))
    rows = [await sight.item(each) for each in dict.fromkeys(request.items)]
    return [
        ItemNamed(
            item=row.item,
            title=await title_of(house, row.item),
            topic=row.topic,
            registered=row.registered,
            label=row.label,
            alternative=row.alternative,
        )
        for row in rows
        if row is not None
    ]
