"""Where people of this house read feeds, and collectors the metrics (``spec/feed.md`` steps 17 and 19)."""

from __future__ import annotations

import socket
import ssl
from contextlib import AsyncExitStack

from starlette.types import ASGIApp

from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.names import Authority
from comity.flows.feeding.reading import Readers
from comity.flows.house import House
from comity.node.metrics import METRICS, MetricsDoor, measure
from comity.node.reading import READ, ReadingDoor, SignedReaders
from comity.node.serving import Serving, listen_tcp, place
from comity.node.settings import Settings


class Watching:
    """The readers of one house, and the doors to them.

    Args:
        house: whose.
        feeds: what is read and counted.
        authority: what the control plane says of them.

    Attributes:
        apps: what stands behind the local socket.
        readers_at: where people read over the network, once that door is open; else empty.
        metrics_at: where the metrics are, likewise.
    """

    def __init__(self, house: House, feeds: Feeds, authority: Authority) -> None:
        self._readers = Readers(house, feeds, authority)
        self._metrics = MetricsDoor(lambda: measure(feeds, self._readers))
        self._here = ReadingDoor(self._readers)
        self._outside = ReadingDoor(self._readers, SignedReaders(house))
        self.apps: dict[str, ASGIApp] = {READ: self._here, METRICS: self._metrics}
        self.readers_at = ""
        self.metrics_at = ""

    def end(self) -> None:
        """Tell every reader that the node stops."""
        self._here.end()
        self._outside.end()

    def doors(self, settings: Settings, tls: ssl.SSLContext, closing: AsyncExitStack) -> list[Serving]:
        """The doors that the settings open besides.

        Raises:
            Unavailable: an address is taken or not ours.
        """
        made = []
        if settings.readers is not None:
            listener = _listen(settings.readers.address, settings.readers.port, closing)
            self.readers_at = f"https://{place(listener)}"
            made.append(Serving(self._outside, listener, tls))
        if settings.metrics is not None:
            listener = _listen(settings.metrics.address, settings.metrics.port, closing)
            self.metrics_at = f"http://{place(listener)}{METRICS}"
            made.append(Serving(self._metrics, listener))
        return made


def _listen(address: str, port: int, closing: AsyncExitStack) -> socket.socket:
    listener = listen_tcp(address, port)
    closing.callback(listener.close)
    return listener
