"""The hybrid recipient ``age1pq1...``: ML-KEM-768 and X25519 together (``spec/seal.md`` steps 3 and 9).

Whoever keeps a file today must break both to open it. The default everywhere in Comity.
"""

from __future__ import annotations

from hashlib import shake_256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from comity.seal import bech32
from comity.seal.encoding import decode_exactly, encode
from comity.seal.header import FileKey, Stanza
from comity.seal.recipients import Entropy, arguments_of
from comity.seal.refusals import HeaderMalformed, KeyMalformed

KIND = "mlkem768x25519"
SEED_BYTES = 32
"""Size of an identity; both secret keys are expanded from it."""
MLKEM_PUBLIC_BYTES = 1184
"""Size of an ML-KEM-768 encapsulation key (FIPS 203 table 3)."""
PUBLIC_BYTES = MLKEM_PUBLIC_BYTES + 32
"""Size of a recipient: the ML-KEM-768 key, then the X25519 key."""
ENCAPSULATED_BYTES = 1088 + 32
"""Size of an encapsulated key: the ML-KEM-768 ciphertext, then the X25519 share."""
RECIPIENT_PREFIX = "age1pq"
IDENTITY_PREFIX = "AGE-SECRET-KEY-PQ-"
_INFO = b"age-encryption.org/mlkem768x25519"
_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)


class HybridRecipient:
    """Somebody who holds an ML-KEM-768 and an X25519 key made from one seed.

    Attributes:
        public: both public keys, 1216 bytes.
    """

    kind = KIND
    __slots__ = ("_key", "public")

    def __init__(self, public: bytes) -> None:
        self.public = public
        self._key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:]),
        )

    @classmethod
    def parse(cls, text: str) -> HybridRecipient:
        """The recipient written as ``age1pq1...``, 1959 characters.

        Raises:
            KeyMalformed: it is not, or nothing can be sealed to it (an unreduced ML-KEM key, a point of low order).
        """
        public = bech32.decode(RECIPIENT_PREFIX, text, PUBLIC_BYTES)
        try:
            recipient = cls(public)
            _SUITE.encrypt(b"", recipient._key, info=_INFO)
        except ValueError:
            raise KeyMalformed("the hybrid recipient is not a usable public key", code="key-unusable") from None
        return recipient

    def wrap(self, file_key: FileKey, entropy: Entropy) -> Stanza:  # noqa: ARG002 -- HPKE draws its own
        """(9) A stanza with a fresh encapsulated key.

        ``entropy`` is not asked: HPKE takes its ephemeral randomness from the operating system inside
        ``cryptography``, which offers no other way (and RFC 9180 asks for none).
        """
        sealed = _SUITE.encrypt(file_key, self._key, info=_INFO)
        return Stanza((KIND, encode(sealed[:ENCAPSULATED_BYTES])), sealed[ENCAPSULATED_BYTES:])

    def __str__(self) -> str:
        return bech32.encode(RECIPIENT_PREFIX, self.public)

    def __repr__(self) -> str:
        return f"HybridRecipient('{str(self)[:24]}...')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HybridRecipient) and self.public == other.public

    def __hash__(self) -> int:
        return hash(self.public)


class HybridIdentity:
    """The holder of a hybrid key.

    Attributes:
        recipient: what others seal to.
    """

    kind = KIND
    __slots__ = ("_key", "_seed", "_x25519", "recipient")

    def __init__(self, seed: bytes) -> None:
        expanded = shake_256(seed).digest(96)  # (3)
        mlkem = MLKEM768PrivateKey.from_seed_bytes(expanded[:64])
        self._seed = seed
        self._x25519 = X25519PrivateKey.from_private_bytes(expanded[64:])
        self._key = MLKEM768X25519PrivateKey(mlkem, self._x25519)
        self.recipient = HybridRecipient(
            mlkem.public_key().public_bytes_raw() + self._x25519.public_key().public_bytes_raw()
        )

    @classmethod
    def parse(cls, text: str) -> HybridIdentity:
        """The identity written as ``AGE-SECRET-KEY-PQ-1...``.

        Raises:
            KeyMalformed: it is not.
        """
        return cls(bech32.decode(IDENTITY_PREFIX, text, SEED_BYTES))

    @classmethod
    def generate(cls, entropy: Entropy) -> HybridIdentity:
        """A new identity from 32 bytes of ``entropy``."""
        return cls(entropy(SEED_BYTES))

    def secret_text(self) -> str:
        """The identity as it stands in a key file: a secret, never for a log or an error."""
        return bech32.encode(IDENTITY_PREFIX, self._seed)

    def unwrap(self, stanza: Stanza) -> FileKey | None:
        """(9) (11) As ``Identity.unwrap``."""
        (argument,) = arguments_of(stanza, 1)
        encapsulated = decode_exactly(argument, ENCAPSULATED_BYTES, "the mlkem768x25519 encapsulated key")
        try:
            return FileKey(_SUITE.decrypt(encapsulated + stanza.body, self._key, info=_INFO))
        except InvalidTag:
            self._refuse_low_order(encapsulated[-32:])
            return None

    def _refuse_low_order(self, share: bytes) -> None:
        """HPKE answers a low-order share as it answers another's key; only the first is malformed."""
        try:
            self._x25519.exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:
            raise HeaderMalformed("the mlkem768x25519 share is a point of low order", code="low-order") from None

    def __repr__(self) -> str:
        return f"HybridIdentity(of {self.recipient!r})"
