"""Article 1: protection under these terms, so far as consistent with each side's laws in force."""

from __future__ import annotations

from typing import Any

import pytest

from clauses import against, article
from comity.errors import Rejected
from comity.flows.actors import Actor
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.looking.duties import ListDuties, list_duties
from world import RELATIONSHIP, World, adopt, library

LEE = Actor("lee")
DOMESTIC = "jp-domestic.example.toml"


@article(
    "1",
    does="lets each side's own law ask more of its own side, cited by its own name, never by an article",
    command="comity agreement adopt --layer",
    rests_on=("jp-domestic.example:two-approvals",),
)
async def test_a_domestic_layer_asks_more_of_its_own_side_and_is_cited_for_it(make_world: Any) -> None:
    world: World = await make_world(layers=(DOMESTIC,))
    await world.person("jp", "endo", roles=("release-authority",))
    asked = await world.ask()
    assert "jp-domestic.example:1" in against(asked.decision)
    assert "jp-domestic.example:1" not in against((await world.ask(mark="秘")).decision)
    await world.exchange()
    assured = Assure(
        request=asked.request, relationship=RELATIONSHIP, recipient=await world.pseudonym("kim"), actor=LEE
    )
    await assure(world.kr, assured)
    await world.exchange()
    first = await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    assert first.given is None  # enough for the house rule, and not for the law
    second = await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("endo")))
    assert second.given is not None
    assert second.given.consignment is not None


@article(
    "1",
    does="binds nobody but its own side by a domestic layer",
    command="comity agreement adopt --layer",
    rests_on=("kr-domestic.example:briefed",),
)
async def test_a_domestic_layer_does_not_bind_the_other_side(make_world: Any) -> None:
    world: World = await make_world(layers=("kr-domestic.example.toml",))
    await world.both_ways()
    given, back = await world.given(), await world.given_back()
    outcomes = {}
    for house, item, reader in ((world.kr, given.item, "kim"), (world.jp, back.item, "mori")):
        path = str(world.folder / reader)
        told = await open_item(house, Open(item=item, purpose="air defence", path=path, actor=Actor(reader)))
        outcomes[reader] = against(told.decision)
    assert outcomes["mori"] == set()
    assert "kr-domestic.example:1" in outcomes["kim"]


@article(
    "1",
    does="refuses a layer that would permit, loosen a number or speak in the agreement's name, with file and line",
    command="comity agreement check --layer",
)
async def test_a_domestic_layer_can_only_be_stricter(world: World) -> None:
    text = library(DOMESTIC)
    for old, new, code in (
        ("approvals = 2", "permits = true", "layer-permits"),
        ('clause = "1"\nacts', 'clause = "6.a"\nacts', "cites-agreement"),
        ('id = "two-approvals"', 'id = "two-approvals"\nlimit = 2', "unknown-key"),
    ):
        assert old in text
        with pytest.raises(Rejected) as raised:
            await adopt(world.jp, "kr", "jp-kr-2016.history.toml", ("house.toml", text.replace(old, new)))
        assert raised.value.code == code
        assert raised.value.place is not None
        assert int(raised.value.place.partition(":")[2]) > 1


@article(
    "1",
    does="counts a duty by the shorter of two numbers on the side whose own law asks it, and there alone",
    command="comity duties",
    rests_on=("o-12", "jp-kr-arrangement.example:deadline"),
)
async def test_a_domestic_number_is_seen_by_its_own_side(make_world: Any) -> None:
    stricter = library(DOMESTIC).replace("o-17-notify", "o-12").replace("PT12H", "P7D")
    world: World = await make_world(layers=("jp-kr-arrangement.example.toml", stricter))
    await world.both_ways()
    back = await world.given_back(form="documentary")
    due = {}
    for house in (world.jp, world.kr):
        shown = await list_duties(house, ListDuties(item=back.item))
        due[house.party] = [(each.limit, each.limit_from) for each in shown.duties if each.obligation == "o-12"]
    assert due["jp"] == [("P7D", "jp-domestic.example:4")]
    assert due["kr"] == [("P30D", "jp-kr-arrangement.example:3.1")]
