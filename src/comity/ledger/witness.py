"""A witness: cosigning a log that only ever grows (tlog-witness v1.0.0; spec 70-82).

Rules of this file:

- ``decide`` is the whole state machine; what HTTP has to answer is data. The order of its checks is the standard's.
- ``Cosign`` is permission, not yet an answer: the caller first replaces the recorded head, atomically, if it is still
  ``expected``, makes it durable, and only then cosigns. Otherwise two requests could roll the record back.
- Two roots signed at one size are proof of two histories: the refusal carries it.
"""

from __future__ import annotations

import msgspec

from comity.errors import Rejected
from comity.ledger.canonical import read_decimal, read_hash, write_base64
from comity.ledger.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint
from comity.ledger.note import Note, Signature, Signer, Verified, VerifierKey, cosign, open_note
from comity.ledger.proof import PATH_HASHES_MAX, verify_consistency
from comity.ledger.tree import EMPTY_ROOT, TreeHead

REQUEST_BYTES_MAX = 256 * 1024
"""A note of the largest size with the longest proof fits twice."""

SIZE_CONTENT_TYPE = "text/x.tlog.size"
TEXT_CONTENT_TYPE = "text/plain; charset=utf-8"


class AddCheckpoint(msgspec.Struct, frozen=True):
    """The body of an ``add-checkpoint`` request.

    Attributes:
        old_size: size of the checkpoint the log believes the witness saw last.
        path: consistency proof from there, at most 63 hashes.
        note: the checkpoint, not verified.
    """

    old_size: int
    path: tuple[bytes, ...]
    note: bytes

    @property
    def origin(self) -> str:
        """The first line of the note, by which the caller finds the log's keys and recorded head."""
        return self.note.partition(b"\n")[0].decode()

    def encode(self) -> bytes:
        """The body of the request (70)."""
        proof = "".join([write_base64(hash_) + "\n" for hash_ in self.path])
        return f"old {self.old_size}\n{proof}\n".encode() + self.note

    @classmethod
    def parse(cls, body: bytes) -> AddCheckpoint:
        """Read a request strictly (70); whatever this raises is answered by ``malformed``.

        Raises:
            Rejected: ``bad-request``, or what reading a decimal, a hash, a note or a checkpoint raises.
        """
        if len(body) > REQUEST_BYTES_MAX:
            raise Rejected(
                f"the request has {len(body)} bytes, at most {REQUEST_BYTES_MAX} are read", code="bad-request"
            )
        head, blank, note = body.partition(b"\n\n")
        try:
            first, *proof = head.decode("ascii").split("\n")
        except UnicodeDecodeError:
            raise Rejected("the lines before the checkpoint are not ASCII", code="bad-request") from None
        if not blank or not first.startswith("old ") or len(proof) > PATH_HASHES_MAX:
            raise Rejected(
                f"the request is not 'old SIZE', up to {PATH_HASHES_MAX} hashes, an empty line and a checkpoint",
                code="bad-request",
            )
        old_size = read_decimal(first.removeprefix("old "), "old size")
        Checkpoint.parse(Note.parse(note).text)
        return cls(old_size, tuple([read_hash(line, "proof line") for line in proof]), note)


class WitnessedLog(msgspec.Struct, frozen=True):
    """What a witness knows of one log.

    Attributes:
        keys: the log's keys.
        head: the head it cosigned last; the empty tree if it never cosigned.
    """

    keys: tuple[VerifierKey, ...]
    head: TreeHead = TreeHead(0, EMPTY_ROOT)


class Cosign(msgspec.Struct, frozen=True):
    """The checkpoint may be cosigned once the recorded head has moved from ``expected`` to its head (status 200)."""

    expected: TreeHead
    checkpoint: SignedCheckpoint


class Refusal(msgspec.Struct, frozen=True):
    """No cosignature.

    Attributes:
        status: HTTP status.
        code: a stable word for programs.
        body: what the answer says.
        content_type: of the body.
        evidence: the log's own signed checkpoint, where it is worth keeping. With status 409 it proves, beside the one
            cosigned last, that the log signed two histories; with 422 it only raises the question.
    """

    status: int
    code: str
    body: str
    content_type: str = TEXT_CONTENT_TYPE
    evidence: SignedCheckpoint | None = None


def malformed(error: Rejected) -> Refusal:
    """The answer to a request that ``AddCheckpoint.parse`` rejected (71)."""
    return Refusal(400, error.code, f"{error}\n")


def decide(request: AddCheckpoint, log: WitnessedLog | None) -> Cosign | Refusal:
    """May this checkpoint be cosigned? (72-79).

    Args:
        request: parsed.
        log: what is known of ``request.origin``; None if nothing.
    """
    if log is None:  # (72)
        return Refusal(404, "unknown-log", "this witness does not follow that log\n")
    try:
        signed = open_checkpoint(request.note, request.origin, log.keys)
    except Rejected as error:  # (73)
        return Refusal(403, error.code, f"{error}\n")
    old, new = log.head, signed.checkpoint.head
    if request.old_size > new.size:  # (74)
        return Refusal(400, "bad-old-size", "the old size is above the checkpoint's\n")
    split = old.size == new.size and old.size > 0 and old.root != new.root
    if request.old_size != old.size:  # (75)
        return Refusal(409, "stale", f"{old.size}\n", SIZE_CONTENT_TYPE, evidence=signed if split else None)
    if split:  # (76)
        return Refusal(409, "split-view", "the log signed another root at this size\n", evidence=signed)
    try:
        verify_consistency(old, new, request.path)  # (77) (78)
    except Rejected as error:
        return Refusal(422, error.code, f"{error}\n", evidence=signed)
    return Cosign(old, signed)  # (79)


def cosign_checkpoint(decision: Cosign, name: str, signer: Signer, time: int) -> Signature:
    """The cosignature; its line is the body of the answer (80).

    Args:
        decision: what ``decide`` allowed, and the caller has made durable.
        name: key name of the witness; the signing key serves no other witness name and no log.
        signer: the witness's private key.
        time: POSIX seconds.

    Raises:
        Misuse: the time cannot be carried.
    """
    return cosign(decision.checkpoint.note.text, name, signer, time)


def read_cosignatures(body: bytes, note: Note, keys: tuple[VerifierKey, ...]) -> tuple[Verified, ...]:
    """The verified cosignatures in a witness's answer to ``note`` (81).

    Raises:
        Misuse: a key is not of type cosignature/v1.
        Rejected: ``bad-answer``, or what ``Note.parse`` and ``open_note`` raise.
    """
    answer = Note.parse(note.text.encode() + b"\n" + body)
    if answer.text != note.text:
        raise Rejected("the witness's answer holds an empty line", code="bad-answer")
    return open_note(answer, keys).verified


def add_cosignatures(note: Note, cosignatures: tuple[Verified, ...]) -> Note:
    """``note`` with these lines at its end, in place of older ones of the same keys (82).

    Raises:
        Misuse: the note would have too many signatures; see ``Note.encode``.
    """
    newer = {(verified.key.name, verified.key.id) for verified in cosignatures}
    kept = [line for line in note.signatures if (line.name, line.key_id) not in newer]
    return Note(note.text, (*kept, *[verified.signature for verified in cosignatures]))


def read_size(body: bytes) -> int:
    """The recorded size in a 409 answer of type ``text/x.tlog.size`` (75).

    Raises:
        Rejected: ``bad-answer`` or ``bad-decimal``.
    """
    if not body.endswith(b"\n") or not body.isascii():
        raise Rejected("the witness's answer is not a size on one line", code="bad-answer")
    return read_decimal(body[:-1].decode("ascii"), "recorded size")
