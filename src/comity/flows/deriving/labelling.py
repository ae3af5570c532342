"""Labelling: the label of something made from received information, in each relationship (``spec/lineage.md``).

The mark is the highest of all it was made from, by this party's own ladder as each agreement ranks it: a mark that an
agreement does not know cannot be ranked there, and stands on the thing beside the other. Categories and release lists
are those of each relationship's own ancestors, so that no party learns what another one asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from comity.agreement.equivalence import ladder, level_of
from comity.agreement.model import Agreement
from comity.agreement.nearest import nearest
from comity.errors import Misuse, Refused
from comity.flows.deciding.marking import own_marking
from comity.flows.deriving.sources import Source
from comity.flows.house import House
from comity.marking.label import Label
from comity.marking.translation import NeedsChoice, highest
from comity.register.rows import AgreementRow


class Labelled(msgspec.Struct, frozen=True, kw_only=True):
    """The label of something new: at home, and as each relationship knows it."""

    at_home: Label
    labels: dict[str, Label]


async def label_for(house: House, sources: Sequence[Source], mark: str | None) -> Labelled:
    """(6) The label of what is made from ``sources``.

    Args:
        house: this house.
        sources: at least one.
        mark: the mark a person wants on it, never below the highest; None for the highest itself.

    Raises:
        Misuse: several marks are equally high and nobody chose, or ``mark`` is on no ladder of ours.
        Refused: ``mark`` is below what it is made from or above the ceiling, a source was not marked yet, or no party
            may have all of it together.
    """
    rows = {relationship: row for source in sources for relationship, row in sorted(source.rows.items())}
    own = [label for source in sources for label in await _own(house, source)]
    labels: dict[str, Label] = {}
    for relationship in sorted(rows):
        agreement = (await house.library.load(rows[relationship])).agreement
        here = [source.label(relationship) for source in sources if relationship in source.rows]
        labels[relationship] = _highest(house.party, agreement, rows[relationship].peer, here, own, mark)
    _check_known(house, rows, mark)
    return Labelled(at_home=_at_home(house.party, list(labels.values()), sources), labels=labels)


async def _own(house: House, source: Source) -> list[Label]:
    """How this party marks a source: what it chose or the agreement says, or the marks it was made with."""
    if source.made:
        return [made.label for made in source.made.values()]
    return [(await own_marking(house, source.row, source.item)).alternative]


def _highest(
    party: str, agreement: Agreement, peer: str, here: Sequence[Label], own: Sequence[Label], mark: str | None
) -> Label:
    known = {level.mark for level in ladder(agreement, party)}
    originators = sorted({label.originator for label in here})
    originator = originators[0] if len(originators) == 1 or peer not in originators else peer
    marks = {label.mark for label in own if label.mark in known} or {""}
    plain = [Label(policy=party, mark=each, originator=originator) for each in sorted(marks)]
    asked = [msgspec.structs.replace(label, policy=party, mark="") for label in here]
    found = highest(agreement, [*plain, *asked], originator)
    if mark is not None and mark in known:
        return _chosen(agreement, found, mark)
    if isinstance(found, NeedsChoice):
        listed = " or ".join(repr(each.mark) for each in found.candidates)
        raise Misuse(f"it could be marked {listed}, which are equally high; choose with --mark", code="mark-choice")
    return found


def _chosen(agreement: Agreement, found: Label | NeedsChoice, mark: str) -> Label:
    candidates = found.candidates if isinstance(found, NeedsChoice) else (found,)
    lowest = candidates[0]
    level = level_of(agreement, lowest.policy, mark)
    if not level.crosses:
        raise Refused(
            f"{mark!r} is above the ceiling of {agreement.id!r}; what it protects cannot be marked so",
            code="above-ceiling",
            place=level.clause,
        )
    if lowest.mark and level.rank < level_of(agreement, lowest.policy, lowest.mark).rank:
        raise Refused(
            f"{mark!r} is below {lowest.mark!r}, the highest mark of what it is made from; only the originator can "
            "lower that",
            code="lower-mark",
            place=(agreement.marking.derivative_clause if agreement.marking else None) or level.clause,
        )
    return msgspec.structs.replace(lowest, mark=mark)


def _check_known(house: House, rows: dict[str, AgreementRow], mark: str | None) -> None:
    """A mark that somebody asked for is on our ladder in one of the agreements at least."""
    if mark is None:
        return
    known = sorted(
        {level.mark for row in rows.values() for level in ladder(house.library.agreement(row.digest), house.party)}
    )
    if mark not in known:
        raise Misuse(f"{mark!r} is not a mark of {house.party!r}{nearest(mark, known)}", code="unknown-mark")


def _at_home(party: str, labels: Sequence[Label], sources: Sequence[Source]) -> Label:
    """The label in this house's own books: everything that any relationship asks for.

    Raises:
        Refused: no party may have all of it together.
    """
    originators = {label.originator for source in sources for label in (source.item.label,)}
    limits = [set(label.releasable_to) for label in labels if label.releasable_to]
    common = set.intersection(*limits) if limits else set()
    if limits and not common:
        raise Refused("no party may receive all of these labels together", code="nobody-left")
    return Label(
        policy=party,
        mark=labels[0].mark,
        categories=tuple(sorted({name for label in labels for name in label.categories})),
        releasable_to=tuple(sorted(common)),
        originator=originators.pop() if len(originators) == 1 else party,
    )
