"""A house with its disk, its keys and its clock: it can die at any moment and be opened again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from comity.errors import Unavailable
from comity.flows.exchanging.roads import Reach, no_reach
from comity.flows.feeding.books import Books
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.reading import Readers
from comity.flows.following import follow
from comity.flows.house import House
from comity.stores.files import LocalFiles
from comity.stores.keys import KeyFolder
from comity.stores.memory import MemoryBlobs, MemoryErasedKeys, MemoryHighWaterMark, MemoryRestoration
from comity.stores.memory_disk import Crashed, Fault, WritePoint
from comity.timezones import time_zones
from world import SeededEntropy

from .clock import ErringClock, WorldTime
from .disk import DoubleDisk, SlowStore
from .feed_witness import WatchedGates
from .loop import Life
from .weather import CALM, Weather
from .witness import Witness


class Node:
    """One party. What survives a crash is the disk, the keys, and what other people remember.

    Attributes:
        house: None while it is down.
        gates, feeds, readers, books: what it does with feeds, as long as it is up.
        full: the disk takes no more writes.
        down_until: the step before which nobody starts it again.
        reach: the way to the peer, for a house that was brought back.
    """

    def __init__(self, party: str, folder: Path, random: Random, time: WorldTime, witness: Witness) -> None:
        self.party = party
        self.folder = folder / party
        self.clock = ErringClock(time)
        self.disk, self.feed_disk = DoubleDisk(self._fault), DoubleDisk(self._fault)
        self.disk.other, self.feed_disk.other = self.feed_disk, self.disk
        self.disk.tear = self.feed_disk.tear = self._torn
        self.weather: Weather = CALM
        self.house: House | None = None
        self.gates: WatchedGates
        self.feeds: Feeds
        self.readers: Readers
        self.books: Books
        self.full = False
        self.down_until = 0
        self.reach: Reach = no_reach
        self._random = random
        self.witness = witness
        self._entropy = SeededEntropy(f"{random.random()} {party}")
        self._died = 0
        self._life = Life()
        self._acts: dict[asyncio.Task[None], None] = {}
        self._habits: dict[asyncio.Task[None], None] = {}
        self.folder.mkdir(mode=0o700, parents=True)
        self.keys = KeyFolder.create(self.folder, self._entropy)

    async def open(self) -> bool:
        """Start a house on what the last one left; False when its disk does not let it."""
        opened = await self._life.bear(self._open())
        if not opened:
            await self._end()
        return opened

    async def _open(self) -> bool:
        self._died = self.disk.crashes
        house = House(
            self.party,
            store=SlowStore(self.disk, self._turns, self.witness.written_by(self.party)),
            blobs=MemoryBlobs(self.disk),
            mark=MemoryHighWaterMark(self.disk),
            erased=MemoryErasedKeys(self.disk),
            clock=self.clock,
            entropy=self._draw,
            keys=KeyFolder(self.folder, self._entropy),
            files=LocalFiles(self.folder / "scratch"),
            zones=time_zones(),
            follow=follow,
            restoration=MemoryRestoration(self.disk),
        )
        try:
            await house.start()
        except (Unavailable, Crashed):
            with suppress(Unavailable, Crashed):
                await house.close()
            self._died = self.disk.crashes
            return False
        store = SlowStore(self.feed_disk, self._turns, self.witness.kept_by(self.party))
        self.gates = WatchedGates(house, self, self.witness.feeds)
        self.feeds = Feeds(house, store, self.gates)
        self.readers, self.books = Readers(house, self.feeds, self.gates), Books(house, self.feeds)
        self.keep(self.books.run())
        house.reach = self.reach
        self.house = house
        return True

    def run(self, act: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that dies with the house."""
        return _listed(self._acts, self._life.bear(act))

    def keep(self, act: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """The same, for what goes on and on."""
        return _listed(self._habits, self._life.bear(act))

    @property
    def busy(self) -> bool:
        """Somebody waits for an answer."""
        return bool(self._acts)

    async def calm_down(self) -> None:
        """End what goes on and on, before the house is looked at."""
        habits = list(self._habits)
        for habit in habits:
            habit.cancel()
        await asyncio.gather(*habits, return_exceptions=True)
        await self.books.settle()
        await self.feeds.close()

    @property
    def dead(self) -> bool:
        """The disk saw the house die, and nobody has taken it away yet."""
        return self.disk.crashes != self._died

    async def crash(self, *, unsynced_kept: bool) -> None:
        """Kill the house where it stands, by loss of the process or (unsynced writes lost) of power."""
        self.disk.crash(unsynced_kept=unsynced_kept)
        await self.bury()

    async def bury(self) -> None:
        """Take away what is left of a dead house: it is not closed, and nothing it still held is written."""
        self.house = None
        await self._end()
        self._died = self.disk.crashes

    async def _end(self) -> None:
        life, self._life = self._life, Life()
        await life.end()

    def heal(self) -> None:
        """The disk is well from now on, and the clock right."""
        self.full = False
        self.weather = CALM
        self.clock.heal()

    @property
    def marks(self) -> Mapping[str, int]:
        """The durable high-water mark."""
        return self.disk.sizes

    def _fault(self, point: WritePoint) -> Fault | None:
        if self.full:
            return Fault.DISK_FULL
        for fault, share in self.weather.disk:
            if share and self._random.random() < share:
                self.witness.fault(f"{fault.name.lower().replace('_', '-')} at {point}")
                return fault
        return None

    def _torn(self, content: bytes) -> bytes:
        """What the power leaves of a write: its beginning, and sometimes other bytes in the place of the rest."""
        left = content[: self._random.randrange(len(content) + 1)]
        return left + bytes(len(content) - len(left)) if self._random.random() < 0.3 else left

    def _turns(self) -> int:
        return self._random.randint(0, self.weather.slow) if self.weather.slow else 0

    def _draw(self, count: int) -> bytes:
        drawn = self._entropy(count)
        self.witness.feeds.drawn(drawn)
        return drawn


def _listed(tasks: dict[asyncio.Task[None], None], task: asyncio.Task[None]) -> asyncio.Task[None]:
    """Keep a task among others as long as it runs, in the order in which they began."""
    tasks[task] = None
    task.add_done_callback(lambda ended: tasks.pop(ended, None))
    return task
