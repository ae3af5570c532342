"""Enrolment: somebody becomes a person of this house, by a second signer (Articles 6(e), 7)."""

from __future__ import annotations

from typing import Literal

import msgspec

from comity.errors import Misuse, Unavailable
from comity.flows.actors import Actor
from comity.flows.house import HANDLE, PERSON_NAME, ROOT, House
from comity.flows.keeping.work import Draft, Work
from comity.flows.people.directory import list_everywhere
from comity.flows.people.person_views import PersonShown, person_shown
from comity.ports import Signer
from comity.record import bodies
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import PersonRow
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
