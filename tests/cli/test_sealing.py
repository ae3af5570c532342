"""``seal`` and ``unseal`` on terminals, with passphrases, and beside ``age``; the rest is in transcripts."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path
from unittest import mock

import pytest

from comity.cli.main import main
from comity.cli.sealing import TERMINAL_BYTES_MAX
from comity.seal import passphrase

AGE = pytest.mark.skipif(shutil.which("age") is None, reason="there is no age on this machine")


class Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def on_terminal(*arguments: str) -> tuple[int, bytes, str]:
    """Exit code, what a terminal is shown, and what is said on standard error."""
    terminal, errors = Terminal(io.BytesIO(), encoding="utf-8", write_through=True), io.StringIO()
    with mock.patch.object(sys, "stdout", terminal), mock.patch.object(sys, "stderr", errors):
        code = main(arguments)
    return code, terminal.buffer.getvalue(), errors.getvalue()  # it is a BytesIO


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert main(["keygen", "-o", "key.txt"]) == 0
    return tmp_path / "key.txt"


def sealed(content: bytes) -> None:
    Path("plan").write_bytes(content)
    assert main(["seal", "-i", "key.txt", "-o", "plan.age", "plan"]) == 0


@pytest.mark.usefixtures("keys")
def test_a_sealed_file_is_not_written_to_a_terminal_except_as_text() -> None:
    """(27)"""
    Path("plan").write_bytes(b"warning data")
    code, shown, said = on_terminal("seal", "-i", "key.txt", "plan")
    assert (code, shown) == (1, b"")
    assert "standard output is a terminal" in said
    code, shown, _ = on_terminal("seal", "-i", "key.txt", "-a", "plan")
    assert code == 0
    assert shown.startswith(b"-----BEGIN AGE ENCRYPTED FILE-----\n")


@pytest.mark.usefixtures("keys")
def test_plain_text_is_shown_on_a_terminal() -> None:
    """(27)"""
    sealed("警報\n\tdata\n".encode())
    assert on_terminal("unseal", "-i", "key.txt", "plan.age") == (0, "警報\n\tdata\n".encode(), "")


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    "content", [b"\x00", b"\xff", b"a\x1b[2Jb", "\u202e".encode(), b"x" * (TERMINAL_BYTES_MAX + 1)]
)
def test_anything_else_is_not(content: bytes) -> None:
    """(27)"""
    sealed(content)
    code, shown, said = on_terminal("unseal", "-i", "key.txt", "plan.age")
    assert (code, shown) == (1, b"")
    assert "name a file with -o" in said


@pytest.mark.usefixtures("keys")
def test_a_damaged_text_is_not_shown_by_half() -> None:
    """(27)"""
    sealed(b"a" * 100_000)
    Path("plan.age").write_bytes(Path("plan.age").read_bytes()[:-1])
    assert on_terminal("unseal", "-i", "key.txt", "plan.age")[:2] == (4, b"")


@pytest.mark.usefixtures("keys")
def test_secret_keys_do_not_stand_on_a_terminal() -> None:
    assert on_terminal("keygen")[:2] == (1, b"")
    assert on_terminal("keygen", "--person")[:2] == (1, b"")
    assert on_terminal("keygen", "-y", "key.txt")[1].startswith(b"age1pq1")


@pytest.mark.usefixtures("keys")
def test_a_file_is_replaced_whole_or_not_at_all() -> None:
    """(12)"""
    sealed(b"a" * 100_000)
    Path("out").write_bytes(b"before")
    whole = Path("plan.age").read_bytes()
    Path("plan.age").write_bytes(whole[:-1])
    assert main(["unseal", "-i", "key.txt", "-o", "out", "plan.age"]) == 4
    assert Path("out").read_bytes() == b"before"
    Path("plan.age").write_bytes(whole)
    assert main(["unseal", "-i", "key.txt", "-o", "out", "plan.age"]) == 0
    assert Path("out").read_bytes() == b"a" * 100_000
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["key.txt", "out", "plan", "plan.age"]


@pytest.mark.usefixtures("keys")
def test_a_passphrase_is_asked_for_twice_when_sealing_and_once_when_opening(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """(28)"""
    monkeypatch.setattr(passphrase, "WORK_FACTOR", 10)
    asked: list[str] = []
    answers: list[str] = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return answers.pop(0)

    monkeypatch.setattr("comity.cli.passphrases.getpass", typed)
    Path("plan").write_bytes(b"warning data")
    answers[:] = ["three words here", "three words hear"]
    assert main(["seal", "-p", "-o", "plan.age", "plan"]) == 1
    assert "differ" in capsys.readouterr().err
    assert not Path("plan.age").exists()
    answers[:] = ["three words here", "three words here", "wrong", "three words here"]
    assert main(["seal", "-p", "-o", "plan.age", "plan"]) == 0
    assert main(["unseal", "-p", "-o", "out", "plan.age"]) == 4
    assert main(["unseal", "-p", "-o", "out", "plan.age"]) == 0
    assert Path("out").read_bytes() == b"warning data"
    assert asked[-4:] == ["Passphrase: ", "Passphrase again: ", "Passphrase: ", "Passphrase: "]


def test_a_passphrase_is_never_read_from_a_pipe(tmp_path: Path) -> None:
    """(28)"""
    done = subprocess.run(
        [sys.executable, "-m", "comity", "seal", "-p", "-o", str(tmp_path / "out")],
        input=b"secret\nsecret\n",
        capture_output=True,
        start_new_session=True,
    )
    assert done.returncode == 1
    assert b"a passphrase is asked for on a terminal" in done.stderr
    assert not (tmp_path / "out").exists()


@AGE
@pytest.mark.parametrize("armor", [[], ["-a"]])
def test_age_opens_ours_and_we_open_ages(armor: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """(26)"""
    monkeypatch.chdir(tmp_path)
    Path("plan").write_bytes(bytes(range(256)) * 1000)
    assert main(["keygen", "--x25519", "-o", "key.txt"]) == 0
    assert main(["keygen", "-y", "key.txt", "-o", "key.public"]) == 0
    assert main(["seal", "-R", "key.public", *armor, "-o", "ours.age", "plan"]) == 0
    assert subprocess.run(["age", "-d", "-i", "key.txt", "-o", "theirs", "ours.age"]).returncode == 0
    assert Path("theirs").read_bytes() == Path("plan").read_bytes()
    assert subprocess.run(["age", "-R", "key.public", *armor, "-o", "theirs.age", "plan"]).returncode == 0
    assert main(["unseal", "-i", "key.txt", "-o", "ours", "theirs.age"]) == 0
    assert Path("ours").read_bytes() == Path("plan").read_bytes()
