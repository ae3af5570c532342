"""Stores whose reads take their time, and which show what is written to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from comity.ports import Batch, Head, JournalEntry, Put
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk


class DoubleDisk(MemoryDisk):
    """A disk in two parts, for the register and for what is kept of feeds; both die at once."""

    other: DoubleDisk | None = None

    def crash(self, *, unsynced_kept: bool) -> None:
        super().crash(unsynced_kept=unsynced_kept)
        if self.other is not None:
            MemoryDisk.crash(self.other, unsynced_kept=unsynced_kept)


class SlowStore(MemoryStore):
    """A memory store that lets others run before it reads, as a store in a thread or over a network does."""

    def __init__(self, disk: MemoryDisk, turns: Callable[[], int], written: Callable[[Batch], None]) -> None:
        super().__init__(disk)
        self._turns = turns
        self._written = written

    async def commit(self, batch: Batch, expected: Mapping[str, Head | None]) -> int:
        self._written(batch)
        return await super().commit(batch, expected)

    async def heads(self, chains: Sequence[str] | None = None) -> dict[str, Head]:
        await self._wait()
        return await super().heads(chains)

    async def get(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        await self._wait()
        return await super().get(table, keys)

    async def scan(
        self, table: str, first: str = "", before: str | None = None, *, limit: int, newest_first: bool = False
    ) -> list[tuple[str, bytes]]:
        await self._wait()
        return await super().scan(table, first, before, limit=limit, newest_first=newest_first)

    async def journal(self, after: int, limit: int) -> list[JournalEntry]:
        await self._wait()
        return await super().journal(after, limit)

    async def chain(self, chain: str, start: int, limit: int) -> list[JournalEntry]:
        await self._wait()
        return await super().chain(chain, start, limit)

    async def find(self, record: bytes) -> JournalEntry | None:
        await self._wait()
        return await super().find(record)

    async def replace_rows(self, tables: Sequence[str], puts: AsyncIterator[Put]) -> None:
        await self._wait()
        await super().replace_rows(tables, puts)

    async def _wait(self) -> None:
        for _ in range(self._turns()):
            await asyncio.sleep(0)
