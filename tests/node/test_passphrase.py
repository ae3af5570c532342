"""Where the passphrase of the keys comes from (`spec/keys.md` step 5)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from comity.cli import passphrases
from comity.errors import Misuse, Rejected, Unavailable
from comity.node.passphrase import at_hand, required
from comity.node.settings import FILE, KeysSettings, Settings, parse_settings, write_settings

VARIABLES = "COMITY_PASSPHRASE_FILE", "COMITY_PASSPHRASE", "CREDENTIALS_DIRECTORY"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def written(path: Path, text: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(text)
    path.chmod(mode)
    return path


def test_in_this_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert at_hand() is None
    written(tmp_path / "comity-passphrase", b"from systemd\r\nand more")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert at_hand() == "from systemd"
    monkeypatch.setenv("COMITY_PASSPHRASE", "from the environment")
    assert at_hand() == "from the environment"
    monkeypatch.setenv("COMITY_PASSPHRASE_FILE", str(written(tmp_path / "named", "合い言葉 \n".encode())))
    assert required() == "合い言葉 "
    assert at_hand(written(tmp_path / "given", b"given")) == "given"


def test_nowhere() -> None:
    with pytest.raises(Unavailable, match="COMITY_PASSPHRASE_FILE") as error:
        required()
    assert error.value.code == "keys-locked"


@pytest.mark.parametrize(
    ("text", "mode", "kind", "says"),
    [
        (b"secret words", 0o644, Rejected, "others can read"),
        (b"\nsecret words", 0o600, Misuse, "empty"),
        (b"", 0o600, Misuse, "empty"),
        (b"\xff\xfe", 0o600, Misuse, "not text"),
    ],
)
def test_a_file_that_will_not_do(text: bytes, mode: int, kind: type[Exception], says: str, tmp_path: Path) -> None:
    with pytest.raises(kind, match=says) as error:
        at_hand(written(tmp_path / "file", text, mode))
    assert "secret words" not in str(error.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="cannot read"):
        at_hand(tmp_path / "nowhere")


def test_a_terminal_is_asked_where_nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def typed(what: str) -> str:
        asked.append(what)
        return "typed"

    monkeypatch.setattr(passphrases, "getpass", typed)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: False, raising=False)
    assert passphrases.choosing("New", None) == ""
    with pytest.raises(Unavailable):
        passphrases.unlocking(tmp_path)
    assert asked == []
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    assert passphrases.choosing("New", None) == passphrases.unlocking(tmp_path) == "typed"
    assert passphrases.another_passphrase(None) == "typed"
    assert len(asked) == 2 + 1 + 2
    monkeypatch.setenv("COMITY_PASSPHRASE", "set")
    assert passphrases.choosing("New", None) == passphrases.unlocking(tmp_path) == "set"
    assert passphrases.another_passphrase(None) == "typed"
    assert passphrases.another_passphrase(written(tmp_path / "new", b"new")) == "new"


def test_the_work_factor_has_a_floor_and_a_ceiling() -> None:
    settings = Settings(party="jp", keys=KeysSettings(work_factor=19))
    assert parse_settings(write_settings(settings), FILE) == settings
    assert Settings(party="jp").keys.work_factor == 18
    for factor in (16, 21):
        with pytest.raises(Rejected, match=r"keys\.work-factor"):
            parse_settings(f'party = "jp"\n[keys]\nwork-factor = {factor}\n', FILE)
