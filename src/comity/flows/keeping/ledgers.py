"""Own ledgers as tlog-tiles has them: tiles and bundles, as far as they may leave (``spec/witness.md`` step 43)."""

from __future__ import annotations

from comity.errors import Misuse
from comity.flows.keeping.sequencer import TILE, Sequencer, tile_key
from comity.ledger.canonical import HASH_BYTES
from comity.ledger.leaf import record_leaf
from comity.ledger.proof import consistency_path, inclusion_path, tiles_for_consistency, tiles_for_inclusion
from comity.ledger.tiles import ROW_LEVELS, TILE_BYTES, TILE_WIDTH, BundleId, TileId, write_bundle
from comity.ledger.tree import ReadTile
from comity.ports import Store

LOWER_LEVELS = frozenset(ROW_LEVELS[:2])
"""The levels that have nearly all tiles."""
UPPER_TILES_MAX = 1_024
"""Most tiles kept of the upper rows, 8 MiB: a ledger of 10 million records has 162; as in ``committed.py``."""


class OwnLedgers:
    """Reads what the sequencer of one house has written.

    What every proof needs is at hand: the right edge, from the sequencer, and the full tiles of the upper rows, which
    never change. So a proof reads two tiles of a ledger of any length (``spec/ledger.md`` step 30).
    """

    def __init__(self, store: Store, sequencer: Sequencer) -> None:
        self._store = store
        self._sequencer = sequencer
        self._upper: dict[str, bytes] = {}

    async def tile(self, chain: str, tile: TileId) -> bytes:
        """The hashes of a tile.

        Raises:
            Misuse: ``unknown-tile``: there is none of that width, or it is not under the mark yet.
        """
        self._check(chain, tile.path, tile.index, tile.width, self._sequencer.marked(chain).size >> 8 * tile.level)
        value = (await self._store.get(TILE, [tile_key(chain, tile)]))[0] or b""
        return value[: tile.width * HASH_BYTES]

    async def bundle(self, chain: str, bundle: BundleId) -> bytes:
        """The leaf data under a tile of level 0.

        Raises:
            Misuse: as ``tile``.
        """
        self._check(chain, bundle.path, bundle.index, bundle.width, self._sequencer.marked(chain).size)
        entries = await self._store.chain(chain, bundle.index * TILE_WIDTH, bundle.width)
        return write_bundle([record_leaf(entry.salt, entry.envelope).data for entry in entries])

    async def consistency(self, chain: str, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that a ledger of ``new`` leaves began with ``old`` of them."""
        return consistency_path(await self._read(chain, tiles_for_consistency(old, new)), old, new)

    async def inclusion(self, chain: str, index: int, size: int) -> tuple[bytes, ...]:
        """The proof that the leaf at ``index`` is in the ledger of ``size`` leaves."""
        return inclusion_path(await self._read(chain, tiles_for_inclusion(index, size)), index, size)

    async def _read(self, chain: str, tiles: tuple[TileId, ...]) -> ReadTile:
        frontier = self._sequencer.frontier_at_hand(chain)
        found: dict[tuple[int, int], bytes] = {}
        absent: list[tuple[TileId, str]] = []
        for tile in tiles:
            key = tile_key(chain, tile)
            hashes = self._upper.get(key) or (frontier.edge(tile.level, tile.index) if frontier is not None else b"")
            if hashes:
                found[tile.level, tile.index] = hashes
            else:
                absent.append((tile, key))
        values = await self._store.get(TILE, [key for _, key in absent])
        for (tile, key), value in zip(absent, values, strict=True):
            found[tile.level, tile.index] = hashes = value or b""
            if tile.level not in LOWER_LEVELS and len(hashes) == TILE_BYTES:
                if len(self._upper) >= UPPER_TILES_MAX:
                    self._upper.clear()
                self._upper[key] = hashes
        return lambda level, index: found.get((level, index), b"")

    @staticmethod
    def _check(chain: str, path: str, index: int, width: int, nodes: int) -> None:
        if index * TILE_WIDTH + width > nodes:
            raise Misuse(f"there is no tile {path!r} of {chain!r}", code="unknown-tile")
