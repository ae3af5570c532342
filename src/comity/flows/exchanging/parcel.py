"""The parcel: what one party hands the other in one exchange, over the wire or in a pouch (``spec/exchange.md``).

A parcel is symmetrical: the reply to a parcel is a parcel. It carries the sender's records that the receiver does not
have yet, a checkpoint over them, the sender's cosignature of the receiver's newest checkpoint, how far the sender has
the receiver's chain, and the small sealed payloads and headers that the records name.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from comity.errors import Rejected
from comity.record.dsse import ENVELOPE_BYTES_MAX
from comity.record.encoding import Count, Digest, Identifier, Relationship

PARCEL_TYPE = "application/vnd.comity.parcel"
"""Media type of a parcel."""
PARCEL_ENTRIES_MAX = 512
"""Most records in one parcel."""
PARCEL_BYTES_MAX = 64 * 1024 * 1024
"""Largest parcel, in bytes."""
INLINE_BLOB_BYTES_MAX = 256 * 1024
"""Largest sealed payload that travels inside a parcel; a larger one is uploaded by itself first."""
INLINE_BYTES_MAX = 16 * 1024 * 1024
"""Most bytes of payloads and headers that a sender puts into one parcel."""
HEADER_BYTES_MAX = 64 * 1024
"""Largest header of a sealed copy."""
NOTE_BYTES_MAX = 16 * 1024
"""Largest signed note in a parcel."""

Blob = Annotated[bytes, msgspec.Meta(max_length=INLINE_BLOB_BYTES_MAX)]
Header = Annotated[bytes, msgspec.Meta(max_length=HEADER_BYTES_MAX)]
SignedNote = Annotated[bytes, msgspec.Meta(max_length=NOTE_BYTES_MAX)]


class Sent(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A record on its way: its envelope, and the salt of its ledger leaf so that the receiver can follow the ledger."""

    envelope: Annotated[bytes, msgspec.Meta(max_length=ENVELOPE_BYTES_MAX)]
    salt: Digest


class Parcel(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One hand-over.

    Attributes:
        format: name and version of this format.
        relationship: which relationship it belongs to.
        sender: party id.
        receiver: party id.
        start: sequence number of the first record here.
        entries: the sender's records from ``start`` on, without gap.
        checkpoint: signed note over the sender's ledger; empty while it has no record.
        cosigned: the receiver's newest checkpoint with the sender's cosignature; empty when there is none.
        have: how many of the receiver's records the sender has, durably.
        headers: headers of sealed copies that the records name.
        blobs: small sealed payloads that the records name.
    """

    format: Literal["comity-parcel/1"]
    relationship: Relationship
    sender: Identifier
    receiver: Identifier
    start: Count
    entries: Annotated[tuple[Sent, ...], msgspec.Meta(max_length=PARCEL_ENTRIES_MAX)]
    checkpoint: SignedNote
    cosigned: SignedNote
    have: Count
    headers: tuple[Header, ...] = ()
    blobs: tuple[Blob, ...] = ()


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Parcel, strict=True).decode


def write_parcel(parcel: Parcel) -> bytes:
    """The parcel as MessagePack."""
    return _encode(parcel)


def read_parcel(data: bytes) -> Parcel:
    """A parcel, read strictly.

    Raises:
        Rejected: too large, malformed, a bound exceeded, or not written as this version writes it.
    """
    if len(data) > PARCEL_BYTES_MAX:
        raise Rejected(f"a parcel of {len(data)} bytes; at most {PARCEL_BYTES_MAX} are allowed", code="too-large")
    try:
        parcel = _decode(data)
    except (msgspec.DecodeError, ValueError) as error:  # bytes that are no UTF-8 are a ValueError
        raise Rejected(f"not a parcel: {error}", code="malformed") from None
    if _encode(parcel) != data:  # (1)
        raise Rejected("a parcel that is not written in its one form", code="not-canonical")
    return parcel
