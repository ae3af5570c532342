"""Article 9: information passes between the parties; once sent, the recipient answers for its custody and secrecy."""

from __future__ import annotations

import pytest

from clauses import article
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, open_item
from comity.flows.handling.copies import ShowCopy, show_copy
from comity.flows.handling.handing_over import HandedOn, HandOver, TakeOver, hand_over, take_over
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.register.rows import CopyRow
from world import RELATIONSHIP, ROOT, TODAY, World


async def given(world: World) -> str:
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


async def handed(world: World, item: str, taker: str, by: str = "kim") -> HandedOn:
    return await hand_over(world.kr, HandOver(item=item, copy=1, taker=taker, actor=Actor(by)))


@article(
    "9",
    does="one person answers for each copy; each change of hands is signed for and stands in both registers",
    command="comity hand-over",
    rests_on=("open",),
)
async def test_somebody_answers_for_a_copy_at_every_moment(world: World) -> None:
    item = await given(world)
    assert (await handed(world, item, "yoon")).outcome == "permit"
    for handle in ("kim", "yoon"):  # between two hands it is closed
        path = str(world.folder / handle)
        with pytest.raises(Refused, match="holds no copy"):
            await open_item(world.kr, Open(item=item, purpose="air defence", path=path, actor=Actor(handle)))
    with pytest.raises(Refused) as refused:
        await take_over(world.kr, TakeOver(item=item, copy=1, actor=Actor("kim")))
    assert refused.value.code == "not-taker"
    await take_over(world.kr, TakeOver(item=item, copy=1, actor=Actor("yoon")))
    await world.exchange()
    kim, yoon = await world.pseudonym("kim"), await world.pseudonym("yoon")
    for house in (world.jp, world.kr):
        assert (await house.need(CopyRow, f"{RELATIONSHIP}/{item}/000001", "copy")).holder == yoon
        chain = (await show_copy(house, ShowCopy(item=item, copy=1))).chain
        assert [(link.kind, link.by) for link in chain if link.by] == [("hand-over/1", kim), ("take-over/1", yoon)]


@article(
    "9",
    does="a copy is handed to nobody who may not open it, and only by whoever holds it",
    command="comity hand-over",
    rests_on=("access", "not-by-clearance-alone", "third-party"),
)
@pytest.mark.parametrize(
    ("taker", "clauses"),
    [("park", {"7.2"}), ("choi", {"7.1", "7.2"}), ("smith", {"6.a"})],
)
async def test_a_copy_is_handed_to_whoever_may_open_it(world: World, taker: str, clauses: set[str]) -> None:
    item = await given(world)
    told = await handed(world, item, taker)
    assert told.outcome != "permit"
    assert {each.clause for each in told.decision.reasons if each.effect in ("needs", "lacks", "forbids")} == clauses
    assert (await world.kr.need(CopyRow, f"{RELATIONSHIP}/{item}/000001", "copy")).state == "held"
    with pytest.raises(Refused) as refused:
        await handed(world, item, "kim", by="yoon")
    assert refused.value.code == "not-holder"
