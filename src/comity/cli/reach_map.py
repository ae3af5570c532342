"""Whom information reaches, as a drawing: its originator on the left, each step a column further to the right.

Rules of this file (``spec/analysis.md`` step 21):

- Every body stands once, where the way to it is shortest: without the originator's consent if there is such a way.
- A line bears what is done by the body that it comes from. It is dashed where the originator has to consent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import msgspec

from comity.cli.output import visible

if TYPE_CHECKING:
    from comity.analysis.flows import Answer, Reach

_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN, _LINE = 260, 44, 130, 14, 16, 16
"""Sizes of the drawing, in pixels: of a box, of the room between boxes, of the margin, of a line of text."""
_FILLS = {"originator": "#fbf1d0", "party": "#e8f0e4", "asked": "#e4ebf3", "unasked": "#f7dddd"}
"""Colours of boxes: the originator, a party, a third party by consent, and one without."""


class _Box(msgspec.Struct, kw_only=True):
    """A body in the drawing: by which way, from where, and in which column and row."""

    reach: Reach
    under: str
    done: str
    column: int = 0
    row: int = 0


def drawing(answer: Answer, word: Callable[[str], str]) -> str:
    """The answer for one originator as one SVG document; ``word`` is how a body is called."""
    boxes = _boxes(answer)
    rows = _place(boxes, answer.originator, column=1, row=0)
    unasked = {body for each in answer.breaches for body in (each.body, *each.others)}
    who = "nothing reaches a third party" if answer.proven else "a third party is reached"
    title = f"{word(answer.originator)}: {who} without consent"
    body = [f"<title>{_xml(title)}</title>", _text(_MARGIN, _LINE + 4, title, ' font-weight="bold"')]
    places = {name: _corner(box.column, box.row) for name, box in boxes.items()}
    places[answer.originator] = _corner(0, 0)
    body += [_line(places[box.under], places[name], box) for name, box in boxes.items()]
    body += _drawn(places[answer.originator], word(answer.originator), "", "originator")
    for name, box in boxes.items():
        inside = "party" if not box.reach.consent else "asked"
        levels = ", ".join(dict.fromkeys(each.level for each in answer.reaches if each.body == name))
        body += _drawn(places[name], word(name), levels, "unasked" if name in unasked else inside)
    columns = max((box.column for box in boxes.values()), default=0) + 1
    width = 2 * _MARGIN + columns * (_WIDTH + _ACROSS) - _ACROSS
    height = 3 * _LINE + max(rows, 1) * (_HEIGHT + _DOWN) + _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12" role="img">\n' + "\n".join(body) + "\n</svg>\n"
    )


def _boxes(answer: Answer) -> dict[str, _Box]:
    """Each body with the shortest way to it."""
    best: dict[str, Reach] = {}
    for reach in answer.reaches:
        known = best.get(reach.body)
        if known is None or (reach.consent, len(reach.path)) < (known.consent, len(known.path)):
            best[reach.body] = reach
    boxes = {}
    for name, reach in best.items():
        under = next((each.by for each in reversed(reach.path) if each.by != name), answer.originator)
        acts = dict.fromkeys(each.act for each in reach.path if each.by == under)
        boxes[name] = _Box(reach=reach, under=under if under in best else answer.originator, done=", ".join(acts))
    return boxes


def _place(boxes: dict[str, _Box], under: str, *, column: int, row: int) -> int:
    """Give each box that hangs on ``under`` its column and row; the first row that is free then."""
    for name, box in boxes.items():
        if box.under == under and not box.column:
            box.column, box.row = column, row
            row = max(_place(boxes, name, column=column + 1, row=row), row + 1)
    return row


def _corner(column: int, row: int) -> tuple[int, int]:
    return _MARGIN + column * (_WIDTH + _ACROSS), 3 * _LINE + row * (_HEIGHT + _DOWN)


def _line(start: tuple[int, int], end: tuple[int, int], box: _Box) -> str:
    x, y = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    to_x, to_y = end[0], end[1] + _HEIGHT // 2
    middle = x + 12
    dashed = ' stroke-dasharray="5 4"' if box.reach.consent else ""
    path = f'<path d="M{x} {y}H{middle}V{to_y}H{to_x}" fill="none" stroke="#666"{dashed}/>'
    return path + _text(middle + 8, to_y - 4, box.done, ' font-size="11" fill="#444"')


def _drawn(corner: tuple[int, int], name: str, levels: str, sort: str) -> Sequence[str]:
    x, y = corner
    shape = f'x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="4"'
    return (
        f'<rect {shape} fill="{_FILLS[sort]}" stroke="#999"/>',
        _text(x + 8, y + _LINE + 2, name, ' font-weight="bold"'),
        _text(x + 8, y + 2 * _LINE + 4, levels, ' font-size="11"'),
    )


def _text(x: int, y: int, said: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}"{more}>{_xml(said)}</text>'


def _xml(text: str) -> str:
    return escape(visible(text))
