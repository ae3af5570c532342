"""What one agreement can tell apart, and what it says of each kind of case, by the steps of the decision.

Rules of this file (``spec/analysis.md`` steps 12 and 13):

- Two values are alike for an act when every condition that a rule on the act tests, and every list of the scope, holds
  both or neither. Whatever differs only in values that are alike gets the same answer, so it is asked once.
- An answer is ``None`` when no facts would permit, or the consents that are needed for it: who gives them, and whether
  the body that the person stands in, the one that he serves or his nation has to be the one that may gain.
- The questions are answered by ``decide``, and for what an item came from by the steps that ``decide`` takes for it.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Literal

from msgspec.structs import replace

from comity.agreement.vocabulary import Act
from comity.analysis.cases import Road, case_of, item_of, person_of
from comity.analysis.favour import (
    AT,
    EARLIEST,
    OTHERS_MAX,
    REQUEST,
    SITE,
    approvals,
    attestations,
    checklists,
    facilities,
    standings,
)
from comity.analysis.values import Profile
from comity.decision.compiled import Compiled
from comity.decision.decide import decide
from comity.decision.model import (
    Case,
    Facts,
    NeedsConsent,
    Outcome,
    Permit,
    Reason,
    Witness,
)
from comity.decision.rules import CONDITIONS, Asked
from comity.decision.steps import level_of, weigh_item, weigh_person

ONESELF: frozenset[Act] = frozenset(
    {
        "open",
        "use-for",
        "copy",
        "translate",
        "extract",
        "reclassify",
        "return",
        "destroy",
        "export-evidence",
        "hand-over",
    }
)
"""Acts whose recipient is the person who acts, of the side that acts."""
MOVING: frozenset[Act] = frozenset({"give", "show", "visit", "pass-on", "feed"})
"""Acts for which the decision looks at the route."""

ALWAYS_MET = frozenset({12, 14, 15, 17})
"""Steps that the most favourable facts always meet: checklists, lists, briefing, approvals, witnesses."""

Role = Literal["party", "serves", "nation"]
"""As what somebody gains: who the person stands for, whom he or she serves, whose national he or she is."""
ORIGINATOR = ""
"""Stands for whoever the item's originator is, where a rule asks the originator's consent."""
Needed = frozenset[tuple[str, Role]]
"""Consents that are needed: by whom (``ORIGINATOR``, or a party), and for whom to gain."""

_POSITION = {name: place for place, name in enumerate(CONDITIONS)}
_THIRDS = {"party": "a-third-body", "serves": "a-body-served", "nation": "a-third-state"}


class Lens:
    """One agreement with its layers, ready to be asked about kinds of cases.

    With ``only_outcomes`` it does not tell apart what only rules test that the most favourable facts always meet.

    Attributes:
        compiled: the agreement.
        rules: what its rules say of each act.
        asked: how many questions were put to the decision.
    """

    def __init__(self, compiled: Compiled, *, only_outcomes: bool = False) -> None:
        self.compiled = compiled
        self.rules: dict[Act, tuple[Asked, ...]] = {act: tuple(rules_of(compiled, act)) for act in compiled.acts}
        self._only_outcomes = only_outcomes
        self._words: dict[tuple[Act, str], tuple[frozenset[object], ...]] = {}
        self._categories: dict[Act, tuple[frozenset[str], ...]] = {}
        self._every_party: dict[Act, bool] = {}
        self._registries: dict[Act, bool] = {}
        self._methods: dict[Act, tuple[str, ...]] = {}
        self._moments: dict[Act, tuple[datetime, ...]] = {}
        for act, rules in self.rules.items():
            self._prepare(act, rules)
        self._alike: dict[tuple[Act, str, object], int] = {}
        self._answers: dict[tuple[object, ...], Needed | None] = {}
        self._levels: dict[tuple[str, str], tuple[object, ...] | None] = {}
        self._said: dict[tuple[str, str], Facts] = {}
        self.clearances: dict[str, tuple[str, ...]] = {}
        self.asked = 0
        agreement = compiled.agreement
        self._circles = {body.id: frozenset(body.circles or ()) for body in agreement.bodies}
        self._served = {body.id: frozenset(body.client_of or ()) for body in agreement.bodies}
        self._offices = frozenset(office for pair in compiled.tree for office in pair)

    def _prepare(self, act: Act, rules: Iterable[Asked]) -> None:
        words: dict[str, list[frozenset[object]]] = {}
        categories: list[frozenset[str]] = []
        methods: list[str] = []
        days: set[datetime] = set()
        every = registries = False
        for asked in rules:
            if self._only_outcomes and asked.step in ALWAYS_MET:
                continue
            every |= asked.rule.consent in {"every-party", "named"}
            registries |= asked.rule.registries is not None
            methods += asked.rule.methods or ()
            days |= {each for each in (asked.since, asked.until) if each is not None}
            for conditions in (asked.when, *([asked.unless] if asked.unless else ())):
                categories += [conditions.categories] if conditions.categories else []
                for position, known in conditions.tests:
                    words.setdefault(CONDITIONS[position], []).append(known)
        self._words.update({(act, name): tuple(dict.fromkeys(each)) for name, each in words.items()})
        self._categories[act] = tuple(dict.fromkeys(categories))
        self._every_party[act] = every
        self._registries[act] = registries
        self._methods[act] = tuple(dict.fromkeys(methods))
        self._moments[act] = (EARLIEST, *sorted(days - {EARLIEST})) if days else (AT,)

    def tests(self, act: Act, *conditions: str) -> bool:
        """Whether a rule on the act tests any of these conditions."""
        return any((act, name) in self._words for name in conditions)

    def along_registries(self, act: Act) -> bool:
        """Whether a rule on the act asks from which office to which something goes."""
        return self._registries.get(act, False)

    def moments(self, act: Act) -> tuple[datetime, ...]:
        """One instant for each time in which the same rules on an act hold, ascending."""
        return self._moments.get(act, (AT,))

    def kind(self, act: Act, condition: str, value: object) -> int:
        """Which words of the rules on an act hold this value of a condition, as bits; alike values have the same."""
        key = act, condition, value
        found = self._alike.get(key)
        if found is None:
            sets = self._words.get((act, condition), ())
            found = self._alike[key] = sum(1 << place for place, words in enumerate(sets) if value in words)
        return found

    def level_kind(self, act: Act, policy: str, mark: str) -> tuple[object, ...] | None:
        """What the decision makes of a mark; None when the ladder does not have it. Marks of one kind are alike."""
        key = policy, mark
        if key not in self._levels:
            level = self.compiled.levels.get(key)
            self._levels[key] = None if level is None else self._level(policy, mark)
        known = self._levels[key]
        return None if known is None else (*known, self.kind(act, "level", mark))

    def _level(self, policy: str, mark: str) -> tuple[object, ...]:
        level = self.compiled.levels[policy, mark]
        crossings = []
        for party, crossing in level.crossings.items():
            held = [self.compiled.levels.get((party, each)) for each in self.clearances.get(party, ())]
            cleared = tuple(known is not None and 0 < crossing.rank <= known.rank for known in held)
            crossings.append((party, crossing.weight, crossing.rank > 0, cleared))
        return (level.weight, level.rank > 0, *crossings)

    def item_kind(self, act: Act, profile: Profile) -> tuple[object, ...]:
        """What the decision sees of the item and of the act, without the person."""
        seen = self.attribute_kind
        holder = "originator" if profile.acting == profile.originator else "recipient"
        return (
            act,
            seen(act, "level", (profile.policy, profile.mark)),
            seen(act, "form", profile.form),
            seen(act, "subject", profile.subject),
            seen(act, "purpose", profile.purpose),
            self.kind(act, "other_purpose", profile.purpose != profile.provided),
            seen(act, "originator", profile.originator),
            seen(act, "acting", profile.acting),
            self.kind(act, "holder", holder),
            seen(act, "relation", profile.relation),
            seen(act, "recalled", profile.recalled),
            seen(act, "suspected", profile.suspected),
            seen(act, "categories", profile.categories),
        )

    def attribute_kind(self, act: Act, name: str, value: Any) -> object:
        """What the decision sees of one attribute of the item, or of the side that acts."""
        compiled = self.compiled
        if name == "level":
            return self.level_kind(act, *value)
        if name == "categories":
            known = compiled.categories is None or compiled.categories.issuperset(value)
            return known, tuple(not words.isdisjoint(value) for words in self._categories.get(act, ()))
        kind = self.kind(act, name, value)
        if name == "acting":
            way = value if value in compiled.via else ""
            return kind, value in compiled.parties, way, self._clients(act, value)
        if name == "originator":
            return kind, value if self._every_party.get(act) and value in compiled.parties else ""
        if name in {"form", "subject", "purpose"}:
            covered = {"form": compiled.forms, "subject": compiled.subjects, "purpose": compiled.purposes}[name]
            return kind, covered is None or value in covered
        return kind

    def party_kind(self, act: Act, party: str) -> tuple[object, ...]:
        """What the decision sees of the body in whose ranks a person stands."""
        known = party if party in self.compiled.parties else ""
        return (known, self.kind(act, "recipient", party), *self._outside(act, party))

    def serves_kind(self, act: Act, serves: str) -> tuple[object, ...]:
        """What the decision sees of the body that a person serves."""
        return (serves in self.compiled.parties, self.kind(act, "serves", serves), *self._outside(act, serves))

    def _outside(self, act: Act, body: str) -> tuple[object, ...]:
        """What the conditions on bodies that are no parties see of one."""
        circles = self._circles.get(body, frozenset()) if self.tests(act, "circle") else frozenset()
        return (circles, self._served.get(body, frozenset()) if self.tests(act, "client") else frozenset())

    def _clients(self, act: Act, party: str) -> str:
        """The party itself, where it matters whom it serves."""
        serving = self.tests(act, "client") and any(party in served for served in self._served.values())
        return party if serving else ""

    def person_kind(
        self, act: Act, nationality: str, employer: str, office: str, function: str, clearance: int
    ) -> tuple[object, ...]:
        """What the decision sees of a person besides; ``clearance`` is the place of the mark among its party's."""
        foreign = bool(self.compiled.nations) and nationality not in self.compiled.nations
        kind = self.kind
        return (
            foreign,
            kind(act, "employer", employer),
            kind(act, "body", office),
            office if self.along_registries(act) and office in self._offices else "",
            kind(act, "function", function),
            clearance,
        )

    def answer(self, profile: Profile, road: Road, clearance: int = 0, *, ancestor: bool = False) -> Needed | None:
        """Which consents a case needs, or None when no facts would permit it.

        Args:
            profile: the case.
            road: by way of which parties, and from which office, something goes.
            clearance: place of the mark up to which the person is cleared, among ``clearances`` of its party.
            ancestor: the item is one from which that of the case came.
        """
        act = profile.act
        road = self.road_kind(act, road)
        key = (
            ancestor,
            road,
            self.item_kind(act, profile),
            self.party_kind(act, profile.party),
            self.serves_kind(act, profile.serves),
            self.person_kind(act, profile.nationality, profile.employer, profile.office, profile.function, clearance),
        )
        if key not in self._answers:
            self._answers[key] = self.ask(profile, road, clearance, ancestor=ancestor)
        return self._answers[key]

    def road_kind(self, act: Act, road: Road) -> Road:
        """The same road, without what the decision on the act does not look at."""
        via, office, at = road
        if act not in MOVING:
            via = ()
        elif self.compiled.route is None and via:
            via = ("elsewhere",)
        moments = self.moments(act)
        at = moments[max(bisect(moments, at) - 1, 0)]
        return via, office if self.along_registries(act) and office in self._offices else "", at

    def ask(self, profile: Profile, road: Road, clearance: int, *, ancestor: bool) -> Needed | None:
        """The same as ``answer`` gives for all cases of one kind, worked out anew."""
        act, compiled = profile.act, self.compiled
        changes = {}
        if not self._named(act, "recipient", profile.party):
            changes["party"] = _THIRDS["party"]
        if not self._named(act, "serves", profile.serves):
            changes["serves"] = _THIRDS["serves"]
        if profile.nationality not in compiled.nations:
            changes["nationality"] = _THIRDS["nation"]
        profile = replace(profile, **changes)
        marks = self.clearances.get(profile.party, ())
        person = person_of(profile, marks[clearance] if clearance < len(marks) else "", (compiled,))
        best: Needed | None = None
        for method in self._methods.get(act, ()) or ("",):
            reasons = self._reasons(case_of(profile, item_of(profile, compiled.id), person, road, method), ancestor)
            if reasons is not None:
                found = self._needed(profile, reasons)
                best = found if best is None or found < best else best
        return best

    def _named(self, act: Act, condition: str, body: str) -> bool:
        """Whether anything here sees a body as more than some third one."""
        known = body in self.compiled.parties or body in self._circles
        return known or bool(self.kind(act, condition, body))

    def _reasons(self, case: Case, ancestor: bool) -> list[Reason] | None:
        """The consents that are missing; None when something else is."""
        compiled, item = self.compiled, case.item
        self.asked += 1
        facts = self._facts(case)
        if ancestor:
            reasons: list[Reason] = []
            whole = replace(case, item=replace(item, id="made-of-it"), facts=facts)
            level = level_of(compiled, item)
            weigh_item(compiled, whole, item, level, reasons)
            weigh_person(compiled, whole, item, level, case.recipients[0], reasons)
            against = [each for each in reasons if each.effect in {"needs", "lacks", "forbids"}]
        else:
            outcome = decide(compiled, replace(case, facts=facts))
            if isinstance(outcome, Permit):
                return []
            if not isinstance(outcome, NeedsConsent):
                return None
            against = [each for each in outcome.reasons if each.effect == "needs"]
        return None if any(each.code != "consent-missing" for each in against) else against

    def outcome(self, profile: Profile, road: Road) -> Outcome:
        """The decision with the most favourable facts, but without consents; by the first method that a rule names."""
        marks = self.clearances.get(profile.party, ())
        person = person_of(profile, marks[0] if marks else "", (self.compiled,))
        method = (*self._methods.get(profile.act, ()), "")[0]
        case = case_of(profile, item_of(profile, self.compiled.id), person, road, method)
        return decide(self.compiled, replace(case, facts=self._facts(case)))

    def _facts(self, case: Case) -> Facts:
        """The most favourable facts, without consents."""
        person, item = case.recipients[0], case.item
        key = person.party, item.label.originator
        if key not in self._said:
            compiled = self.compiled
            self._said[key] = Facts(
                standings=standings([compiled]),
                attestations=tuple(
                    each for one in checklists(compiled) for each in attestations(compiled, one, item, person)
                ),
                approvals=approvals(REQUEST),
                witnesses=tuple(Witness(request=REQUEST, by=f"witness-{n}") for n in range(OTHERS_MAX)),
                facilities=tuple(facilities(compiled, person.party, SITE)),
            )
        return self._said[key]

    def _needed(self, profile: Profile, missing: Iterable[Reason]) -> Needed:
        """Who has to consent, and as what the person gains."""
        parties = self.compiled.parties
        thirds: dict[Role, str] = {}
        if profile.party not in parties:
            thirds["party"] = profile.party
        if profile.serves not in parties:
            thirds["serves"] = profile.serves
        if self.compiled.nations and profile.nationality not in self.compiled.nations:
            thirds["nation"] = profile.nationality
        gaining: dict[Role, str] = thirds or {"serves": profile.serves}
        found: set[tuple[str, Role]] = set()
        for reason in missing:
            by, _, _, beneficiary, _ = reason.parameters
            giver = ORIGINATOR if by == profile.originator else by
            found.update((giver, role) for role, body in gaining.items() if body == beneficiary)
        return frozenset(found)


def rules_of(compiled: Compiled, act: Act) -> Iterator[Asked]:
    """What the rules say of an act, each once."""
    yield from compiled.acts.get(act, compiled.no_rules).asked
