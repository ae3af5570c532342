"""Parties that sign what they like: really signed records, checkpoints, cosignatures and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import msgspec

from comity.evidence.contradiction import Placed
from comity.evidence.model import Chain, Evidence, Shown, write_evidence
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.leaf import record_leaf
from comity.ledger.note import Note, cosign
from comity.ledger.proof import inclusion_path
from comity.ledger.tree import TreeHead
from comity.record import bodies
from comity.record.card import Card, FormerKey, RegistryKey, write_card
from comity.record.contexts import origin, witness_name
from comity.record.encoding import encode
from comity.record.statement import NOTHING, SUITE, VERSION, Record, SeenCheckpoint, Statement, chain_id, write
from ledger.reference import Key, StoredLog
from record.made import AT, RELATIONSHIP


class Signer:
    """A party with a key for each purpose, from one byte."""

    def __init__(self, party: str, seed: int) -> None:
        self.party = party
        self.root, self.record, self.log, self.witness, self.transport = (Key(seed + each) for each in range(5))
        self.chain = chain_id(RELATIONSHIP, party)
        self.origin = origin(self.chain)
        self.made = Card(
            version=1,
            party=party,
            name=party,
            root=self.root.public,
            node_sign=(self.record.public,),
            log=self.log.public,
            witness=self.witness.public,
            transport=self.transport.public,
            certificate=bytes(32),
            addresses=(),
            registry=(RegistryKey(1, "age1…"),),
            suites=("ed25519",),
            records=(1,),
            issued=AT,
            until=AT + timedelta(days=1),
        )
        self.card = write_card(self.made, self.root.sign)
        self.log_key = self.log.verifier(self.origin)

    def says(self, sequence: int, previous: bytes = NOTHING, word: str = "", **changes: object) -> Record:
        """A record of this party's chain."""
        body = bodies.Received(consignment=bytes(32), item=f"i-{sequence}{word}", copies=(1,))
        fields: dict[str, object] = {
            "version": VERSION,
            "suite": SUITE,
            "relationship": RELATIONSHIP,
            "author": self.party,
            "sequence": sequence,
            "previous": previous,
            "at": AT + timedelta(seconds=sequence),
            "type": body.kind,
            "body": msgspec.Raw(encode(body)),
            **changes,
        }
        return write(Statement(**fields), body, [(self.record.public, self.record.sign)])

    def history(self, count: int, word: str = "", since: Sequence[Record] = ()) -> list[Record]:
        """A chain of records that goes on from ``since``."""
        records = list(since)
        while len(records) < count:
            records.append(self.says(len(records), records[-1].id if records else NOTHING, word))
        return records

    def checkpoint(self, head: TreeHead, log: str = "") -> bytes:
        """What this party's log key says."""
        return sign_checkpoint(Checkpoint(log or self.origin, head), self.log).encode()

    def cosigned(self, head: TreeHead, log: str, time: int) -> bytes:
        """What its witness key says of a log of another party, and nobody else's signature."""
        text = Checkpoint(log, head).text
        return Note(text, (cosign(text, witness_name(self.party), self.witness, time),)).encode()

    def cites(self, head: TreeHead, sequence: int = 0) -> bytes:
        """A record that cites a state of the other party's chain."""
        return self.says(sequence, seen=SeenCheckpoint(head.size, head.root)).envelope

    def revoking(self, key: Key, purpose: str) -> bytes:
        """A card of this party that revokes ``key``."""
        new = Key(250)
        now = {"log": {"log": new.public}, "record": {"node_sign": (new.public,)}, "witness": {"witness": new.public}}
        former = FormerKey(purpose=purpose, key=key.public, until=AT, revoked=AT)  # type: ignore[arg-type]  # a word
        return write_card(msgspec.structs.replace(self.made, former=(former,), **now[purpose]), self.root.sign)

    def evidence(self, other: Signer, chains: Sequence[Chain]) -> bytes:
        """An evidence file of this party's that holds these chains and nothing more; nothing in it is decided."""
        own, theirs, domestic = chains
        contents = Evidence(
            format="comity-evidence/1",
            exporter=self.party,
            relationship=RELATIONSHIP,
            item="i-1",
            at=AT,
            decision=bytes(32),
            cards=(self.card, other.card),
            texts=(),
            chains=(own, theirs, domestic),
            anchors=(),
        )
        return write_evidence(contents, [(self.record.public, self.record.sign)])


def salt_of(number: int) -> bytes:
    return bytes([number]) * 32


def log_over(records: Sequence[Record]) -> StoredLog:
    """The ledger over a chain, that knows every head."""
    log = StoredLog()
    for number, record in enumerate(records):
        log.append([record_leaf(salt_of(number), record.envelope).data])
    return log


def shown(signer: Signer, records: Sequence[Record], log: StoredLog, note: bytes = b"") -> Chain:
    """A chain as evidence holds it."""
    size = len(records)
    entries = [
        Shown(number, record.envelope, salt_of(number), inclusion_path(log.read, number, size))
        for number, record in enumerate(records)
    ]
    return Chain(signer.chain, note or signer.checkpoint(log.heads[size]), tuple(entries))


def placed(signer: Signer, records: Sequence[Record], log: StoredLog, index: int, size: int) -> Placed:
    """A leaf under a checkpoint of ``size`` records."""
    leaf = record_leaf(salt_of(index), records[index].envelope).hash
    return Placed(signer.checkpoint(log.heads[size]), leaf, inclusion_path(log.read, index, size))
