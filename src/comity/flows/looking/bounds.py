"""What bounds the time of a record, as this house knows it (``spec/ledger.md`` step 106)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from comity.flows.house import House
from comity.flows.vouching.stamping import stamps
from comity.ports import JournalEntry
from comity.record.statement import DOMESTIC, Record, chain_id, read_kept, understand


class Bounds(msgspec.Struct, frozen=True):
    """After which instant a record was written and before which, by the clocks of others; None where nothing says."""

    not_before: datetime | None = None
    not_after: datetime | None = None


async def bounds_of(house: House, record: bytes) -> Bounds:
    """What bounds the time of a record; nothing does where it is not here."""
    entry = await house.store.find(record)
    if entry is None:
        return Bounds()
    said = understand(read_kept(entry.envelope, record))
    return Bounds(await _cited(house, said), await _vouched(house, entry, said.statement.author))


async def _cited(house: House, said: Record) -> datetime | None:
    """The time of the newest record of the other party that its author says to have seen, by that party's clock."""
    statement = said.statement
    if statement.seen is None or not statement.seen.size or statement.relationship == DOMESTIC:
        return None
    peer = await house.peer_in(statement.relationship)
    other = peer if statement.author == house.party else house.party
    newest = await house.store.chain(chain_id(statement.relationship, other), statement.seen.size - 1, 1)
    return understand(read_kept(newest[0].envelope, newest[0].record)).statement.at if newest else None


async def _vouched(house: House, entry: JournalEntry, author: str) -> datetime | None:
    """The earliest that another than its author vouched for it: by a token, by a cosignature, or by taking it here."""
    if author != house.party:
        return entry.at
    relationship = entry.chain.rpartition("/")[0]
    known = [each.at async for each in stamps(house, entry.chain) if entry.sequence < each.size][:1]
    if relationship != DOMESTIC:
        signed = await house.exchange.witnessed(entry.chain, await house.peer_in(relationship))
        if signed is not None and entry.sequence < signed.checkpoint.head.size:
            times = [each.time for each in signed.witnesses if each.time is not None]
            known += [datetime.fromtimestamp(each, UTC) for each in times]
    return min(known, default=None)
