"""Permitting visits: the host decides about a visit that was asked for, and tells the site (Articles 8, 18).

``spec/visits.md`` has the steps; asking and what comes afterwards are in ``visits.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec

from comity.agreement.equivalence import level_of
from comity.agreement.intervals import interval
from comity.agreement.model import Agreement, Layer
from comity.agreement.vocabulary import Act, Measured
from comity.decision import model as decision
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.deciding.attested import attestations
from comity.flows.deciding.basis import basis
from comity.flows.deciding.cases import addressee, new_item, outcome_word
from comity.flows.deciding.once import decide_once
from comity.flows.deciding.standings import standings_of
from comity.flows.house import House
from comity.flows.keeping.library import Running
from comity.flows.keeping.work import Work
from comity.flows.people.visit_views import VisitShown, find_visit, visit_shown
from comity.flows.people.visits import interval_end
from comity.flows.speaking import speak, speaker
from comity.marking.label import Label
from comity.record.bodies.visits import (
    Permission,
    VisitAnswered,
)
from comity.record.person_act import unsigned
from comity.register.rows import AgreementRow, DirectoryRow, FacilityRow, PersonRow, directory_key
from comity.register.rows.visits import VisitRow


class PermitVisit(msgspec.Struct, frozen=True, kw_only=True):
    """Permit a visit, as it was asked for or less, and tell the site.

    Attributes:
        relationship: in which.
        visit: its id.
        actor: an agreement authority or a security officer of the host.
        site: facility id of the site; the name by which it was asked for, unless given.
        told: the function at the site that was told; its responsible officer's, unless given.
        topic: narrower than asked, and so the next ones: what was not given is as asked.
        scope: what the visit covers.
        mark: the highest level.
        visitors: who may come.
        starts: from when.
        ends: until when.
        conditions: clauses of checklists in layers that are met besides.
    """

    relationship: str
    visit: str
    actor: Actor
    site: str | None = None
    told: str | None = None
    topic: str | None = None
    scope: str | None = None
    mark: str | None = None
    visitors: tuple[str, ...] | None = None
    starts: datetime | None = None
    ends: datetime | None = None
    conditions: tuple[str, ...] = ()


class RefuseVisit(msgspec.Struct, frozen=True, kw_only=True):
    """Refuse a visit, or take its permission back; the reason is told."""

    relationship: str
    visit: str
    reason: str
    actor: Actor


class VisitPermitted(msgspec.Struct, frozen=True, kw_only=True):
    """What came of wanting to permit a visit: the decision, and the visit as it stands."""

    visit: VisitShown
    outcome: str
    decision: decision.Outcome
    decision_record: str


async def permit_visit(house: House, request: PermitVisit) -> VisitPermitted:
    """Permit a visit: decided under the agreement, and recorded whatever the decision says (4, 5).

    Raises:
        Misuse: no such visit, this party is not its host, the site may not hold that level, or nobody there was told.
        Refused: a layer does not let a recurring visit be permitted for so long.
    """
    row = await house.agreement_row(request.relationship)
    running = await house.library.load(row)
    visit = await find_visit(house, request.relationship, request.visit, request.actor)
    if visit.author == house.party:
        raise Misuse(
            f"only the party on whose territory the site lies permits a visit, not {house.party!r}",
            code="not-host",
            place="8",
        )
    by = await speaker(house, request.relationship, request.actor)
    permits = Permission(
        site=request.site or visit.facility,
        told=request.told or await _responsible(house, request.site or visit.facility),
        topic=request.topic or visit.topic,
        scope=request.scope or visit.scope,
        mark=request.mark or visit.mark,
        visitors=tuple(sorted(set(request.visitors or visit.visitors))),
        starts=(request.starts or visit.starts).astimezone(UTC),
        ends=(request.ends or visit.ends).astimezone(UTC),
    )
    await _check_site(house, running, permits)
    if visit.recurring:
        _check_length(house, running, permits)
    acts: tuple[Act, ...] = ("visit", "inspect") if visit.security else ("visit",)

    async def decide(work: Work) -> tuple[decision.Outcome, bytes]:
        decided = []
        for act in acts:
            case = await _case(house, work, row, running, visit, permits, by, act, request.conditions)
            each = await decide_once(house, work, row, running, case, request.actor)
            decided.append((each.outcome, each.record))
        return next((each for each in decided if outcome_word(each[0]) != "permit"), decided[-1])

    outcome, decided = await house.sequencer.submit(decide)
    if outcome_word(outcome) == "permit":
        body = VisitAnswered(
            visit=visit.visit,
            permits=permits,
            reason="",
            basis=basis(house, decided),
            by=by,
            after=visit.last,
            signature=unsigned(),
        )
        await speak(house, request.relationship, body, request.actor)
    return VisitPermitted(
        visit=await visit_shown(house, request.relationship, visit.visit, request.actor),
        outcome=outcome_word(outcome),
        decision=outcome,
        decision_record=decided.hex(),
    )


async def refuse_visit(house: House, request: RefuseVisit) -> VisitShown:
    """Refuse a visit to a site of this party, or take its permission back.

    Raises:
        Misuse: no such visit, this party is not its host, or the signer may not.
    """
    visit = await find_visit(house, request.relationship, request.visit, request.actor)
    body = VisitAnswered(
        visit=visit.visit,
        permits=None,
        reason=request.reason,
        basis=None,
        by=await speaker(house, request.relationship, request.actor),
        after=visit.last,
        signature=unsigned(),
    )
    await speak(house, request.relationship, body, request.actor)
    return await visit_shown(house, request.relationship, visit.visit, request.actor)


async def _responsible(house: House, site: str) -> str:
    """The function of whoever answers for a site.

    Raises:
        Misuse: there is no such site, or nobody answers for it.
    """
    facility = await house.need(FacilityRow, site, "facility")
    officer = await house.row(PersonRow, facility.officer) if facility.officer is not None else None
    if officer is None:
        raise Misuse(
            f"nobody answers for {site!r}; say who there is told of topic, scope and highest level",
            code="nobody-told",
            place="8",
        )
    return officer.function


async def _check_site(house: House, running: Running, permits: Permission) -> None:
    """What is shown at a site is nothing that the site may not hold."""
    facility = await house.need(FacilityRow, permits.site, "facility")
    agreement = running.agreement
    held = level_of(agreement, house.party, facility.mark)
    if level_of(agreement, house.party, permits.mark).rank > held.rank:
        raise Misuse(
            f"{permits.site!r} may hold up to {held.mark!r}; nothing above that can be shown there", code="above-site"
        )
    if facility.until < permits.ends:
        raise Misuse(
            f"the approval of {permits.site!r} ends on {facility.until:%Y-%m-%d}, before the visit does",
            code="site-ended",
        )


def _check_length(house: House, running: Running, permits: Permission) -> None:
    """How long a recurring visit may be permitted for, where an arrangement or a layer says so (5)."""
    measured: Measured = "recurring-visit"
    found = interval(running.agreement, running.layers, measured, house.party)
    if found is None or found.provenance == "K":
        return
    latest = interval_end(house, running, permits.starts, found)
    if permits.ends > latest:
        raise Refused(
            f"a recurring visit is permitted for {found.length} at most, until {latest:%Y-%m-%d}",
            code="visit-length",
            place=f"{found.instrument}:{found.clause}",
        )


async def _case(
    house: House,
    work: Work,
    row: AgreementRow,
    running: Running,
    visit: VisitRow,
    permits: Permission,
    by: str,
    act: Act,
    conditions: tuple[str, ...],
) -> decision.Case:
    """The question whether a visit may take place: the visit stands for what may be shown during it, at its highest."""
    agreement = running.agreement
    label = Label(policy=house.party, mark=permits.mark, originator=house.party)
    item = new_item(visit.visit, row.agreement, label, "visual", visit.subject, permits.topic, visit.purpose)
    keys = [directory_key(row.relationship, row.peer, each) for each in permits.visitors]
    facts = await work.facts(keys)
    entries = [facts[key] for key in keys]
    visitors = [each for each in entries if isinstance(each, DirectoryRow) and each.reachable]
    attested: list[decision.Attestation] = []
    for each in visitors:
        attested += attestations(
            agreement,
            visit.conditions,
            row.peer,
            item=visit.visit,
            recipient=each.pseudonym,
            site=each.firm or "",
            evidence=visit.record.hex(),
        )
    said: list[tuple[Agreement | Layer, Sequence[str]]] = [(agreement, _permission(agreement, act))]
    said += [(layer, conditions) for layer in running.layers]
    for text, met in said:
        attested += attestations(
            text, met, house.party, item=visit.visit, recipient="", site=permits.site, evidence=visit.last.hex()
        )
    return decision.Case(
        request=visit.visit,
        act=act,
        item=item,
        purpose=visit.purpose,
        requester=by,
        acting=house.party,
        recipients=tuple(map(addressee, visitors)),
        at=work.at,
        facts=decision.Facts(
            standings=await standings_of(house, (row,), work.at), attestations=tuple(dict.fromkeys(attested))
        ),
    )


def _permission(agreement: Agreement, act: Act) -> list[str]:
    """The conditions that are met by the host's permission itself: those that the agreement asks of a visit as such."""
    wanted = {rule.checklist for rule in agreement.rules if act in rule.acts}
    return [
        condition
        for each in agreement.checklists
        if each.id in wanted and each.bound_to == "item"
        for condition in each.conditions
    ]
