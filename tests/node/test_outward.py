"""What answers a node beyond its bounds: nothing is unpacked, no redirection followed, no endless line kept."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from comity.errors import ComityError, Rejected
from comity.flows.vouching.cosigning import ANSWER_BYTES_MAX
from comity.node.alarm import poster
from comity.node.following import LINE_BYTES_MAX, _lines
from comity.node.submitting import witness_poster
from comity.node.timestamping import stamp_poster
from comity.timestamps.token import TOKEN_BYTES_MAX

NODE = Path(__file__).parents[2] / "src/comity/node"
UNPACKED = 2**26
PACKED = gzip.compress(bytes(UNPACKED))


@pytest.fixture
async def server() -> AsyncIterator[str]:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        assert "Accept-Encoding" not in request.headers
        assert "User-Agent" not in request.headers
        if request.path == "/moved":
            raise web.HTTPTemporaryRedirect("/packed")
        if request.path == "/long":
            return web.Response(body=bytes(2**20))
        return web.Response(body=PACKED, headers={"Content-Encoding": "gzip"})

    application = web.Application()
    application.router.add_post("/{way}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert runner.addresses
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
        assert asked.count("/packed") <= 1, "a redirection was followed"


async def test_a_packed_answer_is_not_unpacked(server: str) -> None:
    """64 MiB come as 64 KiB: as they are, or refused by their length."""
    assert len(PACKED) < ANSWER_BYTES_MAX
    assert (await witness_poster()(f"{server}/packed", b"")).body == PACKED


async def test_the_answers_of_witnesses_and_authorities_have_bounds(server: str) -> None:
    with pytest.raises(ComityError, match="more than"):
        await witness_poster()(f"{server}/long", b"")
    assert TOKEN_BYTES_MAX < len(await stamp_poster(f"{server}/long")(b"")) < 2**20


@pytest.mark.parametrize("ask", ["alarm", "witness"])
async def test_no_redirection_is_followed(ask: str, server: str) -> None:
    if ask == "alarm":
        assert await poster(f"{server}/moved")(b"{}", {}) == 307
    else:
        assert (await witness_poster()(f"{server}/moved", b"")).status == 307


def test_every_request_says_that_it_follows_none() -> None:
    asked = [
        (path.name, call)
        for path in NODE.glob("*.py")
        for call in re.findall(r"session\.(?:post|get|request)\(.*? as \w+", path.read_text(), re.DOTALL)
    ]
    assert len(asked) >= 4
    assert [each for each in asked if "allow_redirects=False" not in each[1]] == []
    assert [path.name for path in NODE.glob("*.py") if "ClientSession(" in path.read_text()] == ["outward.py"]


async def test_a_line_without_end_is_refused() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"{}\n"
        while True:
            yield bytes(2**20)

    lines = _lines(pieces())
    assert await anext(lines) == b"{}"
    with pytest.raises(Rejected, match=str(LINE_BYTES_MAX)):
        await anext(lines)


def test_the_bounds_are_small() -> None:
    assert max(ANSWER_BYTES_MAX, TOKEN_BYTES_MAX) <= 2**16
