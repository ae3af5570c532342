"""Following: what a record of the other party sets in motion here, inside the change that takes it up."""

from __future__ import annotations

from comity.errors import ComityError
from comity.flows.giving import advance
from comity.flows.house import House
from comity.flows.work import Work
from comity.record import bodies
from comity.record.statement import Record
from comity.register.rows import RequestRow


async def follow(house: House, work: Work, record: Record) -> None:
    """Carry out a request whose last missing assurance has come.

    What keeps it from being carried out stays on the request and is shown there; it is no fault of the parcel, which is
    taken all the same.
    """
    if not isinstance(record.body, bodies.Assured):
        return
    if await work.row(RequestRow, record.body.request) is None:
        return
    attempt = work.child(work.context)
    try:
        await advance(house, attempt, record.body.request)
    except ComityError:
        return
    work.absorb(attempt)
