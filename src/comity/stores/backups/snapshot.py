"""A database as it is at one instant, read beside the node that writes to it (``spec/backup.md`` step 11).

Rules of this file:

- One connection, one transaction that only reads: what it sees is what was committed when it began, whatever is
  written meanwhile. The write-ahead log cannot begin anew until it ends, so it should not be left open for long.
- It says what a database holds, not how: a backup can be brought back into any later version of the tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import cast
from zlib import crc32

import apsw
import msgspec

from comity.errors import Misuse, Unavailable
from comity.ports import Batch, Head
from comity.stores.backups.lists import Stand
from comity.stores.schema import APPLICATION_ID, MIGRATIONS, SET_ROW, check_version
from comity.stores.sqlite import LARGE_PAGE_BYTES, SqliteStore, translated

SEGMENT_ENTRIES = 2048
"""Journal entries in one object; a full one never changes."""
ROWS_MEAN = 512
"""Rows in one object, about: it ends after a row whose key says so, so that a new row changes one object only."""
ROWS_BYTES = 4 * 2**20
"""From this size on an object of rows ends in any case."""

JournalRow = tuple[str, int, bytes, bytes, bytes, str, str, int, int, int]
"""Chain, sequence, record, envelope, salt, verdict, reason, extends, rules, at (µs since 1970)."""
DigestRow = tuple[str, int, bytes, bytes, bytes, int]
"""Chain, sequence, record, envelope, salt, extends."""
Row = tuple[str, str, bytes]
"""Table, key, value."""

_JOURNAL = (
    "SELECT chain, sequence, record, envelope, salt, verdict, reason, extends, rules, at FROM journal "
    "WHERE position >= ? AND position < ? ORDER BY position"
)
_DIGESTED = (
    "SELECT chain, sequence, record, envelope, salt, extends FROM journal "
    "WHERE position >= ? AND position < ? ORDER BY position"
)
_RECORD = "SELECT record FROM journal WHERE chain = ? AND sequence = ? AND extends"
encode = msgspec.msgpack.Encoder().encode
decode_journal = msgspec.msgpack.Decoder(list[JournalRow]).decode
decode_rows = msgspec.msgpack.Decoder(list[Row]).decode


class Snapshot:
    """One database at one instant.

    Attributes:
        entries: journal entries.
        connection: what it is seen through.
    """

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self.entries = int(connection.execute("SELECT coalesce(max(position) + 1, 0) FROM journal").get)

    def heads(self) -> dict[str, Stand]:
        """Where each chain ends."""
        with translated():
            found = self.connection.execute("SELECT chain, size, last, root FROM heads ORDER BY chain")
            return {chain: Stand(size, last, root) for chain, size, last, root in found}

    def digested(self, first: int, count: int) -> list[DigestRow]:
        """What has to do with the digests of journal entries, from a position on."""
        with translated():
            found = self.connection.execute(_DIGESTED, (first, first + count)).fetchall()
        return cast("list[DigestRow]", found)

    def record(self, chain: str, sequence: int) -> bytes:
        """The record at a place of a chain; empty where there is none."""
        with translated():
            found = self.connection.execute(_RECORD, (chain, sequence)).get
        return bytes(found or b"")

    def segments(self) -> Iterator[bytes]:
        """The journal, each piece the bytes of one object."""
        for first in range(0, self.entries, SEGMENT_ENTRIES):
            with translated():
                found = self.connection.execute(_JOURNAL, (first, min(first + SEGMENT_ENTRIES, self.entries)))
                yield encode(found.fetchall())

    def rows(self, *, only: str = "", but: frozenset[str] = frozenset()) -> Iterator[bytes]:
        """Rows in the order of table and key, each piece the bytes of one object.

        Args:
            only: of this table; all when empty.
            but: not of these tables.
        """
        where, bound = ('WHERE "table" = ?', (only,)) if only else ("", ())
        gathered: list[Row] = []
        size = 0
        with translated():
            for row in self.connection.execute(
                f'SELECT "table", key, value FROM rows {where} ORDER BY "table", key',  # noqa: S608 - constants
                bound,
            ):
                if row[0] in but:
                    continue
                gathered.append(row)
                size += len(row[2])
                if crc32(row[1].encode()) % ROWS_MEAN == 0 or size >= ROWS_BYTES:
                    yield encode(gathered)
                    gathered, size = [], 0
        if gathered:
            yield encode(gathered)


@contextmanager
def snapshot(path: Path) -> Iterator[Snapshot]:
    """Look at a database as it is now, for as long as the context lasts.

    Raises:
        Unavailable: there is none, or it cannot be read.
        Rejected: it is damaged, another program's, or of a newer Comity.
    """
    with translated():
        try:
            opened = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW)
        except apsw.CantOpenError:
            raise Unavailable(f"there is no database {path.name!r} here to read", code="no-database") from None
        with closing(opened) as connection:
            connection.set_busy_timeout(5_000)
            check_version(connection)
            connection.execute("PRAGMA query_only = ON")
            connection.execute("BEGIN")
            try:
                yield Snapshot(connection)
            finally:
                connection.execute("ROLLBACK")


class View(SqliteStore):
    """A store as it was when a snapshot began: all that reads of a ``ports.Store``, and nothing that writes.

    Attributes:
        seen: the snapshot.
    """

    def __init__(self, path: Path, seen: Snapshot) -> None:
        super().__init__(path)
        self.seen = seen
        self._reader = seen.connection

    async def commit(self, _batch: Batch, _expected: Mapping[str, Head | None]) -> int:
        """Refuse it.

        Raises:
            Misuse: always.
        """
        raise Misuse("this is a look at a database as it was; nothing is written to it", code="only-a-view")

    async def close(self) -> None:
        """The snapshot is ended by whoever began it."""

    def damage(self) -> list[str]:
        """What SQLite itself finds wrong with the file: pages, indexes, types."""
        with translated():
            found = self._reader.execute("PRAGMA integrity_check(100)").fetchall()
        return [str(row[0]) for row in found if row[0] != "ok"]


class Filling:
    """A new database being filled with what a backup holds; it is there when ``finish`` returned."""

    def __init__(self, path: Path, *, large_rows: bool = False) -> None:
        self._connection = apsw.Connection(
            str(path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE | apsw.SQLITE_OPEN_NOFOLLOW
        )
        if large_rows:
            self._connection.execute(f"PRAGMA page_size = {LARGE_PAGE_BYTES}")
        self._connection.execute("PRAGMA journal_mode = OFF")  # it is thrown away whole if this is cut short
        self._connection.execute("PRAGMA synchronous = OFF")
        for script in MIGRATIONS:
            self._connection.execute(script)
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
        self._connection.execute("BEGIN")
        self._position = 0

    def journal(self, entries: list[JournalRow]) -> None:
        """Add journal entries."""
        with translated():
            self._connection.executemany(
                "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(position, *entry) for position, entry in enumerate(entries, self._position)],
            )
        self._position += len(entries)

    def heads(self, heads: dict[str, Stand]) -> None:
        """Set where each chain ends."""
        with translated():
            self._connection.executemany(
                "INSERT INTO heads VALUES (?, ?, ?, ?)",
                [(chain, stand.size, stand.last, stand.root) for chain, stand in heads.items()],
            )

    def rows(self, rows: list[Row]) -> None:
        """Add rows."""
        with translated():
            self._connection.executemany(SET_ROW, rows)

    def finish(self) -> None:
        """Write all of it; the caller syncs the file."""
        with translated():
            self._connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file; what was not finished is of no use. Idempotent."""
        self._connection.close()
