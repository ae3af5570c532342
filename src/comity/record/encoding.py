"""Canonical bytes: the one way a value is written, and the only way it is read (``spec/record.md`` step 1).

A value is written as JSON in the field order of its type, without white space, defaults left out, bytes in standard
base64, instants in RFC 3339 with ``Z``. Reading decodes by type, encodes again and compares: whatever is lenient in the
decoder below (duplicate keys, other base64, ``1.0`` for ``1``, another order, white space) cannot survive that.

    >>> class Point(msgspec.Struct, frozen=True): x: int; y: int = 0
    >>> encode(Point(3))
    b'{"x":3}'
    >>> decode(b'{"x":3,"y":0}', Point)
    Traceback (most recent call last):
    ...
    comity.errors.Rejected: not written in canonical form; it reads as '{"x":3}'
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec

from comity.errors import Misuse, Rejected

T = TypeVar("T")

INTEGER_MAX = 2**53 - 1
"""Largest integer in a record: the largest that every JSON reader keeps exactly (RFC 8259 section 6)."""
NAME_CHARACTERS_MAX = 200
"""Longest identifier or function name in a record, in characters."""
TEXT_CHARACTERS_MAX = 2_000
"""Longest sentence a person may write into a record, in characters."""
LIST_ENTRIES_MAX = 256
"""Most entries of a list in a record, so that one record cannot hold a register hostage."""

Count = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
Digest = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARACTERS_MAX)]
Words = Annotated[str, msgspec.Meta(max_length=TEXT_CHARACTERS_MAX)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]

_encoder = msgspec.json.Encoder(decimal_format="string")
encode = _encoder.encode


_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def _decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    found = _decoders.get(kind)
    if found is None:
        found = _decoders[kind] = msgspec.json.Decoder(kind, strict=True)
    return found


def decode(data: bytes, kind: type[T], place: str = "") -> T:
    """Read canonical bytes.

    Args:
        data: the bytes, complete.
        kind: the frozen ``msgspec.Struct`` they must be.
        place: where the bytes come from, for the error.

    Raises:
        Rejected: not JSON, not of that type, out of a bound, not NFC, or not in canonical form.
    """
    try:
        value = _decoder(kind).decode(data)
        text = data.decode()
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, ValueError) as error:
        raise Rejected(f"not a valid {kind.__name__}: {error}", code="malformed", place=place) from None
    if encode(value) != data:
        shown = encode(value)[:200].decode(errors="replace")
        raise Rejected(f"not written in canonical form; it reads as {shown!r}", code="not-canonical", place=place)
    if not text.isascii() and not unicodedata.is_normalized("NFC", text):
        raise Rejected("text that is not in Unicode normal form C", code="not-nfc", place=place)
    return value


def instant(value: datetime) -> datetime:
    """``value`` if it is an aware UTC instant, the only kind that has one written form.

    Raises:
        Rejected: it has no zone or another one.
    """
    if value.tzinfo is not UTC and (value.tzinfo is None or value.utcoffset() or value.tzname() != "UTC"):
        raise Rejected(f"{value.isoformat()!r} is not written in UTC with 'Z'", code="not-utc")
    return value


def written_instant(value: datetime) -> str:
    """``value`` as it stands in records, for example ``2016-11-23T01:00:00Z``."""
    if value.tzinfo is None:
        raise Misuse(f"{value.isoformat()!r} has no time zone; write one, such as '+09:00'", code="no-zone")
    return encode(value.astimezone(UTC)).decode()[1:-1]
