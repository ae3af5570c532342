r"""The pouch: the exchange as one file, for an air gap or a courier (``spec/exchange.md``, "The pouch").

    comity-pouch/1\n
    length of the contents list, 4 bytes, big-endian
    contents list: a signed envelope naming sender, receiver, relationship, and digest and size of each part
    the parts, in that order: parcels, then sealed payloads too large for a parcel

Importing is idempotent. What the other side answers (receipts, cosignatures) comes back in the pouch it exports next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from io import SEEK_CUR, SEEK_END
from typing import Annotated, BinaryIO

import msgspec

from comity.errors import Misuse, Rejected
from comity.flows.exchanging.parcel import PARCEL_BYTES_MAX, Parcel, read_parcel, write_parcel
from comity.flows.house import House
from comity.record import dsse
from comity.record.contexts import POUCH
from comity.record.encoding import Count, Digest, Identifier, Instant, Relationship, decode, encode, instant
from comity.record.statement import chain_id

MAGIC = b"comity-pouch/1\n"
CONTENTS_BYTES_MAX = dsse.ENVELOPE_BYTES_MAX
"""Largest contents list: an envelope."""
PARTS_MAX = 400
"""Most parcels and payloads in one pouch; their list must fit an envelope."""
PIECE_BYTES = 1024 * 1024
"""How much of a payload is copied at once."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Digest and size of one part."""

    digest: Digest
    size: Count


class Contents(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a pouch holds, signed by its sender's transport key."""

    sender: Identifier
    receiver: Identifier
    relationship: Relationship
    at: Instant
    parcels: Annotated[tuple[Part, ...], msgspec.Meta(min_length=1, max_length=PARTS_MAX)]
    payloads: Annotated[tuple[Part, ...], msgspec.Meta(max_length=PARTS_MAX)]

    def __post_init__(self) -> None:
        instant(self.at)


class ExportPouch(msgspec.Struct, frozen=True, kw_only=True):
    """Put everything the other party does not have yet into one file."""

    relationship: str
    path: str


class ImportPouch(msgspec.Struct, frozen=True, kw_only=True):
    """Take a pouch that somebody carried here."""

    path: str


class PouchShown(msgspec.Struct, frozen=True, kw_only=True):
    """What a pouch held, or holds."""

    path: str
    sender: str
    receiver: str
    relationship: str
    records: int
    payloads: int
    size: int


async def export_pouch(house: House, request: ExportPouch) -> PouchShown:
    """Write a pouch; the file appears whole or not at all.

    Raises:
        Misuse: the file exists, there is no such relationship, or there is too much for one pouch.
    """
    peer = await house.peer_in(request.relationship)
    parcels = [parcel async for parcel in _parcels(house, request.relationship, peer)]
    large = [each for parcel in parcels for each in await house.exchange.large_blobs(parcel)]
    if len(parcels) + len(large) > PARTS_MAX:
        raise Misuse(f"more than {PARTS_MAX} parts for one pouch; connect the nodes, or carry more often", code="pouch")
    bodies = [write_parcel(parcel) for parcel in parcels]
    contents = Contents(
        sender=house.party,
        receiver=peer,
        relationship=request.relationship,
        at=house.now(),
        parcels=tuple(Part(sha256(body).digest(), len(body)) for body in bodies),
        payloads=tuple(Part(digest, size) for digest, size in large),
    )
    key = house.transport()
    envelope = dsse.sign(POUCH, encode(contents), [(key.public, key.sign)])
    with house.files.whole(request.path) as sink:
        sink.write(MAGIC + len(envelope).to_bytes(4, "big") + envelope)
        for body in bodies:
            sink.write(body)
        for digest, _ in large:
            async with house.blobs.open(digest) as blob:
                while piece := blob.read(PIECE_BYTES):
                    sink.write(piece)
        size = sink.tell()
    return _shown(request.path, contents, sum(len(parcel.entries) for parcel in parcels), size)


async def import_pouch(house: House, request: ImportPouch) -> PouchShown:
    """Take a pouch: verify all of it, then keep, register and answer; importing it again changes nothing.

    Raises:
        Rejected: it is cut short, altered, not by a known peer, or something in it is not what it must be.
        Misuse: it is for another party.
    """
    records = 0
    with house.files.read(request.path) as source:
        contents = await _contents(house, source, request.path)
        start = source.tell()
        for part in (*contents.parcels, *contents.payloads):  # (23)
            _check_part(source, part, request.path)
        size = source.tell()
        source.seek(start + sum(part.size for part in contents.parcels))
        for part in contents.payloads:  # (24)
            await _payload(house, source, part, request.path)
        source.seek(start)
        for part in contents.parcels:
            parcel = read_parcel(_exactly(source, part.size, request.path))
            if parcel.relationship != contents.relationship:
                raise Rejected("a parcel of another relationship", code="other-relationship", place=request.path)
            await house.exchange.unpack(contents.sender, parcel)  # (25)
            records += len(parcel.entries)
    return _shown(request.path, contents, records, size)


async def _parcels(house: House, relationship: str, peer: str) -> AsyncIterator[Parcel]:
    own = chain_id(relationship, house.party)
    start = await house.exchange.peer_has(own)
    while True:
        parcel = await house.exchange.pack(relationship, peer, start)
        yield parcel
        start += len(parcel.entries)
        if start >= house.sequencer.marked(own).size or not parcel.entries:
            return


async def _contents(house: House, source: BinaryIO, place: str) -> Contents:
    """The contents list, verified, with as many bytes behind it as it says (20, 21, 22)."""
    start = source.read(len(MAGIC) + 4)
    if start[: len(MAGIC)] != MAGIC or len(start) < len(MAGIC) + 4:
        raise Rejected("not a pouch, or cut short in its first line", code="not-a-pouch", place=place)
    length = int.from_bytes(start[len(MAGIC) :], "big")
    if length > CONTENTS_BYTES_MAX:
        raise Rejected(
            f"a contents list of {length} bytes; at most {CONTENTS_BYTES_MAX}", code="too-large", place=place
        )
    envelope = dsse.read(_exactly(source, length, place), POUCH, place)
    contents = decode(envelope.payload, Contents, place)
    if contents.receiver != house.party:
        raise Misuse(f"this pouch is for {contents.receiver!r}, not for {house.party!r}", code="other-receiver")
    card = await house.peer_card(contents.sender)
    dsse.verify(envelope, card.taken("transport", house.now()), place)
    if house.now() >= card.until:
        raise Rejected(
            f"the card of {card.party!r} ended on {card.until:%Y-%m-%d}: exchange cards again", code="card-ended"
        )
    await house.peer_in(contents.relationship, contents.sender)
    if max(part.size for part in contents.parcels) > PARCEL_BYTES_MAX:
        raise Rejected(f"a parcel is over {PARCEL_BYTES_MAX} bytes", code="too-large", place=place)
    here = source.tell()
    rest = source.seek(0, SEEK_END) - here - sum(part.size for part in (*contents.parcels, *contents.payloads))
    source.seek(here)
    if rest:
        sentence = "there is something behind the last part" if rest > 0 else "the pouch is cut short; carry it again"
        raise Rejected(sentence, code="trailing" if rest > 0 else "truncated", place=place)
    return contents


def _check_part(source: BinaryIO, part: Part, place: str) -> None:
    digest, left = sha256(), part.size
    while left:
        piece = _exactly(source, min(PIECE_BYTES, left), place)
        digest.update(piece)
        left -= len(piece)
    if digest.digest() != part.digest:
        raise Rejected("a part is not the one its contents list names: it was altered", code="altered", place=place)


async def _payload(house: House, source: BinaryIO, part: Part, place: str) -> None:
    """Take a sealed payload from the pouch, from where an interrupted import stopped."""
    offset = await house.blobs.received(part.digest)
    source.seek(min(offset, part.size), SEEK_CUR)
    while offset < part.size:
        piece = _exactly(source, min(PIECE_BYTES, part.size - offset), place)
        offset = await house.blobs.append(part.digest, offset, piece, part.size)


def _exactly(source: BinaryIO, count: int, place: str) -> bytes:
    data = source.read(count)
    if len(data) != count:
        raise Rejected("the pouch is cut short; have it carried again", code="truncated", place=place)
    return data


def _shown(path: str, contents: Contents, records: int, size: int) -> PouchShown:
    return PouchShown(
        path=path,
        sender=contents.sender,
        receiver=contents.receiver,
        relationship=contents.relationship,
        records=records,
        payloads=len(contents.payloads),
        size=size,
    )
