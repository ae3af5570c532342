"""Notes about the end of an agreement: told to the other side, listed, and what follows from them (Article 21(3)).

What counts is the note through the diplomatic channel; the history file of each house says how it reads the course of
things, and a note that does not stand there yet changes no decision. What would follow is shown beside it.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.agreement.lifecycle import Step, state_of
from comity.agreement.noted import Note, in_history, with_notes
from comity.agreement.term import Status
from comity.errors import Misuse, Rejected
from comity.flows.actors import Actor
from comity.flows.house import House
from comity.flows.speaking import speak, speaker
from comity.record.bodies.term import EndNoteTold
from comity.record.person_act import unsigned
from comity.register.rows.term import EndNote, EndNotesRow


class TellEndNote(msgspec.Struct, frozen=True, kw_only=True):
    """Tell the other side that a note was given through the diplomatic channel.

    Attributes:
        relationship: which agreement.
        step: a notice of the end, or what becomes of one.
        note: id of the note verbale.
        day: the day on which it was given, ``2026-11-21``.
        actor: an agreement authority.
        notice: the notice that is suspended, reactivated or withdrawn; an identifier for a new one, if wished.
        channel: through which it went; the one that the agreement names, unless given.
        document: SHA-256 of the note's text, where it is at hand.
    """

    relationship: str
    step: Step
    note: str
    day: str
    actor: Actor
    notice: str | None = None
    channel: str | None = None
    document: bytes | None = None


class PreviewEndNote(msgspec.Struct, frozen=True, kw_only=True):
    """Ask what would follow from such a note; nothing is recorded."""

    relationship: str
    step: Step
    day: str
    notice: str | None = None


class ListEndNotes(msgspec.Struct, frozen=True, kw_only=True):
    """The notes of both parties on the end of an agreement, and what follows from them."""

    relationship: str


class EndNoteShown(msgspec.Struct, frozen=True, kw_only=True):
    """A note: ``state`` is what has become of its notice, ``in_history`` whether this house's history tells of it."""

    party: str
    notice: str
    step: Step
    note: str
    day: str
    told: datetime
    record: str
    state: str
    in_history: bool
    channel: str = ""
    document: str = ""


class EndNotesShown(msgspec.Struct, frozen=True, kw_only=True):
    """Notes, and how the agreement stands with them.

    Attributes:
        relationship: which agreement.
        notes: of both parties, by their day.
        follows: how it stands by every reading once all these notes count, with those that the history lacks.
        contradiction: why the history cannot hold them, where it cannot; then nothing is said to follow.
    """

    relationship: str
    notes: tuple[EndNoteShown, ...]
    follows: Status | None
    contradiction: str


async def tell_end_note(house: House, request: TellEndNote) -> EndNotesShown:
    """Record that a note was given, and tell the other side (21.3).

    Raises:
        Misuse: the actor may not, there is no such notice or day, or the step cannot follow; nothing was recorded.
    """
    if request.step != "notice" and request.notice is None:
        raise Misuse(f"a {request.step} names the notice that it acts on", code="no-notice")
    row = await house.row(EndNotesRow, f"{request.relationship}/{house.party}")
    body = EndNoteTold(
        notice=request.notice or house.name("e", None),
        step=request.step,
        note=request.note,
        day=request.day,
        by=await speaker(house, request.relationship, request.actor),
        after=row.last if row is not None else bytes(32),
        signature=unsigned(),
        channel=request.channel or await _channel(house, request.relationship),
        document=request.document,
    )
    await speak(house, request.relationship, body, request.actor)
    return await list_end_notes(house, ListEndNotes(relationship=request.relationship))


async def _channel(house: House, relationship: str) -> str:
    """The channel that the agreement names for notices; empty where any will do."""
    notice = (await house.library.load(await house.agreement_row(relationship))).agreement.term.notice
    return "" if notice is None or notice.channel == "any" else notice.channel


async def preview_end_note(house: House, request: PreviewEndNote) -> EndNotesShown:
    """What would follow from a note of this party; nothing is recorded.

    Raises:
        Misuse: no agreement runs there, or there is no such notice.
    """
    rows = await _rows(house, request.relationship)
    own = [each for row in rows if row.party == house.party for each in row.notes]
    notice = request.notice or "preview"
    if request.step != "notice" and notice not in {each.notice for each in own}:
        raise Misuse(f"this party has given no notice {request.notice!r}", code="unknown-notice")
    supposed = Note(house.party, notice, request.step, request.day, "that was not given")
    return await _shown(house, request.relationship, rows, (supposed,))


async def list_end_notes(house: House, request: ListEndNotes) -> EndNotesShown:
    """The notes of both parties, and what follows from them."""
    return await _shown(house, request.relationship, await _rows(house, request.relationship))


async def _rows(house: House, relationship: str) -> list[EndNotesRow]:
    await house.agreement_row(relationship)
    return [row async for _, row in house.rows(EndNotesRow, f"{relationship}/")]


async def _shown(
    house: House, relationship: str, rows: list[EndNotesRow], supposed: tuple[Note, ...] = ()
) -> EndNotesShown:
    running = await house.library.load(await house.agreement_row(relationship))
    history = running.chronicle.history
    told = sorted(((row, each) for row in rows for each in row.notes), key=lambda pair: (pair[1].day, pair[1].at))
    notes = [_note(row, each) for row, each in told]
    follows, contradiction = None, ""
    try:
        chronicle = with_notes(history, running.agreement, house.zones, [*notes, *supposed])
        # an act whose hour is not known counts from the end of its day: what follows is asked for once it counts
        follows = chronicle.status(max(house.now(), *(dated.effective for dated in chronicle.history.events)))
    except Rejected as error:
        contradiction = error.sentence
    return EndNotesShown(
        relationship=relationship,
        notes=tuple(
            EndNoteShown(
                party=row.party,
                notice=each.notice,
                step=each.step,
                note=each.note,
                day=each.day,
                told=each.at,
                record=each.record.hex(),
                state=state_of(row.steps(each.notice)) or "",
                in_history=bool(in_history(history, _note(row, each))),
                channel=each.channel,
                document=each.document.hex() if each.document is not None else "",
            )
            for row, each in told
        ),
        follows=follows,
        contradiction=contradiction,
    )


def _note(row: EndNotesRow, each: EndNote) -> Note:
    return Note(row.party, each.notice, each.step, each.day, each.note)
