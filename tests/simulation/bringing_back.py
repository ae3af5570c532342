"""Houses that lose their disk and are brought back from a backup, while everybody else goes on (``spec/backup.md``).

Now and then a house is backed up. When it loses its disk, its database, its payloads and what lies beside them are
those of the last backup; sometimes the mark and the list of erased keys were kept elsewhere. What it had on the road
burns with it: that a peer is still to be brought what was sent cannot be noticed by anybody who starts from a backup.
It fetches from its peer what that has, over a road that fails, and dies over it as over anything else. There are no
feeds here.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from comity.errors import Unavailable
from comity.flows.exchanging.roads import Reach, Road
from comity.flows.house import House
from comity.flows.maintaining.catching_up import CatchUp, WithoutPeer, catch_up, go_on_without, missing
from comity.ports import RestoredFrom
from comity.record.card import Card
from comity.record.statement import DOMESTIC, chain_id
from comity.stores.memory_disk import Crashed, Database
from world import RELATIONSHIP

from . import cast
from .negotiating import CHANNEL

if TYPE_CHECKING:
    from .node import Node
    from .simulation import Simulation

BACKUPS, LOSSES, TRIES = 0.02, 0.006, 0.2
"""Shares of steps in which a house is backed up, loses its disk, and asks its peer to give back what it has."""
ASKED_MAX = 10
"""Tries after which a peer over a calm road has given back what it ever will."""


@dataclass(frozen=True)
class Backup:
    """What is in a backup of a house."""

    at: datetime
    database: Database
    blobs: dict[bytes, bytes]
    sizes: dict[str, int]
    erased: list[bytes]


class Given(Road):
    """The way to the peer, whose road may drop and cut what it gives back; it may die over it, too."""

    def __init__(self, sim: Simulation, asker: str) -> None:
        self._sim, self._asker, self._node = sim, asker, sim.nodes[cast.PEER[asker]]

    async def given_back(self, relationship: str, author: str, start: int) -> bytes:
        return await self._asked(lambda house: house.give_back(self._asker, relationship, author, start))

    async def payload(self, relationship: str, record: bytes, offset: int) -> bytes:
        return await self._asked(lambda house: house.payload(self._asker, relationship, record, offset))

    async def _asked(self, ask: Callable[[House], Awaitable[bytes]]) -> bytes:
        house = self._node.house
        if house is None or self._sim.network.happens("drop", self._sim.network.weather.drop):
            raise Unavailable("it does not answer", code="unreachable")
        answer: list[bytes | BaseException] = []

        async def run() -> None:
            try:
                answer.append(await ask(house))
            except BaseException as error:  # noqa: BLE001 - whoever asked is told, or finds that nobody is there
                answer.append(error)

        await asyncio.wait([self._node.run(run())])
        (said,) = answer or [asyncio.CancelledError()]
        if isinstance(said, Crashed | asyncio.CancelledError):
            raise Unavailable("the connection broke", code="unreachable")
        if isinstance(said, BaseException):
            raise said
        if self._sim.network.happens("cut", self._sim.network.weather.cut):
            return said[: self._sim.random.randrange(len(said) + 1)]
        return said


class BringingBack:
    """Backups, losses and restores in one world.

    Attributes:
        sim: the world.
        backups: the last one of each house.
    """

    def __init__(self, sim: Simulation) -> None:
        self.sim = sim
        self.backups: dict[str, Backup] = {}

    def begin(self) -> None:
        """Back everybody up, and give everybody a way to the other."""
        for node in self.sim.nodes.values():
            self._back_up(node)
            node.reach = self._reach(node.party)
            assert node.house is not None
            node.house.reach = node.reach

    async def step(self) -> None:
        """What happens besides in one step."""
        sim = self.sim
        for party, node in sim.nodes.items():
            if node.house is None or node.dead:
                continue
            if node.disk.restored is not None:
                if sim.random.random() < TRIES:
                    node.run(self._ask(node.house))
            elif sim.random.random() < BACKUPS:
                self._back_up(node)
            elif sim.random.random() < LOSSES and sim.nodes[cast.PEER[party]].disk.restored is None:
                await self.lose(node)

    async def rest(self) -> None:
        """Everybody who was brought back catches up; without the peer, where a mark says that it lacks something."""
        for node in self.sim.nodes.values():
            house = node.house
            assert house is not None
            for _ in range(ASKED_MAX):
                if house.restored is not None:
                    await self._ask(house)
            for relationship in await missing(house):
                self.sim.witness.fault("goes on without what nobody has")
                await go_on_without(
                    house, WithoutPeer(relationship=relationship, reason="it burned before it was sent")
                )

    async def _ask(self, house: House) -> None:
        said = await self.sim.judged(house, "catch up", lambda: catch_up(house, CatchUp()))
        done = "whole" if house.restored is None else "not yet"
        self.sim.witness.acts[f"catch up: {said}, {done}"] += 1
        self.sim.witness.tell(f"{self.sim.steps} {house.party} catches up: {said}, {done}")

    def _back_up(self, node: Node) -> None:
        disk = node.disk
        self.backups[node.party] = Backup(
            self.sim.time.now, copy.deepcopy(disk.database), dict(disk.blobs), dict(disk.sizes), list(disk.erased)
        )

    async def lose(self, node: Node) -> None:
        """The disk is gone; another one has what the last backup has, and what was kept elsewhere."""
        sim, party, disk, backup = self.sim, node.party, node.disk, self.backups[node.party]
        await node.crash(unsynced_kept=False)
        await sim.quiet()  # whatever the peer was just being told, it has heard
        if sim.nodes[cast.PEER[party]].disk.restored is not None or sim.nodes[cast.PEER[party]].house is None:
            return
        elsewhere = sim.random.random() < 0.5
        sim.witness.fault("disk lost" + (", the mark is kept" if elsewhere else ""))
        kept = {name: head.size for name, head in backup.database.heads.items() if name.endswith(f"/{party}")}
        disk.restored = RestoredFrom(
            backup=1, taken=backup.at, at=sim.time.now, floor=dict(disk.sizes if elsewhere else backup.sizes), kept=kept
        )
        disk.database, disk.blobs = copy.deepcopy(backup.database), dict(backup.blobs)
        disk.uploads, disk.partial, disk.sizes = {}, {}, dict(kept)
        if not elsewhere:
            disk.erased = list(backup.erased)
        sim.network.under_way[:] = [each for each in sim.network.under_way if each.sender != party]
        sim.invariants.burned(node, self._left(party, kept))

    def _left(self, party: str, kept: dict[str, int]) -> dict[str, int]:
        """How much of each own chain is somewhere: in the backup, or at the peer."""
        theirs = self.sim.nodes[cast.PEER[party]].disk.database.heads
        shared = [chain_id(place, party) for place in (RELATIONSHIP, CHANNEL)]
        there = {chain: theirs[chain].size for chain in shared if chain in theirs}
        return {chain: max(kept.get(chain, 0), there.get(chain, 0)) for chain in (*shared, chain_id(DOMESTIC, party))}

    def _reach(self, party: str) -> Reach:
        @asynccontextmanager
        async def reach(_: Card) -> AsyncIterator[Road]:
            yield Given(self.sim, party)

        return reach
