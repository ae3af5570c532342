"""The index of the register in one SQLite file, or in memory (``spec/index.md`` steps 2, 3 and 8).

Rules of this file:

- Everything is done by one connection in one thread; in memory, on the spot. So a call sees all that were made before.
- What is damaged, foreign or of another version is deleted: nothing is lost by it. A commit is not synced: what a
  loss of power takes away is in the journal, beyond the watermark.
- A name is a number, and stands for as long as an entry does; its entries are counted with each change.
"""

from __future__ import annotations

import asyncio
import heapq
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec

from comity.errors import Misuse, Unavailable
from comity.ports import DiskFull
from comity.ports.index import Entry, Place, Watermark
from comity.stores.durable import FILE_MODE, disk_errors

VERSION = 2
"""Of the tables below and of what stands in them; a file of another version is made anew."""
UNSCRUBBED = 1_000 + VERSION
"""The version of a file in which something is left of what was removed: it is not opened again."""
APPLICATION_ID = 0x434F4949
"""``COII`` in the file header."""
CACHE_KIBIBYTES = 65_536
NAMES_KEPT_MAX = 200_000
"""Most names whose numbers are kept in memory."""
LOG_PAGES = 4_096
"""Pages in the write-ahead log before they are moved to the file."""

_SETTINGS = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    f"cache_size = -{CACHE_KIBIBYTES}",
    "secure_delete = ON",
    "temp_store = MEMORY",
    f"wal_autocheckpoint = {LOG_PAGES}",
    f"journal_size_limit = {LOG_PAGES * 4096}",
)
_TABLES = f"""
    BEGIN IMMEDIATE;
    CREATE TABLE entry (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, names TEXT NOT NULL,
        about BLOB NOT NULL) STRICT;
    CREATE TABLE name (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, entries INTEGER NOT NULL) STRICT;
    CREATE TABLE stands (name INTEGER NOT NULL, at INTEGER NOT NULL, entry INTEGER NOT NULL,
        PRIMARY KEY (name, at, entry)) STRICT, WITHOUT ROWID;
    CREATE TABLE watermark (one INTEGER PRIMARY KEY CHECK (one = 1), entries INTEGER NOT NULL, last BLOB NOT NULL)
        STRICT;
    PRAGMA application_id = {APPLICATION_ID};
    PRAGMA user_version = {VERSION};
    COMMIT;
"""
_OLDER = "SELECT at, entry FROM stands WHERE name = ? AND (at, entry) < (?, ?) ORDER BY at DESC, entry DESC LIMIT ?"
_NEWER = "SELECT at, entry FROM stands WHERE name = ? AND (at, entry) > (?, ?) ORDER BY at, entry LIMIT ?"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_BOUND = 2**62
_LOG = ("-wal", "-shm")
_COPY = ".partial"
_LEAVE = "DELETE FROM stands WHERE name = ? AND at = ? AND entry = ?"
Row = tuple[Any, ...]
Result = TypeVar("Result")
Standing = tuple[int, int]
"""An instant in microseconds and the number of an entry."""


class SqliteIndex:
    """A ``ports.Index``. The file is opened, or made (0600), by the first call."""

    def __init__(self, path: Path | None) -> None:
        """``path`` is the file, in a folder that this process has locked; None for one in memory."""
        self._path = None if path is None else path.parent.resolve() / path.name
        self._thread = None if path is None else ThreadPoolExecutor(1, thread_name_prefix="comity-index")
        self._open: apsw.Connection | None = None
        self._closed = False
        self._numbers: dict[str, int] = {}

    async def watermark(self) -> Watermark | None:
        """See ``ports.Index.watermark``."""
        return await self._call(self._watermark)

    async def change(
        self,
        entries: Sequence[Entry],
        gone: Sequence[str] = (),
        watermark: Watermark | None = None,
        *,
        scrub: bool = False,
    ) -> None:
        """See ``ports.Index.change``."""

        def change(to: apsw.Connection) -> None:
            self._change(to, entries, gone, watermark, scrub=scrub)
            if scrub:
                self._scrub(to)

        await self._call(change)

    async def get(self, keys: Sequence[str]) -> list[Entry | None]:
        """See ``ports.Index.get``."""

        def read(to: apsw.Connection) -> list[Entry | None]:
            found = (to.execute("SELECT id FROM entry WHERE key = ?", (key,)).get for key in keys)
            return [None if number is None else _entry(to, number) for number in found]

        return await self._call(read)

    async def walk(
        self, names: Sequence[str], *, limit: int, beyond: Place | None = None, oldest_first: bool = False
    ) -> list[Entry]:
        """See ``ports.Index.walk``."""
        return await self._call(
            lambda to: list(islice(self._walk(to, names, limit, beyond, oldest_first), limit)),
        )

    async def newest(self, names: Sequence[str]) -> list[Entry | None]:
        """See ``ports.Index.newest``."""
        return await self._call(lambda to: [next(self._walk(to, [name], 1, None, False), None) for name in names])

    async def count(self, names: Sequence[str], *, limit: int, before: datetime | None = None) -> int:
        """See ``ports.Index.count``."""
        return await self._call(lambda to: self._count(to, names, limit, before))

    async def names(self, ranges: Sequence[tuple[str, str]], limit: int) -> list[tuple[str, int]]:
        """See ``ports.Index.names``."""

        def read(to: apsw.Connection) -> list[tuple[str, int]]:
            found: list[tuple[str, int]] = []
            for first, before in ranges:
                query = "SELECT name, entries FROM name WHERE name >= ? AND name < ? ORDER BY name LIMIT ?"
                some: list[Any] = to.execute(query, (first, before, limit - len(found))).fetchall()
                found += some
                if len(found) >= limit:
                    break
            return found

        return await self._call(read)

    async def clear(self) -> None:
        """See ``ports.Index.clear``."""
        await self._call(lambda _: self._remove())

    async def close(self) -> None:
        """See ``ports.Index.close``."""
        if self._closed:
            return
        await self._call(lambda _: self._disconnect(), opening=False)
        self._closed = True
        if self._thread is not None:
            self._thread.shutdown()

    # ---- one connection ----------------------------------------------------------------------------------------------

    async def _call(self, work: Callable[[apsw.Connection], Result], *, opening: bool = True) -> Result:
        if self._closed:
            raise Misuse("the index is closed", code="index-closed")

        def run() -> Result:
            try:
                if self._open is None and opening:
                    self._open = self._connect()
                return work(self._open)  # type: ignore[arg-type]  # only closing comes here unopened, and takes none
            except apsw.FullError as error:
                raise DiskFull("no room on the disk for the index; nothing was changed", code="disk-full") from error
            except (apsw.CorruptError, apsw.NotADBError) as error:
                self._remove()
                raise _lost(error) from error
            except apsw.Error as error:
                raise Unavailable(f"the index failed; nothing was changed ({error})", code="index-failed") from error

        if self._thread is None:
            return run()
        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    def _connect(self) -> apsw.Connection:
        if self._path is None:
            connection = apsw.Connection(":memory:")
        else:
            with disk_errors(f"opening {str(self._path)!r}"):
                if not self._path.exists():
                    os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE))
            flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW
            connection = apsw.Connection(str(self._path), flags=flags)
        try:
            known = connection.execute("PRAGMA application_id").get, connection.execute("PRAGMA user_version").get
            empty = connection.execute("SELECT count(*) = 0 FROM sqlite_schema").get
            ours = empty or known == (APPLICATION_ID, VERSION)
            for setting in _SETTINGS if ours else ():
                connection.execute(f"PRAGMA {setting}")
            if empty:
                connection.execute(_TABLES)
        except (apsw.CorruptError, apsw.NotADBError):
            ours = False
        if ours:
            return connection
        connection.close()
        self._delete_files(*_LOG, _COPY, "")
        return self._connect()

    def _remove(self) -> None:
        """Delete the files; the next call makes new ones."""
        self._disconnect()
        self._delete_files(*_LOG, _COPY, "")

    def _disconnect(self) -> None:
        connection, self._open = self._open, None
        self._numbers.clear()
        if connection is not None:
            with suppress(apsw.Error):
                connection.close()

    def _delete_files(self, *suffixes: str) -> None:
        if self._path is not None:
            for suffix in suffixes:
                with disk_errors(f"deleting {str(self._path)!r}"):
                    Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    # ---- writing -----------------------------------------------------------------------------------------------------

    def _watermark(self, to: apsw.Connection) -> Watermark | None:
        found: list[Row] = to.execute("SELECT entries, last FROM watermark").fetchall()
        return Watermark(*found[0]) if found else None

    def _change(
        self,
        to: apsw.Connection,
        entries: Sequence[Entry],
        gone: Sequence[str],
        watermark: Watermark | None,
        *,
        scrub: bool,
    ) -> None:
        counted: Counter[int] = Counter()
        to.execute("BEGIN IMMEDIATE")
        try:
            for entry in {each.key: each for each in entries}.values():
                self._write(to, entry, counted)
            for key in gone:
                self._erase(to, key, counted)
            changes = [(change, number) for number, change in counted.items()]
            to.executemany("UPDATE name SET entries = entries + ? WHERE id = ?", changes)
            emptied = [(number,) for change, number in changes if change < 0]
            to.executemany("DELETE FROM name WHERE id = ? AND entries = 0", emptied)
            if emptied:
                self._numbers.clear()
            if watermark is not None:
                to.execute("INSERT OR REPLACE INTO watermark VALUES (1, ?, ?)", (watermark.entries, watermark.last))
            if scrub and self._path is not None:
                to.execute(f"PRAGMA user_version = {UNSCRUBBED}")
            to.execute("COMMIT")
        except BaseException:
            self._numbers.clear()
            with suppress(apsw.Error):
                if to.in_transaction:
                    to.execute("ROLLBACK")
            raise

    def _scrub(self, to: apsw.Connection) -> None:
        """Write what is there to a new file, and put it in the place of the old one.

        SQLite overwrites what it deletes, but where a page was split the part that moved stays behind.
        """
        if self._path is None:
            return
        copy = self._path.with_name(f"{self._path.name}{_COPY}")
        try:
            with disk_errors(f"writing {str(copy)!r}"):
                copy.unlink(missing_ok=True)
                os.close(os.open(copy, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, FILE_MODE))
                to.execute("VACUUM INTO ?", (str(copy),))
                with closing(apsw.Connection(str(copy))) as made:
                    made.execute("PRAGMA journal_mode = OFF")  # one that fails is deleted
                    made.execute(f"PRAGMA user_version = {VERSION}")
                self._disconnect()
                self._delete_files(*_LOG)
                copy.replace(self._path)
        except Exception as error:  # also for want of room: of what was noted before, nothing is left
            self._remove()
            raise _lost(error) from error

    def _write(self, to: apsw.Connection, entry: Entry, counted: Counter[int]) -> None:
        at = _microseconds(entry.at)
        names = sorted({self._number(to, name) for name in entry.names})
        found: list[Row] = to.execute("SELECT id, at, names FROM entry WHERE key = ?", (entry.key,)).fetchall()
        before: set[int] = set()
        if found:
            number, stood, written = found[0]
            before = set(msgspec.json.decode(written, type=list[int]))
            leaving = before if stood != at else before.difference(names)
            to.executemany(_LEAVE, [(name, stood, number) for name in leaving])
            counted.subtract(leaving)
            before -= leaving
            query = "UPDATE entry SET at = ?, names = ?, about = ? WHERE id = ?"
            to.execute(query, (at, _written(names), entry.about, number))
        else:
            query = "INSERT INTO entry (key, at, names, about) VALUES (?, ?, ?, ?)"
            to.execute(query, (entry.key, at, _written(names), entry.about))
            number = to.last_insert_rowid()
        new = [name for name in names if name not in before]
        to.executemany("INSERT INTO stands VALUES (?, ?, ?)", [(name, at, number) for name in new])
        counted.update(new)

    def _erase(self, to: apsw.Connection, key: str, counted: Counter[int]) -> None:
        found: list[Row] = to.execute("SELECT id, at, names FROM entry WHERE key = ?", (key,)).fetchall()
        for number, at, written in found:
            names = msgspec.json.decode(written, type=list[int])
            to.executemany(_LEAVE, [(name, at, number) for name in names])
            to.execute("DELETE FROM entry WHERE id = ?", (number,))
            counted.subtract(names)

    def _number(self, to: apsw.Connection, name: str, *, make: bool = True) -> int:
        """The number of a name; 0 for one that there is not, unless it is to be made."""
        number = self._numbers.get(name)
        if number is None:
            number = to.execute("SELECT id FROM name WHERE name = ?", (name,)).get
            if number is None:
                if not make:
                    return 0
                to.execute("INSERT INTO name (name, entries) VALUES (?, 0)", (name,))
                number = to.last_insert_rowid()
            if len(self._numbers) >= NAMES_KEPT_MAX:
                self._numbers.clear()
            self._numbers[name] = number
        return number

    # ---- reading -----------------------------------------------------------------------------------------------------

    def _walk(
        self, to: apsw.Connection, names: Sequence[str], limit: int, beyond: Place | None, oldest_first: bool
    ) -> Iterator[Entry]:
        """The entries in the order of a walk, as many as are taken."""
        sign = 1 if oldest_first else -1
        start = -sign * _BOUND if beyond is None else _microseconds(beyond.at)
        standing = self._standing(to, names, limit, (start, -sign * _BOUND), oldest_first)  # with all of that instant
        for at, group in groupby(standing, key=itemgetter(0)):
            numbers = [number for _, number in group]
            entries = [_entry(to, number) for number in numbers]
            if len(entries) > 1:
                entries.sort(key=lambda entry: entry.key, reverse=not oldest_first)
            for entry in entries:
                if beyond is None or at != start or _follows(entry.key, beyond.key, oldest_first):
                    yield entry

    def _standing(
        self, to: apsw.Connection, names: Sequence[str], limit: int, start: Standing, oldest_first: bool
    ) -> Iterator[Standing]:
        """What stands under any of these names, each once, in the order of instants."""
        numbers = {number for name in names if (number := self._number(to, name, make=False))}
        portion = max(2, min(256, 2 * limit // max(1, len(numbers)) + 2))
        streams = [_stream(to, number, start, oldest_first, portion) for number in sorted(numbers)]
        merged = streams[0] if len(streams) == 1 else heapq.merge(*streams, reverse=not oldest_first)
        return (each for each, _ in groupby(merged))

    def _count(self, to: apsw.Connection, names: Sequence[str], limit: int, before: datetime | None) -> int:
        if before is None and len(names) == 1:
            return min(limit, to.execute("SELECT entries FROM name WHERE name = ?", (names[0],)).get or 0)
        start = (_BOUND if before is None else _microseconds(before), -_BOUND)
        return sum(1 for _ in islice(self._standing(to, names, limit, start, False), limit))


def _stream(to: apsw.Connection, name: int, start: Standing, oldest_first: bool, portion: int) -> Iterator[Standing]:
    """What stands under one name beyond a place, read in growing portions."""
    while True:
        found: list[Any] = to.execute(_NEWER if oldest_first else _OLDER, (name, *start, portion)).fetchall()
        yield from found
        if len(found) < portion:
            return
        start, portion = found[-1], min(1_024, portion * 2)


def _follows(key: str, other: str, oldest_first: bool) -> bool:
    """Whether, at one instant, a key comes after another in the order of a walk."""
    return key > other if oldest_first else key < other


def _entry(to: apsw.Connection, number: int) -> Entry:
    found: list[Row] = to.execute("SELECT key, at, about FROM entry WHERE id = ?", (number,)).fetchall()
    key, at, about = found[0]
    return Entry(key, _EPOCH + at * _MICROSECOND, (), about)


def _written(names: Iterable[int]) -> str:
    return msgspec.json.encode(list(names)).decode()


def _microseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _lost(error: Exception) -> Unavailable:
    return Unavailable(f"the index was lost and is made anew; ask again in a while ({error})", code="index-lost")
