"""A feed between two processes, durable and logged on both sides, beside NATS JetStream that syncs every message.

Messages of 300 bytes, over TLS; ours are read, checked against their schema, decided, cut, sealed, logged in a Merkle
tree, made durable, delivered, opened, checked leaf by leaf, made durable again, cosigned and acknowledged; all of what
was published is kept and logged as well (``_feed_side.py``). The peer is one nats-server with file storage and
``sync_interval: always``, a publishing and a consuming process with its Python client (``_nats_side.py``), measured
from publish to consume. Runs of the two are interleaved, so that what else the machine does meets both.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import _feed_side as side
from comity.feed.batch import FORMAT, Contents, Place, open_batch, read_frame, seal_batch, view_leaves
from comity.feed.cut import cutters
from comity.feed.originals import Committer
from comity.feed.proof import original_tree
from comity.feed.schema import Reader
from comity.ledger.tree import Frontier
from comity.node.serving import free_port

RATES = (1_000, 10_000, 50_000)
HOUR = 3_600_000
"""Messages of an hour at 1,000 a second."""
WARM_SECONDS = 1.0
BATCH = 1000


class Side:
    """A process that takes commands as lines of JSON."""

    def __init__(self, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.said = self._read()

    def ask(self, **asked: float) -> dict[str, Any]:
        """One command and its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._read()

    def end(self) -> None:
        """No more commands."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("a side of the benchmark ended; what it said stands above")
        found: dict[str, Any] = json.loads(line)
        return found


Pair = tuple[Side, Side]


@contextmanager
def ours(folder: Path) -> Iterator[Pair]:
    """A publisher and a recipient, connected."""
    for name in ("jp", "kr"):
        (folder / name).mkdir()
    publisher = Side("benchmarks._feed_side", "publisher", str(folder / "jp"))
    port, digest = str(publisher.said["port"]), publisher.said["digest"]
    recipient = Side("benchmarks._feed_side", "recipient", str(folder / "kr"), port, digest)
    try:
        yield publisher, recipient
    finally:
        publisher.end()
        recipient.end()


@contextmanager
def theirs(folder: Path) -> Iterator[Pair | None]:
    """A server with a publisher and a consumer; None where there is none on this machine."""
    server = Path(sys.executable).with_name("nats-server")
    found = str(server) if server.exists() else shutil.which("nats-server")
    if found is None:
        yield None
        return
    port = free_port()
    settings = folder / "nats.conf"
    settings.write_text(
        f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "{folder / "nats"}", sync_interval: always }}\n'
    )
    process = subprocess.Popen([found, "-c", str(settings)], stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        publisher = Side("benchmarks._nats_side", "publisher", f"nats://127.0.0.1:{port}")
        consumer = Side("benchmarks._nats_side", "consumer", f"nats://127.0.0.1:{port}")
        try:
            yield publisher, consumer
        finally:
            publisher.end()
            consumer.end()
    finally:
        process.terminate()
        process.wait(20)


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("the peer's server does not listen")


def measure(pair: Pair, rate: int, seconds: float) -> dict[str, float]:
    """One run: what was published, how fast, how late it was at the other side, and what it cost."""
    sending, taking = pair
    taking.ask()
    sent = sending.ask(rate=rate, seconds=seconds)
    took = taking.ask()
    return {
        "count": sent["count"],
        "rate": sent["count"] / sent["seconds"],
        "median": took.get("median", 0.0),
        "p99": took.get("p99", 0.0),
        "p999": took.get("p999", 0.0),
        "sending": sent["cpu"] / sent["count"] * 1e6,
        "taking": took["cpu"] / max(1, took["count"]) * 1e6,
        "memory": sent.get("memory", 0.0),
        "memory_taking": took.get("memory", 0.0),
    }


def run(quick: bool) -> list[dict[str, object]]:
    """Rows: sustained rates one by one and in batches, latencies at three rates, cost and memory."""
    rounds, seconds, long = (1, 3.0, 3.0) if quick else (3, 10.0, 60.0)
    with tempfile.TemporaryDirectory(prefix="comity-feed-", dir=os.environ.get("COMITY_BENCH_FOLDER")) as name:
        folder = Path(name)
        with ours(folder) as pair, theirs(folder) as peer:
            both = [("ours", pair)] + ([("peer", peer)] if peer is not None else [])
            found: dict[tuple[str, int], list[dict[str, float]]] = {}
            for _, each in both:
                measure(each, -1, WARM_SECONDS)
            for _ in range(rounds):
                for rate in (-1, 0):
                    for who, each in both:
                        found.setdefault((who, rate), []).append(measure(each, rate, seconds))
            for rate in RATES:
                for who, each in both:
                    if who == "ours" or rate < 10_000:  # the peer does not sustain more, one by one
                        found[who, rate] = [measure(each, rate, long if rate == 10_000 else seconds)]
            hour = through_an_hour(pair, HOUR // 20 if quick else HOUR, seconds)
    return [*rows(found), *hour]


def through_an_hour(pair: Pair, messages: int, seconds: float) -> list[dict[str, object]]:
    """What both sides hold in memory after the first quarter of so many messages, and after all of them."""
    count, held = 0.0, []
    while count < messages:
        run = measure(pair, 0, seconds)
        count += run["count"]
        if count >= messages / 4:
            held.append((run["memory"], run["memory_taking"]))
    first, last = held[0], held[-1]
    return [
        {
            "name": f"memory of the {who} after {int(count):,} messages, beside that after a quarter of them",
            "ours": last[place],
            "peer": first[place],
            "peer_name": "itself, earlier",
            "unit": "MiB",
            "ratio": last[place] / first[place],
            "aim": "at most 1.1",
        }
        for place, who in enumerate(("publisher", "recipient"))
    ]


def budget() -> dict[str, float]:
    """Processor time of a message in each step by itself, in microseconds, in full batches."""
    schema, pool = side.SCHEMA_READ, side.messages(BATCH)
    reader, key = Reader(schema), side.Key("log")
    cutter = cutters(schema, side.RELEASE_READ.postures["normal"])["track"]
    committers = {name: Committer(tuple(kind.fields)) for name, kind in schema.types.items()}
    read = [reader.read(raw) for raw in pool]
    views = tuple(cutter.view(message) for message in read)  # type: ignore[arg-type]  # none is refused
    seed, turns = bytes(32), tuple(range(BATCH))
    leaves = view_leaves(seed, 0, views)
    contents = Contents(seed, (), ("s",), (0,) * BATCH, turns, (1_795_000_000_000_000,) * BATCH, views)
    place = Place(FORMAT, side.NAME.origin, 1, 0, 0, BATCH, "full")
    frame, _, _ = seal_batch(place, contents, leaves, seed, seed, Frontier(), key)
    log_key = side.NAME.log_key(key.public)
    steps: dict[str, Callable[[], object]] = {
        "publisher: reading and checking": lambda: [reader.read(raw) for raw in pool],
        "publisher: cutting and rounding": lambda: [cutter.view(message) for message in read],  # type: ignore[arg-type]  # as above
        "publisher: salted leaves": lambda: view_leaves(seed, 0, views),
        "publisher: sealing, log, signature": lambda: seal_batch(place, contents, leaves, seed, seed, Frontier(), key),
        "publisher: commitments to originals": lambda: original_tree(seed, read, leaves, committers),  # type: ignore[arg-type]  # as above
        "recipient: opening, every leaf, log, signature": lambda: open_batch(
            read_frame(frame), side.NAME.origin, seed, Frontier(), [log_key]
        ),
    }
    return {name: _microseconds(step) for name, step in steps.items()}


def _microseconds(step: Callable[[], object], times: int = 20) -> float:
    taken = []
    for _ in range(times):
        start = time.process_time()
        step()
        taken.append(time.process_time() - start)
    return statistics.median(taken) / BATCH * 1e6


def rows(found: dict[tuple[str, int], list[dict[str, float]]]) -> list[dict[str, object]]:
    """The table."""

    def median(who: str, rate: int, what: str) -> float | None:
        return statistics.median(each[what] for each in found[who, rate]) if (who, rate) in found else None

    def row(name: str, rate: int, what: str, unit: str, aim: str | float | None) -> dict[str, object]:
        mine, peer = median("ours", rate, what), median("peer", rate, what)
        assert mine is not None
        ratio = mine / peer if peer else None
        named = "NATS JetStream, every message synced" if peer else ""
        return {"name": name, "ours": mine, "peer": peer, "peer_name": named, "unit": unit, "ratio": ratio, "aim": aim}

    table = [
        row("messages a second, one by one (1,000 callers)", -1, "rate", "1/s", 10 if ("peer", -1) in found else None),
        row("messages a second, 1,000 in a request", 0, "rate", "1/s", "at least 20000 1/s"),
    ]
    for rate in RATES:
        aim = "at most 10 ms" if rate == 10_000 else None
        sustained = row(f"at {rate:,} a second: reached", rate, "rate", "1/s", None)
        table += [
            sustained,
            row(f"at {rate:,} a second: median to durable at the peer", rate, "median", "ms", None),
            row(f"at {rate:,} a second: p99", rate, "p99", "ms", aim),
            row(f"at {rate:,} a second: p99.9", rate, "p999", "ms", None),
        ]
    return [
        *table,
        row("processor time of a message, publisher", 0, "sending", "µs", None),
        row("processor time of a message, recipient", 0, "taking", "µs", None),
        row("memory of the publisher at the end", RATES[-1], "memory", "MiB", None),
        row("memory of the recipient at the end", RATES[-1], "memory_taking", "MiB", None),
        *[
            {"name": name, "ours": spent, "peer": None, "peer_name": "", "unit": "µs", "ratio": None, "aim": None}
            for name, spent in budget().items()
        ],
    ]
