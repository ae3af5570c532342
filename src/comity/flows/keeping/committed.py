"""What is committed, kept in memory between acts: the register's recent rows, decoded once, and recent side data.

Only the sequencer writes rows, so what it committed is what a read would give. It tells this cache after each commit,
and empties it whenever it is not sure. What a read began before a commit brings back after it is given to its reader,
but not kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import TypeVar

from comity.ports import Store
from comity.register.rows import AgreementRow, Key, Row, decode_row
from comity.register.rows.negotiation import ChannelRow

R = TypeVar("R", bound=Row)
ReadRows = Callable[[Iterable[Key]], Awaitable[dict[Key, Row | None]]]
"""Rows by their keys: as committed (``CommittedRows.get``), or as a change under way has them (``Work.facts``)."""
SCAN_MAX = 1_000
"""Rows read at once when a whole range is wanted."""
ROWS_MAX = 100_000
"""Most rows kept, about 100 MB; when there are more it starts again empty."""
SIDE_VALUES_MAX = 20_000
"""Most values of side data kept, about 50 MB; as above."""


async def scan_rows(store: Store, kind: type[R], prefix: str = "", start: str = "") -> AsyncIterator[tuple[str, R]]:
    """The committed rows of a kind whose keys begin with ``prefix``, from ``start`` behind it on, in key order."""
    first, end = prefix + start, prefix[:-1] + chr(ord(prefix[-1]) + 1) if prefix else None
    while True:
        found = await store.scan(kind.table, first, end, limit=SCAN_MAX)
        for key, value in found:
            row = decode_row(kind.table, value)
            assert isinstance(row, kind)
            yield key, row
        if len(found) < SCAN_MAX:
            return
        first = found[-1][0] + "\0"


async def scan_side(store: Store, table: str) -> AsyncIterator[tuple[str, bytes]]:
    """Every row of a table as it is kept, in key order."""
    first = ""
    while found := await store.scan(table, first, limit=SCAN_MAX):
        for row in found:
            yield row
        first = found[-1][0] + "\0"


class CommittedRows:
    """The committed rows of one house."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: dict[Key, Row | None] = {}
        self._side: dict[Key, bytes | None] = {}
        self._changes = 0

    async def get(self, keys: Iterable[Key]) -> dict[Key, Row | None]:
        """The committed rows with these keys; None where there is none."""
        found: dict[Key, Row | None] = {}
        absent: dict[str, list[str]] = {}
        rows = self._rows
        for key in keys:
            if key in rows:
                found[key] = rows[key]
            else:
                absent.setdefault(key[0], []).append(key[1])
        changes = self._changes
        for table, names in absent.items():
            for name, value in zip(names, await self._store.get(table, names), strict=True):
                found[table, name] = None if value is None else decode_row(table, value)
        if absent and changes == self._changes:
            self._keep(found)
        return found

    async def peer_in(self, relationship: str) -> str | None:
        """The other party of a relationship, or of a channel; None where there is neither."""
        found = await self.get([(AgreementRow.table, relationship), (ChannelRow.table, relationship)])
        return next((row.peer for row in found.values() if isinstance(row, (AgreementRow, ChannelRow))), None)

    async def side(self, table: str, key: str) -> bytes | None:
        """One committed value of side data (not rebuilt from the journal)."""
        if (table, key) in self._side:
            return self._side[table, key]
        changes = self._changes
        value = (await self._store.get(table, [key]))[0]
        if changes == self._changes:
            self._keep_side({(table, key): value})
        return value

    def update(self, rows: Mapping[Key, Row | None], side: Mapping[Key, bytes | None]) -> None:
        """Take over what a commit has written."""
        self._changes += 1
        self._keep(rows)
        self._keep_side(side)

    def clear(self) -> None:
        """Forget everything: the store may hold something else than was thought."""
        self._changes += 1
        self._rows.clear()
        self._side.clear()

    def _keep(self, rows: Mapping[Key, Row | None]) -> None:
        if len(self._rows) > ROWS_MAX:
            self._rows.clear()
        self._rows.update(rows)

    def _keep_side(self, values: Mapping[Key, bytes | None]) -> None:
        if len(self._side) > SIDE_VALUES_MAX:
            self._side.clear()
        self._side.update(values)
