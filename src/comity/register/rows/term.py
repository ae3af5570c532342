"""The rows about notes on the end of an agreement, and their key (``spec/term.md`` steps 11 to 13)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from comity.agreement.lifecycle import Step
from comity.register.rows.base import Key, Row


class EndNote(msgspec.Struct, frozen=True, kw_only=True):
    """A note that was told: through which channel it went, and the digest of its text."""

    notice: str
    step: Step
    note: str
    day: str
    record: bytes
    at: datetime
    channel: str = ""
    document: bytes | None = None


class EndNotesRow(Row, frozen=True, kw_only=True):
    """All notes of one party, in the order in which they were told. Key: ``relationship/party``."""

    table: ClassVar[str] = "end-notes"
    party: str
    notes: tuple[EndNote, ...]

    @property
    def last(self) -> bytes:
        """The newest record."""
        return self.notes[-1].record

    def steps(self, notice: str) -> tuple[Step, ...]:
        """What was done with one notice, in order."""
        return tuple(each.step for each in self.notes if each.notice == notice)


def end_notes_key(relationship: str, party: str) -> Key:
    """Key of a party's notes."""
    return EndNotesRow.table, f"{relationship}/{party}"
