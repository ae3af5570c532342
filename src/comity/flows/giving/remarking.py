"""Re-marking: the recipient's own marks on what it was given and on what it made from it, and the proof of them.

What the node renders is marked as soon as the register says so: the banner is made anew each time somebody opens it. So
a notice of another level is carried out in the change that takes it up, for everything electronic. What has to be
stamped, and what could be marked in several ways, waits for a person (``spec/ending.md`` steps 13 to 16).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from graphlib import TopologicalSorter
from typing import NamedTuple, cast

import msgspec

from comity.agreement.equivalence import ladder
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.deciding.marking import own_marking
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies.ending import ChildMark, LevelChanged, Remarked
from comity.record.encoding import LIST_ENTRIES_MAX, encode
from comity.record.person_act import unsigned
from comity.record.statement import Record
from comity.register.holdings import LEFT
from comity.register.occasions import BY_HAND
from comity.register.remarking import rank_of
from comity.register.rows import AgreementRow, CopyRow, ItemRow
from comity.register.rows.ending import HoldingRow, LevelRow, holding_key, level_key
from comity.register.rows.lineage import ChildRow, DerivativeRow, derivative_key

PART_BYTES_MAX = 24 * 1024
"""Most bytes of children, or of copies, in one part of a proof, so that the record stays within its bound."""


class Child(NamedTuple):
    """Something made from an item: how it is marked from now on, and whether somebody has to stamp it."""

    item: str
    mark: str
    by_hand: bool


class Proof:
    """What a recipient says of the mark of one item, its copies and all that was made from it, in one relationship.

    Args:
        house: this house.
        work: the change under way.
        row: the agreement of the relationship.
        item: what is marked: something received in it, or made here from that.
        mark: this party's own mark for it.
        actor: who stamped or chose it; None for what the node marks by itself.
    """

    def __init__(
        self, house: House, work: Work, row: AgreementRow, item: str, mark: str, actor: Actor | None = None
    ) -> None:
        self.house = house
        self.work = work
        self.row = row
        self.relationship = row.relationship
        self.item = item
        self.mark = mark
        self.actor = actor

    async def say(self) -> None:
        """Say it, in as many parts as it takes; then what it means in the other relationships of what was made.

        Without a person what has to be stamped is left out, and more is announced.

        Raises:
            Misuse: the register does not accept it; the actor may not mark, or the mark is too low.
            NeedsSignature: the actor signs with his own key, and has not yet.
        """
        family = Family(self.house, self.work, self.row, self.item, self.mark)
        children = await family.children()
        told = [each for each in children if self.actor is not None or not each.by_hand]
        level = await self.work.row(LevelRow, level_key(self.relationship, self.item)[1])
        prefix = f"{self.relationship}/{self.item}/"
        copies = [copy.number async for _, copy in self.house.rows(CopyRow, prefix) if copy.state in LEFT]
        parts = list(_parts(copies, [ChildMark(each.item, each.mark) for each in told]))
        for place, (numbers, marks) in enumerate(parts, start=1):
            body = Remarked(
                item=self.item,
                change=_answered_change(level),
                mark=self.mark,
                copies=numbers,
                children=marks,
                more=place < len(parts) or len(told) < len(children),
                after=level.marking if level is not None else bytes(32),
            )
            await self._record(self.relationship, body)
        for relationship, child, mark in family.elsewhere({each.item for each in told}):
            there = await self.work.row(LevelRow, level_key(relationship, child)[1])
            after = there.marking if there is not None else bytes(32)
            await self._record(relationship, Remarked(item=child, mark=mark, after=after))

    async def _record(self, relationship: str, body: Remarked) -> None:
        function = ""
        if self.actor is not None:
            person = await self.house.person(self.actor.handle)
            pseudonym = self.house.pseudonym(relationship, person.person)
            named = msgspec.structs.replace(body, by=pseudonym, signature=unsigned())
            body = await self.house.sign(named, relationship, self.actor, pseudonym)
            function = person.function
        await self.work.say(Draft(relationship, body, function))


def _answered_change(level: LevelRow | None) -> str | None:
    """The change that a proof is about: the newest that asks for one, else the one it was about before."""
    if level is None:
        return None
    return level.pending[-1] if level.pending else level.marked_for or None


def _parts(
    copies: Sequence[int], children: Sequence[ChildMark]
) -> Iterator[tuple[tuple[int, ...], tuple[ChildMark, ...]]]:
    """Copies and children in portions that fit a record; at least one, where there is neither."""
    numbers, marks, size = list(copies), list(children), 0
    first = True
    while first or numbers or marks:
        first = False
        some, numbers = tuple(numbers[:LIST_ENTRIES_MAX]), numbers[LIST_ENTRIES_MAX:]
        here: list[ChildMark] = []
        size = 0
        while marks and len(here) < LIST_ENTRIES_MAX and size < PART_BYTES_MAX:
            size += len(encode(marks[0]))
            here.append(marks.pop(0))
        yield some, tuple(here)


class Family:
    """Everything made from an item in one relationship, and the mark that each carries once the item has a new one.

    What was made is marked as high as the highest of all it was made from, in whatever relationship; what its maker had
    marked higher than that stays so, as far as it still is higher. Where several marks are equally high, the one it
    had stays, else it follows the item.
    """

    def __init__(self, house: House, work: Work, row: AgreementRow, item: str, mark: str) -> None:
        self._house = house
        self._work = work
        self._row = row
        self._item = item
        self._marks: dict[str, str] = {item: mark}
        self._before: dict[str, int] = {}
        self._agreement = house.library.agreement(row.digest)
        self._known = {level.mark for level in ladder(self._agreement, house.party)} | {""}
        self._elsewhere: list[tuple[str, str, str]] = []

    async def children(self) -> list[Child]:
        """Them, those first that others were made from."""
        relationship = self._row.relationship
        self._before[self._item] = await self._rank_before()
        children = []
        for item in await self._descendants():
            made = await self._made(item)
            here = made[relationship]
            current = here.label.mark
            self._before[item] = self._rank(current)
            above = [each for place, row in made.items() for each in await self._above(place, row)]
            ranks = {mark: self._rank(mark) for mark, _ in above if mark in self._known}
            top = max(ranks.values())
            equal = [mark for mark, rank in ranks.items() if rank == top]
            mark = next((each for each in (current, self._marks[self._item]) if each in equal), equal[0])
            if self._before[item] > max(top, *(before for _, before in above)):  # its maker wanted it higher
                mark = current
            self._marks[item] = mark
            children.append(Child(item, mark, here.form in BY_HAND))
            self._elsewhere += [
                (place, item, mark) for place, row in made.items() if place != relationship and row.label.mark != mark
            ]
        return children

    def elsewhere(self, items: set[str]) -> list[tuple[str, str, str]]:
        """In which other relationships some of these items have another mark now, and which one."""
        return [each for each in self._elsewhere if each[1] in items]

    async def _descendants(self) -> list[str]:
        """Every item below, in an order in which nothing comes before what it was made from."""
        relationship = self._row.relationship
        ancestors: dict[str, tuple[str, ...]] = {}
        generation = [self._item]
        while generation:
            below: dict[str, None] = {}
            for item in generation:
                async for _, child in self._house.rows(ChildRow, f"{relationship}/{item}/"):
                    below[child.item] = None
            generation = [item for item in below if item not in ancestors]
            rows = await self._work.facts([derivative_key(relationship, item) for item in generation])
            for row in rows.values():
                if isinstance(row, DerivativeRow) and row.maker == self._house.party:
                    ancestors[row.item] = row.ancestors
            generation = [item for item in generation if item in ancestors]
        order = TopologicalSorter({item: sorted(set(above) & set(ancestors)) for item, above in ancestors.items()})
        return list(order.static_order())

    async def _made(self, item: str) -> dict[str, DerivativeRow]:
        """How an item was made here, in each relationship that it belongs to."""
        places = [relationship for relationship, _ in await self._house.relationships()]
        rows = await self._work.facts([derivative_key(each, item) for each in places])
        found = {each: rows[derivative_key(each, item)] for each in places}
        return {each: row for each, row in found.items() if isinstance(row, DerivativeRow)}

    async def _above(self, relationship: str, made: DerivativeRow) -> list[tuple[str, int]]:
        """This party's own mark on each thing that ``made`` was made from there, and its rank before."""
        found = []
        for item in made.ancestors:
            mark = self._marks.get(item)
            if mark is None:
                mark = await self._own_mark(relationship, item)
            if mark is None:  # it waits for somebody to choose; what was made from it stays as it is meanwhile
                mark = made.label.mark
            found.append((mark, self._before[item] if item in self._before else self._rank(mark)))
        return found

    async def _own_mark(self, relationship: str, item: str) -> str | None:
        """How this party has marked something; None where somebody still has to choose."""
        facts = await self._work.facts(
            [derivative_key(relationship, item), level_key(relationship, item), (ItemRow.table, item)]
        )
        made = facts[derivative_key(relationship, item)]
        if isinstance(made, DerivativeRow):
            return made.label.mark
        level, row = facts[level_key(relationship, item)], facts[ItemRow.table, item]
        if isinstance(level, LevelRow) and level.marked is not None:
            return level.marked
        if not isinstance(row, ItemRow):
            return None
        with suppress(Refused):
            agreement = await self._house.agreement_row(relationship)
            return (await own_marking(self._house, agreement, row)).alternative.mark
        return None

    async def _rank_before(self) -> int:
        """The rank that the item had before."""
        relationship = self._row.relationship
        facts = await self._work.facts(
            [
                derivative_key(relationship, self._item),
                level_key(relationship, self._item),
                holding_key(relationship, self._item),
                (ItemRow.table, self._item),
            ]
        )
        made, level = facts[derivative_key(relationship, self._item)], facts[level_key(relationship, self._item)]
        holding, row = facts[holding_key(relationship, self._item)], facts[ItemRow.table, self._item]
        if isinstance(made, DerivativeRow):
            return self._rank(made.label.mark)
        if isinstance(level, LevelRow) and level.marked is not None:
            return self._rank(level.marked)
        given = holding.given if isinstance(holding, HoldingRow) else ""
        return rank_of(self._agreement, row.label.policy, given) if isinstance(row, ItemRow) else self._rank("")

    def _rank(self, mark: str) -> int:
        """The rank of a mark of this party; below all of them where this agreement does not know it."""
        return rank_of(self._agreement, self._house.party, mark) if mark in self._known else -1


async def carry_out(house: House, work: Work, record: Record) -> None:
    """The notice of another level has come: what the node renders is marked at once, and the proof goes back.

    Raises:
        Refused: several marks correspond and somebody has to choose; the duty stays open until he has.
    """
    body, relationship = cast("LevelChanged", record.body), record.statement.relationship
    level = await work.row(LevelRow, level_key(relationship, body.item)[1])
    item = await work.row(ItemRow, body.item)
    if level is None or item is None or body.change not in level.pending or item.form in BY_HAND:
        return
    row = await house.agreement_row(relationship)
    marked = await own_marking(house, row, item)
    await Proof(house, work, row, item.item, marked.alternative.mark).say()
