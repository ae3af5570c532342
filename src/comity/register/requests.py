"""Requests of this house and their approval: to give, to show, to pass on (``spec/register.md`` step 5).

Two people see each: whoever asks does not approve. How many approvals an act needs, by level and clause, the rules of
the agreement and its layers say; the decision counts them.
"""

from __future__ import annotations

from typing import cast

import msgspec

from comity.record import bodies
from comity.record.bodies.feeding import FeedRequested
from comity.record.person_act import check_act
from comity.record.statement import Record
from comity.register.house import check_house_act, person_key, signer_keys
from comity.register.roles import OFFICER, RELEASE_AUTHORITY, ROOT
from comity.register.rows import (
    AgreementRow,
    Approval,
    CopyRow,
    DirectoryRow,
    Facts,
    ItemRequestRow,
    ItemRow,
    Key,
    PersonRow,
    RequestRow,
    copy_key,
    directory_key,
    item_request_key,
)
from comity.register.verdict import Context, Put, Rule, check_after, need, no


def _request_reads(_: Context, record: Record) -> list[Key]:
    body = cast("bodies.ReleaseRequested", record.body)
    keys = [
        (RequestRow.table, body.request),
        (ItemRow.table, body.item),
        (AgreementRow.table, body.relationship),
        person_key(body.by),
    ]
    if body.copy is not None:
        keys.append(copy_key(body.relationship, body.item, body.copy))
    return keys


def _request_more(context: Context, facts: Facts, record: Record) -> list[Key]:
    body = cast("bodies.ReleaseRequested", record.body)
    if body.copy is None:
        return []
    copy = cast("CopyRow | None", facts[copy_key(body.relationship, body.item, body.copy)])
    return [] if copy is None else [directory_key(body.relationship, context.party, copy.holder)]


def new_request(context: Context, facts: Facts, record: Record, item: str) -> tuple[RequestRow, PersonRow]:
    """The row of a request that is made, about an item or a feed, and whoever makes it."""
    body = cast("bodies.ReleaseRequested | FeedRequested", record.body)
    need(facts, (AgreementRow.table, body.relationship), "agreement")
    if facts[RequestRow.table, body.request] is not None:
        raise no("request-exists", f"request {body.request!r} was already made")
    person: PersonRow = need(facts, person_key(body.by), "person")
    if check_act(body, record.statement.relationship, context.party, person.signing_key) != body.by:
        raise no("other-signer", f"the request names {body.by!r} but somebody else signed it")
    row = RequestRow(
        request=body.request,
        record=record.id,
        item=item,
        relationship=body.relationship,
        recipients=tuple(sorted(set(body.recipients))),
        purpose=body.purpose,
        by=body.by,
        at=record.statement.at,
    )
    return row, person


def _check_requester(context: Context, facts: Facts, record: Record, person: PersonRow) -> None:
    """An officer asks that something be given or shown; that a copy be passed on, nobody but who holds it."""
    body = cast("bodies.ReleaseRequested", record.body)
    if (body.act == "show") != (body.manner is not None) or (body.act == "pass-on") != (body.onward is not None):
        raise no("other-act", f"the request to {body.act} says how to do something else")
    if body.act != "pass-on":
        if body.copy is not None:
            raise no("other-act", f"the request to {body.act} names a copy")
        if OFFICER not in person.roles:
            raise no("no-role", f"{body.by!r} does not have the role {OFFICER!r}")
        return
    if body.copy is None:
        raise no("other-act", "the request to pass on names no copy")
    copy: CopyRow = need(facts, copy_key(body.relationship, body.item, body.copy), "copy")
    holder = cast("DirectoryRow | None", facts[directory_key(body.relationship, context.party, copy.holder)])
    if copy.state != "held" or holder is None or holder.signing_key != person.signing_key:
        raise no("not-holder", f"{body.by!r} does not hold copy {body.copy}; only its holder can ask to pass it on")


def _request(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.ReleaseRequested", record.body)
    need(facts, (ItemRow.table, body.item), "item")
    row, person = new_request(context, facts, record, body.item)
    _check_requester(context, facts, record, person)
    row = msgspec.structs.replace(row, act=body.act, manner=body.manner, copy=body.copy, onward=body.onward)
    return [
        Put((RequestRow.table, body.request), row),
        Put(item_request_key(body.item, body.request), ItemRequestRow(by=body.by)),
    ]


def _approval_reads(_: Context, record: Record) -> list[Key]:
    body = cast("bodies.Approved", record.body)
    return [(RequestRow.table, body.request), *signer_keys(body)]


def _approval(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("bodies.Approved", record.body)
    request: RequestRow = need(facts, (RequestRow.table, body.request), "request")
    signer = check_house_act(context, facts, body, record.statement.relationship, RELEASE_AUTHORITY)
    if signer != body.by or signer == ROOT:
        raise no("other-signer", f"the approval names {body.by!r} but somebody else signed it")
    if body.by == request.by:
        raise no("own-request", "whoever asked for a release cannot approve it; another release authority must")
    check_after(body.after, request.last)
    if request.consignment is not None:
        raise no("already-given", f"request {body.request!r} was already carried out")
    answer = Approval(record.id, body.by, body.granted, body.reason, body.attests)
    answers = (*(given for given in request.approvals if given.by != body.by), answer)
    return [Put((RequestRow.table, body.request), msgspec.structs.replace(request, approvals=answers))]


RULES: dict[type[bodies.Body], Rule] = {
    bodies.ReleaseRequested: Rule(_request_reads, _request, _request_more),
    bodies.Approved: Rule(_approval_reads, _approval),
}
"""The rule of every record type of this area."""
