"""What an incident affects: what was lost or seen, everything that was made from it, and who held each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from markupsafe import Markup

from comity.console.pictures.drawing import WIDTH, Cell, Names, drawn, element, figure, legend, table
from comity.console.pictures.lineage import DRAWN_MAX
from comity.console.pictures.rails import Member, rails


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """An item that an incident affects.

    Attributes:
        item: its id.
        name: what it is called, and where it has no name, its id.
        what: what became of it, such as "copy 2 lost" or "extract of it".
        holders: who held copies of it, each with the state of his.
        above: what it was made from, among those affected.
        kind: ``lost`` for what the incident is about, ``made`` for what was made from it.
        href: our own page about it; empty where there is none.
    """

    item: str
    name: str
    what: str
    holders: tuple[str, ...]
    above: tuple[str, ...] = ()
    kind: Literal["lost", "made"] = "made"
    href: str = ""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """The words: of both kinds, of nobody having held something, and the heads of the table.

    ``columns`` are item, what became of it, who held it. ``more`` says how many are not drawn.
    """

    names: Names
    lost: str
    made: str
    nobody: str
    more: str
    columns: tuple[str, str, str]


def affected(items: Sequence[Affected], words: Words) -> Markup:
    """The figure.

    Raises:
        Misuse: something came from itself, or stands twice.
    """
    parts, height = rails([_member(each, words) for each in items[:DRAWN_MAX]], 2)
    kinds = dict.fromkeys(each.kind for each in items)
    swatches = [(f"box {kind}", words.lost if kind == "lost" else words.made) for kind in kinds]
    rows = [_row(each, words) for each in items]
    left_out = (element("p", words.more),) if len(items) > DRAWN_MAX else ()
    drawing = drawn(words.names, parts, width=WIDTH, height=height + 4)
    told = table(words.names.title, words.columns, rows)
    return figure(words.names, drawing, *left_out, legend(swatches), beside=told)


def _member(each: Affected, words: Words) -> Member:
    held = "; ".join(each.holders) or words.nobody
    return Member(each.item, each.above, each.kind, ((each.name, "strong"), (each.what, "small"), (held, "small")))


def _row(each: Affected, words: Words) -> tuple[Cell, ...]:
    called = element("bdi", each.name)
    item = element("a", called, href=each.href) if each.href else called
    return item, each.what, element("ul", *(element("li", held) for held in each.holders or (words.nobody,)))
