"""A visit: one request of one person, and what a page needs to answer it."""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hmac import compare_digest
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from comity.console import bodies
from comity.console.desk import Desk
from comity.console.guard import FORM_BYTES_MAX
from comity.console.languages import Language
from comity.console.rights import check_right, in_the_name_of
from comity.console.sessions import Former, Session
from comity.errors import InternalError, Misuse, Rejected
from comity.flows.actors import Actor
from comity.register.rows import PersonRow

FORM = "application/x-www-form-urlencoded"
FIELDS_MAX = 500
TOKEN = "token"  # noqa: S105 - the name of a field, not a secret
SEEN = "seen"


class Form:
    """What somebody typed, by field; a field may be there several times."""

    def __init__(self, fields: Sequence[tuple[str, str]] = ()) -> None:
        self.fields = tuple(fields)

    def get(self, name: str, default: str = "") -> str:
        """The value of a field, without spaces around it; the last one, where it is there several times."""
        return next((value.strip() for key, value in reversed(self.fields) if key == name), default)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field that is not empty, in order."""
        return tuple(value.strip() for key, value in self.fields if key == name and value.strip())

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self.fields)


class Renderer(Protocol):
    """What makes pages; ``templating.Templates`` is the real one."""

    def render(self, template: str, visit: Visit, context: Mapping[str, object], /) -> str:
        """A template with what a handler gives it, for whoever asks."""
        ...


class Visit:
    """One request.

    Attributes:
        request: as it came.
        desk: the house.
        words: in the language of whoever asks.
        session: of whoever asks, where he is signed in.
        form: what he typed, of a form without a file.
        former: his session, where it has ended and a form came with it.
    """

    former: Former | None = None

    def __init__(
        self,
        request: Request,
        desk: Desk,
        words: Language,
        templates: Renderer,
        session: Session | None = None,
        person: PersonRow | None = None,
        form: Form | None = None,
    ) -> None:
        self.request = request
        self.desk = desk
        self.words = words
        self.session = session
        self.form = form or Form()
        self._person = person
        self._templates = templates

    @property
    def person(self) -> PersonRow:
        """Who is signed in."""
        if self._person is None:
            raise InternalError("a page for people who are signed in was asked without one")
        return self._person

    @property
    def signed_in(self) -> Session:
        """His session."""
        if self.session is None:
            raise InternalError("a page for people who are signed in was asked without a session")
        return self.session

    @property
    def actor(self) -> Actor:
        """Who is signed in, as flows take him."""
        return Actor(self.signed_in.handle)

    @property
    def query(self) -> Form:
        """What stands in the address after the question mark."""
        return Form(self.request.query_params.multi_items())

    @property
    def partial(self) -> bool:
        """Whether a script asks for a part of a page that is there already."""
        return self.request.headers.get("hx-request") == "true"

    def has(self, *roles: str) -> bool:
        """Whether whoever is signed in has one of these roles."""
        return self._person is not None and not set(roles).isdisjoint(self._person.roles)

    async def ask(self, flow: str, request: msgspec.Struct) -> Any:
        """(9) What a flow answers to whoever is signed in; see ``Desk.ask``.

        Raises:
            Refused: it is not his to ask.
            ComityError: whatever the flow raised.
        """
        check_right(flow, type(request), self.person.roles)
        if not in_the_name_of(self.actor, request):
            raise InternalError(f"{flow!r} was asked in another name than that of who is signed in")
        return await self.desk.ask(flow, request)

    def check_fresh(self) -> None:
        """Check that whoever is signed in has shown lately that it is he (``spec/console.md`` step 7).

        A form that needs it is kept by itself, and he is asked whether to send it after he has shown it.

        Raises:
            Stale: he has not.
        """
        if not self.desk.is_fresh(self.signed_in):
            raise Stale

    def hold(self, form: Form) -> str:
        """Keep what was typed for whoever sent it (step 21); the page on which he is asked whether to send it."""
        person = self.former.person if self.former is not None else self.signed_in.person
        fields = [(name, value) for name, value in form.fields if name != TOKEN]
        return f"/held/{self.desk.held.keep(person, self.request.url.path, fields)}"

    def show(self, template: str, status: int = 200, **context: object) -> Response:
        """A page, or a part of one, in the language of whoever asks."""
        return HTMLResponse(self._templates.render(template, self, context), status)

    def to(self, path: str, told: str = "", **query: str) -> Response:
        """Go on to a page of the console, which says what was done."""
        if not path.startswith("/") or path.startswith(("//", "/\\")):
            raise InternalError(f"{path!r} is no page of the console")
        if told:
            self.signed_in.tell(told)
        return RedirectResponse(f"{path}?{urlencode(query)}" if query else path, 303)


class Stale(Misuse):
    """What is asked wants a fresher sign-in; the console leads to ``/prove`` and keeps what was typed (step 21)."""

    def __init__(self) -> None:
        super().__init__("show once more that it is you, and send it again", code="stale-sign-in")


Handler = Callable[[Visit], Awaitable[Response]]


class Entry(NamedTuple):
    """A page, or what a form of it does.

    Attributes:
        path: as Starlette writes it.
        run: the handler.
        methods: ``GET``, ``POST`` or both.
        open: whoever is not signed in may ask it too.
        fresh: only somebody who has just shown that it is he may ask it.
        raw: the handler reads the body itself, because a file is in it.
        early: somebody may ask it whose account leads nowhere else yet (steps 11 and 12).
        kept: what comes with an ended session or needs a fresher one is kept for its person (step 21); not where a
            password, a code or a passkey is in it.
        live: it is asked while somebody types, and does nothing.
        late: what reads the body of a ``raw`` one that comes with an ended session, and keeps it with ``Visit.hold``;
            without it such a one is refused.
    """

    path: str
    run: Handler
    methods: tuple[str, ...] = ("GET",)
    open: bool = False
    fresh: bool = False
    raw: bool = False
    early: bool = False
    kept: bool = True
    live: bool = False
    late: Handler | None = None


async def read_form(request: Request) -> Form:
    """A form without a file, as a browser sends it.

    Raises:
        Rejected: it is something else, too long, too slow, or not text.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise Rejected(f"a form is sent as {FORM}, not as {kind[:100]!r}", code="wrong-form")
    body = await bodies.whole(request, FORM_BYTES_MAX)
    try:
        fields = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS_MAX, encoding="utf-8"
        )
    except ValueError:
        raise Rejected("a form that is not text in UTF-8, or has too many fields", code="wrong-form") from None
    for _name, value in fields:
        check_typed(value)
    return Form(fields)


def check_token(session: Session | Former, form: Form) -> None:
    """A form carries the token of the session that its page was made in, whether or not that has ended.

    Raises:
        Rejected: it does not.
    """
    if not compare_digest(form.get(TOKEN).encode(), session.token.encode()):
        raise Rejected(
            "this form is from an earlier sign-in; open the page again and send it from there", code="stale-form"
        )


def check_typed(text: str) -> None:
    """Text that somebody typed has no character that is none.

    Raises:
        Rejected: it has.
    """
    if any(unicodedata.category(each) in {"Cc", "Cs"} and each not in "\t\n\r" for each in text):
        raise Rejected("a text with a control character in it; type it again without", code="control-character")


def own_path(path: str) -> str:
    """A path of the console that an address named, or the first page where it is none."""
    if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() and len(path) <= 2_000:
        return path
    return "/"


def needed(form: Form, name: str, what: str) -> str:
    """A field that must not be empty.

    Raises:
        Misuse: it is; ``place`` is the field.
    """
    value = form.get(name)
    if not value:
        raise Misuse(what, code="empty-field", place=name)
    return value
