"""What stands in the index: the entries of items, of what waits and of duties, from the committed rows.

``spec/index.md`` steps 1, 5, 9, 10 and 14. An entry is made whole each time; nothing of the one before counts.

Keys: ``line/ITEM``, ``duty/KEY`` by the key in the index of open duties, and of what waits ``approve/REQUEST``,
``assure/RELATIONSHIP/REQUEST``, ``consent/RELATIONSHIP/REQUEST``, ``recall/RELATIONSHIP/ITEM``, ``receipt/RECORD``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from comity.decision import model as decision
from comity.errors import Refused
from comity.flows.deciding.lineage import ancestry, is_own, relationships_of
from comity.flows.giving.release import ITEM_TITLE
from comity.flows.house import House
from comity.flows.indexing.words import folded, words_of
from comity.flows.keeping.committed import ReadRows, scan_rows
from comity.flows.looking.duties import OPEN_TO_ALL, UNCHECKED
from comity.ports.index import Entry
from comity.record.statement import DOMESTIC
from comity.register.rows import (
    AgreementRow,
    AskedRow,
    AssuranceRow,
    ConsignmentRow,
    CopyRow,
    ItemRequestRow,
    ItemRow,
    Key,
    RequestRow,
    Row,
)
from comity.register.rows.consents import ConsentAskedRow
from comity.register.rows.duties import DutiesRow, OpenDutyRow
from comity.register.rows.ending import HoldingRow, RecallRow
from comity.register.rows.incidents import SuspicionRow
from comity.register.rows.lineage import ChildRow, DerivativeRow
from comity.register.rows.routes import ForwardRow

LINE, DUTY = "line", "duty"
FORWARDED = "fw"
"""The name under which stands what this house handed on."""
ASSURERS = "assurers"
"""Behind ``duty/N/``: what assurance officers see for what they are; likewise ``everybody``."""
EVERYBODY = "everybody"
RELEASERS = "releasers"
"""Behind ``consent/``: what a release authority sees though it is about no item of the register."""
R = TypeVar("R", bound=Row)


class About(msgspec.Struct, frozen=True, array_like=True):
    """What the index keeps about a line, by which a page is filtered without reading the register.

    Attributes:
        of: its class.
        own: whether it is this house's own.
        seen: under which names stands what may be seen with it: its class, its holders, who asked to give it.
        relationship: by which it came, or ``domestic``.
        places: every relationship that it came by, was given in, or is protected by.
        mark, topic, form: as registered.
        out: whether this house gave it, or handed it on.
        copies: who has a copy or is to take one over, with its state, each pair once.
        states: how many copies are in each state.
        text: title, topic and subject, folded.
        titled: whether it has a title here.
    """

    of: str
    own: bool
    seen: tuple[str, ...]
    relationship: str
    places: tuple[str, ...]
    mark: str
    topic: str
    form: str
    out: bool
    copies: tuple[tuple[str, str], ...]
    states: dict[str, int]
    text: str
    titled: bool


class Plain(msgspec.Struct, frozen=True, array_like=True):
    """All that the decision about opening an item knows of it, but not which one it is; and what it has in common."""

    common: tuple[str, ...]
    place: str
    purpose: str
    item: decision.Item


async def entry_of(house: House, key: str, read: ReadRows | None = None) -> Entry | None:
    """The entry with this key as the rows have it now; None where there is nothing to find."""
    kind, _, name = key.partition("/")
    made = _MADE.get(kind)
    return None if made is None else await made(house, name, read or house.sequencer.rows.get)


async def line(house: House, item: str, read: ReadRows) -> Entry | None:
    """The line of an item."""
    row = await _row(read, ItemRow, item)
    if row is None:
        return None
    title = (await house.side(ITEM_TITLE, item) or b"").decode()
    text = f"{title} {row.topic} {row.subject}"
    about = await about_item(house, row, text, titled=bool(title), read=read)
    return Entry(f"{LINE}/{item}", row.registered, names_of(about, words_of(text)), msgspec.msgpack.encode(about))


async def about_item(house: House, row: ItemRow, text: str, *, titled: bool, read: ReadRows) -> About:
    """What the rows say about an item."""
    item, own = row.item, is_own(row)
    running = [relationship for relationship, _ in await house.relationships()]
    copies = [
        (place, copy) for place in running async for _, copy in scan_rows(house.store, CopyRow, f"{place}/{item}/")
    ]
    forwards = [await _row(read, ForwardRow, f"{place}/{item}") for place in running]
    gone_on = {place for place, each in zip(running, forwards, strict=True) if each and each.holder == house.party}
    made_in = {place for place in running if await _row(read, DerivativeRow, f"{place}/{item}") is not None}
    of = await class_of(house, row, read)
    holders = sorted({(name, copy.state) for _, copy in copies for name in (copy.holder, copy.taker) if name})
    asked = {each.by async for _, each in scan_rows(house.store, ItemRequestRow, f"{item}/")} if own else set()
    return About(
        of=of,
        own=own,
        seen=(
            f"class/{of}",
            *sorted({f"h/{name}" for name, _ in holders}),
            *sorted(f"a/{person}" for person in asked),
            *([FORWARDED] if gone_on else []),
        ),
        relationship=row.relationship,
        places=tuple(sorted(({row.relationship} - {DOMESTIC}) | gone_on | made_in | {place for place, _ in copies})),
        mark=row.label.mark,
        topic=row.topic,
        form=row.form,
        out=bool(gone_on) or (row.relationship == DOMESTIC and bool(row.consignments)),
        copies=tuple(holders),
        states=dict(Counter(copy.state for _, copy in copies)),
        text=folded(text),
        titled=titled,
    )


def names_of(about: About, words: Iterable[str]) -> tuple[str, ...]:
    """The names of a line, as a search looks them up (``finding.searching``)."""
    return (
        LINE,
        *about.seen,
        *(f"h/{name}/{state}" for name, state in about.copies),
        *(f"s/{state}" for state in about.states),
        *(f"w/{place}" for place in about.places),
        *(f"x/{about.of}/{word}" for word in words),
        *(["out"] if about.out else []),
    )


async def class_of(house: House, row: ItemRow, read: ReadRows) -> str:
    """(10) The class of an item: everything that ``visibility.sees_such`` asks about it, and a page of a class."""
    common = (row.relationship, row.topic, row.label.mark, row.form)
    if is_own(row):
        return _digest(("own", *common))
    place = row.relationship
    if place == DOMESTIC:
        place = (*await relationships_of(house, row.item, read=read), "")[0]
    running = await _row(read, AgreementRow, place)
    if running is None:
        return _digest(("of no agreement", row.item))
    purpose = row.provided or ""
    try:
        found = await ancestry(house, read, running, row, purpose)
    except Refused:  # it has too many ancestors to be decided about: nobody sees it for what it is
        return _digest(("by itself", row.item))
    return _digest(Plain(common, place, purpose, _nameless(found.item)))


def _nameless(item: decision.Item) -> decision.Item:
    return msgspec.structs.replace(item, id="", lineage=tuple(_nameless(each) for each in item.lineage))


def _digest(value: object) -> str:
    return sha256(msgspec.json.encode(value)).hexdigest()[:24]


async def _seen(house: House, item: str, read: ReadRows) -> tuple[str, ...]:
    """Under which names stands what may be seen with an item."""
    found = await line(house, item, read)
    return () if found is None else msgspec.msgpack.decode(found.about, type=About).seen


# ---- what waits, and what is owed ------------------------------------------------------------------------------------


async def _approve(_: House, request: str, read: ReadRows) -> Entry | None:
    """A request of this house that was not carried out; one that was refused waits for nobody."""
    row = await _row(read, RequestRow, request)
    if row is None or row.consignment is not None:
        return None
    if not all(each.granted for each in row.approvals):
        return Entry(f"approve/{request}", row.at, (f"refused/{row.by}",), b"")
    answers = [await _row(read, AssuranceRow, f"{row.relationship}/{request}/{each}") for each in row.recipients]
    assured = all(each is not None and each.conditions for each in answers)
    names = ["asked", f"asked/{row.by}"]
    if assured or not row.approvals:  # else it waits for the other party alone
        names += ["approve", *(f"approve/{each}" for each in {row.by, *(each.by for each in row.approvals)})]
    return Entry(f"approve/{request}", row.at, tuple(names), b"")


async def _assure(house: House, name: str, read: ReadRows) -> Entry | None:
    """An assurance that another party asks of this house."""
    row = await _row(read, AskedRow, name)
    over = row is None or row.author == house.party or row.consignment is not None
    if row is None or over or set(row.recipients) <= set(row.answered):
        return None
    return Entry(f"assure/{name}", row.at, ("assure",), b"")


async def _consent(house: House, name: str, read: ReadRows) -> Entry | None:
    """A consent that another party asks of this house; it stands where it lapses."""
    row = await _row(read, ConsentAskedRow, name)
    if row is None or row.author == house.party or row.consent is not None or row.dropped is not None:
        return None
    seen = await _seen(house, row.item, read)
    names = [f"consent/{each}" for each in seen or (RELEASERS,)]
    lapses = row.until if row.answer_by is None else min(row.until, row.answer_by)
    return Entry(f"consent/{name}", lapses, ("consent", f"of/{row.item}", *names), b"")


async def _recall(house: House, name: str, read: ReadRows) -> Entry | None:
    """Something that another party asks back, of which there is something left here."""
    row = await _row(read, RecallRow, name)
    holding = await _row(read, HoldingRow, name)
    if row is None or row.author == house.party or row.lifted is not None:
        return None
    if holding is None or not holding.left + holding.below:
        return None
    item = name.rpartition("/")[2]
    seen = [f"recall/{each}" for each in await _seen(house, item, read)]
    return Entry(f"recall/{name}", row.at, ("recall", f"of/{item}", *seen), b"")


async def _receipt(house: House, record: str, read: ReadRows) -> Entry | None:
    """Something given, of which the other party has not said that it arrived."""
    row = await _row(read, ConsignmentRow, record)
    if row is None or row.author != house.party or row.received is not None or row.returned is not None:
        return None
    request = await _row(read, RequestRow, row.request)
    by = () if request is None else (f"receipt/{request.by}",)
    return Entry(f"receipt/{record}", row.at, ("receipt", *by), b"")


async def _duty(house: House, key: str, read: ReadRows) -> Entry | None:
    """A duty of this house that can be done and be over; it stands where it is due, or where it began."""
    who, pressing, _ = key.split("/", 2)
    index = await _row(read, OpenDutyRow, key)
    if index is None or who != house.party or pressing == "4":
        return None
    row = await _row(read, DutiesRow, index.duty)
    if row is None:
        return None
    duty = row.duties[index.place]
    under = f"{DUTY}/{pressing}{UNCHECKED if pressing == '1' and duty.provenance == UNCHECKED else ''}"
    names = [under]
    if duty.event in OPEN_TO_ALL:
        names.append(f"{under}/{EVERYBODY}")
    if duty.event == "hand-over-wanted":
        names.append(f"{under}/{ASSURERS}")
    if duty.item:
        names += (f"of/{duty.item}", *(f"{under}/{each}" for each in await _seen(house, duty.item, read)))
    at: datetime = duty.at if duty.due is None else duty.due
    return Entry(f"{DUTY}/{key}", at, tuple(names), b"")


_MADE = {
    LINE: line,
    DUTY: _duty,
    "approve": _approve,
    "assure": _assure,
    "consent": _consent,
    "recall": _recall,
    "receipt": _receipt,
}


# ---- what rests on what ----------------------------------------------------------------------------------------------


def resting_on(changed: Iterable[Key]) -> list[str]:
    """(5) The keys of the entries that rest on rows and titles."""
    found: dict[str, None] = {}
    for table, key in changed:
        head, _, last = key.rpartition("/")
        if table in _OF_ITEM:
            found[f"{LINE}/{last}"] = None
        if table in _INSIDE_ITEM:
            found[f"{LINE}/{head.rpartition('/')[2]}"] = None
        if table in _OF_WAIT:
            found[f"{_OF_WAIT[table]}/{key}"] = None
        if table == AssuranceRow.table:
            found[f"approve/{head.rpartition('/')[2]}"] = None
        if table == OpenDutyRow.table:
            found[f"{DUTY}/{key}"] = None
    return list(found)


_OF_ITEM = frozenset(
    {row.table for row in (ItemRow, DerivativeRow, ForwardRow, RecallRow, SuspicionRow)} | {ITEM_TITLE}
)
"""Tables whose keys end with an item's id."""
_INSIDE_ITEM = frozenset({CopyRow.table, ItemRequestRow.table})
"""Tables whose keys have an item's id before the last part."""
SELDOM: tuple[type[Row], ...] = (DerivativeRow, ForwardRow, RecallRow, SuspicionRow)
"""What is looked up for every item and is there for few."""
_OF_WAIT = {
    RequestRow.table: "approve",
    AskedRow.table: "assure",
    ConsentAskedRow.table: "consent",
    RecallRow.table: "recall",
    HoldingRow.table: "recall",
    ConsignmentRow.table: "receipt",
}


async def made_from(house: House, item: str) -> AsyncIterator[str]:
    """The keys of the lines of what was made from an item, and from nothing between."""
    for relationship, _ in await house.relationships():
        async for _, child in scan_rows(house.store, ChildRow, f"{relationship}/{item}/"):
            yield f"{LINE}/{child.item}"


async def all_lines(house: House) -> list[str]:
    """The keys of the lines of all items, the oldest first: so each is written behind those before it.

    They are in memory at once, about 90 MB for a million.
    """
    found = [f"{row.registered:%Y%m%dT%H%M%S%f} {key}" async for key, row in scan_rows(house.store, ItemRow)]
    found.sort()
    return [f"{LINE}/{each.partition(' ')[2]}" for each in found]


async def all_others(house: House) -> AsyncIterator[str]:
    """The keys of everything else that may have an entry."""
    for kind, row in _ROWS.items():
        async for key, _ in scan_rows(house.store, row):
            yield f"{kind}/{key}"


_ROWS: dict[str, type[Any]] = {
    "approve": RequestRow,
    "assure": AskedRow,
    "consent": ConsentAskedRow,
    "recall": RecallRow,
    "receipt": ConsignmentRow,
    DUTY: OpenDutyRow,
}


async def _row(read: ReadRows, kind: type[R], key: str) -> R | None:
    row = (await read([(kind.table, key)]))[kind.table, key]
    assert row is None or isinstance(row, kind)
    return row
