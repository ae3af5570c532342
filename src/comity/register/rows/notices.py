"""The rows about authorities, laws, disputes, deposits and costs, and their keys (``spec/notices.md``)."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal

import msgspec

from comity.register.rows.base import Key, Row


class DesignationRow(Row, frozen=True, kw_only=True):
    """A designation of a competent authority, by its days as written. Key: ``relationship/party/designation``."""

    table: ClassVar[str] = "designation"
    designation: str
    party: str
    authority: str
    since: str
    note: str
    record: bytes
    at: datetime
    until: str = ""
    end_note: str = ""
    ended: bytes | None = None


class LawRow(Row, frozen=True, kw_only=True):
    """A law of a party, as last told; ``notices`` are all records about it. Key: ``relationship/party/law``."""

    table: ClassVar[str] = "law"
    law: str
    party: str
    title: str
    change: Literal["stated", "enacted", "amended", "repealed"]
    in_force: str
    says: str
    note: str
    at: datetime
    notices: tuple[bytes, ...]

    @property
    def last(self) -> bytes:
        """The newest notice."""
        return self.notices[-1]


class LawRequestRow(Row, frozen=True, kw_only=True):
    """A request for laws. Key: ``relationship/request``."""

    table: ClassVar[str] = "law-request"
    request: str
    author: str
    matter: str
    record: bytes
    at: datetime
    answer: bytes | None = None
    answered: datetime | None = None
    laws: tuple[str, ...] = ()
    says: str = ""


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one side says in a dispute."""

    party: str
    by: str
    says: str
    record: bytes
    at: datetime
    deposits: tuple[str, ...] = ()


class Proposed(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text of settlement that one side signed, at which place of its chain, having seen how much of the other one."""

    party: str
    by: str
    digest: bytes
    record: bytes
    at: datetime
    sequence: int
    seen: int
    text: str | None = None


class Spoken(msgspec.Struct, frozen=True):
    """The newest record of one side in a dispute, and how many it has written after the opening."""

    party: str
    record: bytes
    records: int


class DisputeRow(Row, frozen=True, kw_only=True):
    """A dispute. Key: ``relationship/dispute``.

    ``positions`` begin with the opening; the others, and ``proposed``, the texts that were signed, stand by their time,
    so that they stand alike on both sides, in whatever order each heard of them. ``spoken`` is by party.
    """

    table: ClassVar[str] = "dispute"
    dispute: str
    author: str
    about: Literal["item", "duty", "reading"]
    subject: str
    question: str
    record: bytes
    at: datetime
    positions: tuple[Position, ...]
    obligation: str | None = None
    proposed: tuple[Proposed, ...] = ()
    spoken: tuple[Spoken, ...] = ()
    settled: bytes | None = None
    settled_at: datetime | None = None
    settlement: bytes | None = None

    def last(self, party: str) -> bytes:
        """The newest record of a side, or the opening: what the next record of that side follows on."""
        return next((each.record for each in self.spoken if each.party == party), self.record)

    def records(self, party: str) -> int:
        """How many records a side has written after the opening."""
        return next((each.records for each in self.spoken if each.party == party), 0)


class DepositRow(Row, frozen=True, kw_only=True):
    """A deposit, revealed or not. Key: ``relationship/deposit``. ``sequence`` is its place in its author's chain."""

    table: ClassVar[str] = "deposit"
    deposit: str
    party: str
    about: str
    commitment: bytes
    record: bytes
    sequence: int
    at: datetime
    reveal: bytes | None = None
    revealed: datetime | None = None
    digest: bytes | None = None
    salt: bytes | None = None
    text: str | None = None


class OutlayRow(Row, frozen=True, kw_only=True):
    """What this house spent. Key: ``relationship/day/outlay``, so that a scan lists them by day."""

    table: ClassVar[str] = "outlay"
    outlay: str
    relationship: str
    amount: str
    currency: str
    day: str
    purpose: str
    by: str
    record: bytes
    item: str | None = None


def designation_key(relationship: str, party: str, designation: str) -> Key:
    """Key of a designation."""
    return DesignationRow.table, f"{relationship}/{party}/{designation}"


def law_key(relationship: str, party: str, law: str) -> Key:
    """Key of a law of a party."""
    return LawRow.table, f"{relationship}/{party}/{law}"


def law_request_key(relationship: str, request: str) -> Key:
    """Key of a request for laws."""
    return LawRequestRow.table, f"{relationship}/{request}"


def dispute_key(relationship: str, dispute: str) -> Key:
    """Key of a dispute."""
    return DisputeRow.table, f"{relationship}/{dispute}"


def deposit_key(relationship: str, deposit: str) -> Key:
    """Key of a deposit."""
    return DepositRow.table, f"{relationship}/{deposit}"


def outlay_key(relationship: str, day: str, outlay: str) -> Key:
    """Key of an outlay."""
    return OutlayRow.table, f"{relationship}/{day}/{outlay}"
