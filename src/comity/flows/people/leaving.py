"""People change and leave: their entries are corrected or ended, what they did is kept (``spec/places.md``)."""

from __future__ import annotations

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.handling.hands import in_hand
from comity.flows.house import HANDLE, PERSON_NAME, ROOT, House
from comity.flows.keeping.work import Draft, Work
from comity.flows.people.directory import list_everywhere
from comity.flows.people.enrolment import check_handle
from comity.flows.people.keeping_names import name_kept
from comity.flows.people.person_views import PersonShown, person_shown
from comity.record import bodies
from comity.record.bodies.places import PersonRemoved
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.roles import SECURITY_OFFICER
from comity.seal.keys import parse_recipient


class ChangePerson(msgspec.Struct, frozen=True, kw_only=True):
    """Change what is recorded about a person, or what this house calls him; what is not given stays.

    Attributes:
        handle: whom.
        actor: a security officer, or root; never the person himself.
        new_handle: another handle.
        name: another name; both stay in the house.
        function: and the next ones, as for ``EnrolPerson``.
        body: the office or firm.
        nationality: state id.
        serves: party or body served.
        roles: all roles he has from now on.
        firm: a contractor's site; empty for somebody who is a government employee from now on.
        recipient, signing_key: his new keys, where he keeps them himself; what was sealed to the old ones stays so.
    """

    handle: str
    actor: Actor
    new_handle: str | None = None
    name: str | None = None
    function: str | None = None
    body: str | None = None
    nationality: str | None = None
    serves: str | None = None
    roles: tuple[str, ...] | None = None
    firm: str | None = None
    recipient: str | None = None
    signing_key: bytes | None = None


class RemovePerson(msgspec.Struct, frozen=True, kw_only=True):
    """Remove a person who has left: nothing is open to him, his name is erased, what he did stays recorded."""

    handle: str
    reason: str
    actor: Actor


async def change_person(house: House, request: ChangePerson) -> PersonShown:
    """Change what is recorded about a person; every directory that names him is told what it may know of it.

    Raises:
        Misuse: nobody has that handle, the new one is taken, nothing is changed, or the signer may not.
    """
    row = await house.person(request.handle)
    if request.new_handle is not None:
        await check_handle(house, request.new_handle)
    firm = row.firm if request.firm is None else request.firm or None
    if row.custody != "strict" and (request.recipient or request.signing_key):
        raise Misuse(f"the node keeps the keys of {request.handle!r}; nobody else brings new ones", code="served-keys")
    body = bodies.PersonEnrolled(
        person=row.person,
        function=request.function or row.function,
        body=request.body or row.body,
        employer="government" if firm is None else "contractor",
        nationality=request.nationality or row.nationality,
        serves=request.serves or row.serves,
        roles=row.roles if request.roles is None else request.roles,
        custody=row.custody,
        recipient=str(parse_recipient(request.recipient)) if request.recipient else row.recipient,
        signing_key=request.signing_key or row.signing_key,
        firm=firm,
        signature=unsigned(),
        after=row.last,
    )
    fields = [name for name in body.__struct_fields__ if name not in ("signature", "after")]
    recorded = any(getattr(body, name) != getattr(row, name) for name in fields)
    if not recorded and request.new_handle is None and request.name is None:
        raise Misuse("nothing was given that would change anything", code="nothing-changed")
    signed = await house.sign(body, DOMESTIC, request.actor) if recorded else None
    if signed is None:
        await check_security_officer(house, request.actor)
    handle, _, name = (await house.side(PERSON_NAME, row.person) or request.handle.encode()).decode().partition("\n")
    now_called = request.new_handle or handle

    async def change(work: Work) -> None:
        if signed is not None:
            await work.say(Draft(DOMESTIC, signed))
        work.put_side(HANDLE, handle, None)
        work.put_side(HANDLE, now_called, row.person.encode())
        work.put_side(PERSON_NAME, row.person, f"{now_called}\n{request.name or name}".encode())
        await list_everywhere(house, work, row.person)

    await house.sequencer.submit(change)
    return await person_shown(house, await house.person(now_called))


async def remove_person(house: House, request: RemovePerson) -> PersonShown:
    """Remove a person who has left; the records keep an identifier that says nothing. His handle is erased at once.

    His name is, too, unless this house or an agreement has it kept for a time (``spec/keys.md`` step 71).

    Raises:
        Misuse: nobody has that handle, he has copies in hand still, or the signer may not.
    """
    row = await house.person(request.handle)
    held = await in_hand(house, row.person)
    if held:
        first = held[0]
        raise Misuse(
            f"{request.handle!r} has copies in hand, {len(held)} in all, such as copy {first.number} of {first.item}; "
            "they are handed over first",
            code="holds-copies",
            place="6.f",
        )
    body = PersonRemoved(person=row.person, reason=request.reason, after=row.last, signature=unsigned())
    signed = await house.sign(body, DOMESTIC, request.actor)
    handle, _, name = (await house.side(PERSON_NAME, row.person) or b"").decode().partition("\n")
    now = house.now()
    until = (await name_kept(house, now)).end
    kept = f"{row.person}\n{name}".encode() if name and (until is None or until > now) else None

    async def remove(work: Work) -> None:
        await work.say(Draft(DOMESTIC, signed))
        work.put_side(HANDLE, handle or row.person, None)
        work.put_side(PERSON_NAME, row.person, kept)
        await list_everywhere(house, work, row.person)

    await house.sequencer.submit(remove)
    return await person_shown(house, await house.person(row.person))


async def check_security_officer(house: House, actor: Actor) -> None:
    """Names stand in no record: who may change them is checked here."""
    if actor.handle != ROOT and SECURITY_OFFICER not in (await house.person(actor.handle)).roles:
        raise Misuse(f"{actor.handle!r} does not have the role {SECURITY_OFFICER!r}", code="no-role")
