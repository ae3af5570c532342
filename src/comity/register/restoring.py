"""Records that a house gets back from the other party, and the record that says so (``spec/backup.md`` 44 and 50).

What a house had recorded only for itself after its backup is lost. A record of its own that rests on such a one would
have no effect here any more, though the other party has taken it: then it has the effect here that it had there. The
register of both sides is made by the same rules, so it is stepped as the other side stepped it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from comity.record.bodies import Body
from comity.record.bodies.consents import Shown
from comity.record.bodies.giving import Consigned
from comity.record.bodies.lineage import Derived
from comity.record.bodies.restoring import Restored
from comity.record.statement import DOMESTIC, Record
from comity.register.rows import AgreementRow, Facts, ItemRow, Key, RequestRow, Row
from comity.register.rows.negotiation import ChannelRow
from comity.register.verdict import Context, Put, Rule

RECOVERED = "recovered"
"""The reason with which the journal names an own record that the other party gave back."""


class Mirror:
    """What the other party of an own record has in the place of the rows here.

    Attributes:
        context: the context of the other party, as far as it is known here.
        requests: the keys of what this house may still wait to do, and did by this record.
    """

    def __init__(self, context: Context, peer: str, record: Record) -> None:
        self.context = msgspec.structs.replace(context, party=peer)
        self._own, self._peer = context.party, peer
        self._record, self._relationship = record, record.statement.relationship
        body = record.body
        self.requests: tuple[Key, ...] = (
            ((RequestRow.table, body.request),) if isinstance(body, Consigned | Shown) else ()
        )
        self._here: dict[Key, Row | None] = {}

    def there(self, rows: Mapping[Key, Row | None]) -> dict[Key, Row | None]:
        """Rows that are here as the other party has them."""
        self._here.update(rows)
        return {key: self._there(row) for key, row in rows.items()}

    def _there(self, row: Row | None) -> Row | None:
        if isinstance(row, AgreementRow | ChannelRow):
            return msgspec.structs.replace(row, peer=self._own)
        if not isinstance(row, ItemRow):
            return row
        if row.relationship == self._relationship:
            return msgspec.structs.replace(row, relationship=DOMESTIC)
        made = self._record.body
        if isinstance(made, Derived) and made.item == row.item:  # it stands in the house of who made it only
            return None
        return msgspec.structs.replace(row, relationship=self._relationship)

    def here(self, puts: Iterable[Put]) -> tuple[Put, ...]:
        """What the other party wrote as it is written here; what this house waited to do is done."""
        written = [Put(put.key, self._mine(put)) for put in puts]
        for key in self.requests:
            row = self._here[key]
            if isinstance(row, RequestRow) and row.consignment is None:
                written.append(Put(key, msgspec.structs.replace(row, consignment=self._record.id)))
        return tuple(written)

    def _mine(self, put: Put) -> Row | None:
        row, before = put.row, self._here.get(put.key)
        if isinstance(row, AgreementRow | ChannelRow):
            return msgspec.structs.replace(row, peer=self._peer)
        if isinstance(row, ItemRow) and isinstance(before, ItemRow):
            return msgspec.structs.replace(row, relationship=before.relationship)
        if isinstance(row, ItemRow) and row.originator == self._own:
            return msgspec.structs.replace(row, relationship=DOMESTIC, provided=None)
        return row


def _reads(_: Context, __: Record) -> list[Key]:
    return []


def _restored(_: Context, __: Facts, ___: Record) -> list[Put]:
    """It says what happened; no row follows from it."""
    return []


RULES: dict[type[Body], Rule] = {Restored: Rule(_reads, _restored)}
