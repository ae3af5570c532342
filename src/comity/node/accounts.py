"""The accounts of the console, for the command line: flows of the local socket of a running node.

They are about the process and its console, not about the house, and stand in no table of flows: no record names an
account (``spec/console.md`` step 10).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from comity.console.desk import Desk


class InviteToConsole(msgspec.Struct, frozen=True):
    """Make a code by which a person signs in to the console for the first time, or again (flow ``console.invite``)."""

    handle: str


class CodeMade(msgspec.Struct, frozen=True, kw_only=True):
    """A code, told once.

    Attributes:
        handle: for whom.
        code: as it is read aloud.
        until: from when on it is worth nothing.
        console: where it is used; empty where only the house's own address leads there.
    """

    handle: str
    code: str
    until: datetime
    console: str


class ListAccounts(msgspec.Struct, frozen=True):
    """List who can sign in to the console (flow ``console.accounts``)."""


class AccountShown(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who can sign in.

    Attributes:
        handle: who.
        roles: his.
        by: by what he signs in: ``password``, ``passkey``; empty for nothing yet.
        code_until: until when a code of his works that he has not used.
        waiting: whether a security officer has to vouch for him first.
        used: when he last signed in.
        sessions: in how many browsers he is signed in now.
    """

    handle: str
    roles: tuple[str, ...]
    by: tuple[str, ...]
    code_until: datetime | None
    waiting: bool
    used: datetime | None
    sessions: int


class EndSessions(msgspec.Struct, frozen=True):
    """Sign somebody out of the console everywhere (flow ``console.end-sessions``)."""

    handle: str


class RemoveAccount(msgspec.Struct, frozen=True):
    """Take somebody's account away, with its sessions and tokens; the person stays (flow ``console.remove``)."""

    handle: str


class SessionsEnded(msgspec.Struct, frozen=True, kw_only=True):
    """How many sessions of somebody have ended."""

    handle: str
    sessions: int


class ConsoleFlow(msgspec.Struct, frozen=True):
    """A flow about the console."""

    run: Callable[[Any, Any], Awaitable[Any]]
    request: type[msgspec.Struct]


def console_flows(desk: Callable[[], Awaitable[Desk]], address: str) -> dict[str, ConsoleFlow]:
    """The flows, by name.

    Args:
        desk: makes the desk of the console, where nobody has asked for a page yet.
        address: where a browser on this machine opens it.
    """

    async def invite(_house: object, request: InviteToConsole) -> CodeMade:
        made = await (await desk()).accounts.invite(request.handle, None)
        return CodeMade(handle=made.handle, code=made.code, until=made.until, console=address)

    async def accounts(_house: object, _request: ListAccounts) -> list[AccountShown]:
        return await _accounts(await desk())

    async def end_sessions(_house: object, request: EndSessions) -> SessionsEnded:
        at = await desk()
        ended = at.sessions.end_all((await at.house.person(request.handle)).person)
        return SessionsEnded(handle=request.handle, sessions=ended)

    async def remove(_house: object, request: RemoveAccount) -> SessionsEnded:
        at = await desk()
        ended = await at.remove_account((await at.house.person(request.handle)).person)
        return SessionsEnded(handle=request.handle, sessions=ended)

    return {
        "console.invite": ConsoleFlow(invite, InviteToConsole),
        "console.accounts": ConsoleFlow(accounts, ListAccounts),
        "console.end-sessions": ConsoleFlow(end_sessions, EndSessions),
        "console.remove": ConsoleFlow(remove, RemoveAccount),
    }


async def _accounts(desk: Desk) -> list[AccountShown]:
    now = desk.clock.now()
    found = []
    for each in await desk.accounts.sweep():
        by = (("password",) if each.hashed and desk.settings.passwords else ()) + ("passkey",) * bool(each.passkeys)
        code = each.invitation
        found.append(
            AccountShown(
                handle=await desk.house.handle(each.person),
                roles=(await desk.house.person(each.person)).roles,
                by=by,
                code_until=code.until if code is not None and code.until > now else None,
                waiting=each.waiting is not None,
                used=each.used,
                sessions=len(desk.sessions.of_person(each.person)),
            )
        )
    return sorted(found, key=lambda each: each.handle)
