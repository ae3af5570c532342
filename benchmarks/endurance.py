"""A ledger that grows to 10 million records in a node's data folder, and what each thing costs with its length.

The records are real (``_long_ledger.py`` says how so many are made): signed, in the journal with its indexes, with a
row of the register and a leaf in the tiles each. At every length the house itself appends (checked, stepped, signed,
synced; 64 callers share a commit) and proves leaves from its store; its real process is killed with ``kill -9`` while
it appends, and the time is taken from starting it again until it says that it takes requests. ``fsck`` is measured
beside the bare primitives over the same messages, in turns, and a rebuild at 100,000 records, for it holds the register
in memory.

Lengths are 10,000 and 100,000 when quick, else up to ``COMITY_BENCH_RECORDS`` (10,000,000 unless it says otherwise,
which needs 20 GB below ``COMITY_BENCH_FOLDER`` and a quarter of an hour).

What each figure has in it:

- *append*: from the call to the acknowledgement of each of 2,000 items, by the house in this process, divided by their
  number: facts, verdict, signature, ledger, SQLite, fsync, everything. The middle one of some rounds.
- *processor time of an append*: the same without the waiting for the disk.
- *proof*: a leaf at a random place, or two random sizes, proved from the store: its tiles are read from the database.
- *on disk*: the database and its log, by the number of records; beside it what the envelopes alone have.
- *restart*: process start, imports, SQLite's recovery of its log, the ledger's edge checked against its head, the
  agreement read, doors open. What was acknowledged before the kill is looked for afterwards.
- *fsck, digests*: ``comity fsck --only digests``: every entry read from the database and every message hashed that its
  digests need, compared with what the journal, the tiles and the heads say. The peer hashes the very same messages
  (envelope, signed bytes, leaf data, leaf, nodes), each once, from memory, in one thread, and does nothing else. From
  400,000 records on fsck shares the journal out among processes, one for each core.
- *fsck, signatures*: what fsck does to verify the signatures of entries, read from the database. The peer only
  verifies, in one thread, key, message and signature ready.
- *fsck of the books*: all of it: digests, signatures, verdicts made again, rows and tiles compared, and SQLite's own
  check of the file.
- *rebuild*: the register's tables made anew from the journal and put in place, as ``comity rebuild`` does it, with the
  check that follows: every signature is verified, every record stepped twice.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import apsw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchmarks._long_ledger import CHAIN, Ledger, begin, grow, officer, register
from comity.flows.house import House
from comity.flows.keeping.sequencer import TILE, tile_key
from comity.flows.maintaining.replaying import JOURNAL_READ, verify_ahead
from comity.ledger.leaf import LeafKind, record_leaf
from comity.ledger.proof import verify_consistency, verify_inclusion
from comity.ledger.tiles import edge_tiles
from comity.ledger.tree import LEAF, NODE, Frontier, ReadTile, TreeHead
from comity.node.checking import DIGESTS, check_folder
from comity.node.run import opened
from comity.record import dsse
from comity.record.contexts import RECORD
from comity.stores.backups.snapshot import View, snapshot

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
CALLERS = 64
APPENDS = 2_000
PROOFS = 1_000
KILLED_AFTER = 2_000
"""Records that a node appends before it is killed: some thousand pages in its log."""
REBUILT = 100_000
"""The length at which all of the books are checked and made anew; the least one when quick."""
HASHED = 100_000
"""Entries whose messages the peer hashes: those of the first so many."""
VERIFIED = 10_000
"""Entries whose signatures are verified."""

FLAT = (
    ("append", "append, 64 callers", "at most 1.25"),
    ("append processor", "processor time of an append", "at most 1.25"),
    ("inclusion", "inclusion proof from the store", "at most 2"),
    ("consistency", "consistency proof from the store", "at most 2"),
)
"""What is measured at every length, and how much more it may take. A proof is longer by the logarithm of the length."""
Figures = dict[str, float]


def run(quick: bool) -> list[dict[str, object]]:
    """Rows of figures, by the length of the ledger."""
    most = SIZES[1] if quick else int(os.environ.get("COMITY_BENCH_RECORDS", SIZES[-1]))
    least = SIZES[0]
    sizes = [*(size for size in SIZES if size < most), most]
    found: dict[int, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="comity-endurance-", dir=os.environ.get("COMITY_BENCH_FOLDER")) as name:
        ledger = begin(Path(name))
        for size in sizes:
            began = time.perf_counter()
            grow(ledger, size, os.cpu_count() or 1)
            _tell(f"{size:,} records", began)
            found[size] = {"disk": on_disk(ledger) / size, "envelope": envelope_bytes(ledger)}
            found[size]["restart"] = restart(ledger, 1 if quick else 3)
            found[size] |= asyncio.run(acts(ledger, 3 if quick else 5))
            _tell(f"{size:,} records: restarted, appended, proved", began, found[size])
            if size == (least if quick else min(most, REBUILT)):
                found[size] |= books(ledger, 1 if quick else 3)
                _tell("fsck and rebuild", began, found[size])
        began = time.perf_counter()
        found[most] |= digests(ledger, 3 if quick else 1)
        _tell("fsck of digests", began, found[most])
    return rows(found)


def _tell(what: str, began: float, figures: Figures | None = None) -> None:
    """How far it is, on the standard error: the table comes when all is measured."""
    told = ", ".join(f"{name} {figure:.4g}" for name, figure in (figures or {}).items())
    print(f"  {what}: {time.perf_counter() - began:.1f} s {told}", file=sys.stderr, flush=True)


def envelope_bytes(ledger: Ledger) -> float:
    """Bytes of the newest envelope."""
    with closing(apsw.Connection(str(ledger.database))) as connection:
        return float(connection.execute("SELECT length(envelope) FROM journal ORDER BY position DESC LIMIT 1").get)


def on_disk(ledger: Ledger) -> float:
    """Bytes of the database, with its log."""
    return sum(path.stat().st_size for path in ledger.folder.glob("comity.sqlite*"))


# ---- restart ---------------------------------------------------------------------------------------------------------


def restart(ledger: Ledger, times: int) -> float:
    """Seconds until a node that was killed takes requests again, the middle one of some times."""
    return statistics.median(_restart(ledger) for _ in range(times))


def _restart(ledger: Ledger) -> float:
    side = [sys.executable, "-m", "benchmarks._long_side", str(ledger.folder), str(CALLERS)]
    with subprocess.Popen(side, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = acknowledged = int(process.stdout.readline())
        while acknowledged < first + KILLED_AFTER:
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        acknowledged = max([acknowledged, *(int(line) for line in process.stdout if line.endswith("\n"))])
    began = time.perf_counter()
    node = [sys.executable, "-m", "comity", "--folder", str(ledger.folder), "node", "run", "--json"]
    with subprocess.Popen(node, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError("the node did not start again; what it said stands above")
        taken = time.perf_counter() - began
        process.terminate()
    if head(ledger).size < acknowledged:
        raise RuntimeError("what was acknowledged is not there after the kill")
    return taken


def head(ledger: Ledger) -> TreeHead:
    """Where the chain ends."""
    with closing(apsw.Connection(str(ledger.database))) as connection:
        size, root = connection.execute("SELECT size, root FROM heads WHERE chain = ?", (CHAIN,)).get
    return TreeHead(size, root)


# ---- appends and proofs ----------------------------------------------------------------------------------------------


async def acts(ledger: Ledger, rounds: int) -> Figures:
    """What an append and what proofs cost, in microseconds."""
    async with opened(ledger.folder) as house:
        by = await officer(house)
        await appends(house, by)
        taken = [await appends(house, by) for _ in range(rounds)]
        proved = [await proofs(house, random.Random(number)) for number in range(rounds)]
    return {
        "append": statistics.median(each for each, _ in taken),
        "append processor": statistics.median(each for _, each in taken),
        "inclusion": statistics.median(each for each, _ in proved),
        "consistency": statistics.median(each for _, each in proved),
    }


async def appends(house: House, by: str) -> tuple[float, float]:
    """Microseconds of an append, and of those the processor's."""

    async def caller() -> None:
        for _ in range(APPENDS // CALLERS):
            await register(house, by)

    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(caller() for _ in range(CALLERS)))
    count = APPENDS // CALLERS * CALLERS
    return (time.perf_counter() - began) / count * 1e6, (time.process_time() - worked) / count * 1e6


async def proofs(house: House, chance: random.Random) -> tuple[float, float]:
    """Microseconds of an inclusion and of a consistency proof; some of each are verified."""
    now = house.sequencer.head(CHAIN)
    state = TreeHead(now.size, now.root)
    places = [chance.randrange(now.size) for _ in range(PROOFS)]
    began = time.perf_counter()
    paths = [await house.ledgers.inclusion(CHAIN, place, now.size) for place in places]
    between = time.perf_counter()
    grown = [await house.ledgers.consistency(CHAIN, place + 1, now.size) for place in places]
    ended = time.perf_counter()
    for place, path, consistent in zip(places[:20], paths, grown, strict=False):
        (entry,) = await house.store.chain(CHAIN, place, 1)
        verify_inclusion(record_leaf(entry.salt, entry.envelope).hash, place, state, path)
        older = Frontier.peaked(place + 1, await _tiles(house, place + 1)).head()
        verify_consistency(older, state, consistent)
    return (between - began) / PROOFS * 1e6, (ended - between) / PROOFS * 1e6


async def _tiles(house: House, size: int) -> ReadTile:
    wanted = edge_tiles(size)
    values = await house.store.get(TILE, [tile_key(CHAIN, tile) for tile in wanted])
    found = {(tile.level, tile.index): value or b"" for tile, value in zip(wanted, values, strict=True)}
    return lambda level, index: found[level, index]


# ---- fsck and rebuild ------------------------------------------------------------------------------------------------


def digests(ledger: Ledger, rounds: int) -> Figures:
    """Microseconds a record: what fsck takes for digests, and the same messages only hashed."""
    messages = [message for entry in _entries(ledger, HASHED) for message in _messages(*entry)]
    ours, plain = float("inf"), float("inf")
    for _ in range(rounds):
        plain = min(plain, _timed(lambda: [sha256(message).digest() for message in messages]) / HASHED)
        began = time.perf_counter()
        checked = check_folder(ledger.folder, (DIGESTS,), lambda *_: None)
        ours = min(ours, (time.perf_counter() - began) / checked.entries * 1e6)
        if checked.findings:
            raise RuntimeError(f"fsck finds {checked.findings[0]}")
        plain = min(plain, _timed(lambda: [sha256(message).digest() for message in messages]) / HASHED)
    return {"digests": ours, "hashing": plain, "hashed": sum(map(len, messages)) / HASHED}


def _messages(record: bytes, envelope: bytes, salt: bytes) -> tuple[bytes, ...]:
    """What is hashed for one entry: its signed bytes, its envelope, its leaf's data, its leaf, and one node."""
    message = dsse.pae(RECORD, dsse.read(envelope, RECORD).payload)
    data = LeafKind.RECORD.value.encode() + salt + record
    return message, envelope, data, LEAF + record, NODE + record + record


def _entries(ledger: Ledger, count: int) -> list[tuple[bytes, bytes, bytes]]:
    with closing(apsw.Connection(str(ledger.database))) as connection:
        asked = "SELECT record, envelope, salt FROM journal WHERE chain = ? ORDER BY position LIMIT ?"
        return connection.execute(asked, (CHAIN, count)).fetchall()


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1e6


def books(ledger: Ledger, rounds: int) -> Figures:
    """Microseconds a record: signatures by fsck and bare, fsck of all books, a rebuild; and the memory of the last."""
    entries = _entries(ledger, VERIFIED)
    key = Ed25519PublicKey.from_public_bytes(ledger.signer.public)
    read = [dsse.read(envelope, RECORD) for _, envelope, _ in entries]
    ready = [(each.signatures[0].sig, dsse.pae(RECORD, each.payload)) for each in read]
    bare, ours = float("inf"), float("inf")
    for _ in range(rounds):
        bare = min(bare, _timed(lambda: [key.verify(signature, message) for signature, message in ready]) / VERIFIED)
        ours = min(ours, asyncio.run(_verified(ledger)))
    checked, _ = _command(ledger, "fsck", "--only", "books")
    rebuilt, memory = _command(ledger, "rebuild")
    count = entries_of(ledger)
    return {
        "signatures": ours,
        "bare": bare,
        "books": checked / count * 1e6,
        "rebuild": count / rebuilt,
        "memory": memory / 2**20,
    }


async def _verified(ledger: Ledger) -> float:
    """Microseconds that fsck takes for the signatures of an entry, with reading it."""
    keys = {dsse.key_id(ledger.signer.public): ledger.signer.public}
    with snapshot(ledger.database) as seen:
        view = View(ledger.database, seen)
        dsse._verified.clear()
        began = time.perf_counter()
        for first in range(0, VERIFIED, JOURNAL_READ):
            verify_ahead(await view.journal(first, JOURNAL_READ), keys)
        return (time.perf_counter() - began) / VERIFIED * 1e6


def _command(ledger: Ledger, *arguments: str) -> tuple[float, float]:
    """Seconds and most bytes of memory of a command at the ledger's folder."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "comity", "--folder", str(ledger.folder), *arguments, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise RuntimeError(f"comity {arguments[0]} ended with {process.returncode}; what it said stands above")
    return time.perf_counter() - began, used.ru_maxrss * 1024


def entries_of(ledger: Ledger) -> int:
    """How many entries the journal has."""
    with closing(apsw.Connection(str(ledger.database))) as connection:
        return int(connection.execute("SELECT count(*) FROM journal").get)


# ---- the table -------------------------------------------------------------------------------------------------------


def rows(found: dict[int, Figures]) -> list[dict[str, object]]:
    """The table."""
    least = next(iter(found))
    table: list[dict[str, object]] = []

    def row(name: str, ours: float, unit: str, peer: tuple[float, str] | None = None, aim: object = None) -> None:
        theirs, who = peer or (None, "")
        ratio = None if theirs is None else ours / theirs
        keys = ("name", "ours", "peer", "peer_name", "unit", "ratio", "aim")
        table.append(dict(zip(keys, (name, ours, theirs, who, unit, ratio, aim), strict=True)))

    for what, name, aim in FLAT:
        for size, figures in found.items():
            before = None if size == least else (found[least][what], f"itself at {least:,}")
            row(f"{name}, {size:,} records", figures[what], "µs", before, aim if before else None)
    for size, figures in found.items():
        row(f"restart after kill -9, {size:,} records", figures["restart"], "s", aim="at most 2 s")
    for size, figures in found.items():
        row(f"on disk per record, {size:,} records", figures["disk"], "bytes", (figures["envelope"], "its envelope"))
    most, last = list(found.items())[-1]
    who = "SHA-256 of the same messages"
    plain = 1e6 / last["hashing"], who
    row(f"fsck, digests of {most:,} records", 1e6 / last["digests"], "1/s", plain, "at least 0.33")
    row("the same", last["hashed"] / last["digests"], "MB/s", (last["hashed"] / last["hashing"], who))
    size, checked = next((size, each) for size, each in found.items() if "books" in each)
    bare = 1e6 / checked["bare"], "bare Ed25519 verification, one thread"
    row(f"fsck, signatures of {VERIFIED:,} records", 1e6 / checked["signatures"], "1/s", bare, "at least 0.8")
    row(f"fsck, all of the books of {size:,} records", 1e6 / checked["books"], "1/s", bare)
    row(f"rebuild, {size:,} records", checked["rebuild"], "1/s")
    row(f"memory of a rebuild, {size:,} records", checked["memory"], "MiB")
    return table
