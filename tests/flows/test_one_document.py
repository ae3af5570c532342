"""One document, two parties, from decision to opening."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, open_item
from comity.register.rows import ConsignmentRow, CopyRow
from world import RELATIONSHIP, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path)
    yield made
    await made.close()


async def test_a_document_is_given_receipted_and_opened(world: World) -> None:
    given = await world.given()
    assert given.outcome == "permit"
    for house in (world.jp, world.kr):
        row = await house.need(ConsignmentRow, given.consignment or "", "consignment")
        assert row.receipt is not None
        copies = [copy async for _, copy in house.rows(CopyRow, f"{RELATIONSHIP}/{given.item}/")]
        assert [(copy.number, copy.state) for copy in copies] == [(1, "held")]
    target = world.folder / "opened.txt"
    opened = await open_item(
        world.kr,
        Open(item=given.item, purpose="air defence", path=str(target), actor=Actor("kim")),
    )
    assert opened.outcome == "permit"
    assert target.read_bytes() == b"a report"
    assert "일본국 정부" in (opened.banner.text() if opened.banner else "")
