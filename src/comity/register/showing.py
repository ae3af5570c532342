"""Showing: disclosure by word or sight, which makes no copy (``spec/consent.md`` steps 14 to 16)."""

from __future__ import annotations

from typing import cast

import msgspec

from comity.record.bodies import Body
from comity.record.bodies.consents import Shown
from comity.record.statement import Record
from comity.register.marks import marks_more, marks_reads, possible_marks
from comity.register.officers import check_officer, officer_key
from comity.register.providing import check_approved, check_provided, item_provided, provided_reads
from comity.register.receiving import came_reads, came_to
from comity.register.roles import OFFICER
from comity.register.rows import AgreementRow, DirectoryRow, Facts, ItemRow, Key, RequestRow, asked_key, directory_key
from comity.register.rows.consents import ShownItemRow, ShownRow, shown_item_key, shown_key
from comity.register.rows.ending import holding_key
from comity.register.rows.routes import ForwardRow, forward_key
from comity.register.rows.visits import VisitRow, VisitShownRow, visit_key, visit_shown_key
from comity.register.verdict import Context, Put, Rule, need, no
from comity.register.visits import check_shown


def _shows_on(record: Record) -> bool:
    """Whether what was received is shown to people of the receiver's own, not something to the other party."""
    body = cast("Shown", record.body)
    return body.originator != record.statement.author


def _shown_reads(context: Context, record: Record) -> list[Key]:
    body, statement = cast("Shown", record.body), record.statement
    keys = [officer_key(record), *provided_reads(context, record, body.to)]
    if body.visit is not None:
        keys.append(visit_key(statement.relationship, body.visit))
    keys += came_reads(statement.relationship, body.item)
    if _shows_on(record):
        keys += [*marks_reads(statement.relationship, body.item), forward_key(statement.relationship, body.item)]
        keys += [directory_key(statement.relationship, statement.author, each) for each in body.to]
    return keys


def _shown_more(_: Context, facts: Facts, record: Record) -> list[Key]:
    relationship = record.statement.relationship
    return marks_more(facts, relationship, cast("Shown", record.body).item) if _shows_on(record) else []


def _received(context: Context, facts: Facts, record: Record) -> ItemRow:
    """The received item that its receiver shows to people of its own."""
    body, statement = cast("Shown", record.body), record.statement
    if not came_to(facts, statement.relationship, body.item, statement.author):
        raise no("not-received", f"item {body.item!r} did not come to {statement.author!r} in this relationship")
    item: ItemRow = need(facts, (ItemRow.table, body.item), "item")
    row: AgreementRow = need(facts, (AgreementRow.table, statement.relationship), "agreement")
    other = row.peer if statement.author == context.party else context.party
    handed_on = cast("ForwardRow | None", facts[forward_key(statement.relationship, body.item)])
    whose = other if handed_on is None else handed_on.originator
    if item.originator != whose or body.originator != whose:
        raise no("other-item", f"item {body.item!r} did not come from {whose!r}")
    if body.label not in [msgspec.structs.replace(item.label, mark=mark) for mark in _marks(facts, record)]:
        raise no("other-label", f"item {body.item!r} is not known under that label; it is shown as it came")
    for each in body.to:
        entry: DirectoryRow = need(facts, directory_key(statement.relationship, statement.author, each), "function")
        if not entry.reachable:
            raise no("withdrawn", f"{each!r} was withdrawn from the directory, or may be shown nothing more")
    return item


def _marks(facts: Facts, record: Record) -> tuple[str, ...]:
    """The marks by which whoever was given an item, or was shown it, may go."""
    body, relationship = cast("Shown", record.body), record.statement.relationship
    shown = cast("ShownItemRow | None", facts[shown_item_key(relationship, body.item)])
    if shown is not None and facts[holding_key(relationship, body.item)] is None:
        return (shown.mark,)
    return possible_marks(facts, relationship, body.item, record)


def _check_carried_out(facts: Facts, record: Record) -> RequestRow:
    body = cast("Shown", record.body)
    request = check_approved(facts, record)
    if (request.act, request.item, request.purpose) != ("show", body.item, body.purpose):
        raise no("other-act", f"request {request.request!r} is about another act, item or purpose")
    if request.manner != body.manner or not set(body.to) <= set(request.recipients):
        raise no("other-terms", f"request {request.request!r} was to show it in another way, or to others")
    if request.consignment is not None:
        raise no("already-given", f"request {request.request!r} was already carried out")
    return request


def _check_visit(context: Context, facts: Facts, record: Record) -> None:
    """What is shown during a visit is within what was permitted (``spec/visits.md`` step 6)."""
    body, statement = cast("Shown", record.body), record.statement
    agreement: AgreementRow = need(facts, (AgreementRow.table, statement.relationship), "agreement")
    visit = cast("VisitRow | None", facts[visit_key(statement.relationship, body.visit or "")])
    ours = statement.author == context.party
    if visit is not None and visit.end is not None and not (ours or statement.has_seen(visit.end)):
        visit = msgspec.structs.replace(visit, ended=None)  # its host could not know that it was over
    check_shown(
        context.agreement(agreement.digest),
        visit,
        author=statement.author,
        to=body.to,
        label=body.label,
        topic=body.topic,
        shown=body.at,
    )


def _shown(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Shown", record.body), record.statement
    ours, relationship = statement.author == context.party, statement.relationship
    puts = []
    if body.at > statement.at:
        raise no("not-yet", "it is said to have been shown at an instant that is still to come")
    if body.visit is not None:
        _check_visit(context, facts, record)
    if _shows_on(record):
        check_officer(facts, record)
        item = _received(context, facts, record)
    else:
        check_officer(facts, record, OFFICER)
        asked = check_provided(context, facts, record, "show", body.to)
        item = item_provided(facts, record, ours=ours)
        carried = msgspec.structs.replace(asked, consignment=record.id)
        puts.append(Put((ItemRow.table, body.item), item))
        puts.append(
            Put(shown_item_key(relationship, body.item), ShownItemRow(author=statement.author, mark=body.label.mark))
        )
        puts.append(Put(asked_key(relationship, body.request), carried))
    if ours:
        request = _check_carried_out(facts, record)
        puts.append(Put((RequestRow.table, body.request), msgspec.structs.replace(request, consignment=record.id)))
    row = ShownRow(
        record=record.id,
        author=statement.author,
        item=body.item,
        label=body.label,
        manner=body.manner,
        purpose=body.purpose,
        to=tuple(sorted(set(body.to))),
        by=body.by,
        shown=body.at,
        at=statement.at,
        visit=body.visit,
    )
    if body.visit is not None:
        puts.append(Put(visit_shown_key(relationship, body.visit, record.id), VisitShownRow(item=body.item)))
    return [*puts, Put(shown_key(relationship, body.item, record.id), row)]


RULES: dict[type[Body], Rule] = {Shown: Rule(_shown_reads, _shown, _shown_more)}
"""The rule of every record type of this area."""
