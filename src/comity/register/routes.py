"""Handing on: an item goes from its originator by way of a holder to another party (``spec/routes.md``).

Three houses, two relationships: what the holder and the receiver both have is shown to the originator, and the other
way round, by letters only. Each house verifies what it is shown with the card that it has compared itself.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping
from typing import cast

import msgspec

from comity.agreement.vocabulary import Event
from comity.record.bodies import Body
from comity.record.bodies.giving import Consigned, Received
from comity.record.bodies.routes import ConsentLettered, HandedOn, Relayed
from comity.record.card import known_card
from comity.record.letters import ConsentLetter, L, ReceiptLetter, peek_letter, read_letter
from comity.record.statement import DOMESTIC, Record
from comity.register.occasions import consignment_subject
from comity.register.passing_on import consent_held
from comity.register.recalls import holding_of
from comity.register.rows import ConsignmentRow, Facts, ItemRow, Key, PeerRow, Row
from comity.register.rows.consents import ConsentRow, consent_key
from comity.register.rows.ending import RecallRow, holding_key, recall_key
from comity.register.rows.lineage import derivative_key
from comity.register.rows.routes import (
    ForwardRow,
    HandedOnRow,
    LetterRow,
    forward_key,
    handed_on_key,
    letter_key,
)
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, need, no

HANDS_ON = "give"
"""The act to which a letter lets its holder."""


def _verified(context: Context, facts: Facts, envelope: bytes, kind: type[L], author: str) -> L:
    """A letter, by the key of its author: our own was signed here, another's is verified with the card compared here.

    Raises:
        Rejected: there is no card of the author's here, or the letter is not its.
    """
    if author == context.party:
        return peek_letter(envelope, kind)
    row = cast("PeerRow | None", facts[PeerRow.table, author])
    if row is None:
        raise no("unknown-peer", f"a letter of {author!r}, whose card nobody here has compared; nobody else vouches")
    return read_letter(envelope, kind, known_card(row.card).unrevoked("record"))


def _differs(letter: msgspec.Struct, expected: Mapping[str, object]) -> str | None:
    """The first field in which a letter does not say what was expected of it."""
    return next((name for name, value in expected.items() if getattr(letter, name) != value), None)


# ---- the originator's letter ---------------------------------------------------------------------------------------


def _lettered_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("ConsentLettered", record.body), record.statement.relationship
    return [
        consent_key(relationship, body.consent),
        letter_key(relationship, body.consent, body.beneficiary),
        (PeerRow.table, record.statement.author),
    ]


def _lettered_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    consent = cast("ConsentRow | None", facts[_lettered_reads(_, record)[0]])
    if consent is None or consent.item is None:
        return []
    key = ItemRow.table, consent.item
    if key not in facts:
        return [key]
    item = cast("ItemRow | None", facts[key])
    return [key, *((ConsignmentRow.table, each.hex()) for each in (item.consignments if item is not None else ()))]


def _lettered(context: Context, facts: Facts, record: Record) -> list[Put]:
    """(4) The letter says what the consent says, and of the item what was given."""
    body, statement = cast("ConsentLettered", record.body), record.statement
    consent: ConsentRow = need(facts, consent_key(statement.relationship, body.consent), "consent")
    if consent.author != statement.author or not consent.holds(statement.at):
        raise no("lapsed", f"consent {body.consent!r} is not its author's, was refused, or does not hold any more")
    if consent.item is None or HANDS_ON not in consent.acts or body.beneficiary not in consent.beneficiaries:
        raise no("other-consent", f"consent {body.consent!r} lets nobody give an item to {body.beneficiary!r}")
    item: ItemRow = need(facts, (ItemRow.table, consent.item), "item")
    letter = _verified(context, facts, body.letter, ConsentLetter, statement.author)
    expected = {
        "consent": consent.consent,
        "originator": statement.author,
        "holder": other_party(context, facts, record),
        "beneficiary": body.beneficiary,
        "item": item.item,
        "relationship": statement.relationship,
        "content": item.content,
        "purpose": consent.purpose,
        "conditions": consent.conditions,
        "until": consent.until,
    }
    given = [cast("ConsignmentRow | None", facts[ConsignmentRow.table, each.hex()]) for each in item.consignments]
    payloads = {each.payload for each in given if each is not None and each.relationship == statement.relationship}
    wrong = _differs(letter, expected) or ("payload" if letter.payload not in payloads else None)
    if wrong is not None:
        raise no("other-letter", f"the letter does not say the same as consent {body.consent!r}: {wrong}")
    key = letter_key(statement.relationship, body.consent, body.beneficiary)
    if facts[key] is not None:
        raise no("letter-exists", f"consent {body.consent!r} is in a letter for {body.beneficiary!r} already")
    return [Put(key, LetterRow(letter=body.letter))]


# ---- what is handed on ---------------------------------------------------------------------------------------------


def is_forwarded(record: Record) -> bool:
    """Whether a consignment carries what is neither party's own to give: another's, by that one's letter."""
    body = cast("Consigned", record.body)
    return body.originator != record.statement.author


def forwarded_reads(record: Record) -> list[Key]:
    """The rows besides on which a consignment of another's item depends; none for any other."""
    body = cast("Consigned", record.body)
    if not is_forwarded(record):
        return []
    return [forward_key(record.statement.relationship, body.item), (PeerRow.table, body.originator)]


def check_letter(context: Context, facts: Facts, record: Record) -> ConsentLetter:
    """(6) The originator's letter that a consignment of its item carries, once it is shown to be about this.

    Raises:
        Rejected: there is none, it is not its author's, it is about something else, or it has ended; or the item would
            come back to where it is from.
    """
    body, statement = cast("Consigned", record.body), record.statement
    receiver = other_party(context, facts, record)
    whose = body.originator
    if whose == receiver:
        raise no("looped-route", f"item {body.item!r} is {receiver!r}'s own; it is returned, and not handed on, to it")
    if not body.letter:
        raise no("no-letter", f"item {body.item!r} is {whose!r}'s, and nothing shows that it consents")
    letter = _verified(context, facts, body.letter, ConsentLetter, whose)
    expected = {
        "originator": whose,
        "holder": statement.author,
        "beneficiary": receiver,
        "item": body.item,
        "payload": body.payload,
        "content": body.content,
        "purpose": body.purpose,
    }
    wrong = _differs(letter, expected)
    if wrong is not None:
        raise no("other-letter", f"the letter of {whose!r} is about another {wrong} than this handing on")
    if statement.at >= letter.until:
        raise no("lapsed", f"the consent of {whose!r} in its letter ended on {letter.until.isoformat()}")
    marked = letter.alternative or msgspec.structs.replace(letter.label, policy=body.label.policy, mark=body.label.mark)
    if body.label != marked or body.label.policy != statement.author:
        raise no(
            "other-label", f"it is marked {body.label.mark!r} on the way, not as what {whose!r} gave is marked there"
        )
    return letter


def check_held(facts: Facts, record: Record, letter: ConsentLetter) -> ItemRow:
    """(6) The item as this house, which hands it on, has it from its originator.

    Raises:
        Rejected: it has not, or has it under another label by now.
    """
    body = cast("Consigned", record.body)
    item: ItemRow = need(facts, (ItemRow.table, body.item), "item")
    same = ("form", "topic", "subject", "content", "rights")
    if item.relationship != letter.relationship or any(getattr(item, each) != getattr(body, each) for each in same):
        raise no("other-item", f"item {body.item!r} did not come by {letter.relationship!r} as it is handed on")
    if item.label != letter.label:
        raise no("level-changed", f"the level of {body.item!r} was changed since its originator consented; ask again")
    return item


def forwarded(facts: Facts, record: Record, letter: ConsentLetter) -> Put:
    """The row of an item that is handed on, with the copies that the record makes."""
    body, relationship = cast("Consigned", record.body), record.statement.relationship
    key = forward_key(relationship, body.item)
    before = cast("ForwardRow | None", facts[key])
    row = ForwardRow(
        item=body.item,
        originator=letter.originator,
        holder=letter.holder,
        relationship=letter.relationship,
        label=letter.label,
        consent=letter.consent,
        purpose=letter.purpose,
        conditions=letter.conditions,
        until=letter.until,
        copies=(0 if before is None else before.copies) + len(body.copies),
    )
    return Put(key, row)


def receipt_reads(record: Record) -> list[Key]:
    """The rows besides on which a receipt with a letter depends."""
    body, statement = cast("Received", record.body), record.statement
    if not body.letter:
        return []
    return [forward_key(statement.relationship, body.item), (PeerRow.table, statement.author)]


def check_receipt(context: Context, facts: Facts, record: Record, given: ConsignmentRow) -> None:
    """(8) That the letter in a receipt is the receiver's, and says to the originator what the receipt says.

    Raises:
        Rejected: it is not, or there is no originator besides whom to tell.
    """
    body, statement = cast("Received", record.body), record.statement
    if not body.letter:
        return
    row: ForwardRow = need(facts, forward_key(statement.relationship, body.item), "item handed on as")
    letter = _verified(context, facts, body.letter, ReceiptLetter, statement.author)
    expected = {
        "receiver": statement.author,
        "originator": row.originator,
        "holder": row.holder,
        "request": given.request,
        "item": body.item,
        "payload": given.payload,
        "copies": len(given.copies),
    }
    wrong = _differs(letter, expected)
    if wrong is not None:
        raise no("other-letter", f"the letter in the receipt does not say the same as the receipt: {wrong}")


# ---- the item, as the receiver knows it ------------------------------------------------------------------------------


def forward_keys(record: Record, named: Iterable[Key]) -> list[Key]:
    """The rows that say whether the items of a crossing record are handed on in its relationship."""
    relationship = record.statement.relationship
    if relationship == DOMESTIC:
        return []
    return [forward_key(relationship, key) for table, key in named if table == ItemRow.table]


def as_known_there(facts: Facts, record: Record) -> Facts:
    """(16) The facts of a record about an item that was handed on, with that item under the mark it was handed on with.

    Its holder has it under the originator's label too; between it and the receiver that label is nobody's. What it is
    handed on by is held against the originator's.
    """
    item = getattr(record.body, "item", None)
    if record.statement.relationship == DOMESTIC or isinstance(record.body, Consigned):
        return facts
    ancestors = getattr(record.body, "ancestors", ())
    named = [each for each in (item, *(each.item for each in ancestors)) if isinstance(each, str)]
    known: dict[Key, Row | None] = {}
    for each in named:
        handed_on = forward_key(record.statement.relationship, each)
        if (ItemRow.table, each) not in facts or handed_on not in facts or facts[handed_on] is None:
            continue
        row = cast("ItemRow | None", facts[ItemRow.table, each])
        if row is None or row.alternative is None or row.relationship in (DOMESTIC, record.statement.relationship):
            continue
        known[ItemRow.table, each] = msgspec.structs.replace(row, label=row.alternative)
    return ChainMap(known, facts) if known else facts  # type: ignore[arg-type]  # nothing is written to it


def as_given(context: Context, facts: Facts, record: Record) -> Facts:
    """(16) The same for what follows from a consignment by which something is handed on."""
    body = record.body
    if not isinstance(body, Consigned) or record.statement.author != context.party or not is_forwarded(record):
        return facts
    row = cast("ItemRow", facts[ItemRow.table, body.item])
    known: dict[Key, Row | None] = {(ItemRow.table, body.item): msgspec.structs.replace(row, label=body.label)}
    return ChainMap(known, facts)  # type: ignore[arg-type]  # nothing is written to it


# ---- what the originator is told -----------------------------------------------------------------------------------


def _handed_on_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("HandedOn", record.body), record.statement.relationship
    return [
        handed_on_key(relationship, body.item, body.request),
        holding_key(relationship, body.item),
        derivative_key(relationship, body.item),
        recall_key(relationship, body.item),
        consent_key(relationship, body.consent),
    ]


def _handed_on(context: Context, facts: Facts, record: Record) -> list[Put]:
    """(7) Only its holder hands it on, by a consent that held as far as the holder knew."""
    body, statement = cast("HandedOn", record.body), record.statement
    relationship, originator = statement.relationship, other_party(context, facts, record)
    if holding_of(facts, record, body.item).keeper != statement.author:
        raise no("not-holder", f"item {body.item!r} was not given to {statement.author!r}, who cannot hand it on")
    if facts[derivative_key(relationship, body.item)] is not None or body.label.originator != originator:
        raise no("derived", f"item {body.item!r} is not as {originator!r} gave it, and is not handed on as its")
    if body.to in {statement.author, originator}:
        raise no("looped-route", f"item {body.item!r} was handed on to {body.to!r}, where it is from")
    key = handed_on_key(relationship, body.item, body.request)
    if facts[key] is not None:
        raise no("already-given", f"request {body.request!r} was already carried out")
    ours = statement.author == context.party
    recall = cast("RecallRow | None", facts[recall_key(relationship, body.item)])
    if recall is not None and recall.recalled and (ours or statement.has_seen(recall.sequence)):
        raise no("recalled", f"item {body.item!r} is recalled; it is not handed on")
    consent: ConsentRow = need(facts, consent_key(relationship, body.consent), "consent")
    if consent.author != originator:
        raise no("own-consent", f"consent {body.consent!r} is not the originator's")
    if not consent_held(consent, record, ours=ours):
        raise no("lapsed", f"consent {body.consent!r} does not hold: refused, ended or withdrawn")
    about = consent.item == body.item and HANDS_ON in consent.acts and consent.purpose == body.purpose
    if not about or body.to not in consent.beneficiaries:
        raise no("other-consent", f"consent {body.consent!r} is about another item, act, party or purpose")
    fields = {name: getattr(body, name) for name in body.__struct_fields__ if name != "basis"}
    return [Put(key, HandedOnRow(record=record.id, at=statement.at, **fields))]


def _relayed_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("Relayed", record.body), record.statement.relationship
    return [handed_on_key(relationship, body.item, body.request), (ItemRow.table, body.item)]


def _relayed_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    row = cast("HandedOnRow | None", facts[_relayed_reads(_, record)[0]])
    return [(PeerRow.table, row.to)] if row is not None else []


def _relayed(context: Context, facts: Facts, record: Record) -> list[Put]:
    """(9) The receipt is that of the party to which the item went, about this handing on, and comes once."""
    body, statement = cast("Relayed", record.body), record.statement
    key = handed_on_key(statement.relationship, body.item, body.request)
    row: HandedOnRow = need(facts, key, "handing on")
    if row.receipt is not None:
        raise no("already-received", f"{row.to!r} has receipted this already")
    item: ItemRow = need(facts, (ItemRow.table, body.item), "item")
    letter = _verified(context, facts, body.letter, ReceiptLetter, row.to)
    expected = {
        "receiver": row.to,
        "originator": other_party(context, facts, record),
        "holder": statement.author,
        "request": row.request,
        "item": row.item,
        "content": item.content,
        "copies": row.copies,
    }
    wrong = _differs(letter, expected)
    if wrong is not None:
        raise no("other-letter", f"the receipt of {row.to!r} is about another {wrong} than this handing on")
    return [
        Put(key, msgspec.structs.replace(row, receipt=body.letter, received=letter.at, mark=letter.mark)),
    ]


def _handed_on_occasions(context: Context, facts: Facts, record: Record) -> Iterator[Occurrence | Discharge]:
    """The item is in the hands of whoever hands it on, until the receipt of the next has come."""
    body, author = cast("HandedOn", record.body), record.statement.author
    events: tuple[Event, ...] = ("hands-changed", "passed-on")
    for event in events:
        yield Occurrence(
            event=event,
            subject=consignment_subject(body.item, record.id),
            originator=other_party(context, facts, record),
            item=body.item,
            carrier=author,
        )


def _relayed_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("Relayed", record.body)
    row = cast("HandedOnRow", facts[handed_on_key(record.statement.relationship, body.item, body.request)])
    return [Discharge(deed="give-receipt", subject=consignment_subject(body.item, row.record))]


RULES: dict[type[Body], Rule] = {
    ConsentLettered: Rule(_lettered_reads, _lettered, _lettered_more),
    HandedOn: Rule(_handed_on_reads, _handed_on),
    Relayed: Rule(_relayed_reads, _relayed, _relayed_more),
}
"""The rule of every record type of this area."""
OCCASIONS: dict[type[Body], Occasions] = {
    HandedOn: lambda context, facts, record: list(_handed_on_occasions(context, facts, record)),
    Relayed: _relayed_occasions,
}
"""Which duties its records open and discharge."""
