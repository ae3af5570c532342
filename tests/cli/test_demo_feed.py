"""``comity demo feed``: the whole of it, by itself, in less than the time that it promises."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from io import StringIO

import pytest

from comity.cli.demonstration import choosing

SECONDS_MAX = 40.0
"""From its beginning to its end, with a machine to itself; while other tests run it may take longer."""


def test_the_demonstration_of_a_feed_plays_by_itself() -> None:
    began = time.monotonic()
    played = subprocess.run(
        [sys.executable, "-m", "comity", "demo", "feed", "--prove", "5"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=3 * SECONDS_MAX,
    )
    assert played.returncode == 0, played.stdout + played.stderr
    assert played.stderr == ""
    told = " ".join(played.stdout.split())
    # what crosses is cut by the release, and for each reader by his clearance
    calm, crisis = re.findall(r"flight_level (\S+) (\S+) (\S+)", told)
    assert calm == ("350.0", "—", "—")
    assert crisis == ("350.0", "350.0", "—")
    assert len(re.findall(r"mode_3a 2417 — —", told)) == 2
    # in this order
    steps = (
        "Tokyo declares a crisis",
        "nothing changes yet",
        "Seoul declares one",
        "stands posture crisis",
        "the launch alert is here",
        "the wire is cut",
        "the wire is mended",
        "no number is missing, none came twice",
        "withdraws Kim's clearance",
        "Kim is told: ended",
        "Abe alone ends the feed",
        "nothing crosses now: ended",
        "What it came to",
        "after the end",
        "one message, proved",
        "Tokyo proves message 5.",
        "crossed type = system-track",
        "logged in Tokyo's own books",
    )
    assert re.search(r"shown in Seoul to Kim: messages 0 to \d+", told)
    assert re.search(r"shown in Seoul to Jung: messages 0 to \d+", told)
    places = [told.find(step) for step in steps]
    assert -1 not in places, steps[places.index(-1)]
    assert places == sorted(places)
    assert re.search(r"now [0-9.]+ m?s · median [0-9.]+ m?s · p99 [0-9.]+ m?s", told)
    assert time.monotonic() - began < 2 * SECONDS_MAX


class Typed:
    """A terminal at which somebody types; or nobody does."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)

    def isatty(self) -> bool:
        return True

    def readline(self) -> str:
        return self.lines.pop(0) + "\n"


@pytest.mark.parametrize(
    ("typed", "chosen"),
    [(["7"], 7), ([""], 8), (["12", "seven", " 3 "], 3), ([], 8)],
)
def test_who_looks_on_chooses_the_message_and_who_says_nothing_gets_the_newest_that_was_cut(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: list[str], chosen: int
) -> None:
    terminal = Typed(*typed)
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(choosing.select, "select", lambda *_: ([terminal] if terminal.lines else [], [], []))
    assert choosing.choose(range(10), 8) == chosen
    told = capsys.readouterr().out
    assert "0 to 9? " in told
    assert told.count("none of them") == max(0, len(typed) - 1)


def test_without_a_terminal_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("7\n"))
    assert choosing.choose(range(10), 8) == 8
    assert choosing.choose(range(10), 8, 3) == 3
    assert choosing.choose(range(10), 8, 41) == 8
    assert capsys.readouterr().out == "  There is no message 41; those that crossed are 0 to 9.\n"
