"""Two founded houses that can be put back to how they were, so that a property can be tried many times over."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from comity.stores.memory_disk import Database, no_faults
from simulation.invariants import Invariants
from simulation.simulation import Inline, Simulation
from simulation.weather import CALM
from simulation.witness import Witness

T = TypeVar("T")


class Founded:
    """A simulated world in calm weather, and its disks as they were after founding."""

    def __init__(self, folder: Path) -> None:
        self.world = Simulation(1, folder, CALM)
        asyncio.run(self._found())

    async def _found(self) -> None:
        await self.world.found()
        self._disks: dict[str, tuple[Database, dict[str, int]]] = {}
        for party, node in self.world.nodes.items():
            await node.crash(unsynced_kept=True)
            self._disks[party] = node.disk.database, dict(node.disk.sizes)

    def run(self, work: Callable[[Simulation], Awaitable[T]]) -> T:
        """Do ``work`` in the world as it was founded; nothing of it remains."""
        return asyncio.run(self._run(work))

    async def _run(self, work: Callable[[Simulation], Awaitable[T]]) -> T:
        asyncio.get_running_loop().set_default_executor(Inline())
        world = self.world
        world.asked, world.restless, world.carried_late = [], [], []
        witness = world.witness = world.network.witness = Witness()
        for party, node in world.nodes.items():
            database, sizes = self._disks[party]
            node.disk.database, node.disk.sizes = copy.deepcopy(database), dict(sizes)
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
