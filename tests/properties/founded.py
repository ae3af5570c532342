"""Two founded houses that can be put back to how they were, so that a property can be tried many times over."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from comity.stores.memory_disk import Database, no_faults
from simulation.feeding import FeedsOfWorld
from simulation.invariants import Invariants
from simulation.simulation import Inline, Simulation, run_world, tell_unless_crashed
from simulation.weather import CALM
from simulation.witness import Witness

T = TypeVar("T")


class Founded:
    """A simulated world in calm weather, and its disks as they were after founding. Time is the world's own."""

    def __init__(self, folder: Path) -> None:
        self.world = Simulation(1, folder, CALM)
        run_world(self.world, self._found)

    async def _found(self, world: Simulation) -> None:
        await world.found()
        self._disks: dict[str, tuple[Database, Database, dict[str, int]]] = {}
        for party, node in world.nodes.items():
            await node.crash(unsynced_kept=True)
            self._disks[party] = node.disk.database, node.feed_disk.database, dict(node.disk.sizes)
        self._then, self._released = world.time.now, list(world.feeds.asked)

    def run(self, work: Callable[[Simulation], Coroutine[Any, Any, T]]) -> T:
        """Do ``work`` in the world as it was founded; nothing of it remains."""

        async def run(world: Simulation) -> T:
            return await self._run(world, work)

        self.world.time.now = self._then
        return run_world(self.world, run)

    async def _run(self, world: Simulation, work: Callable[[Simulation], Coroutine[Any, Any, T]]) -> T:
        asyncio.get_running_loop().set_default_executor(Inline())
        asyncio.get_running_loop().set_exception_handler(tell_unless_crashed)
        world.asked, world.restless, world.carried_late = [], [], []
        world.feeds = FeedsOfWorld(asked=list(self._released))
        world.network.under_way.clear()
        witness = world.witness = world.network.witness = Witness()
        for party, node in world.nodes.items():
            database, of_feeds, sizes = self._disks[party]
            node.disk.database, node.disk.sizes = copy.deepcopy(database), dict(sizes)
            node.feed_disk.database = copy.deepcopy(of_feeds)
            node.disk.faults, node.witness = no_faults, witness
            node.disk.blobs.clear()
            node.heal()
            assert await node.open()
        world.invariants = Invariants(world)
        try:
            return await work(world)
        finally:
            for node in world.nodes.values():
                await node.crash(unsynced_kept=True)
