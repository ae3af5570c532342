"""Keeping up with peers: nothing is lost while one is down, and nobody waits for another."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from hashlib import sha256
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.courier.loopback import LoopbackCourier
from comity.errors import Unavailable
from comity.flows.exchanging.parcel import Parcel, Sent, read_parcel, write_parcel
from comity.node import worker
from comity.node.worker import PAUSE_SECONDS_FIRST, PAUSE_SECONDS_MAX, Workers, pause_seconds
from comity.ports import Reply
from courier.keys import Clock, card, seeded

RELATIONSHIP = "jp-kr-2016/jp.kr"
BLOB = b"sealed payload"


class FakeHouse:
    """A chain of ``said`` records; the peer has ``acknowledged`` of them."""

    def __init__(self) -> None:
        self.known = [(RELATIONSHIP, "kr")]
        self.cards = {"kr": card("kr"), "us": card("us")}
        self.said = 0
        self.acknowledged = 0
        self.bell = asyncio.Event()
        self.large: list[tuple[bytes, int]] = []
        self.exchange = self
        self.blobs = self

    def say(self) -> None:
        self.said += 1
        self.bell.set()

    async def correspondence(self) -> list[tuple[str, str]]:
        return self.known

    async def peer_card(self, party: str):
        return self.cards[party]

    async def wait_for_work(self, relationship: str, seconds: float) -> bool:
        if relationship == RELATIONSHIP and self.said > self.acknowledged:
            return True
        self.bell.clear()
        await self.bell.wait()
        return True

    async def pack(self, relationship: str) -> Parcel:
        sent = tuple(Sent(b"%d" % number, bytes(32)) for number in range(self.acknowledged, self.said))
        return Parcel("comity-parcel/1", relationship, "jp", "kr", self.acknowledged, sent, b"", b"", 0)

    async def take_reply(self, relationship: str, body: bytes) -> None:
        self.acknowledged = read_parcel(body).have

    async def large_blobs(self, parcel: Parcel) -> list[tuple[bytes, int]]:
        return self.large

    @asynccontextmanager
    async def open(self, digest: bytes):
        yield BytesIO(BLOB)


class Peer:
    """Takes records in order; down while ``down``."""

    def __init__(self) -> None:
        self.down = False
        self.have = 0
        self.requests: list[str] = []
        self.tries = 0
        self.deaf = False
        self.connected = 0

    def connect(self, _card) -> LoopbackCourier:
        self.connected += 1
        return LoopbackCourier(self.handle)

    async def handle(self, method: str, path: str, body: bytes, headers) -> Reply:
        self.tries += 1
        if self.down:
            raise Unavailable("the peer is down", code="peer-unreachable")
        self.requests.append(f"{method} {path}")
        if "/blobs/" in path:
            return Reply(200, b"%d" % (len(BLOB) if method == "PUT" else 0))
        parcel = read_parcel(body)
        assert parcel.start <= self.have
        if not self.deaf:
            self.have = max(self.have, parcel.start + len(parcel.entries))
        return Reply(200, write_parcel(Parcel("comity-parcel/1", RELATIONSHIP, "kr", "jp", 0, (), b"", b"", self.have)))


@pytest.fixture
async def scene(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(worker, "PAUSE_SECONDS_FIRST", 0.001)
    house, peer = FakeHouse(), Peer()
    workers = Workers(house, connect=peer.connect, clock=Clock(), entropy=seeded("pauses"))
    await workers.refresh()
    yield house, peer, workers
    await workers.close()


async def until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.001)


async def test_what_is_said_is_handed_over(scene) -> None:
    house, peer, workers = scene
    house.say()
    await until(lambda: house.acknowledged == 1)
    house.say()
    house.say()
    await until(lambda: house.acknowledged == 3)
    assert peer.have == 3
    await until(lambda: workers.roads()[0].last_success is not None)
    assert peer.connected == 1


async def test_a_peer_that_was_down_gets_everything(scene) -> None:
    house, peer, workers = scene
    peer.down = True
    for _ in range(5):
        house.say()
    await until(lambda: peer.tries > 3)
    road = workers.roads()[0]
    assert road.failures >= 3
    assert "the peer is down" in road.last_error
    assert road.next_try > Clock().at
    peer.down = False
    await until(lambda: house.acknowledged == 5)
    await until(lambda: workers.roads()[0].failures == 0)
    assert workers.roads()[0].last_error == ""


async def test_a_peer_that_is_heard_of_is_tried_at_once(scene, monkeypatch: pytest.MonkeyPatch) -> None:
    house, peer, workers = scene
    monkeypatch.setattr(worker, "pause_seconds", lambda *_: 3_600.0)
    peer.down = True
    house.say()
    await until(lambda: workers.roads()[0].failures == 1)
    peer.down = False
    await asyncio.sleep(0.02)
    workers.heard("us")
    await asyncio.sleep(0.02)
    assert house.acknowledged == 0
    workers.heard("kr")
    await until(lambda: house.acknowledged == 1)


async def test_a_relationship_of_which_something_is_missed_is_tried_at_once(
    scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, peer, workers = scene
    monkeypatch.setattr(worker, "pause_seconds", lambda *_: 3_600.0)
    peer.down = True
    house.say()
    await until(lambda: workers.roads()[0].failures == 1)
    peer.down = False
    await asyncio.sleep(0.02)
    workers.wake("unknown/jp.kr")
    workers.wake(workers.roads()[0].relationship)
    await until(lambda: house.acknowledged == 1)


async def test_payloads_too_large_for_a_parcel_go_first(scene) -> None:
    house, peer, _ = scene
    house.large = [(sha256(BLOB).digest(), len(BLOB))]
    house.say()
    await until(lambda: house.acknowledged == 1)
    assert [request.split("/")[2] for request in peer.requests] == ["blobs", "blobs", "exchange"]


async def test_a_peer_that_answers_and_takes_nothing_is_no_reason_to_hurry(scene) -> None:
    house, peer, workers = scene
    peer.deaf = True
    house.say()
    await until(lambda: workers.roads()[0].failures > 0)
    assert "has taken nothing since record 0" in workers.roads()[0].last_error
    peer.deaf = False
    await until(lambda: house.acknowledged == 1)


async def test_a_defect_is_logged_and_tried_again(scene, caplog: pytest.LogCaptureFixture) -> None:
    house, _, workers = scene
    taken = house.cards.pop("kr")
    house.say()
    await until(lambda: workers.roads()[0].failures > 0)
    assert workers.roads()[0].last_error == "this node failed on it; its log says why"
    assert "KeyError" in caplog.text
    house.cards["kr"] = taken
    await until(lambda: house.acknowledged == 1)


async def test_a_new_relationship_and_a_new_card_are_noticed(scene) -> None:
    house, peer, workers = scene
    house.say()
    await until(lambda: house.acknowledged == 1)
    house.known.append(("jp-us-2007/jp.us", "us"))
    await workers.refresh()
    await workers.refresh()
    assert [road.peer for road in workers.roads()] == ["kr", "us"]
    house.cards["kr"] = card("kr", addresses=("https://elsewhere.example",))
    house.say()
    await until(lambda: house.acknowledged == 2)
    assert peer.connected >= 2


@given(st.integers(1, 10_000), st.binary(min_size=4, max_size=4))
def test_pauses_grow_up_to_a_bound(failures: int, random: bytes) -> None:
    seconds = pause_seconds(failures, lambda _: random)
    longest = min(PAUSE_SECONDS_MAX, PAUSE_SECONDS_FIRST * 2.0 ** min(failures - 1, 40))
    assert longest / 2 <= seconds <= longest
