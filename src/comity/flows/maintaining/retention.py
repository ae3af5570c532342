"""Retention: what is kept how long, by what; and its end (``spec/keys.md`` steps 75 to 80)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from typing import Literal, get_args

import msgspec

from comity.flows.actors import Actor
from comity.flows.giving.release import ITEM_TITLE
from comity.flows.house import PERSON_NAME, ROOT, House
from comity.flows.indexing.upkeep import forget_titles
from comity.flows.keeping.periods import Bound, limit
from comity.flows.keeping.work import Draft, Work
from comity.flows.people.keeping_names import asked_of
from comity.flows.people.leaving import check_security_officer
from comity.record.bodies.retention import Erasable, Erased
from comity.record.encoding import LIST_ENTRIES_MAX, decode, encode
from comity.record.person_act import unsigned
from comity.record.statement import DOMESTIC
from comity.register.rows import ConsignmentRow, PersonRow, RequestRow
from comity.register.rows.duties import DutiesRow, ItemDutyRow
from comity.register.rows.ending import HoldingRow
from comity.register.rows.incidents import SuspicionRow
from comity.register.rows.lineage import DerivativeRow

ERASED_LAST = "erased-last"
"""Side table: when something whose time was over was erased last; one row, key ``at``."""
Kind = Literal["names", "titles", "payloads", "records", "register", "headers", "unclaimed", "sessions", "backups"]
FIXED: Mapping[Kind, tuple[str, str, str]] = {
    "records": ("records, with their salts and leaves", "always", "spec/keys.md step 70"),
    "register": ("rows of the register, decisions among them", "as long as records give them", "spec/keys.md step 70"),
    "headers": ("keys of sealed copies", "until the copy ends", "spec/ending.md step 40"),
    "unclaimed": ("uploads and drafts that nothing names", "until 'comity ledger collect'", "decisions/0003"),
    "sessions": ("how far the sources of a feed have come", "P7D after their last request", "spec/feed.md step 15"),
}
"""What is kept by no setting: what it is, how long, and what says so."""
WHAT: Mapping[Erasable, str] = {
    "names": "names of people who left",
    "titles": "titles of items whose last copy ended",
    "payloads": "sealed payloads of items whose last copy ended",
}


class ShowRetention(msgspec.Struct, frozen=True):
    """Show by class what is kept, how long, by what, and what is due to be erased."""


class ApplyRetention(msgspec.Struct, frozen=True, kw_only=True):
    """Erase what is due; ``actor`` is a security officer, or root, and signs for it."""

    actor: Actor


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is kept, or no longer.

    Attributes:
        what: its class.
        subject: the person or the item.
        since: when the person left, or the last copy ended.
        end: when it is to be erased; None for never.
        because: the clause or the setting.
        needed: what needs it still, whatever the time; empty for nothing.
    """

    what: Erasable
    subject: str
    since: datetime
    end: datetime | None
    because: str
    needed: str = ""


class ClassShown(msgspec.Struct, frozen=True, kw_only=True):
    """How one class of what is here is kept.

    Attributes:
        kind: its name, as in the settings.
        what: what it is.
        kept: how long, by the house itself.
        rests_on: the setting, and what agreements say besides.
        here: how many there are whose time runs; 0 where none does.
        due: how many are to be erased now.
    """

    kind: Kind
    what: str
    kept: str
    rests_on: tuple[str, ...]
    here: int = 0
    due: int = 0


class RetentionShown(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept, by class; what is due; what has run out and is needed still.

    ``older_backups`` is when something was erased last: a backup made before has it still. None where nothing was.
    """

    classes: tuple[ClassShown, ...]
    due: tuple[Due, ...]
    needed: tuple[Due, ...]
    older_backups: datetime | None = None


class RetentionApplied(msgspec.Struct, frozen=True, kw_only=True):
    """What was erased, and the records that attest it; what has run out and is needed still."""

    erased: tuple[Due, ...]
    records: tuple[str, ...]
    needed: tuple[Due, ...]


async def show_retention(house: House, _: ShowRetention) -> RetentionShown:
    """(77) What is kept here, how long, by what; and what is due."""
    now = house.now()
    kept = await _kept(house)
    asked = await asked_of(house)
    classes = [
        ClassShown(
            kind=what,
            what=WHAT[what],
            kept=getattr(house.periods, what),
            rests_on=(f"[retention] {what}", *(_told(each) for found in asked[what].values() for each in found)),
            here=sum(each.what == what for each in kept),
            due=sum(each.what == what and _is_due(each, now) for each in kept),
        )
        for what in get_args(Erasable)
    ]
    fixed = [ClassShown(kind=kind, what=what, kept=long, rests_on=(by,)) for kind, (what, long, by) in FIXED.items()]
    advice = ClassShown(
        kind="backups",
        what="what was erased, in backups made before",
        kept="until those are removed ('comity backup take --keep')",
        rests_on=("spec/keys.md step 80",),
    )
    return RetentionShown(
        classes=(*classes, *fixed, advice),
        due=tuple(each for each in kept if _is_due(each, now)),
        needed=tuple(each for each in kept if each.needed and each.end is not None and each.end <= now),
        older_backups=decode(last, datetime) if (last := await house.side(ERASED_LAST, "at")) else None,
    )


async def apply_retention(house: House, request: ApplyRetention) -> RetentionApplied:
    """(78, 79) Erase what is due: attested in the house's own chain, by one record for each class and reason.

    Raises:
        Misuse: the actor may not.
        NeedsSignature: he signs with his own key, and has not yet.
    """
    await check_security_officer(house, request.actor)
    shown = await show_retention(house, ShowRetention())
    by = ROOT if request.actor.handle == ROOT else (await house.person(request.actor.handle)).person
    signed = [
        await house.sign(
            Erased(what=what, subjects=some, because=because, by=by, signature=unsigned()), DOMESTIC, request.actor
        )
        for what, because, some in _together(shown.due)
    ]
    now = house.now()

    async def erase(work: Work) -> list[str]:
        said = [(await work.say(Draft(DOMESTIC, body))).id.hex() for body in signed]
        for each in shown.due:
            if each.what != "payloads":
                work.put_side(PERSON_NAME if each.what == "names" else ITEM_TITLE, each.subject, None)
        work.put_side(ERASED_LAST, "at", encode(now))
        return said

    records = await house.sequencer.submit(erase) if signed else []
    if any(each.what == "titles" for each in shown.due):
        await forget_titles(house)
    ended = {each.subject for each in shown.due if each.what == "payloads"}
    if ended:
        await house.sequencer.alone(lambda: _delete(house, ended))
    return RetentionApplied(erased=shown.due, records=tuple(records), needed=shown.needed)


async def _delete(house: House, items: set[str]) -> None:
    """(78) Delete the payloads of these items, but for what an item that lives has in common with them."""
    payloads = await _payloads(house)
    live = {digest for item, digests in payloads.items() if item not in items for digest in digests}
    for item in sorted(items):
        for digest in sorted(payloads.get(item, set()) - live):
            if not house.payloads.is_needed(digest):
                house.payloads.forget(digest)
                await house.blobs.delete(digest)


async def _kept(house: House) -> list[Due]:
    """Everything whose time has begun to run, people first."""
    asked = await asked_of(house)
    found = [each async for each in _names(house, asked["names"])]
    holdings: dict[str, dict[str, HoldingRow]] = {}
    async for key, holding in house.rows(HoldingRow):
        relationship, _, item = key.rpartition("/")
        holdings.setdefault(item, {})[relationship] = holding
    payloads, needed, here = await _payloads(house), await _needed(house), set(await house.blobs.all())
    for item, rows in sorted(holdings.items()):
        ends = [row.ended_at for row in rows.values() if row.ended_at is not None]
        if any(row.left for row in rows.values()) or not ends:
            continue  # somebody holds it, or is about to
        kept: list[Erasable] = ["titles"] if await house.side(ITEM_TITLE, item) is not None else []
        if payloads.get(item, set()) & here:
            kept.append("payloads")
        for what in kept:
            texts = [each for relationship in rows for each in asked[what].get(relationship, ())]
            until = limit(max(ends), getattr(house.periods, what), what, texts, house.zones)
            found.append(
                Due(
                    what=what,
                    subject=item,
                    since=max(ends),
                    end=until.end,
                    because=until.because,
                    needed=needed.get(item, ""),
                )
            )
    return found


async def _names(house: House, asked: Mapping[str, list[Bound]]) -> AsyncIterator[Due]:
    texts = [each for some in asked.values() for each in some]
    async for _, row in house.rows(PersonRow):
        if not row.removed or await house.side(PERSON_NAME, row.person) is None:
            continue
        left = await house.store.find(row.last)
        if left is not None:
            until = limit(left.at, house.periods.names, "names", texts, house.zones)
            yield Due(what="names", subject=row.person, since=left.at, end=until.end, because=until.because)


async def _payloads(house: House) -> dict[str, set[bytes]]:
    """The sealed payloads of each item."""
    found: dict[str, set[bytes]] = {}
    async for _, consignment in house.rows(ConsignmentRow):
        found.setdefault(consignment.item, set()).add(consignment.payload)
    async for _, made in house.rows(DerivativeRow):
        found.setdefault(made.item, set()).add(made.payload)
    return found


async def _needed(house: House) -> dict[str, str]:
    """(78) What is owed, suspected or asked about items: until that ends nothing of them is erased."""
    found: dict[str, str] = {}
    owed: dict[str, str] = {}
    async for key, row in house.rows(DutiesRow):
        duties = [each for each in row.duties if each.open and not each.standing]
        if duties:
            owed[key] = f"{duties[0].obligation} is owed"
            found[row.subject.partition("/")[0]] = owed[key]
    async for key, about in house.rows(ItemDutyRow):
        where = key.removesuffix(f"/{about.subject}")
        relationship, _, item = where.rpartition("/")
        if f"{relationship}/{about.subject}" in owed:
            found[item] = owed[f"{relationship}/{about.subject}"]
    async for key, _suspicion in house.rows(SuspicionRow):
        found[key.rpartition("/")[2]] = "an incident is open"
    async for _, request in house.rows(RequestRow):
        if request.consignment is None and (not request.approvals or any(each.granted for each in request.approvals)):
            found[request.item] = f"request {request.request} waits"
    return found


def _together(due: Iterable[Due]) -> Iterator[tuple[Erasable, str, tuple[str, ...]]]:
    """What is due by class and reason, in lists that a record has room for."""
    for (what, because), some in groupby(sorted(due, key=_reason), key=_reason):
        subjects = [each.subject for each in some]
        for start in range(0, len(subjects), LIST_ENTRIES_MAX):
            yield what, because, tuple(subjects[start : start + LIST_ENTRIES_MAX])


def _reason(due: Due) -> tuple[Erasable, str]:
    return due.what, due.because


def _is_due(each: Due, now: datetime) -> bool:
    return each.end is not None and each.end <= now and not each.needed


def _told(bound: Bound) -> str:
    least = "at least" if bound.least else "at most"
    return f"{bound.place}: {least} {bound.length}{', not checked' if bound.unchecked else ''}"
