"""The index in worlds where houses die, disks fill and parcels are lost: at rest it is what would be made anew.

An index outlives its house, as a file does; what a dead house had told nobody, the next one finds in the journal.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from comity.errors import ComityError
from comity.flows.house import House
from comity.flows.indexing import upkeep
from comity.stores.index import SqliteIndex
from comity.stores.memory_disk import Crashed
from indexed import differences

from . import node as nodes
from .node import Node
from .simulation import Simulation, run_world


class Indexed(Simulation):
    """A world whose houses take up what they have committed after every step."""

    compared = 0
    taken_up = 0

    async def step(self) -> None:
        await super().step()
        for node in self.nodes.values():
            if node.house is not None and not node.dead:
                with suppress(ComityError, Crashed):
                    await upkeep.catch_up(node.house)
                    self.taken_up += 1

    async def _look_closely(self, party: str, node: Node, house: House) -> None:
        found = await differences(house)
        assert not found, f"seed {self.seed}, {party}: {found}"
        self.compared += 1
        await super()._look_closely(party, node, house)


@pytest.mark.parametrize("seed", range(600, 606))
def test_at_rest_it_is_what_would_be_made_anew(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    indexes: dict[str, SqliteIndex] = {}

    def house(party: str, **ports: Any) -> House:
        return House(party, index=indexes.setdefault(party, SqliteIndex(None)), **ports)

    monkeypatch.setattr(nodes, "House", house)
    simulation = Indexed(seed, tmp_path)

    async def run(simulation: Simulation) -> None:
        await simulation.found()
        for _ in range(60):
            await simulation.step()
        await simulation.rest()

    run_world(simulation, run)
    assert simulation.compared == len(simulation.nodes)
    assert simulation.taken_up > 50
