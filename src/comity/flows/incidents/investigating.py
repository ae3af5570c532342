"""Investigating: what follows on the report of a loss or compromise, and how far it has come (``spec/incidents.md``).

The side that reported goes on, by its security officers: investigation, result, measures, release, end. Each act is
said in every relationship in which the incident was told.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.said import Said, said_in
from comity.flows.deciding.visibility import check_role, may_see, sees_all, viewer
from comity.flows.deriving.descent import LineageShown, ShowLineage, show_lineage
from comity.flows.giving.release import ITEM_TITLE
from comity.flows.house import House
from comity.flows.incidents.affected import Kin, affected_by
from comity.flows.incidents.reporting import Suspended, suspensions
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies import Body
from comity.record.bodies.incidents import (
    IncidentClosed,
    InvestigationEnded,
    InvestigationOpened,
    SuspensionLifted,
    What,
)
from comity.record.person_act import unsigned
from comity.register.roles import SECURITY_OFFICER
from comity.register.rows import AgreementRow, ItemRow, PersonRow
from comity.register.rows.incidents import IncidentRow, SuspicionRow

B = TypeVar("B", bound=Body)
LINES_MAX = 10_000
"""Most incidents told at once."""
AFFECTED_LINES_MAX = 10_000
"""Most copies of one affected set that are listed; what is beyond is counted."""


class Investigate(msgspec.Struct, frozen=True, kw_only=True):
    """Open the investigation of an incident."""

    incident: str
    note: str
    actor: Actor


class TellResult(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the result of an investigation, the measures against recurrence, or both."""

    incident: str
    actor: Actor
    result: str = ""
    measures: str = ""


class ReleaseItems(msgspec.Struct, frozen=True, kw_only=True):
    """Let what an incident concerns be opened again, where a layer had suspended it."""

    incident: str
    reason: str
    actor: Actor


class CloseIncident(msgspec.Struct, frozen=True, kw_only=True):
    """Close an incident: its report was made, or it was a false alarm."""

    incident: str
    reason: str
    actor: Actor
    false_alarm: bool = False


class IncidentChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An act about an incident was recorded, in each relationship it was told in; ``stage`` is how far it has come."""

    incident: str
    records: dict[str, str]
    stage: str


async def investigate(house: House, request: Investigate) -> IncidentChanged:
    """Open the investigation; of another party's report, ours on the ground of a third one.

    Raises:
        Misuse: there is no such incident, it is closed or under investigation, or the actor may not.
        NeedsSignature: the actor signs with his own key, and has not yet.
    """

    def body(row: IncidentRow, by: str) -> InvestigationOpened:
        ours = row.author == house.party
        after = row.last if ours else row.following or row.record
        return InvestigationOpened(incident=row.incident, note=request.note, by=by, after=after, signature=unsigned())

    return await _follow(house, request.incident, request.actor, body)


async def tell_result(house: House, request: TellResult) -> IncidentChanged:
    """Tell the result of the investigation, the measures against recurrence, or both.

    Raises:
        Misuse: there is no such incident, neither is told, no investigation was opened, or the actor may not.
        NeedsSignature: the actor signs with his own key, and has not yet.
    """

    def body(row: IncidentRow, by: str) -> InvestigationEnded:
        return InvestigationEnded(
            incident=row.incident,
            result=request.result,
            measures=request.measures,
            by=by,
            after=row.last,
            signature=unsigned(),
        )

    return await _follow(house, request.incident, request.actor, body)


async def release_items(house: House, request: ReleaseItems) -> IncidentChanged:
    """Let what the incident concerns be opened again.

    Raises:
        Misuse: there is no such incident, it was released already, or the actor may not.
        NeedsSignature: the actor signs with his own key, and has not yet.
    """

    def body(row: IncidentRow, by: str) -> SuspensionLifted:
        return SuspensionLifted(
            incident=row.incident, reason=request.reason, by=by, after=row.last, signature=unsigned()
        )

    return await _follow(house, request.incident, request.actor, body)


async def close_incident(house: House, request: CloseIncident) -> IncidentChanged:
    """Close an incident; what was suspended is released with it.

    Raises:
        Misuse: there is no such incident, its report is not whole, or the actor may not.
        NeedsSignature: the actor signs with his own key, and has not yet.
    """

    def body(row: IncidentRow, by: str) -> IncidentClosed:
        return IncidentClosed(
            incident=row.incident,
            false_alarm=request.false_alarm,
            reason=request.reason,
            by=by,
            after=row.last,
            signature=unsigned(),
        )

    return await _follow(house, request.incident, request.actor, body)


async def _follow(house: House, incident: str, actor: Actor, body: Callable[[IncidentRow, str], B]) -> IncidentChanged:
    """Say the next thing about an incident in every relationship that it was told in."""
    person = await house.person(actor.handle)
    check_role(person, actor, SECURITY_OFFICER)
    said = []
    for row, place in await rows_of(house, incident):
        by = house.pseudonym(place.relationship, person.person)
        said.append((place.relationship, await house.sign(body(row, by), place.relationship, actor, by)))

    async def say(work: Work) -> dict[str, str]:
        return {
            relationship: (await work.say(Draft(relationship, each, person.function))).id.hex()
            for relationship, each in said
        }

    records = await house.sequencer.submit(say)
    changed = (await rows_of(house, incident))[0][0]
    return IncidentChanged(incident=incident, records=records, stage=stage(changed))


async def rows_of(house: House, incident: str) -> list[tuple[IncidentRow, AgreementRow]]:
    """An incident as each relationship knows it.

    Raises:
        Misuse: none does.
    """
    found = []
    async for _, place in house.rows(AgreementRow):
        row = await house.row(IncidentRow, f"{place.relationship}/{incident}")
        if row is not None:
            found.append((row, place))
    if not found:
        raise no_incident(incident)
    return found


def stage(row: IncidentRow) -> str:
    """How far an incident has come, in words."""
    if row.closed is not None:
        return "false alarm" if row.false_alarm else "closed"
    if row.reported is not None:
        return "result and measures told"
    if row.result:
        return "result told, measures still to come"
    if row.measures:
        return "measures told, result still to come"
    if row.investigated is not None:
        return "under investigation"
    return "reported"


# ---- how far it has come --------------------------------------------------------------------------------------------


class ListIncidents(msgspec.Struct, frozen=True, kw_only=True):
    """The incidents that ``actor`` may know of, or the house itself; ``everything`` also those that are over.

    ``limit`` is how many are told at most, the newest.
    """

    actor: Actor | None = None
    everything: bool = False
    limit: int = LINES_MAX


class ShowIncident(msgspec.Struct, frozen=True, kw_only=True):
    """One incident with everything it affects now; as ``actor`` may see it, or the house itself."""

    incident: str
    actor: Actor | None = None


class IncidentLine(msgspec.Struct, frozen=True, kw_only=True):
    """An incident as one relationship knows it, how far it has come, and who said the last of it."""

    incident: str
    relationship: str
    author: str
    what: What
    items: tuple[str, ...]
    copies: tuple[tuple[str, int], ...]
    circumstances: str
    ground: str
    by: str
    at: datetime
    stage: str
    investigated: datetime | None
    investigation: str
    followed: datetime | None
    result: str
    measures: str
    reported: datetime | None
    released: datetime | None
    release: str
    closed: datetime | None
    false_alarm: bool
    reason: str
    last: Said | None = None


class AffectedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A copy that an incident affects, as it is now."""

    relationship: str
    item: str
    title: str
    kin: Kin
    number: int
    holder: str
    state: str


class IncidentWhole(msgspec.Struct, frozen=True, kw_only=True):
    """One incident: in each relationship, the families of what was lost or compromised, every affected copy.

    Attributes:
        lines: as each relationship knows it.
        families: of each item itself, what it came from and what was made from it.
        copies: every copy that is affected, as it is now.
        more: how many more copies there are than are listed.
        suspended: where opening what it concerns is suspended now, and by what.
    """

    lines: tuple[IncidentLine, ...]
    families: tuple[LineageShown, ...]
    copies: tuple[AffectedLine, ...]
    more: int
    suspended: tuple[Suspended, ...]


async def list_incidents(house: House, request: ListIncidents) -> list[IncidentLine]:
    """The incidents, ours and the other parties', oldest first."""
    person = await viewer(house, request.actor)
    lines = [
        await _line(house, key.rpartition("/")[0], row)
        async for key, row in house.rows(IncidentRow)
        if (request.everything or row.closed is None) and await _may_know(house, key, row, person)
    ]
    lines.sort(key=lambda line: (line.at, line.incident, line.relationship))
    return lines[-max(1, min(request.limit, LINES_MAX)) :]


async def show_incident(house: House, request: ShowIncident) -> IncidentWhole:
    """One incident, with everything it affects as it stands now.

    Raises:
        Misuse: there is none, or whoever asks may not know of it.
    """
    person = await viewer(house, request.actor)
    known = [
        (row, place)
        for row, place in await rows_of(house, request.incident)
        if await _may_know(house, f"{place.relationship}/{row.incident}", row, person)
    ]
    if not known:
        raise no_incident(request.incident)
    items = list(dict.fromkeys(item for row, _ in known for item in row.items))
    affected = await affected_by(house, items)
    seen = {item.item for item in affected.items if person is None or await _sees(house, item.item, person)}
    copies = [
        AffectedLine(
            relationship=place,
            item=item.item,
            title=(await house.side(ITEM_TITLE, item.item) or b"").decode(),
            kin=item.kin,
            number=copy.number,
            holder=copy.holder,
            state=copy.state,
        )
        for item in affected.items
        if item.item in seen
        for place, copy in item.copies
    ]
    return IncidentWhole(
        lines=tuple([await _line(house, place.relationship, row) for row, place in known]),
        families=tuple(
            [await show_lineage(house, ShowLineage(item=item, actor=request.actor)) for item in items if item in seen]
        ),
        copies=tuple(copies[:AFFECTED_LINES_MAX]),
        more=max(0, len(copies) - AFFECTED_LINES_MAX),
        suspended=tuple([each for row, place in known for each in await _suspended(house, place.relationship, row)]),
    )


async def _suspended(house: House, relationship: str, row: IncidentRow) -> list[Suspended]:
    """Where the layers of this house suspend what an incident still holds suspected."""
    for item in row.items:
        suspicion = await house.row(SuspicionRow, f"{relationship}/{item}")
        if suspicion is not None and row.incident in suspicion.incidents:
            return await suspensions(house, relationship)
    return []


async def _may_know(house: House, key: str, row: IncidentRow, person: PersonRow | None) -> bool:
    """Whoever oversees the register, whoever reported it, and whoever may see one of its items."""
    if person is None or sees_all(person):
        return True
    relationship = key.rpartition("/")[0]
    if row.by == house.pseudonym(relationship, person.person):
        return True
    return any([await _sees(house, item, person) for item in row.items])


async def _sees(house: House, item: str, person: PersonRow) -> bool:
    row = await house.row(ItemRow, item)
    return sees_all(person) or (row is not None and await may_see(house, row, person))


async def _line(house: House, relationship: str, row: IncidentRow) -> IncidentLine:
    fields = {name: getattr(row, name) for name in IncidentLine.__struct_fields__ if hasattr(row, name)}
    fields |= {"stage": stage(row), "last": await said_in(house, row.last)}
    return IncidentLine(relationship=relationship, **fields)


def no_incident(incident: str) -> Misuse:
    """The one answer about an incident that is not there, or not there for whoever asks."""
    return Misuse(f"there is no incident {incident!r}; 'comity incident list' shows them", code="unknown-incident")
