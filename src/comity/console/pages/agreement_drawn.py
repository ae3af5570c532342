"""What the pages of an agreement draw: both ladders, and its course by each reading."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Literal

from markupsafe import Markup

from comity.agreement.equivalence import equivalents, ladder
from comity.agreement.model import EVERY_PARTY, Agreement, Equivalence, Layer
from comity.agreement.term import Status
from comity.agreement.timeline import Row
from comity.console.dates import sayer
from comity.console.languages import N_, Language
from comity.console.phrases import phrase
from comity.console.pictures import ladders, timeline
from comity.console.pictures.axis import Axis
from comity.console.pictures.drawing import Names
from comity.errors import Refused

PHASES = {
    "not-signed": N_("not signed"),
    "signed": N_("signed"),
    "in-force": N_("in force"),
    "notice-given": N_("notice given"),
    "notice-suspended": N_("notice suspended"),
    "lapsed": N_("lapsed"),
}
"""What a phase of an agreement is called."""
AHEAD = timedelta(days=400)
"""How far an axis reaches beyond the last day it tells of: the next renewal is on it."""


def party_names(agreement: Agreement, language: str) -> dict[str, str]:
    """What each party is called, by its id."""
    return {party.id: party.name.in_language(language) for party in agreement.parties}


def draw_ladders(agreement: Agreement, layers: Sequence[Layer], ours: str, theirs: str, words: Language) -> Markup:
    """The ladders of two parties and what corresponds."""
    called = party_names(agreement, words.code)
    left, right = (_ladder(agreement, party, called[party]) for party in (ours, theirs))
    title = words.say(
        "Levels of %(ours)s and of %(theirs)s, and which correspond", ours=called[ours], theirs=called[theirs]
    )
    return ladders.ladders(
        left,
        right,
        tuple(_links(agreement, layers, ours, theirs, words)),
        ladders.Words(
            names=Names(
                key="ladders",
                title=title,
                description=words.say(
                    "Two ladders side by side, the highest level on top. Lines join the marks that correspond; what "
                    "stands above the ceiling is joined with nothing."
                ),
                table=words.say("The same as a table"),
            ),
            ceiling=words.say("The ceiling: what stands above it never crosses"),
            never=words.say("nothing: it never crosses"),
            only=words.say("corresponds"),
            chosen=words.say("proposed where several correspond"),
            possible=words.say("possible, where a person chooses it"),
            columns=(
                words.say("Party"),
                words.say("Mark"),
                words.say("In English"),
                words.say("Corresponds to"),
                words.say("Article"),
            ),
        ),
    )


def _ladder(agreement: Agreement, party: str, name: str) -> ladders.Ladder:
    levels = ladder(agreement, party)
    return ladders.Ladder(
        name, tuple(ladders.Level(each.mark, each.english, each.rank, each.crosses) for each in levels)
    )


def _links(
    agreement: Agreement, layers: Sequence[Layer], ours: str, theirs: str, words: Language
) -> Iterator[ladders.Link]:
    shared = [each for each in agreement.levels if each.party == EVERY_PARTY and each.crosses]
    yield from (ladders.Link(each.mark, each.mark, words.article(each.clause)) for each in shared)
    for row in agreement.equivalences:
        left, right = row.marks.get(ours, ()), row.marks.get(theirs, ())
        for mine, other in product(left, right):
            kind = _kind(agreement, layers, row, (ours, mine), (theirs, other))
            yield ladders.Link(mine, other, words.article(row.clause), kind)


def _kind(
    agreement: Agreement, layers: Sequence[Layer], row: Equivalence, mine: tuple[str, str], other: tuple[str, str]
) -> Literal["only", "chosen", "possible"]:
    """Whether two marks of a row are all there is on either side, or one of them is to be chosen."""
    kinds = []
    for (party, mark), (to, met) in ((mine, other), (other, mine)):
        if len(row.marks[to]) > 1:
            try:
                kinds.append(equivalents(agreement, party, mark, to, layers).preferred == met)
            except Refused:  # a row that holds for items of one side only
                kinds.append(False)
    return "only" if not kinds else "chosen" if all(kinds) else "possible"


def draw_timeline(
    agreement: Agreement,
    rows: Sequence[Row],
    before: Status,
    axis: Axis,
    at: datetime,
    words: Language,
) -> Markup:
    """What happened to an agreement, how each party read it, and the instant that is asked about."""
    called = party_names(agreement, words.code)
    readings = [
        timeline.Reading(called.get(each.party, each.party), _stretches(each.party, each.phase, rows, axis.start))
        for each in before.readings
    ]
    happened = [
        timeline.Happening(
            row.at, row.when, phrase(row.says, words.code) or row.says, ", ".join(row.by), (*row.sources, *row.versions)
        )
        for row in rows
    ]
    say = sayer(words)
    return timeline.timeline(
        readings,
        happened,
        axis,
        timeline.Words(
            names=Names(
                key="timeline",
                title=words.say("The course of the agreement, as each party reads it"),
                description=words.say(
                    "A band for each party, coloured by how it reads the agreement from when on; below are the dates "
                    "and the numbers of the events; a line marks %(day)s.",
                    day=say(at, "day"),
                ),
                table=words.say("The same as a table"),
            ),
            phases={phase: words.message(word) for phase, word in PHASES.items()},
            chosen=say(at, "day"),
            columns=(words.say("No."), words.say("When"), words.say("What happened"), words.say("Read afterwards")),
        ),
        say,
        at,
    )


def _stretches(party: str, first: str, rows: Sequence[Row], start: datetime) -> tuple[timeline.Stretch, ...]:
    found = [timeline.Stretch(start, (first,))]
    for row in rows:
        phases = tuple(row.phases[party].split(" or "))
        if phases != found[-1].phases:
            found.append(timeline.Stretch(row.at, phases))
    return tuple(found)
