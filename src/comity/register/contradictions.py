"""Contradictions: the rule of their record (``spec/contradictions.md`` step 33)."""

from __future__ import annotations

from typing import cast

from comity.record.bodies import Body
from comity.record.bodies.contradictions import ContradictionSettled
from comity.record.statement import Record
from comity.register.house import check_house_act, signer_keys
from comity.register.roles import AGREEMENT_AUTHORITY
from comity.register.rows import AgreementRow, Facts, Key
from comity.register.rows.contradictions import ContradictionSettledRow, contradiction_settled_key
from comity.register.verdict import Context, Put, Rule, need, no


def _reads(_: Context, record: Record) -> list[Key]:
    body = cast("ContradictionSettled", record.body)
    key = contradiction_settled_key(body.relationship, body.contradiction)
    return [key, (AgreementRow.table, body.relationship), *signer_keys(body)]


def _settled(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("ContradictionSettled", record.body), record.statement
    if check_house_act(context, facts, body, statement.relationship, AGREEMENT_AUTHORITY) != body.by:
        raise no("other-signer", f"it names {body.by!r} but somebody else signed it")
    need(facts, (AgreementRow.table, body.relationship), "agreement")
    key = contradiction_settled_key(body.relationship, body.contradiction)
    if facts[key] is not None:
        raise no("settled-before", "what followed on it was lifted before")
    if not body.reason:
        raise no("no-reason", "what followed on a contradiction is lifted with a reason")
    row = ContradictionSettledRow(record=record.id, by=body.by, reason=body.reason, at=statement.at)
    return [Put(key, row)]


RULES: dict[type[Body], Rule] = {ContradictionSettled: Rule(_reads, _settled)}
"""The rule of every record type of this area."""
