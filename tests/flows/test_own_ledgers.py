"""Proofs from the store: the same whatever is at hand, and few tiles are read (``spec/ledger.md`` step 30)."""

from __future__ import annotations

import random
from collections.abc import Sequence
from hashlib import sha256

import pytest

from comity.flows.keeping.ledgers import OwnLedgers
from comity.flows.keeping.sequencer import TILE, tile_key
from comity.ledger.proof import verify_consistency, verify_inclusion
from comity.ledger.tiles import ROW_LEVELS, TileId
from comity.ledger.tree import Frontier, TreeHead
from comity.ports import Batch, Put
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk

CHAIN = "domestic/jp"
SIZE, OLDER = 140_321, 70_001
"""Long enough that rows above the lowest two have full tiles."""


class CountingStore(MemoryStore):
    """Counts the tiles that are read."""

    read = 0

    async def get(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        self.read += len(keys)
        return await super().get(table, keys)


class AtHand:
    """Stands for the sequencer: the frontier that it has in memory, if it has one."""

    def __init__(self, frontier: Frontier | None) -> None:
        self.frontier = frontier

    def frontier_at_hand(self, _chain: str) -> Frontier | None:
        return self.frontier


class Grown:
    """A ledger in a store, and what it was before."""

    def __init__(self) -> None:
        self.store = CountingStore(MemoryDisk())
        self.leaves = [sha256(b"leaf %d" % number).digest() for number in range(SIZE)]
        older, tiles = Frontier().append_hashes(self.leaves[:OLDER])
        self.older: TreeHead = older.head()
        self.frontier, more = older.append_hashes(self.leaves[OLDER:])
        self.puts = tuple(Put(TILE, tile_key(CHAIN, tile.id), tile.hashes) for tile in (*tiles, *more))


@pytest.fixture(scope="module")
def built() -> Grown:
    return Grown()


@pytest.fixture
async def grown(built: Grown) -> Grown:
    built.store = CountingStore(MemoryDisk())
    await built.store.commit(Batch(puts=built.puts), {})
    return built


@pytest.mark.parametrize("started", [False, True])
async def test_proofs_verify_whatever_is_at_hand(grown: Grown, started: bool) -> None:
    ledgers = OwnLedgers(grown.store, AtHand(grown.frontier if started else None))  # type: ignore[arg-type]  # all it asks
    chance = random.Random(30)
    now = grown.frontier.head()
    for head in (now, grown.older):  # an older one as well: the edge at hand is that of a longer ledger
        for index in [0, head.size - 1, *(chance.randrange(head.size) for _ in range(50))]:
            verify_inclusion(grown.leaves[index], index, head, await ledgers.inclusion(CHAIN, index, head.size))
    verify_consistency(grown.older, now, await ledgers.consistency(CHAIN, OLDER, SIZE))


async def test_a_proof_reads_two_tiles_of_a_ledger_of_any_length(grown: Grown) -> None:
    ledgers = OwnLedgers(grown.store, AtHand(grown.frontier))  # type: ignore[arg-type]  # all it asks
    for index in range(0, SIZE, 65_536):
        await ledgers.inclusion(CHAIN, index, SIZE)  # what is kept from now on
    for index in range(99, SIZE, 1_003):
        before = grown.store.read
        await ledgers.inclusion(CHAIN, index, SIZE)
        assert grown.store.read - before <= 2


async def test_what_is_kept_is_bounded(grown: Grown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("comity.flows.keeping.ledgers.UPPER_TILES_MAX", 1)
    ledgers = OwnLedgers(grown.store, AtHand(None))  # type: ignore[arg-type]  # all it asks
    for index in (0, SIZE - 1, 70_000):
        verify_inclusion(grown.leaves[index], index, grown.frontier.head(), await ledgers.inclusion(CHAIN, index, SIZE))
    assert len(ledgers._upper) == 1


def test_the_edge_is_the_stored_partial_tile() -> None:
    frontier, tiles = Frontier().append_hashes([sha256(b"%d" % number).digest() for number in range(70_000)])
    stored = {(tile.id.level, tile.id.index): tile.hashes for tile in tiles}
    for row in range(len(frontier.edges)):
        level, index = ROW_LEVELS[row], (70_000 >> 4 * row) // 256
        assert frontier.edge(level, index) == stored.get((level, index), b"")
        assert frontier.edge(level, index + 1) == b""
    assert frontier.edge(ROW_LEVELS[len(frontier.edges)], 0) == b""
    assert TileId(0, 0).width * 32 == len(stored[0, 0])
