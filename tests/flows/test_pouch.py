"""The pouch: the whole exchange as files, and everything that can happen to a file on its way (steps 20 to 25)."""

from __future__ import annotations

import struct
from hashlib import sha256
from pathlib import Path

import pytest

from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.exchanging.parcel import INLINE_BLOB_BYTES_MAX, read_parcel, write_parcel
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.house import House
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.pouch import (
    MAGIC,
    PARTS_MAX,
    PIECE_BYTES,
    Contents,
    ExportPouch,
    ImportPouch,
    Part,
    PouchShown,
    export_pouch,
    import_pouch,
)
from comity.record import dsse
from comity.record.contexts import CARD, POUCH
from comity.record.encoding import decode, encode
from comity.register.rows import ConsignmentRow
from flows.parcels import JP, KR, everything, replace
from world import RELATIONSHIP, World

LARGE = bytes(range(256)) * ((INLINE_BLOB_BYTES_MAX + 2 * PIECE_BYTES) // 256)


async def carry(sender: House, receiver: House, path: Path) -> PouchShown:
    """Export at one house, import at the other; shows what the receiver saw."""
    shown = await export_pouch(sender, ExportPouch(relationship=RELATIONSHIP, path=str(path)))
    assert path.stat().st_size == shown.size
    taken = await import_pouch(receiver, ImportPouch(path=str(path)))
    assert taken == shown
    return taken


async def packed(world: World, content: bytes = b"a report") -> Path:
    """A pouch in which Tokyo gives an item, all answers of Seoul having come before."""
    asked = await world.ask(path=world.document(content, f"{len(content)}.bin"))
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    path = world.folder / "pouch"
    await export_pouch(world.jp, ExportPouch(relationship=RELATIONSHIP, path=str(path)))
    return path


def divided(data: bytes) -> tuple[bytes, list[bytes]]:
    """The contents list's envelope, and the parts behind it."""
    length = int.from_bytes(data[len(MAGIC) : len(MAGIC) + 4], "big")
    rest = data[len(MAGIC) + 4 :]
    envelope, rest = rest[:length], rest[length:]
    contents = decode(dsse.read(envelope, POUCH).payload, Contents)
    parts = []
    for part in (*contents.parcels, *contents.payloads):
        parts.append(rest[: part.size])
        rest = rest[part.size :]
    assert rest == b""
    return envelope, parts


def joined(envelope: bytes, parts: list[bytes]) -> bytes:
    return MAGIC + struct.pack(">I", len(envelope)) + envelope + b"".join(parts)


def signed(house: House, contents: Contents, payload_type: str = POUCH) -> bytes:
    key = house.keys.transport
    return dsse.sign(payload_type, encode(contents), [(key.public, key.sign)])


def contents_of(data: bytes) -> Contents:
    return decode(dsse.read(divided(data)[0], POUCH).payload, Contents)


async def refused(world: World, data: bytes, error: type[Exception] = Rejected) -> str:
    """The code with which Seoul refuses a pouch; nothing has changed there, not even the blobs."""
    path = world.folder / "refused"
    path.write_bytes(data)
    before, blobs = await everything(world.kr), await world.kr.blobs.all()
    with pytest.raises(error) as caught:
        await import_pouch(world.kr, ImportPouch(path=str(path)))
    assert (await everything(world.kr), await world.kr.blobs.all()) == (before, blobs)
    return str(caught.value.code)


async def test_the_whole_exchange_goes_by_pouch_and_the_receipt_comes_back(world: World) -> None:  # (20, 25)
    jp, kr, folder = world.jp, world.kr, world.folder
    asked = await world.ask()
    await carry(jp, kr, folder / "1")
    await assure(kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await carry(kr, jp, folder / "2")
    await approve(jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    shown = await carry(jp, kr, folder / "3")
    assert (shown.sender, shown.receiver, shown.records, shown.payloads) == ("jp", "kr", 1, 0)
    await carry(kr, jp, folder / "4")
    for house in (jp, kr):
        assert [row.receipt is not None async for _, row in house.rows(ConsignmentRow)] == [True]
    opened = await open_item(
        kr, Open(item=asked.item, purpose="air defence", path=str(folder / "opened"), actor=Actor("kim"))
    )
    assert opened.outcome == "permit"
    await carry(kr, jp, folder / "5")
    assert jp.sequencer.head(KR) == kr.sequencer.head(KR)
    assert kr.sequencer.head(JP) == jp.sequencer.head(JP)
    for house in (jp, kr):
        assert (await verify_ledger(house, VerifyLedger())).findings == ()


async def test_a_large_payload_travels_as_a_part_of_its_own(world: World) -> None:
    path = await packed(world, LARGE)
    assert len(contents_of(path.read_bytes()).payloads) == 1
    shown = await import_pouch(world.kr, ImportPouch(path=str(path)))
    assert shown.payloads == 1
    rows = [row async for _, row in world.kr.rows(ConsignmentRow)]
    assert [row.receipt is not None for row in rows] == [True]
    target = world.folder / "opened"
    await open_item(world.kr, Open(item=rows[0].item, purpose="air defence", path=str(target), actor=Actor("kim")))
    assert target.read_bytes() == LARGE


async def test_importing_twice_changes_nothing(world: World) -> None:  # (25)
    path = await packed(world, LARGE)
    await import_pouch(world.kr, ImportPouch(path=str(path)))
    once = await everything(world.kr)
    await import_pouch(world.kr, ImportPouch(path=str(path)))
    assert await everything(world.kr) == once


async def test_pouches_may_overtake_one_another(world: World) -> None:
    """Two pouches on the way hold the same records, as far as no answer has come; either order is taken."""
    folder = world.folder
    await world.ask()
    await export_pouch(world.jp, ExportPouch(relationship=RELATIONSHIP, path=str(folder / "first")))
    await world.ask(path=world.document(b"other", "other"))
    await export_pouch(world.jp, ExportPouch(relationship=RELATIONSHIP, path=str(folder / "second")))
    for name in ("second", "first"):
        await import_pouch(world.kr, ImportPouch(path=str(folder / name)))
    assert world.kr.sequencer.head(JP) == world.jp.sequencer.head(JP)


# ---- what can happen to a file --------------------------------------------------------------------------------------


async def test_cut_short_anywhere_it_is_refused_whole(world: World) -> None:  # (22)
    data = (await packed(world, LARGE)).read_bytes()
    envelope, parts = divided(data)
    edges = [0, 1, len(MAGIC) - 1, len(MAGIC), len(MAGIC) + 3, len(MAGIC) + 4, len(MAGIC) + 4 + len(envelope)]
    for part in parts:
        edges.append(edges[-1] + len(part))
    assert edges[-1] == len(data)
    for edge in edges[:-1]:
        for cut in (edge, edge + 1):
            assert await refused(world, data[:cut]) in {"not-a-pouch", "truncated"}
    assert await refused(world, data[:-1]) == "truncated"


async def test_something_behind_it_is_refused(world: World) -> None:  # (22)
    data = (await packed(world)).read_bytes()
    assert await refused(world, data + b"x") == "trailing"
    assert await refused(world, data + data) == "trailing"


async def test_an_altered_byte_anywhere_is_refused(world: World) -> None:  # (20, 23)
    data = (await packed(world, LARGE)).read_bytes()
    head = len(MAGIC) + 4 + len(divided(data)[0])
    places = [*range(0, head, 7), *range(head, len(data), len(data) // 40), len(data) - 1]
    for place in places:
        altered = bytearray(data)
        altered[place] ^= 1
        code = await refused(world, bytes(altered), (Rejected, Misuse, Refused))
        assert code == "altered" if place >= head else code
    await import_pouch(world.kr, ImportPouch(path=str(world.folder / "pouch")))


async def test_parts_that_changed_places_are_refused(world: World) -> None:  # (23)
    data = (await packed(world, LARGE)).read_bytes()
    envelope, (parcel, payload) = divided(data)
    assert await refused(world, joined(envelope, [payload, parcel])) == "altered"


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"receiver": "us"}, Misuse, "other-receiver"),
        ({"sender": "us"}, Refused, "unknown-peer"),
        ({"relationship": "jp-us/jp.us"}, Refused, "unknown-relationship"),
        ({"parcels": ()}, Rejected, "malformed"),
        ({"parcels": (Part(bytes(32), 1),) * (PARTS_MAX + 1)}, Rejected, "malformed"),
        ({"parcels": (Part(bytes(32), 2**40),)}, Rejected, "too-large"),
        ({"payloads": (Part(bytes(32), 2**40),)}, Rejected, "truncated"),
    ],
)
async def test_a_contents_list_that_is_signed_and_wrong(
    world: World, changes: dict[str, object], error: type[Exception], code: str
) -> None:  # (20, 21)
    data = (await packed(world)).read_bytes()
    _, parts = divided(data)
    assert await refused(world, joined(signed(world.jp, replace(contents_of(data), **changes)), parts), error) == code


async def test_a_contents_list_is_signed_by_its_sender_as_such(world: World) -> None:  # (20)
    data = (await packed(world)).read_bytes()
    _, parts = divided(data)
    contents = contents_of(data)
    assert await refused(world, joined(signed(world.kr, contents), parts)) == "unknown-key"
    assert await refused(world, joined(signed(world.jp, contents, CARD), parts)) == "wrong-context"


async def test_a_pouch_from_a_peer_whose_card_has_ended_is_refused(world: World) -> None:  # (21)
    path = await packed(world)
    world.clock.time = (await world.kr.peer_card("jp")).until
    assert await refused(world, path.read_bytes()) == "card-ended"


async def test_a_parcel_for_another_relationship_inside_is_refused(world: World) -> None:
    data = (await packed(world)).read_bytes()
    _, (parcel,) = divided(data)
    other = write_parcel(replace(read_parcel(parcel), relationship="jp-us/jp.us"))
    contents = replace(contents_of(data), parcels=(Part(sha256(other).digest(), len(other)),))
    assert await refused(world, joined(signed(world.jp, contents), [other])) == "other-relationship"


async def test_a_pouch_brought_home_is_refused(world: World) -> None:  # (21)
    path = await packed(world)
    with pytest.raises(Misuse) as caught:
        await import_pouch(world.jp, ImportPouch(path=str(path)))
    assert caught.value.code == "other-receiver"


async def test_an_interrupted_import_goes_on_where_it_stopped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:  # (24)
    path = await packed(world, LARGE)
    (part,) = contents_of(path.read_bytes()).payloads
    real, offsets = world.kr.blobs.append, []

    async def append(digest: bytes, offset: int, piece: bytes, size: int) -> int:
        offsets.append(offset)
        if len(offsets) == 2:
            raise ConnectionAbortedError
        return await real(digest, offset, piece, size)

    monkeypatch.setattr(world.kr.blobs, "append", append)
    with pytest.raises(ConnectionAbortedError):
        await import_pouch(world.kr, ImportPouch(path=str(path)))
    assert await world.kr.blobs.received(part.digest) == PIECE_BYTES
    assert [row async for _, row in world.kr.rows(ConsignmentRow)] == []
    await import_pouch(world.kr, ImportPouch(path=str(path)))
    assert offsets == [0, PIECE_BYTES, PIECE_BYTES, 2 * PIECE_BYTES]
    assert [row.receipt is not None async for _, row in world.kr.rows(ConsignmentRow)] == [True]


async def test_an_export_never_overwrites(world: World) -> None:
    path = world.folder / "there"
    path.write_bytes(b"mine")
    with pytest.raises(Misuse) as caught:
        await export_pouch(world.jp, ExportPouch(relationship=RELATIONSHIP, path=str(path)))
    assert caught.value.code == "file-exists"
    assert path.read_bytes() == b"mine"


async def test_a_pouch_that_is_not_there_is_said_to_be_missing(world: World) -> None:
    with pytest.raises(Misuse) as caught:
        await import_pouch(world.kr, ImportPouch(path=str(world.folder / "nowhere")))
    assert caught.value.code == "no-file"
