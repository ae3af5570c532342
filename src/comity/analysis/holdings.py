"""Items at bodies, with all they came from, and what can be done with each.

Rules of this file (``spec/analysis.md`` steps 16 to 18):

- A *holding* is an item at a body, with the lineage it came from; lineages that allow the same are one, by a number.
- With a holding can be done what its item and all it came from allow together, slot by slot.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from comity.agreement.equivalence import equivalents
from comity.agreement.model import EVERY_PARTY
from comity.agreement.vocabulary import Relation
from comity.analysis.favour import EARLIEST
from comity.analysis.guards import Guards, Lineage, Row
from comity.analysis.kinds import Kinds
from comity.analysis.likeness import Kind
from comity.errors import Refused

UNMARKED = "unmarked"
"""The level of what its originator has declassified."""

As = Literal["party", "serves", "via", "nation"]
"""As what a body gets at something: its people receive it, they serve it, it is on the way, they are its nationals."""


class Holding(Struct, frozen=True):
    """An item at a body; ``lineage`` is the number of what it came from, ``since`` when it is there at the earliest."""

    holder: str
    kind: Kind
    lineage: int
    since: datetime = EARLIEST


class Step(Struct, frozen=True):
    """How something was reached: from which holding, in which way (the place of a slot), and as what.

    ``made`` is how something new came from the holding; empty when the item stayed the same.
    """

    before: Holding
    slot: int
    body: str
    got: As
    made: Relation | Literal[""] = ""


class Arrival(Struct, frozen=True, order=True):
    """What a body got at: of which level, by its English word, and for which purpose."""

    body: str
    level: str
    purpose: str


class Ground:
    """What all searches for the information of one originator have in common."""

    def __init__(self, guards: Guards, originator: str) -> None:
        self.guards = guards
        self.originator = originator
        self.kinds = Kinds(guards, originator)
        self.lineages: list[Lineage] = []
        self._numbers: dict[Lineage, int] = {}
        self._descended: dict[tuple[int, tuple[object, ...], str, str], int] = {}
        self._covers: dict[tuple[int, int], bool] = {}
        self._together: dict[tuple[Row, int, str], tuple[tuple[int, int], ...]] = {}
        self._marks: dict[tuple[int, str, str, str], tuple[str, tuple[tuple[str, str], ...]]] = {}
        self.nothing = self._number(guards.unrestricted)

    def _number(self, lineage: Lineage) -> int:
        if lineage not in self._numbers:
            self._numbers[lineage] = len(self.lineages)
            self.lineages.append(lineage)
        return self._numbers[lineage]

    def descend(self, lineage: int, kind: Kind) -> int:
        """The lineage of what is made from an item."""
        like = self.guards.likeness.like(kind, self.guards.values.other_body)
        key = lineage, (kind.originator, *like), kind.policy, kind.mark
        found = self._descended.get(key)
        if found is None:
            made = self.guards.descend(self.lineages[lineage], kind, self.originator)
            found = self._descended[key] = self._number(made)
        return found

    def covers(self, one: int, other: int) -> bool:
        """Whether the first lineage allows all that the second does."""
        if one == other:
            return True
        key = one, other
        if key not in self._covers:
            self._covers[key] = self.guards.lineage_covers(self.lineages[one], self.lineages[other])
        return self._covers[key]

    def too_low(self, lineage: int) -> frozenset[tuple[str, str]]:
        """The marks that are too low for what has this lineage, unless it is an extract."""
        return self.lineages[lineage][1]

    def together(self, holding: Holding) -> tuple[tuple[int, int], ...]:
        """For each slot that is not closed: the number of the guard of the item and of all it came from together."""
        guards = self.guards
        head = guards.head(holding.kind, holding.holder, self.originator)
        key = head, holding.lineage, holding.holder
        found = self._together.get(key)
        if found is None:
            row = guards.row_of(self.lineages[holding.lineage], holding.holder)
            both = ((place, guards.both(one, other)) for place, (one, other) in enumerate(zip(head, row, strict=True)))
            found = self._together[key] = tuple((place, guard) for place, guard in both if guard)
        return found

    def marks_at(self, kind: Kind, body: str) -> tuple[str, tuple[tuple[str, str], ...]]:
        """The level of an item, and how a body marks it: by the equivalence, if it is a party; else as it came."""
        key = kind.lens, kind.policy, kind.mark, body
        found = self._marks.get(key)
        if found is None:
            compiled = self.guards.lenses[kind.lens].compiled
            agreement = compiled.agreement
            level = next(
                (
                    each.english
                    for each in agreement.levels
                    if each.mark == kind.mark and each.party in {kind.policy, EVERY_PARTY}
                ),
                UNMARKED,
            )
            marks: tuple[tuple[str, str], ...] = ((kind.policy, kind.mark),)
            if body in compiled.parties and kind.mark:
                try:
                    there = equivalents(agreement, kind.policy, kind.mark, body, compiled.layers)
                    marks = tuple((body, each) for each in there.marks)
                    level = there.levels[0].english
                except Refused:
                    marks = ()  # nobody there could write a mark
            found = self._marks[key] = level, marks
        return found
