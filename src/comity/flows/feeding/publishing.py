"""Publishing: messages are taken, cut, sealed, logged and made durable, and only then acknowledged (steps 2 to 15).

One ``Publisher`` runs each feed. Its work goes in rounds, and each round is one commit::

    ask the gate → let go of what is too old → take what is due from what waits, then what has just come
    → seal it as a batch, put the rest to wait → make it all durable → answer whoever published → hand to the channel

A round begins as soon as the one before it is durable and there is something to do; a few messages wait two
milliseconds for more, so that batches grow with the load. Full batches do not wait: they are sealed while the ones
before are made durable, and share the next commit.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence

from msgspec.structs import replace

from comity.errors import ComityError, InternalError, Unavailable, invariant
from comity.feed.batch import EPOCH_BATCHES_MAX, MESSAGES_MAX, Closed, Why
from comity.feed.delivery import BATCHES_UNDER_WAY_MAX, BYTES_UNDER_WAY_MAX
from comity.feed.gate import Gate
from comity.feed.histogram import Histogram
from comity.feed.publication import Cut, Entry, Publication, microseconds
from comity.feed.schema import Refused
from comity.flows.feeding.names import Authority, FeedName, Parties
from comity.flows.feeding.requests import SENTENCES, Call, Published
from comity.flows.feeding.rounds import Round, UnderWay, Write, woken
from comity.flows.feeding.sessions import Sessions
from comity.flows.feeding.shelf import Shelf, State
from comity.flows.feeding.waiting import HELD_BYTES_MAX, HELD_SECONDS_MAX, Dropping, Waiting
from comity.ledger.tree import Frontier
from comity.ports import Clock, Entropy, Put

LINGER_SECONDS = 0.002
"""How long a few messages wait for more (13)."""
EPOCH_SECONDS = 3600
"""How long a key is used (12)."""
CLOCK_BACK = 1_000_000
"""How many microseconds the clock may go back and be waited for (10)."""
PENDING_MAX = 16_000
"""Most messages that are taken and not durable; whoever publishes waits before there are more."""
HOLD_MAX = 8_000
"""Most messages that are put to wait in one round."""
LOOK_SECONDS = 1.0
"""How often the gate is looked at while something waits and nothing else happens."""
WRITING_MAX = 4
"""Most full batches that are sealed while the ones before are made durable."""
RETRY_SECONDS = 0.5


class Publisher:
    """One feed of ours.

    Args:
        name: which.
        shelf: what is kept of it.
        authority: what the control plane says.
        parties: the keys of both ends.
        clock: for the instant of each message.
        entropy: for seeds and salts.
        held_bytes_max: how much may wait on disk.
    """

    def __init__(
        self,
        name: FeedName,
        *,
        shelf: Shelf,
        authority: Authority,
        parties: Parties,
        clock: Clock,
        entropy: Entropy,
        held_bytes_max: int = HELD_BYTES_MAX,
    ) -> None:
        self.name = name
        self.shelf = shelf
        self.parties = parties
        self.counts: Counter[str] = Counter()
        self.durable = Histogram()
        self.under_way: dict[int, UnderWay] = {}
        self.stopped: ComityError | None = None
        self._authority = authority
        self._clock = clock
        self._entropy = entropy
        self._held_bytes_max = held_bytes_max
        self._state = self._ahead = State(Frontier(), 0)
        self._gate: Gate | None = None
        self._released = self._schema_kept = ""
        self._publication: Publication
        self._waiting = Waiting(shelf)
        self._sessions = Sessions(shelf)
        self._pending: deque[tuple[Entry, Call, int]] = deque()
        self._under_way_bytes = 0
        self._pending_since = 0.0
        self._active: dict[str, Call] = {}
        self._calls: set[Call] = set()
        self._saved = 0
        self._writing: deque[Write] = deque()
        self._writer: asyncio.Task[None] | None = None
        self._broken: ComityError | None = None
        self._last = self._began = 0
        self._turning = False
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._grown = asyncio.Condition()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    async def start(self) -> None:
        """Take up what is on the shelf, and begin; unless it was found that the peer has something else."""
        stopped = await self.shelf.read_stopped()
        self.stopped = None if stopped is None else Unavailable(stopped[1], code=stopped[0])
        await self._open()
        self._task = asyncio.create_task(self._run(), name=f"feed {self.name.origin}")

    async def close(self) -> None:
        """Finish the round under way, and stop; whoever still waits is told that nothing is known."""
        self._closing = True
        self._wake.set()
        self._room.set()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)
        self._fail(Unavailable("the node stops; publish again what was not acknowledged", code="stopping"))

    # ---- whoever publishes -----------------------------------------------------------------------------------------

    async def publish(self, messages: Sequence[bytes], source: str = "", request: int = 0) -> Published:
        """Take messages, each by itself; what is taken is durable on return.

        Args:
            messages: each a JSON object.
            source: who publishes, where the request is numbered; then one that is repeated is taken once.
            request: its number, growing with each request of the source.

        Raises:
            Unavailable: nothing is known of those that were not acknowledged; publish them again.
            Misuse: a numbered request that is older than the newest of its source, or a source with too long a name.
        """
        if self._halted is not None:
            raise self._halted
        while source in self._active:  # it asks again before it was answered
            await asyncio.wait([self._active[source].done])
            self._active.pop(source, None)
        call = Call(source, request, await self._sessions.skip(source, request, len(messages)))
        if source:
            self._active[source] = call
        self._calls.add(call)
        try:
            await self._take(call, messages)
            await call.done
        finally:
            self._calls.discard(call)
            if self._active.get(source) is call:
                call.fail(Unavailable("the request was given up", code="given-up"))
                del self._active[source]
        return call.published()

    async def _take(self, call: Call, messages: Sequence[bytes]) -> None:
        """Read the messages of a request, as fast as there is room for them.

        What does not cross is answered here and comes no further: it begins no batch and fills none (9).
        """
        for start in range(call.skipped, len(messages), MESSAGES_MAX):
            gate = await self._holding(call)
            while len(self._pending) >= PENDING_MAX and self._halted is None:
                self._room.clear()
                await self._room.wait()
                gate = await self._holding(call)
            if self._halted is not None:
                raise self._halted
            if call.done.done():
                return
            at, part = self._now(), messages[start : start + MESSAGES_MAX]
            read, crossing, pending = self._publication.read, self._publication.crossing, self._pending
            had = len(pending)
            for place, raw in enumerate(part, start):
                found = read(raw, at)
                if isinstance(found, Refused):
                    self._refuse(call, place, found.code, found.sentence)
                elif found.type not in crossing:
                    self._refuse_type(call, place, gate)
                else:
                    pending.append((found, call, place))
            call.read += len(part)
            added = len(pending) - had
            call.settle(len(part) - added)
            if added:
                if not had:
                    self._pending_since = asyncio.get_running_loop().time()
                if not had or len(pending) >= MESSAGES_MAX:
                    self._wake.set()
            if start + MESSAGES_MAX < len(messages):
                await asyncio.sleep(0)
        call.whole = True
        call.settle(0)

    @property
    def _halted(self) -> ComityError | None:
        if self._closing:
            return Unavailable("the node stops; publish again what was not acknowledged", code="stopping")
        return self.stopped

    def _refuse(self, call: Call, place: int, code: str, sentence: str) -> None:
        self.counts[f"refused {code}"] += 1
        call.refuse(place, code, sentence)

    def _refuse_type(self, call: Call, place: int, gate: Gate) -> None:
        """A message whose like does not cross now."""
        code = "not-released" if gate.stands else gate.why
        self._refuse(call, place, code, SENTENCES.get(code, "the feed does not stand now"))

    # ---- the channel -----------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Batches in the log, durably."""
        return self._state.size

    @property
    def acknowledged(self) -> int:
        """Batches that the recipient has durably, as it said."""
        return self._state.acknowledged

    @property
    def cosigned(self) -> bytes:
        """The newest checkpoint with the recipient's cosignature; empty before the first."""
        return self._state.cosigned

    @property
    def held(self) -> int:
        """Messages that wait."""
        return self._waiting.count

    async def wait_for(self, size: int) -> None:
        """Wait until the log has more than ``size`` batches."""
        async with self._grown:
            await self._grown.wait_for(lambda: self._state.size > size)

    def acknowledge(self, size: int, cosigned: bytes) -> None:
        """The recipient has so many batches durably: its cosignature was verified."""
        if size <= self._state.acknowledged:
            return
        now = microseconds(self._clock.now())
        for index in range(self._state.acknowledged, size):
            done = self.under_way.pop(index, None)
            if done is not None:
                self._under_way_bytes -= len(done.frame)
                self.durable.observe_since(now, done.ats)
        self._state = replace(self._state, acknowledged=size, cosigned=cosigned)
        self._wake.set()

    async def disown(self, error: ComityError) -> None:
        """Publish nothing more, not after a restart either: what is on the shelf is not what the peer has (15)."""
        self._stop(Unavailable(error.sentence, code=error.code))
        await self.shelf.commit([self.shelf.stopped(error.code, error.sentence)])

    async def resume(self) -> None:
        """The peer has what is on the shelf, after all: go on where that was doubted."""
        if isinstance(self.stopped, Unavailable) and not self._closing:
            if self._task is not None:
                await asyncio.gather(self._task, return_exceptions=True)
            await self.shelf.commit([self.shelf.stopped("", "")])
            await self.start()

    def _stop(self, error: ComityError) -> None:
        self.stopped = error
        self._fail(error)
        self._wake.set()

    # ---- rounds ----------------------------------------------------------------------------------------------------

    async def _open(self) -> None:
        state = self._state = self._ahead = await self.shelf.read_state()
        self._saved = state.acknowledged
        self._publication = Publication(self.name.origin, state.log, state.first, state.dropped)
        self._gate, self._schema_kept = None, ""
        await self._waiting.load(state.heads)
        self._waiting.go_back(self._now())
        self.under_way.clear()
        self._under_way_bytes = 0
        self._broken = None
        self._writing.clear()
        for index in range(state.acknowledged, state.size):
            frame = await self.shelf.read_frame(index)
            invariant(frame is not None, "a batch that is not acknowledged is kept")
            self._send(index, UnderWay(frame or b""))

    def _send(self, index: int, batch: UnderWay) -> None:
        self.under_way[index] = batch
        self._under_way_bytes += len(batch.frame)

    def _now(self) -> int:
        now = microseconds(self._clock.now())
        if now < self._last - CLOCK_BACK:
            self._go_back(now)
        self._last = max(self._last, now)
        return self._last

    def _go_back(self, now: int) -> None:
        """The clock was ahead and is no longer: what is stamped with an instant to come was published now (10)."""
        self.counts["clock went back"] += 1
        self._last = now
        self._pending = deque(
            (entry if entry.at <= now else replace(entry, at=now), call, place) for entry, call, place in self._pending
        )
        self._waiting.go_back(now)

    async def _holding(self, call: Call) -> Gate:
        """What holds now, once it is adopted: what came before it was heard of is sealed first (2, 6)."""
        while True:
            gate = await self._authority.gate(self.name)
            if self._gate is None:
                self._adopt(gate)
            elif not (gate.is_as(self._gate) or self._halted is not None or call.done.done()):
                self._turning = True
                self._room.clear()
                self._wake.set()
                await self._room.wait()
                continue
            return gate

    def _adopt(self, gate: Gate) -> None:
        self._gate = gate
        before = self._publication.schema
        self._publication.pass_through(gate)
        if before is not None and gate.schema is not None and before.digest != gate.schema.digest:
            self._read_again()

    def _read_again(self) -> None:
        """The schema is another one: what has come since it holds, and before it was heard of, is read by it."""
        pending, self._pending = self._pending, deque()
        for entry, call, place in pending:
            read = self._publication.read(entry.raw, entry.at)
            if isinstance(read, Refused):
                self._refuse(call, place, read.code, read.sentence)
                call.settle(1)
            else:
                self._pending.append((read, call, place))

    async def _run(self) -> None:
        try:
            await self._rounds()
        except Exception as defect:
            self._stop(InternalError(f"publishing {self.name} failed, and stops: {defect!r}"))
            raise

    async def _rounds(self) -> None:
        while not (self._closing or self.stopped):
            try:
                await self._wait()
                if self._broken is not None:
                    raise self._broken
                if self._pending or self._waiting or self._unsaved or self._turning:
                    await self._round()
            except InternalError:
                raise
            except ComityError as error:
                self.counts["failed rounds"] += 1
                await self._recover(error)
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)

    async def _recover(self, error: ComityError) -> None:
        """Tell everybody that nothing is known, find out what is durable, and go on from there."""
        if self._writer is not None:
            await asyncio.gather(self._writer, return_exceptions=True)
        self._fail(error)
        while not self._closing:
            try:
                await self.shelf.settle()
                await self._open()
            except ComityError:
                await asyncio.sleep(RETRY_SECONDS)
            else:
                break
        self._room.set()

    def _fail(self, error: Exception) -> None:
        for call in self._calls:
            call.fail(error)
        self._pending.clear()
        self._room.set()

    async def _wait(self) -> None:
        """Until a round is to be made: something is there to do, and what is before it durable, or it fills a batch."""
        while not (self._closing or self.stopped or self._broken is not None):
            idle = not self._writing
            if self._turning and idle and not self._pending:
                return
            if self._pending and idle and not self._closing:
                left = self._pending_since + LINGER_SECONDS - asyncio.get_running_loop().time()
                if left > 0 and len(self._pending) < MESSAGES_MAX:
                    await asyncio.sleep(left)
                return
            if len(self._pending) >= MESSAGES_MAX and len(self._writing) < WRITING_MAX and not self._waiting:
                return
            if idle and self._sendable():
                return
            self._wake.clear()
            if not await woken(self._wake, self._pause()) and idle:
                return

    @property
    def _unsaved(self) -> bool:
        """Whether acknowledgements have come that are not on the shelf; they wait for the next commit, or a second."""
        return self._state.acknowledged > self._saved

    def _pause(self) -> float | None:
        """How long at most nothing happens by itself; None where nothing waits."""
        if not self._waiting:
            return LOOK_SECONDS if self._unsaved else None
        now = self._now()
        times = [at - now for at, _ in self._waiting.due(2**63, self._publication.delay) if at > now]
        return min([LOOK_SECONDS, *[each / 1_000_000 for each in times]])

    def _sendable(self) -> bool:
        return self._has_room() and bool(self._waiting.due(self._now(), self._publication.delay))

    def _has_room(self) -> bool:
        return len(self.under_way) < BATCHES_UNDER_WAY_MAX and self._under_way_bytes < BYTES_UNDER_WAY_MAX

    async def _round(self) -> None:
        self._turning = False
        gate = await self._authority.gate(self.name)
        if self._gate is None:
            self._adopt(gate)
        changed = None if self._gate is not None and gate.is_as(self._gate) else gate
        now = self._now()
        if changed and self._gate and changed.released != self._gate.released and self._key_is_old(now):
            self._adopt(changed)  # for the release before no key is made any more: what came goes under this one
            changed = None
        if (newest := await self._begin_epoch(now)) is not None:
            changed = None if self._gate is not None and newest.is_as(self._gate) else newest
        until = now if changed is None else min(now, microseconds(changed.since) - 1)
        made = Round()
        if not self._writing:
            made.puts += await self._sessions.forget(now, self._active)
        self._let_go(made, "ended", self._waiting.keep_only(self._publication.crossing))
        self._let_go(made, "space", self._waiting.drop(lambda name: self._oldest(name, now), self._held_bytes_max))
        if self._has_room():
            await self._take_waiting(made, until)
        left = self._take_pending(made, until)
        if changed is not None and not left and not made.full:
            await self._seal(made, changed.changed)
            self._adopt(changed)
        else:
            await self._seal(made, "full" if made.full else "time")
        self._room.set()  # whoever waits for what holds now looks again

    def _oldest(self, name: str, now: int) -> int:
        return now - (self._publication.delay(name) or 0) - HELD_SECONDS_MAX * 1_000_000

    def _let_go(self, made: Round, why: Why, gone: tuple[list[Put], list[Dropping]]) -> None:
        """Say of what no longer waits that it did not cross, and why."""
        puts, told = gone
        made.puts += puts
        for each in told:
            self.counts[f"dropped {why}"] += each.count
            self._publication.drop(each.type, why, each.first, each.count, each.last)

    async def _take_waiting(self, made: Round, until: int) -> None:
        """Take what is due, in the order in which it became so, as far as a batch holds it."""
        while not made.full:
            due = self._waiting.due(until, self._publication.delay)
            if not due:
                return
            _, name = min(due)
            at, raw = await self._waiting.first(name)
            made.puts += self._waiting.take(name)
            read = self._publication.read(raw, at)
            if isinstance(read, Refused):  # it was taken under another schema, whose release is over
                self.counts["dropped ended"] += 1
                self._publication.drop(name, "ended", at)
                continue
            if isinstance(found := self._publication.admit(read), Cut):
                made.cuts.append(found)
                made.bytes += len(found.view)
            else:
                self.counts[f"refused {found}"] += 1
                self._publication.lose(read, found)

    def _take_pending(self, made: Round, until: int) -> bool:
        """Take what has come; whether there is more of it that came before ``until``."""
        publication, pending, waiting = self._publication, self._pending, self._waiting
        gate, room = self._gate, self._has_room()
        assert gate is not None  # adopted by now
        keyed = gate.released == self._released and not self._key_is_old(self._now())
        holding = {name for name, _ in waiting.types()}
        while pending:
            entry, call, place = pending[0]
            if entry.at > until:
                return False
            if made.full or len(made.hold) >= HOLD_MAX:
                return True
            if not keyed and publication.due(entry) is not None:  # it came since: the next round has a key for it
                return True
            pending.popleft()
            made.settled[call] += 1
            call.taken = place + 1  # those between that are not here were refused when they were read
            due = publication.due(entry)
            if due is None:
                self._refuse_type(call, place, gate)
            elif not room or due > until or entry.type in holding:
                holding.add(entry.type)
                made.hold.append(entry)
            else:
                found = publication.admit(entry)
                if isinstance(found, Cut):
                    made.cuts.append(found)
                    made.bytes += len(found.view)
                else:
                    self._refuse(call, place, found, SENTENCES[found])
        return False

    async def _seal(self, made: Round, closed: Closed) -> None:
        """Seal what crosses, and have everything made durable."""
        sealed, before = None, self._ahead
        if made.cuts:
            sealed = self._publication.seal(
                made.cuts,
                closed,
                seed=self._entropy(32),
                hidden_seed=self._entropy(32),
                salt=self._entropy(32),
                signer=self.parties.log,
            )
            sealed.adopt()
        puts = made.puts + self._waiting.hold(made.hold)
        after = replace(before, heads=self._waiting.heads, dropped=self._publication.dropped)
        if sealed is not None:
            puts += self.shelf.batch(sealed.frame, sealed.tiles, sealed.log)
            puts.append(self.shelf.originals(before.size, sealed.originals))
            if sealed.originals.schema != self._schema_kept and self._publication.schema is not None:
                puts.append(self.shelf.schema(self._publication.schema))
                self._schema_kept = sealed.originals.schema
            after = replace(after, log=sealed.log, first=self._publication.first)
            self._send(before.size, UnderWay(sealed.frame, made.ats, self.parties.log.public))
        puts += [self._sessions.keep(call, self._last) for call in made.settled if call.source]
        self._ahead = after
        self._writing.append(Write(puts, after, made.settled, len(made.cuts)))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name=f"write {self.name.origin}")

    async def _write(self) -> None:
        """Make what is sealed durable, as much as there is in one commit, and say so."""
        while self._writing and self._broken is None:
            group = list(self._writing)
            puts = [put for write in group for put in write.puts]
            if puts or self._unsaved:
                now = self._state
                after = replace(group[-1].state, acknowledged=now.acknowledged, cosigned=now.cosigned)
                try:
                    await self.shelf.commit([*puts, self.shelf.state(after)])
                except ComityError as error:
                    self._broken = error
                    break
                self._saved = after.acknowledged
                now = self._state  # acknowledgements may have come meanwhile
                self._state = replace(after, acknowledged=now.acknowledged, cosigned=now.cosigned)
            for write in group:
                self._writing.popleft()
                self.counts["crossed"] += write.crossed
                self.counts["batches"] += write.crossed > 0
                for call, settled in write.settled.items():
                    call.settle(settled)
            async with self._grown:
                self._grown.notify_all()
            self._room.set()
            self._wake.set()
        self._wake.set()

    async def _begin_epoch(self, now: int) -> Gate | None:
        """Have a key before it is decided what crosses; if one was made, the gate that there is since (12)."""
        newest: Gate | None = None
        while self._gate is not None and self._may_cross(now):
            if self._gate.released == self._released and not self._key_is_old(now):
                break
            epoch = await self._authority.next_epoch(self.name, self._publication.first)
            newest = await self._authority.gate(self.name)
            if newest.released == self._gate.released:
                self._publication.begin(epoch)
                self._released, self._began = newest.released, now
            else:
                self._adopt(newest)
        return newest

    def _may_cross(self, until: int) -> bool:
        """Whether anything that has come, or waits, may be in the next batch."""
        come = any(entry.at <= until and self._publication.due(entry) is not None for entry, _, _ in self._pending)
        return come or bool(self._waiting.due(until, self._publication.delay))

    def _key_is_old(self, now: int) -> bool:
        """Whether the next batch needs a fresh key whatever holds: there is none, or it has had its time."""
        if self._publication.epoch is None or self._publication.batch >= EPOCH_BATCHES_MAX:
            return True
        return not 0 <= now - self._began < EPOCH_SECONDS * 1_000_000
