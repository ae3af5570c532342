"""Who signed a crossing record, as the directory of its author's party knows him (``spec/register.md`` step 6)."""

from __future__ import annotations

from typing import Any, cast

from comity.record import bodies
from comity.record.person_act import check_act, signature_in
from comity.record.statement import Record
from comity.register.rows import DirectoryRow, Facts, Key, directory_key
from comity.register.verdict import need, no


def officer_key(record: Record) -> Key:
    """Key of the directory entry of whoever signed the body of a crossing record."""
    statement = record.statement
    signer = signature_in(cast("bodies.Body", record.body)).signer
    return directory_key(statement.relationship, statement.author, signer)


def check_officer(facts: Facts, record: Record, *roles: str) -> DirectoryRow:
    """Verify a person's signature in a crossing body against the directory of its author's party.

    Args:
        facts: among them the row of ``officer_key``.
        record: whose body carries the signature.
        roles: what the signer must be entitled to, any of them; none where holding a copy is all it takes.

    Raises:
        Rejected: nobody of that pseudonym, withdrawn, without the role, a signature that does not verify, or one by
            somebody else than the record names.
    """
    statement, body = record.statement, cast("Any", record.body)
    signer = signature_in(body).signer
    officer: DirectoryRow = need(facts, officer_key(record), "entry of the directory")
    check_act(body, statement.relationship, statement.author, officer.signing_key)
    if officer.withdrawn:
        raise no("no-role", f"{signer!r} was withdrawn")
    if roles and not set(roles) & set(officer.roles):
        raise no("no-role", f"{signer!r} does not have the role {' or '.join(map(repr, roles))}")
    if getattr(body, "by", signer) != signer:
        raise no("other-signer", f"the record names {body.by!r}, but somebody else signed it")
    return officer
