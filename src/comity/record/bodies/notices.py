"""Authorities, laws, disputes, deposits and costs: what records say (Articles 2(d), 3, 19, 20; ``spec/notices.md``)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.record.bodies.base import Body, Identifiers, PersonSignature
from comity.record.encoding import NAME_CHARACTERS_MAX, Digest, Identifier, Name, Relationship, Words

Day = Annotated[str, msgspec.Meta(pattern=r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
"""A calendar day, ``2026-11-21``; that there is such a day, the rule checks."""
Said = Annotated[Words, msgspec.Meta(min_length=1)]
"""A sentence that is not empty."""
Subject = Annotated[str, msgspec.Meta(pattern=r"\A[a-z0-9]+(?:[./-][a-z0-9]+)*\Z", max_length=NAME_CHARACTERS_MAX)]
"""An identifier, or several joined by ``/``, as subjects of duties are named."""
AMOUNT_PATTERN = r"\A(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,4})?\Z"
Amount = Annotated[str, msgspec.Meta(pattern=AMOUNT_PATTERN)]
"""An amount of money in decimal digits; never a binary fraction."""
CURRENCY_PATTERN = r"\A[A-Z]{3}\Z"
Currency = Annotated[str, msgspec.Meta(pattern=CURRENCY_PATTERN)]
"""Three capital letters, as ISO 4217 has them."""
LawChange = Literal["stated", "enacted", "amended", "repealed"]
"""Whether a law is told as it stands, or a change of it is."""
DisputeAbout = Literal["item", "duty", "reading"]
"""What a dispute is about: an item, a duty about a subject, or how a clause is to be read."""


class Designated(Body, frozen=True, kw_only=True):
    """A party designates a competent authority from a day on, and tells the other side (Article 2(d))."""

    kind: ClassVar[str] = "designation/1"
    crosses: ClassVar[bool] = True
    designation: Identifier
    authority: Name
    since: Day
    note: Name
    by: Identifier
    signature: PersonSignature


class DesignationEnded(Body, frozen=True, kw_only=True):
    """A designation of its author holds no longer, from a day on."""

    kind: ClassVar[str] = "designation-ended/1"
    crosses: ClassVar[bool] = True
    designation: Identifier
    since: Day
    note: Name
    by: Identifier
    signature: PersonSignature


class LawNotified(Body, frozen=True, kw_only=True):
    """A party tells of a law of its own that bears on protection, or of its change, unprompted (Article 3).

    ``after`` is the newest notice about the same law, or zeros for the first.
    """

    kind: ClassVar[str] = "law-notice/1"
    crosses: ClassVar[bool] = True
    law: Identifier
    title: Name
    change: LawChange
    in_force: Day
    says: Said
    note: Name
    by: Identifier
    after: Digest
    signature: PersonSignature


class LawAsked(Body, frozen=True, kw_only=True):
    """A party asks for the other side's laws on a matter (Article 3)."""

    kind: ClassVar[str] = "law-request/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    matter: Said
    by: Identifier
    signature: PersonSignature


class LawAnswered(Body, frozen=True, kw_only=True):
    """The answer to such a request: which laws of the register of laws bear on it, and what there is to say."""

    kind: ClassVar[str] = "law-answer/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    laws: Identifiers
    says: Said
    note: Name
    by: Identifier
    signature: PersonSignature


class DisputeOpened(Body, frozen=True, kw_only=True):
    """A consultation is opened about an item, a duty or a reading, with the position of its author (Article 20).

    ``subject`` is the item, the subject of the duty, or the clause; ``obligation`` names the duty. What was deposited
    beforehand is named in ``deposits``.
    """

    kind: ClassVar[str] = "dispute/1"
    crosses: ClassVar[bool] = True
    dispute: Identifier
    about: DisputeAbout
    subject: Subject
    obligation: Identifier | None = None
    question: Said
    position: Said
    deposits: Identifiers = ()
    by: Identifier
    signature: PersonSignature


class PositionTaken(Body, frozen=True, kw_only=True):
    """A position of either side in a dispute; ``after`` is that side's newest record about it, or the opening."""

    kind: ClassVar[str] = "position/1"
    crosses: ClassVar[bool] = True
    dispute: Identifier
    says: Said
    deposits: Identifiers = ()
    by: Identifier
    after: Digest
    signature: PersonSignature


class SettlementSigned(Body, frozen=True, kw_only=True):
    """One side signs a text that settles a dispute; it is settled once both have signed the same text.

    ``digest`` is SHA-256 of the text; ``text`` is the text itself, where it is short. ``after`` is that side's newest
    record about the dispute, or the opening.
    """

    kind: ClassVar[str] = "settlement/1"
    crosses: ClassVar[bool] = True
    dispute: Identifier
    digest: Digest
    text: Said | None = None
    by: Identifier
    after: Digest
    signature: PersonSignature


class Deposited(Body, frozen=True, kw_only=True):
    """A commitment to a statement or a log that nobody sees yet; from here on nobody can change it."""

    kind: ClassVar[str] = "deposit/1"
    crosses: ClassVar[bool] = True
    deposit: Identifier
    commitment: Digest
    about: Said
    by: Identifier
    signature: PersonSignature


class Revealed(Body, frozen=True, kw_only=True):
    """What was deposited: its digest, the salt, and the text itself where it is short."""

    kind: ClassVar[str] = "reveal/1"
    crosses: ClassVar[bool] = True
    deposit: Identifier
    salt: Digest
    digest: Digest
    text: Said | None = None
    by: Identifier
    signature: PersonSignature


class OutlayNoted(Body, frozen=True, kw_only=True):
    """What this house spent on carrying out an agreement; each side bears its own costs (Article 19). Never crosses."""

    kind: ClassVar[str] = "outlay/1"
    crosses: ClassVar[bool] = False
    outlay: Identifier
    relationship: Relationship
    amount: Amount
    currency: Currency
    day: Day
    purpose: Said
    item: Identifier | None = None
    by: Identifier
    signature: PersonSignature
