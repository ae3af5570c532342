"""Signed requests and signed replies: our profile of RFC 9421 (``spec/exchange.md`` steps 44 to 48).

One shape, written and read exactly: which components are covered, in which order, and how each header is spelled is
fixed, so there is nothing to negotiate and nothing to confuse. A request covers its method, path, body digest
(RFC 9530), sender, audience and nonce, and the second it was made. A reply covers its status, its body digest and the
nonce of the request it answers, so that whoever sits inside the TLS connection can neither forge nor swap one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256

import msgspec

from comity.courier.paths import read_name
from comity.errors import Rejected, invariant
from comity.ledger.canonical import read_base64, write_base64
from comity.ports import Signer
from comity.record.card import Card, fingerprint
from comity.record.contexts import READING
from comity.record.dsse import check_signature, key_id

WINDOW_SECONDS = 300
"""How far the clocks of sender and receiver may lie apart (47): as in most signed-request protocols, minutes not hours,
because every nonce is remembered for twice as long."""
NONCE_BYTES = 16
"""Enough that no honest sender ever repeats one by chance."""
AUDIENCE_DIGITS = 16
"""Hexadecimal digits of the receiver's fingerprint in the audience: they tell apart two nodes of one name."""

REQUEST_TAG = "comity-exchange"
REPLY_TAG = "comity-reply"
READING_TAG = READING
"""What a person signs who reads a feed over the network (``spec/feed.md`` step 17): no request of a node is one."""

Component = tuple[str, str]
"""A component identifier as RFC 9421 serialises it, with its value."""
RawHeaders = Iterable[tuple[bytes, bytes]]
"""Headers as they came, names in any case, repetitions included."""

_REQUEST_HEADERS = (
    "comity-audience",
    "comity-nonce",
    "comity-sender",
    "content-digest",
    "signature",
    "signature-input",
)
_REPLY_HEADERS = ("content-digest", "signature", "signature-input")
_REQUEST_INPUT = re.compile(
    r'comity=\("@method" "@path" "content-digest" "comity-sender" "comity-audience" "comity-nonce"\)'
    r';created=(0|[1-9][0-9]{0,11});keyid="([0-9a-f]{16})";alg="ed25519";tag="('
    + REQUEST_TAG
    + "|"
    + READING_TAG
    + ')"',
    re.ASCII,
)
_REPLY_INPUT = re.compile(
    r'comity=\("@status" "content-digest" "comity-nonce";req\);keyid="([0-9a-f]{16})";alg="ed25519";tag="'
    + REPLY_TAG
    + '"',
    re.ASCII,
)
_BETWEEN_COLONS = re.compile(r":([A-Za-z0-9+/]*={0,2}):", re.ASCII)


class Claim(msgspec.Struct, frozen=True):
    """What a request says of itself: read strictly, not verified.

    Attributes:
        sender: party id of whoever says to have made it; of a reader of a feed, his handle.
        audience: whom it is meant for, as ``audience_of`` writes it.
        nonce: 16 bytes that occur once.
        created: POSIX second at which it was made.
        key: short name of the transport key.
        digest: SHA-256 of the body, 32 bytes.
        signature: raw Ed25519 signature, 64 bytes.
        tag: what it was signed as.
    """

    sender: str
    audience: str
    nonce: bytes
    created: int
    key: str
    digest: bytes
    signature: bytes
    tag: str = REQUEST_TAG


def audience_of(card: Card) -> str:
    """The node a request is meant for: ``PARTY/FINGERPRINT``, the latter cut to 16 digits (44)."""
    return f"{card.party}/{fingerprint(card.party, card.root).hex()[:AUDIENCE_DIGITS]}"


def valid_card(card: Card, now: datetime) -> Card:
    """``card``, if it has not ended: nothing is sent to, or taken from, whoever shows an older one (44).

    Raises:
        Rejected: ``card-ended``.
    """
    if now >= card.until:
        raise Rejected(
            f"the card of {card.party!r} ended on {card.until:%Y-%m-%d}: exchange cards again", code="card-ended"
        )
    return card


def signature_base(components: Sequence[Component], parameters: str) -> bytes:
    """The bytes that are signed (RFC 9421 section 2.5)."""
    lines = [f"{identifier}: {value}" for identifier, value in components]
    return "\n".join([*lines, f'"@signature-params": {_inputs(components, parameters)}']).encode("ascii")


def sign_request(
    method: str,
    path: str,
    body: bytes,
    *,
    sender: str,
    audience: str,
    nonce: bytes,
    created: int,
    signer: Signer,
    tag: str = REQUEST_TAG,
) -> dict[str, str]:
    """The headers that sign a request (45).

    Args:
        method: HTTP method.
        path: the path as it is sent; the exchange has no queries.
        body: the whole body, empty for a GET.
        sender: our party id.
        audience: ``audience_of`` the receiver's card.
        nonce: 16 fresh random bytes.
        created: the present POSIX second.
        signer: our transport key.
        tag: what it is signed as.
    """
    invariant(len(nonce) == NONCE_BYTES, f"a nonce has {NONCE_BYTES} bytes")
    written = {
        "content-digest": _write_digest(sha256(body).digest()),
        "comity-sender": sender,
        "comity-audience": audience,
        "comity-nonce": write_base64(nonce),
    }
    components, parameters = _request(method, path, written, created, key_id(signer.public), tag)
    return written | _signed(components, parameters, signer)


def read_request(headers: RawHeaders) -> Claim:
    """What a request claims, from its headers alone (46).

    Raises:
        Rejected: ``unsigned``: a header is missing or stands there twice; ``malformed-signature``: it is spelled in a
            way this profile does not write.
    """
    found = _pick(headers, _REQUEST_HEADERS)
    inputs = _REQUEST_INPUT.fullmatch(found["signature-input"])
    if inputs is None:
        raise _malformed("signature-input", found["signature-input"])
    nonce = read_base64(found["comity-nonce"], "comity-nonce")
    if len(nonce) != NONCE_BYTES:
        raise _malformed("comity-nonce", found["comity-nonce"])
    return Claim(
        sender=read_name(found["comity-sender"]),
        audience=found["comity-audience"],
        nonce=nonce,
        created=int(inputs[1]),
        key=inputs[2],
        digest=_read_digest(found["content-digest"]),
        signature=_read_signature(found["signature"]),
        tag=inputs[3],
    )


def verify_request(
    claim: Claim, method: str, path: str, *, audience: str, keys: Sequence[bytes], now: int, tag: str = REQUEST_TAG
) -> Claim:
    """``claim``, once its signature, audience and time are verified (47). The body is for ``verify_body``.

    Args:
        claim: from ``read_request``.
        method: as it came.
        path: as it came, still percent-encoded.
        audience: ``audience_of`` our own card.
        keys: the raw transport keys on the sender's card that are taken now, the newest first.
        now: the present POSIX second.
        tag: what it has to be signed as.

    Raises:
        Rejected: ``malformed-signature``: it is signed as something else; ``wrong-audience``, ``unknown-key``,
            ``bad-signature``, ``stale-request`` or ``future-request``.
    """
    if claim.tag != tag:
        raise _malformed("signature-input", claim.tag)
    if claim.audience != audience:
        raise Rejected(
            f"meant for {claim.audience[:120]!r}, and this node is {audience!r}: compare fingerprints and addresses",
            code="wrong-audience",
        )
    key = _named(keys, claim.key)
    if key is None:
        raise Rejected(
            f"signed with key {claim.key}, and the card of {claim.sender!r} names {key_id(keys[0])}: "
            "exchange cards again",
            code="unknown-key",
        )
    written = {
        "content-digest": _write_digest(claim.digest),
        "comity-sender": claim.sender,
        "comity-audience": claim.audience,
        "comity-nonce": write_base64(claim.nonce),
    }
    components, parameters = _request(method, path, written, claim.created, claim.key, claim.tag)
    check_signature(key, claim.signature, signature_base(components, parameters), "signature of the request")
    if abs(now - claim.created) > WINDOW_SECONDS:
        late = now > claim.created
        raise Rejected(
            f"made {abs(now - claim.created)} s {'before' if late else 'after'} the time on this node's clock, more "
            f"than {WINDOW_SECONDS} s: compare the clocks of both nodes",
            code="stale-request" if late else "future-request",
        )
    return claim


def verify_body(claim: Claim, body: bytes) -> bytes:
    """``body``, once it is the one that was signed.

    Raises:
        Rejected: ``bad-digest``.
    """
    if sha256(body).digest() != claim.digest:
        raise Rejected("the body is not the one that was signed: it was altered on the way", code="bad-digest")
    return body


def sign_reply(status: int, body: bytes, *, nonce: bytes, signer: Signer) -> dict[str, str]:
    """The headers that sign the reply to the request with ``nonce`` (48)."""
    digest = _write_digest(sha256(body).digest())
    components, parameters = _reply(status, digest, nonce, key_id(signer.public))
    return {"content-digest": digest} | _signed(components, parameters, signer)


def verify_reply(status: int, body: bytes, headers: RawHeaders, *, nonce: bytes, keys: Sequence[bytes]) -> bytes:
    """The ``body`` of a reply, once status and body are what the peer signed for this very request (48).

    Raises:
        Rejected: ``unsigned``, ``malformed-signature``, ``unknown-key``, ``bad-digest`` or ``bad-signature``.
    """
    found = _pick(headers, _REPLY_HEADERS)
    inputs = _REPLY_INPUT.fullmatch(found["signature-input"])
    if inputs is None:
        raise _malformed("signature-input", found["signature-input"])
    key = _named(keys, inputs[1])
    if key is None:
        raise Rejected(f"the reply is signed with key {inputs[1]}, expected {key_id(keys[0])}", code="unknown-key")
    if found["content-digest"] != _write_digest(sha256(body).digest()):
        raise Rejected("the reply's body is not the one that was signed", code="bad-digest")
    components, parameters = _reply(status, found["content-digest"], nonce, inputs[1])
    signature = _read_signature(found["signature"])
    check_signature(key, signature, signature_base(components, parameters), "signature of the reply")
    return body


def _named(keys: Sequence[bytes], name: str) -> bytes | None:
    """The one of ``keys`` with a short name."""
    return next((key for key in keys if key_id(key) == name), None)


def _request(
    method: str, path: str, written: dict[str, str], created: int, key: str, tag: str
) -> tuple[list[Component], str]:
    components = [('"@method"', method), ('"@path"', path), *((f'"{name}"', value) for name, value in written.items())]
    return components, f';created={created};keyid="{key}";alg="ed25519";tag="{tag}"'


def _reply(status: int, digest: str, nonce: bytes, key: str) -> tuple[list[Component], str]:
    components = [
        ('"@status"', str(status)),
        ('"content-digest"', digest),
        ('"comity-nonce";req', write_base64(nonce)),
    ]
    return components, f';keyid="{key}";alg="ed25519";tag="{REPLY_TAG}"'


def _signed(components: Sequence[Component], parameters: str, signer: Signer) -> dict[str, str]:
    signature = signer.sign(signature_base(components, parameters))
    return {
        "signature-input": f"comity={_inputs(components, parameters)}",
        "signature": f"comity=:{write_base64(signature)}:",
    }


def _inputs(components: Sequence[Component], parameters: str) -> str:
    return f"({' '.join(identifier for identifier, _ in components)}){parameters}"


def _pick(headers: RawHeaders, names: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw, value in headers:
        name = raw.decode("latin-1").lower()
        if name in names:
            if name in found:
                raise Rejected(f"the header {name!r} stands there twice", code="unsigned")
            found[name] = value.decode("latin-1")
    for name in names:
        if name not in found:
            raise Rejected(f"the header {name!r} is missing; every message here is signed", code="unsigned")
    return found


def _malformed(name: str, value: str) -> Rejected:
    return Rejected(f"{name} {value[:120]!r} is not how this profile writes it", code="malformed-signature")


def _write_digest(digest: bytes) -> str:
    return f"sha-256=:{write_base64(digest)}:"


def _read_digest(text: str) -> bytes:
    return _read_bytes("content-digest", text, "sha-256=", 32)


def _read_signature(text: str) -> bytes:
    return _read_bytes("signature", text, "comity=", 64)


def _read_bytes(name: str, text: str, opening: str, size: int) -> bytes:
    inner = _BETWEEN_COLONS.fullmatch(text.removeprefix(opening)) if text.startswith(opening) else None
    data = read_base64(inner[1], name) if inner else b""
    if len(data) != size:
        raise _malformed(name, text)
    return data
