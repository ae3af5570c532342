"""The glossary: strict as a file, one word for one term in every catalogue, and its page."""

from __future__ import annotations

import re

import pytest

from comity.console.catalogues import CODES, CONTEXT, Code, catalogue
from comity.console.glossary import Glossary, glossary, read_glossary
from comity.errors import Rejected
from console.browser import Browser, browser, outside_addresses
from world import World

TERM = """
[[term]]
group = "acts"
en = "loss"
ja = "紛失"
ko = "분실"
means = { en = "a", ja = "b", ko = "c" }
"""
SOURCE = '[[source]]\nid = "W"\nname = "A source"\n'
EVERYDAY = frozenset({"item", "level", "party", "recipient", "return"})
"""Terms that are also everyday words; every other one stands for one thing wherever it stands."""
PLAIN = re.compile(r"\[\[[a-z]+\]\]|'[^']+'|comity [a-z -]+|[a-z]+-[a-z-]+|<[^>]+>|%\([a-z]+\)s")
"""What is no word of a sentence: keys of files, commands, words of programs, markup."""
OTHERS = [code for code in CODES if code != "en"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[term", "not a glossary"),
        (TERM.replace('ko = "분실"\n', ""), "missing required field `ko`"),
        (TERM + 'told = "x"\n', "unknown field `told`"),
        (TERM.replace('"acts"', '"other"'), "Invalid enum value 'other'"),
        (TERM + 'sources = { ja = "P W" }\n', "names the source 'P W'"),
        (SOURCE + TERM + 'sources = { ja = "K W" }\n', "names the source 'K W'"),
        (TERM + 'sources = { fr = "P W" }\n', "Invalid enum value 'fr'"),
        (TERM + TERM, "'loss' stands in the glossary twice"),
    ],
)
def test_a_glossary_is_read_strictly(text: str, says: str) -> None:
    with pytest.raises(Rejected, match=re.escape(says)) as refused:
        read_glossary(text, "mine.toml")
    assert refused.value.code == "bad-glossary"
    assert refused.value.place == "mine.toml"


def test_a_word_is_known_by_its_source_or_unreviewed() -> None:
    book = read_glossary(SOURCE + TERM + 'sources = { ja = "P W" }\n', "mine.toml")
    (term,) = book.terms
    assert book.read(term, "ja") == ("P", "A source")
    assert book.read(term, "ko") == ("", "")


def test_every_source_is_one_of_a_word_and_every_term_is_found_in_each_language() -> None:
    book = glossary()
    assert len(book.terms) > 60
    named = {written.partition(" ")[2] for term in book.terms for written in term.sources.values()}
    assert named == {each.id for each in book.sources}
    for term in book.terms:
        for code in CODES:
            assert term in book.found(term.in_language(code))
    assert book.found("there is no such word") == ()
    assert book.found("") == book.terms


@pytest.mark.parametrize("code", OTHERS)
def test_a_term_is_one_word_in_every_catalogue(code: Code) -> None:
    """Whatever is said with a term in English is said with its word, or one of its other forms, in each language."""
    book: Glossary = glossary()
    terms = {term.en: term for term in book.terms if term.en not in EVERYDAY}
    wrong = []
    for of in ("", "flows", "agreements"):
        for key, (told, *_) in catalogue(code, of).items():
            text = key.rpartition(CONTEXT)[2]
            for english, term in terms.items():
                stands = re.search(rf"\b{re.escape(english)}s?\b", PLAIN.sub("", text), re.IGNORECASE)
                if stands and " " in text and not any(form in told for form in term.forms(code)):
                    wrong.append(f"{english}: {text} | {told}")
    assert wrong == []


@pytest.fixture
async def at(world: World) -> Browser:
    return await browser(world.jp, "sato")


async def test_the_page_shows_every_term_with_the_source_of_each_word(at: Browser) -> None:
    page = await at.get("/glossary")
    assert page.status == 200
    for said in ("originator", "提供元", "원제공자", "unreviewed: our own translation", "Japanese Wikisource"):
        assert said in page.text
    assert "極秘" in page.text
    assert outside_addresses(page.html) == []


async def test_a_term_is_found_in_any_language_and_nothing_found_says_what_to_do(at: Browser) -> None:
    assert "제3자" in (await at.get("/glossary?q=%E7%AC%AC%E4%B8%89%E8%80%85")).text
    none = await at.get("/glossary?q=%3Cscript%3Ealert(1)%3C/script%3E")
    assert "No term has this text in it" in none.text
    assert "<script>alert" not in none.html
    assert (await at.get("/glossary?q=" + "x" * 500)).status == 200
