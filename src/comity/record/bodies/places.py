"""Briefings, postings, responsible officers, inspections: what records say about it (Articles 6(e), 7, 10, 11, 16)."""

from __future__ import annotations

from typing import ClassVar, Literal

from comity.record.bodies.base import Body, PersonSignature, Relationships
from comity.record.encoding import Digest, Identifier, Instant, Name, Words

DUTIES = "duties"
"""What a briefing is on when it is on nothing but the duties of whoever handles classified information."""

BorneOut = Literal["", "briefings", "clearances", "inspections", "officer", "postings"]
"""Which register of this house has to bear a condition out besides (``spec/places.md`` step 11); empty for none."""


class PersonRemoved(Body, frozen=True, kw_only=True):
    """A person has left this house: nothing is open to him any more, and what he did stays recorded."""

    kind: ClassVar[str] = "person-removed/1"
    crosses: ClassVar[bool] = False
    person: Identifier
    reason: Words
    after: Digest
    signature: PersonSignature


class Briefed(Body, frozen=True, kw_only=True):
    """A person was told of what handling information asks of him, and acknowledges it (Articles 7, 16(f)).

    ``on`` is an agreement's id, a category of labels, or ``duties``; ``material`` says what he was told or given to
    read. ``given_by`` told him; the signature is his own.
    """

    kind: ClassVar[str] = "briefing/1"
    crosses: ClassVar[bool] = False
    person: Identifier
    on: Name
    material: Words
    given_by: Identifier
    after: Digest
    signature: PersonSignature


class Posted(Body, frozen=True, kw_only=True):
    """A cleared person is authorised to handle information at a site, or no longer (Articles 6(e), 11, 16(i)).

    ``under`` names the relationships whose agreements ask for the register that this keeps.
    """

    kind: ClassVar[str] = "posting/1"
    crosses: ClassVar[bool] = False
    person: Identifier
    facility: Identifier
    posted: bool
    after: Digest
    signature: PersonSignature
    under: Relationships = ()


class OfficerNamed(Body, frozen=True, kw_only=True):
    """A qualified person answers for a site, by the authority that is named; None relieves him (Articles 10, 16(j)).

    ``under`` names the relationships whose agreements ask for him.
    """

    kind: ClassVar[str] = "responsible-officer/1"
    crosses: ClassVar[bool] = False
    facility: Identifier
    person: Identifier | None
    authority: Words
    after: Digest
    signature: PersonSignature
    under: Relationships = ()


class Inspected(Body, frozen=True, kw_only=True):
    """A site was inspected, first or again: what was found, and when the next inspection is due (Article 16(g)).

    ``due`` is None where the site needs no further one. ``under`` names the relationships whose agreements ask for it.
    """

    kind: ClassVar[str] = "inspection/1"
    crosses: ClassVar[bool] = False
    facility: Identifier
    findings: Words
    due: Instant | None
    by: Identifier
    after: Digest
    signature: PersonSignature
    under: Relationships = ()


class ConditionEvidenced(Body, frozen=True, kw_only=True):
    """What shows that a site meets one condition of a checklist, until when; or that it no longer does (Article 16).

    ``borne_out`` names the register of this house that has to bear it out besides, person by person.
    """

    kind: ClassVar[str] = "site-condition/1"
    crosses: ClassVar[bool] = False
    facility: Identifier
    condition: Name
    met: bool
    evidence: Words
    until: Instant | None
    after: Digest
    signature: PersonSignature
    borne_out: BorneOut = ""
