"""Reading a feed from the running node of a data folder, over its local socket (``spec/feed.md`` step 17)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

import msgspec

from comity.errors import Rejected, Unavailable
from comity.feed.reading import Event
from comity.flows.feeding.reading import Follow
from comity.node.client import no_node, socket_path
from comity.node.errors import read_error
from comity.node.reading import READ

LINE_BYTES_MAX = 4 * 2**20
"""Longest piece that a node sends at once: a batch, as lines."""
_event = msgspec.json.Decoder(Event)
_FAILED = b'{"event":"failed",'


async def follow_lines(folder: Path, request: Follow) -> AsyncGenerator[bytes, None]:
    """What the node tells a reader, a JSON object each, until there is no more.

    Raises:
        ComityError: what the node refused it with, at the beginning or later.
        Unavailable: ``no-node``: no node runs on this folder; ``node-cut``: it stopped.
    """
    try:
        reader, writer = await asyncio.open_unix_connection(str(socket_path(folder)), limit=LINE_BYTES_MAX)
    except OSError:
        raise no_node(folder) from None
    body = msgspec.json.encode(request)
    head = b"POST %s HTTP/1.1\r\nhost: comity\r\ncontent-length: %d\r\n\r\n"
    try:
        writer.write(head % (READ.encode(), len(body)) + body)
        status, size = await _head(reader)
        if status != b"200":
            raise read_error(await reader.readexactly(size))
        rest = b""
        async for piece in _pieces(reader):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.startswith(_FAILED):
                    raise read_error(b"{" + line[len(_FAILED) :])
                if line:
                    yield line
    except (OSError, asyncio.IncompleteReadError, ValueError):
        raise Unavailable("the node stopped; start it again and read on", code="node-cut", place=str(folder)) from None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def follow(folder: Path, request: Follow) -> AsyncGenerator[Event, None]:
    """The same, as events.

    Raises:
        ComityError: as ``follow_lines``.
        Rejected: the node answers in another way.
    """
    async for line in follow_lines(folder, request):
        try:
            yield _event.decode(line)
        except msgspec.MsgspecError as error:
            raise Rejected(
                f"the node answers in another way ({error}): is it of another version?", code="other-version"
            ) from None


async def _head(reader: asyncio.StreamReader) -> tuple[bytes, int]:
    """Status and, where it is said, the length of what follows."""
    lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    length = next((line.partition(b":")[2] for line in lines if line.startswith(b"content-length:")), b"0")
    return lines[0].split(b" ")[1], int(length)


async def _pieces(reader: asyncio.StreamReader) -> AsyncGenerator[bytes, None]:
    """The pieces of a body that comes in chunks (RFC 9112 section 7.1)."""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        yield await reader.readexactly(size)
        await reader.readexactly(2)
