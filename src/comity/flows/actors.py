"""Actors: who does what a flow does.

In served custody the node holds the person's signing key and signs for him; in strict custody the key is elsewhere, and
the flow asks for a signature over bytes it names (``NeedsSignature``), then is called again with it. An act that says
several things in his name asks again for each.
"""

from __future__ import annotations

import msgspec

from comity.errors import Misuse


class Actor(msgspec.Struct, frozen=True):
    """An authenticated person of this house, or its root.

    Attributes:
        handle: what this house calls the person, or ``root``.
        signatures: his own Ed25519 signatures, when his key is in strict custody; one for each thing that the act says
            in his name, in any order.
    """

    handle: str
    signatures: tuple[bytes, ...] = ()


class NeedsSignature(Misuse):
    """The person must sign with a key that the node does not have.

    Attributes:
        message: the bytes to sign.
    """

    def __init__(self, message: bytes) -> None:
        super().__init__(
            "this person's key is in strict custody; sign with it, for example with --key FILE", code="needs-signature"
        )
        self.message = message
