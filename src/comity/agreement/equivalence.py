"""Which mark of another party corresponds to a mark: a relation with a ceiling, read from the agreement.

Rules of this file (``spec/agreement.md``, "Levels and equivalence"):

- Marks compare exactly; nothing is repaired. A mark of the ladder shared by all parties corresponds to itself.
- A mark above the ceiling, or without a row, has no equivalent: it is refused, never mapped down.
- Where a row offers several marks, the agreement or a layer may prefer one; without that a person chooses.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from comity.agreement.model import EVERY_PARTY, Agreement, AgreementFile, Equivalence, Layer, Level
from comity.agreement.nearest import nearest
from comity.errors import Refused, Rejected


class Equivalents(Struct, frozen=True):
    """The marks that correspond, in the order of the file.

    Attributes:
        levels: at least one.
        clause: the clause of the agreement that says so.
        preferred: the mark to propose, the only one where there is one; none when a person must choose.
    """

    levels: tuple[Level, ...]
    clause: str
    preferred: str | None = None

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks alone."""
        return tuple(level.mark for level in self.levels)


def ladder(agreement: AgreementFile, party: str) -> tuple[Level, ...]:
    """The levels a party uses under the agreement: its own, then those shared by all."""
    return tuple(level for owner in (party, EVERY_PARTY) for level in agreement.levels if level.party == owner)


def level_of(agreement: AgreementFile, party: str, mark: str) -> Level:
    """The level that ``party`` writes as ``mark``.

    Raises:
        Rejected: the party has no such mark (code ``unknown-mark``); the sentence names the nearest one.
    """
    levels = ladder(agreement, party)
    for level in levels:
        if level.mark == mark:
            return level
    hint = nearest(mark, (level.mark for level in levels))
    raise Rejected(f"{mark!r} is not a mark of {party!r}{hint}", code="unknown-mark")


def equivalents(agreement: Agreement, party: str, mark: str, to: str, layers: Iterable[Layer] = ()) -> Equivalents:
    """The marks of party ``to`` that correspond to ``mark`` of ``party``.

    Raises:
        Rejected: ``party`` has no such mark (``unknown-mark``).
        Refused: the mark is above the ceiling (``above-ceiling``) or has no equivalent (``no-equivalent``).
    """
    level = level_of(agreement, party, mark)
    if not level.crosses:
        raise Refused(f"{mark!r} is above the ceiling of the agreement", code="above-ceiling", place=level.clause)
    if to == party or level.party == EVERY_PARTY:
        return Equivalents((level,), level.clause, level.mark)
    for row in agreement.equivalences:
        if row.origin in {None, party} and mark in row.marks.get(party, ()) and to in row.marks:
            levels = tuple(level_of(agreement, to, other) for other in row.marks[to])
            return Equivalents(levels, row.clause, _preferred(row, to, layers))
    raise Refused(f"{mark!r} of {party!r} has no equivalent for {to!r}", code="no-equivalent", place=level.clause)


def _preferred(row: Equivalence, to: str, layers: Iterable[Layer]) -> str | None:
    marks = row.marks[to]
    if len(marks) == 1:
        return marks[0]
    for layer in layers:
        for preference in layer.preferences:
            if preference.party == to and set(preference.among) == set(marks):
                return preference.mark
    return (row.preferred or {}).get(to)
