"""Receiving: batches are opened, checked and made durable, and only then acknowledged (``spec/feed.md`` step 15).

A ``Recipient`` follows one feed of the other party, over one channel after another. Opening goes on while the batches
before are made durable; what is opened meanwhile shares the next commit, and one acknowledgement.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from comity.errors import ComityError, Rejected, Unavailable
from comity.feed.batch import Frame, Opened, is_same, open_batch, read_frame
from comity.feed.delivery import Acknowledged, Have, write_word
from comity.feed.publication import microseconds
from comity.flows.feeding.names import Authority, FeedName, Parties
from comity.flows.feeding.rounds import woken
from comity.flows.feeding.shelf import Shelf, State
from comity.flows.feeding.together import until_one_ends
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.note import TIME_BYTES, Note, cosign
from comity.ledger.tree import Frontier
from comity.ports import Channel, Clock

KEY_SECONDS = 20.0
"""How long a batch waits for the record that brings its key, before the channel is cut."""
FETCH_SECONDS = 1.0
"""How often the publisher is asked for that record meanwhile."""
OPENED_MAX = 64
"""Most batches that are opened and not durable; further ones stay on the way."""


class Arrived(Struct, frozen=True):
    """A batch that is durable here.

    Attributes:
        opened: what it holds.
        at: when it became durable, in microseconds since 1970.
    """

    opened: Opened
    at: int


class _Next(Struct, frozen=True):
    """A batch that is opened and not durable yet, as it came."""

    data: bytes
    opened: Opened


class Recipient:
    """One feed of the other party.

    Args:
        name: which.
        shelf: what is kept of it.
        authority: brings the keys of epochs.
        parties: the keys of both ends.
        clock: for the instants of arrival and acknowledgement.
        fetch: has the publisher asked at once for the records that are missed here.

    Attributes:
        recorded: set whenever something is recorded here, which may be what is waited for.
    """

    def __init__(
        self,
        name: FeedName,
        *,
        shelf: Shelf,
        authority: Authority,
        parties: Parties,
        clock: Clock,
        fetch: Callable[[], None],
    ) -> None:
        self.name = name
        self.shelf = shelf
        self.parties = parties
        self.counts: Counter[str] = Counter()
        self.listeners: list[Callable[[Arrived], None]] = []
        self.recorded = asyncio.Event()
        self._authority = authority
        self._fetch = fetch
        self._clock = clock
        self._state = State(Frontier(), 0)
        self._log = Frontier()
        self._first = 0
        self._keys: dict[int, bytes] = {}
        self._opened: deque[_Next] = deque()
        self._following = asyncio.Lock()
        self._moved = asyncio.Condition()

    async def start(self) -> None:
        """Take up what is on the shelf."""
        state = self._state = await self.shelf.read_state()
        self._log, self._first = state.log, state.first
        self._opened.clear()

    @property
    def size(self) -> int:
        """Batches that are durable here."""
        return self._state.size

    @property
    def first(self) -> int:
        """The number of the next message: so many are durable here."""
        return self._state.first

    async def follow(self, link: Channel) -> None:
        """Take what comes over a channel, until it is cut or something comes that cannot be.

        Raises:
            Unavailable: the channel was cut, the disk failed, or a key has not come.
            Rejected: what came is not the feed's: ``out-of-order``, ``two-histories``, and what ``read_frame`` and
                ``open_batch`` raise. The next channel begins after what is durable.
        """
        async with self._following:
            await self._settle()
            await link.send(write_word(Have(self._state.size, self._state.root)))
            if self._state.size:
                await self._acknowledge(link)  # the acknowledgement before it may have been lost
            try:
                await until_one_ends(self._take(link), self._keep(link))
            except ComityError as error:
                self.counts[f"refused {error.code}"] += 1
                raise

    async def _settle(self) -> None:
        await self.shelf.settle()
        await self.start()

    async def _take(self, link: Channel) -> None:
        while True:
            data = await link.receive()
            frame = read_frame(data)
            if frame.place.first < self._first:
                await self._again(link, data, frame)
                continue
            opened = await self._open(frame)
            self._log, self._first = opened.frontier, self._first + frame.place.count
            self._opened.append(_Next(data, opened))
            async with self._moved:
                self._moved.notify_all()
                await self._moved.wait_for(lambda: len(self._opened) < OPENED_MAX)

    async def _open(self, frame: Frame) -> Opened:
        place = frame.place
        if place.first > self._first:
            raise Rejected(
                f"a batch that begins with message {place.first} of {self.name}, and {self._first} is the next",
                code="out-of-order",
            )
        key = await self._key(place.epoch)
        try:
            return open_batch(frame, self.name.origin, key, self._log, self.parties.peer_log_keys(self.name))
        except Rejected as error:
            if error.code == "two-histories":
                await self._keep_evidence(frame)
            raise

    async def _key(self, epoch: int) -> bytes:
        known = self._keys.get(epoch)
        if known is not None:
            return known
        time = asyncio.get_running_loop().time
        until = time() + KEY_SECONDS
        while time() < until:
            self.recorded.clear()
            found = await self._authority.epoch_key(self.name, epoch)
            if found is not None:
                self._keys = {epoch: found}
                return found
            self._fetch()
            await woken(self.recorded, min(FETCH_SECONDS, until - time()))
        raise Unavailable(f"the key of epoch {epoch} of {self.name} has not come", code="unknown-epoch")

    async def _again(self, link: Channel, data: bytes, frame: Frame) -> None:
        """A batch that was taken before: it is acknowledged again, if it is the same."""
        self.counts["repeated"] += 1
        if any(each.data == data for each in self._opened):
            return  # its acknowledgement is under way
        index = await self.shelf.find(frame.place.first)
        kept = None if index is None else await self.shelf.read_frame(index)
        if kept is None or not (kept == data or is_same(read_frame(kept), frame)):
            open_checkpoint(frame.note, self.name.origin, self.parties.peer_log_keys(self.name))  # else nobody did
            await self._keep_evidence(frame)
            raise Rejected(
                f"a batch that begins with message {frame.place.first} of {self.name} is not the one kept here",
                code="two-histories",
            )
        await self._acknowledge(link)

    async def _keep_evidence(self, frame: Frame) -> None:
        shown = [self._state.cosigned, frame.note, frame.salt]
        if self._state.cosigned and await self.shelf.keep_evidence(shown):
            await self._authority.contradicted(self.name, shown, self.shelf)
        self.counts["two histories"] += 1

    async def _keep(self, link: Channel) -> None:
        """Make what is opened durable, acknowledge it, and hand it on."""
        while True:
            async with self._moved:
                await self._moved.wait_for(lambda: bool(self._opened))
            group = list(self._opened)
            last = group[-1].opened
            state, puts = self._state, []
            for each in group:
                puts += self.shelf.batch(each.data, each.opened.tiles, each.opened.frontier)
            note = self._cosigned(last)
            after = replace(
                state,
                log=last.frontier,
                first=last.place.first + last.place.count,
                acknowledged=last.frontier.size,
                cosigned=note,
            )
            await self.shelf.commit([*puts, self.shelf.state(after)])
            self._state = after
            for _ in group:
                self._opened.popleft()
            async with self._moved:
                self._moved.notify_all()
            at = microseconds(self._clock.now())
            for each in group:
                self.counts["messages"] += each.opened.place.count
                self.counts["batches"] += 1
                for listener in self.listeners:
                    listener(Arrived(each.opened, at))
            await self._acknowledge(link)

    def _cosigned(self, opened: Opened) -> bytes:
        """Its checkpoint with our cosignature; it leaves only after the commit that it is kept with."""
        note, now = opened.checkpoint.note, int(self._clock.now().timestamp())
        if self._state.cosigned:  # over more of the log never at an earlier time, whatever the clock does
            last = Note.parse(self._state.cosigned).signatures[-1]
            now = max(now, int.from_bytes(last.blob[:TIME_BYTES], "big"))
        signature = cosign(note.text, self.parties.own_witness_name, self.parties.witness, now)
        return Note(note.text, (*note.signatures, signature)).encode()

    async def _acknowledge(self, link: Channel) -> None:
        line = Note.parse(self._state.cosigned).signatures[-1].line
        await link.send(write_word(Acknowledged(self._state.size, line)))
