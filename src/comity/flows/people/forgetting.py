"""Forgetting: a name goes, what its person did stays under an identifier (``spec/keys.md`` step 72)."""

from __future__ import annotations

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.house import HANDLE, PERSON_NAME, House
from comity.flows.keeping.work import Work
from comity.flows.people.keeping_names import least_kept
from comity.flows.people.leaving import check_security_officer
from comity.flows.people.person_views import PersonShown, person_shown


class ForgetName(msgspec.Struct, frozen=True, kw_only=True):
    """Erase the name and the handle of a person who stays; ``actor`` is a security officer, or root."""

    handle: str
    actor: Actor


async def forget_name(house: House, request: ForgetName) -> PersonShown:
    """Erase what this house calls a person, and his name. Nothing is recorded: no record ever held them.

    Raises:
        Misuse: nobody has that handle, he has no name here any more, or the actor may not; or an agreement has names
            kept for a time.
    """
    row = await house.person(request.handle)
    await check_security_officer(house, request.actor)
    clause = await least_kept(house)
    if clause:
        raise Misuse(
            "names are kept for a time after people leave; remove the person, and 'comity retention apply' erases the "
            "name when its time is over",
            code="kept-name",
            place=clause,
        )
    kept = await house.side(PERSON_NAME, row.person)
    if kept is None:
        raise Misuse(f"no name is kept of {row.person!r}", code="no-name")

    async def forget(work: Work) -> None:
        work.put_side(HANDLE, kept.decode().partition("\n")[0], None)
        work.put_side(PERSON_NAME, row.person, None)

    await house.sequencer.submit(forget)
    return await person_shown(house, row)
