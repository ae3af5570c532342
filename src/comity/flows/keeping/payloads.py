"""Sealed payloads between their sealing and their sending: kept together, and at hand.

Callers that seal at the same moment share one round of writing and syncing. What was sealed a moment ago is about to be
sent, so it need not be read back from the disk.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from comity.ports import Blobs

AT_HAND_BYTES_MAX = 32 * 1024 * 1024
"""Most bytes of payloads kept in memory; the oldest go first."""
_Waiting = tuple[bytes, bytes, asyncio.Future[None]]


class Payloads:
    """The sealed payloads of one house on their way into a record.

    Attributes:
        under_way: digests of payloads that are kept already but that no record names yet; whoever seals takes its own
            out again when it is done.
        arriving: digests of payloads whose records are being taken right now, and how many times over.
    """

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._at_hand: dict[bytes, bytes] = {}
        self._bytes = 0
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self.under_way: set[bytes] = set()
        self.arriving: Counter[bytes] = Counter()

    @contextmanager
    def awaited(self, digests: Sequence[bytes]) -> Iterator[None]:
        """While the records that name these payloads are taken, nobody removes them."""
        self.arriving.update(digests)
        try:
            yield
        finally:
            self.arriving -= Counter(digests)

    def is_needed(self, digest: bytes) -> bool:
        """Whether somebody is about to record something that names this payload."""
        return digest in self.under_way or digest in self.arriving

    async def keep(self, digest: bytes, payload: bytes) -> None:
        """Make a small payload durable.

        Raises:
            DiskFull, Unavailable: it was not kept.
        """
        self.under_way.add(digest)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((digest, payload, kept))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await kept

    def forget(self, digest: bytes) -> None:
        """Have a payload no longer at hand: it is being erased."""
        self._bytes -= len(self._at_hand.pop(digest, b""))

    async def adopt(self, digest: bytes, path: str) -> None:
        """Take over a large payload that was written to a scratch file (``ports.Blobs.adopt``)."""
        self.under_way.add(digest)
        await self._blobs.adopt(digest, path)

    async def get(self, digest: bytes) -> bytes | None:
        """A payload, None when it is not here."""
        payload = self._at_hand.get(digest)
        if payload is None and await self._blobs.size(digest) is not None:
            async with self._blobs.open(digest) as blob:
                payload = blob.read()
        return payload

    async def _write(self) -> None:
        """Write in rounds until nobody waits; each round's outcome is its own callers' only."""
        while self._waiting:
            await asyncio.sleep(0)  # whoever is ready to seal now comes along
            batch, self._waiting = self._waiting, []
            try:
                await self._blobs.put_many({digest: payload for digest, payload, _ in batch})
            except BaseException as error:  # whatever it is, the callers get it
                _fail(batch, error)
                if not isinstance(error, Exception):  # this node is ending
                    _fail(self._waiting, error)
                    raise
                continue
            for digest, payload, kept in batch:
                self._remember(digest, payload)
                if not kept.done():
                    kept.set_result(None)

    def _remember(self, digest: bytes, payload: bytes) -> None:
        if digest not in self._at_hand:
            self._at_hand[digest] = payload
            self._bytes += len(payload)
        while self._bytes > AT_HAND_BYTES_MAX:
            oldest = next(iter(self._at_hand))
            self._bytes -= len(self._at_hand.pop(oldest))


def _fail(waiting: Sequence[_Waiting], error: BaseException) -> None:
    for _, _, kept in waiting:
        if kept.done():
            continue
        if isinstance(error, asyncio.CancelledError):
            kept.cancel()
        else:
            kept.set_exception(error)
