"""Who held each copy from when to when: a bar for each copy, a span for each holder, and gaps that say so.

``spec/pictures.md`` step 8.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from markupsafe import Markup

from comity.console.pictures.axis import Axis, Band, Say, Span, bars, scale
from comity.console.pictures.drawing import Names, drawn, element, figure, legend, share, table

BEYOND = 0.08
"""How far what lasts still reaches beyond now, as a part of the time that is drawn."""
GAP = "gap"
"""The state of a copy of which nothing is known."""


class Held(msgspec.Struct, frozen=True):
    """Somebody's custody of a copy: in which state from when to when; no end means still."""

    holder: str
    state: str
    start: datetime
    end: datetime | None = None


class Copy(msgspec.Struct, frozen=True):
    """A copy by its name, such as "Copy 2", and whose custody it was in, oldest first."""

    name: str
    custody: tuple[Held, ...]


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words: of each state, of a gap, of what lasts still, and the heads of the table.

    ``columns`` are copy, holder, state, from, until.
    """

    names: Names
    states: Mapping[str, str]
    gap: str
    still: str
    columns: tuple[str, str, str, str, str]


def custody(copies: Sequence[Copy], axis: Axis, words: Words, say: Say) -> Markup:
    """The figure; ``axis`` ends now, and what lasts still reaches a little beyond, so that the newest is seen."""
    now = axis.end
    axis = Axis(axis.start, now + (now - axis.start) * BEYOND)
    told = {each.name: _whole(each) for each in copies}
    used = dict.fromkeys(held.state for each in told.values() for held in each)
    swatches = [(f"span {_sort(state)}", _word(state, words)) for state in used]
    bands = [Band(name, tuple(_span(held, axis, words, say) for held in whole)) for name, whole in told.items()]
    parts, called, y = bars(axis, bands, 4)
    parts.append(element("line", x1=share(axis.share(now)), y1=6, x2=share(axis.share(now)), y2=y, class_="now"))
    drawing = drawn(words.names, [*parts, *called, *scale(axis, y, say)], height=y + 24)
    rows = [
        (
            name,
            held.holder,
            _word(held.state, words),
            say(held.start, "minute"),
            say(held.end, "minute") if held.end is not None else words.still,
        )
        for name, whole in told.items()
        for held in whole
    ]
    return figure(words.names, drawing, legend(swatches), beside=table(words.names.title, words.columns, rows))


def _whole(copy: Copy) -> tuple[Held, ...]:
    """(8) The custody of a copy with its gaps between."""
    found: list[Held] = []
    for held in copy.custody:
        if found and (until := found[-1].end) is not None and until < held.start:
            found.append(Held("", GAP, until, held.start))
        found.append(held)
    return tuple(found)


def _sort(state: str) -> str:
    """The class of a state: ``in-transit``."""
    return state.replace(" ", "-")


def _word(state: str, words: Words) -> str:
    return words.gap if state == GAP else words.states.get(state, state)


def _span(held: Held, axis: Axis, words: Words, say: Say) -> Span:
    end = held.end if held.end is not None else axis.end
    until = say(end, "minute") if held.end is not None else words.still
    said = ", ".join(each for each in (held.holder, _word(held.state, words)) if each)
    says = f"{said}: {say(held.start, 'minute')} – {until}"
    return Span(held.start, end, (_sort(held.state),), held.holder or _word(held.state, words), says)
