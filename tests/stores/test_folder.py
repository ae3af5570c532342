"""The data folder: one process, one owner, and a mark that never goes down (``spec/store.md`` 50 to 57)."""

import asyncio
import os
import signal
import stat
import subprocess
import sys

import pytest

from comity.errors import Misuse, Rejected, Unavailable
from comity.stores import folder as module
from comity.stores.folder import DataFolder, FolderHighWaterMark, format_mark, parse_mark

HOLD = """
import sys, time
from comity.stores.folder import DataFolder
with DataFolder.open(sys.argv[1], "comity node run, since 2026-11-21T08:00Z"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_new_folder_is_made_for_its_owner_alone(tmp_path):  # (50)
    with DataFolder.open(tmp_path / "node", "a test") as folder:
        assert stat.S_IMODE(folder.path.stat().st_mode) == 0o700
        assert stat.S_IMODE((folder.path / "lock").stat().st_mode) == 0o600
        assert folder.database.parent == folder.temporary.parent == folder.high_water_mark.parent == folder.path


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701, 0o770])
def test_a_folder_others_can_look_into_is_refused_and_left_alone(tmp_path, mode):  # (51)
    place = tmp_path / "node"
    place.mkdir()
    place.chmod(mode)
    with pytest.raises(Misuse, match="chmod 700") as caught:
        DataFolder.open(place, "a test")
    assert caught.value.code == "folder-not-private"
    assert stat.S_IMODE(place.stat().st_mode) == mode
    assert list(place.iterdir()) == []


def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch):  # (51)
    DataFolder.open(tmp_path / "node", "a test").close()
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(Misuse, match="belongs to user"):
        DataFolder.open(tmp_path / "node", "a test")


def test_a_file_or_a_symbolic_link_is_no_data_folder(tmp_path):  # (51)
    (tmp_path / "file").touch()
    (tmp_path / "real").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    for name in ("file", "link"):
        with pytest.raises(Misuse, match="is not a folder"):
            DataFolder.open(tmp_path / name, "a test")


def test_a_parent_that_is_missing_is_said(tmp_path):
    with pytest.raises(Unavailable, match="no/such"):
        DataFolder.open(tmp_path / "no" / "such" / "node", "a test")


def test_a_second_process_is_told_who_holds_the_folder_and_what_to_do(tmp_path):  # (52, 53)
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path / "node")], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Unavailable) as caught:
            DataFolder.open(tmp_path / "node", "a second one")
        assert caught.value.code == "folder-in-use"
        assert f"process {holder.pid}: comity node run, since 2026-11-21T08:00Z" in str(caught.value)
        assert "stop it first" in str(caught.value)
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with DataFolder.open(tmp_path / "node", "after the first was killed"):
        assert f"process {os.getpid()}: after" in (tmp_path / "node" / "lock").read_text()


def test_the_lock_holds_within_one_process_and_ends_with_close(tmp_path):  # (52)
    first = DataFolder.open(tmp_path / "node", "first")
    with pytest.raises(Unavailable, match="first"):
        DataFolder.open(tmp_path / "node", "second")
    first.close()
    first.close()
    DataFolder.open(tmp_path / "node", "second").close()


def test_a_child_process_does_not_keep_the_lock(tmp_path):  # (52)
    with DataFolder.open(tmp_path / "node", "first"):
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], close_fds=False)
    try:
        DataFolder.open(tmp_path / "node", "second").close()
    finally:
        child.kill()
        child.wait()


async def test_a_mark_is_what_was_written(tmp_path):  # (54, 55)
    mark = FolderHighWaterMark(tmp_path / "mark")
    assert await mark.read() == {}
    await mark.write({"r/jp": 3, "a/jp": 0})
    assert (tmp_path / "mark").read_bytes() == b'{"format":1,"sizes":{"a/jp":0,"r/jp":3}}\n'
    assert stat.S_IMODE((tmp_path / "mark").stat().st_mode) == 0o600
    assert await FolderHighWaterMark(tmp_path / "mark").read() == {"r/jp": 3, "a/jp": 0}


async def test_a_mark_never_goes_down(tmp_path):  # (54)
    await FolderHighWaterMark(tmp_path / "mark").write({"r/jp": 5})
    mark = FolderHighWaterMark(tmp_path / "mark")
    await mark.write({"r/jp": 3})
    await mark.write({"r/us": 1})
    assert await mark.read() == {"r/jp": 5, "r/us": 1}


async def test_callers_at_once_share_a_write_and_each_finds_its_size(tmp_path, monkeypatch):  # (54)
    writes = []
    replace = module.replace_file

    def counted(path, content):
        writes.append(content)
        replace(path, content)

    monkeypatch.setattr(module, "replace_file", counted)
    mark = FolderHighWaterMark(tmp_path / "mark")

    async def sign(size: int) -> None:
        await mark.write({"r/jp": size})
        assert parse_mark((tmp_path / "mark").read_bytes(), "mark")["r/jp"] >= size

    await asyncio.gather(*(sign(size) for size in range(200)))
    assert len(writes) <= 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 40,
        b'{"format":1,"sizes":{"r/jp":3}}',
        b'{"format":1,"sizes":{"r/jp":3}}\n\n',
        b'{"format":1,"sizes":{"r/jp":3,"r/jp":4}}\n',
        b'{"format":1,"sizes":{"r/jp":3,"a/jp":4}}\n',
        b'{"format":1,"sizes":{"r/jp": 3}}\n',
        b'{"format":1,"sizes":{"r/jp":3.0}}\n',
        b'{"format":1,"sizes":{"r/jp":-3}}\n',
        b'{"format":1,"sizes":{"r/jp":"3"}}\n',
        b'{"format":2,"sizes":{"r/jp":3}}\n',
        b'{"format":1,"sizes":{"r/jp":3},"more":0}\n',
        b'\xef\xbb\xbf{"format":1,"sizes":{}}\n',
        b'{"format":1,"sizes":{"r/\xb0p":3}}\n',
    ],
)
async def test_a_damaged_mark_is_refused_and_not_overwritten(tmp_path, content):  # (56)
    (tmp_path / "mark").write_bytes(content)
    mark = FolderHighWaterMark(tmp_path / "mark")
    for attempt in (mark.read(), mark.write({"r/jp": 9})):
        with pytest.raises(Rejected, match="damaged") as caught:
            await attempt
        assert caught.value.code == "high-water-mark-damaged"
    assert (tmp_path / "mark").read_bytes() == content


def test_a_mark_reads_as_it_was_written():
    assert parse_mark(format_mark({"관계/한국": 2**40}), "mark") == {"관계/한국": 2**40}


@pytest.mark.parametrize("failing", ["write", "fsync", "replace"])
async def test_a_mark_that_cannot_be_written_stays_as_it_was(tmp_path, monkeypatch, failing):  # (55)
    mark = FolderHighWaterMark(tmp_path / "mark")
    await mark.write({"r/jp": 3})

    def fail(*_arguments):
        raise OSError(5, "input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(module.Path if failing == "replace" else os, failing, fail)
        with pytest.raises(Unavailable, match="high-water mark"):
            await mark.write({"r/jp": 4})
    assert await FolderHighWaterMark(tmp_path / "mark").read() == {"r/jp": 3}
    await mark.write({"r/jp": 4})
    assert await FolderHighWaterMark(tmp_path / "mark").read() == {"r/jp": 4}
