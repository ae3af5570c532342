"""``comity sign``: an act is told from its bytes and signed, and nothing else is (``spec/acts.md`` step 6)."""

from __future__ import annotations

import io
import json
from base64 import b64decode, b64encode
from pathlib import Path

import pytest

from comity.cli.main import main
from comity.cli.person_keys import make_person_keys, read_person_keys
from comity.record.bodies.incidents import InvestigationOpened
from comity.record.contexts import RECORD
from comity.record.dsse import check_signature, pae
from comity.record.person_act import act_bytes, attach, unsigned


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "kim.keys"
    path.write_text(make_person_keys("2026-11-21T03:00:00Z", lambda count: bytes(range(1, count + 1))))
    return path


def message(keys: Path) -> bytes:
    body = InvestigationOpened(
        incident="x-aaaaaaaaaaaaaaaa",
        note="security branch",
        by="n-aaaaaaaaaaaaaaaa",
        after=bytes(32),
        signature=unsigned(),
    )
    return act_bytes(attach(body, "n-aaaaaaaaaaaaaaaa", read_person_keys(keys).public), "jp-kr-2016/jp.kr", "kr")


def test_what_is_signed_is_told_first(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    act = message(keys)
    path = keys.with_name("to-sign.txt")
    path.write_text(b64encode(act).decode())
    assert main(["sign", "--key", str(keys), str(path)]) == 0
    told = capsys.readouterr()
    check_signature(read_person_keys(keys).public, b64decode(told.out), act)
    for each in ("investigation/1", "jp-kr-2016/jp.kr", "security branch", "x-aaaaaaaaaaaaaaaa"):
        assert each in told.err
    assert "signature" not in told.err
    assert main(["sign", "--key", str(keys), str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"signature": told.out.strip()}


def test_it_is_read_from_standard_input_as_a_page_shows_it(
    keys: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = b64encode(message(keys)).decode()
    lines = "\n".join(written[start : start + 60] for start in range(0, len(written), 60))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(lines.encode())))
    assert main(["sign", "--key", str(keys)]) == 0
    assert len(b64decode(capsys.readouterr().out)) == 64


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a sentence",
        pae(RECORD, b"{}"),
        pae("application/vnd.comity.person-act.v1+json", b"{}"),
        pae("application/vnd.comity.person-act.v1+json", b'["a","b"]'),
        pae("application/vnd.comity.person-act.v1+json", b'["a","b","c",{}]') + b" more",
    ],
)
def test_nothing_but_an_act_is_signed(keys: Path, data: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = keys.with_name("to-sign.txt")
    path.write_text(b64encode(data).decode())
    assert main(["sign", "--key", str(keys), str(path)]) == 4
    told = capsys.readouterr()
    assert told.out == ""
    assert "not an act of a person" in told.err


def test_what_is_no_base64_is_refused(keys: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = keys.with_name("to-sign.txt")
    path.write_text("half of \u00e9")
    assert main(["sign", "--key", str(keys), str(path)]) == 4
    assert "copy all of it" in capsys.readouterr().err
