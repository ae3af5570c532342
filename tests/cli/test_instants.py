"""Instants as people type them (`spec/command-line.md` step 9)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from comity.cli.instants import read_instant, told_instant
from comity.errors import Misuse

SEOUL = "Asia/Seoul"


@pytest.mark.parametrize(
    ("text", "end", "at", "read_as"),
    [
        ("2020-11-23", False, "2020-11-22T15:00:00+00:00", "2020-11-23 00:00 Asia/Seoul"),
        ("2020-11-23", True, "2020-11-23T14:59:59+00:00", "2020-11-23 23:59:59 Asia/Seoul"),
        ("2019-11-22T18:00", False, "2019-11-22T09:00:00+00:00", "2019-11-22 18:00 Asia/Seoul"),
        ("2019-11-22T18:00+02:00", False, "2019-11-22T16:00:00+00:00", "2019-11-22T18:00:00+02:00"),
        ("2019-11-22T18:00Z", True, "2019-11-22T18:00:00+00:00", "2019-11-22T18:00:00+00:00"),
    ],
)
def test_how_a_typed_instant_is_read(text: str, end: bool, at: str, read_as: str) -> None:
    typed = read_instant(text, SEOUL, end=end)
    assert (typed.at.isoformat(), typed.read_as) == (at, read_as)
    assert typed.at.tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2020",
        "2020-11",
        "20201123",
        "2020-11-23 12:00",
        "2020-02-30",
        "2020-11-23T25:00",
        "２０２０-11-23",
        "2020-W47-1",
    ],
)
def test_what_is_no_instant_is_told_so(text: str) -> None:
    with pytest.raises(Misuse, match="write 2020-11-23") as refused:
        read_instant(text, SEOUL)
    assert refused.value.code == "bad-date"


@pytest.mark.parametrize("text", ["2021-03-14T02:30", "2021-11-07T01:30"])
def test_a_local_time_that_was_skipped_or_came_twice_is_refused(text: str) -> None:
    with pytest.raises(Misuse):
        read_instant(text, "America/New_York")


def test_an_instant_for_people_is_in_utc() -> None:
    assert told_instant(datetime.fromisoformat("2019-11-22T18:00:00+09:00")) == "2019-11-22 09:00:00 UTC"
