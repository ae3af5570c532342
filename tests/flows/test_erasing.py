"""A key that was erased stays erased: after a restore, a crash, and another delivery (``spec/ending.md`` 40 to 44)."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path

import pytest

from comity.errors import Rejected, Unavailable
from comity.flows.actors import Actor
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Given
from comity.flows.house import House
from comity.flows.keeping.erasing import ERASING, HEADER, LISTED, Erasing
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.ports import Batch, Put
from comity.register.rows import ConsignmentRow, CopyRow, encode_row
from comity.stores.erased_keys import FileErasedKeys
from comity.stores.memory import MemoryErasedKeys
from comity.stores.memory_disk import Fault, MemoryDisk, WritePoint
from comity.stores.sqlite import SqliteStore
from world import RELATIONSHIP, World, new_house

KIM = Actor("kim")


def disk_of(house: House) -> MemoryDisk:
    disk = house.store._disk
    assert isinstance(disk, MemoryDisk)
    return disk


async def destroyed(world: World, given: Given) -> None:
    request = Destroy(item=given.item, copy=1, method="erase-key", reason="done", actor=KIM)
    assert (await destroy(world.kr, request)).certificate is not None


async def header_of(house: House, given: Given) -> str:
    return (await house.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")).header.hex()


async def restarted(world: World) -> House:
    """Seoul's house, started anew on its disk."""
    await world.kr.close()
    world.kr = await new_house("kr", world.folder, world.clock, disk_of(world.kr))
    return world.kr


async def test_a_restored_database_knows_no_destroyed_key(world: World) -> None:  # (43)
    """The mark stops the start; the key is gone from the restored database all the same, and with no mark too."""
    given = await world.given()
    backup = copy.deepcopy(disk_of(world.kr).database)
    header = await header_of(world.kr, given)
    assert header in backup.rows[HEADER]
    await destroyed(world, given)
    await world.exchange()
    disk = disk_of(world.kr)
    await world.kr.close()
    disk.database = backup
    with pytest.raises(Rejected) as caught:
        await new_house("kr", world.folder, world.clock, disk)
    assert caught.value.code == "restored-database"
    assert header not in disk.database.rows[HEADER]
    disk.sizes.clear()  # somebody takes the mark away, to make it start
    world.kr = await new_house("kr", world.folder, world.clock, disk)
    assert (await world.kr.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")).state == "held"
    asked = Open(item=given.item, purpose="air defence", path=str(world.folder / "opened"), actor=KIM)
    with pytest.raises(Rejected) as shut:
        await open_item(world.kr, asked)
    assert shut.value.code == "missing-header"
    assert not (world.folder / "opened").exists()


async def test_the_same_with_a_real_database(tmp_path: Path) -> None:  # (41) (43)
    path, backup = tmp_path / "comity.sqlite", tmp_path / "backup.sqlite"
    key, other = "11" * 32, "22" * 32
    store = await SqliteStore.open(path)
    erasing = Erasing(store, FileErasedKeys(tmp_path / "erased-keys"))
    await erasing.replay()
    await store.commit(Batch(puts=(Put(HEADER, key, b"a header"), Put(HEADER, other, b"another"))), {})
    await store.close()
    shutil.copy(path, backup)
    store = await SqliteStore.open(path)
    erasing = Erasing(store, FileErasedKeys(tmp_path / "erased-keys"))
    await erasing.replay()
    side = {(HEADER, key): None}
    puts = erasing.in_commit(side)
    await store.commit(Batch(puts=(Put(HEADER, key, None), *puts)), {})
    erasing.committed(side, puts)
    await erasing.write()
    await erasing.close()
    await store.close()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    shutil.copy(backup, path)
    store = await SqliteStore.open(path)
    assert await store.get(HEADER, [key, other]) == [b"a header", b"another"]
    await Erasing(store, FileErasedKeys(tmp_path / "erased-keys")).replay()
    assert await store.get(HEADER, [key, other]) == [None, b"another"]
    await store.close()


async def test_nothing_leaves_before_the_list_has_it(world: World) -> None:  # (42)
    """What the other party is told was destroyed cannot come back from a copy of the database."""
    given = await world.given()
    disk = disk_of(world.kr)
    disk.faults = lambda point: Fault.UNAVAILABLE if point is WritePoint.ADD_ERASED else None
    await destroyed(world, given)
    assert disk.erased == []
    with pytest.raises(Unavailable):
        await world.kr.pack(RELATIONSHIP)
    assert (await world.jp.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")).state == "held"
    disk.faults = lambda _: None
    await world.exchange()
    assert [digest.hex() for digest in disk.erased] == [await header_of(world.kr, given)]
    assert (await world.jp.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")).state == "destroyed"


@pytest.mark.parametrize("fault", [each for each in Fault if each not in (Fault.DISK_FULL, Fault.UNAVAILABLE)])
async def test_what_a_crash_kept_from_the_list_is_on_it_after_the_next_start(world: World, fault: Fault) -> None:
    given = await world.given()
    header = await header_of(world.kr, given)
    disk = disk_of(world.kr)
    disk.faults = lambda point: Fault.UNAVAILABLE if point is WritePoint.ADD_ERASED else None
    await destroyed(world, given)
    disk.faults = lambda point: fault if point is WritePoint.ADD_ERASED else None
    if fault in (Fault.CRASH_KEPT, Fault.CRASH_LOST, Fault.CRASH_TORN):
        disk.crash(unsynced_kept=True)
    else:
        await world.kr.close()
    disk.faults = lambda _: None
    world.kr = await new_house("kr", world.folder, world.clock, disk)
    assert header in {digest.hex() for digest in disk.erased}
    assert await world.kr.side(HEADER, header) is None
    await world.exchange()
    assert (await world.jp.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")).state == "destroyed"
    assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()


async def test_a_start_with_nothing_to_do_reads_no_list(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # (43)
    given = await world.given()
    await destroyed(world, given)
    house = await restarted(world)
    await restarted(world)
    disk = disk_of(house)
    assert disk.database.rows.get(ERASING, {}) == {}
    assert int.from_bytes(disk.database.rows[LISTED]["listed"], "big") == len(disk.erased) == 1
    monkeypatch.setattr(MemoryErasedKeys, "read", lambda _: pytest.fail("the list was read"))
    await restarted(world)


async def test_a_delivery_does_not_bring_a_key_back(world: World) -> None:  # (44)
    """The header of a copy is on the list already when its consignment comes, as to a house that lost its records."""
    asked = await world.ask()
    await world.exchange()
    request = Assure(
        request=asked.request, relationship=RELATIONSHIP, recipient=await world.pseudonym("kim"), actor=Actor("lee")
    )
    await assure(world.kr, request)
    await world.exchange()
    approved = await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    assert approved.given is not None
    header = await header_of(world.jp, asked)
    disk_of(world.kr).erased.append(bytes.fromhex(header))
    await restarted(world)
    await world.exchange()
    assert (await world.kr.need(CopyRow, f"{RELATIONSHIP}/{asked.item}/000001", "copy")).state == "held"
    assert await world.kr.side(HEADER, header) is None
    assert approved.given.consignment is not None
    assert (await world.jp.need(ConsignmentRow, approved.given.consignment, "consignment")).receipt is not None


async def test_a_key_of_a_copy_that_came_to_its_end_is_found_and_erased(world: World) -> None:  # (45)
    """Somebody put a header back into the database by hand: it is named, and the next restore takes it away."""
    given = await world.given()
    header = await header_of(world.kr, given)
    value = await world.kr.side(HEADER, header)
    assert value is not None
    await destroyed(world, given)
    disk = disk_of(world.kr)
    disk.database.put(Put(HEADER, header, value))
    (found,) = (await verify_ledger(world.kr, VerifyLedger())).findings
    assert found.place == f"{HEADER} {header}"
    assert "destroyed" in found.says
    await world.kr.close()
    disk.database.put(Put(LISTED, "listed", bytes(8)))
    world.kr = await new_house("kr", world.folder, world.clock, disk)
    assert await world.kr.side(HEADER, header) is None


async def test_a_start_fails_rather_than_use_a_list_it_cannot_trust(tmp_path: Path) -> None:
    store = await SqliteStore.open(tmp_path / "comity.sqlite")
    (tmp_path / "erased-keys").write_bytes(b"x" * 65)
    with pytest.raises(Rejected) as caught:
        await Erasing(store, FileErasedKeys(tmp_path / "erased-keys")).replay()
    assert caught.value.code == "erased-keys-damaged"
    await store.close()


@pytest.mark.parametrize("left", [0, 1])
async def test_a_list_that_lost_lines_stops_the_start(world: World, left: int) -> None:  # (41)
    """Without it the next database that is put back from a copy would open what was destroyed."""
    given = await world.given()
    await destroyed(world, given)
    disk = disk_of(await restarted(world))
    disk.erased.append(bytes(32))
    await restarted(world)
    await world.kr.close()
    kept = list(disk.erased)
    del disk.erased[left:]
    with pytest.raises(Rejected) as caught:
        await new_house("kr", world.folder, world.clock, disk)
    assert caught.value.code == "erased-keys-missing"
    disk.erased[:] = kept
    world.kr = await new_house("kr", world.folder, world.clock, disk)


async def test_the_sweep_names_what_an_older_program_left(tmp_path: Path) -> None:
    """A copy that is destroyed in the register has no key left, whoever forgot to erase it."""
    store = await SqliteStore.open(tmp_path / "comity.sqlite")
    listed = FileErasedKeys(tmp_path / "erased-keys")
    await listed.add([bytes([9]) * 32])
    rows = {
        state: CopyRow(
            item="i-1",
            number=number,
            holder="n-kim",
            state=state,  # type: ignore[arg-type]  # each of them is one
            consignment=bytes(32),
            header=bytes([number]) * 32,
            last=bytes(32),
        )
        for number, state in enumerate(("held", "in transit", "lost", "destroyed", "returned", "passed on"), start=1)
    }
    puts = [Put(CopyRow.table, f"r/i-1/{row.number:06d}", encode_row(row)) for row in rows.values()]
    puts += [Put(HEADER, row.header.hex(), b"a header") for row in rows.values()]
    await store.commit(Batch(puts=tuple(puts)), {})
    await Erasing(store, listed).replay()
    left = {key for key, _ in await store.scan(HEADER, limit=100)}
    assert left == {rows[state].header.hex() for state in ("held", "in transit", "lost")}
    assert {digest.hex() for digest in await listed.read()} >= {
        rows[state].header.hex() for state in ("destroyed", "returned", "passed on")
    }
    await store.close()
