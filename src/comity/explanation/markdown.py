"""A readable text as Markdown (CommonMark, with tables), for a terminal, a repository or an editor."""

from __future__ import annotations

import re
from collections.abc import Iterator

from comity.explanation.blocks import Block, Document, Drawing, Entries, Grid, Heading, Paragraph, shown

_SIGNS = re.compile(r"[\\`*_\[\]<>#|~&]")
_LINE_STARTS = re.compile(r"^(\d+)([.)](?:\s|$))|^([-+=])")


def markdown(document: Document) -> str:
    """The whole text, with a line break at its end."""
    parts = [f"# {_safe(document.title.text)}", f"`{document.instrument}` · `{document.digest}`"]
    for block, captioned in document.parts():
        parts += _block(block, captioned=captioned)
    return "\n\n".join(parts) + "\n"


def _block(block: Block, *, captioned: bool) -> Iterator[str]:
    match block:
        case Heading(level=level, text=text):
            yield f"{'#' * level} {_safe(text.text)}"
        case Paragraph(text=text, aside=aside):
            yield f"*{_safe(text.text)}*" if aside else _safe(text.text)
        case Entries(entries=entries):
            yield "\n".join(f"- {_safe(each.text.text)} [{_safe(each.rests_on)}]" for each in entries)
        case Grid(caption=caption, heads=heads, rows=rows):
            if captioned:
                yield f"**{_safe(caption)}**"
            lines = [
                map(_cell, heads),
                ["---"] * len(heads),
                *(map(_cell, (cell.text for cell in row)) for row in rows),
            ]
            yield "\n".join(f"| {' | '.join(line)} |" for line in lines)
        case Drawing(lines=lines):
            yield "\n".join(["```text", *lines, "```"])


def _safe(text: str) -> str:
    """``text`` without anything that Markdown would take for a sign."""
    escaped = _SIGNS.sub(lambda sign: "\\" + sign[0], " ".join(shown(text).split()))
    return _LINE_STARTS.sub(lambda start: f"{start[1]}\\{start[2]}" if start[1] else "\\" + start[3], escaped)


def _cell(text: str) -> str:
    return _safe(text) or " "
