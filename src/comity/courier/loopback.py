"""The courier inside one process: tests and the simulated world put their own network between two houses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from comity.ports import Reply

Handler = Callable[[str, str, bytes, Mapping[str, str]], Awaitable[Reply]]
"""Takes method, path, body and headers."""


class LoopbackCourier:
    """Hands every request to a callable, which answers, raises ``Unavailable``, or takes its time."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def send(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        """What the handler answers."""
        return await self._handler(method, path, body, headers)

    async def close(self) -> None:
        """There is nothing to release."""
