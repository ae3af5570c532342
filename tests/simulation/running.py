"""Running worlds of any kind, one after the other or in parallel, and adding up what was seen in them."""

from __future__ import annotations

import os
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field, replace
from itertools import count

from .capitals import Capitals, in_capitals
from .invariants import NAMES, Broken
from .simulation import Simulation, simulate
from .weather import STORM

LINES_OF_A_DEFECT = 12
"""Lines of a traceback that are told of a world that ended in an error."""
KINDS: dict[str, Callable[[int, int], Simulation | Capitals]] = {
    "drawn": simulate,
    "storm": lambda seed, steps: simulate(seed, steps, STORM),
    "slow storm": lambda seed, steps: simulate(seed, steps, replace(STORM, slow=6)),
    "meddler": lambda seed, steps: simulate(seed, steps, liar="meddler"),
    "double dealer": lambda seed, steps: simulate(seed, steps, liar="double-dealer"),
    "changing keys": lambda seed, steps: simulate(seed, steps, keys_change=True),
    "brought back": lambda seed, steps: simulate(seed, steps, brought_back=True),
    "capitals": in_capitals,
    "two-faced": lambda seed, steps: in_capitals(seed, steps, liar="two-faced"),
    "blind": lambda seed, steps: in_capitals(seed, steps, liar="blind"),
}
"""Every kind of world: in the weather that its seed draws, in a storm, in one over disks that are slow, too; and with
somebody who lies for one of the houses, without its keys and with them; where
keys change; where houses lose their disks and are brought back; three capitals and a third
party; and the same where one of them shows that another tree, which it looks at or cosigns blindly."""


@dataclass
class Ran:
    """What came of some worlds, or of one.

    Attributes:
        seeds: the first and the last one.
        traces: what a world did, as a digest, by seed.
        failures: what did not hold, with the command that shows it again.
    """

    worlds: int = 0
    steps: int = 0
    seeds: tuple[int, int] | None = None
    acts: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    checked: Counter[int] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    trace: str = ""

    def add(self, ran: Ran) -> None:
        """Add what came of another world."""
        assert ran.seeds is not None
        known = self.seeds or ran.seeds
        self.seeds = min(known[0], ran.seeds[0]), max(known[1], ran.seeds[1])
        self.worlds, self.steps = self.worlds + ran.worlds, self.steps + ran.steps
        self.acts += ran.acts
        self.faults += ran.faults
        self.checked += ran.checked
        self.failures += ran.failures


def run_one(kind: str, seed: int, steps: int) -> Ran:
    """Run one world, whatever becomes of it."""
    again = f"again: python -m tests.simulation --kind {kind.replace(' ', '-')} --seed {seed} --steps {steps} --trace"
    ran = Ran(worlds=1, seeds=(seed, seed))
    simulation: Simulation | Capitals | None = None
    try:
        simulation = KINDS[kind](seed, steps)
    except Broken as broken:
        simulation = broken.simulation
        ran.failures.append(f"{broken}\n  {again}")
    except Exception:  # noqa: BLE001 - any error that ends a world is what is looked for
        told = "\n    ".join(traceback.format_exc().splitlines()[-LINES_OF_A_DEFECT:])
        ran.failures.append(f"seed {seed}, the world ended:\n    {told}\n  {again}")
    if simulation is not None:
        witness = simulation.witness
        ran.steps, ran.acts, ran.faults = simulation.steps, witness.acts, witness.faults
        ran.checked, ran.lines, ran.trace = simulation.invariants.counts, witness.lines, witness.trace.hexdigest()
    return ran


def run_for(seconds: float, seed: int, steps: int, jobs: int | None = None) -> Iterator[Ran]:
    """Run worlds of all kinds in turn, in a process for each core, until the time is over; one by one as they end."""
    jobs = jobs or os.cpu_count() or 1
    end = time.monotonic() + seconds
    seeds = count(seed)
    with ProcessPoolExecutor(jobs) as pool:
        under_way: set[Future[Ran]] = set()
        while True:
            while len(under_way) < jobs and (time.monotonic() < end):
                number = next(seeds)
                under_way.add(pool.submit(_without_lines, kind_of(number), number, steps))
            if not under_way:
                return
            ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
            for each in ended:
                yield each.result()


def kind_of(seed: int) -> str:
    """Which kind of world a seed gives in a long run."""
    return list(KINDS)[seed % len(KINDS)]


def _without_lines(kind: str, seed: int, steps: int) -> Ran:
    """The same, without the trace, which is long."""
    ran = run_one(kind, seed, steps)
    ran.lines = []
    return ran


def tables(ran: Ran) -> Iterator[str]:
    """What was seen in all worlds, line by line."""
    yield from _table("acts", ran.acts)
    yield from _table("faults", ran.faults)
    looked = {f"({number:2}) {name}": ran.checked[number] for number, name in NAMES.items()}
    yield from _table("invariants, looked at", Counter(looked))


def _table(title: str, counts: Counter[str]) -> Iterator[str]:
    yield f"{title}:"
    for name, number in sorted(counts.items()):
        yield f"  {number:10,} {name}"
