"""``comity demo --console``: two houses with people, work that waits, and pages to do it in.

Each person is invited as an administrator would do it, and sets a password as he would; the passwords are printed, so
these are houses for looking around in, and they are gone when the command ends.
"""

from __future__ import annotations

import http.client
import re
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

import click

from comity.cli.demonstration.cast import RELATIONSHIP, SEOUL, TOKYO, TOPIC, House, Role
from comity.cli.demonstration.scenes import MARK, PURPOSE, Play, wait
from comity.errors import Unavailable
from comity.flows.actors import Actor
from comity.flows.giving.answering import Approve, Assure
from comity.flows.giving.release import Give, Given
from comity.flows.looking.views import ShowInbox, ShowOutbox
from comity.node.accounts import CodeMade, InviteToConsole
from comity.node.client import call
from comity.node.run import NodeShown, ShowNode

STAFF = {
    "jp": (
        Role(
            handle="ito",
            name="Ito",
            function="Registry and security officer",
            body="Ministry of Defence, Tokyo",
            roles=("security-officer", "registry", "assurance-officer"),
        ),
        Role(handle="mori", name="Mori", function="Auditor", body="Board of Audit, Tokyo", roles=("auditor",)),
        Role(handle="ueda", name="Ueda", function="Administrator", body="Computer centre", roles=("administrator",)),
    ),
    "kr": (
        Role(
            handle="han",
            name="Han",
            function="Security officer",
            body="Ministry of National Defence, Seoul",
            roles=("security-officer", "release-authority", "agreement-authority"),
        ),
        Role(handle="yoon", name="Yoon", function="Auditor", body="Board of Audit, Seoul", roles=("auditor",)),
        Role(handle="seo", name="Seo", function="Administrator", body="Computer centre", roles=("administrator",)),
    ),
}
"""Who is there besides the cast of the document."""
CITIES = {"jp": "Tokyo", "kr": "Seoul"}
LANGUAGES = {"jp": "ja", "kr": "ko"}
STOPS = (signal.SIGINT, signal.SIGTERM)
TOKEN = re.compile(r'name="token" value="([0-9a-f]*)"')
TRIES: Mapping[str, str] = {
    "ito": "the register, duties and people of Tokyo",
    "sato": "give a file: drop it and watch the decision",
    "abe": "approve what Sato asked for",
    "mori": "verify the ledger, export evidence",
    "ueda": "accounts; no titles and no content",
    "lee": "assure, and see what came",
    "kim": "open what came from Tokyo, for its purpose",
    "park": "not cleared: it is not even there",
    "choi": "a general who is not on the list",
    "han": "people, clearances and visits of Seoul",
}
"""What to look at as somebody."""


class SignIn(NamedTuple):
    """How one person of the demonstration signs in, where."""

    party: str
    address: str
    role: Role
    password: str


class BrowsingPlay(Play):
    """Two houses whose consoles are left running."""

    def __init__(self, file: Path, folder: Path) -> None:
        super().__init__(file, folder)
        self.sign_ins: list[SignIn] = []

    def prepare(self) -> None:
        """Something that was given, something that waits, and an account for everybody; both nodes run."""
        self.agree()
        for house in (self.jp, self.kr):
            house.enrol(STAFF[house.party], MARK)
        self.screen.scene("2  Something was given, and something waits")
        self.cross()
        self.jp.ask(self.asked("A second report, which waits for Seoul and for Abe"))
        self.screen.say("One document has crossed, another waits: for Lee's assurance, then for Abe's approval.")
        self.screen.scene("3  Everybody is invited, and sets a password")
        for house, cast in ((self.jp, (*TOKYO, *STAFF["jp"])), (self.kr, (*SEOUL, *STAFF["kr"]))):
            self.sign_ins += invite(house, cast)
        self.screen.say(f"{len(self.sign_ins)} accounts: a code each, used once; the node keeps what Argon2id makes.")

    def asked(self, title: str) -> Give:
        """Sato asks that the file be given to Kim."""
        return Give(
            path=str(self.file),
            relationship=RELATIONSHIP,
            mark=MARK,
            topic=TOPIC,
            recipients=(self.kr.people["kim"],),
            purpose=PURPOSE,
            actor=Actor("sato"),
            title=title,
        )

    def cross(self) -> Given:
        """One document crosses: asked for, assured, approved."""
        given: Given = self.jp.ask(self.asked("Radar sites and their hours"))
        wait(lambda: self._came_to_assure(given.request), "the request for assurance to cross")
        self.kr.ask(Assure(request=given.request, relationship=RELATIONSHIP, actor=Actor("lee")))
        wait(lambda: self._assured(given.request), "the assurance to cross")
        self.jp.ask(Approve(request=given.request, reason="release is in our interest", actor=Actor("abe")))
        wait(lambda: self._receipted_item(given.item), "the receipt to come back")
        return given

    def _came_to_assure(self, request: str) -> bool:
        return any(line.request == request for line in self.kr.ask(ShowInbox()).asked)

    def _receipted_item(self, item: str) -> bool:
        return any(line.item == item and line.received for line in self.jp.ask(ShowOutbox()).given)

    def tell(self) -> None:
        """Where to look, and as whom."""
        for party in ("jp", "kr"):
            here = [each for each in self.sign_ins if each.party == party]
            click.echo()
            click.secho(f"{CITIES[party]}: {here[0].address}", bold=True)
            for each in here:
                note = click.style(TRIES.get(each.role.handle, each.role.function), dim=True)
                click.echo(f"  {each.role.handle:<6} {each.password:<26} {note}")
        click.echo()
        click.echo(
            "English, 日本語 and 한국어 are at the top right. Stop both nodes with Ctrl-C; nothing is left behind."
        )


def browse(file: Path, folder: Path) -> None:
    """Make the houses, print how to sign in, and wait until somebody stops it."""
    stage = BrowsingPlay(file, folder)
    with stoppable():
        stage.set_up()
        with stage.jp.node.running(), stage.kr.node.running():
            stage.prepare()
            stage.tell()
            until_stopped()


def invite(house: House, cast: Sequence[Role]) -> list[SignIn]:
    """An account for everybody of a house: invited, and a password set with the code, through the pages."""
    shown = call(house.node.folder, "node.status", ShowNode(), NodeShown)
    made = []
    for role in cast:
        told = call(house.node.folder, "console.invite", InviteToConsole(role.handle), CodeMade)
        password = f"{CITIES[house.party].lower()} {role.handle} demonstration"
        visitor = _Visitor(shown.ready.console, LANGUAGES[house.party])
        visitor.post("/sign-in/code", "/sign-in/code", handle=role.handle, code=told.code)
        visitor.post("/account", "/account/password", password=password, again=password)
        made.append(SignIn(house.party, shown.ready.console, role, password))
    return made


class _Visitor:
    """The least of a browser: keeps cookies, and sends the form of a page from that page."""

    def __init__(self, address: str, language: str) -> None:
        self._address = address
        self._language = language
        self._cookies: dict[str, str] = {}

    def post(self, page: str, action: str, **fields: str) -> None:
        """Open a page and send a form of it."""
        found = TOKEN.search(self._ask("GET", page))
        typed = {"token": found[1] if found else "", **fields}
        self._ask("POST", action, urlencode(typed))

    def _ask(self, method: str, path: str, body: str = "") -> str:
        parts = urlsplit(self._address)
        line = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        headers = {"Origin": self._address, "Accept-Language": self._language}
        headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            line.request(method, path, body or None, headers)
            answer = line.getresponse()
            said = answer.read().decode()
        finally:
            line.close()
        for cookie in answer.headers.get_all("set-cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        if answer.status not in (200, 303):
            raise Unavailable(f"the console answers {answer.status} at {path}", code="demonstration")
        return said


@contextmanager
def stoppable() -> Iterator[None]:
    """SIGTERM ends what goes on as Ctrl-C does, tidily, at every moment; so does SIGINT where a script had it ignored.

    What comes while it ends already ends it no sooner.
    """
    stopped = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal stopped
        if not stopped:
            stopped = True
            raise KeyboardInterrupt

    before = [(number, signal.signal(number, stop)) for number in STOPS]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def until_stopped() -> None:
    """Wait for somebody to stop it; that is how it is meant to end."""
    with suppress(KeyboardInterrupt):
        while True:
            time.sleep(1)
