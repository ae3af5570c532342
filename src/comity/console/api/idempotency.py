"""Idempotency: the same request sent twice is done once (``spec/api.md`` step 5)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from hashlib import sha256

import msgspec

from comity.console.shelves import SCAN_ROWS, Shelf
from comity.errors import Misuse
from comity.ports import Ambiguous, Clock, Store

KEPT = timedelta(hours=24)
KEY = re.compile(r"[!-~]{1,255}\Z")
SWEEP_EVERY = 256
"""After how many new keys those that are over are removed."""
TIMES = "at/"
"""What stands before the times on the shelf, under which no answer lies: what is over is found at their front."""


class _Kept(msgspec.Struct, frozen=True):
    """What is kept of a request: what it was, when it came, and what it was answered (None: not known).

    It lies under person and key, and without request and answer once more under its time.
    """

    asked: str
    at: datetime
    body: bytes | None = None


class Idempotency:
    """Remembers what was answered to whom.

    Args:
        store: where it is kept.
        clock: wall-clock time.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._shelf = Shelf(store, "idempotency", _Kept)
        self._clock = clock
        self._under_way: set[str] = set()
        self._new = 0

    async def once(self, person: str, key: str, asked: bytes, do: Callable[[], Awaitable[bytes]]) -> bytes:
        """What ``do`` answers; or what it answered when the same request came before.

        Args:
            person: whose request it is: a key is one person's.
            key: as it was sent.
            asked: verb and body.
            do: does it. What it raises is raised, and the key is free again, unless it may have been done.

        Raises:
            Misuse: it is no key (``malformed-key``), was used for something else or is being used now
                (``idempotency-key-used``), or the node stopped in the middle of it (``outcome-unknown``).
        """
        if not KEY.match(key):
            raise Misuse("an idempotency key has 1 to 255 printable characters of ASCII", code="malformed-key")
        name = f"{person}/{sha256(key.encode()).hexdigest()}"
        if name in self._under_way:
            raise Misuse("a request with this idempotency key is under way", code="idempotency-key-used")
        self._under_way.add(name)
        try:
            self._new += 1
            if self._new % SWEEP_EVERY == 1:
                await self._sweep()
            fingerprint = sha256(asked).hexdigest()
            before = await self._shelf.get(name)
            over: dict[str, _Kept | None] = {}
            if before is not None:
                if not self._over(before):
                    return _answered(before, fingerprint)
                over = {_time(before.at, name): None}
            now = self._clock.now()
            await self._shelf.put_all(over | {name: _Kept(fingerprint, now), _time(now, name): _Kept("", now)})
            try:
                body = await do()
            except Ambiguous:
                raise
            except Exception:
                await self._shelf.put_all({name: None, _time(now, name): None})
                raise
            await self._shelf.put(name, _Kept(fingerprint, now, body))
            return body
        finally:
            self._under_way.discard(name)

    async def _sweep(self) -> None:
        """Remove what is over, a portion at a time; the answers themselves are not read."""
        first, end = TIMES, _time(self._clock.now() - KEPT, "")
        while old := await self._shelf.scan(first, end):
            names = {key: key.split("/", 2)[2] for key, _ in old}
            gone = [(key, name) for key, name in names.items() if name not in self._under_way]
            await self._shelf.put_all(dict.fromkeys(each for pair in gone for each in pair))
            if len(old) < SCAN_ROWS:
                return
            first = old[-1][0] + "\0"

    def _over(self, kept: _Kept) -> bool:
        return self._clock.now() - kept.at >= KEPT


def _answered(before: _Kept, fingerprint: str) -> bytes:
    """What the same request was answered, which came before."""
    if before.asked != fingerprint:
        raise Misuse("this idempotency key was used for another request; take a new one", code="idempotency-key-used")
    if before.body is None:
        raise Misuse(
            "the node stopped while it did this; look whether it was done, and take a new key if not",
            code="outcome-unknown",
        )
    return before.body


def _time(at: datetime, name: str) -> str:
    """The key of a time, which sorts as times do."""
    return f"{TIMES}{int(at.timestamp() * 1000):015}/{name}"
