"""What goes on after a page was answered, and ends before what it works on is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import datetime
from typing import Any, TypeVar

import msgspec

from comity.flows.maintaining.rebuilding import LedgerVerified

T = TypeVar("T")


class Running:
    """Everything that was begun and is not over; neither the request nor the session that began it ends it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, doing: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
        """Begin something that goes on by itself."""
        task = asyncio.create_task(doing, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Cancel what goes on, and wait until it is over: whoever stops a node waits for no long work."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Verification(msgspec.Struct):
    """One verification of a house's ledgers, as far as it is: ``checked`` of ``entries`` journal entries."""

    begun: datetime
    by: str
    task: asyncio.Task[LedgerVerified]
    ended: datetime | None = None
    checked: int = 0
    entries: int = 0

    def hear(self, checked: int, entries: int) -> None:
        """Take note of how far it is."""
        self.checked, self.entries = checked, entries

    @property
    def result(self) -> LedgerVerified | None:
        """What was found; None while it runs, and where it failed."""
        return self.task.result() if self.task.done() and self.task.exception() is None else None

    @property
    def failed(self) -> BaseException | None:
        """Why it could not be done."""
        return self.task.exception() if self.task.done() else None
