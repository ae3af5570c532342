"""Rules that never apply, and permits that never permit (``spec/analysis.md`` steps 10 and 11).

Rules of this file:

- Every combination of values that the rules on an act can tell apart is tried, with the most favourable facts; a permit
  is dead when none of them ends in a permit. The question is put to ``decide`` itself.
- What would take more than ``COMBINATIONS_MAX`` combinations is not looked at to the end, and then not reported.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice, product
from typing import Any, TypeVar

from comity.agreement.conditions import all_clients, circles_of
from comity.agreement.vocabulary import Act
from comity.analysis.cases import Road
from comity.analysis.findings import Finding, Source, several
from comity.analysis.lens import MOVING, ONESELF, Lens
from comity.analysis.values import EMPLOYERS, FORMS, RELATIONS, Profile, Values
from comity.decision.rules import BENEFICIARY_CODES, CONDITIONS, Asked

COMBINATIONS_MAX = 200_000
"""Combinations tried for one rule on one act."""

T = TypeVar("T")
V = TypeVar("V", bound=Hashable)
Choice = tuple[str, ...]
BENEFICIARY = CONDITIONS.index("beneficiary")
_EVERY_BENEFICIARY = frozenset().union(*BENEFICIARY_CODES.values())


class Combinations:
    """The combinations of values that one agreement can tell apart, for the cases that it covers."""

    def __init__(self, lens: Lens) -> None:
        self.lens = lens
        self.values = Values([lens.compiled])

    def of(self, act: Act, asked: Asked | None = None) -> Iterator[Profile]:
        """Those for an act, in which ``asked`` applies; the most ordinary ones first."""
        lens, values, compiled = self.lens, self.values, self.lens.compiled
        covered = compiled.scope.fails != "warns"
        forms = [each for each in FORMS if compiled.forms is None or each in compiled.forms]
        subjects = [each for each in values.subjects if compiled.subjects is None or each in compiled.subjects]
        purposes = [each for each in values.purposes if compiled.purposes is None or each in compiled.purposes]
        categories = [each for each in self._categories() if self._in_scope(each)]
        fits = _Fits(asked)
        single: tuple[Iterable[Any], ...] = (
            fits("form", self._unlike(act, "form", forms or FORMS)),
            fits("subject", self._unlike(act, "subject", subjects if covered else values.subjects)),
            fits("purpose", self._unlike(act, "purpose", purposes or values.purposes)),
            fits("relation", self._unlike(act, "relation", RELATIONS)),
            fits("recalled", self._unlike(act, "recalled", (False, True))),
            fits("suspected", self._unlike(act, "suspected", (False, True))),
            fits("employer", self._unlike(act, "employer", EMPLOYERS)),
            fits("body", self._unlike(act, "body", values.offices)),
            fits("function", self._unlike(act, "function", values.functions)),
            categories if lens.rules.get(act) else [()],
            list(self._levels(act)),
            (True, False) if lens.tests(act, "other_purpose") else (True,),
            list(self._sides(act)),
            list(self._persons(act)),
        )
        for chosen in product(*single):
            form, subject, purpose, relation, recalled, suspected, employer, office, function = chosen[:9]
            labelled, (policy, mark), same, (originator, acting), (party, serves, nationality) = chosen[9:]
            if act in ONESELF and party != acting:
                continue
            profile = Profile(
                act=act,
                acting=acting,
                originator=originator,
                policy=policy,
                mark=mark,
                form=form,
                subject=subject,
                provided=purpose if same else self._another(purpose),
                purpose=purpose,
                party=party,
                serves=serves,
                nationality=nationality,
                categories=labelled,
                relation=relation,
                recalled=recalled,
                suspected=suspected,
                employer=employer,
                office=office,
                function=function,
            )
            if asked is None or self.applies(asked, profile):
                yield profile

    def applies(self, asked: Asked, profile: Profile) -> bool:
        """Whether what a rule says is said of a case."""
        compiled = self.lens.compiled
        outside = frozenset(each for each in (profile.party, profile.serves) if each not in compiled.parties)
        foreign = bool(compiled.nations) and profile.nationality not in compiled.nations
        known: dict[str, object] = {
            "form": profile.form,
            "level": profile.mark,
            "subject": profile.subject,
            "purpose": profile.purpose,
            "other_purpose": profile.purpose != profile.provided,
            "originator": profile.originator,
            "acting": profile.acting,
            "holder": "originator" if profile.acting == profile.originator else "recipient",
            "relation": profile.relation,
            "recipient": profile.party,
            "serves": profile.serves,
            "employer": profile.employer,
            "body": profile.office,
            "function": profile.function,
            "beneficiary": bool(outside) + 2 * foreign,
            "recalled": profile.recalled,
            "suspected": profile.suspected,
            "circle": circles_of(compiled.agreement, outside),
            "client": all_clients(compiled.agreement, outside, profile.acting),
        }
        values = tuple(known.get(name) for name in CONDITIONS)
        if not asked.when.hold(values, profile.categories):
            return False
        return asked.unless is None or not asked.unless.hold(values, profile.categories)

    def _another(self, purpose: str) -> str:
        return self.values.other if purpose != self.values.other else self.values.same

    def _unlike(self, act: Act, condition: str, values: Iterable[T]) -> list[T]:
        """One of each kind of values that the rules on an act can tell apart."""
        return _first_of_each(values, lambda each: self.lens.kind(act, condition, each))

    def _categories(self) -> list[tuple[str, ...]]:
        """No category, each alone, and each two together: a rule tests for one, and excepts another."""
        named = self.values.categories
        pairs = [(one, other) for one, other in product(named, named) if one < other]
        return [(), *((each,) for each in named), *pairs]

    def _in_scope(self, categories: tuple[str, ...]) -> bool:
        known = self.lens.compiled.categories
        return known is None or known.issuperset(categories)

    def _levels(self, act: Act) -> Iterator[tuple[str, str]]:
        levels = [key for key, level in self.lens.compiled.levels.items() if level.weight == 0]
        levels.sort(key=lambda each: not each[1])  # what is declassified comes last
        yield from _first_of_each(levels, lambda each: (each[0], self.lens.level_kind(act, *each)))

    def _sides(self, act: Act) -> Iterator[tuple[str, str]]:
        """Whose information, and who acts."""
        lens = self.lens
        pairs = product(self.values.bodies, lens.compiled.party_ids)

        def kind(pair: tuple[str, str]) -> Hashable:
            originator, acting = pair
            same = originator == acting and lens.tests(act, "holder")
            oneself = acting if act in ONESELF else ""
            known = originator in lens.compiled.parties
            seen = lens.kind(act, "acting", acting), acting if lens.tests(act, "client") or lens.compiled.via else ""
            return (lens.kind(act, "originator", originator), known, *seen, same, oneself)

        yield from _first_of_each(pairs, kind)

    def _persons(self, act: Act) -> Iterator[Choice]:
        """Where somebody stands, whom he or she serves, whose national he or she is."""
        lens, values, compiled = self.lens, self.values, self.lens.compiled
        parties = _first_of_each(values.bodies, lambda each: lens.party_kind(act, each))
        serving = _first_of_each(values.bodies, lambda each: lens.serves_kind(act, each))
        inside = [each for each in values.nations if each in compiled.nations][:1]
        nations = [*inside, values.other_nation]
        yield from product(parties, serving, nations)


class _Fits:
    """The values that meet what the ``when`` of a rule says of one condition alone."""

    def __init__(self, asked: Asked | None) -> None:
        self._words = dict(asked.when.tests) if asked is not None else {}

    def __call__(self, condition: str, values: Sequence[V]) -> list[V]:
        words = self._words.get(CONDITIONS.index(condition))
        return [each for each in values if words is None or each in words]


def _first_of_each(values: Iterable[T], kind: Callable[[T], Hashable]) -> list[T]:
    found: dict[Hashable, T] = {}
    for each in values:
        found.setdefault(kind(each), each)
    return list(found.values())


def roads_of(lens: Lens, act: Act) -> list[Road]:
    """The roads that one agreement knows: all, a part, none of its route; from each of its registries; at each time."""
    vias: set[tuple[str, ...]] = {()}
    if act in MOVING:
        route = lens.compiled.via
        vias = {route[start:end] for start in range(len(route) + 1) for end in range(start, len(route) + 1)}
    offices = {office for pair in lens.compiled.tree for office in pair} if lens.along_registries(act) else set()
    longest_first = sorted(vias, key=lambda each: (-len(each), each))
    return [(via, office, at) for via in longest_first for office in sorted({"", *offices}) for at in lens.moments(act)]


def permitted_acts(lens: Lens) -> frozenset[Act]:
    """The acts that a checked rule permits."""
    return frozenset(
        act for act, rules in lens.rules.items() for asked in rules if asked.step == 9 and asked.cites.fails != "warns"
    )


def dead_rules(lens: Lens, texts: Sequence[Source]) -> Iterator[Finding]:
    """Rules that never apply, permits that never permit, and acts that only unchecked rules permit."""
    combinations = Combinations(lens)
    permitted = permitted_acts(lens)
    places = {(each.text.id, rule.id): (each, index) for each in texts for index, rule in enumerate(each.text.rules)}
    said: dict[tuple[str, str], dict[Act, Asked]] = {}
    for act, rules in lens.rules.items():
        for asked in rules:
            said.setdefault((asked.cites.instrument, asked.rule.id), {}).setdefault(act, asked)
    for (instrument, name), acts in said.items():
        source, index = places[instrument, name]
        yield from _never(combinations, source, index, acts)
        first = next(iter(acts.values()))
        if first.rule.permits and first.cites.fails == "warns":
            yield _unchecked(source, index, acts, permitted)
        elif first.rule.permits:
            yield from _dead(combinations, source, index, acts)
        else:
            yield from _idle(source, index, acts, permitted)


def _never(combinations: Combinations, source: Source, index: int, acts: dict[Act, Asked]) -> Iterator[Finding]:
    never = [act for act, asked in acts.items() if _none(combinations.of(act, asked))]
    if never:
        rule = source.text.rules[index]
        whole = len(never) == len(acts)
        yield source.finding(
            "never-applies",
            "wrong" if whole else "doubt",
            rule.clause,
            ("rule", index, "when"),
            f"rule {rule.id!r} never applies{'' if whole else ' to ' + several(never)}: no case that the agreement "
            "covers meets all its conditions",
            "look at its 'when' and 'unless' together, and at the scope, the levels and the parties"
            if whole
            else "take the act out of the rule, or split the rule",
        )


def _none(profiles: Iterator[Profile]) -> bool:
    """Whether there is no combination; not said when there are too many to look at."""
    return next(islice(profiles, 1), None) is None


def _unchecked(source: Source, index: int, acts: dict[Act, Asked], permitted: frozenset[Act]) -> Finding:
    rule = source.text.rules[index]
    only = [act for act in acts if act not in permitted]
    return source.finding(
        "permit-unchecked",
        "wrong" if only else "note",
        rule.clause,
        ("rule", index),
        f"rule {rule.id!r} rests on an unchecked clause and permits nothing"
        + (f"; nothing else permits {several(only)}" if only else ""),
        "read the clause in the text and give it its provenance, or rest the rule on one that was read",
    )


def _idle(source: Source, index: int, acts: dict[Act, Asked], permitted: frozenset[Act]) -> Iterator[Finding]:
    idle = [act for act in acts if act not in permitted]
    if idle:
        rule = source.text.rules[index]
        does = "forbids" if rule.forbids else "asks something of"
        yield source.finding(
            "rule-on-nothing",
            "doubt" if len(idle) == len(acts) and not rule.forbids else "note",
            rule.clause,
            ("rule", index, "acts"),
            f"rule {rule.id!r} {does} {several(idle)}, which no checked rule permits anyway",
            "leave it where the text says so: it gives the refusal its reason"
            if rule.forbids
            else "write what permits it, or take the act out of the rule",
        )


def _dead(combinations: Combinations, source: Source, index: int, acts: dict[Act, Asked]) -> Iterator[Finding]:
    lens = combinations.lens
    for act, asked in acts.items():
        roads = [road for road in roads_of(lens, act) if _holds(asked, road[2])]
        first: Profile | None = None
        for tried, profile in enumerate(combinations.of(act, asked)):
            first = first or profile
            if tried == COMBINATIONS_MAX or any(lens.answer(profile, road) is not None for road in roads):
                break
        else:
            if first is None:
                continue  # it never applies, which is said elsewhere
            rule = source.text.rules[index]
            against = _against(lens, first, roads[0])
            yield source.finding(
                "permit-dead",
                "wrong",
                rule.clause,
                ("rule", index),
                f"rule {rule.id!r} permits to {act!r}, but whatever people say and hold, that is never permitted: "
                f"{against}",
                "narrow what stands against it, or say in the permit when it holds",
            )


def _holds(asked: Asked, at: datetime) -> bool:
    """Whether a rule holds at an instant, as far as its days go."""
    return (asked.since is None or asked.since <= at) and (asked.until is None or at < asked.until)


def _against(lens: Lens, profile: Profile, road: Road) -> str:
    """What stands against a case with the most favourable facts, by rule and clause."""
    outcome = lens.outcome(profile, road)
    found = [
        f"{each.code} ({each.instrument} {each.clause})" if each.clause else each.code
        for each in outcome.reasons
        if each.effect in {"needs", "lacks", "forbids"} and each.code != "consent-missing"
    ]
    return several(dict.fromkeys(found), "and")
