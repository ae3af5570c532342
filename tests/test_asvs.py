"""``docs/asvs.md``: every requirement of levels 1 and 2 has its line, and what stands there without another test."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src/comity"
ROW = re.compile(r"^\| ([0-9.]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
COUNTS = """
    1: 2 9 11 3 2; 2: 3 3 4 1; 3: 0 2 4 6 5 0 2; 4: 3 1 2 4; 5: 1 3 2 3; 6: 3 12 4 4 5 3 0 4; 7: 3 4 2 5 2 2;
    8: 2 3 1 1; 9: 3 4; 10: 2 2 4 11 5 2 3; 11: 2 3 3 4 1 1; 12: 3 2 4; 13: 1 5 2 5; 14: 2 4 3; 15: 3 3 7;
    16: 1 5 4 3 3; 17: 1 4 2
"""
"""How many requirements of levels 1 and 2 each section of each chapter has; they are the first ones of it."""


def required() -> list[str]:
    chapters = (each.split(":") for each in COUNTS.split(";"))
    return [
        f"{chapter.strip()}.{section}.{number}"
        for chapter, counts in chapters
        for section, count in enumerate(counts.split(), 1)
        for number in range(1, int(count) + 1)
    ]


def test_each_requirement_has_its_line_and_no_other_has_one() -> None:
    asked = required()
    assert len(asked) == 253
    rows = ROW.findall((ROOT / "docs/asvs.md").read_text(encoding="utf-8"))
    told = Counter(each for row, _, _ in rows for each in asked if f"{each}.".startswith(f"{row}."))
    assert [each for each in asked if told[each] != 1] == []
    assert [row for row, _, _ in rows if not any(f"{each}.".startswith(f"{row}.") for each in asked)] == []


@cache
def nodes() -> list[tuple[str, ast.Call | ast.Import | ast.ImportFrom]]:
    """Calls and imports of every module."""
    return [
        (path.relative_to(SOURCE).as_posix(), node)
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call | ast.Import | ast.ImportFrom)
    ]


@cache
def calls() -> list[tuple[str, str, ast.Call]]:
    return [(file, ast.unparse(node.func), node) for file, node in nodes() if isinstance(node, ast.Call)]


def imported() -> Iterator[tuple[str, str]]:
    for file, node in nodes():
        if isinstance(node, ast.Import):
            yield from ((file, each.name) for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield file, node.module or ""


def test_nothing_is_evaluated_or_unpickled() -> None:
    assert {name for _, name, _ in calls()} & {"eval", "exec", "compile", "__import__", "builtins.eval"} == set()
    assert {name for _, name in imported()} & {"pickle", "marshal", "shelve", "yaml", "jsonpickle", "dill"} == set()


def test_no_shell_is_asked() -> None:
    """One process is started, by its list of arguments: our own interpreter."""
    started = [(file, node) for file, name, node in calls() if name.startswith(("subprocess.", "os.exec", "os.spawn"))]
    assert [file for file, _ in started] == ["api.py"]
    assert not any(word.arg == "shell" for _, node in started for word in node.keywords)
    assert {name for _, name, _ in calls()} & {"os.system", "os.popen", "asyncio.create_subprocess_shell"} == set()


def test_no_statement_is_made_of_input() -> None:
    """A statement is a text of the module, or made of what is one; values are bound. Those of other words are known."""
    stray = {
        (file, ast.unparse(node.args[0]))
        for file, name, node in calls()
        if name.rpartition(".")[2] in {"execute", "executemany"} and node.args and not _written_out(node.args[0])
    }
    assert stray == STATEMENTS


def _written_out(statement: ast.expr) -> bool:
    names = [node for node in ast.walk(statement) if isinstance(node, ast.Name)]
    return all(re.fullmatch(r"_?[A-Z][A-Z_]+", name.id) for name in names)


STATEMENTS = {
    ("stores/schema.py", "MIGRATIONS[number]"),
    ("stores/schema.py", "f'PRAGMA user_version = {number + 1}'"),
    ("stores/sqlite.py", "f'PRAGMA {setting}'"),  # of a table in the module
    ("stores/sqlite.py", "statement"),  # of the callers of a function of the module
    ("stores/index.py", "f'PRAGMA {setting}'"),  # of a table in the module
    ("stores/index.py", "_NEWER if oldest_first else _OLDER"),  # two statements of the module
    ("stores/index.py", "query"),  # a constant of the line before
    ("stores/backups/snapshot.py", "f'PRAGMA user_version = {len(MIGRATIONS)}'"),
    ("stores/backups/snapshot.py", "script"),  # of the schema
    ("stores/backups/snapshot.py", """f'SELECT "table", key, value FROM rows {where} ORDER BY "table", key'"""),
}


def test_no_format_comes_from_input() -> None:
    """Only these rooms have sentences with places in them, in tables of their own."""
    stray = {
        file
        for file, _, node in calls()
        if isinstance(node.func, ast.Attribute)
        and node.func.attr in {"format", "format_map"}
        and not isinstance(node.func.value, ast.Constant)
        and not ast.unparse(node.func).startswith(("msgspec.json.", "Markup("))  # of a constant, and escapes
        and not file.startswith(
            ("explanation/", "drafting/", "cli/demonstration/", "decision/wording", "evidence/wording")
        )
    }
    assert stray == {
        "flows/looking/duty_words.py",
        "console/acts.py",  # a command of a table
        "console/pages/duties.py",  # an address of a table
        "console/pages/today.py",  # likewise
        "cli/telling_copies.py",
        "cli/reaching.py",
        "cli/negotiation.py",
        "feed/schema.py",
    }


def test_no_weak_hash_is_named() -> None:
    weak = re.compile(r"\b(?:md5|sha1|hashes\.(?:MD5|SHA1))\b")
    found = {path.name for path in SOURCE.rglob("*.py") if weak.search(path.read_text(encoding="utf-8"))}
    assert found == set()


def test_no_weak_random_number_is_drawn() -> None:
    assert {file for file, name in imported() if name == "random"} == set()
