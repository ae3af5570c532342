"""What somebody tried on the console and its API, and what stands in the way now."""

from __future__ import annotations

import asyncio
import json
import time
import unicodedata
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random

import pytest

from comity.console import application, bodies
from comity.console import sessions as console_sessions
from comity.console.access import REFUSED_A_MINUTE, Access, Note
from comity.console.application import PAGES_PER_SECOND
from comity.console.catalogues import Code
from comity.console.organisations import Login
from comity.console.passwords import CHARACTERS_MAX, check_password
from comity.console.phrases import phrase
from comity.console.sessions import SESSIONS_OF_ONE_MAX, Session, Sessions
from comity.console.settings import Organisation
from comity.errors import Unavailable
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk
from console.browser import ORIGIN, Browser, browser, new_desk
from console.test_api import _listed, program
from console.test_passwords import passwords
from world import SeededEntropy, StandingClock, World


@pytest.fixture
async def at(world: World) -> Browser:
    return await browser(world.jp, "sato")


async def drip(at: Browser, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """Send what says that much is to come, a little of it, and then nothing."""
    sent = [{"type": "http.request", "body": body, "more_body": True}]
    start: dict[str, int] = {}
    answer = bytearray()

    async def receive() -> dict[str, object]:
        if not sent:
            await asyncio.Event().wait()
        return sent.pop()

    async def send(message: dict[str, object]) -> None:
        if message["type"] == "http.response.start":
            start["status"] = message["status"]  # type: ignore[assignment]  # as ASGI has it
        else:
            answer.extend(message.get("body", b""))  # type: ignore[arg-type]  # the same

    where, _, query = path.partition("?")
    cookies = "; ".join(f"{name}={value}" for name, value in at.cookies.items())
    given = {"host": "localhost:8480", "origin": ORIGIN, "content-length": "9" * 15, "cookie": cookies, **headers}
    scope = {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "path": where,
        "raw_path": where.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8480),
    }
    await asyncio.wait_for(at.app(scope, receive, send), 20)
    return start["status"], bytes(answer)


FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("signed_in", [True, False])
async def test_a_form_that_does_not_end_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch, signed_in: bool
) -> None:
    """Whoever is not even signed in would hold a connection for ever, and a thousand are all there are."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    at = await browser(world.jp, "sato" if signed_in else None)
    status, told = await drip(at, "/sign-in", b"handle=sato", FORM)
    assert (status, b"did not come in time" in told) == (408, True)


@pytest.mark.parametrize("path", ["files?name=a", "inbox"])
async def test_a_request_of_a_program_that_does_not_end_is_given_up(
    at: Browser, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A file that stopped coming held its place, and its connection, as long as its sender liked."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)
    sato = await program(at, "sato")
    at.cookies.clear()
    headers = {"authorization": f"Bearer {sato.token}", "content-type": "application/json"}
    status, told = await drip(at, f"/api/v1/{path}", b"{", headers)
    assert (status, json.loads(told)["code"]) == (408, "slow-body")
    assert not at.desk.spool._held


async def test_what_comes_steadily_is_taken_however_long_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 5.0)

    class Steady:
        async def stream(self) -> AsyncIterator[bytes]:
            for _ in range(3):
                yield b"x" * 10
            yield b""

    assert [each async for each in bodies.pieces_of(Steady())] == [b"x" * 10] * 3 + [b""]  # type: ignore[arg-type]  # of a request no more is asked


def test_whoever_signs_in_without_end_ends_his_own_sessions_alone() -> None:
    clock = StandingClock()
    sessions = Sessions(clock, SeededEntropy("sessions"), timedelta(minutes=15))
    secret, other = sessions.begin("abe", "p-abe", "password")
    own = [sessions.begin("sato", "p-sato", "password")[0] for _ in range(SESSIONS_OF_ONE_MAX + 5)]
    assert sessions.of(secret) is other
    assert len(sessions.of_person("p-sato")) == SESSIONS_OF_ONE_MAX
    assert sessions.of(own[0]) is None
    assert sessions.of(own[-1]) is not None


def test_a_session_ends_though_its_browser_never_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = StandingClock()
    sessions = Sessions(clock, SeededEntropy("sessions"), timedelta(minutes=15))
    ended: list[Session] = []
    sessions.ended.append(ended.append)
    idle, idler = sessions.begin("sato", "p-sato", "password")
    clock.time += timedelta(minutes=10)
    used, user = sessions.begin("sato", "p-sato", "password")
    assert sessions.of_person("p-sato") == [idler, user]
    clock.time += timedelta(minutes=6)
    assert sessions.of_person("p-sato") == [user]
    assert ended == [idler]
    for _ in range(60):
        clock.time += timedelta(minutes=14)
        sessions.of(used)
    assert sessions.of_person("p-sato") == [], "twelve hours are a day's work, whatever is done in it"
    assert not sessions.lasts(user)
    assert sessions.end_all("p-sato") == 0
    assert (sessions.former(idle), sessions.former(used)) != (None, None)
    clock.time += timedelta(hours=10, minutes=1)
    assert sessions.former(idle) is None, "it ended when nothing was done, not when that was noticed"
    assert sessions.former(used) is not None
    monkeypatch.setattr(console_sessions, "SESSIONS_MAX", 2)
    _, first = sessions.begin("abe", "p-abe", "password")
    clock.time += timedelta(minutes=15)
    sessions.begin("ito", "p-ito", "password")
    clock.time += timedelta(seconds=1)
    sessions.begin("sato", "p-sato", "password")
    assert ended[-1] is first, "whoever is there is not sent away for one that has gone"
    assert [len(sessions.of_person(each)) for each in ("p-abe", "p-ito", "p-sato")] == [0, 1, 1]


async def test_a_long_password_signs_in_however_its_letters_are_put_together() -> None:
    """Letters that come in parts are counted as the letters that they are, on both sides of the comparison."""
    chosen = "".join(chr(each) for each in Random(1).sample(range(ord("가"), ord("힣")), 144))
    typed = unicodedata.normalize("NFD", chosen)
    assert len(chosen) < CHARACTERS_MAX < len(typed)
    check_password(typed, "sato")
    made = passwords()
    assert await made.matches(typed, await made.hash(typed))


async def test_only_what_a_page_asks_by_itself_is_noted_once(at: Browser) -> None:
    """A header of htmx says who asks, and keeps no act and no refusal out of the book."""
    await at.get("/account")
    token = dict(at.page.forms[0].fields)["token"]
    for _ in range(3):
        await at.send("POST", "/account/sign-out-elsewhere", f"token={token}".encode(), {**FORM, "hx-request": "true"})
    for _ in range(2):
        await at.get("/accounts", hx_request="true")
    noted = [note.did for _, note in await at.desk.access.page()]
    assert (noted.count("/account/sign-out-elsewhere"), noted.count("/accounts")) == (3, 2)


async def test_what_programs_ask_is_in_the_book_too(at: Browser) -> None:
    sato = await program(at, "sato", "read")
    await sato.ask("inbox", {})
    await sato.ask("give", {})
    await sato.ask("no-such-verb", {})
    await sato.send("files/" + "0" * 32, b"", "GET")
    await sato.ask("inbox", {}, authorization="Bearer comity-aaaaaaaaaaaaaaaa-" + "0" * 64)
    person = (await at.desk.house.person("sato")).person
    noted = [(note.did, note.person, note.status, note.code, note.how) for _, note in await at.desk.access.page()]
    assert noted[::-1] == [
        ("/api/v1/inbox", person, 200, "", "token"),
        ("/api/v1/give", person, 403, "outside-scope", "token"),
        ("/api/v1/files", person, 404, "unknown-path", "token"),
        ("/api/v1/files", person, 404, "unknown-file", "token"),
        ("token", "", 401, "unknown-token", "token"),
    ]


async def test_whoever_tries_without_end_fills_no_disk_with_notes_of_it() -> None:
    clock = StandingClock()
    book = Access(MemoryStore(MemoryDisk()), clock, 30)

    def tried(person: str, code: str = "") -> Note:
        return Note(at=clock.now(), person=person, did="sign-in", how="passkey", status=403 if code else 200, code=code)

    for _ in range(REFUSED_A_MINUTE + 40):
        book.note(tried("p-sato", "passkey-copied"))
        book.note(tried("", "unknown-passkey"))
    book.note(tried("p-sato"))
    assert len(await book.page(limit=1_000)) == REFUSED_A_MINUTE + 1 + 1
    clock.time += timedelta(minutes=1)
    book.note(tried("p-sato", "passkey-copied"))
    assert len(await book.page(limit=1_000)) == REFUSED_A_MINUTE + 3
    await book.close()


async def test_nobody_asks_for_more_pages_than_anybody_reads(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The notes of them would fill the disk, and whoever else reads would wait."""
    monkeypatch.setattr(application, "PAGES_AT_ONCE", 20)
    at = await browser(world.jp, "sato")
    pages = [await at.get("/account") for _ in range(25)]
    assert [page.status for page in pages] == [200] * 20 + [429] * 5
    assert pages[-1].headers["retry-after"] == "1"
    assert "too many pages are asked for in your name" in pages[-1].text
    noted = [note.status for _, note in await at.desk.access.page(limit=100)]
    assert (noted.count(200), noted.count(429)) == (20, 1)
    elsewhere = Browser(at.desk, at.app)
    assert (await (await elsewhere.sign_in("sato")).get("/account")).status == 429, "in all his browsers"
    assert (await (await elsewhere.sign_in("ito")).get("/account")).status == 200, "and nobody else's"
    world.clock.time += timedelta(seconds=1)
    more = [(await at.get("/account")).status for _ in range(15)]
    assert PAGES_PER_SECOND <= more.count(200) < 15


async def test_what_a_program_reads_again_and_again_is_noted_once_a_minute(world: World, at: Browser) -> None:
    sato = await program(at, "sato", "read")
    for _ in range(3):
        await sato.ask("inbox", {})
        await sato.ask("give", {})
    assert [note.did for _, note in await at.desk.access.page()] == ["/api/v1/give", "/api/v1/inbox"]
    world.clock.time += timedelta(minutes=1)
    await sato.ask("inbox", {})
    assert len(await at.desk.access.page()) == 3


async def test_a_key_gives_nobody_again_what_he_may_not_see_any_more(world: World, at: Browser) -> None:
    """What only reads is answered as things are, whatever key it comes with."""
    await world.given(title="Radar sites of the north")
    ito = await program(at, "ito")
    _, before = await ito.ask("outbox", {}, idempotency_key="k")
    await world.given(title="Another one")
    _, now = await ito.ask("outbox", {}, idempotency_key="k")
    assert len(str(now)) > len(str(before))


async def test_a_key_of_one_person_is_nothing_to_another(world: World, at: Browser) -> None:
    ito, sato = await program(at, "ito"), await program(at, "sato")
    first, _ = await ito.ask("list.change", _listed("sato", "radar"), idempotency_key="k")
    second, told = await sato.ask("list.change", _listed("sato", "radar"), idempotency_key="k")
    assert (first, second, told["code"]) == (200, 400, "no-role")


@pytest.mark.parametrize("field", ["token_endpoint", "jwks_uri", "authorization_endpoint"])
async def test_an_organisation_elsewhere_does_not_have_us_ask_this_machine(field: str) -> None:
    asked: list[str] = []
    says = {
        "issuer": "https://login.example",
        "authorization_endpoint": "https://login.example/a",
        "token_endpoint": "https://login.example/t",
        "jwks_uri": "https://login.example/k",
        field: "http://127.0.0.1:9200/_all",
    }

    async def fetch(url: str, _body: bytes | None, _headers: object) -> tuple[int, bytes]:
        asked.append(url)
        return 200, json.dumps(says).encode()

    settings = Organisation(name="Them", issuer="https://login.example", client="us", secret="s")
    login = Login(settings, "secret", fetch, clock=StandingClock(), entropy=SeededEntropy("login"))
    with pytest.raises(Unavailable, match="neither HTTPS nor on this machine"):
        await login.start("sign-in", "/", "browser", "https://console.example")
    assert asked == ["https://login.example/.well-known/openid-configuration"]


async def test_a_browser_is_told_to_forget_what_it_kept(at: Browser) -> None:
    await at.get("/")
    page = await at.send("POST", "/sign-out", f"token={dict(at.page.form('/sign-out').fields)['token']}".encode(), FORM)
    assert page.headers["clear-site-data"] == '"cache", "storage"'


async def test_under_tls_every_cookie_and_every_answer_says_so(world: World) -> None:
    desk = new_desk(world.jp, origin="https://console.example")
    from comity.console.application import console

    at = Browser(desk, console(desk), origin="https://console.example")
    page = await at.get("/sign-in")
    assert page.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    await at.submit("/language", language="ja")
    told = [value for _, value in at.all_cookies()]
    assert told
    assert all("; Secure" in each and "; HttpOnly" in each and "; SameSite=" in each for each in told)


@pytest.mark.parametrize("path", ["/sign-in", "/account", "/static/0/x.js", "/nowhere", "/api/v1/openapi.json"])
async def test_every_answer_forbids_what_a_page_of_another_site_could_do_with_it(at: Browser, path: str) -> None:
    headers = (await at.send("GET", path)).headers
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


@pytest.mark.parametrize("language", ["ja", "ko"])
@pytest.mark.parametrize(
    "piece", [" with rank a is ", ", whose it is, marks a b ", " since a; ", " is ", ", ", ': "', "a b, c d"]
)
def test_a_long_text_of_somebody_is_looked_up_in_no_time(language: Code, piece: str) -> None:
    """With five places to share it among, 2,000 characters took longer than anybody waits, and the node stood still."""
    phrase("a word", language)
    began = time.process_time()
    phrase((piece * 1_000)[:2_000] + "!", language)
    assert time.process_time() - began < 2
