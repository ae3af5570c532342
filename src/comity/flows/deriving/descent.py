"""Descent: what was made from an item, in every relationship, and where every copy of it is (``spec/lineage.md``).

The walk goes from each item to its children by the index of children, in each relationship. So it costs what it finds,
however much else the register holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.lineage import agreements, ancestors_of, registered, relationships_of
from comity.flows.deciding.visibility import Sight, may_see, no_item, sees_all, viewer
from comity.flows.giving.release import ITEM_TITLE
from comity.flows.house import House
from comity.marking.label import Label
from comity.record.statement import DOMESTIC
from comity.register.rows import CopyRow, ItemRow, PersonRow
from comity.register.rows.ending import RecallRow
from comity.register.rows.incidents import SuspicionRow
from comity.register.rows.lineage import ChildRow, DerivativeRow

LINEAGE_LINES_MAX = 10_000
"""Most items of one drawing; what is beyond is counted."""


class ShowLineage(msgspec.Struct, frozen=True, kw_only=True):
    """What an item came from, and what was made from it; as ``actor`` may see it, or the house itself."""

    item: str
    actor: Actor | None = None


class LineageLine(msgspec.Struct, frozen=True, kw_only=True):
    """One item of a lineage.

    Attributes:
        item: its id.
        title: what this house calls it; empty where it gave it no title.
        relation: how it was made from ``ancestors``; ``original`` where it was not.
        language: of a translation, the language translated into.
        ancestors: what it was made from, among the items shown.
        maker: party that made it, or that gave it.
        label: as its relationships know it.
        alternative: this party's own mark beside it, where there is one.
        relationships: whose agreements protect it.
        copies: how many copies there are in each state.
        recalled: whoever gave it wants it back.
        suspected: an incident about it is open.
        at: when it was made, given, or registered here.
    """

    item: str
    title: str
    relation: str
    language: str
    ancestors: tuple[str, ...]
    maker: str
    label: Label
    alternative: Label | None
    relationships: tuple[str, ...]
    copies: dict[str, int]
    recalled: bool
    suspected: bool
    at: datetime


class LineageShown(msgspec.Struct, frozen=True, kw_only=True):
    """An item's family: itself, what it came from (nearest first), what was made from it (nearest first)."""

    item: LineageLine
    ancestors: tuple[LineageLine, ...]
    descendants: tuple[LineageLine, ...]
    more: int = 0


async def show_lineage(house: House, request: ShowLineage) -> LineageShown:
    """What an item came from, and what was made from it.

    Raises:
        Misuse: there is no such item, or whoever asks may not see it.
    """
    person = await viewer(house, request.actor)
    if not await _visible(house, request.item, person):
        raise no_item(request.item)
    above = await ancestors_of(house, request.item)
    below = (await descendants(house, [request.item]))[1:]
    shown: dict[str, LineageLine] = {}
    for item in [request.item, *above, *below][:LINEAGE_LINES_MAX]:
        if item == request.item or await _visible(house, item, person):
            shown[item] = await _line(house, item, Sight(house, person))
    kept = {
        item: msgspec.structs.replace(line, ancestors=tuple(each for each in line.ancestors if each in shown))
        for item, line in shown.items()
    }
    return LineageShown(
        item=kept[request.item],
        ancestors=tuple(kept[each] for each in above if each in kept),
        descendants=tuple(kept[each] for each in below if each in kept),
        more=max(0, 1 + len(above) + len(below) - LINEAGE_LINES_MAX) if person is None or sees_all(person) else 0,
    )


async def known_in(house: House, item: str) -> tuple[str, ...]:
    """The relationships in which an item is known: those that protect it, and those it was given in."""
    protecting = set(await relationships_of(house, item))
    return tuple(
        [each for each in await agreements(house) if each in protecting or await _has_copies(house, each, item)]
    )


async def _has_copies(house: House, relationship: str, item: str) -> bool:
    prefix = f"{relationship}/{item}/"
    return bool(await house.store.scan(CopyRow.table, prefix, prefix[:-1] + "0", limit=1))


async def descendants(house: House, items: Iterable[str]) -> list[str]:
    """The items and everything that was made from them, in whatever relationship, nearest first."""
    running = tuple(await agreements(house))
    found = dict.fromkeys(items)
    generation = list(found)
    while generation:
        met: dict[str, None] = {}
        for item in generation:
            for relationship in running:
                async for _, child in house.rows(ChildRow, f"{relationship}/{item}/"):
                    if child.item not in found:
                        met[child.item] = None
        found.update(met)
        generation = list(met)
    return list(found)


async def _visible(house: House, item: str, person: PersonRow | None) -> bool:
    """Whether somebody may know of an item, whichever side registered it."""
    row = await registered(house, item)
    return row is not None and await may_see(house, row, person)


async def _line(house: House, item: str, sight: Sight) -> LineageLine:
    places = await known_in(house, item)
    row = await house.row(ItemRow, item)
    made = [await house.row(DerivativeRow, f"{each}/{item}") for each in places]
    shapes = [each for each in made if each is not None]
    shape = shapes[0] if shapes else None
    label = shape.label if shape is not None else row.label if row is not None else None
    at = shape.at if shape is not None else row.registered if row is not None else None
    if label is None or at is None:
        raise no_item(item)
    recalls = [await house.row(RecallRow, f"{each}/{item}") for each in places]
    suspicions = [await house.row(SuspicionRow, f"{each}/{item}") for each in places]
    own = row is not None and row.relationship == DOMESTIC
    return LineageLine(
        item=item,
        title=(await house.side(ITEM_TITLE, item) or b"").decode(),
        relation=shape.relation if shape is not None else "original",
        language=shape.language if shape is not None else "",
        ancestors=tuple(dict.fromkeys(ancestor for each in shapes for ancestor in each.ancestors)),
        maker=shape.maker if shape is not None else house.party if own else await _giver(house, row),
        label=label if row is None or not own else row.label,
        alternative=row.alternative if row is not None else None,
        relationships=places,
        copies=await _counts(house, places, item, row, sight),
        recalled=any(each is not None and each.recalled for each in recalls),
        suspected=any(each is not None for each in suspicions),
        at=at,
    )


async def _giver(house: House, row: ItemRow | None) -> str:
    return "" if row is None else (await house.agreement_row(row.relationship)).peer


async def _counts(house: House, places: Sequence[str], item: str, row: ItemRow | None, sight: Sight) -> dict[str, int]:
    """How many copies there are in each state, as far as the viewer may know of them."""
    if row is None or await sight.sees_all_copies(row):
        return await copy_counts(house, places, item)
    states = {copy.number: copy.state for place in places async for copy in sight.copies(place, row)}
    counts: dict[str, int] = {}
    for state in states.values():
        counts[state] = counts.get(state, 0) + 1
    return counts


async def copy_counts(house: House, places: Sequence[str], item: str) -> dict[str, int]:
    """How many copies of an item there are in each state; one that several relationships register is one copy."""
    states: dict[int | str, str] = {}
    made = await relationships_of(house, item)
    for relationship in places:
        async for key, copy in house.rows(CopyRow, f"{relationship}/{item}/"):
            states[copy.number if relationship in made else key] = copy.state
    counts: dict[str, int] = {}
    for state in states.values():
        counts[state] = counts.get(state, 0) + 1
    return counts
