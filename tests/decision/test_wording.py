"""Every code that a decision can give has its sentence, and the sentence uses what the reason carries."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter
from typing import get_args, get_type_hints

import pytest
from msgspec.structs import replace

import comity.decision
from comity.agreement.term import Contested
from comity.agreement.vocabulary import Deed, Form, Method, Role, Within
from comity.decision.counterfactual import _KINDS, Kind, Missing
from comity.decision.model import Duty, Effect, Reason
from comity.decision.wording import (
    LANGUAGES,
    duty_wording,
    effect_wording,
    missing_wording,
    outcome_wording,
    reason_wording,
    sentence,
)
from comity.decision.wording.articles import article
from comity.decision.wording.words import AS_TYPED, CHECKLISTS, PARTIES
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


ENGLISH = LANGUAGES["en"]
EVERY = pytest.mark.parametrize("language", LANGUAGES)


def parameters(sentence: str) -> set[str]:
    """What a sentence takes in; one that another language may leave out stands here under the name that holds it."""
    return {name for _, name, _, _ in Formatter().parse(sentence) if name is not None}


def test_every_code_has_a_sentence_and_every_sentence_a_code() -> None:
    assert len(codes()) > 35
    assert codes() == set(ENGLISH.reasons)
    assert set(_KINDS) <= set(ENGLISH.reasons)


@EVERY
def test_every_language_has_every_word(language: str) -> None:
    words = LANGUAGES[language]
    assert words.reasons.keys() == ENGLISH.reasons.keys()
    assert words.outcomes.keys() == ENGLISH.outcomes.keys()
    assert set(words.effects) == set(get_args(Effect))
    assert set(words.missing) == set(get_args(Kind))
    assert set(words.deeds) == set(get_args(Deed))
    assert set(words.owers) == set(words.owed) == set(get_args(Role))
    assert set(words.limits) == set(get_args(Within))
    if language != "en":
        points = get_type_hints(Contested)["point"]
        assert set(words.terms) == {*get_args(Form), *get_args(Method), *get_args(points)}
        assert set(words.lengths) == set("YMDH")


@EVERY
def test_a_sentence_takes_in_what_it_takes_in_in_english(language: str) -> None:
    words = LANGUAGES[language]
    for code, said in ENGLISH.reasons.items():
        assert parameters(words.reasons[code]) == parameters(said), code
    for kind, said in ENGLISH.missing.items():
        assert parameters(words.missing[kind]) == parameters(said), kind
    for part in ("duty", "to", "limit", "limit_from", "within"):
        assert parameters(getattr(words, part)) == parameters(getattr(ENGLISH, part)), part


@EVERY
def test_every_reason_can_be_said_in_every_language(language: str) -> None:
    for code in ENGLISH.reasons:
        reason = Reason(18, code, "jp-kr-2016", "6.a", "S", "needs", "kr-7", ("i-1", "x", "p", "q", "r", "s", "t"))
        said = reason_wording(reason, language)
        assert "{" not in said
        cited = f" (jp-kr-2016, {article('6.a', language)}, S)"
        assert said.endswith(cited)
        assert "kr-7" in said or "about" not in parameters(ENGLISH.reasons[code])
        ours = said.removesuffix(cited).replace("kr-7", "")
        assert language == "en" or not re.search("[A-Za-z]{3}", ours)  # none of the English is left


@EVERY
def test_everything_that_may_be_missing_and_every_duty_can_be_said(language: str) -> None:
    words = LANGUAGES[language]
    for kind in get_args(Kind):
        (said,) = missing_wording([Missing(kind, "kr-7", ("p", "q", "r", "s", "t"), ("a:6",))], language)
        assert "{" not in said
        assert said.endswith(" (a)" if kind == "attestation" else f" (a {article('6', language)})")
    for deed in get_args(Deed):
        duty = Duty("a", "o", "6", "S", "recipient", deed, "originator", "promptly")
        said = duty_wording(duty, language)
        assert words.deeds[deed] in said
        assert words.limits["promptly"] in said
        assert said.endswith(f" (a, {article('6', language)}, S)")


def test_a_limit_with_a_number_is_told_in_the_units_of_the_language() -> None:
    duty = Duty("a", "o", "6", "S", "recipient", "notify", "originator", "PT24H", limit_from="b:2")
    english = "the recipient must give notice of it, to the originator, within 24 hours (a, 6, S; the limit by b:2)"
    said = {language: duty_wording(duty, language) for language in (AS_TYPED, "ja", "ko")}
    assert said == {
        AS_TYPED: english,
        "ja": "受領側は、提供元に対し、24時間以内に、通知しなければなりません (a, 第6条, S;期限はb 第2条による)",
        "ko": "접수 측은 원제공자에게 24시간 이내에 통보하여야 합니다 (a, 제6조, S; 기한은 b 제2조에 따름)",
    }


def test_one_hour_is_not_one_hours() -> None:
    for within, told in (("PT1H", "1 hour"), ("P1Y", "1 year"), ("P2M", "2 months")):
        duty = Duty("a", "o", "6", "S", "recipient", "notify", "originator", within)
        assert f", within {told} (" in duty_wording(duty)


def test_people_read_parties_in_capitals_and_checklists_by_their_titles() -> None:
    decision = asked(with_person(OPEN, serves="us", nationality="us"))
    (needed,) = [each for each in decision.reasons if each.code == "consent-missing"]
    assert sentence(needed) == "kr has not consented in writing that us gain by it, for missile-warning"
    assert sentence(needed, "en") == "KR has not consented in writing that US gain by it, for missile-warning"
    assert sentence(needed, "ja").startswith("KRは、「missile-warning」のためにUSが利益を受ける")
    assert sentence(needed, "ko").startswith("KR 측은 ‘missile-warning’ 목적으로 US 측이")
    met = Reason(12, "conditions-met", "a", "7.5", "P", "holds", "kr-7", ("assurance", "kr-7"))
    titles = {"assurance": "提供前の保証"}
    assert sentence(met) == sentence(met, titles=titles) == "all conditions of assurance are attested for kr-7"
    assert sentence(met, "ja", titles) == "kr-7について、「提供前の保証」の全ての条件が証明されています"
    assert sentence(met, "en") == "all conditions of “assurance” are attested for kr-7"
    lacking = [
        Missing("attestation", "kr-7", ("assurance", "kr-7", "kr", each), (f"a:{each}",)) for each in ("7.5.a", "6.f")
    ]
    assert missing_wording(lacking, "ja", titles) == (
        "kr-7について、「提供前の保証」の条件(第7条5(a)、第6条(f))が証明されること (a)",
    )
    assert missing_wording(lacking) == ("conditions 7.5.a, 6.f of assurance are attested for kr-7 (a)",)


def test_what_is_contested_is_told_in_words() -> None:
    reason = Reason(2, "contested", "a", "21", "P", "notes", "", ("kr", "when-it-ends", "in-force"))
    assert sentence(reason, "ja") == "KRは異なる解釈をとっています:終了の時期、効力の有無"
    assert sentence(reason) == "kr reads otherwise: when-it-ends, in-force"


def test_every_place_of_a_party_is_one_of_its_sentence() -> None:
    sentences = {**ENGLISH.reasons, **ENGLISH.missing}
    for code, places in PARTIES.items():
        taken = parameters(sentences[code])
        assert "all" in taken or {str(place) for place in places} <= taken, code
    assert set(CHECKLISTS) <= set(sentences)


def test_a_form_and_a_method_are_told_in_the_language_of_the_reader() -> None:
    reason = Reason(5, "method-forbidden", "a", "13", "P", "forbids", "", ("overwrite", "burn", "pulp"))
    assert reason_wording(reason).startswith("overwrite is not one of the methods: burn, pulp")
    assert reason_wording(reason, "ja").startswith("「上書き」は定められた方法(焼却、溶解)に含まれません")


@pytest.mark.parametrize("said", [each for words in LANGUAGES.values() for each in words.reasons.values()])
def test_a_sentence_opens_small_and_has_no_full_stop(said: str) -> None:
    assert not said[0].isupper()
    assert not said.endswith((".", "。"))


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
    with pytest.raises(Misuse, match="no sentences in 'fr'; known: en, ja, ko"):
        reason_wording(reason, "fr")
