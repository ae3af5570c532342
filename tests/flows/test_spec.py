"""``spec/exchange.md``, parcel to pouch: its bounds are the code's, and its steps are cited where they happen."""

from __future__ import annotations

import re
from pathlib import Path

from comity.flows.exchanging import exchange, parcel

ROOT = Path(__file__).parents[2]
SPEC = (ROOT / "spec/exchange.md").read_text(encoding="utf-8").partition("## Over HTTP")[0]


def test_the_bounds_are_the_codes() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| ([0-9,]+)", SPEC, re.MULTILINE))
    assert len(rows) == 8
    for name, value in rows.items():
        assert {**vars(parcel), **vars(exchange)}[name] == int(value.replace(",", "")), name


def test_every_step_is_cited() -> None:
    steps = {int(number) for number in re.findall(r"^\((\d+)\) ", SPEC, re.MULTILINE)}
    assert steps == set(range(1, 26))
    cited: set[int] = set()
    within = (f"exchanging/{name}" for name in ("exchange", "parcel", "taking", "settling", "witnessing"))
    for name in (*within, "pouch"):
        source = (ROOT / f"src/comity/flows/{name}.py").read_text(encoding="utf-8")
        cited |= {int(number) for numbers in re.findall(r"\(([0-9, ]+)\)", source) for number in numbers.split(",")}
    assert steps <= cited
