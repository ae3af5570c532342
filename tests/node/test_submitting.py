"""``spec/witness.md`` step 31: the way to a third-party witness, which may answer anything."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from comity.errors import Unavailable
from comity.flows.vouching.cosigning import ANSWER_BYTES_MAX, Posted
from comity.node import submitting
from comity.node.serving import listen_tcp
from comity.node.submitting import witness_poster


class Server:
    """Answers whatever it is told to, byte for byte."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.answer = b""
        self.asked = 0


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    listener = listen_tcp("127.0.0.1", 0)
    made = Server(f"http://127.0.0.1:{listener.getsockname()[1]}")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        made.asked += 1
        writer.write(made.answer)
        if made.answer:
            await writer.drain()
            writer.close()

    listening = await asyncio.start_server(serve, sock=listener)
    yield made
    listening.close()


def http(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def test_an_answer_comes_as_it_is(server: Server) -> None:
    server.answer = http("409 Conflict", b"7\n", "Content-Type: text/x.tlog.size")
    assert await witness_poster()(server.address, b"old 0\n") == Posted(409, "text/x.tlog.size", b"7\n")


async def test_no_redirection_is_followed(server: Server) -> None:
    server.answer = http("307 Temporary Redirect", b"", f"Location: {server.address}/elsewhere")
    assert (await witness_poster()(server.address, b"old 0\n")).status == 307
    assert server.asked == 1


async def test_no_more_is_read_than_an_answer_can_have(server: Server) -> None:
    server.answer = http("200 OK", bytes(ANSWER_BYTES_MAX))
    assert len((await witness_poster()(server.address, b"")).body) == ANSWER_BYTES_MAX
    server.answer = http("200 OK", bytes(ANSWER_BYTES_MAX + 1))
    with pytest.raises(Unavailable) as caught:
        await witness_poster()(server.address, b"")
    assert caught.value.code == "answer-too-large"


@pytest.mark.parametrize("answer", [b"what?\r\n\r\n", http("200 OK", b"1234")[:-2]])
async def test_what_is_no_http_is_no_answer(server: Server, answer: bytes) -> None:
    server.answer = answer
    with pytest.raises(Unavailable) as caught:
        await witness_poster()(server.address, b"")
    assert caught.value.code == "witness-unreachable"


async def test_whoever_is_silent_or_away_is_given_up(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submitting, "ANSWER_SECONDS", 0.1)
    for address in (server.address, "http://127.0.0.1:9"):
        with pytest.raises(Unavailable) as caught:
            await witness_poster()(address, b"")
        assert caught.value.code == "witness-unreachable"
