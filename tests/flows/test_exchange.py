"""Taking parcels: everything a broken, old or dishonest peer can hand over (``spec/exchange.md`` steps 1 to 19)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import ComityError, Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AcknowledgeAgreement, acknowledge_agreement
from comity.flows.exchanging.exchange import CONFLICT, CONFLICTS_KEPT, COSIGNED, WAITING_AHEAD_MAX
from comity.flows.exchanging.parcel import (
    INLINE_BLOB_BYTES_MAX,
    PARCEL_BYTES_MAX,
    PARCEL_ENTRIES_MAX,
    Parcel,
    Sent,
    read_parcel,
    write_parcel,
)
from comity.flows.exchanging.witnessing import read_head
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.keeping.erasing import HEADER
from comity.flows.keeping.work import Draft
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.tree import TreeHead
from comity.marking.label import Label
from comity.ports import Batch, Put
from comity.record import bodies, statement
from comity.record.contexts import origin
from comity.record.statement import peek
from comity.register.rows import ConsignmentRow, CopyRow, DirectoryRow, ReturnedRow
from comity.register.step import CLOCK_SKEW_MAX
from comity.stores.memory_disk import MemoryDisk
from flows.parcels import (
    JP,
    KR,
    after,
    everything,
    head_with,
    listed,
    parcel_with,
    record_of,
    replace,
    signed_head,
    verdicts,
)
from world import RELATIONSHIP, ROOT, World, adopt, hand_over, introduce, new_house


async def refused(world: World, parcel: Parcel, error: type[ComityError] = Rejected) -> str:
    """The code with which Seoul refuses a parcel of Tokyo; apart from kept proofs nothing has changed there."""
    before = await everything(world.kr)
    with pytest.raises(error) as caught:
        await world.kr.exchange.unpack("jp", parcel)
    journal, tables = await everything(world.kr)
    before[1].pop("conflict")
    tables.pop("conflict")
    assert (journal, tables) == before
    return caught.value.code


async def proofs(world: World) -> list[bytes]:
    return [proof for _, proof in await world.kr.store.scan(CONFLICT, limit=1_000)]


async def new_entry(world: World) -> DirectoryRow | None:
    return await world.kr.row(DirectoryRow, f"{RELATIONSHIP}/jp/n-new")


# ---- the parcel itself ----------------------------------------------------------------------------------------------


async def test_a_parcel_is_read_back_as_it_was_written(world: World) -> None:  # (1)
    await world.ask()
    parcel = await world.jp.pack(RELATIONSHIP)
    assert len(parcel.entries) == 1
    assert read_parcel(write_parcel(parcel)) == parcel


async def test_a_parcel_has_one_spelling_and_bounds(world: World) -> None:  # (1)
    await world.ask()
    parcel = await world.jp.pack(RELATIONSHIP)
    fields = list(msgspec.structs.astuple(parcel))
    fields[5] = [list(msgspec.structs.astuple(sent)) for sent in parcel.entries]
    encode = msgspec.msgpack.encode
    assert encode(fields) == write_parcel(parcel)
    long_integer = write_parcel(replace(parcel, have=7)).replace(b"\x07", b"\xcd\x00\x07", 1)
    sent = parcel.entries[0]
    for data, code in (
        (b"", "malformed"),
        (write_parcel(parcel)[:-1], "malformed"),
        (write_parcel(parcel) + b"\x00", "malformed"),
        (encode([*fields, 1]), "malformed"),
        (encode(["comity-parcel/2", *fields[1:]]), "malformed"),
        (write_parcel(replace(parcel, sender="jp/kr")), "malformed"),
        (write_parcel(replace(parcel, have=-1)), "malformed"),
        (write_parcel(parcel).replace(b"comity", b"comi\xb0y", 1), "malformed"),
        (long_integer, "not-canonical"),
        (write_parcel(replace(parcel, entries=(sent,) * (PARCEL_ENTRIES_MAX + 1))), "malformed"),
        (write_parcel(replace(parcel, entries=(Sent(sent.envelope, bytes(31)),))), "malformed"),
        (write_parcel(replace(parcel, blobs=(bytes(INLINE_BLOB_BYTES_MAX + 1),))), "malformed"),
        (bytes(PARCEL_BYTES_MAX + 1), "too-large"),
    ):
        with pytest.raises(Rejected) as caught:
            read_parcel(data)
        assert caught.value.code == code


async def test_a_parcel_for_somebody_else_is_refused(world: World) -> None:  # (4)
    parcel = await world.jp.pack(RELATIONSHIP)
    assert await refused(world, replace(parcel, receiver="us"), Misuse) == "other-receiver"
    assert await refused(world, replace(parcel, sender="us"), Misuse) == "other-receiver"
    assert await refused(world, replace(parcel, relationship="jp-us/jp.us"), Misuse) == "other-relationship"
    assert await refused(world, replace(parcel, relationship="domestic"), Misuse) == "other-relationship"


async def test_a_stranger_gets_nothing(world: World) -> None:
    parcel = await world.jp.pack(RELATIONSHIP)
    with pytest.raises(Refused) as caught:
        await world.kr.take_parcel("us", RELATIONSHIP, write_parcel(replace(parcel, sender="us")))
    assert caught.value.code == "unknown-relationship"


async def test_only_what_is_new_is_handed_over_and_in_parts_when_there_is_much(world: World) -> None:  # (2)
    assert (await world.jp.pack(RELATIONSHIP)).entries == ()

    async def say(work: object) -> None:
        for number in range(PARCEL_ENTRIES_MAX + 1):
            await work.say(draft(listed(world.jp, f"n-{number}")))

    def draft(body: bodies.Body) -> Draft:
        return Draft(RELATIONSHIP, body)

    await world.jp.sequencer.submit(say)
    first = await world.jp.pack(RELATIONSHIP)
    assert len(first.entries) == PARCEL_ENTRIES_MAX
    await hand_over(world.jp, world.kr)
    assert len((await world.jp.pack(RELATIONSHIP)).entries) == 1
    await world.exchange()
    assert world.kr.sequencer.head(JP) == world.jp.sequencer.head(JP)


# ---- idempotence ----------------------------------------------------------------------------------------------------


async def test_a_parcel_that_comes_again_changes_nothing(world: World) -> None:
    await world.ask()
    parcel = await world.jp.pack(RELATIONSHIP)
    assert len(parcel.entries) == 1
    await world.kr.exchange.unpack("jp", parcel)
    once = await everything(world.kr)
    for _ in range(2):
        await world.kr.exchange.unpack("jp", parcel)
        assert await everything(world.kr) == once


async def test_an_old_parcel_takes_nothing_back(world: World) -> None:
    old = await world.jp.exchange.pack(RELATIONSHIP, "kr", 0)
    await world.given()
    before = await everything(world.kr)
    await world.kr.exchange.unpack("jp", old)
    journal, tables = await everything(world.kr)
    assert journal == before[0]
    for table in (COSIGNED, "their-checkpoint", "consignment", "copy"):
        assert tables[table] == before[1][table]
    await world.exchange()  # what it said about our chain was old; the next exchange says it anew
    assert await world.kr.exchange.peer_has(KR) == world.kr.sequencer.head(KR).size


async def test_two_parcels_at_once_are_taken_once(world: World) -> None:
    await world.ask()
    parcel = await world.jp.pack(RELATIONSHIP)
    await asyncio.gather(*(world.kr.exchange.unpack("jp", parcel) for _ in range(5)))
    assert [entry.sequence for entry in await world.kr.store.chain(JP, parcel.start, 10)] == [parcel.start]
    assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()


# ---- forks and false places -----------------------------------------------------------------------------------------


async def test_a_fork_at_an_existing_place_is_kept_as_evidence(world: World) -> None:  # (5)
    there = (await world.kr.store.chain(JP, 1, 1))[0]
    other = record_of(world.jp, listed(world.jp), sequence=1, previous=(await world.kr.store.chain(JP, 0, 1))[0].record)
    assert await refused(world, await parcel_with(world.jp, other)) == "fork"
    assert await proofs(world) == [other.envelope]
    assert (await world.kr.store.chain(JP, 1, 1))[0] == there
    found = (await verify_ledger(world.kr, VerifyLedger())).findings
    assert len(found) == 1
    assert found[0].place.startswith(f"{JP}/000000000001/")


async def test_the_same_record_under_another_salt_is_refused_and_proves_nothing(world: World) -> None:
    there = (await world.kr.store.chain(JP, 1, 1))[0]
    parcel = await parcel_with(world.jp)
    parcel = replace(parcel, start=1, entries=(Sent(there.envelope, bytes(32)),))
    assert await refused(world, parcel) == "other-salt"
    assert await proofs(world) == []


async def test_a_wrong_previous_digest_is_a_fork(world: World) -> None:  # (9)
    wrong = record_of(world.jp, listed(world.jp), previous=bytes(32))
    assert await refused(world, await parcel_with(world.jp, wrong)) == "fork"
    assert await proofs(world) == [wrong.envelope]


async def test_a_record_says_where_it_stands(world: World) -> None:  # (5)
    record = record_of(world.jp, listed(world.jp))
    parcel = await parcel_with(world.jp, record)
    assert await refused(world, replace(parcel, start=parcel.start + 1)) == "wrong-place"
    kr = record_of(world.jp, listed(world.jp), author="kr", sequence=parcel.start)
    assert await refused(world, replace(parcel, entries=(Sent(kr.envelope, bytes(32)),))) == "wrong-place"
    elsewhere = record_of(world.jp, listed(world.jp), relationship="jp-us/jp.us", sequence=parcel.start)
    assert await refused(world, replace(parcel, entries=(Sent(elsewhere.envelope, bytes(32)),))) == "wrong-place"


async def test_another_partys_signature_is_no_signature(world: World) -> None:
    forged = record_of(world.kr, listed(world.jp), author="jp", sequence=world.jp.sequencer.head(JP).size)
    assert await refused(world, await parcel_with(world.jp, forged)) == "unknown-key"


async def test_proofs_do_not_fill_the_disk(world: World) -> None:
    previous = (await world.kr.store.chain(JP, 0, 1))[0].record
    for number in range(CONFLICTS_KEPT + 5):
        other = record_of(world.jp, listed(world.jp, f"n-{number}"), sequence=1, previous=previous)
        assert await refused(world, await parcel_with(world.jp, other)) == "fork"
    assert len(await proofs(world)) == CONFLICTS_KEPT


async def test_one_peers_proofs_do_not_keep_out_anothers(world: World) -> None:
    chain = "au-kr-2009/au.kr/au"
    puts = tuple(Put(CONFLICT, f"{chain}/{number:012d}/{'0' * 64}", b"proof") for number in range(CONFLICTS_KEPT))
    await world.kr.store.commit(Batch(puts=puts), {})
    previous = (await world.kr.store.chain(JP, 0, 1))[0].record
    other = record_of(world.jp, listed(world.jp), sequence=1, previous=previous)
    assert await refused(world, await parcel_with(world.jp, other)) == "fork"
    assert other.envelope in await proofs(world)


# ---- checkpoints ----------------------------------------------------------------------------------------------------


async def test_a_checkpoint_over_other_records_shows_two_histories(world: World) -> None:  # (6)
    head = world.jp.sequencer.head(JP)
    for size in (head.size, 1, head.size - 1):
        note = signed_head(world.jp, TreeHead(size, bytes([size]) * 32))
        parcel = replace(await world.jp.pack(RELATIONSHIP), checkpoint=note)
        assert await refused(world, parcel) == "two-histories"
        assert note in await proofs(world)


async def test_a_checkpoint_over_what_comes_with_it_is_compared_too(world: World) -> None:  # (6)
    record = record_of(world.jp, listed(world.jp))
    parcel = await parcel_with(world.jp, record)
    true = await head_with(world.jp, parcel.entries[0])
    lie = signed_head(world.jp, TreeHead(true.size, bytes(32)))
    assert await refused(world, replace(parcel, checkpoint=lie)) == "two-histories"
    assert await proofs(world) == [lie]
    await world.kr.exchange.unpack("jp", replace(parcel, checkpoint=signed_head(world.jp, true)))
    assert await new_entry(world) is not None


async def test_a_checkpoint_of_anybody_else_is_none(world: World) -> None:
    parcel = await world.jp.pack(RELATIONSHIP)
    head = TreeHead(1, bytes(32))
    assert await refused(world, replace(parcel, checkpoint=signed_head(world.kr, head))) == "no-trusted-signature"
    own = sign_checkpoint(Checkpoint(origin(KR), head), world.jp.keys.log).encode()
    assert await refused(world, replace(parcel, checkpoint=own)) == "no-trusted-signature"
    assert await refused(world, replace(parcel, checkpoint=b"x")) == "bad-note"


async def test_each_side_keeps_the_others_cosignature(world: World) -> None:  # (16, 18)
    await world.given()
    await world.exchange()
    for house, chain in ((world.jp, JP), (world.kr, KR)):
        note = await house.side(COSIGNED, chain)
        assert note is not None
        assert read_head(note) == TreeHead(house.sequencer.head(chain).size, house.sequencer.head(chain).root)


async def test_a_cosignature_is_not_taken_back_by_an_older_one(world: World) -> None:  # (18)
    old = await world.kr.pack(RELATIONSHIP)
    assert old.cosigned
    await world.given()
    await world.exchange()
    newest = await world.jp.side(COSIGNED, JP)
    await world.jp.exchange.unpack("kr", replace(old, have=world.jp.sequencer.head(JP).size - 1))
    assert await world.jp.side(COSIGNED, JP) == newest


async def test_a_checkpoint_sent_back_without_cosignature_is_refused(world: World) -> None:
    parcel = await world.jp.pack(RELATIONSHIP)
    bare = world.kr.exchange.checkpoint(KR)
    assert await refused(world, replace(parcel, cosigned=bare)) == "not-cosigned"


async def test_nobody_cosigns_what_was_altered_in_his_database(world: World) -> None:  # (17)
    lie = signed_head(world.jp, TreeHead(1, bytes(32)))

    async def alter(work: object) -> None:
        work.put_side("their-checkpoint", JP, lie)

    await world.kr.sequencer.submit(alter)
    with pytest.raises(Rejected) as caught:
        await world.kr.pack(RELATIONSHIP)
    assert caught.value.code == "two-histories"


async def test_records_cite_the_newest_checkpoint_also_after_a_restart(tmp_path: Path) -> None:  # (19)
    disk = MemoryDisk()
    world = World(tmp_path)
    world.jp = await new_house("jp", tmp_path, world.clock, disk)
    world.kr = await new_house("kr", tmp_path, world.clock)
    await introduce(world.jp, world.kr)
    for house, peer in ((world.jp, "kr"), (world.kr, "jp")):
        await adopt(house, peer, "jp-kr-2016.history.toml")
    await world.enrol()
    await world.exchange()
    await world.jp.close()
    world.jp = await new_house("jp", tmp_path, world.clock, disk)
    await acknowledge_agreement(world.jp, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))
    newest = (await world.jp.store.chain(JP, world.jp.sequencer.head(JP).size - 1, 1))[0]
    seen = peek(newest.envelope).seen
    theirs = world.jp.sequencer.head(KR)
    assert seen is not None
    assert (seen.size, seen.root) == (theirs.size, theirs.root)
    await world.close()


# ---- restored databases ---------------------------------------------------------------------------------------------


async def test_a_peer_that_has_more_than_we_do_shows_an_old_database(world: World) -> None:  # (7)
    parcel = await world.jp.pack(RELATIONSHIP)
    size = world.kr.sequencer.head(KR).size
    assert await refused(world, replace(parcel, have=size + 1)) == "restored-database"


async def test_a_cosigned_checkpoint_beyond_our_chain_shows_an_old_database(world: World) -> None:  # (7)
    size = world.kr.sequencer.head(KR).size
    witnessing = world.jp.exchange._witnessing
    note = witnessing.cosign(signed_head(world.kr, TreeHead(size + 1, bytes(32))), 1)
    parcel = replace(await world.jp.pack(RELATIONSHIP), cosigned=note)
    assert await refused(world, parcel) == "restored-database"
    other = witnessing.cosign(signed_head(world.kr, TreeHead(1, bytes(32))), 1)
    assert await refused(world, replace(parcel, cosigned=other)) == "two-histories"
    assert await proofs(world) == [other]


# ---- held -----------------------------------------------------------------------------------------------------------


async def test_what_is_ahead_of_time_waits_and_settles(world: World) -> None:  # (11, 15)
    ahead = record_of(world.jp, listed(world.jp), at=world.clock.time + timedelta(minutes=10))
    beyond = record_of(
        world.jp, listed(world.jp, "n-next"), **after(ahead, at=world.clock.time + timedelta(minutes=11))
    )
    parcel = await parcel_with(world.jp, ahead, beyond)
    await world.kr.exchange.unpack("jp", parcel)
    assert await new_entry(world) is None
    assert world.kr.sequencer.head(JP).size == beyond.statement.sequence + 1  # the chain goes on
    world.clock.time += timedelta(minutes=10) - CLOCK_SKEW_MAX
    await world.kr.exchange.unpack("jp", replace(parcel, entries=()))
    assert await new_entry(world) is not None
    assert await verdicts(world.kr, ahead) == [("held", "future-time", True), ("changes", "", False)]
    assert await verdicts(world.kr, beyond) == [("held", "future-time", True)]
    world.clock.time += timedelta(minutes=1)
    await world.kr.exchange.settle()
    assert await verdicts(world.kr, beyond) == [("held", "future-time", True), ("changes", "", False)]
    settled = await everything(world.kr)
    await world.kr.exchange.settle()
    assert await everything(world.kr) == settled
    assert settled[1]["held"] == []
    assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()
    await rebuild(world.kr, Rebuild())
    assert await everything(world.kr) == settled


async def test_the_older_one_settles_before_a_newer_one_is_judged(world: World) -> None:  # (15)
    first = record_of(world.jp, listed(world.jp, function="first"), at=world.clock.time + timedelta(minutes=10))
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, first))
    world.clock.time += timedelta(minutes=20)
    second = record_of(world.jp, listed(world.jp, function="second"), **after(first))
    parcel = await parcel_with(world.jp, second)
    await world.kr.exchange.unpack("jp", parcel)
    row = await new_entry(world)
    assert row is not None
    assert row.function == "second"


async def test_a_consignment_ahead_of_time_is_receipted_when_it_settles(world: World) -> None:  # (12, 15)
    asked = await world.ask()
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    start = world.clock.time
    world.clock.time += timedelta(hours=1)  # Tokyo's clock alone is fast
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    parcel = await world.jp.pack(RELATIONSHIP)
    world.clock.time = start
    kr = world.kr
    kr.sequencer._last = None
    await kr.exchange.unpack("jp", parcel)
    assert [row async for _, row in kr.rows(ConsignmentRow)] == []
    world.clock.time += timedelta(hours=1)
    await kr.exchange.settle()
    assert [row.receipt is not None async for _, row in kr.rows(ConsignmentRow)] == [True]
    await world.exchange()
    assert [row.receipt is not None async for _, row in world.jp.rows(ConsignmentRow)] == [True]
    opened = await open_item(
        kr, Open(item=asked.item, purpose="air defence", path=str(world.folder / "o"), actor=Actor("kim"))
    )
    assert opened.opening is not None


async def test_what_is_held_is_not_cited(tmp_path: Path) -> None:  # (19)
    """Else a rule could ask of an author what he has not taken up: a recall, a consent withdrawn, another level."""
    disk = MemoryDisk()
    world = await World.make(tmp_path)
    await world.exchange()
    await world.kr.close()
    for name, value in vars(world.kr.store._disk).items():
        setattr(disk, name, value)
    world.kr = await new_house("kr", tmp_path, world.clock, disk)

    async def cited(function: str) -> int:
        await world.kr.sequencer.submit(lambda work: work.say(Draft(RELATIONSHIP, listed(world.kr, function=function))))
        seen = peek((await world.kr.store.chain(KR, world.kr.sequencer.head(KR).size - 1, 1))[0].envelope).seen
        assert seen is not None
        return seen.size

    before = await cited("first")
    start = world.clock.time
    world.clock.time += timedelta(hours=1)  # Tokyo's clock alone is fast
    await world.jp.sequencer.submit(lambda work: work.say(Draft(RELATIONSHIP, listed(world.jp))))
    parcel = await world.jp.pack(RELATIONSHIP)
    world.clock.time = start
    world.kr.sequencer._last = None
    await world.kr.exchange.unpack("jp", parcel)
    assert world.kr.sequencer.head(JP).size > before
    assert await cited("second") == before
    await world.kr.close()
    world.kr = await new_house("kr", tmp_path, world.clock, disk)
    assert await cited("third") == before
    world.clock.time += timedelta(hours=1)
    await world.exchange()
    assert await cited("fourth") == world.kr.sequencer.head(JP).size
    await world.close()


async def test_what_is_not_known_is_kept_and_the_chain_goes_on(world: World) -> None:
    new = record_of(world.jp, b'{"flow":1}')
    following = record_of(world.jp, listed(world.jp), **after(new))
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, new, following))
    assert await verdicts(world.kr, new) == [("held", "unknown-version", True)]
    assert await new_entry(world) is not None
    assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()


async def test_a_newer_program_settles_what_an_older_one_did_not_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # (15)
    disk = MemoryDisk()
    world = await World.make(tmp_path)
    await world.kr.close()
    for name, value in vars(world.kr.store._disk).items():
        setattr(disk, name, value)
    world.kr = await new_house("kr", tmp_path, world.clock, disk)
    record = record_of(world.jp, listed(world.jp))
    wrong = record_of(world.jp, b'{"pseudonym":1}', **after(record, type="directory/1"))
    older = {name: body for name, body in statement.BODIES.items() if name != "directory/1"}
    with monkeypatch.context() as old:
        old.setattr(statement, "BODIES", older)
        await world.kr.exchange.unpack("jp", await parcel_with(world.jp, record, wrong))
    assert await new_entry(world) is None
    await world.kr.close()
    world.kr = await new_house("kr", tmp_path, world.clock, disk)
    assert await new_entry(world) is not None
    assert await verdicts(world.kr, record) == [("held", "unknown-version", True), ("changes", "", False)]
    assert await verdicts(world.kr, wrong) == [("held", "unknown-version", True), ("rejected", "malformed", False)]
    assert await world.kr.row(ReturnedRow, wrong.id.hex()) is not None
    assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()
    await world.close()


# ---- missing predecessors -------------------------------------------------------------------------------------------


async def test_a_record_waits_for_its_predecessor_and_follows_it(world: World) -> None:  # (10)
    first = record_of(world.jp, listed(world.jp))
    second = record_of(world.jp, listed(world.jp, "n-two"), **after(first))
    third = record_of(world.jp, listed(world.jp, "n-three"), **after(second))
    late = await parcel_with(world.jp, second, third)
    await world.kr.exchange.unpack("jp", late)
    once = await everything(world.kr)
    await world.kr.exchange.unpack("jp", late)
    assert await everything(world.kr) == once
    assert world.kr.sequencer.head(JP).size == first.statement.sequence
    assert await verdicts(world.kr, third) == [("held", "missing-predecessor", False)]
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, first))
    assert world.kr.sequencer.head(JP).size == third.statement.sequence + 1
    for record in (second, third):
        assert await verdicts(world.kr, record) == [("held", "missing-predecessor", False), ("changes", "", True)]
    assert (await everything(world.kr))[1]["waiting"] == []
    assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()


async def test_many_may_wait(world: World) -> None:
    """As many as a parcel holds, several parcels deep: nothing recurses."""
    records = [record_of(world.jp, listed(world.jp))]
    for number in range(1, 1_200):
        records.append(record_of(world.jp, listed(world.jp, f"n-{number}"), **after(records[-1])))
    for start in range(1_200 - 400, 0, -400):
        await world.kr.exchange.unpack("jp", await parcel_with(world.jp, *records[start : start + 400]))
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, *records[:400]))
    assert world.kr.sequencer.head(JP).size == records[-1].statement.sequence + 1


async def test_a_waiting_record_keeps_its_place(world: World) -> None:  # (10)
    first = record_of(world.jp, listed(world.jp))
    second = record_of(world.jp, listed(world.jp, "n-two"), **after(first))
    other = record_of(world.jp, listed(world.jp, "n-other"), **after(first))
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, second))
    assert await refused(world, await parcel_with(world.jp, other)) == "fork"
    assert await proofs(world) == [other.envelope]
    far = record_of(world.jp, listed(world.jp), sequence=first.statement.sequence + WAITING_AHEAD_MAX + 1)
    assert await refused(world, await parcel_with(world.jp, far)) == "too-far"


async def test_a_waiting_consignment_keeps_its_payload_and_header(world: World) -> None:  # (8, 10)
    """The parcel before it was lost; the consignment is complete when that comes, with no second sending."""
    given, parcel = await consigned(world)
    assert len(parcel.entries) == 1
    hole = replace(parcel, start=parcel.start + 1)
    last = world.kr.sequencer.head(JP).last
    extra = record_of(world.jp, listed(world.jp), sequence=parcel.start, previous=last)
    moved = await moved_behind(world, parcel, extra.id)
    await world.kr.exchange.unpack("jp", replace(hole, entries=(moved,), checkpoint=b""))
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, extra))
    assert [row.receipt is not None async for _, row in world.kr.rows(ConsignmentRow)] == [True]
    opened = await open_item(
        world.kr, Open(item=given, purpose="air defence", path=str(world.folder / "o"), actor=Actor("kim"))
    )
    assert opened.opening is not None


async def moved_behind(world: World, parcel: Parcel, previous: bytes) -> Sent:
    """The consignment of a parcel, signed again behind another record."""
    statement = peek(parcel.entries[0].envelope)
    body = msgspec.json.decode(statement.body, type=bodies.Consigned)
    record = record_of(world.jp, body, sequence=statement.sequence + 1, previous=previous)
    return Sent(record.envelope, bytes(32))


async def consigned(world: World) -> tuple[str, Parcel]:
    """Item id, and the parcel in which Tokyo gives it, not handed over yet."""
    asked = await world.ask()
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    return asked.item, await world.jp.pack(RELATIONSHIP)


# ---- payloads and headers -------------------------------------------------------------------------------------------


async def test_nothing_is_registered_without_its_payload_and_headers(world: World) -> None:  # (8)
    _, parcel = await consigned(world)
    (blob,), (header,) = parcel.blobs, parcel.headers
    assert await refused(world, replace(parcel, blobs=()), Unavailable) == "missing-blob"
    assert await refused(world, replace(parcel, blobs=(blob[:-1],)), Unavailable) == "missing-blob"
    swapped = blob[:-1] + bytes([blob[-1] ^ 1])
    assert await refused(world, replace(parcel, blobs=(swapped,)), Unavailable) == "missing-blob"
    assert await refused(world, replace(parcel, headers=())) == "missing-header"
    assert await refused(world, replace(parcel, headers=(header + b"x",))) == "missing-header"
    await world.kr.exchange.unpack("jp", parcel)
    assert [row.receipt is not None async for _, row in world.kr.rows(ConsignmentRow)] == [True]


async def test_a_payload_of_another_size_than_its_record_says_is_refused(world: World) -> None:  # (8)
    _, parcel = await consigned(world)
    body = msgspec.json.decode(peek(parcel.entries[0].envelope).body, type=bodies.Consigned)
    head = world.kr.sequencer.head(JP)
    lie = record_of(world.jp, replace(body, size=body.size + 1), sequence=head.size, previous=head.last)
    parcel = replace(parcel, entries=(Sent(lie.envelope, bytes(32)),), checkpoint=b"")
    assert await refused(world, parcel) == "blob-size"


async def test_a_large_payload_must_have_come_before(world: World) -> None:  # (3, 8)
    asked = await world.ask(path=world.document(bytes(INLINE_BLOB_BYTES_MAX + 1), "large.bin"))
    assert asked.size > INLINE_BLOB_BYTES_MAX
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    parcel = await world.jp.pack(RELATIONSHIP)
    assert parcel.blobs == ()
    assert await refused(world, parcel, Unavailable) == "missing-blob"
    ((digest, size),) = await world.jp.exchange.large_blobs(parcel)
    async with world.jp.blobs.open(digest) as blob:
        await world.kr.blob_append("jp", RELATIONSHIP, digest, 0, size, blob.read())
    await world.exchange()
    assert [row.receipt is not None async for _, row in world.kr.rows(ConsignmentRow)] == [True]


async def test_a_ciphertext_recorded_again_under_another_label_does_not_open(world: World) -> None:
    """The manifest inside names the label; the record outside, though properly signed, says another one."""
    item, parcel = await consigned(world)
    body = msgspec.json.decode(peek(parcel.entries[0].envelope).body, type=bodies.Consigned)
    low = Label(policy="jp", mark="秘", originator="jp")
    asked = bodies.AssuranceAsked(
        request="r-low",
        item="i-low",
        label=low,
        form=body.form,
        topic=body.topic,
        purpose=body.purpose,
        recipients=(body.copies[0].holder,),
    )
    head = world.kr.sequencer.head(JP)
    first = record_of(world.jp, asked, sequence=head.size, previous=head.last)
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, first))
    given = await assure(world.kr, Assure(request="r-low", relationship=RELATIONSHIP, actor=Actor("lee")))
    again = replace(
        body,
        request="r-low",
        item="i-low",
        label=low,
        alternative=Label(policy="kr", mark="군사 Ⅲ급 비밀", originator="jp"),
        assurances=(bytes.fromhex(given.record),),
    )
    second = record_of(world.jp, again, **after(first))
    relabelled = replace(parcel, start=parcel.start + 1, entries=(Sent(second.envelope, bytes(32)),), checkpoint=b"")
    await world.kr.exchange.unpack("jp", relabelled)
    target = world.folder / "opened"
    with pytest.raises(Rejected):
        await open_item(world.kr, Open(item="i-low", purpose="air defence", path=str(target), actor=Actor("kim")))
    assert not target.exists()
    copy = await world.kr.need(CopyRow, f"{RELATIONSHIP}/i-low/000001", "copy")
    assert copy.trouble is not None
    newest = (await world.kr.store.journal(0, 10_000))[-1]
    assert peek(newest.envelope).type == "unopenable/1"
    assert item != "i-low"


# ---- verdicts that go back ------------------------------------------------------------------------------------------


async def test_what_is_rejected_is_returned_signed_and_the_chain_goes_on(world: World) -> None:  # (11, 13)
    """Tokyo, by a defect, records a consignment that nobody asked for."""
    body = bodies.Received(consignment=bytes(32), item="i-1", copies=(1,))
    wrong = record_of(world.jp, body)
    following = record_of(world.jp, listed(world.jp), **after(wrong))
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, wrong, following))
    assert await verdicts(world.kr, wrong) == [("rejected", "unknown-consignment", True)]
    assert await new_entry(world) is not None
    row = await world.kr.need(ReturnedRow, wrong.id.hex(), "verdict")
    assert row.code == "unknown-consignment"
    answer = await world.kr.pack(RELATIONSHIP)
    assert len(answer.entries) == 1


async def test_a_returned_verdict_is_not_answered(world: World) -> None:  # (13)
    stray = bodies.Returned(record=bytes(32), code="x", reason="")
    (at,) = [record_of(world.jp, stray)]
    early = record_of(world.jp, stray, **after(at, at=world.clock.time - timedelta(days=1)))
    before = world.kr.sequencer.head(KR).size
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, at, early))
    assert await verdicts(world.kr, early) == [("rejected", "time-order", True)]
    assert world.kr.sequencer.head(KR).size == before


# ---- agreements -----------------------------------------------------------------------------------------------------


async def test_nothing_crosses_before_both_have_acknowledged(tmp_path: Path) -> None:
    world = await World.make(tmp_path, acknowledge=False)
    await acknowledge_agreement(world.jp, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))
    await world.exchange()
    asked = await world.ask()
    assert asked.outcome != "permit"
    await acknowledge_agreement(world.jp, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))  # once more
    await acknowledge_agreement(world.kr, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))
    await world.exchange()
    with pytest.raises(Misuse) as caught:
        await acknowledge_agreement(world.kr, AcknowledgeAgreement(relationship=RELATIONSHIP, actor=ROOT))
    assert caught.value.code == "acknowledged"
    assert (await world.given()).consignment is not None
    await world.close()


async def test_another_digest_acknowledged_has_no_effect_and_is_returned(world: World) -> None:
    body = bodies.Acknowledged(
        agreement="jp-kr-2016",
        digest=bytes(32),
        signature=bodies.PersonSignature("root", world.jp.keys.root_public, bytes(64)),
    )
    other = record_of(world.jp, body)
    await world.kr.exchange.unpack("jp", await parcel_with(world.jp, other))
    assert await verdicts(world.kr, other) == [("rejected", "other-digest", True)]


async def test_headers_can_be_erased_and_the_record_stays(world: World) -> None:
    given = await world.given()

    async def erase(work: object) -> None:
        for key, _ in await world.kr.store.scan(HEADER, limit=10):
            work.put_side(HEADER, key, None)

    await world.kr.sequencer.submit(erase)
    with pytest.raises(Rejected) as caught:
        await open_item(
            world.kr, Open(item=given.item, purpose="air defence", path=str(world.folder / "o"), actor=Actor("kim"))
        )
    assert caught.value.code == "missing-header"
    assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()
