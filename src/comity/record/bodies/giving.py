"""Crossing records about giving, from the acknowledged text to the opened copy (``spec/record.md`` step 6)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.marking.label import Label
from comity.record.bodies.base import Body, Digests, Names, Numbers, PersonSignature, Recipients
from comity.record.encoding import LIST_ENTRIES_MAX, Count, Digest, Identifier, Letter, Name, Words


class Acknowledged(Body, frozen=True, kw_only=True):
    """A party accepts a version of the agreement file as its working model, by its root key or an authorised person."""

    kind: ClassVar[str] = "acknowledgement/1"
    crosses: ClassVar[bool] = True
    agreement: Identifier
    digest: Digest
    signature: PersonSignature


class Listed(Body, frozen=True, kw_only=True):
    """An entry of the directory: a function that can receive, or can sign, known by its pseudonym.

    ``receives`` is false for somebody to whom nothing new may go, though he still signs for what he holds.
    """

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
    receives: bool = True


class AssuranceAsked(Body, frozen=True, kw_only=True):
    """The providing party asks for the assurance of Article 7.5 before it hands anything over, or shows it."""

    kind: ClassVar[str] = "assurance-request/1"
    crosses: ClassVar[bool] = True
    request: Identifier
    item: Identifier
    label: Label
    form: Name
    topic: Name
    purpose: Words
    recipients: Recipients
    act: Literal["give", "show", "feed"] = "give"


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
    ``rights`` names the patents, copyright or trade secrets in it, which the receiver respects (Article 6(d)). What is
    another party's is handed on with that party's ``letter`` of consent (``spec/routes.md``).
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
    rights: Words = ""
    letter: Letter = b""


class Received(Body, frozen=True, kw_only=True):
    """The consignment is whole, unaltered and registered on the other side (Article 12).

    ``letter`` says the same to the originator of what was handed on (``spec/routes.md``).
    """

    kind: ClassVar[str] = "receipt/1"
    crosses: ClassVar[bool] = True
    consignment: Digest
    item: Identifier
    copies: Numbers
    letter: Letter = b""


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
