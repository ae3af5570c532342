"""The chain of custody of each copy: a link for whatever becomes of it (``spec/custody.md`` step 2).

A consequence of records of any type: whatever makes, moves, loses, finds or ends a copy, the link follows from the rows
that its rule wrote. No rule has to know of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from comity.record.bodies.custody import Carried, CopyFound, CopyLost
from comity.record.bodies.giving import Consigned, Opened, Received, Unopenable
from comity.record.person_act import signature_in
from comity.record.statement import Record
from comity.register.keeping import copy_of
from comity.register.rows import CopyRow, Facts, Key
from comity.register.rows.custody import LinkRow, link_key
from comity.register.verdict import Consequence, Context, Put

_SAID_TOO_LATE = (Carried, CopyLost, CopyFound)
"""What belongs into the chain of custody even where it changes nothing any more."""
_NO_LINKS = (Consigned, Received, Opened, Unopenable)
"""What changes copies and is no link of their chains: it stands in the row of the consignment, or is no custody."""


def _links_read(_: Context, __: Facts, ___: Record) -> list[Key]:
    return []


def _links(_: Context, facts: Facts, record: Record, puts: Sequence[Put]) -> list[Put]:
    """(2) A link for every copy that the record made, moved, lost, found or ended, whatever its type."""
    body: Any = record.body
    if isinstance(body, _NO_LINKS):
        return []
    copies = {put.key: put.row for put in puts if isinstance(put.row, CopyRow) and _moved(facts[put.key], put.row)}
    if isinstance(body, _SAID_TOO_LATE):
        copies[copy_of(record)] = cast("CopyRow", facts[copy_of(record)])
    statement = record.statement
    signature = getattr(body, "signature", None)
    link = LinkRow(
        record=record.id,
        kind=statement.type,
        at=statement.at,
        author=statement.author,
        by=signature_in(body).signer if signature is not None else "",
        to=getattr(body, "taker", None) or getattr(body, "beneficiary", None) or "",
    )
    return [
        Put(link_key(statement.relationship, copy.item, copy.number, statement.at, record.id), link)
        for copy in copies.values()
    ]


def _moved(before: object, after: CopyRow) -> bool:
    return not isinstance(before, CopyRow) or any(
        getattr(before, name) != getattr(after, name) for name in ("state", "holder", "taker", "custodian", "found")
    )


CHAINS = Consequence(_links_read, _links)
"""What follows from a record for the chain of custody of each copy."""
