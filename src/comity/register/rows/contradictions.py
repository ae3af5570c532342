"""Rows about contradictions."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from comity.register.rows.base import Key, Row


class ContradictionSettledRow(Row, frozen=True, kw_only=True):
    """What followed on a contradiction was lifted. Key: ``relationship/digest``."""

    table: ClassVar[str] = "contradiction-settled"
    record: bytes
    by: str
    reason: str
    at: datetime


def contradiction_settled_key(relationship: str, digest: bytes) -> Key:
    """Key of the row about one."""
    return ContradictionSettledRow.table, f"{relationship}/{digest.hex()}"
