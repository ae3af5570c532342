"""``spec/witness.md`` steps 2, 3, 11 to 14 and 20 to 22, on a disk that fails as it is told to."""

from __future__ import annotations

import asyncio
import copy
import itertools
import random
from collections.abc import Awaitable, Callable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import Misuse, Rejected, Unavailable
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.note import Note
from comity.ledger.tree import TreeHead
from comity.ledger.witness import AddCheckpoint, read_size
from comity.ports import Batch, Head
from comity.stores.memory import MemoryHighWaterMark, MemoryStore
from comity.stores.memory_disk import Crashed, Fault, MemoryDisk, WritePoint
from comity.witness import witness as module
from comity.witness.witness import Witness, log_id
from fault_plan import Plan
from ledger.reference import Key
from witness.stand import COSIGNERS, SIGNER, Clock, Log, started

ORIGIN = "comity/jp-kr-2016/jp"


def open_on(disk: MemoryDisk) -> tuple[MemoryStore, MemoryHighWaterMark]:
    return MemoryStore(disk), MemoryHighWaterMark(disk)


async def following(*logs: Log, disk: MemoryDisk | None = None, clock: Clock | None = None, keys: int = 1) -> Witness:
    witness = await started(*open_on(disk or MemoryDisk()), clock, keys)
    for log in logs:
        await witness.follow(log.key)
    return witness


# ---- which logs -----------------------------------------------------------------------------------------------------


async def test_a_log_is_cosigned_as_it_grows() -> None:  # (11)
    log, clock = Log(ORIGIN), Clock()
    witness = await following(log, clock=clock, keys=2)
    for old, size in ((0, 3), (3, 3), (3, 4), (4, 257), (257, 600)):
        clock.seconds += 5
        answer = await witness.add_checkpoint(log.request(old, size))
        assert log.times(answer, size) == [clock.seconds] * 2
    (shown,) = await witness.logs()
    assert (shown.size, shown.root, shown.contradictions) == (600, log.head(600).root.hex(), 0)


async def test_an_empty_log_is_cosigned() -> None:
    log = Log(ORIGIN)
    witness = await following(log)
    assert log.times(await witness.add_checkpoint(log.request(0, 0)), 0)
    assert log.times(await witness.add_checkpoint(log.request(0, 5)), 5)


async def test_two_logs_do_not_know_one_another() -> None:
    one, two = Log(ORIGIN), Log("comity/jp-kr-2016/kr", seed=2)
    witness = await following(one, two)
    assert one.times(await witness.add_checkpoint(one.request(0, 9)), 9)
    assert two.times(await witness.add_checkpoint(two.request(0, 4)), 4)
    assert [each.size for each in await witness.logs()] == [9, 4]


async def test_what_is_no_key_of_a_log() -> None:  # (2)
    witness = await following()
    for key in (COSIGNERS[0].key, COSIGNERS[1].key, SIGNER.verifier("another/log")):
        with pytest.raises(Misuse):
            await witness.follow(key)
    for seed in range(100, 108):
        await witness.follow(Key(seed).verifier(ORIGIN))
    await witness.follow(Key(100).verifier(ORIGIN))  # known already
    with pytest.raises(Misuse, match="at most 8 keys"):
        await witness.follow(Key(108).verifier(ORIGIN))


async def test_a_log_may_sign_with_a_newer_key() -> None:  # (2)
    old, new = Log(ORIGIN), Log(ORIGIN, seed=2)
    witness = await following(old)
    assert old.times(await witness.add_checkpoint(old.request(0, 5)), 5)
    assert (await witness.add_checkpoint(new.request(5, 6))).status == 403
    await witness.follow(new.key)
    assert new.times(await witness.add_checkpoint(new.request(5, 6)), 6)


async def test_a_log_taken_up_again_goes_on_where_it_was() -> None:  # (3)
    log = Log(ORIGIN)
    witness = await following(log)
    assert log.times(await witness.add_checkpoint(log.request(0, 50)), 50)
    await witness.unfollow(ORIGIN)
    assert (await witness.add_checkpoint(log.request(50, 60))).status == 404
    with pytest.raises(Misuse):
        await witness.unfollow(ORIGIN)
    await witness.follow(log.key)
    assert (await witness.add_checkpoint(log.request(0, 40, rewritten=True))).status == 409
    assert log.times(await witness.add_checkpoint(log.request(50, 60)), 60)


async def test_strangers_leave_nothing_behind() -> None:  # (14)
    disk = MemoryDisk()
    witness = await following(Log(ORIGIN), disk=disk)
    before = dict(disk.database.rows)
    for number in range(50):
        stranger = Log(f"stranger/{number}", seed=9)
        assert (await witness.add_checkpoint(stranger.request(0, 5))).status == 404
    forged = Log(ORIGIN, seed=9)
    assert (await witness.add_checkpoint(forged.request(0, 5))).status == 403
    assert disk.database.rows == before
    assert len(witness._turns) == 1


# ---- refusals -------------------------------------------------------------------------------------------------------


async def test_each_refusal_says_what_it_should() -> None:  # (11)
    log = Log(ORIGIN)
    witness = await following(log)
    assert log.times(await witness.add_checkpoint(log.request(0, 30)), 30)
    requests = {
        b"": 400,
        b"old 30\n\nhello\n": 400,
        log.request(41, 40): 400,
        Log("other").request(30, 40): 404,
        Log(ORIGIN, seed=2).request(30, 40): 403,
        log.request(29, 40): 409,
        log.request(31, 40): 409,
        log.request(30, 30, rewritten=True): 409,
        log.request(30, 40, rewritten=True): 422,
        log.request(30, 40).replace(b"\n\n", b"\n" + b"A" * 43 + b"=\n\n", 1): 422,
    }
    for body, status in requests.items():
        answer = await witness.add_checkpoint(body)
        assert (answer.status, b"\xe2\x80\x94" in answer.body) == (status, False), (body, answer)
    stale = await witness.add_checkpoint(log.request(29, 40))
    assert (stale.content_type, read_size(stale.body)) == ("text/x.tlog.size", 30)
    assert log.times(await witness.add_checkpoint(log.request(30, 40)), 40)  # what was refused has changed nothing


async def test_two_lines_by_one_key() -> None:
    """The same line twice counts once; a second line of a known key that does not verify condemns the note."""
    log = Log(ORIGIN)
    witness = await following(log)
    note = log.note(5)
    twice = AddCheckpoint(0, (), Note(note.text, note.signatures * 2).encode()).encode()
    assert log.times(await witness.add_checkpoint(twice), 5)
    wrong = Note(note.text, (*note.signatures, log.note(6).signatures[0]))
    assert (await witness.add_checkpoint(AddCheckpoint(5, (), wrong.encode()).encode())).status == 403


async def test_lines_of_strangers_are_not_handed_on() -> None:  # (12)
    log, stranger = Log(ORIGIN), Log(ORIGIN, seed=8)
    witness = await following(log)
    note = Note(log.note(5).text, (*stranger.note(5).signatures, *log.note(5).signatures))
    answer = await witness.add_checkpoint(AddCheckpoint(0, (), note.encode()).encode())
    assert answer.status == 200
    shown = await witness.checkpoint(log_id(ORIGIN))
    assert shown == log.note(5).encode() + answer.body


async def test_the_newest_checkpoint_is_shown() -> None:  # (12)
    log, clock = Log(ORIGIN), Clock()
    disk = MemoryDisk()
    witness = await following(log, disk=disk, clock=clock, keys=2)
    assert await witness.checkpoint(log_id(ORIGIN)) is None
    given = (await witness.add_checkpoint(log.request(0, 7))).body
    clock.seconds += 100
    again = await started(*open_on(disk), clock)
    shown = await again.checkpoint(log_id(ORIGIN))
    assert shown is not None
    signed = open_checkpoint(shown, ORIGIN, [log.key], [COSIGNERS[0].key])
    assert signed.checkpoint.head == log.head(7)
    assert signed.note.signatures[-1].line.encode() == given.splitlines(keepends=True)[0]  # the one that was given


async def test_contradictions_are_kept_once_and_not_without_end(monkeypatch: pytest.MonkeyPatch) -> None:  # (13)
    monkeypatch.setattr(module, "CONTRADICTIONS_KEPT", 3)
    log = Log(ORIGIN)
    witness = await following(log)
    assert log.times(await witness.add_checkpoint(log.request(0, 30)), 30)
    for old, size in ((30, 30), (30, 30), (29, 30), (30, 41), (30, 42), (30, 43)):
        assert (await witness.add_checkpoint(log.request(old, size, rewritten=True))).status in {409, 422}
    found = await witness.contradictions(ORIGIN)
    assert sorted(each.code for each in found) == ["inconsistent", "inconsistent", "split-view"]
    (proof,) = [each for each in found if each.code == "split-view"]
    one = open_checkpoint(proof.recorded, ORIGIN, [log.key]).checkpoint.head
    two = open_checkpoint(AddCheckpoint.parse(proof.request).note, ORIGIN, [log.key]).checkpoint.head
    assert one.size == two.size == 30
    assert one.root != two.root


# ---- time -----------------------------------------------------------------------------------------------------------


async def test_time_never_goes_back() -> None:  # (21)
    log, clock, disk = Log(ORIGIN), Clock(), MemoryDisk()
    witness = await following(log, disk=disk, clock=clock)
    first = clock.seconds
    assert log.times(await witness.add_checkpoint(log.request(0, 5)), 5) == [first]
    clock.seconds -= 1_000
    assert log.times(await witness.add_checkpoint(log.request(5, 6)), 6) == [first]
    again = await started(*open_on(disk), clock)
    assert log.times(await again.add_checkpoint(log.request(6, 6)), 6) == [first]
    clock.seconds = first + 1
    assert log.times(await again.add_checkpoint(log.request(6, 6)), 6) == [first + 1]


# ---- atomic and durable ---------------------------------------------------------------------------------------------


async def test_the_race_of_the_standard_does_not_happen() -> None:  # (20)
    """Of requests from one recorded size, all at once, exactly one wins; no later one is rolled back."""
    log = Log(ORIGIN)
    witness = await following(log)
    assert log.times(await witness.add_checkpoint(log.request(0, 10)), 10)
    answers = await asyncio.gather(*(witness.add_checkpoint(log.request(10, size)) for size in range(11, 60)))
    won = [size for size, answer in zip(range(11, 60), answers, strict=True) if answer.status == 200]
    assert len(won) == 1
    assert {answer.status for answer in answers} == {200, 409}
    assert (await witness.logs())[0].size == won[0]


async def test_two_processes_on_one_database_cannot_roll_back() -> None:  # (20)
    """Two witnesses on one store, which the lock of the folder forbids: the compare-and-set holds by itself."""
    log, disk = Log(ORIGIN), MemoryDisk()
    one = await following(log, disk=disk)
    two = await started(*open_on(disk))
    sizes = list(range(1, 60))
    answers = await asyncio.gather(
        *(witness.add_checkpoint(log.request(0, size)) for size in sizes for witness in (one, two))
    )
    assert sum(answer.status == 200 for answer in answers) == 1


class Slow(MemoryStore):
    """A store in which something else happens between what a witness has read and what it commits."""

    between: Callable[[], Awaitable[object]] | None = None

    async def commit(self, batch: Batch, expected: Mapping[str, Head | None]) -> int:
        first, self.between = self.between, None
        if first is not None:
            await first()
        return await super().commit(batch, expected)


@pytest.mark.parametrize("rewritten", [False, True])
async def test_the_race_of_the_standard_step_by_step(rewritten: bool) -> None:  # (20)
    """A is checked; B, which is larger or another history, is checked, recorded and answered; then A is recorded."""
    log, disk = Log(ORIGIN), MemoryDisk()
    slow = Slow(disk)
    one = await started(slow, MemoryHighWaterMark(disk))
    two = await started(*open_on(disk))
    await one.follow(log.key)
    assert log.times(await one.add_checkpoint(log.request(0, 3)), 3)
    won = []

    async def other() -> None:
        won.append(await two.add_checkpoint(log.request(3, 20, rewritten=rewritten)))

    slow.between = other
    lost = await one.add_checkpoint(log.request(3, 10))
    assert ([answer.status for answer in won], lost.status) == ([200], 503)
    again = await one.add_checkpoint(log.request(3, 10))
    assert (again.status, read_size(again.body)) == (409, 20)
    assert (await one.logs())[0].root == log.head(20, rewritten=rewritten).root.hex()


def check_history(log: Log, cosigned: list[tuple[TreeHead, int]]) -> None:
    """All that was ever cosigned is one history."""
    for (old, old_time), (new, new_time) in itertools.pairwise(cosigned):
        assert (old.size, old_time) <= (new.size, new_time)
        if old.size == new.size:
            assert old.root == new.root
        elif old.size > 3 and new.size > 3:
            assert (old == log.head(old.size)) == (new == log.head(new.size))


async def act(witness: Witness, log: Log, chance: random.Random, cosigned: list[tuple[TreeHead, int]]) -> None:
    """One request of a log that tells two histories."""
    recorded = max((head.size for head, _ in cosigned), default=0)
    size = chance.randint(0, 60)
    old = chance.choice([recorded, chance.randint(0, 60)])
    rewritten = chance.random() < 0.4
    if old > size:
        return
    body = log.request(old, size, rewritten=rewritten)
    answer = await witness.add_checkpoint(body)
    if answer.status == 409 and answer.content_type == "text/x.tlog.size":
        old = read_size(answer.body)
        if old <= size:
            answer = await witness.add_checkpoint(log.request(old, size, rewritten=rewritten))
    if answer.status == 200:
        note = log.note(size, rewritten=rewritten)
        whole = note.encode() + answer.body
        (verified,) = open_checkpoint(whole, log.origin, [log.key], [COSIGNERS[0].key]).witnesses
        assert verified.time is not None
        cosigned.append((log.head(size, rewritten=rewritten), verified.time))
    assert answer.status in {200, 409, 422, 503}


FAULTS = (*[None] * 6, *Fault)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_the_disk_does_one_history_is_cosigned(seed: int) -> None:  # (20) (21) (22)
    """Writes fail, seem to fail, are lost with the power; the witness starts again; the log tells two histories."""
    chance = random.Random(seed)
    broken = [False]

    def faults(_: WritePoint) -> Fault | None:
        return chance.choice(FAULTS) if broken[0] else None

    async def life() -> None:
        disk, log, clock = MemoryDisk(faults), Log(ORIGIN), Clock()
        witness: Witness | None = await following(log, disk=disk, clock=clock)
        broken[0] = True
        cosigned: list[tuple[TreeHead, int]] = []
        for _ in range(60):
            clock.seconds += chance.randint(-5, 10)
            try:
                if witness is None:
                    witness = await started(*open_on(disk), clock)
                await act(witness, log, chance, cosigned)
            except (Crashed, Unavailable):
                witness = None
            check_history(log, cosigned)
        broken[0] = False
        last = await started(*open_on(disk), clock)
        shown = await last.checkpoint(log_id(ORIGIN))
        if cosigned:
            assert shown is not None
            head = open_checkpoint(shown, ORIGIN, [log.key]).checkpoint.head
            check_history(log, [*cosigned, (head, 2**62)])

    asyncio.run(life())


async def test_nothing_is_signed_before_the_mark_covers_it() -> None:  # (22)
    failing: list[WritePoint] = []

    def faults(point: WritePoint) -> Fault | None:
        return Fault.DISK_FULL if point in failing else None

    disk, log = MemoryDisk(faults), Log(ORIGIN)
    witness = await following(log, disk=disk)
    failing.append(WritePoint.WRITE_MARK)
    assert (await witness.add_checkpoint(log.request(0, 5))).status == 503
    failing.clear()
    assert log.times(await witness.add_checkpoint(log.request(5, 5)), 5)


@pytest.mark.parametrize("point", [WritePoint.COMMIT, WritePoint.WRITE_MARK])
@pytest.mark.parametrize("fault", [Fault.DISK_FULL, Fault.UNAVAILABLE, Fault.UNKNOWN_LOST, Fault.UNKNOWN_KEPT])
async def test_a_disk_that_fails_is_told_as_503_and_passes(point: WritePoint, fault: Fault) -> None:  # (11)
    failing: list[WritePoint] = []
    disk, log = MemoryDisk(lambda at: fault if at in failing else None), Log(ORIGIN)
    witness = await following(log, disk=disk)
    failing.append(point)
    answer = await witness.add_checkpoint(log.request(0, 5))
    assert answer.status == 503 or (point is WritePoint.WRITE_MARK and fault is Fault.UNKNOWN_KEPT)
    failing.clear()
    answer = await witness.add_checkpoint(log.request(0, 5))
    if answer.status == 409:
        assert read_size(answer.body) == 5
        answer = await witness.add_checkpoint(log.request(5, 5))
    assert log.times(answer, 5)


async def test_an_older_database_is_not_started() -> None:  # (22)
    disk, log = MemoryDisk(), Log(ORIGIN)
    witness = await following(log, disk=disk)
    assert log.times(await witness.add_checkpoint(log.request(0, 5)), 5)
    backup = copy.deepcopy(disk.database)
    assert log.times(await witness.add_checkpoint(log.request(5, 9)), 9)
    disk.database = backup
    with pytest.raises(Rejected) as caught:
        await started(*open_on(disk))
    assert caught.value.code == "restored-database"
    disk.database = type(backup)()
    with pytest.raises(Rejected):
        await started(*open_on(disk))


@pytest.mark.parametrize("second", list(Fault))
@pytest.mark.parametrize("first", list(Fault))
async def test_whichever_two_writes_fail_nothing_is_cosigned_twice(first: Fault, second: Fault) -> None:  # (20) (22)
    """The log comes again until it has its cosignature; what was cosigned once is never taken back or contradicted."""
    log = Log(ORIGIN)

    async def grown(plan: Plan) -> int:
        disk = MemoryDisk()
        witness, had = await following(log, disk=disk), 0
        disk.faults = plan
        for size in (4, 9, 20):
            for _ in range(5):
                try:
                    answer = await witness.add_checkpoint(log.request(had, size))
                    if answer.status == 409:
                        assert had <= read_size(answer.body) <= size, plan
                        answer = await witness.add_checkpoint(log.request(read_size(answer.body), size))
                    if answer.status == 200:
                        assert log.times(answer, size), plan
                        had = size
                        lie = await witness.add_checkpoint(log.request(had, had + 1, rewritten=True))
                        assert lie.status in {422, 503}, plan
                        break
                except Crashed:
                    witness = await again(disk)
                else:
                    assert answer.status == 503, (answer, plan)
            assert had == size, plan
        (shown,) = await (await again(disk)).logs()
        assert (shown.size, shown.root) == (20, log.head(20).root.hex()), plan
        assert len(plan.struck) == len(plan.faults), plan
        return plan.count

    async def again(disk: MemoryDisk) -> Witness:
        for _ in range(3):
            try:
                return await started(*open_on(disk))
            except (Crashed, Unavailable):
                continue
        raise AssertionError("the witness does not start")

    for number in range(await grown(Plan())):
        for following_ in range(number + 1, await grown(Plan((number, first)))):
            await grown(Plan((number, first), (following_, second)))
