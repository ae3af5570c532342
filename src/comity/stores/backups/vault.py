"""How the bytes of a backup are named and sealed (``spec/backup.md`` steps 20 to 24).

Rules of this file:

- An object is named by its content: SHA-256, or HMAC-SHA-256 under the key of a sealed backup, so that names tell
  nothing to whoever cannot open it. The same content has one name and is kept once.
- Of an object every byte is authenticated: by its name where it is open, by ChaCha20-Poly1305 where it is sealed. Each
  object has a key of its own, derived from its name, so no nonce is ever used twice.
- The key of a sealed backup lies in it sealed to its age recipients, and in the data folder, so that the node can add
  to it unattended. Whoever holds the data folder holds everything in it anyway.
"""

from __future__ import annotations

import hmac
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from comity.errors import Rejected
from comity.ports import Entropy
from comity.seal.derivation import derive

KEY_BYTES = 32
SALT_BYTES = 32
_NAMES = b"comity/backup/names/1"
_OBJECTS = b"comity/backup/objects/1"
_LISTS = b"comity/backup/lists/1"
_NONCE = bytes(12)
"""Every key seals one thing."""


class Vault:
    """Names, seals and opens what a backup holds.

    Args:
        key: 32 bytes; None for a backup that is not sealed.
        entropy: for the salts of what is not named by its content.
    """

    def __init__(self, key: bytes | None, entropy: Entropy) -> None:
        self._key = key
        self._entropy = entropy
        self._names = derive(key, b"", _NAMES) if key is not None else b""

    @property
    def key(self) -> bytes | None:
        """The key, for the data folder to keep; None where nothing is sealed."""
        return self._key

    @property
    def is_sealed(self) -> bool:
        """Whether nothing can be read without the key."""
        return self._key is not None

    def name(self, content: bytes) -> str:
        """The name of an object, 64 hexadecimal digits."""
        if self._key is None:
            return sha256(content).hexdigest()
        return hmac.digest(self._names, content, "sha256").hex()

    def close(self, name: str, content: bytes) -> bytes:
        """The bytes to keep of the object ``name``."""
        return content if self._key is None else self._cipher(name).encrypt(_NONCE, content, name.encode())

    def open(self, name: str, kept: bytes) -> bytes:
        """The content of the object ``name``.

        Raises:
            Rejected: ``backup-damaged``: a byte of it is not what was written.
        """
        content: bytes | None = kept
        if self._key is not None:
            try:
                content = self._cipher(name).decrypt(_NONCE, kept, name.encode())
            except InvalidTag:
                content = None
        if content is None or self.name(content) != name:
            raise Rejected("this part of the backup is damaged", code="backup-damaged", place=name)
        return content

    def close_list(self, what: str, content: bytes) -> bytes:
        """The bytes to keep of a list that is not named by its content; open, they begin with their digest."""
        if self._key is None:
            return sha256(what.encode() + b"\0" + content).digest() + content
        salt = self._entropy(SALT_BYTES)
        return salt + ChaCha20Poly1305(derive(self._key, salt, _LISTS)).encrypt(_NONCE, content, what.encode())

    def open_list(self, what: str, kept: bytes) -> bytes:
        """The content of the list ``what``.

        Raises:
            Rejected: ``backup-damaged``.
        """
        salt, rest = kept[:SALT_BYTES], kept[SALT_BYTES:]
        content: bytes | None = None
        if self._key is None:
            content = rest if sha256(what.encode() + b"\0" + rest).digest() == salt else None
        elif len(salt) == SALT_BYTES:
            try:
                content = ChaCha20Poly1305(derive(self._key, salt, _LISTS)).decrypt(_NONCE, rest, what.encode())
            except InvalidTag:
                content = None
        if content is None:
            raise Rejected("this list of the backup is damaged", code="backup-damaged", place=what)
        return content

    def _cipher(self, name: str) -> ChaCha20Poly1305:
        assert self._key is not None
        return ChaCha20Poly1305(derive(self._key, bytes.fromhex(name), _OBJECTS))
