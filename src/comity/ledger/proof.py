"""Proofs that a leaf is in a log and that one state of a log grew from another (RFC 6962 §2.1, RFC 9162 §2.1.3-4).

Rules of this file:

- A proof is a sequence of hashes; what it proves (index, sizes, roots) always comes from elsewhere.
- Making one reads O(log n) tiles. The tiles can be asked for beforehand (``tiles_for_…``), so that a store is read
  once, asynchronously, and the proof is made from what came back.
- The verifiers follow the numbered steps of RFC 9162 and cite them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from comity.errors import Misuse, Rejected
from comity.ledger.canonical import COUNT_MAX, HASH_BYTES
from comity.ledger.tiles import ROW_HEIGHT, ROW_LEVELS, TILE_WIDTH, TileId
from comity.ledger.tree import EMPTY_ROOT, ReadTile, TreeHead, node_hash, stored_node

PATH_HASHES_MAX = 63
"""A tree of up to 2**63 - 1 leaves is at most so high (tlog-witness has the same bound)."""


Nodes: TypeAlias = list[tuple[int, int]]
"""Perfect subtrees (height, index) from the left, which together make one hash of a proof."""


class Inclusion(msgspec.Struct, frozen=True):
    """Verified: the leaf at ``index`` of the tree ``head`` has the hash ``leaf``."""

    index: int
    leaf: bytes
    head: TreeHead


class Consistency(msgspec.Struct, frozen=True):
    """Verified: the tree ``new`` begins with exactly the leaves of the tree ``old``."""

    old: TreeHead
    new: TreeHead


def tiles_for_inclusion(index: int, size: int) -> tuple[TileId, ...]:
    """The tiles that ``inclusion_path(…, index, size)`` reads, each at the width the tree of ``size`` gives it (30).

    Raises:
        Misuse: ``index`` is not in a tree of ``size`` leaves.
    """
    return _tiles(_inclusion_nodes(index, size), size)


def tiles_for_consistency(old: int, new: int) -> tuple[TileId, ...]:
    """The tiles that ``consistency_path(…, old, new)`` reads (30).

    Raises:
        Misuse: not ``0 <= old <= new``.
    """
    return _tiles(_consistency_nodes(old, new), new)


def inclusion_path(read_tile: ReadTile, index: int, size: int) -> tuple[bytes, ...]:
    """PATH(index, D[size]) of RFC 6962 §2.1.1: sibling hashes, from the leaf's up to the root's child (31).

    Raises:
        Misuse: ``index`` is not in a tree of ``size`` leaves.
        Rejected: ``short-tile``.
    """
    return _hashes(read_tile, _inclusion_nodes(index, size))


def consistency_path(read_tile: ReadTile, old: int, new: int) -> tuple[bytes, ...]:
    """PROOF(old, D[new]) of RFC 6962 §2.1.2; empty when ``old`` is 0 or equal to ``new`` (32).

    Raises:
        Misuse: not ``0 <= old <= new``.
        Rejected: ``short-tile``.
    """
    return _hashes(read_tile, _consistency_nodes(old, new))


def verify_inclusion(leaf: bytes, index: int, head: TreeHead, path: Sequence[bytes]) -> Inclusion:
    """Check ``path`` by RFC 9162 §2.1.3.2 (33).

    Args:
        leaf: the Merkle leaf hash, 32 bytes (``tree.leaf_hash`` of the leaf data).
        index: where the leaf is said to stand, from 0.
        head: a state of the log that is trusted.
        path: the proof.

    Raises:
        Rejected: ``not-included``, ``bad-size``, ``bad-hash`` or ``path-too-long``.
    """
    _check_hashes(leaf, head.root, *path[: PATH_HASHES_MAX + 1])
    if not 0 <= index < head.size <= COUNT_MAX:  # 1
        raise Rejected(f"index {index} is not in a tree of {head.size} leaves", code="bad-size")
    fn, sn = index, head.size - 1  # 2
    root = leaf  # 3
    for sibling in path:  # 4
        if sn == 0:  # 4.a
            raise _not_included(index, head)
        if fn & 1 or fn == sn:  # 4.b
            root = node_hash(sibling, root)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            root = node_hash(root, sibling)
        fn, sn = fn >> 1, sn >> 1  # 4.c
    if sn != 0 or root != head.root:  # 5
        raise _not_included(index, head)
    return Inclusion(index, leaf, head)


def verify_consistency(old: TreeHead, new: TreeHead, path: Sequence[bytes]) -> Consistency:
    """Check ``path`` by RFC 9162 §2.1.4.2; an empty or equal tree needs, and allows, no path (34).

    Raises:
        Rejected: ``inconsistent``, ``bad-size``, ``bad-hash`` or ``path-too-long``.
    """
    _check_hashes(old.root, new.root, *path[: PATH_HASHES_MAX + 1])
    if not 0 <= old.size <= new.size <= COUNT_MAX:
        raise Rejected(f"a log cannot shrink from {old.size} to {new.size} leaves", code="bad-size")
    if old.size in (0, new.size):  # (34): RFC 9162 leaves both cases to the caller
        if path or old.root != (new.root if old.size else EMPTY_ROOT) or (not new.size and new.root != EMPTY_ROOT):
            raise _inconsistent(old, new)
        return Consistency(old, new)
    if not path:  # 1
        raise _inconsistent(old, new)
    if old.size & old.size - 1 == 0:  # 2
        path = (old.root, *path)
    if _folded(old.size, new, path) != old.root:  # 7
        raise _inconsistent(old, new)
    return Consistency(old, new)


def root_within(size: int, new: TreeHead, path: Sequence[bytes]) -> bytes | None:
    """The root over the first ``size`` leaves of ``new``, as a consistency proof from there tells it.

    None where the path does not lead to ``new``, or does not tell it: from a power of two it leaves that root out.
    """
    if not 0 < size < new.size <= COUNT_MAX or size & size - 1 == 0 or not path:
        return None
    _check_hashes(new.root, *path[: PATH_HASHES_MAX + 1])
    return _folded(size, new, path)


def _folded(size: int, new: TreeHead, path: Sequence[bytes]) -> bytes | None:
    """Steps 3 to 7 of RFC 9162 §2.1.4.2: the older root that a path gives; None where it does not lead to ``new``."""
    fn, sn = size - 1, new.size - 1  # 3
    while fn & 1:  # 4
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]  # 5
    for sibling in path[1:]:  # 6
        if sn == 0:  # 6.a
            return None
        if fn & 1 or fn == sn:  # 6.b
            fr, sr = node_hash(sibling, fr), node_hash(sibling, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, sibling)
        fn, sn = fn >> 1, sn >> 1  # 6.c
    return fr if sr == new.root and sn == 0 else None


def _inclusion_nodes(index: int, size: int) -> list[Nodes]:
    """PATH(index, D[size]), from the leaf upwards."""
    if not 0 <= index < size:
        raise Misuse(f"index {index} is not in a tree of {size} leaves", code="bad-size")
    path: list[Nodes] = []
    for height in range((size - 1).bit_length()):
        sibling = index >> height ^ 1
        if (sibling + 1) << height <= size:
            path.append([(height, sibling)])
        elif sibling << height < size:  # else there is none: the right edge rises alone
            path.append(_subtrees(sibling << height, size))
    return path


def _consistency_nodes(old: int, new: int) -> list[Nodes]:
    """PROOF(old, D[new])."""
    if not 0 <= old <= new:
        raise Misuse(f"a log does not grow from {old} to {new} leaves", code="bad-size")
    path: list[Nodes] = []
    low, high = 0, new if old else 0
    while old != high:
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        if old <= middle:
            path.append(_subtrees(middle, high))
            high = middle
        else:
            path.append(_subtrees(low, middle))
            low = middle
    if low:  # the old tree is more than its last subtree, so whoever knows its root does not know this hash
        path.append(_subtrees(low, high))
    path.reverse()
    return path


def _subtrees(low: int, high: int) -> Nodes:
    """The perfect subtrees of the leaves from ``low`` to ``high``; ``low`` is a multiple of the largest one's width."""
    nodes = []
    while low < high:
        height = (high - low).bit_length() - 1
        nodes.append((height, low >> height))
        low += 1 << height
    return nodes


def _hashes(read_tile: ReadTile, path: Sequence[Nodes]) -> tuple[bytes, ...]:
    hashes = []
    for nodes in path:
        root = stored_node(read_tile, *nodes[-1])
        for height, index in nodes[-2::-1]:
            root = node_hash(stored_node(read_tile, height, index), root)
        hashes.append(root)
    return tuple(hashes)


def _tiles(path: Sequence[Nodes], size: int) -> tuple[TileId, ...]:
    tiles = set()
    for nodes in path:
        for height, index in nodes:
            row, rise = divmod(height, ROW_HEIGHT)
            place = (index << rise) // TILE_WIDTH
            width = min(TILE_WIDTH, (size >> row * ROW_HEIGHT) - place * TILE_WIDTH)
            tiles.add(TileId(ROW_LEVELS[row], place, width))
    return tuple(sorted(tiles))


def _check_hashes(*hashes: bytes) -> None:
    if len(hashes) > PATH_HASHES_MAX + 2:  # two of them are not the path
        raise Rejected(f"the proof has more than {PATH_HASHES_MAX} hashes", code="path-too-long")
    for hash_ in hashes:
        if len(hash_) != HASH_BYTES:
            raise Rejected(f"a hash of {len(hash_)} bytes is not SHA-256", code="bad-hash")


def _not_included(index: int, head: TreeHead) -> Rejected:
    return Rejected(
        f"the proof does not lead from this leaf at index {index} to the root of the tree of {head.size} leaves",
        code="not-included",
    )


def _inconsistent(old: TreeHead, new: TreeHead) -> Rejected:
    return Rejected(
        f"the proof does not show that the tree of {new.size} leaves begins with the tree of {old.size} leaves",
        code="inconsistent",
    )
