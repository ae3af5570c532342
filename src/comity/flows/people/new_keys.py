"""A person in served custody gets another signing key (``spec/keys.md`` step 56)."""

from __future__ import annotations

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.flows.people.directory import list_everywhere
from comity.flows.people.person_views import PersonShown, person_shown
from comity.record.bodies import PersonEnrolled
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import PersonRow, SigningKeyRow


class RotatePersonKey(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the signing key that the node keeps for a person; ``actor`` is a security officer, or root."""

    handle: str
    actor: Actor


async def rotate_person_key(house: House, request: RotatePersonKey) -> PersonShown:
    """Make the next key, enrol the person anew with it, tell every party, and destroy the one before.

    Raises:
        Misuse: nobody has that handle, he keeps his keys himself or has left, or the signer may not.
        NeedsSignature: the actor signs with his own key, and has not yet.
    """
    row = await house.person(request.handle)
    if row.custody != "served":
        raise Misuse(
            f"{request.handle!r} keeps the keys himself; 'comity person change --keys' brings new ones",
            code="strict-custody",
        )
    if row.removed:
        raise Misuse(f"{request.handle!r} has left this house", code="removed-person")
    fields = {name: getattr(row, name) for name in PersonEnrolled.__struct_fields__ if hasattr(row, name)}
    made = await _next_key(house, row)
    body = PersonEnrolled(**{**fields, "signing_key": made, "after": row.last, "signature": unsigned()})
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def tell(work: Work) -> None:
        await work.say(Draft(DOMESTIC, signed))
        await list_everywhere(house, work, row.person)

    await house.sequencer.submit(tell)
    house.keys.destroy_person(row.person, row.signing_key)
    return await person_shown(house, await house.person(row.person))


async def _next_key(house: House, row: PersonRow) -> bytes:
    """A key that he never had: the one that was made when this was asked for before, or a new one.

    One that he had and that a crash left is destroyed.
    """
    waiting = b""
    for public in house.keys.person_keys(row.person):
        if public == row.signing_key:
            continue
        if await house.row(SigningKeyRow, public.hex()) is None:
            waiting = public
        else:
            house.keys.destroy_person(row.person, public)
    return waiting or house.keys.new_person(row.person).public
