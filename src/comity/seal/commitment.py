"""Salted commitments: a digest that says nothing to whoever lacks the salt (``spec/seal.md`` step 24).

A plain digest of a short or guessable document tells a stranger which document it was. With 32 random bytes in front
of it, only those who were given the salt can check it.
"""

from __future__ import annotations

from hashlib import sha256

from comity.errors import invariant

SALT_BYTES = 32
"""Size of a salt: as much as the digest, so that it cannot be searched."""
DIGEST_BYTES = 32
"""Size of a SHA-256 digest."""


def commitment(context: bytes, salt: bytes, digest: bytes) -> bytes:
    """(24) SHA-256(``context`` || ``salt`` || ``digest``), 32 bytes.

    Args:
        context: what is committed to, from the registry of context strings; of any length, because what follows it
            has a fixed one.
        salt: 32 random bytes, fresh for each commitment.
        digest: SHA-256 of what is committed to.
    """
    invariant(len(salt) == SALT_BYTES, "the salt of a commitment has 32 bytes")
    invariant(len(digest) == DIGEST_BYTES, "a commitment is to a digest of 32 bytes")
    return sha256(context + salt + digest).digest()
