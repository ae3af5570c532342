"""Authorities and laws, and what this house spends: the rules of their records (Articles 2(d), 3, 19).

``spec/notices.md`` steps 1 to 3 and 12; ``disputes.py`` and ``deposits.py`` have the others of this area.
"""

from __future__ import annotations

from datetime import date
from typing import cast

import msgspec

from comity.record.bodies import Body
from comity.record.bodies.notices import (
    Designated,
    DesignationEnded,
    LawAnswered,
    LawAsked,
    LawNotified,
    OutlayNoted,
)
from comity.record.statement import Record
from comity.register import deposits, disputes
from comity.register.house import check_house_act, signer_keys
from comity.register.officers import officer_key
from comity.register.parties import check_authority
from comity.register.roles import AGREEMENT_AUTHORITY
from comity.register.rows import AgreementRow, Facts, ItemRow, Key
from comity.register.rows.notices import (
    DesignationRow,
    LawRequestRow,
    LawRow,
    OutlayRow,
    designation_key,
    law_key,
    law_request_key,
    outlay_key,
)
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no

NOTICES_KEPT = 256
"""Most notices about one law; a law that changes more often is told under a new name."""


def check_day(day: str) -> str:
    """``day``, which is one of the calendar.

    Raises:
        Rejected: there is no such day.
    """
    try:
        date.fromisoformat(day)
    except ValueError:
        raise no("bad-day", f"there is no day {day!r}") from None
    return day


# ---- designations ---------------------------------------------------------------------------------------------------


def _designation_reads(_: Context, record: Record) -> list[Key]:
    body = cast("Designated | DesignationEnded", record.body)
    statement = record.statement
    return [designation_key(statement.relationship, statement.author, body.designation), officer_key(record)]


def _designated(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Designated", record.body), record.statement
    check_authority(facts, record, AGREEMENT_AUTHORITY)
    key = designation_key(statement.relationship, statement.author, body.designation)
    if facts[key] is not None:
        raise no("designation-exists", f"designation {body.designation!r} was already made")
    row = DesignationRow(
        designation=body.designation,
        party=statement.author,
        authority=body.authority,
        since=check_day(body.since),
        note=body.note,
        record=record.id,
        at=statement.at,
    )
    return [Put(key, row)]


def _designation_ended(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("DesignationEnded", record.body), record.statement
    check_authority(facts, record, AGREEMENT_AUTHORITY)
    key = designation_key(statement.relationship, statement.author, body.designation)
    row = cast("DesignationRow | None", facts[key])
    if row is None:
        raise no("unknown-designation", f"{statement.author!r} has told of no designation {body.designation!r}")
    if row.ended is not None:
        raise no("designation-ended", f"designation {body.designation!r} ended already, on {row.until}")
    if check_day(body.since) < row.since:
        raise no("ends-before-it-begins", f"designation {body.designation!r} begins on {row.since}")
    ended = msgspec.structs.replace(row, until=body.since, end_note=body.note, ended=record.id)
    return [Put(key, ended)]


def _designation_occasions(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, author = cast("Designated | DesignationEnded", record.body), record.statement.author
    subject = f"{body.designation}/{record.id.hex()[:32]}"
    return [
        Occurrence(event="designation-changed", subject=subject, originator=author, acting=author),
        Discharge(deed="notify", subject=subject),
    ]


# ---- laws -----------------------------------------------------------------------------------------------------------


def _law_reads(_: Context, record: Record) -> list[Key]:
    body, statement = cast("LawNotified", record.body), record.statement
    return [law_key(statement.relationship, statement.author, body.law), officer_key(record)]


def _law_notified(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("LawNotified", record.body), record.statement
    check_authority(facts, record, AGREEMENT_AUTHORITY)
    key = law_key(statement.relationship, statement.author, body.law)
    before = cast("LawRow | None", facts[key])
    check_after(body.after, before.last if before is not None else bytes(32))
    stands = before is not None and before.change != "repealed"
    if body.change in ("amended", "repealed") and not stands:
        raise no("unknown-law", f"law {body.law!r} was not told before, or was repealed; it cannot be {body.change}")
    if body.change == "enacted" and stands:
        raise no("law-stands", f"law {body.law!r} was told before and stands; a change of it amends it")
    if body.change == "stated" and before is not None and not stands:
        raise no("law-repealed", f"law {body.law!r} was repealed; it stands again when it is enacted")
    notices = (*(before.notices if before is not None else ()), record.id)
    if len(notices) > NOTICES_KEPT:
        raise no(
            "too-many-notices", f"there are {NOTICES_KEPT} notices about law {body.law!r}; tell it under a new name"
        )
    row = LawRow(
        law=body.law,
        party=statement.author,
        title=body.title,
        change=body.change,
        in_force=check_day(body.in_force),
        says=body.says,
        note=body.note,
        at=statement.at,
        notices=notices,
    )
    return [Put(key, row)]


def _law_occasions(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, author = cast("LawNotified", record.body), record.statement.author
    if body.change == "stated":
        return []
    subject = f"{body.law}/{record.id.hex()[:32]}"
    return [
        Occurrence(event="law-changed", subject=subject, originator=author, acting=author),
        Discharge(deed="notify", subject=subject),
    ]


def _law_asked_reads(_: Context, record: Record) -> list[Key]:
    body = cast("LawAsked", record.body)
    return [law_request_key(record.statement.relationship, body.request), officer_key(record)]


def _law_asked(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("LawAsked", record.body), record.statement
    check_authority(facts, record, AGREEMENT_AUTHORITY)
    key = law_request_key(statement.relationship, body.request)
    if facts[key] is not None:
        raise no("request-exists", f"request {body.request!r} was already made")
    row = LawRequestRow(
        request=body.request, author=statement.author, matter=body.matter, record=record.id, at=statement.at
    )
    return [Put(key, row)]


def _law_asked_occasions(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, asked = cast("LawAsked", record.body), other_party(context, facts, record)
    return [Occurrence(event="law-requested", subject=body.request, originator=asked, acting=asked)]


def _law_answered_reads(_: Context, record: Record) -> list[Key]:
    body, statement = cast("LawAnswered", record.body), record.statement
    laws = [law_key(statement.relationship, statement.author, law) for law in body.laws]
    return [law_request_key(statement.relationship, body.request), officer_key(record), *laws]


def _law_answered(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("LawAnswered", record.body), record.statement
    check_authority(facts, record, AGREEMENT_AUTHORITY)
    key = law_request_key(statement.relationship, body.request)
    asked = cast("LawRequestRow | None", facts[key])
    if asked is None:
        raise no("unknown-law-request", f"there is no request for laws {body.request!r}")
    if asked.author == statement.author:
        raise no("own-request", f"{statement.author!r} asked this and cannot answer it")
    if asked.answer is not None:
        raise no("already-answered", f"request {body.request!r} was answered already")
    for law in body.laws:
        if facts[law_key(statement.relationship, statement.author, law)] is None:
            raise no("unknown-law", f"{statement.author!r} has told of no law {law!r}")
    row = msgspec.structs.replace(
        asked, answer=record.id, answered=statement.at, laws=tuple(sorted(set(body.laws))), says=body.says
    )
    return [Put(key, row)]


def _law_answered_occasions(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    return [Discharge(deed="notify", subject=cast("LawAnswered", record.body).request)]


# ---- costs ----------------------------------------------------------------------------------------------------------


def _outlay_reads(_: Context, record: Record) -> list[Key]:
    body = cast("OutlayNoted", record.body)
    keys: list[Key] = [
        outlay_key(body.relationship, body.day, body.outlay),
        (AgreementRow.table, body.relationship),
        *signer_keys(body),
    ]
    return keys if body.item is None else [*keys, (ItemRow.table, body.item)]


def _outlay_noted(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("OutlayNoted", record.body)
    need(facts, (AgreementRow.table, body.relationship), "agreement")
    if body.item is not None:
        need(facts, (ItemRow.table, body.item), "item")
    if check_house_act(context, facts, body, record.statement.relationship, AGREEMENT_AUTHORITY) != body.by:
        raise no("other-signer", f"the outlay names {body.by!r} but somebody else signed it")
    key = outlay_key(body.relationship, check_day(body.day), body.outlay)
    if facts[key] is not None:
        raise no("outlay-exists", f"outlay {body.outlay!r} was already noted")
    row = OutlayRow(
        outlay=body.outlay,
        relationship=body.relationship,
        amount=body.amount,
        currency=body.currency,
        day=body.day,
        purpose=body.purpose,
        by=body.by,
        record=record.id,
        item=body.item,
    )
    return [Put(key, row)]


RULES: dict[type[Body], Rule] = {
    Designated: Rule(_designation_reads, _designated),
    DesignationEnded: Rule(_designation_reads, _designation_ended),
    LawNotified: Rule(_law_reads, _law_notified),
    LawAsked: Rule(_law_asked_reads, _law_asked),
    LawAnswered: Rule(_law_answered_reads, _law_answered),
    OutlayNoted: Rule(_outlay_reads, _outlay_noted),
    **disputes.RULES,
    **deposits.RULES,
}
"""The rule of every record type of this area."""
OCCASIONS: dict[type[Body], Occasions] = {
    Designated: _designation_occasions,
    DesignationEnded: _designation_occasions,
    LawNotified: _law_occasions,
    LawAsked: _law_asked_occasions,
    LawAnswered: _law_answered_occasions,
    **disputes.OCCASIONS,
}
"""Of what each of these record types is an occasion (``spec/notices.md`` step 13)."""
