"""Custody of numbered copies: the rules of its records (Articles 9, 12, 14; ``spec/custody.md``).

The rules serve both sides. The party whose people hold a copy speaks about it, and nobody else: so its records about
one copy follow on each other, and both registers end the same. What either may say of a copy on its way is in
``ways.py``.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from comity.record import bodies
from comity.record.bodies.custody import HandedOver, Reproduced, TakenOver
from comity.record.statement import Record
from comity.register.keeping import (
    check_at_hand,
    check_holder,
    check_keeper,
    copy_of,
    held_copy,
    more,
    reads,
)
from comity.register.marks import marks_more, marks_reads, possible_marks
from comity.register.occasions import consignment_subject
from comity.register.officers import check_officer
from comity.register.rows import (
    ConsignmentRow,
    CopyRow,
    DirectoryRow,
    Facts,
    Key,
    copy_key,
    directory_key,
)
from comity.register.rows.custody import RECIPIENT_NUMBERS_FROM, ReproducedRow, reproduced_key
from comity.register.rows.ending import RecallRow, recall_key
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no
from comity.register.ways import WAY_RULES

# ---- what the rules read --------------------------------------------------------------------------------------------


def _reproduced_reads(context: Context, record: Record) -> list[Key]:
    body, statement = cast("Reproduced", record.body), record.statement
    relationship = statement.relationship
    keys = [
        *reads(context, record),
        *marks_reads(relationship, body.item),
        recall_key(relationship, body.item),
        reproduced_key(relationship, body.item, statement.author),
    ]
    for copy in body.copies:
        keys.append(copy_key(relationship, body.item, copy.number))
        keys.append(directory_key(relationship, statement.author, copy.holder))
    return keys


def _reproduced_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    body, relationship = cast("Reproduced", record.body), record.statement.relationship
    return [*more(context, facts, record), *marks_more(facts, relationship, body.item)]


def _handed_over_reads(context: Context, record: Record) -> list[Key]:
    body, statement = cast("HandedOver", record.body), record.statement
    return [*reads(context, record), directory_key(statement.relationship, statement.author, body.taker)]


def _taken_over_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    """The other copies of a consignment too: its receipt is given when the last of them has arrived."""
    keys = more(context, facts, record)
    if keys and keys[0] in facts:
        consignment = cast("ConsignmentRow | None", facts[keys[0]])
        if consignment is not None:
            relationship = record.statement.relationship
            keys += [copy_key(relationship, consignment.item, number) for number in consignment.copies]
    return keys


# ---- reproduction ---------------------------------------------------------------------------------------------------


def _reproduced(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Reproduced", record.body), record.statement
    held = held_copy(context, facts, record)
    check_keeper(held, record)
    if check_officer(facts, record).pseudonym != held.copy.holder:  # (8)
        raise no("not-holder", f"copy {body.copy} is held by {held.copy.holder!r}, who alone may copy it (Article 14)")
    check_at_hand(held.copy)
    check_after(body.after, held.copy.last)
    recall = cast("RecallRow | None", facts[recall_key(statement.relationship, body.item)])
    if recall is not None and recall.recalled and (statement.author == context.party or _seen(record, recall)):
        raise no("recalled", f"item {body.item!r} is recalled; it is not copied any more (Article 14)")
    _check_marks(context, facts, record)
    key = reproduced_key(statement.relationship, body.item, statement.author)
    before = cast("ReproducedRow | None", facts[key])
    count = before.copies if before is not None else 0
    puts = [Put(key, ReproducedRow(copies=count + len(body.copies)))]
    received = cast("ConsignmentRow | None", facts[ConsignmentRow.table, held.copy.consignment.hex()]) is not None
    for place, made in enumerate(body.copies):
        _check_number(facts, record, made.number, RECIPIENT_NUMBERS_FROM + count + place if received else None)
        _check_listed(facts, record, made.holder)
        copy = CopyRow(
            item=body.item,
            number=made.number,
            holder=made.holder,
            state="held",
            consignment=held.copy.consignment,
            header=made.header,
            last=record.id,
            made_from=body.copy,
        )
        puts.append(Put(copy_key(statement.relationship, body.item, made.number), copy))
    if len({put.key for put in puts}) != len(puts):
        raise no("copy-number", "two of the copies have one number")
    return puts


def _check_number(facts: Facts, record: Record, number: int, expected: int | None) -> None:
    """(7) Recipients count from 1001 without a gap; whoever made the item itself counts below."""
    body = cast("Reproduced", record.body)
    if expected is not None and number != expected:
        raise no("copy-number", f"the next copy of {body.item!r} that its recipient makes is {expected}, not {number}")
    if expected is None and not 0 < number < RECIPIENT_NUMBERS_FROM:
        raise no("copy-number", f"whoever made an item numbers its copies from 1 to {RECIPIENT_NUMBERS_FROM - 1}")
    if facts[copy_key(record.statement.relationship, body.item, number)] is not None:
        raise no("copy-number", f"copy {number} of {body.item!r} was already made")


def _check_listed(facts: Facts, record: Record, holder: str) -> None:
    statement = record.statement
    entry = cast("DirectoryRow | None", facts[directory_key(statement.relationship, statement.author, holder)])
    if entry is None or not entry.reachable:
        raise no("unknown-holder", f"{holder!r} is not in the directory of {statement.author!r}, and holds nothing")


def _seen(record: Record, recall: RecallRow) -> bool:
    """Whether the author cites a checkpoint of the other party that has the recall."""
    return recall.author != record.statement.author and record.statement.has_seen(recall.sequence)


def _check_marks(context: Context, facts: Facts, record: Record) -> None:
    """(8) The original mark is on each copy; one's own house knows the newest."""
    body, statement = cast("Reproduced", record.body), record.statement
    marks = possible_marks(facts, statement.relationship, body.item, record)
    allowed = marks[:1] if statement.author == context.party else marks
    if (body.marks[0] if body.marks else "") not in allowed:
        raise no("wrong-mark", f"each copy carries the original mark, {allowed[0]!r} (Article 14)")


# ---- from hand to hand ----------------------------------------------------------------------------------------------


def _handed_over(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("HandedOver", record.body)
    held = held_copy(context, facts, record)
    check_keeper(held, record)
    check_holder(held, check_officer(facts, record))
    check_at_hand(held.copy)
    check_after(body.after, held.copy.last)
    if body.taker == held.copy.holder:  # (9)
        raise no("same-hands", f"{body.taker!r} holds copy {body.copy} already")
    _check_listed(facts, record, body.taker)
    sent = msgspec.structs.replace(
        held.copy, state="in transit", taker=body.taker, header=body.header, last=record.id, sent=record.id
    )
    return [Put(copy_of(record), sent)]


def _taken_over(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("TakenOver", record.body)
    held = held_copy(context, facts, record)
    check_keeper(held, record)
    taker = check_officer(facts, record).pseudonym
    copy = held.copy
    if copy.state not in ("in transit", "lost") or copy.taker is None:  # (11) what was lost on its way has arrived
        raise no("copy-state", f"copy {copy.number} is {copy.state}; nobody sent it to {taker!r}")
    if taker != copy.taker:
        raise no("not-taker", f"copy {copy.number} was sent to {copy.taker!r}, not to {taker!r} (Article 12)")
    check_after(body.after, copy.last)
    arrived = msgspec.structs.replace(
        copy,
        state="held",
        holder=taker,
        taker=None,
        sent=None,
        carriers=(),
        last=record.id,
        trouble=body.condition or copy.trouble,
    )
    return [Put(copy_of(record), arrived)]


RULES: dict[type[bodies.Body], Rule] = {
    **WAY_RULES,
    Reproduced: Rule(_reproduced_reads, _reproduced, _reproduced_more),
    HandedOver: Rule(_handed_over_reads, _handed_over, more),
    TakenOver: Rule(reads, _taken_over, _taken_over_more),
}
"""The rule of every record type of this area."""


# ---- duties ---------------------------------------------------------------------------------------------------------


def _giver(context: Context, facts: Facts, record: Record) -> str:
    """The party from which it comes: whoever gave it; of what was made here, whoever gave what it was made from."""
    copy: CopyRow = need(facts, copy_of(record), "copy")
    consignment = cast("ConsignmentRow | None", facts[ConsignmentRow.table, copy.consignment.hex()])
    return consignment.author if consignment is not None else other_party(context, facts, record)


def _sent(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """(15) Something changes hands: whoever it goes to gives a receipt."""
    body = cast("HandedOver", record.body)
    subject = consignment_subject(body.item, record.id)
    author = record.statement.author
    originator = _giver(context, facts, record)
    return [Occurrence(event="hands-changed", subject=subject, originator=originator, item=body.item, carrier=author)]


def _arrived(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """(15) The receipt is given when nothing of what was sent together is still to come."""
    body: Any = record.body
    copy = cast("CopyRow | None", facts[copy_of(record)])
    if copy is None or copy.sent is None:
        return []
    consignment = cast("ConsignmentRow | None", facts[ConsignmentRow.table, copy.consignment.hex()])
    if consignment is not None and copy.sent == consignment.record:
        relationship = record.statement.relationship
        others = [number for number in consignment.copies if number != body.copy]
        rows = [cast("CopyRow | None", facts[copy_key(relationship, body.item, number)]) for number in others]
        if any(row is not None and row.sent == consignment.record for row in rows):  # on its way, or lost there
            return []
    return [Discharge(deed="give-receipt", subject=consignment_subject(body.item, copy.sent))]


def _copied(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """(15) Copies are made and, in the same act, marked."""
    body = cast("Reproduced", record.body)
    subject = consignment_subject(body.item, record.id)
    occurrence = Occurrence(
        event="derivative-made", subject=subject, originator=_giver(context, facts, record), item=body.item
    )
    return [occurrence, Discharge(deed="mark", subject=subject)]


OCCASIONS: dict[type[bodies.Body], Occasions] = {
    HandedOver: _sent,
    TakenOver: _arrived,
    Reproduced: _copied,
}
"""Of what each of these record types is an occasion."""
