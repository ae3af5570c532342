"""The keys of a witness as files in its folder: ``keys/ed25519.key`` and, where it signs so, ``keys/ml-dsa-44.key``.

Each is a private key in PEM (PKCS#8), readable by its owner only. They are made once: another key is another witness.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from comity.errors import Rejected, Unavailable
from comity.ports import Entropy
from comity.stores.durable import disk_errors, make_folders, sync_folder, write_synced

KEYS = "keys"
ED25519, ML_DSA_44 = "ed25519.key", "ml-dsa-44.key"
KEY_BYTES_MAX = 16 * 1024
SEED_BYTES = 32
"""Both algorithms make a private key of as many random bytes."""
_KINDS: dict[str, type[Ed25519PrivateKey | MLDSA44PrivateKey]] = {
    ED25519: Ed25519PrivateKey,
    ML_DSA_44: MLDSA44PrivateKey,
}


class WitnessSigner:
    """A private key of a witness in memory."""

    def __init__(self, private: Ed25519PrivateKey | MLDSA44PrivateKey) -> None:
        self.public = private.public_key().public_bytes_raw()
        self._private = private

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message``."""
        return self._private.sign(message)

    def __repr__(self) -> str:
        return f"WitnessSigner({self.public.hex()[:16]}…)"


def make_witness_key(folder: Path, name: str, entropy: Entropy) -> None:
    """Make the key ``name`` (``ED25519`` or ``ML_DSA_44``), durably.

    Raises:
        Unavailable, DiskFull: the disk refuses; it is refused, too, when the key is there.
    """
    seed = entropy(SEED_BYTES)
    private = Ed25519PrivateKey.from_private_bytes(seed) if name == ED25519 else MLDSA44PrivateKey.from_seed_bytes(seed)
    with disk_errors(f"making the key {name!r} of a witness"):
        make_folders([folder / KEYS])
        write_synced(folder / KEYS / name, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        sync_folder(folder / KEYS)


def read_witness_key(folder: Path, name: str) -> WitnessSigner:
    """The key ``name``.

    Raises:
        Unavailable: it is not there, or cannot be read.
        Rejected: others can read it, or it is another kind of file.
    """
    path = folder / KEYS / name
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(KEY_BYTES_MAX)
    except OSError as error:
        raise Unavailable(f"cannot read this key: {error.strerror}", code="no-key", place=str(path)) from None
    if mode & 0o077:
        raise Rejected("others can read this key; take it back with 'chmod 600'", code="readable-key", place=str(path))
    try:
        private = load_pem_private_key(data, password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, _KINDS[name]):
        raise Rejected(f"not the key that {name!r} names, in PEM", code="bad-key-file", place=str(path))
    return WitnessSigner(private)
