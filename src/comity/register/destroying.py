"""Destruction: the rules of its records (Articles 6(h), 13; ``spec/ending.md`` steps 30 to 37)."""

from __future__ import annotations

from typing import cast

import msgspec

from comity.record import bodies
from comity.record.bodies.ending import CrisisHeard, Destroyed, DestructionWitnessed
from comity.record.statement import Record
from comity.register.officers import check_officer, officer_key
from comity.register.recalls import answer_reads, copy_at_hand, holding_of, last_ones
from comity.register.rows import AgreementRow, CopyRow, Facts, Key, copy_key
from comity.register.rows.ending import (
    CertificateRow,
    EndingRow,
    HoldingRow,
    Witnessed,
    certificate_key,
    ending_key,
    holding_key,
)
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no

WITNESSES_MAX = 9
"""Most witnesses that a certificate waits for: as many as a rule can ask (``spec/agreement.md``)."""


def _destroyed_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("Destroyed", record.body), record.statement.relationship
    return [
        holding_key(relationship, body.item),
        copy_key(relationship, body.item, body.copy),
        certificate_key(relationship, body.certificate),
        officer_key(record),
        (AgreementRow.table, relationship),
    ]


def _destroyed_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    return answer_reads(facts, record.statement.relationship, cast("Destroyed", record.body).item)


def _destroyed(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Destroyed", record.body), record.statement
    if facts[certificate_key(statement.relationship, body.certificate)] is not None:
        raise no("certificate-exists", f"certificate {body.certificate!r} was already given")
    copy = copy_at_hand(facts, record, body.item, body.copy, body.by, body.after)  # (30)
    check_officer(facts, record)
    if body.witnesses > WITNESSES_MAX:
        raise no("too-many-witnesses", f"a certificate waits for at most {WITNESSES_MAX} witnesses")
    row = EndingRow(
        way="destruction",
        record=record.id,
        last=record.id,
        by=body.by,
        key=body.signature.key,
        at=statement.at,
        reason=body.reason,
        certificate=body.certificate,
        method=body.method,
        needed=body.witnesses,
        crisis=body.crisis,
        done=None if body.witnesses else statement.at,
    )
    listed = CertificateRow(item=body.item, copy=body.copy, record=record.id)
    return [
        Put(certificate_key(statement.relationship, body.certificate), listed),
        Put(ending_key(statement.relationship, body.item, body.copy), row),
        Put(copy_key(statement.relationship, body.item, body.copy), _ended(copy, row, record)),
    ]


def _ended(copy: CopyRow, row: EndingRow, record: Record) -> CopyRow:
    """The copy under its certificate: destroyed when it is complete, held and closed until then."""
    if row.done is None:
        return msgspec.structs.replace(copy, last=record.id, certificate=row.certificate)
    return msgspec.structs.replace(copy, state="destroyed", last=record.id, certificate=row.certificate)


def _destroyed_occasions(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("Destroyed", record.body)
    found: list[Occurrence | Discharge] = []
    if body.crisis:
        provider = other_party(context, facts, record)
        found.append(
            Occurrence(event="destroyed-in-crisis", subject=body.certificate, originator=provider, item=body.item)
        )
    if not body.witnesses:
        found += _complete(context, facts, record, body.item, body.certificate)
    return found


def _complete(
    context: Context, facts: Facts, record: Record, item: str, certificate: str
) -> list[Occurrence | Discharge]:
    """A copy is destroyed: the provider is told of it by the very record that completes the certificate."""
    subject = f"{item}/{certificate}"
    return [
        Occurrence(event="destroyed", subject=subject, originator=other_party(context, facts, record), item=item),
        Discharge(deed="notify", subject=subject),
        *last_ones(facts, record, item, record.statement.author),
    ]


# ---- witnesses ------------------------------------------------------------------------------------------------------


def _witnessed_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("DestructionWitnessed", record.body), record.statement.relationship
    return [certificate_key(relationship, body.certificate), officer_key(record), (AgreementRow.table, relationship)]


def _certified(facts: Facts, record: Record, certificate: str) -> CertificateRow | None:
    return cast("CertificateRow | None", facts[certificate_key(record.statement.relationship, certificate)])


def _certified_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    """What the certificate is about, and what may be answered with it."""
    body, relationship = cast("DestructionWitnessed | CrisisHeard", record.body), record.statement.relationship
    found = _certified(facts, record, body.certificate)
    if found is None:
        return []
    return [
        copy_key(relationship, found.item, found.copy),
        ending_key(relationship, found.item, found.copy),
        *answer_reads(facts, relationship, found.item),
    ]


def _current(facts: Facts, record: Record, certificate: str) -> tuple[CertificateRow, EndingRow]:
    """A certificate, and how its copy ends by it.

    Raises:
        Rejected: there is none, it was void, or another one has taken its place.
    """
    relationship = record.statement.relationship
    found: CertificateRow = need(facts, certificate_key(relationship, certificate), "certificate")
    row = cast("EndingRow | None", facts[ending_key(relationship, found.item, found.copy)])
    if row is None or row.certificate != certificate or row.void is not None:
        raise no("void-certificate", f"certificate {certificate!r} counts for nothing")
    return found, row


def _witnessed(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("DestructionWitnessed", record.body), record.statement
    relationship = statement.relationship
    found, row = _current(facts, record, body.certificate)
    if (found.item, found.copy) != (body.item, body.copy):
        raise no("other-copy", f"certificate {body.certificate!r} is of copy {found.copy} of {found.item!r}")
    if holding_of(facts, record, found.item).keeper != statement.author:
        raise no("not-holder", f"{statement.author!r} does not keep the copy of certificate {body.certificate!r}")
    check_officer(facts, record)
    if not row.pending:
        raise no("already-complete", f"certificate {body.certificate!r} has all its signatures")
    if body.by == row.by or body.signature.key == row.key:  # (32)
        raise no("own-certificate", "whoever destroyed the copy cannot witness it; somebody else must")
    if any(body.by == each.by or body.signature.key == each.key for each in row.witnesses):
        raise no("already-signed", f"{body.by!r} has signed certificate {body.certificate!r} already")
    check_after(body.after, row.last)
    key = copy_key(relationship, found.item, found.copy)
    copy: CopyRow = need(facts, key, "copy")
    if copy.state != "held" or copy.certificate != body.certificate:
        raise no("copy-state", f"copy {found.copy} of {found.item!r} is {copy.state}, not waiting for a witness")
    if not body.seen:  # (33)
        void = msgspec.structs.replace(row, last=record.id, void=f"{body.by}: {body.reason}")
        opened = msgspec.structs.replace(copy, last=record.id, certificate=None)
        return [Put(ending_key(relationship, found.item, found.copy), void), Put(key, opened)]
    witness = Witnessed(by=body.by, key=body.signature.key, record=record.id, at=statement.at)
    witnesses = (*row.witnesses, witness)
    done = statement.at if len(witnesses) >= row.needed else None
    signed = msgspec.structs.replace(row, last=record.id, witnesses=witnesses, done=done)
    return [Put(ending_key(relationship, found.item, found.copy), signed), Put(key, _ended(copy, signed, record))]


def _witnessed_occasions(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, relationship = cast("DestructionWitnessed", record.body), record.statement.relationship
    found = _certified(facts, record, body.certificate)
    if found is None or not body.seen:
        return []
    row = cast("EndingRow | None", facts[ending_key(relationship, found.item, found.copy)])
    if row is None or len(row.witnesses) + 1 < row.needed:
        return []
    return _complete(context, facts, record, found.item, body.certificate)


# ---- a crisis -------------------------------------------------------------------------------------------------------


def _heard_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("CrisisHeard", record.body), record.statement.relationship
    return [certificate_key(relationship, body.certificate), (AgreementRow.table, relationship)]


def _heard(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("CrisisHeard", record.body), record.statement
    found, row = _current(facts, record, body.certificate)
    if holding_of(facts, record, found.item).keeper == statement.author:  # (36)
        raise no("not-provider", f"{statement.author!r} destroyed it and cannot say that the other side was told")
    if not row.crisis:
        raise no("no-crisis", f"certificate {body.certificate!r} is not of a destruction in a crisis")
    if row.heard is not None:
        raise no("already-heard", f"certificate {body.certificate!r} was heard already")
    heard = msgspec.structs.replace(row, heard=statement.at)
    return [Put(ending_key(statement.relationship, found.item, found.copy), heard)]


def _heard_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, relationship = cast("CrisisHeard", record.body), record.statement.relationship
    found = _certified(facts, record, body.certificate)
    holding = cast("HoldingRow | None", facts[holding_key(relationship, found.item)]) if found is not None else None
    if holding is None:
        return []
    return [Discharge(deed="notify", subject=body.certificate, party=holding.keeper)]


DESTRUCTION_RULES: dict[type[bodies.Body], Rule] = {
    Destroyed: Rule(_destroyed_reads, _destroyed, _destroyed_more),
    DestructionWitnessed: Rule(_witnessed_reads, _witnessed, _certified_more),
    CrisisHeard: Rule(_heard_reads, _heard, _certified_more),
}
"""The rule of every record type about destruction."""
DESTRUCTION_OCCASIONS: dict[type[bodies.Body], Occasions] = {
    Destroyed: _destroyed_occasions,
    DestructionWitnessed: _witnessed_occasions,
    CrisisHeard: _heard_occasions,
}
"""Of what they are occasions."""
