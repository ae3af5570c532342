"""Witnessing: what each party vouches for of the other's ledger (``spec/exchange.md``, ``spec/ledger.md``).

What we vouch for is our own durable copy of the other party's chain, so a cosignature of ours can neither regress nor
contradict an earlier one. Checkpoints carry no time of their own and are signed when they are asked for.
"""

from __future__ import annotations

from comity.errors import Rejected
from comity.ledger.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint, sign_checkpoint
from comity.ledger.note import KeyType, Note, VerifierKey, cosign
from comity.ledger.tree import TreeHead
from comity.ports import Head, Keys
from comity.record.card import Card
from comity.record.contexts import origin, witness_name


def log_key(chain: str, public: bytes) -> VerifierKey:
    """The verifier key of a chain's ledger."""
    return VerifierKey(origin(chain), KeyType.ED25519, public)


def witness_key(party: str, public: bytes) -> VerifierKey:
    """The verifier key of a party's cosignatures."""
    return VerifierKey(witness_name(party), KeyType.COSIGNATURE_V1, public)


class Witnessing:
    """Signs own checkpoints and cosigns those of others, for one house."""

    def __init__(self, party: str, keys: Keys) -> None:
        self._party = party
        self._keys = keys
        self._signed: dict[str, tuple[int, bytes]] = {}

    def checkpoint(self, chain: str, head: Head) -> bytes:
        """Our signed note over an own chain at ``head``; empty bytes while it has no record."""
        if head.size == 0:
            return b""
        cached = self._signed.get(chain)
        if cached is None or cached[0] != head.size:
            note = sign_checkpoint(Checkpoint(origin(chain), TreeHead(head.size, head.root)), self._keys.log)
            cached = self._signed[chain] = (head.size, note.encode())
        return cached[1]

    def cosign(self, note: bytes, time: int) -> bytes:
        """A checkpoint of another party, verified before, with our cosignature at ``time`` (POSIX seconds)."""
        parsed = Note.parse(note)  # (16)
        signature = cosign(parsed.text, witness_name(self._party), self._keys.witness, time)
        return Note(parsed.text, (*parsed.signatures, signature)).encode()

    def read_theirs(self, note: bytes, chain: str, card: Card) -> SignedCheckpoint:
        """A checkpoint of the other party's chain, signed by its log key.

        Raises:
            Rejected: malformed, of another log, or not signed by the key on its card.
        """
        return open_checkpoint(note, origin(chain), [log_key(chain, card.log)])

    def read_cosigned(self, note: bytes, chain: str, card: Card) -> SignedCheckpoint:
        """A checkpoint of an own chain that the party of ``card`` cosigned.

        Raises:
            Rejected: malformed, not ours, or without a valid cosignature of that party.
        """
        opened = open_checkpoint(
            note, origin(chain), [log_key(chain, self._keys.log.public)], [witness_key(card.party, card.witness)]
        )
        if not opened.witnesses:
            raise Rejected(f"{card.party!r} sent this checkpoint back without its cosignature", code="not-cosigned")
        return opened


def read_head(note: bytes) -> TreeHead:
    """What a signed note states; its signatures were verified when it was kept."""
    return Checkpoint.parse(Note.parse(note).text).head
