"""The rows about duties, and their keys (``spec/duties.md``)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from comity.agreement.vocabulary import Deed, Event
from comity.register.rows.base import Key, Row

STANDING = "continuous"
"""The limit of a duty that is never over: it is shown apart, and shown to be done rather than discharged."""
AT_ONCE = "immediately"
"""The limit of a duty that is due as soon as it is open, whatever the clock says."""


class Duty(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What one obligation lays on one party about one subject (``spec/duties.md`` steps 1 to 5).

    Attributes:
        obligation: id of the obligation in its instrument.
        instrument: id of the agreement or layer that says so.
        clause: of that instrument.
        provenance: how well the clause is known; what rests on K is shown as unchecked.
        event: what happened.
        deed: what discharges it.
        who: party id of the side that owes it.
        to: party id of the side it is owed to, or empty.
        item: the item concerned, or empty.
        opened: the record that opened it.
        at: its instant.
        within: the limit as the text says it: a word, a duration, or nothing.
        limit: the number that a layer put in, or empty.
        limit_from: ``layer:clause`` that put it in.
        due: the last instant at which it is in time; None where no number is written.
        evidence: what the text expects to be shown.
        discharged: the record that discharged it.
        discharged_at: its instant.
        shown: of a standing duty, the newest record that shows it being done.
        shown_at: its instant.
        alone: a text that binds one side only lays it, or a record of the house opened it: the other side does not see
            it.
        void: the other party has returned the record that opened it; ``discharged`` is its verdict then.
    """

    obligation: str
    instrument: str
    clause: str
    provenance: str
    event: Event
    deed: Deed
    who: str
    opened: bytes
    at: datetime
    evidence: str
    to: str = ""
    item: str = ""
    within: str = ""
    limit: str = ""
    limit_from: str = ""
    due: datetime | None = None
    discharged: bytes | None = None
    discharged_at: datetime | None = None
    shown: bytes | None = None
    shown_at: datetime | None = None
    alone: bool = False
    void: bool = False

    @property
    def open(self) -> bool:
        """Whether it is still owed."""
        return self.discharged is None

    @property
    def standing(self) -> bool:
        """Whether it is never over."""
        return self.within == STANDING


class DutiesRow(Row, frozen=True, kw_only=True):
    """All duties about one subject, in the order in which they were opened. Key: ``relationship/subject``."""

    table: ClassVar[str] = "duty"
    relationship: str
    subject: str
    duties: tuple[Duty, ...]


class OpenDutyRow(Row, frozen=True, kw_only=True):
    """Index of what is open: the duty at ``place`` of the row ``duty``. Key: see ``open_duty_key``."""

    table: ClassVar[str] = "open-duty"
    duty: str
    place: int


class ItemDutyRow(Row, frozen=True, kw_only=True):
    """Index of subjects that concern an item without being named after it. Key: ``relationship/item/subject``."""

    table: ClassVar[str] = "item-duty"
    subject: str


class LaidRow(Row, frozen=True, kw_only=True):
    """Index of the subjects about which a record of this house has opened duties. Key: ``relationship/record``.

    ``sequence`` is its place in its chain: whoever cites a longer one had taken it.
    """

    table: ClassVar[str] = "laid"
    subjects: tuple[str, ...]
    sequence: int


def duties_key(relationship: str, subject: str) -> Key:
    """Key of the duties about a subject."""
    return DutiesRow.table, f"{relationship}/{subject}"


def open_duty_key(row: DutiesRow, place: int) -> Key:
    """Key of an open duty in the index: who, the class of its limit, its instant, and which duty it is.

    Class 1 has a day by which it is due, and sorts by it. The others have no number and sort by their opening: 2 is due
    at once, 3 in time, 4 is standing. So a scan lists what one party owes in the order in which it presses, and stops
    where it likes (``spec/duties.md`` step 7).
    """
    duty = row.duties[place]
    if duty.standing:
        pressing, instant = 4, duty.at
    elif duty.due is not None:
        pressing, instant = 1, duty.due
    else:
        pressing, instant = (2 if duty.within == AT_ONCE else 3), duty.at
    return (
        OpenDutyRow.table,
        f"{duty.who}/{pressing}/{instant_key(instant)}/{row.relationship}/{row.subject}/{place}",
    )


def instant_key(instant: datetime) -> str:
    """An instant in UTC as keys have it, always of the same length."""
    return f"{instant:%Y-%m-%dT%H:%M:%S}.{instant.microsecond:06d}Z"


def laid_key(relationship: str, record: bytes) -> Key:
    """Key in the index of the duties that a record has opened."""
    return LaidRow.table, f"{relationship}/{record.hex()}"


def item_duty_key(relationship: str, item: str, subject: str) -> Key:
    """Key in the index of subjects that concern an item."""
    return ItemDutyRow.table, f"{relationship}/{item}/{subject}"
