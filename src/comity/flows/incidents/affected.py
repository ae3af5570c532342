"""What a loss or compromise affects: every item, copy and holder, and whose information it is (Article 17).

Affected are the items that were lost or became known, everything made from them, and what they were made from: a paper
that is lost takes with it what it contains. Told are the originators of what the lost items contain; and, where what an
item says became known and nobody knows from which copy, also those of everything else that stands in what was made from
it, as a possible compromise. Where copies are named as lost, nobody is told about what was not in them
(``spec/incidents.md`` steps 2 and 3).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Literal

import msgspec

from comity.flows.deciding.lineage import agreements, ancestors_of
from comity.flows.deriving.descent import descendants
from comity.flows.house import PSEUDONYM_OF, House
from comity.flows.keeping.committed import SCAN_MAX
from comity.record.statement import DOMESTIC
from comity.register.rows import CopyRow, ItemRow
from comity.register.rows.lineage import DerivativeRow, derivative_key

Kin = Literal["itself", "made from it", "it was made from"]


class AffectedItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that an incident affects.

    Attributes:
        item: its id.
        kin: how it hangs together with what was lost or compromised.
        protected_by: the relationships whose agreements protect it.
        above: what it was made from, in each of them.
        copies: every copy, with the relationship it is registered in.
    """

    item: str
    kin: Kin
    protected_by: tuple[str, ...]
    above: dict[str, tuple[str, ...]]
    copies: tuple[tuple[str, CopyRow], ...]


class Affected(msgspec.Struct, frozen=True):
    """All that an incident affects, what is lost first, then what was made from it, then what it was made from."""

    items: tuple[AffectedItem, ...]

    @property
    def copies(self) -> int:
        """How many copies there are; one that several relationships register is one copy."""
        return sum(_distinct(item) for item in self.items)

    def of(self, kin: Kin) -> list[AffectedItem]:
        """The items of one kin."""
        return [item for item in self.items if item.kin == kin]


def _distinct(item: AffectedItem) -> int:
    mine = {copy.number for place, copy in item.copies if place in item.protected_by}
    return len(mine) + sum(place not in item.protected_by for place, _ in item.copies)


async def affected_by(house: House, items: Sequence[str]) -> Affected:
    """Everything that a loss or compromise of ``items`` affects; it costs what it finds."""
    below = await descendants(house, items)
    above: dict[str, None] = {}
    for item in items:
        above.update(dict.fromkeys(await ancestors_of(house, item)))
    kin: dict[str, Kin] = dict.fromkeys(below, "made from it")
    kin.update((each, "it was made from") for each in above if each not in kin)
    kin.update((each, "itself") for each in items)
    return Affected(tuple([found async for found in _described(house, kin)]))


async def _described(house: House, kin: dict[str, Kin]) -> AsyncIterator[AffectedItem]:
    places = tuple(await agreements(house))
    names = list(kin)
    for start in range(0, len(names), SCAN_MAX):
        some = names[start : start + SCAN_MAX]
        keys = [(ItemRow.table, each) for each in some]
        facts = await house.sequencer.rows.get([*keys, *(derivative_key(p, each) for each in some for p in places)])
        for each in some:
            row = facts[ItemRow.table, each]
            made = {place: facts[derivative_key(place, each)] for place in places}
            came_by = row.relationship if isinstance(row, ItemRow) and row.relationship != DOMESTIC else None
            yield AffectedItem(
                item=each,
                kin=kin[each],
                protected_by=tuple(p for p in places if p == came_by or made[p] is not None),
                above={p: of.ancestors for p, of in made.items() if isinstance(of, DerivativeRow)},
                copies=tuple([found async for found in _copies(house, places, each)]),
            )


async def _copies(house: House, places: Iterable[str], item: str) -> AsyncIterator[tuple[str, CopyRow]]:
    for place in places:
        async for _, copy in house.rows(CopyRow, f"{place}/{item}/"):
            yield place, copy


async def holders(house: House, affected: Affected) -> int:
    """How many people hold, or last held, an affected copy; one of this house is one, by whatever pseudonyms."""
    named = {(place, copy.holder) for item in affected.items for place, copy in item.copies}
    people = set()
    for place, holder in named:
        person = await house.side(PSEUDONYM_OF, f"{place}/{holder}")
        people.add(person.decode() if person is not None else f"{place}/{holder}")
    return len(people)


def concerned(affected: Affected, *, copies_named: bool) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Whom to tell, and of which items.

    Returns:
        By relationship the lost or compromised items themselves; and, by further relationships, the topmost of what was
        made from them, which may be compromised too.
    """
    direct: dict[str, list[str]] = {}
    for item in affected.of("itself"):
        for place in item.protected_by:
            direct.setdefault(place, []).append(item.item)
    possible: dict[str, list[str]] = {}
    if not copies_named:
        children = affected.of("made from it")
        for place in dict.fromkeys(place for child in children for place in child.protected_by if place not in direct):
            here = {child.item for child in children if place in child.protected_by}
            possible[place] = [
                child.item for child in children if child.item in here and here.isdisjoint(child.above.get(place, ()))
            ]
    return direct, possible
