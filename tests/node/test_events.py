"""Feeds as CloudEvents over HTTP, to and from the CloudEvents project's own library (``spec/doors.md`` 19 to 21)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio
from cloudevents.core.bindings import http
from cloudevents.core.v1.event import CloudEvent

from comity.courier.signature import READING_TAG, audience_of, sign_request
from comity.errors import Rejected, Unavailable
from comity.feed.reading import Gap, LeftOut
from comity.flows.table import FLOWS
from comity.node.events import EVENTS, READ_EVENTS, SUBPROTOCOL, EventReadingDoor, PublishingDoor, _Written
from comity.node.local import LocalDoor, local_path
from comity.node.reading import READ, SignedReaders
from comity.node.serving import Serving, listen_tcp, listen_unix
from comity.node.sources import Source, Tokens
from comity.node.tls import server_context
from comity.record.card import read_card
from comity.seal.certificate import make_certificate
from comity.stores.key_files import read_private
from courier.keys import NOW
from feeds import NAME, FeedWorld
from feeds import SCHEMA as SENSORS
from feeds import TERMS as CROSSING
from world import TODAY

SCHEMA = (
    SENSORS.partition("time = ")[0]
    + """
time = "ce_time"
source = "ce_source"

[type.fields]
ce_id = { kind = "text", mark = "秘" }
ce_source = { kind = "text", mark = "秘" }
ce_time = { kind = "instant", mark = "秘" }
ce_turn = { kind = "integer", mark = "秘", optional = true }
track = { kind = "text", mark = "秘" }
height = { kind = "number", mark = "極秘", optional = true }
method = { kind = "text", mark = "機密", optional = true }
"""
)
TERMS = (
    CROSSING.partition("[[release.posture]]")[0]
    + """
[[release.posture]]
posture = "normal"
[release.posture.types.track]
fields = ["ce_id", "ce_source", "ce_time", "ce_turn", "track", "height"]
"""
)
PREFIX = "org.example."
STRUCTURED, BATCHED = "application/cloudevents+json", "application/cloudevents-batch+json"
TOKEN, OTHER_TOKEN = "a token of the station on the coast", "a token of the station inland"


class Both:
    """Tokyo's node, where events come in, and Seoul's, where they are read."""

    def __init__(self, feeds: FeedWorld, folder: Path) -> None:
        self.feeds = feeds
        world = feeds.world
        self.tokyo, self.seoul = folder / "tokyo", folder / "seoul"
        for each in (self.tokyo, self.seoul):
            each.mkdir(mode=0o700)
        made = make_certificate("jp", NOW)
        (folder / "certificate").write_bytes(made.chain)
        (folder / "key").write_bytes(made.key)
        for name, token in (("coast", TOKEN), ("inland", OTHER_TOKEN)):
            (self.tokyo / f"{name}.token").touch(0o600)
            (self.tokyo / f"{name}.token").write_text(token + "\n")
        tls = server_context(folder / "certificate", folder / "key")
        listener, outside = listen_tcp("127.0.0.1", 0), listen_tcp("127.0.0.1", 0)
        self.address = f"https://127.0.0.1:{listener.getsockname()[1]}"
        self.outside = f"https://127.0.0.1:{outside.getsockname()[1]}"
        named = [Source(token=f"{each}.token", feeds=("air-picture",)) for each in ("coast", "inland")]
        tokens = Tokens(named, self.tokyo, read_private)
        here = PublishingDoor(feeds.feeds[0], feeds.gates[0], world.jp)
        there = PublishingDoor(feeds.feeds[0], feeds.gates[0], world.jp, tokens)
        reads = EventReadingDoor(feeds.readers, world.kr)
        signed = EventReadingDoor(feeds.readers, world.kr, SignedReaders(world.kr))
        self.serving = (
            Serving(LocalDoor(world.jp, FLOWS, _after, apps={EVENTS: here}), listen_unix(local_path(self.tokyo))),
            Serving(there, listener, tls),
            Serving(
                LocalDoor(world.kr, FLOWS, _after, apps={READ_EVENTS: reads}),
                listen_unix(local_path(self.seoul)),
                ending=reads.end,
            ),
            Serving(signed, outside, tls, ending=signed.end),
        )

    def local(self, folder: Path) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(folder / "node.sock")))

    async def publish(
        self, headers: dict[str, str], body: bytes | str, query: str = "", status: int = 200
    ) -> dict[str, Any]:
        async with (
            self.local(self.tokyo) as session,
            session.post(
                f"http://comity{EVENTS}?feed=air-picture&prefix={PREFIX}{query}", data=body, headers=headers
            ) as response,
        ):
            found = await response.json()
            assert response.status == status, found
            return found

    async def arrived(self, count: int) -> None:
        recipient = await self.feeds.feeds[1].recipient(NAME)
        async with asyncio.timeout(60):
            while recipient.first < count:
                await self.feeds.world.exchange()
                await asyncio.sleep(0.01)

    async def read(self, handle: str = "kim", wait: int = 0, **changes: object) -> tuple[list[CloudEvent], str]:
        body = msgspec.json.encode(self.feeds.follow(handle, **changes))
        prefer = {"prefer": f"respond-async, wait={wait}"} if wait else {}
        async with (
            self.local(self.seoul) as session,
            session.post(f"http://comity{READ_EVENTS}?prefix={PREFIX}", data=body, headers=prefer) as response,
        ):
            text = await response.read()
            assert response.status == 200, text
            assert response.headers["content-type"] == BATCHED
            return parsed(json.loads(text)), response.headers["comity-next"]


async def _after(flow: str) -> None:
    pass


@pytest_asyncio.fixture
async def both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Both]:
    monkeypatch.setattr(FeedWorld.release, "__defaults__", (TERMS, ("kim", "jung", "park", "choi"), SCHEMA))
    feeds = await FeedWorld.make(tmp_path)
    made = Both(feeds, tmp_path)
    tasks = [asyncio.create_task(each.run()) for each in made.serving]
    async with feeds.connected():
        yield made
    for each in made.serving:
        each.stop()
    await asyncio.gather(*tasks)
    await feeds.close()


def event(number: int, **changes: object) -> CloudEvent:
    said = {
        "specversion": "1.0",
        "id": f"e-{number}",
        "source": "/stations/7",
        "type": f"{PREFIX}track",
        "time": TODAY,
        "datacontenttype": "application/json",
        "turn": number,
    }
    return CloudEvent(said, data={"track": f"T-{number}", "height": 9.5, "method": "multistatic", **changes})


def parsed(events: list[object]) -> list[CloudEvent]:
    """Events of a batch, each read by the library."""
    return [http.from_http_event(http.HTTPMessage({"content-type": STRUCTURED}, json.dumps(each))) for each in events]


def messages(events: list[CloudEvent]) -> list[CloudEvent]:
    return [each for each in events if each.get_type() == f"{PREFIX}track"]


async def test_what_they_publish_in_each_mode_they_read_again(both: Both) -> None:
    structured, binary = http.to_structured_event(event(1)), http.to_binary_event(event(2))
    batch = json.dumps([json.loads(http.to_structured_event(event(each)).body) for each in (3, 4)])
    assert (await both.publish(dict(structured.headers), structured.body))["accepted"] == 1
    assert (await both.publish(dict(binary.headers), binary.body))["accepted"] == 1
    assert (await both.publish({"content-type": BATCHED}, batch))["accepted"] == 2
    await both.arrived(4)
    events, following = await both.read(after=-1)
    found = messages(events)
    assert [each.get_id() for each in found] == ["e-1", "e-2", "e-3", "e-4"]
    assert following == "4"
    assert {(each.get_source(), each.get_time()) for each in found} == {("/stations/7", TODAY)}
    assert [each.get_extension("turn") for each in found] == [1, 2, 3, 4]
    assert found[0].get_data() == {"track": "T-1", "height": 9.5}  # cut by the release


async def test_who_may_see_less_reads_less_and_what_he_is_told_besides_are_events_too(both: Both) -> None:
    structured = http.to_structured_event(event(1))
    await both.publish(dict(structured.headers), structured.body)
    await both.arrived(1)
    events, _ = await both.read("jung", after=-1)
    assert messages(events)[0].get_data() == {"track": "T-1"}
    assert [each.get_type() for each in events if each not in messages(events)] == ["comity.started", "comity.standing"]
    started = events[0]
    assert started.get_source() == f"{NAME.origin}/reading/{started.get_data()['decision_record'][:16]}"
    assert len({(each.get_source(), each.get_id()) for each in events}) == len(events)


async def test_each_event_is_taken_or_refused_by_itself(both: Both) -> None:
    good = json.loads(http.to_structured_event(event(1)).body)
    bad = [{**good, "specversion": "0.3"}, good, {**good, "data": {"track": 7}}, {**good, "type": "com.other"}, good]
    told = await both.publish({"content-type": BATCHED}, json.dumps(bad))
    assert (told["accepted"], told["refused"]) == (2, {"bad-attribute": 1, "bad-field": 1, "unknown-type": 1})
    assert [(each["place"], each["code"]) for each in told["told"]] == [
        (0, "bad-attribute"),
        (2, "bad-field"),
        (3, "unknown-type"),
    ]
    none = await both.publish({"content-type": BATCHED}, json.dumps(bad[:1]), status=422)
    assert (none["accepted"], none["refused"]) == (0, {"bad-attribute": 1})
    assert (await both.publish({"content-type": BATCHED}, "[]"))["accepted"] == 0
    for content in (STRUCTURED, "application/cloudevents+xml", "text/plain"):
        assert (await both.publish({"content-type": content}, "[]", status=422))["accepted"] == 0


async def test_a_numbered_request_that_is_made_again_is_taken_once(both: Both) -> None:
    structured = http.to_structured_event(event(1))
    for accepted, repeated in ((1, 0), (0, 1)):
        told = await both.publish(dict(structured.headers), structured.body, "&source=coast&request=1")
        assert (told["accepted"], told["repeated"]) == (accepted, repeated)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", f"{EVENTS}?feed=air-picture", b"", 405, "wrong-method"),
        ("POST", f"{EVENTS}?feed=sea", b"{}", 400, "unknown-feed"),
        ("POST", f"{EVENTS}?feed=air-picture&request=x", b"{}", 400, "bad-request-number"),
        ("POST", f"{EVENTS}?feed=air-picture&request={'9' * 5_000}", b"{}", 400, "bad-request-number"),
        ("POST", f"{EVENTS}?feed=air-picture", b" " * 1_048_577, 413, "too-large"),
    ],
)
async def test_what_can_not_be_published_says_why(
    both: Both, method: str, path: str, body: bytes, status: int, code: str
) -> None:
    async with (
        both.local(both.tokyo) as session,
        session.request(method, f"http://comity{path}", data=body, headers={"content-type": STRUCTURED}) as response,
    ):
        assert (response.status, (await response.json())["error"]["code"]) == (status, code)


async def test_over_the_network_a_source_shows_its_token(both: Both) -> None:
    structured = http.to_structured_event(event(1))
    path = f"{both.address}{EVENTS}?prefix={PREFIX}&feed="
    async with aiohttp.ClientSession() as session:
        for shown, feed, status, code in (
            (None, "air-picture", 401, "unknown-token"),
            ("Bearer something else entirely", "air-picture", 401, "unknown-token"),
            (TOKEN, "air-picture", 401, "unknown-token"),
            (f"Bearer {TOKEN}", "sea", 403, "not-this-feed"),
            (f"Bearer {TOKEN}", "air-picture", 200, None),
        ):
            headers = {**structured.headers, **({"authorization": shown} if shown else {})}
            async with session.post(path + feed, data=structured.body, headers=headers, ssl=False) as response:
                told = await response.json()
                assert (response.status, told.get("error", {}).get("code")) == (status, code)
        async with session.post(both.address + READ, data=b"{}", ssl=False) as response:
            assert response.status == 404
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(both.address + EVENTS, ssl=False)


async def test_no_source_takes_the_place_of_another_by_calling_itself_so(both: Both) -> None:
    structured = http.to_structured_event(event(1))
    path = f"{both.address}{EVENTS}?prefix={PREFIX}&feed=air-picture&source=radar&request="
    async with aiohttp.ClientSession() as session:
        for token, number, accepted in ((OTHER_TOKEN, 9, 1), (TOKEN, 9, 1), (TOKEN, 9, 0), (OTHER_TOKEN, 10, 1)):
            headers = {**structured.headers, "authorization": f"Bearer {token}"}
            async with session.post(f"{path}{number}", data=structured.body, headers=headers, ssl=False) as response:
                told = await response.json()
                assert (told["accepted"], told["repeated"]) == (accepted, 1 - accepted)
    here = await both.publish(dict(structured.headers), structured.body, "&source=radar&request=1")
    assert here["accepted"] == 1


def test_numbers_of_a_source_say_nothing_of_the_number_that_comes_next() -> None:
    class Clock:
        def now(self) -> datetime:
            return NOW

    written = _Written({}, Clock())
    assert len(list(written.events([Gap(0, 2**40, "radar"), Gap(3, 7), Gap(0, 2**40, "radar")]))) == 3
    assert written.next == 8
    list(written.events([LeftOut(8, 11, 4)]))
    assert written.next == 12


def test_a_token_that_keeps_nobody_out_is_none(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot read"):
        Tokens([Source(token="t", feeds=("air",))], tmp_path, read_private)
    (tmp_path / "t").touch(0o600)
    (tmp_path / "t").write_text("short")
    with pytest.raises(Rejected, match="a source has 5 bytes"):
        Tokens([Source(token="t", feeds=("air",))], tmp_path, read_private)


async def test_who_prefers_to_wait_gets_what_comes(both: Both) -> None:
    waiting = asyncio.create_task(both.read(wait=10))
    async with asyncio.timeout(60):
        while not both.feeds.readers.open.total():
            await asyncio.sleep(0.002)
    structured = http.to_structured_event(event(1))
    await both.publish(dict(structured.headers), structured.body)
    await both.arrived(1)
    events, following = await asyncio.wait_for(waiting, 60)
    assert ([each.get_id() for each in messages(events)], following) == (["e-1"], "1")
    events, following = await both.read()
    assert (messages(events), following) == ([], "1")


async def test_a_websocket_speaks_events(both: Both) -> None:
    said = {"specversion": "1.0", "id": "1", "source": "/desk", "type": "comity.follow"}
    request = {**said, "data": msgspec.to_builtins(both.feeds.follow("kim", after=-1))}
    url = f"http://comity{READ_EVENTS}?prefix={PREFIX}"
    structured = http.to_structured_event(event(1))
    await both.publish(dict(structured.headers), structured.body)
    await both.arrived(1)
    async with both.local(both.seoul) as session:
        async with session.ws_connect(url, protocols=[SUBPROTOCOL]) as socket:
            assert socket.protocol == SUBPROTOCOL
            await socket.send_str(json.dumps(request))
            found: list[CloudEvent] = []
            async with asyncio.timeout(60):
                while not messages(found):
                    found += parsed([json.loads(await socket.receive_str())])
            assert messages(found)[0].get_id() == "e-1"
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await session.ws_connect(url)
        assert caught.value.status == 400
        for wrong in ({**request, "type": "comity.other"}, {**request, "data": 7}, {**request, "id": ""}, []):
            async with session.ws_connect(url, protocols=[SUBPROTOCOL]) as socket:
                await socket.send_str(json.dumps(wrong))
                assert '"failed"' in await socket.receive_str()


async def test_who_may_not_read_is_refused_and_over_the_network_who_is_nobody(both: Both) -> None:
    async with both.local(both.seoul) as session, aiohttp.ClientSession() as network:
        body = msgspec.json.encode(both.feeds.follow("park"))
        async with session.post(f"http://comity{READ_EVENTS}", data=body) as response:
            assert response.status == 403
        async with network.post(both.outside + READ_EVENTS, data=body, ssl=False) as response:
            assert response.status == 401


async def test_over_the_network_a_person_reads_events_by_his_signature(both: Both) -> None:
    structured = http.to_structured_event(event(1))
    await both.publish(dict(structured.headers), structured.body)
    await both.arrived(1)
    body = msgspec.json.encode(both.feeds.follow("kim", after=-1))
    house = both.feeds.world.kr
    headers = sign_request(
        "POST",
        READ_EVENTS,
        body,
        sender="kim",
        audience=audience_of(read_card(await house.card())),
        nonce=bytes(16),
        created=int(both.feeds.world.clock.time.timestamp()),
        signer=house.keys.person((await house.person("kim")).person),
        tag=READING_TAG,
    )
    async with (
        aiohttp.ClientSession() as session,
        session.post(both.outside + READ_EVENTS, data=body, headers=headers, ssl=False) as response,
    ):
        assert response.status == 200
        assert [each["id"] for each in await response.json(content_type=BATCHED)][-1] == "e-1"
