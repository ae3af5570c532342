"""What nothing takes back is asked about first, of whoever sits at a terminal (``spec/command-line.md`` step 31)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import pytest

from comity.cli.main import main
from comity.cli.output import MISUSE, STOPPED
from comity.cli.session import Session
from comity.errors import Misuse

FINAL = {
    "destroy": ("destroy", "i-7k3m", "--copy", "1", "--method", "shred", "--reason", "over", "--as", "kim"),
    "return": ("return", "i-7k3m", "--copy", "1", "--reason", "over", "--as", "kim"),
    "pass-on": ("pass-on", "seal", "r-4xq7", "--out", "new.age", "--as", "kim"),
    "deposit": ("deposit", "reveal", "e-7k3m", "--as", "mori"),
    "sign": ("negotiation", "sign", "g-7k3m", "--as", "oda"),
    "withdraw": ("negotiation", "withdraw", "g-7k3m", "--reason", "no majority", "--as", "mun"),
    "person": ("person", "remove", "kim", "--reason", "left", "--as", "root"),
}


class Desk:
    """A terminal, somebody who sits there, and what was done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, terminal: bool, answer: bool) -> None:
        self.asked: list[str] = []
        self.done: list[str] = []
        monkeypatch.setattr(sys.stdin, "isatty", lambda: terminal, raising=False)
        monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)

        def confirm(sentence: str, *, abort: bool, err: bool) -> bool:
            assert abort
            assert err
            self.asked.append(sentence)
            if not answer:
                raise click.Abort
            return True

        def act(_: Session, flow: str, __: Any, ___: Any) -> Any:
            self.done.append(flow)
            raise Misuse("enough", code="enough")

        monkeypatch.setattr(click, "confirm", confirm)
        monkeypatch.setattr(Session, "act", act)


@pytest.mark.parametrize("typed", FINAL.values(), ids=FINAL)
def test_whoever_says_no_has_done_nothing(monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...]) -> None:
    desk = Desk(monkeypatch, terminal=True, answer=False)
    assert main([*typed, "--folder", "/nowhere"]) == STOPPED
    assert (len(desk.asked), desk.done) == (1, [])


@pytest.mark.parametrize("typed", FINAL.values(), ids=FINAL)
def test_whoever_says_yes_is_asked_once(monkeypatch: pytest.MonkeyPatch, typed: tuple[str, ...]) -> None:
    desk = Desk(monkeypatch, terminal=True, answer=True)
    assert main([*typed, "--folder", "/nowhere"]) == MISUSE
    assert (len(desk.asked), len(desk.done)) == (1, 1)


@pytest.mark.parametrize("typed", FINAL.values(), ids=FINAL)
def test_neither_a_script_nor_who_said_so_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    for terminal, more in ((False, ()), (True, ("--yes",))):
        desk = Desk(monkeypatch, terminal=terminal, answer=False)
        assert main([*typed, *more, "--folder", "/nowhere"]) == MISUSE
        assert (desk.asked, len(desk.done)) == ([], 1)


def test_a_crisis_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, terminal=True, answer=False)
    assert main([*FINAL["destroy"], "--crisis", "--folder", "/nowhere"]) == MISUSE
    assert (desk.asked, len(desk.done)) == ([], 1)


def test_what_becomes_of_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk(monkeypatch, terminal=True, answer=False)
    main([*FINAL["destroy"], "--folder", "/nowhere"])
    assert "copy 1 of i-7k3m" in desk.asked[0]
    assert "its key is erased" in desk.asked[0]
    assert "Nothing takes that back" in desk.asked[0]
