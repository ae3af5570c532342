"""Contradictions: two things that one signer signed and that cannot both be true (``spec/contradictions.md``).

Rules of this file:

- Nothing unsigned accuses anybody. What is in a proof beside the signer's own words (a hash, a path, the salt of a
  leaf) follows from those words by hashing, or the proof is none.
- Every byte counts: a proof holds nothing that is not needed, and is refused when any of it is changed.
- Who brings a proof does not matter, and nothing in it says so. What it shows is the same for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

import msgspec

from comity.errors import Rejected
from comity.evidence.chains import at_place, check_inclusion
from comity.evidence.model import EVIDENCE_BYTES_MAX, Envelope, Path, SignedNote, read_evidence
from comity.ledger.checkpoint import Checkpoint
from comity.ledger.leaf import record_leaf
from comity.ledger.note import KeyType, Note, Verified, VerifierKey, open_note
from comity.ledger.proof import verify_consistency, verify_inclusion
from comity.ledger.tree import TreeHead
from comity.record import dsse
from comity.record.card import Card, fingerprint, read_card
from comity.record.contexts import origin as origin_of
from comity.record.contexts import witness_name
from comity.record.encoding import Count, Digest, Name, decode, encode
from comity.record.statement import SUITE, Record, read_frame

PROOF_BYTES_MAX = 2 * EVIDENCE_BYTES_MAX
"""Largest proof, in bytes: an evidence file in base64, and little else."""
PROOF_BEGINS = b'{"format":"comity-contradiction/1",'
"""How a proof begins, as no evidence file does."""
CARDS_MAX = 16
"""Most cards of the signer: one for each time that it changed its keys."""


class TwoRecords(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="two-records", tag_field="is"):
    """Two records of one chain: two at one place, or two neighbours of which the later names another before it."""

    first: Envelope
    second: Envelope


class Noted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="note", tag_field="is"):
    """What the signer said of a log as a checkpoint: as the log itself, or by its cosignature."""

    note: SignedNote


class Cited(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="citation", tag_field="is"):
    """What the signer said of the other party's log in a record: the newest checkpoint that it had seen."""

    envelope: Envelope


class TwoHistories(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="two-histories", tag_field="is"):
    """Two states of one log, of which the later does not begin with the earlier.

    Attributes:
        log: origin of the log.
        earlier, later: what the signer said of it.
        root: the root that the later one has over as many leaves as the earlier one states.
        path: consistency proof from there to the later one.
    """

    log: Name
    earlier: Noted | Cited
    later: Noted | Cited
    root: Digest
    path: Path


class Placed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A leaf under a checkpoint: its hash, and the inclusion proof."""

    note: SignedNote
    leaf: Digest
    path: Path


class TwoLeaves(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="two-leaves", tag_field="is"):
    """Two checkpoints of one log, with different leaves at one place."""

    log: Name
    index: Count
    one: Placed
    other: Placed


class Misplaced(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="misplaced-record", tag_field="is"):
    """A checkpoint over a record that says it stands elsewhere."""

    log: Name
    index: Count
    note: SignedNote
    envelope: Envelope
    salt: Digest
    path: Path


class WentBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="acknowledged-and-lost", tag_field="is"):
    """Two cosignatures on one log, of which the later says that less of it is known to its signer."""

    log: Name
    earlier: SignedNote
    later: SignedNote


class FalseInclusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="false-inclusion", tag_field="is"):
    """An evidence file, signed by its exporter, in which an inclusion proof leads from its record to another root."""

    evidence: Annotated[bytes, msgspec.Meta(max_length=EVIDENCE_BYTES_MAX)]
    chain: Name
    index: Count


Shows = TwoRecords | TwoHistories | TwoLeaves | Misplaced | WentBack | FalseInclusion
Kind = Literal[
    "two-records", "two-histories", "two-leaves", "misplaced-record", "acknowledged-and-lost", "false-inclusion"
]


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The contents of a proof.

    Attributes:
        format: name and version of this format.
        signer: whose words contradict one another: a party, or the name of ``key``.
        cards: of the party, the newest first; none where a key stands for itself.
        key: verifier key of a log or a witness that is known by its key alone; empty where there are cards.
        shows: what it signed.
    """

    format: Literal["comity-contradiction/1"] = "comity-contradiction/1"
    signer: Name
    cards: Annotated[tuple[Envelope, ...], msgspec.Meta(max_length=CARDS_MAX)]
    key: Annotated[str, msgspec.Meta(max_length=4_096)]
    shows: Shows


class Contradicted(msgspec.Struct, frozen=True, kw_only=True):
    """What a proof shows, once it was verified.

    Attributes:
        signer: who signed both.
        kind: which kind of contradiction.
        log: the log, or the chain, that it is about.
        says: the two things, in a sentence.
        hangs_on: what all of it hangs on: the fingerprint of the party's root key in hex, or the key itself.
        trusted: the caller has compared that.
    """

    signer: str
    kind: Kind
    log: str
    says: str
    hangs_on: str
    trusted: bool


def prove(shows: Shows, signer: str, cards: Sequence[bytes] = (), key: str = "") -> bytes:
    """The file that proves ``shows``, verified as anybody will verify it.

    Raises:
        Rejected: it proves nothing.
    """
    data = encode(Proof(signer=signer, cards=tuple(cards), key=key, shows=shows))
    verify_contradiction(data, ())
    return data


def only(note: bytes, keys: Iterable[VerifierKey]) -> bytes:
    """``note`` with those signatures alone that ``keys`` made (6).

    Raises:
        Rejected: none of them signed it, or one's signature fails.
    """
    opened = open_note(Note.parse(note), keys)
    return Note(opened.note.text, tuple(each.signature for each in opened.verified)).encode()


def stated_by(cards: Sequence[bytes], party: str, note: bytes, log: str) -> tuple[TreeHead, bytes] | None:
    """What a party states of a log by a note, and the note with its signatures alone; None where it did not sign."""
    signer = _Signer(party, cards)
    try:
        own = only(note, signer.keys(log))
        return signer.note(own, log, "the checkpoint")[0], own
    except Rejected:
        return None


def verify_contradiction(data: bytes, trusted: Sequence[bytes | str], newer: Sequence[bytes] = ()) -> Contradicted:
    """Verify a proof, with nothing but the proof (5 to 16).

    Args:
        data: the file.
        trusted: fingerprints of root keys (32 bytes each), or verifier keys, that the caller has compared; with any
            given, the signer's must be among them.
        newer: cards that the caller has of the signer, so that keys count as revoked that were revoked since.

    Raises:
        Rejected: it is no proof; code and place say why.
    """
    if len(data) > PROOF_BYTES_MAX:
        raise Rejected(f"a proof of {len(data)} bytes; at most {PROOF_BYTES_MAX} are read", code="too-large")
    proof = decode(data, Proof, "the proof")
    signer = _Signer(proof.signer, proof.cards, proof.key, newer)
    known = bool({signer.hangs_on, signer.digest} & set(trusted))
    if trusted and not known:
        raise Rejected(
            f"{signer.name!r} has the fingerprint or key {signer.hangs_on}, which is none of those trusted here",
            code="unknown-fingerprint",
            place="the signer",
        )
    log, says = _check(signer, proof.shows)
    kind: Kind = type(proof.shows).__struct_config__.tag  # type: ignore[assignment]  # the tags are those words
    return Contradicted(signer=signer.name, kind=kind, log=log, says=says, hangs_on=signer.hangs_on, trusted=known)


class _Signer:
    """Whose words they are, and by which keys (7)."""

    def __init__(self, name: str, cards: Sequence[bytes], key: str = "", newer: Sequence[bytes] = ()) -> None:
        self.name = name
        self.key: VerifierKey | None = None
        self.digest = b""
        self.cards: list[Card] = []
        if bool(cards) == bool(key):
            raise Rejected("a signer is known by its cards, or by one key", code="no-signer", place="the signer")
        if key:
            self.key, self.hangs_on = VerifierKey.parse(key), key
            if self.key.name != self.name or self.key.text != key:
                raise Rejected(f"the key is that of {self.key.name!r}", code="other-key", place="the signer")
            return
        self.cards = [read_card(card, f"card {number}") for number, card in enumerate(cards, start=1)]
        if {(card.party, card.root) for card in self.cards} != {(self.name, self.cards[0].root)}:
            raise Rejected("the cards are not all the signer's, under one root", code="other-card", place="the cards")
        if len(set(cards)) != len(cards):
            raise Rejected("a card stands there twice", code="other-card", place="the cards")
        later = [read_card(card, "a newer card") for card in newer]
        self.cards += [card for card in later if (card.party, card.root) == (self.name, self.cards[0].root)]
        self.digest = fingerprint(self.name, self.cards[0].root)
        self.hangs_on = self.digest.hex()

    def had(self, purpose: Literal["record", "log", "witness"]) -> list[bytes]:
        """(8): what a revoked key signed says nothing about its party any more."""
        revoked = {key for card in self.cards for key in card.revoked(purpose)}
        had = dict.fromkeys(key for card in self.cards for key in card.had(purpose))
        return [key for key in had if key not in revoked]

    def record(self, envelope: bytes, place: str) -> Record:
        record = read_frame(envelope, self.had("record"), place)
        if record.statement.suite != SUITE:
            raise Rejected(f"its suite {record.statement.suite!r} is not known here", code="suite", place=place)
        if record.statement.author != self.name:
            raise Rejected(f"it is by {record.statement.author!r}", code="other-author", place=place)
        return record

    def keys(self, origin: str) -> list[VerifierKey]:
        """The keys by which the signer speaks of a log: as the log, and as a witness."""
        if self.key is not None:
            return [self.key] if self.key.type is not KeyType.ED25519 or self.key.name == origin else []
        logs = [VerifierKey(origin, KeyType.ED25519, key) for key in self.had("log")]
        name = witness_name(self.name)
        return logs + [VerifierKey(name, KeyType.COSIGNATURE_V1, key) for key in self.had("witness")]

    def note(self, note: bytes, origin: str, place: str) -> tuple[TreeHead, tuple[Verified, ...]]:
        """What the signer states of a log by a note that carries no signature but its own (6)."""
        try:
            parsed = Note.parse(note)
            opened = open_note(parsed, self.keys(origin))
            checkpoint = Checkpoint.parse(parsed.text)
        except Rejected as error:
            raise at_place(error, place) from None
        if checkpoint.origin != origin:
            raise Rejected(f"it is of the log {checkpoint.origin[:80]!r}", code="wrong-origin", place=place)
        if len(opened.verified) != len(parsed.signatures):
            raise Rejected("it carries more than the signer's own signatures", code="other-signature", place=place)
        return checkpoint.head, opened.verified

    def states(self, word: Noted | Cited, origin: str, place: str) -> TreeHead:
        if isinstance(word, Noted):
            return self.note(word.note, origin, place)[0]
        statement = self.record(word.envelope, place).statement
        within = origin_of(f"{statement.relationship}/")
        other = origin.removeprefix(within)
        if statement.seen is None or not origin.startswith(within) or other == self.name or "/" in other:
            raise Rejected("it cites no checkpoint of that log", code="wrong-origin", place=place)
        return TreeHead(statement.seen.size, statement.seen.root)


def _check(signer: _Signer, shows: Shows) -> tuple[str, str]:
    """What the contradiction is about, and the sentence for it."""
    match shows:
        case TwoRecords():
            return _two_records(signer, shows)
        case TwoHistories():
            return _two_histories(signer, shows)
        case TwoLeaves():
            return _two_leaves(signer, shows)
        case Misplaced():
            return _misplaced(signer, shows)
        case WentBack():
            return _went_back(signer, shows)
        case FalseInclusion():
            return _false_inclusion(signer, shows)


def _two_records(signer: _Signer, shows: TwoRecords) -> tuple[str, str]:
    """The records (10)."""
    one, other = signer.record(shows.first, "the first record"), signer.record(shows.second, "the second record")
    chain, place = one.statement.chain, one.statement.sequence
    if other.statement.chain != chain:
        raise _none("the records are of two chains")
    if other.statement.sequence == place and other.id != one.id:
        return chain, f"record {place} of {chain} is {one.id.hex()[:16]}…, and it is {other.id.hex()[:16]}…"
    if other.statement.sequence == place + 1 and other.statement.previous != one.id:
        before = other.statement.previous.hex()[:16]
        return chain, f"record {place} of {chain} is {one.id.hex()[:16]}…, and the one after it names {before}…"
    raise _none("both records can stand in the chain")


def _two_histories(signer: _Signer, shows: TwoHistories) -> tuple[str, str]:
    """The states (11)."""
    earlier = signer.states(shows.earlier, shows.log, "the earlier state")
    later = signer.states(shows.later, shows.log, "the later state")
    if not 0 < earlier.size <= later.size or shows.root == earlier.root:
        raise _none("the later state may begin with the earlier one")
    try:
        verify_consistency(TreeHead(earlier.size, shows.root), later, shows.path)
    except Rejected as error:
        raise at_place(error, "the path") from None
    return shows.log, (
        f"the first {earlier.size} leaves of {shows.log} have the root {earlier.root.hex()[:16]}…, and under its "
        f"{later.size} leaves they have {shows.root.hex()[:16]}…"
    )


def _two_leaves(signer: _Signer, shows: TwoLeaves) -> tuple[str, str]:
    """The leaves (12)."""
    if shows.one.leaf == shows.other.leaf:
        raise _none("it is one leaf")
    for placed, place in ((shows.one, "the one checkpoint"), (shows.other, "the other checkpoint")):
        head, _ = signer.note(placed.note, shows.log, place)
        _lead(placed.leaf, shows.index, head, placed.path)
    one, other = shows.one.leaf.hex()[:16], shows.other.leaf.hex()[:16]
    return shows.log, f"leaf {shows.index} of {shows.log} is {one}…, and it is {other}…"


def _misplaced(signer: _Signer, shows: Misplaced) -> tuple[str, str]:
    """The record and its leaf (13)."""
    head, verified = signer.note(shows.note, shows.log, "the checkpoint")
    if any(each.time is not None for each in verified):
        raise _none("whoever cosigns a log does not say what its leaves are")
    statement = signer.record(shows.envelope, "the record").statement
    leaf = record_leaf(shows.salt, shows.envelope).hash
    _lead(leaf, shows.index, head, shows.path)
    if (origin_of(statement.chain), statement.sequence) == (shows.log, shows.index):
        raise _none("the record stands where it says")
    said = f"record {statement.sequence} of {statement.chain}"
    return shows.log, f"leaf {shows.index} of {shows.log} is a record that says it is {said}"


def _went_back(signer: _Signer, shows: WentBack) -> tuple[str, str]:
    """The cosignatures (14)."""
    earlier, before = signer.note(shows.earlier, shows.log, "the earlier cosignature")
    later, after = signer.note(shows.later, shows.log, "the later cosignature")
    times = [[each.time for each in verified if each.time is not None] for verified in (before, after)]
    if not all(times) or max(times[0]) >= min(times[1]) or later.size >= earlier.size:
        raise _none("the later cosignature may follow on the earlier one")
    return shows.log, (
        f"at {max(times[0])} it had {earlier.size} leaves of {shows.log}, and at {min(times[1])} it had {later.size}"
    )


def _false_inclusion(signer: _Signer, shows: FalseInclusion) -> tuple[str, str]:
    """The evidence file (15)."""
    unsigned = read_evidence(shows.evidence)
    dsse.verify(unsigned.envelope, signer.had("record"), "the evidence file")
    if unsigned.evidence.exporter != signer.name:
        raise Rejected(f"it is by {unsigned.evidence.exporter!r}", code="other-author", place="the evidence file")
    for chain in unsigned.evidence.chains:
        for entry in chain.records if chain.name == shows.chain and chain.checkpoint else ():
            head = Checkpoint.parse(Note.parse(chain.checkpoint).text).head
            if entry.index != shows.index or entry.index >= head.size:
                continue
            try:
                check_inclusion(chain.name, entry, head)
            except Rejected:
                return chain.name, f"record {entry.index} is said to be under a checkpoint of {chain.name}, and is not"
    raise _none("every record that it names leads to its checkpoint")


def _lead(leaf: bytes, index: int, head: TreeHead, path: Sequence[bytes]) -> None:
    try:
        verify_inclusion(leaf, index, head, path)
    except Rejected as error:
        raise at_place(error, "the path") from None


def _none(why: str) -> Rejected:
    return Rejected(f"{why}: this contradicts nothing", code="no-contradiction", place="the proof")
