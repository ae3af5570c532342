"""Shelves: what the console keeps of its own, one kind of thing to a table of its store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, TypeVar

import msgspec

from comity.errors import Unavailable
from comity.ports import Batch, Put, Store

T = TypeVar("T", bound=msgspec.Struct)
SCAN_ROWS = 500


class Shelf(Generic[T]):
    """One table of the console's store.

    The data folder has one process, so that whoever reads, decides and writes holds a lock of this process meanwhile.

    Args:
        store: the console's own.
        table: its name there.
        kind: what lies on it; new fields come at its end, with a default.
    """

    def __init__(self, store: Store, table: str, kind: type[T]) -> None:
        self._store = store
        self._table = table
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(kind).decode

    async def get(self, key: str) -> T | None:
        """What lies under a key."""
        (value,) = await self._store.get(self._table, [key])
        return None if value is None else self._decode(value)

    async def put(self, key: str, thing: T | None) -> None:
        """Lay something under a key, or take away what lies there; durable on return."""
        await self.put_all({key: thing})

    async def put_all(self, things: Mapping[str, T | None]) -> None:
        """The same for several keys, all of it or nothing.

        Where nobody knows whether it was written, the store finds out, and it is written again: twice is the same.
        """
        puts = [Put(self._table, key, None if each is None else self._encode(each)) for key, each in things.items()]
        if not puts:
            return
        batch = Batch(puts=tuple(puts))
        try:
            await self._store.commit(batch, {})
        except Unavailable:
            await self._store.heads(())
            await self._store.commit(batch, {})

    async def scan(
        self, first: str = "", before: str | None = None, *, limit: int = SCAN_ROWS, newest_first: bool = False
    ) -> list[tuple[str, T]]:
        """What lies from one key to before another, in their order or its reverse."""
        found = await self._store.scan(self._table, first, before, limit=limit, newest_first=newest_first)
        return [(key, self._decode(value)) for key, value in found]

    async def all(self, prefix: str = "") -> dict[str, T]:
        """Whatever lies under keys that begin with a prefix."""
        found: dict[str, T] = {}
        first, before = prefix, prefix + "\U0010ffff"
        while page := await self.scan(first, before):
            found.update(page)
            first = page[-1][0] + "\0"
        return found
