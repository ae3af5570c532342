"""How long messages took, and how many became what: bars from left to right, each with its words and its number."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from comity.console.pictures.drawing import NARROWEST, Names, drawn, element, figure, paragraph, share, table, text

_WORDS, _NUMBER = 0.38, 0.2
"""Shares of the width: of the words on the left, of the number on the right."""
_ROW, _BAR = 26, 16


class Bar(msgspec.Struct, frozen=True):
    """A bar: what it counts, how many, the number as it is written, and its class."""

    says: str
    count: int
    written: str
    sort: str = "counted"


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words: what stands under the bars (such as the middle and the slowest), and the heads of the table."""

    names: Names
    below: str
    columns: tuple[str, str]


def counted(bars: Sequence[Bar], words: Words) -> Markup:
    """The figure; a bar is as long as its count is, beside the largest."""
    most = max((each.count for each in bars), default=0)
    room = 1 - _WORDS - _NUMBER
    parts: list[Markup] = []
    y = 4.0
    for each in bars:
        middle = y + _BAR - 3
        words_drawn, foot = paragraph("0%", middle, each.says, width=_WORDS * NARROWEST - 8, sort="small")
        parts.append(words_drawn)
        long = room * each.count / most if most else 0
        shape: dict[str, str | float] = {"x": share(_WORDS), "y": y, "height": _BAR}
        parts.append(element("rect", width=share(room), class_="bar-room", rx=2, **shape))
        if each.count:
            parts.append(element("rect", width=share(max(long, 0.004)), class_=f"bar {each.sort}", rx=2, **shape))
        width = _NUMBER * NARROWEST - 6
        parts.append(text("100%", middle, each.written, width=width, sort="small", anchor="end"))
        y = max(y + _ROW, foot)
    rows = [(each.says, each.written) for each in bars]
    below = element("p", words.below) if words.below else Markup("")
    told = table(words.names.title, words.columns, rows)
    return figure(words.names, drawn(words.names, parts, height=y), below, beside=told)
