"""That a house was brought back from a backup: its record (``spec/backup.md`` step 50)."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from comity.record.bodies.base import Body
from comity.record.encoding import LIST_ENTRIES_MAX, Count, Instant, Name, Relationship


class CaughtUp(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """How one relationship was caught up with: records of this house brought back, then those fetched, or why none."""

    relationship: Relationship
    kept: Count
    size: Count
    alone: Name | None = None


class Restored(Body, frozen=True, kw_only=True):
    """This house was brought back from a backup; what stood only here after it is lost, and this says so.

    Attributes:
        taken: the instant whose state the backup had.
        kept: how many records of this chain were brought back: this record stands where the next one stood, if any.
        marked: how many this chain had at least had, as far as is known.
        chains: what was compared with whom.
    """

    kind: ClassVar[str] = "restored/1"
    crosses: ClassVar[bool] = False
    taken: Instant
    kept: Count
    marked: Count
    chains: Annotated[tuple[CaughtUp, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()
