"""A feed between two whole houses: records and messages together (``spec/feed.md`` steps 6, 8, 12, 13, 15 and 18)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import ComityError, Misuse, Refused, Rejected, Unavailable
from comity.feed.delivery import Have, write_word
from comity.feed.proof import verify_proof, write_proof
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.exchanging.witnessing import witness_key
from comity.flows.feeding.books import Books
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.gates import Gates
from comity.flows.feeding.listing import ListFeeds
from comity.flows.feeding.names import FeedName
from comity.flows.maintaining.rotating import RevokeKey, RotateKey, revoke_key, rotate_key
from comity.flows.people.leaving import RemovePerson, remove_person
from comity.node.feeds import VerifyMessage, feeds_flows, feeds_lines, feeds_sent, verify
from comity.record.card import Purpose
from comity.register.rows.feeding import FeedEpochRow, FeedOriginalsRow, FeedReceiptRow
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk
from feed.stage import Line, until
from flows.test_releasing_feeds import FEED, TERMS, released, text
from world import RELATIONSHIP, ROOT, World

NAME = FeedName(RELATIONSHIP, "jp", FEED)
AT_ONCE = TERMS.replace("delay = 60\nrate = 200\n", "")


def track(number: int) -> bytes:
    fields = {
        "type": "track",
        "track": f"T-{number}",
        "observed": "2026-11-21T03:00:00.5Z",
        "latitude": 38.0213,
        "longitude": 131.4471,
        "sensor": "s-1",
        "method": "multistatic",
        "quality": 7,
    }
    return msgspec.json.encode(fields)


class Both:
    """Two houses with a standing release, and the feeds of each."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.disks = MemoryDisk(), MemoryDisk()
        self.jp, self.kr = (
            Feeds(house, MemoryStore(disk), Gates(house))
            for house, disk in zip((world.jp, world.kr), self.disks, strict=True)
        )
        self.books = Books(world.jp, self.jp), Books(world.kr, self.kr)

    @asynccontextmanager
    async def connected(self, *, exchanging: bool = True) -> AsyncIterator[None]:
        """A line between them; records go to and fro meanwhile."""
        line = Line()
        recipient = await self.kr.recipient(NAME)
        tasks = [
            asyncio.create_task(self.jp.deliver("kr", RELATIONSHIP, FEED, line.ends[0])),
            asyncio.create_task(recipient.follow(line.ends[1])),
            *([asyncio.create_task(self.exchanging())] if exchanging else []),
        ]
        try:
            yield
        finally:
            line.cut()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def exchanging(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            with suppress(ComityError):
                await self.world.exchange()


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[Both]:
    world = await World.make(tmp_path, text=text())
    await released(world, terms=AT_ONCE)
    made = Both(world)
    yield made
    await made.jp.close()
    await made.kr.close()
    await world.close()


async def test_messages_cross_under_a_key_from_a_record_and_both_keep_the_books(both: Both) -> None:
    publisher, recipient = await both.jp.publisher(NAME), await both.kr.recipient(NAME)
    assert await both.kr.followed() == [NAME] == await both.jp.published()
    assert await both.kr.published() == [] == await both.jp.followed()
    async with both.connected():
        for number in range(3):
            assert (await publisher.publish([track(number)])).accepted == 1
        await until(lambda: publisher.acknowledged == publisher.size == 3)
    assert recipient.first == 3
    epochs = [row async for _, row in both.world.kr.rows(FeedEpochRow)]
    assert [row.first for row in epochs] == [0]

    for books in both.books:
        await books.settle()
        await books.settle()  # there is nothing more to say
    await both.world.exchange()
    logged = [row async for _, row in both.world.jp.rows(FeedOriginalsRow)]
    assert [row.batches for row in logged] == [3]
    receipts = [[row async for _, row in house.rows(FeedReceiptRow)] for house in (both.world.jp, both.world.kr)]
    assert receipts[0] == receipts[1]
    assert [(row.batches, row.messages) for row in receipts[0]] == [(3, 3)]

    with_original = await both.books[0].logged_with(NAME, 2)
    assert with_original == (0, 3)
    proof = await both.jp.kept(NAME).prove(2, ["track"], with_original, publisher.cosigned)
    keys = both.world.jp.keys.log.public, (await both.world.jp.peer_card("kr")).witness
    proved = verify_proof(proof, NAME.origin, [NAME.log_key(keys[0])], [witness_key("kr", keys[1])])
    assert proved.record_root == logged[0].root
    assert proved.signed.witnesses
    assert msgspec.json.decode(proved.view) == {
        "type": "track",
        "track": "T-2",
        "observed": "2026-11-21T03:00:00Z",
        "latitude": 38.0,
    }


async def test_a_batch_whose_key_has_not_come_has_the_records_fetched_at_once(both: Both) -> None:
    publisher, recipient = await both.jp.publisher(NAME), await both.kr.recipient(NAME)
    house = both.world.kr
    await both.world.exchange()
    assert not await house.wait_for_work(RELATIONSHIP, 0)
    async with both.connected(exchanging=False):
        await publisher.publish([track(0)])
        assert await house.wait_for_work(RELATIONSHIP, 5)  # though there is nothing to hand over
        assert recipient.first == 0
        parcel = await house.pack(RELATIONSHIP)
        assert not parcel.entries
        assert not await house.wait_for_work(RELATIONSHIP, 0)  # once is enough
        await house.take_reply(RELATIONSHIP, await both.world.jp.take_parcel("kr", RELATIONSHIP, write_parcel(parcel)))
        await until(lambda: recipient.first == 1, seconds=0.9)


async def test_a_recipient_who_leaves_stops_the_feed_at_that_instant(both: Both) -> None:
    publisher, recipient = await both.jp.publisher(NAME), await both.kr.recipient(NAME)
    async with both.connected():
        await publisher.publish([track(0)])
        await until(lambda: recipient.first == 1)
        await remove_person(both.world.kr, RemovePerson(handle="kim", reason="he leaves", actor=ROOT))
        await both.world.exchange()
        found = await publisher.publish([track(1)])
    assert found.accepted == 0
    assert sum(found.refused.values()) == 1
    assert recipient.first == 1


async def test_after_a_restart_there_is_another_key_and_the_log_goes_on(both: Both) -> None:
    async with both.connected():
        await (await both.jp.publisher(NAME)).publish([track(0)])
        recipient = await both.kr.recipient(NAME)
        await until(lambda: recipient.first == 1)
    await both.jp.close()
    both.jp = Feeds(both.world.jp, MemoryStore(both.disks[0]), Gates(both.world.jp))
    async with both.connected():
        await (await both.jp.publisher(NAME)).publish([track(1)])
        await until(lambda: recipient.first == 2)
    epochs = [row async for _, row in both.world.kr.rows(FeedEpochRow)]
    assert [row.first for row in epochs] == [0, 1]


async def test_a_feed_is_found_by_its_name_and_told_to_nobody_else(both: Both) -> None:
    assert await both.jp.named(FEED) == NAME == await both.kr.any_named(FEED, RELATIONSHIP)
    for asked in (both.jp.named("air"), both.kr.named(FEED), both.jp.any_named(FEED, "other/jp.kr")):
        with pytest.raises(Misuse) as caught:
            await asked
        assert caught.value.code == "unknown-feed"
    for peer, relationship, feed in (
        ("us", RELATIONSHIP, FEED),
        ("kr", "other/jp.kr", FEED),
        ("kr", RELATIONSHIP, "air"),
    ):
        with pytest.raises(Refused):
            await both.jp.deliver(peer, relationship, feed, Line().ends[0])


async def test_a_feed_whose_disk_was_restored_is_told_of_where_feeds_are(both: Both) -> None:
    publish, listing = feeds_lines(both.jp)["feed.publish"], feeds_flows(both.jp, both.books[0])["feed.list"]
    assert [each.state for each in await listing.run(both.world.jp, ListFeeds())] == ["stands"]
    line = Line()
    await line.ends[1].send(write_word(Have(3, bytes(32))))
    with pytest.raises(Rejected):
        await both.jp.deliver("kr", RELATIONSHIP, FEED, line.ends[0])
    with pytest.raises(Unavailable, match="release the feed under another name"):
        await publish({"feed": FEED}, [track(0)])
    for _ in range(2):  # after a restart, too
        [told] = await listing.run(both.world.jp, ListFeeds())
        assert (told.state, told.why) == ("stopped", "restored-database")
        if sent := feeds_sent(both.jp):
            assert "put back the newer one" in sent[0].stopped
        await both.jp.close()
        both.jp = Feeds(both.world.jp, MemoryStore(both.disks[0]), Gates(both.world.jp))
        listing = feeds_flows(both.jp, both.books[0])["feed.list"]


async def test_lines_are_published_and_a_message_is_proved_by_the_flows_of_a_node(both: Both) -> None:
    publish = feeds_lines(both.jp)["feed.publish"]
    found = await publish({"feed": FEED, "source": "s", "request": "1"}, [track(0), b"{", track(1)])
    assert (found.accepted, found.refused) == (2, {"malformed": 1})
    for request in ("x", "-1", "1" * 30):
        with pytest.raises(Misuse) as caught:
            await publish({"feed": FEED, "request": request}, [])
        assert caught.value.code == "bad-request-number"
    prove = feeds_flows(both.jp, both.books[0])["feed.prove"]
    asked = prove.request(feed=FEED, number=1, show=("track",))
    proved = await prove.run(both.world.jp, asked)
    assert proved.original
    shown = await verify(both.world.kr, VerifyMessage(proved.proof))
    assert (shown.number, shown.shown, shown.same, shown.cosigned) == (1, {"track": '"T-1"'}, ("track",), None)
    async with both.connected():
        recipient = await both.kr.recipient(NAME)
        await until(lambda: recipient.first == 2)
    theirs = feeds_flows(both.kr, both.books[1])["feed.prove"]
    proved = await theirs.run(both.world.kr, theirs.request(feed=FEED, number=0))
    assert not proved.original
    assert (await verify(both.world.jp, VerifyMessage(proved.proof))).cosigned is not None
    with pytest.raises(Misuse) as caught:
        await theirs.run(both.world.kr, theirs.request(feed=FEED, number=0, show=("track",)))
    assert caught.value.code == "not-published-here"


@pytest.mark.parametrize("purpose", ["record", "log", "witness", "transport"])
async def test_a_feed_goes_on_through_a_change_of_keys(both: Both, purpose: Purpose) -> None:
    """A channel that stays open, one that is opened anew, and one opened after the overlap has ended."""
    recipient = await both.kr.recipient(NAME)
    proofs, wanted = [], [0]
    for number, opening in enumerate(((), (), (both.world.jp, both.world.kr), ()), 1):
        async with both.connected():
            publisher = await both.jp.publisher(NAME)
            await publisher.publish([track(2 * number)])
            for house in opening:
                await rotate_key(house, RotateKey(purpose=purpose, days=1))
            await publisher.publish([track(2 * number + 1)])
            wanted.append(2 * number)
            await until(lambda: both.jp.open_publishers()[0].acknowledged == recipient.size == wanted[-1])
        await both.world.exchange()  # a channel that is opened before the other side's card has come is refused
        proofs.append(await both.jp.kept(NAME).prove(2 * number - 2, (), None, publisher.cosigned))
        if number == 3:
            both.world.clock.time += timedelta(hours=25)
    for proof in proofs:
        for house in (both.world.jp, both.world.kr):
            assert (await verify(house, VerifyMessage(write_proof(proof).decode()))).cosigned is not None


async def test_what_was_sealed_before_the_logs_key_was_revoked_is_delivered_under_the_next(both: Both) -> None:
    """Both what never came and what came and was not acknowledged (``spec/feed.md`` step 15)."""
    recipient = await both.kr.recipient(NAME)
    publisher = await both.jp.publisher(NAME)
    async with both.connected():
        await publisher.publish([track(0)])
        await until(lambda: publisher.acknowledged == recipient.size == 1)
    await publisher.publish([track(1)])
    await revoke_key(both.world.jp, RevokeKey(purpose="log", since=both.world.clock.now()))
    await both.world.exchange()
    async with both.connected():
        await until(lambda: both.jp.open_publishers()[0].acknowledged == recipient.size == 2)
        await publisher.publish([track(2)])
        await until(lambda: both.jp.open_publishers()[0].acknowledged == recipient.size == 3)
    assert not recipient.counts["two histories"]
    for number in (1, 2):
        proof = write_proof(await both.kr.kept(NAME).prove(number)).decode()
        assert (await verify(both.world.jp, VerifyMessage(proof))).cosigned is not None


async def test_what_a_revoked_key_signed_for_a_feed_proves_nothing(both: Both) -> None:
    async with both.connected():
        publisher = await both.jp.publisher(NAME)
        await publisher.publish([track(0)])
        await until(lambda: publisher.acknowledged == 1)
    proof = write_proof(await both.jp.kept(NAME).prove(0, (), None, publisher.cosigned)).decode()
    await revoke_key(both.world.jp, RevokeKey(purpose="log", since=both.world.clock.now()))
    with pytest.raises(Rejected):
        await verify(both.world.jp, VerifyMessage(proof))
