"""What nothing names is removed; what a record or a waiting request names stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from comity.flows.actors import Actor
from comity.flows.giving.answering import Approve, approve
from comity.flows.giving.opening import Open, open_item
from comity.flows.maintaining.collecting import Collect, collect
from world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path)
    yield made
    await made.close()


async def test_what_is_named_stays(world: World) -> None:
    given = await world.given()
    await world.ask()
    assert (await collect(world.jp, Collect())).payloads == 0
    assert (await collect(world.kr, Collect())).payloads == 0
    target = str(world.folder / "opened.txt")
    opened = await open_item(world.kr, Open(item=given.item, purpose="air defence", path=target, actor=Actor("kim")))
    assert opened.opening is not None


async def test_a_waiting_request_is_still_carried_out(world: World) -> None:
    asked = await world.ask()
    await collect(world.jp, Collect())
    assert len(await world.jp.blobs.all()) == 1
    assert asked.consignment is None


async def test_a_refused_request_leaves_nothing_behind(world: World) -> None:
    asked = await world.ask()
    await approve(world.jp, Approve(request=asked.request, reason="no", granted=False, actor=Actor("abe")))
    assert (await collect(world.jp, Collect())).payloads == 1
    assert await world.jp.blobs.all() == []


async def test_an_upload_that_no_record_names_is_removed(world: World) -> None:
    orphan = b"sealed by nobody we know"
    await world.kr.blobs.put_many({sha256(orphan).digest(): orphan})
    assert (await collect(world.kr, Collect())).payloads == 1


async def test_an_upload_that_nobody_goes_on_with_is_removed(world: World) -> None:
    whole = b"only half of it ever came"
    digest = sha256(whole).digest()
    await world.kr.blobs.append(digest, 0, whole[:12], len(whole))
    assert await world.kr.blobs.unfinished() == [digest]
    assert (await collect(world.kr, Collect())).payloads == 1
    assert await world.kr.blobs.unfinished() == []


async def test_what_is_being_sealed_now_is_left_alone(world: World) -> None:
    sealed = b"on its way into a record"
    await world.jp.payloads.keep(sha256(sealed).digest(), sealed)
    assert (await collect(world.jp, Collect())).payloads == 0
