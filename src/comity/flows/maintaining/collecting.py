"""Collecting: sealed payloads and headers that nothing names any more are removed (``decisions/0003``)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from comity.flows.deriving.derivation import UNSIGNED, payload_waiting
from comity.flows.exchanging.carried import Carried, carried_in
from comity.flows.exchanging.settling import HELD, HeldBack
from comity.flows.exchanging.taking import WAITING
from comity.flows.giving.release import PREPARED, Waiting
from comity.flows.house import House
from comity.flows.keeping.erasing import HEADER
from comity.ports import Batch, Put, Store
from comity.record.encoding import decode
from comity.register.rows import ConsignmentRow, CopyRow, RequestRow
from comity.register.rows.consents import PassedOnRow
from comity.register.rows.lineage import DerivativeRow
from comity.register.rows.negotiation import NegotiationRow

READ_AT_ONCE = 1_000
"""Side data read at once."""


class Collect(msgspec.Struct, frozen=True):
    """Remove sealed payloads and headers that no consignment, no draft and no waiting request names."""


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, and how many payloads stay."""

    payloads: int
    headers: int
    kept: int


async def collect(house: House, _: Collect) -> Collected:
    """Remove orphans: uploads that no record came for, finished or not, and what was sealed for refused requests.

    A request that any authority refused and nobody approved since is given up: its payload is an orphan too; likewise
    what its maker has not signed within a day. What a waiting or a held record names is none. Nothing is recorded
    meanwhile, so that nothing becomes needed under way.
    """
    return await house.sequencer.alone(lambda: _collect(house))


async def _collect(house: House) -> Collected:
    payloads: set[bytes] = set()
    headers: set[str] = set()
    removals: list[Put] = []
    async for _key, consignment in house.rows(ConsignmentRow):
        payloads.add(consignment.payload)
    async for _key, negotiated in house.rows(NegotiationRow):
        payloads.update(draft.payload for draft in negotiated.drafts)
    async for _key, made in house.rows(DerivativeRow):
        if made.maker == house.party:
            payloads.add(made.payload)
    async for _key, copy in house.rows(CopyRow):
        headers.add(copy.header.hex())
    async for _key, onward in house.rows(PassedOnRow):
        headers.add(onward.header.hex())
    async for body in _to_come(house):
        payloads.add(body.payload)
        headers.update(digest.hex() for _, digest in body.headers)
    for request, value in await _all(house.store, PREPARED):
        row = await house.row(RequestRow, request)
        if row is not None and row.approvals and not any(each.granted for each in row.approvals):
            removals.append(Put(PREPARED, request, None))
        else:
            payloads.add(decode(value, Waiting).prepared.payload)
    for item, value in await _all(house.store, UNSIGNED):
        waiting = payload_waiting(value, house.now())
        if waiting is None:
            removals.append(Put(UNSIGNED, item, None))
        else:
            payloads.add(waiting)
    loose = [header for header, _value in await _all(house.store, HEADER) if header not in headers]
    removals += [Put(HEADER, header, None) for header in loose]
    if removals:
        await house.store.commit(Batch(puts=tuple(removals)), {})
    removed = 0
    for digest in [*await house.blobs.all(), *await house.blobs.unfinished()]:
        if digest not in payloads and not house.payloads.is_needed(digest):
            await house.blobs.delete(digest)
            removed += 1
    return Collected(payloads=removed, headers=len(loose), kept=len(payloads))


async def _to_come(house: House) -> AsyncIterator[Carried]:
    """What goes with records that are here but have not taken effect yet: waiting for a predecessor, or held."""
    records = [record for _key, record in await _all(house.store, WAITING)]
    records += [decode(value, HeldBack).record for _key, value in await _all(house.store, HELD)]
    for record in records:
        entry = await house.store.find(record)
        with_it = carried_in(entry.envelope) if entry is not None else None
        if with_it is not None:
            yield with_it


async def _all(store: Store, table: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    first = ""
    while True:
        some = await store.scan(table, first, limit=READ_AT_ONCE)
        found += some
        if len(some) < READ_AT_ONCE:
            return found
        first = some[-1][0] + "\0"
