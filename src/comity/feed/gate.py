"""What stands between a publisher's messages and the other party, at one instant (``spec/feed.md`` step 6).

The control plane works it out from the register (release, postures, force, consent, ends); the data plane asks for
every batch and compares: where a gate differs from the one before it, the open batch is closed first, with the
messages that were published before ``since`` (13).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from comity.feed.batch import Closed
from comity.feed.release import Crossing, Posture, Release
from comity.feed.schema import Schema


class Gate(Struct, frozen=True):
    """What is so now of one feed.

    Attributes:
        stands: whether anything may cross.
        why: the code of the reason why not, such as ``no-release`` or ``release-ended``; empty while it stands.
        since: from when it has been so; messages published before it belong to the gate before.
        changed: what made it so, as a batch says it that closes because of it.
        until: when it will be otherwise by itself, where that is known: a posture or the release ends.
        schema: what messages there are; None where no release was ever made.
        release: the standing release; None likewise.
        posture: what both have declared.
    """

    stands: bool
    why: str
    since: datetime
    changed: Closed
    until: datetime | None = None
    schema: Schema | None = None
    release: Release | None = None
    posture: Posture = "normal"

    def is_as(self, other: Gate) -> bool:
        """Whether another gate lets the same through, since the same instant; when it will change does not matter."""
        return _said(self) == _said(other)

    @property
    def released(self) -> str:
        """The digest of its release; empty where there is none."""
        return "" if self.release is None else self.release.digest

    @property
    def crossings(self) -> Mapping[str, Crossing]:
        """What crosses of each type; nothing where it does not stand."""
        return self.release.postures[self.posture] if self.stands and self.release is not None else {}


class Epoch(Struct, frozen=True):
    """A key for the batches of up to an hour (12).

    Attributes:
        number: from 1, in the feed.
        key: 32 bytes.
        since: from when it is used.
    """

    number: int
    key: bytes
    since: datetime

    def __repr__(self) -> str:
        return f"Epoch({self.number})"


def _said(gate: Gate) -> tuple[object, ...]:
    schema, release = gate.schema, gate.release
    texts = schema and schema.digest, release and release.digest
    return gate.stands, gate.why, gate.since, gate.posture, *texts
