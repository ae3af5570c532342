"""The two encodings inside signed text, each with one spelling only: ASCII decimals and padded base64 (spec 1, 2)."""

from __future__ import annotations

import base64
import binascii
import re

from comity.errors import Rejected

COUNT_MAX = 2**63 - 1
"""Largest size, index or POSIX second (tlog-cosignature bounds time so; a size of this many leaves is out of reach)."""

HASH_BYTES = 32
"""SHA-256 throughout (tlog-tiles, RFC 6962)."""

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def read_decimal(text: str, what: str) -> int:
    """The number that ``text`` writes; no sign, no leading zero, no space, at most ``COUNT_MAX`` (1).

    Raises:
        Rejected: ``bad-decimal``; the sentence names ``what`` was read.
    """
    number = int(text) if _DECIMAL.fullmatch(text) else -1
    if not 0 <= number <= COUNT_MAX:
        raise Rejected(
            f"{what} {text[:40]!r} is not a decimal without leading zeros up to {COUNT_MAX}", code="bad-decimal"
        )
    return number


def write_base64(data: bytes) -> str:
    """Standard padded base64 (RFC 4648 §4)."""
    return base64.b64encode(data).decode("ascii")


def read_base64(text: str, what: str) -> bytes:
    """The bytes that ``text`` writes in standard padded base64, refusing every other spelling of them (2).

    Raises:
        Rejected: ``bad-base64``.
    """
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        data = None
    if data is None or write_base64(data) != text:
        raise Rejected(f"{what} {text[:60]!r} is not canonical padded base64", code="bad-base64")
    return data


def read_hash(text: str, what: str) -> bytes:
    """A base64 SHA-256 hash.

    Raises:
        Rejected: ``bad-base64``, or ``bad-hash`` when it is not 32 bytes long.
    """
    data = read_base64(text, what)
    if len(data) != HASH_BYTES:
        raise Rejected(f"{what} has {len(data)} bytes, a SHA-256 hash has {HASH_BYTES}", code="bad-hash")
    return data
