"""The label: what the originator said about one piece of information.

Rules of this file (``spec/marking.md`` steps 1 and 2):

- ``policy`` is the id of the party whose ladder ``mark`` belongs to; ``mark`` is in that party's own script.
- Marks compare exactly. Text that is not in Unicode normal form C is refused, never repaired, so that two
  labels which read alike are alike: ``Ⅱ`` (U+2161) is one character and ``II`` is two others.
- ``categories`` restrict (a reader needs every one of them); ``releasable_to`` permits (only these parties).
  Both are written in ascending order without repeats, so that a label has one written form.
- An item whose originator has declassified it has an empty ``mark``.
- Nothing rewrites a label. Translation makes an alternative that stands beside it.

    >>> Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="kr").mark
    '군사 Ⅱ급 비밀'
"""

from __future__ import annotations

import unicodedata
from itertools import pairwise

import msgspec

from comity.errors import Rejected

MARK_CHARACTERS_MAX = 128
"""Longest mark or name in a label, in characters; the longest known has fewer than 40."""
LABEL_NAMES_MAX = 64
"""Most categories, or most parties, that one label may name; a banner with more could not be read."""


LABELS_REMEMBERED_MAX = 4_096
"""Labels that are known to be well written and need not be looked at again: a register is full of the same few."""
_checked: set[tuple[str, str, tuple[str, ...], tuple[str, ...], str]] = set()


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """A label as its originator wrote it.

    Attributes:
        policy: party id whose ladder the mark belongs to.
        mark: the mark, exactly as on that ladder; empty when the originator has taken it away.
        categories: restrictive categories, ascending; empty when there are none.
        releasable_to: party ids, ascending; empty when the label sets no limit (the agreement still does).
        originator: party id of whoever gave the label.

    Raises:
        Rejected: a name other than the mark is empty; one is too long, has control characters or is not in normal
            form C; or a list is too long or not ascending.
    """

    policy: str
    mark: str
    categories: tuple[str, ...] = ()
    releasable_to: tuple[str, ...] = ()
    originator: str

    def __post_init__(self) -> None:
        written = (self.policy, self.mark, self.categories, self.releasable_to, self.originator)
        if written in _checked:
            return
        self._check()
        if len(_checked) >= LABELS_REMEMBERED_MAX:
            _checked.clear()
        _checked.add(written)

    def _check(self) -> None:
        for field in ("policy", "mark", "originator"):
            if field != "mark" or self.mark:
                _check_name(field, getattr(self, field))
        for field in ("categories", "releasable_to"):
            names: tuple[str, ...] = getattr(self, field)
            for name in names:
                _check_name(field, name)
            if len(names) > LABEL_NAMES_MAX:
                raise Rejected(
                    f"{len(names)} names in one list of a label; at most {LABEL_NAMES_MAX} are allowed",
                    code="label-too-long",
                    place=field,
                )
            if any(first >= second for first, second in pairwise(names)):
                raise Rejected(
                    f"{list(names)!r} is not ascending without repeats; write {sorted(set(names))!r}",
                    code="label-order",
                    place=field,
                )


def _check_name(field: str, text: str) -> None:
    if not text or text != text.strip() or not text.isprintable():
        raise Rejected(
            f"{text!r} is empty, has space around it or has characters that cannot be printed",
            code="label-text",
            place=field,
        )
    if len(text) > MARK_CHARACTERS_MAX:
        raise Rejected(
            f"{len(text)} characters; at most {MARK_CHARACTERS_MAX} are allowed",
            code="label-too-long",
            place=field,
        )
    if not unicodedata.is_normalized("NFC", text):
        raise Rejected(
            f"{text!r} is not in Unicode normal form C; write it as {unicodedata.normalize('NFC', text)!r}",
            code="not-nfc",
            place=field,
        )
