"""Levels in the books: what was changed and whether it was carried out, and what is to be reviewed (Article 6(g)).

``spec/ending.md`` steps 17 and 18.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.visibility import may_see, viewer, visible_item
from comity.flows.house import House
from comity.marking.label import Label
from comity.record.statement import DOMESTIC, chain_id
from comity.register.rows import AgreementRow, ItemRow
from comity.register.rows.ending import ChangeRow, HoldingRow, LevelRow, ReviewRow, change_key, level_key
from comity.register.rows.lineage import ChildRow, DerivativeRow

REVIEWS_MAX = 10_000
"""Most reviews listed at once."""


class ListReviews(msgspec.Struct, frozen=True, kw_only=True):
    """Items of this house that are to be reviewed before an instant, now unless it is given; as ``actor`` sees them."""

    before: datetime | None = None
    actor: Actor | None = None


class ShowLevels(msgspec.Struct, frozen=True, kw_only=True):
    """Every change of an item's level, and whether it was carried out, as ``actor`` may see it."""

    item: str
    actor: Actor | None = None


class ReviewLine(msgspec.Struct, frozen=True, kw_only=True):
    """An item that is to be reviewed."""

    item: str
    mark: str
    review: datetime
    due: bool
    reason: str


class ChangeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One change, as one relationship knows it.

    Attributes:
        change: its id.
        before: the originator's mark before.
        mark: the originator's mark since; empty for declassified.
        reason: why.
        at: when it was notified.
        review: when it is to be looked at again.
        delivered: whether the other side has the notice.
        remarked: when the recipient proved that it was carried out; None while it has not.
    """

    change: str
    before: str
    mark: str
    reason: str
    at: datetime
    review: datetime | None
    delivered: bool
    remarked: datetime | None


class MadeLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something made from the item, and how it is marked by its maker."""

    item: str
    relation: str
    maker: str
    mark: str


class NoticeShown(msgspec.Struct, frozen=True, kw_only=True):
    """Where an item stands in one relationship.

    Attributes:
        relationship: which.
        keeper: party id of the side that keeps the copies.
        mark: the originator's mark as it was last notified there, or given.
        marked: the recipient's own mark as it last proved it; empty for none, None while it has proved nothing.
        waiting: how many changes wait for their proof.
        untold: whether this house has another level for it and has not notified it there yet.
        changes: every change notified there, oldest first.
        made: what was made from it there.
    """

    relationship: str
    keeper: str
    mark: str
    marked: str | None
    waiting: int
    untold: bool
    changes: tuple[ChangeLine, ...]
    made: tuple[MadeLine, ...]


class LevelsShown(msgspec.Struct, frozen=True, kw_only=True):
    """An item's level: its label here, when it is to be reviewed, and where it stands in each relationship."""

    item: str
    label: Label
    alternative: Label | None
    review: datetime | None
    relationships: tuple[NoticeShown, ...]


async def list_reviews(house: House, request: ListReviews) -> list[ReviewLine]:
    """Items of this house that are to be reviewed, those first that have waited longest."""
    person = await viewer(house, request.actor)
    before = request.before or house.now()
    lines: list[ReviewLine] = []
    async for _, row in house.rows(ReviewRow):
        level = await house.need(LevelRow, level_key(DOMESTIC, row.item)[1], "level")
        item = await house.need(ItemRow, row.item, "item")
        if level.review is None or level.review > before or len(lines) == REVIEWS_MAX:
            break
        if not await may_see(house, item, person):
            continue
        change = await house.need(ChangeRow, change_key(DOMESTIC, row.item, level.change)[1], "change")
        lines.append(
            ReviewLine(
                item=row.item,
                mark=item.label.mark,
                review=level.review,
                due=level.review <= house.now(),
                reason=change.reason,
            )
        )
    return lines


async def show_levels(house: House, request: ShowLevels) -> LevelsShown:
    """Every change of an item's level, and what became of it.

    Raises:
        Misuse: there is no such item for whoever asks.
    """
    person = await viewer(house, request.actor)
    item = await visible_item(house, None, request.item, person)
    home = await house.row(LevelRow, level_key(DOMESTIC, request.item)[1])
    shown = []
    async for _, row in house.rows(AgreementRow):
        holding = await house.row(HoldingRow, f"{row.relationship}/{request.item}")
        if holding is not None:
            shown.append(await _notices(house, row, item, holding))
    return LevelsShown(
        item=item.item,
        label=item.label,
        alternative=item.alternative,
        review=home.review if home is not None else None,
        relationships=tuple(shown),
    )


async def _notices(house: House, row: AgreementRow, item: ItemRow, holding: HoldingRow) -> NoticeShown:
    relationship = row.relationship
    level = await house.row(LevelRow, level_key(relationship, item.item)[1])
    derivative = await house.row(DerivativeRow, f"{relationship}/{item.item}")
    mark = derivative.label.mark if derivative is not None else level.mark if level is not None else holding.given
    had = await house.exchange.peer_has(chain_id(relationship, house.party))
    changes = [change async for _, change in house.rows(ChangeRow, f"{relationship}/{item.item}/")]
    lines = []
    for change in sorted(changes, key=lambda each: each.at):
        entry = await house.store.find(change.record)
        ours = entry is not None and entry.chain == chain_id(relationship, house.party)
        lines.append(
            ChangeLine(
                change=change.change,
                before=change.before,
                mark=change.mark,
                reason=change.reason,
                at=change.at,
                review=change.review,
                delivered=not ours or (entry is not None and had > entry.sequence),
                remarked=change.remarked_at,
            )
        )
    made = [
        await house.need(DerivativeRow, f"{relationship}/{child.item}", "derivative")
        async for _, child in house.rows(ChildRow, f"{relationship}/{item.item}/")
    ]
    return NoticeShown(
        relationship=relationship,
        keeper=holding.keeper,
        mark=mark,
        marked=level.marked if level is not None else None,
        waiting=len(level.pending) if level is not None else 0,
        untold=holding.keeper != house.party and item.label.mark != mark,
        changes=tuple(lines),
        made=tuple(
            MadeLine(item=each.item, relation=each.relation, maker=each.maker, mark=each.label.mark) for each in made
        ),
    )
