"""A form that is sent twice does its act once: a double click, a page loaded again (``spec/acts.md`` step 8)."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

KEPT_MAX = 1_000
"""Forms that are remembered; of more, those that were sent first are forgotten."""
T = TypeVar("T")


class Once:
    """What came of forms that were sent, by form."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, asyncio.Future[Any]] = OrderedDict()

    async def run(self, form: str, doing: Callable[[], Awaitable[T]], done: Callable[[T], bool]) -> T:
        """What comes of a form; of one that is under way or was done, what came of it then.

        Args:
            form: which one, and what is typed in it.
            doing: what is done with it.
            done: whether an answer means that it was done; else it can be sent again.
        """
        while (sent := self._sent.get(form)) is not None:
            was_done, answer = await asyncio.shield(sent)
            if was_done:
                return answer  # type: ignore[no-any-return]  # it came of the same form
        waiting = self._sent[form] = asyncio.get_running_loop().create_future()
        outcome: tuple[bool, T | None] = (False, None)
        try:
            answer = await doing()
            outcome = (done(answer), answer)
            return answer
        finally:
            waiting.set_result(outcome)
            if not outcome[0]:
                del self._sent[form]
            elif len(self._sent) > KEPT_MAX:
                first = next(each for each, sent in self._sent.items() if sent.done())
                del self._sent[first]
