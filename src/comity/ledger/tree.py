"""The append-only tree: RFC 6962 hashing, and a log that grows holding only its right edge (spec 3-6, 15, 20-22).

Rules of this file:

- A ``Frontier`` is a value. Appending gives a new one and the tiles to store; if the commit fails the old one still
  stands, so nothing has to be undone.
- Appending n leaves hashes at most 2n + log2(size) nodes and reads nothing.
- A mirror is a frontier too: append the author's leaves, compare the root with the author's checkpoint.

>>> frontier, tiles = Frontier().append([b"first leaf data", b"second"])
>>> frontier.size, [tile.id.path for tile in tiles]
(2, ['tile/0/000.p/2'])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import TypeAlias

import msgspec

from comity.errors import Rejected, invariant
from comity.ledger.canonical import COUNT_MAX, HASH_BYTES
from comity.ledger.tiles import ROW_HEIGHT, ROW_LEVELS, TILE_BYTES, TILE_WIDTH, Tile, TileId, edge_tiles

LEAF = b"\x00"
NODE = b"\x01"

EMPTY_ROOT = sha256(b"").digest()
"""Root of the tree without leaves (3)."""

ReadTile: TypeAlias = Callable[[int, int], bytes]
"""``read_tile(level, index)``: the stored hashes of that tile, at least as many as the tree asked about has.

It may be called several times for one tile: where reading costs, read what ``edge_tiles`` or ``proof.tiles_for_…``
names first, at once, and hand in a look-up.
"""


class TreeHead(msgspec.Struct, frozen=True):
    """A state of a log: ``root`` (32 bytes) of the tree of its first ``size`` leaves."""

    size: int
    root: bytes


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 ‖ entry) (4)."""
    return sha256(LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 ‖ left ‖ right) (5)."""
    return sha256(NODE + left + right).digest()


def stored_node(read_tile: ReadTile, height: int, index: int) -> bytes:
    """Root of the perfect subtree over leaves ``index << height`` to ``(index + 1) << height`` (15).

    Raises:
        Rejected: ``short-tile``: the store's tile does not reach so far.
    """
    level, rise = ROW_LEVELS[height // ROW_HEIGHT], height % ROW_HEIGHT
    first, length = index << rise, HASH_BYTES << rise
    offset = first % TILE_WIDTH * HASH_BYTES
    hashes = read_tile(level, first // TILE_WIDTH)[offset : offset + length]
    if len(hashes) != length:
        raise _short_tile(level, first // TILE_WIDTH, offset + length)
    return _fold(hashes, rise) if rise else hashes


def _fold(hashes: bytes, rise: int) -> bytes:
    """Root of the perfect subtree of height ``rise`` (1 or more) over ``hashes``."""
    if rise == 1:
        return sha256(NODE + hashes).digest()
    half = HASH_BYTES << rise - 1
    return sha256(NODE + _fold(hashes[:half], rise - 1) + _fold(hashes[half:], rise - 1)).digest()


def _fold_groups(hashes: bytes) -> bytes:
    """The hashes of the next stored row over those of one, as far as they are complete."""
    span = HASH_BYTES << ROW_HEIGHT
    ends = range(span, len(hashes) + 1, span)
    return b"".join([_fold(hashes[end - span : end], ROW_HEIGHT) for end in ends])


class Frontier(msgspec.Struct, frozen=True):
    """The right edge of a log: all that is needed to append.

    Attributes:
        size: number of leaves.
        peaks: roots of the perfect subtrees that wait for their siblings, from the right: one for each bit set in
            ``size``, the lowest first.
        edges: by row, the hashes of the partial tile at the right edge; empty bytes where it has just been filled.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()
    edges: tuple[bytes, ...] = ()

    @classmethod
    def restore(cls, head: TreeHead, read_tile: ReadTile) -> Frontier:
        """The frontier of a stored log at ``head``, reading only the tiles that ``edge_tiles(head.size)`` names (21).

        Every hash that a later append would write again is checked up to the root.

        Raises:
            Rejected: ``short-tile``, or ``wrong-root`` when the tiles do not give the root of ``head``.
        """
        size = head.size
        edges = [b""] * -(-size.bit_length() // ROW_HEIGHT)
        for tile in edge_tiles(size):
            end = tile.width * HASH_BYTES
            edges[ROW_LEVELS.index(tile.level)] = edge = read_tile(tile.level, tile.index)[:end]
            if len(edge) != end:
                raise _short_tile(tile.level, tile.index, end)
        frontier = cls(size, cls.peaked(size, read_tile).peaks, tuple(edges))
        agree = all(upper.endswith(_fold_groups(lower)) for lower, upper in pairwise(edges))
        if not agree or frontier.root() != head.root:
            raise Rejected(
                f"the stored tiles do not give the root recorded at size {size}; rebuild them from the journal",
                code="wrong-root",
            )
        return frontier

    @classmethod
    def peaked(cls, size: int, read_tile: ReadTile) -> Frontier:
        """The roots at an older size of a stored log, from the tiles that ``edge_tiles(size)`` names; without edges.

        It has a root, and nothing can be appended to it. Nothing is checked.

        Raises:
            Rejected: ``short-tile``.
        """
        heights = [height for height in range(size.bit_length()) if size >> height & 1]
        return cls(size, tuple(stored_node(read_tile, height, (size >> height) - 1) for height in heights))

    def edge(self, level: int, index: int) -> bytes:
        """The partial tile at the right edge under that level and index; empty where another tile, or none, is."""
        row = ROW_LEVELS.index(level)
        at_edge = row < len(self.edges) and (self.size >> ROW_HEIGHT * row) // TILE_WIDTH == index
        return self.edges[row] if at_edge else b""

    def root(self) -> bytes:
        """MTH of all leaves: the peaks folded from the right (6)."""
        if not self.peaks:
            return EMPTY_ROOT
        root, *lefts = self.peaks
        for left in lefts:
            root = sha256(NODE + left + root).digest()
        return root

    def head(self) -> TreeHead:
        """Size and root together."""
        return TreeHead(self.size, self.root())

    def append(self, entries: Sequence[bytes]) -> tuple[Frontier, tuple[Tile, ...]]:
        """The log with ``entries`` (leaf data, not hashes) at its end, and every tile that grew (20).

        Returns:
            The new frontier, and the tiles to store, of which at most one in each row replaces a narrower one.
        """
        return self.append_hashes([sha256(LEAF + entry).digest() for entry in entries])  # (4)

    def append_hashes(self, leaves: Sequence[bytes]) -> tuple[Frontier, tuple[Tile, ...]]:
        """The same, of leaves whose hashes are known already."""
        size, digest, count = self.size, sha256, len(leaves)
        invariant(size + count <= COUNT_MAX, "a log does not outgrow its size field")
        peaks: list[bytes] = []
        edges: list[bytes] = []
        tiles: list[Tile] = []
        nodes = list(leaves)
        height = joined = 0
        while nodes:
            if not height % ROW_HEIGHT:
                row = height // ROW_HEIGHT
                edge = self.edges[row] if row < len(self.edges) else b""
                edges.append(_lay(ROW_LEVELS[row], (size >> height) // TILE_WIDTH, edge, nodes, tiles))
            if size >> height & 1:
                nodes.insert(0, self.peaks[joined])
                joined += 1
            if len(nodes) % 2:
                peaks.append(nodes.pop())
                if not nodes:
                    break
            each = iter(nodes)
            nodes = [digest(NODE + left + right).digest() for left, right in zip(each, each, strict=True)]  # (5)
            height += 1
        frontier = Frontier(size + count, (*peaks, *self.peaks[joined:]), (*edges, *self.edges[len(edges) :]))
        return frontier, tuple(tiles)


def _lay(level: int, index: int, edge: bytes, nodes: list[bytes], tiles: list[Tile]) -> bytes:
    """Put ``nodes`` behind ``edge``, hand out the tiles this makes, and return the new edge."""
    hashes = edge + b"".join(nodes)
    for offset in range(0, len(hashes), TILE_BYTES):
        tile = hashes[offset : offset + TILE_BYTES]
        tiles.append(Tile(TileId(level, index, len(tile) // HASH_BYTES), tile))
        index += 1
    return tile if len(tile) < TILE_BYTES else b""


def _short_tile(level: int, index: int, end: int) -> Rejected:
    return Rejected(
        f"stored tile {index} of level {level} ends before byte {end}; rebuild it from the journal", code="short-tile"
    )
