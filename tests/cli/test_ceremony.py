"""A ceremony at a terminal, its mediums, and a root key on the way (`spec/keys.md` steps 25 to 29)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest

from comity.cli.ceremony import Asking
from comity.cli.main import main
from comity.cli.output import Output
from comity.errors import Misuse, Rejected
from comity.node.ceremony import copy_root
from comity.node.keys import list_keys
from comity.seal import passphrase

FOUNDING = ["Tokyo", "Ito", "Abe", "yes", "jp", "Government of Japan", "https://comity.example:8443", "yes", "yes", "0"]


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    derive = passphrase._key
    monkeypatch.setattr(passphrase, "_key", lambda words, salt, _: derive(words, salt, 10))


def typing(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> list[str]:
    asked: list[str] = []

    def prompt(question: str, **_: Any) -> str:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr(click, "prompt", prompt)
    return asked


def founded(tmp_path: Path, *more: str) -> int:
    return main(["keys", "ceremony", "--folder", str(tmp_path / "jp"), "--out", str(tmp_path / "out"), *more])


def test_a_founding_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = tmp_path / "words"
    words.write_text("correct horse battery staple")
    words.chmod(0o600)
    (tmp_path / "safe").mkdir()
    asked = typing(monkeypatch, [*FOUNDING, str(tmp_path / "safe")])
    assert founded(tmp_path, "--passphrase-file", str(words)) == 0
    assert len(asked) == 11
    assert "https://comity.example:8443" in (tmp_path / "jp" / "node.toml").read_text()
    shown = list_keys(tmp_path / "jp")
    assert shown.root_away
    assert shown.open == []
    assert sorted(path.name for path in (tmp_path / "safe" / "root").iterdir()) == ["lock.age", "root.key"]
    printed = capsys.readouterr().out
    for path in (tmp_path / "out").iterdir():
        assert b"correct horse" not in path.read_bytes()
    assert "correct horse" not in printed
    assert "PRIVATE KEY" not in printed
    # the way back: the root key comes for one act
    (tmp_path / "safe" / "root" / "root.key").rename(tmp_path / "jp" / "root" / "root.key")
    assert not list_keys(tmp_path / "jp").root_away


def test_a_no_after_the_founding_says_what_to_destroy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typing(monkeypatch, [*FOUNDING[:7], "no"])
    assert founded(tmp_path, "--no-passphrase") == 1
    assert "destroy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("at", "said", "says"),
    [
        (1, "", "wants an answer"),
        (4, "JP!", "cannot be a party id"),
        (5, "x" * 300, "a name has 1 to"),
        (6, "ftp://nowhere", "listen.public"),
        (9, "three", "are numbers"),
        (9, "99", "cannot be"),
    ],
)
def test_an_answer_that_cannot_be(
    at: int, said: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [*FOUNDING, "2", *["x"] * 5]
    answers[at] = said
    typing(monkeypatch, answers)
    assert founded(tmp_path, "--no-passphrase") == 1
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("text", ["not toml", "place = [1]", "\xff"])
def test_a_file_of_answers_that_is_none(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "answers").write_bytes(text.encode("latin-1"))
    assert founded(tmp_path, "--no-passphrase", "--answers", str(tmp_path / "answers")) == 1
    assert "TOML" in (told := capsys.readouterr().err) or "a text or a number" in told


def test_what_the_out_folder_and_the_token_must_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert founded(tmp_path, "--no-passphrase", "--on-token", "root") == 2
    (tmp_path / "out").mkdir()
    assert founded(tmp_path, "--no-passphrase") == 1
    assert "exists already" in capsys.readouterr().err


def test_mediums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "safe").mkdir()
    typing(monkeypatch, [*FOUNDING, str(tmp_path / "safe")])
    assert founded(tmp_path, "--no-passphrase") == 0
    with pytest.raises(Misuse, match="away already"):
        copy_root(tmp_path / "jp", [tmp_path / "safe"])
    (tmp_path / "safe" / "root" / "root.key").rename(tmp_path / "jp" / "root" / "root.key")
    for medium in (tmp_path / "safe", tmp_path / "nowhere"):
        with pytest.raises(Misuse, match="is no folder, or has a root key"):
            copy_root(tmp_path / "jp", [medium])
    (tmp_path / "jp" / "root" / "root.key").chmod(0o644)
    (tmp_path / "second").mkdir()
    with pytest.raises(Rejected, match="others can read"):
        copy_root(tmp_path / "jp", [tmp_path / "second"])


def test_as_json_nothing_but_the_result(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asking = Asking(Output(as_json=True), {"place": "Tokyo"})
    assert asking.ask("place", "Where?") == "Tokyo"
    asking.did("something")
    assert [step.asked for step in asking.steps] == ["Where?", "something"]
