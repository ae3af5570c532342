"""What agreements can tell apart of an item, and every way of doing something with one.

Rules of this file (``spec/analysis.md`` steps 12 and 16):

- ``lens`` says what one agreement can tell of a value for one act; here it is for any act by which somebody gets at
  something. Values that are alike have one number.
- A *slot* is one way of doing something: an act, for a purpose, by a road, at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from comity.agreement.vocabulary import Act, Form, Relation
from comity.analysis.cases import Road
from comity.analysis.favour import AT
from comity.analysis.lens import MOVING, Lens
from comity.analysis.values import Values

T = TypeVar("T")
REACHING: tuple[Act, ...] = (
    *("give", "show", "visit", "feed", "pass-on"),
    *("open", "use-for", "hand-over"),
    *("copy", "translate", "extract"),
    "reclassify",
)
"""Acts by which somebody gets at information, makes something of it, or changes its mark."""


class Slot(Struct, frozen=True):
    """One way of doing something: an act, for a purpose, by a road."""

    act: Act
    purpose: str
    road: Road


class Kind(Struct, frozen=True):
    """An item as far as anything can tell: under which agreement, and what is written on it."""

    lens: int
    policy: str
    mark: str
    originator: str
    form: Form
    subject: str
    provided: str
    categories: tuple[str, ...]
    relation: Relation
    recalled: bool
    suspected: bool


class Likeness:
    """What the agreements of a set can tell apart.

    Attributes:
        moments: one instant for each time in which the same rules of all agreements hold, ascending.
        slots: every way of doing something, the earlier ones first.
    """

    def __init__(self, lenses: Sequence[Lens], values: Values) -> None:
        self.lenses = lenses
        self.values = values
        self.moments = self._moments()
        self.slots = tuple(
            Slot(act, purpose, (via, office, at))
            for at in self.moments
            for act in REACHING
            if any(act in lens.rules for lens in lenses)
            for purpose in values.purposes
            for via, office in self._roads(act)
        )
        self._parts: dict[tuple[int, str, object], int] = {}
        self._seen: dict[tuple[object, ...], int] = {}
        self._tested: dict[tuple[int, str], bool] = {}
        self._slot_sorts: dict[int, tuple[object, ...]] = {}

    def _moments(self) -> list[datetime]:
        days = {at for lens in self.lenses for act in REACHING for at in lens.moments(act)}
        return sorted(days - {AT}) or [AT]

    def _roads(self, act: Act) -> list[tuple[tuple[str, ...], str]]:
        """The roads that any agreement knows: its whole route, parts of it, none; from each registry or none."""
        if act not in MOVING:
            vias: set[tuple[str, ...]] = {()}
        else:
            routes = {lens.compiled.via for lens in self.lenses}
            vias = {r[start:end] for r in routes for start in range(len(r) + 1) for end in range(start, len(r) + 1)}
            vias.add(())
        registries = self.values.registries if any(lens.along_registries(act) for lens in self.lenses) else ()
        return [(via, office) for via in sorted(vias) for office in ("", *registries)]

    def of_slots(self, number: int) -> tuple[object, ...]:
        """What an agreement can tell of each slot."""
        if number not in self._slot_sorts:
            lens = self.lenses[number]
            self._slot_sorts[number] = tuple(
                (slot.act, lens.attribute_kind(slot.act, "purpose", slot.purpose), lens.road_kind(slot.act, slot.road))
                for slot in self.slots
            )
        return self._slot_sorts[number]

    def like(self, kind: Kind, acting: str) -> tuple[object, ...]:
        """The same for two items and sides that nothing in their agreement tells apart."""
        number, part = kind.lens, self.part
        return (
            part(number, "level", (kind.policy, kind.mark)),
            part(number, "form", kind.form),
            part(number, "subject", kind.subject),
            part(number, "originator", kind.originator),
            part(number, "acting", acting),
            kind.originator == acting and self.tests(number, "holder"),
            kind.provided if self.tests(number, "other_purpose") else "",
            part(number, "categories", kind.categories),
            part(number, "relation", kind.relation),
            part(number, "recalled", kind.recalled),
            part(number, "suspected", kind.suspected),
        )

    def unlike(self, number: int, name: str, values: Sequence[T]) -> list[T]:
        """One of each sort of values of an attribute that an agreement can tell apart, for any act; the first."""
        found: dict[int, T] = {}
        for value in values:
            found.setdefault(self.part(number, name, value), value)
        return list(found.values())

    def unlike_originators(self, number: int, names: Sequence[str], followed: str) -> list[str]:
        """One of each sort of originators, the one that is followed, and each party that can hold its own."""
        own = self.lenses[number].compiled.parties if self.tests(number, "holder") else frozenset()
        found: dict[object, str] = {}
        for name in names:
            part = self.part(number, "originator", name)
            found.setdefault((part, name if name in own or name == followed else ""), name)
        return list(found.values())

    def part(self, number: int, name: str, value: object) -> int:
        """A number for all values of one attribute that an agreement cannot tell apart, for any act."""
        key = number, name, value
        found = self._parts.get(key)
        if found is None:
            lens = self.lenses[number]
            seen = number, name, tuple(lens.attribute_kind(act, name, value) for act in REACHING if act in lens.rules)
            found = self._parts[key] = self._seen.setdefault(seen, len(self._seen))
        return found

    def tests(self, number: int, condition: str) -> bool:
        """Whether an agreement tests a condition, for any act."""
        key = number, condition
        if key not in self._tested:
            self._tested[key] = any(self.lenses[number].tests(act, condition) for act in REACHING)
        return self._tested[key]
