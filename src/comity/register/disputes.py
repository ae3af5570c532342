"""Disputes: the rules of their records (Article 20; ``spec/notices.md`` steps 4 to 7).

Nothing here closes anything: what is in dispute is protected, opened and marked as if it were not.
"""

from __future__ import annotations

from hashlib import sha256
from typing import cast

import msgspec

from comity.record.bodies import Body
from comity.record.bodies.notices import DisputeOpened, PositionTaken, SettlementSigned
from comity.record.statement import Record
from comity.register.crossing import officer_key
from comity.register.house import AGREEMENT_AUTHORITY, check_after
from comity.register.parties import check_authority
from comity.register.rows import AgreementRow, ConsignmentRow, Facts, ItemRow, Key
from comity.register.rows.duties import DutiesRow, duties_key
from comity.register.rows.lineage import DerivativeRow, derivative_key
from comity.register.rows.notices import DisputeRow, Position, Proposed, deposit_key, dispute_key
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, no

POSITIONS_MAX = 256
"""Most positions in one dispute (step 5)."""


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
        if duties is None or all(each.obligation != body.obligation for each in duties.duties):
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
        last=record.id,
        positions=(position,),
    )
    return [Put(key, opened)]


def _opened_occasions(facts: Facts, record: Record) -> list[Occurrence | Discharge]:
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


def _under_way(facts: Facts, record: Record) -> DisputeRow:
    """The dispute that a record goes on with, once it may (5, 6)."""
    body = cast("PositionTaken | SettlementSigned", record.body)
    check_authority(facts, record, AGREEMENT_AUTHORITY)
    row = cast("DisputeRow | None", facts[dispute_key(record.statement.relationship, body.dispute)])
    if row is None:
        raise no("unknown-dispute", f"there is no dispute {body.dispute!r}")
    if row.settled is not None:
        raise no("settled", f"dispute {body.dispute!r} was settled; what is new is another dispute")
    check_after(body.after, row.last)
    return row


def _position_taken(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("PositionTaken", record.body), record.statement
    row = _under_way(facts, record)
    if len(row.positions) == POSITIONS_MAX:
        raise no("too-many-positions", f"there are {POSITIONS_MAX} positions in dispute {body.dispute!r} already")
    _check_deposits(facts, record)
    position = Position(statement.author, body.by, body.says, record.id, statement.at, body.deposits)
    taken = msgspec.structs.replace(row, last=record.id, positions=(*row.positions, position))
    return [Put(dispute_key(statement.relationship, body.dispute), taken)]


def _settlement_signed(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("SettlementSigned", record.body), record.statement
    row = _under_way(facts, record)
    if body.text is not None and sha256(body.text.encode()).digest() != body.digest:
        raise no("other-text", "the text that settles the dispute is not the one whose digest is signed")
    signed = Proposed(statement.author, body.by, body.digest, record.id, statement.at, body.text)
    others = tuple(each for each in row.proposed if each.party != statement.author)
    after = msgspec.structs.replace(row, last=record.id, proposed=(*others, signed))
    if any(each.digest == body.digest for each in others):  # (6)
        after = msgspec.structs.replace(after, settled=record.id, settled_at=statement.at)
    return [Put(dispute_key(statement.relationship, body.dispute), after)]


def _follow_occasions(_: Facts, record: Record) -> list[Occurrence | Discharge]:
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
