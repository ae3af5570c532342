"""A family drawn downward: a dot for each member on a rail, lines to it from what it came from, its words beside it.

Rules of this file (``spec/pictures.md`` step 7):

- Members stand in the order in which they are given, and nobody stands above what he came from.
- A member keeps its rail as long as something that came from it is still to be drawn; the last of these may go on on
  it. Otherwise the lowest free rail is taken.
- The words all begin at one place, right of the rails. So nothing overlaps, whatever came from what.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import msgspec
from markupsafe import Markup

from comity.console.pictures.drawing import LINE, SIZES, WIDTH, element, number, paragraph
from comity.errors import Misuse

_RAILS_ROOM, _RAIL = 110, 18
"""Room for all rails, and from one to the next where there are few, in pixels."""
_PAD, _GAP = 9, 8
"""Inside a box, and between two."""


class Member(msgspec.Struct, frozen=True):
    """A member of a family.

    Attributes:
        key: what others name it by.
        above: the keys of what it came from; those that are not drawn do not count.
        sort: the classes of its dot and its box.
        lines: what stands in its box, each with its sort of text.
    """

    key: str
    above: tuple[str, ...]
    sort: str
    lines: tuple[tuple[str, str], ...]


def in_order(members: Sequence[Member]) -> tuple[Member, ...]:
    """The members so that each stands below what it came from, near to it, and otherwise as they were given.

    Raises:
        Misuse: something came from itself.
    """
    waiting = {each.key: each for each in members}
    if len(waiting) < len(members):
        raise Misuse("somebody stands twice in a family", code="twice-in-family")
    below: dict[str, list[str]] = {each.key: [] for each in members}
    missing: dict[str, int] = {}
    for each in members:
        known = [key for key in dict.fromkeys(each.above) if key in waiting]
        missing[each.key] = len(known)
        for key in known:
            below[key].append(each.key)
    found: list[Member] = []
    open_now = [each.key for each in reversed(members) if not missing[each.key]]
    while open_now:
        key = open_now.pop()
        found.append(waiting[key])
        for child in reversed(below[key]):
            missing[child] -= 1
            if not missing[child]:
                open_now.append(child)
    if len(found) < len(members):
        raise Misuse("something in a family came from itself", code="family-in-a-ring")
    return tuple(found)


def rails(members: Sequence[Member], y: float) -> tuple[list[Markup], float]:
    """The family from ``y`` downward, and where it ends."""
    ordered = in_order(members)
    tracks = _tracks(ordered)
    most = max(tracks.values(), default=0) + 1
    step = min(_RAIL, _RAILS_ROOM / most)
    left = most * step + 4
    lines: list[Markup] = []
    boxes: list[Markup] = []
    dots: dict[str, tuple[float, float]] = {}
    for each in ordered:
        words, foot, first = [], y + _PAD + 11, y + _PAD + 11
        for said, sort in each.lines:
            drawn, foot = paragraph(left + _PAD, foot, said, width=WIDTH - left - 2 * _PAD, sort=sort, lines=2)
            words.append(drawn)
        high = foot - first + 2 * _PAD + 2 - round((LINE - 1) * SIZES[""])
        x, middle = tracks[each.key] * step + 8, y + 16
        dots[each.key] = (x, middle)
        lines += [_line(dots[key], (x, middle)) for key in dict.fromkeys(each.above) if key in dots]
        shape = {"x": left + 0.5, "y": y + 0.5, "width": WIDTH - left - 1, "height": high - 1}
        boxes.append(
            element(
                "g",
                element("line", x1=x, y1=middle, x2=left, y2=middle, class_="stem"),
                element("rect", rx=5, class_=f"box {each.sort}", **shape),
                element("circle", cx=x, cy=middle, r=5, class_=f"dot {each.sort}"),
                *words,
            )
        )
        y += high + _GAP
    return [*lines, *boxes], y - (_GAP if members else 0)


def _tracks(ordered: Sequence[Member]) -> dict[str, int]:
    """The rail of each member."""
    last = {key: place for place, each in enumerate(ordered) for key in each.above}
    until: dict[int, int] = {}
    found: dict[str, int] = {}
    for place, each in enumerate(ordered):
        rail = next(each for each in count() if until.get(each, -1) <= place)
        found[each.key] = rail
        until[rail] = last.get(each.key, place)
    return found


def _line(start: tuple[float, float], end: tuple[float, float]) -> Markup:
    """Down the rail of what it came from, and round to the member's own dot."""
    (x, y), (to, to_y) = start, end
    if x == to:
        return element("path", d=f"M{number(x)} {number(y)}V{number(to_y)}", class_="rail")
    turn = max(y, to_y - 14)
    curve = f"C{number(x)} {number(to_y)} {number(x)} {number(to_y)} {number(to)} {number(to_y)}"
    return element("path", d=f"M{number(x)} {number(y)}V{number(turn)}{curve}", class_="rail")
