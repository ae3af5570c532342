"""What a record can say (``spec/record.md`` step 6).

Two families. *House* records stand in a party's domestic chain and never cross; *crossing* records stand in the chain
of one relationship, and both parties hold them. Persons appear by identifier only: in the house by their person id,
across by the pseudonym of that relationship. Names of people live in erasable side data, never here.

``after`` names the record that such an act follows on, so that a person's signed act cannot be recorded a second time
after it was undone.

A type is never changed once released. It grows by fields with defaults at its end, or becomes ``NAME/2``.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.marking.label import Label
from comity.record.encoding import (
    LIST_ENTRIES_MAX,
    Count,
    Digest,
    Identifier,
    Instant,
    Name,
    Relationship,
    Signature,
    Words,
    instant,
)

Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]
Identifiers = Annotated[tuple[Identifier, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]
Recipients = Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
"""Never empty: an empty set of recipients is refused, it does not mean everyone."""
Numbers = Annotated[tuple[Count, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
Digests = Annotated[tuple[Digest, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]


class PersonSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's own signature over the body that carries it (``person_act.py``); ``signer`` "root" is the party's."""

    signer: Identifier
    key: Digest
    signature: Signature


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The root of all bodies. ``kind`` is the record type; ``crosses`` says in which family of chains it may stand."""

    kind: ClassVar[str]
    crosses: ClassVar[bool]


# ---- house records: the domestic chain -----------------------------------------------------------------------------


class PersonEnrolled(Body, frozen=True, kw_only=True):
    """A person of this house, with what decisions ask about people (Articles 2(e), 6(a), 7, 16)."""

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


class ClearanceGranted(Body, frozen=True, kw_only=True):
    """A clearance, by the holder's own mark, with its end and what it rests on (Article 7.2, 7.3)."""

    kind: ClassVar[str] = "clearance/1"
    crosses: ClassVar[bool] = False
    person: Identifier
    mark: Name
    until: Instant
    basis: Words
    after: Digest
    signature: PersonSignature

    def __post_init__(self) -> None:
        instant(self.until)


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
    """A site that may hold classified information, and which contractor conditions are evidenced there (10, 16)."""

    kind: ClassVar[str] = "facility/1"
    crosses: ClassVar[bool] = False
    facility: Identifier
    mark: Name
    until: Instant
    conditions: Names
    evidence: Words
    signature: PersonSignature

    def __post_init__(self) -> None:
        instant(self.until)


class PeerAdded(Body, frozen=True, kw_only=True):
    """Another party's card, taken up after two people compared its full fingerprint."""

    kind: ClassVar[str] = "peer/1"
    crosses: ClassVar[bool] = False
    party: Identifier
    card: bytes
    fingerprint: Digest
    compared_by: tuple[Name, Name]


class AgreementAdopted(Body, frozen=True, kw_only=True):
    """This house runs an agreement with a peer: digests of the texts it decides by, and of the history it reads."""

    kind: ClassVar[str] = "agreement/1"
    crosses: ClassVar[bool] = False
    agreement: Identifier
    relationship: Relationship
    peer: Identifier
    digest: Digest
    text: Digest
    history: Digest
    layers: Digests = ()


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


class ReleaseRequested(Body, frozen=True, kw_only=True):
    """An officer asks that an item be given to named recipients for a purpose."""

    kind: ClassVar[str] = "release-request/1"
    crosses: ClassVar[bool] = False
    request: Identifier
    item: Identifier
    relationship: Relationship
    recipients: Recipients
    purpose: Words
    by: Identifier
    signature: PersonSignature


class Approved(Body, frozen=True, kw_only=True):
    """A release authority answers a request: its half of a two-person release."""

    kind: ClassVar[str] = "approval/1"
    crosses: ClassVar[bool] = False
    request: Identifier
    granted: bool
    reason: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class Marked(Body, frozen=True, kw_only=True):
    """A person chooses this party's own mark for a received item, where the agreement offers several (Article 4.2)."""

    kind: ClassVar[str] = "marking/1"
    crosses: ClassVar[bool] = False
    item: Identifier
    mark: Name
    by: Identifier
    signature: PersonSignature


class Decided(Body, frozen=True, kw_only=True):
    """A decision with everything it was decided from, permits and refusals alike; replayed, it gives the same bytes."""

    kind: ClassVar[str] = "decision/1"
    crosses: ClassVar[bool] = False
    act: Name
    item: Identifier
    relationship: Relationship
    outcome: Name
    agreement: Digest
    case: msgspec.Raw
    decision: msgspec.Raw


# ---- crossing records: the chains of one relationship --------------------------------------------------------------


class Acknowledged(Body, frozen=True, kw_only=True):
    """A party accepts a version of the agreement file as its working model, by its root key or an authorised person."""

    kind: ClassVar[str] = "acknowledgement/1"
    crosses: ClassVar[bool] = True
    agreement: Identifier
    digest: Digest
    signature: PersonSignature


class Listed(Body, frozen=True, kw_only=True):
    """An entry of the directory: a function that can receive, or can sign, known by its pseudonym."""

    kind: ClassVar[str] = "directory/1"
    crosses: ClassVar[bool] = True
    pseudonym: Identifier
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
    withdrawn: bool = False


class AssuranceAsked(Body, frozen=True, kw_only=True):
    """The providing party asks for the assurance of Article 7.5 before it hands anything over."""

    kind: ClassVar[str] = "assurance-request/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    item: Identifier
    label: Label
    form: Name
    topic: Name
    purpose: Words
    recipients: Recipients


class Assured(Body, frozen=True, kw_only=True):
    """The receiving party's answer, bound to item and recipient: which conditions it assures, by clause (Article 7.5).

    ``conditions`` is empty when the assurance is refused; ``reason`` then says why. ``after`` is the answer before this
    one about the recipient, or the request.
    """

    kind: ClassVar[str] = "assurance/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    item: Identifier
    recipient: Identifier
    conditions: Names
    reason: Words = ""
    by: Identifier
    after: Digest
    signature: PersonSignature


class CopyMade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One numbered copy: its holder, the recipient key it is sealed to, and the digest of its header."""

    number: Count
    holder: Identifier
    header: Digest


class Consigned(Body, frozen=True, kw_only=True):
    """An item is given: what, under which label and marks, sealed to whom, by which decision (Articles 4, 6, 9).

    ``alternative`` is the receiver's own mark; None where the agreement offers several and a person there must choose.
    """

    kind: ClassVar[str] = "consignment/1"
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
    payload: Digest
    size: Count
    content: Digest
    copies: Annotated[tuple[CopyMade, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
    assurances: Digests
    basis: Digest


class Received(Body, frozen=True, kw_only=True):
    """The consignment is whole, unaltered and registered on the other side (Article 12)."""

    kind: ClassVar[str] = "receipt/1"
    crosses: ClassVar[bool] = True
    consignment: Digest
    item: Identifier
    copies: Numbers


class Opened(Body, frozen=True, kw_only=True):
    """A reader opened a copy for a stated purpose."""

    kind: ClassVar[str] = "opening/1"
    crosses: ClassVar[bool] = True
    consignment: Digest
    item: Identifier
    copy: Count
    holder: Identifier
    purpose: Words
    basis: Digest
    signature: PersonSignature | None = None


class Unopenable(Body, frozen=True, kw_only=True):
    """A copy arrived but does not open, or does not hold what its record says; why, in one code and a sentence."""

    kind: ClassVar[str] = "unopenable/1"
    crosses: ClassVar[bool] = True
    consignment: Digest
    item: Identifier
    copy: Count
    code: Name
    reason: Words


class Returned(Body, frozen=True, kw_only=True):
    """A record of the other party was rejected; it is named and the reason is given, signed.

    Where it was a consignment, ``item`` and ``copies`` name what comes back undelivered.
    """

    kind: ClassVar[str] = "verdict/1"
    crosses: ClassVar[bool] = True
    record: Digest
    code: Name
    reason: Words
    item: Identifier | None = None
    copies: Annotated[tuple[Count, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()


BODIES: dict[str, type[Body]] = {body.kind: body for body in Body.__subclasses__()}
"""Every record type this version knows, by its name."""
