"""What an originator is told of a feed of its information that another party publishes (``spec/feed.md`` step 4)."""

from __future__ import annotations

from typing import cast

import msgspec

from comity.agreement.model import Agreement
from comity.decision import model as decision
from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.deciding.consents import consents_used, live_consents
from comity.flows.deciding.visibility import check_role, sees_all, viewer
from comity.flows.feeding.cases import about, originators
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.flows.speaking import speaker
from comity.marking.label import Label
from comity.marking.translation import MarkedLabel, translate
from comity.record.bodies.feeding import FeedEnded, FeedMarked, FeedOver, FeedTold
from comity.record.person_act import unsigned
from comity.record.statement import Record
from comity.register.roles import RELEASE_AUTHORITY
from comity.register.rows import AgreementRow
from comity.register.rows.feeding import (
    FeedMarkRow,
    FeedReleaseRow,
    FeedToldRow,
    feed_mark_key,
    feed_release_key,
    feed_told_key,
)


class ListTold(msgspec.Struct, frozen=True, kw_only=True):
    """List what other parties publish of this house's information, as ``actor`` may see it."""

    actor: Actor | None = None


class ToldLine(msgspec.Struct, frozen=True, kw_only=True):
    """What another party publishes of ours.

    ``over`` once it ended, by itself or before its time; ``mark`` is ours, where it was said since.
    """

    relationship: str
    publisher: str
    row: FeedToldRow
    over: bool
    mark: str = ""


class MarkFeed(msgspec.Struct, frozen=True, kw_only=True):
    """Say how this house marks from now on what another party publishes of its information.

    Attributes:
        release: one that this house was told of.
        mark: of this house's own ladder.
        reason: why; it crosses.
        actor: a release authority.
    """

    release: str
    mark: str
    reason: str
    actor: Actor


class FeedMarkShown(msgspec.Struct, frozen=True, kw_only=True):
    """That a feed of this house's information is marked otherwise, and who publishes it."""

    release: str
    feed: str
    relationship: str
    publisher: str
    mark: str
    record: str


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
            marked = await house.row(FeedMarkRow, feed_mark_key(relationship, publisher, row.feed)[1])
            mark = "" if marked is None else marked.mark
            found.append(ToldLine(relationship=relationship, publisher=publisher, row=row, over=over, mark=mark))
    return found


async def mark_feed(house: House, request: MarkFeed) -> FeedMarkShown:
    """Say what a feed of our information is marked from now on: its publisher's gate closes until it is released so.

    Raises:
        Misuse: nobody has told this house of such a release, or the actor is no release authority.
        Rejected: it is no mark of this house's.
    """
    person = await house.person(request.actor.handle)
    check_role(person, request.actor, RELEASE_AUTHORITY)
    relationship, publisher, told = await _told(house, request.release)
    before = await house.row(FeedMarkRow, feed_mark_key(relationship, publisher, told.feed)[1])
    name = await speaker(house, relationship, request.actor)
    body = FeedMarked(
        release=told.release,
        feed=told.feed,
        mark=request.mark,
        reason=request.reason,
        by=name,
        after=told.record if before is None else before.record,
        signature=unsigned(),
    )
    signed = await house.sign(body, relationship, request.actor, name)

    async def say(work: Work) -> Record:
        return await work.say(Draft(relationship, signed, person.function))

    record = await house.sequencer.submit(say)
    return FeedMarkShown(
        release=told.release,
        feed=told.feed,
        relationship=relationship,
        publisher=publisher,
        mark=request.mark,
        record=record.id.hex(),
    )


async def _told(house: House, release: str) -> tuple[str, str, FeedToldRow]:
    """Where a release that we were told of stands, and who publishes it."""
    for relationship, publisher in await house.relationships():
        row = await house.row(FeedToldRow, feed_told_key(relationship, publisher, release)[1])
        if row is not None:
            return relationship, publisher, row
        if await house.row(FeedReleaseRow, feed_release_key(relationship, release)[1]) is not None:
            raise Misuse(
                f"{release!r} is a release of this relationship itself: the level of a feed is that of its newest "
                "release, and changes by another",
                code="not-told",
            )
    raise Misuse(f"nobody has told this house of a release {release!r}", code="unknown-told")


async def marked_otherwise(
    house: House, work: Work, row: AgreementRow, agreement: Agreement, feed: str, label: Label
) -> FeedMarkRow | None:
    """The originator's word that a feed of ours is marked otherwise than it is published; None where it is not.

    Args:
        house: the publisher.
        work: the facts.
        row: the agreement it is published under.
        agreement: its text.
        feed: its name.
        label: under which it is published, or is to be.
    """
    originator = label.originator
    if originator in (house.party, row.peer):
        return None
    for relationship in await originators(house, row, originator):
        said = await work.row(FeedMarkRow, feed_mark_key(relationship, house.party, feed)[1])
        if said is not None and said.mark not in _marks_there(agreement, label):
            return said
    return None


def _marks_there(agreement: Agreement, label: Label) -> set[str]:
    """The marks of its originator to which a label corresponds."""
    try:
        found = translate(agreement, label, label.originator)
    except (Refused, Rejected):
        return set()
    return {found.alternative.mark} if isinstance(found, MarkedLabel) else {each.mark for each in found.candidates}
