"""Marking: the mark that this house puts on what it received (Article 4.2; ``spec/marking.md``)."""

from __future__ import annotations

from comity.errors import Refused
from comity.flows.house import House
from comity.marking.translation import MarkedLabel, translate
from comity.register.rows import AgreementRow, ItemRow


async def own_marking(house: House, row: AgreementRow, item: ItemRow) -> MarkedLabel:
    """A received item's label with this party's own mark beside it, as chosen or as the agreement and its layers say.

    Raises:
        Refused: several marks correspond, and nobody has chosen yet.
    """
    running = await house.library.load(row)
    found = translate(running.agreement, item.label, house.party, running.layers)
    if isinstance(found, MarkedLabel):
        return found
    if item.alternative is None:
        marks = " or ".join(repr(candidate.mark) for candidate in found.candidates)
        raise Refused(
            f"{item.label.mark!r} corresponds to {marks} here; a registry officer must choose first: "
            f"comity inbox mark {item.item} MARK",
            code="mark-not-chosen",
            place=found.clause,
        )
    return MarkedLabel(item.label, item.alternative, found.clause)
