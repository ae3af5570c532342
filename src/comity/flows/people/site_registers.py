"""Registers of sites: how each stands to what the agreements ask, and who is posted there (Articles 6(e), 10, 16).

``spec/places.md`` has the steps.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

import msgspec

from comity.flows.deciding.said import Said, said_in
from comity.flows.deciding.sites import shown_at, sites_from
from comity.flows.house import House
from comity.flows.looking.obliged import Cited, all_running, cited, heading, site_checklists
from comity.register.conditions import evidenced, is_cleared
from comity.register.places import last_of
from comity.register.rows import FacilityRow, PersonRow
from comity.register.rows.places import InspectionRow, PersonThenRow, PostingRow


class ListFacilities(msgspec.Struct, frozen=True):
    """List the sites of this house."""


class ShowFacility(msgspec.Struct, frozen=True):
    """Show one site with its inspections."""

    facility: str


class AskPersons(msgspec.Struct, frozen=True, kw_only=True):
    """The register of persons of a site, as it stood at an instant; now, unless one is given (Article 6(e))."""

    facility: str
    at: datetime | None = None


class Warned(msgspec.Struct, frozen=True):
    """Something that is not as it should be, and which clauses say so."""

    code: str
    sentence: str
    cites: tuple[Cited, ...]


class ConditionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One condition of a checklist, and how a site stands to it.

    ``state`` is ``met``; ``missing``; ``ended``, for evidence that is over; ``not borne out``, where the register of
    this house says otherwise; ``missing above``, where the firm whose sub-contractor it is does not meet it.
    """

    instrument: str
    checklist: str
    condition: str
    heading: str
    state: Literal["met", "missing", "ended", "not borne out", "missing above"]
    evidence: str = ""
    until: datetime | None = None
    borne_out: str = ""
    record: str = ""


class InspectionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One inspection."""

    at: datetime
    by: str
    findings: str
    due: datetime | None
    record: str


class FacilityShown(msgspec.Struct, frozen=True, kw_only=True):
    """A site as this house sees it; ``last`` is who said the last about it."""

    facility: str
    nature: str
    mark: str
    until: datetime
    parent: str | None
    officer: str | None
    authority: str
    posted: int
    conditions: tuple[ConditionLine, ...]
    inspected: datetime | None
    inspection_due: datetime | None
    warnings: tuple[Warned, ...]
    inspections: tuple[InspectionLine, ...] = ()
    last: Said | None = None


class PostedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a site's register of persons."""

    handle: str
    person: str
    function: str
    employer: str
    clearance: str | None
    clearance_until: datetime | None
    cleared: bool
    topics: tuple[str, ...]
    briefed: tuple[str, ...]
    since: datetime


class PersonsShown(msgspec.Struct, frozen=True, kw_only=True):
    """The register of persons of a site; ``under`` are the clauses that ask for it."""

    facility: str
    nature: str
    mark: str
    until: datetime
    officer: str | None
    at: datetime
    persons: tuple[PostedPerson, ...]
    under: tuple[Cited, ...]
    warnings: tuple[Warned, ...]


async def list_facilities(house: House, _: ListFacilities) -> list[FacilityShown]:
    """Every site of this house, with how it stands to what the agreements ask."""
    return [await _shown(house, row) async for _, row in house.rows(FacilityRow)]


async def show_facility(house: House, request: ShowFacility) -> FacilityShown:
    """One site, with all its inspections.

    Raises:
        Misuse: there is none of that name.
    """
    row = await house.need(FacilityRow, request.facility, "facility")
    inspections = [
        InspectionLine(
            at=each.at,
            by=await house.handle(each.by),
            findings=each.findings,
            due=each.due,
            record=each.record.hex(),
        )
        async for _, each in house.rows(InspectionRow, f"{row.facility}/")
    ]
    return msgspec.structs.replace(await _shown(house, row), inspections=tuple(inspections))


async def show_persons(house: House, request: AskPersons) -> PersonsShown:
    """(9) Who was cleared and authorised at a site, as its register stood at an instant.

    Raises:
        Misuse: there is no such site.
    """
    row = await house.need(FacilityRow, request.facility, "facility")
    at = request.at.astimezone(UTC) if request.at is not None else house.now()
    persons = []
    async for _, posting in house.rows(PostingRow, f"{row.facility}/"):
        found = await _posted_at(house, posting, at)
        if found is not None:
            then, since = found
            persons.append(
                PostedPerson(
                    handle=await house.handle(then.person),
                    person=then.person,
                    function=then.function,
                    employer=then.employer,
                    clearance=then.clearance,
                    clearance_until=then.clearance_until,
                    cleared=is_cleared(then, at),
                    topics=then.topics,
                    briefed=then.briefed,
                    since=since,
                )
            )
    return PersonsShown(
        facility=row.facility,
        nature=row.nature,
        mark=row.mark,
        until=row.until,
        officer=await house.handle(row.officer) if row.officer is not None else None,
        at=at,
        persons=tuple(persons),
        under=await cited(house, "keep-register"),
        warnings=await _warnings(house, row, at),
    )


async def _posted_at(house: House, posting: PostingRow, at: datetime) -> tuple[PersonRow, datetime] | None:
    """Somebody who was ever posted at a site, as he stood at an instant, and since when; None if he was not there."""
    person, since = None, posting.since
    async for _, then in house.rows(PersonThenRow, f"{posting.person}/"):
        if then.since > at:
            break
        if then.person.site == posting.facility and (person is None or person.site != posting.facility):
            since = then.since
        person = then.person
    return (person, since) if person is not None and person.site == posting.facility else None


async def _shown(house: House, row: FacilityRow) -> FacilityShown:
    at = house.now()
    posted = [each async for _, each in house.rows(PostingRow, f"{row.facility}/") if each.ended is None]
    return FacilityShown(
        facility=row.facility,
        nature=row.nature,
        mark=row.mark,
        until=row.until,
        parent=row.parent,
        officer=await house.handle(row.officer) if row.officer is not None else None,
        authority=row.authority,
        posted=len(posted),
        conditions=await _conditions(house, row, at),
        inspected=row.inspected,
        inspection_due=row.inspection_due,
        warnings=await _warnings(house, row, at),
        last=await said_in(house, last_of(row)),
    )


async def _conditions(house: House, row: FacilityRow, at: datetime) -> tuple[ConditionLine, ...]:
    if row.nature != "contractor":
        return ()
    read = house.sequencer.rows.get
    sites = await sites_from(read, row.facility)
    alone = await shown_at(read, sites[:1], None, at)
    met = await shown_at(read, sites, None, at)
    here = evidenced(row, at)
    ended = {each.condition: each for each in row.evidenced}
    lines = []
    for _, running in await all_running(house):
        for instrument, checklist in site_checklists(running):
            for condition in checklist.conditions:
                shown = met.get(condition) or here.get(condition) or ended.get(condition)
                state: Literal["met", "missing", "ended", "not borne out", "missing above"] = "missing"
                if condition in met:
                    state = "met"
                elif condition in alone:
                    state = "missing above"
                elif condition in here:
                    state = "not borne out"
                elif shown is not None or (condition in row.conditions and condition not in row.withdrawn):
                    state = "ended"
                lines.append(
                    ConditionLine(
                        instrument=instrument,
                        checklist=checklist.id,
                        condition=condition,
                        heading=heading(running, instrument, condition),
                        state=state,
                        evidence=shown.evidence if shown is not None else "",
                        until=shown.until if shown is not None else None,
                        borne_out=shown.borne_out if shown is not None else "",
                        record=shown.record.hex() if shown is not None else "",
                    )
                )
    return tuple(dict.fromkeys(lines))


async def _warnings(house: House, row: FacilityRow, at: datetime) -> tuple[Warned, ...]:
    """(14) What is not as it should be at a site; nothing of it is refused here."""
    officer = await house.row(PersonRow, row.officer) if row.officer is not None else None
    cites = await cited(house, "name-officer")
    found = []
    if at >= row.until:
        found.append(Warned("site-ended", "the approval of this site has ended", ()))
    if row.nature != "system" and row.officer is None:
        found.append(Warned("no-officer", "no responsible officer is named", cites))
    elif row.nature != "system" and not is_cleared(officer, at):
        found.append(Warned("officer-not-cleared", "the responsible officer holds no clearance", cites))
    if row.nature == "contractor" and row.inspected is None:
        found.append(Warned("never-inspected", "never inspected", await cited(house, "inspect-site")))
    if row.inspection_due is not None and at >= row.inspection_due:
        found.append(Warned("inspection-due", "the next inspection is overdue", await cited(house, "inspect-site")))
    return tuple(found)
