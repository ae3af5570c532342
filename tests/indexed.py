"""What stands in an index, and what would stand in one that was made from the register anew."""

from __future__ import annotations

import json

from comity.flows.house import House
from comity.flows.indexing.entries import all_lines, all_others, entry_of
from comity.flows.indexing.upkeep import catch_up
from comity.flows.keeping.unindexed import Unindexed
from comity.ports.index import Entry
from comity.stores.index import SqliteIndex


def contents(index: SqliteIndex) -> dict[str, Entry]:
    """Every entry, with its names; and each name is there for some entry, and counts them."""
    database = index._open
    assert database is not None
    names = dict(database.execute("SELECT id, name FROM name").fetchall())
    found: dict[str, Entry] = {}
    stands = []
    for number, key, at, written, about in database.execute("SELECT id, key, at, names, about FROM entry").fetchall():
        numbers = json.loads(written)
        stands += [(each, at, number) for each in numbers]
        found[key] = Entry(key, at, tuple(sorted(names[each] for each in numbers)), about)
    assert sorted(stands) == database.execute("SELECT name, at, entry FROM stands ORDER BY name, at, entry").fetchall()
    counted = dict(database.execute("SELECT name, count(*) FROM stands GROUP BY name").fetchall())
    assert counted == dict(database.execute("SELECT id, entries FROM name").fetchall())
    return found


async def made_anew(house: House) -> dict[str, Entry]:
    """Every entry that the register gives."""
    index = SqliteIndex(None)
    keys = [*await all_lines(house), *[key async for key in all_others(house)]]
    await index.change([entry for key in keys if (entry := await entry_of(house, key)) is not None])
    found = contents(index)
    await index.close()
    return found


async def differences(house: House) -> dict[str, tuple[Entry | None, Entry | None]]:
    """What the index of a house has otherwise than it would be made anew, once it has taken up what was committed."""
    assert isinstance(house.index, SqliteIndex)
    await catch_up(house)
    found, expected = contents(house.index), await made_anew(house)
    keys = found.keys() | expected.keys()
    return {key: (found.get(key), expected.get(key)) for key in keys if found.get(key) != expected.get(key)}


class Beside:
    """A second index of a house that only ever hears of the register from the journal, as after a crash."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._index = SqliteIndex(None)

    async def differences(self) -> dict[str, tuple[Entry | None, Entry | None]]:
        """As above, after it was closed for a while."""
        house = self._house
        kept = house.index, house.unindexed
        house.index, house.unindexed = self._index, Unindexed()
        try:
            return await differences(house)
        finally:
            house.index, house.unindexed = kept
