"""An agreement as a readable text (``spec/explanation.md`` steps 1, 2 and 8 to 12)."""

from __future__ import annotations

import re
from datetime import date
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from msgspec.structs import replace

from comity.agreement.load import parse_agreement, parse_layer
from comity.agreement.model import Agreement, Layer, Text
from comity.agreement.vocabulary import Language
from comity.explanation.blocks import Block, Document, Drawing, Entries, Entry, Grid, Heading, Paragraph, Piece
from comity.explanation.document import document
from comity.explanation.markdown import markdown
from comity.explanation.page import page
from comity.explanation.phrases import LANGUAGES
from comity.explanation.terms import Span, drawing, in_characters, spans
from comity.explanation.typeset import FAMILIES, typst_source
from comity.explanation.voice import Voice
from explanation.test_voice import AGREEMENT, LIBRARY, read

ARRANGEMENT, JAPAN = (
    parse_layer(read(name), name, AGREEMENT) for name in ("jp-kr-arrangement.example", "jp-domestic.example")
)
DAY = date(2026, 11, 21)
STYLE = resources.files("comity.explanation").joinpath("page.css").read_text(encoding="utf-8")


def library() -> list[tuple[Agreement, tuple[Layer, ...]]]:
    """Every agreement of the library with every layer that stands on it."""
    names = sorted(each.name.removesuffix(".toml") for each in LIBRARY.iterdir() if each.name.endswith(".toml"))
    texts = {name: read(name) for name in names}
    found = []
    for name, text in texts.items():
        if re.search(r"^\[agreement\]", text, re.MULTILINE):
            agreement = parse_agreement(text, name)
            layers = [text for text in texts.values() if f'on = "{agreement.id}"' in text and "[layer]" in text]
            found.append((agreement, tuple(parse_layer(each, "layer", agreement) for each in layers)))
    return found


LIBRARY_TEXTS = library()


def told(made: Document) -> list[str]:
    """Every text of a document."""
    found: list[str] = [made.title.text]
    for block in made.blocks:
        match block:
            case Heading(text=text) | Paragraph(text=text):
                found.append(text.text)
            case Entries(entries=entries):
                found += [f"{each.text.text} [{each.rests_on}]" for each in entries]
            case Grid(caption=caption, rows=rows):
                found += [caption, *(cell.text for row in rows for cell in row)]
            case Drawing(words=words):
                found.append(words)
    return found


def grid(made: Document, caption: str) -> Grid:
    return next(block for block in made.blocks if isinstance(block, Grid) and block.caption == caption)


class TestWhole:
    """(1) (8)"""

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize(("agreement", "layers"), LIBRARY_TEXTS, ids=[each.id for each, _ in LIBRARY_TEXTS])
    def test_everything_that_the_library_says_is_told(
        self, agreement: Agreement, layers: tuple[Layer, ...], language: Language
    ) -> None:
        texts = told(document(agreement, layers, language, DAY))
        voice = Voice(language, agreement, layers)
        for instrument in (agreement, *layers):
            for clause in instrument.clauses:
                assert clause.says in texts
                assert any(f"{clause.id}  {voice.own(clause.heading)} [{clause.provenance}]" in text for text in texts)
            for rule in instrument.rules:
                assert any(text.startswith(voice.rule(instrument, rule).text + " [") for text in texts)
            for duty in instrument.obligations:
                assert duty.evidence in texts
            for interval in instrument.intervals:
                assert any(text.startswith(voice.interval(instrument, interval).text) for text in texts)
            for checklist in instrument.checklists:
                assert voice.checklist(instrument, checklist) in texts
        everything = "\n".join(texts)
        for level in agreement.levels:
            assert level.mark in everything
        for party in agreement.parties:
            assert voice.own(party.name) in texts

    def test_in_the_order_of_a_reader_who_does_not_know_it(self) -> None:
        made = document(AGREEMENT, (ARRANGEMENT,), "en", DAY)
        assert [block.text.text for block in made.blocks if isinstance(block, Heading) and block.level == 2] == [
            "At a glance",
            "Parties",
            "Levels and what corresponds",
            "What may be done, and on what conditions",
            "Calendar of duties",
            "Term",
            "Clauses",
            f"Layer A: {ARRANGEMENT.header.title.en}",
            "How to read this",
        ]

    def test_each_sentence_says_what_it_rests_on(self) -> None:
        """(4)"""
        texts = told(document(AGREEMENT, (ARRANGEMENT,), "en", DAY))
        assert "Opening is allowed. [7.2, P]" in texts
        assert any(
            "besides whoever asks, when the item's level" in text and text.endswith("[A 4.3, P]") for text in texts
        )

    def test_what_a_domestic_layer_asks_is_asked_of_one_side(self) -> None:
        texts = told(document(AGREEMENT, (JAPAN,), "en", DAY))
        assert any(text.endswith("Binds only acts of the side of Government of Japan.") for text in texts)
        assert any("when the side that acts is Government of Japan and" in text for text in texts)


class TestLanguage:
    """(2)"""

    def test_what_the_file_lacks_is_told_in_english_and_says_so(self) -> None:
        bare = replace(AGREEMENT, header=replace(AGREEMENT.header, title=Text(en="The agreement")))
        assert document(bare, (), "ja", DAY).title == Piece("The agreement", "en")
        assert document(AGREEMENT, (), "ja", DAY).title == Piece(AGREEMENT.header.title.ja)
        clauses = [block for block in document(AGREEMENT, (), "ko", DAY).blocks if isinstance(block, Paragraph)]
        assert Piece(AGREEMENT.clauses[0].says, "en") in [block.text for block in clauses]

    @pytest.mark.parametrize(("language", "title"), [("en", "Term"), ("ja", "効力及び期間"), ("ko", "효력 및 기간")])
    def test_our_own_headings_are_in_the_language(self, language: Language, title: str) -> None:
        made = document(AGREEMENT, (), language, DAY)
        assert Heading(2, Piece(title), "term") in made.blocks


class TestCalendarOfDuties:
    """(9)"""

    def rows(self, *layers: Layer) -> list[list[str]]:
        return [
            [cell.text for cell in row]
            for row in grid(document(AGREEMENT, layers, "en", DAY), "Calendar of duties").rows
        ]

    def test_it_begins_with_what_is_always_owed_and_ends_with_what_has_no_limit(self) -> None:
        limits = [row[0] for row in self.rows(ARRANGEMENT)]
        assert limits[0] == "all the time"
        assert limits[-1] == "no limit in the text"
        numbers = [each for each in limits if each.startswith("within")]
        assert numbers[0] == "within 24 hours"
        assert numbers[-1] == "within 90 days"
        known = ["all the time", "before the act", "at creation", "at receipt", "immediately", "promptly"]
        words = [known.index(each) for each in limits if each in known]
        assert words == sorted(words)

    def test_a_number_of_a_layer_stands_with_both_that_ask_it(self) -> None:
        loss = next(row for row in self.rows(ARRANGEMENT) if row[-2] == "the notice")
        assert (loss[0], loss[-1]) == ("within 24 hours", "17, P; A 2.1, P")
        assert next(row for row in self.rows() if row[-2] == "the notice")[0] == "immediately"

    def test_a_number_of_one_side_is_said_of_that_side(self) -> None:
        loss = next(row for row in self.rows(ARRANGEMENT, JAPAN) if row[-2] == "the notice")
        assert loss[0] == "within 24 hours; jp: within 12 hours"


class TestTerm:
    """(10)"""

    def test_the_running_term_and_those_that_follow(self) -> None:
        first, *rest = spans(AGREEMENT, DAY)
        assert first == Span(
            date(2025, 11, 23),
            date(2026, 11, 23),
            (("before-anniversary", date(2026, 8, 25)), ("before-last-day", date(2026, 8, 24))),
        )
        assert [span.begins for span in rest] == [date(2026, 11, 23), date(2027, 11, 23)]
        assert spans(AGREEMENT, date(2026, 11, 23))[0].begins == date(2026, 11, 23)
        assert spans(AGREEMENT, date(2001, 1, 1))[0].begins == date(2016, 11, 23)

    @given(st.dates(date(1990, 1, 1), date(2200, 1, 1)))
    @settings(max_examples=60, deadline=None)
    def test_it_runs_on_the_day_and_the_next_begins_where_it_ends(self, day: date) -> None:
        found = spans(AGREEMENT, day)
        assert found[0].begins <= max(day, date(2016, 11, 23)) < found[0].ends
        assert all(before.ends == after.begins for before, after in pairwise(found))
        assert all(span.begins < last < span.ends for span in found for last in span.days)

    def other(self, **term: object) -> Agreement:
        return replace(AGREEMENT, term=replace(AGREEMENT.term, **term))

    def test_a_term_that_is_not_renewed_is_told_once(self) -> None:
        (only,) = spans(self.other(renewal="none", duration="P5Y"), date(2030, 1, 1))
        assert (only.begins, only.ends) == (date(2016, 11, 23), date(2021, 11, 23))
        (only,) = spans(self.other(renewal="by-consent"), DAY)
        assert only.begins == date(2025, 11, 23)

    def test_without_notice_or_days_there_are_none(self) -> None:
        assert spans(self.other(notice=None), DAY)[0].last_days == ()
        assert spans(self.other(duration=None, renewal="none"), DAY) == ()
        draft = replace(AGREEMENT, header=replace(AGREEMENT.header, signed=None, in_force=None))
        assert spans(draft, DAY) == ()
        texts = told(document(draft, (), "en", DAY))
        assert "Not signed: a draft." in texts
        assert any(text.startswith("It is not in force yet") for text in texts)
        open_ended = told(document(self.other(duration=None, renewal="none"), (), "en", DAY))
        assert any(text.startswith("It has no end of its own") for text in open_ended)

    def test_where_the_calendar_ends_so_does_the_table(self) -> None:
        assert len(spans(AGREEMENT, date(9998, 12, 1))) == 1

    def test_it_is_drawn_in_characters_and_as_a_picture(self) -> None:
        found = spans(AGREEMENT, DAY)
        lines = in_characters(found)
        assert lines[0].startswith("2025-11-23 ├─")
        assert lines[0].endswith("─┤ 2026-11-23")
        assert lines[0].count("▲") == 1
        assert lines[1].strip() == "▲ 2026-08-24 / 2026-08-25"
        svg = drawing(found)
        assert svg.count("<rect") == 3
        assert svg.count("<path") == 6
        for span in found:
            assert str(span.begins) in svg
        assert "2026-08-24" in next(
            b.words for b in document(AGREEMENT, (), "en", DAY).blocks if isinstance(b, Drawing)
        )


ODD = st.text(st.characters().filter(str.isprintable), min_size=1, max_size=30).map(lambda text: " ".join(text.split()))
NASTY = st.one_of(
    ODD.filter(bool),
    st.sampled_from(Path(__file__).with_name("odd.txt").read_text(encoding="utf-8").splitlines()),
)
"""Texts that look like signs of Markdown, HTML or Typst."""


def odd(text: str, language: str = "") -> Document:
    """A document in which every text is the same odd one."""
    piece = Piece(text, language)
    blocks: tuple[Block, ...] = (
        Heading(2, piece, "a"),
        Paragraph(piece),
        Paragraph(piece, aside=True),
        Entries((Entry(piece, text),)),
        Grid("caption", (text, text), ((piece, piece),)),
    )
    return Document(piece, "en", "x", "0" * 64, "Contents", blocks)


class TestMarkdown:
    """(11)"""

    @given(NASTY)
    @settings(max_examples=150, deadline=None)
    def test_no_text_becomes_a_sign(self, text: str) -> None:
        tokens = MarkdownIt().enable("table").parse(markdown(odd(text)))
        kinds = [token.type for token in tokens if token.type.endswith("_open") and token.nesting == 1]
        expected = ["heading_open", "paragraph_open", "heading_open", "paragraph_open", "paragraph_open"]
        expected += ["bullet_list_open", "list_item_open", "paragraph_open", "paragraph_open", "table_open"]
        assert [kind for kind in kinds if not kind.startswith(("t", "tr")) or kind == "table_open"] == expected
        inline = ["".join(c.content for c in token.children or ()) for token in tokens if token.type == "inline"]
        assert inline.count(text) == 8
        assert inline[5] == f"{text} [{text}]"

    def test_it_is_what_a_reader_of_the_repository_sees(self) -> None:
        text = markdown(document(AGREEMENT, (), "en", DAY))
        assert text.startswith(f"# {AGREEMENT.header.title.en}\n\n`jp-kr-2016 (2016-11-23)`")
        assert "\n- Opening is allowed. [7.2, P]\n" in text
        assert "| notice | 90 days, in writing" in text
        assert text.endswith("|\n")
        assert "\n\n\n" not in text


class Reader(HTMLParser):
    """Reads a page back: its tags in balance, its texts, its attributes."""

    VOID = frozenset({"meta", "rect", "path", "br"})

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1] != "style":
            self.texts.append(data)


class TestPage:
    """(12)"""

    PAGE = page(document(AGREEMENT, (ARRANGEMENT,), "ja", DAY), STYLE)
    READ = Reader(PAGE)

    @given(NASTY)
    @settings(max_examples=150, deadline=None)
    def test_no_text_becomes_a_sign(self, text: str) -> None:
        read_back = Reader(page(odd(text, "ko"), ""))
        assert sum(each == text for each in read_back.texts) >= 8
        plain = Reader(page(odd("x", "ko"), ""))
        assert [tag for tag, _ in read_back.tags] == [tag for tag, _ in plain.tags]

    def test_what_cannot_be_printed_is_shown(self) -> None:
        assert "safe&lt;U+202E&gt;txt" in page(odd("safe\u202etxt"), "")

    def test_it_fetches_nothing_and_runs_nothing(self) -> None:
        policy = next(attrs["content"] for tag, attrs in self.READ.tags if attrs.get("http-equiv"))
        assert policy == "default-src 'none'; style-src 'unsafe-inline'"
        assert not {"script", "img", "link", "iframe"} & {tag for tag, _ in self.READ.tags}
        assert re.findall(r"https?://[^\"]*", self.PAGE) == ["http://www.w3.org/2000/svg"]
        assert "url(" not in self.PAGE
        assert "@import" not in self.PAGE
        assert all((attrs.get("href") or "#").startswith("#") for _, attrs in self.READ.tags)

    def test_it_can_be_read_without_being_seen(self) -> None:
        tags = self.READ.tags
        assert tags[0] == ("html", {"lang": "ja"})
        levels = [int(tag[1]) for tag, _ in tags if re.fullmatch("h[1-6]", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))
        names = [tag for tag, _ in tags]
        assert names.count("caption") == names.count("table") > 5
        assert all(attrs.get("scope") == "col" for tag, attrs in tags if tag == "th")
        (svg,) = (attrs for tag, attrs in tags if tag == "svg")
        assert svg["role"] == "img"
        assert "2026-08-24" in (svg["aria-label"] or "")
        ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        targets = {(attrs.get("href") or "")[1:] for tag, attrs in tags if tag == "a"}
        assert targets <= set(ids)
        assert {"main", "nav", "header"} <= set(names)
        assert ("p", {"lang": "en"}) in tags

    def test_it_prints(self) -> None:
        assert "@page { size: A4" in self.PAGE
        printed = self.PAGE.partition("@media print")[2]
        assert "nav, .skip { display: none; }" in printed
        assert "table-header-group" in printed


class TestSource:
    """(13)"""

    @given(NASTY)
    @settings(max_examples=100, deadline=None)
    def test_every_text_is_a_string_and_nothing_else(self, text: str) -> None:
        strings = re.compile(r'"(?:[^"\\]|\\.)*"|columns: \([^)]*\)')
        sources = [typst_source(odd(each), FAMILIES["en"]) for each in (text, "x")]
        assert strings.sub("", sources[0]) == strings.sub("", sources[1])
