"""Reading a feed from a running node: of a data folder, over its local socket, or over the network (step 17).

``spec/feed.md`` has the format. Over the network the node is known by the certificate that its card names, and the
reader by his own key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from datetime import datetime
from pathlib import Path

import aiohttp
import msgspec

from comity.answers import read_error
from comity.courier.http import Pins
from comity.courier.signature import NONCE_BYTES, READING_TAG, audience_of, sign_request, valid_card
from comity.errors import Rejected, Unavailable
from comity.feed.reading import Event
from comity.flows.feeding.reading import Follow
from comity.node.client import no_node, socket_path
from comity.node.outward import asking
from comity.node.reading import BEAT_SECONDS, READ
from comity.ports import Signer
from comity.record.card import Card

LINE_BYTES_MAX = 4 * 2**20
"""Longest piece that a node sends at once: a batch, as lines."""
CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 3 * BEAT_SECONDS
"""A node that says nothing for so long is gone: it sends an empty line sooner."""
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
        async for line in _lines(_pieces(reader)):
            yield line
    except (OSError, asyncio.IncompleteReadError, ValueError):
        raise Unavailable("the node stopped; start it again and read on", code="node-cut", place=str(folder)) from None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def network_lines(
    address: str, card: Card, request: Follow, signer: Signer, entropy: Callable[[int], bytes], now: datetime
) -> AsyncGenerator[bytes, None]:
    """The same over the network, from the node of a card.

    Args:
        address: where its readers are let in, such as ``https://node.example:8444``.
        card: of the party whose node it is.
        request: what to read; the actor signs.
        signer: the actor's own key.
        entropy: for the nonce.
        now: the present instant.

    Raises:
        ComityError: what the node refused it with, at the beginning or later.
        Unavailable: it cannot be reached, or was cut off.
        Rejected: ``wrong-certificate``: another node answers there; ``card-ended``.
    """
    valid_card(card, now)
    body = msgspec.json.encode(request)
    signed = sign_request(
        "POST",
        READ,
        body,
        sender=request.actor.handle,
        audience=audience_of(card),
        nonce=entropy(NONCE_BYTES),
        created=int(now.timestamp()),
        signer=signer,
        tag=READING_TAG,
    )
    pinned = Pins(card, lambda: now)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS)
    try:
        async with (
            asking(timeout) as session,
            session.post(
                address.rstrip("/") + READ, data=body, headers=signed, ssl=pinned, allow_redirects=False
            ) as response,
        ):
            if response.status != 200:
                raise read_error(await response.content.read(LINE_BYTES_MAX))
            async for line in _lines(response.content.iter_any()):
                yield line
    except aiohttp.ServerFingerprintMismatch:
        raise Rejected(
            f"another certificate is shown there than the card of {card.party!r} names",
            code="wrong-certificate",
            place=address,
        ) from None
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise Unavailable(
            f"the node cannot be reached, or was cut off: {error}", code="node-cut", place=address
        ) from None


async def follow(folder: Path, request: Follow) -> AsyncGenerator[Event, None]:
    """What the node of a folder tells a reader, as events.

    Raises:
        ComityError: as ``follow_lines``.
        Rejected: the node answers in another way.
    """
    async with aclosing(follow_lines(folder, request)) as lines:
        async for line in lines:
            yield read_event(line)


def read_event(line: bytes) -> Event:
    """An event, from its line.

    Raises:
        Rejected: it is none that is known here.
    """
    try:
        event: Event = _event.decode(line)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Rejected(
            f"the node answers in another way ({error}): is it of another version?", code="other-version"
        ) from None
    return event


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """Every line that is not empty, until one says what failed."""
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > LINE_BYTES_MAX:
            raise Rejected(f"a line of more than {LINE_BYTES_MAX} bytes", code="too-large")
        for line in lines:
            if line.startswith(_FAILED):
                raise read_error(b"{" + line[len(_FAILED) :])
            if line:
                yield line


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
