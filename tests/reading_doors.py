"""Both doors of Seoul's node to its readers: the local socket, and TLS with signed requests."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import msgspec

from comity.api import Node
from comity.courier.signature import READING_TAG, audience_of, sign_request
from comity.flows.table import FLOWS
from comity.node.local import LocalDoor, local_path
from comity.node.reading import READ, ReadingDoor, SignedReaders
from comity.node.serving import Serving, listen_tcp, listen_unix
from comity.node.tls import server_context
from comity.record.card import read_card, write_card
from comity.seal.certificate import make_certificate
from courier.keys import NOW
from feeds import FeedWorld


class Doors:
    """Both doors of Seoul's node."""

    def __init__(self, feeds: FeedWorld, folder: Path) -> None:
        self.feeds = feeds
        self.node = Node(folder)
        made = make_certificate("kr", NOW)
        (folder / "certificate").write_bytes(made.chain)
        (folder / "key").write_bytes(made.key)
        self.certificate = made.digest
        self.listener = listen_tcp("127.0.0.1", 0)
        self.address = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        app = ReadingDoor(feeds.readers)
        local = LocalDoor(feeds.world.kr, FLOWS, self.after, apps={READ: app})
        signed = ReadingDoor(feeds.readers, SignedReaders(feeds.world.kr))
        tls = server_context(folder / "certificate", folder / "key")
        self.serving = (
            Serving(local, listen_unix(local_path(folder)), ending=app.end),
            Serving(signed, self.listener, tls, ending=signed.end),
        )
        self.nonces = 0

    async def after(self, flow: str) -> None:
        pass

    async def signed(
        self, handle: str, body: bytes, *, method: str = "POST", tag: str = READING_TAG, key: object = None
    ) -> dict[str, str]:
        house = self.feeds.world.kr
        self.nonces += 1
        return sign_request(
            method,
            READ,
            body,
            sender=handle,
            audience=audience_of(read_card(await house.card())),
            nonce=self.nonces.to_bytes(16, "big"),
            created=int(self.feeds.world.clock.time.timestamp()),
            signer=key or house.keys.person((await house.person(handle)).person),
            tag=tag,
        )

    async def card(self, **changes: object) -> bytes:
        """Seoul's card, with the certificate that this door shows."""
        house = self.feeds.world.kr
        card = msgspec.structs.replace(read_card(await house.card()), certificate=self.certificate)
        return write_card(msgspec.structs.replace(card, **changes), house.keys.root().sign)

    def local(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self.node.folder / "node.sock")))
