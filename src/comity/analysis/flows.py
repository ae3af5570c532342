"""How far information gets under a set of agreements, and whether without its originator's consent.

Rules of this file (``spec/analysis.md`` steps 14 to 20):

- A question is answered from each agreement under which the originator can first give: whoever is no party there, and
  is not the originator, is a third party.
- Two suppositions frame every answer: the originator consents to nothing, and it consents to everything. For the
  theorem it consents to everything but that one body gains, for each body by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from comity.analysis.favour import Consents
from comity.analysis.guards import Guard, Guards
from comity.analysis.holdings import Arrival, As, Ground, Holding, Step
from comity.analysis.kinds import Chosen
from comity.analysis.lens import Lens
from comity.analysis.likeness import Likeness
from comity.analysis.persons import Persons
from comity.analysis.search import Goal, Search
from comity.analysis.telling import Path, Teller
from comity.analysis.values import Values, conditions_in
from comity.decision.compiled import Compiled
from comity.errors import Misuse

NOT_MODELLED = (
    "what people do against the agreements: every step here is one that the decision permits",
    "what a body does with what it got once it is a party to no agreement that covers it; that it got it is shown",
    "three purposes that no text names on one way, where some rule is milder to another purpose than to the same",
    "time, but for that from and until which rules hold: the agreements are in force, nothing ended, no text changes",
    "an item that is recalled, or that an incident touches, only on the way: each is so from the beginning, or never",
    "which office of a party holds a copy, and how many there are",
    "what can be learned from records, from the fact that something was given, or from its size",
    "inspections, returns, destruction and the export of evidence, which hand on nothing that an item says",
)
"""What an answer does not speak about."""


class Reach(Struct, frozen=True, kw_only=True):
    """That a body can get at the originator's information.

    Attributes:
        body: which body.
        level: of which level it is there, by its English word.
        marks: what it can bear there, each after the party on whose ladder it is.
        purpose: what for.
        consent: whether the originator has to consent to anything on the way, or give to a third party itself.
        under: the agreement under which the originator gave first.
        path: how.
    """

    body: str
    level: str
    marks: tuple[tuple[str, str], ...]
    purpose: str
    consent: bool
    under: str
    path: Path


class Breach(Struct, frozen=True, kw_only=True):
    """That a third party can get at the originator's information without its consent.

    Attributes:
        body: the third party, or the state whose national does.
        got: as what.
        others: bodies that get at it by the same last step.
        under: the agreement under which the originator gave first.
        consents: whether the originator consented to something else on the way.
        path: how.
    """

    body: str
    got: As
    others: tuple[str, ...]
    under: str
    consents: bool
    path: Path


class Answer(Struct, frozen=True, kw_only=True):
    """What becomes of the information of one originator.

    Attributes:
        originator: its id.
        under: the agreements under which it can give first.
        proven: nothing reaches a third party without its consent.
        breaches: where something does; one for each third party and agreement.
        reaches: everybody who can get at it, under each mark, for each purpose; the shortest path to each.
        holdings: kinds of holdings that were looked at for the proof.
    """

    originator: str
    under: tuple[str, ...]
    proven: bool
    breaches: tuple[Breach, ...]
    reaches: tuple[Reach, ...]
    holdings: int


class Flows:
    """A set of agreements, ready to be asked where information goes.

    Attributes:
        lenses: the agreements.
        values: what they name.
        persons: the people they can tell apart.
    """

    def __init__(self, agreements: Sequence[Compiled]) -> None:
        self.lenses = tuple(Lens(each, only_outcomes=True) for each in agreements)
        self.values = Values(agreements)
        self.persons = Persons(self.lenses, self.values)
        self.guards = Guards(Likeness(self.lenses, self.values), self.persons)
        self._grounds: dict[str, Ground] = {}

    def ground(self, originator: str) -> Ground:
        """What all searches for the information of one originator have in common."""
        if originator not in self._grounds:
            self._grounds[originator] = Ground(self.guards, originator)
        return self._grounds[originator]

    @property
    def asked(self) -> int:
        """How many different cases were put to the decision so far."""
        return sum(lens.asked for lens in self.lenses)

    @property
    def originators(self) -> tuple[str, ...]:
        """Whose information there can be: every party, and every body that a rule names as an originator."""
        named = {body for lens in self.lenses for body in _named_originators(lens)}
        return (*self.values.parties, *sorted(named - set(self.values.parties)))

    def can_give(self, originator: str, chosen: Chosen) -> bool:
        """Whether there is anything of this originator that fits what was fixed of it."""
        return any(From(self, originator, number, chosen).beginnings for number in range(len(self.lenses)))

    def answer(self, originator: str, chosen: Chosen = Chosen()) -> Answer:  # noqa: B008 - it is frozen
        """What becomes of the information of one originator.

        Raises:
            Misuse: nobody is called so, or nothing of it could be given; or there is too much to look at.
        """
        if originator not in self.originators:
            raise Misuse(
                f"no agreement has a party, or names an originator, {originator!r}; there are "
                + ", ".join(self.originators),
                code="unknown-party",
            )
        breaches: list[Breach] = []
        starts: list[From] = []
        holdings = 0
        for number in range(len(self.lenses)):
            one = From(self, originator, number, chosen)
            if one.beginnings:
                starts.append(one)
                found, looked = one.breaches()
                breaches += found
                holdings += looked
        if not starts:
            raise Misuse(f"nothing of {originator!r} fits what was fixed of it", code="nothing-to-follow")
        return Answer(
            originator=originator,
            under=tuple(one.under for one in starts),
            proven=not breaches,
            breaches=tuple(breaches),
            reaches=tuple(_reaches(starts)),
            holdings=holdings,
        )


def _reaches(starts: Sequence[From]) -> Iterator[Reach]:
    """Every arrival once: by the shortest path without a consent or, where there is none, by the shortest of all."""
    best: dict[Arrival, tuple[bool, int, int]] = {}
    marks: dict[Arrival, set[tuple[str, str]]] = {}
    for number, one in enumerate(starts):
        for consent, search in ((False, one.nothing), (True, one.everything)):
            for arrival, step in search.arrivals.items():
                marks.setdefault(arrival, set()).update(search.marks[arrival])
                found = consent, search.length(step), number
                if arrival not in best or found < best[arrival]:
                    best[arrival] = found
    for arrival in sorted(best):
        if arrival.body == starts[0].ground.originator:
            continue  # what comes back is not followed
        consent, _, number = best[arrival]
        one = starts[number]
        teller = one.with_consent if consent else one.without_consent
        yield Reach(
            body=arrival.body,
            level=arrival.level,
            marks=tuple(sorted(marks[arrival])),
            purpose=arrival.purpose,
            consent=consent,
            under=one.under,
            path=teller.path(teller.search.arrivals[arrival]),
        )


class From:
    """What follows from the originator's first giving under one agreement."""

    def __init__(self, flows: Flows, originator: str, number: int, chosen: Chosen = Chosen()) -> None:  # noqa: B008 - it is frozen
        self.flows = flows
        self.ground = ground = flows.ground(originator)
        compiled = flows.lenses[number].compiled
        self.under = compiled.id
        persons = flows.persons
        self.beginnings = [
            Holding(holder, kind, ground.nothing)
            for holder in self._holders(flows.lenses[number])
            for kind in ground.kinds.originals(number, holder, chosen)
        ]
        inside = {*compiled.parties, originator}
        self.third_bodies = frozenset(flows.values.bodies) - inside
        nations = frozenset(flows.values.nations) if compiled.nations else frozenset()
        self.third_nations = nations - compiled.nations - {originator}
        self.outside = (
            persons.standing(self.third_bodies)
            | persons.serving(self.third_bodies)
            | persons.nationals(self.third_nations)
        )
        self._nothing: Search | None = None
        self._everything: Search | None = None

    def _holders(self, lens: Lens) -> Iterator[str]:
        """Who holds the originator's own items at first: itself, or, where it is no party but named, any party."""
        originator = self.ground.originator
        if originator in lens.compiled.parties:
            yield originator
        elif originator in _named_originators(lens):
            yield from lens.compiled.party_ids

    def _search(self, search: Search) -> Search:
        for holding in self.beginnings:
            search.begin(holding)
        search.run()
        return search

    @property
    def nothing(self) -> Search:
        """The originator gives to parties only, and consents to nothing."""
        if self._nothing is None:
            self._nothing = self._search(Search(self.ground, _consentless, self._to_parties))
        return self._nothing

    @property
    def everything(self) -> Search:
        """The originator consents to everything, and gives to anybody."""
        if self._everything is None:
            self._everything = self._search(Search(self.ground, _allowed, _allowed))
        return self._everything

    def _to_parties(self, guard: Guard) -> int:
        return guard.allowed & ~self.outside

    # ---- without consent -------------------------------------------------------------------------------------------

    def breaches(self) -> tuple[list[Breach], int]:
        """The third parties that are reached without the originator's consent; and how many holdings were looked at."""
        found: dict[str, Breach] = {}
        search = self.nothing
        looked = len(search.steps)
        teller = self.without_consent
        for step, people in self._met(search):
            outsiders = self._outsiders(step, people & self.outside)
            new = [each for each in outsiders if each[0] not in found]
            if new:
                (body, got), *others = new
                breach = Breach(
                    body=body,
                    got=got,
                    others=tuple(dict.fromkeys(name for name, _ in others if name != body)),
                    under=self.under,
                    consents=False,
                    path=teller.path(Step(step.before, step.slot, body, got)),
                )
                found.update((name, breach) for name, _ in new)
        everything = self.everything
        looked += len(everything.steps)
        for body in sorted(self._suspected(everything) - set(found)):
            breach_of, more = self._without(body)
            looked += more
            if breach_of is not None:
                found[body] = breach_of
        return list(dict.fromkeys(found.values())), looked

    def _met(self, search: Search) -> Iterator[tuple[Step, int]]:
        """The steps that others than the originator could take, one for each guard, with the people."""
        for (guard, _), step in search.guards_met.items():
            yield step, search.people(guard, own=False)

    def _outsiders(self, step: Step, people: int) -> list[tuple[str, As]]:
        """The third parties among these people, and on the way."""
        persons = self.flows.persons
        found: list[tuple[str, As]] = []
        if people:
            standing, serving = persons.bodies_of(people)
            found += [(each, "party") for each in standing if each in self.third_bodies]
            found += [(each, "serves") for each in serving if each in self.third_bodies]
            found += [(each, "nation") for each in persons.nations_of(people) if each in self.third_nations]
        via = self.flows.guards.slots[step.slot].road[0]
        found += [(each, "via") for each in via if each in self.third_bodies]
        return found

    def _suspected(self, search: Search) -> set[str]:
        """Third parties that some step reaches for which no consent of the originator is asked."""
        persons = self.flows.persons
        standing = persons.standing(self.third_bodies)
        serving = persons.serving(self.third_bodies)
        nationals = persons.nationals(self.third_nations)
        found: set[str] = set()
        for (number, via), step in search.guards_met.items():
            guard = self.flows.guards.guards[number]
            unasked = (
                (guard.allowed & ~guard.party & standing, "party"),
                (guard.allowed & ~guard.serves & serving, "serves"),
                (guard.allowed & ~guard.nation & nationals, "nation"),
            )
            for people, got in unasked:
                found.update(name for name, as_what in self._outsiders(step, people) if as_what == got)
            found.update(each for each in via if each in self.third_bodies)
        return found

    def _without(self, body: str) -> tuple[Breach | None, int]:
        """Whether a third party is reached when the originator consents to everything but that this one gains."""
        persons = self.flows.persons
        bodies = frozenset({body} & self.third_bodies)
        standing, serving = persons.standing(bodies), persons.serving(bodies)
        nationals = persons.nationals({body} & self.third_nations)
        gaining = standing | serving | nationals

        def permitted(guard: Guard) -> int:
            refused = (guard.party & standing) | (guard.serves & serving) | (guard.nation & nationals)
            return guard.allowed & ~refused

        search = self._search(
            Search(self.ground, permitted, lambda guard: guard.allowed & ~gaining, Goal(gaining, bodies))
        )
        if search.found is None:
            return None, len(search.steps)
        step = search.found
        guard = dict(self.ground.together(step.before))[step.slot]
        outsiders = dict(self._outsiders(step, search.people(guard, own=False) & gaining))
        got = outsiders[body]
        teller = Teller(search, self._unless(lambda beneficiary: beneficiary == body))
        path = teller.path(Step(step.before, step.slot, body, got))
        breach = Breach(body=body, got=got, others=(), under=self.under, consents=True, path=path)
        return breach, len(search.steps)

    def _unless(self, refused: Callable[[str], bool]) -> Consents:
        """Everybody consents, but the originator not to that whoever is ``refused`` gains."""
        originator = self.ground.originator
        return lambda by, beneficiary: by != originator or not refused(beneficiary)

    @property
    def without_consent(self) -> Teller:
        """Tells what happens when the originator consents to nothing."""
        return Teller(self.nothing, self._unless(lambda _: True))

    @property
    def with_consent(self) -> Teller:
        """Tells what happens when the originator consents to everything."""
        return Teller(self.everything, lambda _by, _for: True)


def _named_originators(lens: Lens) -> set[str]:
    return {body for when in conditions_in(lens.compiled) for body in when.originator or ()}


def _allowed(guard: Guard) -> int:
    return guard.allowed


def _consentless(guard: Guard) -> int:
    return guard.allowed & ~(guard.party | guard.serves | guard.nation)
