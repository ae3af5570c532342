"""Pages of the register: the newest lines, filtered and searched, as a viewer may see them (``spec/index.md``).

Which lines, the index says; what stands in them is read from the register, and decided again for whoever does not see
all of it (11).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.finding.questions import Question, ReadPage, checked, cursor
from comity.flows.finding.scope import about_of, scope_of
from comity.flows.finding.searching import Found, Search
from comity.flows.house import House
from comity.flows.indexing.entries import LINE, About
from comity.flows.indexing.upkeep import Indexed, progress, up_to_date
from comity.flows.indexing.words import needles_of
from comity.flows.looking.views import CopyLine, title_of
from comity.marking.label import Label
from comity.ports.index import Index
from comity.record.statement import DOMESTIC
from comity.register.rows import CopyRow, ItemRow, decode_row

COPIES_TOLD = 20
"""Most copies told in one line."""
COUNTED_MAX = 1_000
"""Up to how much is counted where it costs something (12)."""


class PageLine(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the register.

    Attributes:
        peers: parties it came from or went to, as far as the viewer may know.
        way: of ``in``, ``out`` and ``own``, likewise.
        copies: the first that the viewer sees, at most ``COPIES_TOLD``.
        states: how many copies that he sees are in each state.
        holders: how many copies he sees.
    """

    item: str
    title: str
    label: Label
    alternative: Label | None
    originator: str
    form: str
    topic: str
    subject: str
    relationship: str
    peers: tuple[str, ...]
    way: tuple[str, ...]
    provided: str | None
    rights: str
    registered: datetime
    copies: tuple[CopyLine, ...]
    states: dict[str, int]
    holders: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Lines, newest first.

    Attributes:
        older, newer: cursors to what follows and to what comes before; empty where nothing does.
        total: how many there are; None where that was not counted.
        searched_to: until when it was searched, where the search ended for its cost; ``older`` or ``newer`` goes on.
    """

    lines: tuple[PageLine, ...]
    older: str
    newer: str
    total: int | None
    searched_to: datetime | None = None


class ShowFacets(msgspec.Struct, frozen=True, kw_only=True):
    """What can be filtered by, as far as ``actor`` sees items of it."""

    actor: Actor | None = None


class Facets(msgspec.Struct, frozen=True, kw_only=True):
    """Words for the filters of a page, each in ascending order."""

    relationships: tuple[str, ...]
    peers: tuple[str, ...]
    marks: tuple[str, ...]
    topics: tuple[str, ...]
    forms: tuple[str, ...]


class ShowIndex(msgspec.Struct, frozen=True):
    """How far the index of the register is."""


async def read_page(house: House, request: ReadPage) -> Page:
    """One page of the register.

    Raises:
        Misuse: nobody has that handle, or the question is none (``bad-page``).
        Unavailable: the index is being made (``index-behind``).
    """
    asked = checked(request)
    person = await viewer(house, request.actor)
    index = await up_to_date(house)
    peers = dict(await house.relationships())
    question = Question(request, asked, await scope_of(house, index, person), peers, tuple(needles_of(request.text)))
    if not question.answerable:
        return Page(lines=(), older="", newer="", total=0)
    search = Search(index, question, sight := Sight(house, person))
    lines = await search.found()
    return await _Showing(house, index, question, sight).page(search, lines)


async def show_facets(house: House, request: ShowFacets) -> Facets:
    """What can be filtered by.

    Raises:
        Misuse: nobody has that handle.
        Unavailable: the index is being made (``index-behind``).
    """
    person = await viewer(house, request.actor)
    scope = await scope_of(house, index := await up_to_date(house), person)
    peers = dict(await house.relationships())
    abouts = list(scope.classes.values())
    for name in scope.names():
        abouts += [about_of(each) for each in await index.walk([name], limit=COUNTED_MAX)]
    places = {each.relationship for each in abouts} - {DOMESTIC}
    if scope.everything:
        places |= {name.removeprefix("w/") for name, _ in await index.names([("w/", "w0")], COUNTED_MAX)}
    return Facets(
        relationships=tuple(sorted(places)),
        peers=tuple(sorted({peers[each] for each in places if each in peers})),
        marks=tuple(sorted({each.mark for each in abouts if each.mark})),
        topics=tuple(sorted({each.topic for each in abouts})),
        forms=tuple(sorted({each.form for each in abouts})),
    )


async def show_index(house: House, _: ShowIndex) -> Indexed:
    """How far the index is: whether pages can be read, and otherwise how much of it is there."""
    return progress(house)


class _Showing:
    """What stands in the lines of a page, as its viewer sees them."""

    def __init__(self, house: House, index: Index, question: Question, sight: Sight) -> None:
        self._house = house
        self._index = index
        self._question = question
        self._sight = sight

    async def page(self, search: Search, found: list[Found]) -> Page:
        """What was found, as a page."""
        asked = self._question.asked
        given, goes_on = asked.after or asked.before, ""
        if search.more:
            goes_on = cursor(found[-1][0].place)
        elif search.ended is not None:
            goes_on = cursor(search.ended)
        first = cursor(found[0][0].place) if found else cursor(given) if given is not None else ""
        back = first if given is not None else ""
        lines = [await self._line(about, row) for _, about, row in (found if search.forwards else found[::-1])]
        return Page(
            lines=tuple(lines),
            older=goes_on if search.forwards else back,
            newer=back if search.forwards else goes_on,
            total=await self._total(search, len(found)),
            searched_to=search.ended.at if search.ended is not None and not search.more else None,
        )

    async def _total(self, search: Search, found: int) -> int | None:
        scope, asked = self._question.scope, self._question.asked
        if asked.after is None and asked.before is None and not search.more and search.ended is None:
            return found
        if not self._question.plain:
            return None
        names = [LINE] if scope.everything else scope.all_names()
        most = 2**62 if scope.everything else COUNTED_MAX
        count = await self._index.count(names, limit=most)
        return count if count < most else None

    async def _line(self, about: About, row: ItemRow) -> PageLine:
        house, question = self._house, self._question
        wide = question.scope.all_copies(about)
        went = question.went(about)
        copies, states = await self._copies(row, about, wide)
        return PageLine(
            item=row.item,
            title=await title_of(house, row.item),
            label=row.label,
            alternative=row.alternative,
            originator=row.originator,
            form=row.form,
            topic=row.topic,
            subject=row.subject,
            relationship=row.relationship,
            peers=tuple(sorted({question.peers[each] for each in went if each in question.peers})),
            way=tuple(
                way
                for way, holds in (
                    ("in", row.relationship != DOMESTIC),
                    ("out", wide and about.out),
                    ("own", about.own),
                )
                if holds
            ),
            provided=row.provided,
            rights=row.rights,
            registered=row.registered,
            copies=tuple(copies),
            states=states,
            holders=sum(states.values()),
        )

    async def _copies(self, row: ItemRow, about: About, wide: bool) -> tuple[list[CopyLine], dict[str, int]]:
        """The first copies of an item, and how many there are in each state."""
        if not wide:
            mine = [copy for place in self._question.peers async for copy in self._sight.copies(place, row)]
            return [_copy(copy) for copy in mine[:COPIES_TOLD]], _states(mine)
        found: list[CopyLine] = []
        for place in about.places:
            first = f"{place}/{row.item}/"
            rows = await self._house.store.scan(CopyRow.table, first, f"{first[:-1]}0", limit=COPIES_TOLD - len(found))
            found += [_copy(copy) for _, value in rows if isinstance(copy := decode_row(CopyRow.table, value), CopyRow)]
            if len(found) == COPIES_TOLD:
                break
        return found, dict(about.states)


def _states(copies: Iterable[CopyRow]) -> dict[str, int]:
    states: dict[str, int] = {}
    for copy in copies:
        states[copy.state] = states.get(copy.state, 0) + 1
    return states


def _copy(row: CopyRow) -> CopyLine:
    return CopyLine(
        number=row.number, holder=row.holder, state=row.state, openings=len(row.openings), trouble=row.trouble
    )
