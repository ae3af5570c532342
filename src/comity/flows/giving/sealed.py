"""Sealed copies: the content that the record of a copy names, its header, and both as one age file."""

from __future__ import annotations

from hashlib import sha256
from typing import BinaryIO

import msgspec

from comity.errors import Rejected
from comity.flows.exchanging.parcel import HEADER_BYTES_MAX
from comity.flows.giving.content import recipient
from comity.flows.house import House
from comity.flows.keeping.erasing import HEADER
from comity.record import bodies
from comity.record.bodies.lineage import Derived
from comity.record.encoding import encode
from comity.record.letters import ConsentLetter, peek_letter
from comity.record.statement import read as read_record
from comity.register.rows import ConsignmentRow, CopyRow
from comity.register.rows.lineage import DerivativeRow
from comity.seal.age import require_kind
from comity.seal.manifest import Binding

COPY_PIECE_BYTES = 1024 * 1024
"""How much of a sealed payload is copied at once."""


class Sealed(msgspec.Struct, frozen=True):
    """Where the content of a copy is, and what the manifest inside its seal must say."""

    payload: bytes
    binding: Binding


async def sealed_content(house: House, relationship: str, copy: CopyRow) -> Sealed:
    """The sealed content of a copy, by the verified record that made it: a consignment, or a derivation.

    Raises:
        Misuse: neither is registered.
        Rejected: the journal's record was altered.
    """
    made = await house.row(DerivativeRow, f"{relationship}/{copy.item}")
    if made is not None and made.record == copy.consignment:
        author, payload = made.maker, made.payload
    else:
        given = await house.need(ConsignmentRow, copy.consignment.hex(), "consignment")
        author, payload = given.author, given.payload
    body = await said_by(house, copy.consignment, author)
    assert isinstance(body, (bodies.Consigned, Derived))  # its row says so
    if isinstance(body, bodies.Consigned) and body.letter:  # sealed by its originator, and handed on as it was
        return Sealed(payload, _as_sealed(peek_letter(body.letter, ConsentLetter)))
    binding = Binding(
        author=author,
        relationship=relationship,
        item=body.item,
        label=sha256(encode(body.label)).digest(),
        agreement=body.agreement,
        content=body.content,
    )
    return Sealed(payload, binding)


def _as_sealed(letter: ConsentLetter) -> Binding:
    """What the originator's manifest says inside the seal; its letter was verified when the item came."""
    return Binding(
        author=letter.originator,
        relationship=letter.relationship,
        item=letter.item,
        label=letter.sealed_as,
        agreement=letter.agreement,
        content=letter.content,
    )


async def said_by(house: House, record: bytes, author: str) -> bodies.Body | None:
    """The body of a record in the journal of this house, verified again with the keys of its author.

    Raises:
        Rejected: it is not there, or was altered.
    """
    entry = await house.store.find(record)
    if entry is None:
        raise Rejected("the record that a copy rests on is not in the journal", code="missing-record")
    card = house.own_card if author == house.party else await house.peer_card(author)
    keys = (house.keys.record.public,) if card is None else card.had("record")
    return read_record(entry.envelope, keys).body


async def header_of(house: House, digest: bytes) -> bytes:
    """The header by which a copy opens.

    Raises:
        Rejected: it is gone, or was altered.
    """
    header = await house.side(HEADER, digest.hex())
    if header is None or sha256(header).digest() != digest:
        raise Rejected("the header of this copy is gone or was altered; it cannot be opened", code="missing-header")
    return header


def check_header(header: bytes, sealed_to: str) -> None:
    """Check a header that a holder made on his side, as far as it can be without his key.

    Raises:
        Rejected: it is none, too large, or sealed to a key of another kind than the recipient ``sealed_to``.
    """
    if len(header) > HEADER_BYTES_MAX:
        raise Rejected(f"a header of {len(header)} bytes; at most {HEADER_BYTES_MAX} are taken", code="too-large")
    require_kind(header, recipient(sealed_to).kind)


async def write_age_file(house: House, sink: BinaryIO, header: bytes, payload: bytes) -> None:
    """A header and the payload it seals, as one file that any age program reads."""
    sink.write(header)
    async with house.blobs.open(payload) as source:
        while piece := source.read(COPY_PIECE_BYTES):
            sink.write(piece)
