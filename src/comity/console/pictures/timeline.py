"""The course of an agreement: a band for each party's reading, what happened below, and the day that is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from markupsafe import Markup

from comity.console.pictures.axis import Axis, Band, Say, Span, bars, instant, placed, scale
from comity.console.pictures.drawing import (
    Names,
    drawn,
    element,
    figure,
    legend,
    share,
    table,
    text,
    width_of,
)

_NUMBERS_ROOM = 8
"""Between two numbers of events, in pixels on the narrowest screen."""


class Stretch(msgspec.Struct, frozen=True):
    """From when a party read the agreement so; phases are those of the lifecycle, several where counting differs."""

    start: datetime
    phases: tuple[str, ...]


class Reading(msgspec.Struct, frozen=True):
    """How a party reads the agreement, over time, oldest first."""

    name: str
    stretches: tuple[Stretch, ...]


class Happening(msgspec.Struct, frozen=True):
    """Something that happened: when, what it was, in a sentence, by whose act, and where that is known from."""

    at: datetime
    when: str
    says: str
    by: str = ""
    sources: tuple[str, ...] = ()


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words: what each phase is called, what the marked day is called, and the heads of the table.

    ``readings`` names a reading of a party in the table, such as "Japan reads it as".
    """

    names: Names
    phases: Mapping[str, str]
    chosen: str
    columns: tuple[str, str, str, str]


def timeline(
    readings: Sequence[Reading],
    happenings: Sequence[Happening],
    axis: Axis,
    words: Words,
    say: Say,
    at: datetime | None,
) -> Markup:
    """The figure; events are numbered from 1 in their order, in the drawing and in the table."""
    used = dict.fromkeys(phase for each in readings for stretch in each.stretches for phase in stretch.phases)
    told = [(f"span {phase}", words.phases.get(phase, phase)) for phase in used]
    return figure(
        words.names,
        _drawing(readings, happenings, axis, words, say, at),
        legend(told),
        beside=_table(readings, happenings, words),
    )


def _drawing(
    readings: Sequence[Reading],
    happenings: Sequence[Happening],
    axis: Axis,
    words: Words,
    say: Say,
    at: datetime | None,
) -> Markup:
    top = 24.0 if at is not None else 4.0
    parts, called, y = bars(axis, [_band(each, axis, words, say) for each in readings], top)
    if at is not None:
        parts += instant(axis, at, words.chosen, 14, y)
    parts += [*called, *scale(axis, y, say), *_numbers(axis, happenings, y + 38)]
    return drawn(words.names, parts, height=y + 46)


def _band(reading: Reading, axis: Axis, words: Words, say: Say) -> Band:
    ends = [each.start for each in reading.stretches[1:]] + [axis.end]
    spans = []
    for stretch, end in zip(reading.stretches, ends, strict=True):
        word = " / ".join(words.phases.get(phase, phase) for phase in stretch.phases)
        says = f"{reading.name}: {word}, {say(stretch.start, 'day')} – {say(end, 'day')}"
        spans.append(Span(stretch.start, end, stretch.phases, word, says))
    return Band(reading.name, tuple(spans))


def _numbers(axis: Axis, happenings: Sequence[Happening], y: float) -> list[Markup]:
    """The numbers of the events under the axis; those that would touch are told as one, such as 3–5."""
    groups: list[list[tuple[int, float]]] = []
    for place, each in enumerate(happenings, start=1):
        part = axis.share(each.at)
        if groups and _left(_number([*groups[-1], (place, part)]), part) < _right(groups[-1]) + _NUMBERS_ROOM:
            groups[-1].append((place, part))
        else:
            groups.append([(place, part)])
        while len(groups) > 1 and _left(_number(groups[-1]), _middle(groups[-1])) < _right(groups[-2]) + _NUMBERS_ROOM:
            last = groups.pop()
            groups[-1] += last
    parts = []
    for group in groups:
        for _, part in group:
            parts.append(element("circle", cx=share(part), cy=y - 14, r=2.5, class_="happening"))
        word, part = _number(group), _middle(group)
        wide = width_of(word, "small")
        parts.append(text(share(part), y, word, width=wide, sort="small", anchor=placed(part, wide)[1]))
    return parts


def _number(group: Sequence[tuple[int, float]]) -> str:
    first, last = group[0][0], group[-1][0]
    return str(first) if first == last else f"{first}\N{EN DASH}{last}"


def _middle(group: Sequence[tuple[int, float]]) -> float:
    return (group[0][1] + group[-1][1]) / 2


def _left(word: str, part: float) -> float:
    return placed(part, width_of(word, "small"))[0]


def _right(group: Sequence[tuple[int, float]]) -> float:
    word = _number(group)
    return _left(word, _middle(group)) + width_of(word, "small")


def _table(readings: Sequence[Reading], happenings: Sequence[Happening], words: Words) -> Markup:
    rows = []
    for place, each in enumerate(happenings, start=1):
        held = "; ".join(f"{reading.name}: {_at(reading, each.at, words)}" for reading in readings)
        says = f"{each.says} ({each.by})" if each.by else each.says
        known = element("ul", *(element("li", source) for source in each.sources)) if each.sources else Markup("")
        rows.append((str(place), each.when, element("div", says, known), held))
    return table(words.names.title, words.columns, rows)


def _at(reading: Reading, at: datetime, words: Words) -> str:
    known = [each for each in reading.stretches if each.start <= at] or list(reading.stretches[:1])
    return " / ".join(words.phases.get(phase, phase) for phase in known[-1].phases) if known else ""
