"""Return: a holder sends his copy back, and whoever gave it signs for it (Article 6(h)(i)).

``spec/ending.md`` steps 22 to 26. The key of the copy is erased when it is sent: nobody opens it on its way, and nobody
here afterwards.
"""

from __future__ import annotations

import msgspec

from comity.decision import model as decision
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis
from comity.flows.ending.asking import decide_about_copy, request_name
from comity.flows.ending.destruction import forget_keys, list_erased
from comity.flows.handling.custody import (
    CUSTODY,
    Place,
    check_own,
    check_state,
    find_copy,
    no_copy,
    say_in_each,
    sign_in_each,
)
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.record.bodies.ending import SentBack, TakenBack
from comity.record.person_act import unsigned
from comity.register.rows.ending import EndingRow, ending_key


class SendBack(msgspec.Struct, frozen=True, kw_only=True):
    """Send a copy of one's own back to whoever gave it.

    Attributes:
        item: item id, or the reference of the copy.
        copy: its number; not needed with a reference.
        reason: why.
        actor: its holder.
        relationship: where it was given, when there are several.
    """

    item: str
    copy: int | None = None
    reason: str
    actor: Actor
    relationship: str | None = None


class TakeBack(msgspec.Struct, frozen=True, kw_only=True):
    """Sign for a copy that has come back; by the registry of the side that gave it."""

    item: str
    copy: int | None = None
    actor: Actor
    relationship: str | None = None


class SentBackShown(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        item: item id.
        copy: number of the copy.
        to: party id of whoever it goes back to.
        outcome: of the decision.
        decision: the decision.
        decision_record: its record id in hex.
        record: id of the return in hex; empty when it was refused.
    """

    item: str
    copy: int
    to: str
    outcome: str
    decision: decision.Outcome
    decision_record: str
    record: str = ""


class TakenBackShown(msgspec.Struct, frozen=True, kw_only=True):
    """A copy is back: its record's id in hex."""

    item: str
    copy: int
    relationship: str
    record: str


async def send_back(house: House, request: SendBack) -> SentBackShown:
    """Send a copy back, or say why it may not be; a refusal is recorded.

    Raises:
        Misuse: there is no such item for him.
        Refused: it is not his copy, it is not held, or it was made here from what several parties gave.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    found = await find_copy(house, request.item, request.copy, request.actor, request.relationship)
    check_own(house, found)
    check_state(found, "only a held copy can be sent back", "held")
    if len(found.places) > 1:  # (23)
        parties = ", ".join(place.row.peer for place in found.places)
        raise Refused(
            f"item {found.item.item!r} holds information of {parties}; it cannot go back to one of them and can only "
            "be destroyed",
            code="several-originators",
            place=CUSTODY,
        )
    decided = await decide_about_copy(house, found, "return", request.actor, request=request_name("return", found))
    told = SentBackShown(
        item=found.item.item,
        copy=found.number,
        to=found.first.row.peer,
        outcome=decided.word,
        decision=decided.outcome,
        decision_record=decided.record.hex(),
    )
    if decided.word != "permit":
        return told

    def body(place: Place, name: str) -> SentBack:
        return SentBack(
            item=found.item.item,
            copy=found.number,
            reason=request.reason,
            basis=basis(house, decided.record),
            by=name,
            after=place.copy.last,
            signature=unsigned(),
        )

    said = await sign_in_each(house, found, request.actor, body)

    async def say(work: Work) -> bytes:
        (record,) = await say_in_each(work, said, found.person.function)
        forget_keys(work, [found.first.copy])
        return record.id

    record = await house.sequencer.submit(say)
    await list_erased(house)
    return msgspec.structs.replace(told, record=record.hex())


async def take_back(house: House, request: TakeBack) -> TakenBackShown:
    """Sign for a copy that has come back; it is returned from then on.

    Raises:
        Misuse: there is no such item for him, or he has not the role.
        Refused: it is not this house's to take back, or it is not on its way.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    found = await find_copy(house, request.item, request.copy, request.actor, request.relationship)
    place = found.first
    if place.keeper == house.party:
        raise no_copy(found.item.item, found.number)
    ending = await house.row(EndingRow, ending_key(place.relationship, found.item.item, found.number)[1])
    if ending is None or ending.way != "return" or not ending.pending:
        raise Refused(
            f"copy {found.number} is {place.copy.state}, and nobody has sent it back",
            code="not-returned",
            place=CUSTODY,
        )

    def body(_: Place, name: str) -> TakenBack:
        return TakenBack(item=found.item.item, copy=found.number, by=name, after=ending.record, signature=unsigned())

    said = await sign_in_each(house, found, request.actor, body)

    async def say(work: Work) -> bytes:
        (record,) = await say_in_each(work, said, found.person.function)
        forget_keys(work, [place.copy])
        return record.id

    record = await house.sequencer.submit(say)
    await list_erased(house)
    return TakenBackShown(item=found.item.item, copy=found.number, relationship=place.relationship, record=record.hex())
