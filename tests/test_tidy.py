"""House style that a reader would otherwise have to police: each rule here once slipped somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MADE = {".git", ".venv", ".venv-other", "node_modules", "build", "dist", ".fuzz", "__pycache__"}
"""Folders that are made or fetched, not written."""
TEXT = {"", ".py", ".md", ".toml", ".in", ".txt", ".json", ".mjs", ".js", ".html", ".css", ".svg", ".cfg", ".yml"}

NEWLINE = "\n"
Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
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
DRAWER = re.compile(r"util|helper|misc|common")
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


def slips(files: Iterable[str], *patterns: re.Pattern[str]) -> list[str]:
    """``file:line: what`` for each match in each file."""
    return [
        f"{file}:{text.count(NEWLINE, 0, match.start()) + 1}: {match[0]}"
        for file in files
        for text in [read(FILES[file])]
        for pattern in patterns
        for match in pattern.finditer(text)
    ]


def none(found: Iterable[str]) -> None:
    """Fail with everything that was found, one to a line."""
    if text := "\n".join(found):
        pytest.fail(text, pytrace=False)


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCE) > 50
    assert {"Makefile", ".ci/run", "pyproject.toml", "LICENSE", "decisions/0001-canonical-json.md"} <= set(FILES)


def test_no_file_names_a_registry_or_a_machine_or_puts_off_work() -> None:
    none(slips(FILES, ELSEWHERE, MACHINE, LATER))


def test_every_suppression_says_why() -> None:
    none(slip for slip in slips(PYTHON, SUPPRESSION) if not REASON.fullmatch(SUPPRESSION.split(slip)[1]))


def test_no_module_is_long_and_none_is_a_drawer() -> None:
    none(f"{file}: over {LINES_MAX} lines" for file in SOURCE if read(FILES[file]).count(NEWLINE) > LINES_MAX)
    none(file for file in SOURCE if DRAWER.search(Path(file).name))


def public(node: ast.AST, owner: str = "") -> Iterator[tuple[str, Documented]]:
    """Every public class and function below ``node`` that somebody else can name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Documented) and not child.name.startswith("_"):
            yield f"{owner}{child.name}", child
            if isinstance(child, ast.ClassDef):
                yield from public(child, f"{child.name}.")


def test_every_module_and_public_name_says_what_it_is() -> None:
    trees = {file: ast.parse(read(path)) for file, path in SOURCE.items()}
    none(f"{file}: the module has no docstring" for file, tree in trees.items() if not ast.get_docstring(tree))
    none(
        f"{file}:{node.lineno}: {called} has no docstring"
        for file, tree in trees.items()
        for called, node in public(tree)
        if not ast.get_docstring(node)
    )


def prose(file: str) -> str:
    """What is written for people: a document without its code, or the comments and docstrings of a module."""
    text = read(FILES[file])
    if file.endswith(".md"):
        return QUOTED.sub(" ", text)
    return QUOTED.sub(" ", NEWLINE.join(re.findall(r"#.*", text) + re.findall(r'"""(.*?)"""', text, re.DOTALL)))


def test_the_spelling_is_british() -> None:
    people_read = [file for file in FILES if file.endswith((".py", ".md", "Makefile", ".ci/run"))]
    none(f"{file}: {word}" for file in people_read for word in AMERICAN.findall(prose(file)))


def test_a_spec_opens_with_an_example_and_numbers_its_steps() -> None:
    assert SPECS
    for spec, path in SPECS.items():
        text = read(path)
        steps = [int(number) for number in STEP.findall(text)]
        assert text.startswith("# "), spec
        assert "\n```" in text.partition("\n(")[0], f"{spec}: no literal example before the first step"
        assert len(steps) > 1, spec
        assert all(before < after for before, after in pairwise(steps)), f"{spec}: {steps}"


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


def stray_steps(file: str) -> Iterator[str]:
    """Citations in a file of a spec or a step that there is not."""
    text = read(FILES[file])
    for spec, numbers in SPEC_NAMED.findall(text):
        if spec not in SPECS:
            yield f"{file}: there is no spec/{spec}.md"
        else:
            yield from (
                f"{file}: spec/{spec}.md ({n})" for n in re.findall("[0-9]+", numbers) if n not in steps_of(spec)
            )
    known: frozenset[str] = frozenset().union(*map(steps_of, specs_behind(file)))
    yield from (f"{file}: ({n}) is in no spec of its room" for n in set(STEP_CITED.findall(text)) - known)


def test_every_step_that_is_cited_exists() -> None:
    none(stray for file in PYTHON for stray in stray_steps(file))


MODULE_NAMED = re.compile(r"`((?:[a-z_]+/)*[a-z_]+\.py)`")


def test_every_module_that_is_named_exists() -> None:
    """In prose, docstrings and comments: by its name, or by as much of its path as it takes."""
    prose = [file for file, path in FILES.items() if path.suffix in (".md", ".py") and not file.startswith("tests/")]
    none(
        f"{file}: {named}"
        for file in prose
        for named in MODULE_NAMED.findall(read(FILES[file]))
        if not any(each == named or each.endswith(f"/{named}") for each in PYTHON)
    )


def test_decisions_are_numbered_without_gaps() -> None:
    assert [Path(file).name[:5] for file in DECISIONS] == [f"{number:04d}-" for number in range(1, len(DECISIONS) + 1)]


def test_a_decision_asks_one_question_and_answers_it() -> None:
    for file, path in DECISIONS.items():
        text = read(path)
        title, question = text.split("\n\n")[:2]
        assert title.startswith(f"# {Path(file).name[:4]} "), file
        assert question.endswith("?"), file
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == DECISION_HEADINGS, file


def test_every_dependency_has_its_reason_and_every_pin_its_hashes() -> None:
    reasons = read(FILES["decisions/0002-dependencies.md"])
    for file in [each.removesuffix(".in") for each in FILES if re.fullmatch(r"requirements/[a-z0-9]+\.in", each)]:
        wanted = re.findall(r"^([a-z0-9][\w-]*)", read(FILES[f"{file}.in"]), re.MULTILINE | re.IGNORECASE)
        assert [package for package in wanted if f"`{package}`" not in reasons] == []
        pins = re.split(r"\n(?=[a-z0-9])", read(FILES[f"{file}.txt"]), flags=re.IGNORECASE)[1:]
        assert len(pins) >= len(wanted)
        assert [pin for pin in pins if "==" not in pin.split()[0] or "--hash=sha256:" not in pin] == []


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
        (STEP_CITED, "# " + "(3)"),
        (STEP_CITED, '""' + '"(3) The step.'),
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
