"""Negotiations: what records say of a text before it is an agreement (Articles 5, 21; ``spec/lifecycle.md``).

All but the house records stand in a channel of two houses. ``after`` is the newest record of the same side about the
negotiation, or the one that opened it.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from comity.record.bodies.base import Body, PersonSignature, Recipients
from comity.record.bodies.notices import Day, Said
from comity.record.encoding import Count, Digest, Identifier, Instant, Name, Relationship, Words

About = Literal["agreement", "amendment", "exchange-of-notes", "arrangement"]
"""What is negotiated."""


class ChannelOpened(Body, frozen=True, kw_only=True):
    """This house talks with another whose card it has taken up, under no agreement."""

    kind: ClassVar[str] = "channel/1"
    crosses: ClassVar[bool] = False
    relationship: Relationship
    peer: Identifier


class NegotiationOpened(Body, frozen=True, kw_only=True):
    """A negotiation, and who takes part in it for its author; ``on`` is the running agreement that it is about."""

    kind: ClassVar[str] = "negotiation/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    about: About
    title: Name
    delegates: Recipients
    by: Identifier
    signature: PersonSignature
    on: Relationship | None = None


class DelegationNamed(Body, frozen=True, kw_only=True):
    """Who takes part for the author's side from now on, instead of those named before."""

    kind: ClassVar[str] = "delegation/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    delegates: Recipients
    by: Identifier
    after: Digest
    signature: PersonSignature


class DraftProposed(Body, frozen=True, kw_only=True):
    """A draft. Its text is sealed to ``readers``; ``digest`` is what it says, ``content`` commits to its bytes.

    ``since`` is the instant from which it is to apply; None for as soon as it is signed.
    """

    kind: ClassVar[str] = "draft/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    draft: Identifier
    agreement: Identifier
    version: Name
    digest: Digest
    content: Digest
    payload: Digest
    size: Count
    readers: Recipients
    note: Words
    by: Identifier
    after: Digest
    signature: PersonSignature
    since: Instant | None = None


class Initialled(Body, frozen=True, kw_only=True):
    """This is the text that was negotiated."""

    kind: ClassVar[str] = "initials/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    draft: Identifier
    digest: Digest
    by: Identifier
    after: Digest
    signature: PersonSignature


class ApprovedAtHome(Body, frozen=True, kw_only=True):
    """A body of this house's state or organisation has approved a draft; nobody else is told which, or how."""

    kind: ClassVar[str] = "domestic-approval/1"
    crosses: ClassVar[bool] = False
    relationship: Relationship
    negotiation: Identifier
    draft: Identifier
    body: Name
    act: Said
    day: Day
    by: Identifier
    signature: PersonSignature


class ApprovalTold(Body, frozen=True, kw_only=True):
    """The author's side has approved the text; ``basis`` commits to its own record of that."""

    kind: ClassVar[str] = "approval-told/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    draft: Identifier
    digest: Digest
    day: Day
    basis: Digest
    by: Identifier
    after: Digest
    signature: PersonSignature


class AgreementSigned(Body, frozen=True, kw_only=True):
    """The author's side has signed the text; ``theirs`` is the other side's signature, where it is there already."""

    kind: ClassVar[str] = "agreement-signature/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    draft: Identifier
    digest: Digest
    by: Identifier
    after: Digest
    signature: PersonSignature
    theirs: Digest | None = None


class SignaturesExchanged(Body, frozen=True, kw_only=True):
    """The author's side knows of the other's signature as well as of its own; its node says so by itself."""

    kind: ClassVar[str] = "signatures-exchanged/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    theirs: Digest
    after: Digest


class SignaturePostponed(Body, frozen=True, kw_only=True):
    """The signature is put off, to a day or to none that is known."""

    kind: ClassVar[str] = "signature-postponed/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    reason: Said
    by: Identifier
    after: Digest
    signature: PersonSignature
    until: Day | None = None


class NegotiationWithdrawn(Body, frozen=True, kw_only=True):
    """The author's side withdraws; nothing that was initialled, approved or signed counts."""

    kind: ClassVar[str] = "negotiation-withdrawn/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    reason: Said
    by: Identifier
    after: Digest
    signature: PersonSignature


class EntryTold(Body, frozen=True, kw_only=True):
    """The author's side has given its note for entry into force; ``document`` is the digest of the note's text."""

    kind: ClassVar[str] = "entry-told/1"
    crosses: ClassVar[bool] = True
    negotiation: Identifier
    channel: Said
    note: Said
    day: Day
    by: Identifier
    after: Digest
    signature: PersonSignature
    document: Digest | None = None


class LayerTold(Body, frozen=True, kw_only=True):
    """A domestic layer of the author's holds from a day on, or no longer holds; its text stays at home.

    ``after`` is the newest record of the same side about the layer, or zeros for the first. It stands in the
    relationship of the agreement, not in a channel.
    """

    kind: ClassVar[str] = "layer-told/1"
    crosses: ClassVar[bool] = True
    layer: Identifier
    version: Name
    title: Name
    digest: Digest
    since: Day
    withdrawn: bool
    by: Identifier
    after: Digest
    signature: PersonSignature
