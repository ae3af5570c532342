"""Durable commits, rows and blobs on this disk: ours, then bare SQLite and other ways to sync many small files.

One commit is what a give writes: one journal entry with an envelope of 544 bytes, the head of its chain, and four rows
of 80 bytes under random keys. The probe writes the same rows to the same tables in one thread, without callers, checks
or answers. Every figure is of work that was on the disk before it counted.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import apsw

from comity.ports import Batch, Head, JournalEntry, Put
from comity.stores.blobs import FolderBlobs
from comity.stores.durable import sync_folder, write_synced
from comity.stores.folder import FolderHighWaterMark
from comity.stores.schema import SET_ROW, migrate
from comity.stores.sqlite import SqliteStore

AT = datetime(2016, 11, 23, tzinfo=UTC)
BLOB_BYTES = 8192


def give(chain: str, sequence: int) -> tuple[Batch, dict[str, Head | None]]:
    """One commit, and the head it expects."""
    record = hashlib.sha256(f"{chain} {sequence}".encode()).digest()
    entry = JournalEntry(chain, sequence, record, record * 17, record, "changes", "", True, 1, AT)
    puts = tuple(Put(f"table-{n}", record[n:].hex(), record * 2 + record[:16]) for n in range(4))
    head = Head(sequence + 1, record, record)
    before = hashlib.sha256(f"{chain} {sequence - 1}".encode()).digest()
    return Batch((entry,), {chain: head}, puts), {chain: Head(sequence, before, before) if sequence else None}


def row(
    name: str, ours: float, unit: str, peer: float | None = None, peer_name: str = "", aim: object = None
) -> dict[str, object]:
    ratio = None if peer is None else ours / peer
    return {"name": name, "ours": ours, "peer": peer, "peer_name": peer_name, "unit": unit, "ratio": ratio, "aim": aim}


async def commits(folder: Path, count: int, flight: int) -> tuple[float, list[float]]:
    """Commits per second with ``flight`` callers at once, and the seconds each waited, in order."""
    store = await SqliteStore.open(folder / f"ours-{flight}")
    waited = []

    async def caller(chain: str) -> None:
        for sequence in range(count // flight):
            batch, expected = give(chain, sequence)
            started = time.perf_counter()
            await store.commit(batch, expected)
            waited.append(time.perf_counter() - started)

    started = time.perf_counter()
    await asyncio.gather(*(caller(f"r{number}/jp") for number in range(flight)))
    taken = time.perf_counter() - started
    await store.close()
    return len(waited) / taken, sorted(waited)


def probe(folder: Path, count: int, group: int) -> float:
    """Commits per second of bare SQLite: the same rows, ``group`` gives in each transaction, one thread, no checks."""
    connection = apsw.Connection(str(folder / f"probe-{group}"))
    for setting in ("journal_mode = WAL", "synchronous = FULL", "wal_autocheckpoint = 4096", "cache_size = -65536"):
        connection.execute(f"PRAGMA {setting}")
    migrate(connection)
    gives = [give(f"r{number % group}/jp", number // group)[0] for number in range(count)]
    started = time.perf_counter()
    for start in range(0, count, group):
        connection.execute("BEGIN IMMEDIATE")
        for position, batch in enumerate(gives[start : start + group], start):
            (entry,) = batch.entries
            connection.execute(
                "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    position,
                    entry.chain,
                    entry.sequence,
                    entry.record,
                    entry.envelope,
                    entry.salt,
                    "changes",
                    "",
                    1,
                    1,
                    0,
                ),
            )
            for chain, head in batch.heads.items():
                connection.execute(
                    "INSERT OR REPLACE INTO heads VALUES (?, ?, ?, ?)", (chain, head.size, head.last, head.root)
                )
            for put in batch.puts:
                connection.execute(SET_ROW, (put.table, put.key, put.value))
        connection.execute("COMMIT")
    taken = time.perf_counter() - started
    connection.close()
    return count / taken


async def large_batches(path: Path, count: int) -> float:
    """Rows per second of commits of 1,000 rows in key order, four at once: a feed, or a rebuild."""
    store = await SqliteStore.open(path)

    async def caller(number: int) -> None:
        for part in range(count // 4000):
            puts = tuple(Put(f"table-{number}", f"{part:06}{n:04}", b"x" * 80) for n in range(1000))
            await store.commit(Batch(puts=puts), {})

    started = time.perf_counter()
    await asyncio.gather(*map(caller, range(4)))
    taken = time.perf_counter() - started
    await store.close()
    return count // 4000 * 4000 / taken


async def reads(path: Path, count: int) -> float:
    """Microseconds to get one row on the event loop."""
    store = await SqliteStore.open(path)
    started = time.perf_counter()
    for n in range(count):
        await store.get("table-0", [f"{0:06}{n % 1000:04}"])
    taken = time.perf_counter() - started
    await store.close()
    return taken / count * 1e6


async def marks(folder: Path, count: int) -> float:
    """High-water marks per second, one caller."""
    mark = FolderHighWaterMark(folder / "mark")
    started = time.perf_counter()
    for size in range(count):
        await mark.write({"r/jp": size})
    return count / (time.perf_counter() - started)


def random_blobs(count: int) -> dict[bytes, bytes]:
    contents = [os.urandom(BLOB_BYTES) for _ in range(count)]
    return {hashlib.sha256(content).digest(): content for content in contents}


async def our_blobs(folder: Path, count: int, group: int) -> float:
    """Blobs per second of ``put_many`` with ``group`` blobs in each call."""
    blobs = await FolderBlobs.in_folder(folder)
    batches = [random_blobs(group) for _ in range(count // group)]
    started = time.perf_counter()
    for batch in batches:
        await blobs.put_many(batch)
    taken = time.perf_counter() - started
    await blobs.close()
    return count // group * group / taken


def other_ways(folder: Path, count: int, group: int) -> dict[str, float]:
    """Blobs per second of other ways that are as durable, or shown to be slower for their simplicity."""
    (folder / "temporary").mkdir()
    targets = [folder / f"{number:02x}" for number in range(256)]
    for target in targets:
        target.mkdir()

    def place(digest: bytes, content: bytes, one: bool) -> Path:
        temporary = folder / "temporary" / digest.hex()
        write_synced(temporary, content)
        target = targets[0] if one else targets[digest[0]]
        temporary.rename(target / digest.hex())
        return target

    def each_alone(batch: dict[bytes, bytes]) -> None:
        for digest, content in batch.items():
            sync_folder(place(digest, content, False))

    def folders_once(batch: dict[bytes, bytes]) -> None:
        for target in {place(digest, content, False) for digest, content in batch.items()}:
            sync_folder(target)

    def one_folder(batch: dict[bytes, bytes]) -> None:
        list(threads.map(lambda pair: place(*pair, True), batch.items()))
        sync_folder(targets[0])

    def whole_disk(batch: dict[bytes, bytes]) -> None:
        for digest, content in batch.items():
            (folder / "temporary" / digest.hex()).write_bytes(content)
        os.sync()
        for digest in batch:
            (folder / "temporary" / digest.hex()).rename(targets[digest[0]] / digest.hex())
        os.sync()

    ways: dict[str, Callable[[dict[bytes, bytes]], None]] = {
        "one thread, folder synced for each": each_alone,
        "one thread, folders synced once": folders_once,
        "8 threads, all in one folder": one_folder,
        "sync() of the whole machine, twice": whole_disk,
    }
    speeds = {}
    with ThreadPoolExecutor(8) as threads:
        for name, way in ways.items():
            batches = [random_blobs(group) for _ in range(count // group)]
            started = time.perf_counter()
            for batch in batches:
                way(batch)
            speeds[name] = count // group * group / (time.perf_counter() - started)
    return speeds


def commit_rows(folder: Path, count: int, flight: int, rounds: int) -> list[dict[str, object]]:
    """Ours and the probe in turn, the best round of each: the disk belongs to others as well."""
    best, waits, bare = 0.0, [0.0], 0.0
    for number in range(rounds):
        place = folder / f"{flight}-{number}"
        place.mkdir()
        speed, waited = asyncio.run(commits(place, count, flight))
        best, waits = max((best, waits), (speed, waited))
        bare = max(bare, probe(place, count, flight))
    p50, p99 = (waits[len(waits) * part // 100] * 1e3 for part in (50, 99))
    who = "1 caller" if flight == 1 else f"{flight} callers"
    return [
        row(f"commits, {who}", best, "1/s", bare, f"bare SQLite, {flight} in each transaction"),
        row(f"commit, {who}, p50", p50, "ms"),
        row(f"commit, {who}, p99", p99, "ms", aim="at most 5 ms" if flight == 1 else None),
    ]


def run(quick: bool) -> list[dict[str, object]]:
    """Measure on the disk of the working folder (a temporary folder may be memory)."""
    scale, rounds = (1, 1) if quick else (4, 3)
    rows = []
    with tempfile.TemporaryDirectory(dir=".", prefix=".benchmark-") as name:
        folder = Path(name)
        for flight, count in ((1, 500), (64, 2560), (512, 5120)):
            rows += commit_rows(folder, count * scale, flight, rounds)
        sorted_rows = max(asyncio.run(large_batches(folder / f"rows-{n}", 40_000 * scale)) for n in range(rounds))
        rows.append(row("rows in key order, batches of 1,000", sorted_rows, "1/s", aim="at least 100000 1/s"))
        rows.append(row("get one row", asyncio.run(reads(folder / "rows-0", 5000 * scale)), "µs"))
        rows.append(row("high-water mark, 1 caller", asyncio.run(marks(folder, 100 * scale)), "1/s"))
        (folder / "ours").mkdir()
        (folder / "others").mkdir()
        one = asyncio.run(our_blobs(folder / "ours", 32 * scale, 1))
        rows.append(row("blobs of 8 KiB, 1 at a time", one, "1/s"))
        ours = max(asyncio.run(our_blobs(folder / "ours", 320 * scale, 64)) for _ in range(rounds))
        rows.append(row("blobs of 8 KiB, 64 at a time", ours, "1/s", aim="at least 1000 1/s"))
        for other, speed in other_ways(folder / "others", 320 * scale, 64).items():
            rows.append(row("blobs of 8 KiB, 64 at a time", ours, "1/s", speed, other))
    return rows
