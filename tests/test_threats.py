"""What ``spec/threats.md``, ``spec/limits.md`` and ``docs/asvs.md`` say that a test shows: there is that test."""

from __future__ import annotations

import ast
import importlib
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/comity"
ROW = re.compile(r"^\| \((\d+)\) \|.*\|([^|]*)\|$", re.MULTILINE)
BEGUN = re.compile(r"`(tests/[\w/]+\.py)`((?:,? `test_\w+`)+)")
"""As the threats name tests: a file, and how names in it begin."""
NAMED = re.compile(r"`(tests/[\w/.-]+)::(\w+)`")
CONSTANT = re.compile(r"`(comity[\w.]*):([A-Z_]+)` = ([0-9.]+)")
DOCUMENTS = ["spec/limits.md", "docs/asvs.md"]


def text(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


@cache
def _tests_in(file: str) -> set[str]:
    path = ROOT / file
    if path.suffix != ".py":
        return {"transcript"} if path.is_file() else set()
    tree = ast.parse(path.read_text(encoding="utf-8")) if path.is_file() else ast.Module([], [])
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_threat_names_a_test_that_there_is() -> None:
    rows = ROW.findall(text("spec/threats.md"))
    assert len(rows) > 25
    for number, shown in rows:
        found = BEGUN.findall(shown)
        assert found, number
        for file, tests in found:
            for name in re.findall(r"`(test_\w+)`", tests):
                assert any(each.startswith(name) for each in _tests_in(file)), (number, file, name)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_test_that_is_named_exists(document: str) -> None:
    named = NAMED.findall(text(document))
    assert len(named) > 20
    assert [f"{file}::{test}" for file, test in named if test not in _tests_in(file)] == []
    assert all(test.startswith("test_") or test == "transcript" for _, test in named)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_bound_that_is_told_is_the_codes(document: str) -> None:
    told = CONSTANT.findall(text(document))
    wrong = [
        f"{module}:{name} = {value}"
        for module, name, value in told
        if getattr(importlib.import_module(module), name, None) != ast.literal_eval(value)
    ]
    assert wrong == []


def test_no_limit_is_told_without_a_test() -> None:
    rows = [line for line in text("spec/limits.md").splitlines() if line.startswith("| ")]
    assert [row for row in rows if not row.startswith("| input |") and not NAMED.search(row)] == []


def test_no_pattern_comes_from_input() -> None:
    """Each is written out, or made of constants; what else goes into one is escaped."""
    calls = [
        (path.relative_to(SOURCE).as_posix(), node.args[0])
        for path in SOURCE.rglob("*.py")
        if re.search(r"\bre\.", source := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args
        if ast.unparse(node.func) != "re.escape"
    ]
    assert len(calls) > 60
    found = {file for file, pattern in calls if not isinstance(pattern, ast.Constant) and not _of_constants(pattern)}
    assert found == {
        "agreement/load.py",  # a pattern of the format, as the decoder tells it
        "console/contents.py",  # of characters of a table
        "console/phrases.py",  # of our own sentences, escaped between their places
        "courier/paths.py",  # of a name, written out there
        "drafting/typed.py",  # a pattern of the format, by its name in the caller
        "feed/schema.py",  # one of a table in that module
        "flows/handling/packing.py",  # of marks, escaped
    }


def _of_constants(pattern: ast.expr) -> bool:
    names = [node for node in ast.walk(pattern) if isinstance(node, ast.Name | ast.Attribute)]
    return all(
        re.fullmatch(r"(?:\w+\.)*_?[A-Z][A-Z0-9_]+", ast.unparse(node)) or ast.unparse(node) in MODULES
        for node in names
    )


MODULES = {"model", "words"}
