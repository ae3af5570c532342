"""Two writes fail in one complete give: each write, and then each that follows, in both ways.

What was begun is finished once, whatever the first failure left behind (``spec/invariants.md``, all of them at rest). A
write that fails has either not taken place or it has, and whoever asked for it is not told which.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.stores.memory_disk import Fault
from fault_plan import PAIRS, Plan
from properties.founded import Founded
from properties.test_write_points import Whole, finished
from simulation.simulation import Simulation

PARTS = 4
"""Into how many tests the pairs of each kind are divided, so that cores share them."""
WRITES_AT_LEAST = 14
TRIES_MAX = 6
"""Two writes fail; the rest is room for what they left to be settled."""


async def with_plan(world: Simulation, folder: Path, plan: Plan) -> None:
    """One complete give under a plan; then the world comes to rest, every invariant held."""
    for node in world.nodes.values():
        node.disk.faults = plan
    await Whole(world, folder, TRIES_MAX).run()
    for node in world.nodes.values():
        node.disk.faults = lambda _: None
    await finished(world)


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    return Founded(tmp_path_factory.mktemp("houses"))


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda fault: fault.name.lower())
def test_a_give_is_finished_once_whichever_two_writes_fail(
    founded: Founded, tmp_path: Path, first: Fault, second: Fault, part: int
) -> None:
    def run(plan: Plan) -> Plan:
        try:
            founded.run(lambda world: with_plan(world, tmp_path, plan))
        except BaseException as error:
            error.add_note(str(plan))
            raise
        return plan

    writes = run(Plan()).count
    assert writes >= WRITES_AT_LEAST
    for number in range(part, writes, PARTS):
        alone = run(Plan((number, first)))
        assert len(alone.struck) == 1
        for following in range(number + 1, alone.count):
            assert len(run(Plan((number, first), (following, second))).struck) == 2
