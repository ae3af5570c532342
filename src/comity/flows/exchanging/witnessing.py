"""Witnessing: what each party vouches for of the other's ledger (``spec/exchange.md``, ``spec/ledger.md``).

What we vouch for is our own durable copy of the other party's chain, so a cosignature of ours can neither regress nor
contradict an earlier one. Checkpoints carry no time of their own and are signed when they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from comity.errors import Rejected
from comity.evidence.contradiction import WentBack, only
from comity.flows.keeping.own_keys import signers
from comity.ledger.checkpoint import Checkpoint, SignedCheckpoint, open_checkpoint, sign_checkpoint
from comity.ledger.note import KeyType, Note, VerifierKey, cosign, sign
from comity.ledger.tree import TreeHead
from comity.ports import Head, Keys, Signer
from comity.record.card import Card, Purpose
from comity.record.contexts import origin, witness_name


def log_key(chain: str, public: bytes) -> VerifierKey:
    """The verifier key of a chain's ledger."""
    return VerifierKey(origin(chain), KeyType.ED25519, public)


def log_keys(chain: str, keys: tuple[bytes, ...]) -> list[VerifierKey]:
    """The verifier keys of a chain's ledger."""
    return [log_key(chain, key) for key in keys]


def witness_key(party: str, public: bytes) -> VerifierKey:
    """The verifier key of a party's cosignatures."""
    return VerifierKey(witness_name(party), KeyType.COSIGNATURE_V1, public)


class Witnessing:
    """Signs own checkpoints and cosigns those of others, for one house.

    While a key of ours overlaps with the one before it, both sign: so whoever does not have our newest card yet goes on
    taking what we sign (``spec/keys.md`` step 48).
    """

    def __init__(
        self, party: str, keys: Keys, now: Callable[[], datetime], own_card: Callable[[], Card | None]
    ) -> None:
        self._party = party
        self._keys = keys
        self._now = now
        self._own_card = own_card
        self._signed: dict[str, tuple[int, tuple[bytes, ...], bytes]] = {}

    def _signers(self, purpose: Purpose) -> tuple[Signer, ...]:
        card = self._own_card()
        if card is None or not card.former:
            return (self._keys.log if purpose == "log" else self._keys.witness,)
        return signers(self._keys, card, purpose, self._now())

    def _taken(self, card: Card, purpose: Purpose) -> tuple[bytes, ...]:
        return card.taken(purpose, self._now()) if card.former else card.present(purpose)

    def checkpoint(self, chain: str, head: Head) -> bytes:
        """Our signed note over an own chain at ``head``; empty bytes while it has no record."""
        if head.size == 0:
            return b""
        logs = self._signers("log")
        by = tuple(signer.public for signer in logs)
        cached = self._signed.get(chain)
        if cached is None or cached[:2] != (head.size, by):
            note = sign_checkpoint(Checkpoint(origin(chain), TreeHead(head.size, head.root)), logs[0])
            others = (sign(note.text, origin(chain), signer) for signer in logs[1:])
            cached = self._signed[chain] = (head.size, by, Note(note.text, (*note.signatures, *others)).encode())
        return cached[2]

    def cosign(self, note: bytes, time: int) -> bytes:
        """A checkpoint of another party, verified before, with our cosignature at ``time`` (POSIX seconds)."""
        parsed = Note.parse(note)  # (16)
        name = witness_name(self._party)
        signatures = (cosign(parsed.text, name, signer, time) for signer in self._signers("witness"))
        return Note(parsed.text, (*parsed.signatures, *signatures)).encode()

    def read_theirs(self, note: bytes, chain: str, card: Card) -> SignedCheckpoint:
        """A checkpoint of the other party's chain, signed by its log key just now.

        Raises:
            Rejected: malformed, of another log, or not signed by a key on its card that is still taken.
        """
        return open_checkpoint(note, origin(chain), log_keys(chain, self._taken(card, "log")))

    def read_kept(self, note: bytes, chain: str, card: Card) -> SignedCheckpoint:
        """The same of one that was read when it came: its author may have other keys by now.

        Raises:
            Rejected: as ``read_theirs``, by no key that its author ever had.
        """
        return open_checkpoint(note, origin(chain), log_keys(chain, card.had("log")))

    def read_cosigned(self, note: bytes, chain: str, card: Card) -> SignedCheckpoint:
        """A checkpoint of an own chain that the party of ``card`` cosigned just now.

        Raises:
            Rejected: malformed, not ours, or without a valid cosignature of that party.
        """
        return self._cosigned(note, chain, card.party, self._taken(card, "witness"))

    def read_kept_cosigned(self, note: bytes, chain: str, card: Card) -> SignedCheckpoint:
        """The same of one that was read when it came.

        Raises:
            Rejected: as ``read_cosigned``, by no key that its witness ever had.
        """
        return self._cosigned(note, chain, card.party, card.had("witness"))

    def went_back(self, kept: bytes, note: bytes, chain: str, card: Card) -> WentBack | None:
        """What shows that a party cosigned less of an own chain than it had before; None where it did not."""
        opened = [self.read_kept_cosigned(each, chain, card) for each in (kept, note)]
        before, after = (each.checkpoint.head.size for each in opened)
        times = [[each.time or 0 for each in signed.witnesses] for signed in opened]
        if after >= before or max(times[0]) >= min(times[1]):
            return None
        keys = [witness_key(card.party, key) for key in card.had("witness")]
        return WentBack(origin(chain), only(kept, keys), only(note, keys))

    def _cosigned(self, note: bytes, chain: str, party: str, keys: tuple[bytes, ...]) -> SignedCheckpoint:
        own = self._own_card()
        logs = (self._keys.log.public,) if own is None else own.had("log")
        witnesses = [witness_key(party, key) for key in keys]
        opened = open_checkpoint(note, origin(chain), log_keys(chain, logs), witnesses)
        if not opened.witnesses:
            raise Rejected(f"{party!r} sent this checkpoint back without its cosignature", code="not-cosigned")
        return opened


def read_head(note: bytes) -> TreeHead:
    """What a signed note states; its signatures were verified when it was kept."""
    return Checkpoint.parse(Note.parse(note).text).head
