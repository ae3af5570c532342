"""What is made from received information: the rows about it (Articles 4.3, 15)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from comity.marking.label import Label
from comity.register.rows.base import Key, Row


class DerivativeRow(Row, frozen=True, kw_only=True):
    """Something made from received information, as one relationship knows it. Key: ``relationship/item``.

    ``record`` is the derivation, which its copies name as their ``consignment``; ``maker`` is the party that made it;
    ``ancestors`` are those of this relationship; ``label`` is on the maker's own ladder; ``copies`` says how many were
    made at first, numbered from 1.
    """

    table: ClassVar[str] = "derivative"
    item: str
    record: bytes
    maker: str
    relation: Literal["translation", "extract", "contains"]
    ancestors: tuple[str, ...]
    label: Label
    form: str
    topic: str
    subject: str
    purpose: str
    language: str = ""
    note: str = ""
    agreement: bytes
    payload: bytes
    size: int
    content: bytes
    copies: int
    by: str
    at: datetime


class ChildRow(Row, frozen=True, kw_only=True):
    """Index of what was made from an item. Key: ``relationship/ancestor/item``, so that a scan lists its children."""

    table: ClassVar[str] = "child"
    item: str
    relation: Literal["translation", "extract", "contains"]


def derivative_key(relationship: str, item: str) -> Key:
    """Key of a row about something made from received information."""
    return DerivativeRow.table, f"{relationship}/{item}"


def child_key(relationship: str, ancestor: str, item: str) -> Key:
    """Key of a row in the index of children."""
    return ChildRow.table, f"{relationship}/{ancestor}/{item}"
