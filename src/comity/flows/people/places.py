"""Places: sites and systems, who answers for them, who is posted there, what shows that they protect (6(e), 10, 16).

``spec/places.md`` has the steps.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from comity.agreement.calendar import end_of_period
from comity.agreement.equivalence import level_of
from comity.agreement.intervals import Found, interval
from comity.agreement.nearest import nearest
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.house import House
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Draft, Work
from comity.flows.looking.obliged import all_running, asked_by, site_checklists
from comity.flows.people.clearances import check_own_mark
from comity.flows.people.site_registers import (
    AskPersons,
    FacilityShown,
    PersonsShown,
    ShowFacility,
    show_facility,
    show_persons,
)
from comity.record.bodies import Body, FacilityRegistered
from comity.record.bodies.places import BorneOut, Briefed, ConditionEvidenced, Inspected, OfficerNamed, Posted
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.conditions import is_cleared
from comity.register.places import last_of
from comity.register.rows import FacilityRow

Nature = Literal["government", "contractor", "system"]
"""Whose a site is, or that it is a system."""


class RegisterFacility(msgspec.Struct, frozen=True, kw_only=True):
    """Register a site or system, or change its approval.

    Attributes:
        facility: its id in this house.
        mark: the highest mark it may hold.
        until: the end of the approval.
        conditions: conditions evidenced there, all by ``evidence``, until the approval ends.
        evidence: where the evidence is.
        actor: a security officer, or root.
        nature: whose it is; where it is not given, what it was before, else a contractor's when there are conditions.
        parent: the site of the firm whose sub-contractor it is.
    """

    facility: str
    mark: str
    until: datetime
    conditions: tuple[str, ...]
    evidence: str
    actor: Actor
    nature: Nature | None = None
    parent: str | None = None


class NameOfficer(msgspec.Struct, frozen=True, kw_only=True):
    """Name who answers for a site, and by what authority; nobody any more where ``handle`` is None."""

    facility: str
    handle: str | None
    authority: str
    actor: Actor


class EvidenceCondition(msgspec.Struct, frozen=True, kw_only=True):
    """Say what shows that a site meets a condition, or that it no longer does (``met`` false).

    Attributes:
        facility: the site.
        condition: clause id of the condition.
        evidence: what shows it.
        actor: a security officer, or root.
        until: when the evidence ends.
        met: whether the condition is met.
        borne_out: the register of this house that has to bear it out besides.
    """

    facility: str
    condition: str
    evidence: str
    actor: Actor
    until: datetime | None = None
    met: bool = True
    borne_out: BorneOut = ""


class InspectFacility(msgspec.Struct, frozen=True, kw_only=True):
    """Record an inspection of a site, what was found, and when the next one is due.

    ``due`` None leaves it to what an arrangement or a layer says; where none says anything there is no date.
    """

    facility: str
    findings: str
    actor: Actor
    due: datetime | None = None


class PostPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Authorise a cleared person at a site, or end that (``posted`` false)."""

    handle: str
    facility: str
    actor: Actor
    posted: bool = True


class GiveBriefing(msgspec.Struct, frozen=True, kw_only=True):
    """A person is briefed and acknowledges it himself.

    Attributes:
        on: an agreement's id, a category of labels, or ``duties``.
        material: what he was told, or given to read.
        given_by: handle of the security or responsible officer who briefed him, or root.
        actor: the person, who signs.
    """

    on: str
    material: str
    given_by: str
    actor: Actor


# ---- acts -----------------------------------------------------------------------------------------------------------


async def register_facility(house: House, request: RegisterFacility) -> FacilityShown:
    """Register a site or system, or change its approval; a contractor's first inspection is owed from then on.

    Raises:
        Misuse: no agreement knows the mark or a condition, or the signer may not.
    """
    await check_own_mark(house, request.mark)
    for condition in request.conditions:
        await _check_condition(house, condition)
    before = await house.row(FacilityRow, request.facility)
    nature = request.nature or (before.nature if before else "contractor" if request.conditions else "government")
    body = FacilityRegistered(
        facility=request.facility,
        mark=request.mark,
        until=request.until.astimezone(UTC),
        conditions=request.conditions,
        evidence=request.evidence,
        signature=unsigned(),
        nature=nature,
        parent=request.parent if request.parent is not None or before is None else before.parent,
        after=last_of(before) if before is not None else None,
        under=await asked_by(house, "inspect-site") if nature == "contractor" else (),
    )
    return await _say_about(house, body, request.actor, request.facility)


async def name_officer(house: House, request: NameOfficer) -> FacilityShown:
    """Name the responsible officer of a site (Articles 10, 16(j)).

    Raises:
        Misuse: there is no such site or person, he is not cleared for what the site may hold, or the signer may not.
    """
    row = await house.need(FacilityRow, request.facility, "facility")
    person = None if request.handle is None else await house.person(request.handle)
    if person is not None and is_cleared(person, house.now()):
        for _, running in await all_running(house):
            held = level_of(running.agreement, house.party, person.clearance or "")
            if held.rank < level_of(running.agreement, house.party, row.mark).rank:
                raise Misuse(
                    f"{request.handle!r} is cleared to {held.mark!r}, too low to answer for a site up to {row.mark!r}",
                    code="clearance-too-low",
                )
    body = OfficerNamed(
        facility=row.facility,
        person=person.person if person is not None else None,
        authority=request.authority,
        after=last_of(row),
        signature=unsigned(),
        under=await asked_by(house, "name-officer") if person is not None else (),
    )
    return await _say_about(house, body, request.actor, row.facility)


async def evidence_condition(house: House, request: EvidenceCondition) -> FacilityShown:
    """Record what shows that a site meets one condition of a checklist, or that it no longer does (Article 16).

    Raises:
        Misuse: there is no such site or condition, the evidence is empty or over, or the signer may not.
    """
    row = await house.need(FacilityRow, request.facility, "facility")
    await _check_condition(house, request.condition)
    body = ConditionEvidenced(
        facility=row.facility,
        condition=request.condition,
        met=request.met,
        evidence=request.evidence,
        until=request.until.astimezone(UTC) if request.until is not None else None,
        after=last_of(row),
        signature=unsigned(),
        borne_out=request.borne_out,
    )
    return await _say_about(house, body, request.actor, row.facility)


async def inspect_facility(house: House, request: InspectFacility) -> FacilityShown:
    """Record an inspection; the next is due by the day that is named, or that an arrangement or layer gives.

    Raises:
        Misuse: there is no such site, whoever signs answers for it himself, or may not.
        Refused: the next one is later than an arrangement or layer allows.
    """
    row = await house.need(FacilityRow, request.facility, "facility")
    due = request.due.astimezone(UTC) if request.due is not None else None
    if row.nature == "contractor":
        for _, running in await all_running(house):
            due = _within(house, running, due)
    body = Inspected(
        facility=row.facility,
        findings=request.findings,
        due=due,
        by="root" if request.actor.handle == "root" else (await house.person(request.actor.handle)).person,
        after=last_of(row),
        signature=unsigned(),
        under=await asked_by(house, "inspect-site") if row.nature == "contractor" else (),
    )
    return await _say_about(house, body, request.actor, row.facility)


async def post_person(house: House, request: PostPerson) -> PersonsShown:
    """Authorise a cleared person at a site, or end that (Articles 6(e), 11).

    Raises:
        Misuse: no such site or person, he is not cleared or works elsewhere, or the signer may not.
    """
    row = await house.need(FacilityRow, request.facility, "facility")
    person = await house.person(request.handle)
    body = Posted(
        person=person.person,
        facility=row.facility,
        posted=request.posted,
        after=person.last,
        signature=unsigned(),
        under=await asked_by(house, "keep-register"),
    )
    await _say(house, body, request.actor)
    return await show_persons(house, AskPersons(facility=row.facility))


async def give_briefing(house: House, request: GiveBriefing) -> tuple[str, ...]:
    """Record that a person was briefed and acknowledges it (Articles 7, 16(f)); returns all he was briefed on.

    Raises:
        NeedsSignature: he keeps his own key and has not signed.
        Misuse: nobody has that handle, or whoever briefed him may not.
    """
    person = await house.person(request.actor.handle)
    given_by = request.given_by if request.given_by == "root" else (await house.person(request.given_by)).person
    body = Briefed(
        person=person.person,
        on=request.on,
        material=request.material,
        given_by=given_by,
        after=person.last,
        signature=unsigned(),
    )
    await _say(house, body, request.actor)
    return (await house.person(person.person)).briefed


async def _say(house: House, body: Body, actor: Actor) -> None:
    signed = await house.sign(body, DOMESTIC, actor)

    async def say(work: Work) -> None:
        await work.say(Draft(DOMESTIC, signed))

    await house.sequencer.submit(say)


async def _say_about(house: House, body: Body, actor: Actor, facility: str) -> FacilityShown:
    await _say(house, body, actor)
    return await show_facility(house, ShowFacility(facility))


async def _check_condition(house: House, condition: str) -> None:
    """Check that a condition is one that some agreement in use asks of a site.

    Raises:
        Misuse: none does; the nearest is named.
    """
    everywhere = await all_running(house)
    asked = [checklist for _, running in everywhere for _, checklist in site_checklists(running)]
    known = [condition for checklist in asked for condition in checklist.conditions]
    if everywhere and condition not in known:
        raise Misuse(
            f"no agreement in use has a condition {condition!r} for a site{nearest(condition, known)}",
            code="unknown-condition",
        )


def _within(house: House, running: Running, due: datetime | None) -> datetime | None:
    """The day by which a site is inspected again, within what an arrangement or layer says (15)."""
    found: Found | None = interval(running.agreement, running.layers, "inspection", house.party)
    if found is None:
        return due
    zone = house.zones.zone(running.agreement.term.timezone)
    latest = end_of_period(house.now(), found.length, zone)
    if due is None:
        return latest
    if due > latest and found.provenance != "K":
        raise Refused(
            f"the next inspection is due within {found.length}, by {latest:%Y-%m-%d}",
            code="inspection-too-late",
            place=f"{found.instrument}:{found.clause}",
        )
    return due
