"""Numbers that contradict each other, and periods that cannot be met (``spec/analysis.md`` steps 7 and 8).

Rules of this file:

- Of two numbers for one thing in one text, one is a mistake. Of numbers in several texts the strictest holds, and the
  reader is told.
- A limit that is written as a word has no number and contradicts nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import combinations
from typing import cast

from comity.agreement.calendar import last_day_for_notice, shift
from comity.agreement.check import LONGEST_HOLDS, hours_of
from comity.agreement.model import Agreement, Layer, Rule
from comity.analysis.findings import Finding, Source, several

_FIRST_DAY = date(2001, 3, 1)
"""A day like any other: of no leap year, at the beginning of a month."""


def notice_out_of_reach(source: Source) -> Iterator[Finding]:
    """A notice that would have to be given before the term begins that it is to end."""
    agreement = cast("Agreement", source.text)
    term = agreement.term
    notice = term.notice
    if notice is None or term.duration is None:
        return
    end = shift(_FIRST_DAY, term.duration)
    countings = (notice.counting, *notice.counting_disputed)
    late = [each for each in countings if last_day_for_notice(end, notice.period, each) < _FIRST_DAY]
    if late:
        under = "" if len(late) == len(countings) else f" when it is counted {several(late)}"
        yield source.finding(
            "notice-out-of-reach",
            "doubt" if under else "wrong",
            notice.clause,
            ("term", "notice", "period"),
            f"notice of {notice.period} before the end of a term of {term.duration} would have to be given before the "
            f"term begins{under}",
            "shorten the period, or lengthen the term",
        )
    for index, obligation in enumerate(agreement.obligations):
        if obligation.act != "give-notice":
            continue
        if obligation.within and obligation.within.startswith("P") and obligation.within != notice.period:
            yield source.finding(
                "two-numbers",
                "wrong",
                obligation.clause,
                ("obligation", index, "within"),
                f"obligation {obligation.id!r} gives {obligation.within} for a notice, and [term.notice] "
                f"{notice.period}",
                "write the number once, in [term.notice], and within = 'before' here",
            )
        if "any" not in {obligation.channel or "any", notice.channel} and obligation.channel != notice.channel:
            yield source.finding(
                "two-channels",
                "wrong",
                obligation.clause,
                ("obligation", index, "channel"),
                f"obligation {obligation.id!r} sends a notice by the channel {obligation.channel!r}, and [term.notice] "
                f"by {notice.channel!r}",
                "name the same channel in both",
            )


def two_numbers(source: Source, layers: Sequence[Source]) -> Iterator[Finding]:
    """Several numbers for one thing."""
    yield from _obligations(source, layers)
    yield from _deadlines(layers)
    yield from _intervals(source, layers)
    yield from _measured_rules(source, layers)
    yield from _answers_after_visits(source, layers)


def _obligations(source: Source, layers: Sequence[Source]) -> Iterator[Finding]:
    """One deed owed by one to another on one event, within two different times."""
    told = [(each, index, one) for each in (source, *layers) for index, one in enumerate(each.text.obligations)]
    for (first, _, one), (second, index, other) in combinations(told, 2):
        alike = (one.on, one.act, one.who, one.to) == (other.on, other.act, other.who, other.to)
        if alike and one.within != other.within and not _apart(first, second):
            yield second.finding(
                "two-numbers",
                "wrong" if first is second else "note",
                other.clause,
                ("obligation", index, "within" if other.within else "id"),
                f"obligation {other.id!r} asks {other.act!r} on {other.on!r} {_limit(other.within)}, and {one.id!r} of "
                f"{first.text.id!r} {_limit(one.within)}",
                "write one obligation with one limit" if first is second else "a [[deadline]] says the same once",
            )


def _limit(within: str | None) -> str:
    return f"within {within}" if within else "without a limit"


def _apart(first: Source, second: Source) -> bool:
    """Domestic layers of two parties bind two different parties."""
    if not (isinstance(first.text, Layer) and isinstance(second.text, Layer)):
        return False
    one, other = first.text.header.party, second.text.header.party
    return one is not None and other is not None and one != other


def _deadlines(layers: Sequence[Source]) -> Iterator[Finding]:
    told = [(each, index, one) for each in layers for index, one in enumerate(cast("Layer", each.text).deadlines)]
    for (first, _, one), (second, index, other) in combinations(told, 2):
        if one.obligation == other.obligation and hours_of(one.within) != hours_of(other.within):
            if _apart(first, second):
                continue
            shortest = min(one.within, other.within, key=hours_of)
            yield second.finding(
                "two-numbers",
                "wrong" if first is second else "note",
                other.clause,
                ("deadline", index, "within"),
                f"{other.within} for obligation {other.obligation!r}, and {one.within} in {first.text.id!r}: the "
                f"shorter, {shortest}, holds",
                "write it once" if first is second else "nothing, if the shorter is meant",
            )


def _intervals(source: Source, layers: Sequence[Source]) -> Iterator[Finding]:
    told = [(each, index, one) for each in (source, *layers) for index, one in enumerate(each.text.intervals)]
    for (first, _, one), (second, index, other) in combinations(told, 2):
        if one.of != other.of or hours_of(one.length) == hours_of(other.length) or _apart(first, second):
            continue
        strictest = max if one.of in LONGEST_HOLDS else min
        yield second.finding(
            "two-numbers",
            "note",
            other.clause,
            ("interval", index, "length"),
            f"{other.length} for {other.of!r}, and {one.length} in {first.text.id!r}: the stricter, "
            f"{strictest(one.length, other.length, key=hours_of)}, holds",
            "nothing, if the stricter is meant",
        )


def _measured_rules(source: Source, layers: Sequence[Source]) -> Iterator[Finding]:
    """Rules of one text that count the same in the same cases, with two numbers."""
    for each in (source, *layers):
        for (_, one), (index, other) in combinations(list(enumerate(each.text.rules)), 2):
            for key in ("approvals", "witnesses", "copies"):
                first, second = getattr(one, key), getattr(other, key)
                if None in {first, second} or first == second or not _same_cases(one, other):
                    continue
                yield each.finding(
                    "two-numbers",
                    "wrong",
                    other.clause,
                    ("rule", index, key),
                    f"rule {other.id!r} asks {key} = {second} in the cases in which {one.id!r} asks {first}",
                    "write one rule with one number, or say in 'when' which holds in which case",
                )


def _same_cases(one: Rule, other: Rule) -> bool:
    return bool(set(one.acts) & set(other.acts)) and (one.when, one.unless) == (other.when, other.unless)


def _answers_after_visits(source: Source, layers: Sequence[Source]) -> Iterator[Finding]:
    """A visit that may begin before it has to be answered."""
    texts = (source, *layers)
    leads = [one for each in texts for one in each.text.intervals if one.of == "visit-lead"]
    if not leads:
        return
    lead = max(leads, key=lambda one: hours_of(one.length))
    limits = {one.obligation: one.within for each in layers for one in cast("Layer", each.text).deadlines}
    for each in texts:
        for index, one in enumerate(each.text.obligations):
            within = limits.get(one.id, one.within or "")
            if one.act == "answer-visit" and within.startswith("P") and hours_of(within) > hours_of(lead.length):
                yield each.finding(
                    "answer-after-visit",
                    "wrong",
                    one.clause,
                    ("obligation", index),
                    f"a visit is asked for {lead.length} before it begins, and answered within {within}: the answer "
                    "may come after it began",
                    "make the lead longer than the time for the answer",
                )
