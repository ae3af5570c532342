"""The door for witnesses of this house's ledgers: checkpoints and tiles (``spec/witness.md`` steps 41 to 44).

A witness's own address ends with a secret, and below it lies a log as tlog-tiles describes it, without its entries. To
everybody else there is nothing here, whatever he asks.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from comity.errors import ComityError, InternalError, Unavailable
from comity.flows.house import House
from comity.flows.vouching.witnesses import reader
from comity.ledger.tiles import TileId, parse_path
from comity.ledger.witness import TEXT_CONTENT_TYPE

PATH_CHARACTERS_MAX = 1_000
CHECKPOINT = "checkpoint"
MUTABLE = {"cache-control": "no-cache", "content-type": TEXT_CONTENT_TYPE}
IMMUTABLE = {"cache-control": "private, max-age=31536000, immutable", "content-type": "application/octet-stream"}
"""A tile of one width never changes; no cache between may keep what was shown to one."""
_HEADERS = {"x-content-type-options": "nosniff"}
_NOTHING = _HEADERS | {"cache-control": "no-store"}
_log = logging.getLogger("comity.node")

Checkpoint = Callable[[str], Awaitable[bytes]]
Tile = Callable[[str, TileId], Awaitable[bytes]]
Reads = Callable[[str], Awaitable[tuple[str, ...]]]
"""The ledgers that a secret opens; none where it is none."""


class LedgerDoor:
    """The ASGI application for witnesses.

    Args:
        reads: whom a secret lets in, and to what.
        checkpoint: the newest checkpoint of a chain; empty while it has no record.
        tile: a tile of a chain.
    """

    def __init__(self, reads: Reads, checkpoint: Checkpoint, tile: Tile) -> None:
        self._reads = reads
        self._checkpoint = checkpoint
        self._tile = tile

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        try:
            response = await self._answer(Request(scope, receive))
        except Unavailable:
            response = Response(status_code=503, headers=_NOTHING)
        except Exception as error:  # noqa: BLE001 - one request must not end the door; the log has the whole story
            if not isinstance(error, ComityError) or isinstance(error, InternalError):
                _log.error("a request for a ledger failed inside", exc_info=error)
            response = Response(status_code=404, headers=_NOTHING)  # (44)
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        raw: bytes = request.scope["raw_path"]
        nothing = Response(status_code=404, headers=_NOTHING)
        parts = raw[: PATH_CHARACTERS_MAX + 1].decode("latin-1").split("/")
        if len(raw) > PATH_CHARACTERS_MAX or len(parts) < 5 or parts[0] or request.scope["query_string"]:
            return nothing
        secret, chain, rest = parts[1], "/".join(parts[2:5]), parts[5:]
        if chain.startswith("domestic/"):  # the chain of a house has a name of two parts
            chain, rest = "/".join(parts[2:4]), parts[4:]
        if chain not in await self._reads(secret):
            return nothing
        if request.method not in {"GET", "HEAD"}:
            return Response(status_code=405, headers=_NOTHING | {"allow": "GET, HEAD"})
        if rest == [CHECKPOINT]:
            note = await self._checkpoint(chain)
            return Response(note, 200, _HEADERS | MUTABLE) if note else nothing
        tile = parse_path("/".join(rest))
        if not isinstance(tile, TileId):
            return nothing
        return Response(await self._tile(chain, tile), 200, _HEADERS | IMMUTABLE)


def ledger_door(house: House) -> LedgerDoor:
    """The door of a house."""

    async def reads(secret: str) -> tuple[str, ...]:
        witness = await reader(house, secret)
        return () if witness is None else witness.ledgers

    async def checkpoint(chain: str) -> bytes:
        await house.sequencer.raise_mark()
        return house.exchange.checkpoint(chain)

    return LedgerDoor(reads, checkpoint, house.ledgers.tile)
