"""One side of the feed benchmark, in a process of its own: what a node does with a feed, without its register.

Everything a message goes through is the node's own: reading, the gate, cutting, sealing, commitments, the log, SQLite
with fsync, signed WebSockets over TLS 1.3, opening, checking, cosigning. Only the standing release is given, not asked
for.

    python -m benchmarks._feed_side publisher FOLDER        says its port and the digest of its certificate
    python -m benchmarks._feed_side recipient FOLDER PORT DIGEST

Commands come as JSON, one a line: ``{"rate": 10000, "seconds": 60}`` publishes so many a second (0: as many as go,
1,000 in each of 8 requests at once; -1: one in each of 1,000), and the answer is one line.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.courier.http import HttpCourier
from comity.errors import Refused
from comity.feed.gate import Epoch, Gate
from comity.feed.publication import microseconds
from comity.feed.release import parse_release
from comity.feed.schema import parse_schema
from comity.flows.feeding.books import ROOTS_AT_ONCE
from comity.flows.feeding.delivering import Delivery
from comity.flows.feeding.names import FeedName, Parties
from comity.flows.feeding.proving import Kept
from comity.flows.feeding.publishing import Publisher
from comity.flows.feeding.receiving import Arrived, Recipient
from comity.flows.feeding.shelf import Shelf
from comity.node.channels import Callers
from comity.node.quota import Quotas
from comity.node.run import SWITCH_SECONDS, SystemClock, system_entropy
from comity.node.server import PeerDoor
from comity.node.serving import Serving, listen_tcp
from comity.node.tls import server_context
from comity.ports import Channel
from comity.record.card import Card, RegistryKey, write_card
from comity.seal.certificate import make_certificate
from comity.stores.sqlite import SqliteStore

SCHEMA = """
[schema]
format = 1
id = "air-picture"
title = { en = "Air picture" }

[[type]]
id = "track"
time = "observed"
source = "sensor"

[type.fields]
track      = { kind = "text", mark = "secret" }
observed   = { kind = "instant", mark = "secret" }
latitude   = { kind = "number", mark = "secret", role = "position" }
longitude  = { kind = "number", mark = "secret", role = "position" }
height     = { kind = "number", mark = "secret" }
speed      = { kind = "number", mark = "secret", optional = true }
sensor     = { kind = "text", mark = "secret" }
method     = { kind = "text", mark = "top" }
quality    = { kind = "integer" }
remark     = { kind = "text", mark = "top" }
"""
RELEASE = """
[release]
format = 1
feed = "air-picture"
mark = "secret"
topic = "missile-warning"
purpose = "air defence"
until = "2099-01-01T00:00:00Z"

[[release.posture]]
posture = "normal"
[release.posture.types.track]
fields = ["track", "observed", "latitude", "longitude", "height", "speed", "sensor"]
round = { latitude = "0.01", longitude = "0.01", speed = "10" }
"""
MESSAGE_BYTES = 300
NAME = FeedName("jp-kr-2016/jp.kr", "jp", "air-picture")
NOW = datetime.now(UTC)
SCHEMA_READ = parse_schema(SCHEMA, "schema")
RELEASE_READ = parse_release(RELEASE, "release", SCHEMA_READ, {"secret": 1, "top": 2})


class Key:
    """A signing key that both sides can make from its name."""

    def __init__(self, name: str) -> None:
        private = Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest())
        self.public = private.public_key().public_bytes_raw()
        self.sign = private.sign


def card(party: str, certificate: bytes = bytes(32), address: str = "https://127.0.0.1:1") -> Card:
    """The card of one of the two."""
    return Card(
        version=1,
        party=party,
        name=party,
        root=Key(f"{party} root").public,
        node_sign=(Key(f"{party} record").public,),
        log=Key(f"{party} log").public,
        witness=Key(f"{party} witness").public,
        transport=Key(f"{party} transport").public,
        certificate=certificate,
        addresses=(address,),
        registry=(RegistryKey(1, "age1nobody"),),
        suites=("ed25519",),
        records=(1,),
        issued=NOW - timedelta(days=1),
        until=NOW + timedelta(days=365),
    )


def parties(own: str, peer: str) -> Parties:
    """The keys of both ends, as one of them has them."""
    theirs = card(peer)
    return Parties(Key(f"{own} log"), Key(f"{own} witness"), own, theirs.log, theirs.witness, peer)


class Given:
    """The control plane: one release that stands."""

    def __init__(self) -> None:
        self._gate = Gate(stands=True, why="", since=NOW, changed="release", schema=SCHEMA_READ, release=RELEASE_READ)

    async def gate(self, name: FeedName) -> Gate:
        """What is so."""
        assert name == NAME
        return self._gate

    async def next_epoch(self, name: FeedName, first: int) -> Epoch:
        """A key that both sides can make."""
        assert name == NAME
        number = first + 1
        return Epoch(number, sha256(b"%d" % number).digest(), SystemClock().now())

    async def epoch_key(self, name: FeedName, epoch: int) -> bytes | None:
        """The same key."""
        assert name == NAME
        return sha256(b"%d" % epoch).digest()

    async def contradicted(self, name: FeedName, words: Sequence[bytes], shelf: Shelf) -> None:
        """Nobody lies here."""
        raise AssertionError(name, words, shelf)


class Keys:
    """What the door uses."""

    transport = Key("jp transport")


class Side:
    """As much of a house as the door and the callers ask for."""

    keys = Keys()

    def __init__(self, publisher: Publisher | None, recipient: Recipient | None, peer: Card) -> None:
        self._publisher = publisher
        self._recipient = recipient
        self._peer = peer

    async def card(self) -> bytes:
        """Our own card."""
        return write_card(card("jp"), Key("jp root").sign)

    async def peer_card(self, party: str) -> Card:
        """The other one's."""
        if party != self._peer.party:
            raise Refused("a stranger", code="unknown-peer")
        return self._peer

    async def deliver(self, peer: str, relationship: str, feed: str, channel: Channel) -> None:
        """The door's channel."""
        assert self._publisher is not None
        assert (peer, relationship, feed) == (self._peer.party, NAME.relationship, NAME.feed)
        await Delivery(self._publisher, channel).run()

    async def followed(self) -> list[FeedName]:
        """The callers' feed."""
        return [NAME]

    async def recipient(self, name: FeedName) -> Recipient:
        """What takes it."""
        assert self._recipient is not None
        assert name == NAME
        return self._recipient


def messages(count: int) -> list[bytes]:
    """Tracks of 300 bytes, each another."""
    made = []
    for number in range(count):
        fields = {
            "type": "track",
            "track": f"T-{number % 997}",
            "observed": "2026-11-20T01:02:03.417Z",
            "latitude": 38 + number * 0.00013,
            "longitude": 131.4471 + number * 0.00017,
            "height": 11280.5 + number % 100,
            "speed": 241.7 + number % 50,
            "sensor": f"fps-5/okushiri-{number % 8}",
            "method": "multistatic",
            "quality": number % 10,
            "remark": "",
        }
        short = MESSAGE_BYTES - len(msgspec.json.encode(fields))
        made.append(msgspec.json.encode(fields | {"remark": "x" * max(0, short)}))
    return made


def used() -> dict[str, float]:
    """Processor seconds of this process, and its memory now, in MiB."""
    spent = resource.getrusage(resource.RUSAGE_SELF)
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return {"cpu": spent.ru_utime + spent.ru_stime, "memory": pages * os.sysconf("SC_PAGE_SIZE") / 2**20}


async def publish(publisher: Publisher, rate: int, seconds: float, pool: list[bytes]) -> dict[str, float]:
    """Publish for so long at a rate, or as fast as it goes; until the other side has it all."""
    before, count, start = used(), 0, time.perf_counter()
    end = start + seconds
    if rate <= 0:
        each, callers = (1000, 8) if rate == 0 else (1, 1000)
        counts = [0] * callers

        async def call(place: int) -> None:
            at = place * 37
            while time.perf_counter() < end:
                at = (at + each) % (len(pool) - each)
                counts[place] += (await publisher.publish(pool[at : at + each])).accepted

        await asyncio.gather(*(call(place) for place in range(callers)))
        count = sum(counts)
    else:
        tasks: set[asyncio.Task[object]] = set()
        while (now := time.perf_counter()) < end:
            due = int((now - start) * rate)
            if due > count:
                at = count % (len(pool) - 2000)
                task = asyncio.create_task(publisher.publish(pool[at : at + min(due - count, 2000)]))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                count += min(due - count, 2000)
            await asyncio.sleep(0.001)
        await asyncio.gather(*tasks)
    durable = time.perf_counter() - start
    while publisher.acknowledged < publisher.size or publisher.held:  # noqa: ASYNC110 - nothing tells it
        await asyncio.sleep(0.001)
    after = used()
    return {
        "count": count,
        "seconds": time.perf_counter() - start,
        "durable_seconds": durable,
        "cpu": after["cpu"] - before["cpu"],
        "memory": after["memory"],
        "batches": publisher.size,
    }


class Latencies:
    """From publish to durable at the peer, a count for each tenth of a millisecond."""

    def __init__(self) -> None:
        self.counts = [0] * 100_000
        self.before = used()

    def heard(self, arrived: Arrived) -> None:
        """A batch became durable."""
        for at in arrived.opened.contents.at:
            self.counts[min((arrived.at - at) // 100, 99_999)] += 1

    def take(self) -> dict[str, float]:
        """The figures since the last time."""
        total, after = sum(self.counts), used()
        found: dict[str, float] = {"count": total, "cpu": after["cpu"] - self.before["cpu"], "memory": after["memory"]}
        for name, share in (("median", 0.5), ("p99", 0.99), ("p999", 0.999)):
            passed = 0
            for place, count in enumerate(self.counts):
                passed += count
                if total and passed >= share * total:
                    found[name] = (place + 1) / 10
                    break
        self.counts = [0] * 100_000
        self.before = used()
        return found


async def log_originals(publisher: Publisher) -> None:
    """Work out the roots over what was published, as a node's books do."""
    kept, done = Kept(NAME, publisher.shelf, Given()), 0
    while True:
        await asyncio.sleep(1.0)
        while done < publisher.size:
            end = min(done + ROOTS_AT_ONCE, publisher.size)
            await kept.original_roots(done, end)
            done = end


async def serve(folder: Path, stack: AsyncExitStack) -> Callable[[dict[str, float]], object]:
    """The publishing side."""
    store = await SqliteStore.open(folder / "feeds.sqlite", large_rows=True)
    stack.push_async_callback(store.close)
    publisher = Publisher(
        NAME,
        shelf=Shelf(store, NAME.origin, bytes(32), system_entropy),
        authority=Given(),
        parties=parties("jp", "kr"),
        clock=SystemClock(),
        entropy=system_entropy,
    )
    await publisher.start()
    stack.push_async_callback(publisher.close)
    logging = asyncio.create_task(log_originals(publisher))
    stack.callback(logging.cancel)
    made = make_certificate("jp", NOW)
    (folder / "certificate").write_bytes(made.chain)
    (folder / "key").write_bytes(made.key)
    side = Side(publisher, None, card("kr"))
    door = PeerDoor(
        side,  # type: ignore[arg-type]  # nothing else of it is asked here
        feeds=side,
        clock=SystemClock(),
        monotonic=time.monotonic,
        quotas=Quotas(),
        free_bytes=lambda: 2**40,
        seen=lambda _: None,
    )
    listener = listen_tcp("127.0.0.1", 0)
    serving = Serving(door, listener, server_context(folder / "certificate", folder / "key"))
    task = asyncio.create_task(serving.run())
    stack.callback(task.cancel)
    stack.callback(serving.stop)
    print(json.dumps({"port": listener.getsockname()[1], "digest": made.digest.hex()}), flush=True)
    pool = messages(20_000)
    return lambda asked: publish(publisher, int(asked["rate"]), asked["seconds"], pool)


async def follow(folder: Path, port: int, digest: bytes, stack: AsyncExitStack) -> Callable[[dict[str, float]], object]:
    """The receiving side."""
    store = await SqliteStore.open(folder / "feeds.sqlite", large_rows=True)
    stack.push_async_callback(store.close)
    recipient = Recipient(
        NAME,
        shelf=Shelf(store, NAME.origin, bytes(32), system_entropy),
        authority=Given(),
        parties=parties("kr", "jp"),
        clock=SystemClock(),
        fetch=lambda: None,
    )
    await recipient.start()
    latencies = Latencies()
    recipient.listeners.append(latencies.heard)
    side = Side(None, recipient, card("jp", digest, f"https://127.0.0.1:{port}"))

    def connect(to: Card) -> HttpCourier:
        return HttpCourier(
            to,
            sender="kr",
            signer=lambda: Key("kr transport"),
            clock=SystemClock(),
            entropy=system_entropy,
            reply_bytes_max=2**20,
        )

    callers = Callers(side, connect=connect, clock=SystemClock(), entropy=system_entropy)
    task = asyncio.create_task(callers.run())
    stack.callback(task.cancel)

    async def take(_: dict[str, float]) -> dict[str, float]:
        return latencies.take()

    print(json.dumps({"since": microseconds(SystemClock().now())}), flush=True)
    return take


async def main(kind: str, folder: Path, *rest: str) -> None:
    """Serve commands until there are no more."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        if kind == "publisher":
            act = await serve(folder, stack)
        else:
            act = await follow(folder, int(rest[0]), bytes.fromhex(rest[1]), stack)
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            print(json.dumps(await act(json.loads(line))), flush=True)  # type: ignore[misc]  # each is awaited


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
