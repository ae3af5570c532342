"""A line that alters, repeats, leaves out and mixes up; nodes that die at any write (``spec/feed.md`` step 15)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy

import pytest
from msgspec.structs import replace

from comity.errors import ComityError, Rejected
from comity.feed.batch import FRAME_BYTES_MAX, open_batch, read_frame
from comity.feed.delivery import Have, read_word, write_word
from comity.flows.feeding import publishing
from comity.flows.feeding.delivering import Delivery
from comity.ledger.tree import Frontier
from comity.stores.memory_disk import Crashed, Fault, MemoryDisk, WritePoint, no_faults
from courier.keys import Key
from feed.stage import KEYS, NAME, Line, Stage, track, until


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (lambda frames: frames[1], "out-of-order"),
        (lambda frames: frames[0][:-1], "bad-frame"),
        (lambda frames: b"", "bad-frame"),
        (lambda frames: bytes(FRAME_BYTES_MAX + 1), "too-large"),
        (lambda frames: frames[0][:90] + bytes([frames[0][90] ^ 1]) + frames[0][91:], "altered-batch"),
    ],
)
async def test_what_is_not_the_next_batch_is_refused_and_the_stream_goes_on(bad, code: str) -> None:  # type: ignore[no-untyped-def]  # a lambda of frames
    stage = Stage()
    async with stage.publisher() as publisher:
        await publisher.publish([track(0)])
        await publisher.publish([track(1)])
        frames = [publisher.under_way[index].frame for index in range(2)]
        recipient = await stage.recipient()
        line = Line()
        following = asyncio.create_task(recipient.follow(line.ends[1]))
        await line.ends[0].receive()
        await line.ends[0].send(bad(frames))
        with pytest.raises(Rejected) as caught:
            await following
        assert caught.value.code == code
        assert recipient.counts[f"refused {code}"] == 1
        assert recipient.first == 0
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: recipient.first == 2)


async def test_acknowledgements_that_were_lost_with_a_channel_are_given_again_on_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else a publisher whose batches under way are all lost words would send nothing more, and hear nothing more."""
    monkeypatch.setattr(publishing, "BATCHES_UNDER_WAY_MAX", 2)
    stage = Stage()
    async with stage.publisher() as publisher:
        recipient = await stage.recipient()
        first_words = Line(lambda back, data: [data] if not back or isinstance(read_word(data), Have) else [])
        async with stage.connected(publisher, recipient, first_words):
            for number in range(3):
                await publisher.publish([track(number)])
            await until(lambda: recipient.first == 2)
        assert (publisher.acknowledged, publisher.size, publisher.held) == (0, 2, 1)
        async with stage.connected(publisher, recipient, Line()):
            await until(lambda: publisher.acknowledged == recipient.first == 3)


async def test_a_batch_that_comes_again_is_acknowledged_again_and_delivered_once() -> None:
    stage = Stage()
    async with stage.publisher() as publisher:
        await publisher.publish([track(0)])
        frame = publisher.under_way[0].frame
        recipient = await stage.recipient()
        line = Line()
        following = asyncio.create_task(recipient.follow(line.ends[1]))
        await line.ends[0].receive()
        words = []
        for _ in range(3):
            await line.ends[0].send(frame)
            words.append(read_word(await line.ends[0].receive()))
        assert {word.size for word in words} == {1}
        assert len(stage.arrived) == 1
        assert recipient.counts["repeated"] == 2
        following.cancel()


async def test_two_histories_are_refused_and_kept() -> None:
    one, other = Stage(), Stage()
    other.chance.seed(2)
    async with one.publisher() as publisher, other.publisher() as liar:
        recipient = await one.recipient()
        async with one.connected(publisher, recipient, Line()):
            await publisher.publish([track(0)])
            await until(lambda: recipient.first == 1)
        await liar.publish([track(5)])
        await liar.publish([track(6)])
        for index in range(2):  # another first batch, and one that does not follow on ours
            recipient = await one.recipient()  # what was kept is kept though the node starts again
            line = Line()
            following = asyncio.create_task(recipient.follow(line.ends[1]))
            await line.ends[0].receive()
            await line.ends[0].send(liar.under_way[index].frame)
            with pytest.raises(Rejected) as caught:
                await following
            assert caught.value.code == "two-histories"
        assert len(await recipient.shelf.read_evidence()) == 2
        assert recipient.first == 1


async def test_what_comes_again_altered_or_unsigned_accuses_nobody() -> None:
    stage, stranger = Stage(), Stage()
    async with stage.publisher() as publisher, stranger.publisher() as other:
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await publisher.publish([track(0)])
            await until(lambda: recipient.first == 1)
        other.parties = replace(other.parties, log=Key("nobody"))
        await other.publish([track(5)])
        line = Line()
        following = asyncio.create_task(recipient.follow(line.ends[1]))
        await line.ends[0].receive()
        await line.ends[0].send(other.under_way[0].frame)
        with pytest.raises(Rejected) as caught:
            await following
        assert caught.value.code == "no-trusted-signature"
        assert await recipient.shelf.read_evidence() == []


async def test_a_publisher_restored_from_a_copy_seals_nothing_under_a_key_and_number_that_it_used() -> None:
    """It may publish before its recipient calls, which then finds two histories."""
    stage = Stage()
    async with stage.publisher() as publisher:
        await publisher.publish([track(0)])
        copy = MemoryDisk()
        copy.database = deepcopy(stage.disks[0].database)
        recipient = await stage.recipient()
        async with stage.connected(publisher, recipient, Line()):
            await publisher.publish([track(1)])
            await publisher.publish([track(2)])
            await until(lambda: recipient.first == 3)
        before = [await publisher.shelf.read_frame(index) for index in range(publisher.size)]
    stage.disks = copy, stage.disks[1]
    async with stage.publisher() as restored:
        for number in range(10, 13):
            await restored.publish([track(number)])
        after = [await restored.shelf.read_frame(index) for index in range(restored.size)]
        line = Line()
        delivering = asyncio.create_task(Delivery(restored, line.ends[0]).run())
        following = asyncio.create_task(recipient.follow(line.ends[1]))
        with pytest.raises(Rejected) as caught:
            await delivering
        assert caught.value.code == "two-histories"
        assert len(await restored.shelf.read_evidence()) == 1
        following.cancel()
    assert before[0] == after[0]
    used: dict[tuple[bytes, int], bytes] = {}
    keys = {each.number: each.key for each in stage.ruler.epochs}
    for data in [*before, *after]:
        assert data is not None
        frame = read_frame(data)
        assert used.setdefault((keys[frame.place.epoch], frame.place.batch), frame.sealed) == frame.sealed
    assert len(used) == 6


HAVE = write_word(Have(0, b""))


@pytest.mark.parametrize("data", [b"", HAVE[:-1], HAVE + b"x", HAVE.replace(b"have", b"gone"), bytes(5000)])
def test_what_a_recipient_does_not_say_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        read_word(data)
    assert caught.value.code == "bad-word"


@pytest.mark.parametrize("seed", range(6))
async def test_nothing_acknowledged_is_lost_and_nothing_is_delivered_twice_whatever_fails(seed: int) -> None:
    """Both nodes die at their writes, with and without them; the line drops, repeats, delays, mixes up and breaks."""
    chance = random.Random(seed)
    stage = Stage()
    stage.chance.seed(seed)
    stormy, struck = True, list[Fault]()

    def plan(_point: WritePoint) -> Fault | None:
        if not stormy or chance.random() > 0.08:
            return None
        struck.append(chance.choice(list(Fault)))
        return struck[-1]

    for disk in stage.disks:
        disk.faults = plan
    late: list[bytes] = []

    sent: dict[tuple[int, int], bytes] = {}

    def weather(by_recipient: bool, data: bytes) -> list[bytes]:
        to_recipient = not by_recipient
        if to_recipient:  # no two are sealed under one key with one number, whoever died between
            frame = read_frame(data)
            assert sent.setdefault((frame.place.epoch, frame.place.batch), data) == data
        luck = chance.random() if stormy else 1.0
        if luck < 0.05:
            return []
        if luck < 0.1:
            return [data, data]
        if luck < 0.15 and to_recipient:
            late.append(data)
            return []
        if luck < 0.2 and to_recipient and late:
            return [data, late.pop(chance.randrange(len(late)))]
        if luck < 0.23:
            at = chance.randrange(len(data))
            return [data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]]
        return [data]

    taken: list[int] = []
    number = request = 0

    async def publish_some(publisher) -> None:  # type: ignore[no-untyped-def]  # a Publisher
        nonlocal number, request
        for _ in range(chance.randrange(1, 6)):
            count = random.Random(f"{seed} {request}").choice([1, 1, 2, 7, 40])  # the same when it is tried again
            messages = [track(n) for n in range(number, number + count)]
            found = await publisher.publish(messages, "sensor", request)
            assert found.accepted + found.repeated == count
            taken.extend(range(number, number + count))
            number, request = number + count, request + 1

    def crashes() -> int:
        return sum(disk.crashes for disk in stage.disks)

    async def one_life() -> None:
        born = crashes()
        async with stage.publisher() as publisher:
            recipient = await stage.recipient()
            for _ in range(4):
                async with stage.connected(publisher, recipient, Line(weather)):
                    working = asyncio.create_task(publish_some(publisher))
                    with suppress(TimeoutError):
                        await _ended(working, lambda: crashes() > born)
                    if working.done() and not stormy:
                        await until(lambda: publisher.acknowledged == publisher.size and not publisher.held)
                    await asyncio.sleep(chance.random() * 0.02)
                    working.cancel()
                    outcome = (await asyncio.gather(working, return_exceptions=True))[0]
                    if isinstance(outcome, Exception) and not isinstance(outcome, ComityError):
                        raise outcome
                if crashes() > born:
                    return

    for _ in range(15):
        with suppress(Crashed, ComityError):
            await one_life()
    stormy = False
    for disk in stage.disks:
        disk.faults = no_faults
    await one_life()
    assert struck
    assert sent

    recipient = await stage.recipient()
    assert recipient.first == number == len(taken)
    told = [int(str(view["track"])[2:]) for view in stage.views]
    assert told == sorted(set(told))  # where a node dies between the commit and telling it, it is not told
    log, found = Frontier(), []
    for index in range(recipient.size):
        data = await recipient.shelf.read_frame(index)
        assert data is not None
        frame = read_frame(data)
        key = await stage.ruler.epoch_key(NAME, frame.place.epoch)
        assert key is not None
        opened = open_batch(frame, NAME.origin, key, log, [NAME.log_key(KEYS["jp log"].public)])
        log = opened.frontier
        found += [int(view.split(b'"T-')[1].split(b'"')[0]) for view in opened.contents.views]
    assert found == list(range(number))


async def _ended(working: asyncio.Task[None], died: Callable[[], bool]) -> None:
    await until(lambda: working.done() or died(), 2)
