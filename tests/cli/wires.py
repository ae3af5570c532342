"""Running nodes and the line between them: what a transcript needs to be done over HTTP instead of by pouch.

Rules of this file:

- The nodes are processes of their own; every command goes to them over their local sockets. They speak to one another
  over TLS, through a line that is ours.
- The line holds what is sent until somebody carries: so the story is the same one as with pouches, in which the other
  side hears of nothing before it is told. It alters nothing, and hands everything over in the order in which it came.
"""

from __future__ import annotations

import asyncio
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from comity.errors import Unavailable
from comity.flows.looking.views import Outbox, ShowOutbox
from comity.node.client import call
from comity.node.serving import free_port

PLACES = ("tokyo", "seoul", "washington")
CARRY_SECONDS_MAX = 120.0
LOOK_SECONDS = 0.02
PIECE_BYTES = 2**16
END_SECONDS_MAX = 60.0


class Line:
    """Takes connections for each place and passes them on to its node, while it is open."""

    def __init__(self) -> None:
        self.nodes = {place: free_port() for place in PLACES}
        self.ends: dict[str, int] = {}
        self._loop = asyncio.new_event_loop()
        self._open = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        for place in PLACES:
            asyncio.run_coroutine_threadsafe(self._listen(place), self._loop).result()

    def address(self, place: str) -> str:
        """Where the other side reaches the node of ``place``: our end of the line."""
        return f"https://127.0.0.1:{self.ends[place]}"

    def open(self) -> None:
        self._loop.call_soon_threadsafe(self._open.set)

    def hold(self) -> None:
        self._loop.call_soon_threadsafe(self._open.clear)

    def end(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _listen(self, place: str) -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.CancelledError):  # the node is down, or all is over
                await self._open.wait()
                there, back = await asyncio.open_connection("127.0.0.1", self.nodes[place])
                await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))
            writer.close()

        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        self.ends[place] = server.sockets[0].getsockname()[1]

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):  # one of them has gone: so the other is let go too
            while piece := await reader.read(PIECE_BYTES):
                await self._open.wait()
                writer.write(piece)
                await writer.drain()
        writer.close()


class Nodes:
    """The nodes of one scene: those that run, and what they hand over to one another."""

    def __init__(self, line: Line, folder: Path, environment: Callable[[Mapping[str, str]], dict[str, str]]) -> None:
        self.line = line
        self._folder = folder
        self._environment = environment
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start every node that has a house and does not run; what one that cannot says of it is kept for `_said`."""
        starting = {
            place: self._start(place)
            for place in PLACES
            if place not in self._running and (self._folder / place / "node.toml").is_file()
        }
        for place, process in starting.items():
            assert process.stdout is not None
            if process.stdout.readline():
                self._running[place] = process
            else:
                process.wait(END_SECONDS_MAX)

    def _start(self, place: str) -> subprocess.Popen[bytes]:
        with self._errors(place).open("ab") as errors:
            return subprocess.Popen(
                ["comity", "node", "run", "--folder", str(self._folder / place)],
                env=self._environment({}),
                stdout=subprocess.PIPE,
                stderr=errors,
            )

    def _errors(self, place: str) -> Path:
        return self._folder / f"{place}.errors"

    def stop(self) -> None:
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait(END_SECONDS_MAX)
        self._running.clear()

    def carry(self) -> None:
        """Open the line until each side has, and has witnessed, everything that the other one said."""
        self.line.open()
        end = time.monotonic() + CARRY_SECONDS_MAX
        before = None
        while (now := self._said()) != before or not all(here == there for here, there in now):
            assert time.monotonic() < end, f"waited in vain for the nodes: {now}"
            time.sleep(LOOK_SECONDS)
            before = now
        self.line.hold()

    def _said(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """For every ledger, how much was written, and how much of it the other side has and has witnessed."""
        said = []
        for place in PLACES:
            if not (self._folder / place / "node.toml").is_file():
                continue
            try:
                shown = call(self._folder / place, "outbox", ShowOutbox(), Outbox)
            except Unavailable as error:
                told = self._errors(place).read_text()
                raise AssertionError(f"the node of {place} does not run: {error}\n{told}") from None
            said += [
                ((each.size, each.size), (each.delivered, each.witnessed or 0))
                for each in shown.chains
                if each.delivered is not None
            ]
        return said
