"""C2SP signed notes: text that one or more keys signed (signed-note v1.0.0; spec 40-49).

Rules of this file:

- A note is parsed whole or refused; encoding what was parsed gives the same bytes.
- Nothing of a note is used before ``open_note`` has verified it against keys that were configured beforehand.
- A signature whose (name, id) is not configured is ignored; one that is, and fails, condemns the note.
- Further signature types are further rows of ``KeyType``, ``_FORMS`` and ``_message``.

>>> key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
>>> key.name, key.type
('example.com/foo', <KeyType.ED25519: 1>)
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from enum import IntEnum
from hashlib import sha256
from typing import Protocol

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from comity.errors import Misuse, Rejected, invariant
from comity.ledger.canonical import COUNT_MAX, read_base64, read_decimal, read_hash, write_base64

NOTE_BYTES_MAX = 128 * 1024
"""Room for ``SIGNATURES_MAX`` post-quantum signatures of 3.3 kB in base64, and the text."""

SIGNATURES_MAX = 32
"""signed-note asks for at least 16."""

KEY_ID_BYTES = 4
TIME_BYTES = 8
SUBTREE = b"subtree/v1\n\0"
"""Begins what an ML-DSA-44 cosigner signs (61)."""
SUBTREE_NAME_BYTES_MAX = 255
"""The length of a name or an origin stands there in one byte (61)."""

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_KEY_ID = re.compile(r"[0-9a-f]{8}", re.ASCII)


class KeyType(IntEnum):
    """Signature types this room can verify (signed-note, signature types)."""

    ED25519 = 0x01
    """Over the note text itself."""

    COSIGNATURE_V1 = 0x04
    """Timestamped Ed25519 over a checkpoint (tlog-cosignature)."""

    COSIGNATURE_ML_DSA_44 = 0x06
    """Timestamped ML-DSA-44 over what a checkpoint states (tlog-cosignature)."""


COSIGNATURES = frozenset({KeyType.COSIGNATURE_V1, KeyType.COSIGNATURE_ML_DSA_44})
"""The types by which a witness signs."""

_ED25519, _ML_DSA_44 = ("an Ed25519", 32, 64), ("an ML-DSA-44", 1_312, 2_420)
_FORMS = {
    KeyType.ED25519: _ED25519,
    KeyType.COSIGNATURE_V1: _ED25519,
    KeyType.COSIGNATURE_ML_DSA_44: _ML_DSA_44,
}
"""What a key is called, and the bytes of the public key and of a signature, by type."""


class Signer(Protocol):
    """A private key: Ed25519 unless something else is said; the same shape as ``comity.ports.Signer``."""

    @property
    def public(self) -> bytes:
        """The raw public key."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over ``message``."""
        ...


def check_name(name: str) -> str:
    """``name`` if it can be a key name (41).

    Raises:
        Rejected: ``bad-name``: it is empty, or has a space, a plus or a control character.
    """
    if not name or "+" in name or any(character.isspace() for character in name) or _CONTROL.search(name):
        raise Rejected(
            f"key name {name[:80]!r} is empty or holds a space, a plus or a control character", code="bad-name"
        )
    return name


class VerifierKey(msgspec.Struct, frozen=True):
    """A public key that is trusted under a name, for one type of signature.

    Attributes:
        name: key name; that of a log is its origin.
        type: what its signatures are over.
        public: raw public key: 32 bytes of Ed25519, or 1,312 of ML-DSA-44.
    """

    name: str
    type: KeyType
    public: bytes

    def __post_init__(self) -> None:
        check_name(self.name)
        called, size, _ = _FORMS[self.type]
        if len(self.public) != size:
            raise Rejected(f"{called} public key has {size} bytes, not {len(self.public)}", code="bad-key")

    @property
    def id(self) -> bytes:
        """SHA-256(name ‖ newline ‖ type ‖ public key), its first 4 bytes (42)."""
        return sha256(self.name.encode() + b"\n" + bytes([self.type]) + self.public).digest()[:KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """The vkey: ``name+hex(id)+base64(type ‖ public key)`` (43)."""
        return f"{self.name}+{self.id.hex()}+{write_base64(bytes([self.type]) + self.public)}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a vkey; base64 may hold a plus, so only the first two separate (43).

        Raises:
            Rejected: ``bad-key``, ``bad-name`` or ``bad-base64``.
        """
        parts = text.split("+", 2)
        if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
            raise Rejected(f"{text[:120]!r} is not a verifier key 'name+id+key'", code="bad-key")
        material = read_base64(parts[2], "verifier key")
        if not material or material[0] not in set(KeyType):
            raise Rejected(f"verifier key {text[:120]!r} is of a type that is not supported", code="bad-key")
        key = cls(parts[0], KeyType(material[0]), material[1:])
        if key.id.hex() != parts[1]:
            raise Rejected(f"verifier key {text[:120]!r} has id {key.id.hex()}, not {parts[1]}", code="bad-key")
        return key


class Signature(msgspec.Struct, frozen=True):
    """One signature line, not verified.

    Attributes:
        name: key name.
        key_id: 4 bytes.
        blob: what follows the key id; its form depends on the key's type.
    """

    name: str
    key_id: bytes
    blob: bytes

    @property
    def line(self) -> str:
        """``— name base64(id ‖ blob)`` with its newline (44)."""
        return f"\u2014 {self.name} {write_base64(self.key_id + self.blob)}\n"

    @classmethod
    def parse(cls, line: str) -> Signature:
        """Read one line without its newline (44).

        Raises:
            Rejected: ``bad-signature-line``, ``bad-name`` or ``bad-base64``.
        """
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "\u2014":
            raise Rejected(f"{line[:120]!r} is not a signature line '\u2014 name base64'", code="bad-signature-line")
        blob = read_base64(parts[2], "signature")
        if len(blob) <= KEY_ID_BYTES:
            raise Rejected(f"the signature of {parts[1][:80]!r} is empty", code="bad-signature-line")
        return cls(check_name(parts[1]), blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])


class Note(msgspec.Struct, frozen=True):
    """A note as it stands, not verified.

    Attributes:
        text: ends in a newline.
        signatures: at least one, in the order of the note.
    """

    text: str
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """The bytes of the note (40).

        Raises:
            Misuse: the text or the number of signatures cannot stand in a note.
        """
        if not self.text.endswith("\n") or _CONTROL.search(self.text):
            raise Misuse("a note's text ends in a newline and has no other control character", code="bad-note")
        if not 1 <= len(self.signatures) <= SIGNATURES_MAX:
            raise Misuse(f"a note has 1 to {SIGNATURES_MAX} signatures, not {len(self.signatures)}", code="bad-note")
        return (self.text + "\n" + "".join([signature.line for signature in self.signatures])).encode()

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Read a note strictly (40).

        Raises:
            Rejected: ``note-too-long``, ``bad-note``, or what ``Signature.parse`` raises.
        """
        if len(data) > NOTE_BYTES_MAX:
            raise Rejected(f"the note has {len(data)} bytes, at most {NOTE_BYTES_MAX} are read", code="note-too-long")
        try:
            whole = data.decode()
        except UnicodeDecodeError as error:
            raise Rejected(f"the note is not UTF-8 at byte {error.start}", code="bad-note") from None
        if _CONTROL.search(whole):
            raise Rejected("the note has a control character other than newline", code="bad-note")
        text, blank, lines = whole.rpartition("\n\n")  # the last empty line parts them
        if not blank or not lines.endswith("\n"):
            raise Rejected("the note is not a text, an empty line and signature lines", code="bad-note")
        signatures = lines[:-1].split("\n")
        if len(signatures) > SIGNATURES_MAX:
            raise Rejected(f"the note has more than {SIGNATURES_MAX} signatures", code="bad-note")
        return cls(text + "\n", tuple([Signature.parse(line) for line in signatures]))


class Verified(msgspec.Struct, frozen=True):
    """Verified: ``key`` signed the note's text.

    Attributes:
        key: the configured key.
        signature: its line.
        time: POSIX seconds a cosigner stated, None for a plain signature.
    """

    key: VerifierKey
    signature: Signature
    time: int | None


class OpenNote(msgspec.Struct, frozen=True):
    """A note of which at least one configured key signed the text.

    Attributes:
        note: the note, ignored signatures included.
        verified: one for each configured key that signed, in the order of the note.
    """

    note: Note
    verified: tuple[Verified, ...]


def open_note(note: Note, keys: Iterable[VerifierKey]) -> OpenNote:
    """Verify ``note`` against ``keys`` (45-48).

    Raises:
        Misuse: two keys share a name and an id.
        Rejected: ``bad-signature``: a configured key's signature fails; ``no-trusted-signature``: there is none.
    """
    known: dict[tuple[str, bytes], VerifierKey] = {}
    for key in keys:
        if known.setdefault((key.name, key.id), key) != key:
            raise Misuse(f"two keys are called {key.name!r} with id {key.id.hex()}", code="ambiguous-key")
    verified: dict[VerifierKey, Verified] = {}
    for signature in note.signatures:
        trusted = known.get((signature.name, signature.key_id))
        if trusted is not None:  # (45)
            checked = _verify(note.text, trusted, signature)  # (46)
            verified.setdefault(trusted, checked)  # (47)
    if not verified:  # (48)
        raise Rejected("no key that is trusted here signed this note", code="no-trusted-signature")
    return OpenNote(note, tuple(verified.values()))


def sign(text: str, name: str, signer: Signer) -> Signature:
    """A plain Ed25519 signature over a note's text (49)."""
    return _signature(VerifierKey(name, KeyType.ED25519, signer.public), text, signer, None)


def cosign(text: str, name: str, signer: Signer, time: int, key_type: KeyType = KeyType.COSIGNATURE_V1) -> Signature:
    """A cosignature over a checkpoint's text at ``time``, POSIX seconds (49, 60, 61).

    Args:
        text: of the checkpoint.
        name: key name of the witness.
        signer: its private key, of the algorithm of ``key_type``.
        time: POSIX seconds.
        key_type: one of ``COSIGNATURES``.

    Raises:
        Misuse: ``time`` is negative or beyond 2**63 - 1.
        Rejected: the text cannot be signed in that form; see (61).
    """
    if not 0 <= time <= COUNT_MAX:
        raise Misuse(f"a cosignature cannot carry the time {time}", code="bad-time")
    return _signature(VerifierKey(name, key_type, signer.public), text, signer, time)


def _message(key: VerifierKey, text: str, time: int) -> bytes:
    """What the signature of ``key`` is over (49)."""
    match key.type:
        case KeyType.ED25519:
            return text.encode()
        case KeyType.COSIGNATURE_V1:  # (60)
            return f"cosignature/v1\ntime {time}\n{text}".encode()
        case KeyType.COSIGNATURE_ML_DSA_44:  # (61)
            origin, size, root, *_ = text.split("\n", 3) if text.count("\n") > 2 else ("", "", "")
            stated = read_decimal(size, "tree size").to_bytes(8, "big") + read_hash(root, "root hash")
            return SUBTREE + _short(key.name) + time.to_bytes(8, "big") + _short(origin) + bytes(8) + stated


def _short(name: str) -> bytes:
    encoded = name.encode()
    if not 1 <= len(encoded) <= SUBTREE_NAME_BYTES_MAX:
        raise Rejected(
            f"{name[:80]!r} does not have 1 to {SUBTREE_NAME_BYTES_MAX} bytes, as an ML-DSA-44 cosignature needs",
            code="bad-name",
        )
    return bytes([len(encoded)]) + encoded


def _signature(key: VerifierKey, text: str, signer: Signer, time: int | None) -> Signature:
    signature = signer.sign(_message(key, text, time or 0))
    invariant(len(signature) == _FORMS[key.type][2], "a signer returns signatures of its algorithm")
    stamp = b"" if time is None else time.to_bytes(TIME_BYTES, "big")
    return Signature(key.name, key.id, stamp + signature)


def _verify(text: str, key: VerifierKey, signature: Signature) -> Verified:
    time: int | None = None
    blob = signature.blob
    if key.type in COSIGNATURES:
        time, blob = int.from_bytes(blob[:TIME_BYTES], "big"), blob[TIME_BYTES:]
    with suppress(InvalidSignature, Rejected, ValueError):
        if (time or 0) <= COUNT_MAX and len(blob) == _FORMS[key.type][2]:
            message = _message(key, text, time or 0)
            if key.type is KeyType.COSIGNATURE_ML_DSA_44:
                MLDSA44PublicKey.from_public_bytes(key.public).verify(blob, message)
            else:
                Ed25519PublicKey.from_public_bytes(key.public).verify(blob, message)
            return Verified(key, signature, time)
    raise Rejected(f"the signature of {key.name!r} does not verify", code="bad-signature")
