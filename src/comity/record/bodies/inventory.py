"""Muster of copies and reconciliation of registers: their records (Article 6(f); ``spec/inventory.md``)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import msgspec

from comity.record.bodies.base import Body, PersonSignature
from comity.record.encoding import (
    LIST_ENTRIES_MAX,
    Count,
    Digest,
    Identifier,
    Instant,
    Name,
    Relationship,
    Words,
)

SHEET_COPIES_MAX = 128
"""Most copies on one sheet, so that a sheet fits an envelope whatever its copies are called."""

Counted = Literal[
    "present",
    "missing",
    "elsewhere",
    "unknown",
    "in transit",
    "passed on",
    "returned",
    "destroyed",
    "lost",
]
"""What a muster found about one copy.

Expected and counted; expected and not counted; counted, though the register has it with somebody outside this muster;
counted, though the register has no such copy; counted, though it is in the state that the register says.
"""


class CopyCounted(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True, kw_only=True):
    """One line of a sheet; ``relationship`` is left out where the register knows no such copy."""

    item: Identifier
    number: Count
    relationship: Relationship | None = None
    found: Counted = "present"


class MusterSheet(Body, frozen=True, kw_only=True):
    """One sheet of a muster: some of the copies that were counted or missed. Sheets are numbered from 1."""

    kind: ClassVar[str] = "muster-sheet/1"
    crosses: ClassVar[bool] = False
    muster: Identifier
    sheet: Count
    copies: Annotated[tuple[CopyCounted, ...], msgspec.Meta(min_length=1, max_length=SHEET_COPIES_MAX)]
    by: Identifier
    signature: PersonSignature


class MusterSigned(Body, frozen=True, kw_only=True):
    """A muster is over: what it covered, and what its sheets add up to (Article 6(f)).

    Neither ``facility`` nor ``holder`` means the whole house. ``covers`` are the relationships it looked into.
    """

    kind: ClassVar[str] = "muster/1"
    crosses: ClassVar[bool] = False
    muster: Identifier
    facility: Identifier | None = None
    holder: Identifier | None = None
    covers: Annotated[tuple[Relationship, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]
    begun: Instant
    sheets: Count
    expected: Count
    counted: Count
    findings: Count
    by: Identifier
    signature: PersonSignature


class InventoryDone(Body, frozen=True, kw_only=True):
    """A party tells the other that it has counted everything it holds, since when; no numbers (Article 6(f)).

    ``muster`` is the name of the muster in its own chain, which says nothing but which one it was.
    """

    kind: ClassVar[str] = "inventory-done/1"
    crosses: ClassVar[bool] = True
    muster: Identifier
    begun: Instant
    by: Identifier
    signature: PersonSignature


class Disagreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where two registers say different things, and nothing on the way explains it; ``copy`` is None for the mark."""

    item: Identifier
    copy: Count | None
    here: Name
    there: Name


class Reconciled(Body, frozen=True, kw_only=True):
    """The registers of both parties were compared: how far each had the other's records, and what was not explained.

    ``ours`` and ``theirs`` are numbers of records, those there were and those the other side had of them;
    ``explained`` counts the differences that records on their way account for.
    """

    kind: ClassVar[str] = "reconciliation/1"
    crosses: ClassVar[bool] = False
    reconciliation: Identifier
    between: Relationship
    peer: Identifier
    ours: tuple[Count, Count]
    theirs: tuple[Count, Count]
    items: Count
    copies: Count
    explained: Count
    findings: Annotated[tuple[Disagreement, ...], msgspec.Meta(max_length=LIST_ENTRIES_MAX)]
    more: Count = 0


class FindingExplained(Body, frozen=True, kw_only=True):
    """What became of a finding: why it is none, or which record followed on it (a report, a copy found again)."""

    kind: ClassVar[str] = "finding-explained/1"
    crosses: ClassVar[bool] = False
    source: Identifier
    number: Count
    reason: Words
    record: Digest | None
    by: Identifier
    after: Digest
    signature: PersonSignature
