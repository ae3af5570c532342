"""What must hold between several agreements that are used together (``spec/analysis.md`` step 9).

>>> check_together([])
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from comity.agreement.lines import Lines
from comity.agreement.model import Agreement
from comity.errors import Rejected


class Placed(Struct, frozen=True):
    """An agreement, and the text it was read from."""

    agreement: Agreement
    text: str
    file: str


def check_together(read: Sequence[Placed]) -> None:
    """Refuse agreements that cannot be used together.

    Raises:
        Rejected: two have one id (``duplicate-agreement``); or protection is borrowed in a circle (``basis-cycle``), so
            that none of those in it says what protection there is. Its place is the line that closes the circle.
    """
    known: dict[str, Placed] = {}
    for each in read:
        if each.agreement.id in known:
            raise Rejected(
                f"{each.agreement.id!r} is also the id of the agreement in {known[each.agreement.id].file!r}",
                code="duplicate-agreement",
                place=each.file,
            )
        known[each.agreement.id] = each
    done: set[str] = set()
    for each in read:
        _follow(known, each, [], done)


def _follow(known: dict[str, Placed], placed: Placed, path: list[str], done: set[str]) -> None:
    """Walk along what borrows from what; ``path`` are those on the way here, ``done`` those known to be in order."""
    agreement = placed.agreement
    if agreement.id in done:
        return
    here = [*path, agreement.id]
    for index, basis in enumerate(agreement.protection_bases):
        lender = basis.agreement
        if lender in here:
            circle = " → ".join([*here[here.index(lender) :], lender])
            line = Lines(placed.text).of(("protection-basis", index, "agreement"))
            raise Rejected(
                f"clause {basis.clause!r} of {agreement.id!r} borrows protection in a circle: {circle}; one of them "
                "has to say itself what protection there is",
                code="basis-cycle",
                place=f"{placed.file}:{line}",
            )
        if lender in known:
            _follow(known, known[lender], here, done)
    done.add(agreement.id)
