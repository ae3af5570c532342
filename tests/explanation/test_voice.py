"""Sentences in three languages (``spec/explanation.md`` steps 1 to 4)."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import replace

from comity.agreement import vocabulary as words
from comity.agreement.check import EFFECTS as EFFECT_KEYS
from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.model import Agreement, Layer, Obligation, Rule, Text, When
from comity.explanation.conditions import CONDITIONS, EFFECTS, WHETHER
from comity.explanation.phrases import LANGUAGES, PHRASES
from comity.explanation.voice import Voice

LIBRARY = resources.files("comity.agreements")
HANGUL, KANA_OR_HAN, LATIN = re.compile("[가-힣]"), re.compile("[ぁ-んァ-ヶ一-龠]"), re.compile("[A-Za-z]")


def read(name: str) -> str:
    return LIBRARY.joinpath(f"{name}.toml").read_text(encoding="utf-8")


AGREEMENT = parse_agreement(read("jp-kr-2016"), "jp-kr-2016.toml")
LAYERS = tuple(parse_layer(read(name), name, AGREEMENT) for name in ("jp-kr-arrangement.example", "house"))
ENGLISH, JAPANESE, KOREAN = (Voice(language, AGREEMENT, LAYERS) for language in LANGUAGES)
VOICES = (ENGLISH, JAPANESE, KOREAN)


def rule(name: str) -> tuple[Agreement | Layer, Rule]:
    return next((home, each) for home, each in ENGLISH.rules() if each.id == name)


def duty(name: str) -> tuple[Agreement | Layer, Obligation]:
    return next((home, each) for home in ENGLISH.instruments for each in home.obligations if each.id == name)


SENTENCES = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))["sentence"]


@pytest.mark.parametrize("sentence", SENTENCES, ids=lambda sentence: sentence["rule"])
@pytest.mark.parametrize("voice", VOICES, ids=LANGUAGES)
def test_a_rule_is_a_sentence(voice: Voice, sentence: dict[str, str]) -> None:
    """(3)"""
    assert voice.rule(*rule(sentence["rule"])).text == sentence[voice.language]


def test_a_duty_is_a_sentence() -> None:
    """(3)"""
    told = [voice.obligation(*duty("o-17-notify")).text for voice in VOICES]
    assert told == [
        "When it is lost or compromised, or may be, the recipient tells, immediately; it is owed to the originator.",
        "紛失若しくは漏えい又はそのおそれ:受領側は、提供元に対し、通知する(直ちに)。",
        "분실·훼손 또는 그 우려: 접수 측은 원제공자에 대하여 통보한다(즉시).",
    ]


def test_a_sentence_says_what_it_rests_on() -> None:
    """(4)"""
    told = ENGLISH.rule(*rule("third-party"))
    assert (told.instrument, told.clause, told.provenance, told.subject) == ("jp-kr-2016", "6.a", "S", "third-party")
    assert ENGLISH.rule(*rule("copy")).provenance == "P"  # its own, better than its clause's K
    assert ENGLISH.rule(*rule("two-people")).instrument == "comity-house"


def test_a_condition_of_several_words_holds_for_any_and_several_conditions_all_hold() -> None:
    """(3)"""
    when = When(form=("oral", "visual"), other_purpose=True, holder="recipient")
    assert ENGLISH.when(when) == (
        "the item's form is oral or visual and the purpose is another than it was provided for and the side that acts "
        "was given it"
    )
    assert JAPANESE.when(when) == (
        "形式が口頭又は視覚である場合であって、提供された目的と異なる目的による場合であって、行う側が受領側である"
    )
    assert KOREAN.when(when) == (
        "형식이 구두 또는 시각인 경우로서 제공된 목적과 다른 목적에 의한 경우로서 행위하는 측이 접수 측인"
    )


@pytest.mark.parametrize(
    ("text", "fitted"),
    [
        ("제공을/를", "제공을"),
        ("발췌을/를", "발췌를"),
        ("복제이/가", "복제가"),
        ("승인은/는", "승인은"),
        ("SECRET을/를", "SECRET을(를)"),
    ],
)
def test_a_korean_particle_fits_the_syllable_before_it(text: str, fitted: str) -> None:
    assert KOREAN.fitted(text) == fitted
    assert ENGLISH.fitted(text) == text


@pytest.mark.parametrize(("duration", "told"), [("P1Y", "1 year"), ("P90D", "90 days"), ("PT24H", "24 hours")])
def test_a_length_of_time(duration: str, told: str) -> None:
    assert ENGLISH.length(duration) == told
    assert ENGLISH.limit(duration) == f"within {told}"


def test_korean_and_japanese_lengths() -> None:
    assert [JAPANESE.limit("P6M"), KOREAN.limit("P6M")] == ["6か月以内", "6개월 이내"]
    assert [JAPANESE.limit(None), KOREAN.limit("promptly")] == ["定めなし", "신속히"]


class TestWhole:
    """(1)"""

    @pytest.mark.parametrize("kind", PHRASES, ids=lambda kind: str(get_args(kind)[0]))
    def test_every_word_of_the_format_has_a_phrase_in_each_language(self, kind: Any) -> None:
        phrases = {word: phrase for word, phrase in PHRASES[kind].items() if word}
        assert set(phrases) == set(get_args(kind))
        for phrase in phrases.values():
            english, japanese, korean = phrase
            assert LATIN.search(english)
            assert KANA_OR_HAN.search(japanese)
            assert HANGUL.search(korean)

    def test_every_closed_list_of_the_format_is_among_them(self) -> None:
        named = {each for each in vars(words).values() if getattr(each, "__origin__", None) is not None}
        lists = {each for each in named if str(each).startswith("typing.Literal")}
        assert lists - set(PHRASES) == {words.Language}

    def test_every_condition_and_every_effect_has_a_pattern(self) -> None:
        conditions = {field.name for field in msgspec.structs.fields(When)}
        assert conditions == set(CONDITIONS) | {key for key, _ in WHETHER}
        assert set(EFFECTS) == set(EFFECT_KEYS)

    @pytest.mark.parametrize("voice", VOICES, ids=LANGUAGES)
    def test_every_rule_and_every_duty_of_the_library_is_told_without_a_gap(self, voice: Voice) -> None:
        texts = [voice.rule(home, each).text for home, each in voice.rules()]
        texts += [voice.obligation(home, each).text for home in voice.instruments for each in home.obligations]
        texts += [voice.checklist(home, each) for home in voice.instruments for each in home.checklists]
        for text in texts:
            assert "{" not in text
            assert "/" not in text
            assert "  " not in text
            assert text == text.strip()
            assert voice.language != "ko" or not KANA_OR_HAN.search(text) or "特定秘密" in text
            assert voice.language != "ja" or not HANGUL.search(text)
            assert voice.language != "en" or not KANA_OR_HAN.search(text) or "特定秘密" in text

    def test_a_word_or_key_that_nobody_foresaw_is_told_as_it_is_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        home, told = rule("third-party")
        monkeypatch.setattr("comity.explanation.voice.PHRASES", {})
        monkeypatch.setattr("comity.explanation.conditions.CONDITIONS", {})
        monkeypatch.setattr("comity.explanation.conditions.EFFECTS", {})
        bare = Voice("en", AGREEMENT).rule(home, told).text
        assert bare.startswith("Give, show, pass-on, open")
        assert bare.endswith("when beneficiary = third-party, third-national.")
        assert "originator" in bare

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"per_item": True}, "the originator, given for this very item, when"),
            ({"consent": None, "approvals": 2, "approved_by": "originating-office"}, "2 other people of the office in"),
            ({"consent": None, "copies": 1}, "makes at most 1 copy of an item"),
            ({"consent": None, "copies": 0}, "makes at most 0 copies of an item"),
            ({"consent": None, "registries": True}, "go from one registry only"),
            (
                {"consent": "named", "consent_of": ("jp", "kr")},
                "of Government of Japan and Government of the R",
            ),
            ({"since": "2029-07-01T00:00+02:00"}, ". It holds from 2029-07-01 00:00 UTC+02:00 on."),
            ({"until": "2029-07-01T00:00Z"}, ". It holds until 2029-07-01 00:00 UTC."),
        ],
    )
    def test_what_a_key_adds_is_said(self, changes: dict[str, Any], said: str) -> None:
        home, told = rule("third-party")
        assert said in ENGLISH.rule(home, replace(told, **changes)).text

    def test_a_duty_that_some_items_have_says_which(self) -> None:
        home, told = duty("o-17-notify")
        limited = replace(told, when=When(level_at_least="SECRET"))
        assert ", where the item's level is “SECRET” or above." in ENGLISH.obligation(home, limited).text
        assert "(秘密区分が「SECRET」以上である場合に限る)。" in JAPANESE.obligation(home, limited).text


def test_what_a_file_lacks_in_a_language_is_told_in_english() -> None:
    """(2)"""
    only = Text(en="Ministry")
    assert [voice.own(only) for voice in VOICES] == ["Ministry"] * 3
    assert JAPANESE.language_of(only) == "en"
    assert JAPANESE.language_of(Text(en="Ministry", ja="省")) == "ja"
