"""Sentences for people: what each reason of a decision says, and what each outcome means (``spec/words.md`` step 1).

Rules of this room:

- A sentence belongs to a code, in a table of its language (``english.py``, ``japanese.py``, ``korean.py``; what a table
  needs is in ``words.py``), so that another language is another table and no code.
- A sentence is whole, lowercase, without a full stop, and names no person but by pseudonym.
- Marks, names, ids and purposes stand in it as they were given; parties and nations in capitals, except ``AS_TYPED``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from comity.decision.counterfactual import Missing
from comity.decision.model import Duty, Effect, Outcome, Reason
from comity.decision.wording.articles import article
from comity.decision.wording.english import ENGLISH
from comity.decision.wording.japanese import JAPANESE
from comity.decision.wording.korean import KOREAN
from comity.decision.wording.words import AS_TYPED, CHECKLISTS, PARTIES, Words
from comity.errors import Misuse

LANGUAGES: Mapping[str, Words] = {"en": ENGLISH, "ja": JAPANESE, "ko": KOREAN}
_NUMBERED = re.compile(r"PT?([0-9]+)([YMDH])")
NO_TITLES: Mapping[str, str] = {}
_OWN_ITEM = frozenset({"agreement-unknown", "label-below-ancestor"})
"""Reasons of step 18 whose sentences name the ancestor themselves."""


def outcome_wording(decision: Outcome, language: str = AS_TYPED) -> str:
    """What the outcome means, in a few words.

    Raises:
        Misuse: there are no sentences in this language.
    """
    return _words(language).outcomes[type(decision).__name__]


def effect_wording(effect: Effect, language: str = AS_TYPED) -> str:
    """The word that stands before a reason's sentence.

    Raises:
        Misuse: there are no sentences in this language.
    """
    return _words(language).effects[effect]


def sentence(reason: Reason, language: str = AS_TYPED, titles: Mapping[str, str] = NO_TITLES) -> str:
    """What a reason says, without the clause it cites; a checklist by its title, where one is given for its id.

    Raises:
        Misuse: there are no sentences in this language.
    """
    words = _words(language)
    parameters = reason.parameters
    ancestor = ""
    if reason.step == 18 and reason.code not in _OWN_ITEM:
        ancestor, parameters = f"{parameters[0]}: ", parameters[2:]
    parameters = _as_read(reason.code, parameters, language, titles)
    if reason.code in {"form-outside", "method-allowed", "method-forbidden", "contested"}:
        parameters = tuple(words.terms.get(each, each) for each in parameters)
    said = words.reasons[reason.code].format(
        *(each or words.none_named for each in parameters),
        about=reason.about,
        all=words.listed.join(parameters),
        rest=words.listed.join(parameters[1:]),
        marks=words.alternatives.join(parameters[2:]),
    )
    return ancestor + said


def reason_wording(reason: Reason, language: str = AS_TYPED) -> str:
    """``sentence`` with the clause it cites and how far that is checked: ``"… (jp-kr-2016, 6.a, S)"``.

    Raises:
        Misuse: there are no sentences in this language.
    """
    clause = article(reason.clause, language)
    cited = f"{reason.instrument}, {clause}, {reason.provenance}" if clause else reason.instrument
    return f"{sentence(reason, language)} ({cited})"


def missing_wording(
    missing: Sequence[Missing], language: str = AS_TYPED, titles: Mapping[str, str] = NO_TITLES
) -> tuple[str, ...]:
    """What would have to happen, with the clauses that ask for it; the conditions of one checklist in one sentence.

    Raises:
        Misuse: there are no sentences in this language.
    """
    words = _words(language)
    gathered: dict[tuple[str, str, tuple[str, ...]], list[Missing]] = {}
    for each in missing:
        what = each.what[:-1] if each.kind == "attestation" else each.what
        gathered.setdefault((each.kind, each.about, what), []).append(each)
    sentences = []
    for group in gathered.values():
        first = group[0]
        what = _as_read(first.kind, first.what, language, titles)
        said = words.missing[first.kind].format(
            *(each or words.none_named for each in what),
            about=first.about,
            all=words.listed.join(what),
            conditions=words.listed.join(article(each.what[-1], language) for each in group if each.what),
        )
        clauses = dict.fromkeys(clause for each in group for clause in each.clauses)
        if first.kind == "attestation":
            clauses = dict.fromkeys(clause.partition(":")[0] for clause in clauses)
        cited = ", ".join(_cited(each, language, titles) for each in clauses)
        sentences.append(f"{said} ({cited})" if cited else said)
    return tuple(sentences)


def duty_wording(duty: Duty, language: str = AS_TYPED) -> str:
    """What an act obliges to: ``"the recipient must give a receipt, at receipt (jp-kr-2016, 9.b, S)"``.

    Raises:
        Misuse: there are no sentences in this language.
    """
    words = _words(language)
    said = words.duty.format(
        who=words.owers[duty.who],
        deed=words.deeds[duty.act],
        to=words.to.format(words.owed[duty.to]) if duty.to else "",
        within=words.limit.format(_limit(duty, words)) if duty.within else "",
    )
    limit = words.limit_from.format(_cited(duty.limit_from, language)) if duty.limit_from else ""
    return f"{said} ({duty.instrument}, {article(duty.clause, language)}, {duty.provenance}{limit})"


def _as_read(code: str, parameters: tuple[str, ...], language: str, titles: Mapping[str, str]) -> tuple[str, ...]:
    """Parameters as people read them: parties and nations in capitals, a checklist by its title."""
    if language == AS_TYPED:
        return parameters
    if code in CHECKLISTS:
        return (_words(language).titled.format(titles.get(parameters[0], parameters[0])), *parameters[1:])
    places = PARTIES.get(code, ())
    return tuple(each.upper() if place in places else each for place, each in enumerate(parameters))


def _cited(named: str, language: str, titles: Mapping[str, str] = NO_TITLES) -> str:
    """A clause that is named with its instrument, as in ``jp-kr-2016:6.a``; by its heading where one is given."""
    instrument, colon, clause = named.partition(":")
    if language == AS_TYPED or not colon:
        return named
    return f"{instrument} {titles.get(named) or article(clause, language)}"


def _limit(duty: Duty, words: Words) -> str:
    """Until when: a word, or a number of years, months, days or hours."""
    for word, said in words.limits.items():
        if duty.within == word:
            return said
    numbered = _NUMBERED.fullmatch(duty.within)
    if numbered is None:
        return words.within.format(duty.within)
    number, unit = numbered.groups()
    length = words.lengths.get(number + unit) or words.lengths[unit]
    return words.within.format(length.format(number))


def _words(language: str) -> Words:
    if language == AS_TYPED:
        return ENGLISH
    if language not in LANGUAGES:
        raise Misuse(f"there are no sentences in {language!r}; known: {', '.join(LANGUAGES)}", code="unknown-language")
    return LANGUAGES[language]
