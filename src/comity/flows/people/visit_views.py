"""Views of visits: asked for, permitted, what was shown, what was found (Articles 8, 18; ``spec/visits.md``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Literal

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.said import Said, said_in
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.house import House
from comity.flows.looking.views import title_of
from comity.register.roles import AGREEMENT_AUTHORITY, OFFICER
from comity.register.rows.consents import ShownRow, shown_key
from comity.register.rows.visits import FindingRow, VisitRow, VisitShownRow, visit_key


class ListVisits(msgspec.Struct, frozen=True, kw_only=True):
    """List visits of both sides by their beginning.

    Attributes:
        relationship: only in this one.
        first: only those that end at this instant or later.
        last: only those that begin before this one.
        open: only those that are asked for or permitted, and not over.
        actor: who looks; the house itself unless given.
    """

    relationship: str | None = None
    first: datetime | None = None
    last: datetime | None = None
    open: bool = False
    actor: Actor | None = None


class ShowVisit(msgspec.Struct, frozen=True, kw_only=True):
    """Show one visit, as ``actor`` may see it; the house itself unless given. In whichever relationship it is."""

    visit: str
    relationship: str | None = None
    actor: Actor | None = None


class ShownDuring(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was shown during a visit."""

    item: str
    title: str
    mark: str
    manner: str
    to: tuple[str, ...]
    at: datetime
    record: str


class FindingShown(msgspec.Struct, frozen=True, kw_only=True):
    """A finding of a security representative, and how it was followed up."""

    finding: str
    says: str
    wanted: str
    by: str
    at: datetime
    closed_at: datetime | None
    evidence: str


class VisitShown(msgspec.Struct, frozen=True, kw_only=True):
    """A visit as both registers have it.

    Attributes:
        side: whether people of this house visit, or host.
        state: ``over``: it was permitted, and its days have passed without anybody having said that it ended.
        topic: and the next ones: what is permitted; what was asked for, while nothing is.
        told: the function at the site that was told.
        last: who asked, answered or ended it last.
    """

    relationship: str
    visit: str
    side: Literal["visitor", "host"]
    state: Literal["asked", "permitted", "refused", "ended", "over"]
    facility: str
    topic: str
    scope: str
    purpose: str
    mark: str
    visitors: tuple[str, ...]
    starts: datetime
    ends: datetime
    recurring: bool
    security: bool
    conditions: tuple[str, ...]
    by: str
    asked: datetime
    answered: datetime | None
    told: str
    reason: str
    report: str
    shown: tuple[ShownDuring, ...] = ()
    findings: tuple[FindingShown, ...] = ()
    last: Said | None = None


async def list_visits(house: House, request: ListVisits) -> list[VisitShown]:
    """Visits of both sides that the viewer may see, the one that begins first at the top."""
    found = []
    sight = Sight(house, await viewer(house, request.actor))
    for relationship, _peer in await house.relationships():
        if request.relationship not in (None, relationship):
            continue
        async for _key, row in house.rows(VisitRow, f"{relationship}/"):
            if not _sees(house, sight, relationship, row):
                continue
            told = await _told(house, relationship, row, sight)
            if request.first is not None and told.ends < request.first.astimezone(UTC):
                continue
            if request.last is not None and told.starts >= request.last.astimezone(UTC):
                continue
            if not request.open or told.state in ("asked", "permitted"):
                found.append(told)
    return sorted(found, key=lambda each: (each.starts, each.visit))


async def show_visit(house: House, request: ShowVisit) -> VisitShown:
    """One visit, with what was shown and found.

    Raises:
        Misuse: there is none of that name, or none that the viewer may see.
        Refused: no agreement runs in that relationship.
    """
    relationship = request.relationship or await _where(house, request.visit)
    row = await find_visit(house, relationship, request.visit, request.actor)
    return await _told(house, relationship, row, Sight(house, await viewer(house, request.actor)))


async def _where(house: House, visit: str) -> str:
    """The relationship that a visit was asked for in.

    Raises:
        Misuse: there is none of that name.
    """
    for relationship, _peer in await house.relationships():
        if await house.row(VisitRow, visit_key(relationship, visit)[1]) is not None:
            return relationship
    raise no_visit(visit)


def no_visit(visit: str) -> Misuse:
    """The one answer about a visit that is not there, or not there for whoever asks."""
    return Misuse(f"there is no visit {visit!r}", code="unknown-visit")


async def find_visit(house: House, relationship: str, visit: str, actor: Actor | None) -> VisitRow:
    """A visit that somebody names.

    Raises:
        Misuse: there is none of that name, or none that he may know of.
        Refused: no agreement runs in that relationship.
    """
    await house.agreement_row(relationship)
    row = await house.row(VisitRow, visit_key(relationship, visit)[1])
    if row is None or not _sees(house, Sight(house, await viewer(house, actor)), relationship, row):
        raise no_visit(visit)
    return row


async def visit_shown(house: House, relationship: str, visit: str, actor: Actor) -> VisitShown:
    """A visit as it stands, for whoever has just said something about it."""
    row = await house.need(VisitRow, visit_key(relationship, visit)[1], "visit")
    return await _told(house, relationship, row, Sight(house, await viewer(house, actor)))


def _sees(house: House, sight: Sight, relationship: str, row: VisitRow) -> bool:
    """Whether a viewer may know of a visit: he prepares it by his role, or goes on it himself."""
    if sight.person is None or sight.has(AGREEMENT_AUTHORITY, OFFICER):
        return True
    name = house.pseudonym(relationship, sight.person.person)
    return name in row.visitors or (row.permits is not None and name in row.permits.visitors)


async def _told(house: House, relationship: str, row: VisitRow, sight: Sight) -> VisitShown:
    permits = row.permits
    said = permits or row
    state: Literal["asked", "permitted", "refused", "ended", "over"] = row.state
    if state == "permitted" and house.now() >= said.ends:
        state = "over"
    return VisitShown(
        relationship=relationship,
        visit=row.visit,
        side="visitor" if row.author == house.party else "host",
        state=state,
        facility=permits.site if permits is not None else row.facility,
        topic=said.topic,
        scope=said.scope,
        purpose=row.purpose,
        mark=said.mark,
        visitors=said.visitors,
        starts=said.starts,
        ends=said.ends,
        recurring=row.recurring,
        security=row.security,
        conditions=row.conditions,
        by=row.by,
        asked=row.at,
        answered=row.answered,
        told=permits.told if permits is not None else "",
        reason=row.reason,
        report=row.report,
        last=await said_in(house, row.last),
        shown=tuple([each async for each in _shown(house, relationship, row.visit, sight)]),
        findings=tuple(
            [
                FindingShown(
                    finding=each.finding,
                    says=each.says,
                    wanted=each.wanted,
                    by=each.by,
                    at=each.at,
                    closed_at=each.closed_at,
                    evidence=each.evidence,
                )
                async for _, each in house.rows(FindingRow, f"{relationship}/{row.visit}/")
            ]
        ),
    )


async def _shown(house: House, relationship: str, visit: str, sight: Sight) -> AsyncIterator[ShownDuring]:
    async for key, index in house.rows(VisitShownRow, f"{relationship}/{visit}/"):
        if await sight.item(index.item) is None:
            continue
        record = bytes.fromhex(key.rpartition("/")[2])
        row = await house.need(ShownRow, shown_key(relationship, index.item, record)[1], "showing")
        yield ShownDuring(
            item=row.item,
            title=await title_of(house, row.item),
            mark=row.label.mark,
            manner=row.manner,
            to=row.to,
            at=row.shown,
            record=row.record.hex(),
        )
