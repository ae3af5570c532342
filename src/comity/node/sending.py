"""What one node asks of another, over any courier (``spec/exchange.md`` steps 49 to 51)."""

from __future__ import annotations

import asyncio
from typing import BinaryIO

from comity.answers import read_error, root_of
from comity.courier import paths
from comity.errors import ComityError, Rejected, Unavailable
from comity.ledger.canonical import read_decimal
from comity.ports import Courier

OK = 200


async def exchange(courier: Courier, relationship: str, parcel: bytes) -> bytes:
    """Hand a parcel over; the parcel that answers it.

    Raises:
        Unavailable: not delivered, or the peer cannot take it now; the same call may work later.
        Rejected: the peer refuses it, or its reply is not the peer's.
    """
    return await _ask(courier, paths.Exchange(relationship), parcel)


async def reconcile(courier: Courier, relationship: str, question: bytes) -> bytes:
    """Ask about the peer's register of a relationship; its answer.

    Raises:
        Unavailable: not delivered, or the peer cannot answer now.
        Rejected: the peer refuses it, or its reply is not the peer's.
    """
    return await _ask(courier, paths.Reconcile(relationship), question)


async def upload(
    courier: Courier, relationship: str, digest: bytes, blob: BinaryIO, size: int, piece_bytes: int
) -> None:
    """Bring a sealed payload to the peer, from where the last attempt stopped; durable there on return.

    Args:
        courier: to the peer.
        relationship: under which the peer takes it.
        digest: SHA-256 of the whole, 32 bytes.
        blob: open for reading at any offset.
        size: of the whole, in bytes.
        piece_bytes: bytes for each request, at most ``paths.PIECE_BYTES_MAX``.

    Raises:
        Unavailable: cut off; call again, and it goes on from there.
        Rejected: the peer refuses it.
    """
    received = _arrived(await _ask(courier, paths.Upload(relationship, digest)), 0, size)
    while received < size:
        piece = await asyncio.to_thread(_read_at, blob, received, piece_bytes)
        reply = await _ask(courier, paths.Piece(relationship, digest, size, received), piece)
        received = _arrived(reply, received + 1, size)


async def given_back(courier: Courier, relationship: str, author: str, start: int) -> bytes:
    """A parcel of what ``author`` said in a relationship from record ``start`` on, as the peer has it.

    Raises:
        Unavailable: not delivered, or the peer cannot answer now.
        Rejected: the peer refuses it, or its reply is not the peer's.
    """
    return await _ask(courier, paths.GivenBack(relationship, author, start))


async def payload(courier: Courier, relationship: str, record: bytes, offset: int) -> bytes:
    """The sealed payload that a record names, from an offset on; one piece of it.

    Raises:
        Unavailable, Rejected: as ``given_back``; or the peer does not have it any more.
    """
    return await _ask(courier, paths.Payload(relationship, record, offset))


async def _ask(courier: Courier, route: paths.Route, body: bytes = b"") -> bytes:
    reply = await courier.send(route.method, paths.write(route), body, {})
    if reply.status == OK:
        return reply.body
    raise _refusal(read_error(reply.body))


def _refusal(theirs: ComityError) -> ComityError:
    """The peer's error as ours: its own trouble passes, anything else is about what we sent."""
    kind = Unavailable if root_of(theirs) in {"unavailable", "internal"} else Rejected
    return kind(f"the peer answers: {theirs}", code=theirs.code)


def _arrived(reply: bytes, at_least: int, at_most: int) -> int:
    received = read_decimal(reply.decode("ascii", errors="replace"), "bytes received")
    if not at_least <= received <= at_most:
        raise Rejected(f"the peer says it has {received} bytes of a blob of {at_most}", code="blob-offset")
    return received


def _read_at(blob: BinaryIO, offset: int, count: int) -> bytes:
    blob.seek(offset)
    return blob.read(count)
