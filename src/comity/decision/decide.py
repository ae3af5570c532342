"""May this be done, and why: the numbered steps of ``spec/decision.md``.

Rules of this file:

- Every step is taken, whatever the steps before it found, so that the reasons are complete.
- A step says what holds as well as what does not. Refusal wins; without a rule that permits there is no basis.
- The same case gives the same bytes: reasons stand in canonical order, whatever the order of the facts.

A caller tells the four outcomes apart by their types:

    match decide(compiled, case):
        case Permit(duties=duties):
            ...
        case NeedsConsent() | Forbidden() | NoBasis() as refusal:
            ...
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import structs

from comity.decision.compiled import Compiled
from comity.decision.model import (
    Case,
    Forbidden,
    Item,
    NeedsConsent,
    NoBasis,
    Outcome,
    Permit,
    Reason,
)
from comity.decision.rules import FORBIDS, LACKS, NEEDS, UNORDERED, WEIGHTS
from comity.decision.steps import level_of, weigh_item, weigh_person
from comity.errors import Misuse

LINEAGE_MAX = 10_000
"""Ancestors of one item that are weighed; an item with more is refused as a misuse."""

_REFUSED = NEEDS | LACKS | FORBIDS


def decide(compiled: Compiled, case: Case, beside: Sequence[Compiled] = ()) -> Outcome:
    """Decide a case under one agreement.

    Args:
        compiled: the agreement under which the item is, or is to be, provided, with its layers.
        case: the question and the facts.
        beside: other agreements, for ancestors that were provided under them.

    Returns:
        The outcome, with complete reasons in canonical order, the duties the act opens, and the inputs.

    Raises:
        Misuse: the item has more than ``LINEAGE_MAX`` ancestors.
    """
    item = case.item
    recipients = case.recipients
    reasons: list[Reason] = []
    found = 0
    if len(recipients) != 1:
        found = UNORDERED
        if not recipients:  # (1) nobody is not everybody
            reasons.append(compiled.bare(1, "no-recipients", "forbids"))
            found |= FORBIDS
    level = level_of(compiled, item)
    found |= weigh_item(compiled, case, item, level, reasons)
    for person in recipients:
        found |= weigh_person(compiled, case, item, level, person, reasons)
    inputs = compiled.inputs
    if item.lineage:  # (18)
        found |= UNORDERED
        for reason in _weigh_lineage(compiled, case, beside):
            reasons.append(reason)
            found |= WEIGHTS[reason.effect]
        others = tuple(sorted({each.digest for each in beside}))
        inputs = structs.replace(inputs, beside=others)
    outcome: type[Permit | NeedsConsent | NoBasis | Forbidden] = Permit
    if found & _REFUSED:  # (19) refusal wins
        if found & FORBIDS:
            outcome = Forbidden
        elif found & LACKS:
            outcome = NoBasis
        else:
            outcome = NeedsConsent
    if found & UNORDERED:
        reasons = sorted(set(reasons), key=compiled.order)
    return outcome(tuple(reasons), compiled.duties_of(case.act, item), inputs)


def _weigh_lineage(compiled: Compiled, case: Case, beside: Sequence[Compiled]) -> list[Reason]:
    """Step 18: what any ancestor's own agreement refuses or asks."""
    agreements = {each.id: each for each in (*beside, compiled)}
    found: list[Reason] = []
    for ancestor in _ancestors(case.item):
        under = agreements.get(ancestor.agreement)
        if under is None:
            found.append(compiled.bare(18, "agreement-unknown", "lacks", ancestor.id, ancestor.agreement))
            continue
        if case.item.relation != "extract" and _is_below(under, case.item, ancestor):
            found.append(under.bare(18, "label-below-ancestor", "forbids", ancestor.id, ancestor.label.mark))
        weighed: list[Reason] = []
        level = level_of(under, ancestor)
        weigh_item(under, case, ancestor, level, weighed)
        for person in case.recipients:
            weigh_person(under, case, ancestor, level, person, weighed)
        for reason in weighed:
            if reason.effect not in {"holds", "notes"}:
                parameters = (ancestor.id, str(reason.step), *reason.parameters)
                found.append(structs.replace(reason, step=18, parameters=parameters))
    return found


def _ancestors(item: Item) -> Iterator[Item]:
    waiting = list(item.lineage)
    seen: set[int] = set()
    while waiting:
        ancestor = waiting.pop()
        if id(ancestor) in seen:
            continue
        if len(seen) == LINEAGE_MAX:
            raise Misuse(f"{item.id!r} has more than {LINEAGE_MAX} ancestors", code="lineage-too-long")
        seen.add(id(ancestor))
        waiting += ancestor.lineage
        yield ancestor


def _is_below(compiled: Compiled, item: Item, ancestor: Item) -> bool:
    own, theirs = level_of(compiled, item), level_of(compiled, ancestor)
    return own is not None and theirs is not None and own.rank < theirs.rank
