"""The console of a running node: its accounts from the command line, and its pages over HTTP."""

from __future__ import annotations

import http.client
import re
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from comity.errors import ComityError, Misuse, Unavailable
from comity.flows.actors import Actor
from comity.flows.people.enrolment import EnrolPerson
from comity.flows.people.person_views import PersonShown
from comity.node.accounts import (
    AccountShown,
    CodeMade,
    EndSessions,
    InviteToConsole,
    ListAccounts,
    RemoveAccount,
    SessionsEnded,
)
from comity.node.outward import FETCH_BYTES_MAX, fetch
from node.processes import Node

PASSWORD = "correct horse battery staple"


class Visitor:
    """A browser over real HTTP."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.cookies: dict[str, str] = {}

    def ask(self, method: str, path: str, **fields: str) -> tuple[int, str, str]:
        parts = urlsplit(self.address)
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        headers = {"cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if method == "POST":
            headers |= {"origin": self.address, "content-type": "application/x-www-form-urlencoded"}
        line.request(method, path, urlencode(fields) or None, headers)
        answer = line.getresponse()
        body = answer.read().decode()
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        line.close()
        return answer.status, answer.headers.get("location", ""), body

    def send(self, page: str, action: str, **fields: str) -> tuple[int, str, str]:
        token = re.search(r'name="token" value="([0-9a-f]*)"', self.ask("GET", page)[2])
        return self.ask("POST", action, token=token[1] if token else "", **fields)


def test_somebody_is_invited_signs_in_and_is_signed_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    node = Node(tmp_path / "jp", "jp")
    ready = node.start()
    try:
        enrol = EnrolPerson(
            handle="sato",
            name="Sato",
            function="Air desk",
            body="Ministry of Defence",
            nationality="jp",
            serves="jp",
            roles=("officer",),
            actor=Actor("root"),
        )
        node.ask("person.enrol", enrol, PersonShown)
        assert node.ask("console.accounts", ListAccounts(), list[AccountShown]) == []
        made = node.ask("console.invite", InviteToConsole("sato"), CodeMade)
        assert made.console == ready.console
        with pytest.raises(Misuse, match="nobody called"):
            node.ask("console.invite", InviteToConsole("nobody"), CodeMade)

        visitor = Visitor(ready.console)
        assert visitor.send("/sign-in/code", "/sign-in/code", handle="sato", code=made.code)[:2] == (303, "/account")
        assert visitor.send("/account", "/account/password", password=PASSWORD, again=PASSWORD)[0] == 303
        assert visitor.ask("GET", "/tokens")[0] == 200
        (shown,) = node.ask("console.accounts", ListAccounts(), list[AccountShown])
        assert (shown.handle, shown.by, shown.code_until, shown.sessions) == ("sato", ("password",), None, 1)

        ended = node.ask("console.end-sessions", EndSessions("sato"), SessionsEnded)
        assert ended == SessionsEnded(handle="sato", sessions=1)
        assert visitor.ask("GET", "/tokens")[:2] == (303, "/sign-in?next=%2Ftokens")
    finally:
        node.end()
    ready = node.start()
    try:
        again = Visitor(ready.console)
        assert again.send("/sign-in", "/sign-in", handle="sato", password=PASSWORD)[0] == 303, "an account is kept"
        node.ask("console.remove", RemoveAccount("sato"), SessionsEnded)
        assert again.ask("GET", "/tokens")[0] == 303
        with pytest.raises(ComityError, match="no such account"):
            node.ask("console.remove", RemoveAccount("sato"), SessionsEnded)
    finally:
        node.end()
    assert b"correct horse" not in (tmp_path / "jp/console.sqlite").read_bytes()
    assert made.code.encode() not in (tmp_path / "jp/console.sqlite").read_bytes()


async def test_what_a_login_answers_is_bounded_and_leads_nowhere() -> None:
    from aiohttp import web

    app = web.Application()
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        if request.path == "/away":
            raise web.HTTPFound("/elsewhere")
        return web.Response(body=b"x" * (FETCH_BYTES_MAX + (request.path == "/large")))

    app.router.add_route("*", "/{name}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        assert (await fetch(f"{address}/away", None, {}))[0] == 302
        assert len((await fetch(f"{address}/fits", b"a=1", {}))[1]) == FETCH_BYTES_MAX
        with pytest.raises(Unavailable, match="answers more than"):
            await fetch(f"{address}/large", None, {})
        assert asked == ["/away", "/fits", "/large"]
    finally:
        await runner.cleanup()
    with pytest.raises(Unavailable, match="does not answer"):
        await fetch(f"{address}/gone", None, {})
