"""Given: for everything this house gave, who holds it, under what mark, what has been done and what is due.

It is read from the register alone: whatever the other side does with a copy, it says in the relationship by which the
item came, so the register of whoever gave it has every copy and everything made from it (``spec/custody.md`` step 1).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import Sight, no_item, viewer
from comity.flows.giving.release import ITEM_TITLE
from comity.flows.house import House
from comity.flows.looking.duties import DutyShown, ListDuties, list_duties
from comity.marking.label import Label
from comity.register.rows import ConsignmentRow, CopyRow, DirectoryRow, ItemRow, decode_row
from comity.register.rows.custody import LinkRow
from comity.register.rows.ending import EndedRow, EndingRow, HoldingRow, LevelRow, RecallRow
from comity.register.rows.incidents import SuspicionRow
from comity.register.rows.lineage import ChildRow, DerivativeRow

LINES_MAX = 10_000
"""Most items of one list, and most copies of one item with all that was made from it."""


class ShowGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Everything this house gave, or one item with every copy; as ``actor`` may see it, or the house itself."""

    item: str | None = None
    actor: Actor | None = None


class GivenCopy(msgspec.Struct, frozen=True, kw_only=True):
    """A copy there.

    Attributes:
        item: the item itself, or what was made from it.
        relation: ``itself``, or how it was made.
        number: of the copy.
        holder: pseudonym of whoever answers for it.
        function: of that holder, as the directory of the other side has it.
        state: as the register has it.
        mark: the mark it stands under there, as far as the other side has said.
        openings: how often it was opened.
        done: what was done with it last: a record type, or empty.
        at: when.
        method: how it was destroyed, where it was.
    """

    item: str
    relation: str
    number: int
    holder: str
    function: str
    state: str
    mark: str
    openings: int
    done: str
    at: datetime | None
    method: str


class GivenItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item that was given in one relationship.

    Attributes:
        item: item id.
        title: what this house calls it.
        relationship: where.
        label: its label here, now.
        mark: the mark of which the other side was last told.
        marked: the mark under which it stands there, as that side says; empty where it has not said.
        pending: changes of level that the other side has not carried out yet.
        recalled: it was asked for, and not taken back.
        ended: the other side no longer needs it.
        suspected: open incidents about it.
        states: how many copies there are in each state, with those of what was made from it.
        made: how many items were made from it there.
        due: how many duties are open about it, on either side.
        copies: every copy; only when one item was asked for.
        duties: every duty about it, done or open; likewise.
    """

    item: str
    title: str
    relationship: str
    label: Label
    mark: str
    marked: str
    pending: int
    recalled: bool
    ended: bool
    suspected: tuple[str, ...]
    states: dict[str, int]
    made: int
    due: int
    copies: tuple[GivenCopy, ...] = ()
    duties: tuple[DutyShown, ...] = ()


async def show_given(house: House, request: ShowGiven) -> list[GivenItem]:
    """What this house gave, by relationship and item.

    Raises:
        Misuse: there is no such item for whoever asks, it was not given, or there are too many for one list.
    """
    sight = Sight(house, await viewer(house, request.actor))
    found: list[GivenItem] = []
    if request.item is not None:
        if await sight.item(request.item) is None:
            raise no_item(request.item)
        for relationship, _peer in await house.relationships():
            holding = await house.row(HoldingRow, f"{relationship}/{request.item}")
            if holding is not None and _given(house, holding):
                found += [each async for each in _item(house, sight, relationship, request.item, request)]
        if not found:
            raise Misuse(f"item {request.item!r} was not given to anybody", code="not-given")
        return found
    for relationship, _peer in await house.relationships():
        async for key, holding in house.rows(HoldingRow, f"{relationship}/"):
            if _given(house, holding):
                found += [each async for each in _item(house, sight, relationship, key.rpartition("/")[2], request)]
            if len(found) > LINES_MAX:
                raise Misuse(f"more than {LINES_MAX} items were given; name one", code="too-many-lines")
    return found


def _given(house: House, holding: HoldingRow) -> bool:
    """Whether the other side keeps it, and it was given, not made there."""
    return holding.keeper != house.party and not holding.above


async def _item(
    house: House, sight: Sight, relationship: str, item: str, request: ShowGiven
) -> AsyncIterator[GivenItem]:
    row = await sight.item(item)
    if row is None or not await sight.sees_all_copies(row):
        return
    level = await house.row(LevelRow, f"{relationship}/{item}")
    recalled = await house.row(RecallRow, f"{relationship}/{item}")
    suspected = await house.row(SuspicionRow, f"{relationship}/{item}")
    family = [each async for each in _family(house, relationship, item)]
    marked = await _marked(house, relationship, row, level)
    copies = [each async for each in _copies(house, relationship, family, marked)]
    states: dict[str, int] = {}
    for copy in copies:
        states[copy.state] = states.get(copy.state, 0) + 1
    told = await list_duties(house, ListDuties(item=item, actor=request.actor))
    duties = [each for each in (*told.duties, *told.standing) if each.relationship == relationship]
    yield GivenItem(
        item=item,
        title=(await house.side(ITEM_TITLE, item) or b"").decode(),
        relationship=relationship,
        label=row.label,
        mark=level.mark if level is not None else row.label.mark,
        marked=marked,
        pending=len(level.pending) if level is not None else 0,
        recalled=recalled is not None and recalled.recalled,
        ended=await house.row(EndedRow, f"{relationship}/{item}") is not None,
        suspected=suspected.incidents if suspected is not None else (),
        states=states,
        made=len(family) - 1,
        due=sum(each.discharged is None and not each.standing for each in duties),
        copies=tuple(copies) if request.item is not None else (),
        duties=tuple(duties) if request.item is not None else (),
    )


async def _family(house: House, relationship: str, item: str) -> AsyncIterator[tuple[str, str]]:
    """The item and everything made from it in one relationship, nearest first, each with how it was made."""
    met, generation = {item}, {item: "itself"}
    while generation:
        below: dict[str, str] = {}
        for each, relation in generation.items():
            yield each, relation
            async for _key, child in house.rows(ChildRow, f"{relationship}/{each}/"):
                if child.item not in met:
                    met.add(child.item)
                    below[child.item] = child.relation
        generation = below


async def _marked(house: House, relationship: str, item: ItemRow, level: LevelRow | None) -> str:
    """The mark under which the other side says that it keeps an item; empty where it has not said."""
    if level is not None and level.marked is not None:
        return level.marked
    if level is not None and level.change:
        return ""
    for record in reversed(item.consignments):
        consignment = await house.row(ConsignmentRow, record.hex())
        if consignment is not None and consignment.relationship == relationship:
            return consignment.mark or ""
    return ""


async def _copies(
    house: House, relationship: str, family: list[tuple[str, str]], marked: str
) -> AsyncIterator[GivenCopy]:
    told = 0
    peer = (await house.agreement_row(relationship)).peer
    for item, relation in family:
        made = await house.row(DerivativeRow, f"{relationship}/{item}")
        mark = made.label.mark if made is not None else marked
        async for key, copy in house.rows(CopyRow, f"{relationship}/{item}/"):
            told += 1
            if told > LINES_MAX:
                raise Misuse(f"more than {LINES_MAX} copies of one item; export the register", code="too-many-lines")
            yield await _copy(house, key, copy, relation, mark, peer)


async def _copy(house: House, key: str, copy: CopyRow, relation: str, mark: str, peer: str) -> GivenCopy:
    relationship = key.rsplit("/", 2)[0]
    entry = await house.row(DirectoryRow, f"{relationship}/{peer}/{copy.holder}")
    newest = await newest_link(house, key)
    ending = await house.row(EndingRow, key)
    return GivenCopy(
        item=copy.item,
        relation=relation,
        number=copy.number,
        holder=copy.holder,
        function=entry.function if entry is not None else "",
        state=copy.state,
        mark=mark,
        openings=len(copy.openings),
        done=newest.kind if newest is not None else "",
        at=newest.at if newest is not None else None,
        method=ending.method or "" if ending is not None else "",
    )


async def newest_link(house: House, copy: str) -> LinkRow | None:
    """The newest link in the chain of custody of the copy with this key."""
    found = await house.store.scan(LinkRow.table, f"{copy}/", f"{copy}0", limit=1, newest_first=True)
    row = decode_row(LinkRow.table, found[0][1]) if found else None
    return row if isinstance(row, LinkRow) else None
