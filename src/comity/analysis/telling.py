"""A path as it is told, and decided again: who does what, with which item, for whom, under which clauses.

Rules of this file (``spec/analysis.md`` steps 18 and 19):

- Each step of a path is put to ``decide`` as one whole case, with everything that the item came from and nothing of
  what the search works with. A step that is not permitted would be a defect, and stops the answer.
- Of the people who could take a step the most ordinary one is told: of the body he or she serves, its own national.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement.vocabulary import Act, Relation
from comity.analysis.cases import case_of, item_of, person_of
from comity.analysis.favour import PERSON, Consents, favourable, items_of
from comity.analysis.holdings import As, Holding, Step
from comity.analysis.persons import Rest
from comity.analysis.search import Search
from comity.analysis.values import texts_of
from comity.decision.compiled import Compiled
from comity.decision.decide import decide
from comity.decision.model import Case, Item, Outcome, Permit
from comity.errors import invariant


class Somebody(Struct, frozen=True, kw_only=True):
    """A person of a kind: where he or she stands, whom he or she serves, and what matters besides."""

    party: str
    serves: str
    nationality: str
    employer: str
    office: str = ""
    function: str = ""


class Consented(Struct, frozen=True, order=True):
    """A consent that a step needs: by whom, so that whom gains."""

    by: str
    beneficiary: str


class Passage(Struct, frozen=True, kw_only=True):
    """One step of a path.

    Attributes:
        number: from 1.
        act: what is done.
        agreement: id of the agreement under which.
        clauses: those by which it is permitted there.
        by: the body whose side acts.
        mark: what the item is marked, with the party on whose ladder that is.
        person: for whom it is done, or who does it.
        body: the body that gets at it by this step.
        got: as what.
        purpose: what it is done for.
        via: by way of whom.
        after, before: the time in which it is done: from when on, until when; empty where nothing changes then.
        made: how what is made comes from it; empty when nothing is.
        marked: what it is marked afterwards, or what is made.
        made_under: the agreement under which it is held.
        consents: the consents that this step needs.
        warned: instrument and clause of unchecked rules that would stand against it, and only warn.
        case: the case that ``decide`` permits.
    """

    number: int
    act: Act
    agreement: str
    clauses: tuple[str, ...]
    by: str
    policy: str
    mark: str
    person: Somebody
    body: str
    got: As
    purpose: str
    via: tuple[str, ...]
    consents: tuple[Consented, ...]
    warned: tuple[tuple[str, str], ...]
    case: Case
    after: str = ""
    before: str = ""
    made: Relation | Literal[""] = ""
    marked: str = ""
    made_under: str = ""


Path = tuple[Passage, ...]


class Teller:
    """Tells the paths of one search; ``consents`` says who consents when others than the originator act."""

    def __init__(self, search: Search, consents: Consents) -> None:
        self.search = search
        self.consents = consents
        self.compiled = {lens.compiled.id: lens.compiled for lens in search.ground.guards.lenses}
        self._items: dict[Holding, Item] = {}
        self._told: dict[tuple[Step, Holding | None], Passage] = {}

    def path(self, last: Step) -> Path:
        """The steps from the originator's own item to the end of ``last``."""
        steps = [last]
        while (before := self.search.steps[steps[0].before]) is not None:
            steps.insert(0, before)
        after: list[Holding | None] = [each.before for each in steps[1:]]
        return tuple(
            replace(self._passage(step, reached), number=number)
            for number, (step, reached) in enumerate(zip(steps, [*after, None], strict=True), start=1)
        )

    def _passage(self, step: Step, reached: Holding | None) -> Passage:
        key = step, reached
        if key not in self._told:
            self._told[key] = self._tell(step, reached)
        return self._told[key]

    def _tell(self, step: Step, reached: Holding | None) -> Passage:
        guards = self.search.ground.guards
        slot = guards.slots[step.slot]
        holding = step.before
        kind = holding.kind
        own = self.search.is_own(holding)
        standing, serving, rest = self._person(step, own=own)
        item = self._item(holding)
        profile = replace(
            guards.profile(kind, slot.act, holding.holder, slot.purpose, standing),
            serves=serving,
            nationality=rest.nationality,
            employer=rest.employer,
            office=rest.office,
            function=rest.function,
        )
        marks = guards.persons.clearances.get(standing, ())
        clearance = marks[rest.clearance] if rest.clearance < len(marks) else ""
        person = person_of(profile, clearance, self.compiled.values(), f"{PERSON}-of-{standing}")
        person = replace(person, briefed=tuple(sorted({*self.compiled, *guards.values.categories})))
        case = case_of(profile, item, person, slot.road)
        consents: Consents = (lambda _by, _for: True) if own else self.consents
        case, outcome = self._permitted(case, consents)
        made = reached.kind if reached is not None and step.made else None
        after, before = self._time(slot.road[2])
        return Passage(
            number=0,
            act=slot.act,
            agreement=guards.lenses[kind.lens].compiled.id,
            clauses=_permitting(outcome),
            by=holding.holder,
            policy=kind.policy,
            mark=kind.mark,
            person=Somebody(
                party=standing,
                serves=serving,
                nationality=rest.nationality,
                employer=rest.employer,
                office=rest.office,
                function=rest.function,
            ),
            body=step.body,
            got=step.got,
            purpose=slot.purpose,
            via=slot.road[0],
            after=after,
            before=before,
            consents=self._needed(step, standing, serving, rest),
            warned=_warned(outcome),
            case=case,
            made=step.made if made else "",
            marked=(reached.kind if reached is not None else kind).mark,
            made_under=guards.lenses[made.lens].compiled.id if made else "",
        )

    def _item(self, holding: Holding) -> Item:
        """The item of a holding with all it came from, each with an id of its own."""
        if holding not in self._items:
            step = self.search.steps[holding]
            kind = holding.kind
            agreement = self.search.ground.guards.lenses[kind.lens].compiled.id
            profile = self.search.ground.guards.profile(kind, "give", holding.holder, kind.provided, holding.holder)
            if step is None:
                self._items[holding] = item_of(profile, agreement, "item-1")
            else:
                before = self._item(step.before)
                if step.made:
                    name = f"item-{len(_line(before)) + 1}"
                    self._items[holding] = replace(item_of(profile, agreement, name), lineage=(before,))
                else:
                    self._items[holding] = replace(before, label=item_of(profile, agreement).label)
        return self._items[holding]

    def _permitted(self, case: Case, consents: Consents) -> tuple[Case, Outcome]:
        """The case with the facts and the method with which it is permitted."""
        agreements = [self.compiled[each.agreement] for each in items_of(case)]
        case = replace(case, facts=favourable(case, agreements, consents))
        for method in ("", *_methods(agreements, case.act)):
            tried = replace(case, method=method)
            outcome = self._decide(tried)
            if isinstance(outcome, Permit):
                return tried, outcome
        invariant(False, f"a step of a path is not permitted: {case.act} under {case.item.agreement}")
        raise AssertionError  # ``invariant`` has raised

    def _decide(self, case: Case) -> Outcome:
        return decided(case, self.compiled.values())

    def _needed(self, step: Step, standing: str, serving: str, rest: Rest) -> tuple[Consented, ...]:
        """The consents of the originator without which a step would not be permitted."""
        ground = self.search.ground
        persons = ground.guards.persons
        bit = persons.bit(standing, serving, rest)
        guard = ground.guards.guards[dict(ground.together(step.before))[step.slot]]
        gaining = ((guard.party, standing), (guard.serves, serving), (guard.nation, rest.nationality))
        found = {Consented(ground.originator, body) for people, body in gaining if people & bit}
        return tuple(sorted(found))

    def _person(self, step: Step, *, own: bool) -> tuple[str, str, Rest]:
        """The most ordinary of the people who can take a step as it is told."""
        ground = self.search.ground
        persons = ground.guards.persons
        guard = dict(ground.together(step.before))[step.slot]
        people = self.search.people(guard, own=own)
        bodies = persons.bodies
        holder = step.before.holder
        at_home = [(each, each) for each in dict.fromkeys((holder, *bodies))]
        pairs: Iterable[tuple[str, str]]
        if step.got == "party":
            pairs = [(step.body, each) for each in dict.fromkeys((step.body, *bodies))]
        elif step.got == "serves":
            pairs = [(each, step.body) for each in dict.fromkeys((step.body, holder, *bodies))]
        else:
            pairs = [*at_home, *((one, other) for one in bodies for other in bodies if one != other)]
        if step.got == "nation":
            people &= persons.nationals([step.body])
        for standing, serving in pairs:
            if rests := persons.rests_of(people, standing, serving):
                home = self._nations(standing)
                return standing, serving, min(rests, key=lambda rest: rest.nationality not in home)
        invariant(False, "a step of a path is taken by nobody")
        raise AssertionError  # ``invariant`` has raised

    def _time(self, at: datetime) -> tuple[str, str]:
        """When the time begins, and ends, that an instant stands for; empty where it is the first or the last one."""
        moments = self.search.ground.guards.likeness.moments
        place = moments.index(at)
        written = [each.isoformat(timespec="minutes") for each in moments]
        return written[place] if place else "", "".join(written[place + 1 : place + 2])

    def _nations(self, party: str) -> frozenset[str]:
        return frozenset(
            nation
            for compiled in self.compiled.values()
            for each in compiled.agreement.parties
            if each.id == party
            for nation in each.nations
        )


def decided(case: Case, agreements: Iterable[Compiled]) -> Outcome:
    """The decision on a case under the agreement of its item, with those of all it came from beside."""
    known = {each.id: each for each in agreements}
    under = known[case.item.agreement]
    beside = [known[name] for name in dict.fromkeys(each.agreement for each in items_of(case)) if name != under.id]
    return decide(under, case, beside)


def _line(item: Item) -> list[Item]:
    return [item, *(each for above in item.lineage for each in _line(above))]


def _methods(agreements: Sequence[Compiled], act: Act) -> tuple[str, ...]:
    rules = (rule for each in agreements for text in texts_of(each) for rule in text.rules)
    return tuple(dict.fromkeys(method for rule in rules if act in rule.acts for method in rule.methods or ()))


def _permitting(outcome: Outcome) -> tuple[str, ...]:
    """The clauses by which the item's own agreement permits."""
    return tuple(dict.fromkeys(each.clause for each in outcome.reasons if each.step == 9 and each.effect == "holds"))


def _warned(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """The clauses of rules that fail here; they were not checked, and so only warn."""
    failed = (each for each in outcome.reasons if each.effect == "warns" and each.code != "permit-unchecked")
    return tuple(dict.fromkeys((each.instrument, each.clause) for each in failed))
