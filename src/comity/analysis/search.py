"""The search: everywhere that information can get, step by step.

Rules of this file (``spec/analysis.md`` steps 16 to 18):

- A *holding* is an item at a body, with the lineage it came from. The search visits holdings breadth first, each once;
  one with which no more can be done than with another of the same item at the same body is not visited.
- Every step is one that the decision permits. Which people take it is found again from the sets when it is told.
- What the originator does, it does knowingly: its own gifts are where a search begins, and what comes back to it is not
  followed further.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement.vocabulary import Act, Relation
from comity.analysis.guards import Guard
from comity.analysis.holdings import Arrival, As, Ground, Holding, Step
from comity.analysis.lens import MOVING
from comity.errors import Misuse

HOLDINGS_MAX = 2_000_000
"""Most holdings of one search; nobody would wait for more."""
RELATIONS_OF: dict[Act, tuple[Relation, ...]] = {
    "copy": ("copy",),
    "translate": ("translation",),
    "extract": ("extract", "contains"),
}
"""What is made by each act of making."""

Met = tuple[int, tuple[str, ...]]
"""A guard that a step went through, by its number, and the parties by way of which."""


class Plan(Struct, frozen=True):
    """What can be done with every holding of one sort.

    Attributes:
        number: of the plan.
        met: the guards that steps go through, each with the slot.
        goal: the slot of a step that reaches the goal, where there is one.
        told: who gets at it, for which purpose and by which slot, and as what.
        moves: where else it can be held; by which slot, and as what.
        makers: who can make something of it; how that comes from it, and by which slot each way.
        marks: the slot at which its mark can be changed.
    """

    number: int
    met: tuple[tuple[Met, int], ...]
    goal: int | None
    told: tuple[tuple[str, str, int, As], ...]
    moves: tuple[tuple[int, str, As], ...]
    makers: tuple[tuple[str, tuple[Relation, ...], dict[Relation, int]], ...]
    marks: int | None


Permitted = Callable[[Guard], int]
"""The people of a guard for whom those consents are given that a search supposes."""


class Goal(Struct, frozen=True):
    """What a search looks for: a step for some people, or by way of some bodies."""

    people: int
    bodies: frozenset[str]


class Search:
    """One search from the originator's own holdings under one agreement.

    Attributes:
        ground: what it shares with others.
        steps: how each holding was reached first; None for a beginning.
        arrivals: how each arrival was reached first.
        marks: what an item bears when it arrives so, each with the party on whose ladder it is.
        guards_met: the guards of steps that others than the originator could take.
        found: the step that reaches the goal, where there is one.
    """

    def __init__(self, ground: Ground, permitted: Permitted, own: Permitted, goal: Goal | None = None):
        self.ground = ground
        self.permitted = permitted
        self.own = own
        self.goal = goal
        self.steps: dict[Holding, Step | None] = {}
        self.arrivals: dict[Arrival, Step] = {}
        self.marks: dict[Arrival, set[tuple[str, str]]] = {}
        self.guards_met: dict[Met, Step] = {}
        self.found: Step | None = None
        self._waiting: deque[Holding] = deque()
        self._best: dict[tuple[str, int, str, str, str], list[tuple[int, int, datetime]]] = {}
        self._people: dict[tuple[int, bool], tuple[int, tuple[str, ...], tuple[str, ...]]] = {}
        self._drafted: dict[tuple[str, tuple[tuple[Relation, datetime], ...]], list[int]] = {}
        self._told: set[tuple[int, str, str]] = set()
        self._plans: dict[tuple[object, ...], Plan] = {}
        slots = ground.guards.slots
        self._slots = [(slot.act, slot.purpose, slot.road[0], slot.road[2]) for slot in slots]

    def begin(self, holding: Holding) -> None:
        """Put a holding where the search starts."""
        self._visit(holding, None)

    def run(self) -> None:
        """Visit everything that can be reached, or go on until the goal is.

        Raises:
            Misuse: there is more than ``HOLDINGS_MAX`` to visit.
        """
        while self._waiting and self.found is None:
            self._leave(self._waiting.popleft())

    def people(self, guard: int, *, own: bool) -> int:
        """The people for whom a step is permitted."""
        return self._those(guard, own=own)[0]

    def is_own(self, holding: Holding) -> bool:
        """Whether the originator itself acts with its own item."""
        return holding.holder == self.ground.originator and holding.lineage == self.ground.nothing

    def length(self, step: Step) -> int:
        """How many steps there are up to and with this one."""
        count = 1
        before = self.steps[step.before]
        while before is not None:
            count += 1
            before = self.steps[before.before]
        return count

    def _those(self, guard: int, *, own: bool) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
        key = guard, own
        found = self._people.get(key)
        if found is None:
            guards = self.ground.guards
            people = (self.own if own else self.permitted)(guards.guards[guard])
            found = self._people[key] = people, *guards.persons.bodies_of(people)
        return found

    def _visit(self, holding: Holding, step: Step | None) -> None:
        if holding in self.steps:
            return
        ground, kind, lineage = self.ground, holding.kind, holding.lineage
        given_for = kind.provided if self.is_own(holding) else ""  # the originator gives for no other purpose
        best = self._best.setdefault((holding.holder, kind.lens, kind.policy, kind.mark, given_for), [])
        does_more, conduct = ground.kinds.does_more, ground.kinds.conduct(kind)
        if any(
            since <= holding.since and does_more(known, conduct) and ground.covers(other, lineage)
            for known, other, since in best
        ):
            return
        best.append((conduct, lineage, holding.since))
        if len(self.steps) >= HOLDINGS_MAX:
            raise Misuse(
                f"more than {HOLDINGS_MAX} kinds of holdings can be reached; fix the mark, the form, the subject or "
                "the purpose, or name fewer agreements",
                code="too-many-holdings",
            )
        self.steps[holding] = step
        self._waiting.append(holding)

    def _leave(self, holding: Holding) -> None:
        """Everything that can be done with a holding."""
        ground, kind = self.ground, holding.kind
        own = self.is_own(holding)
        if holding.holder == ground.originator and not own:
            return
        together = ground.together(holding)
        key = together, kind.lens, holding.holder, kind.provided if own else None, holding.since
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = self._plan(holding, together, own=own)
        for met, place in plan.met:
            if met not in self.guards_met:
                self.guards_met[met] = Step(holding, place, holding.holder, "party")
        if plan.goal is not None:
            self.found = Step(holding, plan.goal, holding.holder, "party")
            return
        self._tell(holding, plan)
        for place, body, got in plan.moves:
            self._visit(Holding(body, kind, holding.lineage, self._slots[place][3]), Step(holding, place, body, got))
        if plan.marks is not None:
            self._mark_anew(holding, plan.marks)
        if plan.makers:
            self._make(holding, plan)

    def _plan(self, holding: Holding, together: tuple[tuple[int, int], ...], *, own: bool) -> Plan:
        """What can be done with a holding, whatever it is marked."""
        guards = self.ground.guards
        kind, holder = holding.kind, holding.holder
        parties = guards.lenses[kind.lens].compiled.parties
        met: dict[Met, int] = {}
        told: dict[tuple[str, str], tuple[int, As]] = {}
        moves: dict[str, tuple[int, str, As]] = {}
        makers: dict[str, dict[Relation, int]] = {}
        goal = marks = None
        for place, guard in together:
            act, purpose, via, at = self._slots[place]
            if at < holding.since:
                continue  # that was before
            if own and (act not in MOVING or purpose != kind.provided):
                continue
            people, standing, serving = self._those(guard, own=own)
            if not people:
                continue
            if not own:
                met.setdefault((guard, via), place)
                if goal is None and self.goal is not None:
                    reached = people & self.goal.people or not self.goal.bodies.isdisjoint(via)
                    goal = place if reached else None
            if act in RELATIONS_OF:
                for maker in dict.fromkeys((holder, *serving)):
                    if maker in guards.values.parties:
                        for relation in RELATIONS_OF[act]:
                            makers.setdefault(maker, {}).setdefault(relation, place)
            elif act == "reclassify":
                marks = place if marks is None else marks
            else:
                for body, got in _getting(standing, serving, via):
                    key = body, purpose
                    if (not own or body != holder) and (
                        key not in told or (got == "party") > (told[key][1] == "party")
                    ):
                        told[key] = place, got
                    if body in parties and body != holder:
                        moves.setdefault(body, (place, body, got))
        return Plan(
            number=len(self._plans),
            met=tuple(met.items()),
            goal=goal,
            told=tuple((*key, *how) for key, how in told.items()),
            moves=tuple(moves.values()),
            makers=tuple((maker, tuple(places), places) for maker, places in makers.items()),
            marks=marks,
        )

    def _tell(self, holding: Holding, plan: Plan) -> None:
        """Who got at it, and what it is marked there."""
        kind = holding.kind
        key = plan.number, kind.policy, kind.mark
        if key in self._told:
            return
        self._told.add(key)
        marks_at = self.ground.marks_at
        for body, purpose, place, got in plan.told:
            level, marks = marks_at(kind, body)
            if marks:
                arrival = Arrival(body, level, purpose)
                if arrival not in self.arrivals:
                    self.arrivals[arrival] = Step(holding, place, body, got)
                    self.marks[arrival] = set()
                self.marks[arrival].update(marks)

    def _make(self, holding: Holding, plan: Plan) -> None:
        """What each maker can make, at the holder or at another body that the maker serves."""
        ground = self.ground
        lineage = ground.descend(holding.lineage, holding.kind)
        too_low = ground.too_low(lineage)
        for maker, relations, places in plan.makers:
            when = {relation: self._slots[place][3] for relation, place in places.items()}
            drafted = self._drafted.setdefault((maker, tuple(when.items())), [])
            if any(ground.covers(known, lineage) for known in drafted):
                continue
            drafted.append(lineage)
            got: As = "party" if maker == holding.holder else "serves"
            for number in ground.guards.of_party[maker]:
                for made in ground.kinds.makings(number, maker, relations):
                    if (made.policy, made.mark) in too_low and made.relation != "extract":
                        continue
                    step = Step(holding, places[made.relation], maker, got, made.relation)
                    self._visit(Holding(maker, made, lineage, when[made.relation]), step)

    def _mark_anew(self, holding: Holding, place: int) -> None:
        """The same item under every other mark of its ladder, or none."""
        kind = holding.kind
        levels = self.ground.guards.lenses[kind.lens].compiled.levels
        for (policy, mark), level in levels.items():
            too_low = kind.relation != "extract" and (policy, mark) in self.ground.too_low(holding.lineage)
            if policy == kind.policy and mark != kind.mark and level.weight == 0 and not too_low:
                changed = Holding(holding.holder, replace(kind, mark=mark), holding.lineage, self._slots[place][3])
                self._visit(changed, Step(holding, place, holding.holder, "party"))


def _getting(standing: tuple[str, ...], serving: tuple[str, ...], via: tuple[str, ...]) -> Iterator[tuple[str, As]]:
    """Who gets at something, and as what."""
    for body in standing:
        yield body, "party"
    for body in via:
        yield body, "via"
    for body in serving:
        yield body, "serves"
