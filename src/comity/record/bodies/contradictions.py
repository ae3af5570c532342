"""What a house does when the other party is proved to have signed two histories (``spec/contradictions.md``)."""

from __future__ import annotations

from typing import ClassVar

from comity.record.bodies.base import Body, PersonSignature
from comity.record.encoding import Digest, Identifier, Relationship, Words


class ContradictionSettled(Body, frozen=True, kw_only=True):
    """A person lifts what followed on a contradiction, with a reason; ``contradiction`` is its digest."""

    kind: ClassVar[str] = "contradiction-settled/1"
    crosses: ClassVar[bool] = False
    relationship: Relationship
    contradiction: Digest
    reason: Words
    by: Identifier
    signature: PersonSignature
