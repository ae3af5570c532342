"""The known word a reader most likely meant, and how it differs when the two look alike.

>>> nearest("clearence", ["clearance", "briefing"])
", did you mean 'clearance'?"
>>> nearest("군사 II급 비밀", ["군사 Ⅱ급 비밀"])
", did you mean '군사 Ⅱ급 비밀'? it is written with 'Ⅱ' (U+2161), not 'II'"
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that names the nearest of ``known``, or those few there are; empty when none is near."""
    words = sorted(set(known))
    folded = unicodedata.normalize("NFKC", word)
    for candidate in words:
        if unicodedata.normalize("NFKC", candidate) == folded:
            return f", did you mean {candidate!r}?{_difference(word, candidate)}"
    if near := difflib.get_close_matches(word, words, n=1, cutoff=0.6):
        return f", did you mean {near[0]!r}?"
    return f"; known: {', '.join(words)}" if words and len(words) <= 24 else ""


def _difference(word: str, candidate: str) -> str:
    for character in candidate:
        plain = unicodedata.normalize("NFKC", character)
        if character not in word and plain in word:
            return f" it is written with {character!r} (U+{ord(character):04X}), not {plain!r}"
    return ""
