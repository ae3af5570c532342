"""An event loop that keeps the world's time, and never waits.

Where nothing is left to do, the world's time goes on to the next timer at once. Tasks belong to the life of the node in
which they were born, whoever started them; so that all of them can be ended when it dies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar, copy_context
from datetime import timedelta
from math import ceil
from selectors import DefaultSelector
from typing import Any, TypeVar

from .clock import WorldTime

T = TypeVar("T")
TURNS_OF_A_DEATH = 100
"""Turns in which what is cancelled must have ended; each may still clean up behind itself."""


class _Jumping(DefaultSelector):
    """Lets time go on where it would wait."""

    def __init__(self, pass_by: Callable[[float], None]) -> None:
        super().__init__()
        self._pass_by = pass_by

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("everything waits, and nothing will ever happen")
        if timeout > 0:
            self._pass_by(timeout)
        return super().select(0)


class Life:
    """One life of a node: every task that was born in it and has not ended."""

    def __init__(self) -> None:
        self.tasks: dict[asyncio.Task[Any], None] = {}

    def bear(self, act: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin something that ends with this life at the latest, as does all that it begins."""
        context = copy_context()
        context.run(_LIFE.set, self)
        return context.run(asyncio.create_task, act)

    async def end(self) -> None:
        """End all of it.

        Raises:
            AssertionError: something does not end.
        """
        for _ in range(TURNS_OF_A_DEATH):
            living = list(self.tasks)
            for task in living:
                task.cancel()
            if not living:
                return
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        raise AssertionError(f"does not die: {list(self.tasks)}")


_LIFE: ContextVar[Life | None] = ContextVar("life", default=None)


def _born(loop: asyncio.AbstractEventLoop, coroutine: Any, **given: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, **given)
    life = _LIFE.get()
    if life is not None:
        life.tasks[task] = None
        task.add_done_callback(lambda ended: life.tasks.pop(ended, None))
    return task


class WorldLoop(asyncio.SelectorEventLoop):
    """Its time is the world's; both go on together."""

    def __init__(self, world: WorldTime) -> None:
        self._world = world
        self._began = world.now
        super().__init__(_Jumping(self._pass_by))
        self.set_task_factory(_born)

    def time(self) -> float:
        return (self._world.now - self._began).total_seconds()

    async def shutdown_default_executor(self) -> None:
        """Nothing to wait for: its work was done at once. The loop would wait for a thread, which it cannot."""

    def _pass_by(self, seconds: float) -> None:
        self._world.move(timedelta(microseconds=ceil(seconds * 1_000_000)))


def run_in(world: WorldTime, main: Coroutine[Any, Any, T]) -> T:
    """Run something in the time of a world."""
    with asyncio.Runner(loop_factory=lambda: WorldLoop(world)) as runner:
        return runner.run(main)
