"""``agreement diff``: two agreements, or two drafts of one, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from comity.cli.options import Desk, Verb, housed
from comity.cli.output import Output, Style, visible, width, wrapped

if TYPE_CHECKING:
    from comity.agreement.model import Agreement, Layer
    from comity.explanation.difference import Change, Compared, Difference, Side
    from comity.explanation.voice import Told

SIDE_BY_SIDE_MIN = 64
"""Fewest columns in which two texts stand side by side; below, one stands under the other."""
NAMES_MAX = 20
"""Widest column of names."""
STYLES: dict[str, Style] = {"added": "good", "removed": "bad", "changed": "warn", "renamed": "dim"}

HOW = {"added": "added", "removed": "removed", "changed": "changed", "renamed": "renamed"}
OF_TWO_HOW = {"added": "only the second", "removed": "only the first", "changed": "otherwise", "renamed": "as"}
"""What became of a row; of two agreements, neither of which came from the other, it is said otherwise."""
OF_TWO = frozenset({"rule", "checklist", "obligation", "interval"})
"""The tables that are compared aloud for two agreements; for two drafts of one, all are."""

language_option = click.option(
    "--language",
    type=click.Choice(["en", "ja", "ko"]),
    default="en",
    help="The language in which it is told what they say.",
)


@click.command(cls=Verb)
@click.argument("first")
@click.argument("second")
@click.option("--first-layer", multiple=True, metavar="FILE", help="A layer on the first; repeat it.")
@click.option("--second-layer", multiple=True, metavar="FILE", help="A layer on the second; repeat it.")
@click.option("--all", "everything", is_flag=True, help="Also the parameters in which they do not differ.")
@language_option
@housed
def diff(
    desk: Desk,
    first: str,
    second: str,
    first_layer: tuple[str, ...],
    second_layer: tuple[str, ...],
    everything: bool,
    language: str,
) -> None:
    """Compare two agreements, or two drafts of one: parameter by parameter, then table by table.

    Example:
      comity agreement diff jp-kr-2016 draft.toml
    """
    from comity.explanation.difference import difference

    found = difference(read_agreement(first, first_layer), read_agreement(second, second_layer), language)  # type: ignore[arg-type]  # one of three, by the option

    def tell(out: Output, told: Difference) -> None:
        tell_difference(out, told, everything=everything)
        if not told.same:
            out.next((f"comity agreement explain {second}", "the second as a readable text"))

    desk.show(found, tell)


def read_agreement(name: str, layers: Sequence[str] = ()) -> tuple[Agreement, tuple[Layer, ...]]:
    """An agreement and its layers, checked; what happened to it plays no part.

    Raises:
        Rejected: a file has a mistake; file, line and key are named.
        Misuse: there is no such file.
    """
    from comity.agreement.load import check_time_zones, parse_agreement, parse_layer
    from comity.api import read_text
    from comity.timezones import time_zones

    text, file = read_text(name)
    agreement = parse_agreement(text, file)
    check_time_zones(agreement, text, file, time_zones().zones)
    return agreement, tuple(parse_layer(*read_text(layer), agreement) for layer in layers)


def tell_difference(out: Output, found: Difference, *, everything: bool) -> None:
    """Tell in what two texts differ; ``everything``: in what they do not, too."""
    if found.same:
        out.line(("the same: ", "good"), f"{found.first.id} and {found.second.id} do not differ in anything compared")
        return
    shown = [each for each in found.parameters if everything or not each.same]
    if shown:
        _tell_parameters(out, found, shown)
    alike = [each.name for each in found.parameters if each.same and (each.first or each.second)]
    if alike and not everything:
        out.gap()
        out.text(f"the same in both: {'; '.join(alike)}", style="dim")
    one = found.first.id == found.second.id
    for table in dict.fromkeys(change.table for change in found.changes):
        if one or everything or table in OF_TWO:
            out.gap()
            out.line((table, "strong"))
            for change in found.changes:
                if change.table == table:
                    _tell_change(out, change, HOW if one else HOW | OF_TWO_HOW)
    out.gap()
    out.text("P read in the text, S in a secondary source, K not checked.", style="dim")


def _tell_parameters(out: Output, found: Difference, shown: Sequence[Compared]) -> None:
    names = min(NAMES_MAX, max(width(each.name) for each in shown))
    heads = [_name(side, found) for side in (found.first, found.second)]
    if out.columns < SIDE_BY_SIDE_MIN:
        for each in shown:
            out.line((each.name, "strong"))
            for head, told in zip(heads, (each.first, each.second), strict=True):
                out.fields([(head, "; ".join(f"{one.text} {_tag(one)}" for one in told) or "-")])
        return
    column = (out.columns - names - 4) // 2
    _side_by_side(out, "", fitted(heads[0], column), fitted(heads[1], column), (names, column), "dim")
    for each in shown:
        out.gap()
        both = {told.text for told in each.first} & {told.text for told in each.second} if not each.same else set()
        left, right = (
            [line for told in values if told.text not in both for line in _cited(told, column)] or ["-"]
            for values in (each.first, each.second)
        )
        _side_by_side(out, each.name, left, right, (names, column))
        if both:
            _side_by_side(out, "", [f"and {len(both)} in which they agree"], [], (names, column), "dim")


def _name(side: Side, found: Difference) -> str:
    """What a side is called: its id, and what tells it from the other."""
    layers = f" + {', '.join(side.layers)}" if side.layers else ""
    if found.first.id != found.second.id:
        return side.id + layers
    if found.first.version != found.second.version:
        return f"{side.id} ({side.version}){layers}"
    return f"{side.id} {side.digest[:8]}{layers}"


def _side_by_side(
    out: Output, name: str, left: list[str], right: list[str], columns: tuple[int, int], style: Style | None = None
) -> None:
    names, column = columns
    heads = fitted(name, names)
    for index in range(max(len(heads), len(left), len(right))):
        head, mine, other = (each[index] if index < len(each) else "" for each in (heads, left, right))
        text = " " * (names - width(head) + 2) + mine + " " * (column - width(mine) + 2) + other
        out.line((head, "strong"), (text, style) if style else text)


def _tag(told: Told) -> str:
    return f"[{told.clause}, {told.provenance}]"


def _cited(told: Told, column: int) -> list[str]:
    """A value in lines, with what it rests on at its end, in one piece."""
    *lines, last = fitted(told.text, column)
    tag = _tag(told)
    return [*lines, f"{last} {tag}"] if width(last) + 1 + width(tag) <= column else [*lines, last, tag]


def _tell_change(out: Output, change: Change, how: Mapping[str, str]) -> None:
    where = f" of {change.layer}" if change.layer else ""
    clauses = " → ".join(dict.fromkeys(each for each in (change.first_clause, change.second_clause) if each))
    said = how[change.how]
    cited = f"  [{clauses}]" if clauses else ""
    out.line((said, STYLES[change.how]), f"  {change.id or change.table}{where}", (cited, "dim"), indent=2)
    if change.how != "changed":
        out.text(change.second or change.first, indent=4)
    elif change.table in {"rule", "obligation", "checklist"} and change.first != change.second:
        out.text(f"before: {change.first}", indent=4)
        out.text(f"now: {change.second}", indent=4)
    else:
        out.fields([(key.key, f"{key.first or '-'} → {key.second or '-'}") for key in change.keys], indent=4)


def fitted(text: str, columns: int) -> list[str]:
    """``text`` in lines of at most ``columns``; a word that is longer, as in Japanese, is broken where it must be."""
    words = []
    for word in visible(text).split(" "):
        piece = ""
        for character in word:
            if width(piece + character) > columns:
                words.append(piece)
                piece = ""
            piece += character
        words.append(piece)
    return wrapped(" ".join(words), columns)
