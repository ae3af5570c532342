"""The rows about feeds, and their keys (``spec/feed.md`` steps 4 to 6)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

import msgspec

from comity.marking.label import Label
from comity.record.bodies.feeding import Posture, ReleasedType, UnderPosture
from comity.register.rows.base import Key, Row


class FeedWantedRow(Row, frozen=True, kw_only=True):
    """The terms on which a standing release was asked for in this house. Key: request id, as that of its request."""

    table: ClassVar[str] = "feed-wanted"
    feed: str
    label: Label
    topic: str
    subject: str
    until: datetime
    host: str
    schema: bytes
    terms: bytes


class FeedRow(Row, frozen=True, kw_only=True):
    """A feed. Key: ``relationship/publisher/feed``. ``release`` is its newest; ``epoch`` the newest key, 0 for none."""

    table: ClassVar[str] = "feed"
    release: str
    epoch: int = 0


class FeedEnd(msgspec.Struct, frozen=True, kw_only=True):
    """A party's word that a release is at its end."""

    party: str
    record: bytes
    at: datetime
    by: str
    reason: str


class FeedReleaseRow(Row, frozen=True, kw_only=True):
    """A standing release. Key: ``relationship/release``.

    Each party ends it once at most, whatever it has heard of the other; ``ends`` are in the order of the parties.
    ``followed`` is when the publisher said another release of the same feed, and ``by_release`` which.
    """

    table: ClassVar[str] = "feed-release"
    release: str
    record: bytes
    publisher: str
    feed: str
    label: Label
    alternative: Label | None
    topic: str
    subject: str
    purpose: str
    until: datetime
    host: str
    recipients: tuple[str, ...]
    agreement: bytes
    types: tuple[ReleasedType, ...]
    postures: tuple[UnderPosture, ...]
    at: datetime
    ends: tuple[FeedEnd, ...] = ()
    followed: datetime | None = None
    by_release: str = ""

    @property
    def ended(self) -> datetime | None:
        """When the first word of its end was said; None while there is none."""
        return min((each.at for each in self.ends), default=None)


class FeedToldRow(Row, frozen=True, kw_only=True):
    """A feed of the originator's information, which another party publishes. Key: ``relationship/publisher/release``.

    ``over`` is when the publisher said that it was over before its time.
    """

    table: ClassVar[str] = "feed-told"
    record: bytes
    release: str
    feed: str
    to: str
    host: str
    label: Label
    topic: str
    purpose: str
    until: datetime
    consents: tuple[str, ...]
    at: datetime
    over: datetime | None = None
    reason: str = ""


class FeedMarkRow(Row, frozen=True, kw_only=True):
    """How an originator marks what another party publishes of its information. Key: ``relationship/publisher/feed``."""

    table: ClassVar[str] = "feed-mark"
    mark: str
    reason: str
    by: str
    record: bytes
    at: datetime


class PostureRow(Row, frozen=True, kw_only=True):
    """What a party has declared last. Key: ``relationship/party``."""

    table: ClassVar[str] = "posture"
    posture: Posture
    until: datetime | None
    record: bytes
    at: datetime
    by: str
    reason: str


class FeedEpochRow(Row, frozen=True, kw_only=True):
    """The key of an epoch, sealed. Key: ``relationship/publisher/feed/epoch``."""

    table: ClassVar[str] = "feed-epoch"
    release: str
    record: bytes
    first: int
    key: bytes
    at: datetime


class FeedOriginalsRow(Row, frozen=True, kw_only=True):
    """Where the originals of some batches are logged here. Key: ``relationship/feed/batch``, the first of them."""

    table: ClassVar[str] = "feed-originals"
    release: str
    record: bytes
    batches: int
    root: bytes


class FeedReceiptRow(Row, frozen=True, kw_only=True):
    """How much of a feed its recipient has, as it said last. Key: ``relationship/publisher/feed``."""

    table: ClassVar[str] = "feed-receipt"
    record: bytes
    batches: int
    messages: int
    root: bytes
    at: datetime


class FeedReadRow(Row, frozen=True, kw_only=True):
    """Who was shown messages of a feed. Key: ``relationship/publisher/feed/first/record``."""

    table: ClassVar[str] = "feed-read"
    reader: str
    purpose: str
    first: int
    next: int
    messages: int
    basis: bytes
    at: datetime


def feed_wanted_key(request: str) -> Key:
    """Key of the terms of a request for a standing release."""
    return FeedWantedRow.table, request


def feed_key(relationship: str, publisher: str, feed: str) -> Key:
    """Key of a feed."""
    return FeedRow.table, f"{relationship}/{publisher}/{feed}"


def feed_release_key(relationship: str, release: str) -> Key:
    """Key of a standing release."""
    return FeedReleaseRow.table, f"{relationship}/{release}"


def feed_told_key(relationship: str, publisher: str, release: str) -> Key:
    """Key of what an originator was told of a feed."""
    return FeedToldRow.table, f"{relationship}/{publisher}/{release}"


def feed_mark_key(relationship: str, publisher: str, feed: str) -> Key:
    """Key of how an originator marks a feed of its information."""
    return FeedMarkRow.table, f"{relationship}/{publisher}/{feed}"


def posture_key(relationship: str, party: str) -> Key:
    """Key of what a party has declared."""
    return PostureRow.table, f"{relationship}/{party}"


def feed_epoch_key(relationship: str, publisher: str, feed: str, epoch: int) -> Key:
    """Key of an epoch."""
    return FeedEpochRow.table, f"{relationship}/{publisher}/{feed}/{epoch:09d}"


def feed_originals_key(relationship: str, feed: str, batch: int) -> Key:
    """Key of where originals are logged."""
    return FeedOriginalsRow.table, f"{relationship}/{feed}/{batch:012d}"


def feed_read_key(relationship: str, publisher: str, feed: str, first: int, record: bytes) -> Key:
    """Key of who was shown messages of a feed, from a number on."""
    return FeedReadRow.table, f"{relationship}/{publisher}/{feed}/{first:019d}/{record.hex()}"


def feed_receipt_key(relationship: str, publisher: str, feed: str) -> Key:
    """Key of the newest receipt of a feed."""
    return FeedReceiptRow.table, f"{relationship}/{publisher}/{feed}"
