"""Reading a feed: who may, what he sees, and when it ends (``spec/feed.md`` step 16)."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from comity.errors import Misuse, Refused, Unavailable
from comity.feed.filters import Filters
from comity.feed.reading import Changed, Ended, Event, Gap, LeftOut, Message, Skew, Stale, Standing, Started
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import OutcomeTold, Why, why
from comity.flows.feeding import permission, reading
from comity.flows.feeding.readings import ListReadings, list_readings
from comity.flows.people.clearances import ChangeList, WithdrawClearance, change_list, withdraw_clearance
from comity.register.rows import DecisionRow
from comity.register.rows.feeding import FeedEpochRow, FeedReadRow, FeedReleaseRow
from feeds import NAME, FeedWorld, track
from world import ROOT


@pytest_asyncio.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[FeedWorld]:
    made = await FeedWorld.make(tmp_path)
    async with made.connected():
        yield made
    await made.close()


class Told:
    """What a reader is told, gathered while it comes."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.error: Exception | None = None

    @property
    def messages(self) -> list[Message]:
        return [each for each in self.events if isinstance(each, Message)]

    @property
    def numbers(self) -> list[int]:
        return [each.number for each in self.messages]

    def of(self, kind: type) -> list[Event]:
        return [each for each in self.events if isinstance(each, kind)]

    async def until(self, condition) -> None:
        async with asyncio.timeout(60):
            while not condition():
                if self.error is not None:
                    raise self.error
                await asyncio.sleep(0.002)


@asynccontextmanager
async def following(feeds: FeedWorld, handle: str, **changes: object) -> AsyncIterator[Told]:
    told = Told()

    async def follow() -> None:
        try:
            async for events in feeds.readers.follow(feeds.follow(handle, **changes)):
                told.events += events
        except Exception as error:  # noqa: BLE001 - told to whoever waits
            told.error = error

    task = asyncio.create_task(follow())
    try:
        await told.until(lambda: told.events)
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def decisions(feeds: FeedWorld) -> list[DecisionRow]:
    return [row async for _, row in feeds.world.kr.rows(DecisionRow, "air-picture/")]


async def test_whoever_is_cleared_and_listed_reads_for_the_purpose_it_was_released_for(feeds: FeedWorld) -> None:
    async with following(feeds, "kim") as told:
        [started, standing] = told.events
        assert isinstance(started, Started)
        assert started.fields == {"track": ("track", "observed", "latitude", "longitude", "height", "sensor")}
        assert (started.mark, started.mark_here) == ("極秘", "군사 Ⅱ급 비밀")
        assert isinstance(standing, Standing)
        assert (standing.stands, standing.posture) == (True, "normal")
        await feeds.publish(track(1), track(2))
        await told.until(lambda: len(told.messages) == 2)
    first = told.messages[0]
    assert msgspec.json.decode(first.view)["latitude"] == 38.0
    assert b"multistatic" not in bytes(first.view)
    assert (first.number, first.source, first.turn) == (0, "s-1", 0)
    assert first.arrived is not None
    assert first.arrived >= first.published
    assert len(await decisions(feeds)) == 1
    assert feeds.readers.counts[next(iter(feeds.readers.counts))]["message"] == 2


async def test_somebody_cleared_for_less_sees_the_fields_he_is_cleared_for(feeds: FeedWorld) -> None:
    async with following(feeds, "jung") as told:
        await feeds.publish(track(1))
        await told.until(lambda: told.messages)
    [message] = told.messages
    assert set(msgspec.json.decode(message.view)) == {"type", "track", "observed", "latitude", "longitude"}
    assert (message.source, message.turn) == ("", None)


async def test_who_was_shown_what_is_recorded_and_told_to_whoever_may_see_it(
    feeds: FeedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with following(feeds, "kim") as told:
        await feeds.publish(track(0))
        await told.until(lambda: told.messages)
    async with following(feeds, "jung", filters=Filters(where={"track": "T-2"})) as told:
        await feeds.publish(track(1), track(2))
        await told.until(lambda: told.messages)
    async with following(feeds, "kim") as told:
        pass  # he is shown nothing

    async def readings(handle: str | None = None, number: int | None = None) -> list[tuple[str, int, int, int]]:
        actor = None if handle is None else Actor(handle)
        request = ListReadings(feed="air-picture", number=number, actor=actor)
        found = await list_readings(feeds.world.kr, request)
        return [(each.reader, each.first, each.last, each.messages) for each in found]

    await told.until(lambda: not feeds.readers.open.total())
    assert await readings() == [("kim", 0, 0, 1), ("jung", 2, 2, 1)]
    assert await readings("lee", number=2) == [("jung", 2, 2, 1)]
    assert await readings("kim") == [("kim", 0, 0, 1)]
    assert await readings("park") == []
    [row] = [row async for _, row in feeds.world.kr.rows(FeedReadRow, f"{NAME.chain.replace('/feed/', '/')}/{0:019d}")]
    [decided] = await why(feeds.world.kr, Why(of=row.basis.hex()))
    assert isinstance(decided.told, OutcomeTold)
    assert decided.told.outcome == "permit"

    monkeypatch.setattr(reading, "SAY_READ", timedelta(0))
    async with following(feeds, "kim") as told:
        await feeds.publish(track(3))
        await told.until(lambda: told.messages)
        while ("kim", 3, 3, 1) not in await readings():  # while he reads on
            await asyncio.sleep(0.002)


async def test_a_level_cuts_the_view_on_either_partys_ladder(feeds: FeedWorld) -> None:
    for mark in ("秘", "군사 Ⅲ급 비밀"):
        async with following(feeds, "kim", filters=Filters(mark=mark)) as told:
            [started] = told.of(Started)
            assert isinstance(started, Started)
            assert started.fields == {"track": ("track", "observed", "latitude", "longitude")}


@pytest.mark.parametrize("handle", ["park", "choi"])
async def test_whoever_is_not_cleared_or_not_listed_reads_nothing_and_it_is_recorded(
    feeds: FeedWorld, handle: str
) -> None:
    with pytest.raises(Refused, match="may not read 'air-picture'") as refused:
        async for _ in feeds.readers.follow(feeds.follow(handle)):
            pass
    assert len(await decisions(feeds)) == 1
    of = re.search("comity why ([0-9a-f]{16})", str(refused.value))
    assert of is not None
    [told] = await why(feeds.world.kr, Why(of=of[1]))
    assert told.replayed


async def test_whoever_is_not_named_learns_of_no_feed_unless_he_might_read_it(feeds: FeedWorld) -> None:
    world = feeds.world
    await world.person("kr", "seo")
    with pytest.raises(Misuse) as unknown:
        async for _ in feeds.readers.follow(feeds.follow("seo")):
            pass
    with pytest.raises(Misuse) as none:
        async for _ in feeds.readers.follow(feeds.follow("kim", feed="sea-picture")):
            pass
    assert str(unknown.value).replace("air", "sea") == str(none.value)
    assert len(await decisions(feeds)) == 1


async def test_whoever_only_audits_or_keeps_the_node_reads_nothing(feeds: FeedWorld) -> None:
    await feeds.world.person("kr", "baek", roles=("auditor",))
    with pytest.raises(Refused, match="handles no content"):
        async for _ in feeds.readers.follow(feeds.follow("baek")):
            pass


async def test_another_purpose_needs_consent(feeds: FeedWorld) -> None:
    with pytest.raises(Refused, match="consent-missing"):
        async for _ in feeds.readers.follow(feeds.follow("kim", purpose="a film")):
            pass


async def test_a_clearance_that_is_withdrawn_ends_the_reading_before_the_next_message(feeds: FeedWorld) -> None:
    async with following(feeds, "kim") as told:
        await feeds.publish(track(1))
        await told.until(lambda: told.messages)
        await withdraw_clearance(feeds.world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
        await feeds.publish(track(2))
        await told.until(lambda: told.of(Ended))
    assert told.numbers == [0]
    [ended] = told.of(Ended)
    assert isinstance(ended, Ended)
    assert "clearance-missing" in ended.sentence
    assert len(await decisions(feeds)) == 2
    assert feeds.readers.open.total() == 0


async def test_who_is_taken_from_the_list_reads_no_further(feeds: FeedWorld) -> None:
    async with following(feeds, "kim") as told:
        await change_list(feeds.world.kr, ChangeList(topic="missiles", handle="kim", listed=False, actor=ROOT))
        await told.until(lambda: told.of(Ended))


async def test_a_clearance_that_runs_out_needs_no_record(feeds: FeedWorld) -> None:
    async with following(feeds, "kim") as told:
        feeds.world.clock.time += timedelta(days=366)
        await told.until(lambda: told.of(Ended))


async def test_a_release_that_no_longer_names_him_ends_it_and_what_was_before_stays_his(feeds: FeedWorld) -> None:
    async with following(feeds, "kim") as told:
        await feeds.publish(track(1))
        await feeds.release(people=("jung",))
        await told.until(lambda: told.of(Ended))
    async with following(feeds, "jung", after=-1) as told:
        await feeds.publish(track(2))
        await told.until(lambda: len(told.messages) == 2)
    assert told.numbers == [0, 1]


async def test_terms_under_which_he_may_not_read_are_left_out_and_said_so(feeds: FeedWorld) -> None:
    await feeds.publish(track(1), track(2))
    await feeds.release(people=("kim", "choi"))
    await feeds.publish(track(3))
    await feeds.release(people=("kim", "jung"))
    async with following(feeds, "jung", after=-1) as told:
        await feeds.publish(track(4))
        await told.until(lambda: 3 in told.numbers)
    assert told.numbers == [0, 1, 3]
    assert told.of(LeftOut) == [LeftOut(2, 2, 1, "not-permitted")]


async def test_whoever_is_named_later_reads_from_then_on_though_the_terms_are_the_same(feeds: FeedWorld) -> None:
    await feeds.release(people=("kim",))
    await feeds.publish(track(1))
    async with following(feeds, "kim") as told:
        await feeds.release(people=("kim", "jung"))
        async with following(feeds, "jung") as later:
            await feeds.publish(track(2))
            await later.until(lambda: later.numbers == [1])
        await told.until(lambda: told.numbers == [1])
    assert not later.of(LeftOut)


async def test_no_more_read_at_once_than_a_node_bears(feeds: FeedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READERS_MAX", 1)
    async with following(feeds, "kim"):
        with pytest.raises(Unavailable, match="1 read feeds at this node already"):
            async for _ in feeds.readers.follow(feeds.follow("jung")):
                pass
    async with following(feeds, "jung"):
        pass


async def test_one_person_does_not_take_the_place_of_all(feeds: FeedWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "READINGS_MAX", 2)
    async with following(feeds, "kim"), following(feeds, "kim"):
        with pytest.raises(Unavailable, match="2 times already") as caught:
            async for _ in feeds.readers.follow(feeds.follow("kim")):
                pass
        assert caught.value.code == "too-many-readings"
        async with following(feeds, "jung"):
            pass
    async with following(feeds, "kim"):
        pass


async def test_what_somebody_may_see_is_worked_out_once_for_all_his_readings_after_each_commit_and_each_second(
    feeds: FeedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, worked_out, weigh = feeds.world.kr, list[str](), permission.weigh
    permissions = permission.Permissions(house)
    [release] = [row async for _, row in house.rows(FeedReleaseRow)]

    async def counted(*asked: Any) -> permission.Permission:
        worked_out.append(asked[5])
        return await weigh(*asked)

    async def look(purpose: str = "air defence") -> int:
        for _ in range(3):
            await permissions.look(NAME.relationship, release, "kim", purpose)
        return len(worked_out)

    monkeypatch.setattr(permission, "weigh", counted)
    assert await look() == await look() == 1
    assert await look("a film") == 2
    await change_list(house, ChangeList(topic="missiles", handle="kim", listed=False, actor=ROOT))
    assert await look() == 3
    assert not (await permissions.look(NAME.relationship, release, "kim", "air defence")).permission.permits
    feeds.world.clock.time += timedelta(seconds=1)
    assert await look() == 4


async def test_reading_goes_on_where_it_stood(feeds: FeedWorld) -> None:
    await feeds.publish(*[track(each) for each in range(3)])
    async with following(feeds, "kim", after=0) as told:
        await told.until(lambda: len(told.messages) == 2)
        await feeds.publish(track(3))
        await told.until(lambda: len(told.messages) == 3)
    assert told.numbers == [1, 2, 3]
    assert [each.arrived is None for each in told.messages] == [True, True, False]
    with pytest.raises(Misuse, match="there are 4 messages here"):
        async for _ in feeds.readers.follow(feeds.follow("kim", after=4)):
            pass


async def test_the_posture_and_the_end_are_told(feeds: FeedWorld) -> None:
    async with following(feeds, "kim") as told:
        await feeds.publish(track(1))
        await feeds.declare("crisis")
        await told.until(lambda: any(getattr(each, "posture", "") == "crisis" for each in told.events))
        await feeds.publish(track(2))
        await told.until(lambda: len(told.messages) == 2)
        assert msgspec.json.decode(told.messages[1].view)["latitude"] == 38.02
        [started] = told.of(Started)
        assert isinstance(started, Started)
        await feeds.end(started.release)
        await told.until(lambda: not told.of(Standing)[-1].stands)
    assert not told.of(Ended)  # what has come stays his to read
    assert told.of(Changed) in ([], [Changed("posture", 1)])


@pytest.mark.parametrize(("bound", "most"), [("WAITING_MAX", 3), ("WAITING_BYTES_MAX", 500)])
async def test_a_slow_reader_is_told_what_was_left_out_and_goes_on_with_the_newest(
    feeds: FeedWorld, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(reading, bound, most)
    slow = feeds.readers.follow(feeds.follow("kim"))
    told = list(await anext(slow))
    waiting = asyncio.ensure_future(anext(slow))
    await feeds.publish(track(0))
    told += await waiting
    for number in range(1, 9):
        await feeds.publish(track(number))
    while not any(isinstance(each, Message) and each.number == 8 for each in told):
        told += await anext(slow)
    await slow.aclose()
    [left] = [each for each in told if isinstance(each, LeftOut)]
    assert left == LeftOut(1, 5, 5, "slow")
    assert [each.number for each in told if isinstance(each, Message)] == [0, 6, 7, 8]


async def test_a_clock_that_was_far_ahead_and_is_not_any_more_stamps_what_is_published_rightly(
    feeds: FeedWorld,
) -> None:
    """Records never go back; messages do, and no key is made for each batch of them."""
    clock = feeds.world.clock
    async with following(feeds, "kim") as told:
        for number, passes in enumerate([0, 7200, -7200, 1, 1, 1]):
            clock.time += timedelta(seconds=passes)
            await feeds.publish(track(number))
            await told.until(lambda count=number + 1: len(told.messages) == count)
        assert clock.time - told.messages[-1].published < timedelta(seconds=2)
        skews = [each for each in told.of(Skew) if isinstance(each, Skew) and not each.source]
        assert [(each.why, each.number) for each in skews] == [("back", 2)]
        assert skews[0].seconds == pytest.approx(7200, abs=5)
        assert len([row async for _, row in feeds.world.kr.rows(FeedEpochRow)]) == 3
        assert not told.of(Stale)


async def test_what_was_made_durable_and_not_handed_on_comes_from_the_store(feeds: FeedWorld) -> None:
    """A channel may be cut between the one and the other."""
    recipient = await feeds.feeds[1].recipient(NAME)
    async with following(feeds, "kim") as told:
        await feeds.publish(track(0))
        await told.until(lambda: told.numbers == [0])
        [listener] = recipient.listeners
        recipient.listeners.clear()
        await feeds.publish(track(1))
        recipient.listeners.append(listener)
        await told.until(lambda: told.numbers == [0, 1])
        recipient.listeners.clear()
        await feeds.publish(track(2))
        recipient.listeners.append(listener)
        await feeds.publish(track(3))
        await told.until(lambda: told.numbers == [0, 1, 2, 3])
    assert not told.of(Gap)
    assert not recipient.listeners


@pytest.mark.parametrize("seed", range(4))
async def test_whoever_comes_back_with_the_last_number_misses_nothing_and_gets_nothing_twice(
    feeds: FeedWorld, seed: int
) -> None:
    """Readers leave and come back at any moment, while the feed is published and its postures change."""
    chance = random.Random(seed)
    many, had = 60, list[int]()

    async def publish() -> None:
        number = 0
        while number < many:
            count = min(chance.randint(1, 6), many - number)
            await feeds.publish(*[track(number + each) for each in range(count)])
            number += count
            if chance.random() < 0.15:
                await feeds.declare(chance.choice(["crisis", "heightened"]))
            await asyncio.sleep(chance.random() * 0.01)

    publishing = asyncio.create_task(publish())
    async with asyncio.timeout(60):
        while len(had) < many:
            leaves = chance.randint(1, 12)
            after = had[-1] if had else -1
            async with aclosing(feeds.readers.follow(feeds.follow("kim", after=after))) as told:
                async for events in told:
                    assert not [each for each in events if isinstance(each, Gap | LeftOut | Ended)]
                    had += [each.number for each in events if isinstance(each, Message)]
                    if len(had) >= many or chance.randint(0, leaves) == 0:
                        break
    await publishing
    assert had == list(range(many))
