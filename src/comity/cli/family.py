"""A family of items as people see it: a tree in text, and a drawing.

made from it
├─ i-5cd…  translation (ko), t.txt  군사 Ⅱ급 비밀  1 held
│  └─ i-9xa…  contains it, brief.odt  군사 Ⅱ급 비밀  2 held
└─ i-3fe…  extract  군사 Ⅱ급 비밀  1 lost
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.cli.output import Output, Part, visible
from comity.flows.deriving.descent import LineageLine, LineageShown
from comity.marking.banner import written

RELATIONS: Mapping[str, str] = {
    "original": "as it was given",
    "copy": "copy",
    "translation": "translation",
    "extract": "extract",
    "contains": "contains it",
}
"""How an item came from those above it, in words."""
_WIDTH, _HEIGHT, _ACROSS, _DOWN, _MARGIN, _LINE = 230, 58, 60, 16, 16, 16
"""Sizes of the drawing, in pixels: of a box, of the room between boxes, of the margin, of a line of text."""
_BOX = {"ours": "#e8f0e4", "theirs": "#e4ebf3", "this": "#fbf1d0", "alarm": "#f7dddd"}
"""Colours of boxes."""


def tell_family(out: Output, shown: LineageShown) -> None:
    """The item, what it came from, and what was made from it."""
    out.line((shown.item.item, "strong"), *_parts(shown.item))
    _tell(out, "made from", shown.item, shown.ancestors, up=True)
    _tell(out, "made from it", shown.item, shown.descendants, up=False)
    if shown.more:
        out.gap()
        out.text(f"{shown.more} more are not shown")


def _tell(out: Output, head: str, item: LineageLine, family: Sequence[LineageLine], *, up: bool) -> None:
    out.gap()
    out.line((head, "strong"))
    if not family:
        out.line("nothing", indent=2)
        return
    kin = _kin(item, family, up=up)
    told: set[str] = set()

    def tell(of: str, lead: str) -> None:
        following = kin[of]
        for number, each in enumerate(following, start=1):
            last = number == len(following)
            again: tuple[Part, ...] = (("  as above", "dim"),) if each.item in told else _parts(each)
            out.line(lead + ("└─ " if last else "├─ "), (each.item, "strong"), *again)
            if each.item not in told:
                told.add(each.item)
                tell(each.item, lead + ("   " if last else "│  "))

    tell(item.item, "")


def _kin(item: LineageLine, family: Sequence[LineageLine], *, up: bool) -> dict[str, list[LineageLine]]:
    """Of each item the next ones in the direction of the walk, in the order in which they were made."""
    family = sorted(family, key=lambda each: (each.at, each.item))
    everybody = (item, *family)
    if up:
        return {each.item: [above for above in family if above.item in each.ancestors] for each in everybody}
    children: dict[str, list[LineageLine]] = {each.item: [] for each in everybody}
    for each in family:
        for ancestor in each.ancestors:
            if ancestor in children:
                children[ancestor].append(each)
    return children


def _parts(line: LineageLine) -> tuple[Part, ...]:
    """What is said of an item on its line."""
    what = RELATIONS[line.relation] + (f" ({line.language})" if line.language else "")
    marks = written(line.label) + (f" = {written(line.alternative)}" if line.alternative else "")
    held = ", ".join(f"{count} {state}" for state, count in line.copies.items())
    alarm = ", ".join(word for word, so in (("recalled", line.recalled), ("suspected", line.suspected)) if so)
    parts: list[Part] = [f"  {', '.join(each for each in (what, line.title) if each)}", f"  {marks or 'declassified'}"]
    if held:
        parts.append((f"  {held}", "dim"))
    if alarm:
        parts.append((f"  {alarm}", "bad"))
    return tuple(parts)


def drawing(shown: LineageShown, party: str) -> str:
    """The family as one SVG document: what it came from on the left, what was made from it on the right."""
    columns = _columns(shown)
    first = min(columns.values())
    places: dict[str, tuple[int, int]] = {}
    rows: dict[int, int] = {}
    lines = (*shown.ancestors, shown.item, *shown.descendants)
    for each in lines:
        column = columns[each.item] - first
        row = rows.get(column, 0)
        rows[column] = row + 1
        places[each.item] = (_MARGIN + column * (_WIDTH + _ACROSS), 3 * _LINE + row * (_HEIGHT + _DOWN))
    body = [f'<text x="{_MARGIN}" y="{_LINE + 4}" font-weight="bold">{_xml(shown.item.item)}</text>']
    body += [
        _line(places[ancestor], places[each.item])
        for each in lines
        for ancestor in each.ancestors
        if ancestor in places
    ]
    body += [_box(each, places[each.item], this=each is shown.item, party=party) for each in lines]
    width = 2 * _MARGIN + len(rows) * (_WIDTH + _ACROSS) - _ACROSS
    height = 3 * _LINE + max(rows.values()) * (_HEIGHT + _DOWN) + _MARGIN
    title = f"<title>What {_xml(shown.item.item)} came from, and what was made from it</title>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        'font-family="sans-serif" font-size="12" role="img">\n' + "\n".join((title, *body)) + "\n</svg>\n"
    )


def _columns(shown: LineageShown) -> dict[str, int]:
    """Of each item its column: right of everything it was made from, left of what was made from it."""
    columns = {shown.item.item: 0}
    for family, step, kin in (
        (shown.ancestors, -1, _kin(shown.item, shown.ancestors, up=True)),
        (shown.descendants, 1, _kin(shown.item, shown.descendants, up=False)),
    ):
        waiting = [shown.item.item]
        while waiting:
            of = waiting.pop(0)
            for each in kin[of]:
                column = columns[of] + step
                if each.item not in columns or abs(columns[each.item]) < abs(column):
                    columns[each.item] = column
                    waiting.append(each.item)
        for each in family:
            columns.setdefault(each.item, step)
    return columns


def _box(line: LineageLine, place: tuple[int, int], *, this: bool, party: str) -> str:
    x, y = place
    colour = _BOX["this"] if this else _BOX["ours"] if line.maker == party else _BOX["theirs"]
    if line.recalled or line.suspected:
        colour = _BOX["alarm"]
    what = RELATIONS[line.relation] + (f" ({line.language})" if line.language else "")
    states = ", ".join(f"{count} {state}" for state, count in line.copies.items())
    alarm = ", ".join(word for word, so in (("recalled", line.recalled), ("suspected", line.suspected)) if so)
    told = (line.item, f"{what}, {line.maker}: {written(line.label) or 'declassified'}", alarm or states)
    text = "".join(
        f'<text x="{x + 8}" y="{y + (number + 1) * _LINE}"{_BOLD if number == 0 else ""}>{_xml(_cut(each))}</text>'
        for number, each in enumerate(told)
        if each
    )
    return (
        f"<g><title>{_xml(', '.join(each for each in (*told, states, line.title) if each))}</title>"
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" fill="{colour}" stroke="#555"/>{text}</g>'
    )


_BOLD = ' font-weight="bold"'
_CHARACTERS = 34
"""Characters of a line in a box; what is longer is cut, and whole in the title of the box."""


def _cut(text: str) -> str:
    return text if len(text) <= _CHARACTERS else text[: _CHARACTERS - 1] + "…"


def _line(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    to_x, to_y = end[0], end[1] + _HEIGHT // 2
    middle = (x + to_x) // 2
    return f'<path d="M{x} {y} C{middle} {y} {middle} {to_y} {to_x} {to_y}" fill="none" stroke="#555"/>'


def _xml(text: str) -> str:
    """Text as XML character data."""
    shown = visible(text)
    escapes: Sequence[tuple[str, str]] = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))
    for letter, escape in escapes:
        shown = shown.replace(letter, escape)
    return shown
