"""Erasing: a key that was destroyed stays destroyed (``spec/ending.md`` steps 40 to 46).

The header of a sealed copy is the only thing by which its registry can get at its content, so a copy's key is destroyed
by erasing its header. The database forgets it in the commit that records why. A database restored from a copy would
know it again; therefore a list outside the database names what was erased, and no start and no parcel brings it back.

The list is written after the commit and before anything that the commit said leaves this house: what the other party is
told was destroyed is on the list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress

from comity.errors import ComityError, Rejected
from comity.flows.keeping.committed import scan_side
from comity.ports import Batch, ErasedKeys, Put, Store
from comity.register.rows import CopyRow, Key, decode_row

HEADER = "header"
"""Side table of headers of sealed copies, by digest in hex: erasable, which a journal is not."""
ERASING = "erasing"
"""Side table: digests erased here that the list may not name yet; key the digest in hex."""
LISTED = "erased-keys"
"""Side table: how many entries of the list this database has carried out; one row, key ``listed``."""
USABLE = frozenset({"in transit", "held", "lost"})
"""States of a copy whose key may still be needed: a lost copy can be found again."""


class Erasing:
    """What one house has erased, in its database and on the list outside it."""

    def __init__(self, store: Store, listed: ErasedKeys) -> None:
        self._store = store
        self._list = listed
        self._pending: dict[str, None] = {}
        self._settled: list[Put] = []
        self._known: set[str] | None = None

    async def replay(self) -> None:
        """Erase again, before anything can be opened, what the list names and this database still knows (43).

        Raises:
            Rejected: the list is damaged, or has fewer lines than this database has seen on it.
            DiskFull, Unavailable: it cannot be read, or the database not be written; nothing can be opened then.
        """
        value = (await self._store.get(LISTED, ["listed"]))[0]
        listed, known_of = await self._list.count(), int.from_bytes(value or b"", "big")
        if listed < known_of:  # (41)
            raise Rejected(
                f"the list of erased keys has {listed} of the {known_of} lines that this database has seen on it; put "
                "it back from a copy of this folder, or keys that were destroyed could be used again",
                code="erased-keys-missing",
            )
        carried_out = listed == known_of
        waiting = [key async for key, _ in scan_side(self._store, ERASING)]
        if waiting:
            await self._write(waiting)
        if carried_out:
            await self._flush()
            return
        await self.erase_again()

    async def erase_again(self) -> None:
        """Erase what the list names, and the headers of copies that have come to their end or are going back.

        Raises:
            DiskFull, Unavailable: the list or the database cannot be written; nothing may be opened then.
        """
        known = await self._known_digests()
        stale = [Put(HEADER, key, None) for key in sorted(known)]
        ended = [
            copy.header.hex() async for copy in _copies(self._store) if copy.going_back or copy.state not in USABLE
        ]
        more = [key for key in ended if key not in known]  # a database that others wrote to, or an older program
        if more:
            await self._write(more)
            stale += [Put(HEADER, key, None) for key in more]
        await self._store.commit(Batch(puts=(*stale, *self._settled, await self._carried_out())), {})
        self._settled.clear()

    def in_commit(self, side: Mapping[Key, bytes | None]) -> list[Put]:
        """What a commit writes besides: which headers it erases, and what the list has taken over since the last."""
        erased = [key for (table, key), value in side.items() if table == HEADER and value is None]
        return [*self._settled, *(Put(ERASING, key, b"\x01") for key in erased)]

    def committed(self, side: Mapping[Key, bytes | None], puts: Iterable[Put]) -> None:
        """A commit with these puts (of ``in_commit``) is durable."""
        done = set(puts)
        self._settled = [put for put in self._settled if put not in done]
        for (table, key), value in side.items():
            if table == HEADER and value is None:
                self._pending[key] = None

    async def write(self) -> None:
        """Put on the list what was erased; whoever is about to hand something out calls this first (42).

        Raises:
            DiskFull, Unavailable: it could not be written; what is erased in the database stays so.
        """
        if self._pending:
            await self._write(list(self._pending))

    async def close(self) -> None:
        """Put on the list what was erased, and note it in the database; the next start does what could not be done."""
        with suppress(ComityError):
            await self.write()
            await self._flush()

    async def is_erased(self, header: bytes) -> bool:
        """Whether the header with this digest was erased here: nobody brings it back (44)."""
        key = header.hex()
        return key in self._pending or key in await self._known_digests()

    async def _write(self, keys: list[str]) -> None:
        await self._list.add([bytes.fromhex(key) for key in keys])
        if self._known is not None:
            self._known.update(keys)
        for key in keys:
            self._pending.pop(key, None)
        self._settled = [put for put in self._settled if put.table != LISTED]
        self._settled += [*(Put(ERASING, key, None) for key in keys), await self._carried_out()]

    async def _carried_out(self) -> Put:
        return Put(LISTED, "listed", (await self._list.count()).to_bytes(8, "big"))

    async def _flush(self) -> None:
        if self._settled:
            await self._store.commit(Batch(puts=tuple(self._settled)), {})
            self._settled.clear()

    async def _known_digests(self) -> set[str]:
        if self._known is None:
            self._known = {digest.hex() for digest in await self._list.read()}
        return self._known


async def _copies(store: Store) -> AsyncIterator[CopyRow]:
    async for _, value in scan_side(store, CopyRow.table):
        row = decode_row(CopyRow.table, value)
        assert isinstance(row, CopyRow)
        yield row
