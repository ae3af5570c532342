"""Comparing: from the sums of two registers down to the lines that differ (``spec/inventory.md`` step 12).

What the other side says comes from outside: it is bounded, must answer what was asked, and must lead somewhere.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from comity.errors import Rejected
from comity.flows.exchanging.tallies import (
    BUCKETS_ASKED_MAX,
    ITEMS_ASKED_MAX,
    PARTS_ASKED_MAX,
    Answer,
    Buckets,
    Copies,
    CopyLines,
    DifferingLines,
    ItemLine,
    ItemLines,
    Items,
    Parts,
    Sum,
    Sums,
    Tallies,
)
from comity.register.tally import CopyLine

T = TypeVar("T")
A = TypeVar("A", Sums, ItemLines, CopyLines)
DIFFERENCES_MAX = 10_000
"""Most differences that one comparison lists; more than that is another database, not a difference."""

Ask = Callable[[Buckets | Parts | Items | Copies], Awaitable[Answer]]
"""Puts a question to the other party."""


class Unlike(msgspec.Struct, frozen=True, kw_only=True):
    """A line that is not the same on both sides, None where there is none: of a copy, or of an item's marks."""

    item: str
    copy: int | None
    here: ItemLine | CopyLine | None
    there: ItemLine | CopyLine | None


class There(Protocol):
    """The other register, as far as it was asked."""

    async def parts(self, here: Tallies, relationship: str) -> list[int]:
        """The parts whose sums differ from those here."""
        ...

    async def items(self, parts: Sequence[int]) -> list[ItemLine]:
        """All items of some parts."""
        ...

    async def copies(self, items: Sequence[str]) -> dict[str, dict[int, CopyLine]]:
        """All copies of some items, by number."""
        ...


async def compare(here: Tallies, there: There, relationship: str) -> tuple[list[Unlike], bool]:
    """What differs, in the order of parts, and whether that is all of it.

    Raises:
        Rejected: the other side answers something else than it was asked.
    """
    found: list[Unlike] = []
    for parts in _some(await there.parts(here, relationship), PARTS_ASKED_MAX):
        found += await _compare_items(here, there, relationship, parts)
        if len(found) >= DIFFERENCES_MAX:
            return found[:DIFFERENCES_MAX], False
    return found, True


async def _compare_items(here: Tallies, there: There, relationship: str, parts: Sequence[int]) -> list[Unlike]:
    theirs = {line.item: line for line in await there.items(parts)}
    ours = {line.item: line for part in parts async for line in here.items(relationship, part)}
    found: list[Unlike] = []
    differ: list[str] = []
    for item in sorted(ours.keys() | theirs.keys()):
        own, other = ours.get(item), theirs.get(item)
        if own is None or other is None or own.digest != other.digest:
            differ.append(item)
        if own is not None and other is not None and (own.mark, own.marked) != (other.mark, other.marked):
            found.append(Unlike(item=item, copy=None, here=own, there=other))
    for some in _some(differ, ITEMS_ASKED_MAX):
        lines = await there.copies([item for item in some if item in theirs])
        for item in some:
            found += await _compare_copies(here, relationship, item, lines.get(item, {}))
    return found


async def _compare_copies(here: Tallies, relationship: str, item: str, theirs: Mapping[int, CopyLine]) -> list[Unlike]:
    ours = {line.number: line async for line in here.copies(relationship, item)}
    return [
        Unlike(item=item, copy=number, here=ours.get(number), there=theirs.get(number))
        for number in sorted(ours.keys() | theirs.keys())
        if ours.get(number) != theirs.get(number)
    ]


class Asked:
    """The other register, asked question by question."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def parts(self, here: Tallies, relationship: str) -> list[int]:
        """(12) The parts whose sums differ: buckets first, then the parts of those that differ."""
        buckets = differing([each async for each in here.buckets(relationship)], await self._sums(Buckets()))
        found: list[int] = []
        for some in _some(buckets, BUCKETS_ASKED_MAX):
            theirs = await self._sums(Parts(tuple(some)))
            if any(each.number // 256 not in some for each in theirs):
                raise _astray("parts of a bucket that was not asked about")
            ours = [each for bucket in some async for each in here.parts(relationship, bucket)]
            found += differing(ours, theirs)
        return found

    async def items(self, parts: Sequence[int]) -> list[ItemLine]:
        """All items of some parts, in as many answers as it takes."""
        found: list[ItemLine] = []
        left = list(parts)
        while left:
            says = _says(await self._ask(Items(tuple(left[:PARTS_ASKED_MAX]))), ItemLines)
            if not says.parts or says.parts > len(left):
                raise _astray("an answer that leads nowhere")
            answered, left = left[: says.parts], left[says.parts :]
            if any(line.part not in answered for line in says.items):
                raise _astray("items of a part that was not asked about")
            found += says.items
        return found

    async def copies(self, items: Sequence[str]) -> dict[str, dict[int, CopyLine]]:
        """All copies of some items, in as many answers as it takes."""
        found: dict[str, dict[int, CopyLine]] = {item: {} for item in items}
        left, start = list(items), 0
        while left:
            says = _says(await self._ask(Copies(tuple(left[:ITEMS_ASKED_MAX]), start)), CopyLines)
            if not says.items or [each.item for each in says.items] != left[: len(says.items)]:
                raise _astray("copies of an item that was not asked about")
            for each in says.items:
                if each.more and (not each.lines or each is not says.items[-1]):
                    raise _astray("an answer that leads nowhere")
                found[each.item].update({line.number: line for line in each.lines})
            last = says.items[-1]
            if last.more and last.lines[-1].number < start:
                raise _astray("copies that were answered before")
            left = left[len(says.items) - last.more :]
            start = last.lines[-1].number + 1 if last.more else 0
        return found

    async def _sums(self, asks: Buckets | Parts) -> tuple[Sum, ...]:
        return _says(await self._ask(asks), Sums).sums


class Carried:
    """The other register, as far as an answer that was carried by hand shows it."""

    def __init__(self, says: DifferingLines) -> None:
        self._says = says

    async def parts(self, _here: Tallies, _relationship: str) -> list[int]:
        """The parts that differed when the answer was written."""
        return sorted(set(self._says.parts))

    async def items(self, parts: Sequence[int]) -> list[ItemLine]:
        """All items of some of these parts."""
        return [line for line in self._says.items if line.part in parts]

    async def copies(self, items: Sequence[str]) -> dict[str, dict[int, CopyLine]]:
        """All copies of some of their items."""
        wanted = set(items)
        return {
            each.item: {line.number: line for line in each.lines} for each in self._says.copies if each.item in wanted
        }


def differing(ours: Iterable[Sum], theirs: Iterable[Sum]) -> list[int]:
    """The numbers of the sums that are not the same on both sides, ascending."""
    here, there = {each.number: each for each in ours}, {each.number: each for each in theirs}
    return sorted(number for number in here.keys() | there.keys() if here.get(number) != there.get(number))


def _says(answer: Answer, kind: type[A]) -> A:
    if not isinstance(answer.says, kind):
        raise _astray("something else than was asked")
    return answer.says


def _astray(what: str) -> Rejected:
    return Rejected(f"the other party answers a reconciliation with {what}", code="other-answer")


def _some(values: Sequence[T], count: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), count):
        yield values[start : start + count]
