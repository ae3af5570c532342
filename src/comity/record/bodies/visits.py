"""Visits: what records say about it (Articles 8, 18)."""

from __future__ import annotations

from typing import ClassVar

from comity.record.bodies.base import Body, InUtc, Names, PersonSignature, Recipients
from comity.record.encoding import Digest, Identifier, Instant, Name, Words


class VisitAsked(Body, frozen=True, kw_only=True):
    """One authority asks the other that people of its own may visit a site there (Article 8).

    ``mark`` is the highest level asked for, on the host's ladder; ``conditions`` what the visiting side assures of each
    visitor (Article 7.5), by clause. A ``recurring`` visit may take place any number of times from ``starts`` to
    ``ends``. ``security`` is a visit by security representatives (Article 18).
    """

    kind: ClassVar[str] = "visit-request/1"
    crosses: ClassVar[bool] = True
    visit: Identifier
    facility: Name
    topic: Name
    scope: Words
    subject: Name
    purpose: Words
    mark: Name
    visitors: Recipients
    starts: Instant
    ends: Instant
    recurring: bool = False
    security: bool = False
    conditions: Names
    by: Identifier
    signature: PersonSignature


class Permission(InUtc, frozen=True, forbid_unknown_fields=True):
    """What is permitted, and what the site was told of it: topic, scope and highest level (Article 8).

    ``told`` is the function at the site that was told.
    """

    site: Name
    told: Name
    topic: Name
    scope: Words
    mark: Name
    visitors: Recipients
    starts: Instant
    ends: Instant


class VisitAnswered(Body, frozen=True, kw_only=True):
    """The host permits a visit, as asked or less, or does not; ``permits`` None also takes a permission back.

    ``basis`` commits to the decision that allowed it.
    """

    kind: ClassVar[str] = "visit-answer/1"
    crosses: ClassVar[bool] = True
    visit: Identifier
    permits: Permission | None
    reason: Words
    basis: Digest | None
    by: Identifier
    after: Digest
    signature: PersonSignature


class VisitEnded(Body, frozen=True, kw_only=True):
    """The visiting side says that a visit is over, or will not take place, and what came of it."""

    kind: ClassVar[str] = "visit-ended/1"
    crosses: ClassVar[bool] = True
    visit: Identifier
    report: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class FindingMade(Body, frozen=True, kw_only=True):
    """A security representative found something during his visit, and what he would have done about it (Article 18)."""

    kind: ClassVar[str] = "visit-finding/1"
    crosses: ClassVar[bool] = True
    visit: Identifier
    finding: Identifier
    says: Words
    wanted: Words
    by: Identifier
    signature: PersonSignature


class FindingClosed(Body, frozen=True, kw_only=True):
    """The visited side has followed a finding up; the evidence says how."""

    kind: ClassVar[str] = "finding-closed/1"
    crosses: ClassVar[bool] = True
    visit: Identifier
    finding: Identifier
    evidence: Words
    by: Identifier
    after: Digest
    signature: PersonSignature
