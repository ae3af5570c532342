"""Whatever people do, the journal gives the register: rebuilt after every act, it is the same, byte for byte."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import ComityError
from comity.flows.maintaining.rebuilding import Rebuild, rebuild
from comity.register.rows import TABLES
from properties.founded import Founded
from simulation import cast
from simulation.acts import ACTS
from simulation.simulation import Simulation

DOINGS = sorted(set(ACTS) - {"verify", "rebuild", "look", "hand over", "pouch"})
ACTS_MAX = 25


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    return Founded(tmp_path_factory.mktemp("houses"))


async def live_and_rebuilt(world: Simulation, doings: list[tuple[str, str]], seed: int) -> None:
    world.random.seed(seed)
    for party, doing in doings:
        house = world.nodes[party].house
        assert house is not None
        try:
            await ACTS[doing][0](world, house)
        except ComityError:
            continue
        await world.exchange_until_quiet()
        for node in world.nodes.values():
            assert node.house is not None
            database = node.disk.database
            live = {table: dict(database.rows.get(table, {})) for table in TABLES}
            verified = await rebuild(node.house, Rebuild())
            assert verified.findings == ()
            assert live == {table: database.rows.get(table, {}) for table in TABLES}


@settings(max_examples=10, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(cast.PARTIES), st.sampled_from(DOINGS)), min_size=5, max_size=ACTS_MAX),
    st.integers(0, 2**32),
)
def test_the_register_rebuilt_is_the_register_that_was(
    founded: Founded, doings: list[tuple[str, str]], seed: int
) -> None:
    founded.run(lambda world: live_and_rebuilt(world, [("jp", "ask"), ("kr", "ask"), *doings], seed))
