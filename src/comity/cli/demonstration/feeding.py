"""The demonstration of a feed: a recording goes from Tokyo to Seoul as it happens, and everything happens to it.

Two real nodes, a wire between them that can be cut, and everybody acts through the public interface: officers release,
two parties declare a posture, a clearance is withdrawn, one person ends the feed. At the end one message is proved.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import ExitStack, aclosing, suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from comity.api import Node
from comity.cli.demonstration.air_picture import ALERT, FEED, MARK, PURPOSE, Recorded, recorded, schema, terms
from comity.cli.demonstration.board import Board, Reader
from comity.cli.demonstration.cast import ROOT, House, Role, introduce
from comity.cli.demonstration.choosing import choose
from comity.cli.demonstration.scenes import wait
from comity.cli.demonstration.screen import Screen
from comity.cli.demonstration.wire import Wire
from comity.errors import Unavailable
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import ListAgreements
from comity.flows.feeding.ending import EndFeed
from comity.flows.feeding.listing import ListFeeds
from comity.flows.feeding.postures import DeclarePosture
from comity.flows.feeding.readings import ListReadings
from comity.flows.feeding.releasing import FeedAsked, ReleaseFeed
from comity.flows.feeding.requests import Published
from comity.flows.giving.answering import Approve
from comity.flows.people.clearances import WithdrawClearance
from comity.flows.people.directory import ListDirectory
from comity.node.client import call, call_lines
from comity.node.feeds import PROVE, PUBLISH, VERIFY, MessageProved, MessageVerified, ProveMessage, VerifyMessage
from comity.node.run import found
from comity.node.serving import free_port
from comity.node.settings import Listen, Settings

T = TypeVar("T")
RELATIONSHIP = "warning-data-2023/jp.kr"
TEXTS = ("warning-data-2023", "warning-data-2023.history", "warning-data-arrangement.example", "house")
SPEED = 12.0
"""How many times as fast as it was recorded the recording goes."""
TICK_SECONDS = 0.02
PATIENCE_SECONDS = 20.0
"""How long a step of the programme waits for what it has to lead to."""
HELD = {"not-released": "of types that do not cross in calm", "ended": "after the end"}
SECOND = "군사 Ⅱ급 비밀"
THIRD = "군사 Ⅲ급 비밀"
TOKYO = (
    Role(handle="sato", name="Sato", function="Air defence analyst", body="Ministry of Defence", roles=("officer",)),
    *(
        Role(
            handle=name.lower(),
            name=name,
            function=f"Release authority {number}",
            body="Ministry of Defence",
            roles=("release-authority",),
        )
        for number, name in enumerate(("Abe", "Ono"), 1)
    ),
)
_SEOUL = "Ministry of National Defence"
SEOUL = (
    Role(handle="kim", name="Kim", function="Early warning desk", body=_SEOUL, cleared=True, listed=True),
    Role(handle="jung", name="Jung", function="Coast watch", body=_SEOUL, cleared=True, listed=True, mark=THIRD),
    Role(handle="yoon", name="Yoon", function="Release authority", body=_SEOUL, roles=("release-authority",)),
)


class FeedPlay:
    """The programme.

    Args:
        folder: where both houses are.
        wanted: the number of the message that is proved at the end; else whoever looks on is asked.

    Attributes:
        screen: where scenes are told.
    """

    def __init__(self, folder: Path, wanted: int | None = None) -> None:
        self.folder = folder
        self.wanted = wanted
        self.screen = Screen()
        self.board = Board({"kim": Reader("Kim", SECOND), "jung": Reader("Jung", THIRD)})
        self._stopped = asyncio.Event()

    def run(self) -> None:
        """All of it.

        Raises:
            ComityError: something did not come about; nothing is staged.
        """
        recording = recorded()
        asyncio.run(self._play(recording))

    async def _play(self, recording: list[Recorded]) -> None:
        near, far = free_port(), free_port()
        self.wire = Wire(near, far)
        await self.wire.mend()
        try:
            await self._scenes(recording, near, far)
        finally:
            await self.wire.cut()

    async def _scenes(self, recording: list[Recorded], near: int, far: int) -> None:
        await asyncio.to_thread(self._found, near, far)
        with ExitStack() as nodes:
            for house in (self.jp, self.kr):
                log = self.folder / f"{house.party}.log"
                await asyncio.to_thread(nodes.enter_context, house.node.running(log))
            await asyncio.to_thread(self._agree)
            await asyncio.to_thread(self._release)
            self.screen.scene("2  As it happens")
            await self._as_it_happens(recording)
            self.screen.scene("3  What it came to")
            self._summary()
            self.screen.scene("4  Years later: one message, proved")
            await asyncio.to_thread(self._prove)

    # ---- before ----------------------------------------------------------------------------------------------------

    def _found(self, near: int, far: int) -> None:
        self.screen.scene("1  Two nodes, one standing release")
        houses = []
        for party, name, port, public in (
            ("jp", "Ministry of Defence of Japan", far, near),
            ("kr", "Ministry of National Defence of Korea", free_port(), None),
        ):
            address = f"https://127.0.0.1:{public or port}"
            listen = Listen(address="127.0.0.1", port=port, public=(address,))
            asyncio.run(found(self.folder / party, Settings(party=party, listen=listen), name))
            houses.append(House(Node(self.folder / party), party, RELATIONSHIP, TEXTS))
        self.jp, self.kr = houses
        introduce(self.jp, self.kr)

    def _agree(self) -> None:
        shown = [house.adopt(peer) for house, peer in ((self.jp, "kr"), (self.kr, "jp"))]
        self.jp.enrol(TOKYO, MARK)
        self.kr.enrol(SEOUL, SECOND)
        for house in (self.jp, self.kr):
            house.acknowledge()
        self.screen.fact("arrangement", f"{shown[0].title}, of 2023")
        wait(lambda: all(self._acknowledged(house) for house in (self.jp, self.kr)), "the acknowledgements to cross")
        wait(lambda: len(self._directory()) == len(SEOUL), "Seoul's directory to cross")

    def _acknowledged(self, house: House) -> bool:
        return all({"jp", "kr"} <= set(each.acknowledged) for each in house.ask(ListAgreements()))

    def _directory(self) -> list[Any]:
        return [entry for entry in self.jp.ask(ListDirectory()) if entry.party == "kr"]

    def _release(self) -> None:
        """Sato asks, two others approve, and Seoul hears of it."""
        asked: FeedAsked = self.jp.ask(
            ReleaseFeed(
                schema=schema(),
                terms=terms(datetime.now(UTC) + timedelta(days=30)),
                relationship=RELATIONSHIP,
                recipients=(self.kr.people["kim"], self.kr.people["jung"]),
                actor=Actor("sato"),
            ),
            "feed.release",
        )
        for handle in ("abe", "ono"):
            self.jp.ask(Approve(request=asked.request, reason="warning must come in time", actor=Actor(handle)))
        self.release = asked.request
        wait(lambda: self.kr.ask(ListFeeds()), "the release to cross")
        screen = self.screen
        screen.fact("standing release", f"{FEED}, {MARK} ({SECOND} in Seoul), for 30 days")
        screen.fact("approved by", "Abe and Ono; Sato, who asked, could not")
        screen.fact("in calm", "tracks: place to half a degree, time to ten seconds, nothing of how it is known")
        screen.fact(
            "in a crisis", "tracks with height and speed, to a hundredth; aircraft's own reports; launch alerts"
        )
        screen.fact("never", f"{len(asked.never)} fields that have no mark, such as {asked.never[-1]}")

    # ---- while it runs ---------------------------------------------------------------------------------------------

    async def _as_it_happens(self, recording: list[Recorded]) -> None:
        reading = [asyncio.create_task(self._read(handle)) for handle in self.board.readers]
        await self._until(lambda: all(each.fields for each in self.board.readers.values()), "the readers to begin")
        with self.board:
            publishing = asyncio.create_task(self._publish(recording))
            try:
                await self._programme()
            finally:
                self._stopped.set()
                await publishing
                for task in reading:
                    task.cancel()
                await asyncio.gather(*reading, return_exceptions=True)

    async def _programme(self) -> None:
        """What happens, one after the other."""
        board = self.board
        kim, jung = board.readers.values()
        board.happens("the recording begins, twelve times as fast; Kim and Jung read it in Seoul")
        await self._until(lambda: bool(kim.track and jung.track) and board.published > 30, "tracks to arrive")
        board.shows()
        await self._declare()
        await self._until(lambda: "flight_level" in kim.track, "more to cross")
        board.shows()
        await self._until(lambda: ALERT in kim.numbers, "the launch alert to arrive")
        board.happens("the launch alert is here; Jung has it too, without its parameters", "bold cyan")
        await asyncio.sleep(1)
        await self._cut()
        await self._act(
            self.kr,
            WithdrawClearance(handle="kim", reason="his posting ends", actor=ROOT),
            "Seoul withdraws Kim's clearance; nothing else is done",
        )
        await self._until(lambda: kim.ended, "Kim's reading to end")
        before = jung.count
        await self._until(lambda: jung.count > before + 5, "Jung to read on")
        await self._act(
            self.jp,
            EndFeed(release=self.release, relationship=RELATIONSHIP, reason="enough was seen", actor=Actor("abe")),
            "Tokyo, Abe alone ends the feed; to stop takes one person",
        )
        await self._until(lambda: sum(board.refused.values()) > 3, "messages to be held back")
        await asyncio.sleep(0.5)

    async def _declare(self) -> None:
        until = datetime.now(UTC) + timedelta(hours=1)
        for house, handle, told in (
            (self.jp, "abe", "Tokyo declares a crisis"),
            (self.kr, "yoon", "Seoul declares one"),
        ):
            request = DeclarePosture(
                posture="crisis", relationship=RELATIONSHIP, reason="a launch", actor=Actor(handle), until=until
            )
            await self._act(house, request, f"{told}, for an hour")
            if house is self.jp:
                await asyncio.sleep(1)
                self.board.happens("nothing changes yet: what holds is the lowest that both have declared", "dim")

    async def _cut(self) -> None:
        """The wire is cut, and mended; nothing is lost, nothing comes twice."""
        board = self.board
        _, jung = board.readers.values()
        board.cut()
        await self.wire.cut()
        board.happens("the wire is cut; Tokyo goes on publishing, and keeps what waits", "bold red")
        await asyncio.sleep(2.7)
        before = jung.count
        await self.wire.mend()
        board.mended()
        board.happens("the wire is mended", "bold green")
        await self._until(lambda: board.late > 0 and jung.count > before + 10, "what waited to arrive")
        for reader in board.readers.values():
            numbers = sorted(number for each in reader.numbers.values() for number in each)
            if numbers != list(range(numbers[0], numbers[-1] + 1)):
                raise Unavailable(f"{reader.name} has other messages than were sent", code="demonstration")
        board.happens("what waited has come, in order: no number is missing, none came twice", "green")

    async def _act(self, house: House, request: msgspec.Struct, told: str) -> None:
        self.board.happens(told)
        await asyncio.to_thread(house.ask, request)

    async def _publish(self, recording: list[Recorded]) -> None:
        """The recording, over and over until it is stopped."""
        beginning = datetime.now(UTC)
        for round_ in count():
            passed = round_ * recording[-1].at / SPEED
            for each in recording:
                ahead = passed + each.at / SPEED - (datetime.now(UTC) - beginning).total_seconds()
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, ahead)):
                        await self._stopped.wait()
                if self._stopped.is_set():
                    return
                await self._say(each.moved(beginning + timedelta(seconds=passed), SPEED))

    async def _say(self, message: bytes) -> None:
        self.board.says(msgspec.json.decode(message))
        query = {"feed": FEED, "relationship": RELATIONSHIP}
        told = await asyncio.to_thread(call_lines, self.jp.node.folder, PUBLISH, query, [message], Published)
        for code, many in told.refused.items():
            self.board.refused[code] = self.board.refused.get(code, 0) + many

    async def _read(self, handle: str) -> None:
        async with aclosing(self.kr.node.follow(FEED, purpose=PURPOSE, actor=handle)) as events:
            async for event in events:
                self.board.tells(handle, event)

    async def _until(self, condition: Callable[[], bool], what: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            if time.monotonic() > until:
                raise Unavailable(f"waited {PATIENCE_SECONDS:.0f} seconds for {what}", code="demonstration")
            await asyncio.sleep(TICK_SECONDS)

    # ---- afterwards ------------------------------------------------------------------------------------------------

    def _summary(self) -> None:
        board, screen = self.board, self.screen
        kim, jung = board.readers.values()
        held = ", ".join(f"{many} {HELD.get(code, code)}" for code, many in sorted(board.refused.items()))
        screen.fact("published", f"{board.published} messages; held back: {held}")
        screen.fact("Kim", f"{kim.count} messages, until his clearance was withdrawn")
        screen.fact("Jung", f"{jung.count} messages, of each what {THIRD} covers")
        screen.fact(
            "from there to here", f"{board.latencies.told()}, durable on both sides, sealed, logged, acknowledged"
        )
        screen.fact("besides", f"{board.early} at the beginning waited for their key, {board.late} later for the wire")

    def _prove(self) -> None:
        """One message, chosen by whoever looks on, from both ends."""
        told = [number for reader in self.board.readers.values() for each in reader.numbers.values() for number in each]
        chosen = choose(set(told), self.board.newest_cut, self.wanted)
        prove = ProveMessage(feed=FEED, number=chosen, relationship=RELATIONSHIP)
        proved = call(self.jp.node.folder, PROVE, prove, MessageProved)
        shown = call(self.kr.node.folder, VERIFY, VerifyMessage(proved.proof), MessageVerified)
        screen = self.screen
        screen.say(f"Tokyo proves message {shown.number}. Seoul verifies it with the keys on Tokyo's card alone:")
        for name, value in msgspec.json.decode(shown.view).items():
            screen.fact("crossed" if name == "type" else "", f"{name} = {value}")
        screen.fact("in the log", f"under a checkpoint of {shown.batches} batches, signed by Tokyo")
        if shown.cosigned is not None:
            screen.fact("witnessed", f"by Seoul, at {shown.cosigned:%H:%M:%S} UTC: it had it durably")
        if shown.logged:
            screen.fact("original", f"logged in Tokyo's own books under {shown.logged[:16]}…; nothing of it is shown")
        asked = ListReadings(feed=FEED, number=chosen)
        wait(lambda: len(self.kr.ask(asked)) == told.count(chosen), "the readings to be recorded")
        for line in self.kr.ask(asked):
            spell = f"messages {line.first} to {line.last}, for {line.purpose}, until {line.at:%H:%M:%S} UTC"
            screen.fact("shown in Seoul", f"to {line.reader.title()}: {spell}")
        screen.fact("the proof", f"{len(proved.proof):,} characters, verified offline by anybody who has the two cards")

    def what_next(self, kept: Path | None) -> None:
        """How to go on."""
        click.echo()
        click.secho("What to type next", bold=True)
        lines = [("comity demo feed --keep here", "keep both data folders, to look around in")]
        if kept is not None:
            lines = [
                (f"comity --folder {kept}/kr why {self.release}", "what was decided, and when it turned"),
                (f"comity --folder {kept}/jp feed list --all", "the release, and who ended it"),
            ]
        lines += [
            ("comity feed --help", "release a feed of your own, publish to it, follow it"),
            ("comity posture --help", "declare, jointly, how much is shared"),
            ("comity demo", "one document instead: decided, sealed, opened, refused, proved"),
        ]
        for command, what in lines:
            click.echo(f"  {command:<52}  {click.style(what, dim=True)}")
        self.screen.closing()
