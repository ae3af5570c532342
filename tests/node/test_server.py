"""``spec/exchange.md`` steps 43 to 51: the door for peers, over a real socket and real TLS."""

from __future__ import annotations

import asyncio
import io
import ssl
from contextlib import suppress
from datetime import timedelta
from hashlib import sha256

import msgspec
import pytest

from comity.answers import read_error
from comity.courier import http, paths, signature
from comity.courier.http import HttpCourier
from comity.errors import ComityError, Misuse, Rejected, Unavailable
from comity.flows.exchanging.parcel import PARCEL_BYTES_MAX
from comity.flows.exchanging.tallies import QUESTION_BYTES_MAX
from comity.ledger.tiles import BundleId, TileId
from comity.node import server, serving
from comity.node.quota import RECORD_BYTES_FREE, Quotas
from comity.node.sending import exchange, reconcile, upload
from comity.record.card import FormerKey, read_card
from comity.seal.certificate import make_certificate
from courier.keys import Clock, Key, card, seeded
from node.world import RELATIONSHIP, World, running

EXCHANGE = paths.write(paths.Exchange(RELATIONSHIP))


@pytest.fixture
async def world(tmp_path):
    async with running(tmp_path) as made:
        yield made


class Line:
    """A TLS connection on which any bytes can be sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, world: World) -> Line:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return cls(*await asyncio.open_connection("127.0.0.1", world.port, ssl=context))

    async def ask(self, head: str, body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
        self.writer.write(head.encode() + body)
        await self.writer.drain()
        return await self.answer()

    async def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        first, *rest = head.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in rest)
        return int(first.split()[1]), headers, await self.reader.readexactly(int(headers["content-length"]))

    async def close(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@pytest.fixture
async def line(world: World):
    made = await Line.open(world)
    yield made
    await made.close()


def head(method: str, path: str, headers: dict[str, str], length: int | None = None) -> str:
    lines = [f"{method} {path} HTTP/1.1", "Host: x", *(f"{name}: {value}" for name, value in headers.items())]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""])


def signed(world: World, method: str, path: str, body: bytes, *, nonce: bytes = bytes(16), **changes) -> dict[str, str]:
    arguments = {
        "sender": "jp",
        "audience": signature.audience_of(world.kr),
        "created": int(world.clock.at.timestamp()),
        "signer": Key("jp transport"),
    } | changes
    return signature.sign_request(method, path, body, nonce=nonce, **arguments)


def code(body: bytes) -> str:
    return read_error(body).code


# ---- what works ----------------------------------------------------------------------------------------------------


async def test_a_parcel_is_answered_by_a_parcel(world: World) -> None:
    async with world.courier() as courier:
        assert await exchange(courier, RELATIONSHIP, b"parcel") == b"lecrap"
        assert await exchange(courier, RELATIONSHIP, b"again") == b"niaga"
    assert world.house.taken == [("jp", RELATIONSHIP, b"parcel"), ("jp", RELATIONSHIP, b"again")]
    assert world.heard == ["jp", "jp"]


async def test_the_card_is_shown_to_anybody(world: World, line: Line) -> None:
    status, headers, body = await line.ask(head("GET", "/v1/card", {}))
    assert (status, read_card(body)) == (200, world.kr)
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers


async def test_checkpoints_and_tiles(world: World) -> None:
    async with world.courier() as courier:
        reply = await courier.send("GET", paths.write(paths.Checkpoint(RELATIONSHIP, "kr")), b"", {})
        assert reply.body == b"checkpoint of jp-kr-2016/jp.kr/kr"
        reply = await courier.send("GET", paths.write(paths.LedgerTile(RELATIONSHIP, "kr", TileId(0, 3, 2))), b"", {})
        assert reply.body == bytes([0, 3, 0, 3])
        reply = await courier.send("GET", paths.write(paths.LedgerTile(RELATIONSHIP, "kr", BundleId(3, 2))), b"", {})
        assert reply.body == bytes([255, 3, 255, 3])


async def test_a_question_about_the_register_is_answered_to_its_own_peer(world: World) -> None:
    async with world.courier() as courier:
        assert await reconcile(courier, RELATIONSHIP, b"question") == b"answer to question"
        with pytest.raises(Rejected) as caught:
            await reconcile(courier, "jp-us-2007/jp.us", b"question")
        assert caught.value.code == "unknown-relationship"
        with pytest.raises(Rejected) as caught:
            await reconcile(courier, RELATIONSHIP, bytes(QUESTION_BYTES_MAX + 1))
        assert caught.value.code == "too-large"


async def test_a_blob_arrives_in_pieces_and_goes_on_after_a_cut(world: World) -> None:
    content = bytes(range(256)) * 40
    digest = sha256(content).digest()
    async with world.courier() as courier:
        world.house.blobs[digest] = content[:1_000]
        await upload(courier, RELATIONSHIP, digest, io.BytesIO(content), len(content), 4_000)
        assert world.house.blobs[digest] == content
        await upload(courier, RELATIONSHIP, digest, io.BytesIO(content), len(content), 4_000)


async def test_a_largest_piece_passes(world: World) -> None:
    content = bytes(paths.PIECE_BYTES_MAX)
    async with world.courier() as courier:
        await upload(
            courier, RELATIONSHIP, sha256(content).digest(), io.BytesIO(content), len(content), paths.PIECE_BYTES_MAX
        )


# ---- who is refused --------------------------------------------------------------------------------------------------


async def test_a_replayed_request_is_refused(world: World, line: Line) -> None:
    message = head("POST", EXCHANGE, signed(world, "POST", EXCHANGE, b"x"), 1)
    assert (await line.ask(message, b"x"))[0] == 200
    status, headers, body = await line.ask(message, b"x")
    assert (status, code(body)) == (401, "replayed")
    assert "signature" not in headers
    assert len(world.house.taken) == 1


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        ({"audience": signature.audience_of(card("us"))}, 421, "wrong-audience"),
        ({"audience": signature.audience_of(card("kr", house=" other"))}, 421, "wrong-audience"),
        ({"sender": "us"}, 403, "unknown-peer"),
        ({"signer": Key("us transport")}, 401, "unknown-key"),
        ({"created": int(Clock().at.timestamp()) - 301}, 401, "stale-request"),
        ({"created": int(Clock().at.timestamp()) - 1}, 401, "stale-request"),
        ({"created": int(Clock().at.timestamp()) + 301}, 401, "future-request"),
    ],
)
async def test_strangers_are_refused_before_a_body_is_read(
    world: World, line: Line, changes: dict[str, object], status: int, expected: str
) -> None:
    headers = signed(world, "POST", EXCHANGE, b"x", **changes)
    answered, answer_headers, body = await line.ask(head("POST", EXCHANGE, headers, 1_000_000))
    assert (answered, code(body)) == (status, expected)
    assert "signature" not in answer_headers
    assert world.house.taken == []
    assert world.heard == []


async def test_an_unsigned_request_is_refused(world: World, line: Line) -> None:
    status, _, body = await line.ask(head("POST", EXCHANGE, {}, 0))
    assert (status, code(body)) == (401, "unsigned")


async def test_a_tampered_body_is_refused(world: World, line: Line) -> None:
    status, headers, body = await line.ask(
        head("POST", EXCHANGE, signed(world, "POST", EXCHANGE, b"parcel"), 6), b"parceL"
    )
    assert (status, code(body)) == (422, "bad-digest")
    assert "signature" in headers
    assert world.house.taken == []


async def test_a_signature_for_one_path_does_not_open_another(world: World, line: Line) -> None:
    other = paths.write(paths.Exchange("jp-kr-2016/jp.us"))
    status, _, body = await line.ask(head("POST", EXCHANGE, signed(world, "POST", other, b"x"), 1), b"x")
    assert (status, code(body)) == (401, "bad-signature")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/exchange/../../etc/passwd", 404),
        ("POST", "/v1/exchange/../passwd", 422),
        ("POST", "/v1/exchange/a/%2e%2e", 422),
        ("POST", EXCHANGE + "?x=1", 404),
        ("GET", "/", 404),
        ("GET", "/v1/card/../card", 404),
        ("GET", EXCHANGE, 405),
        ("POST", "/v1/card", 405),
        ("DELETE", EXCHANGE, 405),
    ],
)
async def test_nothing_else_has_a_path(world: World, line: Line, method: str, path: str, status: int) -> None:
    assert (await line.ask(head(method, path, signed(world, method, path, b""), 0)))[0] == status


async def test_an_unknown_relationship_is_refused_under_signature(world: World) -> None:
    async with world.courier() as courier:
        with pytest.raises(Rejected, match=r"no agreement runs here as 'jp-us/jp\.us'") as caught:
            await exchange(courier, "jp-us/jp.us", b"parcel")
    assert caught.value.code == "unknown-relationship"


async def test_another_offset_than_where_the_upload_stands_is_refused(world: World) -> None:
    digest = sha256(b"0123456789").digest()
    async with world.courier() as courier:
        for offset, body, status in [(5, b"56789", 409), (0, b"01234", 200), (0, b"01234", 409), (8, b"89A", 409)]:
            reply = await courier.send("PUT", paths.write(paths.Piece(RELATIONSHIP, digest, 10, offset)), body, {})
            assert reply.status == status
    assert world.house.blobs[digest] == b"01234"


# ---- who replies -----------------------------------------------------------------------------------------------------


async def test_a_forged_reply_is_refused(world: World) -> None:
    """Somebody holds the certificate's key, but not the peer's transport key."""
    world.house.keys.transport = Key("somebody")
    async with world.courier() as courier:
        with pytest.raises(Rejected, match="the reply is signed with key") as caught:
            await exchange(courier, RELATIONSHIP, b"parcel")
    assert caught.value.code == "unknown-key"


async def test_an_unsigned_reply_counts_as_no_reply(world: World) -> None:
    async with world.courier(sender="us") as courier:
        with pytest.raises(Unavailable, match="answered 403 without a signature") as caught:
            await exchange(courier, RELATIONSHIP, b"parcel")
    assert caught.value.code == "unsigned-reply"
    assert str(caught.value).endswith("without a signature: \"'us' is not a peer of 'kr'\"")  # its sentence alone
    assert http._says(b"<html>") == "'<html>'"


async def test_another_certificate_is_refused_before_anything_is_sent(world: World, tmp_path) -> None:
    pinned = msgspec.structs.replace(world.kr, certificate=make_certificate("kr", world.clock.at).digest)
    async with world.courier(to=pinned) as courier:
        with pytest.raises(Rejected, match="the server shows a certificate with digest") as caught:
            await exchange(courier, RELATIONSHIP, b"parcel")
    assert caught.value.code == "wrong-certificate"
    assert world.heard == []


async def test_a_former_certificate_is_taken_until_its_overlap_ends_or_it_is_revoked(world: World) -> None:  # (48)
    now = world.clock.at
    before = FormerKey(purpose="tls", key=world.kr.certificate, until=now + timedelta(days=1))
    newest = msgspec.structs.replace(world.kr, certificate=bytes(32), former=(before,))
    async with world.courier(to=newest) as courier:
        assert await exchange(courier, RELATIONSHIP, b"parcel") == b"lecrap"
    revoked = msgspec.structs.replace(before, revoked=now)
    log = msgspec.structs.replace(before, purpose="log")
    for former in (revoked, log):
        async with world.courier(to=msgspec.structs.replace(newest, former=(former,))) as courier:
            with pytest.raises(Rejected) as caught:
                await exchange(courier, RELATIONSHIP, b"parcel")
        assert caught.value.code == "wrong-certificate"
    world.clock.at += timedelta(days=2)
    async with world.courier(to=newest) as courier:
        with pytest.raises(Rejected) as caught:
            await exchange(courier, RELATIONSHIP, b"parcel")
    assert caught.value.code == "wrong-certificate"


async def test_addresses_are_tried_in_turn(world: World) -> None:
    nobody = serving.listen_tcp("127.0.0.1", 0)
    closed = f"https://127.0.0.1:{nobody.getsockname()[1]}"
    nobody.close()
    several = msgspec.structs.replace(world.kr, addresses=("http://127.0.0.1:1", closed, world.address))
    async with world.courier(to=several) as courier:
        assert await exchange(courier, RELATIONSHIP, b"parcel") == b"lecrap"
    for addresses, expected in [((closed,), "peer-unreachable"), (("http://127.0.0.1:1",), "no-address")]:
        async with world.courier(to=msgspec.structs.replace(world.kr, addresses=addresses)) as courier:
            with pytest.raises(Unavailable) as caught:
                await exchange(courier, RELATIONSHIP, b"parcel")
        assert caught.value.code == expected
        assert "object at" not in str(caught.value)


async def test_a_card_that_has_ended_opens_nothing_on_either_side(world: World, line: Line) -> None:
    world.clock.at = world.jp.until
    headers = signed(world, "POST", EXCHANGE, b"x", created=int(world.clock.at.timestamp()))
    status, _, body = await line.ask(head("POST", EXCHANGE, headers, 1))
    assert (status, code(body)) == (401, "card-ended")
    async with world.courier() as courier:
        with pytest.raises(Rejected, match="the card of 'kr' ended on 2028-10-21: exchange cards again"):
            await exchange(courier, RELATIONSHIP, b"parcel")


async def test_a_peer_that_does_not_answer_is_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SILENCE_SECONDS", 0.05)
    world.house.hold = asyncio.Event()
    async with world.courier() as courier:
        with pytest.raises(Unavailable, match="no answer in time") as caught:
            await exchange(courier, RELATIONSHIP, b"parcel")
    assert caught.value.code == "peer-timeout"
    world.house.hold.set()


async def test_a_peer_that_stops_in_the_middle_is_told(world: World) -> None:
    async def stop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        writer.close()

    cut = await asyncio.start_server(stop, "127.0.0.1", 0, ssl=world.tls)
    address = f"https://127.0.0.1:{cut.sockets[0].getsockname()[1]}"
    async with world.courier(to=msgspec.structs.replace(world.kr, addresses=(address,))) as courier:
        with pytest.raises(Unavailable) as caught:
            await exchange(courier, RELATIONSHIP, b"parcel")
    assert caught.value.code == "peer-cut"
    cut.close()


async def test_a_reply_too_large_is_not_read(world: World) -> None:
    async with world.courier(reply_bytes_max=100) as courier:
        with pytest.raises(Rejected, match="a reply of more than 100 bytes"):
            await exchange(courier, RELATIONSHIP, bytes(101))


async def test_a_server_that_speaks_no_tls_is_no_peer(world: World) -> None:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
        writer.close()

    plain = await asyncio.start_server(talk, "127.0.0.1", 0)
    address = f"https://127.0.0.1:{plain.sockets[0].getsockname()[1]}"
    async with world.courier(to=msgspec.structs.replace(world.kr, addresses=(address,))) as courier:
        with pytest.raises(Unavailable):
            await exchange(courier, RELATIONSHIP, b"parcel")
    plain.close()


# ---- floods ----------------------------------------------------------------------------------------------------------


async def test_an_oversized_body_is_refused_by_its_length(world: World, line: Line) -> None:
    headers = signed(world, "POST", EXCHANGE, b"")
    status, _, body = await line.ask(head("POST", EXCHANGE, headers, PARCEL_BYTES_MAX + 1))
    assert (status, code(body)) == (413, "too-large")
    path = paths.write(paths.Piece(RELATIONSHIP, bytes(32), 2**40, 0))
    async with world.courier() as courier:
        reply = await courier.send("PUT", path, bytes(paths.PIECE_BYTES_MAX + 1), {})
    assert (reply.status, code(reply.body)) == (413, "too-large")


async def test_a_body_without_a_length_is_refused(world: World, line: Line) -> None:
    headers = signed(world, "POST", EXCHANGE, b"x") | {"Transfer-Encoding": "chunked"}
    status, _, body = await line.ask(head("POST", EXCHANGE, headers), b"1\r\nx\r\n0\r\n\r\n")
    assert (status, code(body)) == (411, "no-length")


async def test_a_slow_body_is_given_up(world: World, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "BODY_SECONDS", 0.05)
    status, _, body = await line.ask(head("POST", EXCHANGE, signed(world, "POST", EXCHANGE, b"parcel"), 6), b"par")
    assert (status, code(body)) == (408, "slow-body")


async def test_a_head_that_does_not_end_is_cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEADERS_SECONDS", 0.05)
    for beginning in (b"", b"GET /v1/card HTTP/1.1\r\nx: "):
        slow = await Line.open(world)
        slow.writer.write(beginning)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await asyncio.wait_for(slow.answer(), 60)
        await slow.close()


async def test_a_head_too_long_is_refused(world: World, line: Line) -> None:
    status, _, _ = await line.ask(head("GET", "/v1/card", {f"x-{number}": "x" * 1_000 for number in range(17)}))
    assert status == 400


async def test_the_rest_of_a_refused_body_is_not_read_for_ever(
    world: World, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "LINGER_SECONDS", 0.05)
    assert (await line.ask(head("POST", EXCHANGE, {}, 1_000_000), b"x"))[0] == 401
    line.writer.write(b"x")
    assert await asyncio.wait_for(line.reader.read(), 60) == b""


async def test_a_flood_of_blobs_does_not_stop_a_record(tmp_path) -> None:
    async with running(tmp_path, Quotas(blob_bytes_per_hour=10_000)) as world, world.courier() as courier:
        content = bytes(20_000)
        digest = sha256(content).digest()
        with pytest.raises(Unavailable, match="10000 bytes of blobs an hour") as caught:
            await upload(courier, RELATIONSHIP, digest, io.BytesIO(content), len(content), 4_000)
        assert caught.value.code == "quota"
        assert len(world.house.blobs[digest]) == 8_000
        assert await exchange(courier, RELATIONSHIP, b"incident") == b"tnedicni"
        for _ in range(2):
            world.seconds += 3_600
            with suppress(Unavailable):
                await upload(courier, RELATIONSHIP, digest, io.BytesIO(content), len(content), 4_000)
        assert world.house.blobs[digest] == content


async def test_more_requests_at_once_than_allowed_are_told_to_wait(tmp_path) -> None:
    async with running(tmp_path, Quotas(requests_in_flight=2)) as world, world.courier() as courier:
        world.house.hold = asyncio.Event()
        waiting = [asyncio.create_task(exchange(courier, RELATIONSHIP, b"x")) for _ in range(2)]
        await asyncio.sleep(0.1)
        with pytest.raises(Unavailable, match="2 requests for records under way"):
            await exchange(courier, RELATIONSHIP, b"x")
        await upload(courier, RELATIONSHIP, sha256(b"blob").digest(), io.BytesIO(b"blob"), 4, 4)
        world.house.hold.set()
        assert await asyncio.gather(*waiting) == [b"x", b"x"]


async def test_the_disk_reserve_is_for_records(world: World) -> None:
    world.free = Quotas().disk_reserve_bytes
    async with world.courier() as courier:
        with pytest.raises(Unavailable, match="only its reserve for records left") as caught:
            await upload(courier, RELATIONSHIP, sha256(b"blob").digest(), io.BytesIO(b"blob"), 4, 4)
        assert caught.value.code == "disk-reserve"
        with pytest.raises(Unavailable, match="only its reserve for records left"):
            await exchange(courier, RELATIONSHIP, bytes(RECORD_BYTES_FREE + 1))
        assert await exchange(courier, RELATIONSHIP, b"incident") == b"tnedicni"


# ---- failures inside -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("defect", "status", "kind"),
    [
        (KeyError("the secret"), 500, Unavailable),
        (Unavailable("no room", code="disk-full"), 507, Unavailable),
        (Misuse("a parcel for another"), 400, Rejected),
    ],
)
async def test_a_failure_is_told_under_signature(
    world: World, defect: Exception, status: int, kind: type[ComityError]
) -> None:
    world.house.defect = defect
    async with world.courier() as courier:
        reply = await courier.send("POST", EXCHANGE, b"x", {})
        assert reply.status == status
        assert b"secret" not in reply.body
        with pytest.raises(kind, match="the peer answers"):
            await exchange(courier, RELATIONSHIP, b"x")
        world.house.defect = None
        assert await exchange(courier, RELATIONSHIP, b"xy") == b"yx"


async def test_a_client_that_goes_away_leaves_its_place(tmp_path) -> None:
    async with running(tmp_path, Quotas(requests_in_flight=1)) as world:
        gone = await Line.open(world)
        gone.writer.write(head("POST", EXCHANGE, signed(world, "POST", EXCHANGE, b"parcel"), 6).encode() + b"par")
        await gone.writer.drain()
        await asyncio.sleep(0.05)
        await gone.close()
        await asyncio.sleep(0.05)
        async with world.courier() as courier:
            assert await exchange(courier, RELATIONSHIP, b"parcel") == b"lecrap"
        assert len(world.house.taken) == 1


async def test_older_tls_is_refused(world: World) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", world.port, ssl=context)


def test_a_courier_needs_no_loop_to_be_made(tmp_path) -> None:
    HttpCourier(
        card("kr"),
        sender="jp",
        signer=lambda: Key("jp transport"),
        clock=Clock(),
        entropy=seeded("x"),
        reply_bytes_max=1,
    )
