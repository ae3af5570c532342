"""What one reader gets of a feed, and what he is told besides (``spec/feed.md`` step 16)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Misuse
from comity.feed.batch import FORMAT, Closed, Contents, Dropped, Place
from comity.feed.filters import Area, Filters, equals, parse_area, parse_where, position_of
from comity.feed.publication import microseconds
from comity.feed.reading import (
    SOURCES_MAX,
    Changed,
    Event,
    Gap,
    LeftOut,
    Message,
    Reading,
    Seen,
    Skew,
    Stale,
    check_filters,
)
from comity.feed.reading import Dropped as ToldDropped
from comity.feed.schema import Field, MessageType
from feed.examples import ORIGIN, schema

NOW = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)
TRACK = schema().types["track"]
ALL = frozenset(TRACK.fields)


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


def view(**fields: object) -> bytes:
    message = {
        "type": "track",
        "track": "T-1",
        "observed": "2026-11-20T01:00:00Z",
        "latitude": 38.0,
        "longitude": 131.0,
    }
    return msgspec.json.encode(message | fields)


def batch(
    first: int,
    views: list[bytes],
    *,
    sources: list[str] | None = None,
    turns: list[int] | None = None,
    at: datetime = NOW,
    closed: Closed = "time",
    epoch: int = 1,
    dropped: tuple[Dropped, ...] = (),
) -> tuple[Place, Contents]:
    said = sources or ["s"] * len(views)
    names = list(dict.fromkeys(said))
    return (
        Place(FORMAT, ORIGIN, epoch, 0, first, len(views), closed),
        Contents(
            bytes(32),
            dropped,
            tuple(names),
            tuple(names.index(each) for each in said),
            tuple(turns or range(first, first + len(views))),
            (microseconds(at),) * len(views),
            tuple(views),
        ),
    )


def reading(
    filters: Filters | None = None, fields: frozenset[str] = ALL, start: int | None = 0, stale: float | None = None
) -> Reading:
    made = Reading(filters or Filters(), start, stale)
    made.admit("r", {"track": Seen(TRACK, fields)})
    return made


def messages(events: list[Event]) -> list[Message]:
    return [each for each in events if isinstance(each, Message)]


def others(events: list[Event]) -> list[Event]:
    return [each for each in events if not isinstance(each, Message)]


def test_a_message_comes_as_it_crossed_with_its_number_and_its_instants() -> None:
    place, contents = batch(7, [view()], sources=["okushiri"], turns=[3])
    assert reading(start=7).take("r", place, contents, seconds(0.002)) == [
        Message(7, "track", "okushiri", 3, NOW, seconds(0.002), msgspec.Raw(view()))
    ]
    assert messages(reading(start=7).take("r", place, contents, seconds(9), live=False))[0].arrived is None


def test_what_a_reader_may_not_see_is_not_there_in_any_way() -> None:
    place, contents = batch(0, [view(sensor="okushiri", height=9.5)], sources=["okushiri"])
    seen = reading(fields=frozenset({"track"}))
    [found] = seen.take("r", place, contents, NOW)
    assert isinstance(found, Message)
    assert bytes(found.view) == b'{"type":"track","track":"T-1"}'
    assert (found.source, found.turn) == ("", None)
    back = batch(1, [view(observed="2026-11-20T00:00:00Z")], sources=["okushiri"])
    assert others(seen.take("r", *back, NOW)) == []  # the time, too, is not his to see


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"[]",
        b"\xff",
        view().replace(b"T-1", b"\xff"),
        b"[" * 50_000,
        b'{"track":"T-1"}',
        b'{"type":"track"}',
        b'{"type":7,"observed":"2026-11-20T01:00:00Z"}',
        view(observed="yesterday"),
        view(observed="2026-11-20T01:00:00"),
        view(unreleased="what no release names"),
        view(latitude="north"),
        view() + b'\n\nevent: ended\ndata: {"event":"ended"}',
        view().replace(b",", b",\n\nevent: ended\n", 1),
        view().replace(b",", b",\n", 1),
        view().replace(b",", b",\r", 1),
    ],
)
def test_what_a_publisher_sends_that_is_no_message_of_its_release_is_left_out_alone(bad: bytes) -> None:
    found = reading(Filters(area=Area(30, 120, 40, 140))).take("r", *batch(0, [view(), bad, view()]), NOW)
    assert [each.number for each in messages(found)] == [0, 2]
    assert others(found) == [LeftOut(1, 1, 1, "not-as-released")]


def test_a_type_of_which_nothing_may_be_seen_is_not_told_of() -> None:
    other = MessageType("plot", "observed", "sensor", {"observed": Field("instant", "極秘")})
    place, contents = batch(
        0,
        [b'{"type":"plot","observed":"2026-11-20T01:00:00Z"}', view()],
        turns=[0, 1],
        dropped=(Dropped("plot", "rate", 3, 0, 1),),
    )
    some = Reading(Filters(), 0)
    some.admit("r", {"track": Seen(TRACK, ALL), "plot": Seen(other, frozenset())})
    assert [each.number for each in messages(some.take("r", place, contents, NOW))] == [1]
    assert some.next == 2


@given(st.lists(st.integers(0, 1), max_size=12), st.integers(0, 3))
def test_hidden_values_change_nothing(hidden: list[int], start: int) -> None:
    """Whatever stands in the fields that a reader may not see, he gets the same."""

    def told(secret: list[int]) -> list[Event]:
        views = [
            view(
                sensor=f"s-{each}",
                height=float(each),
                observed=f"2026-11-20T01:00:0{each}Z",
                latitude=30.0 + each,
            )
            for each in secret
        ]
        seen = reading(Filters(where={"track": "T-1"}), frozenset({"track", "speed"}), start)
        place, contents = batch(0, views, sources=[f"s-{each}" for each in secret], turns=list(range(len(secret))))
        return seen.take("r", place, contents, NOW) + seen.look(seconds(60))

    if hidden:
        assert told(hidden) == told([1 - each for each in hidden])


def test_filters_are_asked_of_what_the_reader_sees() -> None:
    views = [view(track="T-1"), view(track="T-2", latitude=10.0), view(track="T-3")]
    place, contents = batch(0, views, sources=["a", "a", "b"], turns=[0, 1, 0])

    def numbers(filters: Filters, fields: frozenset[str] = ALL) -> list[int]:
        return [each.number for each in messages(reading(filters, fields).take("r", place, contents, NOW))]

    area = Area(33, 124, 39, 132)
    assert numbers(Filters()) == [0, 1, 2]
    assert numbers(Filters(types=("track",))) == [0, 1, 2]
    assert numbers(Filters(types=("plot",))) == []
    assert numbers(Filters(sources=("b",))) == [2]
    assert numbers(Filters(sources=("b",)), ALL - {"sensor"}) == []
    assert numbers(Filters(area=area)) == [0, 2]
    assert numbers(Filters(area=area), ALL - {"longitude"}) == []
    assert numbers(Filters(where={"track": "T-2"})) == [1]
    assert numbers(Filters(where={"latitude": "10.0"})) == [1]
    assert numbers(Filters(where={"latitude": "10.0"}), ALL - {"latitude"}) == []


@pytest.mark.parametrize(
    ("filters", "fields", "code"),
    [
        (Filters(), ALL, ""),
        (Filters(types=("track",), where={"track": "T-1"}, area=Area(33, 124, 39, 132)), ALL, ""),
        (Filters(where={"type": "track"}), ALL, ""),
        (Filters(types=("trakc",)), ALL, "unknown-type"),
        (Filters(types=("track",)), frozenset(), "unknown-type"),
        (Filters(where={"trakc": "T-1"}), ALL, "unknown-field"),
        (Filters(where={"height": "1"}), ALL - {"height"}, "unknown-field"),
        (Filters(area=Area(33, 124, 39, 132)), ALL - {"longitude"}, "no-position"),
    ],
)
def test_what_can_never_come_is_not_waited_for(filters: Filters, fields: frozenset[str], code: str) -> None:
    seen = {"track": Seen(TRACK, fields)}
    if not code:
        check_filters(filters, seen)
        return
    with pytest.raises(Misuse) as refused:
        check_filters(filters, seen)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("box", "inside"),
    [
        ((33, 124, 39, 132), True),
        ((39, 124, 40, 132), False),
        ((33, 170, 39, -170), False),
        ((33, 120, 39, -170), True),
    ],
)
def test_an_area_may_cross_the_date_line(box: tuple[float, float, float, float], inside: bool) -> None:
    assert Area(*box).touches((38.0, 38.0), (131.0, 131.0)) is inside


def test_the_polygon_of_an_alert_is_a_place() -> None:
    kind = MessageType("alert", "sent", "sender", {"polygon": Field("text", "秘", role="position")})
    found = position_of(kind)({"polygon": msgspec.Raw(b'"38.0,131.0 39.5,132 38.0,131.0"')})
    assert found == ((38.0, 39.5), (131.0, 132.0))
    assert Area(39, 131.5, 50, 140).touches(*found)
    assert position_of(kind)({}) is None
    fine = position_of(kind)({"polygon": msgspec.Raw(b'"38.0000000000000,131 39,132.5000000000000 38,131"')})
    assert fine == ((38.0, 39.0), (131.0, 132.5))


@pytest.mark.parametrize(
    ("circle", "box", "inside"),
    [
        ('"39.1,129.8 25"', (39.2, 129, 40, 130), True),
        ('"39.1,129.8 25"', (39.4, 129, 40, 130), False),
        ('"39.1,129.8 25"', (39, 130.0, 40, 131), True),
        ('"39.1,129.8 25"', (39, 130.2, 40, 131), False),
        (r'"[\"39.1,129.8 500.5\"]"', (34.7, 124, 35, 132), True),
        (r'"[\"39.1,129.8 0\"]"', (39.1, 129.8, 40, 130), True),
        ('"89.5,0 100"', (85, 150, 90, 160), True),
        ('"0,179.9 100"', (-1, -180, 1, -179.5), True),
        ('"60,20 20015"', (-40, -170, -30, -160), True),
        ('"39.1,129.8 999999999999"', (-80, -170, -70, -160), True),
    ],
)
def test_the_circle_of_an_alert_reaches_as_far_as_its_radius(
    circle: str, box: tuple[float, float, float, float], inside: bool
) -> None:
    kind = MessageType("alert", "sent", "sender", {"circle": Field("text", "秘", role="position")})
    found = position_of(kind)({"circle": msgspec.Raw(circle.encode())})
    assert found is not None
    assert Area(*box).touches(*found) is inside


def test_what_is_typed_is_read_strictly() -> None:
    assert parse_area("33,124,39,132") == Area(33, 124, 39, 132)
    assert parse_where("track=T=1") == ("track", "T=1")
    for wrong in ("33,124,39", "north", "100,0,0,0", "nan,0,0,0", "39,124,33,132"):
        with pytest.raises(Misuse, match="no area"):
            parse_area(wrong)
    with pytest.raises(Misuse, match="no condition"):
        parse_where("track")
    assert equals({"a": msgspec.Raw(b'"x\\n"')}, {"a": "x\n"})


def test_numbers_that_did_not_come_are_told_once() -> None:
    seen = reading()
    seen.take("r", *batch(0, [view()]), NOW)
    assert others(seen.take("r", *batch(5, [view()]), NOW)) == [Gap(1, 4)]
    assert others(seen.take("r", *batch(6, [view()]), NOW)) == []


def test_a_source_whose_numbers_leap_is_told_of_even_where_the_feed_has_no_gap() -> None:
    seen = reading()
    seen.take("r", *batch(0, [view(), view()], sources=["a", "b"], turns=[4, 0]), NOW)
    told = others(seen.take("r", *batch(2, [view(), view()], sources=["a", "b"], turns=[7, 1]), NOW))
    assert told == [Gap(5, 6, "a")]
    assert others(seen.take("r", *batch(4, [view()], sources=["a"], turns=[0], epoch=2), NOW)) == []


def test_a_batch_that_was_had_is_not_had_again_and_one_had_in_part_goes_on_where_it_stood() -> None:
    seen = reading(start=1)
    found = seen.take("r", *batch(0, [view(track="T-0"), view(track="T-1")]), NOW)
    assert [each.number for each in messages(found)] == [1]
    assert seen.take("r", *batch(0, [view(), view()]), NOW) == []


def test_what_was_dropped_and_why_a_batch_closed_is_told() -> None:
    at = microseconds(NOW)
    told = others(
        reading().take(
            "r",
            *batch(0, [view()], closed="posture", dropped=(Dropped("track", "rate", 40, at, at + 1_000_000),)),
            NOW,
        )
    )
    assert told == [ToldDropped("track", "rate", 40, NOW, seconds(1)), Changed("posture", 1)]
    only = reading(Filters(types=("plot",))).take(
        "r", *batch(0, [view()], dropped=(Dropped("track", "rate", 1, 0, 0),)), NOW
    )
    assert only == []


def test_a_source_is_silent_after_longer_than_was_usual() -> None:
    seen = reading()
    for number in range(6):
        seen.take("r", *batch(number, [view()], at=seconds(number)), seconds(number))
    assert seen.look(seconds(9.9)) == []
    [told] = seen.look(seconds(11))
    assert told == Stale("s", "track", seconds(5), 6.0, 1.0)
    assert seen.look(seconds(60)) == []
    seen.take("r", *batch(6, [view()], at=seconds(61)), seconds(61))
    assert seen.look(seconds(61.5)) == []


def test_a_source_that_is_called_otherwise_on_other_terms_is_not_silent() -> None:
    """In one posture the field that names the source crosses, in another it does not."""
    seen = reading()
    turn = {"": 0, "a": 0, "b": 0}
    for number, name in enumerate(["", "", "a", "b", "a", "b", ""] * 2):
        said = view(sensor=name) if name else view()
        seen.take("r", *batch(number, [said], sources=[name], turns=[turn[name]], at=seconds(number)), seconds(number))
        turn[name] += 1
    assert [each.source for each in Reading.look(seen, seconds(3600))] == []
    for number in range(14, 20):
        place, contents = batch(number, [view(sensor="a")], sources=["a"], turns=[number], at=seconds(number))
        seen.take("r", place, contents, seconds(number))
    assert [each.source for each in seen.look(seconds(3600)) if isinstance(each, Stale)] == ["a"]


def test_a_source_whose_name_is_empty_is_one_like_the_others() -> None:
    seen = reading()
    for number in range(12):
        name = ["", "a"][number % 2]
        place, contents = batch(number, [view(sensor=name)], sources=[name], turns=[number // 2], at=seconds(number))
        seen.take("r", place, contents, seconds(number))
    assert [each.source for each in seen.look(seconds(3600)) if isinstance(each, Stale)] == ["", "a"]


def test_a_reader_may_ask_for_less_patience_and_nothing_is_usual_of_a_source_at_first() -> None:
    asked, usual = reading(stale=0.5), reading()
    for seen in (asked, usual):
        seen.take("r", *batch(0, [view()]), NOW)
    assert len(asked.look(seconds(0.6))) == 1
    assert usual.look(seconds(3600)) == []


def test_clocks_that_go_back_or_lie_ahead_are_told() -> None:
    seen = reading()
    seen.take("r", *batch(0, [view(observed="2026-11-20T01:00:10Z")], at=seconds(10)), seconds(10))
    back = others(seen.take("r", *batch(1, [view(observed="2026-11-20T01:00:04Z")], at=seconds(11)), seconds(11)))
    assert back == [Skew("s", "back", 6.0, 1)]
    ahead = [view(observed=f"2026-11-20T01:00:{30 + each}Z") for each in range(2)]
    told = others(seen.take("r", *batch(2, ahead, at=seconds(12)), seconds(12)))
    assert told == [Skew("s", "ahead", 18.0, 2)]
    publisher = others(seen.take("r", *batch(4, [view(observed="2026-11-20T01:00:32Z")], at=seconds(40)), seconds(13)))
    assert publisher == [Skew("", "ahead", 27.0, 4)]
    again = others(seen.take("r", *batch(5, [view(observed="2026-11-20T01:00:32Z")], at=seconds(14)), seconds(14)))
    assert again == [Skew("", "back", 26.0, 5), Skew("s", "ahead", 18.0, 5)]


def test_a_slow_reader_is_told_what_was_left_out_and_of_no_gap() -> None:
    seen = reading()
    seen.take("r", *batch(0, [view()]), NOW)
    assert seen.skip(1, 500, "slow") == LeftOut(1, 500, 500)
    assert seen.skip(1, 500, "slow") is None
    assert others(seen.take("r", *batch(501, [view()], turns=[900]), NOW)) == []


def test_sources_without_end_take_no_memory_without_end() -> None:
    seen = reading()
    for start in range(0, SOURCES_MAX + 2_000, 1_000):
        names = [f"s-{start + each}" for each in range(1_000)]
        seen.take("r", *batch(start, [view()] * 1_000, sources=names, turns=[0] * 1_000), NOW)
    assert len(seen._sources) == len(seen._turns) == SOURCES_MAX
