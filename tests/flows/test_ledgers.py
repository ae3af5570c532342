"""The ledgers of a house, pair by pair, for whoever sees the whole register."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.looking.ledgers import ShowLedgers, show_ledgers
from world import RELATIONSHIP, World


async def test_both_ledgers_of_a_relationship_and_how_far_each_side_is(tmp_path: Path) -> None:
    world = await World.make(tmp_path)
    shown = await show_ledgers(world.jp, ShowLedgers())
    assert shown.domestic is not None
    (pair,) = [each for each in shown.pairs if each.relationship == RELATIONSHIP]
    assert (pair.peer, pair.ours.chain, pair.theirs.chain) == ("kr", f"{RELATIONSHIP}/jp", f"{RELATIONSHIP}/kr")
    assert pair.ours.size > 0
    assert pair.ours.witnessed == pair.ours.delivered == pair.ours.size
    assert pair.announced == pair.theirs.size > 0
    await world.close()


@pytest.mark.parametrize(("handle", "sees"), [("ito", True), ("sato", False), ("abe", False)])
async def test_whoever_does_not_see_the_whole_register_sees_no_ledger(tmp_path: Path, handle: str, sees: bool) -> None:
    world = await World.make(tmp_path)
    shown = await show_ledgers(world.jp, ShowLedgers(actor=Actor(handle)))
    assert (shown.domestic is not None, bool(shown.pairs)) == (sees, sees)
    with pytest.raises(Misuse):
        await show_ledgers(world.jp, ShowLedgers(actor=Actor("nobody")))
    await world.close()
