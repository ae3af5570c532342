"""The list of erased keys, in a file and in memory: it only grows (``spec/ending.md`` steps 40, 41)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from comity.errors import Misuse, Rejected, Unavailable
from comity.ports import DiskFull, ErasedKeys
from comity.stores import durable, erased_keys
from comity.stores.erased_keys import LINE_BYTES, FileErasedKeys
from comity.stores.memory import MemoryErasedKeys
from comity.stores.memory_disk import MemoryDisk

ONE, TWO, THREE = (bytes([number]) * 32 for number in (1, 2, 3))


@pytest.fixture(params=["file", "memory"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], ErasedKeys]:
    disk = MemoryDisk()
    if request.param == "memory":
        return lambda: MemoryErasedKeys(disk)
    return lambda: FileErasedKeys(tmp_path / "erased-keys")


async def test_what_was_added_is_there_in_order_for_whoever_opens_it_next(opened: Callable[[], ErasedKeys]) -> None:
    assert (await opened().count(), await opened().read()) == (0, [])
    await opened().add([ONE, TWO])
    await opened().add([])
    listed = opened()
    await listed.add([THREE])
    await listed.add([ONE])
    assert await opened().read() == [ONE, TWO, THREE, ONE]
    assert await opened().count() == 4


async def test_a_line_that_a_crash_cut_short_is_taken_for_none(tmp_path: Path) -> None:  # (41)
    path = tmp_path / "erased-keys"
    await FileErasedKeys(path).add([ONE])
    path.write_bytes(path.read_bytes() + TWO.hex().encode()[:40])
    assert await FileErasedKeys(path).count() == 1
    assert await FileErasedKeys(path).read() == [ONE]
    await FileErasedKeys(path).add([THREE])
    assert await FileErasedKeys(path).read() == [ONE, THREE]
    assert path.stat().st_size == 2 * LINE_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", [b"g" * 64 + b"\n", b"A" * 64 + b"\n", b"0" * 65, b" " * 64 + b"\n"])
async def test_a_damaged_line_is_refused_and_nothing_is_guessed(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "erased-keys"
    await FileErasedKeys(path).add([ONE])
    path.write_bytes(path.read_bytes() + damage)
    with pytest.raises(Rejected) as caught:
        await FileErasedKeys(path).read()
    assert caught.value.code == "erased-keys-damaged"


async def test_only_digests_are_added(tmp_path: Path) -> None:
    with pytest.raises(Misuse):
        await FileErasedKeys(tmp_path / "erased-keys").add([b"short"])
    assert not (tmp_path / "erased-keys").exists()


async def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "erased-keys").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Unavailable):
        await FileErasedKeys(tmp_path / "erased-keys").add([ONE])
    assert (tmp_path / "elsewhere").read_bytes() == b""


async def test_a_full_disk_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "erased-keys"
    await FileErasedKeys(path).add([ONE])

    def half(descriptor: int, content: bytes) -> None:
        os.write(descriptor, content[:10])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(erased_keys, "write_whole", half)
        with pytest.raises(DiskFull):
            await FileErasedKeys(path).add([TWO])
    assert path.stat().st_size == LINE_BYTES
    await FileErasedKeys(path).add([TWO])
    assert await FileErasedKeys(path).read() == [ONE, TWO]


async def test_it_is_on_the_disk_before_anybody_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []

    def sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        durable.sync(descriptor)

    monkeypatch.setattr(erased_keys, "sync", sync)
    await FileErasedKeys(tmp_path / "erased-keys").add([ONE, TWO])
    assert synced == [2 * LINE_BYTES]
