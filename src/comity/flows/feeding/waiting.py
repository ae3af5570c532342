"""Messages that wait: for their time, or for room on the way to the peer; on disk, in bounded space (steps 13 and 15).

Each type has its own queue, because each has its own delay; within one, messages stay in the order they came in. Only
the first chunk of each queue is held in memory.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from comity.feed.publication import Entry
from comity.flows.feeding.shelf import Chunk, Shelf
from comity.ports import Put

HELD_BYTES_MAX = 2**30
"""Most bytes that wait on disk (15)."""
HELD_SECONDS_MAX = 24 * 3600
"""Longest wait on disk beyond a message's own delay (15)."""


class _Lot(Struct):
    """A chunk on disk."""

    number: int
    count: int
    size: int
    first: int
    last: int


class _Queue:
    """What waits of one type."""

    def __init__(self) -> None:
        self.lots: deque[_Lot] = deque()
        self.next = 0
        self.gone = 0
        self.head: deque[tuple[int, bytes]] = deque()
        self.loaded = False


class Dropping(Struct, frozen=True):
    """Messages that no longer wait and did not go: of which type, how many, from and to when."""

    type: str
    count: int
    first: int
    last: int


class Waiting:
    """What waits of one feed. What changes here is durable once the puts are; until then ``undo`` is to load again."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._queues: dict[str, _Queue] = {}
        self.size = 0

    async def load(self, heads: Sequence[tuple[str, int, int]]) -> None:
        """Take up what a state says waits."""
        self._queues, self.size = {}, 0
        for name, number, count, size, first, last in await self._shelf.chunks():
            queue = self._queues.setdefault(name, _Queue())
            queue.lots.append(_Lot(number, count, size, first, last))
            queue.next = number + 1
            self.size += size
        for name, number, gone in heads:
            queue = self._queues.setdefault(name, _Queue())
            queue.next = max(queue.next, number)
            if queue.lots and queue.lots[0].number == number:
                queue.gone = gone

    @property
    def heads(self) -> tuple[tuple[str, int, int], ...]:
        """Of each type, its first chunk and how many messages of it are gone."""
        return tuple(
            (name, queue.lots[0].number if queue.lots else queue.next, queue.gone)
            for name, queue in sorted(self._queues.items())
        )

    def __contains__(self, name: object) -> bool:
        queue = self._queues.get(name)  # type: ignore[call-overload]  # whatever is asked for
        return queue is not None and bool(queue.lots)

    def __bool__(self) -> bool:
        return any(queue.lots for queue in self._queues.values())

    @property
    def count(self) -> int:
        """How many messages wait."""
        return sum(lot.count for queue in self._queues.values() for lot in queue.lots) - sum(
            queue.gone for queue in self._queues.values()
        )

    def types(self) -> Iterator[tuple[str, int]]:
        """Of each type that waits, when the first of it was published."""
        for name, queue in self._queues.items():
            if queue.lots:
                yield name, queue.head[0][0] if queue.loaded and queue.head else queue.lots[0].first

    def due(self, until: int, delay: Callable[[str], int | None]) -> list[tuple[int, str]]:
        """The types of which the first may cross by ``until``, after the delay of each (None: never), with when."""
        delays = ((name, at, delay(name)) for name, at in self.types())
        return [(at + after, name) for name, at, after in delays if after is not None and at + after <= until]

    def hold(self, entries: Sequence[Entry]) -> list[Put]:
        """Let messages wait behind those of their types."""
        puts = []
        for name, found in groupby(sorted(entries, key=_type_of), _type_of):  # sorting keeps their order
            each = list(found)
            queue = self._queues.setdefault(name, _Queue())
            chunk = Chunk(tuple([entry.at for entry in each]), tuple([entry.raw for entry in each]))
            put = self._shelf.held(name, queue.next, chunk)
            size = len(put.value or b"")
            queue.lots.append(_Lot(queue.next, len(each), size, each[0].at, each[-1].at))
            queue.next += 1
            self.size += size
            puts.append(put)
        return puts

    async def first(self, name: str) -> tuple[int, bytes]:
        """The message of a type that has waited longest: when it was published, and the message."""
        queue = self._queues[name]
        if not queue.loaded:
            chunk = await self._shelf.read_chunk(name, queue.lots[0].number)
            assert chunk is not None  # what a state names is there
            last = queue.lots[0].last  # sooner than it was, where the clock went back
            ats = [min(at, last) for at in chunk.ats]
            queue.head = deque(list(zip(ats, chunk.raws, strict=True))[queue.gone :])
            queue.loaded = True
        return queue.head[0]

    def take(self, name: str) -> list[Put]:
        """That message waits no longer."""
        queue = self._queues[name]
        queue.head.popleft()
        queue.gone += 1
        return [] if queue.head else [self._drop_lot(name, queue)]

    def go_back(self, now: int) -> None:
        """What is stamped with an instant that is still to come waits as if it had been published now (10)."""
        for queue in self._queues.values():
            for lot in queue.lots:
                lot.first, lot.last = min(lot.first, now), min(lot.last, now)
            queue.head = deque((min(at, now), raw) for at, raw in queue.head)

    def drop(self, oldest: Callable[[str], int], bytes_max: int) -> tuple[list[Put], list[Dropping]]:
        """Let go of whole chunks, the oldest first.

        Args:
            oldest: of a type, the instant before which its messages are too old.
            bytes_max: how many bytes may stay.
        """
        puts: list[Put] = []
        told: list[Dropping] = []
        while waiting := [(queue.lots[0].last, name) for name, queue in self._queues.items() if queue.lots]:
            last, name = min(waiting)
            if last >= oldest(name) and self.size <= bytes_max:
                break
            self._let_go(name, puts, told)
        return puts, told

    def keep_only(self, types: Container[str]) -> tuple[list[Put], list[Dropping]]:
        """Let go of everything of all other types."""
        puts: list[Put] = []
        told: list[Dropping] = []
        for name, queue in self._queues.items():
            while queue.lots and name not in types:
                self._let_go(name, puts, told)
        return puts, told

    def _let_go(self, name: str, puts: list[Put], told: list[Dropping]) -> None:
        queue = self._queues[name]
        lot = queue.lots[0]
        told.append(Dropping(name, lot.count - queue.gone, lot.first, lot.last))
        puts.append(self._drop_lot(name, queue))

    def _drop_lot(self, name: str, queue: _Queue) -> Put:
        lot = queue.lots.popleft()
        self.size -= lot.size
        queue.gone, queue.loaded = 0, False
        queue.head.clear()
        return self._shelf.held(name, lot.number, None)


def _type_of(entry: Entry) -> str:
    return entry.type
