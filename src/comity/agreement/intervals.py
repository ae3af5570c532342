"""How long something must be asked for ahead, or how often it must be done again (``spec/agreement.md`` step 7).

Rules of this file:

- Nobody invents a number: where neither the agreement nor a layer writes one, there is none.
- Of several the strictest holds: the longest lead, the shortest time until something is done again.
- A domestic layer binds its own party only.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from comity.agreement.check import LONGEST_HOLDS, hours_of
from comity.agreement.conditions import marks_from
from comity.agreement.model import Agreement, Interval, Layer
from comity.agreement.vocabulary import Measured, Provenance


class Found(Struct, frozen=True):
    """A length of time and what it rests on: the id of the agreement or layer, its clause, how far that is checked."""

    length: str
    instrument: str
    clause: str
    provenance: Provenance


def interval(
    agreement: Agreement, layers: Iterable[Layer], of: Measured, party: str, marks: Iterable[str] = ()
) -> Found | None:
    """The strictest ``[[interval]]`` that binds ``party``; None where nothing is written.

    One on an unchecked (K) clause counts only where there is no other: it warns, and nothing is refused by it. One of a
    level binds whoever has items of that level or above: ``marks`` are those of the items that ``party`` has.
    """
    found: list[Found] = []
    held = frozenset(marks)
    texts: list[Agreement | Layer] = [agreement, *sorted(layers, key=lambda layer: layer.id)]
    for text in texts:
        if isinstance(text, Layer) and text.header.party not in {None, party}:
            continue
        known = {clause.id: clause.provenance for clause in text.clauses}
        found += [
            _found(text.id, each, known)
            for each in text.intervals
            if each.of == of
            and (each.level_at_least is None or not held.isdisjoint(marks_from(agreement, each.level_at_least)))
        ]
    checked = [each for each in found if each.provenance != "K"] or found
    strictest = max if of in LONGEST_HOLDS else min
    return strictest(checked, key=lambda each: hours_of(each.length), default=None)


def goes_by_level(agreement: Agreement, layers: Iterable[Layer], of: Measured) -> bool:
    """Whether it matters for intervals of a kind what somebody has."""
    texts: tuple[Agreement | Layer, ...] = (agreement, *layers)
    return any(each.of == of and each.level_at_least for text in texts for each in text.intervals)


def _found(instrument: str, row: Interval, known: dict[str, Provenance]) -> Found:
    return Found(row.length, instrument, row.clause, row.provenance or known[row.clause])
