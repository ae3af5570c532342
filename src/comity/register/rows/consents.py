"""Consent, showing and passing on: the rows about it (Articles 6(a), 6(c), 8; ``spec/consent.md``).

A consent speaks of one item, or of a pattern: every item of a topic, a subject or a mark. What holds for one item is
found by seven keys of patterns and one of the item itself, however many consents there are.
"""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from itertools import product
from typing import ClassVar, Literal

import msgspec

from comity.marking.label import Label
from comity.record.bodies.consents import BeneficiaryKind
from comity.register.rows.base import Key, Row

PATTERNS_REMEMBERED_MAX = 4_096
"""Keys of patterns that need not be made again: the items of a register are about few topics, subjects and marks."""


class ConsentWantedRow(Row, frozen=True, kw_only=True):
    """Who of this house wants a consent. Key: request id. Nothing of it crosses. ``dropped``: who no longer does."""

    table: ClassVar[str] = "consent-wanted"
    record: bytes
    relationship: str
    item: str
    acts: tuple[str, ...]
    beneficiaries: tuple[str, ...]
    beneficiary_kind: BeneficiaryKind
    purpose: str
    reason: str
    until: datetime
    answer_by: datetime | None = None
    by: str
    dropped: bytes | None = None
    topic: str | None = None


class ConsentAskedRow(Row, frozen=True, kw_only=True):
    """A request for consent, ours or theirs. Key: ``relationship/request``.

    ``function`` is the function that asks, as the other party may know it; ``consent`` the id of the answer, None while
    there is silence; ``dropped`` when whoever asked no longer did. The sequences are the places of the answer and of
    the dropping in their authors' chains: who cites a longer chain had seen them. Where the two crossed on the way,
    both stand. With ``topic`` it is about a feed, and ``item`` is its name.
    """

    table: ClassVar[str] = "consent-asked"
    request: str
    record: bytes
    author: str
    function: str
    item: str
    label: Label
    acts: tuple[str, ...]
    beneficiaries: tuple[str, ...]
    beneficiary_kind: BeneficiaryKind
    purpose: str
    reason: str
    at: datetime
    until: datetime
    answer_by: datetime | None = None
    consent: str | None = None
    dropped: datetime | None = None
    answered_sequence: int | None = None
    dropped_sequence: int | None = None
    topic: str | None = None

    def lapsed(self, at: datetime) -> bool:
        """Whether the time to answer it was over at ``at``: what was asked for has ended, or the day set for it has."""
        return at >= self.until or (self.answer_by is not None and at >= self.answer_by)


class ConsentRow(Row, frozen=True, kw_only=True):
    """A consent of the originator, or its refusal. Key: ``relationship/consent``.

    One item (``item``), or the pattern of ``topic``, ``subject`` and ``marks``: what is not named is not asked about.
    ``until`` is the first instant at which it no longer holds; None in a refusal. ``withdrawn_sequence`` is the place
    of its withdrawal in the chain of whoever gave it: who cites a longer chain had seen it.
    """

    table: ClassVar[str] = "consent"
    consent: str
    record: bytes
    author: str
    granted: bool
    acts: tuple[str, ...]
    beneficiaries: tuple[str, ...]
    purpose: str
    by: str
    at: datetime
    request: str | None = None
    item: str | None = None
    topic: str | None = None
    subject: str | None = None
    marks: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    until: datetime | None = None
    reason: str = ""
    withdrawn: datetime | None = None
    withdrawal: bytes | None = None
    withdrawal_reason: str = ""
    withdrawn_sequence: int | None = None

    def holds(self, at: datetime) -> bool:
        """Whether it is a consent that holds at ``at``: given, not ended, not withdrawn."""
        ended = self.until is None or at >= self.until or (self.withdrawn is not None and at >= self.withdrawn)
        return self.granted and not ended

    def speaks_of(self, item: str, topic: str, subject: str, mark: str) -> bool:
        """Whether it is about this item, by itself or by its pattern."""
        if self.item is not None:
            return self.item == item
        return (
            self.topic in (None, topic) and self.subject in (None, subject) and (not self.marks or mark in self.marks)
        )


class ConsentEntry(msgspec.Struct, frozen=True):
    """A consent in the list of what it speaks of: its id, whose it is, and when it ends."""

    consent: str
    author: str
    until: datetime


class ConsentListRow(Row, frozen=True, kw_only=True):
    """Index: the consents to one item or one pattern that were not withdrawn; ended ones go at the next change.

    Key: ``relationship/item/ITEM`` or ``relationship/pattern/DIGEST``.
    """

    table: ClassVar[str] = "consent-list"
    consents: tuple[ConsentEntry, ...]


class ShownRow(Row, frozen=True, kw_only=True):
    """Something was shown, and no copy made. Key: ``relationship/item/record``, the record in hex."""

    table: ClassVar[str] = "shown"
    record: bytes
    author: str
    item: str
    label: Label
    manner: Literal["oral", "visual"]
    purpose: str
    to: tuple[str, ...]
    by: str
    shown: datetime
    at: datetime
    visit: str | None = None


class ShownItemRow(Row, frozen=True, kw_only=True):
    """An item was shown to the other party, whether a copy of it was given or not. Key: ``relationship/item``.

    ``mark`` is the one under which it was last shown: of what was only shown no change of level is notified.
    """

    table: ClassVar[str] = "shown-item"
    author: str
    mark: str


class PassedOnRow(Row, frozen=True, kw_only=True):
    """A copy went to somebody outside the parties. Key: ``relationship/item/number``, as its copy's.

    ``receipt`` is where the receipt of that body can be found, in words; None while there is none.
    """

    table: ClassVar[str] = "passed-on"
    record: bytes
    item: str
    number: int
    beneficiary: str
    beneficiary_kind: BeneficiaryKind
    nationality: str
    purpose: str
    consents: tuple[str, ...]
    header: bytes
    sealed_to: bytes
    by: str
    at: datetime
    receipt: str | None = None
    receipted: datetime | None = None


def consent_wanted_key(request: str) -> Key:
    """Key of a person's wish for a consent."""
    return ConsentWantedRow.table, request


def consent_asked_key(relationship: str, request: str) -> Key:
    """Key of a request for consent."""
    return ConsentAskedRow.table, f"{relationship}/{request}"


def consent_key(relationship: str, consent: str) -> Key:
    """Key of a consent."""
    return ConsentRow.table, f"{relationship}/{consent}"


def shown_key(relationship: str, item: str, record: bytes) -> Key:
    """Key of a showing."""
    return ShownRow.table, f"{relationship}/{item}/{record.hex()}"


def shown_item_key(relationship: str, item: str) -> Key:
    """Key under which it stands that an item was shown to the other party."""
    return ShownItemRow.table, f"{relationship}/{item}"


def passed_on_key(relationship: str, item: str, number: int) -> Key:
    """Key of a copy's passing on."""
    return PassedOnRow.table, f"{relationship}/{item}/{number:06d}"


def item_consents_key(relationship: str, item: str) -> Key:
    """Key of the list of consents to one item."""
    return ConsentListRow.table, f"{relationship}/item/{item}"


@lru_cache(maxsize=PATTERNS_REMEMBERED_MAX)
def pattern_consents_key(relationship: str, topic: str, subject: str, mark: str) -> Key:
    """Key of the list of consents to a pattern; an empty word stands for what the pattern does not name."""
    digest = sha256(msgspec.json.encode((topic, subject, mark))).hexdigest()
    return ConsentListRow.table, f"{relationship}/pattern/{digest}"


def consent_list_keys(
    relationship: str, item: str | None, topic: str | None, subject: str | None, marks: tuple[str, ...]
) -> list[Key]:
    """Under which keys a consent is listed: its item, or its pattern with each of its marks."""
    if item is not None:
        return [item_consents_key(relationship, item)]
    return [pattern_consents_key(relationship, topic or "", subject or "", mark) for mark in marks or ("",)]


def consent_lists_of(relationship: str, item: str, topic: str, subject: str, mark: str) -> list[Key]:
    """The keys of every list that may have a consent to an item of this topic, subject and mark."""
    patterns = product((topic, ""), (subject, ""), (mark, ""))
    keys = [pattern_consents_key(relationship, *words) for words in patterns if any(words)]
    return [item_consents_key(relationship, item), *keys]
