"""Who said something: the person or function behind a record, when, and what kind of record it is."""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.flows.house import PSEUDONYM_OF, House
from comity.record.statement import DOMESTIC, read_kept, understand


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """A record that somebody made.

    Attributes:
        by: a person of this house, as it calls him; of the other party, the function; else the party.
        party: whose record it is.
        kind: its type.
        at: when, by its author's clock.
        record: its id in hex.
    """

    by: str
    party: str
    kind: str
    at: datetime
    record: str


async def said_in(house: House, record: bytes) -> Said | None:
    """Who said a record; None where it is not in the journal. Whoever is told it may see what it is about."""
    entry = await house.store.find(record)
    if entry is None:
        return None
    found = understand(read_kept(entry.envelope, record))
    statement = found.statement
    by = statement.on_behalf_of or statement.author
    signature = getattr(found.body, "signature", None)
    named = getattr(found.body, "by", "") or (signature.signer if signature is not None else "")
    if statement.author == house.party and named:
        person = named
        if statement.relationship != DOMESTIC:
            kept = await house.side(PSEUDONYM_OF, f"{statement.relationship}/{named}")
            person = kept.decode() if kept is not None else ""
        by = await house.handle(person) if person else by
    return Said(by=by, party=statement.author, kind=statement.type, at=statement.at, record=record.hex())
