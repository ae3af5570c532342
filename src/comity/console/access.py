"""The book of access: who asked for which page, signed in or was refused (``spec/console.md`` steps 22 and 23).

What was typed, searched or shown is not in it. Notes wait in memory for a second at most and are written together, off
the way of the request; where many wait because the disk is slow, whoever asks next waits for it first.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec

from comity.console.shelves import SCAN_ROWS, Shelf
from comity.errors import ComityError
from comity.ports import Clock, Store

WRITTEN_SECONDS = 1.0
WAITING_MAX = 2_000
"""Notes that may wait; more are a disk that does not keep up."""
REFUSED_A_MINUTE = 60
"""Refused sign-ins of one person, or of nobody, that are noted: whoever tries without end fills no disk with them."""
PATH_CHARACTERS_MAX = 200
REPEATED = timedelta(minutes=1)
LATELY_MAX = 5_000
_log = logging.getLogger("comity.console")


class Note(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Who asked for what.

    Attributes:
        at: when.
        person: the person id of whoever asked; empty where nobody was signed in, or nobody has that handle.
        did: the page by its kind, such as ``/item/{item}``; or ``sign-in``, ``sign-out``, ``prove``, ``token``.
        path: the page itself, without what was searched; empty for ``sign-in`` and its like.
        method: ``GET`` or ``POST``.
        status: how it was answered.
        how: what he was signed in by, or tried to.
        code: why it was refused, where it was.
    """

    at: datetime
    person: str
    did: str
    path: str = ""
    method: str = "GET"
    status: int = 200
    how: str = ""
    code: str = ""


class Access:
    """The book of access.

    Args:
        store: the console's own.
        clock: wall-clock time.
        days: how long a note is kept.
    """

    def __init__(self, store: Store, clock: Clock, days: int) -> None:
        self._shelf = Shelf(store, "access", Note)
        self._clock = clock
        self._kept = timedelta(days=days)
        self._waiting: dict[str, Note] = {}
        self._writing = asyncio.Lock()
        self._soon: asyncio.Task[None] | None = None
        self._number = 0
        self._lately: OrderedDict[tuple[str, str], datetime] = OrderedDict()
        self._refused: tuple[int, Counter[str]] = (0, Counter())

    def note(self, note: Note) -> None:
        """Note something; it is written within a second. Call ``ready`` before what is noted.

        Of whoever is not known the same is noted once a minute, so that nobody fills the disk from outside.
        """
        if not note.person and self.mark_seen("", f"{note.did} {note.how} {note.code}"):
            return
        if note.code and not note.path and self._is_one_of_many(note.person, note.at):
            return
        self._number += 1
        kept = msgspec.structs.replace(note, path=note.path[:PATH_CHARACTERS_MAX])
        self._waiting[_key(note.at, self._number)] = kept
        if self._soon is None or self._soon.done():
            self._soon = asyncio.create_task(self._written_soon(), name="access")

    def _is_one_of_many(self, person: str, now: datetime) -> bool:
        minute, refused = self._refused
        if minute != int(now.timestamp()) // 60:
            minute, refused = self._refused = (int(now.timestamp()) // 60, Counter())
        refused[person] += 1
        return refused[person] > REFUSED_A_MINUTE

    async def ready(self) -> None:
        """Make room, where many notes wait.

        Raises:
            ComityError: what was done before cannot be written; nothing more is to be done.
        """
        if len(self._waiting) > WAITING_MAX:
            await self.flush()

    def mark_seen(self, person: str, what: str) -> bool:
        """Mark something of a person as seen; whether it was within a minute before, and is not to be noted again."""
        now, key = self._clock.now(), (person, what)
        last = self._lately.get(key)
        if last is not None and now - last < REPEATED:
            return True
        self._lately[key] = now
        self._lately.move_to_end(key)
        while len(self._lately) > LATELY_MAX:
            self._lately.popitem(last=False)
        return False

    async def flush(self) -> None:
        """Write what waits.

        Raises:
            ComityError: it cannot be written; it waits on.
        """
        async with self._writing:
            notes = dict(self._waiting)
            if not notes:
                return
            await self._shelf.put_all(notes)
            for key in notes:
                del self._waiting[key]
            await self._throw_old_away()

    async def close(self) -> None:
        """Write what waits, and stop."""
        if self._soon is not None:
            self._soon.cancel()
            await asyncio.gather(self._soon, return_exceptions=True)
        with suppress(ComityError):
            await self.flush()

    async def page(self, before: str = "", limit: int = 100) -> list[tuple[str, Note]]:
        """The newest notes, or those before a key of an earlier page; the newest first."""
        await self.flush()
        return await self._shelf.scan(before=before or None, limit=limit, newest_first=True)

    async def all(self) -> AsyncIterator[Note]:
        """Every note, the oldest first."""
        await self.flush()
        first = ""
        while found := await self._shelf.scan(first):
            for _, note in found:
                yield note
            first = found[-1][0] + "\0"

    async def _written_soon(self) -> None:
        while self._waiting:
            await asyncio.sleep(WRITTEN_SECONDS)
            try:
                await self.flush()
            except ComityError:
                _log.exception("notes of who asked for which page could not be written yet")

    async def _throw_old_away(self) -> None:
        end = _key(self._clock.now() - self._kept, 0)
        while old := await self._shelf.scan("", end, limit=SCAN_ROWS):
            await self._shelf.put_all(dict.fromkeys(key for key, _ in old))
            if len(old) < SCAN_ROWS:
                return


def _key(at: datetime, number: int) -> str:
    return f"{int(at.timestamp() * 1000):015}-{number % 10**9:09}"
