"""Ledgers are stamped by an authority while a node runs (``spec/timestamps.md`` steps 1 and 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from comity.errors import Misuse, Rejected, Unavailable
from comity.flows.looking.views import ShowOutbox, show_outbox
from comity.flows.vouching.stamping import newest_stamp, stamped_text, stamps
from comity.node.settings import TimestampSettings
from comity.node.timestamping import Stamper, stamp_poster, stamper_of
from comity.timestamps.token import TOKEN_BYTES_MAX, read_authorities, verify_token
from flows.parcels import JP
from timestamps.authority import Authority
from world import SeededEntropy, World

HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World.make(tmp_path)
    world.clock.time = datetime.now(UTC)  # the authority has the clock of this machine
    yield world
    await world.close()


def stamper(world: World, authority: Authority, believed: bytes = b"") -> Stamper:
    async def post(request: bytes) -> bytes:
        return authority.stamp(request)

    entropy = SeededEntropy("pauses")
    return Stamper(world.jp, post, read_authorities(believed or authority.root), HOUR, entropy)


async def test_what_has_grown_is_stamped_and_no_more(world: World, authority: Authority) -> None:  # (7)
    one = stamper(world, authority)
    assert await one.stamp() == 2  # the relationship's and the house's
    assert await one.stamp() == 0
    line = next(each for each in (await show_outbox(world.jp, ShowOutbox())).chains if each.chain == JP)
    assert line.stamped == world.jp.sequencer.marked(JP).size
    first = await newest_stamp(world.jp, JP)
    assert first is not None
    assert first.size == world.jp.sequencer.marked(JP).size
    assert verify_token(first.token, stamped_text(first.note), read_authorities(authority.root)) == first.at
    await world.given()
    assert await one.stamp() == 0  # not before its time
    world.clock.time += 2 * HOUR
    assert await one.stamp() == 2
    assert [each.size for each in [stamp async for stamp in stamps(world.jp, JP)]] == [
        first.size,
        world.jp.sequencer.marked(JP).size,
    ]
    world.clock.time += 2 * HOUR
    assert await one.stamp() == 0  # nothing has grown


async def test_a_token_of_somebody_else_is_not_kept(world: World, authority: Authority, tmp_path: Path) -> None:  # (5)
    other = Authority(tmp_path, "b")
    with pytest.raises(Rejected):
        await stamper(world, authority, other.root).stamp()
    assert await newest_stamp(world.jp, JP) is None


async def test_an_old_answer_is_not_kept(world: World, authority: Authority) -> None:  # (4)
    answers: list[bytes] = []

    async def replayed(request: bytes) -> bytes:
        answers.append(authority.stamp(request))
        return answers[0]

    one = Stamper(world.jp, replayed, read_authorities(authority.root), HOUR, SeededEntropy("pauses"))
    with pytest.raises(Rejected):  # the second ledger gets the answer of the first
        await one.stamp()


async def test_the_authority_over_http(authority: Authority, unused_port: int) -> None:  # (1)
    asked: list[str] = []

    async def reply(request: web.Request) -> web.Response:
        asked.append(request.headers["Content-Type"])
        body = await request.read()
        if body == b"large":
            return web.Response(body=bytes(4 * TOKEN_BYTES_MAX))
        if body == b"elsewhere":
            raise web.HTTPFound("/")
        return web.Response(body=b"answer")

    app = web.Application()
    app.router.add_post("/tsr", reply)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_port).start()
    post = stamp_poster(f"http://127.0.0.1:{unused_port}/tsr")
    try:
        assert await post(b"query") == b"answer"
        assert asked == ["application/timestamp-query"]
        assert len(await post(b"large")) > TOKEN_BYTES_MAX  # and is refused as a token
        with pytest.raises(Unavailable) as caught:
            await post(b"elsewhere")
        assert caught.value.code == "authority-refused"
    finally:
        await runner.cleanup()
    with pytest.raises(Unavailable) as caught:
        await post(b"query")
    assert caught.value.code == "no-authority"


@pytest.fixture
def unused_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def test_a_certificate_that_is_none(world: World, tmp_path: Path) -> None:
    settings = TimestampSettings(url="https://stamps.example/tsr", certificate="authority.pem")
    with pytest.raises(Unavailable) as caught:
        stamper_of(world.jp, tmp_path, settings, SeededEntropy("pauses"))
    assert caught.value.code == "unreadable-file"
    (tmp_path / "authority.pem").write_text("none")
    with pytest.raises(Misuse):
        stamper_of(world.jp, tmp_path, settings, SeededEntropy("pauses"))
