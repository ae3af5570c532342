"""Purpose ended, recall, return: the rules of their records (Article 6(h); ``spec/ending.md`` steps 20 to 28)."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import msgspec

from comity.agreement.vocabulary import Deed
from comity.record import bodies
from comity.record.bodies.ending import PurposeEnded, Recalled, RecallLifted, SentBack, TakenBack
from comity.record.statement import Record
from comity.register.holdings import holding_reads
from comity.register.occasions import consignment_subject
from comity.register.officers import check_officer, officer_key
from comity.register.roles import REGISTRY, RELEASE_AUTHORITY
from comity.register.rows import AgreementRow, CopyRow, Facts, Key, copy_key
from comity.register.rows.ending import (
    EndedRow,
    EndingRow,
    HoldingRow,
    RecallRow,
    ended_key,
    ending_key,
    holding_key,
    recall_key,
)
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no

NOTHING = bytes(32)
"""What the first act of its kind about an item follows on."""
ANSWERS: tuple[Deed, ...] = ("return-or-destroy", "answer-recall")
"""What is done when the last copy has come back or is destroyed, in the words that an obligation may use for it."""


def holding_of(facts: Facts, record: Record, item: str) -> HoldingRow:
    """What is left of an item that was given in the relationship of the record.

    Raises:
        Rejected: it was not.
    """
    row: HoldingRow = need(
        facts, holding_key(record.statement.relationship, item), "item given in this relationship as"
    )
    return row


def copy_at_hand(facts: Facts, record: Record, item: str, number: int, by: str, after: bytes) -> CopyRow:
    """A copy with which its holder can do something, once it is shown that ``by`` is its holder.

    Raises:
        Rejected: he is not, it is not held, it is being destroyed, or something was recorded about it meanwhile.
    """
    author = record.statement.author
    if holding_of(facts, record, item).keeper != author:  # (22)
        raise no("not-holder", f"copy {number} of {item!r} is not kept by {author!r}")
    copy: CopyRow = need(facts, copy_key(record.statement.relationship, item, number), "copy")
    if copy.holder != by:
        raise no("not-holder", f"copy {number} of {item!r} is held by somebody else than {by!r}")
    if copy.state != "held":
        raise no("copy-state", f"copy {number} of {item!r} is {copy.state}, not held")
    if copy.certificate is not None:
        raise no("second-certificate", f"copy {number} of {item!r} is being destroyed under {copy.certificate!r}")
    check_after(after, copy.last)
    return copy


# ---- what has still to be answered ----------------------------------------------------------------------------------


def answer_reads(facts: Facts, relationship: str, item: str) -> list[Key]:
    """The rows that say whether an item, or anything it was made from, is all accounted for, and for whom."""
    keys = holding_reads(facts, relationship, [item])
    items = [key.rpartition("/")[2] for _, key in keys]
    return [*keys, *(row(relationship, each) for each in items for row in (ended_key, recall_key))]


def last_ones(facts: Facts, record: Record, item: str, keeper: str) -> list[Discharge]:
    """(28) What is discharged when one more copy of ``item`` comes to its end: all that waited for this last one."""
    relationship = record.statement.relationship
    own = cast("HoldingRow | None", facts[holding_key(relationship, item)])
    found: list[Discharge] = []
    for each in (item, *(own.above if own is not None else ())):
        row = cast("HoldingRow | None", facts[holding_key(relationship, each)])
        if row is None or row.left + row.below != 1:
            continue
        last = row.with_end(record.statement.at, record.id)
        ended = cast("EndedRow | None", facts[ended_key(relationship, each)])
        recall = cast("RecallRow | None", facts[recall_key(relationship, each)])
        if ended is not None:
            found += _all_gone(ended.ended, keeper, last, ended.at, ended.record)
        if recall is not None:
            found += _all_gone(recall.recall, keeper, last, recall.at, recall.record)
    return found


def _all_gone(subject: str, keeper: str, holding: HoldingRow, at: datetime, asked: bytes) -> list[Discharge]:
    """(28) What was owed is done with the last copy; by what was asked itself, where nothing was left by then.

    The latest of these records shows it, in whatever order each side has heard of them.
    """
    ends = [(at, asked)] + ([(holding.ended_at, holding.ended)] if holding.ended_at is not None else [])
    return [Discharge(deed=deed, subject=subject, party=keeper, shown_by=max(ends)) for deed in ANSWERS]


# ---- the purpose has ended ------------------------------------------------------------------------------------------


def _ended_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("PurposeEnded", record.body), record.statement.relationship
    return [
        holding_key(relationship, body.item),
        ended_key(relationship, body.item),
        officer_key(record),
        (AgreementRow.table, relationship),
    ]


def _ended(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("PurposeEnded", record.body), record.statement
    holding = holding_of(facts, record, body.item)
    if holding.keeper != statement.author:  # (20)
        raise no(
            "not-recipient", f"{statement.author!r} does not keep item {body.item!r}; its recipient says when it ends"
        )
    check_officer(facts, record, REGISTRY)
    key = ended_key(statement.relationship, body.item)
    before = cast("EndedRow | None", facts[key])
    check_after(body.after, before.record if before is not None else NOTHING)
    if holding.gone and statement.author == context.party:  # else the last copy may have come back meanwhile
        raise no("nothing-left", f"nothing is left of item {body.item!r}; there is nothing to return or destroy")
    row = EndedRow(ended=body.ended, record=record.id, reason=body.reason, by=body.by, at=statement.at)
    return [Put(key, row)]


def _ended_occasions(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("PurposeEnded", record.body)
    provider = other_party(context, facts, record)
    holding = cast("HoldingRow | None", facts[holding_key(record.statement.relationship, body.item)])
    found: list[Occurrence | Discharge] = [
        Occurrence(event="purpose-ended", subject=body.ended, originator=provider, item=body.item)
    ]
    if holding is not None and holding.gone:
        found += _all_gone(body.ended, holding.keeper, holding, record.statement.at, record.id)
    return found


# ---- recall ---------------------------------------------------------------------------------------------------------


def _recall_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("Recalled | RecallLifted", record.body), record.statement.relationship
    return [
        holding_key(relationship, body.item),
        recall_key(relationship, body.item),
        officer_key(record),
        (AgreementRow.table, relationship),
    ]


def _recalled(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Recalled", record.body), record.statement
    holding = holding_of(facts, record, body.item)
    if holding.keeper == statement.author:  # (24)
        raise no("not-provider", f"item {body.item!r} was not given by {statement.author!r}, who cannot recall it")
    check_officer(facts, record, RELEASE_AUTHORITY)
    key = recall_key(statement.relationship, body.item)
    before = cast("RecallRow | None", facts[key])
    check_after(body.after, before.last if before is not None else NOTHING)
    if before is not None and before.recalled:
        raise no("already-recalled", f"item {body.item!r} is recalled already, as {before.recall!r}")
    if body.answer_by is not None and body.answer_by <= statement.at:
        raise no("past-answer", "the day by which an answer is asked has passed already")
    row = RecallRow(
        recall=body.recall,
        record=record.id,
        last=record.id,
        author=statement.author,
        sequence=statement.sequence,
        asks=body.asks,
        reason=body.reason,
        clause=body.clause,
        by=body.by,
        at=statement.at,
        answer_by=body.answer_by,
    )
    return [Put(key, row)]


def _recall_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, author = cast("Recalled", record.body), record.statement.author
    holding = cast("HoldingRow | None", facts[holding_key(record.statement.relationship, body.item)])
    found: list[Occurrence | Discharge] = [
        Occurrence(event="recalled", subject=body.recall, originator=author, item=body.item, due=body.answer_by)
    ]
    if holding is not None and holding.gone:
        found += _all_gone(body.recall, holding.keeper, holding, record.statement.at, record.id)
    return found


def _lifted(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("RecallLifted", record.body), record.statement
    key = recall_key(statement.relationship, body.item)
    row: RecallRow = need(facts, key, "recall of")
    if row.author != statement.author or row.recall != body.recall:  # (27)
        raise no("other-recall", f"the recall of {body.item!r} that stands is {row.recall!r} of {row.author!r}")
    check_officer(facts, record, RELEASE_AUTHORITY)
    if not row.recalled:
        raise no("not-recalled", f"the recall {body.recall!r} was lifted already")
    check_after(body.after, row.last)
    lifted = msgspec.structs.replace(row, last=record.id, lifted=statement.at, lifted_reason=body.reason)
    return [Put(key, lifted)]


def _lift_occasions(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """Nobody owes any more what is no longer asked."""
    body = cast("RecallLifted", record.body)
    keeper = other_party(context, facts, record)
    return [Discharge(deed=deed, subject=body.recall, party=keeper) for deed in ANSWERS]


# ---- return ---------------------------------------------------------------------------------------------------------


def _sent_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("SentBack | TakenBack", record.body), record.statement.relationship
    return [
        holding_key(relationship, body.item),
        copy_key(relationship, body.item, body.copy),
        ending_key(relationship, body.item, body.copy),
        officer_key(record),
        (AgreementRow.table, relationship),
    ]


def _sent(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("SentBack", record.body), record.statement
    copy = copy_at_hand(facts, record, body.item, body.copy, body.by, body.after)
    check_officer(facts, record)
    row = EndingRow(
        way="return",
        record=record.id,
        last=record.id,
        by=body.by,
        key=body.signature.key,
        at=statement.at,
        reason=body.reason,
    )
    going = msgspec.structs.replace(copy, state="in transit", last=record.id, sent=record.id)
    return [
        Put(copy_key(statement.relationship, body.item, body.copy), going),
        Put(ending_key(statement.relationship, body.item, body.copy), row),
    ]


def _sent_occasions(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, provider = cast("SentBack", record.body), other_party(context, facts, record)
    subject = consignment_subject(body.item, record.id)
    return [
        Occurrence(event="hands-changed", subject=subject, originator=provider, item=body.item, carrier=provider),
        Occurrence(event="returned", subject=subject, originator=provider, item=body.item),
    ]


def _taken_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    return answer_reads(facts, record.statement.relationship, cast("TakenBack", record.body).item)


def _taken(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("TakenBack", record.body), record.statement
    if holding_of(facts, record, body.item).keeper == statement.author:  # (26)
        raise no("not-provider", f"item {body.item!r} does not come back to {statement.author!r}, who keeps it")
    check_officer(facts, record, REGISTRY)
    key = copy_key(statement.relationship, body.item, body.copy)
    copy: CopyRow = need(facts, key, "copy")
    row = cast("EndingRow | None", facts[ending_key(statement.relationship, body.item, body.copy)])
    if row is None or row.way != "return" or not row.pending:
        raise no("not-returned", f"copy {body.copy} of {body.item!r} is {copy.state}, and not on its way back")
    check_after(body.after, row.record)  # whoever has it in his hands knows best, whatever was said of its way
    done = msgspec.structs.replace(row, last=record.id, done=statement.at)
    back = msgspec.structs.replace(copy, state="returned", last=record.id, sent=None, carriers=())
    return [
        Put(key, back),
        Put(ending_key(statement.relationship, body.item, body.copy), done),
    ]


def _taken_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, relationship = cast("TakenBack", record.body), record.statement.relationship
    row = cast("EndingRow | None", facts[ending_key(relationship, body.item, body.copy)])
    holding = cast("HoldingRow | None", facts[holding_key(relationship, body.item)])
    if row is None or holding is None:
        return []
    subject = consignment_subject(body.item, row.record)
    return [
        Discharge(deed="give-receipt", subject=subject),
        Discharge(deed="return-receipt", subject=subject),
        *last_ones(facts, record, body.item, holding.keeper),
    ]


RECALL_RULES: dict[type[bodies.Body], Rule] = {
    PurposeEnded: Rule(_ended_reads, _ended),
    Recalled: Rule(_recall_reads, _recalled),
    RecallLifted: Rule(_recall_reads, _lifted),
    SentBack: Rule(_sent_reads, _sent),
    TakenBack: Rule(_sent_reads, _taken, _taken_more),
}
"""The rule of every record type about recalls and returns."""
RECALL_OCCASIONS: dict[type[bodies.Body], Occasions] = {
    PurposeEnded: _ended_occasions,
    Recalled: _recall_occasions,
    RecallLifted: _lift_occasions,
    SentBack: _sent_occasions,
    TakenBack: _taken_occasions,
}
"""Of what they are occasions."""
