"""What one party says to the other: who speaks, and that both run the agreement.

For rules of records by which the parties deal with each other, rather than with an item.
"""

from __future__ import annotations

from comity.record.statement import Record
from comity.register.officers import check_officer
from comity.register.rows import AgreementRow, Facts
from comity.register.verdict import need, no


def running_agreement(facts: Facts, record: Record) -> AgreementRow:
    """The agreement of the record's relationship, once both parties have acknowledged it.

    Raises:
        Rejected: there is none, or one of them has not.
    """
    row: AgreementRow = need(facts, (AgreementRow.table, record.statement.relationship), "agreement")
    if len(row.acknowledged) < 2:
        raise no("not-acknowledged", f"both parties must acknowledge {row.agreement!r} before anything crosses")
    return row


def check_authority(facts: Facts, record: Record, *roles: str) -> AgreementRow:
    """The running agreement, once a person with one of ``roles`` is shown to have signed the record in his own name.

    Args:
        facts: among them the row of ``crossing.officer_key``.
        record: its body has ``by`` and ``signature``.
        roles: any of them will do.

    Raises:
        Rejected: the agreement does not run, nobody of that pseudonym, without the role, or another signed.
    """
    row = running_agreement(facts, record)
    check_officer(facts, record, *roles)
    return row
