"""The door of the API: who asks, which verb, once, and what came of it (``spec/api.md``)."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from functools import partial

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from comity.console import bodies
from comity.console.access import Note
from comity.console.api.description import SIGNATURES_MAX, description
from comity.console.api.files import HEADER, WRITTEN, ApiFiles, read_fields, takes_files
from comity.console.api.idempotency import Idempotency
from comity.console.api.problems import problem
from comity.console.api.verbs import READING, verbs
from comity.console.desk import Desk
from comity.console.pace import Pace
from comity.console.rights import check_right, takes_actor
from comity.console.tokens import Bearer, Tokens
from comity.console.uploads import safe_name
from comity.errors import ComityError, Misuse, Refused, Rejected, Unavailable
from comity.flows.actors import Actor

ROOT = "/api/v1/"
DESCRIPTION = "openapi.json"
FILES = "files"
BODY_BYTES_MAX = 4 * 2**20
"""Largest request: an agreement with its history."""
BURST = 200
REQUESTS_PER_SECOND = 50.0
"""How much one token may ask."""
_CHALLENGE = {"www-authenticate": 'Bearer realm="comity"'}
_Fields = dict[str, msgspec.Raw]


class _Named(msgspec.Struct):
    path: str = ""


class ApiDoor:
    """The ASGI application of the API.

    Args:
        desk: the house.
        tokens: who may ask.
    """

    def __init__(self, desk: Desk, tokens: Tokens) -> None:
        self._desk = desk
        self._tokens = tokens
        self._verbs = verbs(desk.flows)
        self._idempotency = Idempotency(desk.store, desk.clock)
        self._files = ApiFiles(desk)
        self._pace = Pace(desk.clock, REQUESTS_PER_SECOND, BURST)
        self._description = b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        request = Request(scope, receive)
        name, code = scope["path"].removeprefix(ROOT), ""
        request.state.bearer = None
        try:
            await self._desk.access.ready()
            answer = await self._answer(request, name)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - one request must not end the door; the log has the whole story
            answer = problem(error, f"the verb at {request.url.path[:200]!r}", _headers(error))
            code = getattr(error, "code", "internal")
        self._note(request, name, answer, code)
        await answer(scope, receive, send)

    def _note(self, request: Request, name: str, answer: Response, code: str) -> None:
        """Who asked for which verb; of whoever has no token, that one was tried (``spec/console.md`` step 22)."""
        bearer: Bearer | None = request.state.bearer
        access, did, path, person = self._desk.access, "token", "", ""
        if bearer is not None:
            did = f"{ROOT}{name if name in self._verbs else FILES}"
            path, person = request.url.path, bearer.person.person
            same = f"{did} {answer.status_code} {code}"
            if (code or name in READING) and access.mark_seen(person, same):
                return
        elif code != "unknown-token":
            return
        access.note(
            Note(
                at=self._desk.clock.now(),
                person=person,
                did=did,
                path=path,
                method=request.method,
                status=answer.status_code,
                how="token",
                code=code,
            )
        )

    async def _answer(self, request: Request, name: str) -> Response:
        if name == DESCRIPTION:
            _check_method(request, "GET")
            return Response(self._described(), media_type="application/json")
        bearer = request.state.bearer = await self._bearer(request)
        if name == FILES:
            _check_method(request, "POST")
            return Response(await self._files.send(request, bearer), 201, media_type="application/json")
        if name.startswith(f"{FILES}/"):
            _check_method(request, "GET")
            return self._files.fetch(name.removeprefix(f"{FILES}/"), bearer)
        if name not in self._verbs:
            raise Misuse(f"there is no verb {name[:100]!r}; /api/v1/openapi.json has them all", code="unknown-path")
        _check_method(request, "POST")
        if not bearer.token.allows(name, reads=name in READING):
            raise Refused(f"this token is not for {name!r}", code="outside-scope")
        check_right(name, self._verbs[name].request, bearer.person.roles)
        body = await _body(request)
        run = partial(self._run, name, body, bearer)
        key = request.headers.get("idempotency-key")
        if key is None or name in READING:
            answer = await run()
        else:
            answer = await self._idempotency.once(bearer.person.person, key, name.encode() + b"\n" + body, run)
        return Response(answer, headers=_wrote(name, answer), media_type="application/json")

    async def _run(self, name: str, body: bytes, bearer: Bearer) -> bytes:
        kind, field = self._verbs[name].request, WRITTEN.get(name)
        with self._files.room(name, bearer) if field else nullcontext() as room:
            asked = read_request(kind, body, name, bearer.handle, {field: room.path} if field and room else {})
            named = {each: getattr(asked, each) for each in read_fields(name, kind)}
            sent = {each: self._files.sent(value, bearer, each) for each, value in named.items() if value is not None}
            asked = msgspec.structs.replace(asked, **{each: file.path for each, file in sent.items()})
            answer = await self._desk.ask(name, asked)
            if takes_files(name, answer):
                for file in sent.values():
                    self._desk.spool.drop(file)
            if room is not None and room.whole:
                room.name = safe_name(getattr(answer, "file_name", "") or room.name)
                answer = msgspec.structs.replace(answer, path=f"file:{room.id}")
            return msgspec.json.encode(answer)

    async def _bearer(self, request: Request) -> Bearer:
        kind, _, secret = request.headers.get("authorization", "").partition(" ")
        bearer = await self._tokens.verify(secret.strip()) if kind.lower() == "bearer" and secret else None
        if bearer is None:
            raise Refused("a token of this house is wanted: Authorization: Bearer …", code="unknown-token")
        if self._pace.take(bearer.token.token):
            raise Unavailable("too many requests with this token; wait a second", code="quota")
        return bearer

    def _described(self) -> bytes:
        if not self._description:
            self._description = msgspec.json.encode(description(self._desk.flows))
        return self._description


def read_request(
    kind: type[msgspec.Struct], body: bytes, verb: str, handle: str, ours: Mapping[str, str]
) -> msgspec.Struct:
    """The request in a body, asked in somebody's name (3), with what is not the body's to say.

    Raises:
        Misuse: it is not JSON, not of this shape, or says in whose name it is asked (``malformed``).
    """
    try:
        fields = msgspec.json.decode(body, type=_Fields)
        signatures = msgspec.json.decode(fields.pop("signatures", b"[]"), type=tuple[bytes, ...])
        unknown = fields.keys() - (set(kind.__struct_encode_fields__) - {"actor", *ours})
        if unknown or (signatures and not takes_actor(kind)):
            field = min(unknown, default="signatures")
            raise Misuse(f"not a request for {verb!r}: it has no field {field!r}", code="malformed")
        if len(signatures) > SIGNATURES_MAX:
            raise Misuse(f"more than {SIGNATURES_MAX} signatures", code="malformed")
        if takes_actor(kind):
            fields["actor"] = msgspec.Raw(msgspec.json.encode(Actor(handle, signatures)))
        fields |= {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in ours.items()}
        return msgspec.json.decode(msgspec.json.encode(fields), type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Misuse(f"not a request for {verb!r}: {error}", code="malformed") from None


async def _body(request: Request) -> bytes:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Rejected("a request is JSON: Content-Type: application/json", code="not-json")
    return await bodies.whole(request, BODY_BYTES_MAX)


def _check_method(request: Request, method: str) -> None:
    if request.method != method:
        raise Misuse(f"{request.url.path[:200]!r} takes {method}", code="wrong-method")


def _wrote(verb: str, answer: bytes) -> dict[str, str]:
    """The header that names the file which a verb wrote."""
    if verb not in WRITTEN:
        return {}
    named = msgspec.json.decode(answer, type=_Named).path
    return {HEADER: named} if named.startswith("file:") else {}


def _headers(error: Exception) -> Mapping[str, str]:
    code = error.code if isinstance(error, ComityError) else ""
    if code == "unknown-token":
        return _CHALLENGE
    return {"retry-after": "1"} if code == "quota" else {}
