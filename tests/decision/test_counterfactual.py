"""What would change a decision (``spec/decision.md`` step 20), and what the asker does not learn."""

from __future__ import annotations

from msgspec.structs import replace

from comity.decision.compiled import compile_agreement
from comity.decision.counterfactual import Missing, what_would_change
from decision.cases import (
    AGREEMENT,
    GIVE,
    HOUSE,
    ITEM,
    OPEN,
    SATO,
    TZDATA,
    asked,
    layer,
    with_facts,
    with_item,
    with_person,
)

EVERYBODY = {"sato", "abe"}


def test_a_permit_misses_nothing() -> None:
    change = what_would_change(asked(GIVE), EVERYBODY)
    assert (change.possible, change.missing) == (True, ())


def test_what_is_forbidden_or_without_basis_no_act_changes() -> None:
    for case in (replace(GIVE, recipients=()), with_item(GIVE, subject="trade")):
        change = what_would_change(asked(case), EVERYBODY)
        assert (change.possible, change.missing) == (False, ())


def test_several_clauses_that_ask_the_same_thing_ask_it_once() -> None:
    (missing,) = what_would_change(asked(with_person(OPEN, need_to_know=())), EVERYBODY).missing
    assert missing == Missing("need-to-know", "sato", (), ("jp-kr-2016:7.1", "jp-kr-2016:7.2"))


def test_of_two_numbers_of_approvals_the_larger_is_asked() -> None:
    rule = '[[rule]]\nid = "r"\nclause = "a"\nacts = ["give"]\napprovals = 3\n'
    compiled = compile_agreement(AGREEMENT, [layer(rule, kind="arrangement"), HOUSE], tzdata=TZDATA)
    (missing,) = what_would_change(asked(with_facts(GIVE, approvals=()), compiled), EVERYBODY).missing
    assert (missing.kind, missing.what, missing.clauses) == ("approval", ("3",), ("law:a",))


def test_one_consent_covers_an_ancestor_of_the_same_originator() -> None:
    case = with_item(OPEN, lineage=(replace(ITEM, id="item-0"),), relation="copy")
    (missing,) = what_would_change(asked(with_person(case, serves="us", nationality="us")), EVERYBODY).missing
    assert missing.what == ("kr", "item-1", "open", "us", "missile-warning")


def test_of_people_one_may_not_see_one_learns_only_that_something_is_missing() -> None:
    two = replace(OPEN, recipients=(replace(SATO, clearance=None), replace(SATO, pseudonym="abe", need_to_know=())))
    hidden = Missing("hidden", "", (), ())
    assert what_would_change(asked(two), set()).missing == (hidden,)
    seen = what_would_change(asked(two), {"sato"}).missing
    assert [each.kind for each in seen] == ["clearance", "hidden"]
    assert hidden in seen
