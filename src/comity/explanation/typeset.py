r"""A readable text as the source that Typst typesets to PDF.

Rules of this file:

- Every text is a string of Typst's code, never its markup: nothing of a file becomes a sign of Typst.
- The PDF is to be PDF/UA-1: it has a title, a language, headings, heads of tables that are repeated on each page, and
  words for the drawing. Typst refuses to make one with a letter that no font here has.

    >>> _string('a "b" \\ c')
    '"a \\"b\\" \\\\ c"'
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from comity.agreement.vocabulary import Language
from comity.explanation.blocks import Block, Document, Drawing, Entries, Grid, Heading, Paragraph, Piece, shown

FAMILIES: Mapping[Language, Sequence[str]] = {
    "en": ("Noto Sans", "Noto Sans CJK JP", "Noto Sans CJK KR", "Libertinus Serif"),
    "ja": (
        "Noto Sans CJK JP",
        "Noto Sans JP",
        "Source Han Sans",
        "IPAexGothic",
        "IPAGothic",
        "Hiragino Sans",
        "Yu Gothic",
        "MS Gothic",
    ),
    "ko": (
        "Noto Sans CJK KR",
        "Noto Sans KR",
        "Source Han Sans K",
        "NanumGothic",
        "Apple SD Gothic Neo",
        "Malgun Gothic",
    ),
}
"""Families of letters by language, the best first; any other that is there serves for what they lack."""

_NARROW = 14
"""Columns of text in which a cell may stand unbroken; a wider one is given its share of what is left."""
_SHARE_MAX = 60
"""Most shares that one column takes."""


def typst_source(document: Document, families: Sequence[str]) -> str:
    """The source of one document, in the first of ``families`` that has the letters."""
    fonts = "".join(f"{_string(family)}, " for family in families)
    font = f"font: ({fonts}), " if families else ""
    return "\n".join(
        [
            f"#set document(title: {_string(document.title.text)}, date: none)",
            f"#set text({font}size: 9.5pt, lang: {_string(document.language)})",
            '#set page(paper: "a4", margin: (x: 18mm, y: 20mm), numbering: "1 / 1", header: align(end, text(size: 7pt, '
            f"{_string(document.instrument + ' · ' + document.digest[:16])})))",
            "#set par(leading: 0.7em, spacing: 0.9em)",
            "#show heading.where(level: 1): set text(size: 15pt)",
            "#show heading.where(level: 2): set text(size: 12.5pt)",
            "#show heading.where(level: 3): set text(size: 10.5pt)",
            "#show heading: set block(above: 1.4em, below: 0.7em)",
            "#show table: set text(size: 8pt)",
            '#set table(stroke: 0.4pt + rgb("#555555"), inset: 4pt, align: start)',
            '#let aside(body) = text(size: 8.5pt, fill: rgb("#444444"), body)',
            f"#heading(level: 1, {_piece(document.title)})",
            f"#aside({_string(document.instrument)})",
            "",
            f"#aside({_string(document.digest)})",
            "",
            *(line for block, captioned in document.parts() for line in _block(block, captioned=captioned)),
            "",
        ]
    )


def _block(block: Block, *, captioned: bool) -> Iterator[str]:
    match block:
        case Heading(level=level, text=text):
            yield f"#heading(level: {level}, {_piece(text)})"
        case Paragraph(text=text, aside=aside):
            yield f"#par({f'aside({_piece(text)})' if aside else _piece(text)})"
        case Entries(entries=entries):
            items = (f"[#{_piece(each.text)} #box(aside({_string(f'[{each.rests_on}]')}))]" for each in entries)
            yield f"#list({', '.join(items)})"
        case Grid(caption=caption, heads=heads, rows=rows):
            if captioned:
                yield f"#block(sticky: true, below: 0.5em, strong({_string(caption)}))"
            head = ", ".join(f"strong({_string(each)})" for each in heads)
            cells = "".join(f"[#{_piece(cell)}], " for row in rows for cell in row)
            yield f"#table(columns: ({_columns(block)}), table.header({head}), {cells})"
        case Drawing(svg=svg, words=words):
            yield f'#image(bytes({_string(svg)}), format: "svg", width: 100%, alt: {_string(words)})'


def _columns(grid: Grid) -> str:
    """How wide each column is: as its widest cell where that is narrow, or a share of the rest."""
    cells = zip(*([*map(_width, grid.heads)], *([_width(cell.text) for cell in row] for row in grid.rows)), strict=True)
    widest = [max(column) for column in cells]
    if max(widest) <= _NARROW:
        return "1fr, " * len(widest)
    return "".join("auto, " if each <= _NARROW else f"{min(each, _SHARE_MAX)}fr, " for each in widest)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def _piece(piece: Piece) -> str:
    """Content in code: a text, with its language where it is another one."""
    language = f"lang: {_string(piece.language)}, " if piece.language else ""
    return f"text({language}{_string(piece.text)})"


def _string(text: str) -> str:
    """A string of Typst's code."""
    return '"' + shown(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
