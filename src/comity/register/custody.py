"""Custody of numbered copies: the rules of its records (Articles 9, 12, 14; ``spec/custody.md``).

The rules serve both sides. The party whose people hold a copy speaks about it, and nobody else: so its records about
one copy follow on each other, and both registers end the same. Two things may be said by either party while a copy is
on its way, because either's carrier may have it: that it was carried, and that it is lost. What comes too late, because
its author could not know that the way had ended, is kept in the chain of custody and changes nothing else.
"""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import msgspec

from comity.record import bodies
from comity.record.bodies.custody import Carried, CopyFound, CopyLost, HandedOver, Reproduced, TakenOver
from comity.record.statement import Record
from comity.register.crossing import check_officer, officer_key
from comity.register.house import REGISTRY, check_after, need
from comity.register.occasions import consignment_subject
from comity.register.rows import (
    AgreementRow,
    ConsignmentRow,
    CopyRow,
    DirectoryRow,
    Facts,
    ItemRow,
    Key,
    copy_key,
    directory_key,
)
from comity.register.rows.custody import RECIPIENT_NUMBERS_FROM, ReproducedRow, reproduced_key
from comity.register.rows.ending import ChangeRow, LevelRow, RecallRow, change_key, level_key, recall_key
from comity.register.rows.lineage import DerivativeRow, derivative_key
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, no


class Held(NamedTuple):
    """A copy, and the party whose people hold it."""

    copy: CopyRow
    keeper: str


# ---- what the rules read --------------------------------------------------------------------------------------------


def copy_of(record: Record) -> Key:
    """Key of the copy that a record of custody is about."""
    body: Any = record.body
    return copy_key(record.statement.relationship, body.item, body.copy)


def _reads(_: Context, record: Record) -> list[Key]:
    body: Any = record.body
    relationship = record.statement.relationship
    return [copy_of(record), derivative_key(relationship, body.item), officer_key(record)]


def _more(_: Context, facts: Facts, record: Record) -> list[Key]:
    copy = cast("CopyRow | None", facts[copy_of(record)])
    return [] if copy is None else [(ConsignmentRow.table, copy.consignment.hex())]


def _reproduced_reads(context: Context, record: Record) -> list[Key]:
    body, statement = cast("Reproduced", record.body), record.statement
    relationship = statement.relationship
    keys = [
        *_reads(context, record),
        (ItemRow.table, body.item),
        level_key(relationship, body.item),
        recall_key(relationship, body.item),
        reproduced_key(relationship, body.item, statement.author),
    ]
    for copy in body.copies:
        keys.append(copy_key(relationship, body.item, copy.number))
        keys.append(directory_key(relationship, statement.author, copy.holder))
    return keys


def _reproduced_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    body, relationship = cast("Reproduced", record.body), record.statement.relationship
    keys = _more(context, facts, record)
    level = cast("LevelRow | None", facts[level_key(relationship, body.item)])
    if level is not None and level.change:
        keys.append(change_key(relationship, body.item, level.change))
    return keys


def _handed_over_reads(context: Context, record: Record) -> list[Key]:
    body, statement = cast("HandedOver", record.body), record.statement
    return [*_reads(context, record), directory_key(statement.relationship, statement.author, body.taker)]


def _taken_over_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    """The other copies of a consignment too: its receipt is given when the last of them has arrived."""
    keys = _more(context, facts, record)
    if keys and keys[0] in facts:
        consignment = cast("ConsignmentRow | None", facts[keys[0]])
        if consignment is not None:
            relationship = record.statement.relationship
            keys += [copy_key(relationship, consignment.item, number) for number in consignment.copies]
    return keys


# ---- who may say something ------------------------------------------------------------------------------------------


def _held(context: Context, facts: Facts, record: Record) -> Held:
    """(3) The copy that a record is about, and whose it is to speak about it.

    Raises:
        Rejected: there is no such copy.
    """
    body: Any = record.body
    statement = record.statement
    copy: CopyRow = need(facts, copy_of(record), "copy")
    consignment = cast("ConsignmentRow | None", facts[ConsignmentRow.table, copy.consignment.hex()])
    made = cast("DerivativeRow | None", facts[derivative_key(statement.relationship, body.item)])
    agreement: AgreementRow = need(facts, (AgreementRow.table, statement.relationship), "agreement")
    if consignment is not None:
        return Held(copy, agreement.peer if consignment.author == context.party else context.party)
    if made is not None:
        return Held(copy, made.maker)
    raise no("unknown-copy", f"nothing in the register says how copy {body.copy} of {body.item!r} was made")


def _check_keeper(held: Held, record: Record) -> None:
    if record.statement.author != held.keeper:
        raise no(
            "not-keeper",
            f"copy {held.copy.number} is with people of {held.keeper!r}; {record.statement.author!r} cannot say what "
            "they did with it (Article 9)",
        )


def _signer(facts: Facts, record: Record) -> DirectoryRow:
    """(4) The person of the author's directory who signed, and is the one the record names."""
    body: Any = record.body
    officer = check_officer(facts, record)
    if body.by != officer.pseudonym:
        raise no("other-signer", f"the record names {body.by!r}, but somebody else signed it")
    return officer


def _check_holder(held: Held, officer: DirectoryRow) -> None:
    """(4) The holder acts on his copy, or the registry that keeps it for him."""
    if officer.pseudonym != held.copy.holder and REGISTRY not in officer.roles:
        raise no(
            "not-holder",
            f"copy {held.copy.number} is held by {held.copy.holder!r}, not by {officer.pseudonym!r} (Article 9)",
        )


def _check_state(copy: CopyRow, *states: str) -> None:
    """(5) The copy is in one of these states."""
    if copy.state not in states:
        raise no("copy-state", f"copy {copy.number} is {copy.state}, not {' or '.join(states)}")


def _check_at_hand(copy: CopyRow) -> None:
    """(4) The copy is held, and nothing else is under way with it."""
    _check_state(copy, "held")
    if not copy.at_hand:
        raise no("copy-closed", f"copy {copy.number} is being destroyed (certificate {copy.certificate!r})")


# ---- reproduction ---------------------------------------------------------------------------------------------------


def _reproduced(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Reproduced", record.body), record.statement
    held = _held(context, facts, record)
    _check_keeper(held, record)
    if _signer(facts, record).pseudonym != held.copy.holder:  # (8)
        raise no("not-holder", f"copy {body.copy} is held by {held.copy.holder!r}, who alone may copy it (Article 14)")
    _check_at_hand(held.copy)
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
    seen = record.statement.seen
    return recall.author != record.statement.author and seen is not None and seen.size > recall.sequence


def original_marks(facts: Facts, relationship: str, item: str) -> tuple[str, ...]:
    """(8) The mark that stands on an item now, and those that somebody may still go by who has not heard of it.

    Args:
        facts: among them the rows of the item, of what it was made from, of its level and of its newest change.
        relationship: where it was given.
        item: item id.
    """
    made = cast("DerivativeRow | None", facts[derivative_key(relationship, item)])
    row = cast("ItemRow | None", facts[ItemRow.table, item])
    label = made.label if made is not None else row.label if row is not None else None
    if label is None:
        return ()
    level = cast("LevelRow | None", facts[level_key(relationship, item)])
    if level is None or not level.change:
        return (label.mark,)
    change = cast("ChangeRow | None", facts[change_key(relationship, item, level.change)])
    return (level.mark, level.given, label.mark, *((change.before,) if change is not None else ()))


def _check_marks(context: Context, facts: Facts, record: Record) -> None:
    """(8) The original mark is on each copy; one's own house knows the newest."""
    body, statement = cast("Reproduced", record.body), record.statement
    marks = original_marks(facts, statement.relationship, body.item)
    allowed = marks[:1] if statement.author == context.party else marks
    if (body.marks[0] if body.marks else "") not in allowed:
        raise no("wrong-mark", f"each copy carries the original mark, {allowed[0]!r} (Article 14)")


# ---- from hand to hand ----------------------------------------------------------------------------------------------


def _handed_over(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("HandedOver", record.body)
    held = _held(context, facts, record)
    _check_keeper(held, record)
    _check_holder(held, _signer(facts, record))
    _check_at_hand(held.copy)
    check_after(body.after, held.copy.last)
    if body.taker == held.copy.holder:  # (9)
        raise no("same-hands", f"{body.taker!r} holds copy {body.copy} already")
    _check_listed(facts, record, body.taker)
    sent = msgspec.structs.replace(
        held.copy, state="in transit", taker=body.taker, custodian=None, header=body.header, last=record.id
    )
    return [Put(copy_of(record), sent)]


def _taken_over(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("TakenOver", record.body)
    held = _held(context, facts, record)
    _check_keeper(held, record)
    taker = _signer(facts, record).pseudonym
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
        custodian=None,
        carried=None,
        last=record.id,
        trouble=body.condition or copy.trouble,
    )
    return [Put(copy_of(record), arrived)]


def _carried(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Carried", record.body), record.statement
    held = _held(context, facts, record)
    carrier = _signer(facts, record).pseudonym
    copy, abroad = held.copy, statement.author != context.party
    on_its_way = copy.state == "in transit" or (abroad and copy.state == "lost" and copy.taker is not None)
    if abroad and _late(held, record) and not (on_its_way and body.after == (copy.carried or copy.last)):
        return []
    if not on_its_way:
        raise no("copy-state", f"copy {copy.number} is {copy.state}; it is not on its way")
    if carrier in (copy.custodian, copy.taker):  # (10)
        raise no("same-hands", f"{carrier!r} has copy {copy.number} already, or is the one who signs for it at the end")
    check_after(body.after, copy.carried or copy.last)
    return [Put(copy_of(record), msgspec.structs.replace(copy, custodian=carrier, carried=record.id))]


def _late(held: Held, record: Record) -> bool:
    """(12) Whether the other side may have ended the way, or begun another, before the author could know."""
    copy = held.copy
    if record.statement.author == held.keeper:
        return copy.state == "returned"
    return copy.last != copy.consignment and copy.state != "returned"


# ---- lost and found -------------------------------------------------------------------------------------------------


def _lost(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("CopyLost", record.body), record.statement
    held = _held(context, facts, record)
    _signer(facts, record)
    copy, abroad = held.copy, statement.author != context.party
    on_its_way = copy.state == "in transit"
    if abroad and copy.state == "lost" and copy.taker is not None and body.after == copy.last:  # (13) both said so
        return []
    if statement.author != held.keeper:  # (13) a carrier of the giver's had it
        if abroad and _late(held, record) and not (on_its_way and body.after == copy.last):
            return []
        _check_state(copy, "in transit")
    _check_state(copy, "held", "in transit")
    check_after(body.after, copy.last)
    last = copy.last if on_its_way else record.id  # on its way, its taker names the record that sent it off
    return [Put(copy_of(record), msgspec.structs.replace(copy, state="lost", last=last))]


def _found(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("CopyFound", record.body)
    held = _held(context, facts, record)
    _check_keeper(held, record)
    _check_holder(held, _signer(facts, record))
    copy = held.copy
    _check_state(copy, "lost")
    check_after(body.after, copy.last)
    state = "held" if copy.taker is None else "in transit"
    there = msgspec.structs.replace(
        copy, state=state, custodian=None, carried=None, found=record.id, last=record.id
    )  # who carried it has lost it
    return [Put(copy_of(record), there)]


RULES: dict[type[bodies.Body], Rule] = {
    Reproduced: Rule(_reproduced_reads, _reproduced, _reproduced_more),
    HandedOver: Rule(_handed_over_reads, _handed_over, _more),
    Carried: Rule(_reads, _carried, _more),
    TakenOver: Rule(_reads, _taken_over, _taken_over_more),
    CopyLost: Rule(_reads, _lost, _more),
    CopyFound: Rule(_reads, _found, _more),
}
"""The rule of every record type of this area."""


# ---- duties ---------------------------------------------------------------------------------------------------------


def _giver(facts: Facts, record: Record) -> str:
    """The party from which it comes: whoever gave it; of what was made here, whoever gave what it was made from."""
    copy = cast("CopyRow", facts[copy_of(record)])
    consignment = cast("ConsignmentRow | None", facts[ConsignmentRow.table, copy.consignment.hex()])
    if consignment is not None:
        return consignment.author
    row = cast("AgreementRow", facts[AgreementRow.table, record.statement.relationship])
    return next((party for party in row.acknowledged if party != record.statement.author), row.peer)


def _sent(facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """(15) Something changes hands: whoever it goes to gives a receipt."""
    body = cast("HandedOver", record.body)
    subject = consignment_subject(body.item, record.id)
    author = record.statement.author
    originator = _giver(facts, record)
    return [Occurrence(event="hands-changed", subject=subject, originator=originator, item=body.item, carrier=author)]


def _arrived(facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """(15) The receipt is given when nothing of what was sent together is still to come."""
    body: Any = record.body
    copy = cast("CopyRow | None", facts[copy_of(record)])
    if copy is None or copy.taker is None:
        return []
    consignment = cast("ConsignmentRow | None", facts[ConsignmentRow.table, copy.consignment.hex()])
    if consignment is not None and copy.last == consignment.record:
        relationship = record.statement.relationship
        others = [number for number in consignment.copies if number != body.copy]
        rows = [cast("CopyRow | None", facts[copy_key(relationship, body.item, number)]) for number in others]
        if any(row is not None and row.last == consignment.record for row in rows):  # on its way, or lost there
            return []
    return [Discharge(deed="give-receipt", subject=consignment_subject(body.item, copy.last))]


def _copied(facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """(15) Copies are made and, in the same act, marked."""
    body = cast("Reproduced", record.body)
    subject = consignment_subject(body.item, record.id)
    occurrence = Occurrence(event="derivative-made", subject=subject, originator=_giver(facts, record), item=body.item)
    return [occurrence, Discharge(deed="mark", subject=subject)]


OCCASIONS: dict[type[bodies.Body], Occasions] = {
    HandedOver: _sent,
    TakenOver: _arrived,
    Reproduced: _copied,
}
"""Of what each of these record types is an occasion."""
