"""Where the hashes of a log lie: tiles, their C2SP paths, and entry bundles (tlog-tiles v0.1.0; spec 10-14).

Rules of this file:

- A tile is up to 256 consecutive node hashes of one row of the tree. The C2SP tile of level L is cut from the row at
  height 8L.
- Between two C2SP rows the store keeps one more, at height 8L + 4, under level 64 + L. It costs a sixteenth of the
  space and lets a proof hash at most seven nodes where it would hash 127. C2SP levels end at 63 and paths
  are read no further, so these rows are never served.
- The tile at the right edge is rewritten, wider, until it is full; a reader of an older tree takes its beginning.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Sequence

import msgspec

from comity.errors import Misuse, Rejected
from comity.ledger.canonical import COUNT_MAX, HASH_BYTES, read_decimal

TILE_WIDTH = 256
"""Hashes in a full tile (tlog-tiles, tile height 8)."""

TILE_BYTES = TILE_WIDTH * HASH_BYTES

LEVEL_MAX = 63
"""Highest level a path may name (tlog-tiles)."""

BETWEEN = LEVEL_MAX + 1
"""Added to L to name the row between the levels L and L + 1."""

ROW_HEIGHT = 4
"""Tree levels between two stored rows."""

ROW_LEVELS = tuple(row // 2 + BETWEEN * (row % 2) for row in range(64 // ROW_HEIGHT))
"""The level under which the row at height ``4 * row`` is stored: 0, 64, 1, 65, 2, … (11)."""

ENTRY_BYTES_MAX = 2**16 - 1
"""An entry's length is a uint16 (tlog-tiles); our entries are 32-byte leaf data."""

PATH_CHARACTERS_MAX = 64
"""Longer than the longest path that names an index up to ``COUNT_MAX``."""

_PATH = re.compile(
    r"tile/(?P<level>entries|[0-9]{1,2})/(?P<index>(?:x[0-9]{3}/)*[0-9]{3})(?:\.p/(?P<width>[0-9]+))?", re.ASCII
)


class TileId(msgspec.Struct, frozen=True, order=True):
    """Names one tile at one width.

    Attributes:
        level: C2SP level 0..63, or 64 and up for a row between two levels.
        index: which run of 256 nodes of the row, from 0.
        width: hashes in the tile, 1..256. A stored tile is replaced by a wider one of the same level and index.
    """

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def key(self) -> str:
        """The store's key of this tile: one per level and index, whatever the width; sorts by level, then index."""
        return f"{self.level:03d}/{self.index:019d}"

    @property
    def path(self) -> str:
        """``tile/L/N[.p/W]`` (12).

        Raises:
            Misuse: the row lies between two C2SP levels, which is never served.
        """
        if self.level > LEVEL_MAX:
            raise Misuse(f"level {self.level} is a row between C2SP levels and has no path", code="no-path")
        return f"tile/{self.level}/{_spell(self.index, self.width)}"


class Tile(msgspec.Struct, frozen=True):
    """A tile to be stored under ``id.key``; ``hashes`` are ``id.width`` hashes of 32 bytes, concatenated."""

    id: TileId
    hashes: bytes


class BundleId(msgspec.Struct, frozen=True, order=True):
    """Names the bundle of the entries whose hashes are in the level 0 tile of the same index and width."""

    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """``tile/entries/N[.p/W]`` (12)."""
        return f"tile/entries/{_spell(self.index, self.width)}"


def edge_tiles(size: int) -> tuple[TileId, ...]:
    """The partial tiles of a tree of ``size`` leaves, one or none for each row: what a restart reads (11, 21)."""
    widths = ((row, size >> ROW_HEIGHT * row) for row in range(-(-size.bit_length() // ROW_HEIGHT)))
    return tuple(
        TileId(ROW_LEVELS[row], nodes // TILE_WIDTH, nodes % TILE_WIDTH) for row, nodes in widths if nodes % TILE_WIDTH
    )


def served_tiles(size: int) -> tuple[tuple[int, int], ...]:
    """Full tiles and width of the partial tile (0 for none) of each C2SP level of a tree of ``size`` leaves (13)."""
    return tuple(divmod(size >> 8 * level, TILE_WIDTH) for level in range(-(-size.bit_length() // 8)))


def parse_path(path: str) -> TileId | BundleId:
    """The tile or entry bundle that ``path`` names in its one spelling (12).

    Raises:
        Rejected: ``bad-tile-path``, or ``bad-decimal``.
    """
    match = _PATH.fullmatch(path) if len(path) <= PATH_CHARACTERS_MAX else None
    if match is None:
        raise Rejected(f"{path[:80]!r} is not a path like 'tile/0/x001/234' or 'tile/0/000.p/7'", code="bad-tile-path")
    index = int(match["index"].replace("/", "").replace("x", ""))
    width = TILE_WIDTH if match["width"] is None else read_decimal(match["width"], "tile width")
    named: TileId | BundleId
    if match["level"] == "entries":
        named = BundleId(index, width)
    else:
        named = TileId(read_decimal(match["level"], "tile level"), index, width)
    if (
        not 1 <= width <= TILE_WIDTH
        or index > COUNT_MAX
        or getattr(named, "level", 0) > LEVEL_MAX
        or named.path != path
    ):
        raise Rejected(f"{path!r} is not how this tile is named", code="bad-tile-path")
    return named


def write_bundle(entries: Sequence[bytes]) -> bytes:
    """1 to 256 entries, each behind its length as a big-endian uint16 (14).

    Raises:
        Misuse: too many entries, none, or an entry above 65,535 bytes.
    """
    if not 1 <= len(entries) <= TILE_WIDTH or max(map(len, entries)) > ENTRY_BYTES_MAX:
        raise Misuse(
            f"a bundle holds 1 to {TILE_WIDTH} entries of at most {ENTRY_BYTES_MAX} bytes",
            code="bad-bundle",
        )
    return b"".join([struct.pack(">H", len(entry)) + entry for entry in entries])


def read_bundle(data: bytes, width: int) -> tuple[bytes, ...]:
    """The ``width`` entries of a bundle, which ends with the last of them (14).

    Raises:
        Rejected: ``bad-bundle``: it is cut short, or goes on.
    """
    entries: list[bytes] = []
    offset = 0
    while offset < len(data) and len(entries) < width:
        start = offset + 2
        offset = start + int.from_bytes(data[offset:start], "big")
        entries.append(data[start:offset])
    if len(entries) != width or offset != len(data):
        raise Rejected(f"entry bundle of {len(data)} bytes does not hold exactly {width} entries", code="bad-bundle")
    return tuple(entries)


def _spell(index: int, width: int) -> str:
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:]) + partial
