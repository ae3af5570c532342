"""Keys of a party that change (``spec/keys.md`` steps 43 to 47): which sign a chain, and what a revoked one signed.

Whether a record is one of its author's is asked before it is stepped (``ChainKeys``). What a revoked key signed is no
record at all, but for what stands in its chain before a change of keys: with that, its author stands by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import msgspec

from comity.errors import Rejected
from comity.record import bodies, dsse
from comity.record.bodies.keys import EpochDestroyed, KeysRenewed, KeysRotated
from comity.record.card import Card, known_card, read_card
from comity.record.contexts import RECORD
from comity.record.encoding import decode
from comity.record.statement import Record, peek, read
from comity.register.house import check_house_act, signer_keys
from comity.register.roles import SECURITY_OFFICER
from comity.register.rows import Facts, Key, PeerRow
from comity.register.rows.keys import ChainKeysRow, chain_keys_key
from comity.register.verdict import Context, Put, Rule, need, no


class Rotation(msgspec.Struct, frozen=True):
    """A change of keys in a chain: its place, and the card that it brings."""

    sequence: int
    card: Card


def rotation(envelope: bytes, card: Card, place: str = "") -> Rotation | None:
    """The change of keys that a record says to be, by a key of the card that it brings; None for all other records.

    Args:
        envelope: the record's; its place in its chain is not looked at.
        card: a card of its author, known before.
        place: where it comes from, for the error.

    Raises:
        Rejected: the record, or the card in it, is not what it must be; or that is of another party or root.
    """
    said = peek(envelope, place)
    if said.type != KeysRotated.kind:
        return None
    brought = read_card(decode(bytes(said.body), KeysRotated, place).card, place)
    if (brought.party, brought.root) != (card.party, card.root):
        raise Rejected(f"it brings a card that is not {card.party!r}'s", code="other-card", place=place)
    return Rotation(read(envelope, brought.node_sign, place).statement.sequence, brought)


class ChainKeys:
    """Which keys may sign the records of a chain, by their place in it (45, 46).

    Args:
        card: the newest card of its author that is here.
        row: what the chain's own records said of its keys so far.
        rotations: changes that came with the records that are asked about, in order.
    """

    def __init__(self, card: Card, row: ChainKeysRow | None, rotations: Sequence[Rotation] = ()) -> None:
        self.card = max([card, *(each.card for each in rotations)], key=lambda each: each.issued)
        self._row = row
        self._rotations = rotations
        self._stands = max([row.sequence if row is not None else 0, *(each.sequence for each in rotations)])
        self._revoked = self.card.revoked("record")

    def changed(self, rotated: Rotation | None) -> ChainKeys:
        """The same after one more change.

        Raises:
            Rejected: ``older-card``: it brings back keys that this chain has left behind.
        """
        if rotated is None or rotated in self._rotations:
            return self
        before = [(each.sequence, each.card.issued) for each in self._rotations]
        before += [(self._row.sequence, self._row.issued)] if self._row is not None else []
        if any(rotated.card.issued < issued for sequence, issued in before if sequence < rotated.sequence):
            raise Rejected("this chain named a newer card; an older one brings back no keys", code="older-card")
        return ChainKeys(self.card, self._row, (*self._rotations, rotated))

    def at(self, sequence: int) -> tuple[bytes, ...]:
        """The keys that may sign the record at ``sequence``."""
        keys = dict.fromkeys((*self._signing(sequence), *self.card.node_sign))
        return tuple(key for key in keys if sequence < self._stands or key not in self._revoked)

    def _signing(self, sequence: int) -> tuple[bytes, ...]:
        brought = [each.card for each in self._rotations if each.sequence <= sequence]
        if brought:
            return brought[-1].node_sign
        if self._row is not None and self._row.sequence <= sequence:
            return self._row.keys
        return self.card.had("record")  # the chain says nothing of its keys yet

    def read(self, envelope: bytes, sequence: int, place: str = "") -> Record:
        """The record at ``sequence``, verified with the keys that may sign there.

        Raises:
            Rejected: as ``statement.read``; ``revoked-key``: what signed it is not its author's any more.
        """
        try:
            return read(envelope, self.at(sequence), place)
        except Rejected as error:
            if error.code == "unknown-key":
                self._tell_revoked(envelope, place)
            raise

    def _tell_revoked(self, envelope: bytes, place: str) -> None:
        ids = {each.keyid for each in dsse.read(envelope, RECORD, place).signatures}
        for key, since in self._revoked.items():
            if dsse.key_id(key) in ids:
                raise Rejected(
                    f"signed with key {dsse.key_id(key)}, revoked by {self.card.party!r} from {since.isoformat()} on",
                    code="revoked-key",
                    place=place,
                ) from None


def _rotated_reads(context: Context, record: Record) -> list[Key]:
    author, keys = record.statement.author, [chain_keys_key(record.statement.chain)]
    return keys if author == context.party else [*keys, (PeerRow.table, author)]


def _rotated(context: Context, facts: Facts, record: Record) -> list[Put]:
    body = cast("KeysRotated | KeysRenewed", record.body)
    statement = record.statement
    card = read_card(body.card)
    peer: PeerRow | None = None
    root = context.root
    if statement.author != context.party:
        peer = need(facts, (PeerRow.table, statement.author), "peer")
        root = known_card(peer.card).root
    if (card.party, card.root) != (statement.author, root):
        raise no("other-card", f"the card is not one of {statement.author!r} under the root key that was compared")
    key = chain_keys_key(statement.chain)
    before = cast("ChainKeysRow | None", facts[key])
    if before is not None and card.issued < before.issued:
        raise no("older-card", "this chain named a newer card; an older one cannot bring back its keys")
    row = ChainKeysRow(keys=card.node_sign, sequence=statement.sequence, issued=card.issued)
    puts = [Put(key, row)]
    if peer is not None and known_card(peer.card).issued < card.issued:
        puts.append(Put((PeerRow.table, peer.party), msgspec.structs.replace(peer, card=body.card)))
    return puts


def _destroyed_reads(_: Context, record: Record) -> list[Key]:
    return signer_keys(record.body)


def _destroyed(context: Context, facts: Facts, record: Record) -> list[Put]:
    """(54) Nothing in the register hangs on an epoch: the record attests that its identity is gone."""
    body = cast("EpochDestroyed", record.body)
    if check_house_act(context, facts, body, record.statement.relationship, SECURITY_OFFICER) != body.by:
        raise no("other-signer", f"it names {body.by!r} but somebody else signed it")
    return []


RULES: dict[type[bodies.Body], Rule] = {
    KeysRotated: Rule(_rotated_reads, _rotated),
    KeysRenewed: Rule(_rotated_reads, _rotated),
    EpochDestroyed: Rule(_destroyed_reads, _destroyed),
}
"""The rules of records about a party's own keys."""
