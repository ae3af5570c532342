"""All the people there can be, as the bits of a number: each differs from the others in something a text can tell.

Rules of this file (``spec/analysis.md`` step 15):

- A person is a body in whose ranks he or she stands, a body served, and the rest: nationality, employer, office,
  function, and the mark up to which a clearance goes. One bit stands for one of them; a set of people is one number.
- Bits of one pair of bodies stand together, so that "somebody who stands here and serves there" is one test.
- A clearance goes as far as it can. Where no mark goes at least as far as all others under every agreement, each that
  goes furthest under some agreement is a person of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import product

from msgspec import Struct

from comity.agreement.equivalence import ladder
from comity.agreement.vocabulary import Employer
from comity.analysis.lens import Lens
from comity.analysis.values import EMPLOYERS, Values
from comity.errors import Misuse

PEOPLE_MAX = 4_000_000
"""Most kinds of people; a set of them is then a number of 500,000 bytes."""
_TESTING_REST = ("employer", "body", "function")


class Rest(Struct, frozen=True):
    """What a person is besides the two bodies; ``clearance`` is a place among the marks of his party."""

    nationality: str
    employer: Employer
    office: str
    function: str
    clearance: int


class Persons:
    """The people of a set of agreements.

    Attributes:
        bodies: where they can stand, and whom they can serve.
        rests: what else they can be, the most ordinary first.
        width: how many bits one pair of bodies has.
    """

    def __init__(self, lenses: Sequence[Lens], values: Values) -> None:
        self.values = values
        self.bodies = values.bodies
        self.place = {body: place for place, body in enumerate(self.bodies)}
        clearances = {party: _furthest(lenses, party) for party in values.parties}
        for lens in lenses:
            lens.clearances = {party: clearances[party] for party in lens.compiled.party_ids}
        self.clearances = clearances
        several = max((len(each) for each in clearances.values()), default=1)
        tested = {name for lens in lenses for act in lens.rules for name in _TESTING_REST if lens.tests(act, name)}
        if any(lens.along_registries(act) for lens in lenses for act in lens.rules):
            tested.add("body")
        nations = values.nations if any(lens.compiled.nations for lens in lenses) else values.nations[-1:]
        self.rests = tuple(
            Rest(nation, employer, office, function, clearance)
            for clearance, employer, office, function, nation in product(
                range(max(several, 1)),
                EMPLOYERS if "employer" in tested else EMPLOYERS[:1],
                values.offices[::-1] if "body" in tested else values.offices[-1:],
                values.functions[::-1] if "function" in tested else values.functions[-1:],
                nations,
            )
        )
        self.width = len(self.rests)
        people = len(self.bodies) ** 2 * self.width
        if people > PEOPLE_MAX:
            raise Misuse(
                f"{people} kinds of people can be told apart, at most {PEOPLE_MAX} are looked at; name fewer texts",
                code="too-many-people",
            )
        self._row = len(self.bodies) * self.width
        self._block = (1 << self.width) - 1
        self._pairs: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
        everywhere = self.pairs(self.bodies, self.bodies)
        self.all = everywhere * self._block
        self._nations = {
            nation: everywhere * sum(1 << n for n, rest in enumerate(self.rests) if rest.nationality == nation)
            for nation in nations
        }

    def pairs(self, standing: tuple[str, ...], serving: tuple[str, ...]) -> int:
        """The first bit of each pair of one of ``standing`` and one of ``serving``; times bits of a rest, people."""
        key = standing, serving
        if key not in self._pairs:
            columns = sum(1 << self.place[each] * self.width for each in serving)
            self._pairs[key] = sum(columns << self.place[each] * self._row for each in standing)
        return self._pairs[key]

    def standing(self, bodies: Iterable[str]) -> int:
        """Everybody who stands in one of these bodies."""
        return self.pairs(tuple(bodies), self.bodies) * self._block

    def serving(self, bodies: Iterable[str]) -> int:
        """Everybody who serves one of these bodies."""
        return self.pairs(self.bodies, tuple(bodies)) * self._block

    def nationals(self, nations: Iterable[str]) -> int:
        """Everybody who is a national of one of these states."""
        return sum(self._nations.get(each, 0) for each in nations)

    def bodies_of(self, people: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Where some of these people stand, and whom some of them serve."""
        standing: list[str] = []
        serving = 0
        row_mask = (1 << self._row) - 1
        for body in self.bodies:
            row = (people >> self.place[body] * self._row) & row_mask
            if row:
                standing.append(body)
                serving |= row
        served = [body for body in self.bodies if (serving >> self.place[body] * self.width) & self._block]
        return tuple(standing), tuple(served)

    def nations_of(self, people: int) -> tuple[str, ...]:
        """Whose nationals some of these people are."""
        return tuple(nation for nation, theirs in self._nations.items() if people & theirs)

    def rests_of(self, people: int, standing: str, serving: str) -> list[Rest]:
        """What those of these people are besides who stand in one body and serve another."""
        bits = (people >> self.place[standing] * self._row + self.place[serving] * self.width) & self._block
        return [rest for place, rest in enumerate(self.rests) if bits >> place & 1]

    def bit(self, standing: str, serving: str, rest: Rest) -> int:
        """The one bit of a person."""
        return 1 << self.place[standing] * self._row + self.place[serving] * self.width + self.rests.index(rest)

    def groups(self, kind: Callable[[Rest], Hashable]) -> list[tuple[Rest, int]]:
        """One of each kind of rest, with the bits of all of that kind."""
        found: dict[Hashable, tuple[Rest, int]] = {}
        for place, rest in enumerate(self.rests):
            key = kind(rest)
            first, bits = found.get(key, (rest, 0))
            found[key] = first, bits | 1 << place
        return list(found.values())


def _furthest(lenses: Sequence[Lens], party: str) -> tuple[str, ...]:
    """The marks of a party up to which a clearance can go, without those beyond which another goes everywhere."""
    ranks: dict[str, dict[int, int]] = {}
    for number, lens in enumerate(lenses):
        if party in lens.compiled.parties:
            for level in ladder(lens.compiled.agreement, party):
                ranks.setdefault(level.mark, {})[number] = level.rank
    kept: list[str] = []
    for mark in sorted(ranks, key=lambda each: (-len(ranks[each]), -max(ranks[each].values()), each)):
        own = ranks[mark]
        if not any(all(ranks[other].get(n, 0) >= rank for n, rank in own.items()) for other in kept):
            kept.append(mark)
    return tuple(kept)
