"""``comity feed publish``: what is read through a door, and what is refused before anything is published."""

from __future__ import annotations

import tomllib
from io import BytesIO
from pathlib import Path

import pytest

from comity.cli.main import main
from comity.cli.publishing import LINES_MAX, _through
from comity.doors import recording
from comity.doors.passing import Setting
from comity.doors.table import DOORS
from comity.feed.schema import Refused


def test_what_a_door_makes_of_a_stream_is_published_in_order_and_its_refusals_stand_between() -> None:
    setting = Setting(now=recording.clock)
    requests = list(_through(DOORS["asterix"], setting, BytesIO(recording.air_picture())))
    passed = [each for request in requests for each in request]
    assert passed == list(DOORS["asterix"].messages(BytesIO(recording.air_picture()), setting))
    assert [each.code for each in passed if isinstance(each, Refused)]
    assert all(0 < len(request) <= LINES_MAX for request in requests)


def test_a_slow_source_does_not_wait_for_a_full_request(monkeypatch: pytest.MonkeyPatch) -> None:
    instants = iter(range(100))
    monkeypatch.setattr("comity.cli.publishing.time.monotonic", lambda: float(next(instants)))
    lines = BytesIO(b'{"type":"a"}\n{"type":"b"}\n')
    assert list(_through(DOORS["json"], Setting(now=recording.clock), lines)) == [[b'{"type":"a"}'], [b'{"type":"b"}']]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["--trusted", "agency.pem"], "--trusted is for alerts; add --door cap"),
        (["--prefix", "org.example.", "--door", "json"], "--prefix is for events; add --door cloudevents"),
        (["--file", "nowhere.ast", "--door", "asterix"], "'nowhere.ast' can not be read: No such file or directory"),
        (["--door", "cap", "--trusted", "nowhere.pem"], "nowhere.pem"),
        (["--door", "window"], "'window' is not one of"),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: list[str], says: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init", "jp", "--name", "Japan", "--pouch-only", "--folder", "jp"]) == 0
    monkeypatch.setattr("sys.stdin", None)
    assert main(["--folder", "jp", "feed", "publish", "air-picture", *typed]) != 0
    assert says in capsys.readouterr().err


def test_the_schema_of_a_door_is_written_without_marks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "air.toml"
    assert main(["feed", "schema", "asterix", "--out", str(file)]) == 0
    kinds = tomllib.loads(file.read_text())["type"]
    assert "system-track" in {kind["id"] for kind in kinds}
    assert not [field for kind in kinds for field in kind["fields"].values() if "mark" in field]
    assert main(["feed", "schema", "asterix", "--out", str(file)]) != 0
    assert main(["feed", "schema", "cloudevents"]) != 0
    assert "'cloudevents' is not one of" in capsys.readouterr().err
