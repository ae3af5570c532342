"""What the index of the register has not taken up yet: rows and titles that commits have changed (``spec/index.md``).

The sequencer tells of each commit and does not wait. Whoever keeps the index takes from here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from comity.ports.index import Watermark
from comity.register.rows import Key

KEYS_MAX = 200_000
"""Most changed rows that are remembered; beyond them the journal says what was changed."""


class Unindexed:
    """What was changed since the index was looked after last.

    Attributes:
        resumed: whether the index was compared with the journal since this process began; ``keys`` lead on from there.
        resuming: whether it is just being compared, and what it lacks taken up.
        turn: held by whoever looks after the index.
        done, of: how many lines there are of how many, while it is made anew; else 0.
        changes: how often the index was changed since this process began.
        known: what was decided about classes of items, by viewer and class; its owner says what counts.
        classes: the classes there are, as of so many changes; likewise.
    """

    def __init__(self) -> None:
        self.resumed = False
        self.resuming = False
        self.turn = asyncio.Lock()
        self.done = 0
        self.of = 0
        self.changes = 0
        self.known: dict[tuple[str, str], Any] = {}
        self.classes: tuple[int, Any] = (-1, None)
        self._keys: dict[Key, None] = {}
        self._mark: Watermark | None = None
        self._task: asyncio.Task[None] | None = None

    def task(self, take_up: Callable[[], Coroutine[Any, Any, None]]) -> asyncio.Task[None]:
        """The one task in which it is taken up for whoever waits for that; it goes on when nobody does any longer."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(take_up(), name="taking up")
            self._task.add_done_callback(_heard)
        return self._task

    async def close(self) -> None:
        """End that task."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    @property
    def any(self) -> bool:
        """Whether there is something to take up, or somebody is at it."""
        return bool(self._keys) or not self.resumed or self.turn.locked()

    def told(self, keys: Iterable[Key], mark: Watermark | None) -> None:
        """A commit has changed these; ``mark`` is the end of the journal then, or None where nobody is certain."""
        if not self.resumed:
            return  # the journal tells of it
        self._keys.update(dict.fromkeys(keys))
        self._mark = mark or self._mark
        if len(self._keys) > KEYS_MAX:
            self.forget()

    @property
    def waiting(self) -> bool:
        """Whether something was told that nobody has taken."""
        return bool(self._keys)

    def take(self) -> tuple[dict[Key, None], Watermark | None]:
        """Everything told so far, and the end of the journal with it."""
        keys, self._keys = self._keys, {}
        return keys, self._mark

    def put_back(self, keys: Iterable[Key]) -> None:
        """These were not taken up after all."""
        self._keys = {**dict.fromkeys(keys), **self._keys}

    def resume(self) -> None:
        """From here on commits tell what they change."""
        self._keys, self._mark = {}, None
        self.resumed = True

    def forget(self) -> None:
        """What is told is not all: the journal has to be asked again."""
        self._keys = {}
        self.resumed = False


def _heard(task: asyncio.Task[None]) -> None:
    """What it failed of is told to whoever waits, and to nobody else: it is tried again."""
    if not task.cancelled():
        task.exception()
