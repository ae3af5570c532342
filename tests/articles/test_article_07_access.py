"""Article 7(1) and 7(2): nobody by rank, post or clearance alone; need and clearance together."""

from __future__ import annotations

import pytest

from clauses import against, article
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, OpenedItem, open_item
from comity.flows.people.clearances import ChangeList, change_list
from comity.register.rows import DecisionRow
from openings import asked_to_open
from world import ROOT, World


async def opened(world: World, item: str, reader: str) -> OpenedItem:
    path = world.folder / f"{reader}.txt"
    request = Open(item=item, purpose="air defence", path=str(path), actor=Actor(reader))
    told = await asked_to_open(world.kr, request)
    assert path.exists() == (told.opening is not None)
    return told


@article(
    "7",
    "7.2",
    does="opens to whoever needs it and is cleared, and to nobody else",
    command="comity open",
    rests_on=("open", "access"),
)
async def test_need_and_clearance_together_open(world: World) -> None:
    given = await world.given()
    told = await opened(world, given.item, "kim")
    assert told.outcome == "permit"
    held = {(each.code, each.clause) for each in told.decision.reasons}
    assert {("cleared", "7.2"), ("need-to-know", "7.2"), ("permitted", "7.2")} <= held


@article(
    "7.1",
    does="refuses whoever has rank and clearance and no need, and records the refusal with the clause",
    command="comity open",
    rests_on=("not-by-clearance-alone",),
)
async def test_rank_post_and_clearance_alone_open_nothing(world: World) -> None:
    given = await world.given()
    told = await opened(world, given.item, "choi")  # cleared, and on no list
    assert told.outcome == "needs-consent"
    assert "jp-kr-2016:7.1" in against(told.decision)
    decided = [row async for _, row in world.kr.rows(DecisionRow) if row.record.hex() == told.decision_record]
    assert [row.outcome for row in decided] == ["needs-consent"]


@article(
    "7.1",
    does="looks at no rank and no function when it decides",
    command="comity person add",
    rests_on=("not-by-clearance-alone",),
)
async def test_a_function_opens_nothing(world: World) -> None:
    given = await world.given()
    await world.person("kr", "yun", function="Minister of National Defence", body="Office of the Minister")
    minister = await opened(world, given.item, "yun")
    assert {"jp-kr-2016:7.1", "jp-kr-2016:7.2"} <= against(minister.decision)
    assert minister.opening is None


@pytest.mark.parametrize(("reader", "code"), [("park", "clearance-missing"), ("choi", "need-to-know-missing")])
@article(
    "7.2",
    does="says which of the two is missing",
    command="comity why",
    rests_on=("access",),
)
async def test_one_of_the_two_is_not_enough(world: World, reader: str, code: str) -> None:
    given = await world.given()
    told = await opened(world, given.item, reader)
    missing = {each.code for each in told.decision.reasons if each.effect == "needs" and each.clause == "7.2"}
    assert missing == {code}


@article(
    "7.2",
    does="closes what was open when the need has ended",
    command="comity list remove",
    rests_on=("access",),
)
async def test_who_is_taken_off_the_list_opens_nothing_more(world: World) -> None:
    given = await world.given()
    assert (await opened(world, given.item, "kim")).outcome == "permit"
    await change_list(world.kr, ChangeList(topic="missiles", handle="kim", listed=False, actor=ROOT))
    path = str(world.folder / "again.txt")
    told = await open_item(world.kr, Open(item=given.item, purpose="air defence", path=path, actor=Actor("kim")))
    assert "jp-kr-2016:7.2" in against(told.decision)
    assert told.opening is None
