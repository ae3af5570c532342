"""From an agreement file to something that decides, beside Cedar reading the same rules as its policies.

Ours is made ready from the checked file, and, apart, from the text with every check that it passes; Cedar parses its
policies, one for each clause, and checks nothing of what they name. The second agreement is of the kind that an index
likes least: two rules in five say nothing of the word by which the others are told apart.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from time import perf_counter_ns

import cedarpy

from benchmarks.decision import PROGRAMME, agreement_text, policies
from comity.agreement.load import parse_agreement
from comity.decision.compiled import Compiled, compile_agreement

SIZES = (125, 250, 500, 1_000)
ROUNDS, QUICK_ROUNDS = 9, 3
GROWTH = "at most 2"
"""What a clause may cost more among 1,000 than among 125: sorting, caches that are too small, and noise."""
EVERYWHERE = PROGRAMME.replace('when = { subject = ["s-N"], beneficiary', "when = { beneficiary").replace(
    'when = { subject = ["s-N"], form', "when = { form"
)


def run(quick: bool) -> list[dict[str, object]]:
    """Rows of figures: milliseconds at each size, and how a clause's share of them grows."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    races = {size: _Race(size) for size in SIZES}
    for _ in range(rounds):  # the sizes and the sides take turns
        for race in races.values():
            race.run()
    cedar = f"cedarpy {version('cedarpy')}, its policies parsed"
    rows: list[dict[str, object]] = [
        {
            "name": f"an agreement made ready, {size:,} clauses",
            "ours": race.best["ready"],
            "peer": race.best["cedar"],
            "peer_name": cedar,
            "unit": "ms",
            "ratio": race.best["cedar"] / race.best["ready"],
            "aim": 1 if size == SIZES[-1] else None,
        }
        for size, race in races.items()
    ]
    words = {
        "ready": "a clause's share of making ready",
        "everywhere": "the same, two rules in five in every drawer",
        "text": "a clause's share of reading, checking and making ready",
    }
    few, many = SIZES[0], SIZES[-1]
    for key, name in words.items():
        first, last = (races[size].best[key] / size * 1e3 for size in (few, many))
        rows.append(
            {
                "name": f"{name}, from {few} to {many:,} clauses",
                "ours": last,
                "peer": first,
                "peer_name": f"ours at {few} clauses",
                "unit": "us",
                "ratio": last / first,
                "aim": GROWTH,
            }
        )
    return rows


class _Race:
    """Both sides at one size."""

    def __init__(self, size: int) -> None:
        programmes = (size - 5) // 5
        text, other = agreement_text(programmes), agreement_text(programmes, EVERYWHERE)
        ready: Callable[..., Compiled] = partial(compile_agreement, tzdata="2026.1")
        self._ways: dict[str, Callable[[], object]] = {
            "ready": partial(ready, parse_agreement(text, "bench.toml")),
            "cedar": partial(cedarpy.PolicySet.from_str, policies(programmes)),
            "everywhere": partial(ready, parse_agreement(other, "bench.toml")),
            "text": lambda: ready(parse_agreement(text, "bench.toml")),
        }
        self.best = dict.fromkeys(self._ways, float("inf"))

    def run(self) -> None:
        """Time each way once, in milliseconds."""
        for name, way in self._ways.items():
            gc.collect()
            gc.disable()  # as timeit does
            begun = perf_counter_ns()
            way()
            self.best[name] = min(self.best[name], (perf_counter_ns() - begun) / 1e6)
            gc.enable()
