"""The tests of the articles as data: every test with an ``article`` mark, and the table they make."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import product
from pathlib import Path
from typing import Any

from _pytest.mark.structures import ParameterSet

from comity.agreement.coverage import COVERAGE_FORMAT, Coverage, Row, in_order
from comity.agreement.load import parse_agreement
from comity.agreement.model import Agreement

FOLDER = Path(__file__).parent
LIBRARY = resources.files("comity.agreements")
NAME = "jp-kr-2016"
TABLE = FOLDER.parents[1] / "src/comity/agreements" / f"{NAME}.coverage.json"
TEXT = LIBRARY.joinpath(f"{NAME}.toml").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Marked:
    """A test with its marks: ``calls`` are the arguments of each of its parametrised runs."""

    name: str
    function: Callable[..., Any]
    clauses: tuple[str, ...]
    does: str
    command: str
    rests_on: tuple[str, ...]
    calls: tuple[dict[str, Any], ...]


@cache
def agreement() -> Agreement:
    return parse_agreement(TEXT, f"{NAME}.toml")


@cache
def marked() -> tuple[Marked, ...]:
    """Every article test, by file and name."""
    found = [each for path in sorted(FOLDER.glob("test_article_*.py")) for each in _in(path)]
    assert found, "there is no article test"
    return tuple(found)


def _in(path: Path) -> Iterator[Marked]:
    module = importlib.import_module(f"articles.{path.stem}")
    for name, function in vars(module).items():
        if inspect.isclass(function) and name.startswith("Test"):
            raise AssertionError(f"{path.name}: {name} is a class; an article test is a function of its module")
        if not name.startswith("test_"):
            continue
        marks = getattr(function, "pytestmark", [])
        for mark in (each for each in marks if each.name == "article"):
            yield Marked(
                name=f"tests/articles/{path.name}::{name}",
                function=function,
                clauses=mark.args,
                calls=tuple(_calls([each for each in marks if each.name == "parametrize"])),
                **mark.kwargs,
            )


def _calls(marks: list[Any]) -> Iterator[dict[str, Any]]:
    several = []
    for mark in marks:
        names = mark.args[0].replace(" ", "").split(",") if isinstance(mark.args[0], str) else mark.args[0]
        rows = [
            each.values if isinstance(each, ParameterSet) else each if len(names) > 1 else (each,)
            for each in mark.args[1]
        ]
        several.append([dict(zip(names, row, strict=True)) for row in rows])
    for combination in product(*several):
        yield {name: value for each in combination for name, value in each.items()}


def table() -> Coverage:
    """The table that the marks make."""
    rows = [
        Row(clause=clause, does=each.does, command=each.command, test=each.name, rests_on=each.rests_on)
        for each in marked()
        for clause in each.clauses
    ]
    text = agreement()
    return Coverage(COVERAGE_FORMAT, text.id, text.digest, in_order(rows, text.clauses))
