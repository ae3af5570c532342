"""A passkey in software, for tests: it makes and signs what a browser would hand back, honestly or not."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from world import SeededEntropy

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey, and what it says of itself.

    Attributes:
        origin: the page that it believes to be on.
        host: under which host it signs; that of the page unless a test says otherwise.
        verified: whether it asked its user for a PIN.
        count: how often it signed.
        changes: what it says otherwise in ``clientDataJSON``.
    """

    def __init__(self, origin: str, seed: str = "a key") -> None:
        self.origin = origin
        self.host = origin.partition("://")[2].partition(":")[0]
        self.verified = True
        self.count = 0
        self.changes: dict[str, Any] = {}
        self.key = SeededEntropy(seed)(32)
        self.user = b""
        self._secret = ec.derive_private_key(int.from_bytes(sha256(seed.encode()).digest(), "big") >> 8, ec.SECP256R1())

    def make(self, options: str) -> str:
        """What ``navigator.credentials.create`` hands back."""
        asked = json.loads(options)
        self.user = raw(asked["user"]["id"])
        numbers = self._secret.public_key().public_numbers()
        public = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        attested = bytes(16) + len(self.key).to_bytes(2, "big") + self.key + public
        data = self._data(ATTESTED) + attested
        return self._told(
            {
                "clientDataJSON": text(self._client("webauthn.create", asked["challenge"])),
                "attestationObject": text(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})),
            }
        )

    def sign(self, options: str) -> str:
        """What ``navigator.credentials.get`` hands back."""
        self.count += 1
        client = self._client("webauthn.get", json.loads(options)["challenge"])
        data = self._data(0)
        signature = self._secret.sign(data + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._told(
            {
                "clientDataJSON": text(client),
                "authenticatorData": text(data),
                "signature": text(signature),
                "userHandle": text(self.user),
            }
        )

    def _data(self, flags: int) -> bytes:
        flags |= PRESENT | (VERIFIED if self.verified else 0)
        return sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client(self, kind: str, challenge: str) -> bytes:
        said = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(said | self.changes).encode()

    def _told(self, response: Mapping[str, str]) -> str:
        key = text(self.key)
        return json.dumps({"id": key, "rawId": key, "type": "public-key", "response": response})


def text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def raw(data: str) -> bytes:
    return urlsafe_b64decode(data + "=" * (-len(data) % 4))
