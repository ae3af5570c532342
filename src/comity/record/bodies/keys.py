"""A party's keys change: what its records say of it (``spec/keys.md`` steps 42 to 44).

The card in the record is certified by the party's root key, as the first one was. What the record adds is the place: in
this chain, from here on, the keys of that card sign; and by the digest of the record before it, they stand for all that
came before.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from comity.record.bodies.base import Body, PersonSignature
from comity.record.encoding import Count, Identifier, Words

CARD_BYTES_MAX = 24 * 1024
"""Largest card in a record, so that the record fits in an envelope."""
CardEnvelope = Annotated[bytes, msgspec.Meta(max_length=CARD_BYTES_MAX)]


class KeysRotated(Body, frozen=True, kw_only=True):
    """From here on the keys of ``card`` sign in this chain; its own signature is by one of them."""

    kind: ClassVar[str] = "key-rotation/1"
    crosses: ClassVar[bool] = True
    card: CardEnvelope


class KeysRenewed(Body, frozen=True, kw_only=True):
    """The same in the house's own chain."""

    kind: ClassVar[str] = "own-keys/1"
    crosses: ClassVar[bool] = False
    card: CardEnvelope


class EpochDestroyed(Body, frozen=True, kw_only=True):
    """The registry's identity of an epoch is destroyed: what was sealed to it alone is opened by nobody any more.

    ``recipient`` is its public half, ``by`` whoever destroyed it.
    """

    kind: ClassVar[str] = "epoch-destroyed/1"
    crosses: ClassVar[bool] = False
    epoch: Count
    recipient: Words
    reason: Words
    by: Identifier
    signature: PersonSignature
