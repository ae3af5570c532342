"""A certificate for TLS as a second skin: self-signed, and pinned by its digest on the card of its party.

No authority vouches for it: the card, signed by the root key that two people compared, does. P-256, because every TLS
library takes it and OpenSSL signs with it faster than with any other curve; the confidentiality of what crosses does
not rest on it (contents are sealed before they get here), nor does authenticity (every message is signed).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID_DAYS = 3_650
"""Ten years: a pinned certificate ends when a new card names another, not by its own date."""
COMMON_NAME_CHARACTERS_MAX = 64
"""RFC 5280, ub-common-name; the name is for people who look at the connection only."""


class Certificate(msgspec.Struct, frozen=True):
    """A certificate with its key, as PEM, and the digest for the card.

    Attributes:
        chain: the certificate, PEM.
        key: the private key, PKCS #8 PEM, not encrypted.
        digest: SHA-256 of the DER certificate, 32 bytes.
    """

    chain: bytes
    key: bytes
    digest: bytes

    def __repr__(self) -> str:
        return f"Certificate({self.digest.hex()})"


def make_certificate(party: str, now: datetime) -> Certificate:
    """A fresh self-signed certificate for the node of ``party``."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"comity {party}"[:COMMON_NAME_CHARACTERS_MAX])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now.astimezone(UTC) - timedelta(days=1))
        .not_valid_after(now.astimezone(UTC) + timedelta(days=VALID_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Certificate(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        digest_of(certificate.public_bytes(serialization.Encoding.DER)),
    )


def digest_of(certificate: bytes) -> bytes:
    """The digest of a DER certificate by which a card pins it."""
    return sha256(certificate).digest()
