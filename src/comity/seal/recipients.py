"""What every kind of recipient and identity can do; the kinds are ``hybrid``, ``x25519`` and ``passphrase``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from comity.seal.header import FILE_KEY_BYTES, FileKey, Stanza
from comity.seal.refusals import HeaderMalformed

Entropy = Callable[[int], bytes]
"""Gives that many unpredictable bytes; ``os.urandom`` outside tests."""

WRAPPED_BYTES = FILE_KEY_BYTES + 16
"""Size of a wrapped file key: itself and a Poly1305 tag."""
_NONCE = bytes(12)


class Recipient(Protocol):
    """Somebody a file can be sealed to. Holds its loaded key: parse once, seal often."""

    @property
    def kind(self) -> str:
        """First argument of its stanzas."""
        ...

    def wrap(self, file_key: FileKey, entropy: Entropy) -> Stanza:
        """A fresh stanza that only this recipient's identity opens."""
        ...


class Identity(Protocol):
    """Somebody who can open what is sealed to one recipient."""

    @property
    def kind(self) -> str:
        """First argument of the stanzas it can try."""
        ...

    def unwrap(self, stanza: Stanza) -> FileKey | None:
        """The file key; None if the stanza, which is of this kind, is for somebody else.

        Raises:
            HeaderMalformed: the stanza is not what this kind writes.
        """
        ...


def arguments_of(stanza: Stanza, count: int) -> tuple[str, ...]:
    """(11) The arguments after the kind, if there are ``count`` and the body has the size of a wrapped key.

    The size is checked before any decryption, or a body could be made to open under two keys.

    Raises:
        HeaderMalformed: another number, or another size.
    """
    if len(stanza.arguments) != count + 1:
        raise HeaderMalformed(
            f"{stanza.kind} stanza: {count} argument(s) after the kind, not {len(stanza.arguments) - 1}",
            code="argument-count",
        )
    if len(stanza.body) != WRAPPED_BYTES:
        raise HeaderMalformed(
            f"{stanza.kind} stanza: the body has {WRAPPED_BYTES} bytes, not {len(stanza.body)}", code="body-length"
        )
    return stanza.arguments[1:]


def wrap_with(key: bytes, file_key: FileKey) -> bytes:
    """``file_key`` under a 32-byte key that is used this once, hence the zero nonce."""
    return ChaCha20Poly1305(key).encrypt(_NONCE, file_key, None)


def unwrap_with(key: bytes, body: bytes) -> FileKey | None:
    """The file key that ``wrap_with`` put into ``body``; None under another key."""
    try:
        return FileKey(ChaCha20Poly1305(key).decrypt(_NONCE, body, None))
    except InvalidTag:
        return None
