"""Article 14: copies carry the original marks, stand under the same control, and are no more than duty needs."""

from __future__ import annotations

import pytest

from articles.conftest import MakeWorld
from clauses import article
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, open_item
from comity.flows.handling.copying import CopiesMade, MakeCopies, make_copies
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.register.rows import CopyRow
from world import RELATIONSHIP, ROOT, TODAY, World

FEW = """
[layer]
format = 1
id = "kr-copies"
version = "1"
kind = "domestic"
on = "jp-kr-2016"
party = "kr"
title = { en = "Copies, as Seoul has it" }

[[clause]]
id = "c1"
heading = { en = "Two copies at most" }
says = "Of one item at most two copies are made."
provenance = "P"
source = "an invented example"

[[rule]]
id = "two-at-most"
clause = "c1"
acts = ["copy"]
copies = 2
"""


async def given(world: World) -> str:
    """An item that Kim holds; Yoon may read it too."""
    await world.person("kr", "yoon")
    until = TODAY.replace(year=TODAY.year + 1)
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="yoon", mark="군사 Ⅱ급 비밀", until=until, basis="vetted", all_information=True, actor=ROOT
        ),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="yoon", listed=True, actor=ROOT))
    return (await world.given()).item


async def copied(world: World, item: str, *holders: str, purpose: str = "air defence") -> CopiesMade:
    request = MakeCopies(item=item, copy=1, holders=holders, purpose=purpose, actor=Actor("kim"))
    return await make_copies(world.kr, request)


@article(
    "14",
    does="numbered copies carry the original marks, each with its own key, and stand in the originator's register",
    command="comity copy",
    rests_on=("copy",),
)
async def test_copies_are_made_under_the_same_control(world: World) -> None:
    item = await given(world)
    made = await copied(world, item, "yoon", "kim")
    assert made.outcome == "permit"
    assert "14" in {reason.clause for reason in made.decision.reasons if reason.code == "permitted"}
    assert [each.number for each in made.made] == [1_001, 1_002]
    assert made.marks == ("極秘", "군사 Ⅱ급 비밀")
    await world.exchange()
    for house in (world.jp, world.kr):
        rows = [row async for _, row in house.rows(CopyRow, f"{RELATIONSHIP}/{item}/")]
        assert [(row.number, row.state, row.made_from) for row in rows] == [
            (1, "held", None),
            (1_001, "held", 1),
            (1_002, "held", 1),
        ]
        assert len({row.header for row in rows}) == 3
    path = str(world.folder / "copy")
    opened = await open_item(world.kr, Open(item=item, purpose="air defence", path=path, actor=Actor("yoon")))
    assert opened.opening is not None


@article(
    "14",
    does="nobody gets a copy who is not cleared; need to know is asked by Article 7 and, unchecked, by Article 14 too",
    command="comity copy",
    rests_on=("copies-for-need", "access"),
)
async def test_a_copy_goes_to_whoever_needs_it_and_nobody_else(world: World) -> None:
    item = await given(world)
    uncleared = await copied(world, item, "park")
    assert uncleared.outcome == "needs-consent"
    assert "clearance-missing" in {reason.code for reason in uncleared.decision.reasons if reason.clause == "7.2"}
    unlisted = await copied(world, item, "choi")
    warned = {
        (reason.code, reason.provenance, reason.effect) for reason in unlisted.decision.reasons if reason.clause == "14"
    }
    assert ("need-to-know-missing", "K", "warns") in warned
    assert not unlisted.made
    assert not uncleared.made


@article(
    "6.c",
    does="no copy is made for another purpose than the item came for, unless its originator consents",
    command="comity copy",
    rests_on=("other-purpose",),
)
async def test_no_copy_for_another_purpose(world: World) -> None:
    item = await given(world)
    assert (await copied(world, item, "yoon", purpose="a press release")).outcome == "needs-consent"


async def test_a_layer_may_limit_how_many(make_world: MakeWorld) -> None:
    world = await make_world(layers=(FEW,))
    item = await given(world)
    assert (await copied(world, item, "yoon", "kim", "yoon")).outcome == "forbidden"
    assert (await copied(world, item, "yoon", "kim")).outcome == "permit"
    third = await copied(world, item, "yoon")
    assert third.outcome == "forbidden"
    (reason,) = [each for each in third.decision.reasons if each.effect == "forbids"]
    assert (reason.instrument, reason.clause, reason.code) == ("kr-copies", "c1", "copies-beyond")


async def test_what_one_does_not_hold_is_not_copied(world: World) -> None:
    item = await given(world)
    with pytest.raises(Refused) as refused:
        await make_copies(
            world.kr, MakeCopies(item=item, copy=1, holders=("yoon",), purpose="air defence", actor=Actor("yoon"))
        )
    assert refused.value.code == "not-holder"
