"""What was kept for a time was erased (``spec/keys.md`` step 79): the record attests it, and changes no row."""

from __future__ import annotations

from typing import cast

from comity.record.bodies import Body
from comity.record.bodies.retention import Erased
from comity.record.statement import Record
from comity.register.house import check_house_act, signer_keys
from comity.register.roles import SECURITY_OFFICER
from comity.register.rows import Facts, Key
from comity.register.verdict import Context, Put, Rule, no


def _reads(_: Context, record: Record) -> list[Key]:
    return signer_keys(record.body)


def _erased(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("Erased", record.body)
    if check_house_act(context, facts, body, record.statement.relationship, SECURITY_OFFICER) != body.by:
        raise no("other-signer", f"it names {body.by!r} but somebody else signed it")
    return []


RULES: dict[type[Body], Rule] = {Erased: Rule(_reads, _erased)}
"""The rule of the record of an erasure."""
