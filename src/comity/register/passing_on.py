"""Passing on to somebody outside the parties (Article 6(a); ``spec/consent.md`` steps 10 to 13)."""

from __future__ import annotations

from typing import cast

import msgspec

from comity.agreement.vocabulary import Event
from comity.record.bodies import Body
from comity.record.bodies.consents import PassedOn, PassOnReceipted
from comity.record.statement import Record
from comity.register.marks import marks_more, marks_reads, possible_marks
from comity.register.occasions import consignment_subject
from comity.register.officers import check_officer, officer_key
from comity.register.onward import onward_rules
from comity.register.providing import check_approved
from comity.register.recalls import answer_reads, holding_of, last_ones
from comity.register.roles import REGISTRY
from comity.register.rows import AgreementRow, CopyRow, Facts, ItemRow, Key, RequestRow, copy_key
from comity.register.rows.consents import ConsentRow, PassedOnRow, consent_key, passed_on_key
from comity.register.rows.ending import HoldingRow, holding_key
from comity.register.rows.lineage import derivative_key
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no


def _passed_on_reads(context: Context, record: Record) -> list[Key]:
    body, relationship = cast("PassedOn", record.body), record.statement.relationship
    asked = [(RequestRow.table, body.request)] if record.statement.author == context.party else []
    return [
        *asked,
        officer_key(record),
        copy_key(relationship, body.item, body.copy),
        *marks_reads(relationship, body.item),
        *(consent_key(relationship, each) for each in body.consents),
    ]


def _passed_on_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    """Everything that it was made from, and the marks by which each may be known to whoever passes on."""
    body, relationship = cast("PassedOn", record.body), record.statement.relationship
    above = _above(facts, record)
    rows = [key for each in above for key in marks_reads(relationship, each)]
    if any(key not in facts for key in rows):
        return rows
    marks = [key for each in (body.item, *above) for key in marks_more(facts, relationship, each)]
    return [*rows, *marks, *answer_reads(facts, relationship, body.item)]


def _above(facts: Facts, record: Record) -> tuple[str, ...]:
    body = cast("PassedOn", record.body)
    holding = cast("HoldingRow | None", facts[holding_key(record.statement.relationship, body.item)])
    return holding.above if holding is not None else ()


def _check_consents(context: Context, facts: Facts, record: Record) -> None:
    """That nothing forbids it, and that the originator's consents, as they hold now, let everybody gain who does.

    Raises:
        Rejected: it is forbidden; or a consent is not the other party's, is about something else, or has ended; or they
            do not do.
    """
    body, statement = cast("PassedOn", record.body), record.statement
    row: AgreementRow = need(facts, (AgreementRow.table, statement.relationship), "agreement")
    agreement = context.agreement(row.digest)
    nations = {nation for party in agreement.parties for nation in party.nations}
    parties = {party.id for party in agreement.parties}
    if body.beneficiary in parties:
        raise no("no-third-party", f"{body.beneficiary!r} is a party; what it gets is given or handed over")
    rules = onward_rules(agreement, facts, record, (body.item, *_above(facts, record)))
    if any(rule.forbids for rule in rules):
        raise no("forbidden", f"the agreement forbids passing {body.item!r} on to {body.beneficiary!r}")
    itself = any(rule.per_item for rule in rules)
    gains = {body.beneficiary} | ({body.nationality} - nations if nations else set())
    for each in body.consents:
        consent: ConsentRow = need(facts, consent_key(statement.relationship, each), "consent")
        if consent.author == statement.author:
            raise no("own-consent", f"consent {each!r} is not the originator's")
        if not consent_held(consent, record, ours=statement.author == context.party):
            raise no("lapsed", f"consent {each!r} does not hold: refused, ended or withdrawn")
        if not _speaks(facts, record, consent) or "pass-on" not in consent.acts or consent.purpose != body.purpose:
            raise no("other-consent", f"consent {each!r} is about another item, act or purpose")
        if consent.item is not None or not itself:
            gains -= set(consent.beneficiaries)
    if gains and rules:
        raise no("no-consent", f"the originator has not consented that {', '.join(sorted(gains))} gain by it")


def _speaks(facts: Facts, record: Record, consent: ConsentRow) -> bool:
    """(6) Whether a consent is about the item: by its name, or by its pattern about all that was given of it.

    What something made here is said to be about, its maker alone says; so a pattern has to speak of everything that it
    was made from.
    """
    body, relationship = cast("PassedOn", record.body), record.statement.relationship
    if consent.item is not None:
        return consent.item == body.item
    above = [each for each in _above(facts, record) if facts[derivative_key(relationship, each)] is None]
    for each in above or [body.item]:
        row = cast("ItemRow | None", facts[ItemRow.table, each])
        if row is None:
            return False
        marks = possible_marks(facts, relationship, each, record)
        if not any(consent.speaks_of(each, row.topic, row.subject, mark) for mark in marks):
            return False
    return True


def consent_held(consent: ConsentRow, record: Record, *, ours: bool) -> bool:
    """Whether a consent held for whoever relied on it: a withdrawal counts once he could know of it."""
    at = record.statement.at
    if ours or consent.withdrawn_sequence is None:
        return consent.holds(at)
    known = record.statement.has_seen(consent.withdrawn_sequence)
    return consent.holds(at) if known else msgspec.structs.replace(consent, withdrawn=None).holds(at)


def _passed_on(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("PassedOn", record.body), record.statement
    key = copy_key(statement.relationship, body.item, body.copy)
    copy: CopyRow = need(facts, key, "copy")
    entry = check_officer(facts, record)
    if holding_of(facts, record, body.item).keeper != statement.author:
        raise no("not-holder", f"copy {body.copy} is not kept by {statement.author!r}, who cannot pass it on")
    if copy.holder != entry.pseudonym or body.by != entry.pseudonym:
        raise no("not-holder", f"copy {body.copy} is held by {copy.holder!r}; nobody else can pass it on")
    if not copy.at_hand:
        state = "being destroyed" if copy.state == "held" else copy.state
        raise no("copy-state", f"copy {body.copy} is {state}; only a held copy can be passed on")
    check_after(body.after, copy.last)
    _check_consents(context, facts, record)
    asked = _carried_out(facts, record) if statement.author == context.party else []
    row = PassedOnRow(
        record=record.id,
        item=body.item,
        number=body.copy,
        beneficiary=body.beneficiary,
        beneficiary_kind=body.beneficiary_kind,
        nationality=body.nationality,
        purpose=body.purpose,
        consents=tuple(sorted(set(body.consents))),
        header=body.header,
        sealed_to=body.sealed_to,
        by=body.by,
        at=statement.at,
    )
    return [
        Put(key, msgspec.structs.replace(copy, state="passed on", last=record.id)),
        Put(passed_on_key(statement.relationship, body.item, body.copy), row),
        *asked,
    ]


def _carried_out(facts: Facts, record: Record) -> list[Put]:
    """Our own request, approved, is carried out; where several agreements protect the item, by the first record."""
    body, relationship = cast("PassedOn", record.body), record.statement.relationship
    request = check_approved(facts, record)
    if request.act != "pass-on" or request.onward is None or request.purpose != body.purpose:
        raise no("other-act", f"request {body.request!r} is about another act or purpose")
    if (request.item, request.copy, request.onward.beneficiary) != (body.item, body.copy, body.beneficiary):
        raise no("other-item", f"request {body.request!r} is about another item, copy or body")
    if request.relationship != relationship:
        return []
    if request.consignment is not None:
        raise no("already-given", f"request {body.request!r} was already carried out")
    return [Put((RequestRow.table, body.request), msgspec.structs.replace(request, consignment=record.id))]


def _receipted_reads(_: Context, record: Record) -> list[Key]:
    body, relationship = cast("PassOnReceipted", record.body), record.statement.relationship
    return [officer_key(record), passed_on_key(relationship, body.item, body.copy)]


def _receipted(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("PassOnReceipted", record.body), record.statement
    key = passed_on_key(statement.relationship, body.item, body.copy)
    row: PassedOnRow = need(facts, key, "passing on")
    entry = check_officer(facts, record)
    if body.by != entry.pseudonym:
        raise no("other-signer", f"the receipt names {body.by!r} but somebody else signed it")
    if row.by != entry.pseudonym and REGISTRY not in entry.roles:
        raise no("no-role", f"{body.by!r} neither passed it on nor keeps the register")
    if row.receipt is not None:
        raise no("already-received", f"copy {body.copy} was already receipted")
    check_after(body.after, row.record)
    told = msgspec.structs.replace(row, receipt=body.receipt, receipted=statement.at)
    return [Put(key, told)]


def _passed_on_occasions(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """The copy is in the hands of a courier of the party that passes it on (Article 12)."""
    body, author = cast("PassedOn", record.body), record.statement.author
    originator = other_party(context, facts, record)
    subject = consignment_subject(body.item, record.id)
    events: tuple[Event, ...] = ("hands-changed", "passed-on")
    return [
        *(
            Occurrence(event=event, subject=subject, originator=originator, item=body.item, carrier=author)
            for event in events
        ),
        *last_ones(facts, record, body.item, author),
    ]


def _receipted_occasions(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("PassOnReceipted", record.body)
    return [Discharge(deed="give-receipt", subject=consignment_subject(body.item, body.after))]


RULES: dict[type[Body], Rule] = {
    PassedOn: Rule(_passed_on_reads, _passed_on, _passed_on_more),
    PassOnReceipted: Rule(_receipted_reads, _receipted),
}
"""The rule of every record type of this area."""
OCCASIONS: dict[type[Body], Occasions] = {
    PassedOn: _passed_on_occasions,
    PassOnReceipted: _receipted_occasions,
}
"""Which duties its records open and discharge."""
