"""The whole console over a house, as a browser asks it: the ASGI application, with somebody signed in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from comity.console.application import console
from comity.console.cookies import cookie
from comity.console.desk import Desk
from comity.console.settings import ConsoleSettings
from comity.console.spool import Spool
from comity.flows.house import House
from comity.flows.table import FLOWS
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk

ORIGIN = "http://localhost:8480"


class _Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)


class Visitor:
    """One person's browser, without the network."""

    def __init__(self, desk: Desk, secret: str) -> None:
        self._app = console(desk)
        host = ORIGIN.removeprefix("http://")
        self._headers = [(b"host", host.encode()), (b"cookie", f"{cookie(desk, host)}={secret}".encode())]

    async def get(self, path: str) -> bytes:
        """A page, whole.

        Raises:
            AssertionError: it is not answered as a page.
        """
        where, _, query = path.partition("?")
        status, body = 0, bytearray()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            body.extend(message.get("body", b""))

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": where,
            "raw_path": where.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": self._headers,
            "client": ("127.0.0.1", 50_000),
            "server": ("localhost", 8480),
        }
        await self._app(scope, receive, send)
        assert status == 200, (path, status, bytes(body[:500]))
        return bytes(body)


async def visitor(house: House, handle: str, folder: Path) -> Visitor:
    """Somebody who is signed in at the console of a house."""
    spool = Spool(folder, _Clock(), os.urandom, 2**30, lambda: 2**40)
    desk = Desk(
        house,
        FLOWS,
        MemoryStore(MemoryDisk()),
        spool=spool,
        settings=ConsoleSettings(idle_minutes=480),
        clock=_Clock(),
        entropy=os.urandom,
        here=(ORIGIN,),
    )
    person = await house.person(handle)
    secret, _ = desk.sessions.begin(handle, person.person, "password", roles=person.roles)
    return Visitor(desk, secret)
