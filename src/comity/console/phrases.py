"""What flows say in English, in the language of whoever reads it (``spec/words.md`` steps 3 to 6).

An error, a duty or an event is one English sentence with something put into it, and its code. Catalogues
(``locale/flows.ja.po``, ``locale/flows.ko.po``) have the sentences with places, ``{0}``, ``{1}`` …, where something is
put in; a sentence is found again by its own words, and what stood in its places is carried over.

Rules of this file:

- What stood in a place is carried over as it is: ids, marks, names and what people wrote. Only closed words (the state
  of a copy, a role, an act), sentences that stand in another one, articles and dates are told in the language too.
- Decisions are not told by this: they are worded in the language from the start (``decision/wording``).
- The words of an agreement of the library are summaries of our own in every language, never the authentic text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from itertools import chain, pairwise
from typing import NamedTuple, get_args

from comity.console.catalogues import CODES, CONTEXT, Code, catalogue
from comity.decision.wording import LANGUAGES as DECISIONS
from comity.decision.wording.articles import article
from comity.explanation.phrases import ACTS, CHANNELS, COUNTING, FORMS, LANGUAGES, METHODS, PHRASES, RELATIONS
from comity.register.rows import CopyState

LETTERS_MIN = 6
"""A sentence with fewer letters of its own is recognised only where each place holds a name or a list of names, stands
in quotation marks, or comes after a colon at the end; and never within another sentence."""
PUT_IN = (RELATIONS, CHANNELS, COUNTING, METHODS, FORMS, ACTS)
"""Closed words of agreement files that are also put into sentences; of a word in two of them the last counts."""
STATES = frozenset(get_args(CopyState))
"""States of copies; each also begins a line about a copy, before whoever has it."""
_BETWEEN = re.compile("(: |, )")
_ARTICLE = "Article "
"""What stands before the number of a clause."""
_VERSION = "version "
"""What stands before the name of a text's version, which may be a day and is no date."""
_CITED = re.compile(_ARTICLE + r"([0-9][0-9a-z.]*)")
_DATED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}\S*)?")
"""A day or an instant, as flows write it (ISO 8601)."""
_PLACE = re.compile(r"\{([0-9]+)\}")
_NUMBERS = {"{about}": "{90}", "{all}": "{91}", "{rest}": "{92}", "{marks}": "{93}"}
"""The places of a decision's sentence that have names there, as places of a sentence here."""
_ANYTHING, _NAMES = "(.*?)", r"([^\s,]+(?: [^\s,]+)?(?:, [^\s,]+)*)"


class Sentence(NamedTuple):
    """A sentence with places: what finds it again, the order of its places, how many letters it has, its own words."""

    found_by: re.Pattern[str]
    places: tuple[str, ...]
    letters: int
    own: tuple[str, ...]
    told: str


Dated = Callable[[str], str]
"""How a day or an instant is told."""


class Book(NamedTuple):
    """Everything that flows say, in one language; of English, the sentences in which a date may stand.

    Attributes:
        code: the language.
        whole: sentences into which nothing is put, the words of agreements, and the closed words of their files.
        sentences: the others, those with most letters of their own first.
        codes: a sentence for an error by its code, where its own words are not known.
        words: closed words that are also put into sentences.
    """

    code: Code
    whole: Mapping[str, str]
    sentences: tuple[Sentence, ...]
    codes: Mapping[str, str]
    words: Mapping[str, str]


def phrase(text: str, code: Code, dated: Dated = str) -> str | None:
    """What a flow, or an agreement of the library, says, in a language; None where it is not known there.

    Args:
        text: what was said.
        code: the language.
        dated: how days and instants that stand in a sentence are told; as they are written unless given.
    """
    if not text or (code == "en" and not _DATED.search(text)):
        return text
    if _DATED.fullmatch(text):
        return dated(text)
    told = _told(text, _book(code), 0, dated)
    return text if code == "en" and told is None else told


def meaning(error: str, code: Code) -> str | None:
    """What an error means, by its code alone; None in English, and where it is not known."""
    return None if code == "en" else _book(code).codes.get(error)


def _told(text: str, book: Book, letters_min: int, dated: Dated) -> str | None:
    known = _words(text, book) or book.whole.get(text)
    if known is not None:
        return known
    for sentence in book.sentences:
        if sentence.letters < letters_min:
            return None
        if _may_be(text, sentence.own):
            found = sentence.found_by.fullmatch(text)
            if found is not None:
                put = zip(sentence.places, sentence.own, found.groups(), strict=False)
                return _filled(sentence.told, {place: _put(said, before, book, dated) for place, before, said in put})
    head, colon, tail = text.rpartition(": ")
    if colon and tail in book.whole:
        return f"{head}: {book.whole[tail]}"
    state, comma, rest = text.partition(", ")
    if comma and state in STATES:
        return f"{book.words.get(state, state)}, {rest}"
    return None


def _may_be(text: str, own: tuple[str, ...]) -> bool:
    """Whether the words of a sentence stand in a text, in their order; in one pass, whatever stands between them.

    A pattern with several places tries every way to share out a long text among them before it finds that there is
    none, and what people wrote may be long. Where this holds, its first way is right.
    """
    at, end = len(own[0]), len(text) - len(own[-1])
    if not text.startswith(own[0]) or at > end or not text.endswith(own[-1]):
        return False
    for each in own[1:-1]:
        at = text.find(each, at, end) + len(each)
        if at < len(each):
            return False
    return True


def _words(text: str, book: Book) -> str | None:
    """A closed word, or several of them, as in ``open: permit``."""
    parts = _BETWEEN.split(text)
    if all(part in book.words for part in parts[::2]):
        return "".join(part if number % 2 else book.words[part] for number, part in enumerate(parts))
    return None


def _put(said: str, before: str, book: Book, dated: Dated) -> str:
    """What stood in a place, after words of its sentence."""
    if before.endswith(_VERSION):
        return said
    if before.endswith(_ARTICLE):  # which stands in the sentence itself in English, and in what is cited elsewhere
        return said if book.code == "en" else article(said, book.code)
    if _DATED.fullmatch(said):
        return dated(said)
    if cited := _CITED.fullmatch(said):
        return article(cited[1], book.code)
    nested = _told(said, book, LETTERS_MIN, dated) if " " in said else _words(said, book)
    return said if nested is None else nested


def _filled(told: str, put: Mapping[str, str]) -> str:
    """A sentence with its places filled; in one pass, so that nothing that is put in is taken for a place."""
    parts = _PLACE.split(told)
    return "".join(put[part] if number % 2 else _plain(part) for number, part in enumerate(parts))


def _plain(part: str) -> str:
    return part.replace("{{", "{").replace("}}", "}")


@cache
def _book(code: Code) -> Book:
    if code == "en":
        texts = [text for text in catalogue(CODES[-1], "flows") if CONTEXT not in text and _PLACE.search(text)]
        return Book("en", {}, _in_order([_sentence(text, text) for text in texts]), {}, {})
    place = LANGUAGES.index(code)
    whole = {word: each[place] for phrases in PHRASES.values() for word, each in phrases.items() if word}
    whole |= {text: told for text, (told, *_) in catalogue(code, "agreements").items()}
    codes: dict[str, str] = {}
    words = {word: each[place] for phrases in PUT_IN for word, each in phrases.items()}
    sentences = []
    for message, (told, *_) in catalogue(code, "flows").items():
        context, _, text = message.rpartition(CONTEXT)
        if context:
            {"code": codes, "word": words}[context][text] = told
        elif _PLACE.search(text):
            sentences.append(_sentence(text, told))
        else:
            whole[_plain(text)] = _plain(told)
    english, other = DECISIONS["en"], DECISIONS[code]
    for reason, said in english.reasons.items():  # of a decision that a flow has worded already
        sentence = _numbered(said)
        if _PLACE.search(sentence):
            sentences.append(_sentence(sentence, _numbered(other.reasons[reason])))
        else:
            whole[sentence] = other.reasons[reason]
    whole |= {said: other.outcomes[outcome] for outcome, said in english.outcomes.items()}
    return Book(code, whole, _in_order(sentences), codes, words)


def _in_order(sentences: Iterable[Sentence]) -> tuple[Sentence, ...]:
    return tuple(sorted(sentences, key=lambda each: -each.letters))


def _numbered(said: str) -> str:
    """A sentence of a decision with numbers for the places that have names there."""
    for name, number in _NUMBERS.items():
        said = said.replace(name, number)
    return said


def _sentence(text: str, told: str) -> Sentence:
    parts = [_plain(part) for part in _PLACE.split(text)]
    own, places = parts[::2], parts[1::2]
    letters = sum(map(str.isalpha, chain.from_iterable(own)))
    holes = []
    for before, after in pairwise(own):
        free = letters >= LETTERS_MIN or before[-1:] + after[:1] == '""' or before[-2:] + after == ": "
        holes.append(_ANYTHING if free else _NAMES)
    pattern = "".join(chain.from_iterable(zip(map(re.escape, own), [*holes, ""], strict=True)))
    return Sentence(re.compile(pattern, re.DOTALL), tuple(places), letters, tuple(own), told)
