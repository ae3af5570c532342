"""Every transcript is done for real, and what is printed is compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.transcripts import FOLDER, Scene, match, play, prepare, read

NAMES = sorted(path.name for path in FOLDER.glob("*.txt"))


@pytest.mark.parametrize("name", NAMES)
def test_a_transcript(name: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    transcript = read(name)
    assert transcript.steps
    store = tmp_path_factory.getbasetemp() / "played"
    store.mkdir(exist_ok=True)
    folder = tmp_path / "scene"
    if transcript.after:
        scene = prepare(transcript.after, folder, store)
    else:
        folder.mkdir()
        scene = Scene(folder)
    try:
        play(transcript, scene)
    finally:
        scene.end()


def test_what_differs_is_seen() -> None:
    assert match(["made <thing> for …"], "made r-1 for kim\n", {}) == {"thing": "r-1"}
    assert match(["made <thing>"], "made r-1\n", {"thing": "r-2"}) is None
    assert match(["first", "…", "last"], "first\nlast\n", {}) == {}
    assert match(["first", "…", "last"], "first\na\nb\nlast\n", {}) == {}
    assert match(["first"], "first\nsecond\n", {}) is None
    assert match([], "", {}) == {}
    assert match([], "something\n", {}) is None
