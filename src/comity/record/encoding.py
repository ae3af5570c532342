"""Canonical bytes: the one way a value is written, and the only way it is read (``spec/record.md`` step 1).

A value is written as JSON in the field order of its type, without white space, defaults left out, bytes in standard
base64, instants in RFC 3339 with ``Z``. Reading decodes by type, encodes again and compares: whatever is lenient in the
decoder below (duplicate keys, other base64, ``1.0`` for ``1``, another order, white space) cannot survive that.

    >>> class Point(msgspec.Struct, frozen=True, omit_defaults=True): x: int; y: int = 0
    >>> encode(Point(3))
    b'{"x":3}'
    >>> decode(b'{"x":3,"y":0}', Point)
    Traceback (most recent call last):
    ...
    comity.errors.Rejected: not written in canonical form; it reads as '{"x":3}'
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar

import msgspec

from comity.errors import Rejected

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
LETTER_BYTES_MAX = 16 * 1024
"""Largest letter that one party signs for a third (``letters.py``), in bytes: a record that carries one fits."""
Letter = Annotated[bytes, msgspec.Meta(max_length=LETTER_BYTES_MAX)]
_WORD = r"[a-z0-9]+(?:[.-][a-z0-9]+)*"
Identifier = Annotated[str, msgspec.Meta(pattern=rf"\A{_WORD}\Z", max_length=NAME_CHARACTERS_MAX)]
"""What rows, chains and paths are named by: as agreements have it, so that no name reaches into another's key."""
Relationship = Annotated[str, msgspec.Meta(pattern=rf"\A{_WORD}(?:/{_WORD})?\Z", max_length=NAME_CHARACTERS_MAX)]
"""``domestic``, or an agreement's id and its parties', such as ``jp-kr-2016/jp.kr``."""
TypeName = Annotated[str, msgspec.Meta(pattern=rf"\A{_WORD}/[1-9][0-9]*\Z", max_length=NAME_CHARACTERS_MAX)]
"""A record type with its version, such as ``consignment/1``."""
Name = Annotated[str, msgspec.Meta(pattern=r"\A[^\n]+\Z", max_length=NAME_CHARACTERS_MAX)]
"""A name for people, on one line."""
Words = Annotated[str, msgspec.Meta(max_length=TEXT_CHARACTERS_MAX)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]

encode = msgspec.json.Encoder().encode
_UNSEEN = re.compile(
    r"[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""What people cannot see, or what turns the direction of what they see; JSON escapes the rest of the controls."""
_ESCAPE = re.compile(r"\\(?:[\"\\n]|(.))")
"""An escape; its group is anything but a quotation mark, a backslash and a line feed: a control character."""

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
        Rejected: not JSON, not of that type, out of a bound, not in canonical form, or its text has characters that
            people cannot see or is not NFC.
    """
    try:
        value = _decoder(kind).decode(data)
        text = data.decode()  # a raw part is not looked into by the decoder
    except (msgspec.DecodeError, ValueError, RecursionError) as error:  # what is nested too deeply is not ours either
        raise Rejected(f"not a valid {kind.__name__}: {error}", code="malformed", place=place) from None
    except Rejected as error:  # a value that refused to exist does not know where it stands
        raise Rejected(error.sentence, code=error.code, place=place or error.place) from None
    if encode(value) != data:  # (1)
        shown = encode(value)[:200].decode(errors="replace")
        raise Rejected(f"not written in canonical form; it reads as {shown!r}", code="not-canonical", place=place)
    _check_text(text, place)
    return value


def _check_text(text: str, place: str) -> None:
    """Look at canonical JSON as text: structure is ASCII, so whatever else is in it stands in a string."""
    escapes = "\\" in text
    if escapes or not text.isprintable():  # what people cannot see is not printable; the search says what it is
        unseen = _UNSEEN.search(text) or next((found for found in _ESCAPE.finditer(text) if found[1]), None)
        if unseen:
            raise Rejected(f"text with {unseen[0]!r}, which people cannot see", code="unseen-character", place=place)
    if not text.isascii() and not unicodedata.is_normalized("NFC", _ESCAPE.sub("\n", text) if escapes else text):
        raise Rejected("text that is not in Unicode normal form C", code="not-nfc", place=place)


def instant(value: datetime) -> datetime:
    """``value`` if it is in UTC, the only zone in which an instant has one written form.

    Raises:
        Rejected: it has no zone or another one.
    """
    if value.utcoffset() != timedelta(0):
        raise Rejected(f"{value.isoformat()!r} is not written in UTC with 'Z'", code="not-utc")
    return value
