"""Keys and self-signed certificates, made once for all tests of alerts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

NOW = datetime(2026, 11, 20, 1, 2, tzinfo=UTC)
PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def certified(key: PrivateKey, name: str, until: int = 2126) -> tuple[bytes, bytes]:
    """A private key and a certificate that it signed for itself, in PEM."""
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(until, 1, 1, tzinfo=UTC))
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, certificate.public_bytes(Encoding.PEM)


CENTRE = "Warning centre"


@cache
def elliptic(name: str) -> tuple[bytes, bytes]:
    return certified(ec.generate_private_key(ec.SECP256R1()), name)


@cache
def modular(bits: int) -> tuple[bytes, bytes]:
    return certified(rsa.generate_private_key(65537, bits), "Warning centre (RSA)")
