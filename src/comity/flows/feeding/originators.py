"""What an originator is told of a feed of its information that another party publishes (``spec/feed.md`` step 4)."""

from __future__ import annotations

from typing import cast

import msgspec

from comity.decision import model as decision
from comity.flows.actors import Actor
from comity.flows.deciding.consents import consents_used, live_consents
from comity.flows.deciding.visibility import sees_all, viewer
from comity.flows.feeding.cases import about, originators
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies.feeding import FeedEnded, FeedOver, FeedTold
from comity.record.statement import Record
from comity.register.roles import RELEASE_AUTHORITY
from comity.register.rows import AgreementRow
from comity.register.rows.feeding import FeedReleaseRow, FeedToldRow, feed_release_key, feed_told_key


class ListTold(msgspec.Struct, frozen=True, kw_only=True):
    """List what other parties publish of this house's information, as ``actor`` may see it."""

    actor: Actor | None = None


class ToldLine(msgspec.Struct, frozen=True, kw_only=True):
    """What another party publishes of ours; ``over`` once it ended, by itself or before its time."""

    relationship: str
    publisher: str
    row: FeedToldRow
    over: bool


async def tell_originator(
    house: House, work: Work, row: AgreementRow, release: FeedReleaseRow, outcome: decision.Outcome
) -> None:
    """Tell the originator of a feed that it is published, to whom and until when; nobody, where it is our own.

    Args:
        house: the publisher.
        work: the change in which it is released.
        row: the agreement it is released under.
        release: as it was released.
        outcome: the decision it rests on.
    """
    if release.label.originator in (house.party, row.peer):
        return
    for relationship in await originators(house, row, release.label.originator):
        consents = await live_consents(work.facts, relationship, about(release, work.at), work.at)
        body = FeedTold(
            release=release.release,
            feed=release.feed,
            to=row.peer,
            host=release.host,
            label=release.label,
            topic=release.topic,
            purpose=release.purpose,
            until=release.until,
            consents=tuple(each.consent for each in consents_used(outcome, consents)),
        )
        await work.say(Draft(relationship, body))


async def tell_over(house: House, work: Work, row: AgreementRow, release: FeedReleaseRow, reason: str) -> None:
    """Tell the originator of a feed of ours that a release of it is over; once."""
    if release.publisher != house.party:
        return
    for relationship in await originators(house, row, release.label.originator):
        told = await work.row(FeedToldRow, feed_told_key(relationship, house.party, release.release)[1])
        if told is not None and told.over is None:
            await work.say(Draft(relationship, FeedOver(release=release.release, reason=reason)))


async def relay_end(house: House, work: Work, record: Record) -> None:
    """The other party, or a person of ours, has ended a release: its originator is told."""
    body, relationship = cast("FeedEnded", record.body), record.statement.relationship
    release = await work.need(FeedReleaseRow, feed_release_key(relationship, body.release)[1], "release")
    row = await work.need(AgreementRow, relationship, "agreement")
    await tell_over(house, work, row, release, body.reason)


async def list_told(house: House, request: ListTold) -> list[ToldLine]:
    """What other parties publish of ours; for whoever sees the register, and for release authorities."""
    person = await viewer(house, request.actor)
    if not (sees_all(person) or (person is not None and RELEASE_AUTHORITY in person.roles)):
        return []
    now = house.now()
    found: list[ToldLine] = []
    async for key, row in house.rows(FeedToldRow):
        relationship, _, publisher = key.rpartition("/")[0].rpartition("/")
        if publisher != house.party:
            over = row.over is not None or now >= row.until
            found.append(ToldLine(relationship=relationship, publisher=publisher, row=row, over=over))
    return found
