"""The level of a feed: by another release, by its originator's word, and never by that of an item (step 6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from comity.errors import Misuse, Rejected
from comity.feed.reading import Changed, LeftOut, Message, Started
from comity.flows.actors import Actor
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.feeding import publishing
from comity.flows.feeding.ending import EndFeed, end_feed
from comity.flows.feeding.gates import Gates
from comity.flows.feeding.listing import ListFeeds, ShowFeed, list_feeds, show_feed
from comity.flows.feeding.originators import FeedMarkShown, ListTold, MarkFeed, list_told, mark_feed
from feeds import NAME, TERMS, FeedWorld, track
from flows import test_feed_of_three as of_three
from flows.test_feed_of_three import FEED, TO_SEOUL, agrees, approved, three, wish
from trilateral import Trilateral
from world import RELATIONSHIP

LOWER = TERMS.replace('mark = "極秘"', 'mark = "秘"').replace(', "height", "sensor"', "")
__all__ = ["three"]


@pytest_asyncio.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[FeedWorld]:
    made = await FeedWorld.make(tmp_path)
    yield made
    await made.close()


async def test_a_release_of_another_level_cuts_what_is_under_way_and_says_so(
    feeds: FeedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "LINGER_SECONDS", 1.0)  # the batch is still open, however slow the machine
    first = (await list_feeds(feeds.world.jp, ListFeeds()))[0].release
    async with feeds.connected():
        reading = feeds.readers.follow(feeds.follow("kim"))
        told = list(await anext(reading))
        await feeds.publish(track(0))
        under_way = asyncio.create_task(feeds.publish(track(1)))
        await asyncio.sleep(0.05)
        feeds.world.clock.time += timedelta(seconds=1)
        await feeds.release(LOWER)
        feeds.world.clock.time += timedelta(seconds=1)
        await feeds.publish(track(2))
        async with asyncio.timeout(60):
            while len([each for each in told if isinstance(each, Message)]) < 3:
                told += await anext(reading)
        await reading.aclose()
        await under_way
    assert [each.why for each in told if isinstance(each, Changed)] == ["release"]
    assert [each.mark for each in told if isinstance(each, Started)] == ["極秘", "秘"]
    assert [b"sensor" in bytes(each.view) for each in told if isinstance(each, Message)] == [True, True, False]
    place = [type(each).__name__ for each in told if isinstance(each, Message | Changed)]
    assert place == ["Message", "Message", "Changed", "Message"]
    for house in (feeds.world.jp, feeds.world.kr):
        shown = await show_feed(house, ShowFeed(release="air-picture"))
        assert [(each.label.mark, each.state) for each in shown.history] == [("極秘", "followed"), ("秘", "stands")]
        assert shown.line.release == shown.history[1].release
        assert (await show_feed(house, ShowFeed(release=first))).line.state == "followed"


async def test_what_came_under_a_release_of_which_there_is_no_key_crosses_as_the_next_one_has_it(
    feeds: FeedWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "LINGER_SECONDS", 1.0)
    async with feeds.connected():
        reading = feeds.readers.follow(feeds.follow("kim"))
        told = list(await anext(reading))
        first = asyncio.create_task(feeds.publish(track(1)))
        await asyncio.sleep(0.05)
        feeds.world.clock.time += timedelta(seconds=1)
        await feeds.release(LOWER)
        await first
        async with asyncio.timeout(60):
            while not isinstance(told[-1], Message | LeftOut):
                told += await anext(reading)
        await reading.aclose()
    assert isinstance(told[-1], Message), told[-1]
    assert b"sensor" not in bytes(told[-1].view)


async def test_the_level_of_an_item_is_another_matter(feeds: FeedWorld) -> None:
    """A feed is no item: what changes the level of items does not find it, and its gate stands."""
    for name in ("air-picture", (await list_feeds(feeds.world.jp, ListFeeds()))[0].release):
        with pytest.raises(Misuse, match="there is no item"):
            await reclassify(feeds.world.jp, Reclassify(item=name, mark="秘", reason="x", actor=Actor("abe")))
    assert (await feeds.gates[0].gate(NAME)).stands


async def test_who_publishes_his_own_is_told_how_its_level_changes(feeds: FeedWorld) -> None:
    release = (await list_feeds(feeds.world.jp, ListFeeds()))[0].release
    for house, actor in ((feeds.world.jp, "abe"), (feeds.world.kr, "yoon")):
        with pytest.raises(Misuse, match="changes by another"):
            await mark_feed(house, MarkFeed(release=release, mark="秘", reason="x", actor=Actor(actor)))


async def test_two_feeds_of_one_name_are_told_apart(feeds: FeedWorld) -> None:
    with pytest.raises(Misuse, match="there is no release"):
        await show_feed(feeds.world.jp, ShowFeed(release="sea-picture"))
    shown = await show_feed(feeds.world.kr, ShowFeed(release="air-picture", actor=Actor("kim")))
    assert (shown.line.relationship, shown.word) == (RELATIONSHIP, "")
    await feeds.world.person("kr", "seo")
    with pytest.raises(Misuse, match="there is no release"):  # nobody who may not know of it finds it by its name
        await show_feed(feeds.world.kr, ShowFeed(release="air-picture", actor=Actor("seo")))


# ---- whose it is -----------------------------------------------------------------------------------------------------


async def marks(three: Trilateral, release: str, mark: str, actor: str = "brown") -> FeedMarkShown:
    said = MarkFeed(release=release, mark=mark, reason="the source is endangered", actor=Actor(actor))
    return await mark_feed(three.houses["us"], said)


async def test_when_its_originator_raises_its_level_the_gate_closes_with_that_record(
    three: Trilateral, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(of_three, "SCHEMA", of_three.SCHEMA.replace("極秘", "秘"))
    await agrees(three)
    lower = of_three.TERMS.replace("極秘", "秘")
    release = (await approved(three, terms=lower)).request
    gates = Gates(three.houses["jp"])
    before = await gates.gate(FEED)
    assert before.stands
    await marks(three, release, "SECRET")
    assert (await gates.gate(FEED)).stands  # Tokyo has not heard yet
    await three.exchange()
    after = await gates.gate(FEED)
    assert (after.stands, after.why, after.changed) == (False, "level-changed", "standing")
    assert after.since > before.since
    (told,) = await list_told(three.houses["us"], ListTold())
    assert (told.mark, told.over) == ("SECRET", False)
    with pytest.raises(Rejected, match="'us', whose it is, marks 'launches' 'SECRET'"):
        await approved(three, terms=lower)
    await marks(three, release, "CONFIDENTIAL")
    await three.exchange()
    assert (await gates.gate(FEED)).stands


async def test_when_its_originator_lowers_it_another_release_opens_the_gate(
    three: Trilateral, monkeypatch: pytest.MonkeyPatch
) -> None:
    await agrees(three)
    release = (await approved(three)).request
    await marks(three, release, "CONFIDENTIAL")
    await three.exchange()
    gates = Gates(three.houses["jp"])
    assert (await gates.gate(FEED)).why == "level-changed"
    monkeypatch.setattr(of_three, "SCHEMA", of_three.SCHEMA.replace("極秘", "秘"))
    await approved(three, terms=of_three.TERMS.replace("極秘", "秘"))
    found = await gates.gate(FEED)
    assert (found.stands, found.changed) == (True, "release")


@pytest.mark.parametrize(
    ("mark", "actor", "error"),
    [
        ("SECRET-ISH", "brown", "is not a mark"),
        ("SECRET", "jones", "does not have"),
        ("極秘", "brown", "is not a mark"),
    ],
)
async def test_who_is_no_authority_or_says_no_mark_of_his_own_changes_nothing(
    three: Trilateral, mark: str, actor: str, error: str
) -> None:
    await agrees(three)
    release = (await approved(three)).request
    with pytest.raises((Misuse, Rejected), match=error):
        await marks(three, release, mark, actor)
    await three.exchange()
    assert (await Gates(three.houses["jp"]).gate(FEED)).stands


async def test_nobody_marks_what_he_was_not_told_of(three: Trilateral) -> None:
    await agrees(three)
    release = (await approved(three)).request
    with pytest.raises(Misuse, match="nobody has told this house"):
        await marks(three, "r-unknown", "SECRET")
    await marks(three, release, "SECRET")
    with pytest.raises(Misuse, match="already"):
        await marks(three, release, "SECRET")


async def test_on_whose_word_the_consent_rests_is_said(three: Trilateral) -> None:
    consent = await agrees(three)
    release = (await approved(three)).request
    here = await show_feed(three.houses["jp"], ShowFeed(release=release))
    assert (here.word, here.consents) == ("originator", (consent.consent,))
    there = await show_feed(three.houses["kr"], ShowFeed(release=release))
    assert (there.word, there.consents, there.asked_in) == ("publisher", (), ())
    await three.run("warning-data-2023/kr.us")
    there = await show_feed(three.houses["kr"], ShowFeed(release=release))
    assert there.asked_in == ("warning-data-2023/kr.us",)


async def test_history_tells_who_ended_what(three: Trilateral) -> None:
    await agrees(three)
    release = (await approved(three)).request
    await end_feed(three.houses["jp"], EndFeed(release=release, reason="enough", actor=Actor("abe")))
    shown = await show_feed(three.houses["jp"], ShowFeed(release="launches"))
    assert [(each.state, each.ends[0].reason) for each in shown.history] == [("ended", "enough")]
    assert (shown.line.relationship, (await wish(three)).relationship) == (TO_SEOUL, TO_SEOUL)
