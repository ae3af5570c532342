"""The index of the register: what a surface looks up instead of counting through (``spec/index.md``).

Derived, and never a source: whatever happens to it, it is made again. To an adapter, keys and names are words.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec


class Place(msgspec.Struct, frozen=True):
    """Where an entry stands: entries are in the order of their instants, and at one instant of their keys."""

    at: datetime
    key: str


class Entry(msgspec.Struct, frozen=True):
    """Something that can be found.

    Attributes:
        key: what it is; one entry has it.
        at: aware UTC; the years 1970 to 9999.
        names: under what it stands, without U+0000; those of an entry that is read are not given back.
        about: what whoever wrote it keeps about it.
    """

    key: str
    at: datetime
    names: tuple[str, ...]
    about: bytes

    @property
    def place(self) -> Place:
        """Where it stands."""
        return Place(self.at, self.key)


class Watermark(msgspec.Struct, frozen=True):
    """How much of the journal is taken up: so many entries, of which the last is about this record."""

    entries: int
    last: bytes


class Index(Protocol):
    """Entries by name and instant. One process has it; calls may come at any time and are taken in turn.

    Every method raises ``Unavailable`` (``index-lost``) where the file was damaged, or could not be scrubbed: it is
    empty then, and has no watermark. ``DiskFull`` means that nothing was changed.
    """

    async def watermark(self) -> Watermark | None:
        """How far it has come; None where it is empty, was never finished, or is of another version."""
        ...

    async def change(
        self,
        entries: Sequence[Entry],
        gone: Sequence[str] = (),
        watermark: Watermark | None = None,
        *,
        scrub: bool = False,
    ) -> None:
        """Write entries in the place of those with the same keys, remove those of ``gone``, and note how far it is.

        All of it or nothing, but not durable on return: after a loss of power it may be as it was before. With
        ``scrub`` nothing of whatever was removed, now or before, is left in any file on return; where that fails,
        the index is empty and its files are deleted.
        """
        ...

    async def get(self, keys: Sequence[str]) -> list[Entry | None]:
        """The entries with these keys, in the order asked."""
        ...

    async def walk(
        self, names: Sequence[str], *, limit: int, beyond: Place | None = None, oldest_first: bool = False
    ) -> list[Entry]:
        """Up to ``limit`` entries that stand under any of these names, each once, the last first.

        Args:
            names: under which; those that nothing stands under are passed over.
            limit: how many.
            beyond: only what comes after this place in the order of the walk, whether or not anything stands there.
            oldest_first: the whole order the other way round.
        """
        ...

    async def newest(self, names: Sequence[str]) -> list[Entry | None]:
        """The newest entry under each of these names."""
        ...

    async def count(self, names: Sequence[str], *, limit: int, before: datetime | None = None) -> int:
        """How many entries stand under any of these names, of those before an instant; no more than ``limit``."""
        ...

    async def names(self, ranges: Sequence[tuple[str, str]], limit: int) -> list[tuple[str, int]]:
        """Up to ``limit`` names with ``first <= name < before`` for any of these, and how many entries each has."""
        ...

    async def clear(self) -> None:
        """Forget everything."""
        ...

    async def close(self) -> None:
        """Release files and threads. Idempotent."""
        ...
