"""Feeds as CloudEvents over HTTP: publishing and reading (``spec/doors.md`` steps 6 and 19 to 21).

::

    POST /v1/events?feed=FEED       events in structured, binary or batched mode: as its Content-Type says
    POST /v1/read/events            a ``Follow`` as JSON: answered with a batch of events
    a WebSocket to /v1/read/events  with the subprotocol ``cloudevents.json``: an event each text, the request too

Who publishes over the network shows a token; who reads is known as at the other door for readers. The one module of
the node that knows a door: what it hands to the feed are messages.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, suppress

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from comity.answers import answer_error
from comity.doors.event_headers import BATCHED, read_http
from comity.doors.events import Structured, read_data, telling
from comity.doors.passing import DOCUMENT_BYTES_MAX, Setting
from comity.errors import Misuse, Rejected
from comity.feed.reading import Event, Gap, LeftOut, Message, Started
from comity.feed.schema import Refused
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.names import Authority, FeedName
from comity.flows.feeding.reading import Readers
from comity.flows.feeding.requests import REFUSALS_TOLD, Published, RefusedMessage
from comity.node.feeds import request_number
from comity.node.reading import HEADERS, ReadingDoor, Who, gone, left, read_body, read_request
from comity.node.sources import Tokens
from comity.ports import Clock

EVENTS = "/v1/events"
"""Where events are published."""
READ_EVENTS = "/v1/read/events"
"""Where feeds are read as events."""
SUBPROTOCOL = "cloudevents.json"
"""The subprotocol of the WebSocket binding of CloudEvents for events as JSON."""
FOLLOW = "comity.follow"
"""The type of the event that says, over a WebSocket, what somebody wants to read."""
BATCH_EVENTS = 1_000
"""An answer ends with the batch of the feed with which it has so many events."""
SETTLE_SECONDS = 0.1
"""An answer ends when nothing more has come for so long."""
WAIT_SECONDS_MAX = 60
"""How long an answer waits, at most, for the first message (``Prefer: wait=SECONDS``, RFC 7240)."""
NOTHING_TAKEN = 422


class PublishingDoor:
    """The ASGI application for whoever publishes events (19, 20).

    Args:
        feeds: what is published to.
        authority: what says which messages there are.
        clock: of this node.
        tokens: who may; None where whoever gets here is believed.
    """

    def __init__(self, feeds: Feeds, authority: Authority, clock: Clock, tokens: Tokens | None = None) -> None:
        self._feeds = feeds
        self._authority = authority
        self._clock = clock
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        try:
            status, body = await self._answer(Request(scope, receive))
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - one request must not end the door; the log has the whole story
            status, body = answer_error(error, "a request to publish events")
        with suppress(OSError, RuntimeError):
            await Response(body, status, HEADERS, "application/json")(scope, receive, send)

    async def _answer(self, request: Request) -> tuple[int, bytes]:
        if request.url.path != EVENTS:
            raise Rejected(f"there is nothing at {request.url.path[:200]!r}", code="unknown-path")
        if request.method != "POST":
            raise Misuse("events are published with POST", code="wrong-method")
        asked = request.query_params
        feed = asked.get("feed", "")
        source, whose = asked.get("source", ""), ""
        if self._tokens is not None:
            whose = self._tokens.check(request.headers.get("authorization", ""), feed)
        number = request_number(asked)
        body = await read_body(request, DOCUMENT_BYTES_MAX)
        name = await self._feeds.named(feed, asked.get("relationship", ""))
        schema = (await self._authority.gate(name)).schema
        setting = Setting(now=self._clock.now, schema=schema, prefix=asked.get("prefix", ""))
        passed = list(read_http(request.headers.items(), body, setting))
        publisher = await self._feeds.publisher(name)
        messages = [each for each in passed if isinstance(each, bytes)]
        taken = await publisher.publish(messages, whose + source if source else "", number)
        told = _together(passed, taken)
        return 200 if told.accepted or told.repeated or not told.refused else NOTHING_TAKEN, msgspec.json.encode(told)


def _together(passed: Sequence[bytes | Refused], taken: Published) -> Published:
    """What became of each event: those that the door refused, and those that the feed did."""
    places = [place for place, each in enumerate(passed) if isinstance(each, bytes)]
    said = [RefusedMessage(n, each.code, each.sentence) for n, each in enumerate(passed) if isinstance(each, Refused)]
    refused = Counter(taken.refused) + Counter(each.code for each in said)
    said += [RefusedMessage(places[each.place], each.code, each.sentence) for each in taken.told]
    told = tuple(sorted(said, key=lambda each: each.place)[:REFUSALS_TOLD])
    return Published(accepted=taken.accepted, repeated=taken.repeated, refused=dict(refused), told=told)


class EventReadingDoor(ReadingDoor):
    """The ASGI application for whoever reads feeds as events (21).

    Args:
        readers: what follows feeds.
        clock: of this node.
        who: authenticates whoever asks; None where what a request says is believed.
    """

    def __init__(self, readers: Readers, clock: Clock, who: Who | None = None) -> None:
        super().__init__(readers, who, READ_EVENTS, SUBPROTOCOL)
        self._clock = clock

    async def _answer(self, request: Request, receive: Receive, send: Send) -> None:
        """A batch: what is there after what the reader has, or what comes while he waits."""
        follow = await self._asked(request)
        wait = _wait(request.headers.get("prefer", ""))
        loop = asyncio.get_running_loop()
        async with aclosing(self._readers.follow(follow)) as events:
            written = _Written(request.query_params, self._clock)
            found = list(written.events(await anext(events)))
            until = loop.time() + wait
            async with aclosing(self._coming(events, gone(receive))) as coming:
                while written.messages < BATCH_EVENTS:
                    pause = SETTLE_SECONDS if written.messages else max(SETTLE_SECONDS, until - loop.time())
                    try:
                        async with asyncio.timeout(pause):
                            found += written.events(await anext(coming))
                    except (TimeoutError, StopAsyncIteration):
                        break
        headers = {**HEADERS, "comity-next": str(written.next)}
        await Response(b"[" + b",".join(found) + b"]", 200, headers, BATCHED)(request.scope, receive, send)

    async def _tell(self, socket: WebSocket, by: str | None) -> None:
        """Every event is a text."""
        said = msgspec.json.encode(read_data((await self._said(socket)).encode(), FOLLOW))
        async with aclosing(self._readers.follow(read_request(said, by))) as events:
            written = _Written(socket.query_params, self._clock)
            async for told in self._coming(events, left(socket)):
                for each in written.events(told):
                    await socket.send_text(each.decode())


class _Written:
    """What one reader is told, as events in structured mode.

    Attributes:
        messages: how many messages were among it.
        next: the number of the message that comes next.
    """

    def __init__(self, asked: Mapping[str, str], clock: Clock) -> None:
        self._setting = Setting(now=clock.now, prefix=asked.get("prefix", ""), origin=asked.get("origin", ""))
        self._writer = Structured(self._setting)
        self._source = ""
        self._told = 0
        self.messages = 0
        self.next = 0

    def events(self, told: Sequence[Event]) -> Iterator[bytes]:
        """The events of what he is told; what can not be one is told of in its place."""
        for each in told:
            if isinstance(each, Message):
                self.messages += 1
                self.next = each.number + 1
                for passed in self._writer.take(each.number, bytes(each.view)):
                    yield passed if isinstance(passed, bytes) else self._telling("refused", each.number, passed)
                continue
            if isinstance(each, Started):
                self._begin(each)
            elif isinstance(each, LeftOut) or (isinstance(each, Gap) and not each.source):
                self.next = max(self.next, each.last + 1)
            yield self._telling(str(type(each).__struct_config__.tag), None, each)

    def _begin(self, started: Started) -> None:
        name = FeedName(started.relationship, started.publisher, started.feed)
        origin = self._setting.origin or name.origin
        self._writer = Structured(msgspec.structs.replace(self._setting, origin=origin))
        self._source = f"{origin}/reading/{started.decision_record[:16]}"
        self.next = started.next

    def _telling(self, what: str, number: int | None, said: Event | Refused) -> bytes:
        self._told += 1
        fields = msgspec.to_builtins(said)
        fields.pop("event", None)
        if number is not None:
            fields["number"] = number
        return telling(f"comity.{what}", self._source, self._told, fields)


def _wait(prefer: str) -> float:
    """How long somebody prefers to wait; what is no number of seconds is no wish."""
    for each in prefer.split(","):
        name, _, value = each.strip().partition("=")
        if name.lower() == "wait" and value.isascii() and value.isdigit() and len(value) < 5:
            return min(int(value), WAIT_SECONDS_MAX)
    return 0.0
