"""What an evidence file holds (``spec/evidence.md`` steps 1 to 6), and how it is written and read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import msgspec

from comity.agreement.vocabulary import Act
from comity.errors import Misuse
from comity.ledger.note import NOTE_BYTES_MAX
from comity.ledger.proof import PATH_HASHES_MAX
from comity.record import bodies, dsse
from comity.record.contexts import EVIDENCE
from comity.record.encoding import Count, Digest, Identifier, Instant, Name, Relationship, decode, encode, instant

EVIDENCE_BYTES_MAX = 16 * 1024 * 1024
"""Largest evidence file, in bytes: the largest agreement text with its history, and thousands of records."""
RECORDS_MAX = 4_096
"""Most records of one chain in a file; the size bound allows fewer of the largest ones."""
CARDS_MAX = 32
"""Most cards in a file; a party needs more than one only when it changed its keys."""
TEXTS_MAX = 64
"""Most texts in a file: agreement, layers and history, each in the versions it was decided under."""
STAMPS_MAX = 64
"""Most time-stamps in a file: those that first cover one of its records."""
TOKEN_BYTES_MAX = 16 * 1024
"""Largest time-stamp."""

Path = Annotated[tuple[Digest, ...], msgspec.Meta(max_length=PATH_HASHES_MAX)]
SignedNote = Annotated[bytes, msgspec.Meta(max_length=NOTE_BYTES_MAX)]
Envelope = Annotated[bytes, msgspec.Meta(max_length=dsse.ENVELOPE_BYTES_MAX)]

Group = Literal[
    "items",
    "people",
    "requests",
    "approvals",
    "permits",
    "access",
    "other-decisions",
    "markings",
    "directory",
    "assurances",
    "openings",
]
"""What an exporter may hold back; every other record is always shown."""
WITHHELD_BY_DEFAULT: tuple[Group, ...] = ("access", "other-decisions")
"""What a stranger need not see: who read it or wanted to, with his clearance and lists, and what was asked before."""

_GROUP_OF: dict[type[bodies.Body], Group] = {
    bodies.ItemRegistered: "items",
    bodies.PersonEnrolled: "people",
    bodies.ReleaseRequested: "requests",
    bodies.Approved: "approvals",
    bodies.Marked: "markings",
    bodies.Listed: "directory",
    bodies.AssuranceAsked: "assurances",
    bodies.Assured: "assurances",
    bodies.Opened: "openings",
    bodies.Unopenable: "openings",
}
EXPORT: Act = "export-evidence"
"""The act by which evidence leaves a house."""


def group_of(body: bodies.Body) -> Group | None:
    """The group a record belongs to (5); None when it is always shown."""
    if isinstance(body, bodies.Decided):
        if body.act == "give":
            return "permits" if body.outcome == "permit" else "other-decisions"
        return "other-decisions" if body.act == EXPORT else "access"
    return _GROUP_OF.get(type(body))


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="record", tag_field="is"):
    """A record: its place in the chain, its envelope, and what leads from it to the chain's checkpoint.

    Attributes:
        index: sequence number of the record, which is also the index of its leaf.
        envelope: the canonical envelope, verbatim.
        salt: of its ledger leaf.
        path: inclusion proof to the checkpoint of the chain; empty when the record stands beyond it.
    """

    index: Count
    envelope: Envelope
    salt: Digest
    path: Path


class Withheld(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="withheld", tag_field="is"):
    """A record stands here; it is not shown. ``leaf`` is its salted leaf data, ``group`` the exporter's word for it."""

    index: Count
    leaf: Digest
    group: Group
    path: Path


class Chain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records of one chain, by index, and the checkpoint that their proofs lead to.

    Attributes:
        name: ``RELATIONSHIP/AUTHOR``.
        checkpoint: signed note of the chain's author, with the other party's cosignature where there is one; empty
            when the exporter has none.
        records: in the order of the chain, with gaps.
    """

    name: Name
    checkpoint: SignedNote
    records: Annotated[tuple[Shown | Withheld, ...], msgspec.Meta(max_length=RECORDS_MAX)]


class Anchor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The salt that opens the ``basis`` of a crossing record: it had committed to the decision."""

    record: Digest
    decision: Digest
    salt: Digest


class Stamped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A time-stamp over a checkpoint, and what leads from there to the checkpoint of its chain.

    Attributes:
        chain: ``RELATIONSHIP/AUTHOR``.
        note: the checkpoint that was stamped, signed by its log.
        path: consistency proof from it to the chain's checkpoint.
        token: the answer of the authority (RFC 3161).
    """

    chain: Name
    note: SignedNote
    path: Path
    token: Annotated[bytes, msgspec.Meta(max_length=TOKEN_BYTES_MAX)]


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text that an adoption names by its digest, its bytes verbatim."""

    role: Literal["agreement", "layer", "history"]
    content: bytes


class Evidence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The contents of an evidence file.

    Attributes:
        format: name and version of this format.
        exporter: party id of whoever exports.
        relationship: relationship id.
        item: item id.
        at: when it was exported, by the exporter's clock.
        decision: id of the recorded decision that permitted the export.
        cards: the exporter's cards and then the other party's, root-signed, each party's newest first; older ones for
            records under keys that the newest does not name any more.
        texts: every text that the adoptions in the domestic chain name, once each.
        chains: the exporter's chain of the relationship, the other party's, and the exporter's domestic chain.
        anchors: salts that join crossing records to decisions shown here.
        stamps: time-stamps of the exporter's ledgers; none where it has none.
    """

    format: Literal["comity-evidence/1"]
    exporter: Identifier
    relationship: Relationship
    item: Identifier
    at: Instant
    decision: Digest
    cards: Annotated[tuple[Envelope, ...], msgspec.Meta(min_length=2, max_length=CARDS_MAX)]
    texts: Annotated[tuple[Text, ...], msgspec.Meta(max_length=TEXTS_MAX)]
    chains: tuple[Chain, Chain, Chain]
    anchors: Annotated[tuple[Anchor, ...], msgspec.Meta(max_length=RECORDS_MAX)]
    stamps: Annotated[tuple[Stamped, ...], msgspec.Meta(max_length=STAMPS_MAX)] = ()

    def __post_init__(self) -> None:
        instant(self.at)


def write_evidence(evidence: Evidence, signers: Sequence[tuple[bytes, Callable[[bytes], bytes]]]) -> bytes:
    """The file, signed with the exporter's node-sign key (6).

    Raises:
        Misuse: it would be larger than ``EVIDENCE_BYTES_MAX``.
    """
    data = dsse.sign(EVIDENCE, encode(evidence), signers)
    if len(data) > EVIDENCE_BYTES_MAX:
        raise Misuse(
            f"the evidence has {len(data)} bytes, at most {EVIDENCE_BYTES_MAX} are allowed; withhold more",
            code="too-large",
        )
    return data


class Unsigned(msgspec.Struct, frozen=True):
    """An evidence file that was read, and whose outer signature was not verified."""

    envelope: dsse.Envelope
    evidence: Evidence


def read_evidence(data: bytes) -> Unsigned:
    """Read a file strictly; nothing in it is verified (1, 2).

    Raises:
        Rejected: too large, malformed, not canonical, or no evidence.
    """
    envelope = dsse.read(data, EVIDENCE, "", EVIDENCE_BYTES_MAX)  # (1)
    return Unsigned(envelope, decode(envelope.payload, Evidence))  # (2)
