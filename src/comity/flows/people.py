"""People and places: enrolment, clearances, need-to-know lists, facilities, the directory the peer sees (6(e), 7)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from comity.agreement.equivalence import level_of
from comity.errors import Misuse, Unavailable
from comity.flows.actors import Actor
from comity.flows.house import HANDLE, PERSON_NAME, PSEUDONYM_OF, House
from comity.flows.work import Draft, Work
from comity.ports import Signer
from comity.record import bodies
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow, DirectoryRow, FacilityRow, PersonRow, directory_key
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
    """Grant a clearance up to a mark of this party's own ladder, until an instant; ``basis`` says what it rests on."""

    handle: str
    mark: str
    until: datetime
    basis: str
    actor: Actor


class WithdrawClearance(msgspec.Struct, frozen=True, kw_only=True):
    """Withdraw a clearance at once."""

    handle: str
    reason: str
    actor: Actor


class ChangeList(msgspec.Struct, frozen=True, kw_only=True):
    """Put a person on the need-to-know list of a topic, or take him off it."""

    topic: str
    handle: str
    listed: bool
    actor: Actor


class RegisterFacility(msgspec.Struct, frozen=True, kw_only=True):
    """Register a site, with the highest mark it may hold and the contractor conditions evidenced there."""

    facility: str
    mark: str
    until: datetime
    conditions: tuple[str, ...]
    evidence: str
    actor: Actor


class ListPeople(msgspec.Struct, frozen=True):
    """List the people of this house."""


class ListFacilities(msgspec.Struct, frozen=True):
    """List the sites of this house."""


class ListDirectory(msgspec.Struct, frozen=True):
    """List the functions of all parties that can receive or sign."""


class PersonShown(msgspec.Struct, frozen=True, kw_only=True):
    """A person, as this house sees him."""

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


async def enrol_person(house: House, request: EnrolPerson) -> PersonShown:
    """Enrol a person and list the function in the directory of every relationship; needs a second signer.

    Raises:
        Misuse: the handle is taken, a strict person's keys are missing, or the signer may not enrol.
    """
    if not request.handle.isidentifier() or request.handle == "root":
        raise Misuse(f"{request.handle!r} cannot be a handle; use letters, digits and '_'", code="bad-handle")
    if await house.side(HANDLE, request.handle) is not None:
        raise Misuse(f"there is already somebody called {request.handle!r}", code="handle-taken")
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
        row = await work.need(PersonRow, person, "person")
        for relationship, _ in await house.relationships():
            await list_in_directory(house, work, relationship, row)

    await house.sequencer.submit(enrol)
    return await _person(house, await house.person(request.handle))


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
    """Tell the peer of a relationship about a function, under its pseudonym there, unless it knows the same already."""
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
    )
    _, key = directory_key(relationship, house.party, pseudonym)
    before = await work.row(DirectoryRow, key)
    if before is not None and all(getattr(before, name) == getattr(body, name) for name in body.__struct_fields__):
        return
    await work.say(Draft(relationship, body))
    work.put_side(PSEUDONYM_OF, f"{relationship}/{pseudonym}", row.person.encode())


async def list_everybody(house: House, work: Work, relationship: str) -> None:
    """Tell the peer of a new relationship about every function of this house."""
    async for _, row in house.rows(PersonRow):
        await list_in_directory(house, work, relationship, row)


async def grant_clearance(house: House, request: GrantClearance) -> PersonShown:
    """Grant a clearance.

    Raises:
        Misuse: nobody has that handle, no agreement knows the mark, or the signer may not.
    """
    await check_own_mark(house, request.mark)
    person = await house.person(request.handle)
    body = bodies.ClearanceGranted(
        person=person.person,
        mark=request.mark,
        until=request.until.astimezone(UTC),
        basis=request.basis,
        after=person.last,
        signature=unsigned(),
    )
    return await _say_about(house, body, request.actor, request.handle)


async def withdraw_clearance(house: House, request: WithdrawClearance) -> PersonShown:
    """Withdraw a clearance; what the person may open is decided without it from now on."""
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


async def register_facility(house: House, request: RegisterFacility) -> FacilityRow:
    """Register a site."""
    await check_own_mark(house, request.mark)
    body = bodies.FacilityRegistered(
        facility=request.facility,
        mark=request.mark,
        until=request.until.astimezone(UTC),
        conditions=request.conditions,
        evidence=request.evidence,
        signature=unsigned(),
    )
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def register(work: Work) -> None:
        await work.say(Draft(DOMESTIC, signed))

    await house.sequencer.submit(register)
    return await house.need(FacilityRow, request.facility, "facility")


async def list_people(house: House, _: ListPeople) -> list[PersonShown]:
    """Every person of this house."""
    return [await _person(house, row) async for _, row in house.rows(PersonRow)]


async def list_facilities(house: House, _: ListFacilities) -> list[FacilityRow]:
    """Every site of this house."""
    return [row async for _, row in house.rows(FacilityRow)]


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

    await house.sequencer.submit(say)
    return await _person(house, await house.person(handle))


async def _person(house: House, row: PersonRow) -> PersonShown:
    return PersonShown(
        handle=await house.handle(row.person),
        pseudonyms={
            relationship: house.pseudonym(relationship, row.person) for relationship, _ in await house.relationships()
        },
        **{name: getattr(row, name) for name in PersonShown.__struct_fields__ if name not in ("handle", "pseudonyms")},
    )
