"""Articles by their numbers, as each language cites them (``spec/words.md`` step 9)."""

from __future__ import annotations

from collections.abc import Mapping

from comity.decision.wording.words import AS_TYPED

_ARTICLE: Mapping[str, str] = {"en": "Article {}", "ja": "第{}条", "ko": "제{}조"}
_PARAGRAPH: Mapping[str, str] = {"en": ".{}", "ja": "{}", "ko": "제{}항"}
_POINT: Mapping[str, str] = {"en": ".{}", "ja": "({})", "ko": "({})"}


def is_number(clause: str) -> bool:
    """Whether a clause is cited by a number, and not by a name."""
    return clause[:1].isdecimal()


def article(clause: str, language: str) -> str:
    """A clause as it is cited: ``7.5.a`` is Article 7.5.a, 第7条5(a), 제7조제5항(a).

    A clause that has a name instead of a number keeps it, and so does every one ``AS_TYPED``.
    """
    number, *deeper = clause.split(".")
    if language == AS_TYPED or not is_number(clause):
        return clause
    said = _ARTICLE[language].format(number)
    for place, part in enumerate(deeper):
        form = _PARAGRAPH if place == 0 and part.isdecimal() else _POINT
        said += form[language].format(part)
    return said
