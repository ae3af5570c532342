"""A readable text as blocks, before anybody decides how it is written.

A text is told in one language; a piece that is in another one says so, so that it is spoken and hyphenated rightly.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from comity.agreement.vocabulary import Language


class Piece(Struct, frozen=True):
    """A run of text. `language` is empty where it is that of the whole text."""

    text: str
    language: str = ""


class Heading(Struct, frozen=True, tag="heading"):
    """A heading of level 2 or 3 (the title is level 1), and the name by which it is found."""

    level: int
    text: Piece
    anchor: str


class Paragraph(Struct, frozen=True, tag="paragraph"):
    """A paragraph; `aside` for what stands a little apart, such as where a clause was read."""

    text: Piece
    aside: bool = False


class Entry(Struct, frozen=True):
    """One of a list, with what it rests on."""

    text: Piece
    rests_on: str


class Entries(Struct, frozen=True, tag="entries"):
    """A list of sentences."""

    entries: tuple[Entry, ...]


class Grid(Struct, frozen=True, tag="grid"):
    """A table with a caption, heads and rows of as many cells as there are heads."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Piece, ...], ...]


class Drawing(Struct, frozen=True, tag="drawing"):
    """A drawing as SVG, the same in characters for a text alone, and in words for those who cannot see it."""

    svg: str
    lines: tuple[str, ...]
    words: str


Block = Heading | Paragraph | Entries | Grid | Drawing


class Document(Struct, frozen=True):
    """A whole text.

    Attributes:
        title: the title of the agreement.
        language: the language in which it is told.
        instrument: id and version of the agreement, and the ids of the layers.
        digest: the digest of the agreement.
        contents: what the list of headings is called.
        blocks: the text.
    """

    title: Piece
    language: Language
    instrument: str
    digest: str
    contents: str
    blocks: tuple[Block, ...]

    def parts(self) -> Iterator[tuple[Block, bool]]:
        """The blocks, each with whether its caption says something that the heading before it does not say."""
        heading = ""
        for block in self.blocks:
            yield block, not (isinstance(block, Grid) and block.caption == heading)
            heading = block.text.text if isinstance(block, Heading) else ""


def shown(text: str) -> str:
    """``text`` with everything that is not a visible character, a space or a line's end shown as its code point."""
    return "".join(each if each.isprintable() or each in "\n\u3000" else f"<U+{ord(each):04X}>" for each in text)
