"""The tally of a house, added up anew from its copies: what the kept sums must be."""

from __future__ import annotations

from collections import defaultdict

from comity.flows.house import House
from comity.register.rows import ConsignmentRow, CopyRow
from comity.register.rows.inventory import TallyItemRow, TallyPartRow, TallyRow
from comity.register.tally import NOTHING, PARTS, added, copy_line, item_sum, part_of

Sums = dict[str, tuple[int, int, bytes]]


async def kept(house: House, relationship: str) -> tuple[Sums, Sums]:
    """The sums of buckets and parts, as the house keeps them; empty ones left out."""
    prefix = f"{relationship}/"
    buckets = {
        key.removeprefix(prefix): (row.items, row.copies, row.digest)
        async for key, row in house.rows(TallyRow, prefix)
        if row.items
    }
    parts = {
        key.removeprefix(prefix): (row.items, row.copies, row.digest)
        async for key, row in house.rows(TallyPartRow, prefix)
        if row.items
    }
    return buckets, parts


async def anew(house: House, relationship: str) -> tuple[Sums, Sums]:
    """The same, added up from the copies themselves."""
    prefix = f"{relationship}/"
    copies: dict[str, list[CopyRow]] = defaultdict(list)
    async for _, copy in house.rows(CopyRow, prefix):
        consignment = await house.row(ConsignmentRow, copy.consignment.hex())
        if consignment is None or consignment.returned is None:
            copies[copy.item].append(copy)
    buckets: dict[str, tuple[int, int, bytes]] = defaultdict(lambda: (0, 0, NOTHING))
    parts: dict[str, tuple[int, int, bytes]] = defaultdict(lambda: (0, 0, NOTHING))
    marked = set()
    async for key, row in house.rows(TallyItemRow, prefix):
        item = key.rpartition("/")[2]
        marked.add(item)
        part = part_of(relationship, item)
        assert key == f"{relationship}/{part:04x}/{item}"
        digest = item_sum(item, row, map(copy_line, copies[item]))
        assert (row.copies, row.digest) == (len(copies[item]), digest), item
        for sums, name in ((buckets, f"{part // PARTS:02x}"), (parts, f"{part:04x}")):
            items, number, total = sums[name]
            sums[name] = items + 1, number + row.copies, added(total, digest)
    assert marked == {item for item, rows in copies.items() if rows}
    return dict(buckets), dict(parts)


async def check_tally(*houses: House, relationship: str) -> None:
    """Every house's sums are those of its copies, and all houses have the same."""
    found = [await kept(house, relationship) for house in houses]
    for house, sums in zip(houses, found, strict=True):
        assert sums == await anew(house, relationship), house.party
    assert all(sums == found[0] for sums in found), "the registers differ"
