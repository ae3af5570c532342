"""A house that was brought back fetches what it had sent from its peer (``spec/backup.md`` steps 40 to 52)."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import msgspec
import pytest

from comity.errors import ComityError, Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import Actor
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.ending.returning import SendBack, send_back
from comity.flows.exchanging.parcel import Parcel, read_parcel, write_parcel
from comity.flows.exchanging.roads import Road
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.house import House
from comity.flows.keeping.erasing import HEADER
from comity.flows.looking.views import ShowInbox, ShowOutbox, show_inbox, show_outbox
from comity.flows.maintaining.catching_up import CatchingUpShown, CatchUp, WithoutPeer, catch_up, go_on_without
from comity.flows.maintaining.rebuilding import Rebuild, VerifyLedger, rebuild, verify_ledger
from comity.flows.vouching.contradictions import ListContradictions, list_contradictions
from comity.ledger.leaf import record_leaf
from comity.ledger.tree import Frontier
from comity.ports import RestoredFrom
from comity.record.card import Card
from comity.record.statement import chain_id, peek
from comity.register.restoring import RECOVERED
from comity.register.rows import ConsignmentRow, CopyRow, DirectoryRow, ItemRow
from comity.register.rows.lineage import DerivativeRow
from comity.stores.memory_disk import Crashed, Database, Fault, MemoryDisk, WritePoint
from fault_plan import PAIRS, Plan
from flows.parcels import signed_head
from flows.test_deriving import made
from world import RELATIONSHIP, TODAY, World, new_house

Change = Callable[[Parcel], Parcel]
TRIES_MAX = 6
"""Two writes fail; the rest is room for what they left to be settled."""


class Given(Road):
    """The way to a house in the same process, which may lie."""

    def __init__(self, house: House, asker: str, lie: Change | None) -> None:
        self.house, self.asker, self.lie = house, asker, lie

    async def given_back(self, relationship: str, author: str, start: int) -> bytes:
        answer = await self.house.give_back(self.asker, relationship, author, start)
        return answer if self.lie is None else write_parcel(self.lie(read_parcel(answer)))

    async def payload(self, relationship: str, record: bytes, offset: int) -> bytes:
        return await self.house.payload(self.asker, relationship, record, offset)


def disk_of(house: House) -> MemoryDisk:
    disk = house.store._disk
    assert isinstance(disk, MemoryDisk)
    return disk


def backup_of(house: House) -> Database:
    return copy.deepcopy(disk_of(house).database)


async def lose(world: World, party: str, backup: Database, **changes: object) -> House:
    """Lose a house's disk, and start it on what its backup had; nothing else of it is left but its keys."""
    house = world.house(party)
    blobs = dict(disk_of(house).blobs)
    disk_of(house).crash(unsynced_kept=False)
    await house.sequencer.close()
    disk = MemoryDisk()
    disk.database = copy.deepcopy(backup)
    disk.blobs = blobs
    kept = {chain: head.size for chain, head in backup.heads.items() if chain.endswith(f"/{party}")}
    fields: dict[str, object] = {"backup": 1, "taken": TODAY, "at": TODAY, "floor": kept, "kept": kept, **changes}
    disk.restored = RestoredFrom(**fields)  # type: ignore[arg-type]  # whatever a test changes
    disk.sizes = dict(kept)
    again = await new_house(party, world.folder, world.clock, disk)
    setattr(world, party, again)
    return again


def reached(world: World, party: str, lie: Change | None = None) -> None:
    """Let a house reach the other one."""
    house, other = world.house(party), world.house("kr" if party == "jp" else "jp")

    @asynccontextmanager
    async def reach(_: Card) -> AsyncIterator[Road]:
        yield Given(other, party, lie)

    house.reach = reach


async def caught_up(world: World, party: str, lie: Change | None = None) -> CatchingUpShown:
    reached(world, party, lie)
    return await catch_up(world.house(party), CatchUp())


async def sound(world: World) -> None:
    """Both houses verify, rebuild to the same, and say the same about every copy."""
    for house in (world.jp, world.kr):
        assert (await verify_ledger(house, VerifyLedger())).findings == ()
        assert (await rebuild(house, Rebuild())).findings == ()
    for kind in (CopyRow, ConsignmentRow):
        here, there = [{key: row async for key, row in house.rows(kind)} for house in (world.jp, world.kr)]
        assert here == there


async def test_a_giver_that_lost_its_day_gets_it_back_and_goes_on_giving(world: World) -> None:
    """(43) to (52): what stood only here is lost; what was sent is not."""
    before = await world.given()
    backup = backup_of(world.jp)
    lost = await world.given(path=world.document(b"given after the backup", "later.txt"))
    sizes = {chain: head.size for chain, head in world.jp.sequencer.heads().items()}
    await lose(world, "jp", backup)
    shown = await caught_up(world, "jp")
    assert (shown.restored, shown.missing, shown.failed) == (None, (), {})
    own = chain_id(RELATIONSHIP, "jp")
    assert world.jp.sequencer.head(own).size == sizes[own]
    outbox = await show_outbox(world.jp, ShowOutbox())
    assert {line.item for line in outbox.given} == {before.item, lost.item}
    await sound(world)
    given = await world.given(path=world.document(b"given again", "again.txt"))
    assert given.item in {line.item for line in (await show_inbox(world.kr, ShowInbox())).received}
    await sound(world)
    entries = await world.jp.store.journal(0, 10_000)
    assert {entry.reason for entry in entries if entry.chain == own} == {"", RECOVERED}
    assert peek(next(e.envelope for e in entries if peek(e.envelope).type == "restored/1")).author == "jp"


async def test_a_receiver_that_lost_its_day_gets_what_came_with_its_payload(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(46) Payloads that travel by themselves come back too, and pages of a few records make the same register."""
    backup = backup_of(world.kr)
    content = bytes(range(256)) * 2_000
    asking = await world.ask(path=world.document(content, "large.bin"))
    await world.exchange()
    await assure(world.kr, Assure(request=asking.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    given = (await approve(world.jp, Approve(request=asking.request, reason="needed", actor=Actor("abe")))).given
    assert given is not None
    for digest, blob in disk_of(world.jp).blobs.items():
        await world.kr.blobs.put_many({digest: blob})
    await world.exchange()
    asked = Open(item=given.item, purpose="air defence", path=str(world.folder / "first"), actor=Actor("kim"))
    assert (await open_item(world.kr, asked)).outcome == "permit"
    await world.exchange()
    payload = (await world.kr.blobs.all())[0]
    kr = await lose(world, "kr", backup)
    await kr.blobs.delete(payload)
    monkeypatch.setattr("comity.flows.exchanging.exchange.PARCEL_ENTRIES_MAX", 3)
    monkeypatch.setattr("comity.flows.house.PAYLOAD_PIECE_BYTES", 100_000)
    assert (await caught_up(world, "kr")).restored is None
    again = Open(item=given.item, purpose="air defence", path=str(world.folder / "second"), actor=Actor("kim"))
    assert (await open_item(world.kr, again)).outcome == "permit"
    assert (world.folder / "second").read_bytes() == content
    await world.exchange()
    await sound(world)


async def test_what_came_while_it_was_down_is_answered(world: World) -> None:  # (51)
    """What the house had answered it does not answer again; what it had not, it does."""
    first = await world.given()
    backup = backup_of(world.kr)
    await world.given(path=world.document(b"two", "two.txt"))
    asked = await world.ask(path=world.document(b"three", "three.txt"))
    await world.exchange()
    kr = await lose(world, "kr", backup)
    assert (await caught_up(world, "kr")).restored is None
    assert asked.request in {line.request for line in (await show_inbox(kr, ShowInbox())).asked}
    assert first.item in {line.item for line in (await show_inbox(kr, ShowInbox())).received}
    await world.exchange()
    await sound(world)


async def test_what_was_asked_before_the_backup_and_approved_after_it_is_given_once(world: World) -> None:  # (44)
    """The item and the request are in the backup, the approval burned: the consignment counts on both sides."""
    asked = await world.ask()
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    backup = backup_of(world.jp)
    approval = Approve(request=asked.request, reason="needed", actor=Actor("abe"))
    await approve(world.jp, approval)
    await world.exchange()
    jp = await lose(world, "jp", backup)
    assert (await caught_up(world, "jp")).restored is None
    outbox = await show_outbox(jp, ShowOutbox())
    assert ([line.item for line in outbox.given], outbox.waiting) == ([asked.item], ())
    item = await jp.need(ItemRow, asked.item, "item")
    assert (item.relationship, item.provided, len(item.consignments), item.copies) == ("domestic", None, 1, 1)
    with pytest.raises((Misuse, Refused)):
        await approve(jp, approval)
    await world.exchange()
    await sound(world)


async def test_what_was_made_after_the_backup_is_known_here_as_it_is_there(world: World) -> None:  # (44)
    given = await world.given()
    backup = backup_of(world.kr)
    translation = await made(world, given.item)
    await world.exchange()
    kr = await lose(world, "kr", backup)
    assert (await caught_up(world, "kr")).restored is None
    for house in (world.jp, kr):
        row = await house.need(DerivativeRow, f"{RELATIONSHIP}/{translation.item}", "derivative")
        assert (row.maker, row.ancestors) == ("kr", (given.item,))
    await world.exchange()
    await sound(world)


async def test_what_is_the_house_s_own_stays_its_own(world: World) -> None:  # (44)
    """Asked and given after the backup: of the item there is what the consignment says, and it was made here."""
    backup = backup_of(world.jp)
    given = await world.given()
    jp = await lose(world, "jp", backup)
    assert (await caught_up(world, "jp")).restored is None
    item = await jp.need(ItemRow, given.item, "item")
    assert (item.relationship, item.originator, item.provided) == ("domestic", "jp", None)
    await sound(world)


async def test_who_went_on_without_its_peer_cosigns_nothing_older_than_it_had(world: World) -> None:  # (52)
    """Its cosignature over less at a later time would convict it of having lost what it had acknowledged."""
    backup = backup_of(world.kr)
    await world.given()
    kr = await lose(world, "kr", backup, floor={chain_id(RELATIONSHIP, "kr"): 1_000})
    shown = await caught_up(world, "kr")
    assert shown.missing == (RELATIONSHIP,)
    assert (await go_on_without(kr, WithoutPeer(relationship=RELATIONSHIP, reason="burned"))).restored is None
    assert (await kr.exchange.pack(RELATIONSHIP, "jp")).cosigned == b""
    await world.jp.take_parcel("kr", RELATIONSHIP, write_parcel(await kr.pack(RELATIONSHIP)))
    await world.exchange()
    assert (await kr.exchange.pack(RELATIONSHIP, "jp")).cosigned
    assert await list_contradictions(world.jp, ListContradictions()) == []
    await sound(world)


async def test_what_was_held_at_the_backup_settles_before_what_follows_on_it(world: World) -> None:  # (45)
    """A record from the future is held in the backup; its author's next ones come back while it is caught up."""
    world.clock.time += timedelta(hours=1)
    await world.person("jp", "mori")
    parcel = await world.jp.pack(RELATIONSHIP)
    world.clock.time -= timedelta(hours=1)
    await world.kr.take_parcel("jp", RELATIONSHIP, write_parcel(parcel))
    backup = backup_of(world.kr)
    held = [entry for entry in await world.kr.store.journal(0, 10_000) if entry.verdict == "held"]
    assert held
    world.clock.time += timedelta(hours=2)
    await world.person("jp", "oda")
    await world.exchange()
    kr = await lose(world, "kr", backup)
    assert (await caught_up(world, "kr")).restored is None
    known = [{key: row async for key, row in house.rows(DirectoryRow)} for house in (world.jp, kr)]
    assert known[0] == known[1]
    await sound(world)


async def test_what_follows_on_each_record_is_said_whatever_dies_after_the_note_is_gone(world: World) -> None:  # (51)
    backup = backup_of(world.kr)
    asked = await world.ask()
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    parcel = await world.jp.pack(RELATIONSHIP)
    sent = await world.kr.take_parcel("jp", RELATIONSHIP, write_parcel(parcel))
    assert sent, "the receipt burned: nobody was told"
    for number in range(40):
        await lose(world, "kr", backup)
        reached(world, "kr")
        disk = disk_of(world.kr)
        disk.faults = Plan((number, Fault.CRASH_KEPT))
        with suppress(ComityError, Crashed):
            await catch_up(world.kr, CatchUp())
        if disk.restored is None and disk.crashes:
            break
    assert disk.crashes, "it died, and its note was gone"
    disk.faults = lambda _: None
    await world.kr.sequencer.close()
    world.kr = await new_house("kr", world.folder, world.clock, disk)
    await world.exchange()
    (row,) = [row async for _, row in world.jp.rows(ConsignmentRow)]
    assert row.receipt is not None
    await sound(world)


async def test_nothing_is_signed_opened_or_handed_out_before(world: World) -> None:  # (41)
    given = await world.given()
    kr = await lose(world, "kr", backup_of(world.kr))
    shown = await catch_up(kr, CatchUp())
    assert shown.missing == (RELATIONSHIP,)
    assert "no road" in shown.failed[RELATIONSHIP]
    asked = Open(item=given.item, purpose="air defence", path=str(world.folder / "opened"), actor=Actor("kim"))
    parcel = write_parcel(await world.jp.pack(RELATIONSHIP))
    for refused in (
        open_item(kr, asked),
        destroy(kr, Destroy(item=given.item, copy=1, method="erase-key", reason="done", actor=Actor("kim"))),
        kr.pack(RELATIONSHIP),
        kr.take_parcel("jp", RELATIONSHIP, parcel),
        kr.checkpoint("jp", chain_id(RELATIONSHIP, "kr")),
        kr.give_back("jp", RELATIONSHIP, "kr", 0),
    ):
        with pytest.raises(Unavailable) as caught:
            await refused
        assert caught.value.code == "restored-node"
    assert not (world.folder / "opened").exists()
    assert (await caught_up(world, "kr")).restored is None
    assert (await open_item(kr, asked)).outcome == "permit"


async def test_what_was_destroyed_after_the_backup_cannot_be_opened(world: World) -> None:
    """(49) The list of erased keys is lost with the disk; the certificate comes back from the peer before any key."""
    given = await world.given()
    backup = backup_of(world.kr)
    header = (await world.kr.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")).header.hex()
    await destroy(world.kr, Destroy(item=given.item, copy=1, method="erase-key", reason="done", actor=Actor("kim")))
    await world.exchange()
    kr = await lose(world, "kr", backup)
    assert await kr.side(HEADER, header) is not None
    asked = Open(item=given.item, purpose="air defence", path=str(world.folder / "opened"), actor=Actor("kim"))
    with pytest.raises(Unavailable):
        await open_item(kr, asked)
    assert (await caught_up(world, "kr")).restored is None
    assert await kr.side(HEADER, header) is None
    assert header in {digest.hex() for digest in disk_of(kr).erased}
    with pytest.raises(Refused) as shut:
        await open_item(kr, asked)
    assert shut.value.code == "not-holder"
    assert not (world.folder / "opened").exists()
    await sound(world)


async def test_what_was_sent_back_after_the_backup_has_no_key_here(world: World) -> None:
    """(49) It is in transit, which a key may outlive, but on its way back, which none does."""
    given = await world.given()
    backup = backup_of(world.kr)
    await send_back(world.kr, SendBack(item=given.item, copy=1, reason="done", actor=Actor("kim")))
    await world.exchange()
    kr = await lose(world, "kr", backup)
    assert (await caught_up(world, "kr")).restored is None
    row = await kr.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")
    assert (row.state, row.going_back) == ("in transit", True)
    assert await kr.side(HEADER, row.header.hex()) is None
    assert row.header in disk_of(kr).erased
    await sound(world)


def _fewer(parcel: Parcel) -> Parcel:
    """Nothing of the other's, and no word of it."""
    if parcel.sender != "jp":
        return parcel
    return msgspec.structs.replace(parcel, entries=(), have=parcel.start, checkpoint=b"")


def _cut(parcel: Parcel) -> Parcel:
    return msgspec.structs.replace(parcel, entries=()) if parcel.sender == "jp" else parcel


def _no_checkpoint(parcel: Parcel) -> Parcel:
    """Other salts, and no checkpoint that would show it."""
    entries = tuple(msgspec.structs.replace(each, salt=bytes(32)) for each in parcel.entries)
    return msgspec.structs.replace(parcel, entries=entries, checkpoint=b"") if parcel.sender == "jp" else parcel


def _salts(parcel: Parcel) -> Parcel:
    entries = tuple(msgspec.structs.replace(each, salt=bytes(32)) for each in parcel.entries)
    return msgspec.structs.replace(parcel, entries=entries) if parcel.sender == "jp" else parcel


def _altered(parcel: Parcel) -> Parcel:
    if parcel.sender != "jp" or not parcel.entries:
        return parcel
    first = parcel.entries[0]
    changed = msgspec.structs.replace(first, envelope=first.envelope.replace(b'"sig":"', b'"sig":"A', 1))
    return msgspec.structs.replace(parcel, entries=(changed, *parcel.entries[1:]))


def _swapped(parcel: Parcel) -> Parcel:
    return msgspec.structs.replace(parcel, entries=parcel.entries[::-1]) if parcel.sender == "jp" else parcel


def _skipped(parcel: Parcel) -> Parcel:
    if parcel.sender != "jp":
        return parcel
    return msgspec.structs.replace(parcel, start=parcel.start + 1, entries=parcel.entries[1:])


@pytest.mark.parametrize(
    ("lie", "says"),
    [
        (_fewer, "withheld"),
        (_cut, "withheld"),
        (_no_checkpoint, "gives back"),
        (_salts, "two histories"),
        (_altered, ""),
        (_swapped, ""),
        (_skipped, "something else"),
    ],
)
async def test_a_peer_that_lies_is_not_believed(world: World, lie: Change, says: str) -> None:
    """(47) (48) Nothing is signed on what it gives; what it gives in earnest afterwards is taken."""
    backup = backup_of(world.jp)
    await world.given()
    jp = await lose(world, "jp", backup)
    shown = await caught_up(world, "jp", lie)
    assert shown.missing == (RELATIONSHIP,)
    assert (says if says != "withheld" else "holds some back") in shown.failed[RELATIONSHIP]
    with pytest.raises(Unavailable):
        await jp.pack(RELATIONSHIP)
    if lie in (_salts, _no_checkpoint):  # its word was taken for the salts: only a fresh start shows which are right
        jp = await lose(world, "jp", backup)
    assert (await caught_up(world, "jp")).restored is None
    await world.exchange()
    await sound(world)


def _other_salts(world: World, since: int) -> Change:
    """The peer has written its own ledger anew since our backup, with other salts, and signs that one."""
    kept = disk_of(world.kr).database.chains[chain_id(RELATIONSHIP, "kr")]
    leaves = [record_leaf(kept[n].salt if n < since else bytes(32), kept[n].envelope).data for n in range(len(kept))]
    note = signed_head(world.kr, Frontier().append(leaves)[0].head())

    def change(parcel: Parcel) -> Parcel:
        if parcel.sender != "kr":
            return parcel
        entries = tuple(
            msgspec.structs.replace(each, salt=bytes(32)) if number >= since else each
            for number, each in enumerate(parcel.entries, parcel.start)
        )
        return msgspec.structs.replace(parcel, entries=entries, checkpoint=note)

    return change


async def test_a_peer_that_has_rewritten_its_own_ledger_is_not_cosigned(world: World) -> None:  # (48)
    """What our own records cite of its ledger must be in what it gives back: else it could show us as the liar."""
    theirs = chain_id(RELATIONSHIP, "kr")
    backup, since = backup_of(world.jp), world.kr.sequencer.head(theirs).size
    await world.given()
    await world.given(path=world.document(b"another", "another.txt"))
    jp = await lose(world, "jp", backup)
    shown = await caught_up(world, "jp", _other_salts(world, since))
    assert shown.missing == (RELATIONSHIP,)
    assert "two histories" in shown.failed[RELATIONSHIP]
    with pytest.raises(Unavailable):
        await jp.pack(RELATIONSHIP)


async def test_what_is_known_of_how_far_it_had_come_counts(world: World) -> None:
    """(48) A mark that was saved, or an earlier backup's, shows what the peer holds back, whatever it says."""
    own = chain_id(RELATIONSHIP, "jp")
    backup = backup_of(world.jp)
    size = world.jp.sequencer.head(own).size
    await lose(world, "jp", backup, floor={own: size + 1})
    shown = await caught_up(world, "jp")
    assert "holds some back" in shown.failed[RELATIONSHIP]
    assert shown.missing == (RELATIONSHIP,)


async def test_somebody_can_decide_to_go_on_without_the_peer(world: World) -> None:
    """(52) Said in the books, by whoever has the root key; should the peer have more, it is refused from then on."""
    backup = backup_of(world.jp)
    await world.given()
    jp = await lose(world, "jp", backup)
    shown = await go_on_without(jp, WithoutPeer(relationship=RELATIONSHIP, reason="it answers no more"))
    assert shown.restored is None
    said = [peek(e.envelope) for e in await jp.store.journal(0, 10_000)][-1]
    assert said.type == "restored/1"
    assert b"it answers no more" in bytes(said.body)
    with pytest.raises(Rejected) as caught:
        await world.exchange()
    assert caught.value.code in {"restored-database", "fork", "two-histories"}


async def test_both_lost_their_disks_on_the_same_day(world: World) -> None:
    backups = {party: backup_of(world.house(party)) for party in ("jp", "kr")}
    given = await world.given()
    await lose(world, "jp", backups["jp"])
    shown = await caught_up(world, "jp")
    assert shown.restored is None
    await lose(world, "kr", backups["kr"])
    assert (await caught_up(world, "kr")).restored is None
    await world.exchange()
    await sound(world)
    assert given.item in {line.item for line in (await show_inbox(world.kr, ShowInbox())).received}


async def test_two_restored_houses_do_not_wait_for_each_other(world: World) -> None:
    """(43) A house that is catching up gives back what it has of others, and of its own nothing yet."""
    backups = {party: backup_of(world.house(party)) for party in ("jp", "kr")}
    await lose(world, "jp", backups["jp"])
    await lose(world, "kr", backups["kr"])
    reached(world, "kr")
    shown = await caught_up(world, "jp")
    assert shown.missing == (RELATIONSHIP,)  # a checkpoint over what it gives, it will not sign again yet
    jp, kr = world.jp, world.kr
    assert (await go_on_without(kr, WithoutPeer(relationship=RELATIONSHIP, reason="both lost"))).restored is None
    assert (await catch_up(jp, CatchUp())).restored is None
    await world.exchange()
    await sound(world)


async def test_a_house_without_peers_goes_on_at_once(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("alone")
    house = await new_house("us", folder, world.clock)
    disk = disk_of(house)
    await house.close()
    disk.restored = RestoredFrom(backup=1, taken=TODAY, at=TODAY, floor={}, kept={})
    again = await new_house("us", folder, world.clock, disk)
    assert (await catch_up(again, CatchUp())).restored is None
    assert disk.restored is None
    await again.close()


@pytest.mark.parametrize("fault", list(Fault))
async def test_whatever_fails_on_the_way_it_comes_to_the_same(
    world: World, fault: Fault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(62) Every write of catching up fails once, in each way; the next start, or the next try, goes on."""
    backup = backup_of(world.kr)
    given = await world.given()
    await destroy(world.kr, Destroy(item=given.item, copy=1, method="erase-key", reason="done", actor=Actor("kim")))
    await world.exchange()
    monkeypatch.setattr("comity.flows.maintaining.catching_up.RECORDS_AT_ONCE", 2)
    struck = 0
    for allowed in range(100):
        await lose(world, "kr", backup)
        reached(world, "kr")
        disk, left = disk_of(world.kr), allowed

        def strike(_: WritePoint) -> Fault | None:
            nonlocal left
            left -= 1
            return fault if left == -1 else None

        disk.faults = strike
        with suppress(ComityError, Crashed):
            await catch_up(world.kr, CatchUp())
        disk.faults = lambda _: None
        if left >= 0:
            break
        struck += 1
        if fault in (Fault.CRASH_LOST, Fault.CRASH_KEPT, Fault.CRASH_TORN):
            await world.kr.sequencer.close()
            world.kr = await new_house("kr", world.folder, world.clock, disk)
        assert (await caught_up(world, "kr")).restored is None
        copy_row = await world.kr.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")
        assert copy_row.state == "destroyed"
        assert await world.kr.side(HEADER, copy_row.header.hex()) is None
        assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()
    assert struck >= 5
    await world.exchange()
    await sound(world)


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda fault: fault.name.lower())
async def test_whichever_two_writes_fail_on_the_way_it_comes_to_the_same(
    world: World, first: Fault, second: Fault
) -> None:
    """(62) A house is brought back and catches up while two writes fail: each, and then each that follows."""
    backup = backup_of(world.kr)
    given = await world.given()

    async def brought_back(plan: Plan) -> int:
        await lose(world, "kr", backup)
        reached(world, "kr")
        disk_of(world.kr).faults = plan
        shown = None
        for _ in range(TRIES_MAX):
            with suppress(ComityError):
                shown = await catch_up(world.kr, CatchUp())
                if shown.restored is None:
                    break
        assert shown is not None, plan
        assert shown.restored is None, plan
        assert len(plan.struck) == len(plan.faults), plan
        assert (await verify_ledger(world.kr, VerifyLedger())).findings == (), plan
        assert (await world.kr.need(CopyRow, f"{RELATIONSHIP}/{given.item}/000001", "copy")).state == "held", plan
        return plan.count

    writes = await brought_back(Plan())
    assert writes >= 3
    for number in range(writes):
        for following in range(number + 1, await brought_back(Plan((number, first)))):
            await brought_back(Plan((number, first), (following, second)))
    await world.exchange()
    await sound(world)
