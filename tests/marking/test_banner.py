"""Banners, derivative and portion marks (spec/marking.md, steps 7 to 10)."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from comity.agreement.load import parse_agreement
from comity.errors import Misuse, Rejected
from comity.marking.banner import banner, derivative_banner, portion, written
from comity.marking.label import Label
from comity.marking.translation import MarkedLabel, translate

LIBRARY = resources.files("comity").joinpath("agreements")
AGREEMENT = parse_agreement(LIBRARY.joinpath("jp-kr-2016.toml").read_text(encoding="utf-8"), "jp-kr-2016.toml")
SPEC = (Path(__file__).parents[2] / "spec/marking.md").read_text(encoding="utf-8")
GOKUHI = Label(policy="jp", mark="極秘", originator="jp")
SEOUL = translate(AGREEMENT, GOKUHI, "kr")
assert isinstance(SEOUL, MarkedLabel)
FROM_SEOUL = Label(policy="kr", mark="군사 Ⅲ급 비밀", originator="kr")
TOKYO = translate(AGREEMENT, FROM_SEOUL, "jp")
assert isinstance(TOKYO, MarkedLabel)


def test_the_example_at_the_head_of_the_spec_is_what_stands_on_the_item() -> None:
    written_label, shown = re.findall(r"```(?:json)?\n(.*?)\n```", SPEC, re.DOTALL)[:2]
    original = msgspec.json.decode(written_label, type=Label)
    marked = translate(AGREEMENT, original, "kr")
    assert isinstance(marked, MarkedLabel)
    assert banner(AGREEMENT, marked, provider="jp", identify=True).text() == shown


def test_the_other_way_the_korean_government_is_named_and_the_mark_is_japanese() -> None:
    shown = banner(AGREEMENT, TOKYO, provider="kr", languages=("ja",)).text()
    assert shown.split("\n") == ["提供元: 大韓民国政府", "秘 (CONFIDENTIAL)", "作成元の表示: 군사 Ⅲ급 비밀"]


def test_every_line_says_what_it_is_for_in_which_language_and_by_which_clause() -> None:
    lines = banner(AGREEMENT, SEOUL, provider="jp", languages=("ko", "en"), identify=True).lines
    assert [(line.kind, line.language, line.clause) for line in lines] == [
        ("provided-by", "ko", "4.2"),
        ("provided-by", "en", "4.2"),
        ("mark", "ko", "4.2"),
        ("identification", "ko", "2.a"),
        ("identification", "en", "2.a"),
        ("originator-mark", "ko", ""),
        ("originator-mark", "en", ""),
    ]


def test_the_identification_mark_stands_only_where_it_is_needed() -> None:
    kinds = {line.kind for line in banner(AGREEMENT, SEOUL, provider="jp").lines}
    assert kinds == {"provided-by", "mark", "originator-mark"}


def test_what_is_declassified_says_so_and_carries_no_mark() -> None:
    label = Label(policy="jp", mark="", originator="jp")
    marked = MarkedLabel(label, replace(label, policy="kr"), "")
    lines = banner(AGREEMENT, marked, provider="jp", languages=("en", "ko"), identify=True, translated_into="ko").lines
    assert [line.kind for line in lines] == ["provided-by", "provided-by", "declassified", "declassified"]
    assert lines[2].text == "Declassified by its originator"


def test_the_originators_mark_is_never_translated_away() -> None:
    for language in ("en", "ja", "ko"):
        assert banner(AGREEMENT, SEOUL, provider="jp", languages=(language,)).text().endswith("極秘")


def test_the_note_on_a_translation_is_in_the_language_of_translation_alone() -> None:
    lines = banner(AGREEMENT, SEOUL, provider="jp", translated_into="ko").lines
    notes = [line for line in lines if line.kind == "translation-note"]
    assert [(note.language, note.clause) for note in notes] == [("ko", "15")]
    assert re.search("[가-힣]", notes[0].text)


def test_a_derivative_has_its_own_mark_and_says_what_it_holds() -> None:
    own = Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="kr")
    lines = derivative_banner(AGREEMENT, own, languages=("en", "ko")).lines
    assert [(line.kind, line.language, line.clause) for line in lines] == [
        ("mark", "ko", "4.3"),
        ("derivative", "en", "4.3"),
        ("derivative", "ko", "4.3"),
    ]
    assert lines[0].text == "군사 Ⅱ급 비밀 (SECRET)"


def test_a_derivative_says_who_provided_what_it_holds_and_how_that_was_marked() -> None:
    own = Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="jp")
    originals = (GOKUHI, GOKUHI, Label(policy="jp", mark="", originator="jp"))
    lines = derivative_banner(
        AGREEMENT, own, provider="jp", originals=originals, languages=("en",), identify=True
    ).lines
    assert [line.kind for line in lines] == ["provided-by", "mark", "identification", "derivative", "originator-mark"]
    assert lines[-1].text == "Originator's mark: 極秘"  # once, and nothing of what is declassified


def test_a_translation_carries_its_note_instead_of_the_words_for_a_derivative() -> None:
    own = Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="jp")
    lines = derivative_banner(AGREEMENT, own, languages=("en",), translated_into="ko").lines
    assert [(line.kind, line.language, line.clause) for line in lines] == [
        ("mark", "ko", "4.3"),
        ("translation-note", "ko", "15"),
    ]


def test_what_holds_only_what_is_declassified_says_so() -> None:
    lines = derivative_banner(AGREEMENT, Label(policy="kr", mark="", originator="jp"), languages=("en",)).lines
    assert [line.kind for line in lines] == ["declassified", "derivative"]


def test_a_derivative_of_an_agreement_without_words_has_its_mark_alone() -> None:
    own = Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="jp")
    silent = replace(AGREEMENT, marking=None)
    assert [line.kind for line in derivative_banner(silent, own, provider="jp", contains=False).lines] == ["mark"]


def test_a_label_in_one_line_and_as_a_portion_mark() -> None:
    full = Label(policy="jp", mark="極秘", categories=("A", "B"), releasable_to=("jp", "kr"), originator="jp")
    assert written(full) == "極秘//A/B//REL jp, kr"
    assert portion(full) == "(極秘//A/B//REL jp, kr)"
    assert portion(GOKUHI) == "(極秘)"


def test_a_text_the_agreement_lacks_in_a_language_is_english_and_says_so() -> None:
    assert AGREEMENT.marking is not None
    assert AGREEMENT.marking.identification is not None
    english = replace(AGREEMENT.marking, identification=replace(AGREEMENT.marking.identification, ja="", ko=""))
    lines = banner(
        replace(AGREEMENT, marking=english), SEOUL, provider="jp", languages=("ja", "ko"), identify=True
    ).lines
    assert [line.language for line in lines if line.kind == "identification"] == ["en"]


def test_what_the_agreement_does_not_ask_for_is_not_put_on_and_not_made_up() -> None:
    silent = replace(AGREEMENT, marking=None)
    assert [line.kind for line in banner(silent, SEOUL, provider="jp", languages=("en",)).lines] == [
        "mark",
        "originator-mark",
    ]
    with pytest.raises(Misuse, match="no words for the identification"):
        banner(silent, SEOUL, provider="jp", identify=True)
    with pytest.raises(Misuse, match="no words for the derivative"):
        derivative_banner(silent, FROM_SEOUL)


def test_bad_calls_are_refused() -> None:
    with pytest.raises(Misuse, match="at least one language"):
        banner(AGREEMENT, SEOUL, provider="jp", languages=())
    with pytest.raises(Misuse, match="'us' is not a party"):
        banner(AGREEMENT, SEOUL, provider="us")
    with pytest.raises(Rejected, match="is not a mark of 'jp'"):
        derivative_banner(AGREEMENT, Label(policy="jp", mark="丸秘", originator="jp"))


def test_every_step_cited_is_in_the_spec() -> None:
    steps = set(re.findall(r"^\((\d+)\)", SPEC, re.MULTILINE))
    root = Path(__file__).parents[2] / "src/comity/marking"
    cited = {n for path in root.glob("*.py") for n in re.findall(r" \((\d+)\)[:.]", path.read_text(encoding="utf-8"))}
    assert len(cited) >= 6
    assert cited <= steps
