"""Anchors: old ledgers under a signature that outlives Ed25519 (``spec/evidence.md`` steps 40 to 45).

A party puts the heads of its ledgers, and of the other party's as far as it holds them, and its own cards into one tree
and signs the root with ML-DSA-65 (FIPS 204). Whoever breaks Ed25519 later can sign new things in anybody's name, but
can put nothing into a ledger whose head both parties signed in this way before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

from comity.errors import Rejected
from comity.ledger.proof import PATH_HASHES_MAX, inclusion_path, verify_inclusion
from comity.ledger.tree import Frontier, TreeHead, leaf_hash
from comity.record.contexts import ANCHOR, ANCHOR_FINGERPRINT, ANCHOR_LEAF
from comity.record.dsse import pae
from comity.record.encoding import Count, Digest, Identifier, Instant, Words, decode, encode, instant

ANCHOR_BYTES_MAX = 4 * 1024 * 1024
"""Largest anchor, in bytes: thousands of heads with their paths."""
ENTRIES_MAX = 4_096
"""Most heads and cards in one anchor."""
SALT_BYTES = 32

Key = Annotated[bytes, msgspec.Meta(min_length=1952, max_length=1952)]
Signature = Annotated[bytes, msgspec.Meta(min_length=3309, max_length=3309)]
Path = Annotated[tuple[Digest, ...], msgspec.Meta(max_length=PATH_HASHES_MAX)]


class AnchoredHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="head", tag_field="is"):
    """A ledger as it was: ``chain`` with its first ``size`` records has this root."""

    chain: Words
    size: Count
    root: Digest


class AnchoredCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="card", tag_field="is"):
    """A card of the party itself, by the SHA-256 of its envelope."""

    digest: Digest


Anchored = AnchoredHead | AnchoredCard


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is anchored, and what leads from it to the signed root; the salt hides it from whoever has only the root."""

    index: Count
    salt: Digest
    path: Path
    what: Anchored


class Statement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is signed: who says it, when by his clock, and the root over everything that is anchored."""

    format: Literal["comity-anchor/1"]
    suite: Literal["mldsa65"]
    party: Identifier
    at: Instant
    size: Count
    root: Digest

    def __post_init__(self) -> None:
        instant(self.at)


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An anchor as a file: the statement, the public key, the signature, and as many entries as its reader needs."""

    statement: Statement
    key: Key
    signature: Signature
    entries: Annotated[tuple[Entry, ...], msgspec.Meta(max_length=ENTRIES_MAX)]


class Unsigned(msgspec.Struct, frozen=True):
    """An anchor before it is signed: what is signed, and the entries."""

    statement: Statement
    entries: tuple[Entry, ...]

    @property
    def message(self) -> bytes:
        """The bytes that the anchor key signs."""
        return pae(ANCHOR, encode(self.statement))

    def sign(self, key: bytes, signing: Callable[[bytes], bytes]) -> bytes:
        """The file, signed with the private half of the raw public ``key``."""
        return encode(Anchor(statement=self.statement, key=key, signature=signing(self.message), entries=self.entries))


class Opened(msgspec.Struct, frozen=True):
    """A verified anchor.

    Attributes:
        party: who signed it.
        at: when, by its clock.
        fingerprint: of its key, which somebody has to have compared.
        heads, cards: what it anchors, as far as the file shows it.
    """

    party: str
    at: datetime
    fingerprint: bytes
    heads: frozenset[tuple[str, int, bytes]]
    cards: frozenset[bytes]


def anchor_fingerprint(party: str, key: bytes) -> bytes:
    """(40) The 32 bytes that two people compare: party id and anchor key under one digest."""
    return sha256(ANCHOR_FINGERPRINT + len(party.encode()).to_bytes(2, "big") + party.encode() + key).digest()


def make_anchor(party: str, at: datetime, what: Iterable[Anchored], salt: Callable[[int], bytes]) -> Unsigned:
    """(41) An anchor over ``what``, not signed yet; ``salt`` gives random bytes."""
    salted = [(salt(SALT_BYTES), each) for each in dict.fromkeys(what)]
    frontier, tiles = Frontier().append([_leaf(*each) for each in salted])
    hashes = {(tile.id.level, tile.id.index): tile.hashes for tile in tiles}
    head = frontier.head()
    entries = tuple(
        Entry(index, by, inclusion_path(lambda level, place: hashes[level, place], index, head.size), each)
        for index, (by, each) in enumerate(salted)
    )
    statement = Statement(format="comity-anchor/1", suite="mldsa65", party=party, at=at, size=head.size, root=head.root)
    return Unsigned(statement, entries)


def open_anchor(data: bytes, place: str = "the anchor") -> Opened:
    """(42) An anchor whose signature, and every path in it, was verified. Whether its key is the party's, people say.

    Raises:
        Rejected: too large, malformed, not canonical, ``bad-signature``, or a path that does not lead to the root.
    """
    if len(data) > ANCHOR_BYTES_MAX:
        raise Rejected(f"{len(data)} bytes; at most {ANCHOR_BYTES_MAX} are read", code="too-large", place=place)
    anchor = decode(data, Anchor, place)
    statement = anchor.statement
    try:
        MLDSA65PublicKey.from_public_bytes(anchor.key).verify(anchor.signature, pae(ANCHOR, encode(statement)))
    except (InvalidSignature, ValueError):
        raise Rejected("its signature does not verify", code="bad-signature", place=place) from None
    head = TreeHead(statement.size, statement.root)
    for entry in anchor.entries:
        try:
            verify_inclusion(leaf_hash(_leaf(entry.salt, entry.what)), entry.index, head, entry.path)
        except Rejected as error:
            raise Rejected(error.sentence, code=error.code, place=f"entry {entry.index} of {place}") from None
    whats: Sequence[Anchored] = [entry.what for entry in anchor.entries]
    return Opened(
        party=statement.party,
        at=statement.at,
        fingerprint=anchor_fingerprint(statement.party, anchor.key),
        heads=frozenset((each.chain, each.size, each.root) for each in whats if isinstance(each, AnchoredHead)),
        cards=frozenset(each.digest for each in whats if isinstance(each, AnchoredCard)),
    )


def _leaf(salt: bytes, what: Anchored) -> bytes:
    return ANCHOR_LEAF + salt + encode(what)
