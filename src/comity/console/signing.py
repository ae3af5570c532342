"""Signing elsewhere: what somebody who keeps his own key is to sign, and his signatures on their way back.

A page shows the act in words and as the exact bytes, and what to type so that they are signed (``comity sign``). The
signature is pasted, and the form goes on with it: nothing of this is kept here (``spec/acts.md`` step 6).
"""

from __future__ import annotations

import re
from base64 import b32encode, b64decode, b64encode
from hashlib import sha256

import msgspec

from comity.console.languages import Language
from comity.console.visit import Form
from comity.errors import Misuse
from comity.ports import Entropy
from comity.record.person_act import ActSaid, act_said

SIGNATURE, ASKED, FRESH = "signature", "asked", "fresh"
"""Fields: signatures that were made, the digest of what was to be signed last, and the identifier of what is new."""
SIGNATURE_BYTES = 64
_FRESH = re.compile("[a-z2-7]{16}")


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be signed.

    Attributes:
        said: the act in it.
        written: the bytes, in base64.
        digest: their SHA-256, in hex.
        signatures: those that were made already, for the form.
        again: the one that was pasted last was no signature over these bytes by his key.
        command: what is typed instead of all this; empty where there is no such command.
    """

    said: ActSaid
    written: str
    digest: str
    signatures: tuple[str, ...]
    again: bool
    command: str


def shown_message(message: bytes, form: Form, command: str) -> Message:
    """What a page shows of the bytes that a flow wants signed."""
    digest = sha256(message).hexdigest()
    made = form.all(SIGNATURE)
    again = bool(made) and form.get(ASKED) == digest
    return Message(
        said=act_said(message),
        written=b64encode(message).decode(),
        digest=digest,
        signatures=made[:-1] if again else made,
        again=again,
        command=command,
    )


def read_signatures(form: Form, words: Language) -> tuple[bytes, ...]:
    """The signatures that came with a form.

    Raises:
        Misuse: one is not 64 bytes in base64.
    """
    found = []
    for written in form.all(SIGNATURE):
        try:
            signature = b64decode("".join(written.split()), validate=True)
        except ValueError:
            signature = b""
        if len(signature) != SIGNATURE_BYTES:
            raise Misuse(words("this is no signature; paste the line that 'comity sign' wrote"), code="no-signature")
        found.append(signature)
    return tuple(found)


def fresh(entropy: Entropy) -> str:
    """What follows the prefix of a new identifier, such as ``3kq…`` in ``i-3kq…``."""
    return b32encode(entropy(10)).decode().lower()


def new_name(prefix: str, custody: str, given: str) -> str | None:
    """An identifier for what a form makes, where its signer has to know it beforehand."""
    return f"{prefix}-{given}" if custody == "strict" and _FRESH.fullmatch(given) else None
