"""Blobs in a folder: what is on the disk, what a crash leaves, and disks that fail (``spec/store.md`` 30 to 38)."""

import asyncio
import errno
import hashlib
import os
import stat
import threading
from pathlib import Path

import pytest

from comity.errors import Rejected, Unavailable
from comity.ports import DiskFull
from comity.stores import blobs as module
from comity.stores import durable
from comity.stores.blobs import FolderBlobs

WHOLE = os.urandom(300_000)
NAME = hashlib.sha256(WHOLE).digest()
HEX = NAME.hex()


@pytest.fixture
async def blobs(tmp_path):
    opened = await FolderBlobs.in_folder(tmp_path)
    yield opened
    await opened.close()


async def again(tmp_path) -> FolderBlobs:
    """What the next process sees."""
    return await FolderBlobs.in_folder(tmp_path)


async def test_the_layout_is_the_digest_and_only_the_owner_may_look(blobs, tmp_path):  # (30)
    await blobs.put_many({NAME: WHOLE})
    await blobs.append(hashlib.sha256(b"xyz").digest(), 0, b"x", 3)
    file = tmp_path / "blobs" / HEX[:2] / HEX[2:]
    assert file.read_bytes() == WHOLE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (tmp_path / "uploads" / hashlib.sha256(b"xyz").hexdigest()).read_bytes() == b"x"
    for path in tmp_path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


async def test_what_a_crash_left_half_written_is_cleared_and_never_a_blob(blobs, tmp_path):  # (30, 31)
    (tmp_path / "temporary" / "7").write_bytes(WHOLE[:100])
    opened = await again(tmp_path)
    assert list((tmp_path / "temporary").iterdir()) == []
    assert await opened.all() == []
    await opened.close()


async def test_files_that_are_no_blobs_are_not_listed(blobs, tmp_path):
    (tmp_path / "blobs" / "README").mkdir()
    (tmp_path / "blobs" / "ab" / "note.txt").touch()
    (tmp_path / "blobs" / "ab" / HEX[2:].upper()).touch()
    assert await blobs.all() == []


async def test_an_upload_goes_on_in_the_next_process(blobs, tmp_path):  # (35)
    await blobs.append(NAME, 0, WHOLE[:1000], len(WHOLE))
    opened = await again(tmp_path)
    assert await opened.received(NAME) == 999, "the last byte comes again, and with it the whole is compared"
    assert await opened.received(NAME) == 999
    assert await opened.append(NAME, 999, WHOLE[999:], len(WHOLE)) == len(WHOLE)
    assert await opened.size(NAME) == len(WHOLE)
    await opened.close()


async def test_an_upload_whole_before_the_crash_is_finished_after_it(blobs, tmp_path):  # (35)
    """The last piece was synced and the rename was not: the peer was told nothing, and asks."""
    (tmp_path / "uploads" / HEX).write_bytes(WHOLE)
    opened = await again(tmp_path)
    assert await opened.received(NAME) == len(WHOLE)
    assert await opened.size(NAME) == len(WHOLE)
    assert list((tmp_path / "uploads").iterdir()) == []
    await opened.close()


@pytest.mark.parametrize(
    "tail", [b"\0" * 4096, b"garbage", bytes(len(WHOLE) - 1000)], ids=["zeros", "garbage", "as-long-as-the-whole"]
)
async def test_a_torn_tail_cannot_become_a_blob(blobs, tmp_path, tail):  # (35, 37)
    (tmp_path / "uploads" / HEX).write_bytes(WHOLE[:1000] + tail)
    opened = await again(tmp_path)
    standing = await opened.received(NAME)
    assert standing == 1000 + len(tail) - 1
    with pytest.raises(Rejected, match="send them again"):
        await opened.append(NAME, standing, WHOLE[standing:], len(WHOLE))
    assert await opened.received(NAME) == 0
    assert await opened.append(NAME, 0, WHOLE, len(WHOLE)) == len(WHOLE)
    await opened.close()


async def test_symbolic_links_are_not_followed(blobs, tmp_path):  # (32)
    secret = tmp_path / "secret"
    secret.write_bytes(WHOLE)
    (tmp_path / "blobs" / HEX[:2] / HEX[2:]).symlink_to(secret)
    (tmp_path / "uploads" / HEX).symlink_to(secret)
    assert await blobs.size(NAME) is None
    for attempt in (blobs.append(NAME, 0, WHOLE[:10], len(WHOLE)), blobs.adopt(NAME, str(tmp_path / "uploads" / HEX))):
        with pytest.raises(Unavailable):
            await attempt
    with pytest.raises(Unavailable):
        async with blobs.open(NAME):
            pass
    assert secret.read_bytes() == WHOLE


@pytest.mark.parametrize("name", ["blobs", "uploads", "temporary", "blobs/ab"])
async def test_a_folder_that_is_a_symbolic_link_is_refused(blobs, tmp_path, name):  # (32)
    (tmp_path / name).rename(tmp_path / "moved")
    (tmp_path / name).symlink_to(tmp_path / "moved")
    with pytest.raises(Unavailable, match=f"{name}' is not a folder"):
        await again(tmp_path)


async def test_every_file_and_every_folder_is_synced_before_put_many_returns(blobs, tmp_path, monkeypatch):  # (31, 33)
    """Each touched folder once, after the last rename into it; also for a blob that another caller just put there."""
    events = []

    def sync(descriptor: int) -> None:
        events.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        os.fsync(descriptor)

    monkeypatch.setattr(durable, "sync", sync)
    many = {hashlib.sha256(b"%d" % number).digest(): b"%d" % number for number in range(300)}
    await blobs.put_many(many)
    touched = {str(tmp_path / "blobs" / digest.hex()[:2]) for digest in many}
    assert len([event for event in events if "temporary" in event]) == 300
    assert sorted(event for event in events if "temporary" not in event) == sorted(touched)
    events.clear()
    await blobs.put_many(many)
    assert sorted(events) == sorted(touched)


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
async def test_a_disk_that_fails_keeps_no_part_of_a_piece(blobs, tmp_path, monkeypatch, code):  # (36)
    await blobs.append(NAME, 0, WHOLE[:1000], len(WHOLE))
    write = os.write

    def half_then_fail(descriptor, data):
        if len(data) > 500:
            return write(descriptor, data[:500])
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", half_then_fail)
        with pytest.raises(Unavailable if code == errno.EIO else DiskFull):
            await blobs.append(NAME, 1000, WHOLE[1000:2000], len(WHOLE))
        with pytest.raises(Unavailable):
            await blobs.put_many({NAME: WHOLE})
    assert await blobs.received(NAME) == 1000
    assert await blobs.all() == []
    assert list((tmp_path / "temporary").iterdir()) == []
    assert await blobs.append(NAME, 1000, WHOLE[1000:], len(WHOLE)) == len(WHOLE)


async def test_a_full_disk_for_real(small_disk):  # (36)
    """A file system of one megabyte: what was acknowledged is there, the rest is not, and room makes it work again."""
    blobs = await FolderBlobs.in_folder(small_disk)
    held = {hashlib.sha256(bytes([n])).digest(): bytes([n]) for n in range(5)}
    await blobs.put_many(held)
    filler = small_disk / "filler"
    filler.write_bytes(bytes(os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_bsize - 8192))
    with pytest.raises(DiskFull, match="free some"):
        await blobs.put_many({NAME: WHOLE})
    with pytest.raises(DiskFull):
        await blobs.append(NAME, 0, WHOLE, len(WHOLE))
    assert await blobs.received(NAME) == 0
    assert sorted(await blobs.all()) == sorted(held)
    filler.unlink()
    await blobs.append(NAME, 0, WHOLE, len(WHOLE))
    assert await blobs.size(NAME) == len(WHOLE)
    await blobs.close()


async def test_a_caller_that_goes_away_leaves_the_upload_whole(blobs, monkeypatch):  # (36)
    """The piece under way is finished before anybody else may look where the upload stands."""
    writing, go_on = threading.Event(), threading.Event()

    def slow(descriptor: int, piece: bytes) -> None:
        writing.set()
        go_on.wait(5)
        durable.write_whole(descriptor, piece)

    monkeypatch.setattr(module, "write_whole", slow)
    leaving = asyncio.create_task(blobs.append(NAME, 0, WHOLE[:200_000], len(WHOLE)))
    await asyncio.to_thread(writing.wait, 5)
    leaving.cancel()
    asking = asyncio.create_task(blobs.received(NAME))
    await asyncio.sleep(0.02)
    assert not asking.done()
    go_on.set()
    assert await asking == 200_000
    assert leaving.cancelled()
    assert await blobs.append(NAME, 200_000, WHOLE[200_000:], len(WHOLE)) == len(WHOLE)
