"""Verdicts, and what a rule may ask besides rows (``spec/register.md`` step 3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

import msgspec

from comity.agreement.model import Agreement
from comity.errors import Rejected
from comity.record.statement import Record
from comity.register.rows import Facts, Key, Row

RULES_VERSION = 1
"""Version of the register's rules; it stands beside every verdict in the journal."""


class Put(msgspec.Struct, frozen=True):
    """One row to write."""

    key: Key
    row: Row


class Changes(msgspec.Struct, frozen=True):
    """The record takes effect: these rows are written."""

    word: ClassVar[str] = "changes"
    code: ClassVar[str] = ""
    puts: tuple[Put, ...]


class Held(msgspec.Struct, frozen=True):
    """The record waits: for a predecessor, a later version of this program, or its own time."""

    word: ClassVar[str] = "held"
    code: str
    sentence: str


class Rejection(msgspec.Struct, frozen=True):
    """The record has no effect, now or later; it is returned to its author, signed."""

    word: ClassVar[str] = "rejected"
    code: str
    sentence: str


Verdict = Changes | Held | Rejection
"""``word`` and ``code`` are how the journal names it."""


class Context(msgspec.Struct, frozen=True):
    """What a rule may ask besides rows.

    Attributes:
        party: this house.
        root: raw public root key of this house.
        now: the instant of the step, aware UTC.
        agreement: the parsed agreement with a given digest; raises ``Unavailable`` when this house does not have it.
    """

    party: str
    root: bytes
    now: datetime
    agreement: Callable[[bytes], Agreement]


class Rule(msgspec.Struct, frozen=True):
    """How one record type is stepped: the rows it depends on, and what it changes (raising ``Rejected`` if nothing)."""

    reads: Callable[[Context, Record], list[Key]]
    apply: Callable[[Context, Facts, Record], list[Put]]


def no(code: str, sentence: str) -> Rejected:
    """The error by which a rule rejects its record."""
    return Rejected(sentence, code=code)
