"""The courier over HTTPS: signs what it sends, verifies what it brings back (``spec/exchange.md`` steps 45 and 48).

The server's certificate is pinned by the digests on the peer's card, before the first byte of a request leaves; no
authority vouches for anything. A reply counts only with the peer's signature over it.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from hashlib import sha256

import aiohttp

from comity.answers import read_error
from comity.courier.signature import NONCE_BYTES, audience_of, sign_request, valid_card, verify_reply
from comity.errors import Rejected, Unavailable
from comity.ports import Channel, Clock, Entropy, Reply, Signer
from comity.record.card import Card

CONNECT_SECONDS = 10.0
"""A peer that does not take a connection in this time is down."""
SILENCE_SECONDS = 60.0
"""Longest silence between two pieces of a reply: the peer may be waiting for its disk."""
TOTAL_SECONDS = 600.0
"""Longest request with its reply: 64 MiB at 1 Mbit/s."""
KEEP_ALIVE_SECONDS = 60.0
"""How long an idle connection is kept; shorter than the server keeps it, so that none is used while it closes."""
CONNECTIONS_MAX = 8
"""Connections to one peer: within its quota of requests in flight."""
HEARTBEAT_SECONDS = 10.0
"""How often a peer is asked over an open channel whether it is there; half as long it has to answer."""
CLOSING_SECONDS = 5.0
"""How long a peer may take to say goodbye."""
SECURE = "https://"
SENTENCE_CHARACTERS_MAX = 300
"""How much is told of what was not signed."""


class Pins(aiohttp.Fingerprint):
    """The certificates that the party of a card may show: at the instant of a connection, as with other keys."""

    def __init__(self, card: Card, now: Callable[[], datetime]) -> None:
        super().__init__(card.certificate)
        self._card = card
        self._now = now

    def check(self, transport: asyncio.Transport) -> None:
        """Called once for each new connection, before anything is sent."""
        shown = sha256(transport.get_extra_info("ssl_object").getpeercert(binary_form=True)).digest()
        if shown not in self._card.taken("tls", self._now()):
            host, port, *_ = transport.get_extra_info("peername")
            raise aiohttp.ServerFingerprintMismatch(self._card.certificate, shown, host, port)


class HttpCourier:
    """Carries requests to the peer of one card; make another one when the card changes.

    Args:
        card: the peer's card.
        sender: our party id.
        signer: gives our transport key of now.
        clock: for the second in each signature.
        entropy: for nonces.
        reply_bytes_max: largest reply body that is read.
    """

    def __init__(
        self,
        card: Card,
        *,
        sender: str,
        signer: Callable[[], Signer],
        clock: Clock,
        entropy: Entropy,
        reply_bytes_max: int,
    ) -> None:
        self._card = card
        self._audience = audience_of(card)
        self._addresses = [address.rstrip("/") for address in card.addresses if address.startswith(SECURE)]
        self._sender = sender
        self._signer = signer
        self._clock = clock
        self._entropy = entropy
        self._reply_bytes_max = reply_bytes_max
        self._tls = _context()
        self._session: aiohttp.ClientSession | None = None

    async def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """One signed request and its verified reply; the peer's addresses are tried in the order of its card.

        Raises:
            Unavailable: ``no-address``, ``peer-unreachable``, ``peer-timeout``, ``peer-cut``, or ``unsigned-reply``:
                whatever answered did not sign, so it may be anybody.
            Rejected: ``card-ended``, ``wrong-certificate``, ``reply-too-large``, or a signature that does not verify.
        """
        valid_card(self._card, self._clock.now())
        if not self._addresses:
            raise Unavailable(
                f"the card of {self._card.party!r} names no https address; exchange with it by pouch", code="no-address"
            )
        for address in self._addresses[:-1]:
            try:
                return await self._send(address, method, path, body, headers)
            except Unavailable:
                continue
        return await self._send(self._addresses[-1], method, path, body, headers)

    @asynccontextmanager
    async def channel(self, path: str, bytes_max: int) -> AsyncIterator[Channel]:
        """A WebSocket to the peer, opened by a signed request; the peer's addresses are tried in the order of its card.

        The answer to the opening is not signed: what comes over the channel is, by whatever it is a channel for.

        Args:
            path: what to open.
            bytes_max: longest thing that is taken from it.

        Raises:
            Unavailable: as ``send``, or ``channel-refused``: the peer does not open it.
            Rejected: ``card-ended``, ``wrong-certificate``.
        """
        valid_card(self._card, self._clock.now())
        if not self._addresses:
            raise Unavailable(
                f"the card of {self._card.party!r} names no https address; a feed needs one", code="no-address"
            )
        socket = None
        for number, address in enumerate(self._addresses, 1):
            try:
                socket = await self._dial(address, path, bytes_max)
                break
            except Unavailable:
                if number == len(self._addresses):
                    raise
        assert socket is not None  # dialled, or raised
        try:
            yield SocketChannel(socket)
        finally:
            await socket.close()

    async def _dial(self, address: str, path: str, bytes_max: int) -> aiohttp.ClientWebSocketResponse:
        with self._translated(address):
            try:
                return await self._open().ws_connect(
                    address + path,
                    headers=self._signed("GET", path, b"", self._entropy(NONCE_BYTES)),
                    ssl=self._tls,
                    max_msg_size=bytes_max,
                    heartbeat=HEARTBEAT_SECONDS,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSING_SECONDS),
                )
            except aiohttp.WSServerHandshakeError as error:
                raise Unavailable(
                    f"the peer answered {error.status} and opened no channel", code="channel-refused", place=address
                ) from None

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _send(self, address: str, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        nonce = self._entropy(NONCE_BYTES)
        with self._translated(address):
            async with self._open().request(
                method,
                address + path,
                data=body or None,
                headers={**headers, **self._signed(method, path, body, nonce)},
                ssl=self._tls,
                allow_redirects=False,
            ) as response:
                content = await self._read(response)
                status, raw = response.status, response.raw_headers
        try:
            verify_reply(status, content, raw, nonce=nonce, keys=self._card.taken("transport", self._clock.now()))
        except Rejected as error:
            if error.code == "unsigned":
                raise Unavailable(
                    f"answered {status} without a signature: {_says(content)}", code="unsigned-reply", place=address
                ) from None
            raise
        return Reply(status, content)

    def _signed(self, method: str, path: str, body: bytes, nonce: bytes) -> dict[str, str]:
        return sign_request(
            method,
            path,
            body,
            sender=self._sender,
            audience=self._audience,
            nonce=nonce,
            created=int(self._clock.now().timestamp()),
            signer=self._signer(),
        )

    @contextmanager
    def _translated(self, address: str) -> Iterator[None]:
        """While something goes over the line, turn what the HTTP library says into our errors."""
        try:
            yield
        except aiohttp.ServerFingerprintMismatch as error:
            raise Rejected(
                f"the server shows a certificate with digest {error.got.hex()[:16]}…, the card of "
                f"{self._card.party!r} says {self._card.certificate.hex()[:16]}…",
                code="wrong-certificate",
                place=address,
            ) from None
        except TimeoutError:
            raise Unavailable("no answer in time", code="peer-timeout", place=address) from None
        except aiohttp.ClientConnectorError as error:
            raise Unavailable(f"cannot be reached: {error.strerror}", code="peer-unreachable", place=address) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"the connection broke: {error}", code="peer-cut", place=address) from None

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        pieces: list[bytes] = []
        size = 0
        async for piece in response.content.iter_any():
            size += len(piece)
            if size > self._reply_bytes_max:
                response.close()
                raise Rejected(
                    f"a reply of more than {self._reply_bytes_max} bytes",
                    code="reply-too-large",
                    place=str(response.url),
                )
            pieces.append(piece)
        return b"".join(pieces)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            # The pin stands on the connector and the context on the request: so both apply.
            connector = aiohttp.TCPConnector(
                ssl=Pins(self._card, self._clock.now),
                limit=CONNECTIONS_MAX,
                keepalive_timeout=KEEP_ALIVE_SECONDS,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(
                    total=TOTAL_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
                ),
                auto_decompress=False,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        return self._session


class SocketChannel:
    """A ``ports.Channel`` over a WebSocket of ours."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def send(self, data: bytes) -> None:
        """See ``ports.Channel.send``."""
        try:
            await self._socket.send_bytes(data)
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"the channel is cut: {error}", code="channel-cut") from None

    async def receive(self) -> bytes:
        """See ``ports.Channel.receive``."""
        try:
            message = await self._socket.receive()
        except (aiohttp.ClientError, OSError) as error:
            raise Unavailable(f"the channel is cut: {error}", code="channel-cut") from None
        if message.type is aiohttp.WSMsgType.BINARY:
            data: bytes = message.data
            return data
        if message.type is aiohttp.WSMsgType.TEXT:
            raise Rejected("a text came over a channel that carries bytes", code="bad-word")
        raise Unavailable("the channel is cut", code="channel-cut")


def _says(body: bytes) -> str:
    """What an answer says that nobody signed: its sentence where it has one."""
    try:
        return f"{read_error(body).sentence[:SENTENCE_CHARACTERS_MAX]!r}"
    except Rejected:
        return f"{body[:SENTENCE_CHARACTERS_MAX].decode(errors='replace')!r}"


def _context() -> ssl.SSLContext:
    """TLS 1.3; the certificate is checked against the pin, not against authorities or names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
