"""Verdicts, and what a rule may ask besides rows (``spec/register.md`` step 3)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec

from comity.agreement.model import Agreement, Layer
from comity.agreement.vocabulary import Deed, Event
from comity.errors import Rejected
from comity.record.statement import Record
from comity.register.rows import Facts, Key, Row

RULES_VERSION = 1
"""Version of the register's rules; it stands beside every verdict in the journal."""


class Put(msgspec.Struct, frozen=True):
    """One row to write; None removes it (only rows of an index are ever removed)."""

    key: Key
    row: Row | None


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
        layer: the parsed layer with the given digest of its text; raises likewise.
        zone: a time zone by its name; raises ``Rejected`` for one that agreements cannot name.
    """

    party: str
    root: bytes
    now: datetime
    agreement: Callable[[bytes], Agreement]
    layer: Callable[[bytes], Layer]
    zone: Callable[[str], ZoneInfo]


def _nothing_more(_: Context, __: Facts, ___: Record) -> list[Key]:
    return []


class Rule(msgspec.Struct, frozen=True):
    """How one record type is stepped.

    Attributes:
        reads: the rows it depends on, from the record alone.
        apply: what it changes; raises ``Rejected`` where it has no effect.
        more: rows that it depends on besides, which only the first ones name.
    """

    reads: Callable[[Context, Record], list[Key]]
    apply: Callable[[Context, Facts, Record], list[Put]]
    more: Callable[[Context, Facts, Record], list[Key]] = _nothing_more


def _nothing_beside(_: Context, __: Record, ___: Sequence[Key]) -> list[Key]:
    return []


class Consequence(msgspec.Struct, frozen=True):
    """What follows from a record of any type that takes effect.

    Attributes:
        reads: the rows it depends on, from the record and the rows that its rule reads.
        apply: what it changes, given what the rule changed.
        beside: rows that it depends on besides, from the keys of all rows that its rule reads.
    """

    reads: Callable[[Context, Facts, Record], list[Key]]
    apply: Callable[[Context, Facts, Record, Sequence[Put]], list[Put]]
    beside: Callable[[Context, Record, Sequence[Key]], list[Key]] = _nothing_beside


class Occurrence(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened on which an agreement may lay a duty (``spec/duties.md``).

    Attributes:
        event: the word of the agreement file.
        subject: id of what the duty will be about: an item, an incident, a visit, a notice; fresh for each occurrence.
        originator: party id of the side the information comes from; the other side is its recipient.
        item: the item concerned, or empty.
        visiting: party id of the side that visits; empty where nobody does, and then nobody hosts.
        carrier: party id of the side in whose hands something is on its way, or empty.
        acting: party id of whom "either" means, and of which of "both" it is the turn; for "either" the author of the
            record unless given, for "both" each of them.
        relationship: for records of the house, which stand in none: where it lays a duty, in this house's view alone.
        due: an instant that the record itself names; it holds where the texts give no earlier one.
    """

    event: Event
    subject: str
    originator: str
    item: str = ""
    visiting: str = ""
    carrier: str = ""
    acting: str = ""
    relationship: str = ""
    due: datetime | None = None


class Discharge(msgspec.Struct, frozen=True, kw_only=True):
    """A deed was done that discharges what is open about ``subject``; ``party`` is who did it, else the author.

    ``relationship`` is for records of the house, which stand in none: what it discharges there, in this house's view.
    ``shown_by`` is the record that shows it, with its instant, where that is another one than the one that says so.
    """

    deed: Deed
    subject: str
    party: str = ""
    relationship: str = ""
    shown_by: tuple[datetime, bytes] | None = None


Occasions = Callable[[Context, Facts, Record], list[Occurrence | Discharge]]
"""What a record that takes effect opens and discharges, from the facts its rule reads; rejects where one is missing."""


def no(code: str, sentence: str) -> Rejected:
    """The error by which a rule rejects its record."""
    return Rejected(sentence, code=code)


def need(facts: Facts, key: Key, what: str) -> Any:
    """The row with ``key``; the record is rejected when there is none."""
    row = facts[key]
    if row is None:
        raise no("unknown-" + key[0], f"there is no {what} {key[1]!r} in the register")
    return row


def check_after(after: bytes, last: bytes) -> None:
    """A signed act counts once, right after the record it names: nobody can record it again when it was undone."""
    if after != last:
        raise no("stale-act", "something was recorded about this since it was signed; look again and sign again")
