"""``python -m tests.simulation --seed N --steps M``: one world, or several seeds in a row."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # where pytest finds the modules that tests share

from .invariants import NAMES, Broken
from .simulation import simulate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    parser.add_argument("--worlds", type=int, default=1, help="how many seeds, one after the other")
    parser.add_argument("--steps", type=int, default=2000, help="steps of each world")
    parser.add_argument("--trace", action="store_true", help="print the whole trace of each world")
    asked = parser.parse_args()
    return run(asked.seed, asked.worlds, asked.steps, trace=asked.trace)


def run(seed: int, worlds: int, steps: int, *, trace: bool) -> int:
    """Run the worlds and print what came of them; 1 when an invariant was broken, else 0."""
    acts: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    checked: Counter[int] = Counter()
    failures: list[Broken] = []
    taken = 0
    begun = time.perf_counter()
    for number in range(seed, seed + worlds):
        try:
            simulation = simulate(number, steps)
        except Broken as error:
            simulation = error.simulation
            failures.append(error)
        acts += simulation.witness.acts
        faults += simulation.witness.faults
        checked += simulation.invariants.counts
        taken += simulation.steps
        if trace:
            print("\n".join(simulation.witness.lines))
        print(f"seed {number}: trace {simulation.witness.trace.hexdigest()}")
    seconds = time.perf_counter() - begun
    print(f"{worlds} worlds, {taken} steps in {seconds:.1f} s")
    _table("acts", acts)
    _table("faults", faults)
    _table("invariants, looked at", Counter({f"({n:2}) {name}": checked[n] for n, name in NAMES.items()}))
    print(f"failures: {len(failures) or 'none'}")
    for failure in failures:
        print(
            f"{failure}\n  again: python -m tests.simulation --seed {failure.simulation.seed} --steps {steps} --trace"
        )
    return 1 if failures else 0


def _table(title: str, counts: Counter[str]) -> None:
    print(f"{title}:")
    for name, count in sorted(counts.items()):
        print(f"  {count:8,} {name}")


if __name__ == "__main__":
    sys.exit(main())
