"""The keys of a person who keeps them off the node (strict custody): one file, which ``age`` reads too.

    # created: 2026-11-21T03:00:00Z
    # public key: age1pq1…
    # signs as: 9d61b1…            raw Ed25519 public key, hexadecimal
    # signing key: MC4CAQAwBQYDK…  PKCS #8 (RFC 8410), base64
    AGE-SECRET-KEY-PQ-1…

``comity keygen -p`` seals the file to a passphrase, which is asked when the keys are used.

The ordinary ``age`` program takes the file as an identity, because everything else in it is a comment to it. The public
half, which the security officer needs, is the same without the two secrets and is a file of recipients to ``age``.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from comity.cli.files import read_file
from comity.cli.passphrases import ask
from comity.errors import Misuse, Rejected
from comity.record.contexts import PERSON_ACT, READING
from comity.seal.hybrid import HybridIdentity
from comity.seal.keys import KEY_FILE_BYTES_MAX, is_locked, opened_key_file, parse_identities, parse_recipients
from comity.seal.recipients import Identity
from comity.seal.refusals import NoMatch

SIGNING_KEY = re.compile(r"^# signing key: ([A-Za-z0-9+/=]+)$", re.MULTILINE)
_SIGNS_AS = re.compile(r"^# signs as: ([0-9a-f]{64})$", re.MULTILINE)


class PersonKeys:
    """A person's own keys: one to sign with, one to open with."""

    def __init__(self, signing: Ed25519PrivateKey, identities: tuple[Identity, ...]) -> None:
        self._signing = signing
        self.identities = identities

    @property
    def public(self) -> bytes:
        """The raw public key, 32 bytes."""
        return self._signing.public_key().public_bytes_raw()

    @property
    def reading(self) -> ReadingKey:
        """The key as it signs requests to read a feed."""
        return ReadingKey(self._signing)

    def sign_act(self, message: bytes) -> bytes:
        """(6) The signature over what a node asks this person to sign, which must be an act and nothing else.

        Raises:
            Rejected: the bytes are of another kind: a node must not be able to get a signature for anything else.
        """
        if not message.startswith(b"DSSEv1 %d %s " % (len(PERSON_ACT), PERSON_ACT.encode())):
            raise Rejected("the node asks for a signature over something that is not an act of a person", code="no-act")
        return self._signing.sign(message)


class ReadingKey:
    """The same key, for reading feeds over the network: it signs requests to read, and nothing else."""

    def __init__(self, signing: Ed25519PrivateKey) -> None:
        self._signing = signing
        self.public = signing.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """The signature over a request to read a feed (``spec/feed.md`` step 17).

        Raises:
            Rejected: the bytes are of another kind.
        """
        if not message.endswith(b';tag="%s"' % READING.encode()):
            raise Rejected("this key is to sign requests to read a feed, and nothing else", code="no-reading")
        return self._signing.sign(message)


def make_person_keys(created: str, entropy: Callable[[int], bytes]) -> str:
    """(8) A new file of keys; ``created`` is an instant in words."""
    signing = Ed25519PrivateKey.from_private_bytes(entropy(32))
    identity = HybridIdentity.generate(entropy)
    secret = b64encode(signing.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())).decode()
    return (
        f"# created: {created}\n"
        f"# public key: {identity.recipient}\n"
        f"# signs as: {signing.public_key().public_bytes_raw().hex()}\n"
        f"# signing key: {secret}\n"
        f"{identity.secret_text()}\n"
    )


def public_half(text: str) -> str:
    """(8) What the security officer is given of a file of keys: its public keys.

    Raises:
        Rejected: the text is not such a file.
    """
    keys = parse_person_keys(text, "")
    identity = keys.identities[0]
    assert isinstance(identity, HybridIdentity)
    return f"# signs as: {keys.public.hex()}\n{identity.recipient}\n"


def parse_person_keys(text: str, place: str) -> PersonKeys:
    """The keys in ``text``.

    Raises:
        Rejected: there is no signing key, more than one, or no identity.
    """
    found = SIGNING_KEY.findall(text)
    if len(found) != 1:
        raise Rejected(
            "not the keys of one person; make them with 'comity keygen --person'", code="bad-key-file", place=place
        )
    try:
        signing = load_der_private_key(b64decode(found[0], validate=True), password=None)
    except (ValueError, Error):
        signing = None
    if not isinstance(signing, Ed25519PrivateKey):
        raise Rejected("the signing key is not an Ed25519 key in PKCS #8", code="bad-key-file", place=place)
    return PersonKeys(signing, parse_identities(text))


def read_person_keys(path: Path) -> PersonKeys:
    """The keys in the file at ``path``.

    Raises:
        Misuse: it cannot be read.
        Rejected: it is not what ``make_person_keys`` writes.
    """
    return parse_person_keys(_text(path), str(path))


def read_public_keys(path: Path) -> tuple[str, bytes]:
    """The age recipient and the raw Ed25519 public key in a public half.

    Raises:
        Misuse: it cannot be read.
        Rejected: it is not what ``public_half`` writes.
    """
    text = _text(path)
    signs_as, recipients = _SIGNS_AS.findall(text), parse_recipients(text)
    if len(signs_as) != 1 or len(recipients) != 1:
        raise Rejected("not the public keys of one person", code="bad-key-file", place=str(path))
    return str(recipients[0]), bytes.fromhex(signs_as[0])


def _text(path: Path) -> str:
    data = read_file(path, KEY_FILE_BYTES_MAX)
    try:
        return opened_text(data, str(path)) if is_locked(data) else data.decode()
    except UnicodeDecodeError:
        raise Rejected("a file of keys is text", code="bad-key-file", place=str(path)) from None
    except NoMatch:
        raise Misuse(f"this passphrase does not open {str(path)!r}", code="wrong-passphrase") from None


@lru_cache(maxsize=4)
def opened_text(data: bytes, path: str) -> str:
    """The text of a file of keys; its passphrase is asked once in a command that reads it several times.

    Raises:
        Misuse: there is no terminal to ask.
        Rejected: it does not open.
    """
    return opened_key_file(data, lambda: ask(f"Passphrase of {path}"))
