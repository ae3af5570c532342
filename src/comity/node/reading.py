"""The door for readers of feeds: lines, server-sent events, or a WebSocket (``spec/feed.md`` step 17).

One request, a ``Follow`` as JSON, and then what the reader is told, for as long as he may read::

    POST /v1/read    accept: text/event-stream     server-sent events; ``Last-Event-ID`` says what he has
    POST /v1/read                                  one JSON object a line
    a WebSocket to /v1/read                        the request is the first text; then one JSON text each

Who reads is known before anything else is looked at: over the local socket by who can open it, over the network by the
signature of the person's own key over the request (or over the opening of the WebSocket). What was refused at the
beginning has its status; what ends later, ends with an event ``failed``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import aclosing, suppress

import msgspec
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from comity.answers import answer_error
from comity.courier.signature import READING_TAG, audience_of, verify_body, verify_request
from comity.courier.signature import read_request as read_claim
from comity.errors import Misuse, Refused, Rejected, Unavailable
from comity.feed.reading import Event, Message
from comity.flows.actors import Actor
from comity.flows.feeding.reading import Follow, Readers
from comity.flows.house import House
from comity.node.replay import Replays
from comity.record.card import read_card

READ = "/v1/read"
"""Where this door stands."""
REQUEST_BYTES_MAX = 64 * 1024
REQUEST_SECONDS = 10.0
"""How long whoever calls may take to say what he wants."""
BEAT_SECONDS = 10.0
"""A comment, or an empty line, is sent when nothing else was for so long: whoever has gone is then found out."""
RETRY_MILLISECONDS = 1_000
"""How soon a browser that was cut off comes back."""
CLOSED = 1000
REFUSED = 1008
EVENTS = "text/event-stream"
LINES = "application/x-ndjson"
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

Who = Callable[[HTTPConnection, bytes], Awaitable[str]]
"""Who has made a request with this body; raises what ``answer_error`` tells."""
_encode = msgspec.json.Encoder().encode


class ReadingDoor:
    """The ASGI application for readers.

    Args:
        readers: what follows feeds.
        who: authenticates whoever asks; the door of the local socket believes what the request says.
        path: where it stands.
        subprotocol: what a WebSocket has to speak; empty where nothing is asked.
    """

    def __init__(self, readers: Readers, who: Who | None = None, path: str = READ, subprotocol: str = "") -> None:
        self._readers = readers
        self._who = who
        self._path = path
        self._subprotocol = subprotocol
        self._ending = asyncio.Event()

    def end(self) -> None:
        """Tell every reader that the node stops."""
        self._ending.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One reader (ASGI)."""
        if scope["type"] == "websocket":
            await self._talk(WebSocket(scope, receive, send))
            return
        try:
            await self._answer(Request(scope, receive), receive, send)
        except (ClientDisconnect, OSError):
            return
        except Exception as error:  # noqa: BLE001 - one reader must not end the door; the log has the whole story
            status, body = answer_error(error, "a request to read a feed")
            with suppress(OSError, RuntimeError):
                await Response(body, status, HEADERS, "application/json")(scope, receive, send)

    # ---- HTTP ------------------------------------------------------------------------------------------------------

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        follow = await self._asked(request)
        sent_events = EVENTS in request.headers.get("accept", "")
        last = request.headers.get("last-event-id")
        if sent_events and last is not None:
            follow = msgspec.structs.replace(follow, after=_number(last))
        async with aclosing(self._readers.follow(follow)) as events:
            first = await anext(events)  # what is refused is refused before anything was sent
            kind = EVENTS if sent_events else LINES
            headers = [(b"content-type", kind.encode())]
            headers += [(name.encode(), value.encode()) for name, value in HEADERS.items()]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            write = _write_events if sent_events else _write_lines
            opening = b"retry: %d\n\n" % RETRY_MILLISECONDS if sent_events else b""
            await _send_body(send, opening + write(first))
            try:
                async for told in self._coming(events, gone(receive)):
                    await _send_body(send, write(told) if told else b":\n\n" if sent_events else b"\n")
            except OSError:
                raise
            except Exception as error:  # noqa: BLE001 - it has begun: what ends it is told where the events are
                failed = _failed(error)
                await _send_body(send, b"event: failed\ndata: %s\n\n" % failed if sent_events else failed + b"\n")
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _asked(self, request: Request) -> Follow:
        """What whoever asks wants to read."""
        self._check_path(request)
        if request.method != "POST":
            raise Misuse("a feed is read with POST, or over a WebSocket", code="wrong-method")
        body = await read_body(request, REQUEST_BYTES_MAX)
        return read_request(body, await self._who(request, body) if self._who is not None else None)

    def _check_path(self, request: HTTPConnection) -> None:
        if request.url.path != self._path:
            raise Rejected(f"there is nothing at {request.url.path[:200]!r}", code="unknown-path")

    def _check_subprotocol(self, socket: WebSocket) -> None:
        if self._subprotocol and self._subprotocol not in socket.scope["subprotocols"]:
            raise Misuse(f"what is spoken here is {self._subprotocol!r}", code="wrong-subprotocol")

    # ---- WebSocket -------------------------------------------------------------------------------------------------

    async def _talk(self, socket: WebSocket) -> None:
        try:
            self._check_path(socket)
            self._check_subprotocol(socket)
            by = await self._who(socket, b"") if self._who is not None else None
        except Exception as error:  # noqa: BLE001 - as below
            status, body = answer_error(error, "a reader whom nobody knows")
            await socket.receive()
            await socket.send_denial_response(Response(body, status, HEADERS, "application/json"))
            return
        code = CLOSED
        with suppress(OSError, RuntimeError, WebSocketDisconnect):
            await socket.accept(self._subprotocol or None)
            try:
                await self._tell(socket, by)
            except (OSError, WebSocketDisconnect):
                raise
            except Exception as error:  # noqa: BLE001 - one reader must not end the door; the log has the whole story
                code = REFUSED
                await socket.send_text(_failed(error).decode())
            await socket.close(code)

    async def _said(self, socket: WebSocket) -> str:
        """The first that a reader says."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await socket.receive_text()
        except (TimeoutError, KeyError):
            raise Rejected("a reader first says, as text, what he wants to read", code="malformed") from None

    async def _tell(self, socket: WebSocket, by: str | None) -> None:
        follow = read_request((await self._said(socket)).encode(), by)
        async with aclosing(self._readers.follow(follow)) as events:
            async for told in self._coming(events, left(socket)):
                for event in told:
                    await socket.send_text(_encode(event).decode())

    # ---- both ------------------------------------------------------------------------------------------------------

    async def _coming(
        self, events: AsyncIterator[Sequence[Event]], leaving: Coroutine[None, None, None]
    ) -> AsyncGenerator[Sequence[Event], None]:
        """What comes, and nothing where nothing has come for a while, until there is no more or the reader has gone.

        Raises:
            Unavailable: the node stops.
        """
        gone, ending = asyncio.ensure_future(leaving), asyncio.ensure_future(self._ending.wait())
        coming: asyncio.Future[Sequence[Event] | None] = asyncio.ensure_future(_next(events))
        try:
            while not gone.done():
                await asyncio.wait((coming, gone, ending), timeout=BEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                if ending.done():
                    raise Unavailable("the node stops; read on when it runs again", code="stopping")
                if not coming.done():
                    yield ()
                    continue
                told = coming.result()
                if told is None:
                    return
                yield told
                coming = asyncio.ensure_future(_next(events))
        finally:
            for each in (coming, gone, ending):
                each.cancel()
            await asyncio.gather(coming, gone, ending, return_exceptions=True)


class SignedReaders:
    """Who reads over the network: a person of this house who signs with his own key.

    Args:
        house: whose people they are.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._replays = Replays(int(house.now().timestamp()))

    async def __call__(self, request: HTTPConnection, body: bytes) -> str:
        """The person who signed the request.

        Raises:
            Rejected: nobody did, or not so; told alike for who is unknown and who signs with another key.
        """
        claim = read_claim(request.scope["headers"])
        now = int(self._house.now().timestamp())
        try:
            person = await self._house.person(claim.sender)
        except Misuse:
            raise Rejected("nobody of that name signs with this key here", code="unknown-key") from None
        method = "GET" if request.scope["type"] == "websocket" else str(request.scope["method"])
        path = request.scope["raw_path"].decode("latin-1")
        audience = audience_of(read_card(await self._house.card()))
        try:
            verify_request(claim, method, path, audience=audience, keys=(person.signing_key,), now=now, tag=READING_TAG)
        except Rejected as error:
            if error.code == "unknown-key":
                raise Rejected("nobody of that name signs with this key here", code="unknown-key") from None
            raise
        verify_body(claim, body)
        self._replays.admit(person.person, claim.nonce, claim.created, now)
        return claim.sender


async def _next(events: AsyncIterator[Sequence[Event]]) -> Sequence[Event] | None:
    try:
        return await anext(events)
    except StopAsyncIteration:
        return None


def read_request(body: bytes, by: str | None) -> Follow:
    """What somebody wants to read; whoever is authenticated asks for himself.

    Raises:
        Misuse: it is no request.
        Refused: he asks for somebody else.
    """
    try:
        follow = msgspec.json.decode(body, type=Follow)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Misuse(f"not a request to read a feed: {error}", code="malformed") from None
    if by is not None and follow.actor.handle != by:
        raise Refused(f"{by!r} signed this, and {follow.actor.handle!r} is to read", code="other-reader")
    return msgspec.structs.replace(follow, actor=Actor(follow.actor.handle))


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Misuse(f"{text[:40]!r} is not the number of a message", code="bad-event-id")
    return int(text)


def _write_lines(told: Sequence[Event]) -> bytes:
    return b"".join([_encode(event) + b"\n" for event in told])


def _write_events(told: Sequence[Event]) -> bytes:
    """Server-sent events; the number of a message is its id, so that whoever was cut off says what he has."""
    return b"".join(
        [
            (b"id: %d\n" % event.number if isinstance(event, Message) else b"")
            + b"event: %s\ndata: %s\n\n" % (str(type(event).__struct_config__.tag).encode(), _encode(event))
            for event in told
        ]
    )


def _failed(error: Exception) -> bytes:
    body = answer_error(error, "a reading")[1]
    return b'{"event":"failed",' + body[1:]


async def read_body(request: Request, most: int) -> bytes:
    """The body of a request.

    Raises:
        Rejected: it is longer than that, or comes too slowly.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            async for piece in request.stream():
                body += piece
                if len(body) > most:
                    raise Rejected(f"a request of more than {most} bytes", code="too-large")
    except TimeoutError:
        raise Rejected(f"only {len(body)} bytes of the request came in time", code="slow-body") from None
    return bytes(body)


async def _send_body(send: Send, piece: bytes) -> None:
    await send({"type": "http.response.body", "body": piece, "more_body": True})


async def gone(receive: Receive) -> None:
    """Return when whoever has asked is there no more."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def left(socket: WebSocket) -> None:
    """The same of a WebSocket."""
    with suppress(WebSocketDisconnect, RuntimeError, Unavailable):
        while True:
            await socket.receive_text()
