"""``spec/witness.md`` steps 41 to 44: ledgers over HTTP, read by a client that knows only the text of tlog-tiles."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from http.client import HTTPConnection

import pytest

from comity.errors import Misuse
from comity.ledger.proof import verify_consistency, verify_inclusion
from comity.ledger.tiles import BundleId, TileId, read_bundle
from comity.ledger.tree import TreeHead, leaf_hash
from comity.node.ledger_door import LedgerDoor
from comity.node.serving import Serving, listen_tcp
from ledger.reference import mth
from ledger.stranger import Stranger, spelt
from node.ledgers import CHAIN, OTHER, SECRET, SIZES, Ledger


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    made = Ledger()
    asyncio.run(made.grow())
    return made


@pytest.fixture
async def port(ledger: Ledger) -> AsyncIterator[int]:
    listener: socket.socket = listen_tcp("127.0.0.1", 0)
    door = Serving(LedgerDoor(ledger.reads, ledger.checkpoint, ledger.ledgers.tile), listener)
    task = asyncio.create_task(door.run())
    yield listener.getsockname()[1]
    door.stop()
    await task


def ask(port: int, path: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    line = HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        line.request(method, path)
        reply = line.getresponse()
        return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
    finally:
        line.close()


def stranger(port: int, prefix: str = f"/{SECRET}/{CHAIN}") -> Stranger:
    line = HTTPConnection("127.0.0.1", port, timeout=60)

    def fetch(path: str) -> bytes:
        line.request("GET", f"{prefix}/{path}")
        reply = line.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise LookupError(path)
        return body

    return Stranger(fetch)


async def test_a_stranger_verifies_at_every_size(ledger: Ledger, port: int) -> None:  # (41) (43)
    """Roots, inclusion and consistency, made from nothing but tiles; an older tree is still there when it has grown."""
    chance = random.Random(11)

    def verify(size: int) -> None:
        client = stranger(port)
        origin, stated, root = client.checkpoint()
        assert (origin, stated, root) == (f"comity/{CHAIN}", size, client.root(size))
        head = TreeHead(size, root)
        for index in {0, size - 1, *(chance.randrange(size) for _ in range(4))}:
            leaf = client.node(index, index + 1, size)
            assert leaf == leaf_hash(ledger.leaves[index])
            verify_inclusion(leaf, index, head, client.inclusion(index, size))
        for old in [each for each in SIZES if each < size]:
            proof = client.consistency(old, size)
            verify_consistency(ledger.heads[old], head, proof)
            assert stranger(port).root(old) == ledger.heads[old].root

    assert ledger.heads[513].root == mth(ledger.leaves[:513])
    for size in SIZES:
        ledger.marked.sizes[CHAIN] = size
        await asyncio.to_thread(verify, size)


async def test_tiles_beyond_the_mark_are_not_there(ledger: Ledger, port: int) -> None:  # (43)
    ledger.marked.sizes[CHAIN] = 300
    prefix = f"/{SECRET}/{CHAIN}/tile"
    expected = {"0/000": 200, "0/000.p/7": 200, "0/001.p/44": 200, "0/001.p/45": 404, "0/001": 404, "0/002.p/1": 404}
    expected |= {"1/000.p/1": 200, "1/000.p/2": 404, "1/000": 404, "2/000.p/1": 404, "63/000.p/1": 404}
    for path, status in expected.items():
        assert (await asyncio.to_thread(ask, port, f"{prefix}/{path}"))[0] == status, path


async def test_what_is_said_beside_it(ledger: Ledger, port: int) -> None:  # (42)
    ledger.marked.sizes[CHAIN] = 300
    status, headers, body = await asyncio.to_thread(ask, port, f"/{SECRET}/{CHAIN}/checkpoint")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert headers["cache-control"] == "no-cache"
    status, headers, tile = await asyncio.to_thread(ask, port, f"/{SECRET}/{CHAIN}/tile/0/000")
    assert (headers["content-type"], len(tile)) == ("application/octet-stream", 8192)
    assert headers["cache-control"] == "private, max-age=31536000, immutable"
    for path, length in (("checkpoint", len(body)), ("tile/0/000", 8192)):
        status, headers, nothing = await asyncio.to_thread(ask, port, f"/{SECRET}/{CHAIN}/{path}", "HEAD")
        assert (status, headers["content-length"], nothing) == (200, str(length), b"")


async def test_everything_else_is_nothing(ledger: Ledger, port: int) -> None:  # (44)
    ledger.marked.sizes[CHAIN] = 300
    for path in (
        "/",
        "/checkpoint",
        f"/{SECRET}/checkpoint",
        f"/{'b' * 32}/{CHAIN}/checkpoint",
        f"/{SECRET}x/{CHAIN}/checkpoint",
        f"//{CHAIN}/checkpoint",
        f"/{SECRET}/jp-kr-2016/jp.kr/kr/checkpoint",
        f"/{SECRET}/{OTHER}/checkpoint",  # it has no record yet
        f"/{SECRET}/{CHAIN}/tile/entries/000",
        f"/{SECRET}/{CHAIN}/tile/entries/000.p/9",
        f"/{SECRET}/{CHAIN}/tile/00/000",
        f"/{SECRET}/{CHAIN}/tile/64/000",
        f"/{SECRET}/{CHAIN}/tile/0/0",
        f"/{SECRET}/{CHAIN}/tile/0/000.p/256",
        f"/{SECRET}/{CHAIN}/tile/0/000.p/0",
        f"/{SECRET}/{CHAIN}/tile/0/000?x=1",
        f"/{SECRET}/{CHAIN}/checkpoint/",
        f"/{SECRET}/{CHAIN}/../{CHAIN}/checkpoint",
        f"/{SECRET}/{CHAIN}/" + "x" * 2_000,
    ):
        status, headers, body = await asyncio.to_thread(ask, port, path)
        assert (status, body, headers["cache-control"]) == (404, b"", "no-store"), path
    assert (await asyncio.to_thread(ask, port, f"/{SECRET}/{CHAIN}/checkpoint", "POST"))[0] == 405
    assert (await asyncio.to_thread(ask, port, f"/{'b' * 32}/{CHAIN}/checkpoint", "POST"))[0] == 404


async def test_the_ledger_of_the_house_has_a_shorter_name(ledger: Ledger, port: int) -> None:
    ledger.marked.sizes[OTHER] = 2
    try:
        status, _, body = await asyncio.to_thread(ask, port, f"/{SECRET}/{OTHER}/checkpoint")
        assert (status, body.split(b"\n")[0]) == (200, b"comity/domestic/jp")
    finally:
        ledger.marked.sizes[OTHER] = 0


async def test_a_mark_that_cannot_be_written_shows_nothing(ledger: Ledger, port: int) -> None:  # (43)
    ledger.marked.sizes[OTHER] = -1
    try:
        assert (await asyncio.to_thread(ask, port, f"/{SECRET}/{OTHER}/checkpoint"))[0] == 503
    finally:
        ledger.marked.sizes[OTHER] = 0


async def test_entry_bundles_as_a_peer_gets_them(ledger: Ledger) -> None:  # (40) (43)
    ledger.marked.sizes[CHAIN] = 300
    assert read_bundle(await ledger.ledgers.bundle(CHAIN, BundleId(0)), 256) == tuple(ledger.leaves[:256])
    assert read_bundle(await ledger.ledgers.bundle(CHAIN, BundleId(1, 44)), 44) == tuple(ledger.leaves[256:300])
    assert read_bundle(await ledger.ledgers.bundle(CHAIN, BundleId(1, 7)), 7) == tuple(ledger.leaves[256:263])
    for bundle in (BundleId(1, 45), BundleId(1), BundleId(2, 1)):
        with pytest.raises(Misuse):
            await ledger.ledgers.bundle(CHAIN, bundle)
    with pytest.raises(Misuse):
        await ledger.ledgers.tile(CHAIN, TileId(0, 1))


def test_the_strangers_spelling() -> None:
    assert [spelt(index) for index in (0, 999, 1000, 1_234_067)] == ["000", "999", "x001/000", "x001/x234/067"]
