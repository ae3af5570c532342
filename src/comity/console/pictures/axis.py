"""Time from left to right: an axis with dates, bands of spans above it, and one instant marked.

Every place is a share of the width, so that a picture is as wide as there is room. What stands beside one another is
laid out for the narrowest screen; dates, and words inside a span, are left out where they would not fit there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import Literal

import msgspec
from markupsafe import Markup

from comity.console.pictures.drawing import NARROWEST, cut, element, share, text, width_of
from comity.errors import invariant

Precision = Literal["year", "month", "day", "hour", "minute", "zone"]
Say = Callable[[datetime, Precision], str]
"""How an instant is written in the reader's language and zone, so exactly; ``zone`` is the zone alone."""
BAR, NAME_ROOM, BAND_ROOM = 22, 20, 14
"""Heights: of a bar, of the name above it, of the room below it."""
_STEPS: Sequence[tuple[Precision, int]] = (
    *(("minute", each) for each in (1, 5, 15, 30)),
    *(("hour", each) for each in (1, 3, 6, 12)),
    *(("day", each) for each in (1, 2, 7, 14)),
    *(("month", each) for each in (1, 3, 6)),
    *(("year", each) for each in (1, 2, 5, 10, 20, 50, 100, 200, 500)),
)
_LENGTH: Mapping[Precision, timedelta] = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "month": timedelta(days=30.4),
    "year": timedelta(days=365.2),
}
_DATE_ROOM = 14
"""Between two dates on the axis, in pixels."""


class Span(msgspec.Struct, frozen=True):
    """What was so from one instant to another.

    Attributes:
        start, end: from when to when.
        sorts: its classes; several share the bar, where it is read in several ways.
        word: what it says inside, where there is room.
        says: the whole of it, as its title.
    """

    start: datetime
    end: datetime
    sorts: tuple[str, ...]
    word: str
    says: str


class Band(msgspec.Struct, frozen=True):
    """A bar of spans with a name above it."""

    name: str
    spans: tuple[Span, ...]


class Axis(msgspec.Struct, frozen=True):
    """From when to when a picture reaches."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        invariant(self.start < self.end, "an axis of time has a length")

    def share(self, at: datetime) -> float:
        """Where an instant is, as a share of the width; what lies outside is at the edge."""
        return min(1.0, max(0.0, (at - self.start) / (self.end - self.start)))

    def ticks(self, say: Say) -> tuple[tuple[datetime, str], ...]:
        """The instants that are written on the axis: as many as fit on the narrowest screen."""
        for precision, step in _STEPS:
            if (self.end - self.start) / (_LENGTH[precision] * step) > NARROWEST / 20:
                continue
            told = [(at, say(at, precision)) for at in _instants(self.start, self.end, precision, step)]
            for kept in (_zoned(told, precision, say), _zoned(told[1:], precision, say)):
                if all(left <= right for left, right in _gaps(self, kept)):
                    return tuple(kept)
        return ()


def _zoned(told: Sequence[tuple[datetime, str]], precision: Precision, say: Say) -> Sequence[tuple[datetime, str]]:
    """(9) Times of day, the first of them with its zone."""
    if precision not in ("hour", "minute") or not told:
        return told
    at, word = told[0]
    return [(at, f"{word} {say(at, 'zone')}"), *told[1:]]


def _gaps(axis: Axis, told: Sequence[tuple[datetime, str]]) -> Iterator[tuple[float, float]]:
    edge = 0.0
    for at, word in told:
        left = placed(axis.share(at), width_of(word, "small"))[0]
        yield edge, left
        edge = left + width_of(word, "small") + _DATE_ROOM


def placed(part: float, wide: float) -> tuple[float, Literal["start", "middle", "end"]]:
    """Where a word of that width begins whose middle should be there, in pixels, and how it is anchored."""
    middle = part * NARROWEST
    if middle < wide / 2:
        return middle, "start"
    if NARROWEST - middle < wide / 2:
        return middle - wide, "end"
    return middle - wide / 2, "middle"


def _instants(start: datetime, end: datetime, precision: Precision, step: int) -> Iterator[datetime]:
    at = start.astimezone(UTC).replace(second=0, microsecond=0)
    if precision == "year":
        at = at.replace(year=max(1, at.year - at.year % step), month=1, day=1, hour=0, minute=0)
    elif precision == "month":
        at = at.replace(month=at.month - (at.month - 1) % step, day=1, hour=0, minute=0)
    elif precision == "day":
        at = at.replace(hour=0, minute=0)
    elif precision == "hour":
        at = at.replace(hour=at.hour - at.hour % step, minute=0)
    else:
        at = at.replace(minute=at.minute - at.minute % step)
    while at <= end:
        if at >= start:
            yield at
        if precision == "year":
            if at.year + step > MAXYEAR:
                return
            at = at.replace(year=at.year + step)
        elif precision == "month":
            months = at.month - 1 + step
            at = at.replace(year=at.year + months // 12, month=months % 12 + 1)
        else:
            at += _LENGTH[precision] * step


def scale(axis: Axis, y: float, say: Say) -> list[Markup]:
    """The line of the axis with its dates; it takes 24 pixels."""
    parts = [element("line", x1="0%", y1=y, x2="100%", y2=y, class_="axis")]
    for at, word in axis.ticks(say):
        part = axis.share(at)
        wide = width_of(word, "small")
        parts.append(element("line", x1=share(part), y1=y, x2=share(part), y2=y + 5, class_="axis"))
        anchor = placed(part, wide)[1]
        parts.append(text(share(part), y + 18, word, width=wide, sort="small", anchor=anchor))
    return parts


def bars(axis: Axis, bands: Sequence[Band], y: float) -> tuple[list[Markup], list[Markup], float]:
    """The bands from ``y`` downward, the names above them, and where the last band ends."""
    parts: list[Markup] = []
    called: list[Markup] = []
    for band in bands:
        called.append(text("0%", y + 14, band.name, width=NARROWEST, sort="strong"))
        y += NAME_ROOM
        parts += [_bar(axis, span, y) for span in band.spans if span.end > axis.start and span.start < axis.end]
        y += BAR + BAND_ROOM
    return parts, called, y


def _bar(axis: Axis, span: Span, y: float) -> Markup:
    start, end = axis.share(span.start), axis.share(span.end)
    high = BAR / len(span.sorts)
    parts = [element("title", span.says)]
    for place, sort in enumerate(span.sorts):
        top = y + place * high
        shape: dict[str, str | float] = {"x": share(start), "y": top, "width": share(end - start), "height": high}
        parts.append(element("rect", class_=f"span {sort}", **shape))
        foot = top + high - 2
        parts.append(element("line", x1=share(start), y1=foot, x2=share(end), y2=foot, class_=f"under {sort}"))
    parts.append(element("line", x1=share(start), y1=y, x2=share(start), y2=y + BAR, class_="edge"))
    room = (end - start) * NARROWEST - 8
    if span.word and cut(span.word, room, "small") == span.word:
        parts.append(
            text(share((start + end) / 2), y + 15, span.word, width=room, sort="small", anchor="middle", more="inside")
        )
    return element("g", *parts)


def instant(axis: Axis, at: datetime, word: str, y: float, foot: float) -> list[Markup]:
    """A line through everything at one instant, with a word above it; ``y`` is the foot of the word."""
    part = axis.share(at)
    fitting = min(width_of(word, "strong"), NARROWEST)
    return [
        element("line", x1=share(part), y1=y + 5, x2=share(part), y2=foot, class_="instant"),
        text(share(part), y, word, width=NARROWEST, sort="strong", anchor=placed(part, fitting)[1], more="instant"),
    ]
