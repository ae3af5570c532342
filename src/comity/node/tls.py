"""TLS as a second skin: a self-signed certificate that peers pin by its digest on our card.

No authority vouches for it: the card, signed by the root key that two people compared, does. P-256, because every TLS
library takes it and OpenSSL signs with it faster than with any other curve; the confidentiality of what crosses does
not rest on it (contents are sealed before they get here), nor does authenticity (every message is signed).
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from comity.errors import Rejected, Unavailable

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


def server_context(chain: Path, key: Path, opened: Callable[[], bytes] | None = None) -> ssl.SSLContext:
    """TLS 1.3 and nothing older, with our certificate.

    Args:
        chain: the certificate.
        key: its private key, PEM.
        opened: reads the key where it may be locked; else the file is read as it is.

    Raises:
        Unavailable: a file cannot be read.
        Rejected: the files are not a certificate and its key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    try:
        if opened is None:
            context.load_cert_chain(chain, key)
        else:
            _load(context, chain, opened())
    except ssl.SSLError as error:
        raise Rejected(f"not a certificate and its key: {error}", code="bad-certificate", place=str(chain)) from None
    except OSError as error:
        raise Unavailable(f"cannot be read: {error.strerror}", code="no-certificate", place=str(chain)) from None
    return context


def _load(context: ssl.SSLContext, chain: Path, key: bytes) -> None:
    """Give OpenSSL, which reads keys from files only, a key that lies open in memory alone."""
    password = os.urandom(32).hex().encode()
    try:
        private = serialization.load_pem_private_key(key, None)
    except ValueError as error:
        raise ssl.SSLError(str(error)) from None
    encrypted = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    with tempfile.NamedTemporaryFile(dir=chain.parent, prefix="key-", suffix=".partial") as file:
        file.write(encrypted)
        file.flush()
        context.load_cert_chain(chain, file.name, password)
