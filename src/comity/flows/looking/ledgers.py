"""The ledgers of a house, pair by pair: ours and the other party's of one relationship (``spec/witness.md``)."""

from __future__ import annotations

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.exchanging.exchange import THEIR_CHECKPOINT
from comity.flows.exchanging.witnessing import read_head
from comity.flows.house import House
from comity.flows.looking.views import ChainLine, chain_line
from comity.record.statement import DOMESTIC, chain_id


class ShowLedgers(msgspec.Struct, frozen=True, kw_only=True):
    """Show every ledger here, as ``actor`` may see it; the house itself sees all."""

    actor: Actor | None = None


class LedgerPair(msgspec.Struct, frozen=True, kw_only=True):
    """The two ledgers of a relationship.

    Attributes:
        relationship, peer: which agreement, with whom.
        ours: what this house wrote, and how much of it the other party has and has cosigned.
        theirs: what the other party wrote, as far as it is here.
        announced: how many records the other party's newest checkpoint covers that is kept here; none without one.
    """

    relationship: str
    peer: str
    ours: ChainLine
    theirs: ChainLine
    announced: int | None


class LedgersShown(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger that never leaves the house, and the pairs; nothing for whoever does not see the whole register."""

    domestic: ChainLine | None
    pairs: tuple[LedgerPair, ...]


async def show_ledgers(house: House, request: ShowLedgers) -> LedgersShown:
    """Every ledger here, for whoever sees the whole register.

    Raises:
        Misuse: nobody has the actor's handle.
    """
    if not Sight(house, await viewer(house, request.actor)).everything:
        return LedgersShown(domestic=None, pairs=())
    pairs = []
    for relationship, peer in await house.correspondence():
        theirs = chain_id(relationship, peer)
        note = await house.side(THEIR_CHECKPOINT, theirs)
        pairs.append(
            LedgerPair(
                relationship=relationship,
                peer=peer,
                ours=await chain_line(house, chain_id(relationship, house.party), witnessed=True),
                theirs=await chain_line(house, theirs, witnessed=False),
                announced=None if note is None else read_head(note).size,
            )
        )
    domestic = await chain_line(house, chain_id(DOMESTIC, house.party), witnessed=False)
    return LedgersShown(domestic=domestic, pairs=tuple(pairs))
