"""Visits: the rows about it (Articles 8, 18)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from comity.record.bodies.visits import Permission
from comity.register.rows.base import Key, Row

VisitState = Literal["asked", "permitted", "refused", "ended"]


class VisitRow(Row, frozen=True, kw_only=True):
    """A visit. Key: ``relationship/visit``.

    Attributes:
        author: party id of the side that visits; the other one is its host.
        mark: the highest level asked for, on the host's ladder.
        permits: what the host permits; None while it has not answered, and where it does not.
        reason: why the host does not.
        given: what the host last permitted, whether or not it took that back; None while it never did.
        answered: when the host last answered.
        answer: the place of that answer in its chain: whoever cites a longer one had seen it.
        report: what the visiting side said at the end.
        ended: when it said so.
        end: the place of that in its chain.
        last: the host's newest answer, or the request while there is none.
    """

    table: ClassVar[str] = "visit"
    visit: str
    author: str
    facility: str
    topic: str
    scope: str
    subject: str
    purpose: str
    mark: str
    visitors: tuple[str, ...]
    starts: datetime
    ends: datetime
    recurring: bool
    security: bool
    conditions: tuple[str, ...]
    record: bytes
    by: str
    at: datetime
    permits: Permission | None = None
    reason: str = ""
    given: Permission | None = None
    answered: datetime | None = None
    answer: int | None = None
    report: str = ""
    ended: datetime | None = None
    end: int | None = None
    last: bytes

    @property
    def state(self) -> VisitState:
        """Where it stands, whatever the clock says."""
        if self.ended is not None:
            return "ended"
        if self.permits is not None:
            return "permitted"
        return "asked" if self.answered is None else "refused"


class FindingRow(Row, frozen=True, kw_only=True):
    """What a security representative found. Key: ``relationship/visit/finding``."""

    table: ClassVar[str] = "visit-finding"
    finding: str
    visit: str
    record: bytes
    says: str
    wanted: str
    by: str
    at: datetime
    closed: bytes | None = None
    closed_at: datetime | None = None
    evidence: str = ""


class VisitShownRow(Row, frozen=True, kw_only=True):
    """Index of what was shown during a visit. Key: ``relationship/visit/record``, the record in hex."""

    table: ClassVar[str] = "visit-shown"
    item: str


def visit_key(relationship: str, visit: str) -> Key:
    """Key of a visit."""
    return VisitRow.table, f"{relationship}/{visit}"


def finding_key(relationship: str, visit: str, finding: str) -> Key:
    """Key of a finding."""
    return FindingRow.table, f"{relationship}/{visit}/{finding}"


def visit_shown_key(relationship: str, visit: str, record: bytes) -> Key:
    """Key in the index of what was shown during a visit."""
    return VisitShownRow.table, f"{relationship}/{visit}/{record.hex()}"
