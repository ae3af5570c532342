"""spec/seal.md (16): a file that is there whole, or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from comity.seal import age, files
from comity.seal.files import whole_file
from comity.seal.payload import CHUNK_BYTES
from comity.seal.refusals import PayloadDamaged
from comity.seal.x25519 import X25519Identity
from seal.entropy import Repeatable

KILLED = """
import os, signal, sys
from pathlib import Path
from comity.seal.files import whole_file
with whole_file(Path(sys.argv[1])) as sink:
    sink.write(b"a secret")
    os.kill(os.getpid(), signal.SIGKILL)
"""
IDENTITY = X25519Identity.generate(Repeatable())


def test_a_damaged_file_leaves_nothing(tmp_path: Path) -> None:
    sealed = age.seal_bytes(Repeatable()(40 * CHUNK_BYTES), [IDENTITY.recipient], Repeatable())
    damaged = bytes(sealed)[:-1]
    with pytest.raises(PayloadDamaged), whole_file(tmp_path / "plan.pdf") as sink:
        age.open_stream(BytesIO(damaged), sink, [IDENTITY])
    assert list(tmp_path.iterdir()) == []


def test_what_was_there_stays_until_the_end(tmp_path: Path) -> None:
    path = tmp_path / "plan.pdf"
    path.write_bytes(b"before")

    def interrupted() -> None:
        with whole_file(path) as sink:
            sink.write(b"half")
            assert path.read_bytes() == b"before"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"before"
    with whole_file(path) as sink:
        sink.write(b"after")
    assert path.read_bytes() == b"after"
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="only Linux has files without a name")
def test_a_program_that_is_killed_leaves_nothing_of_the_content(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "plan.pdf")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []


def test_where_every_file_has_a_name_it_is_whole_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_unnamed", lambda _: None)
    test_what_was_there_stays_until_the_end(tmp_path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "no" / "plan.pdf"):
        pass
