"""The legal and operational words of the console: what each means, in three languages, and where it was read.

``glossary.toml`` holds them (``spec/words.md`` step 7). A word in Japanese or Korean without a source is a translation
of our own that nobody has reviewed, and is shown as such.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal, NamedTuple

import msgspec

from comity.console.catalogues import Code
from comity.console.languages import N_
from comity.errors import Rejected

Group = Literal["agreement", "roles", "levels", "people", "acts", "registers"]
GROUPS: Mapping[Group, str] = {
    "agreement": N_("The agreement"),
    "roles": N_("Who does what"),
    "levels": N_("Levels"),
    "people": N_("People and places"),
    "acts": N_("What is done"),
    "registers": N_("Registers and proof"),
}
"""Groups of terms, in the order in which they are shown."""
KNOWN: Mapping[str, str] = {
    "P": N_("read in the primary text"),
    "S": N_("read in a secondary source"),
    "": N_("unreviewed: our own translation"),
}
"""How well the word of a language is known."""


class InThree(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The same in each language."""

    en: str
    ja: str
    ko: str

    def in_language(self, code: Code) -> str:
        """It in one language."""
        return {"en": self.en, "ja": self.ja, "ko": self.ko}[code]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where words were read."""

    id: str
    name: str


class Term(InThree, frozen=True, forbid_unknown_fields=True):
    """A term in each language.

    Attributes:
        group: with which others it is shown.
        means: what it means.
        clause: of the Japanese-Korean agreement of 2016, where it stands there.
        sources: by language how the word is known and where it was read, as in ``P WSn``.
        also: by language other forms that stand for the same in sentences.
    """

    group: Group
    means: InThree
    clause: str = ""
    sources: Mapping[Code, str] = msgspec.field(default_factory=dict)
    also: Mapping[Code, tuple[str, ...]] = msgspec.field(default_factory=dict)

    def forms(self, code: Code) -> tuple[str, ...]:
        """Every form that stands for it in sentences."""
        return (self.in_language(code), *self.also.get(code, ()))


class Read(NamedTuple):
    """Where the word of a language was read: how well it is known, and the source; both empty where nobody checked."""

    known: str
    source: str


class Glossary(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every term."""

    sources: tuple[Source, ...] = msgspec.field(name="source", default=())
    terms: tuple[Term, ...] = msgspec.field(name="term", default=())

    def read(self, term: Term, code: Code) -> Read:
        """Where the word of a term was read."""
        known, _, source = term.sources.get(code, "").partition(" ")
        return Read(known, next((each.name for each in self.sources if each.id == source), ""))

    def found(self, wanted: str) -> tuple[Term, ...]:
        """The terms in which a text stands, in any language; all of them without one."""
        text = wanted.casefold()
        return tuple(
            each for each in self.terms if any(text in said.casefold() for said in (each.en, each.ja, each.ko))
        )


def read_glossary(text: str, place: str) -> Glossary:
    """A glossary as written.

    Raises:
        Rejected: it is not TOML, a term lacks something or has more, names an unknown source, or stands there twice.
    """
    try:
        glossary = msgspec.convert(tomllib.loads(text), Glossary)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise Rejected(f"not a glossary: {error}", code="bad-glossary", place=place) from None
    sources, seen = {each.id for each in glossary.sources}, set[str]()
    for term in glossary.terms:
        for written in term.sources.values():
            known, _, source = written.partition(" ")
            if known not in {"P", "S"} or source not in sources:
                raise Rejected(f"{term.en!r} names the source {written!r}", code="bad-glossary", place=place)
        if term.en in seen:
            raise Rejected(f"{term.en!r} stands in the glossary twice", code="bad-glossary", place=place)
        seen.add(term.en)
    return glossary


@cache
def glossary() -> Glossary:
    """The glossary of the console."""
    name = "glossary.toml"
    return read_glossary(resources.files("comity.console").joinpath(name).read_text(encoding="utf-8"), name)
