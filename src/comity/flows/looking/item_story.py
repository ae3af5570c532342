"""One item's whole story, in order: what it is, where it came from and went, and everything that was done and decided.

It joins the rows of every area. Each is found by the item's own key or by an index that begins with it, so that the
story costs what it tells, however much else the register holds.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.consents import live_consents
from comity.flows.deciding.visibility import Sight, viewer, visible_item
from comity.flows.deriving.descent import LineageShown, ShowLineage, known_in, show_lineage
from comity.flows.giving.release import ITEM_TITLE
from comity.flows.house import House
from comity.flows.looking.bounds import bounds_of
from comity.flows.looking.duties import DutyShown, ListDuties, list_duties
from comity.flows.looking.item_events import Event, Telling
from comity.flows.looking.routes import CameTold, OnwardTold, came_on, went_on
from comity.marking.label import Label
from comity.register.rows import DirectoryRow
from comity.register.rows.ending import EndedRow, HoldingRow, LevelRow, RecallRow
from comity.register.rows.incidents import SuspicionRow
from comity.register.rows.inventory import CountedRow
from comity.register.rows.routes import ForwardRow

EVENTS_MAX = 2_000
"""Most events of one story; the newest are told."""


class ShowItem(msgspec.Struct, frozen=True, kw_only=True):
    """One item's whole story; as ``actor`` may see it, or the house itself.

    With ``bounds`` also what bounds the time of each record, for whoever sees the whole register: it tells of others'.
    """

    item: str
    actor: Actor | None = None
    bounds: bool = False


class CopyTold(msgspec.Struct, frozen=True, kw_only=True):
    """A copy as it stands."""

    relationship: str
    number: int
    holder: str
    function: str
    state: str
    openings: int
    counted: datetime | None
    trouble: str | None


class PlaceTold(msgspec.Struct, frozen=True, kw_only=True):
    """How an item stands in one relationship.

    Attributes:
        relationship: which.
        mark: the originator's mark there.
        marked: the recipient's own, as it last said.
        pending: changes of level that were not carried out yet.
        recalled: what it was asked for (``return``, ``destroy``, ``either``); empty where it was not, or not any more.
        ended: no longer needed there.
        suspected: open incidents.
        consents: ids of the consents that hold.
    """

    relationship: str
    mark: str
    marked: str
    pending: int
    recalled: str
    ended: bool
    suspected: tuple[str, ...]
    consents: tuple[str, ...]


class ItemStory(msgspec.Struct, frozen=True, kw_only=True):
    """An item, as it stands and as it came to that."""

    item: str
    title: str
    label: Label
    alternative: Label | None
    originator: str
    form: str
    topic: str
    subject: str
    provided: str | None
    rights: str
    registered: datetime
    places: tuple[PlaceTold, ...]
    copies: tuple[CopyTold, ...]
    family: LineageShown
    events: tuple[Event, ...]
    more: int
    duties: tuple[DutyShown, ...]
    came: CameTold | None = None
    onward: tuple[OnwardTold, ...] = ()


async def show_item(house: House, request: ShowItem) -> ItemStory:
    """One item's whole story.

    Raises:
        Misuse: there is no such item for whoever asks.
    """
    sight = Sight(house, await viewer(house, request.actor))
    item = await visible_item(house, None, request.item, sight.person)
    places = await known_in(house, item.item)
    story = _Story(house, sight, item)
    events = [event async for event in story.events(places)]
    events.sort(key=lambda event: event.at)
    told = events[-EVENTS_MAX:]
    if request.bounds and sight.everything:
        told = [await _bounded(house, event) for event in told]
    duties = await list_duties(house, ListDuties(item=item.item, actor=request.actor))
    return ItemStory(
        title=(await house.side(ITEM_TITLE, item.item) or b"").decode(),
        places=tuple([await story.place(relationship) for relationship in places]),
        copies=tuple([copy for relationship in places async for copy in story.copies(relationship)]),
        family=await show_lineage(house, ShowLineage(item=item.item, actor=request.actor)),
        events=tuple(told),
        more=max(0, len(events) - EVENTS_MAX),
        duties=(*duties.duties, *duties.standing),
        came=await came_on(house, item) if await story.wide() else None,
        onward=tuple([each for place in places async for each in went_on(house, place, item.item)])
        if await story.wide()
        else (),
        **{name: getattr(item, name) for name in _ITEM_FIELDS},
    )


async def _bounded(house: House, event: Event) -> Event:
    if not event.record:
        return event
    bounds = await bounds_of(house, bytes.fromhex(event.record))
    return msgspec.structs.replace(event, not_before=bounds.not_before, not_after=bounds.not_after)


class _Story(Telling):
    """What is told of one item to one viewer."""

    async def place(self, relationship: str) -> PlaceTold:
        """How the item stands in one relationship."""
        house, key = self.house, f"{relationship}/{self.item.item}"
        level, recall = await house.row(LevelRow, key), await house.row(RecallRow, key)
        suspicion = await house.row(SuspicionRow, key)
        consents = await live_consents(house.sequencer.rows.get, relationship, self.item, house.now())
        return PlaceTold(
            relationship=relationship,
            mark=level.mark if level is not None else await self._mark(key),
            marked=(level.marked if level is not None else None) or "",
            pending=len(level.pending) if level is not None else 0,
            recalled=recall.asks if recall is not None and recall.recalled else "",
            ended=await house.row(EndedRow, key) is not None,
            suspected=suspicion.incidents if suspicion is not None and await self.wide() else (),
            consents=tuple(each.consent for each in consents) if await self.wide() else (),
        )

    async def _mark(self, key: str) -> str:
        """The mark under which it stands in a relationship of which nobody has changed it: handed on, its holder's."""
        holding = await self.house.row(HoldingRow, key)
        forwarded = await self.house.row(ForwardRow, key) is not None
        return holding.given if forwarded and holding is not None else self.item.label.mark

    async def copies(self, relationship: str) -> AsyncIterator[CopyTold]:
        """The copies that the viewer may see."""
        async for copy in self.sight.copies(relationship, self.item):
            counted = await self.house.row(CountedRow, f"{relationship}/{copy.item}/{copy.number:06d}")
            yield CopyTold(
                relationship=relationship,
                number=copy.number,
                holder=copy.holder,
                function=await self._function(relationship, copy.holder),
                state=copy.state,
                openings=len(copy.openings),
                counted=counted.at if counted is not None and counted.found == "present" else None,
                trouble=copy.trouble,
            )

    async def _function(self, relationship: str, pseudonym: str) -> str:
        agreement = await self.house.agreement_row(relationship)
        for party in (self.house.party, agreement.peer):
            entry = await self.house.row(DirectoryRow, f"{relationship}/{party}/{pseudonym}")
            if entry is not None:
                return entry.function
        return ""


_ITEM_FIELDS = (
    "item",
    "label",
    "alternative",
    "originator",
    "form",
    "topic",
    "subject",
    "provided",
    "rights",
    "registered",
)
