"""Collecting: sealed payloads and headers that nothing names any more are removed (``decisions/0003``)."""

from __future__ import annotations

import msgspec

from comity.flows.giving import PREPARED, Waiting
from comity.flows.house import House
from comity.flows.taking import HEADER
from comity.flows.work import Work
from comity.ports import Store
from comity.record.encoding import decode
from comity.register.rows import ConsignmentRow, CopyRow, RequestRow

READ_AT_ONCE = 1_000
"""Side data read at once."""


class Collect(msgspec.Struct, frozen=True):
    """Remove sealed payloads and headers that no consignment and no waiting request names."""


class Collected(msgspec.Struct, frozen=True, kw_only=True):
    """What was removed, and how many payloads stay."""

    payloads: int
    headers: int
    kept: int


async def collect(house: House, _: Collect) -> Collected:
    """Remove orphans: uploads that no record came for, and what was sealed for requests that were refused.

    A request that any authority refused and nobody approved since is given up: its payload is an orphan too.
    """
    payloads: set[bytes] = set()
    headers: set[str] = set()
    given_up: list[str] = []
    async for _key, consignment in house.rows(ConsignmentRow):
        payloads.add(consignment.payload)
    async for _key, copy in house.rows(CopyRow):
        headers.add(copy.header.hex())
    for request, value in await _all(house.store, PREPARED):
        row = await house.row(RequestRow, request)
        if row is not None and row.approvals and not any(each.granted for each in row.approvals):
            given_up.append(request)
        else:
            payloads.add(decode(value, Waiting).prepared.payload)

    async def remove(work: Work) -> tuple[int, int]:
        orphans = [digest for digest in await house.blobs.all() if digest not in payloads | house.payloads.under_way]
        for digest in orphans:
            await house.blobs.delete(digest)
        loose = [header for header, _value in await _all(house.store, HEADER) if header not in headers]
        for header in loose:
            work.put_side(HEADER, header, None)
        for request in given_up:
            work.put_side(PREPARED, request, None)
        return len(orphans), len(loose)

    removed, loose = await house.sequencer.submit(remove)
    return Collected(payloads=removed, headers=loose, kept=len(payloads))


async def _all(store: Store, table: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    first = ""
    while True:
        some = await store.scan(table, first, limit=READ_AT_ONCE)
        found += some
        if len(some) < READ_AT_ONCE:
            return found
        first = some[-1][0] + "\0"
