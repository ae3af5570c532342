"""Listening: sockets of our own making, served by uvicorn on the loop that runs already."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import ssl
from asyncio import TimerHandle
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import uvicorn
import uvloop
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from comity.errors import Misuse, Unavailable
from comity.node.log import begin_log
from comity.node.memory import keep_off_disk

HEADER_BYTES_MAX = 16 * 1024
"""Longest head of a request: a path of 5,000 characters and six signed headers need less."""
HEADERS_SECONDS = 10.0
"""A connection must have sent the head of a request in this time, or it is closed."""
LINGER_SECONDS = 10.0
"""How long the rest of a refused body is read and thrown away, so that the refusal arrives, before the line is cut."""
KEEP_ALIVE_SECONDS = 75
"""How long an idle connection is kept."""
CONNECTIONS_MAX = 1_000
"""Connections at once; above it, new requests are answered 503."""
BACKLOG = 1_024
GRACE_SECONDS = 10.0
"""How long requests under way may take to finish when the node stops."""
SOCKET_BYTES_MAX = 64 * 1024
"""Longest thing that is taken over a WebSocket: what comes in are words, not batches."""
UNREAD_SECONDS = 60.0
"""How long whoever is sent something may take none of it, before the line is cut and its place is free."""
PING_SECONDS = 10.0
"""How often the other end of a WebSocket is asked whether it is there, and how long it has to answer."""
FILE_MODE = 0o600
LATER_PORTS = range(10_000, 32_768)
"""Ports that are kept in mind before anybody listens: Linux gives out those from 32768 on, unless told otherwise."""


class _Watched(asyncio.Protocol):
    """Cuts the line of whoever takes nothing of what he is sent; it stands before a protocol of uvicorn's."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    _watch: TimerHandle | None = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look(None)

    def resume_writing(self) -> None:
        self._unwatch()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        super().connection_lost(exc)

    def _look(self, before: int | None) -> None:
        left = self.transport.get_write_buffer_size()
        if before is None or left < before:
            self._watch = self.loop.call_later(UNREAD_SECONDS, self._look, left)
        else:
            self.transport.abort()

    def _unwatch(self) -> None:
        if self._watch is not None:
            self._watch.cancel()


class _Socket(_Watched, WebSocketsSansIOProtocol):
    """What uvicorn makes of a connection that becomes a WebSocket."""


class _Protocol(_Watched, HttpToolsProtocol):
    """Bounds what uvicorn does not: the size and time of a request's head, and a body nobody reads any more."""

    _deadline: TimerHandle | None = None
    _head_bytes = 0
    _complete = True

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        super().connection_made(transport)
        self._expect(HEADERS_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect(None)
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        self._complete = False
        self._expect(HEADERS_SECONDS)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(name + value)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._expect(None)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._complete = True
        self._expect(None)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._complete:
            self._expect(LINGER_SECONDS)

    def _count(self, piece: bytes) -> None:
        self._head_bytes += len(piece)
        if self._head_bytes > HEADER_BYTES_MAX:
            raise ValueError("the head of the request is too long")

    def _expect(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)


class Serving:
    """An application behind a socket, until ``stop``.

    Uvicorn's protocol does the HTTP; its server, which takes signals for itself and looks at the clock ten times a
    second, is not needed here.

    Args:
        app: the ASGI application.
        listener: a socket that is bound; connections wait in it from now on.
        tls: the TLS context, None on a local socket.
        ending: called when it is to stop, for requests that would not finish by themselves.
    """

    def __init__(
        self,
        app: ASGIApp,
        listener: socket.socket,
        tls: ssl.SSLContext | None = None,
        ending: Callable[[], None] | None = None,
    ) -> None:
        listener.listen(BACKLOG)
        self._listener = listener
        self._tls = tls
        self._ending = ending
        self._stopping = asyncio.Event()
        self._state = ServerState()
        self._config = uvicorn.Config(
            app,
            http=_Protocol,
            ws=_Socket,
            ws_max_size=SOCKET_BYTES_MAX,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )

    async def run(self) -> None:
        """Serve until ``stop``; requests under way are finished first."""
        self._config.load()
        server = await asyncio.get_running_loop().create_server(
            lambda: _Protocol(self._config, self._state, {}),
            sock=self._listener,
            ssl=self._tls,
            ssl_handshake_timeout=HEADERS_SECONDS if self._tls else None,
        )
        try:
            await self._stopping.wait()
        finally:
            server.close()
            connections, tasks = list(self._state.connections), list(self._state.tasks)
            for connection in connections:
                connection.shutdown()
            if tasks:
                _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
                for task in late:
                    task.cancel()
            for connection in connections:
                connection.transport.close()

    def stop(self) -> None:
        """Take no further connection, and let ``run`` return."""
        if self._ending is not None:
            self._ending()
        self._stopping.set()


def listen_tcp(address: str, port: int) -> socket.socket:
    """A socket bound to ``address``; port 0 takes a free one.

    Raises:
        Unavailable: the address is taken or not ours.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            address, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {address!r} port {port}: {error.strerror}", code="cannot-listen", place="node.toml"
        ) from None
    listener.setblocking(False)
    return listener


def free_port() -> int:
    """A port of the loopback address for a node that will listen later; nobody uses it now.

    It lies below those that the system hands out by itself, so that no connection is given it in the meantime.
    """
    while True:
        with suppress(Unavailable), listen_tcp("127.0.0.1", secrets.choice(LATER_PORTS)) as held:
            port: int = held.getsockname()[1]
            return port


def place(listener: socket.socket) -> str:
    """Where a socket listens, as an address says it."""
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def listen_unix(path: Path) -> socket.socket:
    """A local socket at ``path`` that only its owner can reach, from the moment it exists.

    The caller holds the lock of the folder: whatever lies at ``path`` was left behind by a node that is gone.

    Raises:
        Misuse: others can enter the folder.
        Unavailable: the system refuses it.
    """
    if path.parent.stat().st_mode & 0o077:
        raise Misuse(
            f"other users can enter the folder; take that from them with 'chmod 700 {path.parent}'",
            code="open-folder",
            place=str(path.parent),
        )
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_PEERCRED"):  # Linux: the file takes the mode that the socket has
            os.fchmod(listener.fileno(), FILE_MODE)
        listener.bind(str(path))
        path.chmod(FILE_MODE)
    except OSError as error:
        listener.close()
        raise Unavailable(
            f"cannot make the local socket: {error.strerror}", code="cannot-listen", place=str(path)
        ) from None
    listener.setblocking(False)
    return listener


async def until(stop: asyncio.Event, doors: Sequence[Serving]) -> None:
    """Serve until ``stop``, or until a door fails, which is then raised."""
    serving = [asyncio.create_task(door.run()) for door in doors]
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait([*serving, stopping], return_when=asyncio.FIRST_COMPLETED)
    finally:
        stopping.cancel()
        for door in doors:
            door.stop()
    await asyncio.gather(*serving)


def run_until_signal(serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Run ``serve`` in this process; SIGTERM or SIGINT sets its event, and a second signal ends it at once."""
    begin_log()
    for missing in keep_off_disk():
        logging.getLogger("comity.node").warning("%s", missing)

    async def until_signal() -> None:
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()

        def stopping(*signals: signal.Signals) -> None:
            stop.set()
            for each in signals:
                loop.remove_signal_handler(each)

        for each in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(each, stopping, signal.SIGTERM, signal.SIGINT)
        await serve(stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(until_signal())
