"""Commitments to what was published, so that it can be proved without being shown (``spec/feed.md`` step 8)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from hashlib import sha256
from operator import attrgetter
from typing import Any

import msgspec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from msgspec import UNSET, Struct

SALT_BYTES = 16
SEED_BYTES = 32
CONTEXT = b"comity/feed-original/1\0"

_encode_lines = msgspec.json.Encoder().encode_lines
_ABSENT = msgspec.Raw(b"")


def salts(seed: bytes, count: int) -> bytes:
    """``count`` salts of 16 bytes: the AES-256-CTR key stream of the seed, which is used for nothing else."""
    stream = Cipher(algorithms.AES(seed), modes.CTR(bytes(16))).encryptor()
    return stream.update(bytes(SALT_BYTES * count))


def committer(names: Sequence[str]) -> Callable[[Struct, bytes], bytes]:
    """A function from a message and its salts to its commitments, 32 bytes for each of ``names`` (8)."""
    values = attrgetter(*names) if len(names) > 1 else None
    unpack = struct.Struct(f"{SALT_BYTES}s" * len(names)).unpack

    def commit(message: Struct, salted: bytes) -> bytes:
        found: tuple[Any, ...] = values(message) if values else (getattr(message, names[0]),)
        if UNSET in found:
            found = tuple([_ABSENT if value is UNSET else value for value in found])
        lines = _encode_lines(found).split(b"\n")  # JSON has no raw newline; the last line is empty
        return b"".join([sha256(salt + line).digest() for salt, line in zip(unpack(salted), lines, strict=False)])

    return commit


def original_leaf(view_leaf: bytes, commitments: bytes) -> bytes:
    """The leaf data of an original, 32 bytes."""
    count = (len(commitments) // 32).to_bytes(2, "big")
    return sha256(CONTEXT + view_leaf + count + commitments).digest()
