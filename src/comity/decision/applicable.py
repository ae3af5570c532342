"""Which rules apply, found at a cost that does not grow with the number of clauses.

Every rule that speaks of an act has a bit, and every ``unless`` another. For each condition there is a table from a
value to the bits it leaves standing, so a handful of look-ups and ``&`` on whole numbers does the work of reading all
rules. What follows from one set of bits is worked out once and kept (`plan.py`).

Rules of this file:

- A condition that is not written holds; a list holds when one of its words does.
- A condition no rule of the act uses is not looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from comity.agreement.model import Agreement, When

ITEM_CONDITIONS = (
    "form",
    "level",
    "subject",
    "purpose",
    "other_purpose",
    "originator",
    "acting",
    "holder",
    "relation",
)
"""Conditions over the item and the act, in the order in which `decide` lists their values."""
PERSON_CONDITIONS = ("recipient", "serves", "employer", "body", "function")
"""Conditions over one recipient, in the order in which `decide` lists their values."""

Lookup = tuple[int, Callable[[object, int], int], int]
"""Position of the value, look-up in the table, bits that stand whatever the value is."""


class Conditions:
    """One set of conditions that may hold: the ``when`` or the ``unless`` of a rule, with its bit."""

    def __init__(self, agreement: Agreement, written: When | None, acting: str | None) -> None:
        self.words: dict[str, frozenset[object]] = {}
        for condition in (*ITEM_CONDITIONS, *PERSON_CONDITIONS, "category", "beneficiary"):
            value = getattr(written, condition) if written else None
            if value is not None:
                self.words[condition] = frozenset(value if isinstance(value, tuple) else (value,))
        if written and written.level_at_least is not None:
            marks = _marks_from(agreement, written.level_at_least)
            self.words["level"] = self.words.get("level", marks) & marks
        if acting is not None:  # a domestic layer binds its own party only
            self.words["acting"] = self.words.get("acting", frozenset({acting})) & {acting}


class Index:
    """The bits of the rules of one act."""

    def __init__(self, conditions: Sequence[Conditions]) -> None:
        self.every = (1 << len(conditions)) - 1
        self.of_item = self._lookups(ITEM_CONDITIONS, conditions)
        self.of_person = self._lookups(PERSON_CONDITIONS, conditions)
        self._categories, self._without_category = self._table("category", conditions)
        self._beneficiaries, self._any_beneficiary = self._table("beneficiary", conditions)
        self.uses_categories = bool(self._categories)
        third, national = self.beneficiary("third-party"), self.beneficiary("third-national")
        self.beneficiaries = (self.beneficiary("party"), third, national, third | national)

    def beneficiary(self, word: str) -> int:
        """The bits that stand for one word of ``beneficiary``."""
        return self._beneficiaries.get(word, self._any_beneficiary)

    def categories(self, names: Iterable[str]) -> int:
        """The bits that stand for an item of these categories."""
        bits = self._without_category
        for name in names:
            bits |= self._categories.get(name, 0)
        return bits

    def _lookups(self, names: Sequence[str], conditions: Sequence[Conditions]) -> tuple[Lookup, ...]:
        found = []
        for position, name in enumerate(names):
            table, default = self._table(name, conditions)
            if default != self.every:
                found.append((position, table.get, default))
        return tuple(found)

    def _table(self, name: str, conditions: Sequence[Conditions]) -> tuple[dict[object, int], int]:
        default = 0
        words: set[object] = set()
        for bit, each in enumerate(conditions):
            if name in each.words:
                words |= each.words[name]
            else:
                default |= 1 << bit
        table = dict.fromkeys(words, default)
        for bit, each in enumerate(conditions):
            for word in each.words.get(name, ()):
                table[word] |= 1 << bit
        return table, default


def _marks_from(agreement: Agreement, word: str) -> frozenset[object]:
    """All marks at the rank of a mark or of an English level word, and above."""
    lowest = next(level.rank for level in agreement.levels if word in {level.mark, level.english})
    return frozenset(level.mark for level in agreement.levels if level.rank >= lowest)
