"""How agreements stand at an instant, as a decision takes it: those that take part, and those they borrow from.

``spec/decision.md`` steps 2 and 3.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from comity.decision import model as decision
from comity.decision.steps import weigh_force
from comity.flows.deciding.lineage import agreements
from comity.flows.house import House
from comity.register.rows import AgreementRow

BILATERAL = 2
"""Parties of an agreement that both sides of one relationship have acknowledged together."""


async def standings_of(house: House, rows: Iterable[AgreementRow], at: datetime) -> tuple[decision.Standing, ...]:
    """How each agreement stands, with those from which one of them borrows its protection.

    What the parties of an agreement between more than two have acknowledged is gathered from every relationship in
    which this house runs that very text.

    Args:
        house: this house.
        rows: the agreements that take part in a decision.
        at: the instant.
    """
    found: dict[str, decision.Standing] = {}
    everywhere: dict[str, AgreementRow] | None = None
    for row in rows:
        running = await house.library.load(row)
        text = running.agreement
        standing = await house.library.standing(row, at)
        if len(text.parties) > BILATERAL or text.protection_bases:
            everywhere = everywhere if everywhere is not None else await agreements(house)
            said = [party for each in everywhere.values() if each.digest == row.digest for party in each.acknowledged]
            standing = msgspec.structs.replace(
                standing,
                acknowledgements=tuple(
                    decision.Acknowledgement(party, text.digest) for party in sorted({*said, *row.acknowledged})
                ),
            )
            for basis in text.protection_bases:
                beside = next((each for each in everywhere.values() if each.agreement == basis.agreement), None)
                if beside is not None and basis.agreement not in found:
                    found[basis.agreement] = await house.library.standing(beside, at)
        found[row.relationship] = standing
    return tuple(found.values())


async def halted(house: House, relationship: str, at: datetime) -> decision.Reason | None:
    """Why nothing new can be provided in a relationship at ``at``: not in force by somebody's reading; None else."""
    row = await house.agreement_row(relationship)
    running = await house.library.load(row)
    found: list[decision.Reason] = []
    weigh_force(running.compiled, [await house.library.standing(row, at)], giving=True, reasons=found)
    return next((each for each in found if each.effect == "lacks"), None)
