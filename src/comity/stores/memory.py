"""A store, blobs and a high-water mark in memory, answering exactly as those on a disk do.

Rules of this file (``spec/store.md`` steps 40 to 44): everything kept is kept on a ``MemoryDisk``, which decides what
fails and what survives; these classes hold nothing that a crash may not take.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import msgspec

from comity.errors import Misuse, Unavailable
from comity.ports import Ambiguous, Batch, Head, JournalEntry, Put, RestoredFrom
from comity.stores.batch import check_batch, check_head, check_limit, check_replacement
from comity.stores.blobs import DIGEST_BYTES, check_digest, check_piece, no_blob, wrong_digest
from comity.stores.memory_disk import Database, MemoryDisk, OnMemoryDisk, WritePoint

TEMPORARY = "temporary/"
MARK, NOTE = "high-water-mark", "restored"
"""Under which names a torn write leaves its part; the first are emptied at every start."""


class MemoryStore(OnMemoryDisk):
    """A ``ports.Store`` on a ``MemoryDisk``."""

    def __init__(self, disk: MemoryDisk) -> None:
        super().__init__(disk)
        self._unsettled = False
        self._closed = False

    async def commit(self, batch: Batch, expected: Mapping[str, Head | None]) -> int:
        """See ``ports.Store.commit``."""
        check_batch(batch, expected)
        async with self._disk.turn:
            self._check_settled()
            database = self._database()
            for chain, head in expected.items():
                check_head(chain, head, database.heads.get(chain))
            extending = [(entry.chain, entry.sequence) for entry in batch.entries if entry.extends]
            if len(set(extending)) < len(extending) or any(
                sequence in database.chains.get(chain, ()) for chain, sequence in extending
            ):
                raise Misuse(
                    "the batch extends a chain at a sequence number that is taken; nothing was written",
                    code="sequence-taken",
                )
            await self._write_or_unsettle(WritePoint.COMMIT, lambda: database.apply(batch))
            return len(database.entries)

    async def heads(self, chains: Sequence[str] | None = None) -> dict[str, Head]:
        """See ``ports.Store.heads``."""
        heads = self._database().heads
        self._unsettled = False
        return {chain: heads[chain] for chain in (heads if chains is None else chains) if chain in heads}

    async def get(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        """See ``ports.Store.get``."""
        rows = self._database().rows.get(table, {})
        return [rows.get(key) for key in keys]

    async def scan(
        self,
        table: str,
        first: str = "",
        before: str | None = None,
        *,
        limit: int,
        newest_first: bool = False,
    ) -> list[tuple[str, bytes]]:
        """See ``ports.Store.scan``."""
        check_limit(limit)
        database = self._database()
        rows, keys = database.rows.get(table, {}), database.keys.get(table, [])
        start, stop = bisect_left(keys, first), len(keys) if before is None else bisect_left(keys, before)
        found = keys[start:stop]  # code points order as their UTF-8 bytes do
        return [(key, rows[key]) for key in (found[::-1] if newest_first else found)[:limit]]

    async def journal(self, after: int, limit: int) -> list[JournalEntry]:
        """See ``ports.Store.journal``."""
        check_limit(limit)
        return self._database().entries[after : after + limit]

    async def chain(self, chain: str, start: int, limit: int) -> list[JournalEntry]:
        """See ``ports.Store.chain``."""
        check_limit(limit)
        found = self._database().chains.get(chain, {})
        return [found[sequence] for sequence in sorted(found) if sequence >= start][:limit]

    async def find(self, record: bytes) -> JournalEntry | None:
        """See ``ports.Store.find``."""
        return self._database().newest.get(record)

    async def replace_rows(self, tables: Sequence[str], puts: AsyncIterator[Put]) -> None:
        """See ``ports.Store.replace_rows``."""
        async with self._disk.turn:
            self._check_settled()
            rows = [put async for put in puts]
            check_replacement(tables, rows)
            database = self._database()
            await self._write_or_unsettle(WritePoint.REPLACE_ROWS, lambda: database.replace(tables, rows))

    async def close(self) -> None:
        """See ``ports.Store.close``."""
        self._closed = True

    def _database(self) -> Database:
        self._check_alive()
        if self._closed:
            raise Misuse("the store is closed; open it again", code="store-closed")
        return self._disk.database

    def _check_settled(self) -> None:
        if self._unsettled:
            raise Unavailable(
                "the outcome of an earlier commit is unknown, so nothing was written; read the heads first",
                code="unsettled",
            )

    async def _write_or_unsettle(self, point: WritePoint, change: Callable[[], None]) -> None:
        try:
            await self._write(point, change)
        except Ambiguous:
            self._unsettled = True
            raise


class MemoryBlobs(OnMemoryDisk):
    """``ports.Blobs`` on a ``MemoryDisk``."""

    def __init__(self, disk: MemoryDisk) -> None:
        super().__init__(disk)
        self._known: set[bytes] = set()  # uploads that this life has written or compared
        disk.partial = {name: left for name, left in disk.partial.items() if not name.startswith(TEMPORARY)}

    async def put_many(self, blobs: Mapping[bytes, bytes]) -> None:
        """See ``ports.Blobs.put_many``."""
        for digest in blobs:
            check_digest(digest)
        wrong = [digest for digest, content in blobs.items() if hashlib.sha256(content).digest() != digest]
        for digest, content in blobs.items():
            if digest not in wrong:
                put = partial(self._disk.blobs.__setitem__, digest, content)
                await self._write(
                    WritePoint.PUT_BLOB, put, partial(self._disk.leave, TEMPORARY + digest.hex(), content)
                )
        if wrong:
            raise wrong_digest(wrong[0])

    async def received(self, digest: bytes) -> int:
        """See ``ports.Blobs.received``."""
        blob, upload = self._blob(digest), self._disk.uploads.get(digest, b"")
        if blob is None and upload and digest not in self._known:  # (35) what a crash left
            self._known.add(digest)
            if hashlib.sha256(upload).digest() == digest:
                self._finish(digest, upload)
                return len(upload)
            self._disk.uploads[digest] = upload = upload[:-1]
        return len(upload if blob is None else blob)

    async def append(self, digest: bytes, offset: int, piece: bytes, size: int) -> int:
        """See ``ports.Blobs.append``."""
        async with self._disk.turn:
            standing = await self.received(digest)
            check_piece(digest, standing, offset, len(piece), size)
            if digest in self._disk.blobs:
                return standing
            before = self._disk.uploads.get(digest, b"")
            whole = before + piece
            if len(whole) < size:
                change = partial(self._disk.uploads.__setitem__, digest, whole)
            elif hashlib.sha256(whole).digest() == digest:
                change = partial(self._finish, digest, whole)
            else:
                change = partial(self._forget, digest)
            await self._write(WritePoint.APPEND_BLOB, change, partial(self._tear_piece, digest, before, piece))
            self._known.add(digest)
            if len(whole) == size and digest not in self._disk.blobs:
                raise wrong_digest(digest)
            return len(whole)

    @asynccontextmanager
    async def open(self, digest: bytes) -> AsyncIterator[BinaryIO]:
        """See ``ports.Blobs.open``."""
        blob = self._blob(digest)
        if blob is None:
            raise no_blob(digest)
        yield BytesIO(blob)

    async def size(self, digest: bytes) -> int | None:
        """See ``ports.Blobs.size``."""
        blob = self._blob(digest)
        return None if blob is None else len(blob)

    async def adopt(self, digest: bytes, path: str) -> None:
        """See ``ports.Blobs.adopt``."""
        await self._write(WritePoint.ADOPT_BLOB, partial(self._take_over, digest, Path(path)))

    async def all(self) -> list[bytes]:
        """See ``ports.Blobs.all``."""
        self._check_alive()
        return list(self._disk.blobs)

    async def unfinished(self) -> list[bytes]:
        """See ``ports.Blobs.unfinished``."""
        self._check_alive()
        return list(self._disk.uploads)

    async def delete(self, digest: bytes) -> None:
        """See ``ports.Blobs.delete``."""
        check_digest(digest)
        await self._write(WritePoint.DELETE_BLOB, partial(self._forget, digest))

    def _blob(self, digest: bytes) -> bytes | None:
        self._check_alive()
        check_digest(digest)
        return self._disk.blobs.get(digest)

    def _tear_piece(self, digest: bytes, before: bytes, piece: bytes) -> None:
        self._disk.uploads[digest] = before + self._disk.tear(piece)

    def _finish(self, digest: bytes, whole: bytes) -> None:
        self._disk.uploads.pop(digest, None)
        self._disk.blobs[digest] = whole

    def _take_over(self, digest: bytes, path: Path) -> None:
        self._finish(digest, path.read_bytes())
        path.unlink()

    def _forget(self, digest: bytes) -> None:
        self._disk.uploads.pop(digest, None)
        self._disk.blobs.pop(digest, None)


class MemoryHighWaterMark(OnMemoryDisk):
    """A ``ports.HighWaterMark`` on a ``MemoryDisk``."""

    async def read(self) -> dict[str, int]:
        """See ``ports.HighWaterMark.read``."""
        self._check_alive()
        return dict(self._disk.sizes)

    async def write(self, sizes: Mapping[str, int]) -> None:
        """See ``ports.HighWaterMark.write``."""
        torn = partial(self._disk.leave, MARK, msgspec.json.encode(sizes))
        await self._write(WritePoint.WRITE_MARK, partial(self._disk.raise_sizes, dict(sizes)), torn)


class MemoryErasedKeys(OnMemoryDisk):
    """A ``ports.ErasedKeys`` on a ``MemoryDisk``."""

    async def count(self) -> int:
        """See ``ports.ErasedKeys.count``."""
        self._check_alive()
        return len(self._disk.erased)

    async def read(self) -> list[bytes]:
        """See ``ports.ErasedKeys.read``."""
        self._check_alive()
        return list(self._disk.erased)

    async def add(self, digests: Sequence[bytes]) -> None:
        """See ``ports.ErasedKeys.add``."""
        added = list(digests)
        await self._write(WritePoint.ADD_ERASED, partial(self._disk.erased.extend, added), partial(self._tear, added))

    def _tear(self, added: list[bytes]) -> None:
        """What is whole of the lines that a crash left; the rest of one is cut off before the next is added."""
        self._disk.erased += added[: len(self._disk.tear(b"".join(added))) // DIGEST_BYTES]


class MemoryRestoration(OnMemoryDisk):
    """A ``ports.Restoration`` on a ``MemoryDisk``."""

    async def read(self) -> RestoredFrom | None:
        """See ``ports.Restoration.read``."""
        self._check_alive()
        return self._disk.restored

    async def write(self, restored: RestoredFrom) -> None:
        """See ``ports.Restoration.write``."""
        torn = partial(self._disk.leave, NOTE, msgspec.json.encode(restored))
        await self._write(WritePoint.WRITE_RESTORED, partial(self._disk.set_restored, restored), torn)

    async def clear(self) -> None:
        """See ``ports.Restoration.clear``."""
        await self._write(WritePoint.WRITE_RESTORED, partial(self._disk.set_restored, None))
