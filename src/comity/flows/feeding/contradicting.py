"""What is kept against the other end of a feed, and the proof of it (``spec/contradictions.md`` step 20).

A recipient has every checkpoint of the log as it was signed, and so the word that another one contradicts. A publisher
has the newest acknowledgement, and one over fewer batches at a later time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import msgspec

from comity.errors import Rejected
from comity.evidence.contradiction import Noted, Shows, TwoHistories, WentBack, only
from comity.feed.batch import read_frame
from comity.flows.exchanging.taking import Contradiction, waiting_key
from comity.flows.exchanging.witnessing import log_keys, read_head
from comity.flows.feeding.feeds import Feeds
from comity.flows.feeding.names import FeedName
from comity.flows.feeding.shelf import Shelf
from comity.flows.house import House
from comity.flows.vouching.contradictions import Held, settle
from comity.record.card import known_card
from comity.register.rows import PeerRow


async def held_of_feeds(house: House, feeds: Feeds) -> AsyncIterator[Held]:
    """What is kept of a house's feeds and proves nothing; what proves something is kept with the house."""
    for name in [*await feeds.published(), *await feeds.followed()]:
        shelf = feeds.shelf(name)
        for words in await shelf.read_evidence():
            found = await held_of_feed(house, name, words, shelf)
            if found.proof:  # what completes it may have come since
                await keep_proof(house, name, found)
            else:
                yield found


async def held_of_feed(house: House, name: FeedName, words: Sequence[bytes], shelf: Shelf) -> Held:
    """What the other end of a feed signed that does not fit, with its proof where there is one."""
    peer = await house.need(PeerRow, await house.peer_in(name.relationship), "peer")
    candidates: list[Shows] = []
    with suppress(Rejected):  # what the other end only said, and did not sign
        if name.publisher == house.party:
            candidates = [WentBack(name.origin, words[0], words[1])]
        else:
            candidates = [await _two_histories(name, shelf, words, peer.card)]
    found = settle(b"\n".join(words), peer.party, [peer.card], name.origin, candidates)
    return msgspec.structs.replace(found, shown=msgspec.structs.replace(found.shown, relationship=name.relationship))


async def keep_proof(house: House, name: FeedName, found: Held) -> None:
    """Keep a proof with those of the exchange; nothing is kept of what proves nothing."""
    if found.proof:
        key = waiting_key(name.chain, 0)
        await house.exchange.keep(Contradiction(found.shown.says, code="two-histories", key=key, proof=found.proof))


async def _two_histories(name: FeedName, shelf: Shelf, words: Sequence[bytes], card: bytes) -> TwoHistories:
    """The checkpoint that did not fit beside the one of the same size that is kept.

    Raises:
        Rejected: so many batches are not here.
    """
    stated = read_head(words[1])
    frame = await shelf.read_frame(stated.size - 1)
    if frame is None:
        raise Rejected(f"{name} has fewer batches here than that checkpoint", code="missing-batch")
    ours = read_frame(frame).note
    keys = log_keys(name.chain, known_card(card).had("log"))
    return TwoHistories(name.origin, Noted(only(words[1], keys)), Noted(only(ours, keys)), read_head(ours).root, ())
