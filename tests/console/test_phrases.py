"""What flows say in English is told in Japanese and Korean: every sentence, with what was put into it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import datetime
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from agreement.histories import packaged_chronicle
from comity.console.catalogues import CODES, CONTEXT, Code, catalogue
from comity.console.languages import Language
from comity.console.phrases import meaning, phrase
from comity.decision.wording import LANGUAGES
from comity.decision.wording.articles import article
from comity.decision.wording.words import AS_TYPED
from comity.flows.looking.duty_words import WORDS
from comity.register.roles import ROLES
from comity.register.rows import CopyState

PLACE = re.compile(r"\{[0-9]+\}")
OTHERS = [code for code in CODES if code != "en"]
EVERY = pytest.mark.parametrize("code", OTHERS)


def maker() -> ModuleType:
    """What brings the catalogues up to what is said (``make words``)."""
    if "words" not in sys.modules:
        spec = spec_from_file_location("words", Path(__file__).parents[2] / ".ci" / "words.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules["words"] = made = module_from_spec(spec)
        spec.loader.exec_module(made)
    return sys.modules["words"]


@pytest.fixture(scope="module")
def wanted() -> dict[str, set[str]]:
    """What each catalogue has to have, as a catalogue keys it."""
    return {
        name: {f"{context}{CONTEXT}{text}" if context else text for text, context in every}
        for name, every in maker().catalogues()
        if name
    }


def words(code: Code) -> Iterator[str]:
    return (key for key in catalogue(code, "flows") if key.startswith(f"word{CONTEXT}"))


@EVERY
def test_every_sentence_and_every_code_has_its_entry_and_no_entry_is_of_what_is_gone(
    code: Code, wanted: dict[str, set[str]]
) -> None:
    assert len(wanted["flows"]) > 1000
    here = set(catalogue(code, "flows")) - set(words(code))
    assert sorted(wanted["flows"] - here) == [], "run `make words` and translate these"
    assert sorted(here - wanted["flows"]) == [], "run `make words`: these are said no more"


@EVERY
def test_every_word_of_the_library_has_its_summary(code: Code, wanted: dict[str, set[str]]) -> None:
    assert sorted(wanted["agreements"] ^ set(catalogue(code, "agreements"))) == [], "run `make words`"


@EVERY
def test_a_sentence_takes_in_what_it_takes_in_in_english(code: Code) -> None:
    for text, (told, *_) in catalogue(code, "flows").items():
        assert set(PLACE.findall(text)) == set(PLACE.findall(told)), text


@EVERY
def test_every_sentence_is_found_again_with_what_was_put_into_it(code: Code) -> None:
    """Whatever stands in the places: names of three scripts, quotation marks, braces, nothing."""
    puts = ["'i-abc'", "극비/極秘", "u-7f3a, u-91bc", "{0}", ""]
    for text, (told, *_) in catalogue(code, "flows").items():
        if CONTEXT in text or not PLACE.search(text):
            continue
        long = sum(map(str.isalpha, PLACE.sub("", text))) >= 6
        for put in puts if long else puts[:2]:
            said = PLACE.sub(lambda place, put=put: f"{put}{place[0][1:-1]}" if put else "", text)
            again = phrase(said.replace("{{", "{").replace("}}", "}"), code)
            assert again is not None, said
            assert again != said
            if long and put == puts[0]:
                for place in PLACE.findall(text):
                    assert f"'i-abc'{place[1:-1]}" in again, (said, again)
            assert told  # never empty


@EVERY
def test_no_sentence_is_left_in_english(code: Code) -> None:
    """What is left of the Latin script is what is typed, written in files, or a name."""
    for text, (told, *_) in catalogue(code, "flows").items():
        script = r"[ぁ-んァ-ヶ一-龠]" if code == "ja" else r"[가-힣]"
        if PLACE.sub("", told).strip(" :;,."):
            assert re.search(script, told), text


@EVERY
def test_the_closed_words_are_there(code: Code) -> None:
    for word in (*ROLES, *get_args(CopyState)):
        assert phrase(word, code) not in (None, word)


@EVERY
def test_every_duty_is_told(code: Code) -> None:
    for each in WORDS.values():
        assert phrase(each.says, code) not in (None, each.says)


def test_what_people_wrote_is_carried_over_as_they_wrote_it() -> None:
    assert phrase('copy 2, for "lost, held, and {0} there is no item x"', "ja") == (
        "写し2、目的「lost, held, and {0} there is no item x」"
    )
    assert phrase("copy 3 is in transit, not in transit", "ko") == "사본 3번의 상태는 ‘이송 중’이며 이송 중이 아닙니다"
    assert phrase("the layer does not stand on the other text any more: there is no item 'x'", "ja") == (
        "付属規則は、他の文面にはもはや付属できません:情報'x'はありません"
    )
    assert phrase("open: permit", "ko") == "열람: 허용"
    assert phrase("given", "ja") == "提供"  # what happened to an item, not how a notice stands


def test_what_is_not_known_stays_english_and_says_so() -> None:
    assert phrase("to whom it may concern", "ja") is None
    assert phrase("", "ja") == ""
    assert phrase("to whom it may concern", "en") == "to whom it may concern"
    japanese = Language("ja", ZoneInfo("Asia/Tokyo"))
    assert japanese.told("<b>odd</b>") == '<span lang="en">&lt;b&gt;odd&lt;/b&gt;</span>'
    told = japanese.told("something about a disk", "disk-failed")
    assert told == 'ディスクへの書込みに失敗しました (<span lang="en">something about a disk</span>)'
    assert meaning("disk-failed", "en") is None
    assert meaning("no-such-code", "ko") is None
    assert Language("en", ZoneInfo("UTC")).told("something about a disk", "disk-failed") == "something about a disk"


def test_the_words_of_the_library_are_told_as_summaries() -> None:
    said = "Protection substantially equal to the originator's, under the recipient's own law."
    assert phrase(said, "en") == said
    assert "実質的に同等" in Language("ja", ZoneInfo("Asia/Tokyo")).told(said)
    assert phrase("what no agreement of the library says", "ja") is None


@EVERY
def test_what_can_be_said_of_the_standing_of_an_agreement_is_told(code: Code) -> None:
    """On any day of a history in which the parties read the end differently."""
    told: set[str] = set()
    for name in ("jp-kr-2016.history.toml", "jp-kr-2016.hypothetical.history.toml"):
        chronicle = packaged_chronicle(name)
        for day in ("2019-09-01", "2019-12-01", "2021-05-01", "2024-01-01"):
            status = chronicle.status(datetime.fromisoformat(f"{day}T00:00:00+00:00"))
            told |= {ending.says for reading in status.readings for ending in reading.endings}
            told |= {ahead.counting for reading in status.readings for ahead in reading.ahead if ahead.counting}
            told |= {each.says for each in status.contested}
            told |= {held for each in status.contested for held in each.held.values()}
    assert len(told) > 8
    for says in told:
        known = phrase(says, code)
        assert known not in (None, says)
        assert not re.search("[a-z]{4}", known or ""), known


@EVERY
def test_what_a_flow_has_worded_of_a_decision_is_told_too(code: Code) -> None:
    for reason, said in LANGUAGES["en"].reasons.items():
        worded = re.sub(r"\{[a-z0-9]+\}", "kr-7", said)
        assert phrase(worded, code) not in (None, worded), reason
    assert phrase("not yet: somebody has to act first", code) == LANGUAGES[code].outcomes["NeedsConsent"]


def test_a_line_about_a_copy_is_told_up_to_whoever_has_it() -> None:
    assert phrase("held, kim's desk", "ja") == "所持中, kim's desk"
    assert phrase("in transit, 김, since 9c103f3b…", "ko") == "이송 중, 김, since 9c103f3b…"
    assert phrase("no copy at all, kim's desk", "ja") is None


@pytest.mark.parametrize(
    ("clause", "cited"),
    [
        ("7", ("Article 7", "第7条", "제7조")),
        ("7.5", ("Article 7.5", "第7条5", "제7조제5항")),
        ("6.f", ("Article 6.f", "第6条(f)", "제6조(f)")),
        ("7.5.a", ("Article 7.5.a", "第7条5(a)", "제7조제5항(a)")),
        ("6.h.2", ("Article 6.h.2", "第6条(h)(2)", "제6조(h)(2)")),
        ("16a", ("Article 16a", "第16a条", "제16a조")),
        ("levels", ("levels", "levels", "levels")),
        ("assurance.a", ("assurance.a", "assurance.a", "assurance.a")),
        ("", ("", "", "")),
    ],
)
def test_a_clause_is_cited_as_its_language_numbers_articles(clause: str, cited: tuple[str, ...]) -> None:
    """``spec/words.md`` step 9."""
    assert tuple(article(clause, code) for code in CODES) == cited
    assert article(clause, AS_TYPED) == clause


def test_an_article_in_a_sentence_is_cited_likewise() -> None:
    said = "'機密' is above what may be shown at all (Article 4.1)"
    assert phrase(said, "ja") == "'機密'は提示することができる区分を超えています(第4条1)"
    assert phrase(said, "en") == said
    of_a_name = "'x' is not ended by a notice (Article duration)"
    assert phrase(of_a_name, "ko") == "'x' 건은 통보로 종료되지 않습니다(duration)"
    nested = "a notice goes through the diplomatic channel (Article 21.3)"
    assert phrase(nested, "ja") == "通告は外交上の経路によります(第21条3)"
    assert phrase(nested, "ko") == "통보는 외교 경로로 합니다(제21조제3항)"


DATED = [
    (
        "by notice, 90 days before the renewal every year; last day 2027-08-24 (before-last-day)",
        ("24 August 2027", "2027年8月24日", "2027년 8월 24일"),
    ),
    (
        "by itself at 2019-11-23T00:00+09:00, unless the parties renew it",
        ("23 November 2019 00:00 JST", "2019年11月23日 00:00 JST", "2019년 11월 23일 00:00 JST"),
    ),
    (
        "an amendment that both have signed applies from 2026-12-01 15:00 UTC on",
        ("1 December 2026 15:00 UTC", "2026年12月1日 15:00 UTC", "2026년 12월 1일 15:00 UTC"),
    ),
    (
        "the card of 'kr' ended at 2026-12-01T00:00:09+00:00; ask for a new one",
        ("1 December 2026 09:00:09 JST", "2026年12月1日 09:00:09 JST", "2026년 12월 1일 09:00:09 JST"),
    ),
    ("2027-08-24", ("24 August 2027", "2027年8月24日", "2027년 8월 24일")),
]


@pytest.mark.parametrize(("said", "dates"), DATED)
def test_a_date_in_a_sentence_is_written_as_the_language_writes_dates(said: str, dates: tuple[str, ...]) -> None:
    """``spec/words.md`` step 4."""
    for code, date in zip(CODES, dates, strict=True):
        told = Language(code, ZoneInfo("Asia/Tokyo")).told(said)
        assert date in told
        assert not re.search("[0-9]{4}-[0-9]{2}", told)
        assert "lang=" not in told


def test_what_only_looks_like_a_date_is_carried_over() -> None:
    english, japanese = (Language(code, ZoneInfo("Asia/Tokyo")) for code in ("en", "ja"))
    version = "no version 2016-11-23 was adopted there"
    assert english.told(version) == version
    assert "2016-11-23" in japanese.told(version)
    assert english.told("a paper of 2026-12-01") == "a paper of 2026-12-01"
    assert "2026-13-41" in japanese.told("there is no day 2026-13-41")
    assert english.told("held, 김, since 2026-12-01") == "held, 김, since 2026-12-01"
