"""The parts of a round of publishing: what it has come to, and what of it is not durable (``spec/feed.md`` step 13)."""

from __future__ import annotations

import asyncio
from collections import Counter

from msgspec import Struct, field

from comity.feed.publication import Cut, Entry, is_full
from comity.flows.feeding.requests import Call
from comity.flows.feeding.shelf import State
from comity.ports import Put


class UnderWay(Struct, frozen=True):
    """A batch that is durable here and not acknowledged.

    Attributes:
        frame: of it.
        ats: when each of its messages was published.
        key: the public log key that signed it, where that is known.
    """

    frame: bytes
    ats: tuple[int, ...] = ()
    key: bytes = b""


class Round(Struct):
    """What a round has come to: what crosses, what waits, rows, how many messages of each request are done with."""

    cuts: list[Cut] = field(default_factory=list)
    bytes: int = 0
    hold: list[Entry] = field(default_factory=list)
    puts: list[Put] = field(default_factory=list)
    settled: Counter[Call] = field(default_factory=Counter)

    @property
    def full(self) -> bool:
        """Whether its batch takes no further message."""
        return is_full(len(self.cuts), self.bytes)

    @property
    def ats(self) -> tuple[int, ...]:
        """When each message of its batch was published."""
        return tuple([cut.entry.at for cut in self.cuts])


class Write(Struct, frozen=True):
    """A round that is not durable yet: its rows, where the feed stands after it, and whom to tell."""

    puts: list[Put]
    state: State
    settled: Counter[Call]
    crossed: int


async def woken(event: asyncio.Event, seconds: float | None) -> bool:
    """Whether it was set, so many seconds long at most."""
    if seconds is None:
        return await event.wait()
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
