"""Two tasks that stand and fall together: the two directions of one channel."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine


async def until_one_ends(*both: Coroutine[None, None, None]) -> None:
    """Run all at once; when the first one ends the others are cancelled.

    Raises:
        Exception: what one of them raised, the first in their order.
    """
    tasks = [asyncio.create_task(each) for each in both]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, Exception):
            raise outcome
