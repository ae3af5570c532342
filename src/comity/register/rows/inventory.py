"""Muster of copies and reconciliation of registers: the rows about it (Article 6(f); ``spec/inventory.md``)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from comity.register.rows.base import Key, Row


class MusterRow(Row, frozen=True, kw_only=True):
    """A muster. Key: muster. ``record`` and ``at`` are those of its last record; ``signed`` once it is over."""

    table: ClassVar[str] = "muster"
    muster: str
    record: bytes
    at: datetime
    by: str
    sheets: int
    expected: int
    counted: int
    findings: int
    signed: bool = False
    begun: datetime | None = None
    facility: str | None = None
    holder: str | None = None
    covers: tuple[str, ...] = ()


class CountedRow(Row, frozen=True, kw_only=True):
    """The newest muster that looked for a copy, and what it found. Key: that of the copy."""

    table: ClassVar[str] = "counted"
    muster: str
    found: str
    at: datetime


class FindingRow(Row, frozen=True, kw_only=True):
    """Something that does not add up. Key: ``source/number``, the source a muster or a reconciliation.

    ``here`` and ``there`` are what both sides' registers say; of a muster, what the register says and what was found.
    ``last`` is the newest record about it; ``explained`` the record that explains it.
    """

    table: ClassVar[str] = "finding"
    source: str
    number: int
    relationship: str | None
    item: str
    copy: int | None
    here: str
    there: str
    at: datetime
    last: bytes
    explained: bytes | None = None
    reason: str = ""
    followed: bytes | None = None


class OpenFindingRow(Row, frozen=True, kw_only=True):
    """Index of findings that nobody has explained. Key: ``source/number``."""

    table: ClassVar[str] = "open-finding"


class InventoryRow(Row, frozen=True, kw_only=True):
    """The newest inventory that a party told of. Key: ``relationship/party``."""

    table: ClassVar[str] = "inventory"
    muster: str
    record: bytes
    begun: datetime
    at: datetime
    by: str


class TallyRow(Row, frozen=True, kw_only=True):
    """What the lines of all items in one bucket add up to. Key: see ``tally_key``."""

    table: ClassVar[str] = "tally"
    items: int
    copies: int
    digest: bytes


class TallyPartRow(Row, frozen=True, kw_only=True):
    """The same for one of the 256 parts of a bucket. Key: see ``tally_part_key``."""

    table: ClassVar[str] = "tally-part"
    items: int
    copies: int
    digest: bytes


class TallyItemRow(Row, frozen=True, kw_only=True):
    """An item that passed in a relationship, its marks there, and what its lines add up to.

    Key: ``relationship/part/item``, so that a scan lists the items of a part. ``mark`` is the originator's, ``marked``
    the recipient's as it last said, ``last`` the record by which they are so.
    """

    table: ClassVar[str] = "tally-item"
    mark: str
    last: bytes
    copies: int
    digest: bytes
    marked: str = ""


def finding_key(source: str, number: int) -> Key:
    """Key of a finding."""
    return FindingRow.table, f"{source}/{number:06d}"


def open_finding_key(source: str, number: int) -> Key:
    """Key of a finding in the index of those that are open."""
    return OpenFindingRow.table, f"{source}/{number:06d}"


def counted_key(copy: Key) -> Key:
    """Key of what a muster found about the copy with the key ``copy``."""
    return CountedRow.table, copy[1]


def inventory_key(relationship: str, party: str) -> Key:
    """Key of the newest inventory of a party."""
    return InventoryRow.table, f"{relationship}/{party}"


def tally_key(relationship: str, bucket: int) -> Key:
    """Key of a bucket, 0 to 255."""
    return TallyRow.table, f"{relationship}/{bucket:02x}"


def tally_part_key(relationship: str, part: int) -> Key:
    """Key of a part, 0 to 65,535; the first two of its four digits are its bucket."""
    return TallyPartRow.table, f"{relationship}/{part:04x}"


def tally_item_key(relationship: str, part: int, item: str) -> Key:
    """Key of an item in its part."""
    return TallyItemRow.table, f"{relationship}/{part:04x}/{item}"
