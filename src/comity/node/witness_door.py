"""A witness over HTTP (``spec/witness.md`` steps 10 to 15; tlog-witness).

Whoever can reach it may ask: what counts is the log's signature on the checkpoint. So everything that a stranger can
make it do is bounded, and nothing is kept before a followed log's key has signed.
"""

from __future__ import annotations

import logging
import re

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from comity.answers import status_of
from comity.errors import ComityError, InternalError
from comity.ledger.canonical import read_decimal
from comity.ledger.witness import REQUEST_BYTES_MAX, TEXT_CONTENT_TYPE
from comity.node.server import read_body
from comity.witness.witness import Answer, Witness

ADD_CHECKPOINT = "/add-checkpoint"
_CHECKPOINT = re.compile(r"/([0-9a-f]{64})/checkpoint", re.ASCII)
_HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
"""A checkpoint changes from one moment to the next."""
_log = logging.getLogger("comity.node")


class WitnessDoor:
    """The ASGI application of a witness."""

    def __init__(self, witness: Witness) -> None:
        self._witness = witness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        request = Request(scope, receive)
        allowed = {}
        try:
            answer = await self._answer(request)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - one request must not end the witness; the log has the whole story
            answer = _told(error)
        if answer.status == 405:
            allowed = {"allow": "POST" if request.url.path == ADD_CHECKPOINT else "GET, HEAD"}
        kind = {"content-type": answer.content_type}  # as it is: a media type would get a charset
        await Response(answer.body, answer.status, _HEADERS | allowed | kind)(scope, receive, send)

    async def _answer(self, request: Request) -> Answer:
        raw: bytes = request.scope["raw_path"]
        path, reads = raw.decode("latin-1"), request.method in {"GET", "HEAD"}
        if path == ADD_CHECKPOINT:
            if request.method != "POST":
                return Answer(405, b"checkpoints are added with POST\n")
            declared = request.headers.get("content-length")
            if declared is not None and read_decimal(declared, "content-length") > REQUEST_BYTES_MAX:
                return Answer(413, b"the request is too large\n")
            return await self._witness.add_checkpoint(await read_body(request, REQUEST_BYTES_MAX))
        named = _CHECKPOINT.fullmatch(path)
        if named is None:
            return Answer(404, b"there is nothing here\n")
        if not reads:
            return Answer(405, b"checkpoints are read with GET\n")
        note = await self._witness.checkpoint(named[1])
        return Answer(404, b"no checkpoint of that log was cosigned here\n") if note is None else Answer(200, note)


def _told(error: Exception) -> Answer:
    if isinstance(error, ComityError) and not isinstance(error, InternalError):
        return Answer(status_of(error), f"{error.sentence}\n".encode(), TEXT_CONTENT_TYPE)
    _log.error("a request to the witness failed inside", exc_info=error)
    return Answer(500, b"this witness failed on the request; its log says why\n")
