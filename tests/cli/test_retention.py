"""``comity retention`` on a folder: what is told, and that what is erased is nowhere below it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comity.cli.main import main

NAME = "Zacharias Quittenbaum"


def run(folder: Path, *words: str) -> int:
    return main(["--folder", str(folder), *words])


def holding(folder: Path) -> list[str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in files if NAME.encode() in path.read_bytes()]


def test_a_name_is_kept_by_the_setting_and_gone_when_its_time_is_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "jp"
    assert run(folder, "init", "jp", "--name", "Japan", "--no-passphrase") == 0
    settings = folder / "node.toml"
    asked = settings.read_text()
    settings.write_text(f'{asked}\n[retention]\nnames = "P5Y"\n')
    who = ("--function", "a desk", "--body", "a ministry", "--nationality", "jp", "--as", "root")
    assert run(folder, "person", "add", "zq", "--name", NAME, *who) == 0
    assert run(folder, "person", "remove", "zq", "--reason", "left", "--as", "root", "--yes") == 0
    assert holding(folder)
    capsys.readouterr()
    assert run(folder, "retention", "show") == 0
    told = capsys.readouterr().out
    assert "P5Y" in told
    assert "spec/keys.md step 70" in told
    assert run(folder, "retention", "apply", "--as", "root", "--yes") == 0
    assert "nothing is due" in capsys.readouterr().out
    settings.write_text(f'{asked}\n[retention]\nnames = "at-once"\n')
    assert run(folder, "retention", "show") == 0
    assert "comity retention apply --as HANDLE" in capsys.readouterr().out
    assert run(folder, "retention", "apply", "--as", "root", "--yes") == 0
    assert "erased: 1 names" in capsys.readouterr().out
    assert holding(folder) == []
    assert run(folder, "retention", "show", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["older_backups"]
    assert {each["kind"]: each["kept"] for each in shown["classes"]}["names"] == "at-once"
    assert run(folder, "ledger", "verify") == 0
    assert run(folder, "rebuild") == 0
    assert run(folder, "fsck") == 0


@pytest.mark.parametrize("value", ["P0D", "5 years", "P5Y\\n", "never", "P1W", 5])
def test_a_period_that_is_none_is_refused_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: object
) -> None:
    folder = tmp_path / "jp"
    assert run(folder, "init", "jp", "--name", "Japan", "--no-passphrase") == 0
    settings = folder / "node.toml"
    written = f'"{value}"' if isinstance(value, str) else value
    settings.write_text(f"{settings.read_text()}\n[retention]\nnames = {written}\n")
    capsys.readouterr()
    assert run(folder, "retention", "show") == 4
    assert "node.toml:" in capsys.readouterr().err
