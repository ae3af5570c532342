"""Keys and cards from seeds, for the tests of both ends of the exchange."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from comity.record.card import Card, RegistryKey

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)


class Key:
    """A private key from a seed."""

    def __init__(self, seed: str) -> None:
        private = Ed25519PrivateKey.from_private_bytes(sha256(seed.encode()).digest())
        self.public = private.public_key().public_bytes_raw()
        self.sign = private.sign


class Clock:
    def __init__(self, now: datetime = NOW) -> None:
        self.at = now

    def now(self) -> datetime:
        return self.at


def seeded(seed: str):
    """Entropy that counts."""
    state = [0]

    def entropy(count: int) -> bytes:
        state[0] += 1
        return sha256(f"{seed} {state[0]}".encode()).digest()[:count]

    return entropy


def card(party: str, *, certificate: bytes = bytes(32), addresses: tuple[str, ...] = (), house: str = "") -> Card:
    """A card of ``party``; ``house`` makes it that of another node of the same name."""
    seed = f"{party}{house}"
    return Card(
        version=1,
        party=party,
        name=party.upper(),
        root=Key(f"{seed} root").public,
        node_sign=(Key(f"{seed} record").public,),
        log=Key(f"{seed} log").public,
        witness=Key(f"{seed} witness").public,
        transport=Key(f"{seed} transport").public,
        certificate=certificate,
        addresses=addresses,
        registry=(RegistryKey(1, "age1nobody"),),
        suites=("ed25519",),
        records=(1,),
        issued=NOW - timedelta(days=1),
        until=NOW + timedelta(days=700),
    )
