"""Commitments to what was published, so that it can be proved without being shown (``spec/feed.md`` step 8)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from hashlib import sha256
from operator import attrgetter
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msgspec import UNSET, Struct

SALT_BYTES = 16
SEED_BYTES = 32
HASH_BYTES = 32
CONTEXT = b"comity/feed-original/1\0"

_encode_lines = msgspec.json.Encoder().encode_lines
_ABSENT = msgspec.Raw(b"")


def salts(seed: bytes, count: int) -> bytes:
    """``count`` salts of 16 bytes: the AES-256-CTR key stream of the seed, which is used for nothing else."""
    stream = Cipher(algorithms.AES(seed), modes.CTR(bytes(16))).encryptor()
    return stream.update(bytes(SALT_BYTES * count))


class Originals(Struct, frozen=True, array_like=True):
    """What is kept of a batch's messages as they were published, with the numbers of the batch.

    Attributes:
        schema: digest of the schema they are of.
        seed: 32 bytes, from which the salts of their commitments are made (8).
        raws: the messages.
    """

    schema: str
    seed: bytes
    raws: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Originals(of {len(self.raws)} messages)"


class Committer:
    """Makes the commitments of messages of one type (8).

    Attributes:
        names: the fields, in the order of the schema.
        width: how many commitments there are: the next power of two.
        key_bytes: how much of the key stream one message takes.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        count = len(self.names)
        self.width = 1 << (count - 1).bit_length()
        self.key_bytes = SALT_BYTES * count + HASH_BYTES * (self.width - count)
        self._values = attrgetter(*names) if count > 1 else None
        self._unpack = struct.Struct(f"{SALT_BYTES}s" * count).unpack_from
        self._prefixes = tuple([prefix(name) for name in self.names])
        self._salted = SALT_BYTES * count

    def commit(self, message: Struct, stream: bytes) -> bytes:
        """The commitments, 32 bytes each.

        Args:
            message: of this type.
            stream: its ``key_bytes``.
        """
        found: tuple[Any, ...] = self._values(message) if self._values else (getattr(message, self.names[0]),)
        if UNSET in found:
            found = tuple([_ABSENT if value is UNSET else value for value in found])
        lines = _encode_lines(found).split(b"\n")  # JSON has no raw newline; the last line is empty
        salted = zip(self._unpack(stream), self._prefixes, lines, strict=False)
        made = [sha256(salt + name + line).digest() for salt, name, line in salted]
        return b"".join(made) + stream[self._salted :]

    def values(self, message: Struct) -> list[bytes]:
        """The values as they are committed to: JSON, or empty where a field is absent."""
        return [commitment_input(getattr(message, name)) for name in self.names]


def prefix(name: str) -> bytes:
    """What stands before a field's value in what is committed to."""
    return name.encode() + b":"


def commitment_input(value: object) -> bytes:
    """A value as it is committed to."""
    return b"" if value is UNSET else _encode_lines((value,))[:-1]


def original_leaf(view_leaf: bytes, commitments: bytes) -> bytes:
    """The leaf data of an original, 32 bytes."""
    count = (len(commitments) // 32).to_bytes(2, "big")
    return sha256(CONTEXT + view_leaf + count + commitments).digest()
