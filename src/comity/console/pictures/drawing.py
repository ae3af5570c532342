"""Elements written safely, text measured before it is placed, and what every picture has around it.

Rules of this file (``spec/pictures.md`` steps 2 and 5):

- Elements and attributes are of closed lists in which nothing can run, fetch or style; everything else is escaped.
- A letter that cannot be printed, or that turns the direction of writing, is shown as ``U+FFFD``: it moves nothing.
- Widths are estimates for the widest of the usual typefaces: too much rather than too little.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from markupsafe import Markup, escape

from comity.errors import invariant

ELEMENTS = frozenset(
    [
        *("svg", "g", "title", "desc", "rect", "circle", "line", "path", "text"),
        *("figure", "figcaption", "details", "summary", "div", "p", "ul", "ol", "li", "span", "strong", "time", "bdi"),
        *("table", "caption", "thead", "tbody", "tr", "th", "td", "a"),
    ]
)
"""What pictures and the tables beside them are made of."""
ATTRIBUTES = frozenset(
    [
        *("id", "class", "x", "y", "width", "height", "rx", "cx", "cy", "r", "x1", "y1", "x2", "y2", "d", "viewBox"),
        *("role", "tabindex", "aria-labelledby", "aria-label", "aria-hidden", "aria-current", "focusable"),
        *("text-anchor", "scope", "colspan", "headers", "datetime", "lang", "href"),
    ]
)
SIZES: Mapping[str, float] = {"": 13, "strong": 13, "small": 11, "head": 15}
"""Height of the letters of each sort of text, in pixels; the style sheet says the same."""
WIDTH = 360
"""Width of a picture that is not drawn in shares, in pixels."""
NARROWEST = 280
"""Width that is left to a picture on a screen of 320 pixels; one that is drawn in shares is laid out for it."""
LINE = 1.35
"""From one line of text to the next, in heights of its letters."""
MARKUP_NAMES = {"class_": "class"}
_NARROW, _WIDE = frozenset("iljI.,:;'!|()[] `"), frozenset("mwMW@%&—…")
_STRONG = 1.12
CUT = "…"


def shown(text: str) -> str:
    """Text with a sign in the place of every letter that cannot be printed."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)


def element(name: str, *children: str, **attributes: str | float | None) -> Markup:
    """An element with escaped children and attributes; an attribute that is none is left out.

    Underscores in names of attributes stand for hyphens; ``class_`` is the class.
    """
    invariant(name in ELEMENTS, f"no picture has an element {name!r}")
    written = []
    for key, value in attributes.items():
        attribute = MARKUP_NAMES.get(key, key.replace("_", "-"))
        invariant(attribute in ATTRIBUTES, f"no element of a picture has an attribute {attribute!r}")
        if attribute == "href":
            invariant(_own(str(value)), "a picture leads to our own pages only")
        if value is not None:
            printed = number(value) if isinstance(value, int | float) else shown(value)
            written.append(f' {attribute}="{escape(printed)}"')
    inside = "".join(child if isinstance(child, Markup) else escape(shown(child)) for child in children)
    return Markup(f"<{name}{''.join(written)}>{inside}</{name}>")  # noqa: S704 - every part was escaped above


def _own(address: str) -> bool:
    return address.startswith("#") or (address.startswith("/") and address[1:2] not in ("/", "\\"))


def joined(parts: Iterable[Markup]) -> Markup:
    """Markup after markup."""
    return Markup("").join(parts)


def number(value: float) -> str:
    """A number as it stands in an attribute: at most two digits behind the point."""
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def share(part: float) -> str:
    """A part of the whole width, 0 to 1, as a place in a picture that is drawn in shares."""
    return f"{number(100 * part)}%"


def width_of(text: str, sort: str = "") -> float:
    """How wide a text is at most, in pixels."""
    return SIZES[sort] * sum(map(_ems, shown(text))) * (_STRONG if sort in ("strong", "head") else 1)


def _ems(letter: str) -> float:
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WFA" and letter not in _WIDE:
        return 1
    if letter in _NARROW:
        return 0.4
    if letter in _WIDE:
        return 1
    return 0.77 if letter.isupper() else 0.65


def cut(text: str, width: float, sort: str = "") -> str:
    """A text that fits; what does not is cut, and the cut is shown."""
    text = shown(text)
    if width_of(text, sort) <= width:
        return text
    kept = text
    while kept and width_of(kept + CUT, sort) > width:
        kept = kept[:-1]
    return kept.rstrip() + CUT


def wrapped(text: str, width: float, sort: str = "", lines: int = 2) -> tuple[str, ...]:
    """A text in at most so many lines, broken at spaces and between full-width letters; the last one is cut."""
    parts: list[str] = []
    for letter in shown(text):
        alone = unicodedata.east_asian_width(letter) in "WF" and not "\uac00" <= letter <= "\ud7a3"
        if parts and parts[-1][-1] != " " and not alone:
            parts[-1] += letter
        else:
            parts.append(letter)
    found = [""]
    for part in parts:
        if found[-1] and width_of((found[-1] + part).rstrip(), sort) > width and len(found) < lines:
            found.append("")
        found[-1] += part
    return tuple(cut(line.strip(), width, sort) for line in found if line.strip())


def text(
    x: float | str, y: float, said: str, *, width: float, sort: str = "", anchor: str = "start", more: str = ""
) -> Markup:
    """A line of text at the place of its foot, cut to ``width``; what was cut stands whole in its title."""
    fitting = cut(said, width, sort)
    whole = (element("title", said),) if fitting != shown(said) else ()
    classes = " ".join(each for each in (sort, more) if each) or None
    return element("text", *whole, fitting, x=x, y=y, class_=classes, text_anchor=None if anchor == "start" else anchor)


def paragraph(
    x: float | str,
    y: float,
    said: str,
    *,
    width: float,
    sort: str = "",
    lines: int = 2,
    anchor: str = "start",
    more: str = "",
) -> tuple[Markup, float]:
    """Lines of text from ``y`` (the foot of the first) downward, and where the foot of the next one would be."""
    broken = wrapped(said, width, sort, lines)
    step = round(SIZES[sort] * LINE)
    drawn = [
        text(x, y + step * place, line, width=width, sort=sort, anchor=anchor, more=more)
        for place, line in enumerate(broken)
    ]
    whole = (element("title", said),) if "".join(broken).replace(" ", "") != shown(said).replace(" ", "") else ()
    return element("g", *whole, *drawn), y + step * len(broken)


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a picture as a whole.

    Attributes:
        key: its id on the page, lower-case letters and hyphens.
        title: what it shows.
        description: what is to be seen there, in a sentence or two.
        table: what opens the table beside it, such as "The same as a table".
    """

    key: str
    title: str
    description: str
    table: str


def drawn(names: Names, parts: Iterable[Markup], *, height: float, width: float | None = None) -> Markup:
    """The whole drawing; without a ``width`` its places are shares of the width it gets."""
    title, description = f"{names.key}-title", f"{names.key}-description"
    size: dict[str, str | float] = {"width": "100%", "height": height}
    if width is not None:
        size = {"width": width, "height": height, "viewBox": f"0 0 {number(width)} {number(height)}"}
    return element(
        "svg",
        element("title", names.title, id=title),
        element("desc", names.description, id=description),
        *parts,
        class_="drawing" if width is not None else "drawing in-shares",
        role="img",
        aria_labelledby=f"{title} {description}",
        focusable="false",
        **size,
    )


Cell = str | Markup
"""What stands in a cell: text, or markup that this room made."""


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Markup:
    """A table that scrolls in a region of its own; the first cell of a row is its heading."""
    body = [
        element("tr", element("th", cells[0], scope="row"), *(element("td", each) for each in cells[1:]))
        for cells in rows
    ]
    made = element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *(element("th", each, scope="col") for each in head))),
        element("tbody", *body),
    )
    return element("div", made, class_="scroll", role="region", tabindex=0, aria_label=caption)


def figure(names: Names, drawing: Markup, *below: Markup, beside: Markup) -> Markup:
    """A drawing with its title above, its legend below, and the table, which opens without a script."""
    return element(
        "figure",
        element("figcaption", names.title),
        element("div", drawing, class_="drawn"),
        *below,
        element("details", element("summary", names.table), beside),
        class_="picture",
        id=names.key,
    )


def legend(entries: Sequence[tuple[str, str]]) -> Markup:
    """What each class of a drawing says: a swatch and its words."""
    return element(
        "ul",
        *(element("li", element("span", class_=f"swatch {sort}", aria_hidden="true"), word) for sort, word in entries),
        class_="legend",
    )
