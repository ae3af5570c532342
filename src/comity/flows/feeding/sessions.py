"""Sources that number their requests: a request is taken once, for as long as it may be repeated (step 15)."""

from __future__ import annotations

from collections.abc import Container

from comity.errors import Misuse
from comity.flows.feeding.requests import Call
from comity.flows.feeding.shelf import Session, Shelf
from comity.ports import Put

SESSION_SECONDS = 7 * 24 * 3600
"""How long after its newest request a source is known, and a repeated request taken for what it is."""
FORGET_SECONDS = 3600
"""How often it is looked for sources to forget."""
FORGET_ROWS = 64
"""Most sources that are looked at in one round, so that no batch waits for it."""
SOURCE_CHARS_MAX = 200
"""Longest name of a source."""


class Sessions:
    """How far each source of one feed was taken."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._after = ""
        self._due = 0

    async def skip(self, source: str, request: int, count: int) -> int:
        """How many messages of a request were taken before; 0 where it is not numbered.

        Raises:
            Misuse: it is older than the newest of its source, or that has no such name.
        """
        if not source:
            return 0
        if len(source) > SOURCE_CHARS_MAX:
            raise Misuse(f"the name of a source has at most {SOURCE_CHARS_MAX} characters", code="bad-source")
        known = await self._shelf.read_session(source)
        if known is None or request > known.request:
            return 0
        if request < known.request:
            raise Misuse(f"request {request} of {source!r} is older than {known.request}", code="old-request")
        return min(known.done, count)

    def keep(self, call: Call, now: int) -> Put:
        """The row that says how far the source of a request was taken, at an instant in microseconds."""
        return self._shelf.session(call.source, Session(call.request, call.taken, now))

    async def forget(self, now: int, busy: Container[str]) -> list[Put]:
        """The removal of some that have published nothing for long; to be called while nothing is being written.

        Args:
            now: the instant, in microseconds.
            busy: sources with requests under way.
        """
        if now < self._due and not self._after:
            return []
        oldest = now - SESSION_SECONDS * 1_000_000
        rows = await self._shelf.sessions(self._after, FORGET_ROWS)
        self._after = rows[-1][0] if len(rows) == FORGET_ROWS else ""
        if not self._after:
            self._due = now + FORGET_SECONDS * 1_000_000
        return [self._shelf.session(source, None) for source, each in rows if each.at < oldest and source not in busy]
