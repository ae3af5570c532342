"""Notes about the end of an agreement: the rule of their records (Article 21(3); ``spec/term.md`` steps 11 to 13)."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from comity.agreement.lifecycle import state_of
from comity.record.bodies import Body
from comity.record.bodies.term import EndNoteTold
from comity.record.statement import Record
from comity.register.notices import check_day
from comity.register.officers import officer_key
from comity.register.parties import check_authority
from comity.register.roles import AGREEMENT_AUTHORITY
from comity.register.rows import AgreementRow, Facts, Key
from comity.register.rows.term import EndNote, EndNotesRow, end_notes_key
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, no

NOTES_KEPT = 256
"""Most notes of one party on the end of one agreement."""
RUNNING = ("given", "suspended")
"""States in which a notice stands in the way of another one."""
EASTERNMOST = timedelta(hours=14)
"""How far ahead of UTC the local day can be."""


def _told_reads(_: Context, record: Record) -> list[Key]:
    statement = record.statement
    return [
        end_notes_key(statement.relationship, statement.author),
        officer_key(record),
        (AgreementRow.table, statement.relationship),
    ]


def _told(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("EndNoteTold", record.body), record.statement
    running = check_authority(facts, record, AGREEMENT_AUTHORITY)
    article = _article(context, running, body)
    key = end_notes_key(statement.relationship, statement.author)
    before = cast("EndNotesRow | None", facts[key])
    notes = before.notes if before is not None else ()
    check_after(body.after, before.last if before is not None else bytes(32))
    steps = before.steps(body.notice) if before is not None else ()
    if not steps and body.step != "notice":
        raise no("unknown-notice", f"{statement.author!r} has given no notice {body.notice!r} ({article})")
    if state_of((*steps, body.step)) is None:
        sentence = f"notice {body.notice!r} is {state_of(steps)}; no {body.step} follows on that ({article})"
        raise no("no-such-step", sentence)
    if body.step == "notice" and before is not None:
        others = {each.notice for each in notes}
        if any(state_of(before.steps(each)) in RUNNING for each in others):
            raise no("notice-stands", f"{statement.author!r} has given a notice that was not withdrawn ({article})")
    if check_day(body.day) > (statement.at + EASTERNMOST).date().isoformat():
        raise no("day-ahead", f"a note of {body.day} cannot be told before that day")
    if notes and body.day < notes[-1].day:
        raise no("day-before", f"the note before this one is of {notes[-1].day}")
    if len(notes) >= NOTES_KEPT:
        raise no("too-many-notes", f"there are {NOTES_KEPT} notes of {statement.author!r} already")
    told = EndNote(
        notice=body.notice,
        step=body.step,
        note=body.note,
        day=body.day,
        record=record.id,
        at=statement.at,
        channel=body.channel,
        document=body.document,
    )
    return [Put(key, EndNotesRow(party=statement.author, notes=(*notes, told)))]


def _article(context: Context, running: AgreementRow, body: EndNoteTold) -> str:
    """The clause by which the agreement is ended by a notice, which goes through the channel that it names.

    Raises:
        Rejected: it knows of no notice, or of another channel.
    """
    term = context.agreement(running.digest).term
    if term.notice is None:
        raise no("no-notice", f"{running.agreement!r} is not ended by a notice (Article {term.clause})")
    article = f"Article {term.notice.clause}"
    if body.channel and term.notice.channel not in ("any", body.channel):
        raise no("other-channel", f"a notice goes through the {term.notice.channel} channel ({article})")
    return article


def _told_occasions(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, author = cast("EndNoteTold", record.body), record.statement.author
    if body.step != "notice":
        return []
    return [
        Occurrence(event="end-wanted", subject=body.notice, originator=author, acting=author),
        Discharge(deed="give-notice", subject=body.notice),
    ]


RULES: dict[type[Body], Rule] = {EndNoteTold: Rule(_told_reads, _told)}
"""The rule of the record type of this area."""
OCCASIONS: dict[type[Body], Occasions] = {EndNoteTold: _told_occasions}
"""Which duties it opens and discharges."""
