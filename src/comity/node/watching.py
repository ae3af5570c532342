"""Where people of this house read feeds, and collectors the metrics (``spec/feed.md`` steps 17 and 19)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.names import Authority
from comity.flows.feeding.reading import Readers
from comity.flows.house import House
from comity.node.events import EVENTS, READ_EVENTS, EventReadingDoor, PublishingDoor
from comity.node.metrics import METRICS, MetricsDoor, measure
from comity.node.reading import READ, ReadingDoor, SignedReaders
from comity.node.serving import Serving, listen_tcp, place
from comity.node.settings import Settings
from comity.node.sources import Tokens


class Watching:
    """The readers of one house, and the doors to them.

    Args:
        house: whose.
        feeds: what is read and counted.
        authority: what the control plane says of them.

    Attributes:
        readers: by which this house reads.
        apps: what stands behind the local socket.
        readers_at: where people read over the network, once that door is open; else empty.
        metrics_at: where the metrics are, likewise.
        events_at: where events are published over the network, likewise.
    """

    def __init__(self, house: House, feeds: Feeds, authority: Authority) -> None:
        self._house = house
        self._feeds = feeds
        self._authority = authority
        self.readers = Readers(house, feeds, authority)
        self._metrics = MetricsDoor(lambda: measure(feeds, self.readers))
        self._here = ReadingDoor(self.readers)
        self._events_here = EventReadingDoor(self.readers, house)
        signed = SignedReaders(house)
        self._outside = ReadingDoor(self.readers, signed)
        self._events_outside = EventReadingDoor(self.readers, house, signed)
        self.apps: dict[str, ASGIApp] = {
            READ: self._here,
            READ_EVENTS: self._events_here,
            EVENTS: PublishingDoor(feeds, authority, house),
            METRICS: self._metrics,
        }
        self.readers_at = ""
        self.metrics_at = ""
        self.events_at = ""

    def end(self) -> None:
        """Tell every reader that the node stops."""
        for each in (self._here, self._outside, self._events_here, self._events_outside):
            each.end()

    def doors(
        self,
        settings: Settings,
        folder: Path,
        tls: ssl.SSLContext,
        secret: Callable[[Path], bytes],
        closing: AsyncExitStack,
    ) -> list[Serving]:
        """The doors that the settings open besides.

        Raises:
            Unavailable: an address is taken or not ours, or a file with a token can not be read.
            Rejected: a token is too short.
        """
        made = []
        if settings.readers is not None:
            listener = _listen(settings.readers.address, settings.readers.port, closing)
            self.readers_at = f"https://{place(listener)}"
            made.append(Serving(_Outside(self._outside, self._events_outside), listener, tls))
        if settings.events is not None:
            tokens = Tokens(settings.events.source, folder, secret)
            listener = _listen(settings.events.address, settings.events.port, closing)
            self.events_at = f"https://{place(listener)}{EVENTS}"
            made.append(Serving(PublishingDoor(self._feeds, self._authority, self._house, tokens), listener, tls))
        if settings.metrics is not None:
            listener = _listen(settings.metrics.address, settings.metrics.port, closing)
            self.metrics_at = f"http://{place(listener)}{METRICS}"
            made.append(Serving(self._metrics, listener))
        return made


class _Outside:
    """Both doors for readers over the network, as one application."""

    def __init__(self, reading: ASGIApp, events: ASGIApp) -> None:
        self._reading = reading
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        await (self._events if scope["path"] == READ_EVENTS else self._reading)(scope, receive, send)


def _listen(address: str, port: int, closing: AsyncExitStack) -> socket.socket:
    listener = listen_tcp(address, port)
    closing.callback(listener.close)
    return listener
