"""What every body has, and the types of its fields (``spec/record.md`` step 6)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec

from comity.record.encoding import (
    LIST_ENTRIES_MAX,
    Count,
    Digest,
    Identifier,
    Name,
    Relationship,
    Signature,
    instant,
)

Names = Annotated[tuple[Name, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]
Identifiers = Annotated[tuple[Identifier, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]
Recipients = Annotated[tuple[Identifier, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
"""Never empty: an empty set of recipients is refused, it does not mean everyone."""
Numbers = Annotated[tuple[Count, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
Relationships = Annotated[tuple[Relationship, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]
Digests = Annotated[tuple[Digest, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]


class PersonSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person's own signature over the body that carries it (``person_act.py``); ``signer`` "root" is the party's."""

    signer: Identifier
    key: Digest
    signature: Signature


class InUtc(msgspec.Struct, frozen=True):
    """Whatever instants it has are in UTC: any other zone would be a second way of writing them."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, datetime):
                instant(value)


class Body(InUtc, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The root of all bodies. ``kind`` is the record type; ``crosses`` says in which family of chains it may stand."""

    kind: ClassVar[str]
    crosses: ClassVar[bool]
