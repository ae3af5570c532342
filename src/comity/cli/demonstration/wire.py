"""A wire between two nodes of the demonstration, which can be cut: whoever dials its one end reaches the other."""

from __future__ import annotations

import asyncio
from contextlib import suppress

PIECE_BYTES = 2**16


class Wire:
    """Carries connections from one port of this machine to another.

    Args:
        near: the port that is dialled.
        far: the port that answers.
    """

    def __init__(self, near: int, far: int) -> None:
        self._near = near
        self._far = far
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def mend(self) -> None:
        """Carry connections from now on."""
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", self._near)

    async def cut(self) -> None:
        """Cut every connection, and take no other."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in self._connections.values():
            writer.transport.abort()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # one runs
        self._connections[task] = writer
        try:
            answer, ask = await asyncio.open_connection("127.0.0.1", self._far)
            try:
                await asyncio.gather(_pour(reader, ask), _pour(answer, writer))
            finally:
                ask.transport.abort()
        except OSError:
            pass  # nobody answers there
        finally:
            writer.transport.abort()
            del self._connections[task]


async def _pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await source.read(PIECE_BYTES):
            sink.write(piece)
            await sink.drain()
        sink.transport.abort()
