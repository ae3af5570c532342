"""Consent, showing and passing on: the rows about it (Articles 6(a), 6(c), 8; ``spec/consent.md``).

A consent speaks of one item, or of a pattern: every item of a topic, a subject or a mark. What holds for one item is
found by eight keys of patterns and one of the item itself, however many consents there are.
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from itertools import product
from typing import ClassVar, Literal

import msgspec

from comity.marking.label import Label
from comity.register.rows.base import Key, Row

BeneficiaryKind = Literal["party", "government", "person", "firm", "institution", "organisation", "body"]
"""What kind of body gains: one of the parties, or, in the words of Article 6(a), what is of a third country."""


class ConsentAskedRow(Row, frozen=True, kw_only=True):
    """A request for consent, ours or theirs. Key: ``relationship/request``.

    ``consent`` is the id of the answer, None while there is silence.
    """

    table: ClassVar[str] = "consent-asked"
    request: str
    record: bytes
    author: str
    item: str
    label: Label
    acts: tuple[str, ...]
    beneficiaries: tuple[str, ...]
    kind: BeneficiaryKind
    purpose: str
    reason: str
    at: datetime
    until: datetime
    answer_by: datetime | None = None
    consent: str | None = None


class ConsentRow(Row, frozen=True, kw_only=True):
    """A consent of the originator, or its refusal. Key: ``relationship/consent``.

    One item (``item``), or the pattern of ``topic``, ``subject`` and ``marks``: what is not named is not asked about.
    ``until`` is the first instant at which it no longer holds; None in a refusal.
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

    def holds(self, at: datetime) -> bool:
        """Whether it is a consent that holds at ``at``: given by then, not ended, not withdrawn."""
        return (
            self.granted
            and self.until is not None
            and self.at <= at < self.until
            and (self.withdrawn is None or at < self.withdrawn)
        )


class ConsentEntry(msgspec.Struct, frozen=True):
    """A consent in the list of what it speaks of, and when it ends."""

    consent: str
    until: datetime


class ConsentListRow(Row, frozen=True, kw_only=True):
    """Index: the consents to one item or one pattern that were not withdrawn; ended ones go at the next change.

    Key: ``relationship/originator/item/ITEM`` or ``relationship/originator/pattern/DIGEST``.
    """

    table: ClassVar[str] = "consent-list"
    consents: tuple[ConsentEntry, ...]


def consent_asked_key(relationship: str, request: str) -> Key:
    """Key of a request for consent."""
    return ConsentAskedRow.table, f"{relationship}/{request}"


def consent_key(relationship: str, consent: str) -> Key:
    """Key of a consent."""
    return ConsentRow.table, f"{relationship}/{consent}"


def item_consents_key(relationship: str, originator: str, item: str) -> Key:
    """Key of the list of consents to one item."""
    return ConsentListRow.table, f"{relationship}/{originator}/item/{item}"


def pattern_consents_key(relationship: str, originator: str, topic: str, subject: str, mark: str) -> Key:
    """Key of the list of consents to a pattern; an empty word stands for what the pattern does not name."""
    digest = sha256(msgspec.json.encode((topic, subject, mark))).hexdigest()
    return ConsentListRow.table, f"{relationship}/{originator}/pattern/{digest}"


def consent_list_keys(relationship: str, row: ConsentRow) -> list[Key]:
    """Under which keys a consent is listed: its item, or its pattern with each of its marks."""
    if row.item is not None:
        return [item_consents_key(relationship, row.author, row.item)]
    return [
        pattern_consents_key(relationship, row.author, row.topic or "", row.subject or "", mark)
        for mark in row.marks or ("",)
    ]


def consent_lists_of(relationship: str, originator: str, item: str, topic: str, subject: str, mark: str) -> list[Key]:
    """The keys of every list that may have a consent to an item with these words on its label."""
    patterns = product((topic, ""), (subject, ""), (mark, ""))
    keys = [pattern_consents_key(relationship, originator, *words) for words in patterns if any(words)]
    return [item_consents_key(relationship, originator, item), *keys]
