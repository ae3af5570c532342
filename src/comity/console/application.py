"""The console as one ASGI application: the guard, who asks, the page, and what becomes of an error.

A request passes, in this order: the guard (``guard.py``), the route, the session, the freshness that the page asks for,
the form and its token, the handler. Whatever is refused on the way is a page that says why and what to do.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from comity.answers import status_of
from comity.console.access import Note
from comity.console.api.door import ApiDoor
from comity.console.api.problems import problem
from comity.console.catalogues import Code
from comity.console.cookies import held
from comity.console.desk import Desk
from comity.console.guard import API, READING, Guard
from comity.console.languages import LANGUAGE_COOKIE, Language, chosen_language
from comity.console.pace import Pace, TooMany
from comity.console.pages import (
    about,
    account,
    accounts,
    agreement,
    approvals,
    copies,
    duties,
    feed,
    give,
    glossary,
    incidents,
    item,
    ledger,
    muster,
    onward,
    opening,
    people,
    register,
    requests,
    sign_in,
    sites,
    today,
    visits,
)
from comity.console.sessions import Session
from comity.console.templating import Templates, statics
from comity.console.visit import Entry, Stale, Visit, check_token, own_path, read_form
from comity.errors import ComityError, InternalError, Misuse
from comity.register.rows import PersonRow

MODULES = (
    today,
    give,
    register,
    requests,
    duties,
    incidents,
    visits,
    people,
    agreement,
    ledger,
    feed,
    approvals,
    item,
    opening,
    about,
    glossary,
    onward,
    sign_in,
    account,
    accounts,
    copies,
    sites,
    muster,
)
"""Every module of pages."""
STATIC_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
BY_ITSELF = "comity-by-itself"
"""The header by which a page says that it asks by itself."""
PAGES_PER_SECOND, PAGES_AT_ONCE = 10.0, 600
"""How much one person may ask, in all his browsers: more than anybody reads, with every live page open."""
TOO_MANY = 429
FOREVER = "public, max-age=31536000, immutable"
"""What is served under the digest of its bytes never changes."""


class Console:
    """The application.

    Args:
        desk: the house that it is the console of.
        entries: its pages.
        api: what programs ask.
    """

    def __init__(self, desk: Desk, entries: Sequence[Entry], api: ASGIApp) -> None:
        self._desk = desk
        self._templates = Templates()
        routes = [Route(entry.path, self._endpoint(entry), methods=list(entry.methods)) for entry in entries]
        routes.append(Route("/static/{digest}/{file}", _static, methods=["GET"]))
        self._pages = Starlette(routes=routes, exception_handlers={404: self._missing, 405: self._wrong_method})
        self._api = api
        self._pace = Pace(desk.clock, PAGES_PER_SECOND, PAGES_AT_ONCE)
        self._app = Guard(self._behind, self._refuse, desk.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (ASGI)."""
        await self._app(scope, receive, send)

    async def _behind(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._api if scope["path"].startswith(API) else self._pages)(scope, receive, send)

    def _endpoint(self, entry: Entry) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            visit = self._nobody(request)
            try:
                visit = await self._visit(request)
                self._spend(visit)
                await self._desk.access.ready()
                response = await self._run(entry, visit)
            except ClientDisconnect:
                raise
            except Exception as error:  # noqa: BLE001 - one request must not end the console; the log has the rest
                response = self._told(error, visit)
                self._note(entry, visit, response, getattr(error, "code", ""))
            else:
                self._note(entry, visit, response)
            return response

        return endpoint

    def _spend(self, visit: Visit) -> None:
        """(22) Count a page of somebody, who has so many a second and some at once.

        Raises:
            TooMany: they are used up.
        """
        seconds = self._pace.take(visit.session.person) if visit.session is not None else 0
        if seconds:
            raise TooMany(seconds)

    def _note(self, entry: Entry, visit: Visit, response: Response, code: str = "") -> None:
        """(22) Who asked for which page."""
        request, session, access = visit.request, visit.session, self._desk.access
        path = request.url.path
        live = visit.partial and response.status_code < 400 and (request.method in READING or entry.live)
        if session is None or (live and access.mark_seen(session.person, path)):
            return
        if response.status_code == TOO_MANY and access.mark_seen(session.person, code):
            return
        access.note(
            Note(
                at=self._desk.clock.now(),
                person=session.person,
                did=entry.path,
                path=path,
                method=request.method,
                status=response.status_code,
                how=session.how,
                code=code,
            )
        )

    async def _run(self, entry: Entry, visit: Visit) -> Response:
        request = visit.request
        writing = request.method not in READING
        if visit.session is None and not entry.open:
            if writing:
                return await self._late(entry, visit)
            if visit.partial:  # a script would put the form to sign in into the page
                return Response(headers={"hx-refresh": "true"})
            return visit.to("/sign-in", next=back_to(request))
        if visit.session is not None and visit.session.limited and not (entry.open or entry.early):
            return visit.to("/account")
        if writing and not entry.raw:
            visit.form = await read_form(request)
            if visit.session is not None:
                check_token(visit.session, visit.form)
        try:
            if entry.fresh:
                visit.check_fresh()
            return await entry.run(visit)
        except Stale:
            if not writing:
                return visit.to("/prove", next=back_to(request))
            if entry.raw:
                raise
            return visit.to("/prove", next=visit.hold(visit.form) if entry.kept else page_before(request))

    async def _late(self, entry: Entry, visit: Visit) -> Response:
        """(21) A form that came with an ended session."""
        desk, request = self._desk, visit.request
        visit.former = desk.sessions.former(held(desk, request))
        if visit.former is None or not entry.kept or (entry.raw and entry.late is None):
            raise Misuse("you are signed out; sign in, go back, and send it again", code="signed-out")
        if entry.late is not None:
            return await entry.late(visit)
        form = await read_form(request)
        check_token(visit.former, form)
        return visit.to("/sign-in", next=visit.hold(form))

    def _nobody(self, request: Request) -> Visit:
        """A request of which it is not known whose it is, which nothing can go wrong with."""
        return Visit(request, self._desk, Language(_code(request, None), UTC), self._templates)

    async def _visit(self, request: Request) -> Visit:
        desk = self._desk
        session = desk.sessions.of(held(desk, request), by_itself=asked_by_itself(request))
        person = await desk.house.row(PersonRow, session.person) if session is not None else None
        if session is not None and not still_so(session, person):  # (18)
            desk.sessions.end_all(session.person)
            session = person = None
        if session is not None:
            session.handle = await desk.house.handle(session.person)
        words = Language(_code(request, session), await desk.zone())
        return Visit(request, desk, words, self._templates, session, person)

    async def _refuse(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"].startswith(API):
            answer = problem(error, "the guard")
        else:
            answer = self._told(error, self._nobody(Request(scope, receive)))
        await answer(scope, receive, send)

    async def _missing(self, request: Request, _error: Exception) -> Response:
        return await self._lost(request, Misuse("there is no such page", code="unknown-path"))

    async def _wrong_method(self, request: Request, _error: Exception) -> Response:
        told = "a page is asked for with GET, and a form sent with POST"
        return await self._lost(request, Misuse(told, code="wrong-method"))

    async def _lost(self, request: Request, error: Exception) -> Response:
        """What is told to whoever has come to where there is no page."""
        visit = self._nobody(request)
        try:
            visit = await self._visit(request)
        except Exception as failed:  # noqa: BLE001 - who it is cannot be read now; that is told then
            error = failed
        return self._told(error, visit)

    def _told(self, error: Exception, visit: Visit) -> Response:
        """The page that says what was wrong."""
        if not isinstance(error, ComityError) or isinstance(error, InternalError):
            logging.getLogger("comity.console").error("a page failed inside", exc_info=error)
            error = InternalError("this page failed; the log of the node says why", code="internal")
        answer = visit.show("error.html", status_of(error), error=error)
        if isinstance(error, TooMany):
            answer.headers["retry-after"] = str(error.seconds)
        return answer


def console(desk: Desk) -> ASGIApp:
    """The console of a house."""
    entries = [entry for module in MODULES for entry in module.ROUTES]
    return Console(desk, entries, ApiDoor(desk, desk.tokens))


def still_so(session: Session, person: PersonRow | None) -> bool:
    """Whether somebody is still who he was when he signed in (step 18)."""
    return person is not None and not person.removed and session.roles in (None, person.roles)


def asked_by_itself(request: Request) -> bool:
    """Whether a page asks, and nobody who looks at it (6)."""
    return request.method in READING and request.headers.get(BY_ITSELF) == "yes"


def back_to(request: Request) -> str:
    """The page that was asked for, to come back to."""
    return own_path(request.url.path + (f"?{request.url.query}" if request.url.query else ""))


def page_before(request: Request) -> str:
    """The page that a form was on; the guard has seen that it is one of ours."""
    return own_path(urlsplit(request.headers.get("referer", "")).path or "/")


def _code(request: Request, session: Session | None) -> Code:
    chosen = session.language if session is not None else None
    return chosen or chosen_language(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


async def _static(request: Request) -> Response:
    file = request.path_params["file"]
    found = statics().get(file)
    kind = STATIC_TYPES.get(file.rpartition(".")[2])
    if found is None or kind is None or request.path_params["digest"] != found.digest:
        return Response(status_code=404)
    return Response(found.data, headers={"cache-control": FOREVER, "content-type": kind})
