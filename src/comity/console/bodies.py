"""What a browser or a program sends, as long as it comes fast enough (``spec/console.md`` step 3)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import Request

from comity.errors import Rejected

BODY_SECONDS = 30.0
BODY_BYTES_PER_SECOND = 64 * 1024


async def pieces_of(request: Request) -> AsyncIterator[bytes]:
    """A body, piece by piece: each comes within ``BODY_SECONDS`` and what its bytes so far take.

    Whoever says that much is to come, and sends little of it, waits no longer than whoever says nothing.

    Raises:
        Rejected: the next piece does not come in time (``slow-body``).
        ClientDisconnect: nobody sends it any more.
    """
    began, came = asyncio.get_running_loop().time(), 0
    stream = aiter(request.stream())
    while True:
        try:
            async with asyncio.timeout_at(began + BODY_SECONDS + came / BODY_BYTES_PER_SECOND):
                piece = await anext(stream, None)
        except TimeoutError:
            raise Rejected(f"this did not come in time; only {came} bytes of it did", code="slow-body") from None
        if piece is None:
            return
        came += len(piece)
        yield piece


async def whole(request: Request, most: int) -> bytes:
    """A body that is held in memory.

    Raises:
        Rejected: it is larger than ``most`` bytes (``too-large``), or does not come in time.
        ClientDisconnect: nobody sends it any more.
    """
    body = bytearray()
    async for piece in pieces_of(request):
        body += piece
        if len(body) > most:
            raise Rejected(f"more than {most} bytes are not taken here", code="too-large")
    return bytes(body)
