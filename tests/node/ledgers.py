"""A ledger as a house keeps it, of synthetic records, for those who read it over HTTP."""

from __future__ import annotations

import random
from hashlib import sha256

from comity.errors import Unavailable
from comity.flows.keeping.ledgers import OwnLedgers
from comity.flows.keeping.sequencer import TILE, tile_key
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.leaf import record_leaf
from comity.ledger.tree import Frontier, TreeHead
from comity.ports import Batch, Head, JournalEntry, Put
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk
from courier.keys import NOW
from ledger.reference import Key

CHAIN, OTHER = "jp-kr-2016/jp.kr/jp", "domestic/jp"
SECRET = "a" * 32
SIZES = sorted({1, 2, 255, 256, 257, 300, 511, 512, 513, *random.Random(2016).sample(range(3, 2_000), 6)})


class Marked:
    """Stands for the sequencer: how much of each chain may leave."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}

    def marked(self, chain: str) -> Head:
        return Head(self.sizes.get(chain, 0), bytes(32), bytes(32))

    def frontier_at_hand(self, _chain: str) -> None:
        return None


class Ledger:
    """A house's store that has grown to the last of ``SIZES``, of which as much may leave as is marked."""

    def __init__(self) -> None:
        self.store = MemoryStore(MemoryDisk())
        self.marked = Marked()
        self.ledgers = OwnLedgers(self.store, self.marked)  # type: ignore[arg-type]  # all that it asks of it
        self.heads: dict[int, TreeHead] = {}
        self.leaves: list[bytes] = []

    async def grow(self) -> None:
        frontier, before = Frontier(), None
        for size in SIZES:
            entries, leaves = [], []
            for sequence in range(frontier.size, size):
                salt, envelope = sha256(b"salt %d" % sequence).digest(), b"envelope %d" % sequence
                record = sha256(envelope).digest()
                entries.append(JournalEntry(CHAIN, sequence, record, envelope, salt, "changes", "", True, 1, NOW))
                leaves.append(record_leaf(salt, envelope).data)
            frontier, tiles = frontier.append(leaves)
            self.leaves += leaves
            self.heads[size] = frontier.head()
            head = Head(size, bytes(32), frontier.root())
            puts = tuple(Put(TILE, tile_key(CHAIN, tile.id), tile.hashes) for tile in tiles)
            await self.store.commit(Batch(tuple(entries), {CHAIN: head}, puts), {CHAIN: before})
            before = head

    async def checkpoint(self, chain: str) -> bytes:
        size = self.marked.sizes.get(chain, 0)
        if size < 0:
            raise Unavailable("the mark cannot be written now")
        return sign_checkpoint(Checkpoint(f"comity/{chain}", self.heads[size]), Key(1)).encode() if size else b""

    async def reads(self, secret: str) -> tuple[str, ...]:
        return (CHAIN, OTHER) if secret == SECRET else ()
