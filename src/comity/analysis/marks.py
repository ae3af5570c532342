"""What becomes of marks when they cross and come back (``spec/analysis.md`` steps 3 and 4).

Rules of this file:

- A mark crosses by the equivalence of an agreement. Where that offers several and prefers none, each can be chosen.
- A round trip goes from one party by way of others back to it, under one agreement or several. The shortest is told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from comity.agreement.equivalence import Equivalents, equivalents, ladder
from comity.agreement.model import EVERY_PARTY, Agreement, Layer, Level
from comity.analysis.findings import Finding, Source, several
from comity.errors import Refused

Marked = tuple[str, str]
"""A party, and one of its marks."""
Step = tuple[str, Marked]
"""The agreement under which something crossed, and what it was marked then."""


def marks_without_equivalent(source: Source, layers: Sequence[Source]) -> Iterator[Finding]:
    """Marks that may cross but that another party could not write, so that every such gift is refused."""
    agreement = cast("Agreement", source.text)
    for index, level in enumerate(agreement.levels):
        if not level.crosses or level.party == EVERY_PARTY:
            continue
        lost = [
            party.id
            for party in agreement.parties
            if party.id != level.party and _crossed(agreement, level.party, level.mark, party.id, layers) is None
        ]
        if lost:
            yield source.finding(
                "no-equivalent",
                "wrong",
                level.clause,
                ("level", index),
                f"{level.mark!r} of {level.party!r} may cross, but corresponds to no mark of {several(lost)}: what "
                "carries it is always refused there",
                "add it to an [[equivalence]], or write crosses = false if it is above the ceiling",
            )


def ambiguous_marks(source: Source, layers: Sequence[Source]) -> Iterator[Finding]:
    """Rows that offer a party several marks and prefer none, neither themselves nor by a layer."""
    agreement = cast("Agreement", source.text)
    for index, row in enumerate(agreement.equivalences):
        for party, marks in row.marks.items():
            froms = [each for each in row.marks if each != party and row.origin in {None, each}]
            if len(marks) == 1 or not froms:
                continue
            found = _crossed(agreement, froms[0], row.marks[froms[0]][0], party, layers)
            if found is not None and found.preferred is None:
                yield source.finding(
                    "ambiguous-mark",
                    "doubt",
                    row.clause,
                    ("equivalence", index),
                    f"what {several(froms)} marks {several(row.marks[froms[0]])} may become {several(marks)} of "
                    f"{party!r}, and nothing says which",
                    f"write preferred = {{ {party} = … }}, or a [[preference]] in a layer; until then a person chooses",
                )


def round_trips(sources: Sequence[tuple[Source, Sequence[Source]]]) -> Iterator[Finding]:
    """Marks that come back to their party as others; the finding stands where the trip begins."""
    for source, _ in sources:
        agreement = cast("Agreement", source.text)
        for party in agreement.parties:
            for level in ladder(agreement, party.id):
                if level.crosses:
                    yield from _round_trip(source, sources, party.id, level)


def _round_trip(
    source: Source, sources: Sequence[tuple[Source, Sequence[Source]]], party: str, level: Level
) -> Iterator[Finding]:
    start: Marked = (party, level.mark)
    seen: dict[Marked, tuple[Step, ...]] = {start: ()}
    waiting = [start]
    while waiting:
        here = waiting.pop(0)
        for first, layers in sources:
            if here == start and first is not source:
                continue
            agreement = cast("Agreement", first.text)
            for there in _onward(agreement, here, layers):
                if there not in seen and (there[0] != party or seen[here]):
                    seen[there] = (*seen[here], (agreement.id, there))
                    waiting.append(there)
    for (back, mark), steps in seen.items():
        if back == party and mark != level.mark and steps:
            yield _told(source, level, steps, sources)


def _told(
    source: Source, level: Level, steps: Sequence[Step], sources: Sequence[tuple[Source, Sequence[Source]]]
) -> Finding:
    agreement = cast("Agreement", source.text)
    last, (party, mark) = steps[-1]
    arrived = cast("Agreement", next(each.text for each, _ in sources if each.text.id == last))
    other = next(each for each in ladder(arrived, party) if each.mark == mark)
    own = next((each for each in ladder(agreement, party) if each.mark == mark), None)
    same = other.english == level.english if own is None else own.rank == level.rank
    raised = own is not None and own.rank > level.rank
    changed = f"another mark of the same level ({level.english})" if same else f"{level.english} as {other.english}"
    trip = " → ".join([level.mark, *(f"{each} ({who})" for _, (who, each) in steps)])
    under = dict.fromkeys(name for name, _ in steps)
    index = agreement.levels.index(level)
    return source.finding(
        "round-trip",
        "doubt" if same or raised else "wrong",
        level.clause,
        ("level", index),
        f"what {party!r} marks {level.mark!r} can come back to it as {mark!r}, {changed}: {trip}, under "
        f"{several(under, 'and')}",
        "keep the originator's own mark on what comes back; a 'preferred' mark or a [[preference]] helps where one "
        "mark stands for several",
    )


def _onward(agreement: Agreement, marked: Marked, layers: Sequence[Source]) -> Iterator[Marked]:
    """The marks that something can have next under one agreement."""
    party, mark = marked
    own = {level.mark for level in ladder(agreement, party)}
    if mark not in own or party not in {each.id for each in agreement.parties}:
        return
    for to in agreement.parties:
        found = _crossed(agreement, party, mark, to.id, layers) if to.id != party else None
        for each in found.marks if found else ():
            if found is None or found.preferred in {None, each}:
                yield to.id, each


def _crossed(agreement: Agreement, party: str, mark: str, to: str, layers: Sequence[Source]) -> Equivalents | None:
    try:
        return equivalents(agreement, party, mark, to, [cast("Layer", each.text) for each in layers])
    except Refused:
        return None
