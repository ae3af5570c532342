"""Following: what a record of the other party sets in motion here, inside the change that takes it up."""

from __future__ import annotations

from contextlib import suppress
from typing import cast

from comity.errors import ComityError
from comity.flows.agreeing.negotiating import meet
from comity.flows.ending.destruction import forget_with
from comity.flows.feeding.originators import relay_end
from comity.flows.feeding.releasing import advance_feed
from comity.flows.giving.forwarding import relay
from comity.flows.giving.release import PREPARED, advance
from comity.flows.giving.remarking import carry_out
from comity.flows.house import Follow, House
from comity.flows.keeping.committed import SCAN_MAX
from comity.flows.keeping.work import Work
from comity.record import bodies
from comity.record.bodies.consents import Consented
from comity.record.bodies.ending import Destroyed, DestructionWitnessed, LevelChanged
from comity.record.bodies.feeding import FeedEnded
from comity.record.bodies.negotiation import AgreementSigned
from comity.record.bodies.routes import ConsentLettered
from comity.record.statement import Record
from comity.register.rows import ItemRequestRow, RequestRow
from comity.register.rows.consents import ConsentRow, consent_key
from comity.register.rows.feeding import FeedWantedRow


async def _carry_out(house: House, work: Work, record: Record) -> None:
    """The last missing assurance has come."""
    assured = cast("bodies.Assured", record.body)
    request = await work.row(RequestRow, assured.request)
    if request is not None:
        await (advance_feed if request.act == "feed" else advance)(house, work, assured.request)


async def _released(house: House, work: Work, record: Record) -> None:
    """A release authority of ours has approved a feed: it is released, if nothing else is missing."""
    approved = cast("bodies.Approved", record.body)
    if approved.granted:
        await advance_feed(house, work, approved.request)


async def _may_cross(house: House, work: Work, record: Record) -> None:
    """An originator has consented: feeds of its information that wait for it cross, if nothing else is missing."""
    if not cast("Consented", record.body).granted:
        return
    async for key, _ in house.rows(FeedWantedRow):
        request = await work.row(RequestRow, key)
        if request is not None and request.consignment is None and any(each.granted for each in request.approvals):
            attempt = work.child(work.context)
            with suppress(ComityError):  # what still keeps it stays with the request
                await advance_feed(house, attempt, key)
                work.absorb(attempt)


async def _may_go_on(house: House, work: Work, record: Record) -> None:
    """The originator's letter has come: what waits to be handed on for it goes, if nothing else is missing."""
    lettered = cast("ConsentLettered", record.body)
    consent = await work.row(ConsentRow, consent_key(record.statement.relationship, lettered.consent)[1])
    if consent is None or consent.item is None:
        return
    async for key, _ in house.rows(ItemRequestRow, f"{consent.item}/"):
        if await work.side_value(PREPARED, key.rpartition("/")[2]) is not None:
            attempt = work.child(work.context)
            with suppress(ComityError):  # what still keeps it stays with the request
                await advance(house, attempt, key.rpartition("/")[2])
                work.absorb(attempt)


async def _listed_again(house: House, work: Work, record: Record) -> None:
    """A function can receive again: what waits for it goes, if nothing else is missing."""
    listed = cast("bodies.Listed", record.body)
    if listed.withdrawn:
        return
    first = ""
    while page := await house.store.scan(PREPARED, first, limit=SCAN_MAX):
        for request, _ in page:
            row = await work.row(RequestRow, request)
            if row is None or row.relationship != record.statement.relationship:
                continue
            if listed.pseudonym in row.recipients:
                attempt = work.child(work.context)
                with suppress(ComityError):  # what still keeps it stays with the request
                    await advance(house, attempt, request)
                    work.absorb(attempt)
        first = page[-1][0] + "\0"


FOLLOW: dict[type[bodies.Body], Follow] = {
    AgreementSigned: meet,
    bodies.Assured: _carry_out,
    bodies.Approved: _released,
    FeedEnded: relay_end,
    Consented: _may_cross,
    bodies.Received: relay,
    ConsentLettered: _may_go_on,
    bodies.Listed: _listed_again,
    Destroyed: forget_with,
    DestructionWitnessed: forget_with,
    LevelChanged: carry_out,
}
"""What follows here on a record of the other party that took effect, or on an approval of ours, by its type."""


async def follow(house: House, work: Work, record: Record) -> None:
    """Do what follows on a record.

    What keeps it from being done stays with the request and is shown there; it is no fault of the parcel, which is
    taken all the same.
    """
    then = FOLLOW.get(type(record.body)) if record.body is not None else None
    if then is None:
        return
    attempt = work.child(work.context)
    try:
        await then(house, attempt, record)
    except ComityError:
        return
    work.absorb(attempt)
