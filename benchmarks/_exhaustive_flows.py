"""Where information gets, by trying every case: no likeness, no sets of people, no lineage but the list itself.

The same model as ``spec/analysis.md`` steps 14 to 17 describe, enumerated with ``decide`` alone. It is what the search
of ``comity.analysis`` is compared with, in tests by its answers and in the benchmark by its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product

from msgspec.structs import replace

from comity.agreement.equivalence import equivalents
from comity.analysis.favour import EARLIEST, EVER, LIST, OFFICE, SITE, favourable
from comity.decision.compiled import Compiled
from comity.decision.decide import decide
from comity.decision.model import Case, Clearance, Facts, Item, NeedsConsent, Permit, Person
from comity.errors import Refused
from comity.marking.label import Label

Consents = Callable[[str, str], bool]
MOVING = ("give", "show", "visit", "pass-on")
USING = ("open", "use-for", "hand-over")
MAKING = {"copy": ("copy",), "translate": ("translation",), "extract": ("extract", "contains")}


@dataclass(frozen=True)
class Universe:
    """Every value there is."""

    bodies: tuple[str, ...]
    purposes: tuple[str, ...]
    nations: tuple[str, ...] = ("n",)
    employers: tuple[str, ...] = ("party",)
    offices: tuple[str, ...] = ("",)
    functions: tuple[str, ...] = ("",)
    forms: tuple[str, ...] = ("electronic",)
    subjects: tuple[str, ...] = ("subject",)
    categories: tuple[tuple[str, ...], ...] = ((),)
    flags: tuple[tuple[bool, bool], ...] = ((False, False),)
    vias: tuple[tuple[str, ...], ...] = ((),)
    moments: tuple[datetime, ...] = (EVER.replace(year=2000),)


@dataclass(frozen=True)
class Held:
    """An item, with all it came from, at a body, since some instant."""

    holder: str
    item: Item
    since: datetime = EARLIEST


@dataclass
class Found:
    """Who got at it.

    Attributes:
        arrivals: after how many steps each body first, of which level, for which purpose.
        gained: after how many steps each body, or state, first by what others than the originator do.
        held: what is held where.
        depth: how many steps were followed to the end; everything was when ``whole``.
        whole: nothing further follows.
    """

    arrivals: dict[tuple[str, str, str], int] = field(default_factory=dict)
    gained: dict[str, int] = field(default_factory=dict)
    held: set[Held] = field(default_factory=set)
    depth: int = 0
    whole: bool = False

    def within(self, depth: int) -> Found:
        """What was found in so many steps."""
        arrivals = {key: step for key, step in self.arrivals.items() if step <= depth}
        gained = {key: step for key, step in self.gained.items() if step <= depth}
        return Found(arrivals, gained, self.held, depth, self.whole)


class Spent(Exception):
    """More cases were decided than are worth the time."""


class Enumeration:
    """Everything that one originator's information can do, by brute force."""

    def __init__(self, agreements: Sequence[Compiled], originator: str, universe: Universe, budget: int) -> None:
        self.agreements = {each.id: each for each in agreements}
        self.originator = originator
        self.universe = universe
        self.people = {body: tuple(self._people(body)) for body in universe.bodies}
        self.decided = 0
        self.budget = self._end = budget
        self._said: dict[tuple[Item, str], Facts] = {}

    def _people(self, party: str) -> Iterator[Person]:
        marks: dict[str, None] = {}
        for compiled in self.agreements.values():
            marks.update(dict.fromkeys(mark for owner, mark in compiled.levels if owner == party and mark))
        u = self.universe
        categories = {each for chosen in u.categories for each in chosen}
        for serves, nation, employer, office, function, mark in product(
            u.bodies, u.nations, u.employers, u.offices, u.functions, marks or ("",)
        ):
            yield Person(
                pseudonym="person",
                party=party,
                serves=serves,
                nationality=nation,
                employer=employer,  # type: ignore[arg-type]  # a word of the vocabulary
                body=office,
                function=function,
                site=SITE,
                clearance=Clearance(mark, EVER) if mark else None,
                need_to_know=(LIST,),
                briefed=tuple(sorted({*self.agreements, *categories})),
            )

    def beginnings(self, under: str) -> list[Held]:
        """The originator's items under one agreement: its own, or what any party holds of somebody's who is none."""
        parties = self.agreements[under].party_ids
        return [
            Held(holder, item)
            for holder in ((self.originator,) if self.originator in parties else parties)
            for item in self._items(under, holder, ("original",), (self.originator,), ())
            if item.purpose != self.universe.purposes[-1]
        ]

    def _items(
        self, under: str, policy: str, relations: Sequence[str], names: Sequence[str], lineage: tuple[Item, ...]
    ) -> Iterator[Item]:
        u = self.universe
        compiled = self.agreements[under]
        marks = [mark for owner, mark in compiled.levels if owner == policy and mark]
        for mark, name, relation, form, subject, purpose, categories, (recalled, suspected) in product(
            marks, names, relations, u.forms, u.subjects, u.purposes, u.categories, u.flags
        ):
            yield Item(
                id="item" if not lineage else f"item-{len(lineage)}",
                agreement=under,
                label=Label(policy=policy, mark=mark, originator=name, categories=categories),
                form=form,  # type: ignore[arg-type]  # a word of the vocabulary
                subject=subject,
                purpose=purpose,
                need_to_know=(LIST,),
                relation=relation,  # type: ignore[arg-type]  # a word of the vocabulary
                lineage=lineage,
                recalled=recalled,
                suspected=suspected,
                office=OFFICE,
            )

    def run(self, under: str, consents: Consents, own: Callable[[Person], bool], depth: int) -> Found:
        """Follow every step, up to a depth or as far as the budget goes; ``own`` says to whom the originator gives."""
        found = Found()
        waiting = self.beginnings(under)
        found.held.update(waiting)
        self._end = self.decided + self.budget
        try:
            while waiting and found.depth < depth:
                following: list[Held] = []
                for held in waiting:
                    for reached in self._from(held, consents, own, found):
                        if reached not in found.held:
                            found.held.add(reached)
                            following.append(reached)
                found.depth += 1
                waiting = following
            found.whole = not waiting
        except Spent:
            pass
        return found.within(found.depth)

    def _from(self, held: Held, consents: Consents, own: Callable[[Person], bool], found: Found) -> Iterator[Held]:
        item, holder = held.item, held.holder
        itself = holder == self.originator
        if itself and item.lineage:
            return  # what came back is not followed
        compiled = self.agreements[item.agreement]
        if holder not in compiled.parties:
            return  # whatever the act, step 4 of the decision gives it no basis
        step = found.depth + 1
        given: Consents = (lambda _by, _for: True) if itself else consents
        acts = (*MOVING, *USING, *MAKING, "reclassify")
        times = [at for at in self.universe.moments if at >= held.since]
        for at, act, purpose in product(times, acts, self.universe.purposes):
            if act not in compiled.acts or (itself and (act not in MOVING or purpose != item.purpose)):
                continue
            standing = self.universe.bodies if act in MOVING else (holder,)
            for party, via in product(standing, self.universe.vias if act in MOVING else ((),)):
                for person in self.people[party]:
                    if itself and not own(person):
                        continue
                    if not self._permits(compiled, item, act, holder, purpose, person, via, at, given):
                        continue
                    if not itself:
                        for body in (person.party, person.serves, person.nationality, *via):
                            found.gained.setdefault(body, step)
                    yield from self._after(held, act, purpose, person, via, at, found)

    def _permits(
        self,
        compiled: Compiled,
        item: Item,
        act: str,
        acting: str,
        purpose: str,
        person: Person,
        via: tuple[str, ...],
        at: datetime,
        consents: Consents,
    ) -> bool:
        case = Case(
            request="request",
            act=act,  # type: ignore[arg-type]  # a word of the vocabulary
            item=item,
            purpose=purpose,
            requester="requester",
            acting=acting,
            recipients=(person,),
            at=at,
            via=via,
            copies=int(act == "copy"),
        )
        if self.decided == self._end:
            raise Spent
        self.decided += 1
        under = {each.agreement for each in _line(item)}
        known = [each for name, each in self.agreements.items() if name in under]
        beside = [each for each in known if each is not compiled]
        said = item, person.party
        if said not in self._said:
            self._said[said] = favourable(case, known)
        outcome = decide(compiled, replace(case, facts=self._said[said]), beside)
        if isinstance(outcome, NeedsConsent):
            outcome = decide(compiled, replace(case, facts=favourable(case, known, consents)), beside)
        return isinstance(outcome, Permit)

    def _after(
        self, held: Held, act: str, purpose: str, person: Person, via: tuple[str, ...], at: datetime, found: Found
    ) -> Iterator[Held]:
        item = held.item
        if act == "reclassify":
            compiled = self.agreements[item.agreement]
            for owner, mark in compiled.levels:
                if owner == item.label.policy and mark != item.label.mark:
                    yield Held(held.holder, _marked(item, mark), at)
            return
        reached = dict.fromkeys((person.party, *via, person.serves))
        if act in MAKING:
            lineage = (item,)
            for maker in reached:
                for name, compiled in self.agreements.items():
                    if maker not in compiled.parties:
                        continue
                    for made in self._items(name, maker, MAKING[act], self.universe.bodies, lineage):
                        yield Held(maker, _simple(made), at)
            return
        for body in reached:
            if body == held.holder == self.originator:
                continue
            level = self._level(item, body)
            if level is not None:
                found.arrivals.setdefault((body, level, purpose), found.depth + 1)
            yield Held(body, item, at)

    def _level(self, item: Item, body: str) -> str | None:
        """The level that the item has there, by its English word; None where nobody could write a mark."""
        compiled = self.agreements[item.agreement]
        label = item.label
        if not label.mark:
            return "unmarked"
        if body not in compiled.parties:
            return compiled.agreement.levels[
                [each.mark for each in compiled.agreement.levels].index(label.mark)
            ].english
        try:
            return equivalents(compiled.agreement, label.policy, label.mark, body, compiled.layers).levels[0].english
        except Refused:
            return None


def _marked(item: Item, mark: str) -> Item:
    return replace(item, label=replace(item.label, mark=mark))


def _line(item: Item) -> Iterator[Item]:
    yield item
    for above in item.lineage:
        yield from _line(above)


def _simple(item: Item) -> Item:
    """The same item with each different ancestor once: what it came from twice asks nothing twice."""
    ancestors: dict[Item, None] = {}
    for above in list(_line(item))[1:]:
        bare = replace(above, id="ancestor", lineage=())
        ancestors.setdefault(bare, None)
    ordered = sorted(ancestors, key=repr)
    return replace(item, id="item", lineage=tuple(replace(each, id=f"ancestor-{n}") for n, each in enumerate(ordered)))
