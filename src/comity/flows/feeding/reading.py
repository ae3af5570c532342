"""Reading a feed that this house gets: who may, what comes, and when it ends (``spec/feed.md`` steps 16 and 17).

A reading first takes from the store what its reader has not had, then what comes. Batches that come wait in bounded
space until he takes them; while he does not, the oldest go, and he is told which.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from comity.agreement.model import Agreement
from comity.errors import ComityError, Misuse, Refused, Unavailable
from comity.feed.batch import Contents, Place, read_frame, unseal
from comity.feed.filters import Filters
from comity.feed.histogram import Histogram
from comity.feed.publication import instant_of, microseconds
from comity.feed.reading import Ended, Event, Message, Reading, Standing, Started, check_filters
from comity.flows.actors import Actor
from comity.flows.deciding.cases import check_reader, outcome_word, record_decision
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.names import Authority, FeedName
from comity.flows.feeding.permission import Known, Permission, Permissions
from comity.flows.feeding.receiving import Arrived, Recipient
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies.feeding import FeedRead
from comity.record.statement import DOMESTIC
from comity.register.rows import AgreementRow
from comity.register.rows.feeding import (
    FeedEpochRow,
    FeedReleaseRow,
    FeedRow,
    feed_epoch_key,
    feed_key,
    feed_release_key,
)

WAITING_MAX = 10_000
"""Most messages that wait for one reader."""
WAITING_BYTES_MAX = 16 * 2**20
"""Most bytes of them; of a longer batch alone, that batch."""
READERS_MAX = 256
"""Most readings at once."""
READINGS_MAX = 16
"""Most readings of one person at once."""
SAY_READ = timedelta(minutes=10)
"""How often it is recorded what somebody was shown while he reads on."""
LOOK_SECONDS = 0.5
"""How often silent sources are looked for while nothing comes."""


class Follow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Read a feed for a purpose.

    Attributes:
        feed: its name.
        purpose: what for; another than it was released for needs consent.
        actor: who reads.
        relationship: under which agreement, where several bring a feed of that name.
        filters: what he asks for.
        after: the number of the last message that he has; None to begin with what comes.
        stale: after how many seconds of silence a source is told of; None for what is usual of it.
    """

    feed: str
    purpose: str
    actor: Actor
    relationship: str = ""
    filters: Filters = Filters()
    after: Annotated[int, Meta(ge=-1, le=2**53)] | None = None
    stale: Annotated[float, Meta(gt=0, le=86_400)] | None = None


class Readers:
    """Whoever reads the feeds that one house gets.

    Attributes:
        open: how many read each feed now.
        counts: of each feed, what its readers were told, by event.
        latency: of each feed, how long after its publication a message was handed to a reader.
    """

    def __init__(self, house: House, feeds: Feeds, authority: Authority) -> None:
        self.house = house
        self.feeds = feeds
        self.authority = authority
        self.open: Counter[FeedName] = Counter()
        self.counts: dict[FeedName, Counter[str]] = {}
        self.latency: dict[FeedName, Histogram] = {}
        self.permissions = Permissions(house)
        self._readings: Counter[str] = Counter()

    async def follow(self, request: Follow) -> AsyncGenerator[list[Event], None]:
        """What a reader gets, some events at a time, until he may not go on; the first is ``Started``.

        That he asks is decided and recorded, whatever is decided.

        Raises:
            Misuse: there is no such feed, or none that he may know of; there are not so many messages; or nothing that
                he sees can be what he asks for.
            Refused: he may not read it; the decision is recorded.
            Unavailable: too many read, or he does too often.
        """
        name, who = await self._named(request), request.actor.handle
        if self.open.total() >= READERS_MAX:
            raise Unavailable(f"{READERS_MAX} read feeds at this node already", code="too-many-readers")
        if self._readings[who] >= READINGS_MAX:
            raise Unavailable(
                f"{who!r} reads feeds at this node {READINGS_MAX} times already; end one", code="too-many-readings"
            )
        session = _Session(self, name, request)
        self.open[name] += 1
        self._readings[who] += 1
        try:
            async with aclosing(session.run()) as told:
                async for events in told:
                    self._count(name, events)
                    await session.note(events)
                    yield events
        finally:
            session.close()
            self.open[name] -= 1
            self._readings -= Counter((who,))  # whoever reads nothing is forgotten
            if not await session.say_read():
                self.counts.setdefault(name, Counter())["not-recorded"] += 1

    def _count(self, name: FeedName, events: list[Event]) -> None:
        counts = self.counts.setdefault(name, Counter())
        latency = self.latency.setdefault(name, Histogram())
        counts.update([str(type(event).__struct_config__.tag) for event in events])
        live = [event.published for event in events if isinstance(event, Message) and event.arrived is not None]
        if live:
            latency.observe_since(microseconds(self.house.clock.now()), [microseconds(each) for each in live])

    async def _named(self, request: Follow) -> FeedName:
        found = [
            each
            for each in await self.feeds.followed()
            if each.feed == request.feed and request.relationship in ("", each.relationship)
        ]
        if len(found) > 1:
            under = ", ".join(each.relationship for each in found)
            raise Misuse(f"{request.feed!r} comes under {under}; name one of them", code="ambiguous-feed")
        if not found:
            raise no_feed(request.feed)
        return found[0]


def no_feed(feed: str) -> Misuse:
    """The one answer about a feed that does not come here, or not for whoever asks."""
    return Misuse(f"no feed {feed!r} comes here", code="unknown-feed")


class _Waiting(Struct, frozen=True):
    """A batch that waits for a reader, and how many bytes its views have."""

    batch: Arrived
    size: int


class _Shown(Struct):
    """What a reader was shown and is not recorded yet: by which decision, from and to which number."""

    basis: bytes
    first: int
    due: datetime
    next: int = 0
    count: int = 0


class _Session:
    """One reading."""

    def __init__(self, readers: Readers, name: FeedName, request: Follow) -> None:
        self._permissions = readers.permissions
        self._house = readers.house
        self._feeds = readers.feeds
        self._authority = readers.authority
        self._name = name
        self._request = request
        self._queue: deque[_Waiting] = deque()
        self._waiting = self._waiting_bytes = 0
        self._left: list[tuple[int, int]] = []
        self._bell = asyncio.Event()
        self._recipient: Recipient | None = None
        self._live = False
        self._index = 0
        self._reading: Reading
        self._permission: Permission
        self._agreement: Agreement
        self._record = b""
        self._reader = ""
        self._standing: Standing | None = None
        self._checked = -1
        self._again: datetime
        self._releases: dict[int, FeedReleaseRow] = {}
        self._shown: _Shown | None = None
        self._house.after_commit.append(self._bell.set)

    def close(self) -> None:
        """No longer be told of anything."""
        self._house.after_commit.remove(self._bell.set)
        if self._live and self._recipient is not None:
            self._recipient.listeners.remove(self._arrived)

    async def run(self) -> AsyncGenerator[list[Event], None]:
        """See ``Readers.follow``."""
        recipient = self._recipient = await self._feeds.recipient(self._name)
        permission = await self._begin()
        filters = self._request.filters
        check_filters(filters, permission.seen(self._agreement, self._house.party, filters.mark))
        start = await self._place(recipient)
        self._reading = Reading(self._request.filters, start, self._request.stale)
        self._admit(permission)
        yield [await self._started(permission, start), *await self._stands()]
        while True:
            batch = await self._next(recipient)
            if self._checked != self._permissions.commits or self._house.now() >= self._again:
                told = await self._check()
                if told:
                    yield told
                    if isinstance(told[-1], Ended):
                        return
            events = await self._events(batch)
            if events:
                yield events

    async def note(self, events: list[Event]) -> None:
        """He is about to be shown these; from time to time it is recorded what he was shown."""
        numbers = [event.number for event in events if isinstance(event, Message)]
        if numbers and self._shown is None:
            self._shown = _Shown(self._record, numbers[0], self._house.now() + SAY_READ)
        if self._shown is not None:
            if numbers:
                self._shown.next, self._shown.count = numbers[-1] + 1, self._shown.count + len(numbers)
            if self._house.now() >= self._shown.due:
                await self.say_read()

    async def say_read(self) -> bool:
        """Record what he was shown since it was recorded last; whether nothing is left to record."""
        shown = self._shown
        if shown is None:
            return True
        name = self._name
        body = FeedRead(
            relationship=name.relationship,
            publisher=name.publisher,
            feed=name.feed,
            reader=self._reader,
            purpose=self._request.purpose,
            first=shown.first,
            next=shown.next,
            messages=shown.count,
            basis=shown.basis,
        )

        async def say(work: Work) -> None:
            await work.say(Draft(DOMESTIC, body))

        try:
            await self._house.sequencer.submit(say)
        except ComityError:  # what he was shown stays noted, and is recorded with what comes
            shown.due = self._house.now() + SAY_READ
            return False
        self._shown = None
        return True

    # ---- whether he may --------------------------------------------------------------------------------------------

    async def _begin(self) -> Permission:
        """Decide and record that he asks.

        Raises:
            Misuse: he may not know of it.
            Refused: he may not read it.
        """
        request = self._request
        person = await self._house.person(request.actor.handle)
        check_reader(person)
        self._reader = self._house.pseudonym(self._name.relationship, person.person)
        permission = await self._decide()
        if not permission.known:
            raise no_feed(request.feed)
        if not permission.named:
            raise Refused(
                f"{request.actor.handle!r} is not among those to whom {request.feed!r} was released; its publisher "
                "names them",
                code="not-recipient",
            )
        if not permission.permits:
            raise Refused(_sentence(permission, request, self._record), code=outcome_word(permission.whole.outcome))
        return permission

    async def _decide(self) -> Permission:
        """Decide on what is recorded, and record it."""

        async def decide(work: Work) -> Permission:
            asks = self._request.actor.handle, self._request.purpose
            known = await self._permissions.work_out(work, self._name.relationship, await self._release(work), *asks)
            permission, self._agreement = known.permission, known.agreement
            self._checked, self._again = known.commits, known.again
            row = await work.need(AgreementRow, self._name.relationship, "agreement")
            records = [(await record_decision(work, row, each.case, each.outcome)).id for each in permission.deciding]
            deciding = [each.permits for each in permission.deciding]
            self._record = records[deciding.index(True) if True in deciding else 0]
            return permission

        self._permission = await self._house.sequencer.submit(decide)
        return self._permission

    async def _release(self, work: Work) -> FeedReleaseRow:
        """The newest release of the feed."""
        name = self._name
        feed = await work.need(FeedRow, feed_key(name.relationship, name.publisher, name.feed)[1], "feed")
        return await work.need(FeedReleaseRow, feed_release_key(name.relationship, feed.release)[1], "release")

    async def _look(self, release: FeedReleaseRow) -> Known:
        asks = self._request.actor.handle, self._request.purpose
        known = await self._permissions.look(self._name.relationship, release, *asks)
        self._agreement = known.agreement
        return known

    async def _check(self) -> list[Event]:
        """What is different now: he is told, and what he sees is cut anew."""
        self._checked = self._permissions.commits
        try:
            known = await self._look(await self._release(self._house.sequencer.look()))
            found, self._again = known.permission, known.again
        except Misuse as error:  # he has left this house
            return [Ended(error.code, error.sentence, self._record.hex())]
        if found.release.release == self._permission.release.release and found.same(self._permission):
            return await self._stands()
        permission = await self._decide()
        if not permission.permits:
            code = outcome_word(permission.whole.outcome) if permission.named else "not-recipient"
            return [Ended(code, _sentence(permission, self._request, self._record), self._record.hex())]
        self._reading.forget()
        self._admit(permission)
        return [await self._started(permission, self._reading.next), *await self._stands()]

    async def _stands(self) -> list[Event]:
        gate = await self._authority.gate(self._name)
        said = Standing(gate.stands, gate.why, gate.posture, gate.since)
        before, self._standing = self._standing, said
        same = before is not None and (before.stands, before.why, before.posture) == (
            said.stands,
            said.why,
            said.posture,
        )
        return [] if same else [said]

    def _admit(self, permission: Permission) -> None:
        seen = permission.seen(self._agreement, self._house.party, self._request.filters.mark)
        self._reading.admit(permission.release.release, seen)

    async def _started(self, permission: Permission, start: int | None) -> Started:
        release, name = permission.release, self._name
        seen = permission.seen(self._agreement, self._house.party, self._request.filters.mark)
        assert self._recipient is not None
        return Started(
            feed=name.feed,
            relationship=name.relationship,
            publisher=name.publisher,
            release=release.release,
            mark=release.label.mark,
            mark_here=release.alternative.mark if release.alternative is not None else "",
            purpose=self._request.purpose,
            until=release.until,
            fields={
                kind: tuple(field for field in each.kind.fields if field in each.fields)
                for kind, each in seen.items()
                if each.fields
            },
            decision_record=self._record.hex(),
            next=self._recipient.first if start is None else start,
        )

    # ---- what comes ------------------------------------------------------------------------------------------------

    async def _place(self, recipient: Recipient) -> int:
        """The number that he wants next, and the batch it is in."""
        after = self._request.after
        if after is None:
            self._index = recipient.size
            return recipient.first
        if after >= recipient.first:
            raise Misuse(
                f"of {self._request.feed!r} there are {recipient.first} messages here, from number 0; none is "
                f"numbered {after}",
                code="unknown-message",
            )
        found = await recipient.shelf.find(after + 1)
        self._index = recipient.size if found is None else found
        return after + 1

    async def _next(self, recipient: Recipient) -> tuple[Place, Contents, datetime | None] | None:
        """The next batch: of the store, then as they come; None where nothing has come for a while."""
        if not self._live and self._index >= recipient.size:
            recipient.listeners.append(self._arrived)  # nothing is awaited in between, so that nothing is missed
            self._live = True
        if not self._live:
            self._index += 1
            return await self._kept(recipient, self._index - 1)
        if not self._queue and not self._left:
            self._bell.clear()
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._bell.wait()
            except TimeoutError:
                pass
        if self._left:
            return None
        first = self._queue[0].batch.opened.place.first if self._queue else recipient.first
        if self._reading.next is not None and first > self._reading.next:
            await self._catch_up(recipient, self._reading.next)
            return None
        if not self._queue:
            return None
        found = self._taken()
        return found.opened.place, found.opened.contents, instant_of(found.at)

    def _taken(self) -> Arrived:
        """The batch that has waited longest, which waits no longer."""
        found = self._queue.popleft()
        self._waiting -= found.batch.opened.place.count
        self._waiting_bytes -= found.size
        return found.batch

    async def _catch_up(self, recipient: Recipient, number: int) -> None:
        """A batch is durable here and was not handed on: the channel was cut between the two. The store has it."""
        recipient.listeners.remove(self._arrived)
        self._live = False
        while self._queue:
            self._taken()
        found = await recipient.shelf.find(number)
        self._index = recipient.size if found is None else found

    async def _kept(self, recipient: Recipient, index: int) -> tuple[Place, Contents, None] | None:
        data = await recipient.shelf.read_frame(index)
        if data is None:
            return None  # the next batch tells of the gap
        frame = read_frame(data)
        key = await self._authority.epoch_key(self._name, frame.place.epoch)
        if key is None:
            raise Unavailable(f"the key of epoch {frame.place.epoch} of {self._name} is not here", code="unknown-epoch")
        return frame.place, unseal(frame, key), None

    def _arrived(self, batch: Arrived) -> None:
        size = sum(map(len, batch.opened.contents.views))
        self._queue.append(_Waiting(batch, size))
        self._waiting += batch.opened.place.count
        self._waiting_bytes += size
        while len(self._queue) > 1 and (self._waiting > WAITING_MAX or self._waiting_bytes > WAITING_BYTES_MAX):
            gone = self._taken().opened.place
            if self._left and sum(self._left[-1]) == gone.first:
                self._left[-1] = (self._left[-1][0], self._left[-1][1] + gone.count)
            else:
                self._left.append((gone.first, gone.count))
        self._bell.set()

    async def _events(self, batch: tuple[Place, Contents, datetime | None] | None) -> list[Event]:
        reading = self._reading
        if batch is None:
            left, self._left = self._left, []
            told = [reading.skip(first, count, "slow") for first, count in left]
            return [*[each for each in told if each is not None], *reading.look(self._house.clock.now())]
        place, contents, arrived = batch
        release = await self._released(place.epoch)
        if not reading.knows(release.release):
            self._admit((await self._look(release)).permission)
        if not self._readable(release):
            skipped = reading.skip(place.first, place.count, "not-permitted")
            return [] if skipped is None else [skipped]
        now = arrived or self._house.clock.now()
        return reading.take(release.release, place, contents, now, live=arrived is not None)

    def _readable(self, release: FeedReleaseRow) -> bool:
        return release.release == self._permission.release.release or self._reading.sees(release.release)

    async def _released(self, epoch: int) -> FeedReleaseRow:
        """The release under which an epoch was sealed."""
        known = self._releases.get(epoch)
        if known is None:
            name = self._name
            key = feed_epoch_key(name.relationship, name.publisher, name.feed, epoch)
            row = await self._house.need(FeedEpochRow, key[1], "epoch")
            named = feed_release_key(name.relationship, row.release)
            known = await self._house.need(FeedReleaseRow, named[1], "release")
            self._releases = {epoch: known}
        return known


def _sentence(permission: Permission, request: Follow, record: bytes) -> str:
    """Why somebody may not read, in a sentence that the decision's reasons complete."""
    who = request.actor.handle
    if not permission.named:
        return f"{who!r} is no longer among those to whom {request.feed!r} was released"
    against = [each for each in permission.whole.outcome.reasons if each.effect in ("needs", "lacks", "forbids")]
    codes = ", ".join(dict.fromkeys(each.code for each in against)) or "no basis"
    why = f"{codes}; 'comity why {record.hex()[:16]}' tells more"
    return f"{who!r} may not read {request.feed!r} for {request.purpose!r}: {why}"
