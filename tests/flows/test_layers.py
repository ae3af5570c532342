"""Layers: an arrangement that both sign, and a domestic layer that one side tells (``spec/lifecycle.md`` step 19)."""

from __future__ import annotations

import pytest

from comity.errors import Misuse, Rejected
from comity.flows.actors import Actor
from comity.flows.agreeing.layers import LayerShown, ListLayers, TellLayer, list_layers, tell_layer
from comity.flows.house import House
from flows.talking import OTHER, RUNNING, Table, enrol
from world import World, adopt, library

HISTORY = "jp-kr-2016.history.toml"
ARRANGEMENT = library("jp-kr-arrangement.example.toml")
DOMESTIC = library("jp-domestic.example.toml")


async def listed(house: House) -> dict[str, LayerShown]:
    return {each.layer: each for each in await list_layers(house, ListLayers(RUNNING))}


async def tell(world: World, party: str = "jp", **changes: object) -> list[LayerShown]:
    fields: dict[str, object] = {
        "relationship": RUNNING,
        "text": DOMESTIC,
        "name": "layer.toml",
        "since": "2026-11-21",
        "actor": Actor("oda" if party == "jp" else "mun"),
        **changes,
    }
    return await tell_layer(world.house(party), TellLayer(**fields))


async def test_the_other_side_learns_that_there_is_a_domestic_layer_and_not_what_it_says(world: World) -> None:
    await enrol(world)
    await adopt(world.jp, "kr", HISTORY, ("house.toml", "jp-domestic.example.toml"))
    await tell(world)
    await world.exchange()
    here, there = (await listed(world.jp))["jp-domestic.example"], (await listed(world.kr))["jp-domestic.example"]
    assert (here.here, here.kind, here.party, here.since) == (True, "domestic", "jp", "2026-11-21")
    assert (there.here, there.kind, there.party, there.digest) == (False, None, "jp", here.digest)
    entries = await world.kr.store.chain(f"{RUNNING}/jp", 0, 100)
    says = DOMESTIC.split("says = ")[1].splitlines()[0].strip('"')[:40].encode()
    assert not any(says in entry.envelope for entry in entries)
    await tell(world, withdrawn=True, since="2026-12-01")
    await world.exchange()
    assert (await listed(world.kr))["jp-domestic.example"].withdrawn


async def test_what_is_no_domestic_layer_of_this_party_is_not_told(world: World) -> None:
    await enrol(world)
    for party, text in (("kr", DOMESTIC), ("jp", ARRANGEMENT), ("jp", library("house.toml"))):
        with pytest.raises(Misuse) as refused:
            await tell(world, party, text=text)
        assert refused.value.code == "not-domestic"
    permits = DOMESTIC + '\n[[rule]]\nid = "more"\nclause = "choice"\nacts = ["give"]\npermits = true\n'
    with pytest.raises(Rejected, match=r"layer\.toml:\d+"):
        await tell(world, text=permits)


async def test_an_arrangement_that_was_negotiated_runs_once_both_have_signed_it(world: World) -> None:
    await enrol(world)
    table = await Table.open(world, "arrangement", RUNNING)
    await table.propose(text=ARRANGEMENT)
    await table.carry()
    await table.initial("jp-1")
    await table.approve()
    await table.sign("jp")
    await table.carry()
    stacked = ("house.toml", "jp-kr-arrangement.example.toml")
    for party in ("jp", "kr"):
        with pytest.raises(Misuse) as refused:
            await adopt(world.house(party), OTHER[party], HISTORY, stacked)
        assert refused.value.code == "not-signed"
    await table.sign("kr")
    await table.carry()
    for party in ("jp", "kr"):
        await adopt(world.house(party), OTHER[party], HISTORY, stacked)
        assert (await listed(world.house(party)))["jp-kr-arrangement.example"].signed
