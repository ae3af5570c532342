"""Which lines of the register are meant by a question: as few entries of the index as will do, in order.

``spec/index.md`` steps 9, 11 and 13.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from comity.flows.deciding.visibility import Sight
from comity.flows.finding.questions import Question
from comity.flows.finding.scope import about_of
from comity.flows.indexing.entries import LINE, About
from comity.ports.index import Entry, Index, Place
from comity.register.rows import ItemRow

LOOKED_AT_MAX = 4_000
"""Most entries looked at for one page (13)."""
NAMES_MAX = 2_000
"""Most names that one word of a question may have in the index; a shorter word is looked for line by line."""
PORTION = 64
"""Entries looked at at once, at first."""

Found = tuple[Entry, About, ItemRow]
"""A line that is meant: what the index has of it, and what the register has."""


class Search:
    """One question, asked of the index, each line looked up in the register.

    Attributes:
        forwards: whether the page follows a place, or none; else it comes before one, and is found the other way round.
        more: whether there is a line beyond those that were found.
        ended: where the search ended for its cost; None where it did not.
    """

    def __init__(self, index: Index, question: Question, sight: Sight) -> None:
        self._index = index
        self._question = question
        self._sight = sight
        self.forwards = question.asked.before is None
        self.ended: Place | None = None
        self.more = False

    async def found(self) -> list[Found]:
        """The lines that are meant, in the order of the walk, one more than the page has where there is one."""
        limit, found = self._question.request.limit, list[Found]()
        async for each in self._meant():
            row = await self._sight.item(_item(each[0]))  # (11)
            if row is None:
                continue
            if len(found) == limit:
                self.more = True
                break
            found.append((*each, row))
        return found

    async def _meant(self) -> AsyncIterator[tuple[Entry, About]]:
        """The lines that are meant, as far as the index knows."""
        request, asked = self._question.request, self._question.asked
        named = await self._named()
        if named is not None:
            yield named
            return
        names = await self._names()
        place = asked.after if self.forwards else asked.before
        place = self._bounded(place)
        looked, portion = 0, max(PORTION, request.limit + 1)
        while names:
            entries = await self._index.walk(names, limit=portion, beyond=place, oldest_first=not self.forwards)
            for entry in entries:
                if self.forwards and request.since is not None and entry.at < request.since:
                    return
                if not self.forwards and request.until is not None and entry.at >= request.until:
                    return
                about = about_of(entry)
                if self._question.fits(about):
                    yield entry, about
            looked += len(entries)
            if len(entries) < portion:
                return
            place = entries[-1].place
            left = LOOKED_AT_MAX - looked
            if left <= 0 and await self._sight.item(_item(entries[-1])) is not None:  # (12) (13)
                self.ended = place
                return
            portion = min(4 * portion, left if left > 0 else PORTION, 512)

    def _bounded(self, place: Place | None) -> Place | None:
        """Where the walk begins: at the place that was named, or at the bound of time where that lies further on."""
        request = self._question.request
        if self.forwards and request.until is not None and (place is None or place.at >= request.until):
            return _before(request.until)
        if not self.forwards and request.since is not None and (place is None or place.at < request.since):
            return _before(request.since)
        return place

    async def _named(self) -> tuple[Entry, About] | None:
        """The one line that a question names by its item's id."""
        text = self._question.request.text.strip()
        if not text or await self._sight.item(text) is None:
            return None
        entry = (await self._index.get([f"{LINE}/{text}"]))[0]
        if entry is None:
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


def _item(entry: Entry) -> str:
    """The item of a line."""
    return entry.key.removeprefix(f"{LINE}/")


def _before(instant: datetime) -> Place:
    """The place between everything before an instant and everything from it on."""
    return Place(instant.astimezone(UTC), "")
