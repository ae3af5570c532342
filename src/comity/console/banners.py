"""The classification of a page: the highest of what stands on it, in the words and colours of the reader's own side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from comity.agreement.model import EVERY_PARTY, Agreement
from comity.agreement.vocabulary import Language
from comity.console.visit import Visit
from comity.marking.banner import BannerLine
from comity.marking.label import Label

COLOURS_MAX = 5
"""The highest rank that has a colour of its own; a higher one has this one's."""

UNKNOWN = 1_000
"""The rank of a mark that no agreement here has: nobody knows that it is lower than another."""


class PageBanner(msgspec.Struct, frozen=True):
    """What stands at the top and at the bottom of a page; ``rank`` says the colour, 0 where nothing is classified."""

    rank: int
    lines: tuple[BannerLine, ...]


async def banner_of(visit: Visit, labels: Iterable[tuple[Label, Label | None]]) -> PageBanner | None:
    """The banner of a page on which items stand that have these labels; None where there are none.

    Args:
        visit: whose page.
        labels: of each item, its originator's label and the other party's mark for it, where it has one.
    """
    found = list(dict.fromkeys(own_label(visit, *each) for each in labels))
    if not found:
        return None
    known = _levels(await visit.desk.agreements())
    highest = max(found, key=lambda label: _rank(known, label))
    level = known.get((highest.policy, highest.mark))
    if not highest.mark:
        return PageBanner(0, (BannerLine("declassified", visit.words.code, visit.words("Not classified")),))
    if level is None:
        return PageBanner(COLOURS_MAX, (BannerLine("mark", "en", highest.mark),))
    lines = [BannerLine("mark", level.language, highest.mark)]
    if level.english != highest.mark:
        lines.append(BannerLine("mark", "en", level.english))
    return PageBanner(min(level.rank, COLOURS_MAX), tuple(lines))


class _Level(msgspec.Struct, frozen=True):
    """What a mark is: its rank, its English word, and the language that it is written in."""

    rank: int
    english: str
    language: Language


def own_label(visit: Visit, label: Label, alternative: Label | None) -> Label:
    """Of an item, the label in the own side's words where there is one, else its originator's."""
    return alternative if alternative is not None and alternative.policy == visit.desk.house.party else label


def _levels(agreements: Iterable[Agreement]) -> Mapping[tuple[str, str], _Level]:
    """Every mark by its party, as the agreement says that ranks it highest."""
    found = [
        ((party.id, level.mark), _Level(level.rank, level.english, party.languages[0]))
        for agreement in agreements
        for level in agreement.levels
        for party in agreement.parties
        if level.party in (party.id, EVERY_PARTY)
    ]
    return dict(sorted(found, key=lambda each: each[1].rank))


def _rank(known: Mapping[tuple[str, str], _Level], label: Label) -> int:
    """The rank of a mark; one that nothing here knows is the highest, and one that is not there the lowest."""
    if not label.mark:
        return 0
    level = known.get((label.policy, label.mark))
    return UNKNOWN if level is None else level.rank
