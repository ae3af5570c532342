"""Views of people: who there is, who is cleared until when, and who has to hand over what he holds (Article 7)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.said import Said, said_in
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.handling.hands import InHand, in_hand
from comity.flows.house import House
from comity.register.conditions import is_cleared
from comity.register.rows import PersonRow


class ListPeople(msgspec.Struct, frozen=True):
    """List the people of this house, as ``actor`` may see them; the house itself unless given.

    ``person`` names a single one, by his person id.
    """

    actor: Actor | None = None
    person: str | None = None


class ListClearances(msgspec.Struct, frozen=True):
    """List the clearances of this house, the one that ends first at the top.

    ``before`` leaves out those that end later. Whoever has copies in hand without a clearance is listed first.
    ``actor`` is who looks; the house itself unless given.
    """

    before: datetime | None = None
    actor: Actor | None = None


class PersonShown(msgspec.Struct, frozen=True, kw_only=True):
    """A person, as this house sees him.

    ``to_hand_over`` lists the copies in the hands of somebody who holds no clearance, or none any more; ``last`` is who
    said the last about him.
    """

    handle: str
    person: str
    function: str
    body: str
    employer: str
    nationality: str
    serves: str
    roles: tuple[str, ...]
    custody: str
    firm: str | None
    clearance: str | None
    clearance_until: datetime | None
    topics: tuple[str, ...]
    pseudonyms: dict[str, str]
    site: str | None
    briefed: tuple[str, ...]
    clearance_basis: str
    decided_by: str
    signed_by: str
    all_information: bool
    removed: bool
    to_hand_over: tuple[InHand, ...] = ()
    last: Said | None = None


async def list_people(house: House, request: ListPeople) -> list[PersonShown]:
    """Every person of this house, to whoever sees the whole register; to anybody else himself."""
    sight = Sight(house, await viewer(house, request.actor))
    if request.person is not None:
        one = await house.row(PersonRow, request.person)
        return [await person_shown(house, one)] if one is not None and sight.is_himself(one.person) else []
    return [await person_shown(house, row) async for _, row in house.rows(PersonRow) if sight.is_himself(row.person)]


async def list_clearances(house: House, request: ListClearances) -> list[PersonShown]:
    """Every clearance by its end; before them whoever has copies in hand and no clearance any more."""
    found: list[tuple[datetime, PersonShown]] = []
    sight = Sight(house, await viewer(house, request.actor))
    async for _, row in house.rows(PersonRow):
        if not sight.is_himself(row.person):
            continue
        shown = await person_shown(house, row)
        if row.clearance_until is None or row.clearance is None:
            if shown.to_hand_over:
                found.append((datetime.min.replace(tzinfo=UTC), shown))
        elif request.before is None or row.clearance_until < request.before.astimezone(UTC):
            found.append((row.clearance_until, shown))
    return [shown for _, shown in sorted(found, key=lambda each: (each[0], each[1].handle))]


async def person_shown(house: House, row: PersonRow) -> PersonShown:
    """A person as this house sees him."""
    clearing = row.clearing
    told: dict[str, object] = {
        "handle": await house.handle(row.person),
        "pseudonyms": {name: house.pseudonym(name, row.person) for name, _ in await house.relationships()},
        "clearance_basis": clearing.basis if clearing else "",
        "decided_by": await house.handle(clearing.decided_by) if clearing else "",
        "signed_by": await house.handle(clearing.signed_by) if clearing else "",
        "all_information": clearing is not None and clearing.all_information,
        "last": await said_in(house, row.last),
        "to_hand_over": () if is_cleared(row, house.now()) else await in_hand(house, row.person),
    }
    told |= {name: getattr(row, name) for name in PersonShown.__struct_fields__ if name not in told}
    return msgspec.convert(told, PersonShown)
