"""A copy of something made from information of two originators: what is done with it is said to both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity.flows.actors import Actor
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.giving.opening import Open, open_item
from comity.flows.handling.copies import (
    LabelCopy,
    ListCopies,
    ScanCopy,
    ShowCopy,
    label_copy,
    list_copies,
    scan_copy,
    show_copy,
)
from comity.flows.handling.copying import MakeCopies, make_copies
from comity.flows.handling.handing_over import HandOver, TakeOver, hand_over, take_over
from comity.flows.handling.losing import FindCopy, LoseCopy, find_again, lose_copy
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.register.rows import CopyRow
from comity.register.rows.custody import LinkRow
from three import BESIDE, Three
from world import RELATIONSHIP, ROOT, TODAY

PURPOSE = "air defence"


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    world = await Three.three(tmp_path)
    await world.person("kr", "yoon")
    until = TODAY + timedelta(days=365)
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="yoon", mark="군사 Ⅱ급 비밀", until=until, basis="vetted", all_information=True, actor=ROOT
        ),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="yoon", listed=True, actor=ROOT))
    yield world
    await world.close()


async def brief_of_both(three: Three) -> str:
    japanese, american = await three.given(), await three.given_by_us()
    path = three.document(b"what both say", "brief.txt")
    made = await derive(
        three.kr,
        Derive(
            path=path,
            relation="contains",
            ancestors=(japanese.item, american.item),
            purpose=PURPOSE,
            actor=Actor("kim"),
        ),
    )
    assert made.made
    return made.item


async def test_each_originator_sees_the_whole_chain_of_its_own_part(three: Three) -> None:
    item = await brief_of_both(three)
    kim, yoon = Actor("kim"), Actor("yoon")
    made = await make_copies(three.kr, MakeCopies(item=item, copy=1, holders=("yoon",), purpose=PURPOSE, actor=kim))
    assert [each.number for each in made.made] == [2]  # whoever made the item itself counts on from its copies
    assert set(made.records) == {RELATIONSHIP, BESIDE}
    await hand_over(three.kr, HandOver(item=item, copy=1, taker="yoon", actor=kim))
    await take_over(three.kr, TakeOver(item=item, copy=1, actor=yoon))
    await lose_copy(three.kr, LoseCopy(item=item, copy=2, circumstances="not in its safe", actor=yoon))
    await find_again(three.kr, FindCopy(item=item, copy=2, circumstances="behind it", actor=yoon))
    await three.everybody_exchanges()
    for house, relationship in ((three.jp, RELATIONSHIP), (three.us, BESIDE)):
        prefix = f"{relationship}/{item}/"
        for table in (CopyRow, LinkRow):
            there = [row async for _, row in house.rows(table, prefix)]
            assert there == [row async for _, row in three.kr.rows(table, prefix)]
        states = [(row.number, row.state) async for _, row in house.rows(CopyRow, prefix)]
        assert states == [(1, "held"), (2, "held")]
        kinds = [row.kind async for _, row in house.rows(LinkRow, f"{prefix}000001/")]
        assert kinds == ["derivation/1", "hand-over/1", "take-over/1"]
    assert [row async for _, row in three.jp.rows(CopyRow, f"{BESIDE}/")] == []
    shown = await show_copy(three.jp, ShowCopy(item=item, copy=1))
    assert [link.kind for link in shown.chain] == ["derivation/1", "hand-over/1", "take-over/1"]
    assert (await scan_copy(three.jp, ScanCopy(reference=shown.copy.reference))).number == 1
    assert (await label_copy(three.jp, LabelCopy(item=item, copy=1))).marks == ("군사 Ⅱ급 비밀",)


async def test_it_is_one_copy_to_whoever_looks_at_it_here(three: Three) -> None:
    item = await brief_of_both(three)
    shown = await show_copy(three.kr, ShowCopy(item=item, copy=1))
    assert [link.kind for link in shown.chain] == ["derivation/1"]
    for actor in (None, Actor("kim")):
        assert [each.number for each in await list_copies(three.kr, ListCopies(item=item, actor=actor))] == [1]


async def test_it_opens_for_whoever_holds_it_and_nobody_before(three: Three) -> None:
    item = await brief_of_both(three)
    await hand_over(three.kr, HandOver(item=item, copy=1, taker="yoon", actor=Actor("kim")))
    await take_over(three.kr, TakeOver(item=item, copy=1, actor=Actor("yoon")))
    path = three.folder / "read"
    opened = await open_item(three.kr, Open(item=item, purpose=PURPOSE, path=str(path), actor=Actor("yoon")))
    assert opened.opening is not None
    assert path.read_bytes() == b"what both say"
