"""Clearances and need-to-know lists: what opens something to a person, and what closes it (Articles 6(e), 7)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from comity.agreement.equivalence import level_of
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.house import HANDLE, House
from comity.flows.keeping.work import Draft, Work
from comity.flows.people.directory import list_everywhere
from comity.flows.people.person_views import PersonShown, person_shown
from comity.record import bodies
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow


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
