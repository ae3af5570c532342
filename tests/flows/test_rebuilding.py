"""The journal against the rest: what is altered is named, what is lost is rebuilt (``spec/register.md`` step 8)."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Rejected
from comity.flows.actors import Actor
from comity.flows.exchanging.exchange import COSIGNED, THEIR_CHECKPOINT
from comity.flows.giving.opening import Open
from comity.flows.house import House
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.library import TEXT
from comity.flows.keeping.sequencer import TILE
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.flows.maintaining.replaying import Replay
from comity.flows.people.clearances import WithdrawClearance, withdraw_clearance
from comity.ports import Head, JournalEntry
from comity.record import bodies
from comity.register.rows import TABLES, ConsignmentRow, CopyRow, ItemRow
from comity.stores.memory_disk import Database
from flows.parcels import JP, KR, after, listed, parcel_with, record_of, replace
from openings import asked_to_open
from world import RELATIONSHIP, ROOT, World


@pytest.fixture
async def told(tmp_path: Path) -> AsyncIterator[World]:
    """A world in which something was given, opened, refused, held, left waiting and rejected."""
    world = await World.make(tmp_path)
    given = await world.given()
    for handle in ("kim", "park"):
        await asked_to_open(
            world.kr,
            Open(item=given.item, purpose="air defence", path=str(tmp_path / handle), actor=Actor(handle)),
        )
    await withdraw_clearance(world.kr, WithdrawClearance(handle="choi", reason="moved", actor=ROOT))
    await world.given(path=world.document(b"another", "another"))
    await world.exchange()
    ahead = record_of(world.jp, listed(world.jp), at=world.clock.time + timedelta(minutes=9))
    wrong = record_of(world.jp, bodies.Received(consignment=bytes(32), item="i-1", copies=(1,)), **after(ahead))
    unknown = record_of(world.jp, b'{"a":1}', **after(wrong))
    missing = record_of(world.jp, listed(world.jp), **after(unknown, sequence=unknown.statement.sequence + 2))
    for records in ((ahead, wrong, unknown), (missing,)):
        await world.kr.exchange.unpack("jp", await parcel_with(world.jp, *records))
    world.clock.time += timedelta(minutes=10)
    await world.kr.exchange.settle()
    yield world
    await world.close()


def database(house: House) -> Database:
    return house.store._disk.database


async def places(house: House) -> list[str]:
    return [found.place for found in (await verify_ledger(house, VerifyLedger())).findings]


async def test_what_nobody_touched_is_found_whole(told: World) -> None:
    for house in (told.jp, told.kr):
        verified = await verify_ledger(house, VerifyLedger())
        assert verified.findings == ()
        assert verified.entries == len(database(house).entries)
        assert verified.rows == sum(len(database(house).rows.get(table, {})) for table in TABLES)
        assert verified.chains == {chain: head.size for chain, head in house.sequencer.heads().items()}
    assert (await verify_ledger(told.jp, VerifyLedger())).witnessed == {JP: told.jp.sequencer.head(JP).size}
    reasons = Counter((entry.verdict, entry.reason) for entry in database(told.kr).entries)
    assert set(reasons) >= {
        ("changes", ""),
        ("held", "future-time"),
        ("held", "unknown-version"),
        ("held", "missing-predecessor"),
        ("rejected", "unknown-consignment"),
    }


async def test_every_row_and_tile_and_note_that_is_altered_is_named(told: World) -> None:
    house = told.kr
    rows = database(house).rows
    looked_at = 0
    for table in (*TABLES, TILE, HEADER, TEXT, COSIGNED, THEIR_CHECKPOINT):
        for key in sorted(rows.get(table, {}))[:6]:
            value = rows[table][key]
            for altered in (value[:-1] + bytes([value[-1] ^ 1]), value[:-1], value + b"\n"):
                rows[table][key] = altered
                assert f"{table} {key}" in await places(house), (table, key)
            rows[table][key] = value
            looked_at += 1
    assert looked_at > 40
    assert await places(house) == []


async def test_a_row_that_is_gone_or_was_added_is_named(told: World) -> None:
    house = told.jp
    rows, keys = database(house).rows, database(house).keys
    table = CopyRow.table
    key = next(iter(rows[table]))
    value = rows[table].pop(key)
    keys[table].remove(key)
    assert await places(house) == [f"{table} {key}"]
    rows[table][key] = value
    rows[table][key + "9"] = value
    keys[table] += [key, key + "9"]
    keys[table].sort()
    assert await places(house) == [f"{table} {key}9"]


ALTERED: dict[str, Callable[[JournalEntry], JournalEntry]] = {
    "chain": lambda entry: replace(entry, chain=entry.chain + "x"),
    "sequence": lambda entry: replace(entry, sequence=entry.sequence + 1),
    "record": lambda entry: replace(entry, record=bytes(32)),
    "envelope": lambda entry: replace(entry, envelope=entry.envelope[:40] + b"A" + entry.envelope[41:]),
    "salt": lambda entry: replace(entry, salt=b"\xff" * 32),
    "verdict": lambda entry: replace(entry, verdict="rejected" if entry.verdict == "changes" else "changes"),
    "reason": lambda entry: replace(entry, reason=entry.reason + "x"),
    "extends": lambda entry: replace(entry, extends=not entry.extends),
    "rules": lambda entry: replace(entry, rules=entry.rules + 1),
    "at": lambda entry: replace(entry, at=entry.at + timedelta(days=1)),
}


@pytest.mark.parametrize("field", ALTERED)
async def test_every_field_of_the_journal_is_checked(told: World, field: str) -> None:  # (8)
    entries = database(told.kr).entries
    sample = range(0, len(entries) - 1, 5)
    special = [number for number, entry in enumerate(entries[:-1]) if entry.verdict != "changes" or not entry.extends]
    for number in sorted({*sample, *special}):
        entry = entries[number]
        if field == "salt" and not entry.extends:
            continue  # it stands under no leaf
        entries[number] = ALTERED[field](entry)
        assert await places(told.kr) != [], (number, entry.verdict, entry.reason)
        entries[number] = entry
    assert await places(told.kr) == []


async def test_an_entry_that_is_gone_twice_there_or_out_of_order_is_noticed(told: World) -> None:
    entries = database(told.jp).entries
    for number in range(1, len(entries) - 1, 7):
        whole = list(entries)
        swapped = [*whole[:number], whole[number + 1], whole[number], *whole[number + 2 :]]
        one_act = whole[number].at == whole[number + 1].at  # in two chains, their order says nothing
        for changed in (
            whole[:number] + whole[number + 1 :],
            whole[: number + 1] + whole[number:],
            *([] if one_act else [swapped]),
        ):
            entries[:] = changed
            assert await places(told.jp) != [], number
        entries[:] = whole


async def test_a_head_that_says_something_else_is_named(told: World) -> None:
    heads = database(told.jp).heads
    for chain, head in list(heads.items()):
        for false in (Head(head.size, head.last, bytes(32)), Head(head.size - 1, head.last, head.root)):
            heads[chain] = false
            assert chain in await places(told.jp)
        heads[chain] = head


async def test_a_chain_that_was_cut_is_held_against_what_the_peer_cosigned(told: World) -> None:
    """Journal, head and tiles rewritten together, as whoever controls the host could: the cosignature remains."""
    base = database(told.jp)
    last = max(number for number, entry in enumerate(base.entries) if entry.chain == JP)
    del base.entries[last]
    size = base.heads[JP].size - 1
    replay = Replay(told.jp)
    await replay.run()
    base.heads[JP] = Head(size, base.chains[JP][size - 1].record, replay.ledgers.heads()[JP].root)
    for key in [key for key in base.rows[TILE] if key.startswith(JP)]:
        base.rows[TILE][key] = replay.ledgers.tiles[key]
    assert f"{COSIGNED} {JP}" in await places(told.jp)


# ---- rebuilding -----------------------------------------------------------------------------------------------------


async def test_rebuilt_it_is_the_same_byte_for_byte(told: World) -> None:  # (8)
    for house in (told.jp, told.kr):
        before = copy.deepcopy(database(house))
        assert (await rebuild(house, Rebuild())).findings == ()
        assert database(house) == before


async def test_a_damaged_register_is_made_whole(told: World) -> None:
    house = told.kr
    before = copy.deepcopy(database(house).rows)
    for table in TABLES:
        database(house).rows.pop(table, None)
        database(house).keys.pop(table, None)
    assert len(await places(house)) == sum(len(before.get(table, {})) for table in TABLES)
    await rebuild(house, Rebuild())
    assert {table: database(house).rows.get(table) for table in TABLES} == {
        table: before.get(table) for table in TABLES
    }


async def test_what_was_read_before_the_rebuild_is_not_kept_in_memory(told: World) -> None:
    house = told.kr
    key = next(key for key in database(house).rows[ItemRow.table])
    true = database(house).rows[ItemRow.table][key]
    house.sequencer.rows.clear()
    database(house).rows[ItemRow.table][key] = true.replace(b"missiles", b"missives")
    row = await house.row(ItemRow, key)
    assert row is not None
    assert row.topic == "missives"
    await rebuild(house, Rebuild())
    row = await house.row(ItemRow, key)
    assert row is not None
    assert row.topic == "missiles"


async def test_a_damaged_journal_rebuilds_nothing(told: World) -> None:  # (8)
    house = told.kr
    entries = database(house).entries
    entries[3] = replace(entries[3], salt=bytes(32), sequence=entries[3].sequence + 1)
    rows = copy.deepcopy(database(house).rows)
    with pytest.raises(Rejected) as caught:
        await rebuild(house, Rebuild())
    assert (caught.value.code, caught.value.place) == ("damaged-journal", "journal entry 3")
    assert database(house).rows == rows


async def test_the_house_works_on_after_a_rebuild(told: World) -> None:
    for house in (told.jp, told.kr):
        await rebuild(house, Rebuild())
    head = told.kr.sequencer.head(KR)
    await told.person("kr", "yoon")
    assert told.kr.sequencer.head(KR).size == head.size + 1
    assert await places(told.kr) == []


# ---- conservation ---------------------------------------------------------------------------------------------------


async def copies(house: House) -> dict[str, tuple[int, str, str]]:
    return {key: (row.number, row.holder, row.state) async for key, row in house.rows(CopyRow, f"{RELATIONSHIP}/")}


async def test_copies_add_up_and_both_sides_agree(tmp_path: Path) -> None:  # (7)
    world = await World.make(tmp_path)
    kim, lee = await world.pseudonym("kim"), await world.pseudonym("choi")
    await world.given()
    asked = await world.ask(recipients=(kim, lee))
    assert asked.outcome != "permit"
    for house in (world.jp, world.kr):
        items = {key: row.copies async for key, row in house.rows(ItemRow)}
        consigned = Counter[str]()
        async for _, row in house.rows(ConsignmentRow):
            consigned[row.item] += len(row.copies)
        made = Counter(key.split("/")[2] for key in await copies(house))
        assert {item: count for item, count in items.items() if count} == dict(made) == dict(consigned)
    assert await copies(world.jp) == await copies(world.kr) != {}
    await world.close()
