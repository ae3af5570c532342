"""``comity agreement notice``: notes about the end of an agreement, and what would follow from one."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comity.cli.files import read_file
from comity.cli.options import Desk, Verbs, acting, housed
from comity.cli.options import relationship as relationship_option
from comity.cli.output import Output, visible
from comity.errors import Misuse
from comity.timezones import time_zones

if TYPE_CHECKING:
    from comity.agreement.lifecycle import Step
    from comity.agreement.term import Status
    from comity.flows.agreeing.end_notes import EndNotesShown

NOTE_BYTES_MAX = 16 * 1024 * 1024
"""Longest document of a note that is read."""
note_options = (
    click.option("--note", default="", metavar="ID", help="Id of the note, as it went through the diplomatic channel."),
    click.option("--day", required=True, metavar="DAY", help="The day on which the note was given, 2026-11-21."),
    click.option("--channel", metavar="NAME", help="Through which channel; the one that the agreement names, else."),
    click.option("--document", type=click.Path(path_type=Path), help="The note itself: its digest is told."),
    click.option("--preview", is_flag=True, help="Only say what would follow; nothing is recorded."),
)


def _noted(command: Any) -> Any:
    for option in reversed(note_options):
        command = option(command)
    return command


@click.group(cls=Verbs)
def notice() -> None:
    """Tell the other side of a written notice of the end, of its suspension or its withdrawal (Article 21(3)).

    The note through the diplomatic channel is what counts. What follows from it is worked out and shown; each house's
    history says how that house reads it.
    """


@notice.command()
@_noted
@relationship_option
@acting
@housed
def give(desk: Desk, **given: Any) -> None:
    """Say that a notice of the end was given, and see when it would end the agreement, by every reading.

    Example:
      comity agreement notice give --note "NV 114/2026" --day 2026-11-21 --as envoy
    """
    _tell(desk, "notice", None, **given)


@notice.command()
@click.argument("notice_id", metavar="NOTICE")
@_noted
@relationship_option
@acting
@housed
def suspend(desk: Desk, notice_id: str, **given: Any) -> None:
    """Say that the effect of a notice was suspended.

    Example:
      comity agreement notice suspend e-7k3m… --note "NV 115/2026" --day 2026-11-22 --as envoy
    """
    _tell(desk, "suspension", notice_id, **given)


@notice.command()
@click.argument("notice_id", metavar="NOTICE")
@_noted
@relationship_option
@acting
@housed
def reactivate(desk: Desk, notice_id: str, **given: Any) -> None:
    """Say that a suspended notice runs again.

    Example:
      comity agreement notice reactivate e-7k3m… --note "NV 2/2027" --day 2027-01-10 --as envoy
    """
    _tell(desk, "reactivation", notice_id, **given)


@notice.command()
@click.argument("notice_id", metavar="NOTICE")
@_noted
@relationship_option
@acting
@housed
def withdraw(desk: Desk, notice_id: str, **given: Any) -> None:
    """Say that a notice was withdrawn; what it did before stays as it was.

    Example:
      comity agreement notice withdraw e-7k3m… --note "NV 31/2027" --day 2027-03-21 --as envoy
    """
    _tell(desk, "withdrawal", notice_id, **given)


@notice.command("list")
@relationship_option
@housed
def list_(desk: Desk, relationship: str | None) -> None:
    """List the notes of both parties, and what follows from those that this house's history does not tell yet.

    Example:
      comity agreement notice list
    """
    from comity.flows.agreeing.end_notes import ListEndNotes

    request = ListEndNotes(relationship=desk.session.relationship(relationship))
    desk.show(desk.call("agreement.notice.list", request), _tell_notes)


def _tell(
    desk: Desk,
    step: Step,
    notice_id: str | None,
    *,
    note: str,
    day: str,
    channel: str | None,
    document: Path | None,
    preview: bool,
    relationship: str | None,
    actor: str,
    key: Path | None,
) -> None:
    from comity.flows.actors import Actor
    from comity.flows.agreeing.end_notes import PreviewEndNote, TellEndNote

    named = desk.session.relationship(relationship)
    if preview:
        supposed = PreviewEndNote(relationship=named, step=step, day=day, notice=notice_id)
        desk.show(desk.call("agreement.notice.preview", supposed), _tell_preview)
        return
    if not note:
        raise Misuse("name the note by which it was given: --note ID", code="no-note")
    request = TellEndNote(
        relationship=named,
        step=step,
        note=note,
        day=day,
        notice=notice_id,
        actor=Actor(actor),
        channel=channel,
        document=sha256(read_file(document, NOTE_BYTES_MAX)).digest() if document is not None else None,
    )
    told = desk.act("agreement.notice", request, key)

    def tell(out: Output, shown: EndNotesShown) -> None:
        _tell_notes(out, shown)
        out.next(
            ("comity agreement adopt --help", "once your history tells of it too: it says how you read what happened"),
            *desk.sending(),
        )

    desk.show(told, tell)


def _tell_preview(out: Output, shown: EndNotesShown) -> None:
    out.line(("nothing is recorded; with such a note", "strong"))
    _tell_follows(out, shown)


def _tell_notes(out: Output, shown: EndNotesShown) -> None:
    if not shown.notes:
        out.line("no note about the end was told")
        return
    out.table(
        ("day", "party", "", "notice", "note", ""),
        [
            (
                each.day,
                each.party,
                each.step,
                each.notice,
                visible(each.note),
                "" if each.in_history else "not in the history here",
            )
            for each in shown.notes
        ],
    )
    out.fields([(visible(each.note), f"SHA-256 {each.document}") for each in shown.notes if each.document])
    tell_what_follows(out, shown)


def tell_what_follows(out: Output, shown: EndNotesShown) -> None:
    """What follows once notes count that the history here does not tell of; nothing where there are none."""
    if not all(each.in_history for each in shown.notes):
        out.gap()
        out.line(("what follows, with these notes", "strong"))
        _tell_follows(out, shown)


def _tell_follows(out: Output, shown: EndNotesShown) -> None:
    if shown.follows is None:
        out.text(f"the history here cannot hold it: {shown.contradiction}", indent=2, style="warn")
        return
    status: Status = shown.follows
    zone = time_zones().zone(status.timezone)
    for reading in status.readings:
        ends = [
            f"{each.at.astimezone(zone):%Y-%m-%d %H:%M} {status.timezone} {each.counting}".rstrip()
            for each in reading.ahead
            if each.what == "end"
        ]
        out.fields(
            [
                (reading.party, reading.phase.replace("-", " ")),
                *[("ends", end) for end in ends],
                *[("can end", visible(each.says)) for each in reading.endings],
            ]
        )
