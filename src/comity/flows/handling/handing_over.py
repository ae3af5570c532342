"""From hand to hand: a copy goes to somebody else of this house, is carried, and is signed for (Articles 9, 12).

``spec/custody.md`` steps 9 to 12. Between hand-over and take-over nobody can open the copy: the header that its holder
had is erased in the commit that hands it over, and the new one opens it for the taker once he has signed.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from comity.agreement.vocabulary import Act
from comity.decision import model as decision
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.deciding.basis import basis
from comity.flows.deciding.cases import answer, handling_case, outcome_word, record_decision
from comity.flows.handling.custody import (
    CUSTODY,
    TRANSIT,
    Found,
    Place,
    check_away,
    check_own,
    check_state,
    entry_of,
    find_copy,
    holder_of,
    is_holder,
    no_copy,
    pseudonym,
    say_in_each,
    sign_in_each,
)
from comity.flows.handling.packing import Amiss, check_packing, packing_amiss
from comity.flows.handling.rewrapping import Rewrap, Rewrapped, new_headers, rewrap, still_permitted, to_rewrap
from comity.flows.house import House
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.work import Work
from comity.record.bodies import Body
from comity.record.bodies.custody import Carried, HandedOver, Packing, TakenOver
from comity.record.person_act import unsigned
from comity.register.occasions import BY_HAND
from comity.register.rows import ConsignmentRow, CopyRow, DirectoryRow, PersonRow

HANDING_OVER: Act = "hand-over"
"""Asked besides the opening, where a rule speaks of it: a copy goes to somebody else of the same side."""


class HandOver(msgspec.Struct, frozen=True, kw_only=True):
    """Hand a copy over to somebody else of this house.

    Attributes:
        item: item id, or the reference of the copy.
        copy: its number; not needed with a reference.
        taker: handle of whoever gets it.
        actor: its holder, or somebody of the registry for a holder in served custody.
        relationship: where it was given, when there are several.
        rewrapped: of an actor in strict custody, what he made on his side and what allowed it.
    """

    item: str
    copy: int | None = None
    taker: str
    actor: Actor
    relationship: str | None = None
    rewrapped: Rewrapped | None = None


class HandedOn(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        item: item id.
        copy: number of the copy.
        taker: handle of whoever gets it.
        outcome: of the decision whether he may have it.
        decision: the decision.
        decision_record: its record id in hex.
        records: ids of the records in hex, by relationship; none when it was refused or is not done yet.
        rewrap: what an actor in strict custody has to do on his side before, if the copy is his own.
        wrapped: what the node has wrapped for him, if it is somebody else's; he signs over it and gives it back.
        confirm: whether he has to come back with his signature: the decision is recorded, and named in what he signs.
    """

    item: str
    copy: int
    taker: str
    outcome: str
    decision: decision.Outcome
    decision_record: str
    records: dict[str, str] = {}
    rewrap: Rewrap | None = None
    wrapped: tuple[bytes, ...] = ()
    confirm: bool = False


class TakeOver(msgspec.Struct, frozen=True, kw_only=True):
    """Sign for a copy that was sent to the actor; ``condition`` is what he found amiss."""

    item: str
    copy: int | None = None
    actor: Actor
    condition: str = ""
    relationship: str | None = None


class Carry(msgspec.Struct, frozen=True, kw_only=True):
    """Sign, as a carrier, for a copy that is on its way."""

    item: str
    copy: int | None = None
    actor: Actor
    packing: Packing | None = None
    relationship: str | None = None


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt was signed.

    Attributes:
        item: item id; empty for a carrier who knows the thing by its reference only.
        copy: number of the copy, 0 likewise.
        by: handle of whoever signed.
        state: of the copy now.
        records: ids of the records in hex, by relationship.
        amiss: what is not as it should be with the packing, and by which clause.
    """

    item: str
    copy: int
    by: str
    state: str
    records: dict[str, str]
    amiss: tuple[Amiss, ...] = ()


async def hand_over(house: House, request: HandOver) -> HandedOn:
    """Hand a copy over, or say why its taker may not have it; a refusal is recorded.

    Raises:
        Misuse: no such item or person.
        Refused: it is not the actor's copy, it is not held, the taker is not listed or holds it already, or the holder
            keeps his own keys and is somebody else.
        NeedsSignature: the actor signs with his own key, and has not yet.
    """
    found = await find_copy(house, request.item, request.copy, request.actor, request.relationship)
    check_own(house, found, registry=True)
    check_state(found, "only a held copy can be handed over", "held")
    taker = await house.person(request.taker)
    entry = await entry_of(house, found.first, taker)
    if entry.pseudonym == found.first.copy.holder:
        raise Misuse(f"{request.taker!r} holds copy {found.number} already", code="same-hands")
    own_keys = await _holder_keeps_keys(house, found)
    told = await _decide(house, found, taker, request)
    if told.outcome != "permit":
        return told
    headers = await new_headers(house, found, request.rewrapped, (entry.recipient,))
    if headers is None:
        if own_keys:
            return msgspec.structs.replace(told, rewrap=await to_rewrap(house, found, (entry.recipient,)), confirm=True)
        return msgspec.structs.replace(told, wrapped=await rewrap(house, found, (entry.recipient,)), confirm=True)
    (header,) = headers
    digest, decided = sha256(header).digest(), bytes.fromhex(told.decision_record)

    def body(place: Place, name: str) -> HandedOver:
        return HandedOver(
            item=found.item.item,
            copy=found.number,
            taker=pseudonym(house, place, taker),
            header=digest,
            basis=basis(house, decided),
            by=name,
            after=place.copy.last,
            signature=unsigned(),
        )

    said = await sign_in_each(house, found, request.actor, body)

    async def say(work: Work) -> dict[str, str]:
        records = await say_in_each(work, said, found.person.function)
        work.put_side(HEADER, digest.hex(), header)
        for old in {place.copy.header.hex() for place in found.places} - {digest.hex()}:
            work.put_side(HEADER, old, None)
        return {record.statement.relationship: record.id.hex() for record in records}

    return msgspec.structs.replace(told, records=await house.sequencer.submit(say))


async def take_over(house: House, request: TakeOver) -> Signed:
    """Sign for a copy that was sent to the actor: he holds it from now on.

    Raises:
        Misuse: no such item.
        Refused: the copy was sent to nobody, or to somebody else.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    found = await find_copy(house, request.item, request.copy, request.actor, request.relationship)
    place = found.first
    name = pseudonym(house, place, found.person)
    if place.keeper != house.party or name not in (place.copy.taker, place.copy.holder):
        raise no_copy(found.item.item, found.number)
    if place.copy.taker is None:
        check_state(found, "nobody sent it", "in transit")
    if name != place.copy.taker:
        raise Refused(
            f"copy {found.number} was sent to somebody else, who signs for it", code="not-taker", place=TRANSIT
        )

    def body(place: Place, name: str) -> TakenOver:
        return TakenOver(
            item=found.item.item,
            copy=found.number,
            condition=request.condition,
            by=name,
            after=place.copy.last,
            signature=unsigned(),
        )

    said = await sign_in_each(house, found, request.actor, body)
    records = await _say(house, found, said)
    handle = await house.handle(found.person.person)
    return Signed(item=found.item.item, copy=found.number, by=handle, state="held", records=records)


async def carry(house: House, request: Carry) -> Signed:
    """Sign for a copy as its carrier, with how it is packed.

    Raises:
        Misuse: no such item, or no copy with that reference; he has it already or is the one who signs for it at the
            end; or it has gone over to the other party's carriers.
        Refused: it is not on its way, or its way is none of this party's; or it is not packed as a checked clause asks.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    by_reference = request.copy is None
    found = await find_copy(
        house, request.item, request.copy, request.actor, request.relationship, in_hand=by_reference
    )
    place = found.first
    check_state(found, "it is not on its way", "in transit")
    check_away(house, found)
    name = pseudonym(house, place, found.person)
    await _listed(house, place, name)
    before = place.copy.carrier(house.party)
    if name == place.copy.taker or (before is not None and name == before.by):
        raise Misuse("this person has the thing already, or is the one who signs for it at the end", code="same-hands")
    running = await house.library.load(place.row)
    amiss: tuple[Amiss, ...] = ()
    if found.item.form in BY_HAND and (not place.copy.carriers or request.packing is not None):
        amiss = packing_amiss(running.agreement, request.packing, found.item.form, await _marks(house, found))
        check_packing(amiss)

    def body(place: Place, name: str) -> Carried:
        return Carried(
            item=found.item.item,
            copy=found.number,
            packing=request.packing,
            by=name,
            after=_newest(house, place.copy),
            signature=unsigned(),
        )

    said = await sign_in_each(house, found, request.actor, body)
    records = await _say(house, found, said)
    return Signed(
        item="" if by_reference else found.item.item,
        copy=0 if by_reference else found.number,
        by=await house.handle(found.person.person),
        state="in transit",
        records=records,
        amiss=amiss,
    )


def _newest(house: House, copy: CopyRow) -> bytes:
    """(10) What the next carrier of this party names: the receipt of the one before him, or what sent the copy off."""
    before = copy.carrier(house.party)
    return copy.last if before is None else before.record


async def _say(house: House, found: Found, said: Sequence[tuple[str, Body]]) -> dict[str, str]:
    async def say(work: Work) -> dict[str, str]:
        records = await say_in_each(work, said, found.person.function)
        return {record.statement.relationship: record.id.hex() for record in records}

    return await house.sequencer.submit(say)


async def _decide(house: House, found: Found, taker: PersonRow, request: HandOver) -> HandedOn:
    """(9) Whether the taker may open the item for what it came for, and whether it may go this way; the giver asks."""
    place = found.first
    running = await house.library.load(place.row)
    purpose = await _purpose(house, found)
    holder = await holder_of(house, place)

    async def decide(work: Work) -> HandedOn:
        case = await handling_case(house, place.row, found.item, taker, "open", purpose, work.at, read=work.facts)
        asking = pseudonym(house, place, found.person)
        case = msgspec.structs.replace(case, request=f"hand-over/{found.item.item}/{found.number}", requester=asking)
        outcome = answer(running, case)
        if outcome_word(outcome) == "permit" and HANDING_OVER in running.compiled.acts:
            way = msgspec.structs.replace(case, act=HANDING_OVER, office=holder.body if holder else "")
            going = answer(running, way)
            if outcome_word(going) != "permit":
                case, outcome = way, going
        if request.rewrapped is not None:
            decided = await still_permitted(house, request.rewrapped, case, outcome)
        else:
            decided = (await record_decision(work, place.row, case, outcome)).id
        return HandedOn(
            item=found.item.item,
            copy=found.number,
            taker=await house.handle(taker.person),
            outcome=outcome_word(outcome),
            decision=outcome,
            decision_record=decided.hex(),
        )

    return await house.sequencer.submit(decide)


async def _holder_keeps_keys(house: House, found: Found) -> bool:
    """Whether the copy's holder is in strict custody, and then the one who acts.

    Raises:
        Refused: he is, and somebody else acts.
    """
    if is_holder(house, found):
        return found.person.custody == "strict"
    holder = await holder_of(house, found.first)
    if holder is None or holder.custody == "strict":
        raise Refused("its holder keeps his own keys, and only he can hand it over", code="strict-keys", place=CUSTODY)
    return False


async def _purpose(house: House, found: Found) -> str:
    """What it came for: what it was given for, or made for."""
    place = found.first
    if place.made is not None:
        return place.made.purpose
    consignment = await house.need(ConsignmentRow, place.copy.consignment.hex(), "consignment")
    return consignment.purpose


async def _marks(house: House, found: Found) -> tuple[str, ...]:
    """The marks that may stand on an inner envelope: the originator's, and the receiver's own."""
    item = found.item
    marks = [item.label.mark, *([item.alternative.mark] if item.alternative is not None else [])]
    place = found.first
    if place.made is None:
        consignment = await house.need(ConsignmentRow, place.copy.consignment.hex(), "consignment")
        marks += [consignment.mark] if consignment.mark else []
    return tuple(dict.fromkeys(marks))


async def _listed(house: House, place: Place, name: str) -> None:
    entry = await house.row(DirectoryRow, f"{place.relationship}/{house.party}/{name}")
    if entry is None or entry.withdrawn:
        raise Refused(
            f"a carrier stands in this house's directory of {place.relationship!r}",
            code="unknown-carrier",
            place=TRANSIT,
        )
