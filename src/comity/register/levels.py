"""Change of level: the rules of its records (Articles 4.2, 6(g); ``spec/ending.md`` steps 10 to 18)."""

from __future__ import annotations

from typing import cast

import msgspec

from comity.marking.label import Label
from comity.marking.translation import MarkedLabel, translate
from comity.record import bodies
from comity.record.bodies.ending import LevelChanged, Reclassified
from comity.record.statement import DOMESTIC, Record
from comity.register.house import check_house_act, person_key
from comity.register.officers import check_officer, officer_key
from comity.register.roles import RELEASE_AUTHORITY, ROOT
from comity.register.rows import AgreementRow, Facts, ItemRow, Key
from comity.register.rows.ending import (
    ChangeRow,
    HoldingRow,
    LevelRow,
    ReviewRow,
    change_key,
    holding_key,
    level_key,
    review_key,
)
from comity.register.rows.routes import forward_key
from comity.register.verdict import Context, Discharge, Occasions, Occurrence, Put, Rule, check_after, need, no

PENDING_MAX = 64
"""Most notices about one item that wait for their re-marking."""


# ---- the originator's own record ------------------------------------------------------------------------------------


def _reclassified_reads(_: Context, record: Record) -> list[Key]:
    body = cast("Reclassified", record.body)
    keys = [
        (ItemRow.table, body.item),
        level_key(DOMESTIC, body.item),
        change_key(DOMESTIC, body.item, body.change),
    ]
    return keys if body.signature.signer == ROOT else [*keys, person_key(body.signature.signer)]


def _reclassified(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, at = cast("Reclassified", record.body), record.statement.at
    item: ItemRow = need(facts, (ItemRow.table, body.item), "item")
    if item.relationship != DOMESTIC or item.originator != context.party:  # (10)
        raise no("not-originator", f"only its originator {item.originator!r} changes the level of item {body.item!r}")
    if item.contains:
        raise no("derived", f"item {body.item!r} was made from received information, and is marked with that")
    signer = check_house_act(context, facts, body, DOMESTIC, RELEASE_AUTHORITY)
    if signer != body.by or signer == ROOT:
        raise no("other-signer", f"the change names {body.by!r} but somebody else signed it")
    key = level_key(DOMESTIC, body.item)
    mark = item.label.mark
    level = cast("LevelRow | None", facts[key]) or LevelRow(given=mark, mark=mark)
    check_after(body.after, level.last)
    changed = change_key(DOMESTIC, body.item, body.change)
    if facts[changed] is not None:
        raise no("change-exists", f"change {body.change!r} was already recorded")
    if body.review is not None and body.review <= at:
        raise no("past-review", "the next review must be later than this one")
    if body.mark == level.mark and body.review is None:
        raise no("no-change", f"item {body.item!r} has that level already, and no day of review was given")
    puts = [
        Put((ItemRow.table, body.item), msgspec.structs.replace(item, label=under_mark(item.label, body.mark))),
        Put(key, _changed(level, body, record)),
        Put(changed, _change_row(level, body, record)),
    ]
    if level.review is not None:
        puts.append(Put(review_key(level.review, body.item), None))
    if body.review is not None:
        puts.append(Put(review_key(body.review, body.item), ReviewRow(item=body.item)))
    return puts


def under_mark(label: Label, mark: str) -> Label:
    """A label of the same kind with another mark."""
    return msgspec.structs.replace(label, mark=mark)


def _changed(level: LevelRow, body: Reclassified | LevelChanged, record: Record) -> LevelRow:
    return msgspec.structs.replace(level, mark=body.mark, change=body.change, last=record.id, review=body.review)


def _change_row(level: LevelRow, body: Reclassified | LevelChanged, record: Record) -> ChangeRow:
    return ChangeRow(
        change=body.change,
        item=body.item,
        before=level.mark,
        mark=body.mark,
        reason=body.reason,
        review=body.review,
        by=body.by,
        at=record.statement.at,
        record=record.id,
        sequence=record.statement.sequence,
    )


# ---- the notice -----------------------------------------------------------------------------------------------------


def _notified_reads(context: Context, record: Record) -> list[Key]:
    body, statement = cast("LevelChanged", record.body), record.statement
    keys = [
        (ItemRow.table, body.item),
        (AgreementRow.table, statement.relationship),
        holding_key(statement.relationship, body.item),
        level_key(statement.relationship, body.item),
        change_key(statement.relationship, body.item, body.change),
        forward_key(statement.relationship, body.item),
        officer_key(record),
    ]
    return [*keys, change_key(DOMESTIC, body.item, body.change)] if statement.author == context.party else keys


def _notified(context: Context, facts: Facts, record: Record) -> list[Put]:
    body, statement = cast("LevelChanged", record.body), record.statement
    relationship, author = statement.relationship, statement.author
    item: ItemRow = need(facts, (ItemRow.table, body.item), "item")
    holding: HoldingRow = need(facts, holding_key(relationship, body.item), "item given in this relationship as")
    _check_author(context, facts, record, item, holding)
    check_officer(facts, record, RELEASE_AUTHORITY)
    before = _mark_before(facts, record)
    level = cast("LevelRow | None", facts[level_key(relationship, body.item)]) or LevelRow(given=before, mark=before)
    check_after(body.after, level.last)
    key = change_key(relationship, body.item, body.change)
    if facts[key] is not None:
        raise no("change-exists", f"change {body.change!r} was already notified")
    if body.mark == before and body.review is None:
        raise no("no-change", f"item {body.item!r} has that level already, and no day of review was given")
    label = under_mark(item.label, body.mark)
    running: AgreementRow = need(facts, (AgreementRow.table, relationship), "agreement")
    agreement = context.agreement(running.digest)
    found = translate(agreement, label, holding.keeper)  # (12)
    pending = level.pending if body.mark == before else (*level.pending, body.change)
    if len(pending) > PENDING_MAX:
        raise no("too-many-changes", f"{PENDING_MAX} changes of item {body.item!r} wait for their re-marking")
    puts = [
        Put(
            level_key(relationship, body.item), msgspec.structs.replace(_changed(level, body, record), pending=pending)
        ),
        Put(key, _change_row(level, body, record)),
    ]
    if author != context.party and body.mark != before:
        alternative = found.alternative if isinstance(found, MarkedLabel) else None
        changed = msgspec.structs.replace(item, label=label, alternative=alternative)
        puts.append(Put((ItemRow.table, body.item), changed))
    return puts


def _check_author(context: Context, facts: Facts, record: Record, item: ItemRow, holding: HoldingRow) -> None:
    """(11) The notice is the originator's; or of whoever gave the item, where its originator is no party here.

    Raises:
        Rejected: it is somebody else's, or says something else than the house of its author has recorded.
    """
    body, author = cast("LevelChanged", record.body), record.statement.author
    ours = author == context.party
    handed_on = ours and facts[forward_key(record.statement.relationship, body.item)] is not None
    came = DOMESTIC if ours else record.statement.relationship
    gave = holding.keeper != author and (item.relationship == came or handed_on)
    if not gave or item.originator == holding.keeper:
        raise no("not-originator", f"{author!r} is not the originator of item {body.item!r}; only he changes its level")
    if not ours:
        return
    twin = cast("ChangeRow | None", facts[change_key(DOMESTIC, body.item, body.change)])
    said = (body.mark, body.reason, body.review)
    own = item.originator == author and not item.contains
    if own and (twin is None or (twin.mark, twin.reason, twin.review) != said):
        raise no("not-reclassified", f"this house has not changed the level of item {body.item!r} as notified")
    if not own and item.label.mark != body.mark:
        raise no("not-reclassified", f"item {body.item!r} is marked {item.label.mark!r} here, and not as passed on")


def _mark_before(facts: Facts, record: Record) -> str:
    """The originator's mark in this relationship before a notice."""
    body, relationship = cast("LevelChanged", record.body), record.statement.relationship
    level = cast("LevelRow | None", facts[level_key(relationship, body.item)])
    if level is not None:
        return level.mark
    holding = cast("HoldingRow | None", facts[holding_key(relationship, body.item)])
    return holding.given if holding is not None else ""


# ---- what they open and discharge ------------------------------------------------------------------------------------


def _notice_occasions(_: Context, facts: Facts, record: Record) -> list[Occurrence | Discharge]:
    body, author = cast("LevelChanged", record.body), record.statement.author
    level = cast("LevelRow | None", facts[level_key(record.statement.relationship, body.item)])
    found: list[Occurrence | Discharge] = []
    if level is not None and level.change:  # (17)
        found.append(Discharge(deed="review-level", subject=level.change))
    if body.review is not None:
        found.append(
            Occurrence(event="review-due", subject=body.change, originator=author, item=body.item, due=body.review)
        )
    if body.mark != _mark_before(facts, record):
        found += [
            Occurrence(event="level-changed", subject=body.change, originator=author, item=body.item),
            Discharge(deed="notify", subject=body.change),
            Occurrence(event="level-change-notified", subject=body.change, originator=author, item=body.item),
        ]
    return found


LEVEL_RULES: dict[type[bodies.Body], Rule] = {
    Reclassified: Rule(_reclassified_reads, _reclassified),
    LevelChanged: Rule(_notified_reads, _notified),
}
"""The rule of every record type by which an originator changes a level."""
LEVEL_OCCASIONS: dict[type[bodies.Body], Occasions] = {LevelChanged: _notice_occasions}
"""Of what they are occasions."""
