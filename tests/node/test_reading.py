"""The door for readers: lines, server-sent events and a WebSocket, over the local socket and over TLS (step 17)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.api import Node
from comity.courier.signature import REQUEST_TAG
from comity.errors import InternalError, Misuse, Refused, Unavailable
from comity.feed.reading import Ended, Event, LeftOut, Message, Started
from comity.flows.feeding.reading import Follow
from comity.flows.people.clearances import WithdrawClearance, withdraw_clearance
from comity.node import reading as door
from comity.node import serving
from comity.node.reading import READ
from feeds import FeedWorld, track
from reading_doors import Doors
from world import ROOT


@pytest_asyncio.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    feeds = await FeedWorld.make(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    made = Doors(feeds, folder)
    tasks = [asyncio.create_task(each.run()) for each in made.serving]
    async with feeds.connected():
        yield made
    for each in made.serving:
        each.stop()
    await asyncio.gather(*tasks)
    await feeds.close()


def body(doors: Doors, handle: str = "kim", **changes: object) -> bytes:
    return msgspec.json.encode(doors.feeds.follow(handle, **changes))


@asynccontextmanager
async def reading(doors: Doors, **changes: object) -> AsyncIterator[tuple[list[Event], asyncio.Task[None]]]:
    found: list[Event] = []

    async def read() -> None:
        given = {"feed": "air-picture", "purpose": "air defence", "actor": "kim", **changes}
        async for event in doors.node.follow(**given):
            found.append(event)  # noqa: PERF401 - what came before an error counts too

    task = asyncio.create_task(read())
    try:
        yield found, task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await task


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.002)


def messages(events: list[Event]) -> list[int]:
    return [each.number for each in events if isinstance(each, Message)]


async def test_python_reads_a_feed_as_it_comes(doors: Doors) -> None:
    async with reading(doors) as (found, _):
        await until(lambda: found)
        assert isinstance(found[0], Started)
        await doors.feeds.publish(*[track(each) for each in range(40)])
        await until(lambda: messages(found) == list(range(40)))
    await until(lambda: doors.feeds.readers.open.total() == 0)


async def test_python_is_told_of_a_refusal_as_an_error_and_of_an_end_as_an_event(doors: Doors) -> None:
    for changes, kind in (({"actor": "park"}, Refused), ({"feed": "sea"}, Misuse), ({"after": 7}, Misuse)):
        async with reading(doors, **changes) as (_, task):
            with pytest.raises(kind):
                await task
    async with reading(doors) as (found, task):
        await until(lambda: found)
        await withdraw_clearance(doors.feeds.world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
        await asyncio.wait_for(task, 60)
        assert isinstance(found[-1], Ended)


async def test_python_reads_what_it_asks_for(doors: Doors) -> None:
    async with reading(doors, area=(33, 124, 39, 132), where={"track": "T-2"}, types=["track"]) as (found, _):
        await until(lambda: found)
        await doors.feeds.publish(track(1), track(2), track(2, latitude=10.0))
        await until(lambda: messages(found))
        await asyncio.sleep(0.05)
        assert messages(found) == [1]


async def test_where_no_node_runs_nothing_is_read(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no node runs"):
        async for _ in Node(tmp_path).follow("air-picture", purpose="air defence", actor="kim"):
            pass


async def test_a_node_that_stops_is_told_of(doors: Doors) -> None:
    async with reading(doors) as (found, task):
        await until(lambda: found)
        for each in doors.serving:
            for connection in list(each._state.connections):
                connection.transport.abort()
        with pytest.raises(Unavailable, match="stopped"):
            await task


async def test_a_node_that_is_stopped_says_so_and_is_not_held_up_by_readers(doors: Doors) -> None:
    began = asyncio.get_running_loop().time()
    async with reading(doors) as (found, task), doors.local() as session:
        await until(lambda: found)
        async with session.ws_connect(f"http://comity{READ}") as socket:
            await socket.send_str(body(doors).decode())
            await socket.receive_str()
            for each in doors.serving:
                each.stop()
            with pytest.raises(Unavailable, match="the node stops"):
                await task
            while (await socket.receive()).type is aiohttp.WSMsgType.TEXT:
                pass
    assert asyncio.get_running_loop().time() - began < 5


async def test_what_goes_wrong_later_is_told_where_the_events_are(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept = {"accept": "text/event-stream"}
    async with doors.local() as session, reading(doors) as (found, task):
        await until(lambda: found)
        async with session.post(f"http://comity{READ}", data=body(doors), headers=accept) as response:
            await events_of(response, 2)

            async def defect(*_: object) -> None:
                raise RuntimeError("a defect")

            monkeypatch.setattr(doors.feeds.gates[1], "gate", defect)
            await withdraw_clearance(doors.feeds.world.kr, WithdrawClearance(handle="park", reason="no", actor=ROOT))
            [told] = await events_of(response, 1)
            assert told["event"] == "failed"
            assert msgspec.json.decode(told["data"])["error"]["root"] == "internal"
        with pytest.raises(InternalError):
            await task


async def test_a_reader_who_takes_nothing_holds_nobody_up_and_is_told_what_he_missed(doors: Doors) -> None:
    """His line is full; the feed goes on, another reader has all of it, and what waits for him has its bound."""
    many, asked = 45_000, body(doors)
    head = f"POST {READ} HTTP/1.1\r\nhost: comity\r\ncontent-length: {len(asked)}\r\n\r\n".encode()
    reader, writer = await asyncio.open_unix_connection(str(doors.node.folder / "node.sock"), limit=1024)
    writer.write(head + asked)
    async with reading(doors) as (found, _):
        await until(lambda: found and doors.feeds.readers.open.total() == 2)
        for start in range(0, many, 9_000):
            await doors.feeds.publish(*[track(each) for each in range(start, start + 9_000)])
            await until(lambda end=start + 9_000: len(messages(found)) == end)
        assert messages(found) == list(range(many))
        raw = bytearray()
        last = b'"number":%d,' % (many - 1)
        async with asyncio.timeout(60):
            while last not in raw[-(2**20) :]:
                raw += await reader.read(2**16)
    writer.close()
    lines = [each for each in raw.split(b"\n") if each.startswith(b'{"event":')]
    left = [msgspec.json.decode(each, type=LeftOut) for each in lines if b'"left-out"' in each]
    numbers = [msgspec.json.decode(each)["number"] for each in lines if each.startswith(b'{"event":"message"')]
    assert left
    assert numbers == sorted(numbers)
    missing = sum(each.count for each in left)
    assert len(numbers) + missing >= many - 100  # a few lines are cut by the borders of chunks
    assert numbers[-1] == many - 1


def any_certificate() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


HEAD = f"{READ} HTTP/1.1\r\nhost: comity\r\n"
SOCKET = (
    f"GET {HEAD}upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


@pytest.mark.parametrize("way", ["local", "socket", "network"])
async def test_a_reader_who_never_takes_anything_loses_his_place(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(serving, "UNREAD_SECONDS", 0.3)
    readers, asked = doors.feeds.readers, body(doors)
    if way == "network":
        port = doors.listener.getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=any_certificate(), limit=1024)
    else:
        reader, writer = await asyncio.open_unix_connection(str(doors.node.folder / "node.sock"), limit=1024)
    if way == "socket":
        writer.write(SOCKET.encode())
        await reader.readuntil(b"\r\n\r\n")
        masked = bytes(4) + asked  # a text of up to 64 KiB, masked with nothing
        writer.write(b"\x81\xfe" + len(asked).to_bytes(2, "big") + masked)
    else:
        signed = await doors.signed("kim", asked) if way == "network" else {}
        head = "".join(f"{name}: {value}\r\n" for name, value in signed.items())
        writer.write(f"POST {HEAD}{head}content-length: {len(asked)}\r\n\r\n".encode() + asked)
    async with reading(doors) as (found, _):
        await until(lambda: found and readers.open.total() == 2)
        number = 0
        async with asyncio.timeout(60):
            while readers.open.total() == 2:
                await doors.feeds.publish(*[track(number + each) for each in range(1_000)])
                number += 1_000
                await until(lambda number=number: len(messages(found)) == number)
        assert readers.open.total() == 1
        await until(lambda: sum(len(each._state.connections) for each in doors.serving) == 1)
    writer.close()


async def test_a_reader_who_takes_little_is_not_cut_off(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "UNREAD_SECONDS", 0.5)
    asked = body(doors)
    reader, writer = await asyncio.open_unix_connection(str(doors.node.folder / "node.sock"), limit=1024)
    writer.write(f"POST {HEAD}content-length: {len(asked)}\r\n\r\n".encode() + asked)
    await until(lambda: doors.feeds.readers.open.total() == 1)
    await doors.feeds.publish(*[track(each) for each in range(9_000)])
    for _ in range(20):
        await asyncio.sleep(0.05)
        assert len(await reader.read(2**16)) > 0
    assert doors.feeds.readers.open.total() == 1
    writer.close()


async def events_of(response: aiohttp.ClientResponse, count: int) -> list[dict[str, str]]:
    """Server-sent events as a browser reads them: fields up to an empty line."""
    found: list[dict[str, str]] = []
    now: dict[str, str] = {}
    async with asyncio.timeout(60):
        async for raw in response.content:
            line = raw.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                now[name] = value
            elif "data" in now:
                found.append(now)
                now = {}
                if len(found) == count:
                    break
            else:
                now = {}
    return found


async def test_server_sent_events_go_on_after_the_last_one_that_was_had(doors: Doors) -> None:
    accept = {"accept": "text/event-stream"}
    await doors.feeds.publish(track(1), track(2), track(3))
    async with doors.local() as session:
        url = f"http://comity{READ}"
        async with session.post(url, data=body(doors, after=-1), headers=accept) as response:
            assert response.headers["content-type"] == "text/event-stream"
            found = await events_of(response, 4)
        assert [each["event"] for each in found] == ["started", "standing", "message", "message"]
        assert found[-1]["id"] == "1"
        assert "id" not in found[0]
        async with session.post(url, data=body(doors), headers=accept | {"last-event-id": "1"}) as response:
            found = await events_of(response, 3)
        assert msgspec.json.decode(found[-1]["data"])["number"] == 2
        for nonsense in ("two", "", "-1", "+1", "1.0", "1,2", "0x1", "\u00b2", "9" * 18, "9" * 5_000):
            async with session.post(url, data=body(doors), headers=accept | {"last-event-id": nonsense}) as response:
                assert response.status == 400, nonsense


async def test_a_websocket_carries_one_text_each(doors: Doors) -> None:
    async with doors.local() as session:
        async with session.ws_connect(f"http://comity{READ}") as socket:
            await socket.send_str(body(doors).decode())
            assert [msgspec.json.decode(await socket.receive_str())["event"] for _ in range(2)] == [
                "started",
                "standing",
            ]
            await doors.feeds.publish(track(1))
            assert msgspec.json.decode(await socket.receive_str(), type=Message).number == 0
        await until(lambda: doors.feeds.readers.open.total() == 0)
        async with session.ws_connect(f"http://comity{READ}") as socket:
            await socket.send_str(body(doors, "park").decode())
            told = msgspec.json.decode(await socket.receive_str())
            assert (told["event"], told["error"]["root"]) == ("failed", "refused")
            assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
            assert socket.close_code == 1008


async def test_over_the_network_a_reader_signs_with_his_own_key(doors: Doors) -> None:
    asked = body(doors)
    async with aiohttp.ClientSession() as session:

        async def status(headers: dict[str, str], data: bytes = asked) -> int:
            async with session.post(doors.address + READ, data=data, headers=headers, ssl=False) as response:
                return response.status

        signed = await doors.signed("kim", asked)
        assert await status(signed) == 200
        assert await status(signed) == 401  # the same again
        assert await status({}) == 401
        assert await status(await doors.signed("kim", asked, tag=REQUEST_TAG)) == 401
        assert await status(await doors.signed("kim", asked), body(doors, purpose="a film")) == 422
        assert await status(await doors.signed("jung", asked)) == 403  # who signs reads himself
        stranger = Stranger()
        assert await status(await doors.signed("kim", asked, key=stranger)) == 401
        unknown, other = (
            await doors.signed("nobody", asked, key=stranger),
            await doors.signed("lee", asked, key=stranger),
        )
        told = []
        for headers in (unknown, other):
            async with session.post(doors.address + READ, data=asked, headers=headers, ssl=False) as response:
                told.append(await response.text())
        assert told[0] == told[1]  # nobody learns who there is


class Stranger:
    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(bytes(32))
        self.public = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


async def test_the_opening_of_a_websocket_is_signed_too(doors: Doors) -> None:
    url = doors.address + READ
    async with aiohttp.ClientSession() as session:
        signed = await doors.signed("kim", b"", method="GET")
        async with session.ws_connect(url, headers=signed, ssl=False) as socket:
            await socket.send_str(body(doors).decode())
            assert msgspec.json.decode(await socket.receive_str())["event"] == "started"
        signed = await doors.signed("kim", b"", method="GET")
        async with session.ws_connect(url, headers=signed, ssl=False) as socket:
            await socket.send_str(body(doors, "jung").decode())
            assert msgspec.json.decode(await socket.receive_str())["error"]["code"] == "other-reader"
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(url, ssl=False)
        assert refused.value.status == 401


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"{}",
        b"[1]",
        b'{"feed":"a","purpose":"b","actor":{"handle":"kim"},"x":1}',
        b'{"feed":"air-picture","purpose":"air defence","actor":{"handle":"kim"},'
        b'"filters":{"area":{"south":39,"west":124,"north":33,"east":132}}}',
    ],
)
async def test_what_is_no_request_is_refused(doors: Doors, wrong: bytes) -> None:
    async with doors.local() as session:
        async with session.post(f"http://comity{READ}", data=wrong) as response:
            assert response.status == 400
        async with session.post(f"http://comity{READ}", data=bytes(70_000)) as response:
            assert response.status == 413
        async with session.get(f"http://comity{READ}") as response:
            assert response.status == 405


async def test_whoever_says_nothing_is_not_waited_for(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "REQUEST_SECONDS", 0.1)
    _, port = doors.listener.getsockname()[:2]
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=any_certificate())
    writer.write(f"POST {READ} HTTP/1.1\r\nhost: kr\r\ncontent-length: 100\r\n\r\nabc".encode())
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n"), 60)).split()[1] == b"408"
    writer.close()
    async with doors.local() as session, session.ws_connect(f"http://comity{READ}") as socket:
        assert msgspec.json.decode(await socket.receive_str())["error"]["code"] == "malformed"


def test_a_request_says_what_it_needs() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"feed":"a","purpose":"b","actor":{"handle":"kim"},"after":-2}', type=Follow)
