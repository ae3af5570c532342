"""What bad input does to a feed from end to end: refused alone, with the reason, counted; the stream goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest_asyncio

from comity.feed.reading import Event, Message, Standing
from feeds import NAME, SCHEMA, TERMS, FeedWorld, track
from world import TODAY

NOTED = SCHEMA.replace("[type.fields]", '[type.fields]\nnote = { kind = "text", optional = true }')
GRADED = SCHEMA.replace("method    =", "grade     =")
SHORT = TERMS.replace("{until:%Y-%m-%dT%H:%M:%SZ}", f"{TODAY + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")


@pytest_asyncio.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[FeedWorld]:
    made = await FeedWorld.make(tmp_path)
    async with made.connected():
        yield made
    await made.close()


async def read(feeds: FeedWorld, count: int) -> list[Event]:
    """What a reader who begins at the beginning is told, up to so many messages."""
    found: list[Event] = []
    async with asyncio.timeout(60), aclosing(feeds.readers.follow(feeds.follow("kim", after=-1))) as told:
        async for events in told:
            found += events
            if sum(isinstance(each, Message) for each in found) >= count:
                break
    return found


async def views(feeds: FeedWorld, count: int) -> list[dict[str, object]]:
    found = await read(feeds, count)
    return [msgspec.json.decode(each.view) for each in found if isinstance(each, Message)]


def graded(number: int) -> bytes:
    return track(number).replace(b'"method"', b'"grade"')


async def test_what_is_no_message_is_refused_alone_counted_and_the_rest_arrives(feeds: FeedWorld) -> None:
    await feeds.release(schema=NOTED)
    bad = {
        "malformed": [b"", b"{", b"[]", b"\xff", track(0)[:-1], b"[" * 40_000],
        "too-large": [b" " * 70_000],
        "unknown-type": [track(0, type="trick")],
        "unknown-field": [track(0, weather="rain")],
        "missing-field": [b"{}", msgspec.json.encode({"type": "track", "track": "T"})],
        "bad-field": [
            track(0, latitude="x"),
            track(0, height=1e16),
            track(0, observed="yesterday"),
            track(0, note=5),
            track(0, type=7),
        ],
        "clock": [track(0, observed=f"{TODAY + timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}")],
    }
    messages, expected = [track(0)], list[tuple[int, str]]()
    for code, each in bad.items():
        for raw in each:
            expected.append((len(messages), code))
            messages += [raw, track(len(expected), note="for us alone")]
    publisher = await feeds.feeds[0].publisher(NAME)
    found = await publisher.publish(messages)
    assert [(each.place, each.code) for each in found.told] == expected
    assert found.accepted == len(expected) + 1
    for code, each in bad.items():
        assert publisher.counts[f"refused {code}"] == len(each)
    await feeds.publish(track(99))
    crossed = await views(feeds, len(expected) + 2)
    assert [each["track"] for each in crossed] == [*[f"T-{number}" for number in range(len(expected) + 1)], "T-99"]
    assert not any("note" in each for each in crossed)  # it has no mark


async def test_a_schema_that_changes_under_way_holds_for_the_next_message(feeds: FeedWorld) -> None:
    publisher = await feeds.feeds[0].publisher(NAME)
    await feeds.publish(track(0))
    await feeds.release(schema=GRADED)
    mixed = await publisher.publish([graded(1), track(2), graded(3)])
    assert (mixed.accepted, [each.place for each in mixed.told]) == (2, [1])
    await feeds.release()
    again = await publisher.publish([track(4), graded(5)])
    assert (again.accepted, [each.place for each in again.told]) == (1, [1])
    assert publisher.counts["refused unknown-field"] + publisher.counts["refused missing-field"] == 2
    await feeds.world.exchange()
    assert [each["track"] for each in await views(feeds, 4)] == ["T-0", "T-1", "T-3", "T-4"]


async def test_once_a_release_has_expired_messages_are_refused_and_under_the_next_one_they_cross(
    feeds: FeedWorld,
) -> None:
    publisher = await feeds.feeds[0].publisher(NAME)
    await feeds.release(terms=SHORT)
    await feeds.publish(track(0))
    feeds.world.clock.time += timedelta(hours=2)
    late = await publisher.publish([track(1), track(2)], "sensor", 1)
    assert (late.accepted, late.refused) == (0, {"expired": 2})
    assert publisher.counts["refused expired"] == 2
    [standing] = [each for each in await read(feeds, 1) if isinstance(each, Standing)]
    assert (standing.stands, standing.why) == (False, "expired")
    await feeds.release()
    await feeds.publish(track(3))
    assert [each["track"] for each in await views(feeds, 2)] == ["T-0", "T-3"]
