"""Unpadded canonical base64, the only one in an age header (``spec/seal.md`` step 5)."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64

from comity.seal.refusals import HeaderMalformed


def encode(data: bytes) -> str:
    """``data`` in standard base64 without padding (RFC 4648 section 4)."""
    return b2a_base64(data, newline=False).rstrip(b"=").decode()


def decode(text: str, place: str = "") -> bytes:
    """The bytes that ``encode`` wrote as ``text``.

    Raises:
        HeaderMalformed: padding, a character outside the alphabet, or bits beyond the data.
    """
    try:
        data = a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True)
    except (Error, ValueError):
        data = b""
    if encode(data) != text:
        raise HeaderMalformed(f"{text[:80]!r} is not canonical unpadded base64", code="base64", place=place)
    return data


def decode_exactly(text: str, length: int, what: str) -> bytes:
    """The ``length`` bytes of ``what`` written as ``text``.

    Raises:
        HeaderMalformed: as ``decode``, or another length.
    """
    data = decode(text, what)
    if len(data) != length:
        raise HeaderMalformed(f"{what} has {length} bytes, not {len(data)}", code="length")
    return data
