"""The inbox whole: what came, and everything of every kind that another party asks of this house or tells it.

It stands above the rooms of flows and asks each of them what it would show to the same viewer: what a viewer may not
see of a consent, a recall or an incident, he does not find here either.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import msgspec

from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import ListAgreements, list_agreements
from comity.flows.agreeing.disputes import ListDisputes, list_disputes
from comity.flows.agreeing.end_notes import ListEndNotes, list_end_notes
from comity.flows.agreeing.negotiations import ListNegotiations, list_negotiations, waits_for
from comity.flows.consenting.consent_register import ListConsents, list_consents
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.ending.recalls import ShowRecall, show_recall
from comity.flows.feeding.listing import ListFeeds, list_feeds
from comity.flows.house import House
from comity.flows.incidents.investigating import ListIncidents, list_incidents
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.looking.routes import went_on
from comity.flows.looking.views import Call, Inbox, ShowInbox, show_inbox
from comity.flows.people.visit_views import ListVisits, list_visits
from comity.flows.vouching.contradictions import held
from comity.register.roles import AGREEMENT_AUTHORITY, SECURITY_OFFICER
from comity.register.rows.ending import RecallRow
from comity.register.rows.routes import ForwardRow

RECALLS_TOLD = 100
"""Most recalls that are looked at, the newest first; an answered one is not told."""


async def show_whole_inbox(house: House, request: ShowInbox) -> Inbox:
    """What came, which assurances are waited for, what else is asked of us or told us, and how many duties are open."""
    inbox = await show_inbox(house, request)
    owed = await list_duties(house, ListDuties(whose="mine", actor=request.actor))
    calls = [
        call
        for tell in (
            _consents,
            _visits,
            _recalls,
            _incidents,
            _disputes,
            _negotiations,
            _end_notes,
            _amendments,
            _feeds,
            _contradictions,
        )
        async for call in tell(house, request.actor)
    ]
    return msgspec.structs.replace(
        inbox,
        calls=tuple(sorted(calls, key=lambda call: (call.at, call.subject))),
        duties=len(owed.duties),
        overdue=owed.overdue,
    )


async def _consents(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    for each in (await list_consents(house, ListConsents(actor=actor))).asked:
        if not each.ours and each.answer == "silent":
            acts, bodies = ", ".join(each.acts), ", ".join(each.beneficiaries)
            yield Call(
                kind="consent",
                subject=each.request,
                relationship=each.relationship,
                at=each.at,
                says=f"{each.by} asks our consent: {acts} {each.item} for {bodies}",
                next=f"comity consent grant {each.request} --reason WHY --as HANDLE",
            )


async def _visits(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    sight = Sight(house, await viewer(house, actor))
    if not (sight.everything or sight.has(SECURITY_OFFICER) or sight.has(AGREEMENT_AUTHORITY)):
        return
    for each in await list_visits(house, ListVisits(open=True)):
        if each.side == "host" and each.state == "asked":
            yield Call(
                kind="visit",
                subject=each.visit,
                relationship=each.relationship,
                at=each.asked,
                says=f"a visit to {each.facility} on {each.starts:%Y-%m-%d} is asked for",
                next=f"comity visit approve {each.visit} --as HANDLE",
            )


async def _recalls(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    sight = Sight(house, await viewer(house, actor))
    found = [
        (row, *key.rpartition("/")[::2])
        async for key, row in house.rows(RecallRow)
        if row.author != house.party and row.lifted is None
    ]
    for row, relationship, item in sorted(found, key=lambda each: each[0].at)[-RECALLS_TOLD:]:
        if await sight.item(item) is None:
            continue
        onward = sorted({each.to async for each in went_on(house, relationship, item)})
        gone = f"; handed on to {', '.join(onward)}" if onward else ""
        for shown in await show_recall(house, ShowRecall(item=item, actor=actor)):
            if shown.recall == row.recall and shown.unanswered:
                yield Call(
                    kind="recall",
                    subject=item,
                    relationship=shown.relationship,
                    at=row.at,
                    says=f"{row.author} asks for {item} back ({row.asks}): {row.reason}{gone}",
                    next=f"comity recall {item} --help" if gone else f"comity recall show {item}",
                )


async def _incidents(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    for each in await list_incidents(house, ListIncidents(actor=actor)):
        if each.author != house.party:
            others = await _originators(house, each.relationship, each.items)
            says, then = f"{each.author} tells of an incident ({each.what}), {each.stage}", "show " + each.incident
            if others:
                says, then = f"{says}; it is for {', '.join(others)} to hear of", f"report {each.items[0]} --help"
            yield Call(
                kind="incident",
                subject=each.incident,
                relationship=each.relationship,
                at=each.at,
                says=says,
                next=f"comity incident {then}",
            )


async def _originators(house: House, relationship: str, items: Sequence[str]) -> list[str]:
    """Whose the items are that this house handed on in a relationship: they hear of it from this house alone."""
    forwarded = [await house.row(ForwardRow, f"{relationship}/{item}") for item in items]
    return sorted({row.originator for row in forwarded if row is not None and row.holder == house.party})


async def _disputes(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    for each in await list_disputes(house, ListDisputes(viewer=actor)):
        if each.settled is None and all(position.party != house.party for position in each.positions):
            yield Call(
                kind="dispute",
                subject=each.dispute,
                relationship=each.relationship,
                at=each.opened,
                says=f"{each.party} asks to consult: {each.question}",
                next=f"comity dispute show {each.dispute}",
            )


async def _contradictions(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    """What proves that the other party signed two histories, for those who deal with it."""
    sight = Sight(house, await viewer(house, actor))
    if not sight.has(AGREEMENT_AUTHORITY) and not sight.has(SECURITY_OFFICER):
        return
    async for each in held(house):
        shown = each.shown
        if each.proof and not shown.settled:
            yield Call(
                kind="contradiction",
                subject=shown.contradiction,
                relationship=shown.relationship,
                at=house.now(),
                says=f"{shown.signer} signed two things that cannot both be true"
                + ("; a consultation is asked for" if "consult" in shown.response else ""),
                next="comity ledger contradictions",
            )


async def _negotiations(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    """What waits for this side in a negotiation, for those who take part in it."""
    for each in await list_negotiations(house, ListNegotiations(actor)):
        if (asked := waits_for(each, house.party)) is not None:
            yield Call(
                kind="negotiation",
                subject=each.negotiation,
                relationship=each.relationship,
                at=max([each.opened, *(done.at for done in each.happened)]),
                says=f"{each.title}: {asked}",
                next=f"comity negotiation show {each.negotiation} --as HANDLE",
            )


async def _end_notes(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    """Notes of the other side about the end that this house's history does not tell of."""
    if not Sight(house, await viewer(house, actor)).has(AGREEMENT_AUTHORITY):
        return
    for relationship, _peer in await house.relationships():
        for each in (await list_end_notes(house, ListEndNotes(relationship=relationship))).notes:
            if each.party != house.party and not each.in_history:
                yield Call(
                    kind="note",
                    subject=each.notice,
                    relationship=relationship,
                    at=each.told,
                    says=f"{each.party}: {each.step} of {each.day} ({each.note}), which your history does not tell",
                    next="comity agreement notice list",
                )


async def _amendments(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    """Texts that both have signed, and that do not run here yet."""
    if not Sight(house, await viewer(house, actor)).has(AGREEMENT_AUTHORITY):
        return
    for each in await list_agreements(house, ListAgreements()):
        if each.superseded is not None:
            yield Call(
                kind="amendment",
                subject=each.agreement,
                relationship=each.relationship,
                at=each.superseded,
                says=f"an amendment that both have signed applies from {each.superseded:%Y-%m-%d %H:%M} UTC on",
                next=f"comity agreement adopt FILE --with {each.peer}",
            )


async def _feeds(house: House, actor: Actor | None) -> AsyncIterator[Call]:
    """What another party lets cross from now on; told until the first of it is here."""
    for each in await list_feeds(house, ListFeeds(actor=actor)):
        if not each.ours and each.state == "stands" and each.has is None:
            yield Call(
                kind="feed",
                subject=each.release,
                relationship=each.relationship,
                at=each.at,
                says=f"{each.publisher} releases the feed {each.feed} to us until {each.until:%Y-%m-%d}",
                next=f"comity feed show {each.release}",
            )
