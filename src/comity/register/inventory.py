"""Muster of copies and reconciliation of registers: its rules (Article 6(f); ``spec/inventory.md``)."""

from __future__ import annotations

from typing import cast

import msgspec

from comity.record import bodies
from comity.record.bodies.inventory import (
    CopyCounted,
    FindingExplained,
    InventoryDone,
    MusterSheet,
    MusterSigned,
    Reconciled,
)
from comity.record.person_act import signature_in
from comity.record.statement import Record
from comity.register.house import check_house_act, person_key
from comity.register.occasions import THE_AGREEMENT
from comity.register.officers import check_officer, officer_key
from comity.register.roles import REGISTRY, ROOT
from comity.register.rows import AgreementRow, CopyRow, FacilityRow, Facts, Key, copy_key
from comity.register.rows.inventory import (
    CountedRow,
    FindingRow,
    InventoryRow,
    MusterRow,
    OpenFindingRow,
    counted_key,
    finding_key,
    inventory_key,
    open_finding_key,
)
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no

HELD = frozenset({"present", "missing", "elsewhere"})
"""What a muster says of a copy that the register has as held."""
IN_ORDER = "present"
"""The one that is no finding."""


def _muster_key(muster: str) -> Key:
    return MusterRow.table, muster


def _signer_key(body: bodies.Body) -> list[Key]:
    signer = signature_in(body).signer
    return [] if signer == ROOT else [person_key(signer)]


def _check_signed_as(context: Context, facts: Facts, record: Record, by: str) -> None:
    """A registry officer of this house signed it, in his own name."""
    body = cast("bodies.Body", record.body)
    if check_house_act(context, facts, body, record.statement.relationship, REGISTRY) != by:
        raise no("other-signer", f"it names {by!r} but somebody else signed it")


# ---- the muster ----------------------------------------------------------------------------------------------------


def _copy_of(line: CopyCounted) -> Key | None:
    return None if line.relationship is None else copy_key(line.relationship, line.item, line.number)


def _sheet_reads(_: Context, record: Record) -> list[Key]:
    body = cast("MusterSheet", record.body)
    keys = [_muster_key(body.muster), *_signer_key(body)]
    for copy in filter(None, map(_copy_of, body.copies)):
        keys += [copy, counted_key(copy)]
    return keys


def _check_line(facts: Facts, muster: str, line: CopyCounted, copy: Key) -> None:
    """The register has the copy in the state that the line says, and this muster has not looked for it before."""
    row: CopyRow = need(facts, copy, "copy")
    if row.state != ("held" if line.found in HELD else line.found):
        raise no("copy-state", f"copy {line.number} of {line.item!r} is {row.state} now; sign again")
    counted = cast("CountedRow | None", facts[counted_key(copy)])
    if counted is not None and counted.muster == muster:
        raise no("counted-twice", f"copy {line.number} of {line.item!r} stands in this muster already")


def _sheet(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("MusterSheet", record.body)
    _check_signed_as(context, facts, record, body.by)
    before = cast("MusterRow | None", facts[_muster_key(body.muster)])
    at = record.statement.at
    row = before or MusterRow(
        muster=body.muster, record=record.id, at=at, by=body.by, sheets=0, expected=0, counted=0, findings=0
    )
    if row.signed or body.sheet != row.sheets + 1 or row.by != body.by:
        raise no("other-sheet", f"this is not the next sheet of muster {body.muster!r}")
    named = {(line.relationship, line.item, line.number) for line in body.copies}
    if len(named) != len(body.copies):
        raise no("counted-twice", f"sheet {body.sheet} names a copy twice")
    puts: list[Put] = []
    findings = row.findings
    for line in body.copies:
        copy = _copy_of(line)
        if (copy is None) != (line.found == "unknown"):
            raise no("unknown-copy", f"copy {line.number} of {line.item!r} is unknown, and in a relationship")
        if copy is not None:
            _check_line(facts, body.muster, line, copy)
            puts.append(Put(counted_key(copy), CountedRow(muster=body.muster, found=line.found, at=at)))
        if line.found != IN_ORDER:
            findings += 1
            puts += _found(body.muster, findings, line, record)
    found = [line.found for line in body.copies]
    now = msgspec.structs.replace(
        row,
        record=record.id,
        at=at,
        sheets=body.sheet,
        expected=row.expected + found.count("present") + found.count("missing"),
        counted=row.counted + len(found) - found.count("missing"),
        findings=findings,
    )
    return [Put(_muster_key(body.muster), now), *puts]


def _found(muster: str, number: int, line: CopyCounted, record: Record) -> list[Put]:
    here = "unknown" if line.relationship is None else "held" if line.found in HELD else line.found
    row = FindingRow(
        source=muster,
        number=number,
        relationship=line.relationship,
        item=line.item,
        copy=line.number,
        here=here,
        there="missing" if line.found == "missing" else "elsewhere" if line.found == "elsewhere" else "counted",
        at=record.statement.at,
        last=record.id,
    )
    return _open(row)


def _open(row: FindingRow) -> list[Put]:
    return [
        Put(finding_key(row.source, row.number), row),
        Put(open_finding_key(row.source, row.number), OpenFindingRow()),
    ]


def _signed_reads(_: Context, record: Record) -> list[Key]:
    body = cast("MusterSigned", record.body)
    keys = [_muster_key(body.muster), *_signer_key(body)]
    keys += [(AgreementRow.table, each) for each in body.covers]
    if body.facility is not None:
        keys.append((FacilityRow.table, body.facility))
    if body.holder is not None:
        keys.append(person_key(body.holder))
    return keys


def _signed(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("MusterSigned", record.body)
    _check_signed_as(context, facts, record, body.by)
    for relationship in body.covers:
        need(facts, (AgreementRow.table, relationship), "agreement")
    if body.facility is not None:
        need(facts, (FacilityRow.table, body.facility), "facility")
    if body.holder is not None:
        need(facts, person_key(body.holder), "person")
    before = cast("MusterRow | None", facts[_muster_key(body.muster)])
    told = (body.sheets, body.expected, body.counted, body.findings)
    here = (0, 0, 0, 0) if before is None else (before.sheets, before.expected, before.counted, before.findings)
    if before is not None and (before.signed or before.by != body.by):
        raise no("muster-signed", f"muster {body.muster!r} was signed before")
    if told != here:
        raise no("other-sum", f"muster {body.muster!r} says {told}, its sheets add up to {here}")
    row = MusterRow(
        muster=body.muster,
        record=record.id,
        at=record.statement.at,
        by=body.by,
        sheets=body.sheets,
        expected=body.expected,
        counted=body.counted,
        findings=body.findings,
        signed=True,
        begun=body.begun,
        facility=body.facility,
        holder=body.holder,
        covers=body.covers,
    )
    return [Put(_muster_key(body.muster), row)]


# ---- telling the other party ---------------------------------------------------------------------------------------


def _done_reads(_: Context, record: Record) -> list[Key]:
    return [officer_key(record), inventory_key(record.statement.relationship, record.statement.author)]


def _done(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("InventoryDone", record.body), record.statement
    check_officer(facts, record, REGISTRY)
    key = inventory_key(statement.relationship, statement.author)
    before = cast("InventoryRow | None", facts[key])
    if before is not None and body.begun <= before.begun:
        raise no("stale-act", "an inventory that was begun later was told already")
    if body.begun > statement.at:
        raise no("time-order", "an inventory that is begun after it is told")
    return [Put(key, InventoryRow(muster=body.muster, record=record.id, begun=body.begun, at=statement.at, by=body.by))]


# ---- reconciliation ------------------------------------------------------------------------------------------------


def _reconciled_reads(_: Context, record: Record) -> list[Key]:
    body = cast("Reconciled", record.body)
    return [(AgreementRow.table, body.between), finding_key(body.reconciliation, 1)]


def _reconciled(_: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("Reconciled", record.body)
    row: AgreementRow = need(facts, (AgreementRow.table, body.between), "agreement")
    if row.peer != body.peer:
        raise no("other-peer", f"{body.between!r} is a relationship with {row.peer!r}, not with {body.peer!r}")
    if facts[finding_key(body.reconciliation, 1)] is not None:
        raise no("reconciled", f"reconciliation {body.reconciliation!r} was recorded before")
    puts: list[Put] = []
    for number, each in enumerate(body.findings, start=1):
        puts += _open(
            FindingRow(
                source=body.reconciliation,
                number=number,
                relationship=body.between,
                item=each.item,
                copy=each.copy,
                here=each.here,
                there=each.there,
                at=record.statement.at,
                last=record.id,
            )
        )
    return puts


# ---- findings ------------------------------------------------------------------------------------------------------


def _explained_reads(_: Context, record: Record) -> list[Key]:
    body = cast("FindingExplained", record.body)
    return [finding_key(body.source, body.number), *_signer_key(body)]


def _explained(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("FindingExplained", record.body)
    _check_signed_as(context, facts, record, body.by)
    key = finding_key(body.source, body.number)
    row: FindingRow = need(facts, key, "finding")
    check_after(body.after, row.last)
    if not body.reason:
        raise no("no-reason", "a finding is explained in words")
    now = msgspec.structs.replace(row, last=record.id, explained=record.id, reason=body.reason, followed=body.record)
    return [Put(key, now), Put(open_finding_key(body.source, body.number), None)]


RULES: dict[type[bodies.Body], Rule] = {
    MusterSheet: Rule(_sheet_reads, _sheet),
    MusterSigned: Rule(_signed_reads, _signed),
    InventoryDone: Rule(_done_reads, _done),
    Reconciled: Rule(_reconciled_reads, _reconciled),
    FindingExplained: Rule(_explained_reads, _explained),
}
"""The rule of every record type of this area."""


def _kept(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    """A muster of the whole house shows its own duty to be done; what is told shows it to both sides."""
    if isinstance(record.body, MusterSigned):
        body = record.body
        if body.facility is not None or body.holder is not None:
            return []
        return [Discharge(deed="keep-inventory", subject=THE_AGREEMENT, relationship=each) for each in body.covers]
    return [Discharge(deed="keep-inventory", subject=THE_AGREEMENT)]


OCCASIONS: dict[type[bodies.Body], Occasions] = {MusterSigned: _kept, InventoryDone: _kept}
"""Of what these record types are an occasion."""
