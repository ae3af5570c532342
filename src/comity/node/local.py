"""The door for the command line: flows by name over a socket that only the node's own user can open.

``POST /flow/NAME`` with the JSON of the flow's request answers the JSON of its response; files are named by absolute
path, since both ends are the same user on the same machine. The socket is 0600 in a folder of 0700, and that is the
authentication: whoever can open it can read the node's keys anyway.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from comity.answers import answer_error
from comity.errors import Misuse, Rejected
from comity.node.client import POINTER, SOCKET, SOCKET_PATH_BYTES_MAX

REQUEST_BYTES_MAX = 32 * 2**20
"""Largest request of a flow: an agreement with its history and layers; contents go by path, not by value."""
OPENING = "/flow/"
LINES = "/lines/"
_Fields = dict[str, msgspec.Raw]


class AnyFlow(Protocol):
    """What this door needs of an entry of ``flows.table.FLOWS``."""

    @property
    def request(self) -> type[msgspec.Struct]:
        """Type of the request."""
        ...

    @property
    def run(self) -> Callable[[Any, Any], Awaitable[Any]]:
        """Takes the house and the request."""
        ...


LinesFlow = Callable[[Mapping[str, str], Sequence[bytes]], Awaitable[Any]]
"""Takes what the address says, and the lines of the body."""


class LocalDoor:
    """The ASGI application for the command line.

    Args:
        house: handed to every flow.
        flows: by name.
        after: called with the name of every flow that succeeded.
        lines: flows that take many lines instead of one request, by name: ``POST /lines/NAME?KEY=VALUE``.
        apps: what else stands behind this socket, by its path.
    """

    def __init__(
        self,
        house: object,
        flows: Mapping[str, AnyFlow],
        after: Callable[[str], Awaitable[None]],
        lines: Mapping[str, LinesFlow] | None = None,
        apps: Mapping[str, ASGIApp] | None = None,
    ) -> None:
        self._house = house
        self._flows = flows
        self._after = after
        self._lines = lines or {}
        self._apps = apps or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        app = self._apps.get(scope["path"])
        if app is not None:
            await app(scope, receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        request = Request(scope, receive)
        try:
            status, body = 200, await self._run(request)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - one request must not end the door; the log has the whole story
            status, body = answer_error(error, scope["path"][:200])
        await Response(body, status, media_type="application/json")(scope, receive, send)

    async def _run(self, request: Request) -> bytes:
        if request.url.path.startswith(LINES):
            return await self._run_lines(request)
        name = request.url.path.removeprefix(OPENING)
        flow = self._flows.get(name) if request.url.path == OPENING + name else None
        if flow is None:
            raise Misuse(f"there is no flow at {request.url.path[:200]!r}", code="unknown-flow")
        if request.method != "POST":
            raise Misuse("flows are asked for with POST", code="wrong-method")
        body = await _body(request)
        try:
            asked = msgspec.json.decode(body, type=flow.request)
            unknown = msgspec.json.decode(body, type=_Fields).keys() - set(flow.request.__struct_encode_fields__)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise Misuse(f"not a request for {name!r}: {error}", code="malformed") from None
        if unknown:  # a misspelt "granted" must not leave its default standing
            raise Misuse(f"not a request for {name!r}: it has no field {min(unknown)!r}", code="malformed")
        answer = msgspec.json.encode(await flow.run(self._house, asked))
        await self._after(name)
        return answer

    async def _run_lines(self, request: Request) -> bytes:
        flow = self._lines.get(request.url.path.removeprefix(LINES))
        if flow is None:
            raise Misuse(f"nothing takes lines at {request.url.path[:200]!r}", code="unknown-flow")
        if request.method != "POST":
            raise Misuse("lines are sent with POST", code="wrong-method")
        lines = (await _body(request)).split(b"\n")
        return msgspec.json.encode(await flow(request.query_params, [bytes(line) for line in lines if line]))


async def _body(request: Request) -> bytearray:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > REQUEST_BYTES_MAX:
            raise Rejected(f"a request of more than {REQUEST_BYTES_MAX} bytes", code="too-large")
    return body


def local_path(folder: Path) -> Path:
    """Where to listen for the command line of this data folder; the caller holds the folder's lock.

    A folder whose path is too long for a socket gets one elsewhere, in a fresh folder of its own, and a file that says
    where: the system bounds the path of a socket, and nobody should have to move his data for that.
    """
    path = Path(os.path.realpath(folder)) / SOCKET
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES_MAX:
        return path
    short = Path(tempfile.mkdtemp(prefix="comity-", dir=os.environ.get("XDG_RUNTIME_DIR"))) / SOCKET
    if len(os.fsencode(short)) > SOCKET_PATH_BYTES_MAX:
        short.parent.rmdir()
        raise Misuse(
            f"neither this folder nor {str(short.parent)!r} has a path short enough for a socket (at most "
            f"{SOCKET_PATH_BYTES_MAX} bytes); set XDG_RUNTIME_DIR to a shorter one",
            code="socket-path",
            place=str(folder),
        )
    (folder / POINTER).write_text(str(short))
    return short


def forget(folder: Path, local: Path) -> None:
    """Take the local socket away, with the folder that was made for it."""
    local.unlink(missing_ok=True)
    if local.parent != Path(os.path.realpath(folder)):
        local.parent.rmdir()
        (folder / POINTER).unlink(missing_ok=True)
