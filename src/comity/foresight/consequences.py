"""What would follow: the differences between what runs and what is supposed (``spec/what-if.md`` steps 4 to 8).

supposition = Supposition(acts=(SupposedAct("notice", "2026-12-01"),))
foresee(suppose(ground, supposition, at, zones), supposition).stops
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import permutations
from typing import Literal, get_args

from msgspec import Struct, to_builtins

from comity.agreement.check import EFFECTS
from comity.agreement.equivalence import equivalents, ladder
from comity.agreement.model import Agreement, Layer, Rule
from comity.agreement.term import Status
from comity.agreement.vocabulary import GIVING_ACTS, Act, Provenance
from comity.errors import Refused, Rejected
from comity.foresight.obligations import DutyLine, Told, brought_about, duty_lines, told
from comity.foresight.supposition import Ground, Supposed, Supposition
from comity.foresight.turns import CourseName, Turn, turns

Became = Literal["added", "removed", "changed", "as-before"]
"""What became of a rule."""


class RuleLine(Struct, frozen=True, kw_only=True):
    """A rule that speaks of an act: what it asks, as the file has it, and what became of it."""

    instrument: str
    rule: str
    clause: str
    provenance: Provenance
    asks: str
    became: Became


class ActLine(Struct, frozen=True, kw_only=True):
    """An act, and what becomes of it.

    Attributes:
        act: a word of the agreement file.
        needs: that the agreement is in force by every reading, or that information is protected by any.
        permitted, permitted_then: whether any rule permits it, under the texts that run and those that are supposed.
        stops: the first instant from which it may not be done; None where it goes on.
        courses: the courses whose end stops it.
        clause: by which clause it stops, or goes on after the end; empty where nothing ends.
        rules: every rule that speaks of it, of either text.
    """

    act: Act
    needs: Literal["force", "protection"]
    permitted: bool
    permitted_then: bool
    stops: datetime | None
    courses: tuple[CourseName, ...]
    clause: str
    rules: tuple[RuleLine, ...]


class MarkLine(Struct, frozen=True, kw_only=True):
    """A mark that would cross otherwise; no marks where it does not cross."""

    party: str
    mark: str
    to: str
    before: tuple[str, ...]
    after: tuple[str, ...]


class Consequences(Struct, frozen=True, kw_only=True):
    """What would follow.

    Attributes:
        agreement: its id.
        digest, digest_then: of the text that runs, and of the one that is supposed.
        at: the instant of asking.
        countings: the rules for counting days by which it was followed, one course of each party for each.
        timezone, tzdata: the zone of the agreement, and the version of the database it comes from.
        supposed: what is supposed, sentence by sentence.
        before: how it stands at that instant.
        then: how it stands, under the supposition, once every supposed act counts.
        turns: the instants at which it would stand otherwise than before.
        otherwise: those that come anyway.
        acts, marks, duties, told: what becomes of each, and who must be told.
    """

    agreement: str
    digest: str
    digest_then: str
    at: datetime
    countings: tuple[str, ...]
    timezone: str
    tzdata: str
    supposed: tuple[str, ...]
    before: Status
    then: Status
    turns: tuple[Turn, ...]
    otherwise: tuple[Turn, ...]
    acts: tuple[ActLine, ...]
    marks: tuple[MarkLine, ...]
    duties: tuple[DutyLine, ...]
    told: tuple[Told, ...]

    @property
    def stops(self) -> datetime | None:
        """The first instant at which something new may not be provided any more; None where that goes on."""
        return next((each.stops for each in self.acts if each.needs == "force" and each.stops), None)


def foresee(supposed: Supposed, supposition: Supposition) -> Consequences:
    """What would follow from a supposition."""
    before, after, start = supposed.before, supposed.ground, _start(supposed)
    coming = tuple(turns(after.chronicle, start))
    brought = brought_about(supposed, supposition)
    ends = any(turn.phase == "lapsed" for turn in coming)
    status = supposed.status
    return Consequences(
        agreement=after.agreement.id,
        digest=before.agreement.digest,
        digest_then=after.agreement.digest,
        at=status.at,
        countings=after.chronicle.rules.countings,
        timezone=after.agreement.term.timezone,
        tzdata=status.tzdata,
        supposed=tuple(_says(supposed, supposition)),
        before=status,
        then=after.chronicle.status(counted(supposed)),
        turns=coming,
        otherwise=tuple(turns(before.chronicle, start)),
        acts=tuple(_acts(before, after, coming)),
        marks=tuple(_marks(before, after)),
        duties=duty_lines(before, after, brought, ends=ends),
        told=told(supposed, brought),
    )


def counted(supposed: Supposed) -> datetime:
    """The instant from which every supposed act counts; the instant of asking where none is supposed."""
    names = {event.id for event in supposed.acts}
    events = supposed.ground.chronicle.history.events
    return max([dated.effective for dated in events if dated.event.id in names], default=supposed.at)


def _start(supposed: Supposed) -> datetime:
    """The instant of asking, or before the first supposed act, where that is earlier."""
    names = {event.id for event in supposed.acts}
    events = supposed.ground.chronicle.history.events
    first = min([dated.window.earliest for dated in events if dated.event.id in names], default=supposed.at)
    return min(supposed.at, first)


def _says(supposed: Supposed, supposition: Supposition) -> Iterator[str]:
    yield from (event.says for event in supposed.acts)
    if supposition.text is not None:
        yield f"the agreement reads as the text of version {supposition.text.header.version}"
    for law in supposition.laws:
        yield f"{law.header.party} has a new law: {law.header.title.en}"
    if supposition.clearances is not None:
        if supposition.clearances.agreement.digest != supposed.before.agreement.digest:
            yield "the table of levels is another one"
        for (party, mark), becomes in supposition.clearances.worth.items():
            yield f"a clearance of {party} up to {mark} is worth {becomes or 'nothing'}"


def _acts(before: Ground, after: Ground, coming: tuple[Turn, ...]) -> Iterator[ActLine]:
    """(5) (6) Every act that either text permits: where nothing permits it, nothing stops."""
    term = after.agreement.term
    ended = [turn for turn in coming if turn.phase == "lapsed"]
    gone = next((turn for turn in ended if not turn.protection), None)
    old, new = _rules(before), _rules(after)
    for act in get_args(Act):
        permitted, then = _permits(before, act), _permits(after, act)
        if not permitted and not then:
            continue
        giving = act in GIVING_ACTS
        stop = next(iter(ended), None) if giving else gone
        clause = (term.entry_clause if giving else term.survival_clause) or term.clause
        yield ActLine(
            act=act,
            needs="force" if giving else "protection",
            permitted=permitted,
            permitted_then=then,
            stops=stop.at if stop else None,
            courses=tuple(name for turn in ended if stop and turn.at == stop.at for name in turn.courses),
            clause=clause if ended else "",
            rules=tuple(_rule_lines(act, old, new)),
        )


def _rules(ground: Ground) -> dict[tuple[str, str], tuple[Rule, Provenance]]:
    texts: list[Agreement | Layer] = [ground.agreement, *ground.layers]
    known = {(text.id, clause.id): clause.provenance for text in texts for clause in text.clauses}
    return {
        (text.id, rule.id): (rule, rule.provenance or known[text.id, rule.clause])
        for text in texts
        for rule in text.rules
    }


def _rule_lines(
    act: Act,
    old: dict[tuple[str, str], tuple[Rule, Provenance]],
    new: dict[tuple[str, str], tuple[Rule, Provenance]],
) -> Iterator[RuleLine]:
    for key in {**old, **new}:
        was, now = old.get(key), new.get(key)
        was = was if was and act in was[0].acts else None
        now = now if now and act in now[0].acts else None
        found = now or was
        if found is None:
            continue
        became: Became = "removed" if now is None else "added" if was is None else "as-before"
        if was is not None and now is not None and was != now:
            became = "changed"
        rule, provenance = found
        yield RuleLine(
            instrument=key[0], rule=key[1], clause=rule.clause, provenance=provenance, asks=_asks(rule), became=became
        )


def _asks(rule: Rule) -> str:
    """What a rule asks, in the words of its file."""
    effect = next(name for name in EFFECTS if getattr(rule, name) is not None)
    value = to_builtins(getattr(rule, effect))
    if value is True:
        return effect
    return f"{effect} {', '.join(map(str, value)) if isinstance(value, list | tuple) else value}"


def _permits(ground: Ground, act: Act) -> bool:
    index = ground.compiled.acts.get(act)
    return index is not None and any(asked.rule.permits for asked in index.asked)


def _marks(before: Ground, after: Ground) -> Iterator[MarkLine]:
    """(6) The marks that would cross otherwise."""
    if before.agreement.digest == after.agreement.digest and len(before.layers) == len(after.layers):
        return
    for party, to in permutations([party.id for party in after.agreement.parties], 2):
        marks = [level.mark for ground in (before, after) for level in ladder(ground.agreement, party)]
        for mark in dict.fromkeys(marks):
            was, now = _crosses(before, party, mark, to), _crosses(after, party, mark, to)
            if was != now:
                yield MarkLine(party=party, mark=mark, to=to, before=was, after=now)


def _crosses(ground: Ground, party: str, mark: str, to: str) -> tuple[str, ...]:
    try:
        return equivalents(ground.agreement, party, mark, to, ground.layers).marks
    except (Refused, Rejected):  # above the ceiling, without an equivalent, or on no ladder
        return ()
