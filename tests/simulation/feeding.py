"""Feeds: released, published, delivered over the road, read, ended and released again; as in ``acts.py``."""

from __future__ import annotations

import asyncio
from base64 import b32encode
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import msgspec

from comity.errors import ComityError, Misuse
from comity.feed.reading import Started
from comity.flows.feeding.ending import EndFeed, end_feed
from comity.flows.feeding.postures import DeclarePosture, declare_posture
from comity.flows.feeding.reading import Follow
from comity.flows.feeding.releasing import ReleaseFeed, release_feed
from comity.flows.giving.answering import Approve, approve
from comity.flows.house import House
from comity.node.feeds import PROVE, ProveMessage, VerifyMessage, feeds_flows, verify
from comity.record.bodies.feeding import POSTURES
from comity.register.rows.feeding import FeedReleaseRow
from feed.stage import Line
from world import RELATIONSHIP, TODAY

from . import cast
from .feed_texts import NAMES, TYPES, message, schema, terms
from .feed_witness import Receipt, Sent, Shown, state_on
from .handling import recent
from .witness import Slip

if TYPE_CHECKING:
    from .node import Node
    from .simulation import Simulation

Doing = Callable[["Simulation", House], Awaitable[object]]
SENSORS = ("s-1", "s-2", "s-3")
READINGS_MAX = 3
"""Most readings at once in a house."""
REMEMBERED = timedelta(days=1)
"""How long a sensor asks again: less than its requests are known, whatever the clock shows meanwhile."""
OVER = {"ended", "expired", "other-text"}
"""Why nothing crosses any more, upon which somebody sees to another release."""
BAD = (b"{", b"[]", b'{"type":"plot"}', b'{"type":"track","track":"x"}', b'{"type":"alert","colour":1}', b" " * 65_537)


@dataclass
class Asking:
    """A request for a standing release, as people remember it."""

    party: str
    request: str
    approved: bool = False


@dataclass
class Sensor:
    """Something that publishes. One that numbers its requests asks again until it knows.

    Attributes:
        request: the number of its newest request; 0 where it numbers none.
        again: what it asked and was not answered.
        asked: when it asked that first.
        busy: it waits for an answer.
    """

    request: int = 0
    again: list[Sent] = field(default_factory=list)
    asked: datetime = TODAY
    busy: bool = False


@dataclass
class FeedsOfWorld:
    """What people and machines remember of feeds."""

    asked: list[Asking] = field(default_factory=list)
    sensors: dict[tuple[str, str], Sensor] = field(default_factory=dict)
    lines: dict[str, Line] = field(default_factory=dict)
    readings: dict[str, int] = field(default_factory=dict)


# ---- releases -------------------------------------------------------------------------------------------------------


async def ask_release(sim: Simulation, house: House) -> object:
    """An officer asks that the feed of his house be released, anew or on other terms."""
    short = sim.random.random() < 0.1
    until = house.now() + (timedelta(minutes=sim.random.choice((1, 20))) if short else timedelta(days=200))
    asking = Asking(house.party, f"r-{b32encode(sim.random.randbytes(10)).decode().lower()}")
    people = sim.random.sample(cast.READERS[:4], sim.random.choice((2, 4, 4)))
    asked = await release_feed(
        house,
        ReleaseFeed(
            schema=schema(sim.random, house.party),
            terms=terms(sim.random, house.party, until, topic=sim.random.choice(cast.TOPICS), purpose=cast.PURPOSES[0]),
            relationship=RELATIONSHIP,
            recipients=tuple([sim.pseudonyms[cast.PEER[house.party], who] for who in people]),
            actor=cast.actor(house.party, cast.OFFICER),
            request=asking.request,
        ),
    )
    sim.feeds.asked.append(asking)
    return asked


async def approve_release(sim: Simulation, house: House) -> object:
    """An authority approves it."""
    waiting = [each for each in sim.feeds.asked if each.party == house.party and not each.approved]
    if not waiting:
        raise Misuse("no release was asked for")
    request = Approve(request=waiting[-1].request, reason="seen", actor=cast.actor(house.party, cast.AUTHORITY))
    approved = await approve(house, request)
    waiting[-1].approved = True
    return approved


async def end_release(sim: Simulation, house: House) -> object:
    """Somebody ends a release, of his own house or of the other one."""
    found = [row for _, row in await recent(house, FeedReleaseRow)]
    if not found:
        raise Misuse("nothing was released yet")
    request = EndFeed(
        release=sim.random.choice(found[-2:]).release,
        relationship=RELATIONSHIP,
        reason="enough",
        actor=cast.actor(house.party, sim.random.choice((cast.AUTHORITY, cast.GUARD, cast.ENVOY))),
    )
    return await end_feed(house, request)


async def declare(sim: Simulation, house: House) -> object:
    """A party declares its posture."""
    posture = sim.random.choices(POSTURES, weights=(1, 2, 4))[0]
    minutes = sim.random.choice((1, 10, 10_000))
    request = DeclarePosture(
        posture=posture,
        relationship=RELATIONSHIP,
        reason="a launch",
        actor=cast.actor(house.party, cast.AUTHORITY),
        until=None if posture == "normal" else house.now() + timedelta(minutes=minutes),
    )
    return await declare_posture(house, request)


# ---- publishing -----------------------------------------------------------------------------------------------------


async def publish(sim: Simulation, house: House) -> object:
    """A sensor publishes some messages, or asks again whether they were taken."""
    node, name = sim.nodes[house.party], NAMES[house.party]
    place = sim.random.choice(SENSORS)
    sensor = sim.feeds.sensors.setdefault((house.party, place), Sensor())
    if sensor.busy:
        raise Misuse(f"{place} still waits for an answer")
    sensor.busy = True
    try:
        if sim.time.now - sensor.asked > REMEMBERED:
            sensor.again = []
        messages = sensor.again or _messages(sim, house, place)
        raws: list[bytes] = [msgspec.json.encode(each.fields) for each in messages]
        spoilt = sim.random.randrange(len(raws) + 1) if not sensor.again and sim.random.random() < 0.1 else None
        if spoilt is not None:
            raws.insert(spoilt, sim.random.choice(BAD))
        numbered = place == SENSORS[0]
        if numbered and not sensor.again:
            sensor.request, sensor.asked = sensor.request + 1, sim.time.now
        sensor.again = messages if numbered and spoilt is None else []
        feeds = node.feeds
        publisher = await feeds.publisher(name)
        published = await publisher.publish(raws, place if numbered else "", sensor.request if numbered else 0)
        told = {each.place: each.code for each in published.told}
        wholes = published.accepted + published.repeated + sum(published.refused.values())
        if (
            wholes != len(raws)
            or sum(published.refused.values()) != len(told)
            or (spoilt is not None and spoilt not in told)
        ):
            sim.witness.news.troubles.append(Slip(f"publishing in {house.party}", repr(published)))
        places = [index for index in range(len(raws)) if index != spoilt]
        for index, each in zip(places, messages, strict=True):
            if index >= published.repeated:
                each.fate = told.get(index, "accepted")
        sensor.again = []
    finally:
        sensor.busy = False
    if OVER & published.refused.keys() and sim.random.random() < 0.5:
        await ask_release(sim, house)
        await approve_release(sim, house)
    return published


def _messages(sim: Simulation, house: House, place: str) -> list[Sent]:
    name = NAMES[house.party]
    made, heard = [], sim.nodes[house.party].gates.heard(name)
    for _ in range(sim.random.choice((1, 1, 2, 3, 9))):
        ahead = timedelta(seconds=sim.random.choice((0, 0, 0, 0, 0, -5, 3, 120)))
        kind = sim.random.choices(TYPES, weights=(3, 1))[0]
        fields = message(sim.random, kind, sim.number(), place, sim.nodes[house.party].clock.now() + ahead)
        made.append(sim.witness.feeds.publishes(name, fields, heard))
    return made


async def publish_at_a_change(sim: Simulation, house: House) -> object:
    """Somebody changes on what the feed is released while sensors publish, before and after."""
    change = sim.random.choices((declare, approve_release, end_release), weights=(6, 4, 1))[0]

    async def soon(act: Doing) -> object:
        for _ in range(sim.random.choice((0, 1, 3, 8))):
            await asyncio.sleep(0)
        return await act(sim, house)

    said = await asyncio.gather(soon(publish), soon(change), soon(publish), soon(publish), return_exceptions=True)
    for each in said:
        if isinstance(each, BaseException) and not isinstance(each, ComityError):
            raise each
    return None


# ---- the channel ----------------------------------------------------------------------------------------------------


class Road:
    """What becomes of each thing that is sent over one channel, and what is seen of it."""

    def __init__(self, sim: Simulation, publisher: Node, recipient: Node) -> None:
        self._sim = sim
        self._nodes = publisher, recipient
        self._late: tuple[deque[bytes], deque[bytes]] = deque(), deque()
        self.line = Line(self)

    def __call__(self, back: bool, data: bytes) -> list[bytes]:
        """What arrives when something is sent; ``back`` from the recipient."""
        publisher, recipient = self._nodes
        name, witness = NAMES[publisher.party], self._sim.witness.feeds
        if not back:
            witness.seen(publisher.party, data)
        else:
            witness.news.receipts.append(Receipt(name, data, state_on(recipient, name)))
        sender = recipient if back else publisher
        for liar in self._sim.liars:
            if liar.party == sender.party:
                return [arrives for frame in liar.frame(data) for arrives in self._carried(back, frame)]
        return self._carried(back, data)

    def _carried(self, back: bool, data: bytes) -> list[bytes]:
        happens, weather, late = self._sim.network.happens, self._sim.network.weather, self._late[back]
        if happens("drop", weather.drop / 4):
            return []
        if happens("cut", weather.cut / 4):
            self.line.cut()
            return [data[: self._sim.random.randrange(len(data))]] if self._sim.random.random() < 0.5 else []
        if happens("wait", weather.wait / 4):
            late.append(data)
            return []
        arriving = [data, data] if happens("repeat", weather.repeat / 4) else [data]
        if late and happens("reorder", 0.5):
            arriving += late
        else:
            arriving[:0] = late
        late.clear()
        return arriving


async def call(sim: Simulation, house: House) -> object:
    """The node calls the publisher of the other party's feed; the channel before, if any, is cut."""
    publisher = sim.nodes[cast.PEER[house.party]]
    if publisher.house is None:
        raise Misuse("nobody answers")
    connect(sim, publisher, sim.nodes[house.party])
    return None


def connect(sim: Simulation, publisher: Node, recipient: Node) -> None:
    """Open a channel for the feed of one house."""
    before = sim.feeds.lines.pop(publisher.party, None)
    if before is not None:
        before.cut()
    line = sim.feeds.lines[publisher.party] = Road(sim, publisher, recipient).line
    name = NAMES[publisher.party]

    async def deliver() -> None:
        await publisher.feeds.deliver(recipient.party, RELATIONSHIP, name.feed, line.ends[0])

    async def follow() -> None:
        await (await recipient.feeds.recipient(name)).follow(line.ends[1])

    publisher.keep(_until_cut(sim, publisher, line, deliver, "deliver"))
    recipient.keep(_until_cut(sim, recipient, line, follow, "follow"))


async def _until_cut(sim: Simulation, node: Node, line: Line, act: Callable[[], Awaitable[None]], kind: str) -> None:
    house = node.house
    assert house is not None
    try:
        said = await sim.judged(house, kind, act)
        sim.witness.acts[f"{kind}: {said}"] += 1
        sim.witness.tell(f"{sim.steps} {house.party} {kind}: {said}")
    finally:
        line.cut()


# ---- reading and proving --------------------------------------------------------------------------------------------


async def read_feed(sim: Simulation, house: House) -> object:
    """Somebody begins to read, and goes on until he has had enough."""
    node, party = sim.nodes[house.party], house.party
    if sim.feeds.readings.get(party, 0) >= READINGS_MAX:
        raise Misuse("enough people read")
    who = sim.random.choices(cast.READERS, weights=(6, 6, 3, 2, 1, 1, 1))[0]
    request = Follow(
        feed=NAMES[cast.PEER[party]].feed,
        purpose=sim.random.choices(cast.PURPOSES, weights=(9, 1))[0],
        actor=cast.actor(party, who),
        after=sim.random.choice((None, -1, -1, 0, 5)),
    )
    node.keep(_reading(sim, node, house, request, who))
    return None


async def _reading(sim: Simulation, node: Node, house: House, request: Follow, who: str) -> None:
    party, reading = house.party, sim.number()
    sim.feeds.readings[party] = sim.feeds.readings.get(party, 0) + 1

    async def read() -> None:
        async with aclosing(node.readers.follow(request)) as told:
            async for events in told:
                name = NAMES[cast.PEER[party]]
                shown = Shown(name, party, reading, sim.pseudonyms[party, who], tuple(events))
                sim.witness.feeds.news.shown.append(shown)
                if isinstance(events[0], Started):
                    sim.witness.acts["read feed: Started"] += 1
                if sim.random.random() < 0.05:
                    return
                await asyncio.sleep(sim.random.choice((0, 0, 0.001, 5)))

    try:
        said = await sim.judged(house, "read feed", read)
        sim.witness.acts[f"read feed: {said}"] += 1
        sim.witness.tell(f"{sim.steps} {party} has read: {said}")
    finally:
        sim.feeds.readings[party] -= 1


async def prove(sim: Simulation, house: House) -> object:
    """Somebody proves a message; whatever is proved is true."""
    node = sim.nodes[house.party]
    name = NAMES[sim.random.choice(cast.PARTIES)]
    flows = feeds_flows(node.feeds, node.books)
    count = state_on(node, name).first
    if not count:
        raise Misuse("nothing has crossed yet")
    show = ("note",) if name.publisher == house.party and sim.random.random() < 0.5 else ()
    asked = ProveMessage(feed=name.feed, number=sim.random.randrange(count), show=show)
    proved = await flows[PROVE].run(house, asked)
    try:
        await verify(house, VerifyMessage(proved.proof))
    except ComityError as error:
        sim.witness.news.troubles.append(Slip(f"a proof in {house.party}", repr(error)))
    return proved


FEEDING: dict[str, tuple[Doing, float]] = {
    "release feed": (ask_release, 4),
    "approve feed": (approve_release, 6),
    "end feed": (end_release, 1),
    "posture": (declare, 4),
    "publish": (publish, 24),
    "publish at a change": (publish_at_a_change, 6),
    "call": (call, 9),
    "read feed": (read_feed, 5),
    "prove": (prove, 1),
}
