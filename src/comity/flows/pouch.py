r"""The pouch: the exchange as one file, for an air gap or a courier (``spec/exchange.md``, "The pouch").

    comity-pouch/1\n
    length of the contents list, 4 bytes, big-endian
    contents list: a signed envelope naming sender, receiver, relationship, and digest and size of each part
    the parts, in that order: parcels, then sealed payloads too large for a parcel

Importing is idempotent. What the other side answers (receipts, cosignatures) comes back in the pouch it exports next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from hashlib import sha256
from io import SEEK_CUR, SEEK_END
from typing import Annotated, BinaryIO, TypeVar

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


class Carried(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands at the head of everything that is carried, signed by its sender's transport key."""

    sender: Identifier
    receiver: Identifier
    relationship: Relationship
    at: Instant

    def __post_init__(self) -> None:
        instant(self.at)


class Contents(Carried, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a pouch holds."""

    parcels: Annotated[tuple[Part, ...], msgspec.Meta(min_length=1, max_length=PARTS_MAX)]
    payloads: Annotated[tuple[Part, ...], msgspec.Meta(max_length=PARTS_MAX)]


C = TypeVar("C", bound=Carried)


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
    with house.files.whole(request.path) as sink:
        sink.write(sealed_list(house, MAGIC, POUCH, contents))
        for body in bodies:
            sink.write(body)
        for digest, _ in large:
            await write_payload(house, sink, digest)
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
        contents = await read_list(house, source, request.path, MAGIC, POUCH, Contents)
        start = source.tell()
        size = check_parts(source, contents.parcels, contents.payloads, request.path)
        source.seek(start + sum(part.size for part in contents.parcels))
        for part in contents.payloads:  # (24)
            await _payload(house, source, part, request.path)
        source.seek(start)
        for part in contents.parcels:
            parcel = read_parcel(exactly(source, part.size, request.path))
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


def sealed_list(house: House, magic: bytes, payload_type: str, contents: Carried) -> bytes:
    """The beginning of a file that is carried: what it is, and what is in it, signed."""
    key = house.transport()
    envelope = dsse.sign(payload_type, encode(contents), [(key.public, key.sign)])
    return magic + len(envelope).to_bytes(4, "big") + envelope


async def read_list(house: House, source: BinaryIO, place: str, magic: bytes, payload_type: str, kind: type[C]) -> C:
    """(20) (21) The same, verified.

    Raises:
        Rejected: it is something else, cut short, altered, or its sender's card has ended.
        Refused: its sender is no peer, or has nothing to do with that relationship.
        Misuse: it is for another party.
    """
    what = magic.decode().partition("/")[0].removeprefix("comity-")
    start = source.read(len(magic) + 4)
    if start[: len(magic)] != magic or len(start) < len(magic) + 4:
        raise Rejected(f"not a {what}, or cut short in its first line", code=f"not-a-{what}", place=place)
    length = int.from_bytes(start[len(magic) :], "big")
    if length > CONTENTS_BYTES_MAX:
        raise Rejected(
            f"a contents list of {length} bytes; at most {CONTENTS_BYTES_MAX}", code="too-large", place=place
        )
    envelope = dsse.read(exactly(source, length, place), payload_type, place)
    contents = decode(envelope.payload, kind, place)
    if contents.receiver != house.party:
        raise Misuse(f"this {what} is for {contents.receiver!r}, not for {house.party!r}", code="other-receiver")
    card = await house.peer_card(contents.sender)
    dsse.verify(envelope, card.taken("transport", house.now()), place)
    if house.now() >= card.until:
        raise Rejected(
            f"the card of {card.party!r} ended on {card.until:%Y-%m-%d}: exchange cards again", code="card-ended"
        )
    await house.peer_in(contents.relationship, contents.sender)
    return contents


def check_parts(source: BinaryIO, parcels: Sequence[Part], payloads: Sequence[Part], place: str) -> int:
    """(22) (23) That all parts are there, as their list says, and nothing behind them; where they end.

    Raises:
        Rejected: ``too-large``, ``trailing``, ``truncated``, ``altered``.
    """
    if max(part.size for part in parcels) > PARCEL_BYTES_MAX:
        raise Rejected(f"a parcel is over {PARCEL_BYTES_MAX} bytes", code="too-large", place=place)
    parts = (*parcels, *payloads)
    here = source.tell()
    rest = source.seek(0, SEEK_END) - here - sum(part.size for part in parts)
    source.seek(here)
    if rest:
        sentence = "there is something behind the last part" if rest > 0 else "the pouch is cut short; carry it again"
        raise Rejected(sentence, code="trailing" if rest > 0 else "truncated", place=place)
    for part in parts:
        _check_part(source, part, place)
    return source.tell()


async def write_payload(house: House, sink: BinaryIO, digest: bytes) -> None:
    """Copy a sealed payload into a file that is carried."""
    async with house.blobs.open(digest) as blob:
        while piece := blob.read(PIECE_BYTES):
            sink.write(piece)


def _check_part(source: BinaryIO, part: Part, place: str) -> None:
    digest, left = sha256(), part.size
    while left:
        piece = exactly(source, min(PIECE_BYTES, left), place)
        digest.update(piece)
        left -= len(piece)
    if digest.digest() != part.digest:
        raise Rejected("a part is not the one its contents list names: it was altered", code="altered", place=place)


async def _payload(house: House, source: BinaryIO, part: Part, place: str) -> None:
    """Take a sealed payload from the pouch, from where an interrupted import stopped."""
    offset = await house.blobs.received(part.digest)
    source.seek(min(offset, part.size), SEEK_CUR)
    while offset < part.size:
        piece = exactly(source, min(PIECE_BYTES, part.size - offset), place)
        offset = await house.blobs.append(part.digest, offset, piece, part.size)


def exactly(source: BinaryIO, count: int, place: str) -> bytes:
    """The next bytes of a file that is carried.

    Raises:
        Rejected: ``truncated``.
    """
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
