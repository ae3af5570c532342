"""With entropy fixed, nothing hidden changes a byte, a size or a batch of what crosses (``spec/feed.md`` step 9)."""

from __future__ import annotations

import asyncio
from datetime import datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from comity.feed.batch import read_frame, unseal
from comity.feed.release import Posture, parse_release
from comity.feed.schema import parse_schema
from feed.examples import NUMBERS, RANKS, TEXTS, messages, written
from feed.stage import NOW, Stage

HIDDEN: dict[Posture, tuple[str, ...]] = {
    "normal": ("height", "sensor", "method", "quality"),
    "crisis": ("method", "quality"),
}
OTHER = st.fixed_dictionaries(
    {"height": NUMBERS, "sensor": TEXTS, "method": TEXTS, "quality": st.integers(-(2**53) + 1, 2**53 - 1)}
)


async def frames(posture: Posture, requests: list[list[dict[str, object]]]) -> list[bytes]:
    """Everything that would go to the recipient."""
    stage = Stage()
    stage.ruler.now = replace(stage.ruler.now, posture=posture)
    stage.clock.pass_by(10 * 365 * 86_400)  # after every instant that is drawn
    async with stage.publisher() as publisher:
        for request in requests:
            await publisher.publish([written(message) for message in request])
        stage.clock.pass_by(61)
        await publisher.publish([])
        for _ in range(400):
            if not publisher.held:
                break
            publisher._wake.set()
            await asyncio.sleep(0.005)
        assert not publisher.held
        return [publisher.under_way[index].frame for index in range(publisher.size)]


@settings(max_examples=30)
@given(
    st.sampled_from(["normal", "crisis"]),
    st.lists(st.lists(st.tuples(messages(), OTHER), min_size=1, max_size=4), min_size=1, max_size=3),
)
def test_nothing_hidden_changes_what_crosses(
    posture: Posture, requests: list[list[tuple[dict[str, object], dict[str, object]]]]
) -> None:
    one = [[message for message, _ in request] for request in requests]
    two = [
        [message | {name: other[name] for name in HIDDEN[posture]} for message, other in request]
        for request in requests
    ]
    crossed = asyncio.run(frames(posture, one))
    assert crossed
    assert crossed == asyncio.run(frames(posture, two))


WITHOUT_TIME = """[schema]
format = 1
id = "air-picture"
title = { en = "Air picture" }
[[type]]
id = "track"
time = "observed"
source = "sensor"
[type.fields]
track = { kind = "text", mark = "極秘" }
observed = { kind = "instant" }
sensor = { kind = "text" }
note = { kind = "text", optional = true }
level = { kind = "number", optional = true }
[[type]]
id = "hidden-track"
time = "observed"
source = "sensor"
[type.fields]
track = { kind = "text" }
observed = { kind = "instant" }
sensor = { kind = "text" }
"""
WITHOUT_TIME_RELEASED = """[release]
format = 1
feed = "air-picture"
mark = "極秘"
topic = "missile-warning"
purpose = "air defence"
until = "2027-03-31T00:00:00Z"
[[release.posture]]
posture = "normal"
types.track = { fields = ["track"], rate = 5 }
"""
EARLY, LATE = "2026-11-20T00:00:00Z", "2026-12-24T00:00:00Z"


async def crossed_of(requests: list[list[dict[str, object]]]) -> tuple[list[bytes], list[list[bytes]]]:
    """What goes to the recipient where neither the time nor the source of a message crosses, and what is in it."""
    stage = Stage()
    said = parse_schema(WITHOUT_TIME, "schema.toml")
    let = parse_release(WITHOUT_TIME_RELEASED, "release.toml", said, RANKS)
    stage.ruler.now = replace(stage.ruler.now, schema=said, release=let)
    stage.clock = Still()  # type: ignore[assignment]  # one that does not count how often it is looked at
    async with stage.publisher() as publisher:
        for request in requests:
            await publisher.publish([written({"sensor": "s", "observed": EARLY} | each) for each in request])
        await publisher.publish([written({"type": "track", "track": "last", "sensor": "s", "observed": EARLY})])
        found = [publisher.under_way[index].frame for index in range(publisher.size)]
    keys = {each.number: each.key for each in stage.ruler.epochs}
    opened = [(frame, unseal(frame, keys[frame.place.epoch])) for frame in map(read_frame, found)]
    return found, [[*contents.views, b"%d" % len(contents.dropped)] for _, contents in opened]


class Still:
    """A clock that stands."""

    def now(self) -> datetime:
        return NOW


HIDDEN_PARTS: tuple[dict[str, object], ...] = (
    {},
    {"note": "x"},
    {"note": "x" * 9_000, "level": -0.0},
    {"sensor": "another " * 100, "level": 1e15},
    {"observed": "0001-01-01T00:00:00+14:00"},
    {"observed": "2026-11-20T10:00:29+09:00"},
)


def test_the_presence_and_the_length_of_what_is_hidden_change_nothing() -> None:
    def of(part: dict[str, object]) -> list[list[dict[str, object]]]:
        return [[{"type": "track", "track": f"T-{place}"} | part for place in range(count)] for count in (1, 3)]

    first, *others = (asyncio.run(crossed_of(of(part))) for part in HIDDEN_PARTS)
    assert [len(each) for each in first[1]] == [2, 4, 2]
    assert all(other == first for other in others)


def test_messages_of_a_type_that_is_not_released_are_not_there_however_many() -> None:
    def of(count: int, observed: str) -> list[list[dict[str, object]]]:
        hidden = {"type": "hidden-track", "track": "H", "observed": observed}
        return [[*[hidden] * count, {"type": "track", "track": f"T-{place}"}, *[hidden] * count] for place in range(3)]

    first = asyncio.run(crossed_of(of(0, EARLY)))
    assert len(first[1]) == 4
    for count, observed in ((1, EARLY), (700, EARLY), (2, LATE)):
        assert asyncio.run(crossed_of(of(count, observed))) == first


def test_a_clock_that_does_not_cross_is_not_told_of() -> None:
    late: dict[str, object] = {"type": "track", "track": "T", "observed": LATE}
    assert asyncio.run(crossed_of([[late]])) == asyncio.run(crossed_of([]))
