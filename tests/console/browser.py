"""A browser without scripts, for tests: cookies, forms as a page has them, and the address it came from.

It talks to the real application; people are signed in as the sign-in page would have done it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from argon2 import PasswordHasher

from comity.console.application import console
from comity.console.cookies import cookie
from comity.console.desk import Desk
from comity.console.settings import ConsoleSettings
from comity.console.spool import Spool, SpooledFiles
from comity.flows.house import House
from comity.flows.table import FLOWS
from comity.stores.files import LocalFiles
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk
from world import SeededEntropy

ORIGIN = "http://localhost:8480"


@dataclass
class FormFound:
    """A form of a page."""

    action: str
    method: str
    enctype: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.text: list[str] = []
        self.forms: list[FormFound] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self._open: FormFound | None = None
        self._select: str | None = None
        self._area: tuple[str, list[str]] | None = None
        self._silent = 0
        self._title = False
        self.title = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.ids.append(given["id"])
        if tag in ("script", "style"):
            self._silent += 1
        if tag == "title":
            self._title = True
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag == "form":
            self._open = FormFound(given.get("action", ""), given.get("method", "get"), given.get("enctype", ""))
            self.forms.append(self._open)
        if self._open is None:
            return
        if tag == "input" and "name" in given:
            kind = given.get("type", "text")
            if kind in ("checkbox", "radio") and "checked" not in given:
                return
            if kind not in ("submit", "button", "file"):
                self._open.fields.append((given["name"], given.get("value", "on" if kind == "checkbox" else "")))
        elif tag == "select":
            self._select = given.get("name")
            self._first = True
        elif tag == "option" and self._select:
            if self._first or "selected" in given:
                if not self._first:
                    self._open.fields = [pair for pair in self._open.fields if pair[0] != self._select]
                self._open.fields.append((self._select, given.get("value", "")))
                self._first = False
        elif tag == "textarea":
            self._area = (given.get("name", ""), [])

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style"):
            self._silent -= 1
        if tag == "title":
            self._title = False
        if tag == "form":
            self._open = None
        if tag == "select":
            self._select = None
        if tag == "textarea" and self._area is not None and self._open is not None:
            self._open.fields.append((self._area[0], "".join(self._area[1])))
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._title:
            self.title += data
        if self._area is not None:
            self._area[1].append(data)
        elif not self._silent:
            self.text.append(data)


class Page:
    """An answer, as somebody looks at it."""

    def __init__(self, path: str, status: int, headers: Sequence[tuple[str, str]], body: bytes) -> None:
        self.path = path
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.all_headers = list(headers)
        self.body = body
        self._read: _Reader | None = None

    @property
    def html(self) -> str:
        return self.body.decode()

    @property
    def read(self) -> _Reader:
        if self._read is None:
            self._read = _Reader()
            self._read.feed(self.html)
        return self._read

    @property
    def text(self) -> str:
        """What stands on it, with single spaces."""
        return " ".join(" ".join(self.read.text).split())

    @property
    def forms(self) -> list[FormFound]:
        return self.read.forms

    def form(self, action: str) -> FormFound:
        """The form of the page that goes to an address; a part of it suffices."""
        exact = [form for form in self.forms if form.action == action]
        return exact[0] if exact else next(form for form in self.forms if action in form.action)


class Browser:
    """One browser of one person, or of nobody."""

    def __init__(self, desk: Desk, app: Any, origin: str = ORIGIN) -> None:
        self.desk = desk
        self.app = app
        self.origin = origin
        self.cookies: dict[str, str] = {}
        self.headers: dict[str, str] = {"accept-language": "en"}
        self.set_cookies: list[tuple[str, str]] = []
        self.page: Page

    async def sign_in(self, handle: str, language: str | None = None) -> Browser:
        """As if the sign-in page had done it."""
        person = await self.desk.house.person(handle)
        secret, session = self.desk.sessions.begin(handle, person.person, "password", roles=person.roles)
        session.language = language  # type: ignore[assignment]  # a test may say anything
        self.cookies[cookie(self.desk, urlsplit(self.origin).netloc)] = secret
        return self

    def all_cookies(self) -> list[tuple[str, str]]:
        """Every ``Set-Cookie`` that was ever answered, the newest first."""
        return self.set_cookies[::-1]

    async def get(self, path: str, **headers: str) -> Page:
        """A page, after every redirection."""
        return await self._follow(await self.send("GET", path, headers=headers))

    async def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Page:
        """One request, as it is; nothing is followed."""
        given = {"host": urlsplit(self.origin).netloc, **self.headers}
        if method == "POST":
            given |= {"origin": self.origin, "sec-fetch-site": "same-origin", "content-length": str(len(body))}
        if self.cookies:
            given["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        given |= {name.replace("_", "-"): value for name, value in (headers or {}).items()}
        where, _, query = path.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": urlsplit(self.origin).scheme,
            "path": _unquoted(where),
            "raw_path": where.encode("ascii"),
            "query_string": query.encode("ascii"),
            "root_path": "",
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in given.items() if value != "-"],
            "client": ("127.0.0.1", 50_000),
            "server": ("127.0.0.1", 8480),
        }
        sent = False
        start: dict[str, Any] = {}
        answer = bytearray()

        async def receive() -> dict[str, Any]:
            nonlocal sent
            if sent:  # a browser that has said everything waits for the answer
                await asyncio.Event().wait()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                answer.extend(message.get("body", b""))

        await self.app(scope, receive, send)
        told = [(name.decode(), value.decode("latin-1")) for name, value in start["headers"]]
        for name, value in told:
            if name.lower() == "set-cookie":
                self.set_cookies.append((name, value))
                self._keep(value)
        self.page = Page(path, start["status"], told, bytes(answer))
        return self.page

    async def submit(
        self, action: str, /, _button: tuple[str, str] | None = None, **fields: str | Sequence[str]
    ) -> Page:
        """Fill in the form of the page one is on that goes to ``action``, send it, and follow."""
        form = self.page.form(action)
        typed = [(name, value) for name, value in form.fields if name not in fields]
        for name, value in fields.items():
            typed += [(name, each) for each in ([value] if isinstance(value, str) else value)]
        if _button:
            typed.append(_button)
        target = urljoin(self.page.path, form.action)
        if form.method.lower() == "get":
            return await self.get(f"{target}?{urlencode(typed)}")
        return await self.post(target, typed)

    async def post(self, path: str, fields: Sequence[tuple[str, str]]) -> Page:
        """Send a form, and follow."""
        body = urlencode(fields).encode()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return await self._follow(await self.send("POST", path, body, kind))

    async def upload(
        self, path: str, fields: Sequence[tuple[str, str]], files: Sequence[tuple[str, str, str, bytes]]
    ) -> Page:
        """Send a form with files (field, file name, type, bytes), and follow."""
        mark = "----comity-test-boundary"
        parts = []
        for name, value in fields:
            parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
        for name, file_name, kind, data in files:
            head = f'--{mark}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
            parts.append(f"{head}Content-Type: {kind}\r\n\r\n".encode() + data + b"\r\n")
        body = b"".join(parts) + f"--{mark}--\r\n".encode()
        kind = {"content-type": f"multipart/form-data; boundary={mark}"}
        return await self._follow(await self.send("POST", path, body, kind))

    async def _follow(self, page: Page) -> Page:
        for _ in range(5):
            if page.status not in (302, 303, 307):
                return page
            page = await self.send("GET", urljoin(page.path, page.headers["location"]))
        raise AssertionError("redirected in a circle")

    def _keep(self, header: str) -> None:
        for name, morsel in SimpleCookie(header).items():
            if morsel["max-age"] == "0" or not morsel.value:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = morsel.value


def _unquoted(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path)


def new_desk(house: House, origin: str = ORIGIN, **settings: Any) -> Desk:
    """The desk of a house over memory."""
    files = house.files.behind if isinstance(house.files, SpooledFiles) else house.files
    assert isinstance(files, LocalFiles)
    given = ConsoleSettings(**settings)
    entropy = SeededEntropy(f"spool of {house.party}")
    spool = Spool(files._folder, house.clock, entropy, 2 * given.upload_bytes, lambda: 2**40)
    house.files = SpooledFiles(files, spool)
    return Desk(
        house,
        FLOWS,
        MemoryStore(MemoryDisk()),
        spool=spool,
        settings=given,
        clock=house.clock,
        entropy=SeededEntropy(f"console of {house.party}"),
        here=(origin,),
        hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
    )


async def browser(house: House, handle: str | None = None, language: str | None = None, **settings: Any) -> Browser:
    """A browser at the console of a house, with somebody signed in."""
    desk = new_desk(house, **settings)
    made = Browser(desk, console(desk))
    return await made.sign_in(handle, language) if handle else made


ADDRESS = re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[a-z0-9.-]+", re.IGNORECASE)


def outside_addresses(html: str) -> list[str]:
    """Whatever a page fetches or leads to elsewhere."""
    found = re.findall(r'(?:src|href|action|data-hx-[a-z]+)="([^"]*)"', html)
    return [each for each in found if ADDRESS.match(each)]


STATIC = Path(__file__).parents[2] / "src/comity/console/static"
