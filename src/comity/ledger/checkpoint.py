"""Checkpoints: the state of a log as a signed note (tlog-checkpoint v1.0.0, tlog-cosignature v1.0.1; spec 50-60).

Rules of this file:

- A checkpoint is the log's only if a key of the *log* signed it: a witness alone does not make one.
- Extension lines of other logs are kept and covered by every signature; our own logs write none.
- A log signs under its origin as the key name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from comity.errors import Misuse, Rejected
from comity.ledger.canonical import COUNT_MAX, HASH_BYTES, read_decimal, read_hash, write_base64
from comity.ledger.note import COSIGNATURES, Note, Signer, Verified, VerifierKey, check_name, open_note, sign
from comity.ledger.tree import TreeHead

_LINE = re.compile(r"[^\x00-\x1f]+")


class Checkpoint(msgspec.Struct, frozen=True):
    """What a log says it holds.

    Attributes:
        origin: which log, such as ``comity/jp-kr-2016/jp``.
        head: number of leaves and root.
        extensions: further lines, opaque; empty in our own logs.
    """

    origin: str
    head: TreeHead
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(map(_LINE.fullmatch, (self.origin, *self.extensions))):
            raise Rejected("the origin or an extension line is empty or has a control character", code="bad-checkpoint")
        if not 0 <= self.head.size <= COUNT_MAX or len(self.head.root) != HASH_BYTES:
            raise Rejected("the size or the root of the checkpoint is out of bounds", code="bad-checkpoint")

    @property
    def text(self) -> str:
        """The note text: origin, size, root, extension lines, each with its newline (50)."""
        return "\n".join([self.origin, str(self.head.size), write_base64(self.head.root), *self.extensions, ""])

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note (50).

        Raises:
            Rejected: ``bad-checkpoint``, ``bad-decimal``, ``bad-base64`` or ``bad-hash``.
        """
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop():
            raise Rejected("a checkpoint has an origin, a size and a root, each on its line", code="bad-checkpoint")
        origin, size, root, *extensions = lines
        head = TreeHead(read_decimal(size, "tree size"), read_hash(root, "root hash"))
        return cls(origin, head, tuple(extensions))


class SignedCheckpoint(msgspec.Struct, frozen=True):
    """A checkpoint that its log signed, verified.

    Attributes:
        checkpoint: what the log says.
        note: the note it came in, whole.
        log: the log's signatures, at least one.
        witnesses: cosignatures of configured witnesses, one for each key.
    """

    checkpoint: Checkpoint
    note: Note
    log: tuple[Verified, ...]
    witnesses: tuple[Verified, ...]


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> Note:
    """The note in which a log of ours states ``checkpoint`` (51).

    Raises:
        Misuse: the checkpoint has extension lines, or its origin cannot be a key name.
    """
    if checkpoint.extensions:
        raise Misuse("a log of ours signs no extension lines", code="extension-lines")
    try:
        check_name(checkpoint.origin)
    except Rejected as error:
        raise Misuse(str(error), code="bad-name") from None
    return Note(checkpoint.text, (sign(checkpoint.text, checkpoint.origin, signer),))


def open_checkpoint(
    data: bytes, origin: str, log_keys: Iterable[VerifierKey], witness_keys: Iterable[VerifierKey] = ()
) -> SignedCheckpoint:
    """Verify a checkpoint of the log ``origin`` (52-55).

    Args:
        data: the signed note.
        origin: the log asked about.
        log_keys: keys the log may sign with; old ones stay here after a rotation, so that old evidence verifies.
        witness_keys: keys of a type for cosignatures that count as witnesses. It is not asked here how many are
            needed; ``policy`` asks that.

    Raises:
        Misuse: a witness key is of another type, or a key is given as both.
        Rejected: ``wrong-origin``, ``no-log-signature``, or what ``open_note`` and ``Checkpoint.parse`` raise.
    """
    logs, witnesses = set(log_keys), set(witness_keys)
    if logs & witnesses or any(key.type not in COSIGNATURES for key in witnesses):
        raise Misuse("a witness key is of a type for cosignatures and is not the log's own", code="bad-witness-key")
    opened = open_note(Note.parse(data), logs | witnesses)  # (52)
    checkpoint = Checkpoint.parse(opened.note.text)  # (53)
    if checkpoint.origin != origin:  # (54)
        raise Rejected(f"the checkpoint is of the log {checkpoint.origin[:80]!r}, not {origin!r}", code="wrong-origin")
    by_log = tuple(verified for verified in opened.verified if verified.key in logs)
    if not by_log:  # (55)
        raise Rejected(f"no key of the log {origin!r} signed this checkpoint", code="no-log-signature")
    by_witnesses = tuple(verified for verified in opened.verified if verified.key in witnesses)
    return SignedCheckpoint(checkpoint, opened.note, by_log, by_witnesses)
