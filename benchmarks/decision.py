"""Decisions with complete, canonical reasons on random unseen cases, beside cedarpy's answer to the same questions.

Both sides hold the agreement parsed and the persons known beforehand; the items, the facts and the questions are new
in every call. Cedar gets one policy for each clause and only answers yes or no; the answers are compared on the whole
corpus. The first five clauses are force, scope, forms, ceiling and equivalence; each programme adds five: what may be
done, whose consent a third party needs, who may have access, what is forbidden, and what must be attested.
"""

from __future__ import annotations

import gc
import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from time import perf_counter_ns
from typing import TypeVar

import cedarpy

from comity.agreement.load import parse_agreement
from comity.agreement.model import Agreement
from comity.decision.compiled import compile_agreement
from comity.decision.decide import decide
from comity.decision.model import (
    Acknowledgement,
    Attestation,
    Case,
    Clearance,
    Consent,
    Facts,
    Item,
    Permit,
    Person,
    Reading,
    Standing,
)
from comity.marking.label import Label

Q = TypeVar("Q")
A = TypeVar("A")

SIZES = (10, 100, 1_000)
AIMS = {10: 10, 100: 50}
CORPUS, QUICK = 10_000, 2_000
SLICE = 1_000
"""The corpus is made in slices; sizes and sides take turns, and a figure is the best slice of its side."""
WARMING = 500
"""Other cases that a side answers right before a slice, because the other side has just had the processor's caches."""

NOW = datetime(2020, 11, 23, 3, tzinfo=UTC)
NEXT_YEAR = NOW + timedelta(days=365)
MARKS = ("A-LOW", "A-MIDDLE", "A-HIGH", "A-TOP")
FORMS = ("oral", "visual", "electronic", "documentary", "equipment")
PURPOSES = ("warning", "exercise", "study")
LISTS = tuple(f"list-{number}" for number in range(8))

HEAD = """
[agreement]
format = 1
id = "bench"
version = "1"
kind = "security-of-information"
legal-force = "treaty"
authentic = "none"
title = { en = "Benchmark" }
[scope]
clause = "scope"
subjects = SUBJECTS
forms-clause = "forms"
forms = ["oral", "visual", "electronic", "documentary"]
[term]
clause = "force"
entry = "on-signature"
timezone = "UTC"
"""
PROGRAMME = """
[[rule]]
id = "permit-N"
clause = "permit-N"
acts = ["give", "open"]
when = { subject = ["s-N"], purpose = ["warning", "exercise"] }
permits = true
[[rule]]
id = "third-N"
clause = "third-N"
acts = ["give", "open"]
when = { subject = ["s-N"], beneficiary = ["third-party"] }
consent = "originator"
[[rule]]
id = "access-N"
clause = "access-N"
acts = ["open"]
when = { subject = ["s-N"] }
requires = ["clearance", "need-to-know"]
[[rule]]
id = "forbid-N"
clause = "forbid-N"
acts = ["give", "open"]
when = { subject = ["s-N"], form = ["oral"], level-at-least = "MIDDLE" }
forbids = true
[[checklist]]
id = "assurance-N"
clause = "assurance-N"
bound-to = "item-and-recipient"
attested-by = "recipient"
conditions = ["assurance-N"]
[[rule]]
id = "assurance-N"
clause = "assurance-N"
acts = ["give"]
when = { subject = ["s-N"] }
checklist = "assurance-N"
"""
CEDAR_HEAD = """
@clause("force") forbid(principal, action, resource) when {
  action == Action::"give" && !(context.force_a && context.force_b && context.acknowledged)
  || action == Action::"open" && !(context.protected_a || context.protected_b) };
@clause("scope") forbid(principal, action, resource) unless { SUBJECTS.contains(context.subject) };
@clause("forms") forbid(principal, action, resource)
  unless { ["oral", "visual", "electronic", "documentary"].contains(context.form) };
@clause("levels") forbid(principal, action, resource) unless { context.rank <= 3 };
@clause("equivalence") forbid(principal, action, resource)
  when { ["a", "b"].contains(principal.party) && !(["A-LOW", "A-MIDDLE", "A-HIGH"].contains(context.mark)) };
"""
CEDAR_PROGRAMME = """
@clause("permit-N") permit(principal, action in [Action::"give", Action::"open"], resource)
  when { context.subject == "s-N" && ["warning", "exercise"].contains(context.purpose) };
@clause("third-N") forbid(principal, action in [Action::"give", Action::"open"], resource)
  when { context.subject == "s-N" && !(["a", "b"].contains(principal.serves)) && !(context.consents.contains(
    { by: context.originator, act: context.act, beneficiary: principal.serves, purpose: context.purpose })) };
@clause("access-N") forbid(principal, action == Action::"open", resource)
  when { context.subject == "s-N" && !(principal.rank >= context.rank && context.at < principal.until
    && principal.lists.containsAny(context.lists)) };
@clause("forbid-N") forbid(principal, action in [Action::"give", Action::"open"], resource)
  when { context.subject == "s-N" && context.form == "oral" && context.rank >= 2 };
@clause("assurance-N") forbid(principal, action == Action::"give", resource)
  when { context.subject == "s-N" && !(context.attested.contains(
    { checklist: "assurance-N", about: context.about, by: principal.party })) };
"""


def run(quick: bool) -> list[dict[str, object]]:
    """Rows of figures: microseconds for one decision at each size, and how ours grows."""
    count = QUICK if quick else CORPUS
    races = [_Race(size) for size in SIZES]
    for _ in range(0, count, SLICE):
        for race in races:
            race.run()
    rows: list[dict[str, object]] = [
        {
            "name": f"a decision, {race.size:,} clauses ({count:,} cases, {race.permitted / count:.0%} permitted)",
            "ours": min(race.ours),
            "peer": min(race.theirs),
            "peer_name": f"cedarpy {version('cedarpy')}, parsed beforehand",
            "unit": "us",
            "ratio": min(race.theirs) / min(race.ours),
            "aim": AIMS.get(race.size),
        }
        for race in races
    ]
    few, many = min(races[0].ours), min(races[-1].ours)
    rows.append(
        {
            "name": f"a decision, from {SIZES[0]} to {SIZES[-1]:,} clauses",
            "ours": many,
            "peer": few,
            "peer_name": f"ours at {SIZES[0]} clauses",
            "unit": "us",
            "ratio": many / few,
            "aim": "at most 1.2",
        }
    )
    return rows


class _Race:
    """Both sides at one size, with a corpus of their own."""

    def __init__(self, size: int) -> None:
        self.size = size
        programmes = (size - 5) // 5
        agreement = parse_agreement(agreement_text(programmes), "bench.toml")
        chance = random.Random(size)
        people = [_person(chance, number) for number in range(200)]
        self._decide = partial(decide, compile_agreement(agreement, tzdata="2026.1"))
        self._policies = cedarpy.PolicySet.from_str(policies(programmes))
        self._entities = cedarpy.Entities.from_json_str(json.dumps([_entity(person) for person in people]))
        self._new_case = partial(_case, chance, agreement, people, programmes)
        self.ours: list[float] = []
        self.theirs: list[float] = []
        self.permitted = 0

    def _new_cases(self, count: int) -> list[Case]:
        return [self._new_case() for _ in range(count)]

    def _ask_cedar(self, request: dict[str, object]) -> cedarpy.AuthzResult:
        return cedarpy.is_authorized(request, self._policies, self._entities)

    def run(self) -> None:
        """Time both sides on cases made just now, and compare their answers."""
        before, cases = self._new_cases(WARMING), self._new_cases(SLICE)
        requests_before, requests = [*map(_request, before)], [*map(_request, cases)]
        ours, decisions = _timed(self._decide, before, cases)
        theirs, answers = _timed(self._ask_cedar, requests_before, requests)
        permitted = [isinstance(decision, Permit) for decision in decisions]
        if permitted != [answer.allowed for answer in answers]:
            raise RuntimeError(f"the two sides answer differently at {self.size} clauses")
        self.ours.append(ours)
        self.theirs.append(theirs)
        self.permitted += sum(permitted)


def _timed(ask: Callable[[Q], A], before: Sequence[Q], questions: Sequence[Q]) -> tuple[float, list[A]]:
    """Microseconds for each of ``questions``, with the answers; ``before`` are others, asked untimed."""
    gc.collect()
    gc.disable()  # as timeit does: the answers kept here are not a user's
    for question in before:
        ask(question)
    begun = perf_counter_ns()
    answers = [ask(question) for question in questions]
    took = perf_counter_ns() - begun
    gc.enable()
    return took / 1e3 / len(questions), answers


def _fill(head: str, programme: str, programmes: int) -> str:
    subjects = json.dumps([f"s-{number}" for number in range(programmes)])
    return head.replace("SUBJECTS", subjects) + "".join(
        programme.replace("-N", f"-{number}") for number in range(programmes)
    )


def policies(programmes: int) -> str:
    """The same as Cedar has it, one policy for each clause."""
    return _fill(CEDAR_HEAD, CEDAR_PROGRAMME, programmes)


def agreement_text(programmes: int, programme: str = PROGRAMME) -> str:
    """An agreement file of five clauses, and five more for each programme."""
    names = ["force", "scope", "forms", "levels", "equivalence"]
    names += [f"{kind}-{n}" for n in range(programmes) for kind in ("permit", "third", "access", "forbid", "assurance")]
    text = _fill(HEAD, programme, programmes)
    for name in names:
        text += f'[[clause]]\nid = "{name}"\nheading = {{ en = "x" }}\nsays = "x"\nprovenance = "P"\n'
    for party in "ab":
        text += f'[[party]]\nid = "{party}"\nkind = "state"\nname = {{ en = "{party}" }}\ntimezone = "UTC"\n'
        for rank, mark in enumerate(MARKS, start=1):
            english = mark.removeprefix("A-")
            text += f'[[level]]\nparty = "{party}"\nmark = "{party.upper()}-{english}"\nrank = {rank}\n'
            text += f'english = "{english}"\nclause = "levels"\ncrosses = {str(rank < 4).lower()}\n'
    for mark in MARKS[:3]:
        other = mark.replace("A", "B", 1)
        text += f'[[equivalence]]\nclause = "equivalence"\nmarks = {{ a = ["{mark}"], b = ["{other}"] }}\n'
    return text


def _person(chance: random.Random, number: int) -> Person:
    mark = chance.choice(MARKS)
    party = chance.choice("ab")
    return Person(
        pseudonym=f"p{number}",
        party=party,
        serves=party if chance.random() < 0.8 else "third",
        nationality=party,
        employer="party",
        clearance=Clearance(mark.replace("A", party.upper(), 1), NOW + timedelta(days=chance.randint(-50, 500))),
        need_to_know=tuple(chance.sample(LISTS, 3)),
    )


def _case(chance: random.Random, agreement: Agreement, people: Sequence[Person], programmes: int) -> Case:
    person = chance.choice(people)
    number = chance.randrange(programmes)
    identity = f"item-{chance.getrandbits(60):x}"
    purpose = chance.choice(PURPOSES)
    act = chance.choice(("give", "open"))
    item = Item(
        id=identity,
        agreement="bench",
        label=Label(policy="a", mark=chance.choice((*MARKS[:3], *MARKS)), originator="a"),
        form=chance.choice(FORMS),
        subject=f"s-{number}",
        purpose=purpose,
        need_to_know=tuple(chance.sample(LISTS, 2)),
    )
    standing = Standing(
        agreement="bench",
        readings=tuple(
            Reading(party=party, in_force=chance.random() < 0.95, protection=chance.random() < 0.95) for party in "ab"
        ),
        acknowledgements=(Acknowledgement("a", agreement.digest), Acknowledgement("b", agreement.digest)),
    )
    consent = Consent(by="a", item=identity, act=act, beneficiary="third", purpose=purpose, until=NEXT_YEAR)
    name = f"assurance-{number}"
    assurance = Attestation(
        checklist=name, conditions=(name,), about=person.pseudonym, by=person.party, item=identity, until=NEXT_YEAR
    )
    return Case(
        request="r",
        act=act,
        item=item,
        purpose=purpose,
        requester="q",
        acting="a",
        recipients=(person,),
        at=NOW,
        facts=Facts(
            standings=(standing,),
            consents=(consent,) if chance.random() < 0.6 else (),
            attestations=(assurance,) if chance.random() < 0.8 else (),
        ),
    )


def _entity(person: Person) -> dict[str, object]:
    clearance = person.clearance
    assert clearance is not None
    return {
        "uid": {"type": "Person", "id": person.pseudonym},
        "attrs": {
            "party": person.party,
            "serves": person.serves,
            "rank": MARKS.index("A" + clearance.mark[1:]) + 1,
            "until": int(clearance.until.timestamp()),
            "lists": list(person.need_to_know),
        },
        "parents": [],
    }


def _request(case: Case) -> dict[str, object]:
    (person,) = case.recipients
    (standing,) = case.facts.standings
    first, second = standing.readings
    return {
        "principal": f'Person::"{person.pseudonym}"',
        "action": f'Action::"{case.act}"',
        "resource": f'Item::"{case.item.id}"',
        "context": {
            "act": case.act,
            "originator": case.item.label.originator,
            "subject": case.item.subject,
            "form": case.item.form,
            "mark": case.item.label.mark,
            "rank": MARKS.index(case.item.label.mark) + 1,
            "purpose": case.purpose,
            "lists": list(case.item.need_to_know),
            "at": int(case.at.timestamp()),
            "about": person.pseudonym,
            "force_a": first.in_force,
            "force_b": second.in_force,
            "protected_a": first.protection,
            "protected_b": second.protection,
            "acknowledged": True,
            "consents": [
                {"by": each.by, "act": each.act, "beneficiary": each.beneficiary, "purpose": each.purpose}
                for each in case.facts.consents
            ],
            "attested": [
                {"checklist": each.checklist, "about": each.about, "by": each.by} for each in case.facts.attestations
            ],
        },
    }
