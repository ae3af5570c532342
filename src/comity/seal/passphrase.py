"""Sealing to a passphrase with scrypt (``spec/seal.md`` step 10); such a stanza always stands alone."""

from __future__ import annotations

import re

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from comity.errors import Misuse
from comity.seal.encoding import decode_exactly, encode
from comity.seal.header import FileKey, Stanza
from comity.seal.recipients import Entropy, arguments_of, unwrap_with, wrap_with
from comity.seal.refusals import HeaderMalformed

KIND = "scrypt"
SALT_BYTES = 16
"""Size of the salt in a stanza."""
WORK_FACTOR = 18
"""Base-two logarithm of the scrypt cost we write: 256 MiB and about a second, as ``age`` writes."""
WORK_FACTOR_MAX = 20
"""Largest one read: 1 GiB of memory. A file names its own cost, and must not be able to name ours."""
_SALT_PREFIX = b"age-encryption.org/v1/scrypt"
_DECIMAL = re.compile(r"[1-9][0-9]{0,2}")


def _key(passphrase: bytes, salt: bytes, work_factor: int) -> bytes:
    return Scrypt(salt=_SALT_PREFIX + salt, length=32, n=1 << work_factor, r=8, p=1).derive(passphrase)


class PassphraseRecipient:
    """Whoever knows the passphrase."""

    kind = KIND
    __slots__ = ("_passphrase", "_work_factor")

    def __init__(self, passphrase: str, work_factor: int = WORK_FACTOR) -> None:
        if not passphrase:
            raise Misuse("the passphrase is empty; choose one of several words", code="empty-passphrase")
        self._passphrase = passphrase.encode()
        self._work_factor = work_factor

    def wrap(self, file_key: FileKey, entropy: Entropy) -> Stanza:
        """(10) A stanza with a fresh salt, 16 bytes of ``entropy``."""
        salt = entropy(SALT_BYTES)
        body = wrap_with(_key(self._passphrase, salt, self._work_factor), file_key)
        return Stanza((KIND, encode(salt), str(self._work_factor)), body)

    def __repr__(self) -> str:
        return "PassphraseRecipient()"


class PassphraseIdentity:
    """Somebody who knows the passphrase, and the cost he accepts to try it."""

    kind = KIND
    __slots__ = ("_passphrase", "_work_factor_max")

    def __init__(self, passphrase: str, work_factor_max: int = WORK_FACTOR_MAX) -> None:
        self._passphrase = passphrase.encode()
        self._work_factor_max = work_factor_max

    def unwrap(self, stanza: Stanza) -> FileKey | None:
        """(10) (11) As ``Identity.unwrap``; a cost above the accepted one is refused before any work."""
        salt_text, cost = arguments_of(stanza, 2)
        salt = decode_exactly(salt_text, SALT_BYTES, "the scrypt salt")
        if not _DECIMAL.fullmatch(cost):
            raise HeaderMalformed(f"{cost[:20]!r} is not a scrypt work factor", code="work-factor")
        if int(cost) > self._work_factor_max:
            raise HeaderMalformed(
                f"the scrypt work factor {cost} is above the accepted {self._work_factor_max}", code="work-factor-max"
            )
        return unwrap_with(_key(self._passphrase, salt, int(cost)), stanza.body)

    def __repr__(self) -> str:
        return "PassphraseIdentity()"
