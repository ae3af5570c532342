"""What a house has of feeds: what is released to it and by it, and how each stands (``spec/feed.md`` step 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from comity.agreement.equivalence import level_of
from comity.agreement.model import Agreement
from comity.errors import Misuse, Rejected
from comity.feed.release import Posture
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import sees_all, viewer
from comity.flows.feeding.cases import originators
from comity.flows.feeding.gate import gate
from comity.flows.house import House
from comity.marking.label import Label
from comity.record.bodies.feeding import ReleasedType, UnderPosture
from comity.register.roles import RELEASE_AUTHORITY, UNLISTED
from comity.register.rows import PersonRow, RequestRow
from comity.register.rows.feeding import (
    FeedEnd,
    FeedReceiptRow,
    FeedReleaseRow,
    FeedRow,
    FeedToldRow,
    feed_key,
    feed_release_key,
    feed_told_key,
)

RELEASES_TOLD = 1_000
"""Most releases that are told at once."""


class ListFeeds(msgspec.Struct, frozen=True, kw_only=True):
    """List the standing releases that ``actor`` may see, those that ended or were followed too when ``all`` is set."""

    actor: Actor | None = None
    all: bool = False


class ShowFeed(msgspec.Struct, frozen=True, kw_only=True):
    """Show one standing release with its terms, as ``actor`` may see it: by its id, or the newest of a feed by name."""

    release: str
    actor: Actor | None = None


class FeedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A standing release, and how it stands.

    Attributes:
        state: ``stands``, ``stopped`` (and ``why``), ``ended``, ``expired`` or ``followed``.
        since: from when it has been so.
        until: when the release ends, at the latest.
        turns: when it will be otherwise by itself, where that is known.
        posture: what both have declared.
        has: batches and messages that the recipient has said it has.
    """

    relationship: str
    publisher: str
    feed: str
    release: str
    ours: bool
    label: Label
    alternative: Label | None
    topic: str
    subject: str
    purpose: str
    host: str
    recipients: tuple[str, ...]
    at: datetime
    until: datetime
    state: str
    why: str
    since: datetime
    turns: datetime | None
    posture: Posture
    ends: tuple[FeedEnd, ...]
    followed_by: str
    has: tuple[int, int] | None


class FeedShown(msgspec.Struct, frozen=True, kw_only=True):
    """A standing release with what crosses under each posture.

    Attributes:
        line: the release, and how it stands.
        types, postures: what crosses.
        history: every release of the feed that the viewer may see, the oldest first; this one among them.
        word: whose word it is that an originator consents that is neither party: ``originator``, where this house
            publishes and has its ``consents``; ``publisher``, where this house gets it; empty where there is no such.
        consents: those it rests on.
        asked_in: the relationships in which this house could ask the originator itself.
    """

    line: FeedLine
    types: tuple[ReleasedType, ...]
    postures: tuple[UnderPosture, ...]
    history: tuple[FeedLine, ...] = ()
    word: Literal["", "originator", "publisher"] = ""
    consents: tuple[str, ...] = ()
    asked_in: tuple[str, ...] = ()


async def list_feeds(house: House, request: ListFeeds) -> list[FeedLine]:
    """The standing releases that a viewer may see, by relationship, publisher and instant."""
    person = await viewer(house, request.actor)
    found: list[FeedLine] = []
    async for key, row in house.rows(FeedReleaseRow):
        relationship = key.rpartition("/")[0]
        if not await sees_feed(house, relationship, row, person):
            continue
        line = await _line(house, relationship, row)
        if request.all or line.state in ("stands", "stopped"):
            found.append(line)
        if len(found) > RELEASES_TOLD:
            raise Misuse(f"more than {RELEASES_TOLD} releases", code="too-many-lines")
    return sorted(found, key=lambda each: (each.relationship, each.publisher, each.at))


async def show_feed(house: House, request: ShowFeed) -> FeedShown:
    """One standing release with its terms, and those of the same feed before and after it.

    Raises:
        Misuse: there is none, or none that whoever asks may see; nobody can tell which.
    """
    person = await viewer(house, request.actor)
    relationship, row = await find_release(house, request.release, person)
    releases = [each async for _, each in house.rows(FeedReleaseRow, f"{relationship}/")]
    same = [each for each in releases if (each.publisher, each.feed) == (row.publisher, row.feed)]
    seen = [each for each in same if await sees_feed(house, relationship, each, person)]
    shown = FeedShown(
        line=await _line(house, relationship, row),
        types=row.types,
        postures=row.postures,
        history=tuple([await _line(house, relationship, each) for each in sorted(seen, key=lambda each: each.at)]),
    )
    return await _with_word(house, relationship, row, shown)


async def _with_word(house: House, relationship: str, row: FeedReleaseRow, shown: FeedShown) -> FeedShown:
    """What is shown, with whose word it is that the originator consents."""
    originator = row.label.originator
    agreement = await house.agreement_row(relationship)
    if originator in (house.party, agreement.peer):
        return shown
    there = await originators(house, agreement, originator)
    if row.publisher != house.party:
        return msgspec.structs.replace(shown, word="publisher", asked_in=tuple(there))
    told = [await house.row(FeedToldRow, feed_told_key(each, house.party, row.release)[1]) for each in there]
    consents = tuple(consent for each in told if each is not None for consent in each.consents)
    return msgspec.structs.replace(shown, word="originator", consents=consents)


async def find_release(
    house: House, release: str, person: PersonRow | None, relationship: str | None = None
) -> tuple[str, FeedReleaseRow]:
    """A standing release by its id, or the newest of a feed by its name, and where it stands.

    With ``relationship`` given it is looked for there.

    Raises:
        Misuse: there is none, or none that this person may see; nobody can tell which.
    """
    places = [relationship] if relationship is not None else [each for each, _ in await house.relationships()]
    for place in places:
        row = await house.row(FeedReleaseRow, f"{place}/{release}")
        if row is not None and await sees_feed(house, place, row, person):
            return place, row
    found = [
        (place, row)
        for place in places
        for name in (house.party, await house.peer_in(place))
        if (feed := await house.row(FeedRow, feed_key(place, name, release)[1])) is not None
        and (row := await house.row(FeedReleaseRow, feed_release_key(place, feed.release)[1])) is not None
        and await sees_feed(house, place, row, person)
    ]
    if len(found) > 1:
        under = ", ".join(f"{row.release} ({place})" for place, row in found)
        raise Misuse(f"there are several feeds {release!r}: {under}; name the release", code="ambiguous-feed")
    if found:
        return found[0]
    raise Misuse(f"there is no release {release!r}", code="unknown-release")


async def sees_feed(house: House, relationship: str, row: FeedReleaseRow, person: PersonRow | None) -> bool:
    """Whether somebody may know of a standing release.

    Whoever sees the whole register or releases; whoever asked for it, or is named in it; and of those who receive,
    whoever is on its list and cleared for its level.
    """
    if person is None or sees_all(person) or RELEASE_AUTHORITY in person.roles:
        return True
    if house.pseudonym(relationship, person.person) in row.recipients:
        return True
    if row.publisher == house.party:
        request = await house.row(RequestRow, row.release)
        if request is not None and request.by == person.person:
            return True
    if row.topic not in person.topics or (UNLISTED.issuperset(person.roles) and person.roles):
        return False
    running = await house.library.load(await house.agreement_row(relationship))
    return _cleared(running.agreement, house, row, person)


def _cleared(agreement: Agreement, house: House, row: FeedReleaseRow, person: PersonRow) -> bool:
    if person.clearance is None or person.clearance_until is None or house.now() >= person.clearance_until:
        return False
    try:
        held = level_of(agreement, house.party, person.clearance)
        return held.rank >= level_of(agreement, row.label.policy, row.label.mark).rank
    except Rejected:  # a mark that this text does not know
        return False


async def _line(house: House, relationship: str, row: FeedReleaseRow) -> FeedLine:
    found = await gate(house, relationship, row.publisher, row.feed)
    state = "stands" if found.stands else found.why if found.why in ("ended", "expired") else "stopped"
    why, since = found.why, found.since
    turns = found.until if state in ("stands", "stopped") else None
    if row.followed is not None:
        state, why, since, turns = "followed", "followed", row.followed, None
    feed = await house.row(FeedRow, f"{relationship}/{row.publisher}/{row.feed}")
    has = await house.row(FeedReceiptRow, f"{relationship}/{row.publisher}/{row.feed}")
    return FeedLine(
        relationship=relationship,
        ours=row.publisher == house.party,
        state=state,
        why=why,
        since=since,
        turns=turns,
        posture=found.posture,
        followed_by=row.by_release,
        has=None if has is None or feed is None else (has.batches, has.messages),
        **{name: getattr(row, name) for name in FeedLine.__struct_fields__ if name in FeedReleaseRow.__struct_fields__},
    )
