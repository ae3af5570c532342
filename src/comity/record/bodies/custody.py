"""Custody of numbered copies: what records say about it (Articles 9, 12, 14; ``spec/custody.md``)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.record.bodies.base import Body, Names, PersonSignature
from comity.record.bodies.giving import CopyMade
from comity.record.encoding import LIST_ENTRIES_MAX, Count, Digest, Identifier, Name, Words


class DoubleEnvelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="double-envelope"):
    """Papers or media in two sealed envelopes, and what stands on each of them (Article 12)."""

    inner_mark: Name
    inner_address: Words
    outer_recipient: Words
    outer_sender: Words
    register_number: Words


class Enclosure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag="enclosure"):
    """Equipment in a sealed covered vehicle or a crate, and how it is controlled without a break (Article 12).

    ``concealed`` says that shape, size and contents cannot be seen; ``seal`` is the number of the seal.
    """

    means: Literal["vehicle", "crate"]
    seal: Words
    concealed: bool
    control: Words


Packing = DoubleEnvelope | Enclosure
"""How something is packed for its way, as whoever takes it over sees it."""


class Reproduced(Body, frozen=True, kw_only=True):
    """A holder has made further numbered copies of one that he holds (Article 14).

    ``marks`` are repeated on each of them, the originator's own first.
    """

    kind: ClassVar[str] = "reproduction/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    copy: Count
    copies: Annotated[tuple[CopyMade, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
    marks: Names
    purpose: Words
    basis: Digest
    by: Identifier
    after: Digest
    signature: PersonSignature


class HandedOver(Body, frozen=True, kw_only=True):
    """A holder, or his registry, gives a copy into other hands of the same party (Articles 9, 12).

    ``header`` is the digest of the header that seals the copy to ``taker``; the one before it is erased. ``basis``
    commits to the decision that the taker may have it.
    """

    kind: ClassVar[str] = "hand-over/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    copy: Count
    taker: Identifier
    header: Digest
    basis: Digest
    by: Identifier
    after: Digest
    signature: PersonSignature


class Carried(Body, frozen=True, kw_only=True):
    """A carrier has taken a copy over, sealed and packed as he says: a receipt on the way (Article 12).

    ``after`` is the receipt before this one on the same way, or the record that sent the copy off.
    """

    kind: ClassVar[str] = "carriage/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    copy: Count
    packing: Packing | None = None
    by: Identifier
    after: Digest
    signature: PersonSignature


class TakenOver(Body, frozen=True, kw_only=True):
    """Whom a copy was sent to has it and answers for it from now on: the final receipt (Articles 9, 12).

    ``after`` is the record that sent the copy off to him; ``condition`` is what he found amiss, empty for nothing.
    """

    kind: ClassVar[str] = "take-over/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    copy: Count
    condition: Words = ""
    by: Identifier
    after: Digest
    signature: PersonSignature


class CopyLost(Body, frozen=True, kw_only=True):
    """A copy cannot be found: with its holder, or on its way (Article 17). ``incident`` names the report of it."""

    kind: ClassVar[str] = "copy-lost/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    copy: Count
    circumstances: Words
    incident: Identifier | None = None
    by: Identifier
    after: Digest
    signature: PersonSignature


class CopyFound(Body, frozen=True, kw_only=True):
    """A lost copy is there again: with its holder, or on its way as before."""

    kind: ClassVar[str] = "copy-found/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    copy: Count
    circumstances: Words
    by: Identifier
    after: Digest
    signature: PersonSignature
