"""When copies are counted again, where an arrangement or a layer says how often (``spec/inventory.md`` step 6)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.agreement.calendar import end_of_period
from comity.agreement.intervals import goes_by_level, interval
from comity.flows.house import House
from comity.register.occasions import THE_AGREEMENT
from comity.register.rows.duties import DutiesRow
from comity.register.rows.ending import HoldingRow


class CountDue(msgspec.Struct, frozen=True, kw_only=True):
    """By when the copies of one relationship are counted again.

    Attributes:
        relationship: which agreement.
        within: the interval, such as ``P1Y``.
        place: the instrument and clause that say so.
        unchecked: that clause was not checked against its text: it warns.
        counted: when they were last counted; None when never.
        due: the last instant for the next count.
        overdue: that instant has passed.
    """

    relationship: str
    within: str
    place: str
    unchecked: bool
    counted: datetime | None
    due: datetime
    overdue: bool


async def next_counts(house: House) -> tuple[CountDue, ...]:
    """By when this house counts again, from the last muster or, without one, from the day the duty began."""
    found = []
    for relationship, _ in await house.relationships():
        running = await house.library.load(await house.agreement_row(relationship))
        texts = (running.agreement, running.layers)
        marks = await _marks_here(house, relationship) if goes_by_level(*texts, "inventory") else ()
        asked = interval(*texts, "inventory", house.party, marks)
        row = await house.row(DutiesRow, f"{relationship}/{THE_AGREEMENT}")
        owed = [
            each
            for each in (row.duties if row is not None else ())
            if each.deed == "keep-inventory" and each.who == house.party and each.open
        ]
        if asked is None or not owed:
            continue
        zone = house.zones.zone(running.agreement.term.timezone)
        counted = owed[0].shown_at
        due = end_of_period(counted or owed[0].at, asked.length, zone)
        found.append(
            CountDue(
                relationship=relationship,
                within=asked.length,
                place=f"{asked.instrument}:{asked.clause}",
                unchecked=asked.provenance == "K",
                counted=counted,
                due=due,
                overdue=house.now() > due,
            )
        )
    return tuple(found)


async def _marks_here(house: House, relationship: str) -> frozenset[str]:
    """The marks under which this house was given, or made, what it still has in a relationship."""
    held = [row async for _, row in house.rows(HoldingRow, f"{relationship}/")]
    return frozenset(row.given for row in held if row.keeper == house.party and row.left)
