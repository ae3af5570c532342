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

    Attributes:
        incident: its id.
        record: the report.
        last: the newest record of the side that reported it, which its next one names.
        author: party id of that side.
        items: what it concerns; ``parts`` says how many rows of ``IncidentPartRow`` hold more of them.
        copies: of the items, the numbers of copies named as lost or compromised.
        ground: the third party on whose ground it happened, or empty.
        investigated: when that side opened its investigation.
        followed: when the other side did, on the ground of a third party (``following`` is its record).
        reported: when result and measures were both told.
        released: when what it concerns was released again.
        closed: when it was over; ``false_alarm`` says that there was nothing.
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
    by: str
    at: datetime
    parts: int = 0
    ground: str = ""
    investigated: datetime | None = None
    investigation: str = ""
    followed: datetime | None = None
    following: bytes | None = None
    result: str = ""
    measures: str = ""
    reported: datetime | None = None
    released: datetime | None = None
    release: str = ""
    closed: datetime | None = None
    false_alarm: bool = False
    reason: str = ""


class IncidentPartRow(Row, frozen=True, kw_only=True):
    """More items that an incident concerns. Key: ``relationship/incident/part``, parts counted from 1."""

    table: ClassVar[str] = "incident-part"
    items: tuple[str, ...]


class AffectedRow(Row, frozen=True, kw_only=True):
    """An incident of this house, over all its relationships. Key: incident.

    ``told`` are the relationships whose originators were told; the counts are of what was found affected when it was
    reported, ``digest`` is over the list, and ``parts`` says how many parts of it were recorded.
    """

    table: ClassVar[str] = "affected"
    incident: str
    record: bytes
    what: Literal["lost", "compromised", "suspected"]
    items: tuple[str, ...]
    told: tuple[str, ...]
    parts: int = 0
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


def incident_part_key(relationship: str, incident: str, part: int) -> Key:
    """Key of a row with more items that an incident concerns."""
    return IncidentPartRow.table, f"{relationship}/{incident}/{part:06d}"
