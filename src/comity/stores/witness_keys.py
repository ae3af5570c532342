"""The keys of a witness as files in its folder: ``keys/ed25519.key`` and, where it signs so, ``keys/ml-dsa-44.key``.

Each is a private key in PEM (PKCS#8), readable by its owner only. They are made once: another key is another witness.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from comity.errors import Rejected
from comity.ports import Entropy
from comity.stores.durable import disk_errors, make_folders, sync_folder, write_synced
from comity.stores.key_files import read_private
from comity.stores.key_lock import Lock, is_sealed
from comity.stores.secrets import KEYS

ED25519, ML_DSA_44 = "ed25519.key", "ml-dsa-44.key"
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


def make_witness_key(folder: Path, name: str, entropy: Entropy, lock: Lock | None = None) -> None:
    """Make the key ``name`` (``ED25519`` or ``ML_DSA_44``), durably; locked where there is a lock.

    Raises:
        Unavailable, DiskFull: the disk refuses; it is refused, too, when the key is there.
    """
    seed = entropy(SEED_BYTES)
    private = Ed25519PrivateKey.from_private_bytes(seed) if name == ED25519 else MLDSA44PrivateKey.from_seed_bytes(seed)
    with disk_errors(f"making the key {name!r} of a witness"):
        make_folders([folder / KEYS])
        content = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_synced(folder / KEYS / name, content if lock is None else lock.seal(content, entropy))
        sync_folder(folder / KEYS)


def read_witness_key(folder: Path, name: str, lock: Lock | None = None) -> WitnessSigner:
    """The key ``name``, opened where it is locked.

    Raises:
        Unavailable: it is not there, or cannot be read.
        Rejected: others can read it, it is locked with another lock, or it is another kind of file.
    """
    path = folder / KEYS / name
    data = read_private(path)
    if lock is not None and is_sealed(data):
        data = lock.open(data, str(path))
    try:
        private = load_pem_private_key(data, password=None)
    except (ValueError, TypeError):
        private = None
    if not isinstance(private, _KINDS[name]):
        raise Rejected(f"not the key that {name!r} names, in PEM", code="bad-key-file", place=str(path))
    return WitnessSigner(private)
