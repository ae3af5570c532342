"""Change of level, recall, return and destruction: its records (Articles 6(g), 6(h), 13; ``spec/ending.md``)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.agreement.vocabulary import Method
from comity.marking.label import MARK_CHARACTERS_MAX
from comity.record.bodies.base import Body, PersonSignature
from comity.record.encoding import LIST_ENTRIES_MAX, Count, Digest, Identifier, Instant, Words

Mark = Annotated[str, msgspec.Meta(max_length=MARK_CHARACTERS_MAX)]
"""A mark as on its party's ladder; empty for what its originator has declassified."""
Asks = Literal["return", "destroy", "either"]
"""What a recall asks for."""


class Reclassified(Body, frozen=True, kw_only=True):
    """The originator changes the level of an item of its own, or reviews it and keeps it (Article 6(g)).

    ``review`` is when it is to be looked at again. ``after`` is the change before this one; zeros for the first.
    """

    kind: ClassVar[str] = "reclassification/1"
    crosses: ClassVar[bool] = False
    change: Identifier
    item: Identifier
    mark: Mark
    reason: Words
    review: Instant | None = None
    by: Identifier
    after: Digest
    signature: PersonSignature


class LevelChanged(Body, frozen=True, kw_only=True):
    """The written notice of that change to a party which the item was given to (Article 6(g))."""

    kind: ClassVar[str] = "level-change/1"
    crosses: ClassVar[bool] = True
    change: Identifier
    item: Identifier
    mark: Mark
    reason: Words
    review: Instant | None = None
    by: Identifier
    after: Digest
    signature: PersonSignature


class ChildMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something made from the item, and the mark on its maker's own ladder that it carries from now on."""

    item: Identifier
    mark: Mark


class Remarked(Body, frozen=True, kw_only=True):
    """The recipient has marked what it was given, its copies and what was made from it (Articles 4.2, 6(g)).

    ``change`` is the change that asked for it, None for the mark chosen at receipt. ``mark`` is the recipient's own.
    What the node itself renders is marked as soon as the register says so, and then nobody signs; what has to be
    stamped, or chosen, is signed by whoever did it. ``more`` announces a further part with more copies or children;
    all parts follow on the same record, and the last one counts as the proof.
    """

    kind: ClassVar[str] = "re-marking/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    change: Identifier | None = None
    mark: Mark
    copies: Annotated[tuple[Count, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()
    children: Annotated[tuple[ChildMark, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()
    more: bool = False
    after: Digest
    by: Identifier | None = None
    signature: PersonSignature | None = None


class PurposeEnded(Body, frozen=True, kw_only=True):
    """The recipient no longer needs an item for the purpose it was given for (Article 6(h))."""

    kind: ClassVar[str] = "purpose-ended/1"
    crosses: ClassVar[bool] = True
    ended: Identifier
    item: Identifier
    reason: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class Recalled(Body, frozen=True, kw_only=True):
    """Whoever gave an item asks for it back, or for its destruction.

    ``clause`` is the one that obliges the other side (``instrument:clause``); empty where nothing does, and it is asked
    all the same.
    """

    kind: ClassVar[str] = "recall/1"
    crosses: ClassVar[bool] = True
    recall: Identifier
    item: Identifier
    asks: Asks
    reason: Words
    answer_by: Instant | None = None
    clause: Words = ""
    by: Identifier
    after: Digest
    signature: PersonSignature


class RecallLifted(Body, frozen=True, kw_only=True):
    """Whoever recalled an item no longer asks for it."""

    kind: ClassVar[str] = "recall-lifted/1"
    crosses: ClassVar[bool] = True
    recall: Identifier
    item: Identifier
    reason: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class SentBack(Body, frozen=True, kw_only=True):
    """A holder sends his copy back; its key is erased there (Article 6(h)(i))."""

    kind: ClassVar[str] = "return/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    copy: Count
    reason: Words
    basis: Digest
    by: Identifier
    after: Digest
    signature: PersonSignature


class TakenBack(Body, frozen=True, kw_only=True):
    """A returned copy has come back to the side that it belongs to; ``after`` is the return."""

    kind: ClassVar[str] = "return-receipt/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    copy: Count
    by: Identifier
    after: Digest
    signature: PersonSignature


class Destroyed(Body, frozen=True, kw_only=True):
    """A holder's certificate that his copy is destroyed, and how (Articles 6(h)(ii), 13).

    It is complete when as many other people as ``witnesses`` says have signed it; until then the copy is closed.
    ``crisis`` says that it was done at once, because it was about to fall into other hands.
    """

    kind: ClassVar[str] = "destruction/1"
    crosses: ClassVar[bool] = True
    certificate: Identifier
    item: Identifier
    copy: Count
    method: Method
    reason: Words
    witnesses: Count = 0
    crisis: bool = False
    basis: Digest
    by: Identifier
    after: Digest
    signature: PersonSignature


class DestructionWitnessed(Body, frozen=True, kw_only=True):
    """Somebody else saw the destruction; or did not, and then the certificate is void and the copy is open again."""

    kind: ClassVar[str] = "destruction-witness/1"
    crosses: ClassVar[bool] = True
    certificate: Identifier
    item: Identifier
    copy: Count
    seen: bool
    reason: Words = ""
    by: Identifier
    after: Digest
    signature: PersonSignature


class CrisisHeard(Body, frozen=True, kw_only=True):
    """The originator's node has the certificate of a destruction in a crisis: it was told."""

    kind: ClassVar[str] = "crisis-heard/1"
    crosses: ClassVar[bool] = True
    certificate: Identifier
