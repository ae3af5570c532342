"""What the tests of this room compare with: RFC 6962 as it is written, a store of tiles, keys in memory."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from comity.ledger.note import KeyType, VerifierKey
from comity.ledger.tree import Frontier, TreeHead


def split(count: int) -> int:
    """The largest power of two smaller than ``count`` (RFC 6962 §2.1)."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(entries: Sequence[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, word for word."""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: Sequence[bytes]) -> list[bytes]:
    """PATH of RFC 6962 §2.1.1."""
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: Sequence[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2; PROOF(m, D) is SUBPROOF(m, D, true)."""
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = split(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


@lru_cache
def entries(count: int) -> tuple[bytes, ...]:
    """Distinct 32-byte leaf data, the same on every run."""
    return tuple(sha256(b"entry %d" % number).digest() for number in range(count))


class StoredLog:
    """A log as a node keeps it: the frontier in memory, tiles in a key-value table, every head."""

    def __init__(self) -> None:
        self.frontier = Frontier()
        self.table: dict[str, bytes] = {}
        self.rows: dict[tuple[int, int], bytes] = {}
        self.heads = {0: self.frontier.head()}

    def append(self, batch: Sequence[bytes]) -> TreeHead:
        self.frontier, tiles = self.frontier.append(batch)
        for tile in tiles:
            assert len(tile.hashes) == 32 * tile.id.width
            self.table[tile.id.key] = tile.hashes
            self.rows[tile.id.level, tile.id.index] = tile.hashes
        head = self.frontier.head()
        self.heads[head.size] = head
        return head

    def read(self, level: int, index: int) -> bytes:
        return self.rows[level, index]


@lru_cache
def log_of(count: int) -> StoredLog:
    """A log of ``entries(count)`` appended one by one, so that it knows every head. Not to be appended to."""
    log = StoredLog()
    for entry in entries(count):
        log.append([entry])
    return log


class Key:
    """A private key from a one-byte seed."""

    def __init__(self, seed: int) -> None:
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.public = self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)

    def verifier(self, name: str, key_type: KeyType = KeyType.ED25519) -> VerifierKey:
        return VerifierKey(name, key_type, self.public)


class PostQuantumKey:
    """A private ML-DSA-44 key from a one-byte seed."""

    def __init__(self, seed: int) -> None:
        self.private = MLDSA44PrivateKey.from_seed_bytes(bytes([seed]) * 32)
        self.public = self.private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self.private.sign(message)

    def verifier(self, name: str) -> VerifierKey:
        return VerifierKey(name, KeyType.COSIGNATURE_ML_DSA_44, self.public)
