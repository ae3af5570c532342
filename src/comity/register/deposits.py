"""Deposits: the rules of their records (``spec/notices.md`` steps 8 to 10)."""

from __future__ import annotations

from hashlib import sha256
from typing import cast

import msgspec

from comity.record.bodies import Body
from comity.record.bodies.notices import Deposited, Revealed
from comity.record.contexts import DEPOSIT
from comity.record.encoding import encode
from comity.record.statement import Record
from comity.register.officers import officer_key
from comity.register.parties import check_authority
from comity.register.roles import AGREEMENT_AUTHORITY, OFFICER, REGISTRY
from comity.register.rows import Facts, Key
from comity.register.rows.notices import DepositRow, deposit_key
from comity.register.verdict import Context, Put, Rule, no

DEPOSITORS = (AGREEMENT_AUTHORITY, OFFICER, REGISTRY)
"""Roles any of which may deposit and reveal: whoever has the log is seldom a diplomat."""


def deposit_commitment(relationship: str, party: str, deposit: str, salt: bytes, digest: bytes) -> bytes:
    """(8) The commitment of a deposit.

    Args:
        relationship: where it is deposited.
        party: who deposits.
        deposit: its id.
        salt: 32 random bytes.
        digest: SHA-256 of the content.
    """
    place = sha256(encode((relationship, party, deposit, digest))).digest()
    return sha256(DEPOSIT + salt + place).digest()


def _reads(_: Context, record: Record) -> list[Key]:
    body = cast("Deposited | Revealed", record.body)
    return [deposit_key(record.statement.relationship, body.deposit), officer_key(record)]


def _deposited(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Deposited", record.body), record.statement
    check_authority(facts, record, *DEPOSITORS)
    key = deposit_key(statement.relationship, body.deposit)
    if facts[key] is not None:
        raise no("deposit-exists", f"deposit {body.deposit!r} was already made")
    row = DepositRow(
        deposit=body.deposit,
        party=statement.author,
        about=body.about,
        commitment=body.commitment,
        record=record.id,
        sequence=statement.sequence,
        at=statement.at,
    )
    return [Put(key, row)]


def _revealed(_: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("Revealed", record.body), record.statement
    check_authority(facts, record, *DEPOSITORS)
    key = deposit_key(statement.relationship, body.deposit)
    row = cast("DepositRow | None", facts[key])
    if row is None:
        raise no("unknown-deposit", f"there is no deposit {body.deposit!r}")
    if row.party != statement.author:
        raise no("not-depositor", f"deposit {body.deposit!r} is not {statement.author!r}'s to reveal")
    if row.reveal is not None:
        raise no("already-revealed", f"deposit {body.deposit!r} was revealed already")
    given = deposit_commitment(statement.relationship, statement.author, body.deposit, body.salt, body.digest)
    if given != row.commitment:  # (10)
        raise no("other-content", f"this is not what was deposited as {body.deposit!r}")
    if body.text is not None and sha256(body.text.encode()).digest() != body.digest:
        raise no("other-text", f"the text is not the one whose digest was deposited as {body.deposit!r}")
    revealed = msgspec.structs.replace(
        row, reveal=record.id, revealed=statement.at, digest=body.digest, salt=body.salt, text=body.text
    )
    return [Put(key, revealed)]


RULES: dict[type[Body], Rule] = {
    Deposited: Rule(_reads, _deposited),
    Revealed: Rule(_reads, _revealed),
}
"""The rule of each record about a deposit."""
