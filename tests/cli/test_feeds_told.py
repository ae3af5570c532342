"""What is told of a feed: on whose word a consent rests, what was before; and what is asked wrongly is said at once."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import msgspec
import pytest

from comity.cli.feeds import _tell_elsewhere, _tell_shown
from comity.cli.main import main
from comity.cli.output import Output
from comity.flows.feeding.listing import FeedLine, FeedShown
from comity.flows.feeding.originators import ToldLine
from comity.marking.label import Label
from comity.register.rows.feeding import FeedEnd, FeedToldRow
from world import TODAY

LINE = FeedLine(
    relationship="warning-data-2023/jp.kr",
    publisher="jp",
    feed="launches",
    release="r-2",
    ours=False,
    label=Label(policy="jp", mark="極秘", originator="us"),
    alternative=Label(policy="kr", mark="군사 Ⅱ급 비밀", originator="us"),
    topic="test-site",
    subject="defence",
    purpose="missile-warning",
    host="jp",
    recipients=(),
    at=TODAY,
    until=TODAY + timedelta(days=30),
    state="stands",
    why="",
    since=TODAY,
    turns=None,
    posture="normal",
    ends=(),
    followed_by="",
    has=None,
)
END = FeedEnd(party="kr", record=bytes(32), at=TODAY, by="n-1", reason="enough")
BEFORE = msgspec.structs.replace(LINE, release="r-1", state="followed", ends=(END,), followed_by="r-2")


def told(shown: FeedShown) -> str:
    stream = StringIO()
    _tell_shown(Output(as_json=False, stream=stream), shown, {})
    return " ".join(stream.getvalue().split())


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"word": "publisher"},
            "rests on the word of jp alone; this house has no dealings with us",
        ),
        (
            {"word": "publisher", "asked_in": ("warning-data-2023/kr.us",)},
            "rests on the word of jp alone; us itself can be asked under warning-data-2023/kr.us.",
        ),
        ({"word": "originator", "consents": ("c-1", "c-2")}, "consent of us c-1, c-2"),
    ],
)
def test_on_whose_word_a_consent_rests(changes: dict[str, object], says: str) -> None:
    assert says in told(FeedShown(line=LINE, types=(), postures=(), **changes))


def test_what_was_before_is_told_where_there_was_something() -> None:
    shown = FeedShown(line=LINE, types=(), postures=(), history=(BEFORE, LINE))
    assert "history" not in told(msgspec.structs.replace(shown, history=(LINE,)))
    assert "r-1 군사 Ⅱ급 비밀 followed, until 2026-11-21 03:00:00 UTC, ended by kr" in told(shown)
    assert "rests on" not in told(shown)


def test_a_level_that_its_originator_changed_is_told_to_it_and_why_nothing_crosses() -> None:
    stopped = msgspec.structs.replace(LINE, state="stopped", why="level-changed")
    assert "its originator marks it otherwise now" in told(FeedShown(line=stopped, types=(), postures=()))
    shared = {name: getattr(LINE, name) for name in FeedToldRow.__struct_fields__ if hasattr(LINE, name)}
    row = FeedToldRow(record=bytes(32), to="kr", consents=("c-1",), **shared)
    stream = StringIO()
    line = ToldLine(relationship="warning-data-2023/jp.us", publisher="jp", row=row, over=False, mark="CONFIDENTIAL")
    _tell_elsewhere(Output(as_json=False, stream=stream), [line])
    assert "yours since CONFIDENTIAL" in " ".join(stream.getvalue().split())


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ([], "name an item, or a feed with --feed"),
        (["i-1", "--feed", "launches"], "name an item, or a feed with --feed"),
        (["--feed", "launches", "--mark", "極秘"], "of a feed say --mark and --topic"),
        (["--feed", "launches", "--mark", "極秘", "--topic", "x", "--act", "give"], "of a feed say --mark and --topic"),
        (["i-1"], "of an item say what is to be done"),
        (["i-1", "--act", "give", "--topic", "x"], "--mark and --topic are for feeds"),
    ],
)
def test_what_a_consent_is_asked_to_is_one_thing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], typed: list[str], says: str
) -> None:
    folder = ["--folder", str(tmp_path / "jp")]
    assert main(["init", "jp", "--name", "Japan", "--pouch-only", *folder]) == 0
    more = ["--for", "kr", "--purpose", "p", "--reason", "r", "--until", "2027-06-30", "--as", "sato"]
    assert main([*folder, "consent", "ask", *typed, *more]) == 1
    assert says in capsys.readouterr().err
