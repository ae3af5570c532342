"""The keys of a house as files in its data folder (the ``Keys`` port).

Each key is a file of its own, readable by its owner only: ``keys/record.key`` and so on as Ed25519 keys in PEM
(PKCS#8), ``keys/registry/EPOCH.age`` as age identities, ``keys/people/PERSON.key`` for people in served custody. The
root key stands apart in ``root/root.key`` so that it can be carried away: the house runs without it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from comity.errors import Misuse, Rejected, Unavailable
from comity.ports import Entropy
from comity.seal.keys import generate_identity

PURPOSES = ("record", "log", "witness", "transport")
"""One key, one purpose."""
PAIRWISE_BYTES = 32


class Ed25519Signer:
    """A private Ed25519 key in memory."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self.public = private.public_key().public_bytes_raw()
        self.sign = private.sign

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.public.hex()[:16]}…)"


class KeyFolder:
    """The keys below one data folder; read once, when first asked for."""

    def __init__(self, folder: Path, entropy: Entropy) -> None:
        self._folder = folder / "keys"
        self._root_file = folder / "root" / "root.key"
        self._entropy = entropy
        self._people: dict[str, Ed25519Signer] = {}
        self.root_public = bytes.fromhex(_read(self._folder / "root.public").decode("ascii").strip())
        self.record = _load(self._folder / "record.key")
        self.log = _load(self._folder / "log.key")
        self.witness = _load(self._folder / "witness.key")
        self.transport = _load(self._folder / "transport.key")
        self._registry = [
            _read(path).decode("ascii").strip() for path in sorted((self._folder / "registry").iterdir(), reverse=True)
        ]
        self._pairwise = _read(self._folder / "pairwise.secret")

    @classmethod
    def create(cls, folder: Path, entropy: Entropy) -> KeyFolder:
        """Make all keys of a new house, durably.

        Raises:
            Misuse: there are keys already; nothing was changed.
        """
        keys = folder / "keys"
        if keys.exists():
            raise Misuse(f"there are keys in {str(folder)!r} already", code="keys-exist")
        for made in (keys, keys / "registry", keys / "people", folder / "root"):
            made.mkdir(mode=0o700, parents=True)
        root = _new(folder / "root" / "root.key", entropy)
        _write(keys / "root.public", root.public.hex().encode() + b"\n")
        for purpose in PURPOSES:
            _new(keys / f"{purpose}.key", entropy)
        _write(keys / "registry" / "000001.age", generate_identity(entropy).secret_text().encode() + b"\n")
        _write(keys / "pairwise.secret", entropy(PAIRWISE_BYTES))
        return cls(folder, entropy)

    def root(self) -> Ed25519Signer:
        """See ``ports.Keys.root``."""
        if not self._root_file.exists():
            raise Unavailable(
                f"the root key is offline; put it at {str(self._root_file)!r} for this act, then take it away again",
                code="root-offline",
            )
        signer = _load(self._root_file)
        if signer.public != self.root_public:
            raise Rejected("the root key brought here is another party's, or another one of ours", code="other-root")
        return signer

    def person(self, person: str) -> Ed25519Signer:
        """See ``ports.Keys.person``."""
        signer = self._people.get(person)
        if signer is None:
            path = self._folder / "people" / f"{person}.key"
            if not path.exists():
                raise Unavailable("this person's signing key is not kept here", code="no-person-key")
            signer = self._people[person] = _load(path)
        return signer

    def new_person(self, person: str) -> Ed25519Signer:
        """See ``ports.Keys.new_person``."""
        return _new(self._folder / "people" / f"{person}.key", self._entropy)

    def registry(self) -> Sequence[str]:
        """See ``ports.Keys.registry``."""
        return self._registry

    def pairwise(self) -> bytes:
        """See ``ports.Keys.pairwise``."""
        return self._pairwise


def _new(path: Path, entropy: Entropy) -> Ed25519Signer:
    private = Ed25519PrivateKey.from_private_bytes(entropy(32))
    _write(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return Ed25519Signer(private)


def _load(path: Path) -> Ed25519Signer:
    try:
        private = load_pem_private_key(_read(path), password=None)
    except ValueError:
        raise Rejected("not a private key in PEM", code="bad-key-file", place=str(path)) from None
    if not isinstance(private, Ed25519PrivateKey):
        raise Rejected("not an Ed25519 key", code="bad-key-file", place=str(path))
    return Ed25519Signer(private)


def _read(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise Unavailable(f"cannot read this key: {error.strerror}", code="no-key", place=str(path)) from None
    if mode & 0o077:
        raise Rejected(
            "others can read this key; take it back with 'chmod 600' and think about replacing it",
            code="readable-key",
            place=str(path),
        )
    return data


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
