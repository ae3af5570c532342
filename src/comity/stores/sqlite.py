"""The store of an embedded node: one SQLite file, one writer, many commits to one fsync.

Rules of this file (``spec/store.md`` steps 4 to 15):

- There are two connections. The reader answers on the event loop, in microseconds, and always sees every commit that
  returned. The writer belongs to whoever holds ``_turn``.
- Commits that wait become one group and one SQL transaction. Each batch is compared with the heads as its accepted
  neighbours leave them before anything of it is written, so a conflict has nothing to undo. When anything else goes
  wrong the group is undone and each of its commits is tried alone: one bad batch never harms its neighbours.
- Statements run on the event loop (they touch memory only, and give way after ``ROWS_PER_BREATH`` rows); COMMIT, which
  waits for the disk, runs in the writer's thread. A thread that ran the statements too would have to win the
  interpreter lock back after every row, which starves it exactly when the loop is busy.
- A full disk at any moment, and any error before COMMIT, mean that nothing was written. Any other error of COMMIT
  means that nobody knows: the store then refuses to write until ``heads`` has opened the file again and made what it
  found there durable.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self, TypeVar

import apsw

from comity.errors import ComityError, Misuse, Rejected, Unavailable
from comity.ports import Ambiguous, Batch, Conflict, DiskFull, Head, JournalEntry, Put
from comity.stores.batch import check_batch, check_head, check_limit, check_replacement
from comity.stores.durable import FILE_MODE, disk_errors, sync, sync_folder
from comity.stores.schema import ERASABLE, SET_ROW, check_version, migrate

GROUP_COMMITS_MAX = 1024
"""Most commits in one SQL transaction, so that the first of them does not wait without end for the last."""
ROWS_PER_BREATH = 512
"""Rows written before the event loop may do something else: about two milliseconds of work."""
WRITER_CACHE_KIBIBYTES = 65_536
"""Page cache of the writer; what a larger transaction changes goes to the write-ahead log early, not to memory."""
READER_CACHE_KIBIBYTES = 16_384
"""Page cache of the reader."""
LOG_PAGES = 4096
"""Pages (4 KiB) in the write-ahead log before they are moved to the database, beside the commits: 16 MiB."""
EMPTIED_AFTER_SECONDS = 1.0
"""After something was erased, how long before the log, which still has it, is emptied: many erasures, one effort."""

LARGE_PAGE_BYTES = 8_192
"""Pages of a store of large rows: larger ones make small commits dearer, smaller ones large commits."""
LARGE_LOG_PAGES = 256
"""The same for such a store (2 MiB): more at once holds its commits up longer."""

_SYNCED = ("synchronous = FULL", "fullfsync = ON", "checkpoint_fullfsync = ON")
_WRITER_SETTINGS = (
    "journal_mode = WAL",
    *_SYNCED,
    f"cache_size = -{WRITER_CACHE_KIBIBYTES}",
    f"journal_size_limit = {LOG_PAGES * 4096}",
)
_SMALL_SETTINGS = (
    "page_size = 4096",
    *_WRITER_SETTINGS,
    "secure_delete = ON",  # what is erased (names, headers of copies) is overwritten, not only left out
)
_LARGE_SETTINGS = (f"page_size = {LARGE_PAGE_BYTES}", *_WRITER_SETTINGS)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

_HEAD = "SELECT size, last, root FROM heads WHERE chain = ?"
_COLUMNS = "chain, sequence, record, envelope, salt, verdict, reason, extends, rules, at"
_APPEND = f"INSERT INTO journal (position, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
_ENTRIES = f"SELECT {_COLUMNS} FROM journal"  # noqa: S608 - constants
_SET_HEAD = "INSERT OR REPLACE INTO heads (chain, size, last, root) VALUES (?, ?, ?, ?)"
_DELETE_ROW = 'DELETE FROM rows WHERE "table" = ? AND key = ?'

Row = tuple[Any, ...]
Result = TypeVar("Result")


@dataclass(slots=True)
class _Waiting:
    """A commit somebody waits for."""

    batch: Batch
    expected: Mapping[str, Head | None]
    answer: asyncio.Future[int]

    def reply(self, outcome: int | Exception) -> None:
        if self.answer.done():  # whoever asked has gone; the batch is there or not all the same
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class SqliteStore:
    """A ``ports.Store`` in one SQLite file. Open it with ``open``, inside the event loop that will use it."""

    def __init__(self, path: Path, *, large_rows: bool = False) -> None:
        self._large_rows = large_rows
        self._log_pages = 0
        self._log_pages_max = self._move_at = LARGE_LOG_PAGES if large_rows else LOG_PAGES
        self._moving: asyncio.Task[None] | None = None
        self._emptying: asyncio.Task[None] | None = None
        self._path = path.parent.resolve() / path.name  # the file itself may be no link, the way to it may have some
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="comity-store")
        self._turn = asyncio.Lock()
        self._queue: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None
        self._unsettled = False
        self._closed = False
        self._connections: list[apsw.Connection] = []
        self._writer: apsw.Connection
        self._reader: apsw.Connection

    @classmethod
    async def open(cls, path: str | Path, *, large_rows: bool = False) -> Self:
        """Open the database, or make it (0600), and make durable what is found in it (steps 4 and 12).

        Args:
            path: the file; its folder exists, is locked by this process and is on a local disk.
            large_rows: whether most rows have many kilobytes, and come many a second (step 16).

        Raises:
            Rejected: the file is damaged, another program's, or written by a newer Comity.
            DiskFull: there is no room to make or recover it.
            Unavailable: the file cannot be opened, or another process is writing to it.
        """
        store = cls(Path(path), large_rows=large_rows)
        try:
            await store._settle()
        except BaseException:
            await store.close()
            raise
        return store

    async def commit(self, batch: Batch, expected: Mapping[str, Head | None]) -> int:
        """See ``ports.Store.commit``."""
        check_batch(batch, expected)
        self._check_open()
        waiting = _Waiting(batch, expected, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_queue())
        return await waiting.answer

    async def heads(self, chains: Sequence[str] | None = None) -> dict[str, Head]:
        """See ``ports.Store.heads``; after an ambiguous commit this finds out what happened (step 12)."""
        self._check_open()
        if self._unsettled:
            async with self._turn:
                if self._unsettled:
                    await self._settle()
        if chains is None:
            return {chain: Head(*head) for chain, *head in self._read("SELECT chain, size, last, root FROM heads")}
        found = {chain: self._read(_HEAD, (chain,)) for chain in chains}
        return {chain: Head(*rows[0]) for chain, rows in found.items() if rows}

    async def get(self, table: str, keys: Sequence[str]) -> list[bytes | None]:
        """See ``ports.Store.get``."""
        found = (self._read('SELECT value FROM rows WHERE "table" = ? AND key = ?', (table, key)) for key in keys)
        return [rows[0][0] if rows else None for rows in found]

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
        upper, bound = ("", ()) if before is None else (" AND key < ?", (before,))
        order = "DESC" if newest_first else "ASC"
        return self._read(
            f'SELECT key, value FROM rows WHERE "table" = ? AND key >= ?{upper} ORDER BY key {order} LIMIT ?',  # noqa: S608 - constants
            (table, first, *bound, limit),
        )

    async def journal(self, after: int, limit: int) -> list[JournalEntry]:
        """See ``ports.Store.journal``."""
        check_limit(limit)
        return self._entries("WHERE position >= ? ORDER BY position LIMIT ?", (after, limit))

    async def chain(self, chain: str, start: int, limit: int) -> list[JournalEntry]:
        """See ``ports.Store.chain``."""
        check_limit(limit)
        return self._entries(
            "WHERE extends AND chain = ? AND sequence >= ? ORDER BY sequence LIMIT ?", (chain, start, limit)
        )

    async def find(self, record: bytes) -> JournalEntry | None:
        """See ``ports.Store.find``."""
        found = self._entries("WHERE record = ? ORDER BY position DESC LIMIT 1", (record,))
        return found[0] if found else None

    async def replace_rows(self, tables: Sequence[str], puts: AsyncIterator[Put]) -> None:
        """See ``ports.Store.replace_rows``; commits wait meanwhile, memory stays constant (step 14)."""
        self._check_open()
        async with self._turn:
            try:
                self._begin()
                await self._in_thread(self._clear, tables)
                portion: list[Put] = []
                async for put in puts:
                    portion.append(put)
                    if len(portion) == ROWS_PER_BREATH:
                        check_replacement(tables, portion)
                        await self._write_rows(portion)
                        portion.clear()
                check_replacement(tables, portion)
                await self._write_rows(portion)
                await self._commit()
            except BaseException:
                self._undo()
                raise

    async def close(self) -> None:
        """See ``ports.Store.close``; what waits is written first, and what comes later is refused."""
        if self._closed:
            return
        self._closed = True
        if self._writing is not None:
            await asyncio.wait((self._writing,))
        if self._moving is not None:
            await asyncio.wait((self._moving,))
        if self._emptying is not None:  # closing empties the log as well
            self._emptying.cancel()
            await asyncio.wait((self._emptying,))
        async with self._turn:
            await self._in_thread(self._disconnect)
        self._thread.shutdown()

    async def _write_queue(self) -> None:
        """Write what waits, group after group; ends when nothing does."""
        try:
            while self._queue:
                async with self._turn:
                    group = self._queue[:GROUP_COMMITS_MAX]
                    await self._commit_group([waiting for waiting in group if not waiting.answer.done()])
                    del self._queue[: len(group)]
        finally:
            for waiting in self._queue:  # only when the event loop is being torn down
                waiting.answer.cancel()
            self._writing = None

    async def _commit_group(self, group: Sequence[_Waiting]) -> None:
        """Give every commit of ``group`` its own answer (steps 5 to 9)."""
        outcomes: Sequence[int | Exception]
        try:
            self._begin()
            outcomes = await self._stage(group)
            await self._commit()
        except Ambiguous:
            outcomes = [_unknown() for _ in group]
        except Exception as error:  # noqa: BLE001 - whatever went wrong, everyone who waits is answered
            self._undo()
            if len(group) > 1:  # (8)
                for waiting in group:
                    await self._commit_group((waiting,))
                return
            outcomes = (error,)
        except BaseException:
            self._undo()
            raise
        for waiting, outcome in zip(group, outcomes, strict=True):
            waiting.reply(outcome)
        puts = (put for waiting in group for put in waiting.batch.puts)
        if self._emptying is None and any(put.value is None and put.table in ERASABLE for put in puts):
            self._emptying = asyncio.create_task(self._empty_log())
        if self._log_pages >= self._move_at and self._moving is None:
            self._moving = asyncio.create_task(self._move_log())

    async def _empty_log(self) -> None:
        """Overwrite in the database what was erased, and leave nothing of it in the log (18)."""
        emptied = False
        while not emptied:  # whoever reads the log goes on reading meanwhile
            await asyncio.sleep(EMPTIED_AFTER_SECONDS)
            async with self._turn:
                emptied = not self._unsettled and await self._in_thread(self._try_to_empty)
                if emptied:  # what is erased from here on is another's to empty
                    self._emptying = None

    def _try_to_empty(self) -> bool:
        try:
            self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error:
            return False
        return True

    async def _move_log(self) -> None:
        """Move the log into the database while commits go on, then what they added, and begin it anew (15)."""
        self._move_at = self._log_pages + self._log_pages_max  # where it is being read it goes on growing
        try:
            await asyncio.to_thread(self._copy_log)
            async with self._turn:
                if not self._unsettled:
                    await self._in_thread(self._writer.wal_checkpoint, None, apsw.SQLITE_CHECKPOINT_RESTART)
                    self._move_at = self._log_pages_max
        except apsw.Error:
            pass  # it is all in the log still, and moved another time
        finally:
            self._moving = None

    def _copy_log(self) -> None:
        connection = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW)
        try:
            for setting in _SYNCED:
                connection.execute(f"PRAGMA {setting}")
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        finally:
            connection.close()

    async def _stage(self, group: Sequence[_Waiting]) -> list[int | Exception]:
        """Write what meets no conflict into the open transaction, and say what each caller is to be told (6, 7)."""
        outcomes: list[int | Exception] = []
        heads: dict[str, Head | None] = {}
        moved: dict[str, Head] = {}
        entries: list[Row] = []
        puts: list[Put] = []
        count = self._count()
        for waiting in group:
            batch, expected = waiting.batch, waiting.expected
            try:
                for chain, head in expected.items():
                    if chain not in heads:
                        heads[chain] = self._head(chain)
                    check_head(chain, head, heads[chain])
            except Conflict as conflict:
                outcomes.append(conflict)
                continue
            heads.update(batch.heads)
            moved.update(batch.heads)
            entries += (_to_row(position, entry) for position, entry in enumerate(batch.entries, count))
            puts += batch.puts
            count += len(batch.entries)
            outcomes.append(count)
        await self._write_many(_APPEND, entries)
        await self._write_many(_SET_HEAD, [(chain, head.size, head.last, head.root) for chain, head in moved.items()])
        await self._write_rows(puts)
        return outcomes

    async def _write_rows(self, puts: Sequence[Put]) -> None:
        """Write rows into the open transaction; of two puts to one key the later wins."""
        last = {(put.table, put.key): put.value for put in puts}
        await self._write_many(SET_ROW, [(*key, value) for key, value in last.items() if value is not None])
        await self._write_many(_DELETE_ROW, [key for key, value in last.items() if value is None])

    async def _write_many(self, statement: str, rows: Sequence[Row]) -> None:
        for start in range(0, len(rows), ROWS_PER_BREATH):
            portion = rows[start : start + ROWS_PER_BREATH]
            with translated():
                self._writer.executemany(statement, portion)
            if len(portion) == ROWS_PER_BREATH:
                await asyncio.sleep(0)

    def _begin(self) -> None:
        if self._unsettled:  # (11)
            raise Unavailable(
                "the outcome of an earlier commit is unknown, so nothing was written; read the heads first",
                code="unsettled",
            )
        with translated():
            self._writer.execute("BEGIN IMMEDIATE")

    async def _commit(self) -> None:
        """Make the open transaction durable, or say that it is not, or that nobody knows (steps 9 and 10)."""
        try:
            await self._in_thread(self._writer.execute, "COMMIT")
        except apsw.FullError as error:
            raise _failure(error) from error
        except apsw.Error as error:
            self._unsettled = True
            raise _unknown() from error

    def _undo(self) -> None:
        """Forget the open transaction; where even that fails, the file is opened again before the next write."""
        try:
            if not self._unsettled and self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
        except apsw.Error:
            self._unsettled = True

    def _clear(self, tables: Iterable[str]) -> None:
        with translated():
            for table in tables:
                self._writer.execute('DELETE FROM rows WHERE "table" = ?', (table,))

    def _count(self) -> int:
        with translated():
            return int(self._writer.execute("SELECT coalesce(max(position) + 1, 0) FROM journal").get)

    def _head(self, chain: str) -> Head | None:
        with translated():
            found: list[Row] = self._writer.execute(_HEAD, (chain,)).fetchall()
        return Head(*found[0]) if found else None

    def _entries(self, clause: str, bindings: Row) -> list[JournalEntry]:
        return [_from_row(row) for row in self._read(f"{_ENTRIES} {clause}", bindings)]

    def _read(self, statement: str, bindings: Row = ()) -> list[Row]:
        self._check_open()
        with translated():
            return self._reader.execute(statement, bindings).fetchall()

    def _check_open(self) -> None:
        if self._closed:
            raise Misuse("the store is closed; open it again", code="store-closed")

    async def _in_thread(self, work: Callable[..., Result], *arguments: object) -> Result:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)
        except asyncio.CancelledError:  # the thread goes on, and nobody hears how it ends
            self._unsettled = True
            raise

    async def _settle(self) -> None:
        """Open the file (again), take what it holds for what happened, and make that durable (step 12)."""
        await self._in_thread(self._connect)
        self._unsettled = False

    def _connect(self) -> None:
        self._disconnect()
        with disk_errors(f"opening {str(self._path)!r}"):
            if not self._path.exists():
                os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE))
                sync_folder(self._path.parent)
        with translated():
            self._writer = self._opened(apsw.SQLITE_OPEN_READWRITE)
            check_version(self._writer)
            for setting in _LARGE_SETTINGS if self._large_rows else _SMALL_SETTINGS:
                self._writer.execute(f"PRAGMA {setting}")
            migrate(self._writer)
            self._make_found_durable()
            self._log_pages, self._move_at = 0, self._log_pages_max
            self._writer.set_wal_hook(self._wrote)
            self._reader = self._opened(apsw.SQLITE_OPEN_READONLY)
            self._reader.execute(f"PRAGMA cache_size = -{READER_CACHE_KIBIBYTES}")

    def _wrote(self, _connection: apsw.Connection, _schema: str, pages: int) -> int:
        """How long the log is now; SQLite asks after each commit, and moves nothing by itself then."""
        self._log_pages = pages
        return apsw.SQLITE_OK

    def _make_found_durable(self) -> None:
        """Move the write-ahead log into the database, for its frames may never have been synced (step 12).

        On a full disk a log whose sync did not fail is synced where it is, so that a full node can be opened and read;
        likewise while a backup reads the database as it was before.
        """
        try:
            self._writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except (apsw.FullError, apsw.BusyError):
            if self._unsettled:
                raise
            with disk_errors("syncing the write-ahead log"), Path(f"{self._path}-wal").open("rb") as log:
                sync(log.fileno())

    def _opened(self, flags: int) -> apsw.Connection:
        connection = apsw.Connection(str(self._path), flags=flags | apsw.SQLITE_OPEN_NOFOLLOW)
        self._connections.append(connection)
        return connection

    def _disconnect(self) -> None:
        while self._connections:
            with suppress(apsw.Error):  # what closing could not move stays in the log, for the next opening
                self._connections.pop().close()


def _to_row(position: int, entry: JournalEntry) -> Row:
    return (
        position,
        entry.chain,
        entry.sequence,
        entry.record,
        entry.envelope,
        entry.salt,
        entry.verdict,
        entry.reason,
        entry.extends,
        entry.rules,
        (entry.at - _EPOCH) // _MICROSECOND,
    )


def _from_row(row: Row) -> JournalEntry:
    chain, sequence, record, envelope, salt, verdict, reason, extends, rules, at = row
    return JournalEntry(
        chain=chain,
        sequence=sequence,
        record=record,
        envelope=envelope,
        salt=salt,
        verdict=verdict,
        reason=reason,
        extends=bool(extends),
        rules=rules,
        at=_EPOCH + at * _MICROSECOND,
    )


class translated:  # noqa: N801 - it is used as a function is
    """While statements run, turn what SQLite says into Comity's errors (step 10)."""

    __slots__ = ()

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, apsw.Error):
            raise _failure(error) from error


def _failure(error: apsw.Error) -> ComityError:
    """What an error of a statement means: nothing was written, for this reason."""
    match error:
        case apsw.FullError():
            return DiskFull("no room on the disk for the store; nothing was written", code="disk-full")
        case apsw.ConstraintError():
            return Misuse(
                f"the batch extends a chain at a sequence number that is taken; nothing was written ({error})",
                code="sequence-taken",
            )
        case apsw.CorruptError() | apsw.NotADBError():
            return Rejected(f"the database is damaged; recover it from a backup and peers ({error})", code="damaged")
        case apsw.BusyError():
            return Unavailable("another process is writing to the database; nothing was written", code="busy")
    return Unavailable(f"the database failed; nothing was written ({error})", code="database-failed")


def _unknown() -> Ambiguous:
    return Ambiguous(
        "the disk failed while the commit was being made durable; read the heads to learn whether it is there",
        code="ambiguous",
    )
