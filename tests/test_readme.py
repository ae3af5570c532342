"""The README is true: its transcript is done, its Python is run, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from cli import transcripts
from comity.cli.main import SECTIONS, main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks in ``language``."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def block(language: str) -> str:
    """The one fenced block in ``language``."""
    (found,) = blocks(language)
    return found


def test_the_transcript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = tmp_path / "transcripts"
    written.mkdir()
    (written / "readme.txt").write_text(block("console"), encoding="utf-8")
    monkeypatch.setattr(transcripts, "FOLDER", written)
    scene = transcripts.Scene(tmp_path / "scene")
    scene.folder.mkdir()
    transcript = transcripts.read("readme.txt")
    assert len(transcript.steps) >= 5
    transcripts.play(transcript, scene)


def test_the_python() -> None:
    code = block("python")
    said: dict[str, object] = {}
    lines = code.rstrip().splitlines()
    expected = lines[-1].removeprefix("# ")
    exec("\n".join(lines[:-2]), said)
    assert repr(eval(lines[-2], said)) == expected


def test_the_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_two_commands_come_first() -> None:
    first = README[: README.index("## Ten lines")]
    assert first.index("make demo") < first.index("make test")
    assert README.index("make demo") < 300


def test_the_two_houses_and_the_feed_are_typed_as_comity_understands_it(capsys: pytest.CaptureFixture[str]) -> None:
    """With ``--help`` at its end every line is parsed and nothing is done; an option that is not there is an error."""
    lines = [line for line in "".join(blocks("sh")).replace("\\\n", " ").splitlines() if line.startswith("comity ")]
    assert len(lines) >= 10
    for line in lines:
        assert main([*shlex.split(line, comments=True)[1:], "--help"]) == 0, line
    capsys.readouterr()


def test_every_verb_is_named_in_the_row_of_its_section() -> None:
    rows = [re.findall(r"`([a-z-]+)`", line) for line in README.splitlines() if re.match(r"\| [^|]+ \| `[a-z]", line)]
    for title, verbs in SECTIONS.items():
        if title != "This program":
            assert list(verbs) in rows, title
