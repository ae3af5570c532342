"""The protocol of a key ceremony: what was asked, what was said, what came of it (``spec/keys.md`` steps 25 to 31)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

import msgspec

from comity.errors import Rejected
from comity.record import dsse
from comity.record.card import Card
from comity.record.contexts import CEREMONY
from comity.record.encoding import LIST_ENTRIES_MAX, Count, Digest, Identifier, Instant, Name, Words, decode, encode

PROTOCOL_VERSION = 1
"""Version of the format."""
PROTOCOL_BYTES_MAX = 1 << 20
"""Largest protocol read, in its envelope."""


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question and its answer, or something that was done; ``said`` is empty for the latter."""

    at: Instant
    asked: Words
    said: Words = ""


class FileNoted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file that the ceremony made or took in, by its SHA-256."""

    name: Name
    digest: Digest


class Protocol(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """All that was said and done.

    Attributes:
        version: version of the format.
        kind: a founding, or the first contact with another party.
        party: whose ceremony it is.
        program: the version of Comity that ran.
        place: where.
        officer: who acted.
        witness: who watched.
        steps: in the order of the ceremony.
        fingerprint: the party's own, or at a first contact the other party's.
        other: the other party, at a first contact.
        files: what was made or taken in.
    """

    version: Count
    kind: Literal["founding", "first-contact"]
    party: Identifier
    program: Name
    place: Name
    officer: Name
    witness: Name
    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
    fingerprint: Digest
    other: Identifier | None = None
    files: Annotated[tuple[FileNoted, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()


def write_protocol(protocol: Protocol, public: bytes, signing: Callable[[bytes], bytes]) -> bytes:
    """(30) The protocol in its envelope, signed by the key ``public``."""
    return dsse.sign(CEREMONY, encode(protocol), [(public, signing)])


def read_protocol(envelope: bytes, card: Card, place: str = "") -> Protocol:
    """(31) A protocol whose signature was verified under the card of the party that held the ceremony.

    Raises:
        Rejected: malformed, not canonical, of another version or party, or signed by another key.
    """
    parsed = dsse.read(envelope, CEREMONY, place, PROTOCOL_BYTES_MAX)
    protocol = decode(parsed.payload, Protocol, place)
    if protocol.version != PROTOCOL_VERSION:
        raise Rejected(
            f"a protocol of version {protocol.version}; this program reads 1", code="unknown-version", place=place
        )
    if protocol.party != card.party:
        raise Rejected(
            f"a protocol of {protocol.party!r}, and the card is of {card.party!r}", code="other-party", place=place
        )
    dsse.verify(parsed, [card.root] if protocol.kind == "founding" else card.node_sign, place)
    return protocol
