"""Who may get at what: the answers of the decision for every kind of case, as sets of people.

Rules of this file (``spec/analysis.md`` steps 15 and 16):

- A *guard* is a set of people for whom an act is permitted, and three sets of those for whom the originator whose
  information is followed has to consent: to the body they stand in, to the one they serve, to their nation gaining.
- What one item allows, and all it came from, is the common part of what each allows. So the lineage of an item is kept
  as what it still allows, for each act, purpose and road, and not as a list; equal ones are one.
- A guard that allows at least as many people with no more consents *covers* another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement.vocabulary import Act, Form, Relation
from comity.analysis.cases import Road
from comity.analysis.lens import MOVING, ONESELF, ORIGINATOR, Lens, Needed
from comity.analysis.persons import Persons
from comity.analysis.values import Profile, Values

T = TypeVar("T")
REACHING: tuple[Act, ...] = (
    *("give", "show", "visit", "feed", "pass-on"),
    *("open", "use-for", "hand-over"),
    *("copy", "translate", "extract"),
    "reclassify",
)
"""Acts by which somebody gets at information, makes something of it, or changes its mark."""


class Guard(NamedTuple):
    """Sets of people: who is allowed, and for whom a consent is needed as what they gain."""

    allowed: int
    party: int
    serves: int
    nation: int


NOBODY = Guard(0, 0, 0, 0)


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


Row = tuple[int, ...]
"""Numbers of guards, one for each slot."""
Lineage = tuple[tuple[Row, tuple[tuple[str, Row], ...]], frozenset[tuple[str, str]]]
"""What all that something came from allows: whoever acts, and where some party acts; and the marks that are too low."""


class Guards:
    """The guards of a set of agreements, for the information of one originator.

    Attributes:
        slots: every way of doing something.
        of_party: the places of the agreements of each party.
    """

    def __init__(self, lenses: Sequence[Lens], values: Values, persons: Persons) -> None:
        self.lenses = lenses
        self.values = values
        self.persons = persons
        self.slots = tuple(
            Slot(act, purpose, road)
            for act in REACHING
            if any(act in lens.rules for lens in lenses)
            for purpose in values.purposes
            for road in self._roads(act)
        )
        self._numbers: dict[Guard, int] = {NOBODY: 0}
        self.guards: list[Guard] = [NOBODY]
        self._asked: dict[tuple[object, ...], tuple[tuple[int, Needed], ...]] = {}
        self._both: dict[tuple[int, int], int] = {}
        self._covers: dict[tuple[int, int], bool] = {}
        self._rows: dict[tuple[object, ...], Row] = {}
        self._parts: dict[tuple[int, str, object], int] = {}
        self._seen: dict[tuple[object, ...], int] = {}
        self._tested: dict[tuple[str, str], bool] = {}
        self._slot_sorts: dict[int, tuple[object, ...]] = {}
        self._seen_acting: dict[int, tuple[str, ...]] = {}
        self.of_party = {
            party: tuple(number for number, lens in enumerate(lenses) if party in lens.compiled.parties)
            for party in values.parties
        }
        self._groups: dict[tuple[int, Act], Any] = {}
        free = self._number(Guard(persons.all, 0, 0, 0))
        self.unrestricted: Lineage = (((free,) * len(self.slots), ()), frozenset())

    def _roads(self, act: Act) -> list[Road]:
        """The roads that any agreement knows: its whole route, parts of it, none; from each registry or none."""
        if act not in MOVING:
            vias: set[tuple[str, ...]] = {()}
        else:
            routes = {lens.compiled.via for lens in self.lenses}
            vias = {r[start:end] for r in routes for start in range(len(r) + 1) for end in range(start, len(r) + 1)}
            vias.add(())
        registries = self.values.registries if any(lens.along_registries(act) for lens in self.lenses) else ()
        return [(via, office) for via in sorted(vias) for office in ("", *registries)]

    def _number(self, guard: Guard) -> int:
        if guard not in self._numbers:
            self._numbers[guard] = len(self.guards)
            self.guards.append(guard)
        return self._numbers[guard]

    def both(self, one: int, other: int) -> int:
        """What two guards allow together: fewer people, more consents."""
        key = (one, other) if one < other else (other, one)
        found = self._both.get(key)
        if found is None:
            first, second = self.guards[one], self.guards[other]
            allowed = first.allowed & second.allowed
            found = self._both[key] = self._number(
                Guard(allowed, *(allowed & (a | b) for a, b in zip(first[1:], second[1:], strict=True)))
            )
        return found

    def covers(self, one: int, other: int) -> bool:
        """Whether the first allows everybody whom the second does, with no more consents."""
        if other in {one, 0}:
            return True
        key = one, other
        if key not in self._covers:
            first, second = self.guards[one], self.guards[other]
            allowed = second.allowed
            self._covers[key] = not allowed & ~first.allowed and not any(
                a & allowed & ~b for a, b in zip(first[1:], second[1:], strict=True)
            )
        return self._covers[key]

    def row_covers(self, one: Row, other: Row) -> bool:
        """Whether ``covers`` holds slot by slot."""
        return one is other or all(map(self.covers, one, other))

    # ---- what one item allows -----------------------------------------------------------------------------------

    def head(self, kind: Kind, acting: str, originator: str) -> Row:
        """What an item allows of itself when ``acting`` acts; ``originator`` is whose consents are counted."""
        return self._row(kind, acting, originator, ancestor=False)

    def ancestor(self, kind: Kind, acting: str, originator: str) -> Row:
        """What an item allows of whatever came from it."""
        return self._row(kind, acting, originator, ancestor=True)

    def _row(self, kind: Kind, acting: str, originator: str, *, ancestor: bool) -> Row:
        lens = self.lenses[kind.lens]
        if not ancestor and acting not in lens.compiled.parties:
            return (0,) * len(self.slots)
        giver = "" if kind.originator == originator else originator if originator in lens.compiled.parties else None
        key = (kind.lens, ancestor, giver, acting if not ancestor else "", self.like(kind, acting))
        found = self._rows.get(key)
        if found is None:
            other_purpose = self._tests(lens, "other_purpose")
            alike: dict[object, int] = {}
            row = []
            for slot, seen in zip(self.slots, self._slots_seen(kind.lens), strict=True):
                sort = seen, other_purpose and slot.purpose != kind.provided
                if sort not in alike:
                    alike[sort] = self._guard(kind, acting, giver, slot, ancestor=ancestor)
                row.append(alike[sort])
            found = self._rows[key] = tuple(row)
        return found

    def _slots_seen(self, number: int) -> tuple[object, ...]:
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
        number = kind.lens
        lens = self.lenses[number]
        part = self._part
        return (
            part(number, "level", (kind.policy, kind.mark)),
            part(number, "form", kind.form),
            part(number, "subject", kind.subject),
            part(number, "originator", kind.originator),
            part(number, "acting", acting),
            kind.originator == acting and self._tests(lens, "holder"),
            kind.provided if self._tests(lens, "other_purpose") else "",
            part(number, "categories", kind.categories),
            part(number, "relation", kind.relation),
            part(number, "recalled", kind.recalled),
            part(number, "suspected", kind.suspected),
        )

    def unlike(self, number: int, name: str, values: Sequence[T]) -> list[T]:
        """One of each sort of values of an attribute that an agreement can tell apart, for any act; the first."""
        found: dict[int, T] = {}
        for value in values:
            found.setdefault(self._part(number, name, value), value)
        return list(found.values())

    def unlike_originators(self, number: int, names: Sequence[str], followed: str) -> list[str]:
        """One of each sort of originators, the one that is followed, and each party that can hold its own."""
        lens = self.lenses[number]
        own = lens.compiled.parties if self._tests(lens, "holder") else frozenset()
        found: dict[object, str] = {}
        for name in names:
            part = self._part(number, "originator", name)
            found.setdefault((part, name if name in own or name == followed else ""), name)
        return list(found.values())

    def tests(self, number: int, condition: str) -> bool:
        """Whether an agreement tests a condition, for any act."""
        return self._tests(self.lenses[number], condition)

    def _part(self, number: int, name: str, value: object) -> int:
        """A number for all values of one attribute that an agreement cannot tell apart, for any act."""
        key = number, name, value
        found = self._parts.get(key)
        if found is None:
            lens = self.lenses[number]
            seen = number, name, tuple(lens.attribute_kind(act, name, value) for act in REACHING if act in lens.rules)
            found = self._parts[key] = self._seen.setdefault(seen, len(self._seen))
        return found

    def _tests(self, lens: Lens, condition: str) -> bool:
        key = lens.compiled.id, condition
        if key not in self._tested:
            self._tested[key] = any(lens.tests(act, condition) for act in REACHING)
        return self._tested[key]

    def profile(self, kind: Kind, act: Act, acting: str, purpose: str, party: str) -> Profile:
        """The case of an act with an item, for somebody who stands in and serves ``party``."""
        return Profile(
            act=act,
            acting=acting,
            originator=kind.originator,
            policy=kind.policy,
            mark=kind.mark,
            form=kind.form,
            subject=kind.subject,
            provided=kind.provided,
            purpose=purpose,
            party=party,
            serves=party,
            nationality=self.values.nations[0],
            categories=kind.categories,
            relation=kind.relation,
            recalled=kind.recalled,
            suspected=kind.suspected,
        )

    def _guard(self, kind: Kind, acting: str, giver: str | None, slot: Slot, *, ancestor: bool) -> int:
        """The number of the guard for one slot; ``giver`` is by whose consents it counts: ``""`` is the originator."""
        lens = self.lenses[kind.lens]
        act = slot.act
        if act not in lens.rules:
            return 0
        profile = self.profile(kind, act, acting, slot.purpose, acting)
        road = lens.road_kind(act, slot.road)
        itself = acting if act in ONESELF and not ancestor else ""
        key = (kind.lens, ancestor, road, lens.item_kind(act, profile), itself)
        if key not in self._asked:
            self._asked[key] = self._ask(lens, kind.lens, profile, road, itself, ancestor=ancestor)
        sets = {"party": 0, "serves": 0, "nation": 0}
        allowed = 0
        for people, needed in self._asked[key]:
            allowed |= people
            for by, role in needed:
                if by == giver if giver != "" else by in {ORIGINATOR, kind.originator}:
                    sets[role] |= people
        return self._number(Guard(allowed, **sets))

    def _ask(
        self, lens: Lens, number: int, profile: Profile, road: Road, itself: str, *, ancestor: bool
    ) -> tuple[tuple[int, Needed], ...]:
        """The people for whom a case is permitted, by the consents that are needed."""
        found: dict[Needed, int] = {}
        standings, servings, rests = self._kinds(lens, number, profile.act)
        for standing in standings:
            if itself:
                if itself not in standing:
                    continue
                standing = (itself,)  # noqa: PLW2901 - whoever acts upon himself is of the side that acts
            for serving in servings:
                pairs = self.persons.pairs(standing, serving)
                for rest, bits in rests:
                    answer = lens.ask(
                        replace(
                            profile,
                            party=standing[0],
                            serves=serving[0],
                            nationality=rest.nationality,
                            employer=rest.employer,
                            office=rest.office,
                            function=rest.function,
                        ),
                        road,
                        rest.clearance,
                        ancestor=ancestor,
                    )
                    if answer is not None:
                        found[answer] = found.get(answer, 0) | pairs * bits
        return tuple((people, needed) for needed, people in found.items())

    def _kinds(self, lens: Lens, number: int, act: Act) -> Any:
        """The bodies and the rests of people that an agreement can tell apart for an act."""
        key = number, act
        if key not in self._groups:
            standing: dict[object, tuple[str, ...]] = {}
            serving: dict[object, tuple[str, ...]] = {}
            for body in self.persons.bodies:
                seen: object = lens.party_kind(act, body)
                standing[seen] = (*standing.get(seen, ()), body)
                seen = lens.serves_kind(act, body)
                serving[seen] = (*serving.get(seen, ()), body)
            rests = self.persons.groups(
                lambda rest: lens.person_kind(
                    act, rest.nationality, rest.employer, rest.office, rest.function, rest.clearance
                )
            )
            self._groups[key] = tuple(standing.values()), tuple(serving.values()), rests
        return self._groups[key]

    # ---- what all allow that something came from -------------------------------------------------------------------

    def descend(self, lineage: Lineage, kind: Kind, originator: str) -> Lineage:
        """The lineage of what is made from an item with a lineage of its own."""
        (row, special), too_low = lineage
        own = self.ancestor(kind, self.values.other_body, originator)
        both = self.both
        common = tuple(map(both, row, own))
        sides = dict(special)
        exceptions = {}
        for party in {*sides, *self._special(kind)}:
            theirs = tuple(map(both, sides.get(party, row), self.ancestor(kind, party, originator)))
            if theirs != common:
                exceptions[party] = theirs
        return (common, tuple(sorted(exceptions.items()))), too_low | self._below(kind)

    def _special(self, kind: Kind) -> Iterable[str]:
        """Parties whose acting an agreement may see otherwise than anybody else's."""
        lens = self.lenses[kind.lens]
        number = kind.lens
        if number not in self._seen_acting:
            other = self._part(number, "acting", self.values.other_body)
            parties = (party for party in self.values.parties if self._part(number, "acting", party) != other)
            self._seen_acting[number] = tuple(parties)
        own = (kind.originator,) if self._tests(lens, "holder") and kind.originator in self.values.parties else ()
        return dict.fromkeys((*self._seen_acting[number], *own))

    def _below(self, kind: Kind) -> frozenset[tuple[str, str]]:
        """The marks below that of an item, as far as its agreement knows them (``spec/decision.md`` step 18)."""
        levels = self.lenses[kind.lens].compiled.levels
        own = levels[kind.policy, kind.mark].rank
        return frozenset(key for key, level in levels.items() if level.rank < own)

    def row_of(self, lineage: Lineage, acting: str) -> Row:
        """What a lineage allows when a party acts."""
        (row, special), _ = lineage
        return next((theirs for party, theirs in special if party == acting), row)

    def lineage_covers(self, one: Lineage, other: Lineage) -> bool:
        """Whether whatever can be done with the second lineage can be done with the first, with no more consents."""
        if not one[1] <= other[1]:
            return False
        parties = {party for party, _ in (*one[0][1], *other[0][1])}
        return self.row_covers(one[0][0], other[0][0]) and all(
            self.row_covers(self.row_of(one, party), self.row_of(other, party)) for party in parties
        )
