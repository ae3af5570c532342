"""The door for peers: authenticate, bound, hand to the house, sign (``spec/exchange.md`` steps 43 to 51).

The order matters. Nothing of a body is read before the sender is known by signature, and nothing is done before the
body is the one that was signed; so a stranger costs one signature check and no memory. Routing is over the path as it
was sent, still percent-encoded, because that is what was signed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from comity.answers import answer_error
from comity.courier import paths
from comity.courier.signature import (
    Claim,
    audience_of,
    read_request,
    sign_reply,
    valid_card,
    verify_body,
    verify_request,
)
from comity.errors import Rejected, Unavailable
from comity.flows.exchanging.parcel import PARCEL_BYTES_MAX, PARCEL_TYPE
from comity.flows.exchanging.tallies import QUESTION_BYTES_MAX, RECONCILIATION_TYPE
from comity.ledger.canonical import read_decimal
from comity.ledger.tiles import BundleId, TileId
from comity.ledger.witness import TEXT_CONTENT_TYPE
from comity.node.channels import REFUSED, ServedChannel
from comity.node.quota import Allowance, Lane, Quotas, blob_bytes
from comity.node.replay import Replays
from comity.ports import Channel, Clock, Signer
from comity.record.card import Card, read_card

BODY_SECONDS = 30.0
"""Every body has this long, and a second more for each ``BODY_BYTES_PER_SECOND``."""
BODY_BYTES_PER_SECOND = 64 * 1024
"""The slowest line a peer may have: 0.5 Mbit/s."""
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
"""On every answer."""
OK = 200
_KINDS: dict[type[paths.Route], str] = {
    paths.Exchange: PARCEL_TYPE,
    paths.Reconcile: RECONCILIATION_TYPE,
    paths.Checkpoint: TEXT_CONTENT_TYPE,
    paths.GivenBack: PARCEL_TYPE,
}


class PeerFlows(Protocol):
    """What this door asks of the house; ``flows.house.House`` is the real one."""

    def transport(self) -> Signer:
        """Signs replies."""
        ...

    async def card(self) -> bytes:
        """Our own card in its envelope."""
        ...

    async def peer_card(self, party: str) -> Card:
        """The card of a peer; raises when the party is none."""
        ...

    async def take_parcel(self, peer: str, relationship: str, body: bytes) -> bytes:
        """Take a parcel and answer with one."""
        ...

    async def answer_question(self, peer: str, relationship: str, body: bytes) -> bytes:
        """Answer a question about the register of a relationship."""
        ...

    async def blob_received(self, peer: str, relationship: str, digest: bytes) -> int:
        """Bytes of an upload that are here, durably."""
        ...

    async def blob_append(
        self, peer: str, relationship: str, digest: bytes, offset: int, size: int, piece: bytes
    ) -> int:
        """Add a piece to an upload; bytes that are here, durably."""
        ...

    async def give_back(self, peer: str, relationship: str, author: str, start: int) -> bytes:
        """What a peer that has lost it, or we, have said, as it is kept here."""
        ...

    async def payload(self, peer: str, relationship: str, record: bytes, offset: int) -> bytes:
        """A piece of a sealed payload."""
        ...

    async def checkpoint(self, peer: str, chain: str) -> bytes:
        """Our checkpoint of a chain."""
        ...

    async def tile(self, peer: str, chain: str, tile: TileId | BundleId, /) -> bytes:
        """A tile of a chain's ledger, or an entry bundle."""
        ...


class PeerFeeds(Protocol):
    """The feeds of the house, as far as channels to them go; ``flows.feeding.feeds.Feeds`` is the real one."""

    async def deliver(self, peer: str, relationship: str, feed: str, channel: Channel, /) -> None:
        """Hand a feed to a peer, until the channel is cut."""
        ...


class PeerDoor:
    """The ASGI application for peers.

    Args:
        house: what acts.
        feeds: what a WebSocket is a channel to; None where nothing is published.
        clock: wall-clock time, for the windows of signatures.
        monotonic: seconds that do not step, for quotas.
        quotas: the limits of each peer.
        free_bytes: free bytes of the disk that blobs go to.
        seen: called with a peer's party id after each request that was really his.
    """

    def __init__(
        self,
        house: PeerFlows,
        *,
        feeds: PeerFeeds | None = None,
        clock: Clock,
        monotonic: Callable[[], float],
        quotas: Quotas,
        free_bytes: Callable[[], int],
        seen: Callable[[str], None],
    ) -> None:
        self._house = house
        self._feeds = feeds
        self._clock = clock
        self._monotonic = monotonic
        self._quotas = quotas
        self._free_bytes = free_bytes
        self._seen = seen
        self._replays = Replays(int(clock.now().timestamp()))
        self._allowances: dict[str, Allowance] = {}
        self._audience = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] == "websocket":
            await self._open_channel(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _open_channel(self, socket: WebSocket) -> None:
        """Open a channel to a feed for whoever signed the opening, and close it when something is wrong with it."""
        try:
            await socket.receive()  # the opening itself
            route, feeds = self._channel(socket)
            claim = await self._authenticate(socket, "GET")
            verify_body(claim, b"")
        except Exception as error:  # noqa: BLE001 - as below
            answer_error(error, "a channel that nobody is known to have opened")
            await socket.close()  # before it is accepted: the answer is 403, and does not say why
            return
        self._seen(claim.sender)
        await socket.accept()
        try:
            channel = ServedChannel(socket.receive, socket.send)
            await feeds.deliver(claim.sender, route.relationship, route.feed, channel)
        except Unavailable:
            pass
        except Exception as error:  # noqa: BLE001 - one channel must not end the door; the log has the whole story
            answer_error(error, f"the channel of {claim.sender!r}")
        with suppress(OSError, RuntimeError, WebSocketDisconnect):
            await socket.close(REFUSED)

    def _channel(self, socket: WebSocket) -> tuple[paths.Feed, PeerFeeds]:
        route = _route(socket, "GET")
        if self._feeds is None or not isinstance(route, paths.Feed):
            raise Rejected(f"no channel is opened at {_path(socket)[:200]!r}", code="unknown-path")
        return route, self._feeds

    async def _answer(self, request: Request) -> Response:
        try:
            route = _route(request, request.method)
            if isinstance(route, paths.OwnCard):
                return Response(await self._house.card(), OK, HEADERS, "application/json")
            claim = await self._authenticate(request, request.method)
        except Exception as error:  # noqa: BLE001 - as below; not signed, since it would sign for strangers
            status, body = answer_error(error, "a request that nobody is known to have made")
            return Response(body, status, HEADERS, "application/json")
        self._seen(claim.sender)
        try:
            status, body = OK, await self._act(request, route, claim)
        except ClientDisconnect:
            raise
        except Exception as error:  # noqa: BLE001 - one request must not end the door; the log has the whole story
            status, body = answer_error(error, f"{type(route).__name__} for {claim.sender!r}")
        signed = sign_reply(status, body, nonce=claim.nonce, signer=self._house.transport())
        kind = _KINDS.get(type(route), "application/octet-stream")
        signed["content-type"] = kind if status == OK else "application/json"
        return Response(body, status, HEADERS | signed)

    async def _authenticate(self, request: HTTPConnection, method: str) -> Claim:
        """Whoever signed the request, known by his card (46, 47)."""
        claim = read_request(request.scope["headers"])
        instant = self._clock.now()
        card = valid_card(await self._house.peer_card(claim.sender), instant)
        now = int(instant.timestamp())
        audience = self._audience
        if not audience:
            audience = self._audience = audience_of(read_card(await self._house.card()))
        verify_request(claim, method, _path(request), audience=audience, keys=card.taken("transport", instant), now=now)
        self._replays.admit(claim.sender, claim.nonce, claim.created, now)
        return claim

    async def _act(self, request: Request, route: paths.Route, claim: Claim) -> bytes:
        lane, body_bytes_max = _bounds(route)
        size = _declared(request, body_bytes_max)
        now = self._monotonic()
        allowance = self._allowances.get(claim.sender)
        if allowance is None:
            allowance = self._allowances[claim.sender] = Allowance(self._quotas, now)
        with allowance.hold(lane, size, now):
            if blob_bytes(lane, size) and self._free_bytes() - size < self._quotas.disk_reserve_bytes:
                raise Unavailable(
                    "the disk has only its reserve for records left; this blob must wait", code="disk-reserve"
                )
            body = await read_body(request, size)
            return await self._run(route, claim.sender, verify_body(claim, body))

    async def _run(self, route: paths.Route, peer: str, body: bytes) -> bytes:
        house = self._house
        match route:
            case paths.Exchange(relationship=relationship):
                return await house.take_parcel(peer, relationship, body)
            case paths.Reconcile(relationship=relationship):
                return await house.answer_question(peer, relationship, body)
            case paths.Upload(relationship=relationship, digest=digest):
                return b"%d" % await house.blob_received(peer, relationship, digest)
            case paths.Piece(relationship=relationship, digest=digest, size=size, offset=offset):
                if not body or offset + len(body) > size:
                    raise Rejected(
                        f"{len(body)} bytes at {offset} do not fit in a blob of {size} bytes", code="blob-offset"
                    )
                return b"%d" % await house.blob_append(peer, relationship, digest, offset, size, body)
            case paths.GivenBack(relationship=relationship, author=author, start=start):
                return await house.give_back(peer, relationship, author, start)
            case paths.Payload(relationship=relationship, record=record, offset=offset):
                return await house.payload(peer, relationship, record, offset)
            case paths.Checkpoint():
                return await house.checkpoint(peer, route.chain)
            case paths.LedgerTile(tile=tile):
                return await house.tile(peer, route.chain, tile)
            case paths.OwnCard():
                return await house.card()
            case paths.Feed():
                raise Rejected("a feed is a channel: open it as a WebSocket", code="wrong-method")


def _path(request: HTTPConnection) -> str:
    """The path as it was sent and signed."""
    raw: bytes = request.scope["raw_path"]
    return raw.decode("latin-1")


def _route(request: HTTPConnection, method: str) -> paths.Route:
    """What is asked for (43).

    Raises:
        Rejected: ``unknown-path``, or ``wrong-method``.
    """
    if request.scope["query_string"]:
        raise Rejected("the exchange has no queries", code="unknown-path")
    route = paths.read(_path(request))
    if method != route.method:
        raise Rejected(f"{_path(request)[:200]!r} takes {route.method} only", code="wrong-method")
    return route


def _bounds(route: paths.Route) -> tuple[Lane, int]:
    if isinstance(route, paths.Exchange):
        return "records", PARCEL_BYTES_MAX
    if isinstance(route, paths.Piece):
        return "blobs", paths.PIECE_BYTES_MAX
    if isinstance(route, paths.Reconcile):
        return "reads", QUESTION_BYTES_MAX
    return "reads", 0


def _declared(request: Request, body_bytes_max: int) -> int:
    """The size of the body as the request declares it; HTTP holds it to that.

    Raises:
        Rejected: ``no-length`` or ``too-large``.
    """
    if "transfer-encoding" in request.headers:
        raise Rejected("a body must say its length first", code="no-length")
    size = read_decimal(request.headers.get("content-length", "0"), "content-length")
    if size > body_bytes_max:
        raise Rejected(f"a body of {size} bytes; at most {body_bytes_max} are taken here", code="too-large")
    return size


async def read_body(request: Request, size: int) -> bytes:
    """A body of at most ``size`` bytes, in the time that a line of ``BODY_BYTES_PER_SECOND`` needs for it.

    Raises:
        Rejected: ``too-large`` or ``slow-body``.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS + size / BODY_BYTES_PER_SECOND):
            async for piece in request.stream():
                body += piece
                if len(body) > size:
                    raise Rejected(f"a body of more than {size} bytes", code="too-large")
    except TimeoutError:
        raise Rejected(f"only {len(body)} bytes came in time, of up to {size}", code="slow-body") from None
    return bytes(body)
