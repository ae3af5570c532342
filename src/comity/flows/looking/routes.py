"""Where an item came from and went on to, over more than two parties (``spec/routes.md``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import msgspec

from comity.flows.house import House
from comity.marking.label import Label
from comity.register.rows import ItemRow
from comity.register.rows.routes import ForwardRow, HandedOnRow


class CameTold(msgspec.Struct, frozen=True, kw_only=True):
    """By whose hand something of another party's came, and by which consent of that party's.

    Attributes:
        originator: whose it is.
        holder: by whose hand it came.
        label: the originator's.
        purpose: what the consent is for.
        conditions: what it asks, in words.
        until: when it ends; what came before stays.
        consent: its id among the originator's.
    """

    originator: str
    holder: str
    label: Label
    purpose: str
    conditions: tuple[str, ...]
    until: datetime
    consent: str


class OnwardTold(msgspec.Struct, frozen=True, kw_only=True):
    """A handing on, as its holder and the originator know it.

    Attributes:
        relationship: the one between the two.
        to: the party to which it went.
        request: the holder's request.
        mark: the holder's mark, under which it went.
        copies: how many.
        purpose: what for.
        consent: by which consent.
        at: when it went.
        received: when the receiver says it came, by its own verified letter; None while there is silence.
        mark_there: the receiver's mark; empty while there is silence, or where somebody there chooses.
        record: the record that says it, in hex.
    """

    relationship: str
    to: str
    request: str
    mark: str
    copies: int
    purpose: str
    consent: str
    at: datetime
    received: datetime | None
    mark_there: str
    record: str


async def came_on(house: House, item: ItemRow) -> CameTold | None:
    """How an item came that is neither this house's nor its giver's; None for every other."""
    row = await house.row(ForwardRow, f"{item.relationship}/{item.item}")
    if row is None:
        return None
    return CameTold(**{name: getattr(row, name) for name in CameTold.__struct_fields__})


async def went_on(house: House, relationship: str, item: str) -> AsyncIterator[OnwardTold]:
    """Every handing on of an item that was told in a relationship."""
    async for _, row in house.rows(HandedOnRow, f"{relationship}/{item}/"):
        yield OnwardTold(
            relationship=relationship,
            to=row.to,
            request=row.request,
            mark=row.label.mark,
            copies=row.copies,
            purpose=row.purpose,
            consent=row.consent,
            at=row.at,
            received=row.received,
            mark_there=row.mark,
            record=row.record.hex(),
        )
