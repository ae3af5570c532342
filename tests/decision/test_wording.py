"""Every code that a decision can give has its sentence, and the sentence uses what the reason carries."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import get_args

import pytest
from msgspec.structs import replace

import comity.decision
from comity.decision.counterfactual import _KINDS
from comity.decision.model import Effect, Reason
from comity.decision.wording import EFFECTS, OUTCOMES, REASONS, effect_wording, outcome_wording, reason_wording
from comity.errors import Misuse
from decision.cases import GIVE, ITEM, OPEN, asked, with_item, with_person

ROOM = Path(comity.decision.__file__).parent


def codes() -> set[str]:
    """Every text in the room's code that is a reason's code: it stands after a step's number, or is chosen as one."""
    found = set()
    for file in ("compiled.py", "decide.py", "steps.py"):
        for node in ast.walk(ast.parse((ROOM / file).read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and len(node.args) > 1:
                step, code = node.args[0], node.args[1]
                if isinstance(step, ast.Constant) and isinstance(step.value, int) and isinstance(code, ast.Constant):
                    found.add(code.value)
            if (
                isinstance(node, ast.IfExp)
                and isinstance(node.body, ast.Constant)
                and isinstance(node.orelse, ast.Constant)
            ):
                found |= {node.body.value, node.orelse.value}
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
                found |= {each.value for each in node.value.elts if isinstance(each, ast.Constant)}
            if (
                isinstance(node, ast.Return)
                and isinstance(node.value, ast.Constant)
                and isinstance(node.value.value, str)
            ):
                found.add(node.value.value)
    return {code for code in found if isinstance(code, str)} - {
        "forbids",
        "needs",
        "holds",
        "originator",
        "recipient",
        "",
    }


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    assert len(codes()) > 35
    assert codes() == set(REASONS["en"])
    assert set(_KINDS) <= set(REASONS["en"])
    assert set(EFFECTS["en"]) == set(get_args(Effect))


def test_the_tables_of_all_languages_have_the_same_keys() -> None:
    for tables in (OUTCOMES, EFFECTS, REASONS):
        assert all(table.keys() == tables["en"].keys() for table in tables.values())


@pytest.mark.parametrize("sentence", REASONS["en"].values())
def test_a_sentence_opens_small_and_has_no_full_stop(sentence: str) -> None:
    assert not sentence[0].isupper()
    assert not sentence.endswith(".")


def test_a_reason_reads_with_its_article() -> None:
    decision = asked(with_person(OPEN, serves="us", nationality="us"))
    said = [reason_wording(reason) for reason in decision.reasons]
    assert "kr has not consented in writing that us gain by it, for missile-warning (jp-kr-2016, 6.a, S)" in said
    assert "군사 Ⅱ급 비밀 corresponds to 極秘 or 特定秘密 of jp (jp-kr-2016, 4.2, P)" in said
    assert outcome_wording(decision) == "not yet: somebody has to act first"
    assert effect_wording("needs") == "missing"


def test_a_reason_of_an_ancestor_names_it() -> None:
    case = with_item(OPEN, lineage=(replace(ITEM, id="item-0", purpose="exercise"),), relation="copy")
    (reason,) = [reason for reason in asked(case).reasons if reason.step == 18 and reason.effect == "needs"]
    assert reason_wording(reason).startswith("item-0: kr has not consented")


def test_every_reason_of_real_decisions_can_be_said() -> None:
    for case in (GIVE, OPEN, replace(GIVE, recipients=(), via=("us",)), with_item(GIVE, subject="x", form="oral")):
        for reason in asked(case).reasons:
            assert "{" not in reason_wording(reason)


def test_a_language_without_sentences_is_a_misuse() -> None:
    reason = Reason(1, "no-recipients", "x", "", "", "forbids")
    with pytest.raises(Misuse, match="no sentences in 'fr'; known: en"):
        reason_wording(reason, "fr")
