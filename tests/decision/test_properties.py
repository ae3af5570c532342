"""What must hold of every decision (``spec/decision.md``, "Properties"), on random cases under the 2016 agreement."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any, get_args

import msgspec
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from comity.agreement.vocabulary import Act, Form, Relation
from comity.decision.compiled import compile_agreement
from comity.decision.counterfactual import Missing, what_would_change
from comity.decision.decide import decide
from comity.decision.model import (
    Acknowledgement,
    Approval,
    Attestation,
    Case,
    Clearance,
    Consent,
    Facility,
    Facts,
    Forbidden,
    Item,
    NeedsConsent,
    NoBasis,
    Permit,
    Person,
    Reading,
    Standing,
    Witness,
)
from comity.marking.label import Label
from decision.cases import AGREEMENT, AT, COMPILED, FIFTEEN, HOUSE, NEXT_YEAR, TZDATA, layer

PARTIES = st.sampled_from(["jp", "kr"])
BODIES = st.sampled_from(["jp", "kr"] * 4 + ["us"])
PURPOSES = st.sampled_from(["warning", "warning", "exercise"])
NAMES = st.sampled_from(["p1", "p2"])
ITEMS = st.sampled_from(["i1", "i2"])
ENDS = st.sampled_from([AT - timedelta(seconds=1), AT, NEXT_YEAR, NEXT_YEAR])
MARKS = {
    "jp": ["機密", "極秘", "特定秘密", "秘"],
    "kr": ["군사 Ⅰ급 비밀", "군사 Ⅱ급 비밀", "군사 Ⅲ급 비밀", "군사 II급 비밀"],
}
ACTS = st.sampled_from(get_args(Act))
SITES = st.sampled_from(["s1", "s2"])
FLAG = st.sampled_from([True] * 9 + [False])
ASSURED = ("7.5.a", "7.5.b", "7.5.c")


def some(strategy: st.SearchStrategy[Any], most: int = 3) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=most).map(tuple)


@st.composite
def labels(draw: st.DrawFn) -> Label:
    policy = draw(PARTIES)
    return Label(
        policy=policy,
        mark=draw(st.sampled_from(MARKS[policy][1:3] * 9 + MARKS[policy])),
        categories=draw(st.sampled_from([(), (), ("space",)])),
        releasable_to=draw(st.sampled_from([()] * 9 + [("jp", "kr"), ("kr",)])),
        originator=policy,
    )


@st.composite
def items(draw: st.DrawFn, depth: int = 1) -> Item:
    return Item(
        id=draw(ITEMS),
        agreement=draw(st.sampled_from(["jp-kr-2016"] * 30 + ["other"])),
        label=draw(labels()),
        form=draw(st.sampled_from(get_args(Form))),
        subject=draw(st.sampled_from(["defence"] * 30 + ["trade"])),
        purpose=draw(PURPOSES),
        need_to_know=draw(some(st.sampled_from(["l1", "l2"]))),
        recalled=draw(st.booleans()),
        suspected=draw(st.booleans()),
        relation=draw(st.sampled_from([*get_args(Relation), *["extract"] * 6])),
        lineage=draw(st.just(()) | some(items(depth=depth - 1), 2)) if depth else (),
    )


persons = st.builds(
    Person,
    pseudonym=NAMES,
    party=BODIES,
    serves=BODIES,
    nationality=BODIES,
    employer=st.sampled_from(["party", "party", "contractor"]),
    site=SITES,
    clearance=st.none()
    | st.builds(Clearance, mark=st.sampled_from(["機密", "極秘", "秘", "군사 Ⅱ급 비밀"]), until=ENDS),
    need_to_know=some(st.sampled_from(["l1", "l2"])),
    briefed=some(st.sampled_from(["space", "jp-kr-2016"])),
)
standings = st.builds(
    Standing,
    agreement=st.just("jp-kr-2016"),
    readings=st.tuples(
        *(st.builds(Reading, party=st.just(each), in_force=FLAG, protection=FLAG) for each in ("jp", "kr"))
    ),
    acknowledgements=some(st.builds(Acknowledgement, PARTIES, st.sampled_from([AGREEMENT.digest] * 3 + ["0" * 64])), 4),
)
consents = st.builds(Consent, by=PARTIES, item=ITEMS, act=ACTS, beneficiary=BODIES, purpose=PURPOSES, until=ENDS)
attestations = st.builds(
    Attestation,
    checklist=st.just("assurance"),
    conditions=st.sampled_from([ASSURED, ASSURED[:2], ASSURED[2:]]),
    about=NAMES,
    by=PARTIES,
    item=ITEMS,
    until=st.none() | ENDS,
) | st.builds(
    Attestation,
    checklist=st.just("contractor"),
    conditions=st.sampled_from([FIFTEEN, FIFTEEN[:7]]),
    about=SITES,
    by=PARTIES,
    until=st.none() | ENDS,
)
approvals = st.builds(Approval, request=st.sampled_from(["r1", "r1", "r2"]), by=st.sampled_from(["q1", "q2", "q3"]))
witnesses = st.builds(Witness, request=st.sampled_from(["r1", "r1", "r2"]), by=st.sampled_from(["q1", "q2", "q3"]))
facilities = st.builds(Facility, site=SITES, party=PARTIES, mark=st.sampled_from(["極秘", "군사 Ⅲ급 비밀"]), until=ENDS)
facts = st.builds(
    Facts,
    standings=st.lists(standings, min_size=1, max_size=2).map(tuple),
    attestations=some(attestations, 5),
    approvals=some(approvals),
    consents=some(consents, 5),
    facilities=some(facilities),
    witnesses=some(witnesses),
)
cases = st.builds(
    Case,
    request=st.just("r1"),
    act=ACTS,
    item=items(),
    purpose=PURPOSES,
    requester=st.just("q1"),
    acting=PARTIES,
    recipients=st.lists(persons, min_size=1, max_size=2).map(tuple),
    at=st.just(AT),
    via=st.sampled_from([()] * 30 + [("us",)]),
    facts=facts,
    method=st.sampled_from(["", "burn"]),
)
OUTCOMES = (Permit, NeedsConsent, NoBasis, Forbidden)


def test_the_random_cases_have_all_outcomes() -> None:
    seen: dict[type, int] = dict.fromkeys(OUTCOMES, 0)

    @given(cases)
    @settings(max_examples=900, deadline=None, database=None, derandomize=True, phases=[Phase.generate])
    def look(case: Case) -> None:
        seen[type(decide(COMPILED, case))] += 1

    look()
    assert all(count >= 10 for count in seen.values()), seen


@given(cases, st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_the_order_and_repetition_of_facts_and_recipients_do_not_matter(case: Case, chance: random.Random) -> None:
    def shuffled(several: tuple[Any, ...]) -> tuple[Any, ...]:
        repeated = [*several, *several[:1]]
        chance.shuffle(repeated)
        return tuple(repeated)

    mixed = replace(
        case,
        recipients=shuffled(case.recipients),
        item=replace(case.item, lineage=shuffled(case.item.lineage), need_to_know=shuffled(case.item.need_to_know)),
        facts=Facts(**{name: shuffled(getattr(case.facts, name)) for name in Facts.__struct_fields__}),
    )
    assert msgspec.json.encode(decide(COMPILED, mixed)) == msgspec.json.encode(decide(COMPILED, case))


@given(cases)
@settings(max_examples=80, deadline=None)
def test_reasons_are_a_set_in_canonical_order(case: Case) -> None:
    reasons = decide(COMPILED, case).reasons
    assert list(reasons) == sorted(set(reasons), key=COMPILED.order)


@given(cases)
@settings(max_examples=80, deadline=None)
def test_no_permit_without_a_clause_that_was_checked(case: Case) -> None:
    decision = decide(COMPILED, case)
    if isinstance(decision, Permit):
        basis = [each for each in decision.reasons if each.step == 9 and each.effect == "holds"]
        assert basis
        assert all(each.clause and each.provenance in {"P", "S"} for each in basis)
        assert case.recipients


@given(cases)
@settings(max_examples=80, deadline=None)
def test_what_rests_on_an_unchecked_clause_only_warns(case: Case) -> None:
    for reason in decide(COMPILED, case).reasons:
        if reason.provenance == "K":
            assert reason.effect in {"holds", "notes", "warns"}


@given(
    cases,
    st.one_of(
        consents.map(lambda each: ("consents", each)),
        attestations.map(lambda each: ("attestations", each)),
        approvals.map(lambda each: ("approvals", each)),
        facilities.map(lambda each: ("facilities", each)),
        witnesses.map(lambda each: ("witnesses", each)),
    ),
)
@settings(max_examples=100, deadline=None)
def test_a_further_fact_never_makes_an_outcome_worse(case: Case, fact: tuple[str, Any]) -> None:
    name, more = fact
    richer = replace(case, facts=replace(case.facts, **{name: (*getattr(case.facts, name), more)}))
    assert OUTCOMES.index(type(decide(COMPILED, richer))) <= OUTCOMES.index(type(decide(COMPILED, case)))


@given(cases)
@settings(max_examples=80, deadline=None)
def test_a_clearance_a_list_or_a_briefing_never_makes_an_outcome_worse(case: Case) -> None:
    top = {"jp": "機密", "kr": "군사 Ⅰ급 비밀"}
    richer = replace(
        case,
        recipients=tuple(
            replace(
                person,
                clearance=Clearance(top.get(person.party, "機密"), NEXT_YEAR),
                need_to_know=("l1", "l2"),
                briefed=("jp-kr-2016", "space"),
            )
            for person in case.recipients
        ),
    )
    assert OUTCOMES.index(type(decide(COMPILED, richer))) <= OUTCOMES.index(type(decide(COMPILED, case)))


EFFECTS = st.sampled_from(
    [
        "forbids = true",
        'requires = ["briefing"]',
        "approvals = 2",
        "witnesses = 2",
        'methods = ["burn"]',
        'consent = "every-party"',
        'checklist = "contractor"',
    ]
)
WHENS = st.sampled_from(
    [
        "",
        'when = { holder = "recipient" }\n',
        'when = { level-at-least = "SECRET" }\n',
        'unless = { serves = ["jp"] }\n',
        "when = { recalled = true }\n",
        "unless = { suspected = false }\n",
    ]
)
stricter = st.lists(st.tuples(ACTS, WHENS, EFFECTS), min_size=1, max_size=3).map(
    lambda rules: layer(
        "".join(
            f'[[rule]]\nid = "r{number}"\nclause = "a"\nacts = ["{act}"]\n{when}{effect}\n'
            for number, (act, when, effect) in enumerate(rules)
        ),
        kind="arrangement",
    )
)


@given(cases, stricter)
@settings(max_examples=80, deadline=None)
def test_a_further_layer_never_permits_more(case: Case, more: Any) -> None:
    layered = compile_agreement(AGREEMENT, [HOUSE, more], tzdata=TZDATA)
    assert OUTCOMES.index(type(decide(layered, case))) >= OUTCOMES.index(type(decide(COMPILED, case)))


def supplied(case: Case, missing: tuple[Missing, ...]) -> Case:
    """The case after everything in ``missing`` has happened."""
    facts = {name: list(getattr(case.facts, name)) for name in Facts.__struct_fields__}
    people = {person.pseudonym: person for person in case.recipients}
    for each in missing:
        person = people.get(each.about)
        if each.kind == "acknowledgement":
            said = Acknowledgement(each.what[0], AGREEMENT.digest)
            facts["standings"].append(Standing(agreement="jp-kr-2016", readings=(), acknowledgements=(said,)))
        elif each.kind == "consent":
            by, item, act, beneficiary, purpose = each.what
            wanted = Consent(
                by=by,
                item=item,
                act=act,  # it comes from the case
                beneficiary=beneficiary,
                purpose=purpose,
                until=NEXT_YEAR,
            )
            facts["consents"].append(wanted)
        elif each.kind == "attestation":
            checklist, about, attester, condition = each.what
            item = case.item.id if checklist == "assurance" else ""
            by = attester or "jp"
            facts["attestations"].append(
                Attestation(checklist=checklist, conditions=(condition,), about=about, by=by, item=item)
            )
        elif each.kind == "approval":
            facts["approvals"] += [Approval(request="r1", by=f"new-{n}") for n in range(int(each.what[0]))]
        elif each.kind == "witness":
            facts["witnesses"] += [Witness(request="r1", by=f"new-{n}") for n in range(int(each.what[0]))]
        elif each.kind == "clearance":
            assert person
            mark = {"jp": "機密", "kr": "군사 Ⅰ급 비밀"}.get(person.party)
            people[each.about] = replace(person, clearance=Clearance(mark, NEXT_YEAR) if mark else None)
        elif each.kind == "need-to-know":
            assert person
            people[each.about] = replace(person, need_to_know=("l1", "l2"))
        elif each.kind == "briefing":
            assert person
            people[each.about] = replace(person, briefed=(*person.briefed, *each.what))
    recipients = tuple(people[person.pseudonym] for person in case.recipients)
    return replace(
        case, recipients=recipients, facts=Facts(**{name: tuple(several) for name, several in facts.items()})
    )


def can_be_had(case: Case) -> bool:
    """Whether all that may be missing can be supplied: distinct people of the parties, items on a list."""
    lineage = [case.item, *case.item.lineage]
    return (
        len({person.pseudonym for person in case.recipients}) == len(case.recipients)
        and all(person.party in {"jp", "kr"} for person in case.recipients)
        and all(item.need_to_know for item in lineage)
    )


WATCHED = compile_agreement(
    AGREEMENT,
    [HOUSE, layer('[[rule]]\nid = "w"\nclause = "a"\nacts = ["destroy", "return", "open"]\nwitnesses = 2\n')],
    tzdata=TZDATA,
)


@given(cases.filter(can_be_had))
@settings(max_examples=80, deadline=None)
def test_what_would_change_is_enough_and_none_of_it_is_too_much(case: Case) -> None:
    decision = decide(WATCHED, case)
    change = what_would_change(decision, {"p1", "p2"})
    assert change.possible == isinstance(decision, Permit | NeedsConsent)
    if isinstance(decision, NeedsConsent):
        assert change.missing
        assert isinstance(decide(WATCHED, supplied(case, change.missing)), Permit)
        for left_out in change.missing:
            rest = tuple(each for each in change.missing if each != left_out)
            assert isinstance(decide(WATCHED, supplied(case, rest)), NeedsConsent), left_out
