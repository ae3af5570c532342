"""Today: what waits for somebody, what is owed, and how agreements, other parties and feeds stand.

What there may be a million of is looked up in the index (``spec/index.md`` step 15); the rest is asked of the flows
that list it, as the same person. Nothing here is a sentence: kinds, codes, names and instants, for a page to put in
words.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.exchanging.exchange import COSIGNED
from comity.flows.exchanging.witnessing import read_head
from comity.flows.feeding.listing import ListFeeds, list_feeds
from comity.flows.finding.scope import scope_of, under
from comity.flows.finding.told import TOLD
from comity.flows.finding.waiting import COUNTED_MAX, FOUND, LOOKED_AT_MAX, Looking, Waits
from comity.flows.house import House
from comity.flows.indexing.entries import ASSURERS, DUTY, EVERYBODY
from comity.flows.indexing.upkeep import up_to_date
from comity.flows.looking.duties import UNCHECKED, DutyShown, duty_shown, sees_duty
from comity.ports.index import Entry
from comity.record.statement import chain_id
from comity.register.roles import ASSURANCE_OFFICER
from comity.register.rows import AgreementRow
from comity.register.rows.duties import DutiesRow, Duty, OpenDutyRow

FIRST_MAX = 100
"""Most of one kind told at once."""


class ShowToday(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for ``actor``, or for the house itself; of each kind the first, at most ``limit`` (1 to 100)."""

    limit: int = 20
    actor: Actor | None = None


class DutiesToday(msgspec.Struct, frozen=True, kw_only=True):
    """What this house owes: how much is open and how much of it overdue, whether there is more, and the first."""

    open: int
    overdue: int
    more: bool
    first: tuple[DutyShown, ...]


class ReadingToday(msgspec.Struct, frozen=True, kw_only=True):
    """How one party reads an agreement, and what comes next by that: the instant, and what happens then."""

    party: str
    phase: str
    in_force: bool
    protection: bool
    next: datetime | None
    becomes: str


class AgreementToday(msgspec.Struct, frozen=True, kw_only=True):
    """How an agreement stands: in force under every reading, to be protected under one, and its next date.

    ``becomes`` is what happens then, in the word of the reading that is the first to come to it.
    """

    relationship: str
    agreement: str
    title: str
    peer: str
    version: str
    in_force: bool
    protection: bool
    readings: tuple[ReadingToday, ...]
    next: datetime | None
    acknowledged: tuple[str, ...]
    hypothetical: bool
    becomes: str = ""


class PeerToday(msgspec.Struct, frozen=True, kw_only=True):
    """How the exchange with another party stands.

    Attributes:
        records: how many we have said there.
        delivered: how many of them it says it has.
        waiting_since: when the oldest that it has not was said.
        heard: when the newest of its own that is here was said.
        cosigned: how many of ours it has cosigned.
    """

    peer: str
    relationship: str
    records: int
    delivered: int
    waiting_since: datetime | None
    heard: datetime | None
    cosigned: int


class FeedToday(msgspec.Struct, frozen=True, kw_only=True):
    """How a feed stands, and what its recipient says it has."""

    relationship: str
    publisher: str
    feed: str
    release: str
    ours: bool
    state: str
    why: str
    until: datetime
    posture: str
    batches: int | None
    messages: int | None


class Today(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for a viewer, and how things stand; ``peers`` are told to whoever sees the whole register."""

    party: str
    at: datetime
    waits: tuple[Waits, ...]
    duties: DutiesToday
    agreements: tuple[AgreementToday, ...]
    peers: tuple[PeerToday, ...]
    feeds: tuple[FeedToday, ...]


async def show_today(house: House, request: ShowToday) -> Today:
    """What waits, what is owed, and how things stand.

    Raises:
        Misuse: nobody has that handle, or the limit is none (``bad-page``).
        Unavailable: the index is being made (``index-behind``).
    """
    if not 1 <= request.limit <= FIRST_MAX:
        raise Misuse(f"a list has 1 to {FIRST_MAX} lines, not {request.limit}", code="bad-page", place="limit")
    at, person = house.now(), await viewer(house, request.actor)
    index = await up_to_date(house)
    sight, scope = Sight(house, person), await scope_of(house, index, person)
    looking = Looking(house, index, scope, sight, request.actor, at, request.limit)
    waits = [found for find in FOUND if (found := await find(looking)) is not None]
    for kind, tell in TOLD.items():
        told = sorted([each async for each in tell(looking)], key=lambda each: (each.at, each.subject))
        if told:
            waits.append(Waits(kind=kind, count=len(told), more=False, first=tuple(told[: request.limit])))
    return Today(
        party=house.party,
        at=looking.at,
        waits=tuple(waits),
        duties=await _duties(looking),
        agreements=tuple([each async for each in _agreements(house, looking.at)]),
        peers=tuple([each async for each in _peers(house)]) if sight.everything else (),
        feeds=tuple([each async for each in _feeds(house, request.actor)]),
    )


# ---- what is owed ----------------------------------------------------------------------------------------------------


async def _duties(looking: Looking) -> DutiesToday:
    """What presses first; of one who does not see all of it as many as were looked at are counted."""
    everything = looking.scope.everything
    extra = [EVERYBODY, *([ASSURERS] if looking.sight.has(ASSURANCE_OFFICER) else [])]
    seen = [] if everything else [*looking.scope.all_names(), *extra]
    classes = ((f"{DUTY}/1", f"{DUTY}/1{UNCHECKED}"), (f"{DUTY}/2",), (f"{DUTY}/3",))
    groups = [[name for each in some for name in ([each] if everything else under(each, seen))] for some in classes]
    found: list[tuple[DutiesRow, Duty]] = []
    wanted = looking.limit if everything else max(looking.limit, LOOKED_AT_MAX)
    looked = 0
    for names in groups:
        entries = await looking.index.walk(names, limit=wanted - looked, oldest_first=True) if looked < wanted else []
        looked += len(entries)
        found += [each for each in [await _duty(looking, entry) for entry in entries] if each is not None]
    first = [await duty_shown(looking.house, *each, looking.at) for each in found[: looking.limit]]
    if everything:
        counted = [await looking.index.count(names, limit=COUNTED_MAX + 1) for names in groups]
        late = await looking.index.count(groups[0][:1], limit=COUNTED_MAX + 1, before=looking.at)
        number, overdue, more = sum(counted), late, sum(counted) > COUNTED_MAX
    else:
        number, more = len(found), looked >= wanted
        overdue = sum(
            duty.provenance != UNCHECKED and duty.due is not None and duty.due < looking.at for _, duty in found
        )
    return DutiesToday(open=min(number, COUNTED_MAX), overdue=min(overdue, COUNTED_MAX), more=more, first=tuple(first))


async def _duty(looking: Looking, entry: Entry) -> tuple[DutiesRow, Duty] | None:
    """The duty that an entry is about, if the viewer may know of it."""
    house = looking.house
    index = await house.row(OpenDutyRow, entry.key.removeprefix(f"{DUTY}/"))
    row = None if index is None else await house.row(DutiesRow, index.duty)
    if index is None or row is None or not row.duties[index.place].open:
        return None
    duty = row.duties[index.place]
    return (row, duty) if await sees_duty(house, row, duty, looking.scope.person) else None


# ---- how things stand ------------------------------------------------------------------------------------------------


async def _agreements(house: House, at: datetime) -> AsyncIterator[AgreementToday]:
    async for _, row in house.rows(AgreementRow):
        running = await house.library.load(row)
        status = running.chronicle.status(at)
        readings = [
            ReadingToday(
                party=each.party,
                phase=each.phase,
                in_force=each.in_force,
                protection=each.protection,
                next=each.ahead[0].at if each.ahead else None,
                becomes=each.ahead[0].what if each.ahead else "",
            )
            for each in status.readings
        ]
        coming = [(each.next, each.becomes) for each in readings if each.next is not None]
        comes, becomes = min(coming, default=(None, ""))
        yield AgreementToday(
            relationship=row.relationship,
            agreement=row.agreement,
            title=running.agreement.header.title.en,
            peer=row.peer,
            version=running.agreement.header.version,
            in_force=status.in_force,
            protection=status.protection,
            readings=tuple(readings),
            next=comes,
            becomes=becomes,
            acknowledged=row.acknowledged,
            hypothetical=running.chronicle.history.hypothetical is not None,
        )


async def _peers(house: House) -> AsyncIterator[PeerToday]:
    for relationship, peer in await house.correspondence():
        own, theirs = chain_id(relationship, house.party), chain_id(relationship, peer)
        size, delivered = house.sequencer.head(own).size, await house.exchange.peer_has(own)
        waiting = await house.store.chain(own, delivered, 1) if delivered < size else []
        known = house.sequencer.head(theirs).size
        newest = await house.store.chain(theirs, known - 1, 1) if known else []
        cosigned = await house.side(COSIGNED, own)
        yield PeerToday(
            peer=peer,
            relationship=relationship,
            records=size,
            delivered=delivered,
            waiting_since=waiting[0].at if waiting else None,
            heard=newest[0].at if newest else None,
            cosigned=read_head(cosigned).size if cosigned else 0,
        )


async def _feeds(house: House, actor: Actor | None) -> AsyncIterator[FeedToday]:
    for each in await list_feeds(house, ListFeeds(actor=actor)):
        batches, messages = each.has or (None, None)
        yield FeedToday(
            relationship=each.relationship,
            publisher=each.publisher,
            feed=each.feed,
            release=each.release,
            ours=each.ours,
            state=each.state,
            why=each.why,
            until=each.until,
            posture=each.posture,
            batches=batches,
            messages=messages,
        )
