"""Duties: what this house and the other parties owe, in the order in which it presses (``spec/duties.md``).

Read-only. A duty is opened and discharged by records about other things; here it is only told, with what to type so
that it is done.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime
from typing import Literal

import msgspec

from comity.flows.actors import Actor
from comity.flows.deciding.visibility import about_his_copies, may_see, sees_all, viewer, visible_item
from comity.flows.house import House
from comity.flows.keeping.work import Work
from comity.flows.looking.duty_words import next_command, plain_words
from comity.record.statement import read_kept, understand
from comity.register.roles import ASSURANCE_OFFICER
from comity.register.rows import ItemRow, Key, PersonRow, decode_row
from comity.register.rows.duties import (
    AT_ONCE,
    DutiesRow,
    Duty,
    ItemDutyRow,
    OpenDutyRow,
    instant_key,
)

LINES_MAX = 1_000
"""Most duties told at once for one party; what presses most comes first."""
READ_AT_ONCE = 256
"""Index lines read at once."""
TOLD = "alarm-told"
"""Side table: when something was told outside: an overdue duty, by its key in the index of open ones, or a proof."""
UNCHECKED = "K"
DATED, PRESSING = ("1",), ("1", "2", "3")
"""The classes of ``open_duty_key``: with a day, and everything that can be done and be over."""
OPEN_TO_ALL = frozenset(
    {"always", "agreement-ended", "designation-changed", "law-changed", "law-requested", "end-wanted"}
)
"""Events about the agreement itself, which every person of the house may know of."""


class ListDuties(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed.

    Attributes:
        whose: by this house, by the other parties, or both.
        overdue: only what is overdue.
        item: only what concerns this item, with what is done already.
        actor: for whom; the house itself unless given.
        limit: most duties for each party; 1 to ``LINES_MAX``.
    """

    whose: Literal["mine", "theirs", "all"] = "all"
    overdue: bool = False
    item: str | None = None
    actor: Actor | None = None
    limit: int = LINES_MAX


class DutyShown(msgspec.Struct, frozen=True, kw_only=True):
    """A duty as it stands at the instant of asking.

    Attributes:
        relationship, subject: about what it is.
        item: the item concerned, or empty.
        instrument, obligation, clause, provenance: what lays it, and how well that is known.
        unchecked: it rests on a clause that nobody checked against the text; it warns and is never overdue.
        who: party id of the side that owes it.
        to: party id of the side it is owed to, or empty.
        event, deed: the words of the agreement file for what opened it and what discharges it.
        says: what is to be done, in plain words.
        evidence: what the text expects to be shown.
        opened, at: the record that opened it, in hex, and its instant.
        within: the limit as the text says it: a word, a duration, or nothing.
        limit, limit_from: the number that a layer put in, and the layer's clause.
        due: the last instant at which it is in time; None where no number is written.
        overdue: that instant has passed.
        now: it is due at once.
        standing: it is never over.
        discharged, discharged_at: the record that discharged it, and its instant.
        void: that record is the verdict by which the other party returned what had opened it.
        shown, shown_at: of a standing duty, the newest record that shows it being done.
        next: what to type so that it is done; empty where it is not ours, or done.
    """

    relationship: str
    subject: str
    item: str
    instrument: str
    obligation: str
    clause: str
    provenance: str
    unchecked: bool
    who: str
    to: str
    event: str
    deed: str
    says: str
    evidence: str
    opened: str
    at: datetime
    within: str
    limit: str
    limit_from: str
    due: datetime | None
    overdue: bool
    now: bool
    standing: bool
    discharged: str | None
    discharged_at: datetime | None
    void: bool
    shown: str | None
    shown_at: datetime | None
    next: str


class DutiesShown(msgspec.Struct, frozen=True, kw_only=True):
    """What is owed at an instant.

    Attributes:
        party: this house.
        at: the instant.
        duties: what can be done and be over; of one party, what presses most comes first.
        standing: what is never over.
        overdue: how many of ``duties`` are overdue and rest on a clause that was checked.
        more: there are more than were asked for.
    """

    party: str
    at: datetime
    duties: tuple[DutyShown, ...]
    standing: tuple[DutyShown, ...]
    overdue: int
    more: bool


async def list_duties(house: House, request: ListDuties) -> DutiesShown:
    """What is owed, as the viewer may see it.

    Raises:
        Misuse: there is no such item, or nobody has that handle.
    """
    at, person = house.now(), await viewer(house, request.actor)
    if request.item is not None:
        await _check_item(house, request.item, person)
    limit = max(1, min(request.limit, LINES_MAX))
    found: list[DutyShown] = []
    standing: list[DutyShown] = []
    more = False
    for party in await _parties(house, request.whose):
        if request.item is not None:
            about = [each async for each in _about_item(house, request.item) if each[1].who == party]
            about = [each for each in about if await sees_duty(house, *each, person)]
            listed = [each for each in about if not request.overdue or _overdue(each[1], at)]
        else:
            listed, cut = await _pressing(house, party, person, request, limit, at)
            more = more or cut
        found += [await duty_shown(house, row, duty, at) for row, duty in listed if not duty.standing]
        if not request.overdue:
            stands = listed if request.item is not None else await _standing(house, party, person, limit)
            standing += [await duty_shown(house, row, duty, at) for row, duty in stands if duty.standing and duty.open]
    loud = sum(each.overdue and not each.unchecked for each in found)
    return DutiesShown(party=house.party, at=at, duties=tuple(found), standing=tuple(standing), overdue=loud, more=more)


async def _check_item(house: House, item: str, person: PersonRow | None) -> None:
    """Whoever sees the whole register may ask about an item that is only on its way, too.

    Raises:
        Misuse: there is no such item for this viewer.
    """
    if sees_all(person) and await house.row(ItemRow, item) is None:
        async for _ in _about_item(house, item):
            return
    await visible_item(house, None, item, person)


async def untold(house: House, at: datetime, limit: int) -> list[tuple[str, DutyShown]]:
    """Duties of any party that are overdue at ``at`` and were not told (10), with their keys for ``mark_told``."""
    found = []
    for party in await _parties(house, "all"):
        async for key, row, duty in _indexed(house, f"{party}/1/", _until(party, at)):
            loud = _overdue(duty, at) and duty.provenance != UNCHECKED
            if loud and await house.side(TOLD, key) is None:
                found.append((key, await duty_shown(house, row, duty, at)))
                if len(found) == limit:
                    return found
    return found


async def mark_told(house: House, keys: Sequence[str]) -> None:
    """Keep that these were told, durably, so that the next start does not tell them again (10)."""

    async def keep(work: Work) -> None:
        for key in keys:
            work.put_side(TOLD, key, house.now().isoformat().encode())

    await house.sequencer.submit(keep)


async def _parties(house: House, whose: str) -> list[str]:
    others = sorted({peer for _, peer in await house.relationships()})
    return {"mine": [house.party], "theirs": others, "all": [house.party, *others]}[whose]


def _until(party: str, at: datetime) -> str:
    """The end of what had its day before ``at``."""
    return f"{party}/1/{instant_key(at)}"


async def _pressing(
    house: House, party: str, person: PersonRow | None, request: ListDuties, limit: int, at: datetime
) -> tuple[list[tuple[DutiesRow, Duty]], bool]:
    """What one party owes, what presses first; and whether there is more than ``limit``."""
    found: list[tuple[DutiesRow, Duty]] = []
    for pressing in DATED if request.overdue else PRESSING:
        until = _until(party, at) if request.overdue else f"{party}/{pressing}0"  # "0" comes after "/"
        async for _, row, duty in _indexed(house, f"{party}/{pressing}/", until):
            if await sees_duty(house, row, duty, person):
                if len(found) == limit:
                    return found, True
                found.append((row, duty))
    return found, False


async def _standing(house: House, party: str, person: PersonRow | None, limit: int) -> list[tuple[DutiesRow, Duty]]:
    found = []
    async for _, row, duty in _indexed(house, f"{party}/4/", f"{party}/40"):
        if await sees_duty(house, row, duty, person):
            found.append((row, duty))
            if len(found) == limit:
                break
    return found


async def _indexed(house: House, first: str, before: str) -> AsyncIterator[tuple[str, DutiesRow, Duty]]:
    """The open duties whose keys stand in a range of the index; reads no more than is taken."""
    while True:
        lines = await house.store.scan(OpenDutyRow.table, first, before, limit=READ_AT_ONCE)
        entries = [(key, decode_row(OpenDutyRow.table, value)) for key, value in lines]
        rows = await house.sequencer.rows.get({_key_of(entry) for _, entry in entries})
        for key, entry in entries:
            row = rows[_key_of(entry)]
            if isinstance(row, DutiesRow) and isinstance(entry, OpenDutyRow) and row.duties[entry.place].open:
                yield key, row, row.duties[entry.place]
        if len(lines) < READ_AT_ONCE:
            return
        first = lines[-1][0] + "\0"


def _key_of(entry: object) -> Key:
    assert isinstance(entry, OpenDutyRow)
    return DutiesRow.table, entry.duty


async def _about_item(house: House, item: str) -> AsyncIterator[tuple[DutiesRow, Duty]]:
    """Every duty that concerns an item, done or open, in the order of subjects."""
    for relationship, _ in await house.relationships():
        subjects = [item, *[row.subject async for _, row in house.rows(ItemDutyRow, f"{relationship}/{item}/")]]
        keys: Iterable[Key] = [(DutiesRow.table, f"{relationship}/{subject}") for subject in subjects]
        rows = [row for row in (await house.sequencer.rows.get(keys)).values() if isinstance(row, DutiesRow)]
        rows += [row async for _, row in house.rows(DutiesRow, f"{relationship}/{item}/")]
        for row in rows:
            for duty in row.duties:
                if duty.item in ("", item):
                    yield row, duty


async def sees_duty(house: House, row: DutiesRow, duty: Duty, person: PersonRow | None) -> bool:
    """Whether a viewer may know of a duty (8)."""
    if person is None or sees_all(person) or duty.event in OPEN_TO_ALL:
        return True
    if duty.event == "hand-over-wanted" and ASSURANCE_OFFICER in person.roles:
        return True
    item = await house.row(ItemRow, duty.item) if duty.item else None
    if item is None or not await may_see(house, item, person):
        return False
    return await about_his_copies(house, item, person, row.relationship, row.subject)


def _overdue(duty: Duty, at: datetime) -> bool:
    return duty.open and duty.due is not None and at > duty.due


async def _next(house: House, row: DutiesRow, duty: Duty) -> str:
    """What this house types so that it is done."""
    if not duty.open or duty.who != house.party:
        return ""
    entry = await house.store.find(duty.opened) if duty.deed == "give-receipt" else None
    if entry is None:
        return next_command(row, duty)
    record = understand(read_kept(entry.envelope, duty.opened))
    return next_command(row, duty, record.statement.type, getattr(record.body, "copy", None))


async def duty_shown(house: House, row: DutiesRow, duty: Duty, at: datetime) -> DutyShown:
    """A duty as it stands at an instant."""
    return DutyShown(
        relationship=row.relationship,
        subject=row.subject,
        item=duty.item,
        instrument=duty.instrument,
        obligation=duty.obligation,
        clause=duty.clause,
        provenance=duty.provenance,
        unchecked=duty.provenance == UNCHECKED,
        who=duty.who,
        to=duty.to,
        event=duty.event,
        deed=duty.deed,
        says=plain_words(duty),
        evidence=duty.evidence,
        opened=duty.opened.hex(),
        at=duty.at,
        within=duty.within,
        limit=duty.limit,
        limit_from=duty.limit_from,
        due=duty.due,
        overdue=_overdue(duty, at),
        now=duty.open and duty.within == AT_ONCE,
        standing=duty.standing,
        discharged=None if duty.discharged is None else duty.discharged.hex(),
        discharged_at=duty.discharged_at,
        void=duty.void,
        shown=None if duty.shown is None else duty.shown.hex(),
        shown_at=duty.shown_at,
        next=await _next(house, row, duty),
    )
