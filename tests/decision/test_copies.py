"""How many copies of an item its recipient may make, where a rule says so (step 10)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from comity.decision.compiled import compile_agreement
from comity.decision.counterfactual import what_would_change
from comity.decision.model import Forbidden, Permit
from comity.decision.replay import case_bytes, read_case
from comity.decision.wording import sentence
from comity.errors import Rejected
from decision.cases import AGREEMENT, OPEN, TZDATA, against, asked, layer

COPY = replace(OPEN, act="copy")
LIMITED = compile_agreement(
    AGREEMENT, [layer('[[rule]]\nid = "r"\nclause = "a"\nacts = ["copy"]\ncopies = 3\n')], tzdata=TZDATA
)
NONE = compile_agreement(
    AGREEMENT, [layer('[[rule]]\nid = "r"\nclause = "a"\nacts = ["copy"]\ncopies = 0\n')], tzdata=TZDATA
)


@pytest.mark.parametrize("copies", [1, 3])
def test_as_many_as_the_rule_says_are_permitted(copies: int) -> None:
    decision = asked(replace(COPY, copies=copies), LIMITED)
    assert isinstance(decision, Permit)
    (reason,) = [each for each in decision.reasons if each.code == "copies-within"]
    assert (reason.step, reason.instrument) == (10, "law")
    assert sentence(reason) == f"{copies} of at most 3 copies will have been made of it"


def test_one_more_is_forbidden_and_nobody_can_change_that() -> None:
    decision = asked(replace(COPY, copies=4), LIMITED)
    assert isinstance(decision, Forbidden)
    (reason,) = against(decision)
    assert (reason.code, reason.clause) == ("copies-beyond", "a")
    assert sentence(reason) == "4 copies of it will have been made, and 3 are the most"
    assert not what_would_change(decision, may_see=("p1",)).possible


def test_none_at_all_may_be_the_most() -> None:
    assert isinstance(asked(replace(COPY, copies=1), NONE), Forbidden)


def test_without_such_a_rule_any_number_is_permitted() -> None:
    assert isinstance(asked(replace(COPY, copies=999)), Permit)


def test_the_count_is_a_fact_of_the_case() -> None:
    case = replace(COPY, copies=2)
    assert read_case(case_bytes(case)) == case
    with pytest.raises(Rejected, match="canonical"):
        read_case(case_bytes(case), "1")
