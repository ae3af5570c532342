"""Agreements that nobody had seen: each was written from a sheet of parameters, as TOML alone, and then tried.

The sheet stands at the head of the file; ``NAME.cases.toml`` has what it was said to mean, at least twenty decisions.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.api import Agreement

FOLDER = Path(__file__).parent / "unseen"
NAMES = sorted(path.name.removesuffix(".cases.toml") for path in FOLDER.glob("*.cases.toml"))
CASES_MIN = 20


def test_there_are_some() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.toml") if not path.name.endswith(".cases.toml")) == NAMES
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_decision_comes_out_as_the_sheet_says(name: str) -> None:
    trial = Agreement.load(FOLDER / f"{name}.toml").try_cases(FOLDER / f"{name}.cases.toml")
    assert [line.differs for line in trial.lines if not line.agrees] == []
    assert sum(line.expected != "duties" for line in trial.lines) >= CASES_MIN
    assert {line.found for line in trial.lines} >= {"permit", "needs-consent", "forbidden"}
