"""How a label reads to people: the lines that stand on an item, as data, then as text.

Rules of this file (``spec/marking.md`` steps 7 to 10):

- What stands on an item, and which clause asks for it, is read from the agreement's `[marking]` table. The words of
  the identification mark, of the mark on a derivative and of the note on a translation are the agreement's own.
- A mark is shown as its party writes it and is never translated; beside it stands the English word of its level.
- The originator's own label is always among the lines.
- A line says its language, so that a screen reader and a typesetter know it. A text that an agreement does not have in
  a language is shown in English once, not in disguise.

    Provided by: Government of Japan
    군사 Ⅱ급 비밀 (SECRET)
    Originator's mark: 極秘
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from comity.agreement.equivalence import level_of
from comity.agreement.model import Agreement, Marking, Party, Text
from comity.agreement.vocabulary import Language
from comity.errors import Misuse
from comity.marking.label import Label
from comity.marking.translation import MarkedLabel

LANGUAGES: tuple[Language, ...] = ("en", "ja", "ko")

Kind = Literal[
    "provided-by",
    "mark",
    "identification",
    "derivative",
    "translation-note",
    "originator-mark",
    "declassified",
    "rights",
]

_PROVIDED_BY: Mapping[Language, str] = {"en": "Provided by", "ja": "提供元", "ko": "제공처"}
_ORIGINATOR_MARK: Mapping[Language, str] = {
    "en": "Originator's mark",
    "ja": "作成元の表示",
    "ko": "원작성처 표시",
}
_DECLASSIFIED: Mapping[Language, str] = {
    "en": "Declassified by its originator",
    "ja": "作成元により秘密指定解除",
    "ko": "원작성처가 비밀 지정을 해제함",
}
_RIGHTS: Mapping[Language, str] = {
    "en": "Intellectual property to be respected",
    "ja": "尊重すべき知的財産権",
    "ko": "존중하여야 할 지식재산권",
}


class BannerLine(Struct, frozen=True):
    """One line: what it is for, its language, its text, and the clause that asks for it (empty: our own practice)."""

    kind: Kind
    language: Language
    text: str
    clause: str = ""


class Banner(Struct, frozen=True):
    """The lines of one item, from top to bottom."""

    lines: tuple[BannerLine, ...]

    def text(self) -> str:
        """The banner as text, one line each, no line break at the end."""
        return "\n".join(line.text for line in self.lines)


def banner(
    agreement: Agreement,
    marked: MarkedLabel,
    *,
    provider: str,
    languages: Sequence[Language] = LANGUAGES,
    identify: bool = False,
    translated_into: Language | None = None,
    rights: str = "",
    handed_on: Label | None = None,
) -> Banner:
    """What the party of `marked.alternative` puts on an item that `provider` gave it, and on its copies (7).

    Args:
        agreement: the agreement under which it was given.
        marked: the originator's label and the recipient's own beside it.
        provider: id of the party that provided it; its name is shown.
        languages: in which languages, in this order.
        identify: put on the identification mark (Article 2(a) of the 2016 agreement: where needed).
        translated_into: on a translation, its language; the note stands in that language.
        rights: patents, copyright or trade secrets in it, as whoever gave it named them (11).
        handed_on: the label of its originator, where `provider` handed on what is another's (12).

    Raises:
        Misuse: a party is unknown, no language is asked for, or a text is asked for that the agreement lacks.
        Rejected: the recipient's mark is not on its ladder.
    """
    rules = _rules(agreement, languages)
    lines: list[BannerLine] = []
    if rules.providing_name:
        lines += _provided_by(agreement, provider, rules, languages)
    owned = _rights(rules, (rights,), languages)
    if not marked.originator_label.mark:
        told = (BannerLine("declassified", each, _DECLASSIFIED[each]) for each in languages)
        return Banner((*lines, *told, *owned))
    lines.append(_mark(agreement, marked.alternative, rules.clause if rules.own_equivalent else ""))
    if identify:
        lines += _asked("identification", rules.identification, rules.identification_clause, languages)
    if translated_into:
        lines += _asked("translation-note", rules.translation_note, rules.translation_clause, (translated_into,))
    original = written(handed_on or marked.originator_label)
    for each in languages:
        whose = "" if handed_on is None else f" ({_name_of(agreement, handed_on.originator, each)})"
        lines.append(BannerLine("originator-mark", each, f"{_ORIGINATOR_MARK[each]}: {original}{whose}"))
    return Banner((*lines, *owned))


def _name_of(agreement: Agreement, party: str, language: Language) -> str:
    """What a party is called in a language; its id where it is no party to this agreement."""
    return next((each.name.in_language(language) for each in agreement.parties if each.id == party), party)


def derivative_banner(
    agreement: Agreement,
    label: Label,
    *,
    provider: str | None = None,
    originals: Sequence[Label] = (),
    languages: Sequence[Language] = LANGUAGES,
    identify: bool = False,
    contains: bool = True,
    translated_into: Language | None = None,
    rights: Sequence[str] = (),
) -> Banner:
    """What a recipient puts on something it made that contains what it was given (9).

    Args:
        agreement: the agreement under which the contents were given.
        label: the recipient's own label, as `highest` makes it.
        provider: id of the party that provided the contents; its name is shown.
        originals: the labels of what it was made from, as their originators wrote them; each is shown once.
        languages: in which languages, in this order.
        identify: put on the identification mark.
        contains: put on the words for a derivative.
        translated_into: on a translation, its language; the note in it then stands for the words for a derivative.
        rights: patents, copyright or trade secrets in what it was made from; each is shown once.

    Raises:
        Misuse: a party is unknown, no language is asked for, or the agreement has no words for a derivative.
        Rejected: the mark is not on its party's ladder.
    """
    rules = _rules(agreement, languages)
    lines: list[BannerLine] = []
    if rules.providing_name and provider is not None:
        lines += _provided_by(agreement, provider, rules, languages)
    if label.mark:
        lines.append(_mark(agreement, label, rules.derivative_clause or ""))
        if identify:
            lines += _asked("identification", rules.identification, rules.identification_clause, languages)
    else:
        lines += (BannerLine("declassified", each, _DECLASSIFIED[each]) for each in languages)
    if translated_into:
        lines += _asked("translation-note", rules.translation_note, rules.translation_clause, (translated_into,))
    elif contains:
        lines += _asked("derivative", rules.derivative, rules.derivative_clause, languages)
    for original in dict.fromkeys(written(each) for each in originals if each.mark):
        lines += (BannerLine("originator-mark", each, f"{_ORIGINATOR_MARK[each]}: {original}") for each in languages)
    return Banner((*lines, *_rights(rules, rights, languages)))


def portion(label: Label) -> str:
    """The mark of one paragraph or picture, such as `(極秘)` (10)."""
    return f"({written(label)})"


def written(label: Label) -> str:
    """A label in one line (8): the mark, its categories, the parties it may go to, as `極秘//A/B//REL jp, kr`."""
    parts = [label.mark, "/".join(label.categories)]
    if label.releasable_to:
        parts.append("REL " + ", ".join(label.releasable_to))
    return "//".join(part for part in parts if part)


def _rules(agreement: Agreement, languages: Sequence[Language]) -> Marking:
    if not languages:
        raise Misuse("a banner needs at least one language", code="no-language")
    return agreement.marking or Marking(clause="", providing_name=False, own_equivalent=False)


def _party(agreement: Agreement, name: str) -> Party:
    for party in agreement.parties:
        if party.id == name:
            return party
    raise Misuse(f"{name!r} is not a party of {agreement.id!r}", code="unknown-party")


def _provided_by(
    agreement: Agreement, provider: str, rules: Marking, languages: Sequence[Language]
) -> Iterator[BannerLine]:
    for language, name in _spoken(_party(agreement, provider).name, languages):
        yield BannerLine("provided-by", language, f"{_PROVIDED_BY[language]}: {name}", rules.clause)


def _rights(rules: Marking, rights: Sequence[str], languages: Sequence[Language]) -> tuple[BannerLine, ...]:
    """(11) Rights that were named stand on an item in each language, each once."""
    return tuple(
        BannerLine("rights", language, f"{_RIGHTS[language]}: {named}", rules.rights_clause or "")
        for named in dict.fromkeys(rights)
        if named
        for language in languages
    )


def _mark(agreement: Agreement, label: Label, clause: str) -> BannerLine:
    """The recipient's own mark, with the English word of its level beside it where that is another word."""
    language = _party(agreement, label.policy).languages[0]
    level = level_of(agreement, label.policy, label.mark)
    english = "" if level.english == label.mark else f" ({level.english})"
    return BannerLine("mark", language, written(label) + english, clause or level.clause)


def _asked(kind: Kind, text: Text | None, clause: str | None, languages: Sequence[Language]) -> tuple[BannerLine, ...]:
    if text is None:
        raise Misuse(f"the agreement has no words for the {kind} line", code="no-words")
    return tuple(BannerLine(kind, language, words, clause or "") for language, words in _spoken(text, languages))


def _spoken(text: Text, languages: Sequence[Language]) -> tuple[tuple[Language, str], ...]:
    """The text in each language in which it is known, and in English when that is none of them."""
    known: dict[Language, str] = {"en": text.en, "ja": text.ja, "ko": text.ko}
    found: tuple[tuple[Language, str], ...] = tuple((each, known[each]) for each in languages if known[each])
    return found or (("en", text.en),)
