"""Picking: of several agreements that stand between the same two parties, the one under which something is done.

Each decides by itself, with all its conditions, and one decision is taken as it is (``spec/routes.md`` steps 13 to 15).
Nothing is put together from two: what one permits under conditions and another forbids is done under the conditions of
the first, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.agreement.model import Agreement
from comity.agreement.vocabulary import LegalForce
from comity.decision.model import Decision, Forbidden, NeedsConsent, NoBasis, Outcome, Permit
from comity.errors import Misuse

_NEAREST: tuple[type[Decision], ...] = (Permit, NeedsConsent, NoBasis, Forbidden)
"""Outcomes, that which lets the act be done first."""
_BINDING: Mapping[LegalForce, int] = {"treaty": 0, "contract": 1, "arrangement": 2, "none": 3}
"""What binds more comes first."""


def pick(decided: Sequence[tuple[Agreement, Outcome]], came_under: str = "") -> int:
    """The place of the agreement under which an act is done: the most binding of those whose outcome goes farthest.

    Args:
        decided: each agreement with its own outcome on the same question.
        came_under: id of the agreement under which the item came, which goes before those that bind more.

    Raises:
        Misuse: there is none.
    """
    if not decided:
        raise Misuse("no agreement stands between the two parties", code="no-agreement")

    def order(place: int) -> tuple[int, bool, int, str]:
        agreement, outcome = decided[place]
        binds = _BINDING[agreement.header.legal_force]
        return _NEAREST.index(type(outcome)), agreement.id != came_under, binds, agreement.id

    return min(range(len(decided)), key=order)
