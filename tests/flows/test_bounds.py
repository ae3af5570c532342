"""What bounds the time of a record, as the story of an item tells it (``spec/ledger.md`` step 106)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, open_item
from comity.flows.house import House
from comity.flows.looking.bounds import Bounds, bounds_of
from comity.flows.looking.item_events import Event
from comity.flows.looking.item_story import ShowItem, show_item
from world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path)
    yield made
    await made.close()


async def told(house: House, item: str, *, bounds: bool = True, handle: str | None = None) -> dict[str, Event]:
    actor = Actor(handle) if handle else None
    story = await show_item(house, ShowItem(item=item, bounds=bounds, actor=actor))
    return {event.what: event for event in story.events}


async def test_a_record_stands_between_what_it_cites_and_who_vouched(world: World) -> None:
    item = (await world.given()).item
    request = Open(item=item, purpose="air defence", path=str(world.folder / "opened"), actor=Actor("kim"))
    world.clock.time += timedelta(hours=1)
    before = await told(world.jp, item)
    assert before["given"].not_after is not None  # Seoul cosigned it
    await open_item(world.kr, request)
    written = (await told(world.kr, item))["opened"]
    assert written.not_before is not None
    assert before["given"].at <= written.not_before <= written.at  # it had seen what it opens
    assert written.not_after is None  # nobody has it yet but its author
    world.clock.time += timedelta(hours=1)
    await world.exchange()
    for house in (world.jp, world.kr):
        opened = (await told(house, item))["opened"]
        assert opened.not_after is not None
        assert opened.at < opened.not_after
    assert (await told(world.jp, item))["decided"].not_before is None  # what is of the house alone cites nobody


async def test_nobody_else_is_told_and_nothing_unasked(world: World) -> None:
    item = (await world.given()).item
    for events in (await told(world.jp, item, bounds=False), await told(world.kr, item, handle="kim")):
        assert {(event.not_before, event.not_after) for event in events.values()} == {(None, None)}


async def test_a_record_that_is_not_here(world: World) -> None:
    assert await bounds_of(world.jp, bytes(32)) == Bounds()
