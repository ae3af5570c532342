"""spec/seal.md (16): a file that is there whole, or not at all."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from comity.seal import age
from comity.seal.files import whole_file
from comity.seal.payload import CHUNK_BYTES
from comity.seal.refusals import PayloadDamaged
from comity.seal.x25519 import X25519Identity
from seal.entropy import Repeatable

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


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "no" / "plan.pdf"):
        pass
