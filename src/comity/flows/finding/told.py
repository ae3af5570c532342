"""What waits, as the flows list it: of what there are few, and each is shown to those alone whom it concerns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

from comity.flows.agreeing.agreements import ListAgreements, list_agreements
from comity.flows.agreeing.disputes import ListDisputes, list_disputes
from comity.flows.agreeing.end_notes import ListEndNotes, list_end_notes
from comity.flows.agreeing.negotiations import ListNegotiations, asked_of, list_negotiations
from comity.flows.feeding.listing import ListFeeds, list_feeds
from comity.flows.finding.waiting import Looking, Wait, WaitKind
from comity.flows.incidents.investigating import ListIncidents, list_incidents
from comity.flows.people.visit_views import ListVisits, list_visits
from comity.flows.vouching.contradictions import held
from comity.register.roles import AGREEMENT_AUTHORITY, SECURITY_OFFICER


async def _visits(looking: Looking) -> AsyncIterator[Wait]:
    if not (looking.sight.has(SECURITY_OFFICER) or looking.sight.has(AGREEMENT_AUTHORITY)):
        return
    for each in await list_visits(looking.house, ListVisits(open=True, actor=looking.actor)):
        if each.side == "host" and each.state == "asked":
            yield Wait(
                kind="visit",
                subject=each.visit,
                relationship=each.relationship,
                at=each.asked,
                due=each.starts,
                parameters={
                    "facility": each.facility,
                    "starts": each.starts.isoformat(),
                    "ends": each.ends.isoformat(),
                },
            )


async def _incidents(looking: Looking) -> AsyncIterator[Wait]:
    for each in await list_incidents(looking.house, ListIncidents(actor=looking.actor)):
        if each.author != looking.house.party:
            yield Wait(
                kind="incident",
                subject=each.incident,
                relationship=each.relationship,
                at=each.at,
                by=each.author,
                parameters={"what": each.what, "stage": each.stage},
            )


async def _disputes(looking: Looking) -> AsyncIterator[Wait]:
    for each in await list_disputes(looking.house, ListDisputes(viewer=looking.actor)):
        if each.settled is None and all(position.party != looking.house.party for position in each.positions):
            yield Wait(
                kind="dispute",
                subject=each.dispute,
                relationship=each.relationship,
                at=each.opened,
                by=each.party,
                parameters={"question": each.question},
            )


async def _negotiations(looking: Looking) -> AsyncIterator[Wait]:
    for each in await list_negotiations(looking.house, ListNegotiations(looking.actor)):
        asked = asked_of(each, looking.house.party)
        if asked is not None:
            yield Wait(
                kind="negotiation",
                subject=each.negotiation,
                relationship=each.relationship,
                at=max([each.opened, *(done.at for done in each.happened)]),
                by=each.peer,
                parameters={"title": each.title, "asked": asked[0], "draft": asked[1]},
            )


async def _end_notes(looking: Looking) -> AsyncIterator[Wait]:
    if not looking.sight.has(AGREEMENT_AUTHORITY):
        return
    for relationship, _peer in await looking.house.relationships():
        for each in (await list_end_notes(looking.house, ListEndNotes(relationship=relationship))).notes:
            if each.party != looking.house.party and not each.in_history:
                yield Wait(
                    kind="note",
                    subject=each.notice,
                    relationship=relationship,
                    at=each.told,
                    by=each.party,
                    parameters={"step": each.step, "day": each.day, "note": each.note},
                )


async def _amendments(looking: Looking) -> AsyncIterator[Wait]:
    if not looking.sight.has(AGREEMENT_AUTHORITY):
        return
    for each in await list_agreements(looking.house, ListAgreements()):
        if each.superseded is not None:
            yield Wait(
                kind="amendment",
                subject=each.agreement,
                relationship=each.relationship,
                at=each.superseded,
                by=each.peer,
                parameters={"agreement": each.agreement},
            )


async def _feeds(looking: Looking) -> AsyncIterator[Wait]:
    for each in await list_feeds(looking.house, ListFeeds(actor=looking.actor)):
        if not each.ours and each.state == "stands" and each.has is None:
            yield Wait(
                kind="feed",
                subject=each.release,
                relationship=each.relationship,
                at=each.at,
                label=each.label,
                by=each.publisher,
                parameters={"feed": each.feed, "until": each.until.isoformat()},
            )


async def _contradictions(looking: Looking) -> AsyncIterator[Wait]:
    if not looking.sight.has(AGREEMENT_AUTHORITY) and not looking.sight.has(SECURITY_OFFICER):
        return
    async for each in held(looking.house):
        if each.proof and not each.shown.settled:
            yield Wait(
                kind="contradiction",
                subject=each.shown.contradiction,
                relationship=each.shown.relationship,
                at=looking.at,
                by=each.shown.signer,
                parameters={"response": ",".join(each.shown.response)},
            )


TOLD: dict[WaitKind, Callable[[Looking], AsyncIterator[Wait]]] = {
    "visit": _visits,
    "incident": _incidents,
    "dispute": _disputes,
    "negotiation": _negotiations,
    "note": _end_notes,
    "amendment": _amendments,
    "feed": _feeds,
    "contradiction": _contradictions,
}
"""What waits, by kind."""
