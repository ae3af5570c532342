"""The tally: what all copies of a relationship add up to, kept as records take effect (``spec/inventory.md``).

A consequence of crossing records of any type. Each item has lines, one for its mark and one for each of its copies; the
digests of the lines add up, for the item, for its part and for its bucket. So one record changes three rows for each
item that it touches, however many copies there are, and two registers are compared from the top down.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import cast

import msgspec

from comity.errors import InternalError
from comity.record import bodies
from comity.record.contexts import TALLY
from comity.record.encoding import Count, Digest, Identifier, encode
from comity.record.statement import DOMESTIC, Record
from comity.register.rows import CopyRow, CopyState, Facts, ItemRow, Key
from comity.register.rows.ending import LevelRow
from comity.register.rows.inventory import (
    TallyItemRow,
    TallyPartRow,
    TallyRow,
    tally_item_key,
    tally_key,
    tally_part_key,
)
from comity.register.rows.lineage import DerivativeRow
from comity.register.verdict import Consequence, Context, Put

MODULUS = 1 << 256
"""Digests are added as numbers below this."""
NOTHING = bytes(32)
"""What no line adds up to."""
PARTS = 256
"""Parts of a bucket, and buckets."""
_MARKED = (DerivativeRow.table, LevelRow.table)
"""Tables whose rows say how an item is marked in a relationship."""


class CopyLine(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What a register says of one copy, as it is compared: its number, whose it is, its state, the newest records."""

    number: Count
    holder: Identifier
    state: CopyState
    last: Digest
    opening: Digest


def part_of(relationship: str, item: str) -> int:
    """The part of a relationship's tally in which an item counts, 0 to 65,535."""
    return int.from_bytes(sha256(f"{relationship}/{item}".encode()).digest()[:2], "big")


def copy_line(row: CopyRow) -> CopyLine:
    """The line of a copy."""
    opening = row.openings[-1] if row.openings else NOTHING
    return CopyLine(row.number, row.holder, row.state, row.last, opening)


def copy_digest(item: str, line: CopyLine) -> bytes:
    """Digest of the line of a copy."""
    return sha256(TALLY + encode((item, line))).digest()


def mark_digest(item: str, mark: str, marked: str) -> bytes:
    """Digest of the line that says how an item is marked: its originator's mark, and the recipient's as it said."""
    return sha256(TALLY + encode((item, mark, marked))).digest()


def added(total: bytes, *plus: bytes, minus: Iterable[bytes] = ()) -> bytes:
    """The sum of digests modulo ``MODULUS``."""
    number = int.from_bytes(total, "big")
    for each in plus:
        number += int.from_bytes(each, "big")
    for each in minus:
        number -= int.from_bytes(each, "big")
    return (number % MODULUS).to_bytes(32, "big")


def item_sum(item: str, row: TallyItemRow, lines: Iterable[CopyLine]) -> bytes:
    """What the lines of an item add up to: that of its marks, and those of its copies."""
    return added(mark_digest(item, row.mark, row.marked), *(copy_digest(item, line) for line in lines))


# ---- the consequence -----------------------------------------------------------------------------------------------


def _items(relationship: str, keys: Iterable[Key]) -> Iterator[str]:
    """The items that these rows are about, as far as they count in the tally of a relationship."""
    prefix = f"{relationship}/"
    for table, key in keys:
        if table == CopyRow.table and key.startswith(prefix):
            yield key.removeprefix(prefix).partition("/")[0]
        elif table in _MARKED and key.startswith(prefix):
            yield key.removeprefix(prefix)
        elif table == ItemRow.table:
            yield key


def _keys(relationship: str, item: str) -> tuple[Key, Key, Key]:
    part = part_of(relationship, item)
    return (
        tally_key(relationship, part // PARTS),
        tally_part_key(relationship, part),
        tally_item_key(relationship, part, item),
    )


def _reads(_: Context, __: Facts, ___: Record) -> list[Key]:
    return []


def _beside(_: Context, record: Record, named: Sequence[Key]) -> list[Key]:
    relationship = record.statement.relationship
    if relationship == DOMESTIC:
        return []
    items = dict.fromkeys(_items(relationship, named))
    return [key for item in items for key in _keys(relationship, item)]


def _apply(_: Context, facts: Facts, record: Record, puts: Sequence[Put]) -> list[Put]:
    relationship = record.statement.relationship
    if relationship == DOMESTIC:
        return []
    undelivered = isinstance(record.body, bodies.Returned)  # copies that the other side never had
    books: dict[str, _Book] = {}
    for put in {put.key: put for put in puts}.values():
        for item in _items(relationship, [put.key]):
            if item not in books:
                books[item] = _Book(relationship, item, facts, undelivered=undelivered)
            books[item].take(put)
    changed: dict[Key, TallyRow | TallyPartRow | TallyItemRow | None] = {}
    for book in books.values():
        book.close(record, changed)
    return [Put(key, row) for key, row in changed.items()]


class _Book:
    """What one record changes in the lines of one item."""

    def __init__(self, relationship: str, item: str, facts: Facts, *, undelivered: bool) -> None:
        self.item = item
        self.facts = facts
        self.undelivered = undelivered
        self.keys = _keys(relationship, item)
        self.before = cast("TallyItemRow | None", facts.get(self.keys[2]))
        self.mark = None if self.before is None else self.before.mark
        self.marked = "" if self.before is None else self.before.marked
        self.plus: list[bytes] = []
        self.minus: list[bytes] = []
        self.made = 0

    def take(self, put: Put) -> None:
        """Take a row that the record writes."""
        if isinstance(put.row, LevelRow):
            self.mark, self.marked = put.row.mark, put.row.marked or ""
        elif isinstance(put.row, DerivativeRow) or (isinstance(put.row, ItemRow) and self.mark is None):
            self.mark = put.row.label.mark  # of an item the first alone: its row changes at home before it is told here
        if put.key[0] != CopyRow.table:
            return
        if put.key not in self.facts:
            raise InternalError(f"a rule writes {put.key[1]!r} without reading it")
        before, now = self.facts[put.key], put.row
        if isinstance(before, CopyRow):
            self.minus.append(copy_digest(self.item, copy_line(before)))
            self.made -= 1
        if isinstance(now, CopyRow) and not self.undelivered:
            self.plus.append(copy_digest(self.item, copy_line(now)))
            self.made += 1

    def close(self, record: Record, changed: dict[Key, TallyRow | TallyPartRow | TallyItemRow | None]) -> None:
        """Write what changed, on top of what other items of the same record have ``changed``."""
        before, marks = self.before, (self.mark or "", self.marked)
        if before is None and not self.made:
            return  # it has not passed in this relationship
        same = before is not None and (before.mark, before.marked) == marks
        if same and self.plus == self.minus:
            return
        if not same:
            self.plus.append(mark_digest(self.item, *marks))
            if before is not None:
                self.minus.append(mark_digest(self.item, before.mark, before.marked))
        row = before or TallyItemRow(mark="", last=record.id, copies=0, digest=NOTHING)
        copies = row.copies + self.made
        items = int(before is None)
        changed[self.keys[2]] = TallyItemRow(
            mark=marks[0],
            marked=marks[1],
            last=row.last if same else record.id,
            copies=copies,
            digest=added(row.digest, *self.plus, minus=self.minus),
        )
        if not copies:  # nothing of it has ever reached the other side
            self.minus.append(mark_digest(self.item, *marks))
            changed[self.keys[2]] = None
            items -= 1
        kinds: tuple[type[TallyRow] | type[TallyPartRow], ...] = (TallyRow, TallyPartRow)
        for key, kind in zip(self.keys, kinds, strict=False):
            found = cast("TallyRow | TallyPartRow | None", changed.get(key) or self.facts.get(key))
            sums = found or kind(items=0, copies=0, digest=NOTHING)
            changed[key] = kind(
                items=sums.items + items,
                copies=sums.copies + self.made,
                digest=added(sums.digest, *self.plus, minus=self.minus),
            )


TALLIES = Consequence(_reads, _apply, _beside)
"""What follows for the tally from a record of any type."""
