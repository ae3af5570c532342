"""House records about people, peers, items and their release: the domestic chain (``spec/record.md`` step 6)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.marking.label import Label
from comity.record.bodies.base import (
    Body,
    Digests,
    Identifiers,
    Names,
    PersonSignature,
    Recipients,
    Relationships,
)
from comity.record.bodies.consents import Manner, Onward
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


class PersonEnrolled(Body, frozen=True, kw_only=True):
    """A person of this house, with what decisions ask about people (Articles 2(e), 6(a), 7, 16).

    ``after`` is the newest record about somebody whose entry is changed; None for somebody new.
    """

    kind: ClassVar[str] = "person/1"
    crosses: ClassVar[bool] = False
    person: Identifier
    function: Name
    body: Name
    employer: Literal["government", "contractor"]
    nationality: Name
    serves: Name
    roles: Names
    custody: Literal["strict", "served"]
    recipient: Words
    signing_key: Digest
    firm: Identifier | None = None
    signature: PersonSignature
    after: Digest | None = None


class ClearanceGranted(Body, frozen=True, kw_only=True):
    """A clearance, by the holder's own mark, with its end and what it rests on (Articles 7.2, 7.3, 7.4).

    ``all_information`` assures that the decision rests on all available information about trustworthiness and
    reliability. ``decided_by`` is who came to it: a person of this house by identifier, or a board in words.
    """

    kind: ClassVar[str] = "clearance/1"
    crosses: ClassVar[bool] = False
    person: Identifier
    mark: Name
    until: Instant
    basis: Words
    after: Digest
    signature: PersonSignature
    all_information: bool = False
    decided_by: Name = ""


class ClearanceWithdrawn(Body, frozen=True, kw_only=True):
    """The end of a person's clearance before its date; takes effect at the record's instant."""

    kind: ClassVar[str] = "clearance-withdrawn/1"
    crosses: ClassVar[bool] = False
    person: Identifier
    reason: Words
    after: Digest
    signature: PersonSignature


class NeedToKnow(Body, frozen=True, kw_only=True):
    """A person is put on the need-to-know list of a topic, or taken off it (Articles 6(e), 7.2)."""

    kind: ClassVar[str] = "need-to-know/1"
    crosses: ClassVar[bool] = False
    topic: Name
    person: Identifier
    listed: bool
    after: Digest
    signature: PersonSignature


class FacilityRegistered(Body, frozen=True, kw_only=True):
    """A site or system that may hold classified information, and which conditions are evidenced there (10, 12, 16).

    ``parent`` is the site of the firm whose sub-contractor this one is. ``after`` is the newest record about a site
    whose entry is changed; None for a new one. ``under`` names the relationships whose agreements ask for inspections.
    """

    kind: ClassVar[str] = "facility/1"
    crosses: ClassVar[bool] = False
    facility: Identifier
    mark: Name
    until: Instant
    conditions: Names
    evidence: Words
    signature: PersonSignature
    nature: Literal["government", "contractor", "system"] = "government"
    parent: Identifier | None = None
    after: Digest | None = None
    under: Relationships = ()


class PeerAdded(Body, frozen=True, kw_only=True):
    """Another party's card, taken up after two people compared its full fingerprint."""

    kind: ClassVar[str] = "peer/1"
    crosses: ClassVar[bool] = False
    party: Identifier
    card: bytes
    fingerprint: Digest
    compared_by: tuple[Name, Name]


class AgreementAdopted(Body, frozen=True, kw_only=True):
    """This house runs an agreement with a peer: digests of the texts it decides by, and of the history it reads.

    ``version`` is what the text calls itself; ``negotiation`` the one in which both parties signed it, if any.
    """

    kind: ClassVar[str] = "agreement/1"
    crosses: ClassVar[bool] = False
    agreement: Identifier
    relationship: Relationship
    peer: Identifier
    digest: Digest
    text: Digest
    history: Digest
    layers: Digests = ()
    version: Words = ""
    negotiation: Identifier | None = None


class ItemRegistered(Body, frozen=True, kw_only=True):
    """One piece of information enters the register, under the label of its originator."""

    kind: ClassVar[str] = "item/1"
    crosses: ClassVar[bool] = False
    item: Identifier
    label: Label
    form: Name
    topic: Name
    subject: Name
    size: Count
    content: Digest
    by: Identifier
    originator: Identifier
    contains: Identifiers = ()
    rights: Words = ""


class ReleaseRequested(Body, frozen=True, kw_only=True):
    """Somebody asks that an item be given or shown to named recipients, or a copy be passed on, for a purpose.

    ``manner`` is how something is to be shown; ``copy`` and ``onward`` which copy is to be passed on, and to whom.
    """

    kind: ClassVar[str] = "release-request/1"
    crosses: ClassVar[bool] = False
    request: Identifier
    item: Identifier
    relationship: Relationship
    recipients: Recipients
    purpose: Words
    by: Identifier
    signature: PersonSignature
    act: Literal["give", "show", "pass-on"] = "give"
    manner: Manner | None = None
    copy: Count | None = None
    onward: Onward | None = None


class Approved(Body, frozen=True, kw_only=True):
    """A release authority answers a request: its half of a two-person release.

    ``attests`` are the conditions, by clause, that its side attests with it, of checklists about the item or whoever
    is to have it.
    """

    kind: ClassVar[str] = "approval/1"
    crosses: ClassVar[bool] = False
    request: Identifier
    granted: bool
    reason: Words
    by: Identifier
    after: Digest
    signature: PersonSignature
    attests: tuple[Identifier, ...] = ()


class Marked(Body, frozen=True, kw_only=True):
    """A person chooses this party's own mark for a received item, where the agreement offers several (Article 4.2)."""

    kind: ClassVar[str] = "marking/1"
    crosses: ClassVar[bool] = False
    item: Identifier
    mark: Name
    by: Identifier
    signature: PersonSignature


class Tried(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Another agreement between the same two parties that was asked too: what came out, in which recorded decision."""

    relationship: Relationship
    outcome: Name
    decision: Digest


class Decided(Body, frozen=True, kw_only=True):
    """A decision with everything it was decided from, permits and refusals alike; replayed, it gives the same bytes.

    ``tried`` names the other agreements that stand between the two parties, where this one was picked among several.
    """

    kind: ClassVar[str] = "decision/1"
    crosses: ClassVar[bool] = False
    act: Name
    item: Identifier
    relationship: Relationship
    outcome: Name
    agreement: Digest
    case: msgspec.Raw
    decision: msgspec.Raw
    tried: Annotated[tuple[Tried, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()
