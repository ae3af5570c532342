"""People: enrolment, clearances, need-to-know lists, the directory the peer sees (Articles 6(e), 7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from comity.agreement.equivalence import level_of
from comity.errors import Misuse, Refused, Unavailable
from comity.flows.actors import Actor
from comity.flows.handling.hands import InHand, in_hand
from comity.flows.house import HANDLE, PERSON_NAME, PSEUDONYM_OF, ROOT, House
from comity.flows.keeping.work import Draft, Work
from comity.ports import Signer
from comity.record import bodies
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.conditions import is_cleared
from comity.register.roles import UNLISTED
from comity.register.rows import AgreementRow, DirectoryRow, PersonRow, directory_key
from comity.seal.keys import parse_identity, parse_recipient


class EnrolPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Enrol a person of this house.

    Attributes:
        handle: a short word by which this house calls the person; stays in the house and can be erased.
        name: the person's name; as the handle.
        function: the function held, as other parties may know it.
        body: the office or firm.
        employer: the government or a contractor; ``firm`` names the contractor's site.
        nationality: state id.
        serves: party or body served; an embedded officer serves another than this party.
        roles: what the person may do.
        custody: ``served``: the node keeps the keys; ``strict``: it never has them.
        recipient: age recipient of a person in strict custody.
        signing_key: raw Ed25519 public key of a person in strict custody.
        actor: the second signer: a security officer, or root.
        person: identifier for the person, when a signer in strict custody must know it beforehand.
    """

    handle: str
    name: str
    function: str
    body: str
    nationality: str
    serves: str
    actor: Actor
    roles: tuple[str, ...] = ("reader",)
    employer: Literal["government", "contractor"] = "government"
    firm: str | None = None
    custody: Literal["strict", "served"] = "served"
    recipient: str | None = None
    signing_key: bytes | None = None
    person: str | None = None


class GrantClearance(msgspec.Struct, frozen=True, kw_only=True):
    """Grant a clearance up to a mark of this party's own ladder, until an instant (Articles 7.2 to 7.4).

    Attributes:
        handle: to whom.
        mark: of this party's own ladder.
        until: its end.
        basis: what it rests on, such as the file number of the vetting.
        actor: who signs: a security officer, or root; never the person himself.
        all_information: the assurance that it rests on all available information about trustworthiness and reliability.
        decided_by: who decided: a handle, or a board in words; whoever signs, unless given.
    """

    handle: str
    mark: str
    until: datetime
    basis: str
    actor: Actor
    all_information: bool = False
    decided_by: str = ""


class WithdrawClearance(msgspec.Struct, frozen=True, kw_only=True):
    """Withdraw a clearance at once, and with it what it opened."""

    handle: str
    reason: str
    actor: Actor


class ChangeList(msgspec.Struct, frozen=True, kw_only=True):
    """Put a person on the need-to-know list of a topic, or take him off it."""

    topic: str
    handle: str
    listed: bool
    actor: Actor


class ListPeople(msgspec.Struct, frozen=True):
    """List the people of this house."""


class ListClearances(msgspec.Struct, frozen=True):
    """List the clearances of this house, the one that ends first at the top.

    ``before`` leaves out those that end later. Whoever has copies in hand without a clearance is listed first.
    """

    before: datetime | None = None


class ListDirectory(msgspec.Struct, frozen=True):
    """List the functions of all parties that can receive or sign."""


class PersonShown(msgspec.Struct, frozen=True, kw_only=True):
    """A person, as this house sees him.

    ``to_hand_over`` lists the copies in the hands of somebody who holds no clearance, or none any more.
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


class DirectoryShown(msgspec.Struct, frozen=True, kw_only=True):
    """A function as the other party knows it."""

    relationship: str
    party: str
    pseudonym: str
    function: str
    body: str
    employer: str
    nationality: str
    serves: str
    roles: tuple[str, ...]
    custody: str
    firm: str | None
    withdrawn: bool
    receives: bool


async def enrol_person(house: House, request: EnrolPerson) -> PersonShown:
    """Enrol a person and list the function in the directory of every relationship; needs a second signer.

    Raises:
        Misuse: the handle is taken, a strict person's keys are missing, or the signer may not enrol.
    """
    await check_handle(house, request.handle)
    person = house.name("p", request.person)
    if await house.row(PersonRow, person) is not None:
        raise Misuse(f"there is somebody enrolled as {person!r} already", code="person-taken")
    recipient, signing_key = _keys_of(house, request, person)
    body = bodies.PersonEnrolled(
        person=person,
        function=request.function,
        body=request.body,
        employer=request.employer,
        nationality=request.nationality,
        serves=request.serves,
        roles=request.roles,
        custody=request.custody,
        recipient=recipient,
        signing_key=signing_key,
        firm=request.firm,
        signature=unsigned(),
    )
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def enrol(work: Work) -> None:
        await work.say(Draft(DOMESTIC, signed))
        work.put_side(HANDLE, request.handle, person.encode())
        work.put_side(PERSON_NAME, person, f"{request.handle}\n{request.name}".encode())
        await list_everywhere(house, work, person)

    await house.sequencer.submit(enrol)
    return await person_shown(house, await house.person(request.handle))


async def check_handle(house: House, handle: str) -> None:
    """Check that a handle can be given to somebody.

    Raises:
        Misuse: it has other characters than letters, digits and ``_``, or somebody has it.
    """
    if not handle.isidentifier() or handle == ROOT:
        raise Misuse(f"{handle!r} cannot be a handle; use letters, digits and '_'", code="bad-handle")
    if await house.side(HANDLE, handle) is not None:
        raise Misuse(f"there is already somebody called {handle!r}", code="handle-taken")


def _keys_of(house: House, request: EnrolPerson, person: str) -> tuple[str, bytes]:
    if request.custody == "served":
        registry = parse_identity(house.keys.registry()[0])
        return str(registry.recipient), _kept_key(house, person).public
    if request.recipient is None or request.signing_key is None:
        raise Misuse(
            f"{request.handle!r} is to keep his own keys: give his age recipient and his signing key",
            code="strict-keys",
        )
    return str(parse_recipient(request.recipient)), request.signing_key


def _kept_key(house: House, person: str) -> Signer:
    """The key this house keeps for a new person; the one made before, when the flow comes back with a signature."""
    try:
        return house.keys.person(person)
    except Unavailable:
        return house.keys.new_person(person)


async def list_in_directory(house: House, work: Work, relationship: str, row: PersonRow) -> None:
    """Tell the peer of a relationship about a function, under its pseudonym there, unless it knows the same already.

    Whoever neither receives nor signs anything across is not told of; where he was, he is withdrawn.
    """
    pseudonym = house.pseudonym(relationship, row.person)
    body = bodies.Listed(
        pseudonym=pseudonym,
        function=row.function,
        body=row.body,
        employer=row.employer,
        nationality=row.nationality,
        serves=row.serves,
        roles=row.roles,
        custody=row.custody,
        recipient=row.recipient,
        signing_key=row.signing_key,
        firm=row.firm,
        withdrawn=row.removed or (bool(row.roles) and UNLISTED.issuperset(row.roles)),
        receives=not row.stopped,
    )
    _, key = directory_key(relationship, house.party, pseudonym)
    before = await work.row(DirectoryRow, key)
    if before is None and body.withdrawn:
        return
    if before is not None and all(getattr(before, name) == getattr(body, name) for name in body.__struct_fields__):
        return
    await work.say(Draft(relationship, body))
    work.put_side(PSEUDONYM_OF, f"{relationship}/{pseudonym}", row.person.encode())


async def list_everywhere(house: House, work: Work, person: str) -> None:
    """Tell every peer about a person's function as it is now."""
    row = await work.need(PersonRow, person, "person")
    for relationship, _ in await house.relationships():
        await list_in_directory(house, work, relationship, row)


async def list_everybody(house: House, work: Work, relationship: str) -> None:
    """Tell the peer of a new relationship about every function of this house."""
    async for _, row in house.rows(PersonRow):
        await list_in_directory(house, work, relationship, row)


async def grant_clearance(house: House, request: GrantClearance) -> PersonShown:
    """Grant a clearance.

    Raises:
        Refused: it is not assured that it rests on all available information (Article 7.3).
        Misuse: nobody has that handle, no agreement knows the mark, or the signer may not.
    """
    await check_own_mark(house, request.mark)
    person = await house.person(request.handle)
    if not request.all_information:
        raise Refused(
            "a clearance rests on all available information about trustworthiness and reliability; assure that it does",
            code="not-all-information",
            place="7.3",
        )
    decided_by = request.decided_by
    if decided_by and (known := await house.side(HANDLE, decided_by)) is not None:
        decided_by = known.decode()
    body = bodies.ClearanceGranted(
        person=person.person,
        mark=request.mark,
        until=request.until.astimezone(UTC),
        basis=request.basis,
        after=person.last,
        signature=unsigned(),
        all_information=True,
        decided_by=decided_by,
    )
    return await _say_about(house, body, request.actor, request.handle)


async def withdraw_clearance(house: House, request: WithdrawClearance) -> PersonShown:
    """Withdraw a clearance, and with it what it opened (``spec/places.md`` step 5).

    What the person may open is decided without it from this instant on; his posting ends; every peer is told that
    nothing new may go to him; the copies in his hands are named, to be handed over.
    """
    person = await house.person(request.handle)
    body = bodies.ClearanceWithdrawn(
        person=person.person, reason=request.reason, after=person.last, signature=unsigned()
    )
    return await _say_about(house, body, request.actor, request.handle)


async def change_list(house: House, request: ChangeList) -> PersonShown:
    """Put a person on a need-to-know list, or take him off it."""
    person = await house.person(request.handle)
    body = bodies.NeedToKnow(
        topic=request.topic,
        person=person.person,
        listed=request.listed,
        after=person.last,
        signature=unsigned(),
    )
    return await _say_about(house, body, request.actor, request.handle)


async def list_people(house: House, _: ListPeople) -> list[PersonShown]:
    """Every person of this house."""
    return [await person_shown(house, row) async for _, row in house.rows(PersonRow)]


async def list_clearances(house: House, request: ListClearances) -> list[PersonShown]:
    """Every clearance by its end; before them whoever has copies in hand and no clearance any more."""
    found: list[tuple[datetime, PersonShown]] = []
    async for _, row in house.rows(PersonRow):
        shown = await person_shown(house, row)
        if row.clearance_until is None or row.clearance is None:
            if shown.to_hand_over:
                found.append((datetime.min.replace(tzinfo=UTC), shown))
        elif request.before is None or row.clearance_until < request.before.astimezone(UTC):
            found.append((row.clearance_until, shown))
    return [shown for _, shown in sorted(found, key=lambda each: (each[0], each[1].handle))]


async def list_directory(house: House, _: ListDirectory) -> list[DirectoryShown]:
    """Every function in the directories of this house's relationships."""
    return [
        DirectoryShown(
            relationship=key.removesuffix(f"/{row.party}/{row.pseudonym}"),
            **{name: getattr(row, name) for name in DirectoryShown.__struct_fields__ if name != "relationship"},
        )
        async for key, row in house.rows(DirectoryRow)
    ]


async def check_own_mark(house: House, mark: str) -> None:
    """Check that a mark is on this party's ladder in some agreement it runs; the error names the nearest mark.

    Raises:
        Rejected: no agreement knows it.
    """
    async for _, row in house.rows(AgreementRow):
        level_of(house.library.agreement(row.digest), house.party, mark)
        return


async def _say_about(house: House, body: bodies.Body, actor: Actor, handle: str) -> PersonShown:
    signed = await house.sign(body, DOMESTIC, actor)

    async def say(work: Work) -> None:
        await work.say(Draft(DOMESTIC, signed))
        await list_everywhere(house, work, (await house.person(handle)).person)

    await house.sequencer.submit(say)
    return await person_shown(house, await house.person(handle))


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
        "to_hand_over": () if is_cleared(row, house.now()) else await in_hand(house, row.person),
    }
    told |= {name: getattr(row, name) for name in PersonShown.__struct_fields__ if name not in told}
    return msgspec.convert(told, PersonShown)
