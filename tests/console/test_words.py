"""Every word of the console is there in every language; no page has words, dates or numbers of its own beside that."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC
from html import unescape
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment

from comity.console.catalogues import CODES, Code
from comity.console.glossary import glossary
from comity.console.languages import Language
from console.browser import browser
from console.test_phrases import maker
from world import RELATIONSHIP, World, library

HERE = f"/agreement/{RELATIONSHIP}"
CONSOLE = Path(__file__).parents[2] / "src" / "comity" / "console"
OTHERS = [code for code in CODES if code != "en"]
EVERY = pytest.mark.parametrize("code", OTHERS)
PLACE = re.compile(r"%\((\w+)\)[sd]")
BARE = frozenset({"English", "日本語", "한국어", "Comity", "SHA"})
"""Words that are the same in every language: what a language calls itself, the product, the digest."""
SHOWN = re.compile(r'\b(?:aria-label|title|alt|placeholder|summary)="([^"]*)"')
"""Attributes that somebody reads or hears."""
SILENT = re.compile(r"<(script|style|code|pre)\b.*?</\1>|<!--.*?-->|<[^>]*>|&[a-z]+;", re.DOTALL)
WORD = re.compile(r"[A-Za-zぁ-ヶ一-龠가-힣]{2,}")


@EVERY
def test_every_message_is_translated_and_none_is_of_what_is_gone(code: Code) -> None:
    wanted = {(text if isinstance(text, str) else text[0], context) for text, context in maker().messages()}
    assert len(wanted) > 1000
    here = set()
    for message in read_po(maker().path_of("", code).open("rb"), locale=code):
        if message.id:
            text = message.id if isinstance(message.id, str) else message.id[0]
            forms = [message.string] if isinstance(message.string, str) else list(message.string)
            if all(forms) and not message.fuzzy:
                here.add((text, message.context))
    assert sorted(text for text, _ in wanted - here) == [], "run `make words` and translate these"
    assert sorted(text for text, _ in here - wanted) == [], "run `make words`: these are said no more"


@EVERY
def test_a_message_takes_in_what_it_takes_in_in_english(code: Code) -> None:
    for message in read_po(maker().path_of("", code).open("rb"), locale=code):
        if not message.id:
            continue
        forms = [message.string] if isinstance(message.string, str) else list(message.string)
        texts = [message.id] if isinstance(message.id, str) else list(message.id)
        assert len(forms) == 1, texts  # neither language has a plural
        put = set(PLACE.findall(texts[-1]))
        assert set(PLACE.findall(forms[0])) == put, texts
        assert not re.search(r"%(?!\(\w+\)[sd]|%)", forms[0]) or not put, texts


@EVERY
def test_no_message_is_left_in_english(code: Code) -> None:
    script = r"[ぁ-んァ-ヶ一-龠々]" if code == "ja" else r"[가-힣]"
    for message in read_po(maker().path_of("", code).open("rb"), locale=code):
        if message.id:
            form = message.string if isinstance(message.string, str) else message.string[0]
            assert re.search(script, form), message.id


@EVERY
def test_sentences_end_as_sentences_of_the_language_do(code: Code) -> None:
    """A full stop where English has one, and no space before it."""
    for message in read_po(maker().path_of("", code).open("rb"), locale=code):
        if message.id and isinstance(message.id, str) and isinstance(message.string, str):
            stop = "。" if code == "ja" else "."
            if message.id.endswith(".") and " " in message.id:
                assert message.string.endswith((stop, "…", "…)", f"{stop})")), message.id
            assert f" {stop}" not in message.string, message.id


def bare(template: str) -> Iterator[str]:
    """The words of a template that no catalogue knows."""
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    data, inside = [], False
    tokens = list(environment.lexer.tokeniter(template, "template"))
    for place, (_line, kind, value) in enumerate(tokens):
        opens = any(before[1] == "block_begin" for before in tokens[max(0, place - 2) : place])
        if kind == "name" and value in {"trans", "endtrans"} and opens:
            inside = value == "trans"
        if kind == "data" and not inside:
            data.append(value)
        elif kind == "variable_begin":
            data.append("\x00")  # something is put in
    text = "".join(data)
    yield from (word for shown in SHOWN.findall(text) for word in WORD.findall(shown))
    yield from WORD.findall(SILENT.sub(" ", text))


@pytest.mark.parametrize(
    "template", sorted((CONSOLE / "templates").rglob("*.*")), ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_no_template_has_words_of_its_own(template: Path) -> None:
    assert [word for word in bare(template.read_text(encoding="utf-8")) if word not in BARE] == []


def test_words_of_its_own_are_found_in_a_template() -> None:
    text = '<p title="hello">{{ _("known") }} and {% trans %}also known{% endtrans %} <code>verb</code></p>'
    assert list(bare(text)) == ["hello", "and"]


def test_dates_and_numbers_are_written_by_the_language() -> None:
    """No handler or picture writes a date or groups digits by itself."""
    found = []
    for file in sorted((*(CONSOLE / "pages").glob("*.py"), *CONSOLE.glob("*.py"))):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr == "strftime":
                found.append(f"{file.name}:{node.lineno}")
            if isinstance(node, ast.FormattedValue) and node.format_spec is not None:
                spec = "".join(part.value for part in node.format_spec.values if isinstance(part, ast.Constant))  # type: ignore[attr-defined]  # of an f-string
                if "%" in spec or "," in spec:
                    found.append(f"{file.name}:{node.lineno}")
    assert found == []
    shown = [
        f"{file.relative_to(CONSOLE)}: {each}"
        for file in sorted((CONSOLE / "templates").rglob("*.*"))
        for each in re.findall(r"strftime|\|\s*format\b|isoformat", file.read_text(encoding="utf-8"))
    ]
    assert [each for each in shown if not each.endswith("isoformat")] == []


@EVERY
async def test_whoever_reads_it_in_his_language_meets_no_english(world: World, code: Code) -> None:
    """What flows say on the pages of a house at work; only notes on sources and the English words of levels stay."""
    given = await world.given(title="Radar sites")
    asked = await world.ask(title="A second report")
    await world.exchange()
    agreement = library("jp-kr-2016.toml")
    kept = set(re.findall(r'(?:source|english) = "([^"]*)"', agreement)) | {each.name for each in glossary().sources}
    pages = {
        "lee": (
            "/",
            "/duties",
            "/register",
            "/agreements",
            "/people",
            "/ledger",
            "/requests",
            "/incidents",
            "/releases",
        ),
        "kim": (f"/items/{given.item}", f"/items/{given.item}/why", f"/copies/{given.item}", "/glossary"),
        "abe": (f"/releases/{asked.request}", "/releases", f"/items/{asked.item}/why", HERE, f"{HERE}/text"),
    }
    for handle, paths in pages.items():
        at = await browser(world.jp if handle == "abe" else world.kr, handle, code)
        for path in paths:
            page = await at.get(path)
            assert page.status == 200, path
            assert f'<html lang="{code}"' in page.html
            left = {unescape(each) for each in re.findall(r'<span lang="en">(.+?)</span>', page.html)}
            assert left - kept == set(), path


@EVERY
async def test_what_is_refused_is_refused_in_the_language_of_the_reader(world: World, code: Code) -> None:
    at = await browser(world.jp, "sato", code)
    for path in (
        "/nowhere",
        "/items/i-aaaaaaaaaaaaaaaa",
        "/incidents/x",
        "/accounts",
        "/sites/x",
        "/people/p-x",
        "/muster",
    ):
        page = await at.get(path)
        assert page.status >= 400, path
        assert '<span lang="en">' not in page.html, path


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("en", ("“Assurance before hand-over”", "Article 7.5", "of KR", "Two people for each release")),
        ("ja", ("「提供前の保証」の全ての条件", "第7条5", "KRの「", "提供ごとに二名")),
        ("ko", ("‘제공 전의 보증’의 모든 조건", "제7조제5항", "KR 측의 ‘", "제공마다 두 사람")),
    ],
)
async def test_a_decision_is_told_as_its_readers_speak(world: World, code: Code, wanted: tuple[str, ...]) -> None:
    """Articles as the language cites them, checklists by their titles, parties as every page calls them."""
    given = await world.given()
    path = f"/items/{given.item}/why"
    for at in (await browser(world.jp, "sato", code), await browser(world.jp, "abe", code)):
        page = await at.get(f"/items/{given.item}")
        assert not re.search(r"(?<![\w.-])(?:jp|kr)(?![\w.-])", page.text)  # who did something with it
        page = await at.get(path)
        assert page.status == 200
        assert [each for each in wanted if each not in page.text] == []
        assert not re.search(r"\bassurance\b|(?<![\w-])(?:jp|kr|two-people)(?![\w-])", page.text)


def test_a_size_is_told_in_the_largest_unit_that_fits() -> None:
    sizes = (0, 1, 999, 35_219, 2 * 2**30)
    assert {code: [Language(code, UTC).size(each) for each in sizes] for code in CODES} == {
        "en": ["0 bytes", "1 byte", "999 bytes", "35.2 kB", "2.1 GB"],
        "ja": ["0 バイト", "1 バイト", "999 バイト", "35.2 KB", "2.1 GB"],
        "ko": ["0바이트", "1바이트", "999바이트", "35.2kB", "2.1GB"],
    }
