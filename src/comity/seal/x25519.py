"""The classic recipient ``age1...`` and its identity ``AGE-SECRET-KEY-1...`` (``spec/seal.md`` steps 2 and 8)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from comity.seal import bech32
from comity.seal.derivation import derive
from comity.seal.encoding import decode_exactly, encode
from comity.seal.header import FileKey, Stanza
from comity.seal.recipients import Entropy, arguments_of, unwrap_with, wrap_with
from comity.seal.refusals import HeaderMalformed, KeyMalformed

KIND = "X25519"
KEY_BYTES = 32
"""Size of a secret, a public key and a shared secret (RFC 7748 section 5)."""
RECIPIENT_PREFIX = "age"
IDENTITY_PREFIX = "AGE-SECRET-KEY-"
_INFO = b"age-encryption.org/v1/X25519"


class X25519Recipient:
    """Somebody who holds an X25519 key.

    Attributes:
        public: the public key, 32 bytes.
    """

    kind = KIND
    __slots__ = ("_key", "public")

    def __init__(self, public: bytes) -> None:
        self.public = public
        self._key = X25519PublicKey.from_public_bytes(public)

    @classmethod
    def parse(cls, text: str) -> X25519Recipient:
        """The recipient written as ``age1...``, 62 characters.

        Raises:
            KeyMalformed: it is not, or it is a key to which nothing can be sealed (a point of low order).
        """
        recipient = cls(bech32.decode(RECIPIENT_PREFIX, text, KEY_BYTES))
        try:
            X25519PrivateKey.from_private_bytes(bytes(KEY_BYTES)).exchange(recipient._key)
        except ValueError:
            raise KeyMalformed(f"{text!r} is a point of low order, nobody's key", code="key-low-order") from None
        return recipient

    def wrap(self, file_key: FileKey, entropy: Entropy) -> Stanza:
        """(8) A stanza with a fresh ephemeral key, 32 bytes of ``entropy``."""
        ephemeral = X25519PrivateKey.from_private_bytes(entropy(KEY_BYTES))
        share = ephemeral.public_key().public_bytes_raw()
        key = derive(ephemeral.exchange(self._key), share + self.public, _INFO)
        return Stanza((KIND, encode(share)), wrap_with(key, file_key))

    def __str__(self) -> str:
        return bech32.encode(RECIPIENT_PREFIX, self.public)

    def __repr__(self) -> str:
        return f"X25519Recipient({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, X25519Recipient) and self.public == other.public

    def __hash__(self) -> int:
        return hash(self.public)


class X25519Identity:
    """The holder of an X25519 key.

    Attributes:
        recipient: what others seal to.
    """

    kind = KIND
    __slots__ = ("_key", "recipient")

    def __init__(self, secret: bytes) -> None:
        self._key = X25519PrivateKey.from_private_bytes(secret)
        self.recipient = X25519Recipient(self._key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, text: str) -> X25519Identity:
        """The identity written as ``AGE-SECRET-KEY-1...``.

        Raises:
            KeyMalformed: it is not.
        """
        return cls(bech32.decode(IDENTITY_PREFIX, text, KEY_BYTES))

    @classmethod
    def generate(cls, entropy: Entropy) -> X25519Identity:
        """A new identity from 32 bytes of ``entropy``."""
        return cls(entropy(KEY_BYTES))

    def secret_text(self) -> str:
        """The identity as it stands in a key file: a secret, never for a log or an error."""
        return bech32.encode(IDENTITY_PREFIX, self._key.private_bytes_raw())

    def unwrap(self, stanza: Stanza) -> FileKey | None:
        """(8) (11) As ``Identity.unwrap``; an all-zero shared secret is refused."""
        (argument,) = arguments_of(stanza, 1)
        share = decode_exactly(argument, KEY_BYTES, "the X25519 ephemeral share")
        try:
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:  # the library's answer to an all-zero shared secret
            raise HeaderMalformed("the X25519 ephemeral share is a point of low order", code="low-order") from None
        return unwrap_with(derive(shared, share + self.recipient.public, _INFO), stanza.body)

    def __repr__(self) -> str:
        return f"X25519Identity(of {self.recipient})"
