"""Our profile of DSSE 1.0.0 (``spec/record.md`` step 2).

Narrower than DSSE: the envelope is canonical JSON, base64 is the standard alphabet only, every signature names its key
and every signature must verify. So no byte of an envelope can change without being noticed.

    >>> pae("http://example.com/HelloWorld", b"hello world")
    b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from comity.errors import Rejected
from comity.record.contexts import KEY_ID
from comity.record.encoding import decode, encode

ENVELOPE_BYTES_MAX = 65_535
"""Largest envelope: one entry of a C2SP entry bundle, should a log ever carry envelopes themselves."""
SIGNATURES_MAX = 8
"""Most signatures in an envelope."""


class EnvelopeSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One signature: the id of the key, and the raw signature over the PAE."""

    keyid: Annotated[str, msgspec.Meta(min_length=16, max_length=16)]
    sig: bytes


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payload with its type and signatures, in DSSE's field names."""

    payload: bytes
    payloadType: str  # noqa: N815 - DSSE's own name
    signatures: Annotated[tuple[EnvelopeSignature, ...], msgspec.Meta(min_length=1, max_length=SIGNATURES_MAX)]


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding: the bytes that are signed (DSSE protocol, "Signature Definition")."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@lru_cache(maxsize=4096)
def key_id(public: bytes) -> str:
    """The 16-digit short name of a raw public key: a hint, never a proof."""
    return sha256(KEY_ID + public).hexdigest()[:16]


def sign(payload_type: str, payload: bytes, signers: Sequence[tuple[bytes, Callable[[bytes], bytes]]]) -> bytes:
    """The canonical envelope around ``payload``, signed by each (raw public key, signing function)."""
    message = pae(payload_type, payload)
    signatures = tuple(EnvelopeSignature(key_id(public), signing(message)) for public, signing in signers)
    return encode(Envelope(payload, payload_type, signatures))


_PRIME = 2**255 - 19
_ORDER_8 = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")
_SMALL_ORDER = {0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8}
"""The y coordinates of the eight points of small order (RFC 8032 section 5.1): OpenSSL takes them as keys."""


def is_weak(public: bytes) -> bool:
    """Whether anybody can sign under the raw public key ``public``: then it binds nobody to what it signed."""
    return (int.from_bytes(public, "little") & (2**255 - 1)) % _PRIME in _SMALL_ORDER


@lru_cache(maxsize=4096)
def _public_key(public: bytes) -> Ed25519PublicKey:
    if is_weak(public):
        raise ValueError("a key under which anybody can sign")
    return Ed25519PublicKey.from_public_bytes(public)


VERIFIED_MAX = 16_384
"""Verified signatures that are remembered; when there are more, all are forgotten."""
_verified: set[tuple[bytes, bytes, bytes]] = set()


def vouch(public: bytes, signature: bytes, message: bytes) -> bytes:
    """``signature``, which this process has itself just made over ``message``: it need not be verified again here."""
    if len(_verified) >= VERIFIED_MAX:
        _verified.clear()
    _verified.add((public, signature, sha256(message).digest()))
    return signature


def check_signature(public: bytes, signature: bytes, message: bytes, place: str = "") -> bytes:
    """The ``message``, once the Ed25519 signature over it is verified (RFC 8032).

    What was verified once is the same for ever, so it is not computed twice in a row.

    Raises:
        Rejected: the signature does not verify under the raw public key ``public``.
    """
    if (public, signature, sha256(message).digest()) in _verified:
        return message
    try:
        _public_key(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        raise Rejected(
            f"the signature by key {key_id(public)} does not match: the content was altered, or another key signed it",
            code="bad-signature",
            place=place,
        ) from None
    vouch(public, signature, message)
    return message


def read(envelope: bytes, payload_type: str, place: str = "", bytes_max: int = ENVELOPE_BYTES_MAX) -> Envelope:
    """The envelope, read strictly but not verified.

    Args:
        envelope: its bytes, complete.
        payload_type: what it must say it holds.
        place: where it comes from, for the error.
        bytes_max: largest size read, in bytes; more than a record's for what holds many records.

    Raises:
        Rejected: too large, malformed, not canonical, or of another payload type.
    """
    if len(envelope) > bytes_max:
        raise Rejected(
            f"an envelope of {len(envelope)} bytes; at most {bytes_max} are allowed",
            code="too-large",
            place=place,
        )
    parsed = decode(envelope, Envelope, place)
    if parsed.payloadType != payload_type:  # (3)
        raise Rejected(
            f"signed as {parsed.payloadType!r}, expected {payload_type!r}", code="wrong-context", place=place
        )
    return parsed


def verify(envelope: Envelope, keys: Sequence[bytes], place: str = "") -> bytes:
    """The signed bytes (PAE), once every signature is verified, each by another one of ``keys``.

    Raises:
        Rejected: a signature names no key of ``keys``, names one twice, or does not verify.
    """
    message = pae(envelope.payloadType, envelope.payload)
    known = {key_id(key): key for key in keys}
    for signature in envelope.signatures:
        public = known.pop(signature.keyid, None)  # (2)
        if public is None:
            raise Rejected(
                f"signed by key {signature.keyid}, which is not (or no longer) a key of its author",
                code="unknown-key",
                place=place,
            )
        check_signature(public, signature.sig, message, place)
    return message


def verify_known(envelope: Envelope, keys: Sequence[bytes], place: str = "") -> bytes:
    """As ``verify``, for a suite that has signatures of a kind unknown here: those by ``keys`` count, at least one.

    Raises:
        Rejected: no signature names a key of ``keys``, one is named twice, or one does not verify.
    """
    known = {key_id(key) for key in keys}
    signatures = tuple(signature for signature in envelope.signatures if signature.keyid in known)
    return verify(msgspec.structs.replace(envelope, signatures=signatures or envelope.signatures), keys, place)
