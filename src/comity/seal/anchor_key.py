"""Anchor keys: ML-DSA-65 (FIPS 204) in PEM, made for one act and kept offline (``spec/evidence.md`` step 40)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from comity.errors import Rejected


class AnchorKey:
    """A private anchor key in memory."""

    def __init__(self, private: MLDSA65PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()

    @classmethod
    def generate(cls) -> AnchorKey:
        """A new one."""
        return cls(MLDSA65PrivateKey.generate())

    @classmethod
    def read(cls, content: bytes, place: str) -> AnchorKey:
        """The key in a file.

        Raises:
            Rejected: it is none.
        """
        try:
            private = load_pem_private_key(content, password=None)
        except (ValueError, TypeError):
            private = None
        if not isinstance(private, MLDSA65PrivateKey):
            raise Rejected("not an anchor key (ML-DSA-65 in PEM)", code="bad-key-file", place=place)
        return cls(private)

    def file(self) -> bytes:
        """The file that ``read`` reads."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message``."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"AnchorKey({self.public.hex()[:16]}…)"
