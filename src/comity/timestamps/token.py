"""Asking for a token, and verifying one offline (``spec/timestamps.md`` steps 1 to 6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

import msgspec
from cryptography import x509

from comity.errors import Misuse, Rejected, Unavailable

if TYPE_CHECKING:
    from rfc3161_client import TimeStampResponse

TOKEN_BYTES_MAX = 16 * 1024
"""Largest answer of an authority that is read: a token with its chain of certificates."""
SHA256 = "2.16.840.1.101.3.4.2.1"


class Asked(msgspec.Struct, frozen=True):
    """A request, as it is sent, and the nonce that the answer must repeat."""

    request: bytes
    nonce: int


def read_authorities(pem: bytes) -> list[x509.Certificate]:
    """The certificates of the authorities that are believed.

    Raises:
        Misuse: there is none in it.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise Misuse("that file holds no certificate in PEM", code="bad-certificate") from None


def ask(text: bytes) -> Asked:
    """A request to stamp ``text``, with a fresh nonce and for the authority's certificate (1).

    Raises:
        Unavailable: the package that writes it is not installed.
    """
    try:
        from rfc3161_client import HashAlgorithm, TimestampRequestBuilder
    except ImportError:
        raise _missing() from None
    request = TimestampRequestBuilder().data(text).hash_algorithm(HashAlgorithm.SHA256).cert_request(cert_request=True)
    built = request.build()
    assert built.nonce is not None
    return Asked(built.as_bytes(), built.nonce)


def verify_token(
    token: bytes, text: bytes, authorities: Sequence[x509.Certificate], nonce: int | None = None
) -> datetime:
    """When an authority saw ``text``, by its own clock (2 to 6).

    Args:
        token: the answer of the authority, whole.
        text: what it is over.
        authorities: certificates of those who are believed.
        nonce: of the request; None of a token that was kept.

    Raises:
        Rejected: ``bad-token``: it is none, of another text, of another request, of nobody who is believed, or was
            altered.
        Unavailable: the package that reads it is not installed.
    """
    try:
        from rfc3161_client import VerificationError, VerifierBuilder
    except ImportError:
        raise _missing() from None
    answer = _read(token)
    info = answer.tst_info
    if info.message_imprint.hash_algorithm.dotted_string != SHA256:
        raise _bad("it is over another hash than SHA-256")
    if info.message_imprint.message != sha256(text).digest():  # (3)
        raise _bad("it is over something else")
    builder = VerifierBuilder(roots=list(authorities), nonce=nonce)
    try:
        builder.build().verify(answer, sha256(text).digest())
    except (VerificationError, ValueError) as error:
        raise _bad(str(error)[:200]) from None
    at = info.gen_time
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _read(token: bytes) -> TimeStampResponse:
    from rfc3161_client import PKIStatus, decode_timestamp_response

    if len(token) > TOKEN_BYTES_MAX:
        raise _bad(f"it has {len(token)} bytes; at most {TOKEN_BYTES_MAX} are read")
    try:
        answer = decode_timestamp_response(token)
        granted = PKIStatus(answer.status) == PKIStatus.GRANTED
        _ = answer.tst_info if granted else None  # what is no token says so here
    except ValueError as error:
        raise _bad(str(error)[:200]) from None
    if not granted:
        raise _bad("the authority did not grant it")
    return answer


def _bad(why: str) -> Rejected:
    return Rejected(f"no valid time-stamp: {why}", code="bad-token")


def _missing() -> Unavailable:
    return Unavailable(
        "time-stamps need the package 'rfc3161-client': install comity[timestamps]", code="not-installed"
    )
