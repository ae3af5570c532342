"""Translation through the equivalence, and the highest of several labels (spec/marking.md, steps 3 to 6)."""

from __future__ import annotations

from importlib import resources
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.agreement.load import parse_agreement, parse_layer
from comity.errors import InternalError, Misuse, Refused, Rejected
from comity.marking.label import Label
from comity.marking.translation import MarkedLabel, NeedsChoice, highest, translate

LIBRARY = resources.files("comity").joinpath("agreements")
AGREEMENT = parse_agreement(LIBRARY.joinpath("jp-kr-2016.toml").read_text(encoding="utf-8"), "jp-kr-2016.toml")
DOMESTIC = """
[layer]
format = 1
id = "jp-domestic"
version = "1"
kind = "domestic"
title = { en = "A domestic layer" }
on = "jp-kr-2016"
party = "jp"

[[clause]]
id = "d.1"
heading = { en = "Choice" }
says = "What comes from abroad as SECRET is marked Gokuhi."
provenance = "S"
source = "made up for this test"

[[preference]]
clause = "d.1"
party = "jp"
among = ["極秘", "特定秘密"]
mark = "極秘"
"""


def label(policy: str, mark: str, *, releasable_to: tuple[str, ...] = (), categories: tuple[str, ...] = ()) -> Label:
    return Label(policy=policy, mark=mark, originator=policy, releasable_to=releasable_to, categories=categories)


@pytest.mark.parametrize(
    ("policy", "mark", "to", "expected"),
    [
        ("jp", "極秘", "kr", "군사 Ⅱ급 비밀"),
        ("jp", "特定秘密", "kr", "군사 Ⅱ급 비밀"),
        ("jp", "秘", "kr", "군사 Ⅲ급 비밀"),
        ("kr", "군사 Ⅲ급 비밀", "jp", "秘"),
        ("jp", "極秘", "jp", "極秘"),
    ],
)
def test_a_mark_with_one_equivalent_is_translated_beside_the_original(
    policy: str, mark: str, to: str, expected: str
) -> None:
    original = label(policy, mark, categories=("A",), releasable_to=("jp", "kr"))
    marked = translate(AGREEMENT, original, to)
    assert isinstance(marked, MarkedLabel)
    assert marked.originator_label is original  # (4)
    assert (marked.alternative.policy, marked.alternative.mark) == (to, expected)
    assert marked.alternative.originator == policy
    assert marked.alternative.categories == ("A",)
    assert marked.alternative.releasable_to == ("jp", "kr")


def test_the_second_class_has_two_japanese_marks_and_nobody_guesses() -> None:
    choice = translate(AGREEMENT, label("kr", "군사 Ⅱ급 비밀"), "jp")
    assert isinstance(choice, NeedsChoice)  # (5)
    assert [candidate.mark for candidate in choice.candidates] == ["極秘", "特定秘密"]
    assert choice.clause == "4.2"
    assert choice.choose("特定秘密").mark == "特定秘密"
    with pytest.raises(Misuse, match="'秘' is not among"):
        choice.choose("秘")


def test_a_domestic_layer_may_choose() -> None:
    layer = parse_layer(DOMESTIC, "domestic.toml", AGREEMENT)
    marked = translate(AGREEMENT, label("kr", "군사 Ⅱ급 비밀"), "jp", [layer])
    assert isinstance(marked, MarkedLabel)
    assert marked.alternative.mark == "極秘"


@pytest.mark.parametrize(("policy", "mark", "to"), [("jp", "機密", "kr"), ("kr", "군사 Ⅰ급 비밀", "jp")])
def test_above_the_ceiling_is_refused_and_cites_the_clause(policy: str, mark: str, to: str) -> None:
    with pytest.raises(Refused, match="above the ceiling") as caught:
        translate(AGREEMENT, label(policy, mark), to)
    assert (caught.value.code, caught.value.place) == ("above-ceiling", "4.1")


def test_a_mark_without_a_row_has_no_equivalent_and_is_not_mapped_down() -> None:
    text = LIBRARY.joinpath("jp-kr-2016.toml").read_text(encoding="utf-8")
    without = text.replace('marks = { jp = ["極秘", "特定秘密"], kr', 'marks = { jp = ["極秘"], kr')
    assert without != text
    with pytest.raises(Refused, match="has no equivalent") as caught:
        translate(parse_agreement(without, "mine.toml"), label("jp", "特定秘密"), "kr")
    assert caught.value.code == "no-equivalent"
    assert caught.value.place


def test_letters_for_the_numeral_are_called_out_by_name() -> None:
    with pytest.raises(Rejected, match=r"'Ⅱ' \(U\+2161\), not 'II'") as caught:
        translate(AGREEMENT, label("kr", "군사 II급 비밀"), "jp")
    assert caught.value.code == "unknown-mark"
    assert "did you mean '군사 Ⅱ급 비밀'" in str(caught.value)


def test_a_mark_of_the_other_ladder_is_not_known_on_this_one() -> None:
    with pytest.raises(Rejected) as caught:
        translate(AGREEMENT, label("kr", "極秘"), "jp")
    assert caught.value.code == "unknown-mark"


def test_strangers_are_refused_on_either_end() -> None:
    with pytest.raises(Rejected, match="'us' is not a party"):
        translate(AGREEMENT, label("us", "SECRET"), "jp")
    with pytest.raises(Misuse, match="'us' is not a party"):
        translate(AGREEMENT, label("jp", "極秘"), "us")


def test_what_is_declassified_is_marked_by_nobody() -> None:
    outcome = translate(AGREEMENT, label("jp", "", categories=("A",)), "kr")
    assert isinstance(outcome, MarkedLabel)
    assert (outcome.alternative.policy, outcome.alternative.mark, outcome.clause) == ("kr", "", "")
    assert outcome.alternative.categories == ("A",)


def test_what_is_declassified_adds_no_mark_to_what_holds_it() -> None:
    low, none = label("kr", "군사 Ⅲ급 비밀"), label("kr", "", categories=("A",))
    together = highest(AGREEMENT, [none, low], "kr")
    assert isinstance(together, Label)
    assert (together.mark, together.categories) == ("군사 Ⅲ급 비밀", ("A",))
    alone = highest(AGREEMENT, [none, none], "kr")
    assert isinstance(alone, Label)
    assert alone.mark == ""


def test_no_alternative_may_change_who_originated_or_who_may_read() -> None:
    original = label("jp", "極秘", releasable_to=("kr",))
    for changed in (
        Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="kr", releasable_to=("kr",)),
        Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="jp"),
    ):
        with pytest.raises(InternalError):
            MarkedLabel(original, changed, "4.2")


CROSSING = [(level.party, level.mark) for level in AGREEMENT.levels if level.crosses]
NAMES = st.lists(st.sampled_from("ABCDE"), unique=True).map(sorted).map(tuple)
PARTIES = st.sampled_from([(), ("jp",), ("kr",), ("jp", "kr")])


def marks_of(outcome: MarkedLabel | NeedsChoice) -> list[Label]:
    return [outcome.alternative] if isinstance(outcome, MarkedLabel) else list(outcome.candidates)


@given(st.sampled_from(CROSSING), NAMES, PARTIES)
def test_there_and_back_contains_the_original(
    level: tuple[str, str], categories: tuple[str, ...], releasable_to: tuple[str, ...]
) -> None:
    policy, mark = level
    original = label(policy, mark, categories=categories, releasable_to=releasable_to)
    other = "kr" if policy == "jp" else "jp"
    back = [
        again
        for there in marks_of(translate(AGREEMENT, original, other))
        for again in marks_of(translate(AGREEMENT, there, policy))
    ]
    assert original in back


LABELS = st.builds(
    label,
    st.just("jp"),
    st.sampled_from(["機密", "極秘", "秘"]),
    categories=NAMES,
    releasable_to=PARTIES,
)


@given(st.lists(LABELS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_the_highest_is_at_least_as_strict_as_each(labels: list[Label], shuffle: Random) -> None:
    rank = {level.mark: level.rank for level in AGREEMENT.levels if level.party == "jp"}
    limits = [set(each.releasable_to) for each in labels if each.releasable_to]
    if limits and not set.intersection(*limits):
        with pytest.raises(Refused, match="no party may receive"):
            highest(AGREEMENT, labels, "jp")
        return
    top = highest(AGREEMENT, labels, "jp")
    assert isinstance(top, Label)
    for each in labels:  # (6)
        assert rank[top.mark] >= rank[each.mark]
        assert set(top.categories) >= set(each.categories)
        assert not each.releasable_to or set() < set(top.releasable_to) <= set(each.releasable_to)
    assert top.mark in {each.mark for each in labels}
    again = list(labels)
    shuffle.shuffle(again)
    assert highest(AGREEMENT, again, "jp") == top


def test_a_label_that_sets_no_limit_does_not_lift_anothers() -> None:
    top = highest(AGREEMENT, [label("jp", "極秘"), label("jp", "秘", releasable_to=("kr",))], "kr")
    assert isinstance(top, Label)
    assert (top.mark, top.releasable_to, top.originator) == ("極秘", ("kr",), "kr")


def test_two_marks_of_one_rank_are_a_choice() -> None:
    choice = highest(AGREEMENT, [label("jp", "特定秘密"), label("jp", "極秘"), label("jp", "秘")], "jp")
    assert isinstance(choice, NeedsChoice)
    assert [candidate.mark for candidate in choice.candidates] == ["極秘", "特定秘密"]


def test_labels_of_two_policies_or_none_are_refused() -> None:
    with pytest.raises(Misuse, match="translate them"):
        highest(AGREEMENT, [label("jp", "極秘"), label("kr", "군사 Ⅱ급 비밀")], "jp")
    with pytest.raises(Misuse, match="no label"):
        highest(AGREEMENT, [], "jp")
