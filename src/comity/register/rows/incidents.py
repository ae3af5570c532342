"""Loss and compromise: the rows about it (Article 17)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

from comity.register.rows.base import Key, Row


class SuspicionRow(Row, frozen=True, kw_only=True):
    """Index of the open incidents about an item that nobody has released. Key: ``relationship/item``.

    While the row is there the item is suspected, and through lineage whatever was made from it; whether that suspends
    anything is for a layer to say (``When.suspected``).
    """

    table: ClassVar[str] = "suspicion"
    incidents: tuple[str, ...]


class IncidentRow(Row, frozen=True, kw_only=True):
    """A loss or compromise, as one relationship knows it. Key: ``relationship/incident``.

    ``last`` is the newest record about it, which an act about it names; ``copies`` are (item, number) of copies named
    as lost or compromised; ``ground`` is the third party on whose ground it happened, or empty.
    """

    table: ClassVar[str] = "incident"
    incident: str
    record: bytes
    last: bytes
    author: str
    what: Literal["lost", "compromised", "suspected"]
    items: tuple[str, ...]
    copies: tuple[tuple[str, int], ...]
    circumstances: str
    ground: str = ""
    by: str
    at: datetime
    investigated: datetime | None = None
    investigation: str = ""
    result: str = ""
    measures: str = ""
    reported: datetime | None = None
    released: datetime | None = None
    closed: datetime | None = None
    false_alarm: bool = False
    reason: str = ""


class AffectedRow(Row, frozen=True, kw_only=True):
    """An incident of this house, over all its relationships. Key: incident.

    ``told`` are the relationships whose originators were told; the counts are of what was found affected when it was
    reported, and ``digest`` is over the list.
    """

    table: ClassVar[str] = "affected"
    incident: str
    record: bytes
    what: Literal["lost", "compromised", "suspected"]
    items: tuple[str, ...]
    told: tuple[str, ...]
    affected_items: int
    affected_copies: int
    holders: int
    digest: bytes
    by: str
    at: datetime


def suspicion_key(relationship: str, item: str) -> Key:
    """Key of a row in the index of open suspicions."""
    return SuspicionRow.table, f"{relationship}/{item}"


def incident_key(relationship: str, incident: str) -> Key:
    """Key of a row about a loss or compromise."""
    return IncidentRow.table, f"{relationship}/{incident}"
