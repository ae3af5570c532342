"""The SQLite store on bad disks, full disks, and under other versions (``spec/store.md`` 4 to 23)."""

import asyncio
import random
import re
import shutil
import stat
from collections.abc import Coroutine, Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import apsw
import pytest

from comity.errors import Misuse, Rejected, Unavailable
from comity.flows.giving.release import ITEM_TITLE, PREPARED
from comity.flows.house import PERSON_NAME
from comity.flows.keeping.erasing import HEADER
from comity.ports import Ambiguous, Batch, DiskFull, Put
from comity.stores import sqlite
from comity.stores.backups.snapshot import snapshot
from comity.stores.schema import APPLICATION_ID, ERASABLE, MIGRATIONS, migrate
from comity.stores.sqlite import WRITER_CACHE_KIBIBYTES, SqliteStore
from stores.faulty_vfs import FaultyFileSystem, faulty_file_system, io_error
from stores.samples import batch, entry, expected, head

HOME = "jp-kr-2016/jp"


@pytest.fixture
def disk() -> Iterator[FaultyFileSystem]:
    with faulty_file_system() as system:
        yield system


def healthy(_number: int, _operation: str) -> None:
    """Nothing fails."""


async def operations_of_a_commit(disk: FaultyFileSystem, path) -> int:
    """How many writes and syncs the commit that the tests below repeat takes."""
    store = await SqliteStore.open(path)
    await store.commit(batch(HOME, 0), {HOME: None})
    disk.arm(healthy)
    await store.commit(batch(HOME, 1, 1, Put("t", "a", b"x")), expected(HOME, 1))
    count = disk.count
    await store.close()
    assert count >= 3, "write-ahead log: frames, then a sync"
    return count


@pytest.mark.parametrize("after", [False, True], ids=["not-written", "written"])
@pytest.mark.parametrize("full", [False, True], ids=["io-error", "disk-full"])
async def test_a_commit_that_fails_at_any_write_says_truly_what_is_there(disk, tmp_path, after, full):  # (9, 10, 12)
    """Each write and sync of a commit fails in turn, before or after it was done."""
    seen = set()
    for failing in range(1, 1 + await operations_of_a_commit(disk, tmp_path / "count")):
        path = tmp_path / f"store-{failing}"
        store = await SqliteStore.open(path)
        await store.commit(batch(HOME, 0), {HOME: None})
        before = await store.heads()

        def fail(number: int, operation: str, failing=failing) -> None:
            if number == failing:
                raise apsw.FullError("disk full") if full and operation == "write" else io_error()

        disk.arm(fail, after=after)
        try:
            await store.commit(batch(HOME, 1, 1, Put("t", "a", b"x")), expected(HOME, 1))
            outcome = None
        except Unavailable as error:
            outcome = type(error)
        disk.fault = None
        seen.add(outcome)
        if outcome is Ambiguous:
            with pytest.raises(Unavailable, match="read the heads first"):
                await store.commit(batch(HOME, 1), expected(HOME, 1))
        found = await store.heads()
        if outcome is DiskFull or outcome is Unavailable:
            assert found == before
        # all of it or nothing, and the store goes on from there, also after it was opened again
        size = found[HOME].size
        assert (await store.get("t", ["a"]) == [b"x"]) == (size == 2)
        assert len(await store.journal(0, 9)) == size
        await store.commit(batch(HOME, size), expected(HOME, size))
        await store.close()
        again = await SqliteStore.open(path)
        assert (await again.heads())[HOME] == head(HOME, size + 1)
        await again.close()
    assert Ambiguous in seen
    assert (DiskFull in seen) == full


async def test_what_was_ambiguous_is_durable_once_it_was_read(disk, tmp_path):  # (12)
    """After ``heads`` the answer no longer lives in the log whose sync failed."""
    store = await SqliteStore.open(tmp_path / "store")
    await store.commit(batch(HOME, 0), {HOME: None})

    def no_sync(_number: int, operation: str) -> None:
        if operation == "sync":
            raise io_error()

    disk.arm(no_sync)
    with pytest.raises(Ambiguous):
        await store.commit(batch(HOME, 1), expected(HOME, 1))
    with pytest.raises(Unavailable):
        await store.heads()  # the disk still fails: it cannot be found out
    with pytest.raises(Unavailable, match="read the heads first"):
        await store.commit(batch(HOME, 1), expected(HOME, 1))
    disk.fault = None
    size = (await store.heads())[HOME].size
    assert (tmp_path / "store-wal").stat().st_size == 0
    await store.commit(batch(HOME, size), expected(HOME, size))
    await store.close()


async def test_a_group_whose_sync_fails_is_ambiguous_for_everyone_in_it(disk, tmp_path):
    store = await SqliteStore.open(tmp_path / "store")

    def no_sync(_number: int, operation: str) -> None:
        if operation == "sync":
            raise io_error()

    disk.arm(no_sync)
    outcomes = await asyncio.gather(
        *(store.commit(batch(f"r/{n}", 0), {f"r/{n}": None}) for n in range(5)), return_exceptions=True
    )
    disk.fault = None
    assert [type(outcome) for outcome in outcomes] == [Ambiguous] * 5
    assert len({id(outcome) for outcome in outcomes}) == 5
    assert len(await store.heads()) in {0, 5}
    await store.close()


async def test_a_full_database_refuses_the_large_and_keeps_the_small(tmp_path):  # (8, 10)
    """SQLITE_FULL for real; an incident notice still fits beside a flood that does not."""
    store = await SqliteStore.open(tmp_path / "store")
    pages = store._writer.execute("PRAGMA page_count").get
    store._writer.execute(f"PRAGMA max_page_count = {pages + 20}")
    flood = Batch(puts=tuple(Put("flood", str(n), bytes(4000)) for n in range(100)))
    outcomes = await asyncio.gather(
        store.commit(batch("r/1", 0), {"r/1": None}),
        store.commit(flood, {}),
        store.commit(batch("r/2", 0), {"r/2": None}),
        return_exceptions=True,
    )
    assert outcomes[0] == 1
    assert isinstance(outcomes[1], DiskFull)
    assert outcomes[2] == 2
    assert await store.scan("flood", limit=9) == []
    with pytest.raises(DiskFull, match="nothing was written"):
        await store.replace_rows(["flood"], _stream(flood.puts))
    store._writer.execute(f"PRAGMA max_page_count = {pages + 10_000}")
    await store.commit(flood, {})
    assert len(await store.scan("flood", limit=200)) == 100
    await store.close()


async def _stream(puts):
    for put in puts:
        yield put


async def test_a_full_disk_for_real(small_disk):  # (10)
    """A file system of one megabyte: commits succeed, then none does, and every acknowledged one is there."""
    store = await SqliteStore.open(small_disk / "store")

    def commit(size: int) -> Coroutine[None, None, int]:
        return store.commit(batch(HOME, size, 1, Put("t", str(size), bytes(5000))), expected(HOME, size))

    size = 0
    with suppress(DiskFull):
        while size < 10_000:
            size = await commit(size)
    assert 0 < size < 10_000
    with pytest.raises(DiskFull):
        await commit(size)
    assert (await store.heads())[HOME] == head(HOME, size)
    await store.close()
    again = await SqliteStore.open(small_disk / "store")
    assert (await again.heads())[HOME] == head(HOME, size)
    assert len(await again.journal(0, 10_000)) == size
    await again.close()


async def test_two_stores_on_one_file_never_write_at_once(tmp_path):
    """The folder's lock forbids it; were it missing, the second is told to wait and no history forks."""
    one, two = await SqliteStore.open(tmp_path / "store"), await SqliteStore.open(tmp_path / "store")
    two._writer.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="another process"):
        await one.commit(batch(HOME, 0), {HOME: None})
    two._writer.execute("ROLLBACK")
    await one.commit(batch(HOME, 0), {HOME: None})
    assert await two.heads() == {HOME: head(HOME, 1)}
    await one.close()
    await two.close()


async def test_a_caller_that_goes_away_leaves_its_neighbours_and_the_store_whole(tmp_path):
    store = await SqliteStore.open(tmp_path / "store")
    leaving = asyncio.create_task(store.commit(batch("r/1", 0), {"r/1": None}))
    staying = asyncio.create_task(store.commit(batch("r/2", 0), {"r/2": None}))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying in {1, 2}
    assert set(await store.heads()) >= {"r/2"}
    await store.close()


async def test_close_writes_what_waits(tmp_path):
    store = await SqliteStore.open(tmp_path / "store")
    commits = [asyncio.create_task(store.commit(batch(HOME, n), expected(HOME, n))) for n in range(20)]
    await asyncio.sleep(0)
    await store.close()
    assert await asyncio.gather(*commits) == list(range(1, 21))


async def test_the_files_are_for_the_owner_alone(tmp_path):
    store = await SqliteStore.open(tmp_path / "store")
    await store.commit(batch(HOME, 0), {HOME: None})
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"store": 0o600, "store-wal": 0o600, "store-shm": 0o600}
    await store.close()


async def test_every_commit_waits_for_the_disk(tmp_path):  # (4)
    store = await SqliteStore.open(tmp_path / "store")
    settings = {
        "journal_mode": "wal",
        "synchronous": 2,
        "fullfsync": 1,
        "checkpoint_fullfsync": 1,
        "wal_autocheckpoint": 0,  # no commit moves the log by itself (15)
        "cache_size": -WRITER_CACHE_KIBIBYTES,
    }
    assert {name: store._writer.execute(f"PRAGMA {name}").get for name in settings} == settings
    await store.close()


async def test_reads_use_the_indexes(tmp_path):
    """A full scan of the journal would pass every other test and fail in the tenth year."""
    store = await SqliteStore.open(tmp_path / "store")
    plans = []
    store._reader.exec_trace = lambda _cursor, statement, bindings: plans.append((statement, bindings)) or True
    await store.chain(HOME, 5, 1)
    await store.find(bytes(32))
    await store.scan("t", "a", "b", limit=1, newest_first=True)
    await store.journal(7, 1)
    store._reader.exec_trace = None
    for statement, bindings in plans:
        details = [row[3] for row in store._reader.execute(f"EXPLAIN QUERY PLAN {statement}", bindings)]
        assert all(detail.startswith("SEARCH") for detail in details), (statement, details)
    await store.close()


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {len(MIGRATIONS) + 1}", "newer-database"),
        ("CREATE TABLE others (a)", "foreign-database"),
        ("PRAGMA application_id = 7; PRAGMA user_version = 1", "foreign-database"),
    ],
)
async def test_a_database_that_is_not_ours_is_refused_untouched(tmp_path, script, code):  # (21)
    with apsw.Connection(str(tmp_path / "store")) as other:
        other.execute(script)
    other.close()
    before = (tmp_path / "store").read_bytes()
    with pytest.raises(Rejected) as caught:
        await SqliteStore.open(tmp_path / "store")
    assert caught.value.code == code
    assert (tmp_path / "store").read_bytes() == before


async def test_a_damaged_file_is_refused(tmp_path):
    (tmp_path / "store").write_bytes(b"not a database at all" * 1000)
    with pytest.raises(Rejected, match="damaged"):
        await SqliteStore.open(tmp_path / "store")


async def test_a_symbolic_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").touch()
    (tmp_path / "store").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        await SqliteStore.open(tmp_path / "store")


async def test_the_way_to_the_file_may_have_links(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    store = await SqliteStore.open(tmp_path / "link" / "store")
    await store.commit(batch(HOME, 0), {HOME: None})
    await store.close()
    assert (tmp_path / "real" / "store").exists()


async def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(Unavailable, match="no/such"):
        await SqliteStore.open(tmp_path / "no" / "such")


async def test_a_sequence_number_taken_names_no_sql_of_ours(tmp_path):
    store = await SqliteStore.open(tmp_path / "store")
    await store.commit(batch(HOME, 0), {HOME: None})
    with pytest.raises(Misuse, match="sequence number that is taken"):
        await store.commit(Batch(entries=(entry(HOME, 0, salt="fork"),)), {})
    await store.close()


@pytest.mark.parametrize(("large_rows", "page_bytes"), [(False, 4096), (True, sqlite.LARGE_PAGE_BYTES)])
async def test_the_log_is_moved_while_commits_go_on(tmp_path, monkeypatch, large_rows, page_bytes):  # (15), (16)
    monkeypatch.setattr(sqlite, "LOG_PAGES", 256)
    path = tmp_path / "store"
    store = await SqliteStore.open(path, large_rows=large_rows)
    row = b"x" * 200_000
    for number in range(40):
        await store.commit(Batch(puts=(Put("frames", f"{number:03d}", row),)), {})
    while store._moving is not None:
        await asyncio.sleep(0.001)
    assert path.stat().st_size > 5_000_000
    assert (tmp_path / "store-wal").stat().st_size < 5_000_000
    assert apsw.Connection(str(path)).execute("PRAGMA page_size").get == page_bytes
    await store.close()
    again = await SqliteStore.open(path, large_rows=large_rows)
    assert len(await again.scan("frames", limit=100)) == 40
    assert await again.get("frames", ["039"]) == [row]
    await again.close()


def refuse(_store: SqliteStore) -> None:
    raise apsw.IOError("the disk does not answer")


async def test_a_log_that_cannot_be_moved_stays_where_it_is_and_commits_go_on(tmp_path, monkeypatch):  # (16)
    tried = []
    monkeypatch.setattr(sqlite, "LOG_PAGES", 100)
    monkeypatch.setattr(SqliteStore, "_copy_log", lambda store: tried.append(store) or refuse(store))
    store = await SqliteStore.open(tmp_path / "store")
    for number in range(20):
        await store.commit(Batch(puts=(Put("frames", f"{number:03d}", b"x" * 200_000),)), {})
    assert len(await store.scan("frames", limit=100)) == 20
    assert 2 <= len(tried) <= 10  # each time there are so many more, not after each commit
    await store.close()


def test_rows_stand_beside_the_tree_of_their_keys_from_version_2_on(tmp_path: Path) -> None:  # (17)
    """What was kept before is kept, and only its place is another."""
    rows = [("tile", f"a/{number:019d}", bytes([number]) * 8192) for number in range(5)]
    rows += [("item", f"i-{number}", b"row %d" % number) for number in range(50)]
    with closing(apsw.Connection(str(tmp_path / "store"))) as connection:
        connection.execute(MIGRATIONS[0])
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1")
        connection.executemany("INSERT INTO rows VALUES (?, ?, ?)", rows)
        migrate(connection)
        found = connection.execute('SELECT "table", key, value FROM rows ORDER BY "table", key').fetchall()
        assert found == sorted(rows)
        assert connection.execute("SELECT count(rowid) FROM rows").get == len(rows)
        names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'rows%'")
        assert names.fetchall() == [("rows",)]


def left_in(folder: Path, secrets: Iterable[bytes]) -> list[bytes]:
    """Which of these anybody finds who has the files."""
    found = b"".join(path.read_bytes() for path in folder.iterdir())
    return [secret for secret in secrets if secret in found]


def marked(dice: random.Random, count: int) -> dict[str, bytes]:
    """Values of all lengths by their names, which ``marks_in`` finds any piece of."""
    names = [f"{dice.randrange(16**12):012x}" for _ in range(count)]
    return {name: f"<{name}>".encode() * dice.randrange(2, 60) for name in names}


def marks_in(folder: Path) -> set[str]:
    found = b"".join(path.read_bytes() for path in folder.iterdir())
    return {name.decode() for name in re.findall(rb"<([0-9a-f]{12})", found)}


async def until_emptied(folder: Path) -> None:
    async with asyncio.timeout(60):
        while (folder / "store-wal").stat().st_size:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("table", sorted(ERASABLE))
async def test_nothing_is_left_of_what_was_erased(tmp_path: Path, table: str) -> None:  # (18)
    """Rows come and go in no order, so that pages are split and joined, with the store open and after it."""
    dice = random.Random(table)
    values = marked(dice, 1_200)
    names = list(values)
    store = await SqliteStore.open(tmp_path / "store")
    for start in range(0, len(names), 20):
        puts = [Put(table, name, values[name]) for name in names[start : start + 20]]
        puts += [Put("other", name, dice.randbytes(dice.randrange(300))) for name in names[start : start + 20]]
        await store.commit(Batch(puts=tuple(puts)), {})
    assert marks_in(tmp_path) == set(names)
    dice.shuffle(names)
    gone, kept = names[:1_000], sorted(names[1_000:])
    for start in range(0, len(gone), 20):
        await store.commit(Batch(puts=tuple(Put(table, name, None) for name in gone[start : start + 20])), {})
    await until_emptied(tmp_path)
    assert marks_in(tmp_path) == set(kept)
    assert await store.scan(table, limit=2_000) == [(name, values[name]) for name in kept]
    await store.close()
    assert marks_in(tmp_path) == set(kept)


async def test_a_log_that_is_being_read_is_emptied_when_nobody_reads_it(  # (18)
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "EMPTIED_AFTER_SECONDS", 0.01)
    store = await SqliteStore.open(tmp_path / "store")
    await store.commit(Batch(puts=(Put("header", "a", b"a key that is destroyed"),)), {})
    with snapshot(tmp_path / "store") as seen:
        assert seen.entries == 0
        await store.commit(Batch(puts=(Put("header", "a", None),)), {})
        await asyncio.sleep(0.1)
        await store.commit(Batch(puts=(Put("other", "b", b"commits go on"),)), {})
        assert left_in(tmp_path, [b"a key that is destroyed"])
    await until_emptied(tmp_path)
    assert left_in(tmp_path, [b"a key that is destroyed"]) == []
    await store.close()


async def test_what_a_crash_left_in_the_log_is_gone_after_the_next_opening(tmp_path: Path) -> None:  # (18)
    live, copied = tmp_path / "live", tmp_path / "copied"
    live.mkdir()
    store = await SqliteStore.open(live / "store")
    await store.commit(Batch(puts=(Put("header", "a", b"a key that is destroyed"),)), {})
    await store.commit(Batch(puts=(Put("header", "a", None),)), {})
    shutil.copytree(live, copied)
    await store.close()
    assert left_in(copied, [b"a key that is destroyed"])
    store = await SqliteStore.open(copied / "store")
    assert left_in(copied, [b"a key that is destroyed"]) == []
    await store.close()


def test_what_can_be_erased_is_behind_room_from_version_3_on(tmp_path: Path) -> None:  # (18)
    dice = random.Random(3)
    values = marked(dice, 800)
    with closing(apsw.Connection(str(tmp_path / "store"))) as connection:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(MIGRATIONS[0] + MIGRATIONS[1])
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 2")
        connection.executemany("INSERT INTO rows VALUES ('header', ?, ?)", values.items())
        migrate(connection)
        assert dict(connection.execute("SELECT key, value FROM rows").fetchall()) == values
        connection.execute("DELETE FROM rows")
    assert marks_in(tmp_path) == set()


def test_the_tables_that_are_erased_have_room() -> None:  # (18)
    assert {HEADER, ITEM_TITLE, PERSON_NAME, PREPARED} == set(ERASABLE)
