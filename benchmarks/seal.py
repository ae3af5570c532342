"""Sealing and opening, file to file, each side as a whole process and in turns, start-up included; the best of each.

The peer of X25519 is Debian's ``age``; of the hybrid an ``age`` of 1.3 or newer, or else the npm package
``age-encryption`` (``make interop``), which is JavaScript and gets the smaller file only. Each side opens what the
other sealed, and what comes out is compared. Memory is how much our process grows after it has its keys.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from filecmp import cmp
from hashlib import shake_256
from os import urandom
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter_ns

from comity.seal import age, keys
from comity.seal.hybrid import HybridIdentity
from comity.seal.x25519 import X25519Identity

MIB = 1 << 20
SIZES = (256 * MIB, 2048 * MIB)
ROUNDS = 7
"""Pairs of runs of the smaller file; the larger gets fewer, as each takes longer and varies less."""
DOCUMENT_BYTES = 4096
PEER_SCRIPT = Path(__file__).parents[1] / "tests" / "seal" / "interop" / "peer.mjs"

Seal = Callable[[str, Path, Path], list[str]]


def run(quick: bool) -> list[dict[str, object]]:
    """Rows of figures; ``quick`` leaves the larger file out and makes fewer rounds."""
    rows = [*_documents(200 if quick else 2_000)]
    with TemporaryDirectory(prefix="comity-seal-") as name:
        folder = Path(name)
        for size in SIZES[:1] if quick else SIZES:
            rounds = 3 if quick or size > SIZES[0] else ROUNDS
            source = _file(folder / "plain", size)
            for identity in (X25519Identity.generate(urandom), HybridIdentity.generate(urandom)):
                rows += _files(folder, source, identity, rounds)
    return rows


def _file(path: Path, size: int) -> Path:
    """A file of bytes that do not compress, made without keeping it in memory."""
    block = shake_256(b"comity").digest(MIB)
    with path.open("wb") as sink:
        for _ in range(size // MIB):
            sink.write(block)
    return path


def _files(
    folder: Path, source: Path, identity: X25519Identity | HybridIdentity, rounds: int
) -> list[dict[str, object]]:
    size = source.stat().st_size
    key_file = folder / "key.txt"
    key_file.write_text(keys.key_file(identity, "for this run"))
    ours: Seal = lambda verb, read, write: [  # noqa: E731 -- a command line, said once
        sys.executable,
        "-m",
        "benchmarks._seal_file",
        verb,
        str(identity.recipient) if verb == "seal" else str(key_file),
        str(read),
        str(write),
    ]
    theirs, peer_name = _peer(identity, key_file, size)
    sealed = {"ours": folder / "ours.age", "peer": folder / "peer.age"}
    rows: list[dict[str, object]] = []
    kind = "X25519" if isinstance(identity, X25519Identity) else "hybrid"
    for verb in ("seal", "open"):
        best = {"ours": float("inf"), "peer": float("inf")}
        growth = 0
        for round_number in range(rounds):
            # In turns, and each round the other side begins.
            for side in ("ours", "peer")[:: 1 if round_number % 2 else -1]:
                command = ours if side == "ours" else theirs
                if command is None:
                    continue
                # Each opens what the other sealed, where there is an other.
                other = "peer" if side == "ours" and theirs else "ours"
                read, write = (source, sealed[side]) if verb == "seal" else (sealed[other], folder / "opened")
                write.unlink(missing_ok=True)
                os.sync()  # what the last run left to write is not this run's to wait for
                started = perf_counter_ns()
                done = subprocess.run(command(verb, read, write), check=True, capture_output=True)
                best[side] = min(best[side], perf_counter_ns() - started)
                if side == "ours":
                    growth = max(growth, int(done.stdout))
                if verb == "open" and not cmp(source, write, shallow=False):
                    raise SystemExit(f"{side}: what was opened is not what was sealed")
        rows.append(
            {
                "name": f"{verb} {size // MIB:,} MiB, {kind}",
                "ours": size * 1e3 / best["ours"],
                "peer": size * 1e3 / best["peer"] if theirs else None,
                "peer_name": peer_name,
                "unit": "MB/s",
                "ratio": best["peer"] / best["ours"] if theirs else None,
                "aim": 1.0 if theirs else None,
            }
        )
        rows.append(
            {
                "name": f"memory growth, {verb} {size // MIB:,} MiB, {kind}",
                "ours": growth / MIB,
                "peer": None,
                "peer_name": "",
                "unit": "MiB",
                "ratio": None,
                "aim": "at most 16 MiB",
            }
        )
    for path in sealed.values():
        path.unlink(missing_ok=True)
    return rows


def _peer(identity: X25519Identity | HybridIdentity, key_file: Path, size: int) -> tuple[Seal | None, str]:
    """The command of the peer that knows this kind of key, and its name; none if the machine has none."""
    program = shutil.which("age")
    version = (
        subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout if program else ""
    )
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if program and (isinstance(identity, X25519Identity) or numbers >= (1, 3)):
        return lambda verb, read, write: [
            program,
            *(("-r", str(identity.recipient)) if verb == "seal" else ("-d", "-i", str(key_file))),
            "-o",
            str(write),
            str(read),
        ], f"age {version.strip()}"
    node = shutil.which("node")
    if node and (PEER_SCRIPT.parent / "node_modules" / "age-encryption").is_dir() and size <= SIZES[0]:
        key = {"seal": str(identity.recipient), "open": identity.secret_text()}
        return lambda verb, read, write: [
            "sh",
            "-c",
            'exec "$0" "$1" "$2" "$3" < "$4" > "$5"',
            node,
            str(PEER_SCRIPT),
            f"{verb}-stream",
            key[verb],
            str(read),
            str(write),
        ], "age-encryption (npm)"
    return None, "no peer on this machine"


def _documents(count: int) -> list[dict[str, object]]:
    """A document in memory to one recipient whose key is loaded: the hot path of a node."""
    document = urandom(DOCUMENT_BYTES)
    rows: list[dict[str, object]] = []
    for identity in (HybridIdentity.generate(urandom), X25519Identity.generate(urandom)):
        recipients, identities = [identity.recipient], [identity]
        sealed = age.seal_bytes(document, recipients, urandom)
        acts = {
            "seal": lambda to=recipients: age.seal_bytes(document, to, urandom),
            "open": lambda file=sealed, by=identities: age.open_bytes(file, by),
        }
        for verb, act in acts.items():
            best = float("inf")
            for _ in range(ROUNDS):
                started = perf_counter_ns()
                for _ in range(count):
                    act()
                best = min(best, perf_counter_ns() - started)
            rows.append(
                {
                    "name": f"{verb} {DOCUMENT_BYTES // 1024} KiB in memory, {identity.kind}",
                    "ours": best / count / 1e3,
                    "peer": None,
                    "peer_name": "",
                    "unit": "µs",
                    "ratio": None,
                    "aim": "at most 160 µs",
                }
            )
    return rows
