"""Records in their places: signatures, links, leaves, proofs and checkpoints (``spec/evidence.md`` steps 11 to 15)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import Literal

import msgspec

from comity.errors import Rejected
from comity.evidence.model import Chain, Group, Shown, Withheld
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.leaf import record_leaf
from comity.ledger.note import KeyType, VerifierKey
from comity.ledger.proof import verify_inclusion
from comity.ledger.tree import EMPTY_ROOT, TreeHead, leaf_hash
from comity.record import bodies, dsse
from comity.record.bodies.keys import KeysRenewed, KeysRotated
from comity.record.contexts import RECORD, origin, witness_name
from comity.record.statement import NOTHING, Record, read

NAMES: dict[str, str] = {
    "agreement/1": "the adoption of the agreement",
    "person/1": "the enrolment",
    "item/1": "the item's registration",
    "release-request/1": "the release request",
    "approval/1": "the approval",
    "marking/1": "the marking",
    "decision/1": "the decision",
    "acknowledgement/1": "the acknowledgement",
    "directory/1": "the directory entry",
    "assurance-request/1": "the request for assurance",
    "assurance/1": "the assurance",
    "consignment/1": "the consignment",
    "receipt/1": "the receipt",
    "opening/1": "the opening",
    "unopenable/1": "the report that a copy does not open",
    "verdict/1": "the returned verdict",
    "reproduction/1": "the making of copies",
    "hand-over/1": "the hand-over",
    "carriage/1": "the carrier's receipt",
    "take-over/1": "the take-over",
    "copy-lost/1": "the report that a copy is lost",
    "copy-found/1": "the report that a copy was found",
    "derivation/1": "the derivation",
    "reclassification/1": "the change of level",
    "level-change/1": "the notice of a change of level",
    "re-marking/1": "the re-marking",
    "purpose-ended/1": "the end of the purpose",
    "recall/1": "the recall",
    "recall-lifted/1": "the end of the recall",
    "return/1": "the return",
    "return-receipt/1": "the receipt of the return",
    "destruction/1": "the certificate of destruction",
    "destruction-witness/1": "the witness of the destruction",
    "consent-wanted/1": "the wish for consent",
    "consent-request/1": "the request for consent",
    "consent/1": "the consent",
    "shown/1": "the showing",
    "pass-on/1": "the passing on",
    "pass-on-receipt/1": "the receipt of what was passed on",
    "outlay/1": "the note of an outlay",
    "key-rotation/1": "the change of keys",
    "own-keys/1": "the change of keys in the house",
}
"""What people call a record of each type; evidence holds no others."""

CHANGES_OF_KEYS = (KeysRotated, KeysRenewed)
"""With such a record a party stands by what came before it in its chain."""
Standing = Literal["witnessed", "unwitnessed"]
"""Whether the other party has cosigned a prefix of the chain in which the record stands."""


class Party(msgspec.Struct, frozen=True):
    """A party and the keys on its cards.

    Attributes:
        name: party id.
        root: certifies the others.
        record, log, witness: keys that sign its records, its checkpoints and its cosignatures, the newest first.
        revoked: those of them that it revoked, with the instant since which what they sign is not its own.
    """

    name: str
    root: bytes
    record: tuple[bytes, ...]
    log: tuple[bytes, ...]
    witness: tuple[bytes, ...]
    revoked: Mapping[bytes, datetime] = {}

    def keys(self) -> set[bytes]:
        """All of them."""
        return {self.root, *self.record, *self.log, *self.witness}


class Stood(msgspec.Struct, frozen=True):
    """A verified record in its verified place.

    Attributes:
        record: the record, its body known.
        body: its typed body.
        standing: see ``Standing``.
        cosigned_at: when the other party cosigned a prefix with the record in it, by that party's clock.
        place: what people call it and where it stands.
        revoked: since when the key that signed it is revoked, where no change of keys in its chain stands by it.
    """

    record: Record
    body: bodies.Body
    standing: Standing
    cosigned_at: datetime | None
    place: str
    revoked: datetime | None = None

    @property
    def author(self) -> str:
        """Party id of whoever said it."""
        return self.record.statement.author

    @property
    def index(self) -> int:
        """Its place in the chain."""
        return self.record.statement.sequence

    @property
    def at(self) -> datetime:
        """When it was said, by its author's clock."""
        return self.record.statement.at


class Hidden(msgspec.Struct, frozen=True):
    """A place in a chain whose record is not shown; ``group`` is the exporter's word for what it is."""

    chain: str
    index: int
    group: Group
    standing: Standing


class StoodChain(msgspec.Struct, frozen=True):
    """A verified chain.

    Attributes:
        name: ``RELATIONSHIP/AUTHOR``.
        head: what its checkpoint states; no leaves when there is none.
        cosigned_at: when the other party cosigned that, by its clock; None when it did not.
        records: those shown, in order.
        hidden: those withheld, in order.
    """

    name: str
    head: TreeHead
    cosigned_at: datetime | None
    records: tuple[Stood, ...]
    hidden: tuple[Hidden, ...]


def check_chain(chain: Chain, author: Party, witness: Party | None) -> StoodChain:
    """Verify the chain of ``author``, which ``witness`` may have cosigned (None: nobody witnesses this chain).

    Raises:
        Rejected: a checkpoint, record, link or proof is not what it must be; the place names it.
    """
    head, cosigned_at = _checkpoint(chain, author, witness)
    records: list[Stood] = []
    hidden: list[Hidden] = []
    stands_by = _stands_by(chain, author, head)
    for before, entry in pairwise((None, *chain.records)):
        assert entry is not None
        if before is not None and entry.index <= before.index:  # (12)
            place = f"record {entry.index} of {chain.name}"
            raise Rejected(f"it stands after record {before.index}", code="wrong-place", place=place)
        stands = entry.index < head.size
        standing: Standing = "witnessed" if stands and cosigned_at else "unwitnessed"
        if isinstance(entry, Withheld):
            hidden.append(Hidden(chain.name, entry.index, entry.group, standing))
        else:
            stood = _record(chain.name, entry, author, standing, cosigned_at if stands else None)
            if entry.index >= stands_by:
                stood = _of_key(stood, author, witness)
            if records and stood.index == records[-1].index + 1:  # (14)
                _check_link(records[-1], stood)
            records.append(stood)
        check_inclusion(chain.name, entry, head)
    return StoodChain(chain.name, head, cosigned_at, tuple(records), tuple(hidden))


def _stands_by(chain: Chain, author: Party, head: TreeHead) -> int:
    """(31) How many records its author stands by with a later change of keys, whichever key signed them."""
    found = 0
    keys = [key for key in author.record if key not in author.revoked]
    for entry in chain.records if author.revoked else ():
        if isinstance(entry, Shown) and entry.index < head.size:
            with suppress(Rejected):  # it is verified in its turn
                if isinstance(read(entry.envelope, keys).body, CHANGES_OF_KEYS):
                    found = entry.index
    return found


def _of_key(stood: Stood, author: Party, witness: Party | None) -> Stood:
    """(31) The record, if a revoked key that signed it was its author's then: by a cosignature, not by its own word.

    Raises:
        Rejected: ``revoked-key``: nothing here shows that it was there before.
    """
    ids = {each.keyid for each in dsse.read(stood.record.envelope, RECORD).signatures}
    since = next((since for key, since in author.revoked.items() if dsse.key_id(key) in ids), None)
    if since is None:
        return stood
    if witness is not None and (stood.cosigned_at is None or stood.cosigned_at > since):
        raise Rejected(
            f"{author.name!r} revoked the key that signed it from {since.isoformat()} on, and nothing here shows that "
            "it was there before",
            code="revoked-key",
            place=stood.place,
        )
    return msgspec.structs.replace(stood, revoked=since)


def _checkpoint(chain: Chain, author: Party, witness: Party | None) -> tuple[TreeHead, datetime | None]:
    """(11) The log's own signature, and the cosignature of the other party if the note carries one."""
    if not chain.checkpoint:
        return TreeHead(0, EMPTY_ROOT), None
    log_name = origin(chain.name)
    name, keys = (witness_name(witness.name), witness.witness) if witness is not None else ("", ())
    logs = [VerifierKey(log_name, KeyType.ED25519, key) for key in author.log]
    revoked = witness.revoked if witness is not None else {}
    witnesses = [VerifierKey(name, KeyType.COSIGNATURE_V1, key) for key in keys if key not in revoked]  # (32)
    try:
        opened = open_checkpoint(chain.checkpoint, log_name, logs, witnesses)
    except Rejected as error:
        raise at_place(error, f"the checkpoint of {chain.name}") from None
    cosigned_at = _time(chain, [each.time for each in opened.witnesses if each.time is not None])
    since = [author.revoked.get(each.key.public) for each in opened.log]
    if witness is not None and None not in since:
        latest = max(each for each in since if each is not None)
        if cosigned_at is None or cosigned_at > latest:  # (32)
            raise Rejected(
                f"{author.name!r} revoked the key that signed it from {latest.isoformat()} on, and nothing here shows "
                "that it was there before",
                code="revoked-key",
                place=f"the checkpoint of {chain.name}",
            )
    return opened.checkpoint.head, cosigned_at


def _time(chain: Chain, stated: list[int]) -> datetime | None:
    if not stated:
        return None
    try:
        return datetime.fromtimestamp(stated[0], UTC)
    except (OverflowError, ValueError, OSError):
        place = f"the cosignature on the checkpoint of {chain.name}"
        raise Rejected(f"time {stated[0]} is on no calendar", code="bad-time", place=place) from None


def _record(chain: str, entry: Shown, author: Party, standing: Standing, cosigned_at: datetime | None) -> Stood:
    """(13) The record, its signature, its type and the place it claims."""
    place = f"record {entry.index} of {chain}"
    place = f"{_name(entry.envelope, place)} ({place})"
    record = read(entry.envelope, author.record, place)
    statement, body = record.statement, record.body
    if body is None or statement.type not in NAMES:
        raise Rejected(f"evidence holds no records of type {statement.type!r}", code="unknown-type", place=place)
    if (statement.chain, statement.sequence) != (chain, entry.index):
        raise Rejected(
            f"it says it is record {statement.sequence} of {statement.chain!r}", code="wrong-place", place=place
        )
    if entry.index == 0 and statement.previous != NOTHING:
        raise Rejected("the first record of a chain names one before it", code="broken-link", place=place)
    return Stood(record, body, standing, cosigned_at, place)


def _name(envelope: bytes, place: str) -> str:
    """What the record calls itself, before anything of it is verified; only ever used to name a place."""
    kind = msgspec.json.Decoder(_Type)
    try:
        return NAMES.get(kind.decode(dsse.read(envelope, RECORD, place).payload).type, "the record")
    except (Rejected, msgspec.DecodeError, ValueError, RecursionError):
        return "the record"


class _Type(msgspec.Struct):
    type: str


def _check_link(before: Stood, after: Stood) -> None:
    if after.record.statement.previous != before.record.id:
        raise Rejected(f"it does not follow {before.place}", code="broken-link", place=after.place)


def leaf_of(entry: Shown | Withheld) -> bytes:
    """The hash of a record's ledger leaf."""
    return leaf_hash(entry.leaf) if isinstance(entry, Withheld) else record_leaf(entry.salt, entry.envelope).hash


def check_inclusion(chain: str, entry: Shown | Withheld, head: TreeHead) -> None:
    """Within the checkpoint a proof leads from the leaf to its root; beyond it there is none (15).

    Raises:
        Rejected: it does not, or there is one.
    """
    place = f"the inclusion proof of record {entry.index} of {chain}"
    if entry.index >= head.size:
        if entry.path:
            raise Rejected("the checkpoint does not reach this record", code="beyond-checkpoint", place=place)
        return
    try:
        verify_inclusion(leaf_of(entry), entry.index, head, entry.path)
    except Rejected as error:
        raise at_place(error, place) from None


def at_place(error: Rejected, place: str) -> Rejected:
    """The same error, with the part of the file in which it lies."""
    within = f"{place}, {error.place}" if error.place else place
    return Rejected(error.sentence, code=error.code, place=within)
