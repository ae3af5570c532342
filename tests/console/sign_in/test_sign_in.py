"""Signing in with passwords and codes, and what becomes of sessions (``spec/console.md`` steps 5 to 18)."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest
from markupsafe import escape

from comity.console import sessions
from comity.console.application import console
from comity.console.cookies import KNOWN, cookie
from comity.console.delays import LONGEST_SECONDS
from comity.console.desk import PASSWORDS_AT_ONCE
from comity.console.sessions import Session
from comity.errors import Rejected
from comity.flows.people.leaving import ChangePerson, RemovePerson, change_person, remove_person
from console.browser import Browser, Page, browser, new_desk
from world import ROOT, World

PASSWORD = "correct horse battery staple"
HOST = "localhost:8480"


@pytest.fixture
async def at(world: World) -> Browser:
    """A browser of nobody, at a house in which ``sato`` has a password."""
    made = await browser(world.jp)
    await with_password(made, "sato")
    return made


async def with_password(made: Browser, handle: str, password: str = PASSWORD) -> str:
    desk = made.desk
    account = await desk.accounts.redeem(handle, (await desk.accounts.invite(handle, None)).code)
    await desk.accounts.set_password(account.person, await desk.passwords.hash(password))
    return account.person


async def sign_in(at: Browser, handle: str = "sato", password: str = PASSWORD, **fields: str) -> Page:
    await at.get("/sign-in")
    return await at.submit("/sign-in", handle=handle, password=password, **fields)


def another(at: Browser) -> Browser:
    return Browser(at.desk, at.app)


def session_of(at: Browser) -> Session | None:
    return at.desk.sessions.of(at.cookies.get(cookie(at.desk, HOST)))


async def test_a_page_leads_to_the_sign_in_page_and_then_on(at: Browser) -> None:
    page = await at.get("/account?x=1")
    assert (page.status, page.path) == (200, "/sign-in?next=%2Faccount%3Fx%3D1")
    page = await at.submit("/sign-in", handle="sato", password=PASSWORD)
    assert (page.status, page.path) == (200, "/account?x=1")
    assert "with a password" in page.text


@pytest.mark.parametrize("after", ["//evil.example", "https://evil.example", "/\\evil.example", "/a\nb", ""])
async def test_signing_in_leads_nowhere_else(at: Browser, after: str) -> None:
    await at.get("/sign-in")
    token = [("handle", "sato"), ("password", PASSWORD), ("next", after)]
    page = await at.send("POST", "/sign-in", form(token), FORM)
    assert page.headers.get("location", "/") == "/"


FORM = {"content-type": "application/x-www-form-urlencoded"}


def form(fields: list[tuple[str, str]]) -> bytes:
    from urllib.parse import urlencode

    return urlencode([each for each in fields if "\n" not in each[1]]).encode()


@pytest.mark.parametrize(
    ("handle", "password"),
    [
        ("sato", "correct horse battery stapler"),
        ("sato", ""),
        ("nobody", PASSWORD),
        ("abe", PASSWORD),  # has no account
        ("ito", PASSWORD),  # has an account without a password
        ("<script>alert(1)</script>", PASSWORD),
        ("\u202eotas", PASSWORD),
        ("佐藤", PASSWORD),
        ("x" * 5_000, "y" * 5_000),
    ],
)
async def test_whoever_is_not_known_is_told_the_same(at: Browser, handle: str, password: str) -> None:
    await at.desk.accounts.invite("ito", None)
    page = await sign_in(at, handle, password)
    assert page.status == 403
    assert "nobody here has this handle with this password" in page.text
    assert "<script>alert" not in page.html
    assert session_of(at) is None
    wrong = await sign_in(another(at), "sato", "wrong password!")
    assert same(page, handle) == same(wrong, "sato")


def same(page: Page, handle: str) -> str:
    """A page without what was typed, and without the challenge that each one has of its own."""
    return re.sub('data-options="[^"]*"', "", page.html).replace(f'value="{escape(handle)}"', 'value=""')


async def test_whoever_was_removed_is_told_the_same(world: World, at: Browser) -> None:
    await remove_person(world.jp, RemovePerson(handle="sato", reason="left", actor=ROOT))
    page = await sign_in(at)
    assert "nobody here has this handle with this password" in page.text
    assert await at.desk.accounts.sweep() == []


async def test_a_session_is_new_each_time_and_what_the_browser_held_is_worth_nothing(at: Browser) -> None:
    name = cookie(at.desk, HOST)
    at.cookies[name] = planted = "0" * 64
    await sign_in(at)
    first = at.cookies[name]
    assert first != planted
    assert at.desk.sessions.of(planted) is None
    header = next(value for key, value in at.all_cookies() if value.startswith(name + "="))
    assert "HttpOnly" in header
    assert "SameSite=strict" in header
    assert "Secure" not in header
    assert "Max-Age" not in header
    await at.get("/account")
    await at.submit("/sign-out")
    await sign_in(at)
    assert at.cookies[name] != first
    assert at.desk.sessions.of(first) is None


async def test_under_tls_cookies_belong_to_this_host_alone(world: World) -> None:
    desk = new_desk(world.jp, public=("https://comity.mod.example",))
    at = Browser(desk, console(desk), "https://comity.mod.example")
    await with_password(at, "sato")
    page = await sign_in(at)
    assert page.path == "/"
    assert all(name.startswith("__Host-") for name in at.cookies)
    session = next(value for _, value in at.all_cookies() if value.startswith("__Host-comity-jp="))
    assert "Secure" in session
    assert "Path=/" in session
    assert "Domain" not in session


async def test_signing_out_ends_the_session_and_its_cookie(at: Browser) -> None:
    await sign_in(at)
    held = dict(at.cookies)
    await at.get("/account")
    page = await at.submit("/sign-out")
    assert page.path == "/sign-in"
    assert cookie(at.desk, HOST) not in at.cookies
    stolen = another(at)
    stolen.cookies = held
    assert (await stolen.get("/account")).path.startswith("/sign-in")


async def test_whoever_guesses_waits_and_the_right_password_is_not_looked_at_meanwhile(
    world: World, at: Browser
) -> None:
    for _ in range(3):
        assert (await sign_in(at, password="wrong password!")).status == 403
    page = await sign_in(at)
    assert page.status == 429
    assert page.headers["retry-after"] == "1"
    assert "wait 1 seconds" in page.text
    world.clock.time += timedelta(seconds=1)
    assert (await sign_in(at)).path == "/"


async def test_many_guesses_at_once_are_not_all_free(at: Browser) -> None:
    pages = await asyncio.gather(*(sign_in(another(at), password=f"wrong password {n}") for n in range(12)))
    assert sorted(page.status for page in pages) == [403] * 3 + [429] * 9


async def test_a_browser_that_is_known_is_not_kept_out_by_others(world: World, at: Browser) -> None:
    await sign_in(at)
    await at.get("/account")
    await at.submit("/sign-out")
    stranger = another(at)
    for _ in range(40):
        world.clock.time += timedelta(seconds=LONGEST_SECONDS)
        await sign_in(stranger, password="wrong password!")
    assert (await sign_in(stranger)).status == 429
    assert (await sign_in(at)).path == "/"
    forged = another(at)
    forged.cookies[cookie(at.desk, HOST, KNOWN)] = "00.00"
    assert (await sign_in(forged)).status == 429
    borrowed = another(at)
    borrowed.cookies[cookie(at.desk, HOST, KNOWN)] = at.cookies[cookie(at.desk, HOST, KNOWN)]
    assert (await sign_in(borrowed, "abe")).status == 429, "known for sato, not for abe; the address waits"


async def test_a_known_browser_waits_for_its_own_guesses(world: World, at: Browser) -> None:
    await sign_in(at)
    await at.get("/account")
    await at.submit("/sign-out")
    for _ in range(3):
        await sign_in(at, password="wrong password!")
    assert (await sign_in(at)).status == 429
    assert (await sign_in(another(at))).path == "/"


async def test_a_hash_by_old_parameters_is_made_anew(world: World, at: Browser) -> None:
    from argon2 import PasswordHasher

    person = (await world.jp.person("sato")).person
    old = PasswordHasher(time_cost=2, memory_cost=8, parallelism=1).hash(PASSWORD)
    await at.desk.accounts.set_password(person, old)
    assert (await sign_in(at)).path == "/"
    account = await at.desk.accounts.of(person)
    assert account is not None
    assert account.hashed not in (None, old)
    assert not at.desk.passwords.is_outdated(account.hashed or "")


async def test_a_house_that_takes_no_passwords_takes_none(world: World) -> None:
    at = await browser(world.jp, passwords=False)
    desk = at.desk
    account = await desk.accounts.redeem("sato", (await desk.accounts.invite("sato", None)).code)
    await desk.accounts.change(account.person, lambda own: own)
    page = await at.get("/sign-in")
    assert [each.action for each in page.forms] == ["/language", "/sign-in/passkey"]
    body = form([("handle", "sato"), ("password", PASSWORD)])
    assert (await at.send("POST", "/sign-in", body, FORM)).status == 403


# ---- codes ---------------------------------------------------------------------------------------------------------


async def come_in(at: Browser, code: str, handle: str = "abe") -> Page:
    await at.get("/sign-in/code")
    return await at.submit("/sign-in/code", handle=handle, code=code)


async def test_a_code_leads_to_ones_own_account_and_no_further_until_a_password_is_set(at: Browser) -> None:
    invited = await at.desk.accounts.invite("abe", None)
    page = await come_in(at, invited.code.upper().replace("-", " "))
    assert page.path == "/account"
    assert "Set a password or add a passkey now" in page.text
    for elsewhere in ("/", "/tokens", "/accounts", "/access", "/held/x"):
        assert (await at.get(elsewhere)).path == "/account"
    await at.get("/account")
    page = await at.submit("/account/password", password=PASSWORD, again=PASSWORD)
    assert "Your password is set" in page.text
    assert (await at.get("/tokens")).path == "/tokens"
    assert (await sign_in(another(at), "abe")).path == "/"


@pytest.mark.parametrize("case", ["wrong", "empty", "of another", "ended", "used", "newer", "no account", "nobody"])
async def test_a_code_that_is_worth_nothing_is_refused_the_same_way(world: World, at: Browser, case: str) -> None:
    code, handle = (await at.desk.accounts.invite("abe", None)).code, "abe"
    if case == "wrong":
        code = code[:-1] + ("a" if code[-1] != "a" else "b")
    elif case == "empty":
        code = "-"
    elif case == "of another":
        code = (await at.desk.accounts.invite("ito", None)).code
    elif case == "ended":
        world.clock.time += timedelta(hours=24)
    elif case == "used":
        await at.desk.accounts.redeem("abe", code)
    elif case == "newer":
        await at.desk.accounts.invite("abe", None)
    elif case == "no account":
        handle = "ito"
    elif case == "nobody":
        handle = "nobody"
    page = await come_in(at, code, handle)
    assert page.status == 422
    assert "this is not the code of that person, or it was used or has ended" in page.text
    assert session_of(at) is None


async def test_of_many_who_use_a_code_at_once_one_comes_in(at: Browser) -> None:
    code = (await at.desk.accounts.invite("abe", None)).code
    tried = await asyncio.gather(*(at.desk.accounts.redeem("abe", code) for _ in range(8)), return_exceptions=True)
    assert len([each for each in tried if isinstance(each, Rejected)]) == 7


async def test_codes_are_not_guessed_at_leisure(at: Browser) -> None:
    await at.desk.accounts.invite("abe", None)
    for _ in range(3):
        await come_in(at, "aaaa-aaaa-aaaa-aaaa-aaaa")
    assert (await come_in(at, "aaaa-aaaa-aaaa-aaaa-aaaa")).status == 429


@pytest.mark.parametrize(
    ("password", "again", "told"),
    [
        ("ocean liner", "ocean liner", "too short"),
        ("abe-abe-abe-abe", "abe-abe-abe-abe", "mostly your handle"),
        (PASSWORD, PASSWORD + "s", "not the same"),
        ("a\x00b" * 10, "a\x00b" * 10, "control character"),
    ],
)
async def test_a_password_that_cannot_be_is_not_set(at: Browser, password: str, again: str, told: str) -> None:
    await come_in(at, (await at.desk.accounts.invite("abe", None)).code)
    page = await at.submit("/account/password", password=password, again=again)
    assert page.status in (400, 422)
    assert told in page.text
    assert password not in page.html
    account = await at.desk.accounts.of_handle("abe")
    assert account is not None
    assert account.hashed is None


# ---- what ends a session -------------------------------------------------------------------------------------------


async def test_whoever_is_removed_is_out_at_once(world: World, at: Browser) -> None:
    await sign_in(at)
    await remove_person(world.jp, RemovePerson(handle="sato", reason="left", actor=ROOT))
    assert (await at.get("/account")).path.startswith("/sign-in")
    assert session_of(at) is None


async def test_whose_roles_change_signs_in_again(world: World, at: Browser) -> None:
    await sign_in(at)
    await change_person(world.jp, ChangePerson(handle="sato", roles=("officer", "registry"), actor=ROOT))
    assert (await at.get("/account")).path.startswith("/sign-in")
    assert (await sign_in(at)).path == "/"


async def test_whose_handle_changes_stays_signed_in_under_the_new_one(world: World, at: Browser) -> None:
    await sign_in(at)
    await change_person(world.jp, ChangePerson(handle="sato", new_handle="sato_k", actor=ROOT))
    assert "sato_k" in (await at.get("/account")).text


async def test_a_changed_password_ends_the_other_sessions(at: Browser) -> None:
    await sign_in(at)
    elsewhere = another(at)
    await sign_in(elsewhere)
    await at.get("/account")
    new = "four whales sing at dawn"
    await at.submit("/account/password", password=new, again=new)
    assert session_of(at) is not None
    assert session_of(elsewhere) is None
    assert (await sign_in(elsewhere)).status == 403
    assert (await sign_in(elsewhere, password=new)).path == "/"


@pytest.mark.parametrize("ended", [True, False])
async def test_a_changed_password_ends_tokens_unless_they_are_to_stay(at: Browser, ended: bool) -> None:
    await sign_in(at)
    assert "End the tokens" not in (await at.get("/account")).text
    session = session_of(at)
    assert session is not None
    written, _ = await at.desk.tokens.make(session.person, "nightly", ("read",), 30)
    await at.get("/account")
    new = "four whales sing at dawn"
    chosen = {} if ended else {"tokens": ""}
    page = await at.submit("/account/password", password=new, again="another", **chosen)
    assert ("tokens", "end") in page.form("/account/password").fields or not ended, "as it was chosen before"
    assert await at.desk.tokens.verify(written) is not None
    page = await at.submit("/account/password", password=new, again=new, **chosen)
    assert ("your tokens are ended" in page.text) is ended
    assert (await at.desk.tokens.verify(written) is None) is ended


async def test_whoever_sets_passwords_without_end_leaves_others_room_to_sign_in(world: World, at: Browser) -> None:
    await sign_in(at)
    told = []
    for number in range(PASSWORDS_AT_ONCE + 1):
        await at.get("/account")
        new = f"four whales sing at dawn {number}"
        told.append((await at.submit("/account/password", password=new, again=new)).status)
    assert told == [200] * PASSWORDS_AT_ONCE + [429]
    assert "wait a minute" in at.page.text
    world.clock.time += timedelta(minutes=1)
    assert (await at.submit("/account/password", password=new, again=new)).status == 200


async def test_signing_out_everywhere_leaves_this_session_alone(at: Browser) -> None:
    await sign_in(at)
    elsewhere = another(at)
    await sign_in(elsewhere)
    page = await at.get("/account")
    assert page.text.count("with a password") == 2
    page = await at.submit("/account/sign-out-elsewhere")
    assert "1 other session is ended" in page.text
    assert (await elsewhere.get("/account")).path.startswith("/sign-in")


async def test_of_too_many_sessions_the_one_that_did_nothing_for_longest_ends(
    at: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "SESSIONS_MAX", 2)
    first, second, third = (another(at) for _ in range(3))
    await sign_in(first)
    await sign_in(second)
    await first.get("/account")
    await sign_in(third)
    assert [session_of(each) is not None for each in (first, second, third)] == [True, False, True]


async def test_the_last_way_to_sign_in_stays(at: Browser) -> None:
    await sign_in(at)
    await at.get("/account")
    page = await at.submit("/account/password/remove")
    assert page.status == 400
    assert "this is the last way by which you sign in" in page.text


async def test_the_language_stays_with_the_account(at: Browser) -> None:
    await sign_in(at)
    await at.get("/account")
    await at.submit("/language", language="ko")
    elsewhere = another(at)
    await sign_in(elsewhere)
    assert 'lang="ko"' in (await elsewhere.get("/account")).html.split("<head>")[0]


async def test_an_account_without_a_name_is_not_asked_for_by_a_get(at: Browser) -> None:
    page = await at.send("GET", "/sign-in?handle=sato&password=" + PASSWORD.replace(" ", "+"))
    assert page.status == 200
    assert session_of(at) is None
