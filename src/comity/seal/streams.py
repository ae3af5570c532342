"""The two ends of a stream, and what is missing on them: whole reads, whole writes, and reading on.

``readinto`` and ``write`` with large buffers let the constant memory of this room be the caller's page cache; every
binary file object of Python has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from comity.errors import Misuse


class Source(Protocol):
    """Where bytes come from; blocking."""

    def readinto(self, buffer: memoryview, /) -> int | None:
        """Fill the start of ``buffer`` and say how far; 0 at the end."""
        ...


class Sink(Protocol):
    """Where bytes go; blocking. What it is given is used again afterwards: a sink copies what it keeps."""

    def write(self, data: memoryview | bytes, /) -> int | None:
        """Take the start of ``data`` and say how much."""
        ...


class Resumed:
    """A source of which ``head`` was read already, from its beginning again."""

    def __init__(self, head: bytes | memoryview, source: Source) -> None:
        self._head = memoryview(head)
        self._source = source

    def readinto(self, buffer: memoryview, /) -> int | None:
        """As ``Source.readinto``."""
        if not self._head:
            return self._source.readinto(buffer)
        count = min(len(self._head), len(buffer))
        buffer[:count] = self._head[:count]
        self._head = self._head[count:]
        return count


class Pieces:
    """A source that gives the bytes of an iterator, piece by piece."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = memoryview(b"")

    def readinto(self, buffer: memoryview, /) -> int:
        """As ``Source.readinto``."""
        while not self._piece:
            try:
                self._piece = memoryview(next(self._pieces))
            except StopIteration:
                return 0
        count = min(len(self._piece), len(buffer))
        buffer[:count] = self._piece[:count]
        self._piece = self._piece[count:]
        return count


def fill(source: Source, buffer: memoryview) -> int:
    """Read until ``buffer`` is full or the source ends; bytes read."""
    filled = 0
    while filled < len(buffer):
        count = source.readinto(buffer[filled:])
        if count is None:
            raise Misuse("the source is not blocking; open it so that a read waits for data", code="non-blocking")
        if count == 0:
            break
        filled += count
    return filled


def take(source: Source, count: int) -> bytes:
    """The next ``count`` bytes, fewer only at the end."""
    buffer = bytearray(count)
    return bytes(buffer[: fill(source, memoryview(buffer))])


def write_all(sink: Sink, data: memoryview | bytes) -> None:
    """Write all of ``data``, however little the sink takes at a time."""
    rest = memoryview(data)
    while rest:
        count = sink.write(rest)
        if count is None:
            raise Misuse("the sink is not blocking; open it so that a write waits for room", code="non-blocking")
        rest = rest[count:]
