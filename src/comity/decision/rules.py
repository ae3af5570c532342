"""Rules made ready: what each asks for and when, and an index that finds the few that may apply to a case.

Rules of this file:

- A condition that is not written holds; a list holds when one of its words does. The conditions of a rule are tests
  on a list of values, in the order of ``CONDITIONS``.
- The rules of an act are sorted into drawers by the words of one condition, the one that tells most rules apart, so
  that a case opens one drawer and the cost of a decision does not grow with the number of clauses. A drawer also
  holds the rules that do not use the condition.
- A drawer keeps its rules in the order of steps, then of clauses, which is the canonical order of reasons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from operator import itemgetter

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement.conditions import marks_from
from comity.agreement.model import Agreement, Checklist, Rule, When
from comity.agreement.vocabulary import Beneficiary, Provenance
from comity.decision.model import Effect, Reason

CONDITIONS = (
    "form",
    "level",
    "subject",
    "purpose",
    "other_purpose",
    "originator",
    "acting",
    "holder",
    "relation",
    "recipient",
    "serves",
    "employer",
    "body",
    "function",
    "beneficiary",
    "recalled",
    "suspected",
    "circle",
    "client",
)
"""What a rule may test, in the order in which `steps.py` lists the values of a case."""

SELDOM = CONDITIONS.index("recalled")
"""From here on the values of a case are listed only for acts of which some rule tests one of them."""

BENEFICIARY_CODES: dict[Beneficiary, frozenset[int]] = {
    "party": frozenset({0}),
    "third-party": frozenset({1, 3}),
    "third-national": frozenset({2, 3}),
}
"""The value of ``beneficiary``: 1 for somebody of or serving a third body, plus 2 for a national of a third state."""

UNORDERED, NEEDS, LACKS, FORBIDS, PERMITS = 1, 2, 4, 8, 16
"""What a step found, as bits that add up: reasons out of order, an effect, a rule that permits."""

WEIGHTS: dict[Effect, int] = {"holds": 0, "notes": 0, "warns": 0, "needs": NEEDS, "lacks": LACKS, "forbids": FORBIDS}

_NUMBER = itemgetter(0)
DRAWER_RULES = 16
"""An act with no more rules than this has one drawer: opening the right one would cost more than it saves."""

Test = tuple[int, frozenset[object]]
Place = tuple[int, int]
"""The place of a clause: the instrument's, then the clause's in its file."""


class Citation(Struct, frozen=True):
    """The clause a rule rests on, and what the rule does when it fails."""

    instrument: str
    clause: str
    provenance: Provenance
    fails: Effect

    def reason(self, step: int, code: str, effect: Effect, about: str, *parameters: str) -> Reason:
        """A reason that cites this clause."""
        return Reason(step, code, self.instrument, self.clause, self.provenance, effect, about, parameters)


class Conditions(Struct, frozen=True, eq=False):
    """The ``when`` or the ``unless`` of a rule. Without categories any item will do."""

    tests: tuple[Test, ...]
    categories: frozenset[str] = frozenset()

    def hold(self, values: Sequence[object], categories: Iterable[str]) -> bool:
        """Whether a case with these values, and an item with these categories, meets them all."""
        return all(values[position] in words for position, words in self.tests) and (
            not self.categories or not self.categories.isdisjoint(categories)
        )


class Asked(Struct, frozen=True, eq=False):
    """One thing that a rule says: it belongs to one step.

    Attributes:
        step: 9 permits, 10 forbids, methods, copies and registries, 11 consent, 12 checklist, 13 to 16 a requirement,
            17 approvals and witnesses.
        cites: what the rule rests on.
        rule: the rule as written.
        tests: of the rule's ``when``; nearly all rules have nothing else to look at.
        special: whether there is more to look at than the tests: categories, an ``unless``, methods, the instant.
        when: the same tests, with the categories.
        unless: what takes the case out of the rule.
        weight: what it weighs when it fails; for steps 9 and 10, when it applies.
        since: the first instant at which it holds, where it has one.
        until: the first instant at which it no longer does.
        reason: what steps 9 and 10 say, ready.
        checklist: for step 12.
        conditions: for step 12, a citation for each condition.
        needed: for step 12, the conditions' ids.
    """

    step: int
    cites: Citation
    rule: Rule
    tests: tuple[Test, ...]
    special: bool
    when: Conditions
    unless: Conditions | None
    weight: int
    since: datetime | None = None
    until: datetime | None = None
    reason: Reason | None = None
    checklist: Checklist | None = None
    conditions: tuple[Citation, ...] = ()
    needed: frozenset[str] = frozenset()


class Drawer(Struct, frozen=True, eq=False):
    """Rules in canonical order; ``ordered`` says whether their reasons come out so by themselves."""

    asked: tuple[Asked, ...]
    ordered: bool


class Index(Struct, frozen=True, eq=False):
    """The rules of one act: by the words of the condition at ``position``, and those of any other word.

    A drawer is filled when it is first opened, so that making an index takes no longer than its rules are many, though
    a rule that says nothing of the condition lies in every drawer.

    Attributes:
        asked: everything the rules say, in canonical order.
        position: the condition whose words tell the drawers apart.
        drawers: by word; None for one that nobody has opened.
        rest: for every other word.
        seldom: whether any of the rules tests what is seldom tested.
        told: what only the rules for one word say, by its place in the order.
        free: likewise what those say that test no word.
        place: the place of a clause.
    """

    asked: tuple[Asked, ...]
    position: int
    drawers: dict[object, Drawer | None]
    rest: Drawer
    seldom: bool
    told: dict[object, list[tuple[int, Asked]]]
    free: list[tuple[int, Asked]]
    place: Callable[[Citation], Place]

    def open(self, word: object) -> Drawer:
        """The drawer of a word that has one, filled now."""
        together = sorted([*self.told[word], *self.free], key=_NUMBER)
        drawer = self.drawers[word] = _drawer([asked for _, asked in together], self.place)
        return drawer


def conditions_of(agreement: Agreement, written: When | None, acting: str | None = None) -> Conditions:
    """The tests for what a rule's ``when`` says; ``acting`` binds a domestic layer to its own party."""
    words: dict[str, frozenset[object]] = {}
    for name in CONDITIONS if written else ():
        value = getattr(written, name)
        if name == "beneficiary" and value is not None:
            words[name] = frozenset().union(*(BENEFICIARY_CODES[word] for word in value))
        elif name == "circle" and value is not None:  # the value of a case is the set of circles that all share
            words[name] = frozenset(each for each in _circle_sets(agreement) if not each.isdisjoint(value))
        elif value is not None:
            words[name] = frozenset(value if isinstance(value, tuple) else (value,))
    if written and written.level_at_least is not None:
        marks: frozenset[object] = frozenset(marks_from(agreement, written.level_at_least))
        words["level"] = words.get("level", marks) & marks
    if acting is not None:
        words["acting"] = words.get("acting", frozenset({acting})) & {acting}
    tests = tuple((CONDITIONS.index(name), allowed) for name, allowed in words.items())
    return Conditions(tests, frozenset((written and written.category) or ()))


def index_of(asked: Iterable[Asked], place: Callable[[Citation], Place]) -> Index:
    """The index over what the rules of one act say."""
    ordered = sorted(asked, key=lambda each: (each.step, place(each.cites), each.rule.id))
    position = _telling(ordered) if len(ordered) > DRAWER_RULES else -1
    free: list[tuple[int, Asked]] = []
    by_word: dict[object, list[tuple[int, Asked]]] = {}
    alike: dict[tuple[Test, ...], tuple[Test, ...]] = {}  # thousands of rules share a few sets of tests
    for number, each in enumerate(ordered):
        told = next((words for at, words in each.tests if at == position), None)
        if told is None:
            free.append((number, each))
            continue
        rest = tuple([test for test in each.tests if test[0] != position])  # opening the drawer makes this test
        inside = replace(each, tests=alike.setdefault(rest, rest))
        for word in told:
            by_word.setdefault(word, []).append((number, inside))
    seldom = any(
        at >= SELDOM for each in ordered for at, _ in (*each.tests, *(each.unless.tests if each.unless else ()))
    )
    outside = _drawer([each for _, each in free], place)
    unopened: dict[object, Drawer | None] = dict.fromkeys(by_word)
    return Index(tuple(ordered), max(position, 0), unopened, outside, seldom, by_word, free, place)


def _telling(asked: Sequence[Asked]) -> int:
    """The condition whose words leave the fewest rules in the fullest drawer."""

    def fullest(position: int) -> int:
        counts: dict[object, int] = {}
        free = 0
        for each in asked:
            allowed = next((words for at, words in each.tests if at == position), None)
            free += allowed is None
            for word in allowed or ():
                counts[word] = counts.get(word, 0) + 1
        return free + max(counts.values(), default=0)

    return min(range(len(CONDITIONS)), key=fullest)


def _drawer(asked: Sequence[Asked], place: Callable[[Citation], Place]) -> Drawer:
    """A drawer, with whether each step's reasons, whichever of them are given, come in the order of their clauses."""
    spans = []
    for each in asked:
        own = place(each.cites)
        places = [place(cites) for cites in each.conditions]
        spans.append(((each.step, min(own, *places, own)), (each.step, max(own, *places, own)), places))
    ordered = all(last < first for (_, last, _), (first, _, _) in pairwise(spans)) and all(
        first < second for _, _, places in spans for first, second in pairwise(places)
    )
    return Drawer(tuple(asked), ordered)


def _circle_sets(agreement: Agreement) -> set[frozenset[str]]:
    """Every set of circles that one body, or two together, can have in common."""
    alone = [frozenset(body.circles or ()) for body in agreement.bodies]
    return {one & other for one in alone for other in alone}
