"""House style that a reader would otherwise have to police: each rule here once slipped somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MADE = {".git", ".venv", ".venv-other", "node_modules", "build", "dist", "__pycache__"}
"""Folders that are made or fetched, not written."""
TEXT = {"", ".py", ".md", ".toml", ".in", ".txt", ".json", ".mjs", ".js", ".html", ".css", ".svg", ".cfg", ".yml"}

LINES_MAX = 600
"""Longest module, in lines; the ideal is about 150."""
AMERICAN = re.compile(
    r"\b(?:behavior|color|favor|honor|labor|neighbor|center|defense|offense|analyze|organiz|recogniz|authoriz|normaliz"
    r"|canonicaliz|serializ|initializ|summariz|minimiz|optimiz|synchroniz|labeled|labeling|canceled|signaled|fulfill\b"
    r"|catalog\b|artifact)[a-z]*"
)
"""Spellings that are British otherwise; proper names begin with a capital and are left alone."""
QUOTED = re.compile(r"```.*?```|``.*?``|`[^`\n]*`|\"[^\"\n]*\"|https?://\S+", re.DOTALL)
SUPPRESSION = re.compile(r"#\s*(?:noqa|type:\s*ignore|fmt:\s*\w+|pragma:)(.*)")
REASON = re.compile(r"(?::? [A-Z]+[0-9]+(?:, [A-Z]+[0-9]+)*|\[[a-z, -]+\]|: skip|: no cover)\W+\w.{5,}")
ELSEWHERE = re.compile(
    "|".join(
        (
            "pypi" + r"\.org",
            "python" + "hosted",
            "npm" + r"js\.(?:org|com)",
            "debian" + r"\.org/",
            "-index" + "-url=?.*//",
        )
    )
)
"""Addresses of package registries: where packages come from is the machine's setting."""
MACHINE = re.compile("|".join("/" + folder + "/" for folder in ("work", "root", "home", "Users")))
LATER = re.compile(r"\b(?:" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")
STEP = re.compile(r"(?:(?<=\n\n)|(?<=\n\| ))\(([0-9]+)\) ")
"""A step begins a paragraph, or a row of a table."""
SPEC_NAMED = re.compile(r"``spec/([a-z-]+)\.md``(?: steps? ([0-9]+(?:(?:, | and | to )[0-9]+)*))?")
STEP_CITED = re.compile(r'(?:#|""") ?\(([0-9]+)\)')
DECISION_HEADINGS = ["Context", "Options", "Choice", "Cost"]


def written() -> Iterator[Path]:
    """Every text file of the project that somebody wrote."""
    folders = [ROOT]
    while folders:
        for path in sorted(folders.pop().iterdir()):
            if path.is_dir():
                if path.name not in MADE and not path.name.endswith(("_cache", ".egg-info", ".hypothesis")):
                    folders.append(path)
            elif path.suffix in TEXT:
                yield path


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


FILES = {name(path): path for path in written()}
PYTHON = {file: path for file, path in FILES.items() if path.suffix == ".py"}
SOURCE = {file: path for file, path in PYTHON.items() if file.startswith("src/")}
SPECS = {path.stem: path for file, path in FILES.items() if file.startswith("spec/") and path.suffix == ".md"}
DECISIONS = {file: path for file, path in FILES.items() if file.startswith("decisions/")}


def matches(pattern: re.Pattern[str], text: str) -> list[str]:
    """``line: what`` for each match."""
    return [f"{text.count(chr(10), 0, match.start()) + 1}: {match[0]}" for match in pattern.finditer(text)]


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCE) > 50
    assert {"Makefile", ".ci/run", "pyproject.toml", "LICENSE", "decisions/0001-canonical-json.md"} <= set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_no_file_names_a_registry_or_a_machine_or_puts_off_work(file: str) -> None:
    text = read(FILES[file])
    assert matches(ELSEWHERE, text) == []
    assert matches(MACHINE, text) == []
    assert matches(LATER, text) == []


@pytest.mark.parametrize("file", PYTHON)
def test_every_suppression_says_why(file: str) -> None:
    found = [match[1] for match in SUPPRESSION.finditer(read(PYTHON[file]))]
    assert [rest for rest in found if not REASON.fullmatch(rest)] == []


@pytest.mark.parametrize("file", SOURCE)
def test_no_module_is_long_and_none_is_a_drawer(file: str) -> None:
    assert read(SOURCE[file]).count("\n") <= LINES_MAX
    assert not re.search(r"util|helper|misc|common", Path(file).name)


def public(node: ast.AST, owner: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Every public class and function below ``node`` that somebody else can name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            yield f"{owner}{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from public(child, f"{child.name}.")


@pytest.mark.parametrize("file", SOURCE)
def test_every_module_and_public_name_says_what_it_is(file: str) -> None:
    tree = ast.parse(read(SOURCE[file]))
    assert ast.get_docstring(tree), "the module has no docstring"
    assert [at for at, node in public(tree) if not ast.get_docstring(node)] == []  # type: ignore[arg-type]  # by public()


def prose(file: str, path: Path) -> str:
    """What is written for people: a document without its code, or the comments and docstrings of a module."""
    text = read(path)
    if path.suffix == ".md":
        return QUOTED.sub(" ", text)
    comments = re.findall(r"#.*", text)
    docstrings = re.findall(r'"""(.*?)"""', text, re.DOTALL)
    return QUOTED.sub(" ", "\n".join(comments + docstrings))


@pytest.mark.parametrize("file", [file for file in FILES if file.endswith((".py", ".md", "Makefile", ".ci/run"))])
def test_the_spelling_is_british(file: str) -> None:
    assert sorted(set(AMERICAN.findall(prose(file, FILES[file])))) == []


@pytest.mark.parametrize("spec", SPECS)
def test_a_spec_opens_with_an_example_and_numbers_its_steps(spec: str) -> None:
    text = read(SPECS[spec])
    steps = [int(number) for number in STEP.findall(text)]
    assert text.startswith("# ")
    assert "\n```" in text[: text.index("\n(")], "no literal example before the first step"
    assert len(steps) > 1
    assert all(before < after for before, after in pairwise(steps)), steps


@cache
def steps_of(spec: str) -> frozenset[str]:
    """The numbers of a spec's steps; none when there is no such spec."""
    return frozenset(STEP.findall(read(SPECS[spec]))) if spec in SPECS else frozenset()


def room_of(file: str) -> str:
    """The room that a module or a test of it stands in."""
    return file.removeprefix("src/comity/").removeprefix("tests/").split("/")[0]


def specs_behind(file: str) -> set[str]:
    """The specs that a module names or, where it names none, those named anywhere in its room."""
    own = {spec for spec, _ in SPEC_NAMED.findall(read(PYTHON[file]))}
    beside = (other for other in PYTHON if room_of(other) == room_of(file))
    return own or {spec for other in beside for spec, _ in SPEC_NAMED.findall(read(PYTHON[other]))}


@pytest.mark.parametrize("file", PYTHON)
def test_every_step_that_is_cited_exists(file: str) -> None:
    text = read(PYTHON[file])
    named = SPEC_NAMED.findall(text)
    assert [spec for spec, _ in named if spec not in SPECS] == []
    assert [
        f"{spec} ({n})" for spec, cited in named for n in re.findall("[0-9]+", cited) if n not in steps_of(spec)
    ] == []
    known: frozenset[str] = frozenset().union(*map(steps_of, specs_behind(file)))
    assert [number for number in STEP_CITED.findall(text) if number not in known] == []


def test_decisions_are_numbered_without_gaps() -> None:
    assert [Path(file).name[:5] for file in DECISIONS] == [f"{number:04d}-" for number in range(1, len(DECISIONS) + 1)]


@pytest.mark.parametrize("file", DECISIONS)
def test_a_decision_asks_one_question_and_answers_it(file: str) -> None:
    text = read(DECISIONS[file])
    title, question = text.split("\n\n")[:2]
    assert title.startswith(f"# {Path(file).name[:4]} ")
    assert question.endswith("?")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == DECISION_HEADINGS


@pytest.mark.parametrize("file", [file for file in FILES if re.fullmatch(r"requirements/\w+\.in", file)])
def test_every_dependency_has_its_reason(file: str) -> None:
    wanted = re.findall(r"^([a-z0-9][\w-]*)", read(FILES[file]), re.MULTILINE | re.IGNORECASE)
    reasons = read(ROOT / "decisions" / "0002-dependencies.md")
    assert [package for package in wanted if f"`{package}`" not in reasons] == []


@pytest.mark.parametrize("file", [file for file in FILES if re.fullmatch(r"requirements/\w+\.txt", file)])
def test_every_pin_has_its_hashes(file: str) -> None:
    pins = re.split(r"\n(?=[a-z0-9])", read(FILES[file]), flags=re.IGNORECASE)[1:]
    assert pins
    assert [pin.split()[0] for pin in pins if "==" not in pin.split()[0] or "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize(
    ("pattern", "planted"),
    [
        (ELSEWHERE, "https://" + "pypi" + ".org/simple"),
        (ELSEWHERE, "--extra" + "-index" + "-url https://packages.example"),
        (ELSEWHERE, "registry.npm" + "js.org"),
        (MACHINE, "/ho" + "me/someone/comity"),
        (LATER, "# TO" + "DO: later"),
        (AMERICAN, "the organiz" + "ation of labels"),
        (AMERICAN, "its behav" + "ior"),
        (SUPPRESSION, "x = 1  # no" + "qa"),
        (SUPPRESSION, "x = 1  # type" + ": ignore"),
        (STEP_CITED, "# (3)"),
        (STEP_CITED, '"""(3) The step.'),
    ],
)
def test_a_planted_slip_is_found(pattern: re.Pattern[str], planted: str) -> None:
    assert pattern.search(planted)


@pytest.mark.parametrize("rest", ["", ": E501", ": E501 -", "[arg-type]", "[arg-type]  # "])
def test_a_code_alone_is_no_reason(rest: str) -> None:
    assert not REASON.fullmatch(rest)


@pytest.mark.parametrize(
    "rest", [": E501 - a table", ": A001, B002  names of the format", "[arg-type]  # checked above"]
)
def test_a_reason_may_follow_its_code_in_several_ways(rest: str) -> None:
    assert REASON.fullmatch(rest)
