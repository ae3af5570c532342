"""Channels between two nodes, over a real socket and real TLS (``spec/feed.md`` step 15)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from comity.courier import paths
from comity.courier.http import HttpCourier
from comity.errors import Refused, Rejected, Unavailable
from comity.flows.feeding.delivering import Delivery
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.publishing import Publisher
from comity.flows.feeding.receiving import Recipient
from comity.node.channels import Callers
from comity.node.serving import SOCKET_BYTES_MAX
from comity.ports import Channel
from comity.record.card import Card
from courier.keys import Key, card, seeded
from feed.stage import NAME, Stage, track, until
from node.world import RELATIONSHIP, World, running

PATH = paths.write(paths.Feed(RELATIONSHIP, "air-picture"))
BYTES_MAX = 2**20 + 1


class Feeds:
    """A publisher as the door sees it, and a recipient as the callers do."""

    def __init__(self, publisher: Publisher, recipient: Recipient, kr: Card) -> None:
        self.publisher = publisher
        self.taker = recipient
        self.kr = kr
        self.calls = 0
        self.cut = asyncio.Event()

    async def deliver(self, peer: str, relationship: str, feed: str, channel: Channel) -> None:
        if (peer, relationship, feed) != ("jp", RELATIONSHIP, "air-picture"):
            raise Refused("nothing is published", code="unknown-feed")
        self.calls += 1
        running = asyncio.ensure_future(Delivery(self.publisher, channel).run())
        cut = asyncio.ensure_future(self.cut.wait())
        await asyncio.wait([running, cut], return_when=asyncio.FIRST_COMPLETED)
        cut.cancel()
        if not running.done():
            running.cancel()
            return
        await running

    async def followed(self) -> list[FeedName]:
        return [NAME]

    async def recipient(self, name: FeedName) -> Recipient:
        assert name == NAME
        return self.taker

    async def peer_card(self, party: str) -> Card:
        assert party == "jp"  # the publisher of the feed; the node of this test is called kr
        return self.kr


@asynccontextmanager
async def standing(tmp_path) -> AsyncIterator[tuple[World, Stage, Feeds]]:  # type: ignore[no-untyped-def]  # a Path
    stage = Stage()
    async with running(tmp_path) as world, stage.publisher() as publisher:
        feeds = Feeds(publisher, await stage.recipient(), world.kr)
        world.door._feeds = feeds  # the world is made without
        yield world, stage, feeds


@asynccontextmanager
async def calling(world: World, feeds: Feeds) -> AsyncIterator[Callers]:
    entropy = seeded("nonces of calls")

    def connect(to: Card) -> HttpCourier:
        return HttpCourier(
            to,
            sender="jp",
            signer=lambda: Key("jp transport"),
            clock=world.clock,
            entropy=entropy,
            reply_bytes_max=1000,
        )

    callers = Callers(feeds, connect=connect, clock=world.clock, entropy=seeded("pauses"))
    task = asyncio.create_task(callers.run())
    try:
        yield callers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_feed_goes_over_a_channel_and_goes_on_over_the_next_one(tmp_path) -> None:  # type: ignore[no-untyped-def]  # a Path
    async with standing(tmp_path) as (world, stage, feeds), calling(world, feeds) as callers:
        await feeds.publisher.publish([track(n) for n in range(2000)])
        await until(lambda: feeds.taker.first == 2000)
        assert callers.lines()[0].open
        feeds.cut.set()
        await until(lambda: not callers.lines()[0].open)
        feeds.cut.clear()
        await feeds.publisher.publish([track(n) for n in range(2000, 2010)])
        await until(lambda: feeds.publisher.acknowledged == feeds.publisher.size)
        assert feeds.calls >= 2
        assert [view["track"] for view in stage.views] == [f"T-{n}" for n in range(2010)]
        assert world.heard


@pytest.mark.parametrize("path", [PATH + "-2", PATH.replace("air-picture", "Air"), "/v1/card"])
async def test_nothing_else_is_opened(tmp_path, path: str) -> None:  # type: ignore[no-untyped-def]  # a Path
    async with standing(tmp_path) as (world, _, feeds), world.courier() as courier:
        with pytest.raises(Unavailable):
            async with courier.channel(path, BYTES_MAX) as channel:
                await channel.receive()
        assert feeds.calls == 0


async def test_a_stranger_and_an_impostor_open_nothing(tmp_path) -> None:  # type: ignore[no-untyped-def]  # a Path
    async with standing(tmp_path) as (world, _, feeds):
        async with world.courier(sender="xx") as courier:
            with pytest.raises(Unavailable) as caught:
                async with courier.channel(PATH, BYTES_MAX):
                    pass
            assert caught.value.code == "channel-refused"
        async with world.courier(to=card("kr", addresses=(world.address,))) as courier:
            with pytest.raises(Rejected) as wrong:
                async with courier.channel(PATH, BYTES_MAX):
                    pass
            assert wrong.value.code == "wrong-certificate"
        assert feeds.calls == 0


@pytest.mark.parametrize("word", [b"hello", bytes(SOCKET_BYTES_MAX + 1)])
async def test_whoever_says_what_no_recipient_says_is_cut_off(tmp_path, word: bytes) -> None:  # type: ignore[no-untyped-def]  # a Path
    async with standing(tmp_path) as (world, _, feeds), world.courier() as courier:
        async with courier.channel(PATH, BYTES_MAX) as channel:
            await channel.send(word)
            with pytest.raises(Unavailable):
                await channel.receive()
        assert feeds.calls == 1


async def test_a_feed_is_no_page(tmp_path) -> None:  # type: ignore[no-untyped-def]  # a Path
    async with standing(tmp_path) as (world, _, _), world.courier() as courier:
        reply = await courier.send("GET", PATH, b"", {})
        assert reply.status == 405 or b"wrong-method" in reply.body
