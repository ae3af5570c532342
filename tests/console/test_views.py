"""Readings that browsers hold open (``spec/feed.md`` step 20), with readers that do as a test says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from comity.console import views as room
from comity.console.sessions import Session
from comity.console.views import VIEWS_OF_ONE_MAX, Views
from comity.errors import InternalError, Refused, Unavailable
from comity.feed.reading import Event, Standing
from comity.flows.actors import Actor
from comity.flows.feeding.reading import Follow
from world import TODAY, StandingClock

STANDS = Standing(stands=True, why="", posture="normal", since=TODAY)


class Readers:
    """Readers of a feed: one event at once, then nothing more until they are ended."""

    def __init__(self, *, silent: bool = False, refuses: bool = False) -> None:
        self.silent = silent
        self.refuses = refuses
        self.fails = asyncio.Event()
        self.open: list[str] = []

    async def follow(self, request: Follow) -> AsyncGenerator[list[Event], None]:
        if self.refuses:
            raise Refused("you may not", code="forbidden")
        self.open.append(request.feed)
        try:
            if not self.silent:
                yield [STANDS]
            await self.fails.wait()
            raise InternalError("the invariant of ours")
        finally:
            self.open.remove(request.feed)


def session(secret: str = "s") -> Session:
    return Session("kim", "p-kim", secret, TODAY, TODAY, TODAY, "password")


def views(readers: Readers) -> Views:
    typed: Any = readers
    return Views(typed, StandingClock())


def ask(feed: str) -> Follow:
    return Follow(feed=feed, purpose="air defence", actor=Actor("kim"), relationship="jp-kr-2016/jp.kr")


async def test_one_session_reads_so_many_feeds_and_the_one_looked_at_longest_ago_ends() -> None:
    readers, mine, other = Readers(), session(), session("other")
    held = views(readers)
    await held.begin(other, ask("elsewhere"))
    for number in range(VIEWS_OF_ONE_MAX):
        await held.begin(mine, ask(f"feed-{number}"))
    assert held.look(mine, "jp-kr-2016/jp.kr", "feed-0")  # looked at again
    await held.begin(mine, ask("feed-new"))
    assert sorted(readers.open) == ["elsewhere", "feed-0", "feed-2", "feed-3", "feed-new"]
    held.end_of(mine)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert readers.open == ["elsewhere"]
    held.end_of(other)
    await held.close()  # which waits for what ends just now
    assert readers.open == []


async def test_nobody_sees_what_another_session_reads() -> None:
    held, mine, other = views(Readers()), session(), session("other")
    await held.begin(mine, ask("air-picture"))
    assert held.look(other, "jp-kr-2016/jp.kr", "air-picture") is None
    assert held.look(mine, "other/jp.kr", "air-picture") is None
    await held.close()


async def test_a_reading_that_does_not_begin_in_time_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BEGIN_SECONDS", 0.01)
    readers = Readers(silent=True)
    held = views(readers)
    with pytest.raises(Unavailable, match="did not begin in time"):
        await held.begin(session(), ask("air-picture"))
    assert readers.open == []


async def test_a_reading_that_is_refused_is_not_held() -> None:
    held, mine = views(Readers(refuses=True)), session()
    with pytest.raises(Refused):
        await held.begin(mine, ask("air-picture"))
    assert held.look(mine, "jp-kr-2016/jp.kr", "air-picture") is None


async def test_what_is_kept_of_a_reading_is_bounded() -> None:
    held, mine = views(Readers()), session()
    view = await held.begin(mine, ask("air-picture"))
    for _ in range(room.TOLD_SHOWN * 2):
        view.take(STANDS, TODAY)
    assert len(view.told) == room.TOLD_SHOWN
    assert view.counts["standing"] == 1 + room.TOLD_SHOWN * 2
    await held.close()


@pytest.mark.parametrize("silent", [True, False])
async def test_a_reading_that_fails_inside_says_so_and_is_ended_as_any_other(
    silent: bool, caplog: pytest.LogCaptureFixture
) -> None:
    readers, mine = Readers(silent=silent), session()
    held = views(readers)
    if silent:
        readers.fails.set()
        with pytest.raises(InternalError, match="this reading failed"):
            await held.begin(mine, ask("air-picture"))
        assert held.look(mine, "jp-kr-2016/jp.kr", "air-picture") is None
    else:
        view = await held.begin(mine, ask("air-picture"))
        readers.fails.set()
        await asyncio.wait({view.task})
        assert held.look(mine, "jp-kr-2016/jp.kr", "air-picture") is view, "its page says why it is over"
        assert isinstance(view.ended, InternalError)
        assert "invariant" not in view.ended.sentence
        await held.end(view)
    await held.close()
    assert "the invariant of ours" in caplog.text


async def test_a_session_that_ends_while_its_reading_is_refused_changes_nothing() -> None:
    held, mine = views(Readers(refuses=True)), session()
    begun = asyncio.create_task(held.begin(mine, ask("air-picture")))
    while not held._open or held._open[0].ended is None:
        await asyncio.sleep(0)
    held.end_of(mine)
    with pytest.raises(Refused):
        await begun


async def test_what_nobody_looks_at_for_a_minute_ends_and_one_timer_looks_for_it() -> None:
    readers, mine = Readers(), session()
    held = views(readers)
    clock = held._clock
    assert isinstance(clock, StandingClock)
    loop = asyncio.get_running_loop()
    timers = []
    for number in range(3):
        await held.begin(mine, ask(f"feed-{number}"))
        timers.append(held._next)
        clock.time += timedelta(seconds=20)
    held._sweep()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert readers.open == ["feed-1", "feed-2"]
    assert [each is not None and each.cancelled() for each in timers] == [True] * 3
    assert held._next is not None
    assert held._next.when() - loop.time() <= 21, "when the next one may be due"
    await held.close()
    assert held._next.cancelled()
