"""An agreement of the library as text, without one thing: what its cases and its transcript must not survive.

What is deleted is named as ``comity agreement try --thorough`` names it: ``rule third-party``, ``obligation o-8.4``,
``protection-basis us-kr-1987``, ``[route]``, ``scope.forms``.
"""

from __future__ import annotations

import re
from itertools import pairwise

from comity.api import read_text

HEAD = re.compile(r"^\[\[?([a-z.-]+)\]?\]", re.MULTILINE)
KEYS = {"protection-basis": "agreement"}
"""By which key a table is named; by its id otherwise."""


def without_thing(name: str, what: str) -> str:
    """The text of agreement ``name`` without ``what``, and without the rules that need it.

    Raises:
        LookupError: there is no such thing in it.
    """
    text, _ = read_text(name)
    kind, _, word = what.partition(" ")
    kept, found = [], False
    for table, piece in _pieces(text):
        if what == f"[{table}]":
            found = True
            continue
        if what.startswith(f"{table}.") and table:
            key = what.partition(".")[2]
            shorter = re.sub(rf"^{key}(-clause)? = .*\n", "", piece, flags=re.MULTILINE)
            found = found or shorter != piece
            kept.append(shorter)
            continue
        if word and table == kind and _has(piece, KEYS.get(kind, "id"), word):
            found = True
            continue
        if kind == "checklist" and table == "rule" and _has(piece, "checklist", word):
            continue
        kept.append(piece)
    if not found:
        raise LookupError(what)
    return "".join(kept)


def _pieces(text: str) -> list[tuple[str, str]]:
    bounds = [0, *(match.start() for match in HEAD.finditer(text)), len(text)]
    pieces = [text[first:last] for first, last in pairwise(bounds)]
    return [(match[1] if (match := HEAD.match(piece)) else "", piece) for piece in pieces]


def _has(piece: str, key: str, value: str) -> bool:
    return re.search(rf'^{key} = "{re.escape(value)}"$', piece, re.MULTILINE) is not None
