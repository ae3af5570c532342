"""The words of a text, and those of a question, in scripts with spaces and without (``spec/index.md`` step 14)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

WORD_CHARACTERS_MAX = 24
"""A longer word is found by its beginning."""
WORDS_MAX = 64
"""Most words of one text that it is found by."""
NEEDLES_MAX = 8
"""Most words of one question."""
_CLOSE = ("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH", "HIRAGANA", "KATAKANA", "HANGUL")
"""How the names of characters begin that are written without spaces between words, or with endings joined to them."""


class Needle(NamedTuple):
    """One word of a question: it is in a text as ``part``, and ``names`` are the words one of which the text is under.

    Each name is a range: from the first to before the second.
    """

    part: str
    names: tuple[str, str]


def folded(text: str) -> str:
    """A text as it is compared: a space before each word, and within one where the script changes."""
    return "".join(f" {run}" for run in _runs(text))


def words_of(text: str) -> list[str]:
    """The words a text is found by."""
    found: dict[str, None] = {}
    for run in _runs(text):
        if _close(run[0]):
            found.update(dict.fromkeys(run[place : place + 2] for place in range(len(run))))
        else:
            found[run[:WORD_CHARACTERS_MAX]] = None
    return list(found)[:WORDS_MAX]


def needles_of(question: str) -> list[Needle]:
    """What is to be found, of a question as it was typed."""
    found: dict[Needle, None] = {}
    for run in _runs(question):
        if _close(run[0]) and len(run) > 1:
            found[Needle(run, (run[:2], run[:2] + "\0"))] = None
        else:
            start = run[:WORD_CHARACTERS_MAX]
            found[Needle(run if _close(run[0]) else f" {run}", (start, start + "\U0010ffff"))] = None
    return list(found)[:NEEDLES_MAX]


def _runs(text: str) -> Iterator[str]:
    """Stretches of letters and digits of one kind of script, folded."""
    run = ""
    for letter in unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()):
        kind = unicodedata.category(letter)[0]
        if kind not in "LNM" or (run and _close(letter) != _close(run[-1]) and kind != "M"):
            if run:
                yield run
            run = ""
        if kind in "LNM":
            run += letter
    if run:
        yield run


def _close(letter: str) -> bool:
    return letter > "\u10ff" and unicodedata.name(letter, "").startswith(_CLOSE)
