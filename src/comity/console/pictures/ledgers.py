"""Two houses' ledgers side by side: what is written, what the other has, what it witnessed, and the tail that is not.

Each ledger is a rail with its checkpoints, the newest on top. A checkpoint that the other
party cosigned bears a seal on that party's side. Above it stands in one sentence whether both sides agree.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from markupsafe import Markup

from comity.console.pictures.drawing import (
    LINE,
    SIZES,
    WIDTH,
    Names,
    drawn,
    element,
    figure,
    legend,
    number,
    paragraph,
    table,
    wrapped,
)

Verdict = Literal["agree", "waiting", "contradiction"]
_SIGNS = {"agree": "✓", "waiting": "◐", "contradiction": "✗"}
_HALF = WIDTH / 2 - 8
_RAIL_LEFT, _RAIL_RIGHT = WIDTH / 2 - 34, WIDTH / 2 + 34
_WORDS = _RAIL_LEFT - 16
"""Room for the words beside a rail, in pixels."""


class Checkpoint(msgspec.Struct, frozen=True):
    """How far a ledger is something: its size, what of it, and when where that is known.

    ``what`` are ``written``, ``delivered`` and ``witnessed``; one checkpoint may be several.
    """

    size: int
    what: tuple[Literal["written", "delivered", "witnessed"], ...]
    told: str


class Ledger(msgspec.Struct, frozen=True):
    """The ledger of a party in a relationship, as this house has it; the largest checkpoint first."""

    name: str
    checkpoints: tuple[Checkpoint, ...]

    @property
    def witnessed(self) -> int:
        """How much of it the other party has witnessed."""
        return max((each.size for each in self.checkpoints if "witnessed" in each.what), default=0)


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words: the verdict as a sentence, what each line says, and the heads of the table.

    ``columns`` are ledger, checkpoint, what is so.
    """

    names: Names
    verdict: str
    witnessed: str
    delivered: str
    tail: str
    columns: tuple[str, str, str]


def ledgers(ours: Ledger, theirs: Ledger, verdict: Verdict, words: Words) -> Markup:
    """The figure.

    A checkpoint's ``told`` is what stands beside it, such as "42 entries: written, delivered".
    """
    said = f"{_SIGNS[verdict]} {words.verdict}"
    lines = wrapped(said, WIDTH - 28, "strong", 3)
    step = round(SIZES["strong"] * LINE)
    room = 16 + step * len(lines)
    parts = [element("rect", x=0.5, y=0.5, width=WIDTH - 1, height=room - 1, rx=5, class_=f"verdict {verdict}")]
    drawn_words, _ = paragraph(14, 22, said, width=WIDTH - 28, sort="strong", lines=3, more=f"verdict {verdict}")
    parts.append(drawn_words)
    left, foot = paragraph(8, room + 24, ours.name, width=_HALF - 16, sort="strong", lines=2)
    right, other = paragraph(WIDTH - 8, room + 24, theirs.name, width=_HALF - 16, sort="strong", anchor="end")
    top = max(foot, other) + 4
    places, height = _places(ours, theirs, top)
    crossings: list[Markup] = []
    for ledger, x, to in ((ours, _RAIL_LEFT, _RAIL_RIGHT), (theirs, _RAIL_RIGHT, _RAIL_LEFT)):
        parts += _rail(ledger, x, places, height)
        crossings += _crossings(ledger, x, to, places)
    parts += [*crossings, *_knots(ours, _RAIL_LEFT, places), *_knots(theirs, _RAIL_RIGHT, places), left, right]
    drawing = drawn(words.names, parts, width=WIDTH, height=height + 10)
    swatches = [("rail-witnessed", words.witnessed), ("rail-delivered", words.delivered), ("rail-tail", words.tail)]
    rows = [(ledger.name, str(each.size), each.told) for ledger in (ours, theirs) for each in ledger.checkpoints]
    told = element("div", element("p", words.verdict), table(words.names.title, words.columns, rows))
    return figure(words.names, drawing, legend(swatches), beside=told)


def _places(ours: Ledger, theirs: Ledger, top: float) -> tuple[dict[tuple[float, int], float], float]:
    """Where each checkpoint stands: on either side the largest on top, each with room for its words."""
    places: dict[tuple[float, int], float] = {}
    deepest = top
    for ledger, x in ((ours, _RAIL_LEFT), (theirs, _RAIL_RIGHT)):
        y = top + 14
        for each in ledger.checkpoints:
            places[x, each.size] = y
            y += len(wrapped(each.told, _WORDS, "small", 4)) * round(SIZES["small"] * LINE) + 22
        deepest = max(deepest, y)
    return places, deepest


def _rail(ledger: Ledger, x: float, places: dict[tuple[float, int], float], foot: float) -> list[Markup]:
    parts: list[Markup] = []
    ends = [*(places[x, each.size] for each in ledger.checkpoints[1:]), foot]
    delivered = max((each.size for each in ledger.checkpoints if "delivered" in each.what), default=0)
    for each, end in zip(ledger.checkpoints, ends, strict=True):
        sort = "witnessed" if each.size <= ledger.witnessed else "delivered" if each.size <= delivered else "tail"
        y = places[x, each.size]
        parts.append(element("line", x1=x, y1=y, x2=x, y2=end, class_=f"rail-{sort}"))
    return parts


def _crossings(ledger: Ledger, x: float, to: float, places: dict[tuple[float, int], float]) -> list[Markup]:
    if not ledger.witnessed:
        return []
    y = places[x, ledger.witnessed]
    seal = x + (to - x) / 3
    return [
        element("line", x1=x, y1=y, x2=seal, y2=y, class_="crossing"),
        element("circle", cx=seal, cy=y, r=8, class_="seal"),
        element("path", d=f"M{number(seal - 3.5)} {number(y)}l2.5 3 4.5-6", class_="seal"),
    ]


def _knots(ledger: Ledger, x: float, places: dict[tuple[float, int], float]) -> list[Markup]:
    parts: list[Markup] = []
    anchor, at = ("end", x - 12) if x == _RAIL_LEFT else ("start", x + 12)
    for each in ledger.checkpoints:
        y = places[x, each.size]
        sort = each.what[-1] if each.what else "written"
        parts.append(element("circle", cx=x, cy=y, r=6, class_=f"checkpoint {sort}"))
        parts.append(paragraph(at, y + 4, each.told, width=_WORDS, sort="small", lines=4, anchor=anchor)[0])
    return parts
