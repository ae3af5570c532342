"""Witnesses and the logs they follow, for tests."""

from __future__ import annotations

from datetime import UTC, datetime

from comity.ledger.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from comity.ledger.note import KeyType, Note
from comity.ledger.proof import consistency_path
from comity.ledger.tree import TreeHead
from comity.ledger.witness import AddCheckpoint
from comity.ports import HighWaterMark, Store
from comity.witness.witness import Answer, Cosigner, Witness
from ledger.reference import Key, PostQuantumKey, StoredLog, entries, log_of

NAME = "witness.example/w1"
SIGNER, QUANTUM = Key(21), PostQuantumKey(21)
COSIGNERS = (
    Cosigner(SIGNER.verifier(NAME, KeyType.COSIGNATURE_V1), SIGNER),
    Cosigner(QUANTUM.verifier(NAME), QUANTUM),
)
STORED = log_of(600)
SPLIT = 3
"""The other history of every log differs in its fourth leaf."""


class Clock:
    def __init__(self) -> None:
        self.seconds = 1_700_000_000

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds, UTC)


class Log:
    """A log that tells a second history, too, where it is asked to."""

    def __init__(self, origin: str, seed: int = 1) -> None:
        self.origin = origin
        self.signer = Key(seed)
        self.key = self.signer.verifier(origin)
        self.other = StoredLog()
        self.other.append([*entries(SPLIT), b"rewritten"])
        for entry in entries(100)[SPLIT + 1 :]:
            self.other.append([entry])

    def head(self, size: int, *, rewritten: bool = False) -> TreeHead:
        return (self.other if rewritten and size > SPLIT else STORED).heads[size]

    def note(self, size: int, *, rewritten: bool = False) -> Note:
        return sign_checkpoint(Checkpoint(self.origin, self.head(size, rewritten=rewritten)), self.signer)

    def request(self, old: int, size: int, *, rewritten: bool = False) -> bytes:
        log = self.other if rewritten and size > SPLIT else STORED
        path = consistency_path(log.read, old, size) if old <= size else ()
        return AddCheckpoint(old, path, self.note(size, rewritten=rewritten).encode()).encode()

    def times(self, answer: Answer, size: int) -> list[int | None]:
        """The times of the cosignatures in an answer, all of them verified."""
        assert answer.status == 200, answer
        note = self.note(size)
        whole = note.text.encode() + b"\n" + note.signatures[0].line.encode() + answer.body
        signed = open_checkpoint(whole, self.origin, [self.key], [each.key for each in COSIGNERS])
        assert len(signed.witnesses) == answer.body.count(b"\n")
        return [each.time for each in signed.witnesses]


async def started(store: Store, mark: HighWaterMark, clock: Clock | None = None, keys: int = 1) -> Witness:
    witness = Witness(store, mark, COSIGNERS[:keys], clock or Clock())
    await witness.start()
    return witness
