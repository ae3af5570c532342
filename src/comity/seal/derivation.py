"""Keys from keys: HKDF-SHA-256 with 32 bytes of output, the only derivation age has (c2sp.org/age, Conventions)."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_KEY_BYTES = 32


def derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """32 bytes from ``secret``, for the one use that ``info`` names (RFC 5869)."""
    return HKDF(SHA256(), _KEY_BYTES, salt, info).derive(secret)
