"""What is hashed into the log: a salted commitment, so that a ledger proves and does not leak (spec 24-27).

A leaf's data is 32 bytes: SHA-256(context ‖ salt ‖ digest). Whoever is shown the salt and the digested thing can check
it; whoever is not learns nothing, and cannot test a guess. The two 32-byte fields at the end make the parts
unambiguous; the kind and the version stand in the context.
"""

from __future__ import annotations

from enum import Enum
from hashlib import sha256

import msgspec

from comity.errors import Misuse, Rejected
from comity.ledger.canonical import HASH_BYTES
from comity.ledger.tree import leaf_hash

SALT_BYTES = 32
"""Fresh for every leaf, from the operating system."""


class LeafKind(Enum):
    """What the digest under the salt is of; the value is the context string."""

    RECORD = "comity/ledger-leaf/record/1"
    """SHA-256 of a record's canonical envelope."""

    BATCH_ROOT = "comity/ledger-leaf/batch-root/1"
    """RFC 6962 root over the leaf data of a batch (the feed logs many messages as one leaf)."""


class Leaf(msgspec.Struct, frozen=True):
    """A leaf opened: what its 32 bytes of data are made of.

    Attributes:
        kind: see ``LeafKind``.
        salt: 32 random bytes.
        digest: 32 bytes.
    """

    kind: LeafKind
    salt: bytes
    digest: bytes

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES or len(self.digest) != HASH_BYTES:
            raise Misuse("the salt and the digest of a leaf have 32 bytes each", code="bad-leaf")

    @property
    def data(self) -> bytes:
        """The entry to append, 32 bytes (24)."""
        return sha256(self.kind.value.encode("ascii") + self.salt + self.digest).digest()

    @property
    def hash(self) -> bytes:
        """The Merkle leaf hash over ``data``, 32 bytes (27)."""
        return leaf_hash(self.data)


def record_leaf(salt: bytes, envelope: bytes) -> Leaf:
    """The leaf of a record, from its canonical envelope (25).

    Raises:
        Misuse: the salt does not have 32 bytes.
    """
    return Leaf(LeafKind.RECORD, salt, sha256(envelope).digest())


def batch_root_leaf(salt: bytes, root: bytes) -> Leaf:
    """The leaf that commits to a whole batch by its root (26).

    Raises:
        Misuse: the salt or the root does not have 32 bytes.
    """
    return Leaf(LeafKind.BATCH_ROOT, salt, root)


def verify_leaf(data: bytes, leaf: Leaf) -> Leaf:
    """Check that ``data``, as the ledger has it, is the data of ``leaf``.

    Raises:
        Rejected: ``wrong-leaf``.
    """
    if leaf.data != data:
        raise Rejected("the salt and the digest do not open this ledger leaf", code="wrong-leaf")
    return leaf
