"""What every record by which something is provided must show, given or shown alike (Articles 4, 7.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec

from comity.agreement.conditions import about_act, about_item, assured_conditions
from comity.agreement.equivalence import equivalents
from comity.agreement.model import Agreement
from comity.agreement.vocabulary import Act
from comity.marking.label import Label
from comity.record.bodies.consents import Shown
from comity.record.bodies.giving import Consigned
from comity.record.statement import DOMESTIC, Record
from comity.register.rows import (
    AgreementRow,
    AskedRow,
    AssuranceRow,
    Facts,
    ItemRow,
    Key,
    RequestRow,
    asked_key,
    assurance_key,
)
from comity.register.rows.ending import holding_key
from comity.register.rows.lineage import derivative_key
from comity.register.verdict import Context, need, no

Provided = Consigned | Shown
"""The bodies by which something is provided; what they have in common is named alike."""
_SAME = ("originator", "label", "form", "topic", "subject", "content", "rights")
"""What an item says of itself wherever it is named."""


def provided_reads(context: Context, record: Record, recipients: Sequence[str]) -> list[Key]:
    """The keys of the rows on which it depends whether something may be provided to ``recipients``."""
    body, relationship = cast("Provided", record.body), record.statement.relationship
    keys = [
        (AgreementRow.table, relationship),
        (ItemRow.table, body.item),
        derivative_key(relationship, body.item),
        holding_key(relationship, body.item),
        asked_key(relationship, body.request),
    ]
    if record.statement.author == context.party:
        keys.append((RequestRow.table, body.request))
    return [*keys, *(assurance_key(relationship, body.request, each) for each in recipients)]


def check_provided(context: Context, facts: Facts, record: Record, act: Act, recipients: Sequence[str]) -> AskedRow:
    """The request for assurance that a record carries out, once everything was there that it must rest on.

    Raises:
        Rejected: a party has not acknowledged this text, a mark is not the agreement's, the request was another, or an
            assurance is missing.
    """
    body, statement = cast("Provided", record.body), record.statement
    row: AgreementRow = need(facts, (AgreementRow.table, statement.relationship), "agreement")
    receiver = row.peer if statement.author == context.party else context.party
    if not {statement.author, receiver} <= set(row.acknowledged):
        raise no("not-acknowledged", f"both parties must acknowledge {row.agreement!r} before anything crosses")
    if body.agreement != row.digest:
        raise no("other-digest", f"given under another text of {row.agreement!r} than the one both acknowledged")
    if body.originator != body.label.originator:
        raise no("other-originator", f"it names {body.originator!r}, its label {body.label.originator!r} as originator")
    agreement = context.agreement(row.digest)
    check_marks(agreement, body.label, body.alternative, receiver)
    check_form(agreement, body.manner if isinstance(body, Shown) else body.form)
    asked: AskedRow = need(facts, asked_key(statement.relationship, body.request), "request for assurance")
    _check_request(asked, record, act, recipients)
    _check_assured(agreement, facts, record, act, recipients)
    return asked


def check_approved(facts: Facts, record: Record) -> RequestRow:
    """Our own request that a record carries out, approved.

    Raises:
        Rejected: there is none, or no release authority has approved it.
    """
    body: Any = record.body
    request: RequestRow = need(facts, (RequestRow.table, body.request), "request")
    if not any(approval.granted for approval in request.approvals):
        raise no("not-approved", f"no release authority has approved request {body.request!r}")
    return request


def item_provided(facts: Facts, record: Record, *, ours: bool) -> ItemRow:
    """The item that a record provides: the giver has it, the receiver may see it for the first time.

    Raises:
        Rejected: it is another's, or is registered here as something else.
    """
    body, statement = cast("Provided", record.body), record.statement
    if facts[derivative_key(statement.relationship, body.item)] is not None:
        raise no("derived", f"item {body.item!r} was made from received information, and is nobody's to provide as new")
    before = cast("ItemRow | None", facts[ItemRow.table, body.item])
    if ours:
        before = need(facts, (ItemRow.table, body.item), "item")
    if before is None:
        return ItemRow(
            item=body.item,
            label=body.label,
            alternative=body.alternative,
            form=body.form,
            topic=body.topic,
            subject=body.subject,
            size=body.size,
            content=body.content,
            originator=body.originator,
            registered=statement.at,
            relationship=statement.relationship,
            provided=body.purpose,
            rights=body.rights,
        )
    if before.relationship != (DOMESTIC if ours else statement.relationship):
        raise no("other-item", f"item {body.item!r} did not come from the party that gives it")
    if ours and before.contains:
        raise no("derived", f"item {body.item!r} was made from received information, and is nobody's to provide as new")
    if not ours and facts[holding_key(statement.relationship, body.item)] is None:  # it was shown, at the level of then
        before = msgspec.structs.replace(before, label=body.label, alternative=body.alternative)
    for field in _SAME:
        if getattr(before, field) != getattr(body, field):
            raise no("other-item", f"item {body.item!r} is already registered with another {field}")
    return before


def check_marks(agreement: Agreement, label: Label, alternative: Label | None, receiver: str) -> None:
    """That a label crosses as the agreement says, and as nothing else.

    Raises:
        Rejected: the receiver's mark for it is another, or is chosen for it where several are offered.
    """
    found = equivalents(agreement, label.policy, label.mark, receiver)
    expected = None
    if found.preferred is not None:
        expected = msgspec.structs.replace(label, policy=receiver, mark=found.preferred)
    if alternative != expected:
        shown = repr(found.preferred) if found.preferred else " or ".join(repr(mark) for mark in found.marks)
        raise no("wrong-mark", f"{label.mark!r} crosses as {shown}, and as nothing else (Article {found.clause})")


def check_form(agreement: Agreement, form: str) -> None:
    """That information in this form is covered.

    Raises:
        Rejected: it is not.
    """
    if form not in (agreement.scope.forms or (form,)):
        raise no("form", f"information in the form {form!r} is outside the agreement's scope")


def _check_request(asked: AskedRow, record: Record, act: Act, recipients: Sequence[str]) -> None:
    body = cast("Provided", record.body)
    if asked.author != record.statement.author or asked.item != body.item:
        raise no("other-item", f"request {body.request!r} was about another item, or another party's")
    if asked.label != body.label:
        raise no("other-label", f"item {body.item!r} is given under another label than assurance was asked for")
    if (asked.act, asked.form, asked.topic, asked.purpose) != (act, body.form, body.topic, body.purpose):
        says = "in another form or way, for another list or for another purpose than assurance was asked for"
        raise no("other-terms", f"item {body.item!r} is given {says}")
    if asked.consignment is not None:
        raise no("already-given", f"request {body.request!r} was already carried out")
    if not set(recipients) <= set(asked.recipients):
        raise no("other-recipient", f"it goes to somebody whom request {body.request!r} did not name")


def _check_assured(agreement: Agreement, facts: Facts, record: Record, act: Act, recipients: Sequence[str]) -> None:
    body = cast("Provided", record.body)
    label = body.label
    item = about_item(
        form=body.manner if isinstance(body, Shown) else body.form,
        mark=label.mark,
        subject=body.subject,
        originator=label.originator,
        categories=label.categories,
    )
    asked_of_each = assured_conditions(agreement, act, about_act(item, record.statement.author))
    for recipient in recipients:
        key = assurance_key(record.statement.relationship, body.request, recipient)
        assurance = cast("AssuranceRow | None", facts[key])
        given = set(assurance.conditions) if assurance is not None and assurance.item == body.item else set()
        missing = sorted(asked_of_each - given)
        if missing:
            raise no("no-assurance", f"no assurance for {recipient!r} about {', '.join(missing)} before hand-over")
        if assurance is not None and asked_of_each and assurance.record not in body.assurances:
            raise no("other-assurance", f"it does not name the assurance given for {recipient!r}")
