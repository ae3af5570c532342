"""Feeds: what records say of messages that cross as they come (``spec/feed.md``)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.marking.label import Label
from comity.record.bodies.base import Body, Identifiers, PersonSignature, Recipients
from comity.record.encoding import LIST_ENTRIES_MAX, Count, Digest, Identifier, Instant, Name, Relationship, Words

Posture = Literal["normal", "heightened", "crisis"]
"""What a party has declared, from the least that is shared to the most."""
POSTURES: tuple[Posture, ...] = ("normal", "heightened", "crisis")
EPOCH_KEY_BYTES_MAX = 16_384
"""Longest key of an epoch as it is sealed to its recipients, in bytes."""

FieldName = Annotated[str, msgspec.Meta(pattern=r"\A[A-Za-z][A-Za-z0-9_]{0,63}\Z")]
"""The name of a field, as schemas have it (``spec/feed.md`` step 1)."""


class ReleasedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A field that crosses under some posture: its name, of what kind it is, and its mark."""

    name: FieldName
    kind: Literal["text", "integer", "number", "boolean", "instant"]
    mark: Name
    optional: bool = False
    role: Literal["", "position", "time", "speed"] = ""


class ReleasedType(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """A type of message as its recipient knows it. ``time`` and ``source`` are there where they cross."""

    type: Identifier
    fields: Annotated[tuple[ReleasedField, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
    time: FieldName | None = None
    source: FieldName | None = None


class Rounded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A field that crosses rounded, and its step."""

    field: FieldName
    step: Name


class Crossed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What crosses of one type under one posture: ``delay`` in seconds, ``rate`` in messages a second at most."""

    type: Identifier
    fields: Annotated[tuple[FieldName, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
    rounded: Annotated[tuple[Rounded, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()
    delay: Count = 0
    rate: Count | None = None


class UnderPosture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What crosses while a posture holds; nothing where it names no type."""

    posture: Posture
    types: Annotated[tuple[Crossed, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)] = ()


class FeedRequested(Body, frozen=True, kw_only=True):
    """Somebody asks for a standing release: which feed, to whom, on which terms. It stays in this house.

    ``schema`` and ``terms`` are the digests of the texts as they were written: what messages there are, and what of
    them crosses.
    """

    kind: ClassVar[str] = "feed-request/1"
    crosses: ClassVar[bool] = False
    request: Identifier
    feed: Identifier
    relationship: Relationship
    recipients: Recipients
    label: Label
    topic: Name
    subject: Name
    purpose: Words
    until: Instant
    host: Identifier
    schema: Digest
    terms: Digest
    by: Identifier
    signature: PersonSignature


class FeedReleased(Body, frozen=True, kw_only=True):
    """A standing release: what may cross from now on, without anybody being asked again, until when.

    The author publishes. ``label.originator`` is whose information it is, ``host`` the party on whose ground, or in
    whose hands, the source stands. ``types`` is all that the recipient learns of the schema: what never crosses is not
    in it. There is one table for each posture.
    """

    kind: ClassVar[str] = "feed-release/1"
    crosses: ClassVar[bool] = True
    release: Identifier
    feed: Identifier
    label: Label
    alternative: Label | None
    topic: Name
    subject: Name
    purpose: Words
    until: Instant
    host: Identifier
    recipients: Recipients
    agreement: Digest
    types: Annotated[tuple[ReleasedType, ...], msgspec.Meta(min_length=1, max_length=LIST_ENTRIES_MAX)]
    postures: Annotated[tuple[UnderPosture, ...], msgspec.Meta(min_length=3, max_length=3)]
    basis: Digest


class FeedTold(Body, frozen=True, kw_only=True):
    """The publisher tells an originator what of its information it publishes: to whom, on whose ground, until when.

    ``release`` and ``feed`` are as the other party knows them; ``consents`` those of the originator that it rests on.
    """

    kind: ClassVar[str] = "feed-told/1"
    crosses: ClassVar[bool] = True
    release: Identifier
    feed: Identifier
    to: Identifier
    host: Identifier
    label: Label
    topic: Name
    purpose: Words
    until: Instant
    consents: Identifiers = ()


class FeedOver(Body, frozen=True, kw_only=True):
    """The publisher tells an originator that what it was told of is over before its time."""

    kind: ClassVar[str] = "feed-over/1"
    crosses: ClassVar[bool] = True
    release: Identifier
    reason: Words


class FeedMarked(Body, frozen=True, kw_only=True):
    """An originator says how it marks from now on what another party publishes of its information.

    ``release`` is one that it was told of; ``mark`` is of its own ladder. ``after`` is the record by which it was told,
    or its own word before this one.
    """

    kind: ClassVar[str] = "feed-mark/1"
    crosses: ClassVar[bool] = True
    release: Identifier
    feed: Identifier
    mark: Name
    reason: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class FeedEnded(Body, frozen=True, kw_only=True):
    """Either party ends a standing release, from now on; ``after`` is the record of the release."""

    kind: ClassVar[str] = "feed-ended/1"
    crosses: ClassVar[bool] = True
    release: Identifier
    reason: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class PostureDeclared(Body, frozen=True, kw_only=True):
    """A party declares its posture, until an instant; what is above ``normal`` has one.

    ``after`` is the party's declaration before this one, or zeros for the first.
    """

    kind: ClassVar[str] = "posture/1"
    crosses: ClassVar[bool] = True
    posture: Posture
    until: Instant | None = None
    reason: Words
    by: Identifier
    after: Digest
    signature: PersonSignature


class FeedEpoch(Body, frozen=True, kw_only=True):
    """The key of the batches to come, sealed to whoever opens them at the recipient.

    ``epoch`` counts from 1 in the feed; ``first`` is the number of the next message when it was made.
    """

    kind: ClassVar[str] = "feed-epoch/1"
    crosses: ClassVar[bool] = True
    release: Identifier
    feed: Identifier
    epoch: Count
    first: Count
    key: Annotated[bytes, msgspec.Meta(max_length=EPOCH_KEY_BYTES_MAX)]


class FeedOriginals(Body, frozen=True, kw_only=True):
    """The publisher logs what it published, as it was: the root over the originals of some batches of its feed's log.

    ``batch`` is the first of them, counted from 0 in the log, and ``batches`` how many there are.
    """

    kind: ClassVar[str] = "feed-originals/1"
    crosses: ClassVar[bool] = False
    relationship: Relationship
    feed: Identifier
    release: Identifier
    batch: Count
    batches: Count
    root: Digest


class FeedReceipted(Body, frozen=True, kw_only=True):
    """The recipient has the feed durably up to here: so many batches, so many messages, and the root of the log."""

    kind: ClassVar[str] = "feed-receipt/1"
    crosses: ClassVar[bool] = True
    feed: Identifier
    batches: Count
    messages: Count
    root: Digest


class FeedRead(Body, frozen=True, kw_only=True):
    """Somebody of this house was shown messages of a feed: how many, from ``first`` to before ``next``.

    ``reader`` is his pseudonym in the relationship, ``basis`` the decision that let him read.
    """

    kind: ClassVar[str] = "feed-read/1"
    crosses: ClassVar[bool] = False
    relationship: Relationship
    publisher: Identifier
    feed: Identifier
    reader: Identifier
    purpose: Words
    first: Count
    next: Count
    messages: Count
    basis: Digest
