"""The two sides of a relationship: who a record speaks to."""

from __future__ import annotations

from comity.record.statement import Record
from comity.register.rows import AgreementRow, Facts
from comity.register.verdict import Context, need


def other_party(context: Context, facts: Facts, record: Record) -> str:
    """The party that the author of a crossing record speaks to, whatever either has acknowledged.

    Raises:
        Rejected: no agreement runs in the relationship.
    """
    statement = record.statement
    row: AgreementRow = need(facts, (AgreementRow.table, statement.relationship), "agreement")
    return row.peer if statement.author == context.party else context.party
