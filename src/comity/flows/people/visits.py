"""Visits: asked for by one authority, ended, and followed up (Articles 8, 18).

``spec/visits.md`` has the steps. The side that asks visits; the other one is its host, and permits (``permitting.py``).
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from comity.agreement.calendar import end_of_period
from comity.agreement.equivalence import equivalents, ladder
from comity.agreement.intervals import Found, interval
from comity.agreement.model import Agreement
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.giving.answering import assurable
from comity.flows.house import House
from comity.flows.keeping.library import Running
from comity.flows.people.visit_views import VisitShown, find_visit, visit_shown
from comity.flows.speaking import speak, speaker
from comity.marking.label import Label
from comity.record.bodies.visits import (
    FindingClosed,
    FindingMade,
    VisitAsked,
    VisitEnded,
)
from comity.record.person_act import unsigned
from comity.register.rows import AgreementRow, DirectoryRow, directory_key
from comity.register.rows.visits import FindingRow, finding_key


class AskVisit(msgspec.Struct, frozen=True, kw_only=True):
    """Ask the other party that people of this house may visit a site there.

    Attributes:
        relationship: with whom, under which agreement.
        facility: the site, as the host calls it.
        topic: what it is about: the need-to-know list of what is to be shown.
        scope: what the visit is to cover, in words.
        purpose: the official purpose (Article 8).
        mark: the highest level asked for, on the host's ladder or on this party's own.
        visitors: pseudonyms or handles of people of this house.
        starts: from when.
        ends: until when.
        actor: an agreement authority or a security officer.
        recurring: whether they come any number of times in between.
        security: whether they are security representatives (Article 18).
        subject: what it is about, a word of the agreement's scope.
        visit: identifier, for a person who signs elsewhere.
    """

    relationship: str
    facility: str
    topic: str
    scope: str
    purpose: str
    mark: str
    visitors: tuple[str, ...]
    starts: datetime
    ends: datetime
    actor: Actor
    recurring: bool = False
    security: bool = False
    subject: str = "defence"
    visit: str | None = None


class EndVisit(msgspec.Struct, frozen=True, kw_only=True):
    """Say that a visit of this side is over, or will not take place, and what came of it."""

    relationship: str
    visit: str
    report: str
    actor: Actor


class MakeFinding(msgspec.Struct, frozen=True, kw_only=True):
    """Record what a security representative of this side found, and what he wants done about it."""

    relationship: str
    visit: str
    says: str
    wanted: str
    actor: Actor
    finding: str | None = None


class CloseFinding(msgspec.Struct, frozen=True, kw_only=True):
    """Close a finding of the other side's representatives, with what shows that it was followed up."""

    relationship: str
    visit: str
    finding: str
    evidence: str
    actor: Actor


# ---- asking ---------------------------------------------------------------------------------------------------------


async def ask_visit(house: House, request: AskVisit) -> VisitShown:
    """Ask for a visit; what the agreement wants assured of each visitor is assured with it (1, 2).

    Raises:
        Misuse: a mark or visitor is not known, or this house's register contradicts the assurance.
        Refused: a layer wants it asked for longer ahead.
    """
    row = await house.agreement_row(request.relationship)
    running = await house.library.load(row)
    agreement = running.agreement
    starts, ends = request.starts.astimezone(UTC), request.ends.astimezone(UTC)
    _check_lead(house, running, starts)
    mark = _hosts_mark(agreement, house.party, row.peer, request.mark)
    visitors = tuple(sorted({await _own(house, row, each) for each in request.visitors}))
    label = Label(policy=row.peer, mark=mark, originator=row.peer)
    conditions: dict[str, None] = {}
    if _assured(agreement):
        for visitor in visitors:
            conditions |= dict.fromkeys(
                await assurable(house, agreement, request.relationship, visitor, label, request.topic)
            )
    body = VisitAsked(
        visit=house.name("v", request.visit),
        facility=request.facility,
        topic=request.topic,
        scope=request.scope,
        subject=request.subject,
        purpose=request.purpose,
        mark=mark,
        visitors=visitors,
        starts=starts,
        ends=ends,
        recurring=request.recurring,
        security=request.security,
        conditions=tuple(conditions),
        by=await speaker(house, request.relationship, request.actor),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    return await visit_shown(house, request.relationship, body.visit, request.actor)


def _assured(agreement: Agreement) -> bool:
    """Whether the agreement wants something assured about each visitor."""
    wanted = {rule.checklist for rule in agreement.rules if "visit" in rule.acts or "inspect" in rule.acts}
    return any(each.id in wanted and each.bound_to == "item-and-recipient" for each in agreement.checklists)


def _hosts_mark(agreement: Agreement, own: str, host: str, mark: str) -> str:
    """The mark on the host's ladder: as it was typed, or the one that corresponds to a mark of the own ladder.

    Raises:
        Misuse: several correspond; one must be named.
        Rejected: neither ladder has it.
        Refused: it is above the ceiling.
    """
    for level in ladder(agreement, host):
        if level.mark == mark and not level.crosses:
            raise Refused(f"{mark!r} is above what may be shown at all", code="above-ceiling", place=level.clause)
        if level.mark == mark:
            return mark
    marks = equivalents(agreement, own, mark, host).marks
    if len(marks) > 1:
        raise Misuse(
            f"{mark!r} corresponds to {' and '.join(map(repr, marks))} of {host!r}; name one of them", code="which-mark"
        )
    return marks[0]


async def _own(house: House, row: AgreementRow, named: str) -> str:
    """The pseudonym of somebody of this house, named by it or by handle."""
    entry = await house.row(DirectoryRow, directory_key(row.relationship, house.party, named)[1])
    if entry is not None:
        return named
    return house.pseudonym(row.relationship, (await house.person(named)).person)


def _check_lead(house: House, running: Running, starts: datetime) -> None:
    """How long before it begins a visit is asked for, where an arrangement or a layer says so (3)."""
    found = interval(running.agreement, running.layers, "visit-lead", house.party)
    if found is None or found.provenance == "K":
        return
    earliest = interval_end(house, running, house.now(), found)
    if starts <= earliest:
        raise Refused(
            f"a visit is asked for {found.length} before it begins; this one may begin after {earliest:%Y-%m-%d}",
            code="visit-lead",
            place=f"{found.instrument}:{found.clause}",
        )


def interval_end(house: House, running: Running, at: datetime, found: Found) -> datetime:
    """The end of the last day of an interval that begins at ``at``, on the agreement's own calendar."""
    zone = house.zones.zone(running.agreement.term.timezone)
    return end_of_period(at, found.length, zone)


# ---- afterwards -----------------------------------------------------------------------------------------------------


async def end_visit(house: House, request: EndVisit) -> VisitShown:
    """Say that a visit of this side is over, or will not take place.

    Raises:
        Misuse: no such visit, not this side's, over already, or the signer is neither visitor nor authority.
    """
    visit = await find_visit(house, request.relationship, request.visit, request.actor)
    body = VisitEnded(
        visit=visit.visit,
        report=request.report,
        by=await speaker(house, request.relationship, request.actor),
        after=visit.last,
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    return await visit_shown(house, request.relationship, visit.visit, request.actor)


async def make_finding(house: House, request: MakeFinding) -> VisitShown:
    """Record a finding of a security representative (8).

    Raises:
        Misuse: no such visit, not one of security representatives, not begun, or the signer is not among them.
    """
    visit = await find_visit(house, request.relationship, request.visit, request.actor)
    body = FindingMade(
        visit=visit.visit,
        finding=house.name("f", request.finding),
        says=request.says,
        wanted=request.wanted,
        by=await speaker(house, request.relationship, request.actor),
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    return await visit_shown(house, request.relationship, visit.visit, request.actor)


async def close_finding(house: House, request: CloseFinding) -> VisitShown:
    """Close a finding with what shows that it was followed up (8).

    Raises:
        Misuse: no such finding, closed already, or this party is not the visited side.
    """
    visit = await find_visit(house, request.relationship, request.visit, request.actor)
    key = finding_key(request.relationship, request.visit, request.finding)[1]
    finding = await house.need(FindingRow, key, "finding")
    body = FindingClosed(
        visit=visit.visit,
        finding=finding.finding,
        evidence=request.evidence,
        by=await speaker(house, request.relationship, request.actor),
        after=finding.record,
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    return await visit_shown(house, request.relationship, visit.visit, request.actor)
