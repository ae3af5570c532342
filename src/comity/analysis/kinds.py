"""Every kind of item that there can be under an agreement, and which of them matter.

Rules of this file (``spec/analysis.md`` step 17):

- Whatever can be written on an item is tried: one value of each sort that the agreement can tell apart.
- Of items with one mark, one with which no more can be done than with another is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import Literal

from msgspec import Struct

from comity.agreement.vocabulary import Form, Relation
from comity.analysis.guards import Guards, Row
from comity.analysis.likeness import Kind
from comity.analysis.values import FORMS
from comity.errors import Misuse

CATEGORIES_MAX = 8
"""Most sorts of categories; they are taken together in every way."""


class Chosen(Struct, frozen=True):
    """What is fixed of the originator's item; what is not is anything."""

    mark: str = ""
    form: Form | Literal[""] = ""
    subject: str = ""
    purpose: str = ""


class Kinds:
    """The kinds of items, for the information of one originator."""

    def __init__(self, guards: Guards, originator: str) -> None:
        self.guards = guards
        self.values = guards.values
        self.originator = originator
        self._makings: dict[tuple[int, str, tuple[Relation, ...]], tuple[Kind, ...]] = {}
        self._conducts: dict[tuple[object, ...], int] = {}
        self._conduct_of: dict[Kind, int] = {}
        self._conduct: list[tuple[bool, tuple[Row, ...]]] = []
        self._does_more: dict[tuple[int, int], bool] = {}

    def originals(self, lens: int, policy: str, chosen: Chosen) -> Iterator[Kind]:
        """The originator's own items under an agreement, as the party ``policy`` marks them."""
        found: dict[tuple[str, str], list[Kind]] = {}
        for kind in self._kinds(lens, policy, ("original",), (self.originator,), chosen):
            if kind.provided != self.values.other:
                found.setdefault((kind.mark, kind.provided), []).append(kind)
        for kinds in found.values():
            yield from self._uncovered(kinds)

    def makings(self, lens: int, maker: str, relations: tuple[Relation, ...]) -> tuple[Kind, ...]:
        """What a body can make under an agreement, whatever it writes on it; without what others do as well."""
        key = lens, maker, relations
        if key not in self._makings:
            found: dict[str, list[Kind]] = {}
            for kind in self._kinds(lens, maker, relations, self._names(lens, maker), Chosen()):
                found.setdefault(kind.mark, []).append(kind)
            self._makings[key] = tuple(kind for kinds in found.values() for kind in self._uncovered(kinds))
        return self._makings[key]

    def _names(self, lens: int, maker: str) -> tuple[str, ...]:
        """Whom a maker can name as originator: itself, another party, whoever a rule names, somebody else."""
        bodies = self.values.bodies
        return tuple(dict.fromkeys((maker, self.originator, *self.guards.lenses[lens].compiled.party_ids, *bodies)))

    def conduct(self, kind: Kind) -> int:
        """A number for all items under one agreement with which exactly the same can be done."""
        if kind not in self._conduct_of:
            guards = self.guards
            sides = (*guards.lenses[kind.lens].compiled.party_ids, guards.values.other_body)
            rows = (
                *(guards.head(kind, side, self.originator) for side in sides[:-1]),
                *(guards.ancestor(kind, side, self.originator) for side in sides),
            )
            key = kind.lens, kind.relation == "extract", rows
            if key not in self._conducts:
                self._conducts[key] = len(self._conduct)
                self._conduct.append(key[1:])
            self._conduct_of[kind] = self._conducts[key]
        return self._conduct_of[kind]

    def does_more(self, one: int, other: int) -> bool:
        """Whether with the first all can be done that can with the second; both under one agreement, equally marked.

        An extract may be marked lower than what it came from, at once or anew; so nothing else does more than it.
        """
        if one == other:
            return True
        key = one, other
        if key not in self._does_more:
            (extract, rows), (needs_extract, others) = self._conduct[one], self._conduct[other]
            self._does_more[key] = extract >= needs_extract and all(map(self.guards.row_covers, rows, others))
        return self._does_more[key]

    def _kinds(
        self, lens: int, policy: str, relations: tuple[Relation, ...], names: tuple[str, ...], chosen: Chosen
    ) -> Iterator[Kind]:
        """Everything that can be written on an item, one of each sort that its agreement can tell apart."""
        likeness, values = self.guards.likeness, self.values
        compiled = self.guards.lenses[lens].compiled
        marks = [
            mark for (party, mark), level in compiled.levels.items() if party == policy and mark and not level.weight
        ]
        purposes = values.purposes if likeness.tests(lens, "other_purpose") else (values.same,)
        if chosen.purpose:
            purposes = (chosen.purpose if chosen.purpose in values.purposes else values.same,)
        elif relations == ("original",):
            purposes = values.purposes
        subjects = values.subjects
        if chosen.subject:
            subjects = (chosen.subject if chosen.subject in values.subjects else values.subjects[-1],)
        for mark, relation, originator, provided, form, subject, categories, recalled, suspected in product(
            [each for each in marks if not chosen.mark or each == chosen.mark],
            [each for each in relations if each == "extract" or each in likeness.unlike(lens, "relation", relations)],
            likeness.unlike_originators(lens, names, self.originator),
            purposes,
            likeness.unlike(lens, "form", (chosen.form,) if chosen.form else FORMS),
            likeness.unlike(lens, "subject", subjects),
            likeness.unlike(lens, "categories", self._categories(lens)),
            likeness.unlike(lens, "recalled", (False, True)),
            likeness.unlike(lens, "suspected", (False, True)),
        ):
            yield Kind(
                lens=lens,
                policy=policy,
                mark=mark,
                originator=originator,
                form=form,
                subject=subject,
                provided=provided,
                categories=categories,
                relation=relation,
                recalled=recalled,
                suspected=suspected,
            )

    def _categories(self, lens: int) -> list[tuple[str, ...]]:
        """Every set of categories, of each sort that the agreement can tell apart at most one."""
        alone = [(word,) for word in self.values.categories]
        apart = [word for (word,) in self.guards.likeness.unlike(lens, "categories", alone)]
        if len(apart) > CATEGORIES_MAX:
            raise Misuse(
                f"{len(apart)} sorts of categories can be told apart, at most {CATEGORIES_MAX} are looked at",
                code="too-many-categories",
            )
        return [each for size in range(len(apart) + 1) for each in combinations(apart, size)]

    def _uncovered(self, kinds: list[Kind]) -> list[Kind]:
        """Of items with one mark those with which more can be done than with any other, or something else."""
        kept: list[Kind] = []
        for kind in kinds:
            conduct = self.conduct(kind)
            if not any(self.does_more(self.conduct(other), conduct) for other in kept):
                kept = [other for other in kept if not self.does_more(conduct, self.conduct(other))]
                kept.append(kind)
        return kept
