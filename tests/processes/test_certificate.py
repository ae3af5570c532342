"""The certificate of a real node changes under way (``spec/keys.md`` steps 48 to 51)."""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from comity.courier.http import HttpCourier
from comity.errors import ComityError, Unavailable
from comity.flows.agreeing.founding import CardShown, ShowCard
from comity.flows.maintaining.rotating import KeysChanged, RevokeKey, RotateKey
from comity.node.run import SystemClock, found, serve
from comity.node.settings import Settings
from comity.record.card import Card, read_card
from courier.keys import Key
from node.processes import Node, pair, until
from node.test_changing_keys import enrol, told
from node.test_run import acknowledge, adopt


def shown(node: Node) -> bytes:
    """The digest of the certificate that a new connection to the node gets."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    port = int(node.card.addresses[0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as line, context.wrap_socket(line) as tls:
        return sha256(tls.getpeercert(binary_form=True) or b"").digest()


def card(node: Node) -> Card:
    return read_card(node.ask("card.show", ShowCard(), CardShown).card)


def refusal(to: Card) -> str:
    """What a request to the party of a card is refused with, before or behind the connection; its code."""

    async def ask() -> str:
        signer = Key("a stranger")
        courier = HttpCourier(
            to, sender="jp", signer=lambda: signer, clock=SystemClock(), entropy=os.urandom, reply_bytes_max=1_000
        )
        try:
            await courier.send("POST", "/v1/exchange/jp-kr-2016/jp.kr", b"", {})
        except ComityError as error:
            return error.code
        finally:
            await courier.close()
        return ""

    return asyncio.run(ask())


def test_peers_connect_through_every_change_of_a_certificate(tmp_path: Path) -> None:
    with pair(tmp_path) as (jp, kr):
        for node, peer in ((jp, "kr"), (kr, "jp")):
            adopt(node, peer)
            acknowledge(node)
        until(lambda: jp.acknowledged() == kr.acknowledged() == ("jp", "kr"))
        old = card(kr)

        # While two overlap, the one is shown that is known to a peer who has not heard of the change.
        kr.ask("keys.rotate", RotateKey(purpose="tls"), KeysChanged)
        rotated = card(kr)
        assert shown(kr) == old.certificate != rotated.certificate
        for each in (old, rotated):
            assert refusal(each) == "unsigned-reply"  # it connects; that nobody knows this signer comes later
        enrol(jp, "first")
        until(lambda: told(jp) and told(kr))
        for node in (kr, jp):
            node.end()
            node.start()
        assert shown(kr) == old.certificate
        enrol(jp, "second")
        until(lambda: told(jp) and not any(road.failures for road in jp.status().roads))

        # (50) Revoked, it is shown no more by the node as it runs, and nobody who has the newest card takes it.
        stolen = old.certificate.hex()[:16]
        revoke = RevokeKey(purpose="tls", since=datetime.now(UTC), key=stolen)
        kr.ask("keys.revoke", revoke, KeysChanged)
        newest = card(kr)
        assert shown(kr) == newest.certificate == rotated.certificate
        assert refusal(old) == "wrong-certificate"
        assert refusal(newest) == "unsigned-reply"
        assert newest.taken("tls", datetime.now(UTC)) == (newest.certificate,)
        until(lambda: told(kr))  # (51) what Seoul sends brings Tokyo the card
        jp.end()
        jp.start()
        enrol(jp, "third")
        until(lambda: told(jp) and not any(road.failures for road in jp.status().roads))
        assert not (kr.folder / "tls" / "key.pem").exists()  # (49)


async def test_a_node_whose_certificate_is_not_there_says_so_when_it_starts(tmp_path: Path) -> None:
    await found(tmp_path / "jp", Settings(party="jp"), "Japan")
    (tmp_path / "jp" / "tls" / "key.pem").unlink()
    with pytest.raises(Unavailable, match="which this party's card names, is not here with its key"):
        await serve(tmp_path / "jp", lambda _: None, asyncio.Event())
