"""The pages of feeds: what stands, what is cut, and what comes, as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity.console.views import UNSEEN, Views
from comity.feed.reading import Changed, Dropped, Event, Gap, LeftOut, Skew, Stale
from comity.flows.feeding.readings import ListReadings, list_readings
from comity.flows.people.clearances import ChangeList, change_list
from console.browser import Browser, Page, browser, outside_addresses
from feeds import FeedWorld, track
from world import ROOT, TODAY

LONG = "x" * 401


@pytest.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[FeedWorld]:
    made = await FeedWorld.make(tmp_path)
    yield made
    await made.close()


async def reader(feeds: FeedWorld, handle: str, language: str | None = None) -> Browser:
    made = await browser(feeds.world.kr, handle, language)
    made.desk.views = Views(feeds.readers, feeds.world.clock)
    made.desk.sessions.ended.append(made.desk.views.end_of)
    return made


async def release_of(feeds: FeedWorld, at: Browser) -> str:
    page = await at.get("/feeds")
    return next(link for link in page.read.links if link.startswith("/feed/") and not link.endswith("/live"))


async def looked(at: Browser, path: str, says: str) -> Page:
    """The page, once it says that."""
    async with asyncio.timeout(60):
        while says not in (page := await at.get(path)).text:
            await asyncio.sleep(0.01)
    return page


async def test_what_is_released_stands_in_the_list(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    page = await at.get("/feeds")
    assert page.status == 200
    assert "air-picture" in page.text
    assert "stands" in page.text
    assert "banner" in page.html
    assert outside_addresses(page.html) == []
    ours = await (await browser(feeds.world.jp, "abe")).get("/feeds")
    assert "by us" in ours.text


async def test_a_page_says_what_crosses_and_what_is_cut(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    page = await at.get(await release_of(feeds, at))
    assert page.status == 200
    assert "rounded to 0.1" in page.text
    assert "posture crisis" in page.text
    assert "The posture that holds: normal" in page.text
    assert "Nobody that you may know of" in page.text
    assert "method" not in page.text


async def test_messages_come_and_their_latency_is_drawn(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    async with feeds.connected():
        page = await at.get(f"{path}/live")
        assert 'value="air defence"' in page.html
        page = await at.submit("/read")
        assert page.path == f"{path}/live"
        assert "Nothing has come yet" in page.text
        await feeds.publish(track(1), track(2))
        page = await looked(at, f"{path}/live", "T-2")
        assert "T-1" in page.text
        assert "multistatic" not in page.text
        assert "How long messages took" in page.text
        part = await at.get(f"{path}/live", hx_request="true")
        assert part.html.lstrip().startswith('<div id="messages"')
        assert 'data-hx-trigger="every 1s"' in part.html
        one = await at.get(path)
        assert "messages that came" in one.text
        assert 'role="img"' in one.html
        await at.get(f"{path}/live")
        page = await at.submit("/stop")
        assert "what you were shown is recorded" in page.text
    (line,) = await list_readings(feeds.world.kr, ListReadings(feed="air-picture"))
    assert (line.reader, line.purpose, line.first, line.last, line.messages) == ("kim", "air defence", 0, 1, 2)
    assert "kim" in (await at.get(path)).text


async def test_looking_again_begins_no_other_reading(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    async with feeds.connected():
        await feeds.publish(track(1))
        await at.get(f"{path}/live")
        await at.submit("/read", before="1")
        for _ in range(5):
            page = await looked(at, f"{path}/live", "T-1")
        assert "kept" in page.text
        assert feeds.readers.open.total() == 1
        await at.desk.views.close()  # type: ignore[union-attr]  # set above
        assert feeds.readers.open.total() == 0
    assert len(await list_readings(feeds.world.kr, ListReadings(feed="air-picture"))) == 1


async def test_a_reader_sees_no_field_above_his_clearance(feeds: FeedWorld) -> None:
    at = await reader(feeds, "jung")
    path = next(iter({await _known(feeds)}))
    page = await at.get(f"{path}/live")
    if page.status == 200:
        async with feeds.connected():
            await at.submit("/read")
            await feeds.publish(track(1))
            page = await looked(at, f"{path}/live", "T-1")
            assert "1,000.5" not in page.text
            await at.desk.views.close()  # type: ignore[union-attr]  # set above


async def _known(feeds: FeedWorld) -> str:
    return await release_of(feeds, await reader(feeds, "kim"))


async def test_what_changes_is_told_beside_the_messages(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    async with feeds.connected():
        await at.get(f"{path}/live")
        await at.submit("/read")
        await feeds.publish(track(1))
        await feeds.declare("crisis")
        await looked(at, f"{path}/live", "posture: crisis")
        await feeds.publish(track(2))
        page = await looked(at, f"{path}/live", "T-2")
        assert "38.02" in page.text
        await feeds.end(path.rpartition("/")[2])
        await looked(at, f"{path}/live", "The feed does not stand now")
        await at.desk.views.close()  # type: ignore[union-attr]  # set above


async def test_a_reading_ends_when_its_reader_may_no_longer_and_the_page_says_so(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    async with feeds.connected():
        await at.get(f"{path}/live")
        await at.submit("/read")
        await feeds.publish(track(1))
        await change_list(feeds.world.kr, ChangeList(topic="missiles", handle="kim", listed=False, actor=ROOT))
        page = await looked(at, f"{path}/live", "The reading is over")
        assert "data-hx-trigger" not in page.html[page.html.index('id="messages"') :].partition(">")[0]
        await at.desk.views.close()  # type: ignore[union-attr]  # set above


NOTES = (
    (Dropped("track", "rate", 3, TODAY, TODAY), "3 messages of type track were cut off by the publisher: too many a"),
    (LeftOut(4, 9, 6, "slow"), "Messages 4 to 9 were left out: the browser did not take what came"),
    (Gap(2, 3), "Messages 2 to 3 did not come"),
    (Stale("s-1", "track", TODAY, 61.2, 2.0), "s-1 has been silent for 61 s"),
    (Skew("s-1", "back", 1.5, 7), "The clock of s-1 is off by 1.5 s"),
    (Changed("posture", 8), "From here on other terms: the posture changed"),
)


@pytest.mark.parametrize(("event", "says"), NOTES)
async def test_what_is_not_as_it_should_be_is_told_as_a_sentence(feeds: FeedWorld, event: Event, says: str) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    async with feeds.connected():
        await at.get(f"{path}/live")
        await at.submit("/read")
        views = at.desk.views
        assert views is not None
        views._open[0].take(event, TODAY)
        assert says in (await at.get(f"{path}/live")).text
        await views.close()


async def test_another_purpose_is_refused_and_what_was_typed_stays(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    await at.get(f"{path}/live")
    page = await at.submit("/read", purpose="targeting")
    assert page.status == 403
    assert 'value="targeting"' in page.html
    assert "This was not done" in page.text
    assert feeds.readers.open.total() == 0


@pytest.mark.parametrize("purpose", ["", "   ", "<script>alert(1)</script>", LONG, "\N{RIGHT-TO-LEFT OVERRIDE}ab"])
async def test_a_purpose_that_is_none_is_refused(feeds: FeedWorld, purpose: str) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    await at.get(f"{path}/live")
    page = await at.submit("/read", purpose=purpose)
    assert 400 <= page.status < 500
    assert "<script>alert" not in page.html
    assert feeds.readers.open.total() == 0


async def test_a_type_that_is_not_there_is_refused(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    page = await at.get(f"{path}/live")
    fields = [*page.form("/read").fields, ("type", "no-such-type")]
    page = await at.post(f"{path}/read", fields)
    assert 400 <= page.status < 500
    assert "no-such-type" in page.text


async def test_a_feed_one_may_not_know_of_is_one_that_is_not_there(feeds: FeedWorld) -> None:
    path = await _known(feeds)
    await feeds.world.person("kr", "nam")
    at = await reader(feeds, "nam")
    assert "No feed that you may know of" in (await at.get("/feeds")).text
    for end in ("", "/live"):
        hidden, none = await at.get(path + end), await at.get(f"/feed/f-none{end}")
        assert hidden.status == none.status
        assert hidden.text.replace(path.rpartition("/")[2], "ID") == none.text.replace("f-none", "ID")


async def test_a_feed_of_ours_is_not_read_here(feeds: FeedWorld) -> None:
    at = await browser(feeds.world.jp, "abe")
    path = await release_of(feeds, at)
    assert "No feed is read at this node" in (await at.get(f"{path}/live")).text


async def test_a_reading_that_nobody_looks_at_ends(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    async with feeds.connected():
        await at.get(f"{path}/live")
        await at.submit("/read")
        views = at.desk.views
        assert views is not None
        feeds.world.clock.time += UNSEEN + timedelta(seconds=1)
        views._sweep()
        async with asyncio.timeout(60):
            while feeds.readers.open.total():
                await asyncio.sleep(0.01)
        assert "What you read it for" in (await at.get(f"{path}/live")).text


async def test_a_reading_ends_with_its_session(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    async with feeds.connected():
        await at.get(f"{path}/live")
        await at.submit("/read")
        person = (await feeds.world.kr.person("kim")).person
        at.desk.sessions.end_all(person)
        async with asyncio.timeout(60):
            while feeds.readers.open.total():
                await asyncio.sleep(0.01)


async def test_a_page_that_looks_by_itself_keeps_nobody_signed_in(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    async with feeds.connected():
        await at.get(f"{path}/live")
        page = await at.submit("/read")
        assert """data-hx-headers='{"comity-by-itself": "yes"}'""" in page.html
        idle = timedelta(minutes=at.desk.settings.idle_minutes)
        by_itself = {"hx_request": "true", "comity_by_itself": "yes"}
        for _ in range(2):
            feeds.world.clock.time += idle * 0.4
            part = await at.send("GET", f"{path}/live", headers=by_itself)
            assert (part.status, "hx-refresh" in part.headers) == (200, False)
        feeds.world.clock.time += idle * 0.4
        part = await at.send("GET", f"{path}/live", headers=by_itself)
        assert (part.headers["hx-refresh"], part.body) == ("true", b"")
        assert (await at.get(f"{path}/live")).path.startswith("/sign-in")
        async with asyncio.timeout(60):
            while feeds.readers.open.total():
                await asyncio.sleep(0.01)


async def test_a_page_can_be_held_still(feeds: FeedWorld) -> None:
    at = await reader(feeds, "kim")
    path = await release_of(feeds, at)
    async with feeds.connected():
        await at.get(f"{path}/live")
        page = await at.submit("/read")
        assert f"{path}/live?hold=1" in page.read.links
        page = await at.get(f"{path}/live?hold=1")
        assert "data-hx-trigger" not in page.html
        assert "Go on" in page.text
        await at.desk.views.close()  # type: ignore[union-attr]  # set above


@pytest.mark.parametrize("language", ["ja", "ko"])
async def test_it_is_there_in_every_language(feeds: FeedWorld, language: str) -> None:
    at = await reader(feeds, "kim", language)
    path = await release_of(feeds, at)
    for page in (await at.get("/feeds"), await at.get(path), await at.get(f"{path}/live")):
        assert page.status == 200
        assert f'lang="{language}"' in page.html
