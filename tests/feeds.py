"""A feed between the two houses of the world: released by people, published, delivered over a line, and read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from comity.errors import ComityError
from comity.flows.actors import Actor
from comity.flows.feeding.ending import EndFeed, end_feed
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.gates import Gates
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.postures import DeclarePosture, declare_posture
from comity.flows.feeding.reading import Follow, Readers
from comity.flows.feeding.releasing import ReleaseFeed, release_feed
from comity.flows.giving.answering import Approve, approve
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk
from feed.stage import Line
from world import RELATIONSHIP, ROOT, TODAY, World, library

NAME = FeedName(RELATIONSHIP, "jp", "air-picture")
PURPOSE = "air defence"
LOWER = "군사 Ⅲ급 비밀"
FEEDS_RULE = """
[[rule]]
id = "feed"
clause = "9"
acts = ["feed"]
when = { recipient = ["jp", "kr"] }
permits = true
"""
SCHEMA = """
[schema]
format = 1
id = "air-picture"
title = { en = "Air picture" }

[[type]]
id = "track"
time = "observed"
source = "sensor"

[type.fields]
track     = { kind = "text", mark = "秘" }
observed  = { kind = "instant", mark = "秘" }
latitude  = { kind = "number", mark = "秘", role = "position" }
longitude = { kind = "number", mark = "秘", role = "position" }
height    = { kind = "number", mark = "極秘", optional = true }
sensor    = { kind = "text", mark = "極秘" }
method    = { kind = "text", mark = "機密" }
quality   = { kind = "integer", optional = true }
"""
TERMS = """
[release]
format = 1
feed = "air-picture"
mark = "極秘"
topic = "missiles"
purpose = "air defence"
until = "{until:%Y-%m-%dT%H:%M:%SZ}"

[[release.posture]]
posture = "normal"
[release.posture.types.track]
fields = ["track", "observed", "latitude", "longitude", "height", "sensor"]
round = {{ latitude = "0.1", longitude = "0.1", observed = "1s" }}

[[release.posture]]
posture = "crisis"
[release.posture.types.track]
fields = ["track", "observed", "latitude", "longitude", "height", "sensor"]
"""


def with_feeds() -> str:
    """The agreement of 2016, were it to let feeds cross."""
    return library("jp-kr-2016.toml") + FEEDS_RULE


def track(number: int, **fields: object) -> bytes:
    message = {
        "type": "track",
        "track": f"T-{number}",
        "observed": f"{TODAY:%Y-%m-%dT%H:%M:%SZ}",
        "latitude": 38.02,
        "longitude": 131.47,
        "height": 1000.5,
        "sensor": f"s-{number % 2}",
        "method": "multistatic",
    }
    return msgspec.json.encode(message | fields)


class FeedWorld:
    """The world with a feed of Tokyo's that Seoul gets; ``kim`` may read it, ``jung`` a part of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.disks = MemoryDisk(), MemoryDisk()
        self.gates = Gates(world.jp), Gates(world.kr)
        self.feeds = tuple(
            Feeds(house, MemoryStore(disk), gates)
            for house, disk, gates in zip((world.jp, world.kr), self.disks, self.gates, strict=True)
        )
        self.readers = Readers(world.kr, self.feeds[1], self.gates[1])

    @classmethod
    async def make(cls, folder: Path) -> FeedWorld:
        world = await World.make(folder, text=with_feeds())
        await world.person("kr", "jung")
        await world.person("kr", "yoon", roles=("release-authority",))
        until = TODAY + timedelta(days=365)
        await grant_clearance(
            world.kr,
            GrantClearance(handle="jung", mark=LOWER, until=until, basis="vetted", actor=ROOT, all_information=True),
        )
        await change_list(world.kr, ChangeList(topic="missiles", handle="jung", listed=True, actor=ROOT))
        await world.exchange()
        made = cls(world)
        await made.release()
        return made

    async def release(
        self, terms: str = TERMS, people: tuple[str, ...] = ("kim", "jung", "park", "choi"), schema: str = SCHEMA
    ) -> str:
        world = self.world
        asked = await release_feed(
            world.jp,
            ReleaseFeed(
                schema=schema,
                terms=terms.format(until=TODAY + timedelta(days=30)),
                relationship=RELATIONSHIP,
                recipients=tuple([await world.pseudonym(each) for each in people]),
                actor=Actor("sato"),
            ),
        )
        approved = await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
        await world.exchange()
        assert approved.released
        return asked.request

    async def end(self, release: str) -> None:
        await end_feed(
            self.world.jp, EndFeed(release=release, relationship=RELATIONSHIP, reason="enough", actor=Actor("abe"))
        )
        await self.world.exchange()

    async def declare(self, posture: str, minutes: int = 60) -> None:
        until = self.world.clock.time + timedelta(minutes=minutes)
        for house, handle in ((self.world.jp, "abe"), (self.world.kr, "yoon")):
            await declare_posture(
                house,
                DeclarePosture(
                    posture=posture, relationship=RELATIONSHIP, reason="a launch", actor=Actor(handle), until=until
                ),
            )
        await self.world.exchange()

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """Both ends talk; the records of epochs cross meanwhile."""
        line = Line()
        recipient = await self.feeds[1].recipient(NAME)
        tasks = [
            asyncio.create_task(self.feeds[0].deliver("kr", RELATIONSHIP, "air-picture", line.ends[0])),
            asyncio.create_task(recipient.follow(line.ends[1])),
        ]
        try:
            yield
        finally:
            line.cut()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def publish(self, *messages: bytes) -> None:
        """Publish, and see that it is durable in Seoul."""
        publisher = await self.feeds[0].publisher(NAME)
        recipient = await self.feeds[1].recipient(NAME)
        wanted = recipient.first + len(messages)
        published = await publisher.publish(messages)
        assert published.accepted == len(messages), published
        await self.world.exchange()
        async with asyncio.timeout(60):
            while recipient.first < wanted:
                await asyncio.sleep(0.002)

    def follow(self, handle: str, **changes: object) -> Follow:
        given: dict[str, object] = {"feed": "air-picture", "purpose": PURPOSE, "actor": Actor(handle), **changes}
        return Follow(**given)

    async def close(self) -> None:
        for feeds in self.feeds:
            with suppress(ComityError):
                await feeds.close()
        await self.world.close()


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
