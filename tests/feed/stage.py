"""A publisher and a recipient on disks that fail as told, and a line between them that does, too."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
from msgspec.structs import replace

from comity.errors import ComityError, Unavailable
from comity.feed.batch import Closed
from comity.feed.gate import Epoch, Gate
from comity.feed.release import Posture
from comity.flows.feeding.delivering import Delivery
from comity.flows.feeding.names import FeedName, Parties
from comity.flows.feeding.publishing import Publisher
from comity.flows.feeding.receiving import Arrived, Recipient
from comity.flows.feeding.shelf import Shelf
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import Crashed, MemoryDisk
from courier.keys import Key
from feed.examples import release, schema

NAME = FeedName("jp-kr-2016/jp.kr", "jp", "air-picture")
NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
KEYS = {f"{party} {use}": Key(f"{party} {use}") for party in ("jp", "kr") for use in ("log", "witness")}


def parties(own: str, peer: str) -> Parties:
    return Parties(
        log=KEYS[f"{own} log"],
        witness=KEYS[f"{own} witness"],
        own=own,
        peer_log=KEYS[f"{peer} log"].public,
        peer_witness=KEYS[f"{peer} witness"].public,
        peer=peer,
    )


class Clock:
    """Moves on by itself, a microsecond at a look, and as far as it is told."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        self.at += timedelta(microseconds=1)
        return self.at

    def pass_by(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Ruler:
    """The control plane, as a test has it: one release, whatever posture, epochs that both sides know at once."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.epochs: list[Epoch] = []
        self.held_back = 0
        self.now = Gate(
            stands=True, why="", since=NOW, changed="release", schema=schema(), release=release(), posture="crisis"
        )

    async def gate(self, name: FeedName) -> Gate:
        assert name == NAME
        return self.now

    async def next_epoch(self, name: FeedName, first: int) -> Epoch:
        assert first >= 0
        number = len(self.epochs) + 1
        self.epochs.append(Epoch(number, sha256(b"%d" % number).digest(), self.clock.now()))
        return self.epochs[-1]

    async def epoch_key(self, name: FeedName, epoch: int) -> bytes | None:
        known = [each.key for each in self.epochs[: len(self.epochs) - self.held_back] if each.number == epoch]
        return known[0] if known else None

    async def contradicted(self, name: FeedName, words: Sequence[bytes], shelf: Shelf) -> None:
        assert words == (await shelf.read_evidence())[-1]

    def declare(self, posture: Posture) -> None:
        self.now = replace(self.now, posture=posture, since=self.clock.now(), changed="posture")

    def end(self, why: str = "release-ended", changed: Closed = "release") -> None:
        self.now = replace(self.now, stands=False, why=why, since=self.clock.now(), changed=changed)


class End:
    """One end of a line."""

    def __init__(self, line: Line, other: bool) -> None:
        self.inbox: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=8)
        self.line = line
        self.other = other

    async def send(self, data: bytes) -> None:
        for each in self.line.weather(self.other, data):
            await self.line.put(self.line.ends[not self.other], each)

    async def receive(self) -> bytes:
        if self.line.is_cut and self.inbox.empty():
            raise Unavailable("the line is cut", code="cut")
        found = await self.inbox.get()
        if found is None:
            raise Unavailable("the line is cut", code="cut")
        return found


Weather = Callable[[bool, bytes], list[bytes]]


class Line:
    """Two ends; ``weather`` says what arrives of each thing sent."""

    def __init__(self, weather: Weather = lambda _other, data: [data]) -> None:
        self.weather = weather
        self.is_cut = False
        self.ends = (End(self, False), End(self, True))

    async def put(self, end: End, data: bytes) -> None:
        if self.is_cut:
            raise Unavailable("the line is cut", code="cut")
        await end.inbox.put(data)

    def cut(self) -> None:
        self.is_cut = True
        for end in self.ends:
            with suppress(asyncio.QueueFull):
                end.inbox.put_nowait(None)
            if end.inbox.full():
                end.inbox.get_nowait()
                end.inbox.put_nowait(None)


class Stage:
    """Both parties."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.ruler = Ruler(self.clock)
        self.disks = MemoryDisk(), MemoryDisk()
        self.chance = random.Random(1)
        self.arrived: list[Arrived] = []
        self.entropy: Callable[[int], bytes] = self.chance.randbytes
        self.held_bytes_max = 2**30
        self.fetched = 0
        self.errors: list[ComityError] = []

    def _fetch(self) -> None:
        self.fetched += 1

    def shelf(self, place: int) -> Shelf:
        return Shelf(MemoryStore(self.disks[place]), NAME.origin, bytes(31) + bytes([place]), self.chance.randbytes)

    @asynccontextmanager
    async def publisher(self) -> AsyncIterator[Publisher]:
        made = Publisher(
            NAME,
            shelf=self.shelf(0),
            authority=self.ruler,
            parties=parties("jp", "kr"),
            clock=self.clock,
            entropy=self.entropy,
            held_bytes_max=self.held_bytes_max,
        )
        await made.start()
        try:
            yield made
        finally:
            with suppress(Crashed):
                await made.close()

    async def recipient(self) -> Recipient:
        made = Recipient(
            NAME,
            shelf=self.shelf(1),
            authority=self.ruler,
            parties=parties("kr", "jp"),
            clock=self.clock,
            fetch=self._fetch,
        )
        made.listeners.append(self.arrived.append)
        await made.start()
        return made

    @asynccontextmanager
    async def connected(self, publisher: Publisher, recipient: Recipient, line: Line) -> AsyncIterator[None]:
        """Both ends talk, until the context ends."""
        tasks = [
            asyncio.create_task(Delivery(publisher, line.ends[0]).run()),
            asyncio.create_task(recipient.follow(line.ends[1])),
        ]
        for task in tasks:
            task.add_done_callback(lambda _: line.cut())
        try:
            yield
        finally:
            line.cut()
            for task in tasks:
                task.cancel()
            for outcome in await asyncio.gather(*tasks, return_exceptions=True):
                if isinstance(outcome, ComityError):
                    self.errors.append(outcome)
                elif isinstance(outcome, Exception):
                    raise outcome

    @property
    def views(self) -> list[dict[str, object]]:
        """Everything that arrived, in order."""
        return [msgspec.json.decode(view) for each in self.arrived for view in each.opened.contents.views]


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.001)


def track(number: int, **fields: object) -> bytes:
    """A message of the spec's schema."""
    message = {
        "type": "track",
        "track": f"T-{number}",
        "observed": "2026-11-20T01:00:00Z",
        "latitude": 38.0,
        "longitude": 131.0,
        "height": 1000.5,
        "sensor": f"s-{number % 3}",
        "method": "multistatic",
        "quality": 7,
    }
    return msgspec.json.encode(message | fields)
