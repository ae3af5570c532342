"""How long the names of those who leave are kept, and what agreements say of it (``spec/keys.md`` step 71)."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

from comity.flows.house import House
from comity.flows.keeping.periods import Bound, Limit, bounds, limit
from comity.record.bodies.retention import Erasable


async def asked_of(house: House) -> dict[Erasable, dict[str, list[Bound]]]:
    """What the agreements that run here say of each class that can be erased, by relationship."""
    found: dict[Erasable, dict[str, list[Bound]]] = {what: {} for what in get_args(Erasable)}
    for relationship, _ in await house.relationships():
        running = await house.library.load(await house.agreement_row(relationship))
        for what, texts in found.items():
            texts[relationship] = bounds(what, running, house.party)
    return found


async def name_kept(house: House, since: datetime) -> Limit:
    """Until when the name of somebody who leaves at ``since`` is kept."""
    asked = await asked_of(house)
    found = [each for some in asked["names"].values() for each in some]
    return limit(since, house.periods.names, "names", found, house.zones)


async def least_kept(house: House) -> str:
    """The clause by which names are kept for a time after people left; empty where none does."""
    asked = await asked_of(house)
    return next(
        (each.place for some in asked["names"].values() for each in some if each.least and not each.unchecked), ""
    )
