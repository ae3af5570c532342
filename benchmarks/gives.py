"""Complete gives between two real nodes: 4 KiB documents, one hybrid recipient, TLS, everything durable on both sides.

Measured: two node processes on this machine (``_gives_side.py``), 64 gives in flight and then one caller alone. A give
counts when its receipt is back: nine signed records in three chains, two people, an assurance, checkpoints and
cosignatures. The peer is a bare probe in the same run that only seals, signs, hashes a leaf and commits, in batches of
100: what the primitives alone allow.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.api import Node
from comity.cli.demonstration.cast import RELATIONSHIP, SEOUL, TOKYO, House, introduce
from comity.flows.people.directory import ListDirectory
from comity.flows.pouch import ExportPouch, ImportPouch
from comity.ledger.tree import Frontier
from comity.node.serving import free_port
from comity.ports import Batch, Put
from comity.seal.age import seal_bytes
from comity.seal.keys import generate_identity
from comity.stores.sqlite import SqliteStore

DOCUMENT_BYTES = 4096
IN_FLIGHT = 64
PROBE_BATCH = 100


def run(quick: bool) -> list[dict[str, object]]:
    """Rows: gives per second, latency of one caller, and the share of cryptography."""
    seconds = 8.0 if quick else 60.0
    with tempfile.TemporaryDirectory(prefix="comity-gives-", dir=os.environ.get("COMITY_BENCH_FOLDER")) as folder:
        sends = asyncio.run(probe(Path(folder), 3.0))
        file = Path(folder) / "document"
        file.write_bytes(os.urandom(DOCUMENT_BYTES))
        jp, kr = set_up(Path(folder))
        many, many_kr = play(jp, kr, file, IN_FLIGHT, seconds)
        alone, _ = play(jp, kr, file, 1, seconds / 4)
    rate = many["gives"] / many["seconds"]
    used = many["cpu_seconds"] + many_kr["cpu_seconds"]
    share = (many["cryptography_seconds"] + many_kr["cryptography_seconds"]) / used
    return [
        row("complete gives, 64 in flight", rate, sends, "bare probe: seal, sign, commit", "1/s", "at least 1000 1/s"),
        row("complete give, one caller, p99", alone["p99_ms"], None, "", "ms", "at most 20 ms"),
        row("complete give, one caller, median", alone["median_ms"], None, "", "ms", None),
        row("complete give, 64 in flight, p99", many["p99_ms"], None, "", "ms", None),
        row("processor time of a give, both nodes", used / many["gives"] * 1000, None, "", "ms", None),
        row("share of it in cryptography", share * 100, None, "", "%", None),
    ]


def row(name: str, ours: float, peer: float | None, peer_name: str, unit: str, aim: str | None) -> dict[str, object]:
    ratio = ours / peer if peer else None
    return {"name": name, "ours": ours, "peer": peer, "peer_name": peer_name, "unit": unit, "ratio": ratio, "aim": aim}


async def probe(folder: Path, seconds: float) -> float:
    """Documents per second that are only sealed, signed, hashed into a log and committed."""
    recipient = generate_identity(os.urandom).recipient
    key = Ed25519PrivateKey.generate()
    store = await SqliteStore.open(folder / "probe.sqlite")
    document = os.urandom(DOCUMENT_BYTES)
    frontier, count = Frontier(), 0
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        puts, leaves = [], []
        for _ in range(PROBE_BATCH):
            sealed = bytes(seal_bytes(document, [recipient], os.urandom))
            digest = sha256(sealed).digest()
            puts.append(Put("blob", digest.hex(), sealed))
            leaves.append(key.sign(digest))
        frontier, tiles = frontier.append(leaves)
        puts += [Put("tile", tile.id.key, tile.hashes) for tile in tiles]
        await store.commit(Batch(puts=tuple(puts)), {})
        count += PROBE_BATCH
    await store.close()
    return count / seconds


def set_up(folder: Path) -> tuple[House, House]:
    """Two houses that know each other and both acknowledged the agreement, introduced by pouch."""
    houses = [
        House(Node.create(folder / party, party=party, name=party.upper(), port=free_port()), party)
        for party in ("jp", "kr")
    ]
    jp, kr = houses
    introduce(jp, kr)
    for house, peer in ((jp, "kr"), (kr, "jp")):
        house.adopt(peer)
    jp.enrol(TOKYO, "極秘")
    kr.enrol(SEOUL, "군사 Ⅱ급 비밀")
    for house in houses:
        house.acknowledge()
    for number, (sender, receiver) in enumerate(((jp, kr), (kr, jp))):
        path = str(folder / f"{number}.pouch")
        sender.ask(ExportPouch(relationship=RELATIONSHIP, path=path))
        receiver.ask(ImportPouch(path=path))
    assert len(jp.ask(ListDirectory())) == len(TOKYO) + len(SEOUL)
    return jp, kr


def play(jp: House, kr: House, file: Path, in_flight: int, seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Run both sides until Japan has driven for so many seconds."""
    command = [sys.executable, "-m", "benchmarks._gives_side"]
    korea = subprocess.Popen(
        [*command, "kr", str(kr.node.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert korea.stdin is not None
    assert korea.stdout is not None
    assert korea.stdout.readline() == "ready\n"
    japan = subprocess.run(
        [*command, "jp", str(jp.node.folder), str(file), kr.people["kim"], str(in_flight), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    korea.stdin.write("\n")
    korea.stdin.flush()
    said = korea.stdout.read()
    korea.wait()
    return json.loads(japan.stdout.splitlines()[-1]), json.loads(said.splitlines()[-1])
