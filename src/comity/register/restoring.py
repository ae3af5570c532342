"""Records that a house gets back from the other party, and the record that says so (``spec/backup.md`` 44 and 50).

What a house had recorded only for itself after its backup is lost. A record of its own that rests on such a one would
have no effect here any more, though the other party has taken it: then it has the effect here that it had there. The
register of both sides is made by the same rules, so it is stepped as the other side stepped it.
"""

from __future__ import annotations

import msgspec

from comity.record.bodies import Body
from comity.record.bodies.restoring import Restored
from comity.record.statement import Record
from comity.register.rows import AgreementRow, Facts, Key, Row
from comity.register.rows.negotiation import ChannelRow
from comity.register.verdict import Context, Put, Rule

RECOVERED = "recovered"
"""The reason with which the journal names an own record that the other party gave back."""


def seen_from(context: Context, peer: str) -> Context:
    """The context of the other party, as far as it is known here."""
    return msgspec.structs.replace(context, party=peer)


def mirrored(row: Row | None, party: str) -> Row | None:
    """A row of what is between the parties, with ``party`` as the other one."""
    return msgspec.structs.replace(row, peer=party) if isinstance(row, (AgreementRow, ChannelRow)) else row


def _reads(_: Context, __: Record) -> list[Key]:
    return []


def _restored(_: Context, __: Facts, ___: Record) -> list[Put]:
    """It says what happened; no row follows from it."""
    return []


RULES: dict[type[Body], Rule] = {Restored: Rule(_reads, _restored)}
