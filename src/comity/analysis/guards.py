"""Who may get at what: the answers of the decision for every kind of case, as sets of people.

Rules of this file (``spec/analysis.md`` steps 15 and 16):

- A *guard* is a set of people for whom an act is permitted, and three sets of those for whom the originator whose
  information is followed has to consent: to the body they stand in, to the one they serve, to their nation gaining.
- What one item allows, and all it came from, is the common part of what each allows. So the lineage of an item is kept
  as what it still allows, for each act, purpose and road, and not as a list; equal ones are one.
- A guard that allows at least as many people with no more consents *covers* another.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from msgspec.structs import replace

from comity.agreement.vocabulary import Act
from comity.analysis.cases import Road
from comity.analysis.lens import ONESELF, ORIGINATOR, Lens, Needed
from comity.analysis.likeness import Kind, Likeness, Slot
from comity.analysis.persons import Persons
from comity.analysis.values import Profile


class Guard(NamedTuple):
    """Sets of people: who is allowed, and for whom a consent is needed as what they gain."""

    allowed: int
    party: int
    serves: int
    nation: int


NOBODY = Guard(0, 0, 0, 0)
Row = tuple[int, ...]
"""Numbers of guards, one for each slot."""
Lineage = tuple[tuple[Row, tuple[tuple[str, Row], ...]], frozenset[tuple[str, str]]]
"""What all that something came from allows: whoever acts, and where some party acts; and the marks that are too low."""


class Guards:
    """The guards of a set of agreements, for the information of one originator.

    Attributes:
        slots: every way of doing something.
        guards: every guard there is, by its number.
        of_party: the places of the agreements of each party.
    """

    def __init__(self, likeness: Likeness, persons: Persons) -> None:
        self.lenses = lenses = likeness.lenses
        self.values = values = likeness.values
        self.persons = persons
        self.likeness = likeness
        self.slots = likeness.slots
        self._numbers: dict[Guard, int] = {NOBODY: 0}
        self.guards: list[Guard] = [NOBODY]
        self._asked: dict[tuple[object, ...], tuple[tuple[int, Needed], ...]] = {}
        self._both: dict[tuple[int, int], int] = {}
        self._covers: dict[tuple[int, int], bool] = {}
        self._rows: dict[tuple[object, ...], Row] = {}
        self._seen_acting: dict[int, tuple[str, ...]] = {}
        self.of_party = {
            party: tuple(number for number, lens in enumerate(lenses) if party in lens.compiled.parties)
            for party in values.parties
        }
        self._groups: dict[tuple[int, Act], Any] = {}
        free = self._number(Guard(persons.all, 0, 0, 0))
        self.unrestricted: Lineage = (((free,) * len(self.slots), ()), frozenset())

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
        key = (kind.lens, ancestor, giver, acting if not ancestor else "", self.likeness.like(kind, acting))
        found = self._rows.get(key)
        if found is None:
            other_purpose = self.likeness.tests(kind.lens, "other_purpose")
            alike: dict[object, int] = {}
            row = []
            for slot, seen in zip(self.slots, self.likeness.of_slots(kind.lens), strict=True):
                sort = seen, other_purpose and slot.purpose != kind.provided
                if sort not in alike:
                    alike[sort] = self._guard(kind, acting, giver, slot, ancestor=ancestor)
                row.append(alike[sort])
            found = self._rows[key] = tuple(row)
        return found

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
        number, like = kind.lens, self.likeness
        if number not in self._seen_acting:
            other = like.part(number, "acting", self.values.other_body)
            parties = (party for party in self.values.parties if like.part(number, "acting", party) != other)
            self._seen_acting[number] = tuple(parties)
        holds = like.tests(number, "holder") and kind.originator in self.values.parties
        return dict.fromkeys((*self._seen_acting[number], *((kind.originator,) if holds else ())))

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
