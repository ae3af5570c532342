"""The simulated disk: each failure with and without its write, and what a crash takes (``spec/store.md`` 40 to 44)."""

import asyncio
import copy
import hashlib
from datetime import UTC, datetime

import pytest

from comity.errors import Rejected, Unavailable
from comity.flows.keeping.high_water_mark import check_high_water_mark
from comity.ports import Ambiguous, DiskFull, Put, RestoredFrom
from comity.stores.memory import MemoryBlobs, MemoryErasedKeys, MemoryHighWaterMark, MemoryRestoration, MemoryStore
from comity.stores.memory_disk import Crashed, Fault, MemoryDisk, WritePoint
from stores.samples import batch, expected, head

HOME = "r/jp"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
CONTENT = b"sealed"
NAME = hashlib.sha256(CONTENT).digest()
RESTORED = RestoredFrom(backup=1, taken=NOW, at=NOW, floor={}, kept={})

WHAT_FAULTS_DO = [
    (Fault.DISK_FULL, DiskFull, False),
    (Fault.UNAVAILABLE, Unavailable, False),
    (Fault.UNKNOWN_LOST, Ambiguous, False),
    (Fault.UNKNOWN_KEPT, Ambiguous, True),
    (Fault.CRASH_LOST, Crashed, False),
    (Fault.CRASH_KEPT, Crashed, True),
    (Fault.CRASH_TORN, Crashed, False),
]


def strike(disk: MemoryDisk, point: WritePoint, fault: Fault) -> None:
    """Let the next write at ``point`` fail, and no other."""
    faults = {point: fault}
    disk.faults = lambda asked: faults.pop(asked, None)


def test_every_fault_is_tried():
    assert [fault for fault, _, _ in WHAT_FAULTS_DO] == list(Fault)


@pytest.mark.parametrize(("fault", "error", "written"), WHAT_FAULTS_DO)
async def test_a_commit_meets_each_fault(fault, error, written):  # (41, 42)
    disk = MemoryDisk()
    store = MemoryStore(disk)
    await store.commit(batch(HOME, 0), {HOME: None})
    strike(disk, WritePoint.COMMIT, fault)
    with pytest.raises(error) as caught:
        await store.commit(batch(HOME, 1, 1, Put("t", "a", b"x")), expected(HOME, 1))
    assert type(caught.value) is error
    if error is Ambiguous:
        with pytest.raises(Unavailable, match="read the heads first"):
            await store.commit(batch(HOME, 1), expected(HOME, 1))
    if error is Crashed:
        with pytest.raises(Crashed):
            await store.heads()
        store = MemoryStore(disk)
    size = (await store.heads())[HOME].size
    assert size == 1 + written
    assert await store.get("t", ["a"]) == [b"x" if written else None]
    assert await store.commit(batch(HOME, size), expected(HOME, size)) == size + 1


@pytest.mark.parametrize(("fault", "error", "written"), WHAT_FAULTS_DO)
@pytest.mark.parametrize("point", [point for point in WritePoint if point is not WritePoint.COMMIT])
async def test_every_other_write_meets_each_fault(tmp_path, point, fault, error, written):  # (41, 42)
    disk = MemoryDisk()
    store, blobs, mark = MemoryStore(disk), MemoryBlobs(disk), MemoryHighWaterMark(disk)
    if point is WritePoint.DELETE_BLOB:
        await blobs.put_many({NAME: CONTENT})
    source = tmp_path / "sealed"
    source.write_bytes(CONTENT)

    async def rows():
        yield Put("t", "a", b"x")

    def act():
        match point:
            case WritePoint.REPLACE_ROWS:
                return store.replace_rows(["t"], rows())
            case WritePoint.PUT_BLOB:
                return blobs.put_many({NAME: CONTENT})
            case WritePoint.APPEND_BLOB:
                return blobs.append(NAME, 0, CONTENT, len(CONTENT))
            case WritePoint.ADOPT_BLOB:
                return blobs.adopt(NAME, str(source))
            case WritePoint.DELETE_BLOB:
                return blobs.delete(NAME)
            case WritePoint.WRITE_MARK:
                return mark.write({HOME: 1})
            case WritePoint.ADD_ERASED:
                return MemoryErasedKeys(disk).add([NAME])
            case WritePoint.WRITE_RESTORED:
                return MemoryRestoration(disk).write(RESTORED)

    async def done() -> bool:
        match point:
            case WritePoint.REPLACE_ROWS:
                return await MemoryStore(disk).get("t", ["a"]) == [b"x"]
            case WritePoint.WRITE_MARK:
                return await MemoryHighWaterMark(disk).read() == {HOME: 1}
            case WritePoint.ADD_ERASED:
                return await MemoryErasedKeys(disk).count() == len(await MemoryErasedKeys(disk).read()) == 1
            case WritePoint.WRITE_RESTORED:
                return await MemoryRestoration(disk).read() == RESTORED
            case _:
                return (await MemoryBlobs(disk).size(NAME) is not None) != (point is WritePoint.DELETE_BLOB)

    strike(disk, point, fault)
    with pytest.raises(error) as caught:
        await act()
    assert type(caught.value) is error
    assert await done() == written
    assert source.exists() != (written and point is WritePoint.ADOPT_BLOB)
    if error is Ambiguous:
        await store.heads()
    if error is not Crashed and not written:
        await act()
        assert await done()


async def test_a_torn_piece_is_compared_with_the_last_byte_that_comes():  # (35, 42)
    """Whether its rest is cut off or reads as other bytes: it is never a blob, and the upload ends."""
    whole = bytes(range(200))
    name = hashlib.sha256(whole).digest()
    for tear in (lambda piece: piece[:30], lambda piece: (piece[:30] + bytes(len(piece)))[: len(piece)]):
        disk = MemoryDisk()
        disk.tear = tear
        strike(disk, WritePoint.APPEND_BLOB, Fault.CRASH_TORN)
        with pytest.raises(Crashed):
            await MemoryBlobs(disk).append(name, 0, whole, len(whole))
        left = disk.uploads[name]
        blobs = MemoryBlobs(disk)
        standing = await blobs.received(name)
        assert standing == len(left) - 1
        if left == whole[:30]:
            assert await blobs.append(name, standing, whole[standing:], len(whole)) == len(whole)
        else:
            with pytest.raises(Rejected, match="send them again"):
                await blobs.append(name, standing, whole[standing:], len(whole))
            assert await blobs.append(name, 0, whole, len(whole)) == len(whole)
        assert disk.blobs == {name: whole}


async def test_a_torn_piece_that_was_whole_becomes_the_blob():  # (35)
    disk = MemoryDisk()
    disk.tear = bytes
    strike(disk, WritePoint.APPEND_BLOB, Fault.CRASH_TORN)
    with pytest.raises(Crashed):
        await MemoryBlobs(disk).append(NAME, 0, CONTENT, len(CONTENT))
    assert await MemoryBlobs(disk).received(NAME) == len(CONTENT)
    assert disk.blobs == {NAME: CONTENT}


async def test_of_what_is_renamed_into_place_a_part_lies_under_another_name():  # (42)
    disk = MemoryDisk()
    for point, write in (
        (WritePoint.PUT_BLOB, lambda: MemoryBlobs(disk).put_many({NAME: CONTENT})),
        (WritePoint.WRITE_MARK, lambda: MemoryHighWaterMark(disk).write({HOME: 1})),
        (WritePoint.WRITE_RESTORED, lambda: MemoryRestoration(disk).write(RESTORED)),
    ):
        strike(disk, point, Fault.CRASH_TORN)
        with pytest.raises(Crashed):
            await write()
    assert (disk.blobs, disk.sizes, disk.restored) == ({}, {}, None)
    assert set(disk.partial) == {f"temporary/{NAME.hex()}", "high-water-mark", "restored"}
    assert disk.partial[f"temporary/{NAME.hex()}"] == CONTENT[:3]
    MemoryBlobs(disk)
    assert set(disk.partial) == {"high-water-mark", "restored"}


async def test_of_torn_lines_the_whole_ones_are_there():  # (42)
    disk = MemoryDisk()
    lines = [bytes([number]) * 32 for number in range(5)]
    strike(disk, WritePoint.ADD_ERASED, Fault.CRASH_TORN)
    with pytest.raises(Crashed):
        await MemoryErasedKeys(disk).add(lines)
    assert await MemoryErasedKeys(disk).read() == lines[:2]


async def test_torn_power_keeps_some_of_what_else_was_not_synced():  # (42)
    disk = MemoryDisk()
    disk.tear = bytes
    under_way = [asyncio.create_task(MemoryStore(disk).commit(batch(HOME, 0), {HOME: None}))]
    await asyncio.sleep(0)
    strike(disk, WritePoint.PUT_BLOB, Fault.CRASH_TORN)
    with pytest.raises(Crashed):
        await MemoryBlobs(disk).put_many({NAME: CONTENT})
    assert isinstance((await asyncio.gather(*under_way, return_exceptions=True))[0], Crashed)
    assert (await MemoryStore(disk).heads())[HOME] == head(HOME, 1)
    assert disk.blobs == {}


@pytest.mark.parametrize("kept", [False, True], ids=["power", "process"])
async def test_a_crash_decides_over_what_was_not_yet_synced(kept):  # (43)
    """A commit under way on the dead node: there or not, and its caller never hears."""
    disk = MemoryDisk()
    store, blobs = MemoryStore(disk), MemoryBlobs(disk)
    await store.commit(batch(HOME, 0), {HOME: None})
    under_way = [
        asyncio.create_task(store.commit(batch(HOME, 1), expected(HOME, 1))),
        asyncio.create_task(blobs.put_many({NAME: CONTENT})),
    ]
    await asyncio.sleep(0)
    assert (await store.heads())[HOME].size == 1, "what is not synced is not seen"
    disk.crash(unsynced_kept=kept)
    assert [type(outcome) for outcome in await asyncio.gather(*under_way, return_exceptions=True)] == [Crashed] * 2
    for _ in range(2):
        assert (await MemoryStore(disk).heads())[HOME] == head(HOME, 1 + kept)
        assert await MemoryBlobs(disk).all() == [NAME] * kept
        await MemoryHighWaterMark(disk).write({HOME: 1})  # a later sync must not bring back what was lost


async def test_the_dead_node_writes_nothing_more():  # (43)
    disk = MemoryDisk()
    dead = MemoryStore(disk), MemoryBlobs(disk), MemoryHighWaterMark(disk)
    disk.crash(unsynced_kept=True)
    for late in (
        dead[0].commit(batch(HOME, 0), {HOME: None}),
        dead[1].put_many({NAME: CONTENT}),
        dead[1].all(),
        dead[2].write({HOME: 1}),
        dead[2].read(),
    ):
        with pytest.raises(Crashed):
            await late
    assert await MemoryStore(disk).heads() == {}


async def test_a_restored_database_is_behind_the_mark():  # (44)
    disk = MemoryDisk()
    store, mark = MemoryStore(disk), MemoryHighWaterMark(disk)
    await store.commit(batch(HOME, 0), {HOME: None})
    backup = copy.deepcopy(disk.database)
    await store.commit(batch(HOME, 1), expected(HOME, 1))
    await mark.write({HOME: 2})
    await mark.write({HOME: 1})
    disk.crash(unsynced_kept=False)
    disk.database = backup
    with pytest.raises(Exception, match="older copy"):
        check_high_water_mark(await MemoryStore(disk).heads(), await MemoryHighWaterMark(disk).read())


async def test_the_plan_is_asked_once_at_every_write():  # (41)
    asked = []
    disk = MemoryDisk(asked.append)
    await MemoryStore(disk).commit(batch(HOME, 0), {HOME: None})
    await MemoryBlobs(disk).put_many({hashlib.sha256(bytes([n])).digest(): bytes([n]) for n in range(3)})
    await MemoryHighWaterMark(disk).write({HOME: 1})
    assert asked == [WritePoint.COMMIT, *[WritePoint.PUT_BLOB] * 3, WritePoint.WRITE_MARK]
