"""How a feed is called, and who decides about it (``spec/feed.md`` steps 6, 11 and 12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from comity.feed.gate import Epoch, Gate
from comity.flows.exchanging.witnessing import log_key, witness_key
from comity.flows.feeding.shelf import Shelf
from comity.ledger.note import VerifierKey
from comity.ports import Signer
from comity.record.contexts import origin, witness_name


class FeedName(Struct, frozen=True, order=True):
    """One feed of one party under one agreement.

    Attributes:
        relationship: under which agreement, between whom.
        publisher: whose it is.
        feed: its name.
    """

    relationship: str
    publisher: str
    feed: str

    @property
    def chain(self) -> str:
        """What its log is of."""
        return f"{self.relationship}/{self.publisher}/feed/{self.feed}"

    @property
    def origin(self) -> str:
        """The origin of its log (11)."""
        return origin(self.chain)

    def log_key(self, public: bytes) -> VerifierKey:
        """The key its checkpoints are signed with."""
        return log_key(self.chain, public)

    def __str__(self) -> str:
        return f"{self.feed!r} of {self.publisher!r} under {self.relationship!r}"


class Authority(Protocol):
    """What the control plane says of feeds; all of it is read anew for every batch and must cost little."""

    async def gate(self, name: FeedName) -> Gate:
        """What is so now."""
        ...

    async def next_epoch(self, name: FeedName, first: int) -> Epoch:
        """Begin an epoch of a feed of ours: its key is sealed to the peer in a record, which is durable on return.

        Args:
            name: which feed.
            first: the number of the next message.

        Raises:
            ComityError: it cannot be recorded now.
        """
        ...

    async def epoch_key(self, name: FeedName, epoch: int) -> bytes | None:
        """The key of an epoch; None while its record has not come."""
        ...

    async def contradicted(self, name: FeedName, words: Sequence[bytes], shelf: Shelf) -> None:
        """The other end of a feed signed what does not fit: ``words``, which the shelf keeps."""
        ...


class Parties(Struct, frozen=True):
    """The keys of both ends of a feed.

    Attributes:
        log: our log key, to sign checkpoints of our feeds with.
        witness: our witness key, to cosign the other party's with.
        own: our party id.
        peer_log: the public log key of the other party.
        peer_witness: its public witness key.
        peer: its party id.
        peer_logs_before: its log keys of before that were only replaced: what they signed is still on its way.
        peer_witnesses_before: its witness keys likewise.
    """

    log: Signer
    witness: Signer
    own: str
    peer_log: bytes
    peer_witness: bytes
    peer: str
    peer_logs_before: tuple[bytes, ...] = ()
    peer_witnesses_before: tuple[bytes, ...] = ()

    @property
    def own_witness_name(self) -> str:
        """The name under which we acknowledge."""
        return witness_name(self.own)

    @property
    def peer_witness_key(self) -> VerifierKey:
        """The key that acknowledges."""
        return witness_key(self.peer, self.peer_witness)

    @property
    def peer_witness_keys(self) -> list[VerifierKey]:
        """The keys whose acknowledgements count."""
        return [witness_key(self.peer, key) for key in (self.peer_witness, *self.peer_witnesses_before)]

    def peer_log_keys(self, name: FeedName) -> list[VerifierKey]:
        """The keys that sign the log of a feed that the other party publishes."""
        return [name.log_key(key) for key in (self.peer_log, *self.peer_logs_before)]
