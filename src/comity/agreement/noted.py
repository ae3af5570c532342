"""A history with notes that parties have told one another since it was written (``spec/term.md`` step 13).

Rules of this file:

- A note stands in the history already when an act of the same kind by the same party stands there on the same day.
- What is added is added by its day. A history that cannot hold it is refused as any other.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from comity.agreement.calendar import TimeZones
from comity.agreement.history import Event, History, HistoryFile, HistoryHeader, Place, history_of
from comity.agreement.lifecycle import Step
from comity.agreement.model import FORMAT_VERSION, Agreement
from comity.agreement.term import Chronicle


class Note(Struct, frozen=True):
    """A note that a party gave: about which notice, which step, on which day, by which diplomatic note."""

    party: str
    notice: str
    step: Step
    day: str
    note: str


def in_history(history: History, note: Note) -> str:
    """The id of the event that tells of a note already; empty where there is none."""
    for dated in history.events:
        event = dated.event
        if event.kind == note.step and event.by == (note.party,) and event.when[:10] == note.day:
            return event.id
    return ""


def with_notes(history: History, agreement: Agreement, zones: TimeZones, notes: Sequence[Note]) -> Chronicle:
    """The history run with ``notes``, which stand in the order in which they were told.

    Raises:
        Rejected: the history cannot hold them: an act cannot follow what stands before it, or a day is none.
    """
    events = [dated.event for dated in history.events]
    told: dict[str, str] = {}
    for number, note in enumerate(notes):
        known = in_history(history, note)
        if not known:
            known = f"note-{number}"
            event = Event(
                id=known,
                when=note.day,
                zone=agreement.term.timezone,
                kind=note.step,
                says=f"By note {note.note}, as told between the parties.",
                by=(note.party,),
                of=told.get(note.notice) if note.step != "notice" else None,
            )
            insert_by_day(events, event)
        if note.step == "notice":
            told[note.notice] = known
    return Chronicle(agreement, rewritten(history, agreement, zones, events), zones)


def insert_by_day(events: list[Event], event: Event) -> None:
    """Put an event behind all that are not of a later day."""
    later = (place for place, each in enumerate(events) if each.when[:10] > event.when[:10])
    events.insert(next(later, len(events)), event)


def rewritten(
    history: History,
    agreement: Agreement,
    zones: TimeZones,
    events: Sequence[Event],
    *,
    hypothetical: str | None = None,
    place: Place = lambda _: "",
) -> History:
    """The same history with other events, checked anew.

    Raises:
        Rejected: they are not in an order in which they can have happened, or one of them lacks what it needs.
    """
    header = HistoryHeader(FORMAT_VERSION, history.agreement, history.title, hypothetical or history.hypothetical)
    written = HistoryFile(header=header, events=tuple(events), sources=history.sources)
    return history_of(written, agreement, zones, place=place)
