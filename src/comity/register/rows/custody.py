"""Custody of numbered copies: the rows about it, and their keys (Articles 9, 12, 14; ``spec/custody.md``)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from comity.register.rows.base import Key, Row

RECIPIENT_NUMBERS_FROM = 1_001
"""The first number of a copy that its recipient makes; whoever gives numbers its copies below it (Article 14)."""


class LinkRow(Row, frozen=True, kw_only=True):
    """One link of a copy's chain of custody: who signed for what became of it, and when.

    Key: ``relationship/item/number/instant/record``, so that a scan gives the chain of one copy in order. What the
    consignment and its receipt say stands in their own row, and not here again for each copy.
    """

    table: ClassVar[str] = "link"
    record: bytes
    kind: str
    at: datetime
    author: str
    by: str = ""
    to: str = ""


class ReproducedRow(Row, frozen=True, kw_only=True):
    """How many copies a party has made of an item it was given. Key: ``relationship/item/party``."""

    table: ClassVar[str] = "reproduced"
    copies: int


def link_key(relationship: str, item: str, number: int, at: datetime, record: bytes) -> Key:
    """Key of one link in a copy's chain of custody."""
    instant = f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond:06d}Z"
    return LinkRow.table, f"{relationship}/{item}/{number:06d}/{instant}/{record.hex()}"


def reproduced_key(relationship: str, item: str, party: str) -> Key:
    """Key of the row that counts what a party has copied."""
    return ReproducedRow.table, f"{relationship}/{item}/{party}"
