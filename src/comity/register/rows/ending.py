"""Change of level, recall, return and destruction: the rows about it (Articles 6(g), 6(h), 13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from comity.agreement.vocabulary import Method
from comity.register.rows.base import Key, Row


class HoldingRow(Row, frozen=True, kw_only=True):
    """What is left of an item on the side that keeps it. Key: ``relationship/item``.

    Attributes:
        keeper: party id of the side whose people hold the copies.
        left: copies of it that are in transit, held or lost: what a return or a destruction has still to account for.
        below: the same of everything made from it.
        above: everything it was made from in this relationship, nearest and farthest, ascending.
        given: the mark it had when it was first given, or made.
        made: how many items were made from it, nearest and farthest, by the mark on their maker's ladder; ascending.
        ended: the latest record by which one of these copies came to its end, whatever was heard of last.
        ended_at: its instant.
    """

    table: ClassVar[str] = "holding"
    keeper: str
    left: int = 0
    below: int = 0
    above: tuple[str, ...] = ()
    given: str = ""
    made: tuple[tuple[str, int], ...] = ()
    ended: bytes = b""
    ended_at: datetime | None = None

    def with_end(self, at: datetime, record: bytes) -> HoldingRow:
        """With one more record by which a copy came to its end."""
        if self.ended_at is not None and (self.ended_at, self.ended) > (at, record):
            return self
        return msgspec.structs.replace(self, ended=record, ended_at=at)

    def with_made(self, moved: Mapping[str, int]) -> HoldingRow:
        """With so many more, or fewer, made from it under each mark."""
        counts = Counter(dict(self.made))
        counts.update(moved)
        made = tuple(sorted((mark, count) for mark, count in counts.items() if count))
        return msgspec.structs.replace(self, made=made)

    @property
    def gone(self) -> bool:
        """Whether every copy, and every copy of what was made from it, is accounted for."""
        return not self.left and not self.below


class LevelRow(Row, frozen=True, kw_only=True):
    """Where an item stands after changes of its level. Key: ``relationship/item``, ``domestic/item`` at home.

    Attributes:
        given: the originator's mark before the first change.
        mark: the originator's mark now.
        change: id of the newest change; empty while there was none.
        last: its record, which the next change names; zeros while there was none.
        review: when it is to be looked at again.
        pending: changes that the recipient was told of and has not carried out yet, oldest first.
        marked: the recipient's own mark as it last said; None until it says.
        marked_for: the change for which it said so, or empty.
        marking: the record that said so, which the next one names; zeros until then.
    """

    table: ClassVar[str] = "level"
    given: str
    mark: str
    change: str = ""
    last: bytes = bytes(32)
    review: datetime | None = None
    pending: tuple[str, ...] = ()
    marked: str | None = None
    marked_for: str = ""
    marking: bytes = bytes(32)


class ChangeRow(Row, frozen=True, kw_only=True):
    """One change of level. Key: ``relationship/item/change``. ``remarked`` is the proof that it was carried out.

    ``sequence`` is the place of its record in its chain: whoever cites a longer one had seen it.
    """

    table: ClassVar[str] = "level-change"
    change: str
    item: str
    before: str
    mark: str
    reason: str
    by: str
    at: datetime
    record: bytes
    review: datetime | None = None
    sequence: int
    remarked: bytes | None = None
    remarked_at: datetime | None = None


class ReviewRow(Row, frozen=True, kw_only=True):
    """Index of own items by the day on which they are to be reviewed. Key: ``instant/item``."""

    table: ClassVar[str] = "review"
    item: str


class EndedRow(Row, frozen=True, kw_only=True):
    """The recipient no longer needs an item. Key: ``relationship/item``."""

    table: ClassVar[str] = "ended"
    ended: str
    record: bytes
    reason: str
    by: str
    at: datetime


class RecallRow(Row, frozen=True, kw_only=True):
    """The newest recall of an item. Key: ``relationship/item``.

    Attributes:
        recall: its id.
        record: the recall.
        last: the newest record about it, which the next one names.
        author: party id of the side that asks.
        sequence: its place in that side's chain: whoever cites a longer one had seen it.
        asks: what it asks for.
        clause: what obliges the other side, as the author says; empty where nothing does.
        answer_by: until when it asks for an answer.
        lifted: when the author took it back.
    """

    table: ClassVar[str] = "recall"
    recall: str
    record: bytes
    last: bytes
    author: str
    sequence: int
    asks: Literal["return", "destroy", "either"]
    reason: str
    clause: str
    by: str
    at: datetime
    answer_by: datetime | None = None
    lifted: datetime | None = None
    lifted_reason: str = ""

    @property
    def recalled(self) -> bool:
        """Whether it stands."""
        return self.lifted is None


class Witnessed(msgspec.Struct, frozen=True):
    """One signature under a certificate: who, with which key, in which record, when."""

    by: str
    key: bytes
    record: bytes
    at: datetime


class EndingRow(Row, frozen=True, kw_only=True):
    """How a copy ended, or is about to. Key: ``relationship/item/number``.

    Attributes:
        way: by return or by destruction.
        record: what its holder said.
        last: the newest record about it, which a witness names.
        by: the holder.
        key: the signing key with which he said it.
        at: its instant.
        certificate: id of the certificate; empty for a return.
        method: how it was destroyed.
        needed: witnesses that the certificate waits for in all.
        witnesses: those who have signed.
        crisis: whether it was destroyed at once.
        heard: when the originator's node said that it was told of that.
        done: when the copy came back, or the certificate was complete.
        void: why the certificate counts for nothing, as the witness said who did not see it.
    """

    table: ClassVar[str] = "ending"
    way: Literal["return", "destruction"]
    record: bytes
    last: bytes
    by: str
    key: bytes
    at: datetime
    reason: str
    certificate: str = ""
    method: Method | None = None
    needed: int = 0
    witnesses: tuple[Witnessed, ...] = ()
    crisis: bool = False
    heard: datetime | None = None
    done: datetime | None = None
    void: str | None = None

    @property
    def pending(self) -> bool:
        """Whether something is still to come: the receipt, or a witness."""
        return self.done is None and self.void is None


class CertificateRow(Row, frozen=True, kw_only=True):
    """Index of certificates of destruction. Key: ``relationship/certificate``."""

    table: ClassVar[str] = "certificate"
    item: str
    copy: int
    record: bytes


def holding_key(relationship: str, item: str) -> Key:
    """Key of the row about what is left of an item."""
    return HoldingRow.table, f"{relationship}/{item}"


def level_key(relationship: str, item: str) -> Key:
    """Key of the row about an item's level."""
    return LevelRow.table, f"{relationship}/{item}"


def change_key(relationship: str, item: str, change: str) -> Key:
    """Key of a row about one change of level."""
    return ChangeRow.table, f"{relationship}/{item}/{change}"


def review_key(review: datetime, item: str) -> Key:
    """Key of a row in the index of reviews."""
    return ReviewRow.table, f"{review:%Y-%m-%dT%H:%M:%S}.{review.microsecond:06d}Z/{item}"


def ended_key(relationship: str, item: str) -> Key:
    """Key of the row that says an item is no longer needed."""
    return EndedRow.table, f"{relationship}/{item}"


def recall_key(relationship: str, item: str) -> Key:
    """Key of the row about an item's newest recall."""
    return RecallRow.table, f"{relationship}/{item}"


def ending_key(relationship: str, item: str, number: int) -> Key:
    """Key of the row about how a copy ended."""
    return EndingRow.table, f"{relationship}/{item}/{number:06d}"


def certificate_key(relationship: str, certificate: str) -> Key:
    """Key of a row in the index of certificates."""
    return CertificateRow.table, f"{relationship}/{certificate}"
