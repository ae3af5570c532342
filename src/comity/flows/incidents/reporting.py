"""Incidents: the report of a loss or compromise, actual or possible (Article 17; ``spec/incidents.md``).

One command reports it. What is affected is found here, over all relationships; each originator is told at once, by a
record that names only what concerns him; lost copies are marked lost; all of it is durable together. What follows on it
is in ``investigating.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.lineage import relationships_of
from comity.flows.deciding.visibility import visible_item
from comity.flows.handling.custody import Found, check_state, find_copy, say_in_each
from comity.flows.handling.losing import lost_bodies
from comity.flows.house import House
from comity.flows.incidents.affected import Affected, affected_by, concerned, holders
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies import Body
from comity.record.bodies.custody import CopyLost
from comity.record.bodies.incidents import (
    AffectedCopy,
    CopyNamed,
    IncidentAffected,
    IncidentOpened,
    IncidentReported,
    IncidentWidened,
    What,
)
from comity.record.encoding import LIST_ENTRIES_MAX, encode
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import CopyRow, PersonRow

PART_COPIES = 200
"""Most copies named in one part of the affected set: with their items they fit one record."""


class ReportIncident(msgspec.Struct, frozen=True, kw_only=True):
    """Report a loss or compromise, actual or possible.

    Attributes:
        items: what was lost or became known; never empty.
        what: a copy was lost, what an item says became known, or either is possible.
        circumstances: what happened, as far as it is known.
        actor: who reports it; anybody of the house may who may see the item.
        copies: numbers of copies of the one item named; the only one there is, where a copy was lost and there is one.
        ground: the third party on whose ground it happened.
        incident: identifier for it, when the caller must know it beforehand: somebody in strict custody signs over it.
    """

    items: tuple[str, ...]
    what: What
    circumstances: str
    actor: Actor
    copies: tuple[int, ...] = ()
    ground: str | None = None
    incident: str | None = None


class Suspended(msgspec.Struct, frozen=True):
    """Where opening is suspended while the incident is open, and by which clause."""

    relationship: str
    instrument: str
    clause: str


class IncidentTold(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a report.

    Attributes:
        incident: its id.
        what: as reported.
        told: the records that tell the originators, in hex, by relationship.
        possible: the relationships in which it was told as a possible compromise only.
        lost: numbers of the copies marked lost, by item.
        items, copies, holders: how many are affected.
        suspended: where opening is suspended, and by what.
    """

    incident: str
    what: What
    told: dict[str, str]
    possible: tuple[str, ...]
    lost: dict[str, tuple[int, ...]]
    items: int
    copies: int
    holders: int
    suspended: tuple[Suspended, ...]


async def report_incident(house: House, request: ReportIncident) -> IncidentTold:
    """Find what is affected, tell each originator, mark what is lost, and open what follows; all or nothing.

    Raises:
        Misuse: there is no such item for him, it is this house's own, or the copy is not clear.
        Refused: a copy named as lost is neither held nor on its way.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    person = await house.person(request.actor.handle)
    named = tuple(dict.fromkeys(request.items))
    await _check(house, named, person)
    copies = await _copies(house, request, named)
    affected = await affected_by(house, named)
    direct, possible = concerned(affected, copies_named=bool(copies))
    incident = house.name("x", request.incident)
    numbers = tuple(CopyNamed(copy.item.item, copy.number) for copy in copies)
    opened = await _opened(house, request, incident, affected, numbers, (*direct, *possible), person)
    telling: list[tuple[str, Body]] = []
    for relationship, items in direct.items():
        telling += await _telling(house, request, incident, relationship, items, request.what, numbers)
    for relationship, items in possible.items():
        telling += await _telling(house, request, incident, relationship, items, "suspected", ())
    losses: list[tuple[str, CopyLost]] = []
    for copy in copies if request.what == "lost" else ():
        losses += await lost_bodies(house, copy, request.circumstances, request.actor, incident)

    async def say(work: Work) -> dict[str, str]:
        await work.say(Draft(DOMESTIC, opened))
        for part in _parts(incident, affected):
            await work.say(Draft(DOMESTIC, part))
        told: dict[str, str] = {}
        for relationship, body in telling:
            record = await work.say(Draft(relationship, body, person.function))
            told.setdefault(relationship, record.id.hex())
        await say_in_each(work, losses, person.function)
        return told

    told = await house.sequencer.submit(say)
    return IncidentTold(
        incident=incident,
        what=request.what,
        told=told,
        possible=tuple(possible),
        lost=_numbers(copies) if request.what == "lost" else {},
        items=opened.affected_items,
        copies=opened.affected_copies,
        holders=opened.holders,
        suspended=tuple([each for relationship in told for each in await suspensions(house, relationship)]),
    )


async def _check(house: House, items: Sequence[str], person: PersonRow) -> None:
    if not items:
        raise Misuse("name what was lost or compromised: --item ITEM", code="no-item")
    if len(items) > LIST_ENTRIES_MAX:
        raise Misuse(f"one report names at most {LIST_ENTRIES_MAX} items; report in parts", code="too-many-items")
    for item in items:
        await visible_item(house, None, item, person)
        if not await relationships_of(house, item):
            raise Misuse(
                f"item {item!r} is this house's own; whoever was given it reports its loss to us, not we to them",
                code="own-item",
            )


async def _copies(house: House, request: ReportIncident, items: Sequence[str]) -> list[Found]:
    """The copies that are named, or the only one that can be meant."""
    if request.copies and len(items) > 1:
        raise Misuse("copies are named of one item; report the others by themselves", code="which-item")
    if request.copies:
        found = [await find_copy(house, items[0], each, request.actor) for each in dict.fromkeys(request.copies)]
    elif request.what == "lost":
        found = [await _only_copy(house, item, request.actor) for item in items]
    else:
        found = []
    if request.what == "lost":
        for copy in found:
            check_state(copy, "it cannot be lost", "held", "in transit")
    return found


async def _only_copy(house: House, item: str, actor: Actor) -> Found:
    first = (await relationships_of(house, item))[0]
    rows = [copy async for _, copy in house.rows(CopyRow, f"{first}/{item}/")]
    there = [copy.number for copy in rows if copy.state in ("held", "in transit")]
    if len(there) != 1:
        listed = ", ".join(map(str, there)) or "none"
        raise Misuse(
            f"there are several copies of {item!r} that could be lost ({listed}); name the one with --copy, or report "
            "what became known with --what compromised"
            if there
            else f"no copy of {item!r} is here that could be lost; report what became known with --what compromised",
            code="which-copy",
        )
    return await find_copy(house, item, there[0], actor)


async def _opened(
    house: House,
    request: ReportIncident,
    incident: str,
    affected: Affected,
    copies: tuple[CopyNamed, ...],
    told: tuple[str, ...],
    person: PersonRow,
) -> IncidentOpened:
    items, listed = _listed(affected)
    body = IncidentOpened(
        incident=incident,
        what=request.what,
        items=tuple(dict.fromkeys(request.items)),
        copies=copies,
        circumstances=request.circumstances,
        ground=request.ground,
        told=told,
        affected_items=len(items),
        affected_copies=affected.copies,
        holders=await holders(house, affected),
        digest=sha256(encode((items, listed))).digest(),
        by=person.person,
        signature=unsigned(),
    )
    return await house.sign(body, DOMESTIC, request.actor)


def _listed(affected: Affected) -> tuple[list[str], list[AffectedCopy]]:
    """The affected set as it is recorded."""
    items = [item.item for item in affected.items]
    copies = [
        AffectedCopy(place, item.item, copy.number, copy.holder, copy.state)
        for item in affected.items
        for place, copy in item.copies
    ]
    return items, copies


def _parts(incident: str, affected: Affected) -> list[IncidentAffected]:
    """The affected set in parts that fit a record each."""
    items, copies = _listed(affected)
    parts: list[IncidentAffected] = []
    while items or copies:
        parts.append(
            IncidentAffected(
                incident=incident,
                part=len(parts) + 1,
                items=tuple(items[:PART_COPIES]),
                copies=tuple(copies[:PART_COPIES]),
            )
        )
        items, copies = items[PART_COPIES:], copies[PART_COPIES:]
    return parts


async def _telling(
    house: House,
    request: ReportIncident,
    incident: str,
    relationship: str,
    items: Sequence[str],
    what: What,
    copies: Sequence[CopyNamed],
) -> list[tuple[str, Body]]:
    """What one originator is told, signed: the report, and more of its items where it has no room for all."""
    by = house.pseudonym(relationship, (await house.person(request.actor.handle)).person)
    report = IncidentReported(
        incident=incident,
        what=what,
        items=tuple(items[:LIST_ENTRIES_MAX]),
        copies=tuple(each for each in copies if each.item in items),
        circumstances=request.circumstances,
        ground=request.ground,
        by=by,
        signature=unsigned(),
    )
    told: list[tuple[str, Body]] = [(relationship, await house.sign(report, relationship, request.actor, by))]
    for part, start in enumerate(range(LIST_ENTRIES_MAX, len(items), LIST_ENTRIES_MAX), start=1):
        more = IncidentWidened(
            incident=incident,
            part=part,
            items=tuple(items[start : start + LIST_ENTRIES_MAX]),
            by=by,
            signature=unsigned(),
        )
        told.append((relationship, await house.sign(more, relationship, request.actor, by)))
    return told


def _numbers(copies: Sequence[Found]) -> dict[str, tuple[int, ...]]:
    found: dict[str, tuple[int, ...]] = {}
    for copy in copies:
        found[copy.item.item] = (*found.get(copy.item.item, ()), copy.number)
    return found


async def suspensions(house: House, relationship: str) -> list[Suspended]:
    """The rules under which nobody opens, here, what an open incident touches."""
    running = await house.library.load(await house.agreement_row(relationship))
    texts = [(running.agreement.id, running.agreement.rules), *((each.id, each.rules) for each in running.layers)]
    return [
        Suspended(relationship, instrument, rule.clause)
        for instrument, rules in texts
        for rule in rules
        if rule.forbids and "open" in rule.acts and rule.when is not None and rule.when.suspected
    ]
