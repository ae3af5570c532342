"""Pages of the register: the newest lines, filtered and searched, as a viewer may see them (``spec/index.md``).

Which lines, the index says; what stands in them is read from the register, and decided again for whoever does not see
all of it (11).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.visibility import Sight, viewer
from comity.flows.finding.scope import Scope, about_of, scope_of
from comity.flows.house import House
from comity.flows.indexing.entries import LINE, About
from comity.flows.indexing.upkeep import Indexed, progress, up_to_date
from comity.flows.indexing.words import Needle, needles_of
from comity.flows.looking.views import CopyLine, title_of
from comity.marking.label import Label
from comity.ports.index import Entry, Index, Place
from comity.record.statement import DOMESTIC
from comity.register.rows import CopyRow, ItemRow, decode_row

LINES_MAX = 200
"""Most lines of a page."""
TEXT_CHARACTERS_MAX = 200
"""Longest of the words and names that a question has; a mark has at most 128 characters."""
COPIES_TOLD = 20
"""Most copies told in one line."""
LOOKED_AT_MAX = 4_000
"""Most entries looked at for one page (13)."""
NAMES_MAX = 2_000
"""Most names that one word of a question may have in the index; a shorter word is looked for line by line."""
COUNTED_MAX = 1_000
"""Up to how much is counted where it costs something (12)."""
PORTION = 64
"""Entries looked at at once, at first."""

Box = Literal["all", "in", "out", "own"]


class ReadPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the register, as ``actor`` may see it; every filter is left out by an empty one.

    Attributes:
        box: what came from another party, what this house gave or handed on, or what is its own.
        relationship, peer: where it came by or went, and from or to whom.
        mark, topic, form: as registered.
        state, holder: of a copy that the viewer sees, both of the same one.
        since, until: registered at or after, and before.
        text: words, each of them in title, topic or subject; or the id of an item.
        after: a cursor; what follows it, which is older.
        before: a cursor; what comes before it, which is newer.
        limit: most lines; 1 to ``LINES_MAX``.
    """

    box: Box = "all"
    relationship: str = ""
    peer: str = ""
    mark: str = ""
    topic: str = ""
    form: str = ""
    state: str = ""
    holder: str = ""
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    after: str = ""
    before: str = ""
    limit: int = 50
    actor: Actor | None = None


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
    asked = _checked(request)
    person = await viewer(house, request.actor)
    index = await up_to_date(house)
    peers = dict(await house.relationships())
    question = _Question(request, asked, await scope_of(house, index, person), peers, tuple(needles_of(request.text)))
    if not question.answerable:
        return Page(lines=(), older="", newer="", total=0)
    searching = _Search(house, index, question, Sight(house, person))
    found = await searching.found()
    return await searching.page(found)


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


class _Asked(NamedTuple):
    """The places that a question names."""

    after: Place | None
    before: Place | None


def _checked(request: ReadPage) -> _Asked:
    if not 1 <= request.limit <= LINES_MAX:
        raise Misuse(f"a page has 1 to {LINES_MAX} lines, not {request.limit}", code="bad-page", place="limit")
    if request.after and request.before:
        raise Misuse("a page comes after a place or before it, not both", code="bad-page", place="before")
    if request.since and request.until and request.since > request.until:
        raise Misuse("the page would end before it begins", code="bad-page", place="until")
    for name in _TEXTS:
        text = getattr(request, name)
        if len(text) > TEXT_CHARACTERS_MAX or not _NO_TEXT.isdisjoint(text):
            says = f"a page is asked for in at most {TEXT_CHARACTERS_MAX} characters that can be written"
            raise Misuse(says, code="bad-page", place=name)
    for name in ("since", "until"):
        instant = getattr(request, name)
        if instant is not None and instant.tzinfo is None:
            raise Misuse(f"{instant} has no time zone", code="bad-page", place=name)
    return _Asked(_place(request.after, "after"), _place(request.before, "before"))


_NO_TEXT = frozenset(map(chr, (0, *range(0xD800, 0xE000))))
_TEXTS = ("relationship", "peer", "mark", "topic", "form", "state", "holder", "text", "after", "before")


def cursor(place: Place) -> str:
    """A place in the register as a page names it: nothing but what its line shows."""
    return f"{place.at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z.{place.key.removeprefix(f'{LINE}/')}"


def _place(written: str, name: str) -> Place | None:
    if not written:
        return None
    instant, dot, item = written.partition(".")
    try:
        at = datetime.strptime(instant, "%Y%m%dT%H%M%S%fZ").replace(tzinfo=UTC)
    except ValueError:
        dot = ""
    if not dot or not item:
        raise Misuse(f"{written[:100]!r} is no place that a page has named; begin anew", code="bad-page", place=name)
    return Place(at, f"{LINE}/{item}")


class _Question(NamedTuple):
    """What is asked, by whom."""

    request: ReadPage
    asked: _Asked
    scope: Scope
    peers: dict[str, str]
    needles: tuple[Needle, ...]

    @property
    def answerable(self) -> bool:
        """Whether there can be any line."""
        return bool(self.needles) or not self.request.text.strip()

    @property
    def plain(self) -> bool:
        """Whether nothing is filtered."""
        free = ReadPage(after=self.request.after, before=self.request.before, limit=self.request.limit)
        return msgspec.structs.replace(self.request, actor=None) == free

    @property
    def places(self) -> list[str] | None:
        """The relationships that are asked about; None for all."""
        if not self.request.relationship and not self.request.peer:
            return None
        some = [self.request.relationship] if self.request.relationship else list(self.peers)
        return [each for each in some if not self.request.peer or self.peers.get(each) == self.request.peer]

    def fits_class(self, about: About) -> bool:
        """Whether lines of a class can be meant."""
        request = self.request
        return (
            (not request.mark or about.mark == request.mark)
            and (not request.topic or about.topic == request.topic)
            and (not request.form or about.form == request.form)
            and (request.box != "in" or about.relationship != DOMESTIC)
            and (request.box != "own" or about.own)
        )

    def fits(self, about: About) -> bool:
        """Whether a line is meant, by what its viewer sees of it."""
        if not self.fits_class(about) or not all(needle.part in about.text for needle in self.needles):
            return False
        wide, request = self.scope.all_copies(about), self.request
        if request.box == "out" and not (wide and about.out):
            return False
        if self.places is not None and set(self.places).isdisjoint(self.went(about)):
            return False
        if not request.state and not request.holder:
            return True
        return any(
            (not request.state or state == request.state)
            and (not request.holder or name == request.holder)
            and (wide or name in self.scope.mine)
            for name, state in about.copies
        )

    def went(self, about: About) -> set[str]:
        """Where a line came by and went, as far as its viewer may know."""
        if self.scope.all_copies(about):
            return set(about.places)
        mine = {self.scope.mine[name] for name, _ in about.copies if name in self.scope.mine}
        return mine | ({about.relationship} - {DOMESTIC})


class _Search:
    """One question, asked of the index and shown from the register."""

    def __init__(self, house: House, index: Index, question: _Question, sight: Sight) -> None:
        self._house = house
        self._index = index
        self._question = question
        self._sight = sight
        self._forwards = question.asked.before is None
        self._ended: Place | None = None
        self._more = False

    async def found(self) -> list[tuple[Entry, About, ItemRow]]:
        """The lines that are meant, in the order of the walk, one more than the page has where there is one."""
        limit, found = self._question.request.limit, list[tuple[Entry, About, ItemRow]]()
        async for each in self._meant():
            row = await self._sight.item(each[0].key.removeprefix(f"{LINE}/"))  # (11)
            if row is None:
                continue
            if len(found) == limit:
                self._more = True
                break
            found.append((*each, row))
        return found

    async def page(self, found: list[tuple[Entry, About, ItemRow]]) -> Page:
        """What was found, as a page."""
        asked = self._question.asked
        given, goes_on = asked.after or asked.before, ""
        if self._more:
            goes_on = cursor(found[-1][0].place)
        elif self._ended is not None:
            goes_on = cursor(self._ended)
        first = cursor(found[0][0].place) if found else cursor(given) if given is not None else ""
        back = first if given is not None else ""
        lines = [await self._line(*each) for each in (found if self._forwards else found[::-1])]
        return Page(
            lines=tuple(lines),
            older=goes_on if self._forwards else back,
            newer=back if self._forwards else goes_on,
            total=await self._total(len(found)),
            searched_to=self._ended.at if self._ended is not None and not self._more else None,
        )

    async def _total(self, found: int) -> int | None:
        scope, asked = self._question.scope, self._question.asked
        if self._question.plain:
            names = [LINE] if scope.everything else scope.all_names()
            most = 2**62 if scope.everything else COUNTED_MAX
            count = await self._index.count(names, limit=most)
            return count if count < most else None
        whole = asked.after is None and asked.before is None and not self._more and self._ended is None
        return found if whole else None

    async def _meant(self) -> AsyncIterator[tuple[Entry, About]]:
        """The lines that are meant, as far as the index knows."""
        request, asked = self._question.request, self._question.asked
        named = await self._named()
        if named is not None:
            yield named
            return
        names = await self._names()
        place = asked.after if self._forwards else asked.before
        place = self._bounded(place)
        looked, portion = 0, max(PORTION, request.limit + 1)
        while names:
            entries = await self._index.walk(names, limit=portion, beyond=place, oldest_first=not self._forwards)
            for entry in entries:
                if self._forwards and request.since is not None and entry.at < request.since:
                    return
                if not self._forwards and request.until is not None and entry.at >= request.until:
                    return
                about = about_of(entry)
                if self._question.fits(about):
                    yield entry, about
            looked += len(entries)
            if len(entries) < portion:
                return
            place = entries[-1].place
            if looked >= LOOKED_AT_MAX:  # (13)
                self._ended = place
                return
            portion = min(4 * portion, LOOKED_AT_MAX - looked, 512)

    def _bounded(self, place: Place | None) -> Place | None:
        """Where the walk begins: at the place that was named, or at the bound of time where that lies further on."""
        request = self._question.request
        if self._forwards and request.until is not None and (place is None or place.at >= request.until):
            return _before(request.until)
        if not self._forwards and request.since is not None and (place is None or place.at < request.since):
            return _before(request.since)
        return place

    async def _named(self) -> tuple[Entry, About] | None:
        """The one line that a question names by its item's id."""
        text = self._question.request.text.strip()
        entry = (await self._index.get([f"{LINE}/{text}"]))[0] if text else None
        if entry is None or await self._sight.item(text) is None:
            return None
        about, free = about_of(entry), self._question._replace(needles=())
        return (entry, about) if free.fits(about) and self._question.asked == (None, None) else None

    async def _names(self) -> list[str]:
        """Under which names to look: of those that together have all that is meant, the fewest entries."""
        question, scope, request = self._question, self._question.scope, self._question.request
        classes = [of for of, about in scope.classes.items() if question.fits_class(about)]
        named = scope.names()
        ways: list[list[str]] = []
        filtered = len(classes) < len(scope.classes)
        everything = [LINE] if scope.everything and not filtered else [*(f"class/{of}" for of in classes), *named]
        if scope.everything:
            if request.holder:
                ways.append([f"h/{request.holder}/{request.state}" if request.state else f"h/{request.holder}"])
            elif request.state:
                ways.append([f"s/{request.state}"])
            if question.places is not None:
                ways.append([f"w/{each}" for each in question.places])
            if request.box == "out":
                ways.append(["out"])
        elif request.state or request.holder:
            wide = [of for of in classes if scope.all_copies(scope.classes[of])]
            mine = [name for name in scope.mine if request.holder in ("", name)]
            held = [f"h/{name}/{request.state}" if request.state else f"h/{name}" for name in mine]
            ways.append([*(f"class/{of}" for of in wide), *held, *(each for each in named if each[:2] != "h/")])
        for needle in question.needles:
            ranges = [(f"x/{of}/{needle.names[0]}", f"x/{of}/{needle.names[1]}") for of in classes]
            words = await self._index.names(ranges, NAMES_MAX)
            if len(words) < NAMES_MAX:
                ways.append([*(word for word, _ in words), *named])
        if not ways:
            return everything
        counted = [(await self._size(way), way) for way in (everything, *ways)]
        return min(counted, key=lambda each: each[0])[1]

    async def _size(self, names: Sequence[str]) -> int:
        """How many entries stand under names, each counted by itself."""
        found = await self._index.names([(name, f"{name}\0") for name in names], len(names) + 1)
        return sum(entries for _, entries in found)

    async def _line(self, _: Entry, about: About, row: ItemRow) -> PageLine:
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


def _before(instant: datetime) -> Place:
    """The place between everything before an instant and everything from it on."""
    return Place(instant.astimezone(UTC), "")
