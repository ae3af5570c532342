"""A readable text as one HTML page: nothing is fetched, it prints on paper, and it can be read without seeing it.

Rules of this file:

- One file: the style stands in it, there is no script, no picture from elsewhere, and a policy that forbids all three.
- Headings are in order, tables have captions and heads, the drawing is told in words, text in another language says so.
- Every text is escaped; nothing of a file becomes a sign of HTML.
"""

from __future__ import annotations

from collections.abc import Iterator

from comity.explanation.blocks import Block, Document, Drawing, Entries, Grid, Heading, Paragraph, Piece, shown
from comity.explanation.phrases import LANGUAGES, Phrase

_SKIP: Phrase = ("Skip to the text", "本文へ", "본문으로")


def page(document: Document, style: str) -> str:
    """The whole page.

    Args:
        document: the text.
        style: the style sheet that stands in it, ``page.css`` beside this module.
    """
    language = document.language
    found = [block for block in document.blocks if isinstance(block, Heading) and block.level == 2]
    contents = "".join(f'<li><a href="#{_safe(each.anchor)}">{_piece(each.text)}</a></li>' for each in found)
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="{language}">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            f"<title>{_safe(document.title.text)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            f'<a class="skip" href="#text">{_SKIP[LANGUAGES.index(language)]}</a>',
            f"<header><h1{_lang(document.title)}>{_safe(document.title.text)}</h1>",
            f'<p class="identity">{_safe(document.instrument)} · {_safe(document.digest)}</p></header>',
            f'<nav aria-label="{_safe(document.contents)}"><ul>{contents}</ul></nav>',
            '<main id="text">',
            *(line for block, captioned in document.parts() for line in _block(block, captioned=captioned)),
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _block(block: Block, *, captioned: bool) -> Iterator[str]:
    match block:
        case Heading(level=level, text=text, anchor=anchor):
            yield f'<h{level} id="{_safe(anchor)}"{_lang(text)}>{_safe(text.text)}</h{level}>'
        case Paragraph(text=text, aside=aside):
            kind = ' class="aside"' if aside else ""
            yield f"<p{kind}{_lang(text)}>{_safe(text.text)}</p>"
        case Entries(entries=entries):
            yield "<ul>"
            for each in entries:
                rests_on = f'<span class="rests-on">[{_safe(each.rests_on)}]</span>'
                yield f"<li><span{_lang(each.text)}>{_safe(each.text.text)}</span> {rests_on}</li>"
            yield "</ul>"
        case Grid(caption=caption, heads=heads, rows=rows):
            yield f'<div class="scroll" role="region" aria-label="{_safe(caption)}" tabindex="0">'
            hidden = "" if captioned else ' class="heard"'
            yield f"<table><caption{hidden}>{_safe(caption)}</caption>"
            cells = "".join(f'<th scope="col">{_safe(head)}</th>' for head in heads)
            yield f"<thead><tr>{cells}</tr></thead><tbody>"
            for row in rows:
                yield f"<tr>{''.join(f'<td{_lang(cell)}>{_safe(cell.text)}</td>' for cell in row)}</tr>"
            yield "</tbody></table></div>"
        case Drawing(svg=svg, words=words):
            drawn = svg.replace("<svg ", f'<svg role="img" aria-label="{_safe(words)}" ', 1)
            yield f"<figure>{drawn}</figure>"


def _piece(piece: Piece) -> str:
    return f"<span{_lang(piece)}>{_safe(piece.text)}</span>" if piece.language else _safe(piece.text)


def _lang(piece: Piece) -> str:
    return f' lang="{piece.language}"' if piece.language else ""


def _safe(text: str) -> str:
    """Text as HTML character data or the value of an attribute."""
    safe = shown(text)
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        safe = safe.replace(sign, name)
    return safe
