"""Every ancestor's conditions hold, across agreements (``spec/decision.md`` step 18), on random lineages.

The two agreements differ: under the second one, copying needs two approvals, the label's holder may not translate, and
another purpose needs the consent of every party.
"""

from __future__ import annotations

from itertools import product
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from comity.agreement.load import parse_agreement
from comity.decision.compiled import compile_agreement
from comity.decision.decide import decide
from comity.decision.model import (
    Acknowledgement,
    Approval,
    Case,
    Clearance,
    Consent,
    Facts,
    Forbidden,
    Item,
    NeedsConsent,
    NoBasis,
    Outcome,
    Permit,
    Person,
    Reading,
    Standing,
)
from comity.marking.label import Label
from decision.cases import AGREEMENT, AT, NEXT_YEAR, TEXT, TZDATA, layer

OTHER = parse_agreement(
    TEXT.replace('id = "jp-kr-2016"', 'id = "jp-kr-other"')
    + """
[[rule]]
id = "copies-approved"
clause = "6.f"
acts = ["copy"]
approvals = 2

[[rule]]
id = "no-translation"
clause = "6.f"
acts = ["translate"]
forbids = true

[[rule]]
id = "every-party"
clause = "6.c"
acts = ["open"]
when = { other-purpose = true }
consent = "every-party"
""",
    "other.toml",
)
CAREFUL = (
    '[[rule]]\nid = "r"\nclause = "a"\nacts = ["open"]\nwhen = { recalled = true }\nforbids = true\n'
    '[[rule]]\nid = "s"\nclause = "a"\nacts = ["open", "copy"]\nwhen = { suspected = true }\napprovals = 3\n'
)
FIRST = compile_agreement(AGREEMENT, [layer(CAREFUL, kind="arrangement")], tzdata=TZDATA)
SECOND = compile_agreement(OTHER, [layer(CAREFUL, kind="arrangement", agreement=OTHER)], tzdata=TZDATA)
OUTCOMES = (Permit, NeedsConsent, NoBasis, Forbidden)
MARKS = {"jp": ("極秘", "秘", ""), "kr": ("군사 Ⅱ급 비밀", "군사 Ⅲ급 비밀", "")}
ACTS = ("open", "copy", "translate", "extract", "use-for")


@st.composite
def labels(draw: st.DrawFn) -> Label:
    policy = draw(st.sampled_from(["jp", "kr"]))
    return Label(
        policy=policy,
        mark=draw(st.sampled_from(MARKS[policy])),
        categories=draw(st.sampled_from([(), (), ("space",), ("atomic", "space")])),
        releasable_to=draw(st.sampled_from([(), (), ("jp", "kr"), ("jp",)])),
        originator=policy,
    )


@st.composite
def items(draw: st.DrawFn, name: str, depth: int) -> Item:
    several = draw(st.integers(0, 2)) if depth else 0
    return Item(
        id=name,
        agreement=draw(st.sampled_from(["jp-kr-2016", "jp-kr-other"])) if name != "i" else "jp-kr-2016",
        label=draw(labels()),
        form="documentary",
        subject="defence",
        purpose=draw(st.sampled_from(["warning", "warning", "exercise"])),
        need_to_know=draw(st.sampled_from([("l1",), ("l2",), ("l1", "l2")])),
        relation="extract",
        lineage=tuple(draw(items(f"{name}{number}", depth - 1)) for number in range(several)),
        recalled=draw(st.sampled_from([False] * 5 + [True])),
        suspected=draw(st.sampled_from([False] * 4 + [True])),
    )


def names(item: Item) -> list[str]:
    return [item.id, *(name for each in item.lineage for name in names(each))]


def ancestors(item: Item) -> list[Item]:
    return [each for parent in item.lineage for each in (parent, *ancestors(parent))]


def standing(name: str, digest: str) -> Standing:
    return Standing(
        agreement=name,
        readings=tuple(Reading(party=each, in_force=True, protection=True) for each in ("jp", "kr")),
        acknowledgements=tuple(Acknowledgement(each, digest) for each in ("jp", "kr")),
    )


STANDINGS = (standing("jp-kr-2016", AGREEMENT.digest), standing("jp-kr-other", OTHER.digest))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    item = draw(items("i", 2))
    act: Any = draw(st.sampled_from(ACTS))
    # a consent to the item counts for its ancestors; here each speaks of one ancestor, or of them all by name
    consents = tuple(
        Consent(by=by, item=name, act=act, beneficiary="jp", purpose="warning", until=NEXT_YEAR)
        for by, name in product(("jp", "kr"), names(item))
        if name != "i" and draw(st.booleans())
    )
    return Case(
        request="r1",
        act=act,
        item=item,
        purpose="warning",
        requester="q",
        acting="jp",
        recipients=(
            Person(
                pseudonym="p",
                party="jp",
                serves="jp",
                nationality="jp",
                employer="party",
                clearance=Clearance(draw(st.sampled_from(["極秘", "極秘", "秘"])), NEXT_YEAR),
                need_to_know=draw(st.sampled_from([("l1", "l2"), ("l1", "l2"), ("l1",)])),
                briefed=draw(st.sampled_from([("space", "atomic"), ("space",)])),
            ),
        ),
        at=AT,
        facts=Facts(
            standings=STANDINGS,
            approvals=tuple(Approval(request="r1", by=f"a{n}") for n in range(draw(st.integers(0, 3)))),
            consents=consents,
        ),
    )


def outcome(case: Case) -> int:
    own = FIRST if case.item.agreement == "jp-kr-2016" else SECOND
    return OUTCOMES.index(type(decide(own, case, [FIRST, SECOND])))


def alone(case: Case, item: Item) -> Case:
    return replace(case, item=replace(item, lineage=()))


@given(cases())
@settings(max_examples=150, deadline=None)
def test_the_strictest_of_the_item_and_all_its_ancestors_wins(case: Case) -> None:
    family = [case.item, *ancestors(case.item)]
    assert outcome(case) == max(outcome(alone(case, each)) for each in family)


@given(cases())
@settings(max_examples=150, deadline=None)
def test_every_reason_against_an_ancestor_alone_is_among_the_reasons(case: Case) -> None:
    """Permissive lists intersect and restrictive ones unite: nothing an ancestor's own agreement says is lost."""
    decision: Outcome = decide(FIRST, case, [SECOND])
    said = {(each.instrument, each.clause, each.code, each.parameters) for each in decision.reasons if each.step == 18}
    for ancestor in ancestors(case.item):
        own = FIRST if ancestor.agreement == "jp-kr-2016" else SECOND
        for reason in decide(own, alone(case, ancestor)).reasons:
            if reason.effect not in {"holds", "notes"}:
                parameters = list(reason.parameters)
                if reason.step == 11:  # the act is asked for with the item; the consent to it would do for both
                    parameters[1] = case.item.id
                told = (ancestor.id, str(reason.step), *parameters)
                assert (reason.instrument, reason.clause, reason.code, told) in said


@given(cases(), st.sampled_from(["recalled", "suspected"]))
@settings(max_examples=80, deadline=None)
def test_recalling_or_suspecting_an_ancestor_never_permits_more(case: Case, word: str) -> None:
    def touch(item: Item) -> Item:
        return replace(item, lineage=tuple(touch(each) for each in item.lineage), **{word: True})

    touched = replace(case, item=replace(case.item, lineage=tuple(touch(each) for each in case.item.lineage)))
    assert outcome(touched) >= outcome(case)


def test_the_lineages_have_all_outcomes_through_ancestors_alone() -> None:
    seen: set[int] = set()

    @given(cases())
    @settings(max_examples=300, deadline=None, database=None, derandomize=True)
    def look(case: Case) -> None:
        if outcome(alone(case, case.item)) == 0:
            seen.add(outcome(case))

    look()
    assert seen >= {0, 1, 3}
