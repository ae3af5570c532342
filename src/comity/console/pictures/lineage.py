"""What an item came from and what was made from it, and how its copies stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from markupsafe import Markup

from comity.console.pictures.drawing import WIDTH, Cell, Names, drawn, element, figure, legend, table
from comity.console.pictures.rails import Member, in_order, rails

DRAWN_MAX = 60
"""Most items of one drawing; the table has all of them."""


class Relative(msgspec.Struct, frozen=True, kw_only=True):
    """An item of a family.

    Attributes:
        item: its id.
        name: what it is called, and where it has no name, its id.
        made: how it was made, such as "translation into Korean".
        marks: as they are written.
        copies: how its copies stand, such as "2 held, 1 destroyed".
        alarm: that it was recalled, lost or is suspected, in words; empty where nothing is.
        above: the items it was made from.
        side: ``this`` for the item asked about, otherwise who made it.
        href: our own page about it; empty where there is none.
    """

    item: str
    name: str
    made: str
    marks: str
    copies: str
    alarm: str = ""
    above: tuple[str, ...] = ()
    side: Literal["this", "ours", "theirs"] = "ours"
    href: str = ""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words: of each side, of an alarm, how many are not drawn, and the heads of the table.

    ``columns`` are item, made, marks, copies, what it was made from.
    """

    names: Names
    sides: Mapping[str, str]
    alarm: str
    more: str
    columns: tuple[str, str, str, str, str]


def lineage(family: Sequence[Relative], words: Words) -> Markup:
    """The figure.

    Raises:
        Misuse: something came from itself, or stands twice.
    """
    members = tuple(map(_member, family))
    order = {each.key: place for place, each in enumerate(in_order(members))}
    kept = _nearest(members, family)
    parts, height = rails(kept, 2)
    used = dict.fromkeys(each.side for each in family)
    swatches = [(f"box {side}", words.sides[side]) for side in used]
    if any(each.alarm for each in family):
        swatches.append(("box alarm", words.alarm))
    names = {each.item: each.name for each in family}
    rows = [_row(each, names, words) for each in sorted(family, key=lambda each: order[each.item])]
    left_out = (element("p", words.more),) if len(kept) < len(members) else ()
    drawing = drawn(words.names, parts, width=WIDTH, height=height + 4)
    told = table(words.names.title, words.columns, rows)
    return figure(words.names, drawing, *left_out, legend(swatches), beside=told)


def _nearest(members: tuple[Member, ...], family: Sequence[Relative]) -> tuple[Member, ...]:
    """As many as one drawing has, the item asked about first among them."""
    mine = {each.item for each in family if each.side == "this"}
    return tuple(sorted(members, key=lambda each: each.key not in mine)[:DRAWN_MAX]) if mine else members[:DRAWN_MAX]


def _member(each: Relative) -> Member:
    said = " · ".join(part for part in (each.made, each.marks) if part)
    lines = [(each.name, "strong"), (said, "small"), (each.copies, "small"), (each.alarm, "strong")]
    sort = f"{each.side} alarm" if each.alarm else each.side
    return Member(each.item, each.above, sort, tuple(line for line in lines if line[0]))


def _row(each: Relative, names: Mapping[str, str], words: Words) -> tuple[Cell, ...]:
    called = element("bdi", each.name)
    here = "page" if each.side == "this" else None
    item = element("a", called, href=each.href, aria_current=here) if each.href else called
    states = "; ".join(part for part in (each.copies, each.alarm) if part)
    above = ", ".join(names.get(key, key) for key in each.above)
    return (item, f"{each.made} ({words.sides[each.side]})", each.marks, states, above)
