"""The command itself: how it starts, what its help teaches, and what becomes of mistakes and defects."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from comity import __version__
from comity.cli.main import VERBS, main, root
from comity.cli.output import EXIT_CODES

SPEC = (Path(__file__).parents[2] / "spec" / "command-line.md").read_text(encoding="utf-8")
SLOW = ("aiohttp", "uvicorn", "uvloop", "starlette", "httptools", "rich", "apsw", "cryptography", "tzdata", "typst")
SLOW += ("asterix", "lxml", "signxml")


def commands(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, by how it is typed."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if not isinstance(command, click.Group) or command.invoke_without_command:
            yield f"{path}{name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{name} ")


COMMANDS = dict(commands(root))


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--version"], ()),
        (["--help"], ()),
        (["giv"], ()),
        (["agreement", "status", "jp-kr-2016", "--at", "2020-11-23"], ("tzdata",)),
    ],
)
def test_the_slow_libraries_stay_away_until_they_are_needed(arguments: list[str], allowed: tuple[str, ...]) -> None:
    """(29)"""
    program = (
        "import sys; from comity.cli.main import main; main(sys.argv[2:]); "
        "sys.exit(','.join(sorted(set(sys.argv[1].split(',')) & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, ",".join(set(SLOW) - set(allowed)), *arguments], capture_output=True, text=True
    )
    assert done.stderr.splitlines()[-1:] in ([], [""]) or "try:" in done.stderr.splitlines()[-1], done.stderr
    assert done.stdout or arguments == ["giv"]


def test_the_slow_libraries_are_what_they_are_called() -> None:
    """If a library were renamed, the test above would watch a name that nobody imports."""
    program = f"import {', '.join(SLOW)}"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"comity {__version__}\n"


def test_help_names_every_verb_and_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """(15) (21)"""
    assert main(["--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for name, verb in VERBS.items():
        assert f"{name} {verb.does}" in text
    for code, says in EXIT_CODES.items():
        assert f"{code} {says}" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_teaches_by_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """(21)"""
    assert main([*name.split(), "--help"]) == 0
    text = capsys.readouterr().out
    assert f"comity {name}" in text.partition("\nExample:\n")[2], text
    assert "\b" not in text.replace("\\b", "\b")


@pytest.mark.parametrize(
    "name", [name for name in COMMANDS if name.split()[0] not in {"demo", "completion", "seal", "unseal", "keygen"}]
)
def test_every_command_that_tells_something_tells_it_as_json(name: str) -> None:
    """(13)"""
    assert any("--json" in option.opts for option in COMMANDS[name].params)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_spec(name: str) -> None:
    verb, _, rest = name.partition(" ")
    rows = [row for row in SPEC.splitlines() if re.match(rf"\| .*`{verb}[` ]", row)]
    assert rows
    assert not rest or any(re.search(rf"[` ]{rest}`", row) for row in rows)


def test_the_spec_lists_the_exit_codes() -> None:
    """(15)"""
    listed = dict(re.findall(r"^\| (\d+) \| (.+) \|$", SPEC, re.MULTILINE))
    assert {int(code): says for code, says in listed.items()} == EXIT_CODES


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["giv"], "there is no verb 'giv', did you mean 'give'?"),
        (["give"], "missing argument 'FILE'"),
        (["give", "--prview"], "no such option '--prview'"),
        (["peer", "ad"], "no such command 'ad'"),
        (["--fodler", "x"], "no such option '--fodler'"),
    ],
)
def test_a_command_line_that_is_not_understood(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """(15)"""
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
    assert "try: comity" in told.err


@pytest.mark.parametrize("arguments", [[], ["peer"]])
def test_a_verb_alone_shows_its_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("Usage: comity")


def test_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """(14)"""
    assert main(["give", "--json"]) == 2
    told = json.loads(capsys.readouterr().err)
    assert told["error"]["root"] == "misuse"
    assert told["error"]["code"] == "usage"


def test_a_defect_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """(30)"""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("a slip")

    monkeypatch.setattr("comity.api.read_text", broken)
    arguments = ["agreement", "check", "jp-kr-2016"]
    assert main(arguments) == 70
    told = capsys.readouterr().err
    assert "a defect of Comity: ZeroDivisionError: a slip" in told
    assert "Traceback" not in told
    monkeypatch.setenv("COMITY_TRACE", "1")
    assert main(arguments) == 70
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_who_goes_away_is_no_error() -> None:
    program = f"'{sys.executable}' -m comity agreement show jp-kr-2016 | head -n 1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {program}"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_folder_is_named_before_or_after_the_verb_or_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """(1)"""
    monkeypatch.setenv("COMITY_HOME", str(tmp_path / "third"))
    monkeypatch.setenv("HOME", str(tmp_path))
    for arguments, folder in (
        (["--folder", str(tmp_path / "first"), "register"], "first"),
        (["--folder", str(tmp_path / "first"), "register", "--folder", str(tmp_path / "second")], "second"),
        (["register"], "third"),
    ):
        assert main(arguments) == 1
        assert f"'{tmp_path / folder}'" in capsys.readouterr().err
    monkeypatch.delenv("COMITY_HOME")
    assert main(["register"]) == 1
    assert f"'{tmp_path / '.comity'}'" in capsys.readouterr().err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    assert "_COMITY_COMPLETE" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [("comity led", {"ledger"}), ("comity give --pre", {"--preview"}), ("comity peer ", {"card", "add", "list"})],
)
def test_completion_knows_verbs_and_options(words: str, expected: set[str]) -> None:
    """(29)"""
    environment = {
        **os.environ,
        "_COMITY_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run(
        [sys.executable, "-c", "from comity.cli.main import main; main()"],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == expected
