"""Channels: what feeds are delivered over, as a node opens them and as it is called (``spec/feed.md`` step 15).

A channel is cut as soon as something is wrong with what comes over it. Whoever follows a feed calls again, with growing
pauses while nothing comes; it then begins after what is durable.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from starlette.types import Receive, Send
from starlette.websockets import WebSocketDisconnect

from comity.courier import paths
from comity.errors import ComityError, InternalError, Rejected, Unavailable
from comity.feed.batch import FRAME_BYTES_MAX
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.receiving import Recipient
from comity.node.worker import pause_seconds
from comity.ports import Channel, Clock, Entropy
from comity.record.card import Card

LOOK_SECONDS = 1.0
"""How often it is looked for feeds that are new."""
REFUSED = 1008
"""The code a WebSocket is closed with when what came over it is refused (RFC 6455, policy violation)."""

_log = logging.getLogger("comity.node")


class ServedChannel:
    """A ``ports.Channel`` over a WebSocket that somebody opened to us."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def send(self, data: bytes) -> None:
        """See ``ports.Channel.send``."""
        try:
            await self._send({"type": "websocket.send", "bytes": data})
        except (OSError, RuntimeError, WebSocketDisconnect) as error:  # the other side has gone
            raise Unavailable(f"the channel is cut: {error}", code="channel-cut") from None

    async def receive(self) -> bytes:
        """See ``ports.Channel.receive``."""
        try:
            event = await self._receive()
        except RuntimeError:  # it was cut before
            raise Unavailable("the channel is cut", code="channel-cut") from None
        if event["type"] != "websocket.receive":
            raise Unavailable("the channel is cut", code="channel-cut")
        data = event.get("bytes")
        if not isinstance(data, bytes):
            raise Rejected("a text came over a channel that carries bytes", code="bad-word")
        return data


class Dialler(Protocol):
    """What opens channels to one peer; ``courier.http.HttpCourier`` is the real one."""

    def channel(self, path: str, bytes_max: int) -> AbstractAsyncContextManager[Channel]:
        """A channel, open as long as the context lasts."""
        ...

    async def close(self) -> None:
        """Close all connections."""
        ...


class Followed(Protocol):
    """What this asks of the feeds of the house; ``flows.feeding.feeds.Feeds`` is the real one."""

    async def followed(self) -> list[FeedName]:
        """Every feed that another party publishes for us."""
        ...

    async def recipient(self, name: FeedName) -> Recipient:
        """What takes that feed."""
        ...

    async def peer_card(self, party: str) -> Card:
        """The card of a peer."""
        ...


class Line(Struct, frozen=True, kw_only=True):
    """How it goes with a feed that is followed.

    Attributes:
        relationship, publisher, feed: which.
        open: whether a channel is open.
        since: since when it has been so.
        failures: channels that failed since anything came.
        last_error: what the last of them said.
    """

    relationship: str
    publisher: str
    feed: str
    open: bool
    since: datetime
    failures: int = 0
    last_error: str = ""


class Callers:
    """Keeps a channel open to the publisher of each feed that is followed.

    Args:
        feeds: which those are, and what takes them.
        connect: makes what opens channels to the peer of a card.
        clock: for what ``lines`` shows.
        entropy: for the pauses.
    """

    def __init__(self, feeds: Followed, *, connect: Callable[[Card], Dialler], clock: Clock, entropy: Entropy) -> None:
        self._feeds = feeds
        self._connect = connect
        self._clock = clock
        self._entropy = entropy
        self._tasks: dict[FeedName, asyncio.Task[None]] = {}
        self._lines: dict[FeedName, Line] = {}

    async def run(self) -> None:
        """Until cancelled."""
        try:
            while True:
                with suppress(ComityError):
                    for name in await self._feeds.followed():
                        if name not in self._tasks:
                            self._tasks[name] = asyncio.create_task(self._follow(name), name=f"follow {name.origin}")
                await asyncio.sleep(LOOK_SECONDS)
        finally:
            for task in self._tasks.values():
                task.cancel()
            await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def lines(self) -> list[Line]:
        """How it goes with each feed that is followed."""
        return [self._lines[name] for name in sorted(self._lines)]

    async def _follow(self, name: FeedName) -> None:
        failures, error = 0, ""
        while True:
            self._say(name, open_now=False, failures=failures, error=error)
            before = 0
            try:
                recipient = await self._feeds.recipient(name)
                before = recipient.size
                await self._talk(name, recipient, failures)
            except Exception as caught:  # noqa: BLE001 - a defect in one feed must not silence the others
                error = str(caught)
                ours = isinstance(caught, InternalError) or not isinstance(caught, ComityError)
                if ours or not failures:
                    level = logging.ERROR if ours else logging.WARNING
                    _log.log(level, "no channel for %s: %s", name, caught, exc_info=caught if ours else None)
                with suppress(ComityError):
                    came = (await self._feeds.recipient(name)).size > before
                    failures = 1 if came else failures + 1
            await asyncio.sleep(pause_seconds(failures, self._entropy))

    async def _talk(self, name: FeedName, recipient: Recipient, failures: int) -> None:
        dialler = self._connect(await self._feeds.peer_card(name.publisher))
        try:
            path = paths.write(paths.Feed(name.relationship, name.feed))
            async with dialler.channel(path, FRAME_BYTES_MAX + 1) as channel:
                self._say(name, open_now=True, failures=failures, error="")
                await recipient.follow(channel)
        finally:
            await dialler.close()

    def _say(self, name: FeedName, *, open_now: bool, failures: int, error: str) -> None:
        self._lines[name] = Line(
            relationship=name.relationship,
            publisher=name.publisher,
            feed=name.feed,
            open=open_now,
            since=self._clock.now(),
            failures=failures,
            last_error=error,
        )
