"""Reading and making keys, and the files that hold them (``spec/seal.md`` step 4).

    # created: 2016-11-23T10:00:00+09:00
    # public key: age1pq1...
    AGE-SECRET-KEY-PQ-1...

One key a line; lines that begin with ``#`` and empty lines are passed over. A secret is never quoted in an error.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TypeVar

from comity.seal import age, armor, hybrid, x25519
from comity.seal.hybrid import HybridIdentity, HybridRecipient
from comity.seal.passphrase import PassphraseIdentity, PassphraseRecipient
from comity.seal.recipients import Entropy, Identity, Recipient
from comity.seal.refusals import KeyMalformed
from comity.seal.x25519 import X25519Identity, X25519Recipient

KEY_FILE_BYTES_MAX = 1 << 20
"""Largest key file read: 512 hybrid recipients of 2 KB, with comments."""

T = TypeVar("T")


def generate_identity(entropy: Entropy) -> HybridIdentity:
    """A new identity of the default kind."""
    return HybridIdentity.generate(entropy)


def parse_recipient(text: str) -> HybridRecipient | X25519Recipient:
    """The recipient written as ``age1pq1...`` or ``age1...``.

    Raises:
        KeyMalformed: it is neither, or it is mistyped.
    """
    if text.startswith(f"{hybrid.RECIPIENT_PREFIX}1"):
        return HybridRecipient.parse(text)
    if text.startswith(f"{x25519.RECIPIENT_PREFIX}1"):
        return X25519Recipient.parse(text)
    if text.upper().startswith("AGE-SECRET-KEY-"):
        raise KeyMalformed("a secret key stands where a recipient (age1...) is asked for", code="secret-key")
    raise KeyMalformed(f"{text[:40]!r} is not a recipient ('age1pq1...' or 'age1...')", code="key-kind")


def parse_identity(text: str) -> HybridIdentity | X25519Identity:
    """The identity written as ``AGE-SECRET-KEY-PQ-1...`` or ``AGE-SECRET-KEY-1...``.

    Raises:
        KeyMalformed: it is neither, or it is mistyped.
    """
    if text.startswith(f"{hybrid.IDENTITY_PREFIX}1"):
        return HybridIdentity.parse(text)
    if text.startswith(f"{x25519.IDENTITY_PREFIX}1"):
        return X25519Identity.parse(text)
    raise KeyMalformed("this is not an identity ('AGE-SECRET-KEY-PQ-1...' or 'AGE-SECRET-KEY-1...')", code="key-kind")


def parse_recipients(text: str) -> tuple[Recipient, ...]:
    """(4) The recipients of a file of them, in order.

    Raises:
        KeyMalformed: a line is neither a recipient nor passed over (``place`` names it), or there is none.
    """
    return _each_line(text, parse_recipient)


def parse_identities(text: str) -> tuple[Identity, ...]:
    """(4) The identities of a key file, in order.

    Raises:
        KeyMalformed: as ``parse_recipients``.
    """
    return _each_line(text, parse_identity)


def key_file(identity: HybridIdentity | X25519Identity, created: str) -> str:
    """(4) A key file with one identity; ``created`` is an instant in words, for its reader."""
    return f"# created: {created}\n# public key: {identity.recipient}\n{identity.secret_text()}\n"


def locked_key_file(text: str, passphrase: PassphraseRecipient, entropy: Entropy) -> bytes:
    """(4) A key file sealed to a passphrase, in the text form."""
    return armor.encode(bytes(age.seal_bytes(text.encode(), [passphrase], entropy)))


def read_key_file(data: bytes, passphrase: Callable[[], str]) -> tuple[Identity, ...]:
    """(4) The identities of a key file, which may be sealed to a passphrase, in either form.

    Args:
        data: the file.
        passphrase: asked only if the file is sealed.

    Raises:
        KeyMalformed: as ``parse_identities``.
        Rejected: it is sealed, and does not open.
    """
    return parse_identities(opened_key_file(data, passphrase))


def opened_key_file(data: bytes, passphrase: Callable[[], str]) -> str:
    """(4) The text of a key file, which may be sealed to a passphrase, in either form.

    Args:
        data: the file.
        passphrase: asked only if the file is sealed.

    Raises:
        KeyMalformed: it is too long, or no text.
        Rejected: it is sealed, and does not open.
    """
    if len(data) > KEY_FILE_BYTES_MAX:
        raise KeyMalformed(f"a key file has at most {KEY_FILE_BYTES_MAX} bytes, not {len(data)}", code="too-long")
    if is_locked(data):
        opened = BytesIO()
        age.open_stream(armor.detected(BytesIO(data)), opened, [PassphraseIdentity(passphrase())])
        data = opened.getvalue()
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise KeyMalformed("the key file is not text", code="key-file") from None


def is_locked(data: bytes) -> bool:
    """Whether a key file is sealed, in either form."""
    return data.startswith((armor.BEGIN, b"age-encryption.org/"))


def _each_line(text: str, parse: Callable[[str], T]) -> tuple[T, ...]:
    if len(text) > KEY_FILE_BYTES_MAX:
        raise KeyMalformed(f"a file of keys has at most {KEY_FILE_BYTES_MAX} characters", code="too-long")
    found: list[T] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line or line.startswith("#"):
            continue
        if line.strip() != line:
            raise KeyMalformed("white space around the key; remove it", code="key-space", place=f"line {number}")
        try:
            found.append(parse(line))
        except KeyMalformed as error:
            raise KeyMalformed(str(error), code=error.code, place=f"line {number}") from None
    if not found:
        raise KeyMalformed("no key in the file, only comments and empty lines", code="no-key")
    return tuple(found)
