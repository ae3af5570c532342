"""What becomes of every obligation, and whom to tell (``spec/what-if.md`` steps 7 and 8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

from msgspec import Struct

from comity.agreement.model import Agreement, Layer, Obligation
from comity.agreement.vocabulary import Channel, Deed, Event, NoticeForm, Provenance
from comity.decision.model import Duty
from comity.foresight.supposition import Ground, Supposed, Supposition

Fate = Literal["opens", "survives", "opens-no-more", "ends", "added", "removed", "changed", "as-before"]
"""What becomes of an obligation."""
Key = tuple[str, str]
"""Instrument and obligation."""

ONLY_BY_GIVING: frozenset[Event] = frozenset({"hand-over-wanted", "visit-wanted", "visit-asked", "visit-permitted"})
"""Events that come about only where something new is to be provided."""
TELLING: frozenset[Deed] = frozenset({"notify", "give-notice"})
"""Deeds by which one party tells another something."""
UNSPOKEN: Mapping[str, str] = {
    "suspension": "the text does not speak of suspending a notice; it is told as the notice was",
    "reactivation": "the text does not speak of letting a suspended notice run again; it is told as the notice was",
    "withdrawal": "the text does not speak of withdrawing a notice; it is told as the notice was",
}
"""(8) What is said where the text says nothing."""


class DutyLine(Struct, frozen=True, kw_only=True):
    """An obligation, and what becomes of it.

    Attributes:
        instrument, obligation, clause, provenance: what lays it, and how well that is known.
        on, deed: the words of the file for what opens it and what discharges it.
        who, to: the roles of whoever owes it and of whom it is owed to, or empty.
        within: the limit as the text says it; empty without one.
        fate: what becomes of it.
        because: the clause by which, where another than its own says so.
    """

    instrument: str
    obligation: str
    clause: str
    provenance: Provenance
    on: Event
    deed: Deed
    who: str
    to: str
    within: str
    fate: Fate
    because: str = ""


class Told(Struct, frozen=True, kw_only=True):
    """Somebody who must be told something.

    Attributes:
        who, whom: the party that tells, and those that are told.
        what: of what.
        instrument, clause: by which clause; empty where none says so, and then ``says`` tells why.
        form, channel, within: how and until when, where the text says it.
    """

    who: str
    whom: tuple[str, ...]
    what: str
    instrument: str = ""
    clause: str = ""
    form: NoticeForm | Literal[""] = ""
    channel: Channel | Literal[""] = ""
    within: str = ""
    says: str = ""


def brought_about(supposed: Supposed, supposition: Supposition) -> dict[Event, tuple[str, ...]]:
    """The events that what is supposed brings about, each with the parties that act."""
    givers = [event.by[0] for event in supposed.acts if event.kind == "notice"]
    lawgivers = [law.header.party for law in supposition.laws if law.header.party]
    found: dict[Event, list[str]] = {"end-wanted": givers, "law-changed": lawgivers}
    return {event: tuple(dict.fromkeys(parties)) for event, parties in found.items() if parties}


def duty_lines(
    before: Ground, after: Ground, brought: Mapping[Event, tuple[str, ...]], *, ends: bool
) -> tuple[DutyLine, ...]:
    """(7) Every obligation of both texts; ``ends`` says whether the agreement would, on any course."""
    old, new = _obligations(before), _obligations(after)
    return tuple(_line(key, old.get(key), new.get(key), after, brought, ends=ends) for key in {**old, **new})


def told(supposed: Supposed, brought: Mapping[Event, tuple[str, ...]]) -> tuple[Told, ...]:
    """(8) Whom to tell, each by its clause."""
    return (*_notices(supposed, brought), *_unspoken(supposed), *_acknowledged(supposed))


def _obligations(ground: Ground) -> dict[Key, tuple[Obligation, Duty]]:
    """Every obligation as written, and as the decision has it: with its provenance, and with the numbers of layers."""
    texts: list[Agreement | Layer] = [ground.agreement, *ground.layers]
    written = {(text.id, each.id): each for text in texts for each in text.obligations}
    ready = {
        (duty.instrument, duty.obligation): duty for on in get_args(Event) for duty in ground.compiled.duties_on(on)
    }
    return {key: (each, ready[key]) for key, each in written.items()}


def _line(
    key: Key,
    old: tuple[Obligation, Duty] | None,
    new: tuple[Obligation, Duty] | None,
    ground: Ground,
    brought: Mapping[Event, tuple[str, ...]],
    *,
    ends: bool,
) -> DutyLine:
    found = new or old
    assert found is not None
    written, duty = found
    fate, because = _fate(old, new, ground, brought, ends=ends)
    return DutyLine(
        instrument=key[0],
        obligation=key[1],
        clause=duty.clause,
        provenance=duty.provenance,
        on=written.on,
        deed=duty.act,
        who=duty.who,
        to=duty.to,
        within=duty.within,
        fate=fate,
        because="" if because == duty.clause else because,
    )


def _fate(
    old: tuple[Obligation, Duty] | None,
    new: tuple[Obligation, Duty] | None,
    ground: Ground,
    brought: Mapping[Event, tuple[str, ...]],
    *,
    ends: bool,
) -> tuple[Fate, str]:
    term = ground.agreement.term
    if new is None:
        return "removed", ""
    if new[0].on in brought:
        return "opens", ""
    if old is None:
        return "added", ""
    if old != new:
        return "changed", ""
    if not ends:
        return "as-before", ""
    if new[0].on == "agreement-ended" and new[0].within != "continuous":
        return "opens", ""
    if new[0].on in ONLY_BY_GIVING:
        return "opens-no-more", term.entry_clause or term.clause
    if term.survival == "none":
        return "ends", term.clause
    return "survives", term.survival_clause or term.clause


def _notices(supposed: Supposed, brought: Mapping[Event, tuple[str, ...]]) -> Iterator[Told]:
    """What an obligation that opens asks to be told."""
    agreement = supposed.ground.agreement
    notice = agreement.term.notice
    domestic = {layer.id: layer.header.party for layer in supposed.ground.layers}
    for (instrument, _), (written, duty) in _obligations(supposed.ground).items():
        for by in brought.get(written.on, ()) if duty.act in TELLING else ():
            if domestic.get(instrument) not in (None, by):
                continue
            ending = notice if written.on == "end-wanted" else None
            yield Told(
                who=by,
                whom=tuple(party.id for party in agreement.parties if party.id != by),
                what=written.on,
                instrument=instrument,
                clause=duty.clause,
                form=ending.form if ending else "",
                channel=written.channel or (ending.channel if ending else ""),
                within=duty.within,
            )


def _unspoken(supposed: Supposed) -> Iterator[Told]:
    """What is done to a notice, where no obligation speaks of it; and a notice, where none does."""
    agreement = supposed.ground.agreement
    notice = agreement.term.notice
    texts: list[Agreement | Layer] = [agreement, *supposed.ground.layers]
    spoken = any(each.on == "end-wanted" for text in texts for each in text.obligations)
    for event in supposed.acts:
        whom = tuple(party.id for party in agreement.parties if party.id not in event.by)
        if event.kind in UNSPOKEN and notice:
            yield Told(who=event.by[0], whom=whom, what=event.kind, channel=notice.channel, says=UNSPOKEN[event.kind])
        elif event.kind == "notice" and notice and not spoken:
            yield Told(
                who=event.by[0],
                whom=whom,
                what="end-wanted",
                instrument=agreement.id,
                clause=notice.clause,
                form=notice.form,
                channel=notice.channel,
            )


def _acknowledged(supposed: Supposed) -> Iterator[Told]:
    """Another text: each party tells the others that it is its working model."""
    agreement = supposed.ground.agreement
    if agreement.digest == supposed.before.agreement.digest:
        return
    for party in agreement.parties:
        yield Told(
            who=party.id,
            whom=tuple(each.id for each in agreement.parties if each.id != party.id),
            what="acknowledgement",
            within="before",
            says="nothing new crosses before every party has acknowledged the digest of the other text",
        )
