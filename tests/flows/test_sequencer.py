"""One writer: time, failures, commits of unknown outcome, the mark, many callers (``spec/sequencer.md``)."""

from __future__ import annotations

import asyncio
import copy
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from comity.errors import Misuse, Rejected, Unavailable
from comity.flows.house import House
from comity.flows.keeping import work
from comity.flows.keeping.sequencer import BATCH_JOBS_MAX
from comity.flows.keeping.work import Draft, Work
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.ledger.leaf import record_leaf
from comity.ledger.tree import Frontier
from comity.ports import Ambiguous, Conflict, DiskFull, Head
from comity.record import bodies
from comity.record.statement import DOMESTIC, NOTHING, Record, chain_id, peek, write
from comity.register.rows import FacilityRow, PersonRow
from comity.stores.memory_disk import Fault, MemoryDisk, WritePoint
from flows.parcels import listed
from world import RELATIONSHIP, StandingClock, World, adopt, introduce, new_house

JP = chain_id(RELATIONSHIP, "jp")


class Node:
    """Tokyo over a disk that fails as it is told, and can be started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.disk = MemoryDisk()
        self.clock = StandingClock()
        self.writes: Counter[WritePoint] = Counter()
        self.house: House

    async def start(self) -> House:
        self.house = await new_house("jp", self.folder, self.clock, self.disk)
        return self.house

    def strike(self, fault: Fault, point: WritePoint = WritePoint.COMMIT) -> None:
        """Let the next write there fail, and count all."""
        faults = {point: fault}

        def plan(asked: WritePoint) -> Fault | None:
            self.writes[asked] += 1
            return faults.pop(asked, None)

        self.disk.faults = plan


@pytest.fixture
async def node(tmp_path: Path) -> Node:
    made = Node(tmp_path)
    house = await made.start()
    other = await new_house("kr", tmp_path, made.clock)
    await introduce(house, other)
    await adopt(house, "kr", "jp-kr-2016.history.toml")
    await other.close()
    return made


def saying(*names: str) -> Callable[[Work], Awaitable[list[bytes]]]:
    """A job that says one harmless record for each name."""

    async def job(work: Work) -> list[bytes]:
        house = type("Party", (), {"party": work.context.party})
        return [(await work.say(Draft(RELATIONSHIP, listed(house, name)))).id for name in names]

    return job


async def chain(house: House) -> list[bytes]:
    return [entry.record for entry in await house.store.chain(JP, 0, 1_000)]


async def test_records_stand_in_order_each_on_the_one_before(node: Node) -> None:  # (2)
    house = node.house
    said = await house.sequencer.submit(saying("n-1", "n-2", "n-3"))
    entries = await house.store.chain(JP, 0, 10)
    assert [entry.record for entry in entries] == said
    previous, leaves = NOTHING, []
    for number, entry in enumerate(entries):
        statement = peek(entry.envelope)
        assert (statement.sequence, statement.previous, statement.at) == (number, previous, entry.at)
        previous = entry.record
        leaves.append(record_leaf(entry.salt, entry.envelope).data)
    assert house.sequencer.head(JP) == Head(3, previous, Frontier().append(leaves)[0].root())
    assert len({entry.salt for entry in entries}) == 3
    assert all(len(entry.salt) == 32 for entry in entries)


async def test_jobs_see_what_the_ones_before_them_in_the_batch_left(node: Node) -> None:  # (1)
    seen: list[int] = []

    async def look(work: Work) -> None:
        seen.append((await work.tip(JP)).size)
        await saying(f"n-{len(seen)}")(work)

    await asyncio.gather(*(node.house.sequencer.submit(look) for _ in range(5)))
    assert seen == [0, 1, 2, 3, 4]


async def test_two_hundred_at_once_share_few_commits(node: Node) -> None:  # (1)
    commits = 0

    def count(point: WritePoint) -> None:
        nonlocal commits
        commits += point is WritePoint.COMMIT

    node.disk.faults = count
    results = await asyncio.gather(*(node.house.sequencer.submit(saying(f"n-{number}")) for number in range(200)))
    assert len({record for (record,) in results}) == 200
    assert await chain(node.house) == [record for (record,) in results]
    assert commits <= 1 + -(-200 // BATCH_JOBS_MAX)


# ---- time -----------------------------------------------------------------------------------------------------------


async def test_a_clock_that_steps_back_makes_time_stand_still(node: Node) -> None:  # (3)
    house = node.house
    await house.sequencer.submit(saying("n-1"))
    node.clock.time -= timedelta(days=1)
    await house.sequencer.submit(saying("n-2"))
    first, second = [entry.at for entry in await house.store.chain(JP, 0, 2)]
    assert first <= second < first + timedelta(seconds=1)
    await house.close()
    node.clock.time -= timedelta(days=1)
    house = await node.start()
    assert house.now() == second
    await house.sequencer.submit(saying("n-3"))
    assert (await house.store.chain(JP, 2, 1))[0].at == second
    node.clock.time += timedelta(days=3)
    assert house.now() > second + timedelta(hours=12)


# ---- failing jobs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [Misuse("no"), ValueError("a defect")])
async def test_a_job_that_fails_leaves_nothing_and_harms_nobody(node: Node, error: Exception) -> None:  # (4)
    async def fail(work: Work) -> None:
        await saying("n-lost")(work)
        work.put_side("handle", "lost", b"x")
        raise error

    submit = node.house.sequencer.submit
    results = await asyncio.gather(submit(saying("n-1")), submit(fail), submit(saying("n-2")), return_exceptions=True)
    assert results[1] is error
    assert await chain(node.house) == [*results[0], *results[2]]
    assert await node.house.store.get("handle", ["lost"]) == [None]
    assert (await verify_ledger(node.house, VerifyLedger())).findings == ()


async def test_a_house_does_not_write_what_it_would_reject(node: Node) -> None:  # (4)
    async def job(work: Work) -> None:
        await work.say(Draft(RELATIONSHIP, bodies.Received(consignment=bytes(32), item="i-1", copies=(1,))))

    with pytest.raises(Misuse) as caught:
        await node.house.sequencer.submit(job)
    assert caught.value.code == "unknown-consignment"
    assert await chain(node.house) == []


async def test_a_caller_who_went_away_is_not_waited_for(node: Node) -> None:
    task = asyncio.create_task(node.house.sequencer.submit(saying("n-1")))
    await asyncio.sleep(0)
    task.cancel()
    (record,) = await node.house.sequencer.submit(saying("n-2"))
    assert record in await chain(node.house)


# ---- commits --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error"), [(Fault.DISK_FULL, DiskFull), (Fault.UNAVAILABLE, Unavailable), (Fault.UNKNOWN_LOST, Ambiguous)]
)
async def test_a_commit_that_did_not_happen_is_told_and_leaves_nothing(
    node: Node, fault: Fault, error: type[Unavailable]
) -> None:  # (5, 6)
    before = copy.deepcopy(node.disk.database)
    node.strike(fault)
    results = await asyncio.gather(
        *(node.house.sequencer.submit(saying(f"n-{number}")) for number in range(3)), return_exceptions=True
    )
    assert [type(result) for result in results] == [error] * 3
    assert node.disk.database == before
    again = await node.house.sequencer.submit(saying("n-0"))
    assert await chain(node.house) == again
    assert peek((await node.house.store.chain(JP, 0, 1))[0].envelope).previous == NOTHING


async def test_a_commit_that_happened_all_the_same_is_told_as_done(node: Node) -> None:  # (6)
    node.strike(Fault.UNKNOWN_KEPT)
    first = await node.house.sequencer.submit(saying("n-1"))
    second = await node.house.sequencer.submit(saying("n-2"))
    assert await chain(node.house) == [*first, *second]
    assert (await verify_ledger(node.house, VerifyLedger())).findings == ()


async def test_while_the_outcome_cannot_be_found_out_nothing_is_signed(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:  # (6)
    house, store = node.house, node.house.store
    signed = []

    def counting(*arguments: Any) -> Record:
        signed.append(arguments)
        return write(*arguments)

    monkeypatch.setattr(work, "write", counting)
    real = store.heads

    async def unreadable(chains: Sequence[str] | None = None) -> dict[str, Head]:
        if not node.writes[WritePoint.COMMIT]:
            return await real(chains)
        raise Unavailable("the disk is away", code="disk-failed")

    node.strike(Fault.UNKNOWN_KEPT)
    monkeypatch.setattr(store, "heads", unreadable)
    with pytest.raises(Unavailable):
        await house.sequencer.submit(saying("n-1"))
    before = len(signed)
    with pytest.raises(Unavailable):
        await house.sequencer.submit(saying("n-2"))
    assert len(signed) == before
    monkeypatch.setattr(store, "heads", real)
    await house.sequencer.submit(saying("n-3"))
    assert [peek(entry.envelope).sequence for entry in await store.chain(JP, 0, 10)] == [0, 1]
    assert (await verify_ledger(house, VerifyLedger())).findings == ()


async def test_another_writer_is_noticed_before_anything_is_written(node: Node) -> None:  # (5)
    """A second process on the same database: the slower one writes nothing, and reads everything anew."""
    second = await new_house("jp", node.folder, node.clock, node.disk)
    (theirs,) = await second.sequencer.submit(saying("n-1"))
    with pytest.raises(Conflict):
        await node.house.sequencer.submit(saying("n-2"))
    assert await chain(node.house) == [theirs]
    (ours,) = await node.house.sequencer.submit(saying("n-2"))
    assert await chain(node.house) == [theirs, ours]
    assert (await verify_ledger(node.house, VerifyLedger())).findings == ()
    await second.close()


# ---- the mark -------------------------------------------------------------------------------------------------------


async def test_a_restored_database_is_refused_at_the_start(node: Node) -> None:  # (7)
    await node.house.sequencer.submit(saying("n-1"))
    backup = copy.deepcopy(node.disk.database)
    await node.house.sequencer.submit(saying("n-2"))
    await node.house.pack(RELATIONSHIP)  # it may have left
    await node.house.close()
    node.disk.database = backup
    with pytest.raises(Rejected) as caught:
        await node.start()
    assert caught.value.code == "restored-database"
    assert caught.value.place == JP


async def test_nothing_leaves_before_it_is_under_the_mark(node: Node) -> None:  # (7, 8)
    house = node.house
    await house.pack(RELATIONSHIP)
    (record,) = await house.sequencer.submit(saying("n-1"))
    for fault in (Fault.UNAVAILABLE, Fault.DISK_FULL):
        node.strike(fault, WritePoint.WRITE_MARK)
        with pytest.raises(Unavailable):
            await house.pack(RELATIONSHIP)
    assert house.exchange.checkpoint(JP) == b""
    parcel = await house.pack(RELATIONSHIP)
    assert len(parcel.entries) == 1
    assert node.disk.sizes[JP] == 1
    assert house.sequencer.marked(JP).last == record
    assert house.exchange.checkpoint(JP) == parcel.checkpoint != b""


async def test_what_is_signed_is_seen_by_nobody_before_its_commit(node: Node) -> None:  # (8)
    house = node.house
    seen: list[tuple[int, int, bytes]] = []

    def look(point: WritePoint) -> None:
        if point is WritePoint.COMMIT:
            head = house.sequencer.head(JP)
            seen.append((head.size, house.sequencer.marked(JP).size, house.exchange.checkpoint(JP)))

    node.disk.faults = look
    await house.sequencer.submit(saying("n-1"))
    assert seen == [(0, 0, b"")]
    assert house.sequencer.head(JP).size == 1


# ---- crashes and closing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "kept"), [(Fault.CRASH_KEPT, True), (Fault.CRASH_LOST, False)])
async def test_a_crash_between_commit_and_answer(node: Node, fault: Fault, kept: bool) -> None:  # (8)
    node.strike(fault)
    with pytest.raises(Unavailable):
        await node.house.sequencer.submit(saying("n-1"))
    with pytest.raises(Unavailable):
        await node.house.sequencer.submit(saying("n-2"))
    await node.house.close()
    house = await node.start()
    assert len(await chain(house)) == kept
    await house.sequencer.submit(saying("n-3"))
    assert [peek(entry.envelope).sequence for entry in await house.store.chain(JP, 0, 9)] == list(range(kept + 1))
    assert (await verify_ledger(house, VerifyLedger())).findings == ()


async def test_closing_finishes_the_batch_and_refuses_the_rest(node: Node) -> None:  # (9)
    sequencer = node.house.sequencer
    first = asyncio.create_task(sequencer.submit(saying("n-1")))
    await asyncio.sleep(0)
    late: list[asyncio.Task[list[bytes]]] = []

    def more(point: WritePoint) -> None:
        if point is WritePoint.COMMIT and not late:
            late.append(asyncio.create_task(sequencer.submit(saying("n-2"))))

    node.disk.faults = more
    await asyncio.sleep(0)
    closing = asyncio.create_task(sequencer.close())
    assert len(await first) == 1
    await closing
    (refused,) = await asyncio.gather(*late, return_exceptions=True)
    if isinstance(refused, Unavailable):
        assert len(await chain(node.house)) == 1
    else:
        assert len(await chain(node.house)) == 2
    with pytest.raises(Unavailable):
        await sequencer.submit(saying("n-3"))


async def test_alone_means_that_nothing_is_committed_meanwhile(node: Node) -> None:
    sequencer = node.house.sequencer
    held = asyncio.Event()

    async def action() -> int:
        waiting = asyncio.create_task(sequencer.submit(saying("n-1")))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        held.set()
        return len(await chain(node.house))

    assert await sequencer.alone(action) == 0
    assert held.is_set()
    await sequencer.submit(saying("n-2"))
    assert len(await chain(node.house)) == 2


async def test_a_read_that_a_commit_overtook_does_not_stay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader gets what he read; whoever reads next gets what was committed."""
    house, store = world.jp, world.jp.store
    real, go = store.get, asyncio.Event()
    house.sequencer.rows.clear()

    async def slow(table: str, keys: list[str]) -> list[bytes | None]:
        found = await real(table, keys)
        if table == FacilityRow.table and not go.is_set():
            await go.wait()
        return found

    monkeypatch.setattr(store, "get", slow)
    reading = asyncio.create_task(house.row(FacilityRow, "works"))
    await asyncio.sleep(0)
    row = FacilityRow(facility="works", mark="秘", until=world.clock.time, conditions=(), evidence="")
    house.sequencer.rows.update({(FacilityRow.table, "works"): row}, {})
    go.set()
    assert await reading is None
    assert await house.row(FacilityRow, "works") == row


async def test_the_domestic_chain_is_a_chain_like_any_other(world: World) -> None:
    house = world.jp
    head = house.sequencer.head(chain_id(DOMESTIC, "jp"))
    assert head.size > 0
    assert [row async for _, row in house.rows(PersonRow)]
    with pytest.raises(Misuse):
        await house.sequencer.submit(saying("BAD NAME"))
