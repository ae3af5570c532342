"""The console beside the other doors of a node: made when the first browser asks, which for many nodes is never."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Receive, Scope, Send

from comity.console.settings import ConsoleSettings
from comity.flows.feeding.reading import Readers
from comity.flows.house import House
from comity.node.outward import fetch
from comity.ports import Clock, Entropy, Store

if TYPE_CHECKING:
    from comity.console.desk import Desk
    from comity.console.spool import Spool

UPLOADS_OF_ONE = 2
"""How many of the largest files one person may have lying here."""


class Pages:
    """The application that serves the console.

    Args:
        house: whose.
        flows: what pages can ask, by name.
        settings: the ``[console]`` table.
        open_store: opens what accounts are kept in.
        temporary: the folder on whose disk files from browsers lie, sealed.
        free_bytes: how many bytes of that disk are not kept free for records.
        clock: wall-clock time.
        entropy: makes secrets.
        here: the addresses under which it is served on this machine.
        after: called with the name of every flow that succeeded.
        readers: by which feeds are read here.
        secret: the client secret at the organisation's login, where the settings name one.
    """

    def __init__(
        self,
        house: House,
        flows: Mapping[str, Any],
        settings: ConsoleSettings,
        open_store: Callable[[], Awaitable[Store]],
        temporary: Path,
        free_bytes: Callable[[], int],
        *,
        clock: Clock,
        entropy: Entropy,
        here: tuple[str, ...],
        after: Callable[[str], Awaitable[None]],
        readers: Readers,
        secret: str = "",
    ) -> None:
        self._house = house
        self._flows = flows
        self._settings = settings
        self._open_store = open_store
        self._temporary = temporary
        self._free_bytes = free_bytes
        self._clock = clock
        self._entropy = entropy
        self._here = here
        self._after = after
        self._readers = readers
        self._secret = secret
        self._making = asyncio.Lock()
        self._store: Store | None = None
        self._desk: Desk | None = None
        self._app: ASGIApp | None = None
        self._spool: Spool | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        app = self._app or await self._made()
        await app(scope, receive, send)

    @property
    def address(self) -> str:
        """Where a browser on this machine opens it; passkeys want a name, not a number."""
        return next((each for each in self._here if "//localhost:" in each), self._here[0])

    async def close(self) -> None:
        """End what is read, close what accounts are kept in, and throw away what lies in the spool."""
        if self._desk is not None:
            await self._desk.close()
        if self._spool is not None:
            self._spool.close()
        if self._store is not None:
            await self._store.close()

    async def desk(self) -> Desk:
        """What its pages share, also before anybody has asked for one."""
        async with self._making:
            if self._desk is None:
                # four tenths of a second of a processor, in which the node goes on
                await asyncio.to_thread(import_module, "comity.console.application")
                from comity.console.desk import Desk
                from comity.console.organisations import Login
                from comity.console.spool import Spool, SpooledFiles

                room = UPLOADS_OF_ONE * self._settings.upload_bytes
                self._spool = Spool(self._temporary, self._clock, self._entropy, room, self._free_bytes)
                self._house.files = SpooledFiles(self._house.files, self._spool)
                self._store = await self._open_store()
                named, login = self._settings.organisation, None
                if named is not None:
                    login = Login(named, self._secret, fetch, clock=self._clock, entropy=self._entropy)
                self._desk = Desk(
                    self._house,
                    self._flows,
                    self._store,
                    spool=self._spool,
                    settings=self._settings,
                    clock=self._clock,
                    entropy=self._entropy,
                    here=self._here,
                    after=self._after,
                    readers=self._readers,
                    organisation=login,
                )
            return self._desk

    async def _made(self) -> ASGIApp:
        from comity.console.application import console

        desk = await self.desk()
        self._app = self._app or console(desk)
        return self._app


def origins_here(scheme: str, address: str, port: int) -> tuple[str, ...]:
    """How a browser on this machine, or beside it, may call where the console is served."""
    names = (address, "localhost", "127.0.0.1") if address in ("127.0.0.1", "::1", "localhost") else (address,)
    return tuple(dict.fromkeys(f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}" for name in names))
