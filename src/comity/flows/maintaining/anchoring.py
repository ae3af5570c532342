"""Anchoring: what is signed anew before Ed25519 weakens (``spec/evidence.md`` steps 40 to 42).

The anchor key is no key of the node: it is made for this act, lies where the root key lies, and signs what this flow
hands out, so that it never comes near the node.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

import msgspec

from comity.errors import Misuse, Rejected
from comity.evidence.anchors import ENTRIES_MAX, Anchored, AnchoredCard, AnchoredHead, Unsigned, make_anchor
from comity.flows.house import House
from comity.flows.keeping.sequencer import restore_frontier
from comity.ledger.tree import TreeHead
from comity.record.card import read_card
from comity.record.statement import DOMESTIC, chain_id


class AnchorLedgers(msgspec.Struct, frozen=True, kw_only=True):
    """Gather what an anchor of this house is to hold.

    Attributes:
        relationship: the one it is about; all of this house unless given. The domestic chain is always in it.
        heads: older states of these ledgers, from evidence files that are to stay verifiable.
        cards: older cards of this house, from the same files.
    """

    relationship: str = ""
    heads: tuple[AnchoredHead, ...] = ()
    cards: tuple[bytes, ...] = ()


async def anchor_ledgers(house: House, request: AnchorLedgers) -> Unsigned:
    """(41) The statement that the anchor key is to sign, with everything in it; nothing is kept here.

    Raises:
        Rejected: ``other-history``: a state that the ledger here never had; ``other-card``: a card of somebody else.
        Misuse: nothing is known of such a relationship, or there is too much for one anchor.
    """
    own = read_card(await house.card())
    for envelope in request.cards:
        card = read_card(envelope)
        if (card.party, card.root) != (own.party, own.root):
            raise Rejected(f"a card of {card.party!r}; each party anchors its own", code="other-card")
    what: list[Anchored] = [each async for each in _present(house, request.relationship)]
    known = {each.chain for each in what if isinstance(each, AnchoredHead)}
    for head in request.heads:
        if head.chain in known:
            await _check(house, head)
            what.append(head)
    what += [AnchoredCard(sha256(each).digest()) for each in (await house.card(), *request.cards)]
    if len(what) > ENTRIES_MAX:
        raise Misuse(f"{len(what)} entries; at most {ENTRIES_MAX}: anchor one relationship at a time", code="too-many")
    return make_anchor(house.party, house.now(), what, house.entropy)


async def _present(house: House, wanted: str) -> AsyncIterator[AnchoredHead]:
    """Every ledger as it is now: our own and, of each relationship, the other party's as far as it is here."""
    found = [each for each in await house.correspondence() if wanted in ("", each[0])]
    if wanted and not found:
        raise Misuse(f"there is no relationship {wanted!r} here", code="unknown-relationship")
    chains = [chain_id(relationship, party) for relationship, peer in found for party in (house.party, peer)]
    for chain in (*chains, chain_id(DOMESTIC, house.party)):
        head = house.sequencer.head(chain)
        if head.size:
            yield AnchoredHead(chain, head.size, head.root)


async def _check(house: House, head: AnchoredHead) -> None:
    """An older state is one that the ledger here went through."""
    known = head.size <= house.sequencer.head(head.chain).size
    try:
        if known:
            await restore_frontier(house.store, head.chain, TreeHead(head.size, head.root))
    except Rejected:
        known = False
    if not known:
        raise Rejected(
            f"the ledger here never had {head.size} records with that root", code="other-history", place=head.chain
        )
