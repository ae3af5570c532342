"""A house with its disk, its keys and its clock: it can die at any moment and be opened again."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from comity.errors import Unavailable
from comity.flows.following import follow
from comity.flows.house import House
from comity.ports import Batch
from comity.stores.files import LocalFiles
from comity.stores.keys import KeyFolder
from comity.stores.memory import MemoryBlobs, MemoryErasedKeys, MemoryHighWaterMark
from comity.stores.memory_disk import Crashed, Fault, MemoryDisk, WritePoint
from comity.timezones import time_zones
from world import SeededEntropy

from .clock import ErringClock, WorldTime
from .disk import SlowStore
from .weather import CALM, Weather
from .witness import Witness


class Node:
    """One party. What survives a crash is the disk, the keys, and what other people remember.

    Attributes:
        house: None while it is down.
        full: the disk takes no more writes.
        down_until: the step before which nobody starts it again.
    """

    def __init__(self, party: str, folder: Path, random: Random, time: WorldTime, witness: Witness) -> None:
        self.party = party
        self.folder = folder / party
        self.clock = ErringClock(time)
        self.disk = MemoryDisk(self._fault)
        self.weather: Weather = CALM
        self.house: House | None = None
        self.full = False
        self.down_until = 0
        self._random = random
        self.witness = witness
        self._entropy = SeededEntropy(f"{random.random()} {party}")
        self._died = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.folder.mkdir(mode=0o700, parents=True)
        KeyFolder.create(self.folder, self._entropy)

    async def open(self) -> bool:
        """Start a house on what the last one left; False when its disk does not let it."""
        self._died = self.disk.crashes
        house = House(
            self.party,
            store=SlowStore(self.disk, self._turns, self._written),
            blobs=MemoryBlobs(self.disk),
            mark=MemoryHighWaterMark(self.disk),
            erased=MemoryErasedKeys(self.disk),
            clock=self.clock,
            entropy=self._entropy,
            keys=KeyFolder(self.folder, self._entropy),
            files=LocalFiles(self.folder / "scratch"),
            zones=time_zones(),
            follow=follow,
        )
        try:
            await house.start()
        except (Unavailable, Crashed):
            with suppress(Unavailable, Crashed):
                await house.close()
            self._died = self.disk.crashes
            return False
        self.house = house
        return True

    def run(self, act: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something that dies with the house."""
        task = asyncio.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @property
    def busy(self) -> bool:
        return bool(self._tasks)

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
        house, self.house = self.house, None
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if house is not None:
            await house.sequencer.close()  # only so that its task does not linger: its store is dead
        self._died = self.disk.crashes

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

    def _turns(self) -> int:
        return self._random.randint(0, self.weather.slow) if self.weather.slow else 0

    def _written(self, batch: Batch) -> None:
        self.witness.written(self.party, batch)
