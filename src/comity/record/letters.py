"""Letters: what a party signs so that another can show it to a third (``spec/routes.md`` steps 4 and 5).

A record stands in the chain of two parties and tells a third one nothing: its place, its time and what it cites are
none of his business. A letter stands in no chain. It says one thing about one item, and whoever is shown it verifies it
with the card of its author that he himself has compared. Whoever carries it vouches for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, TypeVar

import msgspec

from comity.marking.label import Label
from comity.record import dsse
from comity.record.bodies.base import InUtc
from comity.record.contexts import CONSENT_LETTER, RECEIPT_LETTER
from comity.record.encoding import (
    LETTER_BYTES_MAX,
    LIST_ENTRIES_MAX,
    Count,
    Digest,
    Identifier,
    Instant,
    Relationship,
    Words,
    decode,
    encode,
)


class LetterBody(InUtc, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The root of all letters; ``context`` is what its signature covers besides."""

    context: ClassVar[str]


L = TypeVar("L", bound=LetterBody)


class ConsentLetter(LetterBody, frozen=True, kw_only=True):
    """The originator of an item lets its holder give it to one other party.

    Attributes:
        consent: its id among the originator's consents.
        originator: whose item it is, and who signs.
        holder: who has it from the originator, and may give it.
        beneficiary: who may get it, and nobody else.
        item: item id.
        relationship: in which the originator gave it to the holder.
        agreement: digest of the text under which it did; what is sealed names it.
        sealed_as: SHA-256 of the canonical label under which it was sealed, which what is sealed names too.
        label: the originator's label, as it is now.
        alternative: the holder's own mark for it; None where the holder chose between several.
        payload: digest of what is sealed: the very bytes go on.
        content: the salted commitment to the content.
        purpose: what it may be given for, in the very words.
        conditions: on what conditions, in words.
        until: the first instant at which this no longer holds.
    """

    context: ClassVar[str] = CONSENT_LETTER
    consent: Identifier
    originator: Identifier
    holder: Identifier
    beneficiary: Identifier
    item: Identifier
    relationship: Relationship
    agreement: Digest
    sealed_as: Digest
    label: Label
    alternative: Label | None = None
    payload: Digest
    content: Digest
    purpose: Words
    conditions: Annotated[tuple[Words, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()
    until: Instant


class ReceiptLetter(LetterBody, frozen=True, kw_only=True):
    """Whoever got an item that was handed on says so to its originator.

    Attributes:
        receiver: who got it, and who signs.
        originator: whom it is for.
        holder: by whose hand it came.
        request: the request of the holder's by which it was handed on: no letter serves for another handing on.
        item: item id.
        content: the salted commitment to the content.
        payload: digest of what is sealed.
        copies: how many copies it came in.
        mark: the receiver's own mark for it; empty where somebody there chooses between several.
        at: when, by the receiver's clock.
    """

    context: ClassVar[str] = RECEIPT_LETTER
    receiver: Identifier
    originator: Identifier
    holder: Identifier
    request: Identifier
    item: Identifier
    content: Digest
    payload: Digest
    copies: Count
    mark: Annotated[str, msgspec.Meta(max_length=200)] = ""
    at: Instant


def write_letter(letter: LetterBody, public: bytes, signing: Callable[[bytes], bytes]) -> bytes:
    """A letter in its envelope, signed by its author's node-sign key."""
    return dsse.sign(letter.context, encode(letter), [(public, signing)])


def read_letter(envelope: bytes, kind: type[L], keys: Sequence[bytes], place: str = "") -> L:
    """A letter once its signature was verified with ``keys``, the node-sign keys of its author.

    Raises:
        Rejected: malformed, not canonical, too large, another kind of letter, or not signed by one of ``keys``.
    """
    parsed = dsse.read(envelope, kind.context, place, LETTER_BYTES_MAX)
    letter = decode(parsed.payload, kind, place)
    dsse.verify(parsed, keys, place)
    return letter


def peek_letter(envelope: bytes, kind: type[L], place: str = "") -> L:
    """A letter read strictly but NOT verified: one that was verified before, or to find whose keys must verify it.

    Raises:
        Rejected: malformed, not canonical, too large, or another kind of letter.
    """
    return decode(dsse.read(envelope, kind.context, place, LETTER_BYTES_MAX).payload, kind, place)
