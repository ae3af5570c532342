"""An age file put together piece by piece, wrong ones too, from the format's text and not from Comity's code.

Bech32 apart, nothing here imports what it tests: base64, HMAC, HKDF, the X-Wing combiner and the HPKE key schedule
are written out again.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Callable
from hashlib import scrypt, sha3_256, shake_256

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from seal.entropy import Repeatable

FILE_KEY = b"YELLOW SUBMARINE"
X25519_SECRET = bytes(range(32))
OTHER_X25519_SECRET = bytes(range(1, 33))
HYBRID_SEED = bytes(range(2, 34))
OTHER_HYBRID_SEED = bytes(range(3, 35))
PASSPHRASE = "correct horse battery staple"

LOW_ORDER_POINT = bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157")
"""A point of order 8 on Curve25519 (RFC 7748 section 6.1 asks to refuse what it leads to)."""


def raw64(data: bytes) -> str:
    return b64encode(data).decode().rstrip("=")


def not_canonical(text: str) -> str:
    """The same value with a bit set beyond its data."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return text[:-1] + alphabet[alphabet.index(text[-1]) + 1]


def extract(salt: bytes, secret: bytes) -> bytes:
    return hmac.digest(salt or bytes(32), secret, "sha256")


def expand(key: bytes, info: bytes, length: int = 32) -> bytes:
    return hmac.digest(key, info + b"\x01", "sha256")[:length]


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return expand(extract(salt, secret), info)


def public_of(secret: bytes) -> bytes:
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def hybrid_keys(seed: bytes) -> tuple[MLKEM768PublicKey, bytes]:
    expanded = shake_256(seed).digest(96)
    return MLKEM768PrivateKey.from_seed_bytes(expanded[:64]).public_key(), public_of(expanded[64:])


def xwing_shared(mlkem_shared: bytes, x25519_shared: bytes, x25519_share: bytes, x25519_public: bytes) -> bytes:
    return sha3_256(mlkem_shared + x25519_shared + x25519_share + x25519_public + b"\\.//^\\").digest()


def hpke_base_key_and_nonce(shared: bytes, info: bytes) -> tuple[bytes, bytes]:
    """RFC 9180 section 5.1, mode_base, with the suite of step 9."""
    suite = b"HPKE" + (0x647A).to_bytes(2) + (0x0001).to_bytes(2) + (0x0003).to_bytes(2)

    def labeled_extract(salt: bytes, label: bytes, secret: bytes) -> bytes:
        return extract(salt, b"HPKE-v1" + suite + label + secret)

    def labeled_expand(key: bytes, label: bytes, context: bytes, length: int) -> bytes:
        return expand(key, length.to_bytes(2) + b"HPKE-v1" + suite + label + context, length)

    context = b"\x00" + labeled_extract(b"", b"psk_id_hash", b"") + labeled_extract(b"", b"info_hash", info)
    secret = labeled_extract(shared, b"secret", b"")
    return labeled_expand(secret, b"key", context, 32), labeled_expand(secret, b"base_nonce", context, 12)


class AgeFile:
    """A file in the making; every method adds to it."""

    def __init__(self, file_key: bytes = FILE_KEY, first_line: str = "age-encryption.org/v1") -> None:
        self.data = f"{first_line}\n".encode()
        self.entropy: Callable[[int], bytes] = Repeatable()
        self.file_key = file_key
        self.payload_key = b""
        self.chunks = 0

    def line(self, text: str) -> AgeFile:
        self.data += text.encode("latin-1") + b"\n"
        return self

    def body(self, data: bytes) -> AgeFile:
        text = raw64(data)
        for start in range(0, len(text) + 1, 64):
            self.line(text[start : start + 64])
        return self

    def stanza(self, *arguments: str, body: bytes) -> AgeFile:
        return self.line(" ".join(("->", *arguments))).body(body)

    def x25519(self, secret: bytes = X25519_SECRET, share: bytes | None = None, zero: bool = False) -> AgeFile:
        """An X25519 stanza; with ``zero`` the shared secret is taken to be zeros, as from a point of low order."""
        if share is None:
            share = public_of(self.entropy(32))
        shared = bytes(32) if zero else self._exchange(secret, share)
        key = hkdf(shared, share + public_of(secret), b"age-encryption.org/v1/X25519")
        return self.stanza("X25519", raw64(share), body=self._wrapped(key))

    def hybrid(self, seed: bytes = HYBRID_SEED, share: bytes | None = None) -> AgeFile:
        """A hybrid stanza; a given ``share`` is one of low order, its shared secret taken to be zeros."""
        mlkem, x25519_public = hybrid_keys(seed)
        mlkem_shared, ciphertext = mlkem.encapsulate()
        shared = bytes(32)
        if share is None:
            ephemeral = self.entropy(32)
            share = public_of(ephemeral)
            shared = self._exchange(ephemeral, x25519_public)
        key, nonce = hpke_base_key_and_nonce(
            xwing_shared(mlkem_shared, shared, share, x25519_public), b"age-encryption.org/mlkem768x25519"
        )
        body = ChaCha20Poly1305(key).encrypt(nonce, self.file_key, None)
        return self.stanza("mlkem768x25519", raw64(ciphertext + share), body=body)

    def scrypt(self, passphrase: str = PASSPHRASE, factor: str = "10", salt: bytes | None = None) -> AgeFile:
        salt = self.entropy(16) if salt is None else salt
        cost = 1 << (int(factor) if factor.isdecimal() and 0 < int(factor) < 15 else 10)
        key = scrypt(passphrase.encode(), salt=b"age-encryption.org/v1/scrypt" + salt, n=cost, r=8, p=1, dklen=32)
        return self.stanza("scrypt", raw64(salt), factor, body=self._wrapped(key))

    def unread_line(self) -> str:
        """Take the last line back."""
        start = self.data[:-1].rfind(b"\n") + 1
        text = self.data[start:-1].decode("latin-1")
        self.data = self.data[:start]
        return text

    def unread_stanza(self) -> tuple[list[str], str]:
        """Take a stanza with a one-line body back: its arguments and its body line."""
        body = self.unread_line()
        return self.unread_line().split(" ")[1:], body

    def mac_bytes(self) -> bytes:
        return hmac.digest(hkdf(self.file_key, b"", b"header"), self.data + b"---", "sha256")

    def mac(self) -> AgeFile:
        return self.line(f"--- {raw64(self.mac_bytes())}")

    def nonce(self) -> AgeFile:
        nonce = self.entropy(16)
        self.payload_key = hkdf(self.file_key, nonce, b"payload")
        self.data += nonce
        return self

    def chunk(self, plaintext: bytes, final: bool = False, index: int | None = None) -> AgeFile:
        index = self.chunks if index is None else index
        nonce = index.to_bytes(11) + bytes([final])
        self.data += ChaCha20Poly1305(self.payload_key).encrypt(nonce, plaintext, None)
        self.chunks += 1
        return self

    def final(self, plaintext: bytes) -> AgeFile:
        return self.chunk(plaintext, final=True)

    def payload(self, plaintext: bytes = b"age") -> AgeFile:
        return self.nonce().final(plaintext)

    def raw(self, data: bytes) -> AgeFile:
        self.data += data
        return self

    def done(self) -> AgeFile:
        """MAC and a small payload."""
        return self.mac().payload()

    def _wrapped(self, key: bytes) -> bytes:
        return ChaCha20Poly1305(key).encrypt(bytes(12), self.file_key, None)

    @staticmethod
    def _exchange(secret: bytes, public: bytes) -> bytes:
        return X25519PrivateKey.from_private_bytes(secret).exchange(X25519PublicKey.from_public_bytes(public))


def armored(data: bytes, columns: int = 64, end_of_line: str = "\n", label: str = "AGE ENCRYPTED FILE") -> str:
    text = b64encode(data).decode()
    lines = [text[start : start + columns] for start in range(0, len(text), columns)]
    return end_of_line.join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""))
