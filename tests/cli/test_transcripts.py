"""Every transcript is done for real, and what is printed is compared."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.transcripts import FOLDER, match, played, read
from cli.wires import Line
from comity.cli.main import VERBS

NAMES = sorted(path.name for path in FOLDER.glob("*.txt"))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("transcripts")


@pytest.fixture(scope="session")
def line() -> Iterator[Line]:
    made = Line()
    yield made
    made.end()


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript(name: str, store: Path) -> None:
    assert read(name).steps
    played(name, store)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(("article-", "routes"))])
def test_on_running_nodes(name: str, store: Path, line: Line) -> None:
    """The same transcript, over HTTP between two processes instead of by pouch."""
    played(name, store, line)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in {"demo", "completion"}])
def test_every_verb_has_a_transcript(verb: str) -> None:
    """The demonstration has its own test; a completion script is for shells, not for readers."""
    typed = (step.command for name in NAMES for step in read(name).steps)
    assert any(re.search(rf"\bcomity {verb}\b", command) for command in typed)


def test_what_differs_is_seen() -> None:
    assert match(["made <thing> for …"], "made r-1 for kim\n", {}) == {"thing": "r-1"}
    assert match(["made <thing>"], "made r-1\n", {"thing": "r-2"}) is None
    assert match(["<a-b> and <a-b>"], "x and y\n", {}) is None
    assert match(["first", "…", "last"], "first\nlast\n", {}) == {}
    assert match(["first", "…", "last"], "first\na\nb\nlast\n", {}) == {}
    assert match(["first"], "first\nsecond\n", {}) is None
    assert match([], "", {}) == {}
    assert match([], "something\n", {}) is None
