"""Layers of one side, told to the other: the rule of their records (``spec/lifecycle.md`` step 19)."""

from __future__ import annotations

from typing import cast

from comity.record.bodies import Body
from comity.record.bodies.negotiation import LayerTold
from comity.record.statement import Record
from comity.register.notices import check_day
from comity.register.officers import officer_key
from comity.register.parties import check_authority
from comity.register.roles import AGREEMENT_AUTHORITY
from comity.register.rows import AgreementRow, Facts, Key
from comity.register.rows.negotiation import LayerToldRow, layer_told_key
from comity.register.verdict import Context, Put, Rule, check_after, no


def _reads(_: Context, record: Record) -> list[Key]:
    body, statement = cast("LayerTold", record.body), record.statement
    return [
        layer_told_key(statement.relationship, statement.author, body.layer),
        officer_key(record),
        (AgreementRow.table, statement.relationship),
    ]


def _told(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("LayerTold", record.body), record.statement
    check_authority(facts, record, AGREEMENT_AUTHORITY)
    key = layer_told_key(statement.relationship, statement.author, body.layer)
    before = cast("LayerToldRow | None", facts[key])
    check_after(body.after, before.record if before is not None else bytes(32))
    if body.withdrawn and (before is None or before.withdrawn):
        raise no("unknown-layer", f"{statement.author!r} has told of no layer {body.layer!r} that stands")
    if before is not None and not body.withdrawn and not before.withdrawn and before.digest == body.digest:
        raise no("told-already", f"{statement.author!r} has told of this text of layer {body.layer!r} already")
    if before is not None and check_day(body.since) < before.since:
        raise no("day-before", f"what was told of layer {body.layer!r} before holds from {before.since} on")
    row = LayerToldRow(
        party=statement.author,
        layer=body.layer,
        version=body.version,
        title=body.title,
        digest=body.digest,
        since=check_day(body.since),
        withdrawn=body.withdrawn,
        record=record.id,
        at=statement.at,
    )
    return [Put(key, row)]


RULES: dict[type[Body], Rule] = {LayerTold: Rule(_reads, _told)}
"""The rule of the record type of this area."""
