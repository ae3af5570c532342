"""A proof in one file, for somebody who has neither party's node (c2sp.org/tlog-proof@v1; spec 90-95).

The file says where the leaf stands, how its hash leads to the root, and which checkpoint states that root. What is
proved (the leaf) and who is trusted (the keys) come from elsewhere. ``extra`` is not authenticated: nothing may rest
on it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from comity.errors import Rejected
from comity.ledger.canonical import read_base64, read_decimal, read_hash, write_base64
from comity.ledger.checkpoint import SignedCheckpoint, open_checkpoint
from comity.ledger.note import NOTE_BYTES_MAX, VerifierKey
from comity.ledger.proof import PATH_HASHES_MAX, Inclusion, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"

EXTRA_BYTES_MAX = 64 * 1024
"""Comity writes no extra data; others' is carried up to this size."""

FILE_BYTES_MAX = NOTE_BYTES_MAX + 2 * EXTRA_BYTES_MAX
"""The note, the extra data in base64, and 63 hashes in less than the rest."""


class ProvedLeaf(msgspec.Struct, frozen=True):
    """Verified: the leaf is in the log, in the state that ``checkpoint`` states."""

    inclusion: Inclusion
    checkpoint: SignedCheckpoint


class TlogProof(msgspec.Struct, frozen=True):
    """A ``.tlog-proof`` file, not verified.

    Attributes:
        index: where the leaf stands, from 0.
        path: inclusion proof, from the leaf's sibling up.
        note: the checkpoint, verbatim.
        extra: unauthenticated data of the application; empty if there is none.
    """

    index: int
    path: tuple[bytes, ...]
    note: bytes
    extra: bytes = b""

    def encode(self) -> bytes:
        """The file (90)."""
        extra = [f"extra {write_base64(self.extra)}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.index}", *map(write_base64, self.path), "", ""]
        return "\n".join(lines).encode("ascii") + self.note

    @classmethod
    def parse(cls, data: bytes) -> TlogProof:
        """Read a file strictly (90-92).

        Raises:
            Rejected: ``bad-tlog-proof``, or what reading a decimal or a hash raises.
        """
        head, blank, note = data.partition(b"\n\n")
        if not blank or len(data) > FILE_BYTES_MAX or not head.isascii():
            raise _bad(f"it is longer than {FILE_BYTES_MAX} bytes, or has no empty line before the checkpoint")
        header, *lines = head.decode("ascii").split("\n")
        if header != HEADER:
            raise _bad(f"it does not begin with {HEADER!r}")
        extra = b""
        if lines and lines[0].startswith("extra "):
            extra = read_base64(lines.pop(0).removeprefix("extra "), "extra data")
            if not 1 <= len(extra) <= EXTRA_BYTES_MAX:
                raise _bad(f"its extra data is empty or longer than {EXTRA_BYTES_MAX} bytes")
        if not lines or not lines[0].startswith("index "):
            raise _bad("it has no 'index' line")
        index = read_decimal(lines.pop(0).removeprefix("index "), "leaf index")
        if len(lines) > PATH_HASHES_MAX:
            raise _bad(f"it has more than {PATH_HASHES_MAX} hashes")
        return cls(index, tuple([read_hash(line, "proof line") for line in lines]), note, extra)

    def verify(
        self, leaf: bytes, origin: str, log_keys: Iterable[VerifierKey], witness_keys: Iterable[VerifierKey] = ()
    ) -> ProvedLeaf:
        """Verify that the leaf with the Merkle leaf hash ``leaf`` is in the log ``origin`` (93-95).

        Raises:
            Misuse: see ``open_checkpoint``.
            Rejected: what ``open_checkpoint`` and ``verify_inclusion`` raise.
        """
        checkpoint = open_checkpoint(self.note, origin, log_keys, witness_keys)
        return ProvedLeaf(verify_inclusion(leaf, self.index, checkpoint.checkpoint.head, self.path), checkpoint)


def _bad(reason: str) -> Rejected:
    return Rejected(f"not a tlog-proof file: {reason}", code="bad-tlog-proof")
