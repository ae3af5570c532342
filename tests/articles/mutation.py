"""A text without one of its tables: what the tests of the articles must not survive.

What is deleted is named as a test's mark names it: the id of a rule, a checklist or an obligation (``third-party``),
the name of a table (``marking``, ``equivalence``, ``term.notice``), or one key of a table with the key that cites its
clause (``marking.derivative``, ``scope.forms``). ``LAYER:id`` deletes from a layer of the library instead.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise

from articles.marked import LIBRARY, TEXT

HEAD = re.compile(r"^\[\[?([a-z.-]+)\]?\]", re.MULTILINE)
NAMED = ("rule", "checklist", "obligation")


class Unknown(Exception):
    """Nothing in the text is called so."""


@cache
def blocks(text: str) -> tuple[tuple[str, str], ...]:
    """The tables of a text, each with its name, in order; what stands before the first has an empty name."""
    places = [match.start() for match in HEAD.finditer(text)]
    bounds = [0, *places, len(text)]
    pieces = [text[first:last] for first, last in pairwise(bounds)]
    return tuple((match[1] if (match := HEAD.match(piece)) else "", piece) for piece in pieces)


def _has(piece: str, key: str, value: str) -> bool:
    return re.search(rf'^{key} = "{re.escape(value)}"$', piece, re.MULTILINE) is not None


def without(text: str, what: str) -> str:
    """``text`` without what is called ``what``, and without the rules and deadlines that need it.

    Raises:
        Unknown: there is no such thing in it.
    """
    kept: list[str] = []
    found = False
    table, _, key = what.rpartition(".")
    for name, piece in blocks(text):
        gone = (name in NAMED and _has(piece, "id", what)) or name == what
        needs_it = (name == "rule" and _has(piece, "checklist", what)) or (
            name == "deadline" and _has(piece, "obligation", what)
        )
        if name == table and key:
            shorter = re.sub(rf"^{re.escape(key)}(-clause)? = .*\n", "", piece, flags=re.MULTILINE)
            found = found or shorter != piece
            kept.append(shorter)
        elif not gone and not needs_it:
            kept.append(piece)
        found = found or gone
    if not found or not what:
        raise Unknown(what)
    return "".join(kept)


class Mutation:
    """The agreement, or a layer of the library, without one thing."""

    def __init__(self, named: str) -> None:
        layer, _, self.what = named.rpartition(":")
        self.layer = f"{layer}.toml" if layer else ""
        self.text = TEXT if layer else without(TEXT, self.what)
        if layer:
            without(LIBRARY.joinpath(self.layer).read_text(encoding="utf-8"), self.what)

    def of_layer(self, source: str) -> str:
        """A layer that a test asks for: by its name in the library, or its text."""
        text = LIBRARY.joinpath(source).read_text(encoding="utf-8") if "\n" not in source else source
        if self.layer:
            return without(text, self.what) if source == self.layer else text
        return "".join(  # a layer gives no number to a duty that is not there
            piece for name, piece in blocks(text) if not (name == "deadline" and _has(piece, "obligation", self.what))
        )
