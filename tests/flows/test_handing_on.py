"""Handing on over three houses: a Japanese item reaches Seoul by way of Washington (``spec/routes.md``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, open_item
from comity.register.rows import ConsignmentRow, ItemRow
from comity.register.rows.routes import HandedOnRow
from trilateral import FIRST, PURPOSE, SECOND, Trilateral


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Trilateral]:
    made = await Trilateral.make(tmp_path)
    yield made
    await made.close()


async def test_a_japanese_item_reaches_seoul_with_both_re_markings_and_three_receipts(world: Trilateral) -> None:
    given, approved = await world.handed_on()
    assert approved.given is not None
    assert approved.given.consignment is not None
    jp, us, kr = (world.houses[each] for each in ("jp", "us", "kr"))
    first = await jp.need(ConsignmentRow, given.consignment or "", "consignment")
    second = await us.need(ConsignmentRow, approved.given.consignment, "consignment")
    third = await jp.need(HandedOnRow, f"{FIRST}/{given.item}/{approved.given.request}", "handing on")
    assert first.receipt is not None
    assert second.receipt is not None
    assert (third.to, third.mark, third.copies) == ("kr", "군사 Ⅱ급 비밀", 1)
    assert third.received is not None
    there = await us.need(ItemRow, given.item, "item")
    assert there.alternative is not None
    assert (there.label.mark, there.alternative.mark) == ("極秘", "SECRET")
    end = await kr.need(ItemRow, given.item, "item")
    assert end.alternative is not None
    assert (end.originator, end.label.policy, end.label.mark, end.alternative.mark) == (
        "jp",
        "us",
        "SECRET",
        "군사 Ⅱ급 비밀",
    )
    opened = await open_item(
        kr, Open(item=given.item, purpose=PURPOSE, path=str(world.folder / "read.txt"), actor=Actor("kim"))
    )
    assert opened.outcome == "permit"
    assert (world.folder / "read.txt").read_bytes() == b"what the station saw"
    assert second.payload == first.payload
    assert second.relationship == SECOND
