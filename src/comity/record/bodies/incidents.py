"""Loss and compromise: its records (Article 17; ``spec/incidents.md``)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.record.bodies.base import Body, Identifiers, PersonSignature
from comity.record.encoding import LIST_ENTRIES_MAX, Count, Digest, Identifier, Name, Relationship, Words

What = Literal["lost", "compromised", "suspected"]
"""A copy is lost; what an item says became known to somebody not entitled; or either is possible."""
Touched = Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]


class CopyNamed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A numbered copy of an item."""

    item: Identifier
    number: Count


class IncidentReported(Body, frozen=True, kw_only=True):
    """A holder tells the originator at once of a loss or compromise, actual or possible (Article 17).

    It names what concerns this relationship and nothing else. ``ground`` is the third party on whose ground it
    happened, empty where it happened on the author's own.
    """

    kind: ClassVar[str] = "incident/1"
    crosses: ClassVar[bool] = True
    incident: Identifier
    what: What
    items: Touched
    copies: Annotated[tuple[CopyNamed, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()
    circumstances: Words
    ground: Identifier | None = None
    by: Identifier
    signature: PersonSignature


class IncidentWidened(Body, frozen=True, kw_only=True):
    """More items that an incident concerns than its report had room for, part by part from 1."""

    kind: ClassVar[str] = "incident-scope/1"
    crosses: ClassVar[bool] = True
    incident: Identifier
    part: Count
    items: Touched
    by: Identifier
    signature: PersonSignature


class InvestigationOpened(Body, frozen=True, kw_only=True):
    """The holder opens its investigation; on the ground of a third party, whoever the agreement charges with it."""

    kind: ClassVar[str] = "investigation/1"
    crosses: ClassVar[bool] = True
    incident: Identifier
    note: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class InvestigationEnded(Body, frozen=True, kw_only=True):
    """The result of the investigation, and the measures against recurrence; empty ones still have to be told."""

    kind: ClassVar[str] = "investigation-result/1"
    crosses: ClassVar[bool] = True
    incident: Identifier
    result: Words
    measures: Words = ""
    by: Identifier
    after: Digest
    signature: PersonSignature


class SuspensionLifted(Body, frozen=True, kw_only=True):
    """What an incident concerns may be opened again, as far as a layer had suspended it."""

    kind: ClassVar[str] = "suspension-lifted/1"
    crosses: ClassVar[bool] = True
    incident: Identifier
    reason: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class IncidentClosed(Body, frozen=True, kw_only=True):
    """The incident is over: its result and measures are told, or it was a false alarm, and why."""

    kind: ClassVar[str] = "incident-closed/1"
    crosses: ClassVar[bool] = True
    incident: Identifier
    false_alarm: bool
    reason: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class AffectedCopy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A copy of something affected, where it was when the incident was reported."""

    relationship: Relationship
    item: Identifier
    number: Count
    holder: Identifier
    state: Name


class IncidentOpened(Body, frozen=True, kw_only=True):
    """A loss or compromise in this house, over all its relationships: what is affected, and whom it tells.

    ``digest`` is SHA-256 of the canonical list of all that was found affected, in the order of the
    ``incident-affected/1`` records that follow.
    """

    kind: ClassVar[str] = "incident-opened/1"
    crosses: ClassVar[bool] = False
    incident: Identifier
    what: What
    items: Touched
    copies: Annotated[tuple[CopyNamed, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()
    circumstances: Words
    ground: Identifier | None = None
    told: Annotated[tuple[Relationship, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
    affected_items: Count
    affected_copies: Count
    holders: Count
    digest: Digest
    by: Identifier
    signature: PersonSignature


class IncidentAffected(Body, frozen=True, kw_only=True):
    """A part of what an incident was found to affect, from 1: items, and every copy of them."""

    kind: ClassVar[str] = "incident-affected/1"
    crosses: ClassVar[bool] = False
    incident: Identifier
    part: Count
    items: Identifiers
    copies: Annotated[tuple[AffectedCopy, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()
