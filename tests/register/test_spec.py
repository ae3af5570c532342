"""``spec/register.md`` itself: its tables are the code's, and every record type has its place in it."""

from __future__ import annotations

import re
from pathlib import Path

from comity.record.bodies import BODIES
from comity.register.rows import TABLES

SPEC = (Path(__file__).parents[2] / "spec/register.md").read_text(encoding="utf-8")


def named(start: str, end: str, pattern: str) -> list[str]:
    return re.findall(f"`({pattern})`", SPEC[SPEC.index(start) : SPEC.index(end)])


def test_the_tables_are_the_codes() -> None:
    told = named("(2) The tables", "## Verdicts", "[a-z-]+")
    assert sorted(told) == sorted(TABLES)


def test_every_type_stands_with_its_family() -> None:
    house, crossing = named("(5) ", "(6) ", "[a-z-]+/1"), named("(6) ", "(7) ", "[a-z-]+/1")
    assert sorted(house) == sorted(name for name, body in BODIES.items() if not body.crosses)
    assert sorted(crossing) == sorted(name for name, body in BODIES.items() if body.crosses)
