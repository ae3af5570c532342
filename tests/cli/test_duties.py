"""How ``comity duties`` reads, and when it ends with a code of its own (``spec/duties.md`` step 8)."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import click.testing
import msgspec
import pytest

from comity.cli.duties import duties
from comity.cli.main import root
from comity.cli.output import EXIT_CODES, OVERDUE
from comity.cli.session import Session
from comity.flows.looking.duties import DutiesShown, DutyShown, ListDuties
from comity.flows.looking.duty_words import WORDS

NOW = datetime(2026, 12, 1, tzinfo=UTC)
DUTY = DutyShown(
    relationship="jp-kr-2016/jp.kr",
    subject="x-1",
    item="i-1",
    instrument="jp-kr-2016",
    obligation="o-17-notify",
    clause="17",
    provenance="P",
    unchecked=False,
    who="kr",
    to="jp",
    event="loss-suspected",
    deed="notify",
    says="tell the originator",
    evidence="the notice",
    opened="ab" * 32,
    at=NOW - timedelta(days=2),
    within="immediately",
    limit="PT24H",
    limit_from="arrangement-2017:9",
    due=NOW - timedelta(days=1),
    overdue=True,
    now=True,
    standing=False,
    discharged=None,
    discharged_at=None,
    void=False,
    shown=None,
    shown_at=None,
    next="",
)


NAMED = ("item", "subject", "first", "last", "agreement")
"""What a command of the table can name."""


def run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *found: DutyShown, arguments: tuple[str, ...] = ()
) -> tuple[int, str]:
    loud = sum(each.overdue and not each.unchecked for each in found)
    shown = DutiesShown(party="kr", at=NOW, duties=found, standing=(), overdue=loud, more=False)
    asked: list[ListDuties] = []

    def call(_: Session, flow: str, request: ListDuties) -> DutiesShown:
        assert flow == "duties.list"
        asked.append(request)
        return shown

    monkeypatch.setattr(Session, "call", call)
    result = click.testing.CliRunner().invoke(
        duties, ["--folder", str(tmp_path), *arguments], standalone_mode=False, catch_exceptions=False
    )
    return int(result.return_value), result.output


def test_what_is_overdue_is_loud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, printed = run(monkeypatch, tmp_path, DUTY)
    assert code == OVERDUE == 7
    assert OVERDUE in EXIT_CODES
    assert "overdue  tell the originator (to jp)" in printed
    assert "17 of jp-kr-2016 [P]" in printed
    assert "2026-11-30 00:00:00 UTC (24 hours by Article 9 of arrangement-2017; immediately)" in printed


def test_what_is_due_at_once_says_so_and_has_no_number(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without = msgspec.structs.replace(DUTY, limit="", limit_from="", due=None, overdue=False)
    code, printed = run(monkeypatch, tmp_path, without)
    assert code == 0
    assert "due now  tell the originator" in printed
    assert "due       immediately\n" in printed


def test_what_is_unchecked_is_not_loud(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, printed = run(monkeypatch, tmp_path, msgspec.structs.replace(DUTY, unchecked=True, provenance="K"))
    assert code == 0
    assert "[K, unchecked: warns only]" in printed


def test_as_json_it_is_one_document_and_the_code_stays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, printed = run(monkeypatch, tmp_path, DUTY, arguments=("--json",))
    assert code == OVERDUE
    read = msgspec.json.decode(printed, type=DutiesShown)
    assert read.duties == (DUTY,)


def test_the_other_side_is_named_and_ours_is_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    theirs = msgspec.structs.replace(DUTY, who="jp", to="kr")
    _, printed = run(monkeypatch, tmp_path, theirs)
    before, _, after = printed.partition("others owe")
    assert "nothing that is open" in before
    assert "jp: tell the originator (to kr)" in after


def test_a_pipe_is_enough(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _, printed = run(monkeypatch, tmp_path, DUTY)
    assert "\x1b[" not in printed
    assert io.StringIO(printed).readline() == "this house owes\n"


def test_what_to_type_can_be_typed() -> None:
    """Each command of the table is a verb, and has the options that it is told with."""
    for words in filter(lambda each: each.command, WORDS.values()):
        assert words.command.startswith("comity ")
        command: click.Command | None = root
        context = click.Context(root)
        rest = words.command.format_map(dict.fromkeys(NAMED, "i-7k3m")).split()[1:]
        while rest and isinstance(command, click.Group):
            _, command, rest = command.resolve_command(context, rest)
        assert command is not None, words.command
        known = {option for each in command.params for option in each.opts}
        assert {word for word in rest if word.startswith("-")} <= known, words.command
