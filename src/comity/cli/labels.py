"""Labels of copies: drawn for a printer and for the terminal (``spec/custody.md`` steps 17 and 18).

The code holds the reference and nothing around it. A label for the inside shows what the copy is; one for the outside
shows the code and the reference alone, because no level, item or name stands on an outer envelope.
"""

from __future__ import annotations

import io
from itertools import groupby
from xml.sax.saxutils import escape

import segno

from comity.flows.handling.copies import Label

CORRECTION = "q"
"""A quarter of the code may be torn or smudged (ISO/IEC 18004, level Q)."""
BORDER = 4
"""Light modules around the code that the standard asks for."""
CODE_MM = 30
TEXT_MM = 70
LINE_MM = 5
PNG_SCALE = 10
"""Pixels of a module in a picture: 300 dots to the inch make 28 mm of it."""
FONT = "Noto Sans, Noto Sans CJK JP, Noto Sans CJK KR, sans-serif"


def code(reference: str) -> segno.QRCode:
    """The QR code of a reference."""
    return segno.make_qr(reference, error=CORRECTION)


def terminal(reference: str) -> list[str]:
    """The code in lines for a terminal, two modules in each character."""
    drawn = io.StringIO()
    code(reference).terminal(out=drawn, border=BORDER, compact=True)
    return drawn.getvalue().rstrip("\n").split("\n")


def png(reference: str) -> bytes:
    """The code alone as a picture."""
    drawn = io.BytesIO()
    code(reference).save(drawn, kind="png", scale=PNG_SCALE, border=BORDER)
    return drawn.getvalue()


def svg(label: Label, *, outside: bool) -> bytes:
    """The label for a printer, in its real size; with ``outside`` only what may stand on an outer envelope."""
    made = code(label.reference)
    modules = made.symbol_size(border=BORDER)[0]
    lines = [label.reference] if outside else _lines(label)
    width, height = CODE_MM + TEXT_MM, max(CODE_MM, (len(lines) + 1) * LINE_MM)
    texts = "".join(
        f'<text x="{CODE_MM}" y="{(place + 1) * LINE_MM + 1}" font-size="{_size(place, outside=outside)}">'
        f"{escape(text)}</text>"
        for place, text in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}mm" height="{height}mm" '
        f'viewBox="0 0 {width} {height}" font-family="{FONT}">'
        f'<rect width="{width}" height="{height}" fill="#fff"/>'
        f'<path transform="scale({CODE_MM / modules:.5f})" d="{_path(made)}"/>{texts}</svg>\n'
    ).encode()


def _path(made: segno.QRCode) -> str:
    """The dark modules as an outline, each run in a row one rectangle."""
    runs: list[str] = []
    for y, row in enumerate(made.matrix_iter(border=BORDER)):
        x = 0
        for dark, modules in groupby(row):
            length = len(list(modules))
            if dark:
                runs.append(f"M{x} {y}h{length}v1h-{length}z")
            x += length
    return "".join(runs)


def _lines(label: Label) -> list[str]:
    """What stands beside the code on the inside: the marks first."""
    held = ", ".join(each for each in (label.holder, label.body) if each)
    return [" = ".join(label.marks), f"copy {label.number}", label.item, held, label.reference]


def _size(place: int, *, outside: bool) -> str:
    return "4.5" if place == 0 and not outside else "3"
