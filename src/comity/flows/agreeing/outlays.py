"""Costs: each side bears its own, and notes them for itself; nothing of it crosses (Article 19)."""

from __future__ import annotations

import re
from decimal import Decimal

import msgspec

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.lineage import registered
from comity.flows.deciding.visibility import may_see, viewer, visible_item
from comity.flows.house import ROOT, House
from comity.flows.keeping.work import Draft, Work
from comity.record.bodies.notices import AMOUNT_PATTERN, CURRENCY_PATTERN, OutlayNoted
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows.notices import OutlayRow


class NoteOutlay(msgspec.Struct, frozen=True, kw_only=True):
    """Note what this house spent on carrying out an agreement.

    Attributes:
        relationship: which agreement.
        amount: decimal digits, such as ``1200.50``.
        currency: three capital letters.
        day: on which it was spent.
        purpose: what for.
        actor: an agreement authority.
        item: the item it was spent on, if on one.
        outlay: identifier for it, for a person who signs elsewhere.
    """

    relationship: str
    amount: str
    currency: str
    day: str
    purpose: str
    actor: Actor
    item: str | None = None
    outlay: str | None = None


class ListOutlays(msgspec.Struct, frozen=True, kw_only=True):
    """What this house spent, as ``viewer`` may see it; the house itself unless given."""

    viewer: Actor | None = None


class OutlayShown(msgspec.Struct, frozen=True, kw_only=True):
    """Something this house spent."""

    outlay: str
    relationship: str
    amount: str
    currency: str
    day: str
    purpose: str
    by: str
    item: str


class OutlaysShown(msgspec.Struct, frozen=True, kw_only=True):
    """What this house spent, by agreement and day, and the sum in each currency; nothing is converted."""

    outlays: tuple[OutlayShown, ...]
    sums: dict[str, str]


async def note_outlay(house: House, request: NoteOutlay) -> OutlayShown:
    """Record an outlay in this house's own chain (19).

    Raises:
        Misuse: the actor may not, the amount or the currency has another form, or there is no such day or item.
    """
    if not re.fullmatch(AMOUNT_PATTERN, request.amount):
        raise Misuse(f"{request.amount!r} is no amount; write digits, such as 1200.50", code="bad-amount")
    if not re.fullmatch(CURRENCY_PATTERN, request.currency):
        raise Misuse(f"{request.currency!r} is no currency; write three capital letters", code="bad-currency")
    if request.item is not None:
        await visible_item(house, None, request.item, await viewer(house, request.actor))
    await house.agreement_row(request.relationship)
    by = ROOT if request.actor.handle == ROOT else (await house.person(request.actor.handle)).person
    body = OutlayNoted(
        outlay=house.name("c", request.outlay),
        relationship=request.relationship,
        amount=request.amount,
        currency=request.currency,
        day=request.day,
        purpose=request.purpose,
        item=request.item,
        by=by,
        signature=unsigned(),
    )
    signed = await house.sign(body, DOMESTIC, request.actor)

    async def say(work: Work) -> OutlayRow:
        await work.say(Draft(DOMESTIC, signed))
        return await work.need(OutlayRow, f"{body.relationship}/{body.day}/{body.outlay}", "outlay")

    return await _shown(house, await house.sequencer.submit(say))


async def list_outlays(house: House, request: ListOutlays) -> OutlaysShown:
    """What this house spent, with sums (19)."""
    person = await viewer(house, request.viewer)
    outlays: list[OutlayShown] = []
    sums: dict[str, Decimal] = {}
    async for _key, row in house.rows(OutlayRow):
        item = await registered(house, row.item) if row.item is not None else None
        if row.item is None or person is None or (item is not None and await may_see(house, item, person)):
            outlays.append(await _shown(house, row))
            sums[row.currency] = sums.get(row.currency, Decimal(0)) + Decimal(row.amount)
    return OutlaysShown(outlays=tuple(outlays), sums={currency: f"{sums[currency]:f}" for currency in sorted(sums)})


async def _shown(house: House, row: OutlayRow) -> OutlayShown:
    return OutlayShown(
        outlay=row.outlay,
        relationship=row.relationship,
        amount=row.amount,
        currency=row.currency,
        day=row.day,
        purpose=row.purpose,
        by=row.by if row.by == ROOT else await house.handle(row.by),
        item=row.item or "",
    )
