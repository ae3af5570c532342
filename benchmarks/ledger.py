"""The Merkle log: appends beside pymerkle's in-memory tree, and the cost of proofs as the log grows.

Both trees get the same 32-byte leaf data in the same batches, in turns, and both give their root after every batch.
Ours also makes the tiles a store would write. The proofs are of random leaves, with the tiles in a dictionary.

In batches of 1 both sides compute the same hashes: a root folds one for each bit set in the size, whoever computes
it, and that fold alone is near half of our time. Larger batches share the fold and the way up.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256
from time import perf_counter_ns

import pymerkle

from comity.ledger.proof import consistency_path, inclusion_path, verify_inclusion
from comity.ledger.tree import Frontier, TreeHead, leaf_hash

BATCHES = (1, 100, 1_000)
SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 5
"""Each figure is the best of so many, the two sides taking turns."""


def run(quick: bool) -> list[dict[str, object]]:
    """Rows of figures; ``quick`` makes fewer appends and leaves the largest log out."""
    entries = [sha256(b"%d" % number).digest() for number in range(SIZES[-2 if quick else -1])]
    count = 2_000 if quick else 20_000
    return [*_appends(entries, count), _flatness(entries, count), *_proofs(entries, 300 if quick else 3_000)]


def _appends(entries: list[bytes], count: int) -> list[dict[str, object]]:
    rows = []
    for size in SIZES[:1] if len(entries) < SIZES[-1] else SIZES[:2]:
        for batch in BATCHES:
            ours, _ = Frontier().append(entries[:size])
            theirs = pymerkle.InmemoryTree.init_from_entries(entries[:size])
            fresh = [sha256(b"fresh %d" % number).digest() for number in range(count * ROUNDS)]
            best_ours = best_theirs = float("inf")
            for at in range(0, len(fresh), count):
                batches = [fresh[start : start + batch] for start in range(at, at + count, batch)]
                started = perf_counter_ns()
                for new in batches:
                    ours, _ = ours.append(new)
                    root = ours.root()
                between = perf_counter_ns()
                for new in batches:
                    theirs.append_entries(new)
                    their_root = theirs.get_root()
                ended = perf_counter_ns()
                if root != their_root:
                    raise SystemExit("the two trees have different roots")
                best_ours, best_theirs = min(best_ours, between - started), min(best_theirs, ended - between)
            rows.append(
                {
                    "name": f"append with root, batches of {batch:,}, to {size:,} leaves",
                    "ours": count * 1e9 / best_ours,
                    "peer": count * 1e9 / best_theirs,
                    "peer_name": "pymerkle",
                    "unit": "leaves/s",
                    "ratio": best_theirs / best_ours,
                    "aim": 5.0,
                }
            )
    return rows


def _flatness(entries: list[bytes], count: int) -> dict[str, object]:
    small, _ = Frontier().append(entries[: SIZES[0]])
    large, _ = Frontier().append(entries)
    batches = [entries[start : start + 100] for start in range(0, count, 100)]
    best = [float("inf"), float("inf")]
    for _ in range(ROUNDS):
        for side, frontier in enumerate((large, small)):
            started = perf_counter_ns()
            growing = frontier
            for batch in batches:
                growing, _ = growing.append(batch)
                growing.root()
            best[side] = min(best[side], perf_counter_ns() - started)
    return {
        "name": f"append with root, batches of 100, to {large.size:,} leaves",
        "ours": count * 1e9 / best[0],
        "peer": count * 1e9 / best[1],
        "peer_name": f"itself at {small.size:,} leaves",
        "unit": "leaves/s",
        "ratio": best[1] / best[0],
        "aim": 0.9,
    }


def _proofs(entries: list[bytes], count: int) -> list[dict[str, object]]:
    frontier = Frontier()
    stored: dict[tuple[int, int], bytes] = {}
    rows: list[dict[str, object]] = []
    chance = random.Random(6962)
    for size in SIZES:
        if size > len(entries):
            break
        frontier, tiles = frontier.append(entries[frontier.size : size])
        stored.update({(tile.id.level, tile.id.index): tile.hashes for tile in tiles})
        places = [chance.randrange(size) for _ in range(count)]
        for name, microseconds in _proof_times(entries, frontier.head(), stored, places).items():
            rows.append(
                {
                    "name": f"{name}, {size:,} leaves",
                    "ours": microseconds,
                    "peer": None,
                    "peer_name": "",
                    "unit": "µs",
                    "ratio": None,
                    "aim": "at most 50 µs",
                }
            )
    return rows


def _proof_times(
    entries: list[bytes], head: TreeHead, stored: dict[tuple[int, int], bytes], places: list[int]
) -> dict[str, float]:
    def read_tile(level: int, index: int) -> bytes:
        return stored[level, index]

    paths = {place: inclusion_path(read_tile, place, head.size) for place in places}
    acts: dict[str, Callable[[int], object]] = {
        "inclusion proof": lambda place: inclusion_path(read_tile, place, head.size),
        "consistency proof": lambda place: consistency_path(read_tile, place + 1, head.size),
        "inclusion verified": lambda place: verify_inclusion(leaf_hash(entries[place]), place, head, paths[place]),
    }
    times = {}
    for name, act in acts.items():
        best = float("inf")
        for _ in range(ROUNDS):
            started = perf_counter_ns()
            for place in places:
                act(place)
            best = min(best, perf_counter_ns() - started)
        times[name] = best / len(places) / 1e3
    return times
