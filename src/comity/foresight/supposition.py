"""What is supposed, and what would run then (``spec/what-if.md`` steps 1 to 3).

Rules of this file:

- A supposition is checked as strictly as what it stands for: acts as events of a history, texts as agreement files.
- Nothing is known of what happens after the instant of asking, and nothing before it is touched.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NoReturn

from msgspec import Struct
from msgspec.structs import replace

from comity.agreement.calendar import TimeZones, window
from comity.agreement.check import Mistake, check_layer
from comity.agreement.history import Event, History
from comity.agreement.lifecycle import Step
from comity.agreement.model import Agreement, Layer
from comity.agreement.noted import insert_by_day, rewritten
from comity.agreement.term import Chronicle, Status
from comity.decision.compiled import Compiled, compile_agreement
from comity.errors import Misuse, Rejected
from comity.foresight.clearances import Clearances

SupposedStep = Step | Literal["end-by-consent"]
"""What can be supposed to be done on a day."""
WORDS: dict[SupposedStep, str] = {
    "notice": "gives notice of the end",
    "suspension": "suspends the effect of its notice",
    "reactivation": "lets its suspended notice run again",
    "withdrawal": "withdraws its notice",
    "end-by-consent": "end it by consent",
}
"""The same as part of a sentence."""


class SupposedAct(Struct, frozen=True):
    """An act on a day, written as in a history: ``2026-12-01`` or ``2026-12-01T18:00``."""

    step: SupposedStep
    when: str


class Supposition(Struct, frozen=True, kw_only=True):
    """What is supposed.

    Attributes:
        acts: in any order; on one day in the order in which they stand here.
        by: party whose acts they are; empty for the one whose notice stands, or the first of the file.
        text: the agreement as it would read.
        laws: domestic layers that would be added.
        clearances: the table of levels and clearances that would be another one.
    """

    acts: tuple[SupposedAct, ...] = ()
    by: str = ""
    text: Agreement | None = None
    laws: tuple[Layer, ...] = ()
    clearances: Clearances | None = None


class Ground(Struct, frozen=True, eq=False):
    """What decisions rest on: an agreement, its layers, both made ready, and its history, run."""

    agreement: Agreement
    layers: tuple[Layer, ...]
    compiled: Compiled
    chronicle: Chronicle


class Supposed(Struct, frozen=True, eq=False):
    """What would run.

    Attributes:
        ground: the texts and the course of things that are supposed.
        before: those that run, with nothing known that happens after the instant of asking.
        acts: the events that are supposed, in the order of their days.
        at: the instant of asking.
        status: how it stands then, with the acts of which it is not known whether they had been done.
    """

    ground: Ground
    before: Ground
    acts: tuple[Event, ...]
    at: datetime
    status: Status


def suppose(ground: Ground, supposition: Supposition, at: datetime, zones: TimeZones) -> Supposed:
    """What would run under a supposition.

    Raises:
        Misuse: nothing is supposed, nothing that would be otherwise, or on a day that is none.
        Rejected: what is supposed cannot be: an act cannot follow what stands before it, a layer does not fit a text.
    """
    if not (supposition.acts or supposition.text or supposition.laws or supposition.clearances):
        raise Misuse("suppose something: --notice DAY, --amend FILE, --law FILE, …", code="nothing-supposed")
    known = _known(ground, at, zones)
    events = _events(known, supposition, at, zones)
    try:
        chronicle = _with(known, events, zones)
    except Rejected as error:
        if any(error.sentence.startswith(f"{each.id!r}:") for each in events):
            raise
        later = f"{error.sentence}; that happened later: ask as things stood before it, with --at"
        raise Rejected(later, code=error.code, place=error.place) from None
    agreement = _text(ground.agreement, supposition)
    layers = _layers(ground, supposition, agreement)
    if agreement.digest != ground.agreement.digest:
        chronicle = _amended(chronicle, agreement, at, zones)
    compiled = compile_agreement(agreement, layers, tzdata=zones.version)
    supposed = Ground(agreement, layers, compiled, chronicle)
    return Supposed(supposed, known, tuple(events), at, ground.chronicle.status(at))


def _known(ground: Ground, at: datetime, zones: TimeZones) -> Ground:
    """(3) What is known at the instant of asking: nothing that happens after it."""
    history = ground.chronicle.history
    until = [dated.event for dated in history.events if dated.effective <= at]
    if len(until) == len(history.events):
        return ground
    known = rewritten(history, ground.agreement, zones, until)
    return replace(ground, chronicle=Chronicle(ground.agreement, known, zones))


def _events(ground: Ground, supposition: Supposition, at: datetime, zones: TimeZones) -> list[Event]:
    """(1) What is supposed to be done, as events of a history."""
    agreement = ground.agreement
    by = _party(ground, supposition, at)
    standing, zone = _standing(ground, by, at), zones.zone(agreement.term.timezone)
    events: list[Event] = []
    for act in sorted(supposition.acts, key=lambda each: each.when[:10]):
        try:
            window(act.when, zone)
        except Rejected as error:
            raise Misuse(error.sentence, code=error.code) from None
        everybody = act.step == "end-by-consent"
        on_notice = act.step in {"suspension", "reactivation", "withdrawal"}
        if on_notice and not standing:
            _refuse(agreement, f"{by!r} has given no notice that stands; there is nothing to {_verb(act.step)}")
        event = Event(
            id=f"supposed-{len(events) + 1}-{act.step}",
            when=act.when,
            zone=agreement.term.timezone,
            kind=act.step,
            says=_says(agreement, act, by),
            by=tuple(party.id for party in agreement.parties) if everybody else (by,),
            of=standing if on_notice else None,
        )
        standing = event.id if act.step == "notice" else standing
        events.append(event)
    return events


def _says(agreement: Agreement, act: SupposedAct, by: str) -> str:
    who = " and ".join(party.id for party in agreement.parties) if act.step == "end-by-consent" else by
    return f"{who} {WORDS[act.step]} on {act.when.replace('T', ' ')}"


def _verb(step: SupposedStep) -> str:
    return {"suspension": "suspend", "reactivation": "let run again"}.get(step, "withdraw")


def _party(ground: Ground, supposition: Supposition, at: datetime) -> str:
    parties = [party.id for party in ground.agreement.parties]
    if not supposition.by:
        standing = [each.by for each in ground.chronicle.courses(at)[0].notices if each.state != "withdrawn"]
        begins = min(supposition.acts, key=lambda each: each.when[:10], default=None)
        return standing[-1] if standing and begins is not None and begins.step != "notice" else parties[0]
    if supposition.by not in parties:
        raise Misuse(f"{supposition.by!r} is not a party; the parties are {', '.join(parties)}", code="unknown-party")
    return supposition.by


def _standing(ground: Ground, by: str, at: datetime) -> str:
    """The event by which a party gave the last of its notices that stand; empty without one."""
    course = ground.chronicle.courses(at)[0]
    return next((each.event for each in course.notices[::-1] if each.by == by and each.state != "withdrawn"), "")


def _refuse(agreement: Agreement, sentence: str) -> NoReturn:
    notice = agreement.term.notice
    raise Rejected(sentence, code="no-such-notice", place=notice.clause if notice else agreement.term.clause)


def _with(ground: Ground, events: Sequence[Event], zones: TimeZones) -> Chronicle:
    """The course of things with what is supposed to be done."""
    if not events:
        return ground.chronicle
    agreement, history = ground.agreement, ground.chronicle.history
    together = [dated.event for dated in history.events]
    for event in events:
        insert_by_day(together, event)
    supposed = "; ".join([*([history.hypothetical] if history.hypothetical else []), *(each.says for each in events)])
    other = rewritten(history, agreement, zones, together, hypothetical=supposed)
    return Chronicle(agreement, other, zones)


def _text(agreement: Agreement, supposition: Supposition) -> Agreement:
    """(2) The agreement as it would read."""
    text = supposition.text
    if text is not None and text.id != agreement.id:
        raise Misuse(f"the amended text is of {text.id!r}, not of {agreement.id!r}", code="other-agreement")
    if text is not None and [party.id for party in text.parties] != [party.id for party in agreement.parties]:
        raise Misuse("an amendment has the same parties; compare the two with 'comity agreement diff'", code="parties")
    if text is not None and text.digest == agreement.digest:
        raise Misuse("the amended text is the text that runs", code="nothing-supposed")
    return supposition.clearances.agreement if supposition.clearances else text or agreement


def _layers(ground: Ground, supposition: Supposition, agreement: Agreement) -> tuple[Layer, ...]:
    """(2) The layers that would stand on it, the new ones last."""
    there = {layer.id for layer in ground.layers}
    for law in supposition.laws:
        if law.header.kind != "domestic":
            raise Misuse(f"{law.id!r} is no domestic layer: a law is one party's own", code="not-domestic")
        if law.id in there:
            raise Misuse(
                f"a layer {law.id!r} stands on it already; a new law has an id of its own", code="duplicate-id"
            )
        there.add(law.id)
    if agreement.digest != ground.agreement.digest:
        for layer in (*ground.layers, *supposition.laws):
            try:
                check_layer(layer, agreement)
            except Mistake as mistake:
                sentence = f"the layer does not stand on the other text any more: {mistake.sentence}"
                raise Rejected(sentence, code=mistake.code, place=layer.id) from None
    return (*ground.layers, *supposition.laws)


def _amended(chronicle: Chronicle, agreement: Agreement, at: datetime, zones: TimeZones) -> Chronicle:
    """(3) The same course of things, under another text from the instant of asking on."""
    later: History = replace(
        chronicle.history, events=tuple(dated for dated in chronicle.history.events if dated.effective > at)
    )
    beginning = Chronicle(agreement, replace(later, events=()), zones).rules.taken_over(chronicle.courses(at), at)
    return Chronicle(agreement, later, zones, beginning=beginning)
