"""How the index keeps up with the register (``spec/index.md`` steps 3 to 8)."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import msgspec

from comity.errors import ComityError, Unavailable
from comity.flows.house import House
from comity.flows.indexing.entries import LINE, SELDOM, About, all_lines, all_others, entry_of, made_from, resting_on
from comity.flows.keeping.committed import SCAN_MAX, ReadRows, scan_side
from comity.ports import Batch, JournalEntry
from comity.ports.index import Entry, Index, Watermark
from comity.record.statement import peek
from comity.register.rows import ConsignmentRow, ItemRow, Key, Row
from comity.register.rows.duties import DutiesRow, ItemDutyRow, LaidRow, open_duty_key

CATCH_UP_MAX = 20_000
"""Most journal entries of which it is found out what they changed; beyond them the index is made anew."""
GATHER_SECONDS = 0.2
"""How long what is committed is gathered in the background before it is taken up."""
RETRY_SECONDS = 5.0
"""How long until it is tried again."""
AT_ONCE = 64
"""Entries that are made and written at once."""
MADE_AT_ONCE = 256
"""The same, while all of it is made."""
BREATH = 4
"""Entries made before something else may be done."""
PATIENCE_SECONDS = 2.0
"""How long a page waits for the index to take up what it lacks, be it all of it; that goes on without the page."""
FEW_MAX = 100_000
"""Up to how many rows of a table all keys are kept in memory while the index is made anew."""
BELOW_MAX = 10_000
"""Most entries about one item that are made anew when who may see it changes."""


class Indexed(msgspec.Struct, frozen=True, kw_only=True):
    """How far the index is: how many lines it has of those that it will have, while it is made for the first time."""

    ready: bool
    done: int = 0
    of: int = 0


def index_of(house: House) -> Index:
    """The index of a house.

    Raises:
        Unavailable: it has none.
    """
    if house.index is None:
        raise Unavailable("this house keeps no index of its register", code="no-index")
    return house.index


def progress(house: House) -> Indexed:
    """How far the index of a house is."""
    state = house.unindexed
    return Indexed(ready=state.resumed and not state.resuming, done=state.done, of=state.of)


async def up_to_date(house: House) -> Index:
    """(7) The index, with everything that was committed before.

    Raises:
        Unavailable: it is being made, or has much to take up (``index-behind``); it was lost and is made anew
            (``index-lost``); or the house keeps none.
        DiskFull: there is no room for it.
    """
    index = index_of(house)
    if house.unindexed.any or await index.watermark() is None:
        task = house.unindexed.task(partial(catch_up, house))
        await asyncio.wait([task], timeout=PATIENCE_SECONDS)
        if not task.done() or task.cancelled():
            raise behind(house)
        task.result()
    return index


def behind(house: House) -> Unavailable:
    """What whoever asks for a page hears while the index is not ready."""
    now = progress(house)
    if now.of:
        sentence = (
            f"the index of the register is being made ({now.done} of about {max(now.done, now.of)} entries); pages of "
            "the register come when it is ready, everything else goes on"
        )
    else:
        sentence = (
            "the index of the register is being brought up to date; pages of the register come in a moment, "
            "everything else goes on"
        )
    return Unavailable(sentence, code="index-behind")


async def catch_up(house: House) -> None:
    """Take up everything that was committed before.

    Raises:
        Unavailable, DiskFull: not now; nothing is lost by it.
    """
    async with house.unindexed.turn:
        await _catch_up(house, index_of(house))


async def keep_up(house: House) -> None:
    """Take up what is committed, in the background, for as long as the task lives."""
    bell = asyncio.Event()
    house.after_commit.append(bell.set)
    try:
        while True:
            bell.clear()
            try:
                await catch_up(house)
            except ComityError:  # a page that needs it says so; it is tried again
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await bell.wait()
            await asyncio.sleep(GATHER_SECONDS)
    finally:
        house.after_commit.remove(bell.set)


async def forget_titles(house: House) -> None:
    """(8) See to it that the index has no trace of titles that are erased by now; it is deleted where it cannot be."""
    state, index = house.unindexed, house.index
    if index is None:
        return
    async with state.turn:
        try:
            end = await house.store.commit(Batch(), {})
            if await _leads_on(house, index) or await _fitting(house, index, end) is not None:
                await _catch_up(house, index)
                return
        except ComityError:
            state.forget()
        await index.clear()


async def renew(house: House) -> None:
    """Forget what the index has: the register was written anew under it."""
    if house.index is not None:
        async with house.unindexed.turn:
            house.unindexed.forget()
            await house.index.clear()


async def _catch_up(house: House, index: Index) -> None:
    state = house.unindexed
    try:
        while not await _leads_on(house, index) or state.waiting:
            if not state.resumed:  # once more where too much was told meanwhile
                await _resume(house, index)
                continue
            keys, mark = state.take()
            try:
                await _take_up(house, index, resting_on(keys), mark)
            except BaseException:
                state.put_back(keys)
                raise
    finally:
        state.changes += 1


async def _leads_on(house: House, index: Index) -> bool:
    """Whether what was told leads on from what the index has; one that was lost, whoever met that, has nothing."""
    state = house.unindexed
    if state.resumed and await index.watermark() is None:
        state.forget()
    return state.resumed


async def _resume(house: House, index: Index) -> None:
    """(3, 6) Find out what the index lacks; all of it, where it does not fit."""
    state = house.unindexed
    state.resuming = True
    state.resume()  # what is committed from here on is told, besides what stands in the journal
    try:
        entries = await house.store.commit(Batch(), {})
        end = await _end(house, entries)
        had = await _fitting(house, index, entries)
        if had is None:
            await index.clear()
            await _make(house, index, end)
            return
        keys: dict[str, None] = {}
        for start in range(had.entries, entries, SCAN_MAX):
            for entry in await house.store.journal(start, min(SCAN_MAX, entries - start)):
                keys.update(dict.fromkeys([key async for key in _named_by(house, entry)]))
                await asyncio.sleep(0)
        await _take_up(house, index, keys, end)
    except BaseException:
        state.forget()
        raise
    finally:
        state.done = state.of = 0
        state.resuming = False


async def _fitting(house: House, index: Index, entries: int) -> Watermark | None:
    """How far the index has come with this journal; None where it is to be made anew."""
    had = await index.watermark()
    fits = had is not None and had == await _end(house, had.entries) and entries - had.entries <= CATCH_UP_MAX
    return had if fits else None


async def _end(house: House, entries: int) -> Watermark:
    """The watermark of a journal that ends there; of none that is longer than ours."""
    found = await house.store.journal(entries - 1, 1) if entries else []
    return Watermark(entries, found[0].record if found else b"")


async def _make(house: House, index: Index, end: Watermark) -> None:
    """Make all of it; what is committed meanwhile is told, and taken up afterwards."""
    state = house.unindexed
    read = await _reading_much(house)
    lines = await all_lines(house)
    state.of = len(lines)
    writing = asyncio.create_task(index.change([]))
    try:
        async for some in _portions(lines, all_others(house)):
            made = [entry async for entry in _made(house, some, read) if entry is not None]
            await writing
            writing = asyncio.create_task(index.change(made))  # while these are written, the next are made
            state.done = min(state.of, state.done + len(some))
    finally:
        await writing
    await index.change([], (), end)


async def _portions(lines: Sequence[str], others: AsyncIterator[str]) -> AsyncIterator[Sequence[str]]:
    for start in range(0, len(lines), MADE_AT_ONCE):
        yield lines[start : start + MADE_AT_ONCE]
    some: list[str] = []
    async for key in others:
        some.append(key)
        if len(some) == MADE_AT_ONCE:
            yield some
            some = []
    yield some


async def _take_up(house: House, index: Index, keys: Iterable[str], mark: Watermark | None) -> None:
    """Make these entries anew, and whatever rests on what they say of who may see an item."""
    waiting = dict.fromkeys(keys)
    met = set(waiting)
    while waiting:
        some = [waiting.popitem()[0] for _ in range(min(AT_ONCE, len(waiting)))]
        before = dict(zip(some, await index.get(some), strict=True))
        made = [each async for each in _made(house, some)]
        for key, entry in zip(some, made, strict=True):
            if key.startswith(f"{LINE}/") and (entry is None or _sight(before[key]) != _sight(entry)):
                async for other in _below(house, index, key.partition("/")[2]):
                    if other not in met:
                        met.add(other)
                        waiting[other] = None
        gone = [key for key, entry in zip(some, made, strict=True) if entry is None and before[key] is not None]
        scrub = any(_loses_title(before[key], entry) for key, entry in zip(some, made, strict=True))
        last = mark if not waiting else None
        await index.change([entry for entry in made if entry is not None], gone, last, scrub=scrub)
    if not met and mark is not None:
        await index.change([], (), mark)


async def _made(house: House, keys: Iterable[str], read: ReadRows | None = None) -> AsyncIterator[Entry | None]:
    for number, key in enumerate(keys):
        if not number % BREATH:
            await asyncio.sleep(0)
        yield await entry_of(house, key, read)


async def _reading_much(house: House) -> ReadRows:
    """Rows by their keys, for whoever reads the whole register: of tables with few rows it knows which there are."""
    few: dict[str, set[str]] = {}
    for kind in SELDOM:
        keys: set[str] = set()
        async for key, _ in scan_side(house.store, kind.table):
            keys.add(key)
            if len(keys) > FEW_MAX:
                break
        else:
            few[kind.table] = keys

    async def read(keys: Iterable[Key]) -> dict[Key, Row | None]:
        asked = list(keys)
        there = [key for key in asked if key[0] not in few or key[1] in few[key[0]]]
        found = await house.sequencer.rows.get(there) if there else {}
        return {key: found.get(key) for key in asked}

    return read


def _about(entry: Entry | None) -> About | None:
    return None if entry is None or not entry.about else msgspec.msgpack.decode(entry.about, type=About)


def _sight(entry: Entry | None) -> tuple[str, ...] | None:
    """Who may see what the line is about; never the same where there is none."""
    about = _about(entry)
    return None if about is None else about.seen


def _loses_title(before: Entry | None, entry: Entry | None) -> bool:
    had, has = _about(before), _about(entry)
    return had is not None and had.titled and (has is None or has.text != had.text)


async def _below(house: House, index: Index, item: str) -> AsyncIterator[str]:
    """What rests on who may see an item: what was made from it, and what waits and is owed about it."""
    async for key in made_from(house, item):
        yield key
    for entry in await index.walk([f"of/{item}"], limit=BELOW_MAX):
        yield entry.key


# ---- what a journal entry may have changed ---------------------------------------------------------------------------


async def _named_by(house: House, entry: JournalEntry) -> AsyncIterator[str]:
    """(6) The keys of all entries that a record may have changed: of whatever it names, and what is owed about that."""
    body = peek(entry.envelope).body
    names, digests = {""}, {entry.record.hex()}
    for text in _texts(msgspec.json.decode(body)):
        with suppress(ValueError):
            if len(text) == _DIGEST_CHARACTERS:
                digests.add(b64decode(text, validate=True).hex())
        if len(text) <= _NAME_CHARACTERS_MAX:
            names.add(text)
    places = [relationship for relationship, _ in await house.relationships()]
    for digest in digests:
        yield f"receipt/{digest}"
        consignment = await house.row(ConsignmentRow, digest)
        if consignment is not None:
            names |= {consignment.item, consignment.request}
        for place in places:
            laid = await house.row(LaidRow, f"{place}/{digest}")
            names.update(laid.subjects if laid is not None else ())
    for name in sorted(names - {""}):
        yield f"approve/{name}"
        for place in places:
            for kind in ("assure", "consent", "recall"):
                yield f"{kind}/{place}/{name}"
        if await house.row(ItemRow, name) is not None:
            yield f"{LINE}/{name}"
        async for key in made_from(house, name):
            yield key
    for place in places:
        for name in sorted(names):
            async for key in _duties(house, place, name):
                yield key


_NAME_CHARACTERS_MAX = 100
_DIGEST_CHARACTERS = len(b64encode(bytes(32)))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a body; digests are texts there."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from (key, *_texts(each))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


async def _duties(house: House, place: str, name: str) -> AsyncIterator[str]:
    """The keys of every duty about a subject, done or open."""
    keys: list[Key] = [(DutiesRow.table, f"{place}/{name}")]
    if name:
        keys += [(DutiesRow.table, key) async for key, _ in house.rows(DutiesRow, f"{place}/{name}/")]
        keys += [
            (DutiesRow.table, f"{place}/{row.subject}") async for _, row in house.rows(ItemDutyRow, f"{place}/{name}/")
        ]
    for row in (await house.sequencer.rows.get(keys)).values():
        if isinstance(row, DutiesRow):
            for number in range(len(row.duties)):
                yield f"duty/{open_duty_key(row, number)[1]}"
