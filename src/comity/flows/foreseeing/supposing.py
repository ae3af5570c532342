"""A house as it would be: other texts, another instant, other clearances; it reads, and can say nothing.

What is asked of it is decided by the same code on the same rows as in the house itself (``spec/what-if.md`` step 9).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import datetime
from typing import TypeVar, cast

import msgspec

from comity.decision.model import Acknowledgement, Standing
from comity.flows.house import House
from comity.flows.keeping.committed import CommittedRows
from comity.flows.keeping.library import Library, Running, readings
from comity.flows.keeping.sequencer import Sequencer
from comity.foresight.supposition import Ground
from comity.register.rows import AgreementRow, Key, PersonRow, Row

R = TypeVar("R", bound=Row)
Worth = Callable[[str], str | None]
"""What a clearance up to a mark of this house's ladder would be worth; None for nothing."""


def same(mark: str) -> str | None:
    """A clearance is worth what it is."""
    return mark


class SupposedHouse(House):
    """A house in which ``ground`` runs in one relationship, at the instant ``at``."""

    def __init__(self, house: House, relationship: str, ground: Ground, at: datetime, worth: Worth = same) -> None:
        vars(self).update(vars(house))
        self._at = at
        self._change = _Change(relationship, bytes.fromhex(ground.agreement.digest), worth)
        self.library = SupposedLibrary(house.library, relationship, ground)
        self.sequencer = cast("Sequencer", _Reading(SupposedRows(house.sequencer.rows, self._change)))

    def now(self) -> datetime:
        """The supposed instant."""
        return self._at

    async def rows(self, kind: type[R], prefix: str = "") -> AsyncIterator[tuple[str, R]]:
        """The rows of a kind as they would be."""
        async for key, row in super().rows(kind, prefix):
            yield key, cast("R", self._change.row(row))


class SupposedLibrary(Library):
    """A library in which one relationship runs on other ground."""

    def __init__(self, library: Library, relationship: str, ground: Ground) -> None:
        vars(self).update(vars(library))
        self._under = library
        self._relationship = relationship
        self._supposed = Running(ground.agreement, ground.layers, ground.compiled, ground.chronicle, library.compiled)

    async def load(self, row: AgreementRow) -> Running:
        """What runs in a relationship, or would."""
        return self._supposed if row.relationship == self._relationship else await self._under.load(row)

    async def standing(self, row: AgreementRow, at: datetime) -> Standing:
        """Where it would stand at ``at``."""
        if row.relationship != self._relationship:
            return await self._under.standing(row, at)
        digest = self._supposed.agreement.digest
        return Standing(
            agreement=self._supposed.agreement.id,
            readings=readings(self._supposed.chronicle.status(at)),
            acknowledgements=tuple(Acknowledgement(party, digest) for party in row.acknowledged),
        )


class SupposedRows(CommittedRows):
    """What is committed, as it would be."""

    def __init__(self, rows: CommittedRows, change: _Change) -> None:
        self._under = rows
        self._change = change

    async def get(self, keys: Iterable[Key]) -> dict[Key, Row | None]:
        """The rows with these keys."""
        found = await self._under.get(keys)
        return {key: None if row is None else self._change.row(row) for key, row in found.items()}

    async def side(self, table: str, key: str) -> bytes | None:
        """Side data is what it is."""
        return await self._under.side(table, key)


class _Reading(msgspec.Struct, frozen=True):
    """In the place of a sequencer: what is committed, and no way to add to it."""

    rows: SupposedRows


class _Change(msgspec.Struct, frozen=True):
    """What would be otherwise in the rows: nobody has acknowledged another text, and a clearance is worth less."""

    relationship: str
    digest: bytes
    worth: Worth

    def row(self, row: Row) -> Row:
        """A row as it would be."""
        if isinstance(row, AgreementRow) and row.relationship == self.relationship and row.digest != self.digest:
            return msgspec.structs.replace(row, digest=self.digest, acknowledged=())
        if isinstance(row, PersonRow) and row.clearance is not None:
            becomes = self.worth(row.clearance)
            return row if becomes == row.clearance else msgspec.structs.replace(row, clearance=becomes)
        return row
