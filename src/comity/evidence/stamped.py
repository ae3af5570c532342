"""Time-stamps in a file, and what bounds the time of each record (``spec/timestamps.md`` step 8, ``ledger.md`` 106)."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import accumulate

import msgspec

from comity.errors import Rejected
from comity.evidence.chains import Party, StoodChain, at_place
from comity.evidence.exhibits import Exhibits
from comity.evidence.model import Evidence
from comity.ledger.checkpoint import open_checkpoint
from comity.ledger.note import KeyType, VerifierKey
from comity.ledger.proof import verify_consistency
from comity.record.contexts import origin

ReadToken = Callable[[bytes, bytes], datetime]
"""When an authority that is believed saw a text, by its token; raises ``Rejected`` where it did not."""


class StampTold(msgspec.Struct, frozen=True, kw_only=True):
    """A time-stamp over a checkpoint that the chain's checkpoint begins with.

    Attributes:
        chain: ``RELATIONSHIP/AUTHOR``.
        size: records under it.
        at: when the authority saw it; None where the reader named no authority that he believes.
    """

    chain: str
    size: int
    at: datetime | None


def check_stamps(
    evidence: Evidence, chains: Mapping[str, tuple[StoodChain, Party]], read: ReadToken | None
) -> tuple[StampTold, ...]:
    """Every time-stamp, over a checkpoint that its chain's author signed and went on from.

    Raises:
        Rejected: one is over something else, or by an authority that is not believed.
    """
    told = []
    for number, stamped in enumerate(evidence.stamps, start=1):
        place = f"time-stamp {number}"
        stood, author = chains.get(stamped.chain, (None, None))
        if stood is None or author is None:
            raise Rejected(f"it is of {stamped.chain!r}, which is not here", code="wrong-chain", place=place)
        name = origin(stamped.chain)
        try:
            opened = open_checkpoint(
                stamped.note, name, [VerifierKey(name, KeyType.ED25519, key) for key in author.log]
            )
            head = opened.checkpoint.head
            verify_consistency(head, stood.head, stamped.path)
            at = None if read is None else read(stamped.token, opened.note.text.encode())
        except Rejected as error:
            raise at_place(error, place) from None
        told.append(StampTold(chain=stamped.chain, size=head.size, at=at))
    return tuple(told)


def bounds(exhibits: Exhibits, stamps: tuple[StampTold, ...]) -> dict[bytes, tuple[datetime | None, datetime | None]]:
    """By record id, what bounds its time by the clocks of others: after what it cites, before who first vouched for it.

    None stands where nothing does.
    """
    across = {exhibits.own.name: exhibits.theirs, exhibits.theirs.name: exhibits.own}
    found: dict[bytes, tuple[datetime | None, datetime | None]] = {}
    for chain in exhibits.chains:
        others = across[chain.name].records if chain.name in across else ()
        newest = list(accumulate((each.at for each in others), max))
        tokens = [each for each in stamps if each.chain == chain.name]
        for stood in chain.records:
            seen = stood.record.statement.seen
            known = 0 if seen is None else bisect_left(others, seen.size, key=lambda each: each.index)
            ends = [each.at for each in tokens if stood.index < each.size and each.at is not None]
            ends += [] if stood.cosigned_at is None else [stood.cosigned_at]
            found[stood.record.id] = (newest[known - 1] if known else None, min(ends, default=None))
    return found
