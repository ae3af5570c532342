"""A house that keeps its promises and nothing else, behind the real door, over real TLS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

from comity.courier.http import HttpCourier
from comity.errors import Refused, Rejected
from comity.flows.exchanging.parcel import PARCEL_BYTES_MAX
from comity.ledger.tiles import BundleId, TileId
from comity.node.quota import Quotas
from comity.node.server import PeerDoor
from comity.node.serving import Serving, listen_tcp
from comity.node.tls import server_context
from comity.record.card import Card, write_card
from comity.seal.certificate import make_certificate
from courier.keys import NOW, Clock, Key, card, seeded

RELATIONSHIP = "jp-kr-2016/jp.kr"
PLENTY = 2**40


class FakeKeys:
    def __init__(self, party: str) -> None:
        self.transport = Key(f"{party} transport")


class FakeHouse:
    """Implements what the doors ask of a house; answers a parcel with its reverse."""

    def __init__(self, own: Card, peers: list[Card]) -> None:
        self.own = own
        self.party = own.party
        self.keys = FakeKeys(own.party)
        self.peers = {peer.party: peer for peer in peers}
        self.taken: list[tuple[str, str, bytes]] = []
        self.blobs: dict[bytes, bytes] = {}
        self.hold: asyncio.Event | None = None
        self.defect: Exception | None = None

    def transport(self) -> Key:
        return self.keys.transport

    async def card(self) -> bytes:
        return write_card(self.own, Key(f"{self.party} root").sign)

    async def peer_card(self, party: str) -> Card:
        if party not in self.peers:
            raise Refused(f"{party!r} is not a peer of {self.party!r}", code="unknown-peer")
        return self.peers[party]

    def check(self, peer: str, relationship: str) -> None:
        if (peer, relationship) != ("jp", RELATIONSHIP):
            raise Refused(f"no agreement runs here as {relationship!r} with that party", code="unknown-relationship")

    async def take_parcel(self, peer: str, relationship: str, body: bytes) -> bytes:
        self.check(peer, relationship)
        if self.hold is not None:
            await self.hold.wait()
        if self.defect is not None:
            raise self.defect
        self.taken.append((peer, relationship, body))
        return body[::-1]

    async def answer_question(self, peer: str, relationship: str, body: bytes) -> bytes:
        self.check(peer, relationship)
        return b"answer to " + body

    async def blob_received(self, peer: str, relationship: str, digest: bytes) -> int:
        self.check(peer, relationship)
        return len(self.blobs.get(digest, b""))

    async def blob_append(
        self, peer: str, relationship: str, digest: bytes, offset: int, size: int, piece: bytes
    ) -> int:
        self.check(peer, relationship)
        before = self.blobs.get(digest, b"")
        if len(before) != offset:
            raise Rejected(f"the upload stands at byte {len(before)}", code="upload-offset")
        self.blobs[digest] = before + piece
        if len(before) + len(piece) == size and sha256(self.blobs[digest]).digest() != digest:
            raise Rejected("the whole does not match its digest", code="upload-digest")
        return len(self.blobs[digest])

    async def checkpoint(self, peer: str, chain: str) -> bytes:
        self.check(peer, chain.rpartition("/")[0])
        return b"checkpoint of " + chain.encode()

    async def tile(self, peer: str, chain: str, tile: TileId | BundleId) -> bytes:
        self.check(peer, chain.rpartition("/")[0])
        return bytes([getattr(tile, "level", 255), tile.index]) * tile.width


class World:
    """A door of ``kr`` that listens, and couriers of ``jp`` to it."""

    def __init__(self, folder: Path, quotas: Quotas, free: int) -> None:
        made = make_certificate("kr", NOW)
        (folder / "certificate").write_bytes(made.chain)
        (folder / "key").write_bytes(made.key)
        self.listener = listen_tcp("127.0.0.1", 0)
        self.port: int = self.listener.getsockname()[1]
        self.address = f"https://127.0.0.1:{self.port}"
        self.clock = Clock()
        self.free = free
        self.heard: list[str] = []
        self.jp = card("jp")
        self.kr = card("kr", certificate=made.digest, addresses=(self.address,))
        self.house = FakeHouse(self.kr, [self.jp])
        self.seconds = 0.0
        self.door = PeerDoor(
            self.house,
            clock=self.clock,
            monotonic=lambda: self.seconds,
            quotas=quotas,
            free_bytes=lambda: self.free,
            seen=self.heard.append,
        )
        self.tls = server_context(folder / "certificate", folder / "key")

    @asynccontextmanager
    async def courier(
        self,
        *,
        to: Card | None = None,
        sender: str = "jp",
        seed: str = "nonces",
        reply_bytes_max: int = PARCEL_BYTES_MAX,
    ) -> AsyncIterator[HttpCourier]:
        courier = HttpCourier(
            to or self.kr,
            sender=sender,
            signer=lambda: Key(f"{sender} transport"),
            clock=self.clock,
            entropy=seeded("nonces"),
            reply_bytes_max=reply_bytes_max,
        )
        try:
            yield courier
        finally:
            await courier.close()


@asynccontextmanager
async def running(folder: Path, quotas: Quotas | None = None, free: int = PLENTY) -> AsyncIterator[World]:
    """A world whose door is open."""
    world = World(folder, quotas or Quotas(), free)
    serving = Serving(world.door, world.listener, world.tls)
    task = asyncio.create_task(serving.run())
    try:
        yield world
    finally:
        serving.stop()
        await task
