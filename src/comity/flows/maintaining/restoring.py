"""What a database needs after entries were left out when it was brought back (``spec/backup.md`` step 35).

Everything that follows from a journal is made from what is left of it: rows, tiles and heads. What lies beside them and
speaks of records that are not there any more is left out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from comity.errors import Rejected
from comity.flows.exchanging.exchange import COSIGNED, THEIR_CHECKPOINT
from comity.flows.exchanging.settling import HELD, HeldBack
from comity.flows.exchanging.taking import WAITING
from comity.flows.exchanging.witnessing import read_head
from comity.flows.giving.release import PREPARED
from comity.flows.house import House
from comity.flows.keeping.committed import scan_side
from comity.flows.keeping.erasing import LISTED
from comity.flows.keeping.sequencer import TILE
from comity.flows.maintaining.replaying import Replay
from comity.ports import Batch, Head, Put
from comity.record.encoding import decode
from comity.register.rows import TABLES, RequestRow, encode_row

FOLLOWING = frozenset({*TABLES, TILE})
"""Tables that follow from the journal."""
NEVER = frozenset({LISTED})
"""How much of the list of erased keys a database has carried out: one that was brought back carries out all of it."""


async def make_again(house: House) -> None:
    """Make rows, tiles and heads from the journal of a house that was not started, and drop what is ahead of it.

    Raises:
        Rejected: the journal is damaged; nothing was written.
    """
    replay = Replay(house)
    await replay.run()
    if replay.findings:
        first = replay.findings[0]
        raise Rejected(first.says, code="damaged-journal", place=first.place)

    async def puts() -> AsyncIterator[Put]:
        for (table, key), row in replay.rows.items():
            if row is not None:
                yield Put(table, key, encode_row(row))
        for key, hashes in replay.ledgers.tiles.items():
            yield Put(TILE, key, hashes)

    await house.store.replace_rows(tuple(sorted(FOLLOWING)), puts())
    given = replay.ledgers.heads()
    sizes = {chain: head.size for chain, head in given.items()}
    heads = {chain: Head(head.size, replay.ledgers.last(chain), head.root) for chain, head in given.items()}
    ahead = [Put(table, key, None) for table, key in await _ahead(house, replay, sizes)]
    await house.store.commit(Batch(heads=heads, puts=tuple(ahead)), dict.fromkeys(heads))


async def _ahead(house: House, replay: Replay, sizes: dict[str, int]) -> list[tuple[str, str]]:
    """Side data about records that are not in the journal."""
    found: list[tuple[str, str]] = []
    for table in (COSIGNED, THEIR_CHECKPOINT):
        async for chain, note in scan_side(house.store, table):
            if read_head(note).size > sizes.get(chain, 0):
                found.append((table, chain))
    async for key, record in scan_side(house.store, WAITING):
        if await house.store.find(record) is None:
            found.append((WAITING, key))
    async for key, value in scan_side(house.store, HELD):
        if await house.store.find(decode(value, HeldBack).record) is None:
            found.append((HELD, key))
    async for request, _ in scan_side(house.store, PREPARED):
        if replay.rows.get((RequestRow.table, request)) is None:
            found.append((PREPARED, request))
    return found
