"""Both ladders of levels and the equivalence between them: rank by rank, the highest on top.

What stands above the ceiling is drawn above a line that nothing crosses. Where several marks correspond to one, the
mark that is proposed has a full line and the others a broken one; where none is proposed all are broken.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from markupsafe import Markup

from comity.console.pictures.drawing import (
    WIDTH,
    Names,
    drawn,
    element,
    figure,
    joined,
    legend,
    number,
    paragraph,
    table,
)

_BOX, _GAP, _BAND = 142, 8, 16
"""Width of a level, the room between two of a rank, and between two ranks."""
_MIDDLE = 22
"""From the top of a level to where its lines begin."""


class Level(msgspec.Struct, frozen=True):
    """A level: its mark, what English calls it, its rank, and whether it can cross."""

    mark: str
    english: str
    rank: int
    crosses: bool = True


class Ladder(msgspec.Struct, frozen=True):
    """The levels of a party."""

    name: str
    levels: tuple[Level, ...]


class Link(msgspec.Struct, frozen=True):
    """Two marks that correspond.

    Attributes:
        left, right: the marks.
        clause: what says so.
        kind: ``only`` where there is no choice, ``chosen`` for the mark that is proposed, ``possible`` for another.
    """

    left: str
    right: str
    clause: str
    kind: Literal["only", "chosen", "possible"] = "only"


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words of the picture; ``columns`` are party, mark, English, correspondence and clause."""

    names: Names
    ceiling: str
    never: str
    only: str
    chosen: str
    possible: str
    columns: tuple[str, str, str, str, str]


def ladders(left: Ladder, right: Ladder, links: Sequence[Link], words: Words) -> Markup:
    """The figure."""
    marked = {each.kind for each in links}
    told = [("only", words.only), ("chosen", words.chosen), ("possible", words.possible)]
    used = [(f"line-{kind}", word) for kind, word in told if kind in marked]
    tabled = _table(left, right, links, words)
    return figure(words.names, _drawing(left, right, links, words), legend(used), beside=tabled)


def _drawing(left: Ladder, right: Ladder, links: Sequence[Link], words: Words) -> Markup:
    columns = {"left": (left, 0), "right": (right, WIDTH - _BOX)}
    parts: list[Markup] = []
    places: dict[tuple[str, str], float] = {}
    feet = []
    for ladder, x in columns.values():
        heading, foot = paragraph(x, 16, ladder.name, width=_BOX, sort="strong", lines=3)
        parts.append(heading)
        feet.append(foot)
    y = max(feet) + 2
    levels = [*left.levels, *right.levels]
    for crosses in (False, True):
        zone = sorted({each.rank for each in levels if each.crosses is crosses}, reverse=True)
        if not zone:
            continue
        for rank in zone:
            deepest = y
            for side, (ladder, x) in columns.items():
                foot = y
                for level in [each for each in ladder.levels if each.rank == rank and each.crosses is crosses]:
                    places[side, level.mark] = foot
                    box, high = _level(level, x, foot)
                    parts.append(box)
                    foot += high + _GAP
                deepest = max(deepest, foot)
            y = deepest + _BAND - _GAP
        if not crosses:
            parts.append(element("line", x1=0, y1=y, x2=WIDTH, y2=y, class_="ceiling"))
            said, y = paragraph(WIDTH / 2, y + 18, words.ceiling, width=WIDTH - 20, sort="small", anchor="middle")
            parts.append(said)
            y += 2
    lines = [
        _link(each, places["left", each.left], places["right", each.right])
        for each in links
        if ("left", each.left) in places and ("right", each.right) in places
    ]
    return drawn(words.names, [*lines, *parts], width=WIDTH, height=y)


def _level(level: Level, x: float, y: float) -> tuple[Markup, float]:
    """The box of a level, and how high it is."""
    mark, foot = paragraph(x + 10, y + 19, level.mark, width=_BOX - 20, sort="strong")
    english, foot = paragraph(x + 10, foot - 2, level.english, width=_BOX - 20, sort="small")
    high = foot - y - 6
    sort = "level" if level.crosses else "level above"
    box = element("rect", x=x + 0.5, y=y + 0.5, width=_BOX - 1, height=high - 1, rx=5, class_=sort)
    return element("g", box, mark, english), high


def _link(link: Link, left: float, right: float) -> Markup:
    x, to, y, to_y = _BOX, WIDTH - _BOX, left + _MIDDLE, right + _MIDDLE
    middle = (x + to) / 2
    path = " ".join(number(float(each)) for each in (middle, y, middle, to_y, to, to_y))
    return joined(
        [
            element("path", d=f"M{number(float(x))} {number(y)}C{path}", class_=f"line-{link.kind}"),
            *(element("circle", cx=cx, cy=cy, r=3.5, class_="knot") for cx, cy in ((x, y), (to, to_y))),
        ]
    )


def _table(left: Ladder, right: Ladder, links: Sequence[Link], words: Words) -> Markup:
    kinds = {"only": "", "chosen": f" ({words.chosen})", "possible": f" ({words.possible})"}
    rows = []
    for ladder, mine, theirs in ((left, "left", "right"), (right, "right", "left")):
        for level in sorted(ladder.levels, key=lambda each: -each.rank):
            met = [each for each in links if getattr(each, mine) == level.mark]
            said = "; ".join(getattr(each, theirs) + kinds[each.kind] for each in met)
            clauses = ", ".join(dict.fromkeys(each.clause for each in met))
            rows.append((level.mark, ladder.name, level.english, said or words.never, clauses))
    party, mark, english, corresponds, clause = words.columns
    return table(words.names.title, (mark, party, english, corresponds, clause), rows)
