"""A party's card: its names and keys, certified by its root key (``spec/record.md`` step 8).

The card travels in the open; what makes it trusted is that two people compared the fingerprint of its root key with the
other party, by voice or by pouch.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Literal

import msgspec

from comity.errors import Rejected
from comity.record import dsse
from comity.record.contexts import CARD, FINGERPRINT
from comity.record.encoding import Count, Digest, Identifier, Instant, Name, Words, decode, encode, instant

CARD_VERSION = 1
"""Version of the card format."""
FORMER_MAX = 64
"""Most former keys on a card: five purposes, changed each year for ten years."""
Purpose = Literal["record", "log", "witness", "transport", "tls"]
"""What one of a node's own keys is for; ``tls`` is its server's certificate, known by its digest."""
SIGNING: tuple[Purpose, ...] = ("record", "log", "witness", "transport")
"""Those that sign what others keep, or answer. One key, one purpose."""
PURPOSES: tuple[Purpose, ...] = (*SIGNING, "tls")
"""All of them."""


class RegistryKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The age recipient of a party's registry during one epoch."""

    epoch: Count
    recipient: Words


class FormerKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A key that the party had before.

    Attributes:
        purpose: what it was for.
        key: the raw Ed25519 public key; of ``tls``, SHA-256 of the DER of the certificate.
        until: how long others still take it, or what it signs: the end of the overlap.
        revoked: what it signed after this instant is not the party's; None where only another key took its place.
    """

    purpose: Purpose
    key: Digest
    until: Instant
    revoked: Instant | None = None

    def __post_init__(self) -> None:
        instant(self.until)
        if self.revoked is not None:
            instant(self.revoked)


class Card(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a party tells others about itself.

    Attributes:
        version: version of the card format.
        party: party id, as agreements name it.
        name: the party's name for people.
        root: raw Ed25519 public key that certifies the rest.
        node_sign: raw Ed25519 public keys that sign records, newest first.
        log: raw Ed25519 public key that signs the checkpoints of its ledgers.
        witness: raw Ed25519 public key that cosigns the checkpoints of others.
        transport: raw Ed25519 public key that signs requests.
        certificate: SHA-256 of the DER of the TLS certificate its server shows.
        addresses: base addresses of its server; empty when it is reached by pouch only.
        registry: age recipients of its registry, newest epoch first.
        suites: record suites it accepts, best first. The agreement names the minimum; no card lowers it.
        records: record format versions it reads.
        issued: when the card was made.
        until: when it ends.
        former: the party's keys of before, newest first: for as long as anything stands that they signed.
    """

    version: Count
    party: Identifier
    name: Name
    root: Digest
    node_sign: Annotated[tuple[Digest, ...], msgspec.Meta(min_length=1, max_length=8)]
    log: Digest
    witness: Digest
    transport: Digest
    certificate: Digest
    addresses: Annotated[tuple[Words, ...], msgspec.Meta(max_length=8)]
    registry: Annotated[tuple[RegistryKey, ...], msgspec.Meta(min_length=1, max_length=8)]
    suites: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=8)]
    records: Annotated[tuple[Count, ...], msgspec.Meta(min_length=1, max_length=8)]
    issued: Instant
    until: Instant
    former: Annotated[tuple[FormerKey, ...], msgspec.Meta(max_length=FORMER_MAX)] = ()

    def __post_init__(self) -> None:
        if instant(self.until) <= instant(self.issued):
            raise Rejected("a card that ends before it begins", code="card-dates")

    def present(self, purpose: Purpose) -> tuple[bytes, ...]:
        """The keys that serve a purpose now, the newest first."""
        keys: dict[Purpose, tuple[bytes, ...]] = {
            "record": self.node_sign,
            "log": (self.log,),
            "witness": (self.witness,),
            "transport": (self.transport,),
            "tls": (self.certificate,),
        }
        return keys[purpose]

    def taken(self, purpose: Purpose, now: datetime) -> tuple[bytes, ...]:
        """The keys whose fresh signatures are taken at ``now``: the present ones, and former ones in their overlap."""
        former = (each for each in self.former if each.purpose == purpose)
        return (*self.present(purpose), *(each.key for each in former if each.revoked is None and now <= each.until))

    def had(self, purpose: Purpose) -> tuple[bytes, ...]:
        """Every key of a purpose that may verify what stands: the present and all former ones, revoked ones too."""
        return (*self.present(purpose), *(each.key for each in self.former if each.purpose == purpose))

    def unrevoked(self, purpose: Purpose) -> tuple[bytes, ...]:
        """The present keys of a purpose, and those that were replaced only."""
        return tuple(key for key in self.had(purpose) if key not in self.revoked(purpose))

    def revoked(self, purpose: Purpose) -> dict[bytes, datetime]:
        """The revoked keys of a purpose, with the instant since which what they sign is not the party's."""
        former = (each for each in self.former if each.purpose == purpose)
        return {each.key: each.revoked for each in former if each.revoked is not None}


def fingerprint(party: str, root: bytes) -> bytes:
    """The 32 bytes that two people compare in full: party id and root key under one digest."""
    return sha256(FINGERPRINT + len(party.encode()).to_bytes(2, "big") + party.encode() + root).digest()


def fingerprint_text(digest: bytes) -> str:
    """A fingerprint as people read it aloud: sixteen groups of four hexadecimal digits."""
    text = digest.hex()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def write_card(card: Card, signing: Callable[[bytes], bytes]) -> bytes:
    """The card in its envelope, signed by the root key."""
    return dsse.sign(CARD, encode(card), [(card.root, signing)])


@lru_cache(maxsize=256)
def known_card(envelope: bytes) -> Card:
    """As ``read_card``, of an envelope that is read again and again: what it says is the same each time."""
    return read_card(envelope)


def read_card(envelope: bytes, place: str = "") -> Card:
    """A card whose signature by its own root key was verified. Whether to trust that root is for people to compare.

    Raises:
        Rejected: malformed, not canonical, of another version, signed by another key, or its keys are not distinct.
    """
    parsed = dsse.read(envelope, CARD, place)
    card = decode(parsed.payload, Card, place)
    if card.version != CARD_VERSION:
        raise Rejected(
            f"card version {card.version}; this program reads version {CARD_VERSION}",
            code="unknown-version",
            place=place,
        )
    dsse.verify(parsed, [card.root], place)
    keys = [card.root, *(key for purpose in SIGNING for key in card.had(purpose))]
    if len({*keys, *card.had("tls")}) != len(keys) + len(card.had("tls")):  # (8)
        raise Rejected("one key for two purposes; each needs its own", code="key-reuse", place=place)
    if any(map(dsse.is_weak, keys)):
        raise Rejected("a key under which anybody can sign", code="weak-key", place=place)
    return card
