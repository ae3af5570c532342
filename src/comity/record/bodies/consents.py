"""Consent, showing and passing on: what records say about it (Articles 6(a), 6(c), 8; ``spec/consent.md``)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.marking.label import Label
from comity.record.bodies.base import Body, Digests, Identifiers, Names, PersonSignature, Recipients
from comity.record.encoding import (
    LIST_ENTRIES_MAX,
    Count,
    Digest,
    Identifier,
    Instant,
    Name,
    Relationship,
    Words,
)

BeneficiaryKind = Literal["party", "government", "person", "firm", "institution", "organisation", "body"]
"""What kind of body gains: one of the parties, or, in the words of Article 6(a), what is of a third country."""
Manner = Literal["oral", "visual"]
"""How something is shown."""
Acts = Annotated[tuple[Name, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
Conditions = Annotated[tuple[Words, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]


class Onward(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """To whom outside the parties a copy is to go: the body, the state it belongs to, and its age recipient."""

    beneficiary: Identifier
    beneficiary_kind: BeneficiaryKind
    nationality: Identifier
    recipient: Words


class ConsentWanted(Body, frozen=True, kw_only=True):
    """A person of this house wants the originator's consent; the house's half of ``consent-request/1``."""

    kind: ClassVar[str] = "consent-wanted/1"
    crosses: ClassVar[bool] = False
    request: Identifier
    relationship: Relationship
    item: Identifier
    acts: Acts
    beneficiaries: Recipients
    beneficiary_kind: BeneficiaryKind
    purpose: Words
    reason: Words
    until: Instant
    answer_by: Instant | None = None
    by: Identifier
    signature: PersonSignature
    topic: Name | None = None


class ConsentAsked(Body, frozen=True, kw_only=True):
    """The originator is asked for its consent before the act: what it needs to decide, and not which person asks.

    ``origin`` is the record by which the item is in the hands of whoever asks: the consignment or the showing by the
    originator, or the record by which it was made from one. ``until`` is how long the consent is wanted for;
    ``answer_by`` when the request lapses unanswered. With ``topic`` it is about a feed: ``item`` is its name, ``topic``
    its need-to-know list, and ``origin`` zeros.
    """

    kind: ClassVar[str] = "consent-request/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    item: Identifier
    origin: Digest
    label: Label
    acts: Acts
    beneficiaries: Recipients
    beneficiary_kind: BeneficiaryKind
    purpose: Words
    reason: Words
    until: Instant
    answer_by: Instant | None = None
    topic: Name | None = None


class ConsentUnwanted(Body, frozen=True, kw_only=True):
    """A person of this house no longer wants a consent that was asked for; the half of ``consent-dropped/1``."""

    kind: ClassVar[str] = "consent-unwanted/1"
    crosses: ClassVar[bool] = False
    request: Identifier
    reason: Words
    by: Identifier
    signature: PersonSignature


class ConsentDropped(Body, frozen=True, kw_only=True):
    """Whoever asked for a consent no longer does: nothing is waited for, and nothing need be answered."""

    kind: ClassVar[str] = "consent-dropped/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    reason: Words


class Consented(Body, frozen=True, kw_only=True):
    """The originator consents, or refuses: to acts with one item or a pattern of items, for whom, for what, until when.

    A pattern names a topic, a subject or marks; what it does not name it does not ask about. A refusal answers a
    request and has no end.
    """

    kind: ClassVar[str] = "consent/1"
    crosses: ClassVar[bool] = True
    consent: Identifier
    request: Identifier | None = None
    granted: bool
    item: Identifier | None = None
    topic: Name | None = None
    subject: Name | None = None
    marks: Names = ()
    acts: Acts
    beneficiaries: Recipients
    purpose: Words
    conditions: Conditions = ()
    until: Instant | None = None
    reason: Words
    by: Identifier
    signature: PersonSignature


class ConsentWithdrawn(Body, frozen=True, kw_only=True):
    """The originator takes a consent back, from now on; what was done under it stays as it was."""

    kind: ClassVar[str] = "consent-withdrawal/1"
    crosses: ClassVar[bool] = True
    consent: Identifier
    reason: Words
    by: Identifier
    signature: PersonSignature


class Shown(Body, frozen=True, kw_only=True):
    """Something was shown: said or let be seen, and no copy changed hands.

    ``form``, ``topic``, ``subject``, ``size`` and ``content`` are those of the item; ``manner`` is how it was shown,
    ``to`` those to whom, by their pseudonyms; ``visit`` the visit during which it was.
    """

    kind: ClassVar[str] = "shown/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    item: Identifier
    label: Label
    alternative: Label | None
    form: Name
    topic: Name
    subject: Name
    purpose: Words
    originator: Identifier
    agreement: Digest
    size: Count
    content: Digest
    rights: Words = ""
    manner: Manner
    to: Recipients
    at: Instant
    visit: Identifier | None = None
    assurances: Digests
    basis: Digest
    by: Identifier
    signature: PersonSignature


class PassedOn(Body, frozen=True, kw_only=True):
    """The holder of a copy passes it on outside the parties, under the consents that allow it (Article 6(a)).

    ``request`` is the one that it carries out; ``beneficiary`` is the body that gets it and ``nationality`` the state
    it belongs to; ``header`` the digest of the header that seals the copy to it, and ``sealed_to`` the digest of its
    age recipient.
    """

    kind: ClassVar[str] = "pass-on/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    item: Identifier
    copy: Count
    beneficiary: Identifier
    beneficiary_kind: BeneficiaryKind
    nationality: Identifier
    purpose: Words
    consents: Identifiers
    header: Digest
    sealed_to: Digest
    basis: Digest
    by: Identifier
    after: Digest
    signature: PersonSignature


class PassOnReceipted(Body, frozen=True, kw_only=True):
    """The body that got a copy has receipted it; the receipt is outside, and named here so that it can be found."""

    kind: ClassVar[str] = "pass-on-receipt/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    copy: Count
    receipt: Words
    by: Identifier
    after: Digest
    signature: PersonSignature
