"""Of what the records about giving are occasions: which duties they open and discharge (``spec/duties.md`` step 9)."""

from __future__ import annotations

from typing import cast

from comity.agreement.vocabulary import Form
from comity.record import bodies
from comity.record.statement import Record
from comity.register.rows import AgreementRow, AskedRow, ConsignmentRow, Facts
from comity.register.sides import other_party
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, need

THE_AGREEMENT = "agreement"
"""Subject of what both parties always owe under the text they acknowledged."""

BY_HAND: frozenset[Form] = frozenset({"documentary", "magnetic", "equipment"})
"""Forms in which the thing itself travels: its receipt is what the last hand signs, not that the record arrived."""


def request_subject(item: str, request: str) -> str:
    """Subject of what is owed before an item is handed over for a request."""
    return f"{item}/{request}"


def consignment_subject(item: str, consignment: bytes) -> str:
    """Subject of what is owed once an item is on its way, and when it has arrived."""
    return f"{item}/{consignment.hex()[:32]}"


def _acknowledged(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    row: AgreementRow = need(facts, (AgreementRow.table, record.statement.relationship), "agreement")
    both = sorted({*row.acknowledged, record.statement.author})
    if len(both) == 1:
        return []
    return [
        Occurrence(event=event, subject=THE_AGREEMENT, originator=party)
        for event in ("always", "agreement-ended")
        for party in both
    ]


def _listed(_: Context, __: Facts, ___: Record) -> list[Occurrence | Discharge]:
    return [Discharge(deed="keep-register", subject=THE_AGREEMENT)]


def _asked(_: Context, __: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("bodies.AssuranceAsked", record.body)
    subject = request_subject(body.item, body.request)
    return [
        Occurrence(event="hand-over-wanted", subject=subject, originator=record.statement.author, item=body.item),
    ]


def _assured(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """The deed is done with the answer about the last recipient."""
    body = cast("bodies.Assured", record.body)
    asked = cast("AskedRow", facts[AskedRow.table, f"{record.statement.relationship}/{body.request}"])
    if asked is None or not set(asked.recipients) <= {*asked.answered, body.recipient}:
        return []
    return [Discharge(deed="assure", subject=request_subject(body.item, body.request))]


def _consigned(context: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, author = cast("bodies.Consigned", record.body), record.statement.author
    receiver = other_party(context, facts, record)
    subject = consignment_subject(body.item, record.id)
    return [
        Occurrence(event="hands-changed", subject=subject, originator=author, item=body.item, carrier=receiver),
    ]


def _received(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body = cast("bodies.Received", record.body)
    consignment = cast("ConsignmentRow | None", facts[ConsignmentRow.table, body.consignment.hex()])
    if consignment is None:
        return []
    subject = consignment_subject(body.item, body.consignment)
    found: list[Occurrence | Discharge] = [
        Occurrence(event="received", subject=subject, originator=consignment.author, item=body.item),
    ]
    if consignment.mark is not None:
        found.append(Discharge(deed="mark", subject=subject))
    if consignment.form not in BY_HAND:
        found.append(Discharge(deed="give-receipt", subject=subject))
    return found


def _returned(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    """What was not taken is answered too."""
    body = cast("bodies.Returned", record.body)
    if body.item is None or facts[ConsignmentRow.table, body.record.hex()] is None:
        return []
    return [Discharge(deed="give-receipt", subject=consignment_subject(body.item, body.record))]


OCCASIONS: dict[type[bodies.Body], Occasions] = {
    bodies.Acknowledged: _acknowledged,
    bodies.Listed: _listed,
    bodies.AssuranceAsked: _asked,
    bodies.Assured: _assured,
    bodies.Consigned: _consigned,
    bodies.Received: _received,
    bodies.Returned: _returned,
}
"""Of what each of these record types is an occasion."""
