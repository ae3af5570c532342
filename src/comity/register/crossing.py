"""Rules for crossing records: what parties say to each other (``spec/register.md`` steps 6 and 7).

Each rule serves both sides. Who acts follows from the record: its author gives, the other party receives.
"""

from __future__ import annotations

from typing import cast

import msgspec

from comity.record import bodies
from comity.record.card import read_card
from comity.record.person_act import check_act
from comity.record.statement import Record
from comity.register.occasions import BY_HAND
from comity.register.officers import check_officer
from comity.register.providing import check_approved, check_provided, item_provided, provided_reads
from comity.register.roles import AGREEMENT_AUTHORITY, ASSURANCE_OFFICER, ROOT
from comity.register.routes import (
    check_held,
    check_letter,
    check_receipt,
    forwarded,
    forwarded_reads,
    is_forwarded,
    receipt_reads,
)
from comity.register.rows import (
    AgreementRow,
    AskedRow,
    AssuranceRow,
    ConsignmentRow,
    CopyRow,
    DirectoryRow,
    Facts,
    ItemRow,
    Key,
    PassageRow,
    PeerRow,
    RequestRow,
    ReturnedRow,
    asked_key,
    assurance_key,
    copy_key,
    directory_key,
    passage_key,
)
from comity.register.rows.custody import RECIPIENT_NUMBERS_FROM
from comity.register.rows.lineage import DerivativeRow, derivative_key
from comity.register.rows.negotiation import ChannelRow
from comity.register.verdict import Context, Put, Rule, check_after, need, no

OPENINGS_KEPT = 64
"""Newest openings named in a copy row; all of them stand in the journal."""
CONSIGNMENTS_KEPT = 64
"""Newest consignments named in an item row; ``passage`` rows list them all."""


def _agreement_key(record: Record) -> Key:
    return AgreementRow.table, record.statement.relationship


def _consignment_key(record: bytes) -> Key:
    return ConsignmentRow.table, record.hex()


# ---- acknowledgement of the agreement ------------------------------------------------------------------------------


def _acknowledged_reads(context: Context, record: Record) -> list[Key]:
    body = cast("bodies.Acknowledged", record.body)
    author = record.statement.author
    keys = [_agreement_key(record)]
    if body.signature.signer != ROOT:
        keys.append(directory_key(record.statement.relationship, author, body.signature.signer))
    elif author != context.party:
        keys.append((PeerRow.table, author))
    return keys


def _acknowledged(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.Acknowledged", record.body)
    author = record.statement.author
    row: AgreementRow = need(facts, _agreement_key(record), "agreement")
    if body.digest != row.digest:
        raise no(
            "other-digest",
            f"{author!r} acknowledges a text of {body.agreement!r} with another digest than the one adopted here "
            f"({body.digest.hex()[:16]}… instead of {row.digest.hex()[:16]}…); compare the files",
        )
    if body.signature.signer == ROOT:
        root = context.root
        if author != context.party:
            root = read_card(need(facts, (PeerRow.table, author), "peer").card).root
        check_act(body, record.statement.relationship, author, root)
    else:
        check_officer(facts, record, AGREEMENT_AUTHORITY)
    acknowledged = tuple(sorted({*row.acknowledged, author}))
    agreed = row.version if len(acknowledged) > 1 else row.agreed
    return [Put(_agreement_key(record), msgspec.structs.replace(row, acknowledged=acknowledged, agreed=agreed))]


# ---- directory -----------------------------------------------------------------------------------------------------


def _listed_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("bodies.Listed", record.body), record.statement.relationship
    return [directory_key(relationship, record.statement.author, body.pseudonym), (ChannelRow.table, relationship)]


def _listed_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    """The function of that name in the other party's directory."""
    author, relationship = record.statement.author, record.statement.relationship
    found = facts[AgreementRow.table, relationship] or facts[ChannelRow.table, relationship]
    if not isinstance(found, (AgreementRow, ChannelRow)):
        return []
    body = cast("bodies.Listed", record.body)
    return [directory_key(relationship, found.peer if author == context.party else context.party, body.pseudonym)]


def _listed(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.Listed", record.body)
    author = record.statement.author
    if any(facts[key] is not None for key in _listed_more(context, facts, record)):
        raise no("pseudonym-taken", f"{body.pseudonym!r} is a function of the other party's; each names its own")
    fields = {name: getattr(body, name) for name in body.__struct_fields__}
    row = DirectoryRow(party=author, **fields)
    return [Put(directory_key(record.statement.relationship, author, body.pseudonym), row)]


# ---- assurance before hand-over ------------------------------------------------------------------------------------


def _asked_reads(_: Context, record: Record) -> list[Key]:
    body = cast("bodies.AssuranceAsked", record.body)
    return [asked_key(record.statement.relationship, body.request)]


def _asked_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    """The recipients as their own party lists them: whether one of them works for a contractor opens a duty."""
    body, statement = cast("bodies.AssuranceAsked", record.body), record.statement
    row = cast("AgreementRow | None", facts[_agreement_key(record)])
    if row is None:
        return []
    receiver = row.peer if statement.author == context.party else context.party
    return [directory_key(statement.relationship, receiver, each) for each in body.recipients]


def _asked(_: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.AssuranceAsked", record.body)
    key = asked_key(record.statement.relationship, body.request)
    if facts[key] is not None:
        raise no("request-exists", f"assurance for request {body.request!r} was already asked")
    row = AskedRow(
        request=body.request,
        record=record.id,
        author=record.statement.author,
        item=body.item,
        label=body.label,
        form=body.form,
        topic=body.topic,
        purpose=body.purpose,
        recipients=tuple(sorted(set(body.recipients))),
        at=record.statement.at,
        act=body.act,
    )
    return [Put(key, row)]


def _assured_reads(_: Context, record: Record) -> list[Key]:
    body = cast("bodies.Assured", record.body)
    statement = record.statement
    return [
        asked_key(statement.relationship, body.request),
        assurance_key(statement.relationship, body.request, body.recipient),
        directory_key(statement.relationship, statement.author, body.signature.signer),
    ]


def _assured(_: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.Assured", record.body)
    statement = record.statement
    asked: AskedRow = need(facts, asked_key(statement.relationship, body.request), "request for assurance")
    if statement.author == asked.author:
        raise no("own-request", f"{statement.author!r} asked for this assurance and cannot give it")
    if body.item != asked.item or body.recipient not in asked.recipients:
        raise no("other-item", f"the assurance names another item or recipient than request {body.request!r} did")
    before = cast("AssuranceRow | None", facts[assurance_key(statement.relationship, body.request, body.recipient)])
    check_after(body.after, before.record if before is not None else asked.record)
    check_officer(facts, record, ASSURANCE_OFFICER)
    row = AssuranceRow(
        record=record.id,
        item=body.item,
        recipient=body.recipient,
        conditions=tuple(sorted(set(body.conditions))),
        by=body.by,
        at=statement.at,
        reason=body.reason,
    )
    answered = tuple(sorted({*asked.answered, body.recipient}))
    return [
        Put(assurance_key(statement.relationship, body.request, body.recipient), row),
        Put(asked_key(statement.relationship, body.request), msgspec.structs.replace(asked, answered=answered)),
    ]


# ---- consignment ---------------------------------------------------------------------------------------------------


def _consigned_reads(context: Context, record: Record) -> list[Key]:
    body = cast("bodies.Consigned", record.body)
    keys = provided_reads(context, record, [copy.holder for copy in body.copies]) + forwarded_reads(record)
    return keys + [copy_key(record.statement.relationship, body.item, copy.number) for copy in body.copies]


def _registered(context: Context, facts: Facts, record: Record, *, ours: bool) -> list[Put]:
    """The item as it stands after ``record``: of what is handed on, where it was received, and where it goes."""
    body = cast("bodies.Consigned", record.body)
    if not is_forwarded(record):
        return [_given(body, record, item_provided(facts, record, ours=ours))]
    letter = check_letter(context, facts, record)
    if ours:
        check_held(facts, record, letter)
        return [forwarded(facts, record, letter)]
    return [_given(body, record, item_provided(facts, record, ours=False)), forwarded(facts, record, letter)]


def _given(body: bodies.Consigned, record: Record, item: ItemRow) -> Put:
    consignments = (*item.consignments, record.id)[-CONSIGNMENTS_KEPT:]
    after = msgspec.structs.replace(item, consignments=consignments, copies=item.copies + len(body.copies))
    return Put((ItemRow.table, body.item), after)


def _copies_made(facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.Consigned", record.body)
    made: dict[Key, CopyRow] = {}
    for copy in body.copies:
        key = copy_key(record.statement.relationship, body.item, copy.number)
        if key in made or facts[key] is not None:
            raise no("copy-number", f"copy {copy.number} of {body.item!r} was already made")
        if copy.number >= RECIPIENT_NUMBERS_FROM:
            raise no("copy-number", f"copies from {RECIPIENT_NUMBERS_FROM} on are numbered by who receives the item")
        made[key] = CopyRow(
            item=body.item,
            number=copy.number,
            holder=copy.holder,
            state="in transit",
            consignment=record.id,
            header=copy.header,
            last=record.id,
            taker=copy.holder if body.form in BY_HAND else None,
            sent=record.id if body.form in BY_HAND else None,
        )
    return [Put(key, row) for key, row in made.items()]


def _consigned(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("bodies.Consigned", record.body), record.statement
    relationship, author = statement.relationship, statement.author
    ours = author == context.party
    asked = check_provided(context, facts, record, "give", [copy.holder for copy in body.copies])
    consignment = ConsignmentRow(
        record=record.id,
        request=body.request,
        relationship=relationship,
        author=author,
        sequence=statement.sequence,
        item=body.item,
        purpose=body.purpose,
        payload=body.payload,
        size=body.size,
        copies=tuple(copy.number for copy in body.copies),
        at=statement.at,
        form=body.form,
        mark=None if body.alternative is None else body.alternative.mark,
    )
    puts = [
        *_registered(context, facts, record, ours=ours),
        Put(_consignment_key(record.id), consignment),
        Put(passage_key(relationship, author, statement.sequence), PassageRow(consignment=record.id)),
        Put(asked_key(relationship, body.request), msgspec.structs.replace(asked, consignment=record.id)),
        *_copies_made(facts, record),
    ]
    if ours:
        request = check_approved(facts, record)
        puts.append(Put((RequestRow.table, body.request), msgspec.structs.replace(request, consignment=record.id)))
    return puts


# ---- what the receiver says back -----------------------------------------------------------------------------------


def _answer_reads(_: Context, record: Record) -> list[Key]:
    body = cast("bodies.Received | bodies.Opened | bodies.Unopenable", record.body)
    numbers = body.copies if isinstance(body, bodies.Received) else (body.copy,)
    statement = record.statement
    keys = [_consignment_key(body.consignment)]
    keys += [copy_key(statement.relationship, body.item, number) for number in numbers]
    if isinstance(body, bodies.Opened):
        keys.append(directory_key(statement.relationship, statement.author, body.holder))
    if isinstance(body, bodies.Received):
        keys += receipt_reads(record)
    if not isinstance(body, bodies.Received):
        keys.append(derivative_key(statement.relationship, body.item))
    return keys


def _answered(facts: Facts, record: Record, item: str, consignment: bytes) -> ConsignmentRow:
    """The consignment that a receiver's record answers, once it is shown to be his to answer."""
    row: ConsignmentRow = need(facts, _consignment_key(consignment), "consignment")
    if row.author == record.statement.author or row.relationship != record.statement.relationship:
        raise no("not-receiver", f"{record.statement.author!r} did not receive this consignment")
    if row.item != item:
        raise no("other-item", f"the consignment carried another item than {item!r}")
    return row


def _received(context: Context, facts: Facts, record: Record) -> list[Put]:
    """The record has arrived; what travels by hand has not, until the one it was sent to signs for it."""
    body = cast("bodies.Received", record.body)
    row = _answered(facts, record, body.item, body.consignment)
    if row.receipt is not None or row.returned is not None:
        raise no("already-received", "this consignment was already receipted, or returned")
    if tuple(sorted(body.copies)) != tuple(sorted(row.copies)):
        raise no("copies-differ", "the receipt names other copies than the consignment carried")
    check_receipt(context, facts, record, row)
    puts = [
        Put(
            _consignment_key(body.consignment),
            msgspec.structs.replace(row, receipt=record.id, received=record.statement.at),
        )
    ]
    for number in body.copies:
        key = copy_key(row.relationship, body.item, number)
        copy: CopyRow = need(facts, key, "copy")
        if copy.taker is not None:
            continue
        if copy.state != "in transit":
            raise no("copy-state", f"copy {number} is {copy.state}, not in transit")
        puts.append(Put(key, msgspec.structs.replace(copy, state="held")))
    return puts


def _copy_held(facts: Facts, record: Record, consignment: bytes, item: str, number: int) -> CopyRow:
    made = cast("DerivativeRow | None", facts[derivative_key(record.statement.relationship, item)])
    if made is None or made.record != consignment:
        _answered(facts, record, item, consignment)
    elif made.maker != record.statement.author:
        raise no("not-receiver", f"{record.statement.author!r} did not make item {item!r}")
    copy: CopyRow = need(facts, copy_key(record.statement.relationship, item, number), "copy")
    if copy.state != "held" or copy.consignment != consignment:
        raise no("copy-state", f"copy {number} is {copy.state}; only a held copy can be opened")
    if not copy.at_hand:
        raise no("copy-closed", f"copy {number} is being destroyed (certificate {copy.certificate!r}); it stays closed")
    return copy


def _opened(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("bodies.Opened", record.body), record.statement
    copy = _copy_held(facts, record, body.consignment, body.item, body.copy)
    if copy.holder != body.holder:
        raise no("not-holder", f"copy {body.copy} is held by {copy.holder!r}, not by {body.holder!r}")
    if body.signature is not None:
        if body.signature.signer != body.holder:
            raise no("other-signer", f"{body.holder!r} opened the copy, but somebody else signed for it")
        key = directory_key(statement.relationship, statement.author, body.holder)
        check_act(
            body, statement.relationship, statement.author, need(facts, key, "entry of the directory").signing_key
        )
    opened = msgspec.structs.replace(copy, openings=(*copy.openings[-OPENINGS_KEPT + 1 :], record.id))
    return [Put(copy_key(statement.relationship, body.item, body.copy), opened)]


def _unopenable(_: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.Unopenable", record.body)
    copy = _copy_held(facts, record, body.consignment, body.item, body.copy)
    troubled = msgspec.structs.replace(copy, trouble=f"{body.code}: {body.reason}")
    return [Put(copy_key(record.statement.relationship, body.item, body.copy), troubled)]


def _returned_reads(_: Context, record: Record) -> list[Key]:
    body = cast("bodies.Returned", record.body)
    numbers = () if body.item is None else body.copies
    keys = [_consignment_key(body.record)]
    return keys + [copy_key(record.statement.relationship, body.item or "", number) for number in numbers]


def _returned(_: Context, facts: Facts, record: Record) -> list[Put]:
    """What was rejected has no effect on either side; copies it would have made come back undelivered."""
    body = cast("bodies.Returned", record.body)
    row = ReturnedRow(record=body.record, verdict=record.id, code=body.code, reason=body.reason)
    puts = [Put((ReturnedRow.table, body.record.hex()), row)]
    if facts[_consignment_key(body.record)] is None:
        return puts
    consignment = _answered(facts, record, body.item or "", body.record)
    if consignment.receipt is not None or consignment.returned is not None:
        raise no("already-received", "this consignment was already receipted, or returned")
    if tuple(sorted(body.copies)) != tuple(sorted(consignment.copies)):
        raise no("copies-differ", "the verdict names other copies than the consignment carried")
    told = msgspec.structs.replace(consignment, returned=f"{body.code}: {body.reason}")
    puts.append(Put(_consignment_key(body.record), told))
    for number in body.copies:
        key = copy_key(consignment.relationship, body.item or "", number)
        copy = cast("CopyRow", facts[key])
        back = msgspec.structs.replace(copy, state="returned", taker=None, sent=None, carriers=())
        puts.append(Put(key, back))
    return puts


CROSSING_RULES: dict[type[bodies.Body], Rule] = {
    bodies.Acknowledged: Rule(_acknowledged_reads, _acknowledged),
    bodies.Listed: Rule(_listed_reads, _listed, _listed_more),
    bodies.AssuranceAsked: Rule(_asked_reads, _asked, _asked_more),
    bodies.Assured: Rule(_assured_reads, _assured),
    bodies.Consigned: Rule(_consigned_reads, _consigned),
    bodies.Received: Rule(_answer_reads, _received),
    bodies.Opened: Rule(_answer_reads, _opened),
    bodies.Unopenable: Rule(_answer_reads, _unopenable),
    bodies.Returned: Rule(_returned_reads, _returned),
}
"""The rule of every crossing record type."""
