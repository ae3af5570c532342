"""``comity feed follow``: a feed in the terminal, a line for each event, or as lines of JSON."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from cloudevents.core.bindings import http

from comity.cli.following import Latencies, told_event
from comity.cli.main import main
from comity.cli.outward import Outward, Way
from comity.cli.person_keys import make_person_keys, parse_person_keys
from comity.doors import recording
from comity.doors.passing import Setting
from comity.doors.table import DOORS
from comity.errors import Rejected
from comity.feed.reading import (
    Changed,
    Dropped,
    Ended,
    Gap,
    LeftOut,
    Message,
    Skew,
    Stale,
    Standing,
    Started,
)
from comity.flows.people.clearances import (
    ChangeList,
    GrantClearance,
    WithdrawClearance,
    change_list,
    grant_clearance,
    withdraw_clearance,
)
from doors.keys import CENTRE, elliptic
from feeds import NAME, FeedWorld, track
from reading_doors import Doors
from world import ROOT, TODAY

STRUCTURED = {"content-type": "application/cloudevents+json"}


@pytest_asyncio.fixture
async def doors(tmp_path: Path) -> AsyncIterator[Doors]:
    feeds = await FeedWorld.make(tmp_path)
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "node.toml").write_text('party = "kr"\n')
    made = Doors(feeds, folder)
    tasks = [asyncio.create_task(each.run()) for each in made.serving]
    async with feeds.connected():
        yield made
    for each in made.serving:
        each.stop()
    await asyncio.gather(*tasks)
    await feeds.close()


class Followed:
    def __init__(self) -> None:
        self.code: int | None = None


@asynccontextmanager
async def following(doors: Doors, *more: str, handle: str = "kim") -> AsyncIterator[Followed]:
    """The verb in a thread, until it ends by itself."""
    told = Followed()
    arguments = ["--folder", str(doors.node.folder), "feed", "follow", "air-picture", "--purpose", "air defence"]

    def run() -> None:
        told.code = main([*arguments, "--as", handle, *more])

    task = asyncio.create_task(asyncio.to_thread(run))
    try:
        async with asyncio.timeout(60):
            while not (task.done() or doors.feeds.readers.open.total()):
                await asyncio.sleep(0.002)
            await asyncio.sleep(0.05)
            yield told
            await task
    finally:
        assert task.done()


async def test_each_event_is_a_line_for_people(doors: Doors, capsys: pytest.CaptureFixture[str]) -> None:
    async with following(doors, "--count", "2", "--type", "track", "--area", "33,124,39,132") as told:
        await doors.feeds.publish(track(1), track(2, latitude=10.0), track(3))
    assert told.code == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "air-picture of 'jp', 極秘, 군사 Ⅱ급 비밀 here, for 'air defence'"
    assert lines[1] == "  track: track, observed, latitude, longitude, height, sensor"
    assert lines[3] == "stands   posture normal"
    assert lines[4].split()[0] == "0"
    assert "track=T-1" in lines[4]
    assert "latitude=38.0" in lines[4]
    assert "track=T-3" in lines[5]
    assert lines[6].startswith("2 messages; from publication to here: now ")


async def test_each_event_is_a_line_of_json_for_programs(doors: Doors, capsys: pytest.CaptureFixture[str]) -> None:
    await doors.feeds.publish(track(1), track(2))
    async with following(doors, "--count", "1", "--after", "0", "--json") as told:
        pass
    assert told.code == 0
    events = [msgspec.json.decode(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["event"] for each in events] == ["started", "standing", "message"]
    assert (events[2]["number"], events[2]["view"]["track"]) == (1, "T-2")


async def test_each_message_is_an_event_for_another_system_and_the_rest_stands_beside(
    doors: Doors, capsys: pytest.CaptureFixture[str]
) -> None:
    async with following(doors, "--count", "2", "--door", "cloudevents", "--prefix", "org.example.") as told:
        await doors.feeds.publish(track(1), track(2))
    assert told.code == 0
    printed = capsys.readouterr()
    found = [http.from_http_event(http.HTTPMessage(STRUCTURED, line.encode())) for line in printed.out.splitlines()]
    assert [(each.get_id(), each.get_source(), each.get_type()) for each in found] == [
        (number, NAME.origin, "org.example.track") for number in ("0", "1")
    ]
    assert [each.get_data()["track"] for each in found] == ["T-1", "T-2"]
    assert "stands   posture normal" in printed.err
    assert printed.err.endswith("2 documents written\n")


async def test_events_are_written_in_batches_each_into_a_file(
    doors: Doors, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await doors.feeds.publish(*[track(each) for each in range(5)])
    more = [
        "--door",
        "cloudevents",
        "--batch",
        "2",
        "--origin",
        "https://example.org/air",
        "--into",
        str(tmp_path / "o"),
    ]
    async with following(doors, "--after", "-1", "--count", "6", *more):
        await asyncio.sleep(0.4)  # a batch that is not full is written by itself
        written = sorted((tmp_path / "o").iterdir())
        await doors.feeds.publish(track(5))
    batches = [msgspec.json.decode(each.read_bytes()) for each in written]
    assert [[each["id"] for each in batch] for batch in batches] == [["0", "1"], ["2", "3"], ["4"]]
    assert batches[0][0]["source"] == "https://example.org/air"
    assert len(list((tmp_path / "o").iterdir())) == 4
    assert capsys.readouterr().out == ""


async def test_what_is_no_alert_is_told_once_and_counted(doors: Doors, capsys: pytest.CaptureFixture[str]) -> None:
    key, certificate = elliptic(CENTRE)
    (doors.node.folder / "k.pem").write_bytes(key)
    (doors.node.folder / "c.pem").write_bytes(certificate)
    pair = ["--sign-with", str(doors.node.folder / "k.pem"), "--certificate", str(doors.node.folder / "c.pem")]
    async with following(doors, "--count", "2", "--door", "cap", *pair) as told:
        await doors.feeds.publish(track(1), track(2))
    assert told.code == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.count("unknown-type: ") == 1
    assert printed.err.endswith("0 documents written, 2 unknown-type\n")


def test_alerts_are_signed_with_the_key_that_the_reader_names(tmp_path: Path) -> None:
    key, certificate = elliptic(CENTRE)
    way = Way(
        door=DOORS["cap"],
        setting=Setting(now=recording.clock, key=key, certificate=certificate),
        folder=tmp_path / "alerts",
    )
    came = Setting(now=recording.clock, trusted=(recording.launch_certificate(),))
    messages = list(DOORS["cap"].messages(BytesIO(recording.launch_alert()), came))
    with Outward(way, told_event) as outward:
        for number, each in enumerate(messages):
            assert isinstance(each, bytes)
            outward.tell(Message(number, "x", "s", 0, TODAY, TODAY, msgspec.Raw(each)))
    (file,) = (tmp_path / "alerts").iterdir()
    assert file.suffix == ".xml"
    ours = Setting(now=recording.clock, trusted=(certificate,))
    again = list(DOORS["cap"].messages(BytesIO(file.read_bytes()), ours))
    signers = {msgspec.json.decode(each).get("signer") for each in again if isinstance(each, bytes)}
    assert (len(again), signers) == (len(messages), {None, "CN=Warning centre"})


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["--door", "asterix"], "'asterix' is not one of"),
        (["--door", "cap"], "an alert is signed: name a private key and its certificate"),
        (["--door", "cap", "--sign-with", "nowhere.pem"], "cannot read 'nowhere.pem'"),
        (["--door", "cap", "--batch", "2"], "add --door cloudevents"),
        (["--door", "cloudevents", "--certificate", "c.pem"], "add --door cap"),
        (["--into", "here"], "name what they are with --door"),
        (["--door", "json", "--json"], "choose one"),
    ],
)
def test_a_door_that_has_not_what_it_needs_is_told_of_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "kr", "--name", "Korea", "--pouch-only", "--folder", "kr"]) == 0
    assert main(["--folder", "kr", "feed", "follow", "air", "--purpose", "x", "--as", "kim", *typed]) in (1, 2)
    assert says in capsys.readouterr().err


async def test_who_was_shown_what_is_a_table(doors: Doors, capsys: pytest.CaptureFixture[str]) -> None:
    async def ask(*more: str) -> str:
        arguments = ["--folder", str(doors.node.folder), "feed", "readers", "air-picture", *more]
        assert await asyncio.to_thread(main, arguments) == 0
        return capsys.readouterr().out

    assert "nobody is recorded" in await ask()
    async with following(doors, "--count", "2"):
        await doors.feeds.publish(track(1), track(2))
    capsys.readouterr()
    while (told := await ask("--number", "1")).startswith("nobody"):
        await asyncio.sleep(0.01)
    heads, line = told.splitlines()
    assert heads.split() == ["who", "messages", "how", "many", "until", "for", "decision"]
    assert line.split()[:5] == ["kim", "0", "to", "1", "2"]
    assert "nobody" in await ask("--number", "2")
    assert "nobody" in await ask("--as", "park")


async def test_who_may_not_read_is_told_so_and_so_is_who_may_no_longer(
    doors: Doors, capsys: pytest.CaptureFixture[str]
) -> None:
    async with following(doors, handle="park") as told:
        pass
    assert told.code == 3
    assert "clearance-missing" in capsys.readouterr().err
    async with following(doors) as told:
        await withdraw_clearance(doors.feeds.world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
    assert told.code == 3
    assert capsys.readouterr().out.splitlines()[-1].startswith("ended    'kim' may not read")


async def test_what_is_typed_wrongly_is_told_before_anything_is_asked(
    doors: Doors, capsys: pytest.CaptureFixture[str]
) -> None:
    for more in (("--area", "north"), ("--where", "track")):
        async with following(doors, *more) as told:
            pass
        assert told.code == 1
    assert "write south,west,north,east" in capsys.readouterr().err


async def test_who_keeps_his_own_keys_reads_from_another_machine(
    doors: Doors, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = doors.feeds.world

    class Now(datetime):
        @classmethod
        def now(cls, tz=None) -> datetime:
            return world.clock.time

    monkeypatch.setattr("comity.cli.following.datetime", Now)
    text = make_person_keys("now", os.urandom)
    keys = parse_person_keys(text, "")
    await world.person(
        "kr", "seo", custody="strict", recipient=str(keys.identities[0].recipient), signing_key=keys.public
    )
    until = TODAY + timedelta(days=365)
    mark = "군사 Ⅱ급 비밀"
    grant = GrantClearance(handle="seo", mark=mark, until=until, basis="vetted", actor=ROOT, all_information=True)
    await grant_clearance(world.kr, grant)
    await change_list(world.kr, ChangeList(topic="missiles", handle="seo", listed=True, actor=ROOT))
    await world.exchange()
    await doors.feeds.release(people=("seo",))
    (tmp_path / "seo.key").write_text(text)
    (tmp_path / "kr.card").write_bytes(await doors.card())
    (tmp_path / "other.card").write_bytes(await doors.card(certificate=bytes(32)))
    more = ["--at", doors.address, "--key", str(tmp_path / "seo.key"), "--card", str(tmp_path / "kr.card"), "--json"]
    async with following(doors, *more, "--count", "1", handle="seo") as told:
        await doors.feeds.publish(track(1))
    assert told.code == 0
    assert [msgspec.json.decode(line)["event"] for line in capsys.readouterr().out.splitlines()][-1] == "message"
    for wrong, handle, code, said in (
        (more, "kim", 4, "signs with this key"),
        ([*more[:-2], str(tmp_path / "other.card")], "seo", 4, "another certificate"),
        (["--at", "https://127.0.0.1:1", *more[2:]], "seo", 5, "cannot be reached"),
        (more[:2], "seo", 1, "a reader signs"),
    ):
        async with following(doors, *wrong, handle=handle) as told:
            pass
        assert (told.code, said in capsys.readouterr().err) == (code, True), said
    with pytest.raises(Rejected, match="nothing else"):
        keys.reading.sign(b"anything else")


def test_every_event_has_its_words() -> None:
    later = TODAY + timedelta(seconds=2)
    record = "1a2b3c4d5e6f7a8b9c"
    events = [
        Started(
            feed="air-picture",
            relationship="jp-kr-2016/jp.kr",
            publisher="jp",
            release="r-1",
            mark="極秘",
            mark_here="",
            purpose="air defence",
            until=later,
            fields={},
            decision_record=record,
            next=7,
        ),
        Message(7, "track", "s", 0, TODAY, None, msgspec.Raw(b'{"type":"track","track":"T\\u001b[2J","height":9.5}')),
        Gap(1, 4),
        Gap(5, 5, "s"),
        Dropped("track", "rate", 40, TODAY, later),
        Stale("s", "track", TODAY, 6.0, 1.0),
        Stale("", "track", TODAY, 6.0, 0.0),
        Skew("s", "back", 6.0, 7),
        Skew("", "ahead", 27.0, 7),
        LeftOut(1, 500, 500),
        LeftOut(2, 2, 1, "not-permitted"),
        Changed("posture", 9),
        Standing(stands=False, why="ended", posture="normal", since=TODAY),
        Ended("forbidden", "'kim' may not read", record),
    ]
    told = ["".join(p if isinstance(p, str) else p[0] for p in parts) for each in events for parts in told_event(each)]
    assert told == [
        "air-picture of 'jp', 極秘, for 'air defence'",
        "  decided in 1a2b3c4d5e6f7a8b; message 7 is the next",
        "7        03:00:00.000  track  s  track=T<U+001B>[2J  height=9.5",
        "gap      messages 1 to 4 did not come",
        "gap      of source 's' message 5 did not come",
        "dropped  40 of type 'track' did not cross: rate, 03:00:00 to 03:00:02 UTC",
        "stale    nothing of 's' for 6.0 s; usual were 1.0 s",
        "stale    nothing of 'track' for 6.0 s",
        "skew     the clock of 's' went back, by 6.0 s, at 7",
        "skew     the publisher's clock lies ahead, by 27.0 s, at 7",
        "left out messages 1 to 500: they were not taken in time; the store has them",
        "left out message 2: they were released to others; the store has them",
        "changed  posture: from message 9 on",
        "stopped  nothing crosses now: ended",
        "ended    'kim' may not read",
    ]


def test_latencies_are_told_as_the_newest_the_median_and_the_99th_percentile() -> None:
    kept = Latencies()
    assert kept.told() == ""
    for each in range(100, 0, -1):
        kept.add(float(each))
    kept.add(1500.0)
    assert kept.told() == "now 1.50 s · median 51.0 ms · p99 0.10 s"
