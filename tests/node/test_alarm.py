"""The alarm: what became overdue is told once, signed, to one address (``spec/duties.md`` step 10)."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from comity.errors import Rejected, Unavailable
from comity.flows.actors import Actor
from comity.flows.exchanging.exchange import CONFLICT
from comity.flows.giving.answering import Assure, assure
from comity.flows.vouching.contradictions import SettleContradiction, settle_contradiction
from comity.node import alarm as module
from comity.node.alarm import SIGNATURE, Alarm, poster, signature_of
from comity.node.run import found, running
from comity.node.settings import AlarmSettings, Settings
from comity.node.sources import read_secret
from comity.ports import Batch, Put
from comity.register.rows import AskedRow
from comity.stores.key_files import read_private
from flows.test_duties import ARRANGEMENT
from flows.test_frozen import LAYER, lie
from world import RELATIONSHIP, ROOT, SeededEntropy, World

SECRET = b"a secret of both sides"


class Address:
    """An address that keeps what it is sent, and answers as it is told to."""

    def __init__(self) -> None:
        self.status = 204
        self.sent: list[tuple[bytes, dict[str, str]]] = []

    async def post(self, body: bytes, headers: dict[str, str]) -> int:
        self.sent.append((body, headers))
        return self.status

    def overdue(self) -> list[list[tuple[str, str]]]:
        return [
            [(line["who"], line["obligation"]) for line in msgspec.json.decode(body)["overdue"]]
            for body, _ in self.sent
        ]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    world = await World.make(tmp_path, layers=(ARRANGEMENT,))
    await world.ask()
    await world.exchange()
    yield world
    await world.close()


def alarm_of(world: World, address: Address, party: str = "kr", secret: bytes | None = SECRET) -> Alarm:
    return Alarm(world.house(party), address.post, secret, SeededEntropy("pauses"))


async def test_what_became_overdue_is_told_once(world: World) -> None:
    address = Address()
    alarm = alarm_of(world, address)
    assert await alarm.tell() == 0
    world.clock.time += timedelta(days=6)
    assert await alarm.tell() == 1
    assert await alarm.tell() == 0
    assert await alarm_of(world, address).tell() == 0  # nor after another start
    assert address.overdue() == [[("kr", "o-7.5")]]


async def test_the_other_side_is_told_too(world: World) -> None:
    address = Address()
    world.clock.time += timedelta(days=6)
    assert await alarm_of(world, address, "jp").tell() == 1
    assert address.overdue() == [[("kr", "o-7.5")]]


async def test_it_is_signed_and_names_no_person_and_no_content(world: World) -> None:
    address = Address()
    world.clock.time += timedelta(days=6)
    await alarm_of(world, address).tell()
    body, headers = address.sent[0]
    assert headers[SIGNATURE] == "sha256=" + hmac.new(SECRET, body, "sha256").hexdigest()
    message = msgspec.json.decode(body)
    assert set(message) == {"format", "party", "at", "overdue", "contradictions"}
    told = "who relationship subject instrument obligation clause opened due"
    assert set(message["overdue"][0]) == set(told.split())
    assert not re.search(rb"\b[np]-[a-z2-7]{16}\b", body)
    for word in ("kim", "sato", "missiles", "air defence", "report.txt"):
        assert word.encode() not in body
    await alarm_of(world, address, "jp", None).tell()
    assert SIGNATURE not in address.sent[1][1]


@pytest.mark.parametrize("status", [199, 301, 404, 500])
async def test_what_was_not_taken_is_told_again(world: World, status: int) -> None:
    address = Address()
    address.status = status
    alarm = alarm_of(world, address)
    world.clock.time += timedelta(days=6)
    with pytest.raises(Unavailable, match=str(status)):
        await alarm.tell()
    address.status = 200
    assert await alarm.tell() == 1
    assert len(address.sent) == 2


async def test_it_goes_on_after_a_failure_until_somebody_takes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "pause_seconds", lambda *_: 0.0)
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    address = Address()
    taken = asyncio.Event()

    async def post(body: bytes, headers: dict[str, str]) -> int:
        await address.post(body, headers)
        if len(address.sent) == 1:
            raise Unavailable("nobody is there", code="alarm-unreachable")
        if len(address.sent) == 2:
            raise RuntimeError("unforeseen")
        taken.set()
        return 200

    world.clock.time += timedelta(days=6)
    running = asyncio.create_task(Alarm(world.kr, post, None, SeededEntropy("pauses")).run())
    async with asyncio.timeout(60):
        await taken.wait()
        await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(address.sent) == 3


async def test_what_was_done_in_time_is_not_told(world: World) -> None:
    address = Address()
    (request,) = [row async for _, row in world.kr.rows(AskedRow)]
    await assure(
        world.kr,
        Assure(
            request=request.request,
            relationship=RELATIONSHIP,
            recipient=await world.pseudonym("kim"),
            actor=Actor("lee"),
        ),
    )
    world.clock.time += timedelta(days=6)
    assert await alarm_of(world, address).tell() == 0


async def test_over_a_real_line_and_no_further_than_it_was_told() -> None:
    seen: list[tuple[bytes, str]] = []

    async def take(request: web.Request) -> web.Response:
        seen.append((await request.read(), request.headers["Content-Type"]))
        return web.Response(status=204)

    async def elsewhere(_: web.Request) -> web.Response:
        raise web.HTTPFound("/taken")

    app = web.Application()
    app.add_routes([web.post("/taken", take), web.post("/moved", elsewhere)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        headers = {"Content-Type": "application/json"}
        assert await poster(address + "/taken")(b"{}", headers) == 204
        assert await poster(address + "/moved")(b"{}", headers) == 302
        assert seen == [(b"{}", "application/json")]
    finally:
        await runner.cleanup()
    with pytest.raises(Unavailable, match="does not answer"):
        await poster(address + "/taken")(b"{}", {})


def test_a_secret_that_cannot_keep_anybody_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot read this key"):
        read_secret("alarm-secret", tmp_path, "the alarm", read_private)
    (tmp_path / "alarm-secret").touch(0o600)
    (tmp_path / "alarm-secret").write_bytes(b"short\n")
    with pytest.raises(Rejected, match="5 bytes"):
        read_secret("alarm-secret", tmp_path, "the alarm", read_private)
    (tmp_path / "alarm-secret").write_bytes(SECRET + b"\n")
    assert read_secret("alarm-secret", tmp_path, "the alarm", read_private) == SECRET
    assert signature_of(SECRET, b"") == "sha256=" + hmac.new(SECRET, b"", "sha256").hexdigest()


async def test_a_node_raises_it_while_it_runs_and_only_where_it_was_told_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    async def run(alarm: Alarm) -> None:
        begun.append("begun")
        try:
            await asyncio.Event().wait()
        finally:
            begun.append("ended")

    monkeypatch.setattr(Alarm, "run", run)
    for name, alarm in (("without", None), ("with", AlarmSettings(url="http://127.0.0.1:9/"))):
        await found(tmp_path / name, Settings(party="jp", alarm=alarm), "Japan")
        async with running(tmp_path / name):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert begun == ([] if alarm is None else ["begun"])
    assert begun == ["begun", "ended"]


async def test_a_node_does_not_run_with_an_alarm_that_it_cannot_sign(tmp_path: Path) -> None:
    alarm = AlarmSettings(url="https://desk.example/", secret="alarm-secret")
    await found(tmp_path / "jp", Settings(party="jp", alarm=alarm), "Japan")
    with pytest.raises(Unavailable, match="cannot read this secret"):
        async with running(tmp_path / "jp"):
            pytest.fail("it ran")
    (tmp_path / "jp" / "alarm-secret").write_bytes(SECRET)
    with pytest.raises(Rejected, match="others can read this secret"):
        async with running(tmp_path / "jp"):
            pytest.fail("it ran")
    (tmp_path / "jp" / "alarm-secret").chmod(0o600)
    async with running(tmp_path / "jp") as node:
        assert node.says.party == "jp"


async def test_a_contradiction_is_told_once_with_what_follows_on_it(tmp_path: Path) -> None:  # contradictions.md (31)
    world = await World.make(tmp_path, layers=(LAYER,))
    found = await lie(world)
    address = Address()
    assert await alarm_of(world, address, "jp").tell() == 1
    assert await alarm_of(world, address, "jp").tell() == 0
    assert msgspec.json.decode(address.sent[0][0])["contradictions"] == [
        {
            "contradiction": found.contradiction,
            "signer": "kr",
            "relationship": RELATIONSHIP,
            "kind": "two-records",
            "response": ["freeze", "consult"],
        }
    ]
    await lie(world, "n-third")
    address.status = 500
    with pytest.raises(Unavailable):
        await alarm_of(world, address, "jp").tell()
    address.status = 200
    assert await alarm_of(world, address, "jp").tell() == 1
    await world.close()


async def test_what_is_settled_and_what_proves_nothing_is_not_told(tmp_path: Path) -> None:
    world = await World.make(tmp_path, layers=(LAYER,))
    found = await lie(world)
    request = SettleContradiction(contradiction=found.contradiction, reason="a restored copy", actor=ROOT)
    await settle_contradiction(world.jp, request)
    puts = (Put(CONFLICT, f"{RELATIONSHIP}/kr/{99:012d}/{'0' * 64}", b"{}"),)
    await world.jp.store.commit(Batch(puts=puts), {})
    assert await alarm_of(world, Address(), "jp").tell() == 0
    await world.close()
