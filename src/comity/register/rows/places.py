"""Briefings, postings, responsible officers, inspections: the rows about it (Articles 6(e), 7, 10, 11, 16)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from comity.register.rows.base import Key, Row
from comity.register.rows.duties import instant_key
from comity.register.rows.giving import PersonRow


class PersonThenRow(Row, frozen=True, kw_only=True):
    """A person as he stood from an instant on. Key: ``person/instant/sequence``, so that a scan gives his history."""

    table: ClassVar[str] = "person-then"
    since: datetime
    person: PersonRow


class PostingRow(Row, frozen=True, kw_only=True):
    """Somebody who is, or was, authorised at a site. Key: ``facility/person``; his history says when."""

    table: ClassVar[str] = "posting"
    facility: str
    person: str
    since: datetime
    ended: datetime | None = None


class InspectionRow(Row, frozen=True, kw_only=True):
    """One inspection of a site. Key: ``facility/instant/sequence``."""

    table: ClassVar[str] = "inspection"
    record: bytes
    facility: str
    by: str
    findings: str
    at: datetime
    due: datetime | None = None


class HolderRow(Row, frozen=True, kw_only=True):
    """Index of the copies that somebody has in hand. Key: ``relationship/holder/item/number``."""

    table: ClassVar[str] = "holder"
    item: str
    number: int


def person_then_key(person: str, at: datetime, sequence: int) -> Key:
    """Key of a person as he stood from the record of that place in the chain on."""
    return PersonThenRow.table, f"{person}/{instant_key(at)}/{sequence:012d}"


def posting_key(facility: str, person: str) -> Key:
    """Key of a posting."""
    return PostingRow.table, f"{facility}/{person}"


def inspection_key(facility: str, at: datetime, sequence: int) -> Key:
    """Key of an inspection."""
    return InspectionRow.table, f"{facility}/{instant_key(at)}/{sequence:012d}"


def holder_key(relationship: str, holder: str, item: str, number: int) -> Key:
    """Key of a copy in the index of who has what in hand."""
    return HolderRow.table, f"{relationship}/{holder}/{item}/{number:06d}"
