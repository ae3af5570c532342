"""Long runs: what they print, and that a failing seed fails again when it is run as printed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from . import running
from .__main__ import main
from .cast import PARTIES
from .invariants import NAMES
from .simulation import Simulation, simulate
from .weather import CALM, Weather


class Spoilt(Simulation):
    """A world in which a mark runs ahead at the fifth step."""

    def __init__(self, seed: int, folder: Path, weather: Weather | None = None) -> None:
        super().__init__(seed, folder, weather)

    async def step(self) -> None:
        if self.steps == 4:
            sizes = self.nodes[PARTIES[self.seed % 2]].disk.sizes
            sizes[next(iter(sizes))] += 1000
        await super().step()


def test_a_long_run_says_what_it_saw(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seconds", "1", "--seed", "40", "--steps", "6", "--jobs", "2"]) == 0
    told = capsys.readouterr().out
    (summary,) = re.findall(r"^(\d+) worlds, seeds 40 to (\d+), (\d+) steps in", told, re.MULTILINE)
    worlds, last, steps = map(int, summary)
    assert worlds == last - 39 >= 2
    assert steps == worlds * 6
    looked = {name: int(count) for count, name in re.findall(r"^ +(\d+) \([ \d]+\) (\w+)$", told, re.MULTILINE)}
    assert set(looked) == set(NAMES.values())
    assert looked["verification_finds_nothing"] == worlds  # whatever kind of world it is
    assert told.endswith("failures: none\n")


def test_a_failing_seed_is_told_at_once_and_fails_again_as_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulation.simulation.Simulation", Spoilt)
    monkeypatch.setitem(running.KINDS, "drawn", lambda seed, steps: simulate(seed, steps, CALM))
    assert main(["--seed", "3", "--worlds", "2", "--steps", "8"]) == 1
    told = capsys.readouterr().out
    assert told.index("failure: seed 3, step 5:") < told.index("seed 3: trace") < told.index("failure: seed 4")
    assert "(5) mark_is_below_journal: the mark of kr says" in told
    commands = re.findall(r"again: python -m tests.simulation (.*)$", told, re.MULTILINE)
    assert main(shlex.split(commands[0])) == 1
    again = capsys.readouterr().out
    assert re.findall(r"^failure: .*$", again, re.MULTILINE) == ["failure: seed 3, step 5:"]


def test_an_error_that_ends_a_world_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def breaks(seed: int, steps: int) -> Simulation:
        raise AssertionError("jp does not start")

    monkeypatch.setitem(running.KINDS, "slow storm", breaks)
    (failure,) = running.run_one("slow storm", 5, 10).failures
    assert "AssertionError: jp does not start" in failure
    assert failure.endswith("again: python -m tests.simulation --kind slow-storm --seed 5 --steps 10 --trace")


def test_every_kind_of_world_has_its_turn() -> None:
    assert {running.kind_of(seed) for seed in range(len(running.KINDS))} == set(running.KINDS)
