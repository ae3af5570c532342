"""What is made from received information: its records (Articles 4.3, 15; ``spec/lineage.md``)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.marking.label import Label
from comity.record.bodies.base import Body, PersonSignature
from comity.record.bodies.giving import CopyMade
from comity.record.encoding import LIST_ENTRIES_MAX, Count, Digest, Identifier, Name, Words

Made = Literal["translation", "extract", "contains"]
"""How something new came from what was received; a copy is no new item (``reproduction/1``)."""
ANCESTORS_MAX = 64
"""Most ancestors of one item: all of them stand in each decision about it, and a decision is one record."""


class Ancestor(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What something was made from: the item, the copy that its maker held, and the decision that permitted it."""

    item: Identifier
    copy: Count
    basis: Digest


class Derived(Body, frozen=True, kw_only=True):
    """A party made something new from what it was given (Articles 4.3, 15).

    It names only the ancestors that came through its relationship. ``label`` is on the maker's own ladder and never
    below an ancestor's. ``note`` is the agreement's note on a translation in ``language``, as it stands on it.
    Whoever made it signs as ``by``.
    """

    kind: ClassVar[str] = "derivation/1"
    crosses: ClassVar[bool] = True
    item: Identifier
    relation: Made
    ancestors: Annotated[tuple[Ancestor, ...], msgspec.Meta(min_length=1, max_length=ANCESTORS_MAX)]
    label: Label
    form: Name
    topic: Name
    subject: Name
    purpose: Words
    language: Identifier | None = None
    note: Words = ""
    agreement: Digest
    payload: Digest
    size: Count
    content: Digest
    copies: Annotated[tuple[CopyMade, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
    by: Identifier
    signature: PersonSignature
