"""A client that knows the text of tlog-tiles and RFC 6962, and nothing of Comity."""

from __future__ import annotations

import base64
from collections.abc import Callable
from hashlib import sha256

from ledger.reference import split

Fetch = Callable[[str], bytes]
"""What is at a path below the prefix; raises ``LookupError`` where there is nothing."""


def spelt(index: int) -> str:
    """An index in groups of three digits, all but the last behind an x."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03d}")
    return "/".join(groups)


class Stranger:
    """Reads a log of which it has a checkpoint."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._tiles: dict[str, bytes] = {}

    def checkpoint(self) -> tuple[str, int, bytes]:
        """Origin, size and root."""
        origin, size, root = self._fetch("checkpoint").decode().split("\n")[:3]
        return origin, int(size), base64.b64decode(root)

    def tile(self, level: int, index: int, size: int) -> bytes:
        """A tile as wide as the tree of ``size`` leaves makes it."""
        nodes = size // 256**level
        width = 256 if (index + 1) * 256 <= nodes else nodes % 256
        path = f"tile/{level}/{spelt(index)}" + ("" if width == 256 else f".p/{width}")
        if path not in self._tiles:
            self._tiles[path] = self._fetch(path)
            assert len(self._tiles[path]) == 32 * width
        return self._tiles[path]

    def entries(self, index: int, width: int) -> list[bytes]:
        """The entries of a bundle."""
        data = self._fetch(f"tile/entries/{spelt(index)}" + ("" if width == 256 else f".p/{width}"))
        found, at = [], 0
        while at < len(data):
            length = int.from_bytes(data[at : at + 2], "big")
            found.append(data[at + 2 : at + 2 + length])
            at += 2 + length
        assert len(found) == width
        return found

    def node(self, start: int, end: int, size: int) -> bytes:
        """MTH(D[start:end]) of RFC 6962, from tiles: a perfect subtree is read where a tile has it."""
        count = end - start
        level = 0
        while count % 256 == 0 and count > 1 and count & (count - 1) == 0 and 256 ** (level + 1) <= count:
            level += 1
        if count == 256**level:
            place = start // count
            tile = self.tile(level, place // 256, size)
            return tile[place % 256 * 32 :][:32]
        middle = start + split(count)
        return sha256(b"\x01" + self.node(start, middle, size) + self.node(middle, end, size)).digest()

    def root(self, size: int) -> bytes:
        """The root of the first ``size`` leaves."""
        return self.node(0, size, size) if size else sha256().digest()

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """PATH(index, D[size])."""

        def path(index: int, start: int, end: int) -> list[bytes]:
            if end - start == 1:
                return []
            middle = start + split(end - start)
            if index < middle:
                return [*path(index, start, middle), self.node(middle, end, size)]
            return [*path(index, middle, end), self.node(start, middle, size)]

        return path(index, 0, size)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """PROOF(old, D[size])."""

        def subproof(old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
            if old == end:
                return [] if whole else [self.node(start, end, size)]
            middle = start + split(end - start)
            if old <= middle:
                return [*subproof(old, start, middle, whole=whole), self.node(middle, end, size)]
            return [*subproof(old, middle, end, whole=False), self.node(start, middle, size)]

        return subproof(old, 0, size, whole=True) if 0 < old < size else []
