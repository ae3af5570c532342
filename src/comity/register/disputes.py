"""Disputes: the rules of their records (Article 20; ``spec/notices.md`` steps 4 to 7).

Nothing here closes anything: what is in dispute is protected, opened and marked as if it were not. Both sides may speak
at once. So the records of each side follow on its own, and what becomes of the dispute follows from the records that
there are, not from the order in which a side heard of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from itertools import combinations
from typing import cast

import msgspec

from comity.record.bodies import Body
from comity.record.bodies.notices import DisputeOpened, PositionTaken, SettlementSigned
from comity.record.statement import Record
from comity.register.officers import officer_key
from comity.register.parties import check_authority
from comity.register.roles import AGREEMENT_AUTHORITY
from comity.register.rows import AgreementRow, ConsignmentRow, Facts, ItemRow, Key
from comity.register.rows.duties import DutiesRow, duties_key
from comity.register.rows.lineage import DerivativeRow, derivative_key
from comity.register.rows.notices import DisputeRow, Position, Proposed, Spoken, deposit_key, dispute_key
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, no

RECORDS_MAX = 256
"""Most records of one side in one dispute, beside its opening (step 5)."""


def _opened_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("DisputeOpened", record.body), record.statement.relationship
    keys = [dispute_key(relationship, body.dispute), officer_key(record)]
    keys += [deposit_key(relationship, each) for each in body.deposits]
    if body.about == "item":
        keys += [(ItemRow.table, body.subject), derivative_key(relationship, body.subject)]
    elif body.about == "duty":
        keys.append(duties_key(relationship, body.subject))
    return keys


def _opened_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    body = cast("DisputeOpened", record.body)
    if body.about != "item":
        return []
    item = cast("ItemRow | None", facts[ItemRow.table, body.subject])
    return [(ConsignmentRow.table, each.hex()) for each in (item.consignments if item is not None else ())]


def _giver(facts: Facts, record: Record) -> str:
    """Who gave the item of a dispute in this relationship; empty where it never passed here."""
    body, relationship = cast("DisputeOpened", record.body), record.statement.relationship
    item = cast("ItemRow | None", facts[ItemRow.table, body.subject])
    for each in item.consignments if item is not None else ():
        consigned = cast("ConsignmentRow | None", facts[ConsignmentRow.table, each.hex()])
        if consigned is not None and consigned.relationship == relationship and consigned.returned is None:
            return consigned.author
    made = cast("DerivativeRow | None", facts[derivative_key(relationship, body.subject)])
    return made.maker if made is not None else ""


def _check_subject(context: Context, facts: Facts, row: AgreementRow, record: Record) -> None:
    body = cast("DisputeOpened", record.body)
    if (body.about == "duty") != (body.obligation is not None):
        raise no("other-subject", "a dispute about a duty names its obligation, and no other dispute does")
    if body.about == "item" and not _giver(facts, record):
        raise no("unknown-item", f"there is no item {body.subject!r} that passed between the parties")
    if body.about == "duty":
        duties = cast("DutiesRow | None", facts[duties_key(record.statement.relationship, body.subject)])
        shared = [each.obligation for each in duties.duties if not each.alone] if duties is not None else []
        if body.obligation not in shared:
            raise no("unknown-duty", f"nothing is owed under {body.obligation!r} about {body.subject!r}")
    if body.about == "reading":
        clauses = {clause.id for clause in context.agreement(row.digest).clauses}
        if body.subject not in clauses:
            raise no("unknown-clause", f"{row.agreement!r} has no clause {body.subject!r}")


def _check_deposits(facts: Facts, record: Record) -> None:
    body = cast("DisputeOpened | PositionTaken", record.body)
    for each in body.deposits:
        if facts[deposit_key(record.statement.relationship, each)] is None:
            raise no("unknown-deposit", f"there is no deposit {each!r}")


def _opened(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("DisputeOpened", record.body), record.statement
    row = check_authority(facts, record, AGREEMENT_AUTHORITY)
    key = dispute_key(statement.relationship, body.dispute)
    if facts[key] is not None:
        raise no("dispute-exists", f"dispute {body.dispute!r} was already opened")
    _check_subject(context, facts, row, record)
    _check_deposits(facts, record)
    position = Position(statement.author, body.by, body.position, record.id, statement.at, body.deposits)
    opened = DisputeRow(
        dispute=body.dispute,
        author=statement.author,
        about=body.about,
        subject=body.subject,
        obligation=body.obligation,
        question=body.question,
        record=record.id,
        at=statement.at,
        positions=(position,),
    )
    return [Put(key, opened)]


def _opened_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, author = cast("DisputeOpened", record.body), record.statement.author
    item = body.subject if body.about == "item" else ""
    originator = (_giver(facts, record) if item else "") or author
    return [
        Occurrence(event="dispute-opened", subject=body.dispute, originator=originator, item=item),
        Discharge(deed="consult", subject=body.dispute),
    ]


def _follow_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("PositionTaken | SettlementSigned", record.body), record.statement.relationship
    keys = [dispute_key(relationship, body.dispute), officer_key(record)]
    if isinstance(body, PositionTaken):
        keys += [deposit_key(relationship, each) for each in body.deposits]
    return keys


def _under_way(context: Context, facts: Facts, record: Record) -> DisputeRow:
    """The dispute that a record goes on with, once it may (5, 6)."""
    body, author = cast("PositionTaken | SettlementSigned", record.body), record.statement.author
    check_authority(facts, record, AGREEMENT_AUTHORITY)
    row = cast("DisputeRow | None", facts[dispute_key(record.statement.relationship, body.dispute)])
    if row is None:
        raise no("unknown-dispute", f"there is no dispute {body.dispute!r}")
    if row.settled is not None and author == context.party:  # the other side may not know of it yet
        raise no("settled", f"dispute {body.dispute!r} was settled; what is new is another dispute")
    if row.records(author) >= RECORDS_MAX:
        raise no("too-many-positions", f"{author!r} has said {RECORDS_MAX} things in dispute {body.dispute!r} already")
    check_after(body.after, row.last(author))
    return row


def _said(row: DisputeRow, record: Record, **changes: object) -> Put:
    """The dispute after one more record of a side."""
    author = record.statement.author
    spoken = Spoken(author, record.id, row.records(author) + 1)
    others = [each for each in row.spoken if each.party != author]
    sides = tuple(sorted((*others, spoken), key=lambda each: each.party))
    key = dispute_key(record.statement.relationship, row.dispute)
    return Put(key, msgspec.structs.replace(row, spoken=sides, **changes))


def _time(said: Position | Proposed) -> tuple[datetime, str]:
    """By what both sides list alike what was said; each side's own records keep their order."""
    return said.at, said.party


def _position_taken(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("PositionTaken", record.body), record.statement
    row = _under_way(context, facts, record)
    _check_deposits(facts, record)
    position = Position(statement.author, body.by, body.says, record.id, statement.at, body.deposits)
    first, *others = row.positions
    return [_said(row, record, positions=(first, *sorted((*others, position), key=_time)))]


def _settlement_signed(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("SettlementSigned", record.body), record.statement
    row = _under_way(context, facts, record)
    if body.text is not None and sha256(body.text.encode()).digest() != body.digest:
        raise no("other-text", "the text that settles the dispute is not the one whose digest is signed")
    signed = Proposed(
        party=statement.author,
        by=body.by,
        digest=body.digest,
        record=record.id,
        at=statement.at,
        sequence=statement.sequence,
        seen=statement.seen.size if statement.seen is not None else 0,
        text=body.text,
    )
    proposed = tuple(sorted((*row.proposed, signed), key=_time))
    second = _settled_by(proposed)
    if second is None:
        return [_said(row, record, proposed=proposed)]
    return [
        _said(row, record, proposed=proposed, settled=second.record, settled_at=second.at, settlement=second.digest)
    ]


def _settled_by(proposed: Sequence[Proposed]) -> Proposed | None:
    """(6) The later of two signatures of both sides under one text; of several such texts the one signed first."""
    seconds = [
        max(one, other, key=_time)
        for one, other in combinations(proposed, 2)
        if one.party != other.party
        and one.digest == other.digest
        and not _replaced(one, other, proposed)
        and not _replaced(other, one, proposed)
    ]
    return min(seconds, key=lambda each: (*_time(each), each.digest), default=None)


def _replaced(signed: Proposed, other: Proposed, proposed: Sequence[Proposed]) -> bool:
    """Whether whoever signed ``other`` could know that the other side had signed something after ``signed``."""
    return any(each.party == signed.party and signed.sequence < each.sequence < other.seen for each in proposed)


def _follow_occasions(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("PositionTaken | SettlementSigned", record.body)
    return [Discharge(deed="consult", subject=body.dispute)]


RULES: dict[type[Body], Rule] = {
    DisputeOpened: Rule(_opened_reads, _opened, _opened_more),
    PositionTaken: Rule(_follow_reads, _position_taken),
    SettlementSigned: Rule(_follow_reads, _settlement_signed),
}
"""The rule of each record about a dispute."""
OCCASIONS: dict[type[Body], Occasions] = {
    DisputeOpened: _opened_occasions,
    PositionTaken: _follow_occasions,
    SettlementSigned: _follow_occasions,
}
"""Of what each of these record types is an occasion."""
