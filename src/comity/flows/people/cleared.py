"""Who may stand by: a clearance for what an item is, by this party's own ladder, and its shape in a relationship."""

from __future__ import annotations

import msgspec

from comity.agreement.equivalence import equivalents, level_of
from comity.errors import Refused, Rejected
from comity.flows.handling.custody import Found
from comity.flows.house import House
from comity.register.rows import ItemRow, PersonRow
from comity.register.rows.lineage import DerivativeRow


class Shape(msgspec.Struct, frozen=True):
    """What one relationship knows of an item: its form, its originator's mark, and who that is."""

    form: str
    mark: str
    originator: str


async def shape_of(house: House, relationship: str, item: str) -> Shape:
    """An item as one relationship knows it; something made from received information as its maker marked it.

    Raises:
        Misuse: it is not known there.
    """
    made = await house.row(DerivativeRow, f"{relationship}/{item}")
    if made is not None:
        return Shape(made.form, made.label.mark, made.label.originator)
    row = await house.need(ItemRow, item, "item")
    return Shape(row.form, row.label.mark, row.originator)


async def check_cleared(house: House, found: Found, person: PersonRow) -> None:
    """Check that a person is cleared for a copy's level in the agreement under which things about it are decided.

    Raises:
        Refused: he is not, or not any more.
    """
    agreement = house.library.agreement(found.first.row.digest)
    made = found.first.made
    label = made.label if made is not None else found.item.label
    if not label.mark:
        return
    ranks = [level.rank for level in equivalents(agreement, label.policy, label.mark, house.party).levels]
    held = -1
    if person.clearance is not None and person.clearance_until is not None and house.now() < person.clearance_until:
        try:
            held = level_of(agreement, house.party, person.clearance).rank
        except Rejected:  # a mark of another ladder says nothing here
            held = -1
    if held < min(ranks):
        raise Refused(
            f"{await house.handle(person.person)!r} is not cleared for {label.mark!r}; another person must witness it",
            code="not-cleared",
        )
