"""Lost and found: what a single copy's chain of custody says of it (Article 17, ``spec/custody.md`` steps 13 and 14).

What a loss brings besides (the report to each originator, the investigation, everything affected) is an incident, which
says of each copy what ``lost_bodies`` gives.
"""

from __future__ import annotations

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.visibility import sees_all
from comity.flows.handling.custody import (
    Found,
    Place,
    check_away,
    check_own,
    check_state,
    find_copy,
    no_copy,
    pseudonym,
    say_in_each,
    sign_in_each,
)
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.record.bodies.custody import CopyFound, CopyLost
from comity.record.person_act import unsigned
from comity.record.statement import Record


class LoseCopy(msgspec.Struct, frozen=True, kw_only=True):
    """Say that a copy cannot be found."""

    item: str
    copy: int | None = None
    circumstances: str
    actor: Actor
    relationship: str | None = None


class FindCopy(msgspec.Struct, frozen=True, kw_only=True):
    """Say that a lost copy is there again."""

    item: str
    copy: int | None = None
    circumstances: str
    actor: Actor
    relationship: str | None = None


class CopyTold(msgspec.Struct, frozen=True, kw_only=True):
    """What was said of a copy: its state now, and the ids of the records in hex, by relationship."""

    item: str
    copy: int
    state: str
    records: dict[str, str]


async def lose_copy(house: House, request: LoseCopy) -> CopyTold:
    """Record that a copy is lost.

    Raises:
        Misuse: no such item.
        Refused: it is no copy of his, or is neither held nor on a way on which people of this house have it.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    found = await find_copy(house, request.item, request.copy, request.actor, request.relationship)
    check_state(found, "it cannot be lost", "held", "in transit")
    if found.first.copy.state == "in transit":
        check_away(house, found)
    _check_concerned(house, found)
    said = await lost_bodies(house, found, request.circumstances, request.actor)

    async def say(work: Work) -> list[Record]:
        return await say_in_each(work, said, found.person.function)

    return _told(found, "lost", await house.sequencer.submit(say))


async def lost_bodies(
    house: House, found: Found, circumstances: str, actor: Actor, incident: str | None = None
) -> list[tuple[str, CopyLost]]:
    """What a person says of a lost copy, signed, in each relationship that it belongs to.

    Raises:
        NeedsSignature: he signs with his own key, and has not yet.
    """

    def body(place: Place, name: str) -> CopyLost:
        return CopyLost(
            item=found.item.item,
            copy=found.number,
            circumstances=circumstances,
            incident=incident,
            by=name,
            after=place.copy.last,
            signature=unsigned(),
        )

    return await sign_in_each(house, found, actor, body)


async def find_again(house: House, request: FindCopy) -> CopyTold:
    """Record that a lost copy was found.

    Raises:
        Misuse: no such item.
        Refused: it is not his copy, or is not lost.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    found = await find_copy(house, request.item, request.copy, request.actor, request.relationship)
    check_own(house, found, registry=True)
    check_state(found, "only a lost copy can be found again", "lost")

    def body(place: Place, name: str) -> CopyFound:
        return CopyFound(
            item=found.item.item,
            copy=found.number,
            circumstances=request.circumstances,
            by=name,
            after=place.copy.last,
            signature=unsigned(),
        )

    said = await sign_in_each(house, found, request.actor, body)

    async def say(work: Work) -> list[Record]:
        return await say_in_each(work, said, found.person.function)

    state = "held" if found.first.copy.sent is None else "in transit"
    return _told(found, state, await house.sequencer.submit(say))


def _check_concerned(house: House, found: Found) -> None:
    """Whoever has or had it in his hands may say that it is lost, and whoever answers for the register."""
    place = found.first
    name = pseudonym(house, place, found.person)
    if name not in (place.copy.holder, place.copy.taker, place.copy.custodian) and not sees_all(found.person):
        raise no_copy(found.item.item, found.number)


def _told(found: Found, state: str, records: list[Record]) -> CopyTold:
    return CopyTold(
        item=found.item.item,
        copy=found.number,
        state=state,
        records={record.statement.relationship: record.id.hex() for record in records},
    )
