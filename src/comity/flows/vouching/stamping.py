"""Tokens of an authority over checkpoints of our own ledgers (``spec/timestamps.md`` step 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from comity.flows.exchanging.witnessing import read_head
from comity.flows.house import House
from comity.flows.vouching.witnesses import put_side
from comity.ledger.note import Note
from comity.record.statement import DOMESTIC, chain_id

STAMP = "timestamp"
"""Side table: tokens, each with the checkpoint that it is over; key ``chain/size``."""
NEWEST = "timestamp-newest"
"""Side table: the key of the newest token of a ledger, by chain."""
STAMPS_READ = 256


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """A token that was verified when it came.

    Attributes:
        note: the checkpoint that it is over, as the log signed it.
        token: the answer of the authority, whole.
        at: when the authority saw it, by its clock.
    """

    note: bytes
    token: bytes
    at: datetime

    @property
    def size(self) -> int:
        """Records under it."""
        return read_head(self.note).size


def stamped_text(note: bytes) -> bytes:
    """What of a checkpoint is stamped: its text, without signatures (1)."""
    return Note.parse(note).text.encode()


async def unstamped(house: House, every: timedelta) -> list[tuple[str, bytes]]:
    """Our ledgers that have grown since their last token, if that is ``every`` old, with their checkpoints now."""
    found = []
    for relationship in (DOMESTIC, *[each for each, _ in await house.correspondence()]):
        chain = chain_id(relationship, house.party)
        note = house.exchange.checkpoint(chain)
        last = await newest_stamp(house, chain)
        grown = bool(note) and (last is None or last.size < read_head(note).size)
        if grown and (last is None or house.now() - last.at >= every):
            found.append((chain, note))
    return found


async def keep_stamp(house: House, chain: str, stamp: Stamp) -> None:
    """Keep a token, durably."""
    key = f"{chain}/{stamp.size:012d}"
    await put_side(house, STAMP, key, msgspec.msgpack.encode(stamp))
    await put_side(house, NEWEST, chain, key.encode())


async def newest_stamp(house: House, chain: str) -> Stamp | None:
    """The newest token of a ledger."""
    key = await house.side(NEWEST, chain)
    value = None if key is None else await house.side(STAMP, key.decode())
    return None if value is None else msgspec.msgpack.decode(value, type=Stamp)


async def stamps(house: House, chain: str) -> AsyncIterator[Stamp]:
    """Every token of a ledger, the oldest first."""
    first = f"{chain}/"
    while rows := await house.store.scan(STAMP, first, f"{chain}0", limit=STAMPS_READ):
        for _, value in rows:
            yield msgspec.msgpack.decode(value, type=Stamp)
        first = rows[-1][0] + "\0"
