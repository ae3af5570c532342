"""The words of a text, and those of a question, in scripts with spaces and without (``spec/index.md`` step 14)."""

from __future__ import annotations

import re
from typing import NamedTuple
from unicodedata import normalize

WORD_CHARACTERS_MAX = 24
"""A longer word is found by its beginning."""
WORDS_MAX = 64
"""Most words of one text that it is found by."""
NEEDLES_MAX = 8
"""Most words of one question."""
_CLOSE = "\u1100-\u11ff\u2e80-\u2fdf\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
_CLOSE += "\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\U0001aff0-\U0001b16f\U00020000-\U0003fffd"
"""Han, kana and Hangul: written without spaces between words, or with endings joined to them."""
_RUN = re.compile(f"[{_CLOSE}]+|[^\\W_{_CLOSE}]+")
_CLOSE_LETTER = re.compile(f"[{_CLOSE}]")


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


def _runs(text: str) -> list[str]:
    """Stretches of letters and digits of one kind of script, folded."""
    plain = text.casefold() if text.isascii() else normalize("NFKC", normalize("NFKC", text).casefold())
    return _RUN.findall(plain)


def _close(letter: str) -> bool:
    return _CLOSE_LETTER.match(letter) is not None
