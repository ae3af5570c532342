"""Three capitals and a third party come to rest; what is broken on purpose there is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from comity.flows.exchanging.exchange import COSIGNED
from comity.ports import Put
from comity.register.rows import ItemRow
from comity.witness.witness import CONTRADICTION, Contradiction, log_id
from trilateral import FIRST

from .capitals import Capitals, in_capitals
from .invariants import AT_EACH_STEP, Broken
from .loop import run_in
from .two_faced import TwoFaced
from .weather import CALM

OWN = f"{FIRST}/jp"
STEPS = 80


@pytest.mark.parametrize("seed", [2])
def test_three_capitals_come_to_rest(seed: int) -> None:
    capitals = in_capitals(seed, STEPS)
    assert set(capitals.invariants.counts) == {*AT_EACH_STEP, 15, 16, 22, 34, 35}
    assert capitals.witness.faults


def test_who_shows_the_third_party_another_tree_is_proved_to_have() -> None:
    """What was cosigned of it, and what was refused; the other houses and the third party are accused of nothing."""
    two_faced = in_capitals(1, STEPS, liar="two-faced").two_faced
    assert two_faced is not None
    assert all(two_faced.shown.values())


def test_a_third_party_that_cosigns_two_trees_is_proved_to_have() -> None:
    proofs = 0
    for seed in (1, 2, 4):
        two_faced = in_capitals(seed, STEPS, liar="blind").two_faced
        assert two_faced is not None
        proofs += len(two_faced.against_the_third_party())
    assert proofs


def another_record(capitals: Capitals) -> None:
    entries = capitals.nodes["us"].disk.database.chains[OWN]
    entries[2] = msgspec.structs.replace(entries[2], salt=bytes(32))


def a_cosignature_less(capitals: Capitals) -> None:
    capitals.nodes["jp"].disk.database.put(Put(COSIGNED, OWN, None))


def a_third_party_that_saw_less(capitals: Capitals) -> None:
    heads = capitals.third.disk.database.heads
    name = f"comity/{OWN}"
    heads[name] = msgspec.structs.replace(heads[name], size=heads[name].size - 1)


def a_row_changed(capitals: Capitals) -> None:
    database = capitals.nodes["us"].disk.database
    key, value = next(iter(database.rows[ItemRow.table].items()))
    row = msgspec.json.decode(value)
    database.put(Put(ItemRow.table, key, msgspec.json.encode(row | {"topic": "another"})))


def a_log_that_said_one_thing_is_accused(capitals: Capitals) -> None:
    found = Contradiction(origin=f"comity/{OWN}", code="split-view", recorded=b"", request=b"")
    capitals.third.disk.database.put(Put(CONTRADICTION, f"{log_id(found.origin)}/0", msgspec.json.encode(found)))


def another_tree_is_cosigned_and_nobody_knows(capitals: Capitals) -> None:
    """What the third party cosigned is gone, and so is what it refused."""
    capitals.two_faced = TwoFaced(capitals, blind=False)
    capitals.two_faced.cosigned = {(5, bytes(32)): b"what nobody signed"}


PLANTS: list[tuple[int, Callable[[Capitals], None]]] = [
    (15, another_record),
    (16, a_cosignature_less),
    (16, a_third_party_that_saw_less),
    (22, a_row_changed),
    (34, a_log_that_said_one_thing_is_accused),
    (35, another_tree_is_cosigned_and_nobody_knows),
]


@pytest.mark.parametrize(("number", "plant"), PLANTS)
def test_what_is_broken_on_purpose_is_named(number: int, plant: Callable[[Capitals], None], tmp_path: Path) -> None:
    async def run() -> set[int]:
        await capitals.found()
        for _ in range(40):
            await capitals.step()
        await capitals.rest()
        assert capitals.nodes["us"].disk.database.rows[ItemRow.table], "nothing was given"
        plant(capitals)
        with pytest.raises(Broken) as broken:
            await capitals.look()
        return broken.value.numbers

    capitals = Capitals(1, tmp_path)
    capitals.weather = CALM
    assert number in run_in(capitals.time, run())
