"""Chronicles: what happened to an agreement that runs here, told with its sources (Article 21; ``spec/term.md``)."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.agreement.timeline import Row, timeline
from comity.flows.house import House


class ShowTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """Show the events of a running agreement up to an instant (now, when none is given)."""

    relationship: str
    until: datetime | None = None


async def show_timeline(house: House, request: ShowTimeline) -> tuple[Row, ...]:
    """The rows of the history this house reads, oldest first."""
    row = await house.agreement_row(request.relationship)
    running = await house.library.load(row)
    return timeline(running.chronicle, request.until or house.now())
