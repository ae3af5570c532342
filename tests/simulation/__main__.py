"""``python -m tests.simulation``: worlds from a seed on, one after the other, or in all processes for some time."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where pytest finds the modules that tests share

from .running import KINDS, Ran, run_for, run_one, tables

PROGRESS_SECONDS = 10
"""How often a long run says how far it is."""
STEPS, STEPS_OF_A_LONG_RUN = 2000, 400


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--worlds", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument("--steps", type=int, help="steps of each world")
    parser.add_argument("--kind", choices=[kind.replace(" ", "-") for kind in KINDS], default="drawn")
    parser.add_argument("--trace", action="store_true", help="print the whole trace of each world")
    parser.add_argument("--seconds", type=float, help="go on as long as this, with all kinds of worlds in turn")
    parser.add_argument("--jobs", type=int, help="processes of a long run; one for each core unless given")
    asked = parser.parse_args(words)
    begun = time.monotonic()
    if asked.seconds is None:
        seeds = range(asked.seed, asked.seed + asked.worlds)
        worlds = (run_one(asked.kind.replace("-", " "), seed, asked.steps or STEPS) for seed in seeds)
        total = _sum(worlds, begun, trace=asked.trace)
    else:
        total = _sum(run_for(asked.seconds, asked.seed, asked.steps or STEPS_OF_A_LONG_RUN, asked.jobs), begun)
    print("\n".join(tables(total)))
    first, last = total.seeds or (asked.seed, asked.seed)
    took = time.monotonic() - begun
    print(f"{total.worlds:,} worlds, seeds {first} to {last}, {total.steps:,} steps in {took:.1f} s")
    print(f"failures: {len(total.failures) or 'none'}")
    for failure in total.failures:
        print(failure)
    return 1 if total.failures else 0


def _sum(worlds: Iterator[Ran], begun: float, *, trace: bool | None = None) -> Ran:
    """Add up worlds as they end: failures are told at once, and how far a long run is now and then."""
    total, told = Ran(), begun
    for ran in worlds:
        total.add(ran)
        if trace:
            print("\n".join(ran.lines))
        for failure in ran.failures:
            print(f"failure: {failure}", flush=True)
        assert ran.seeds is not None
        if trace is not None:
            print(f"seed {ran.seeds[0]}: trace {ran.trace}", flush=True)
        elif time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            failures = f"{len(total.failures) or 'none'}"
            print(f"{told - begun:8.0f} s: {total.worlds:,} worlds, {total.steps:,} steps, failures: {failures}")
            sys.stdout.flush()
    return total


if __name__ == "__main__":
    sys.exit(main())
