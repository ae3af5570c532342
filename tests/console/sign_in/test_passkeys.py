"""Passkeys: made, used, and what pretends to be one (``spec/console.md`` steps 14 and 15)."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from comity.console.application import console
from comity.console.cookies import BROWSER, cookie
from comity.console.passkeys import Passkey
from console.authenticator import Authenticator, raw, text
from console.browser import ORIGIN, Browser, Page, browser, new_desk
from console.sign_in.test_sign_in import PASSWORD, another, session_of, sign_in, with_password
from world import World

HOST = "localhost:8480"


@pytest.fixture
async def at(world: World) -> Browser:
    """A browser of ``sato``, who signed in with his password."""
    made = await browser(world.jp)
    await with_password(made, "sato")
    await sign_in(made)
    return made


def options(page: Page) -> str:
    """What the script of a page would ask the browser for."""
    return unescape(re.findall(r'data-options="([^"]*)"', page.html)[0])


async def add(at: Browser, key: Authenticator, name: str = "blue key") -> Page:
    page = await at.get("/account")
    return await at.submit("/account/passkeys", answer=key.make(options(page)), name=name)


async def use(at: Browser, key: Authenticator, path: str = "/sign-in") -> Page:
    page = await at.get(path)
    return await at.submit(f"{path}/passkey", answer=key.sign(options(page)))


async def passkeys(at: Browser, handle: str = "sato") -> tuple[Passkey, ...]:
    account = await at.desk.accounts.of_handle(handle)
    assert account is not None
    return account.passkeys


async def test_a_passkey_is_made_and_signs_its_person_in(at: Browser) -> None:
    key = Authenticator(ORIGIN)
    asked = json.loads(options(await at.get("/account")))
    assert asked["rp"]["id"] == "localhost"
    assert asked["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    page = await add(at, key, "青い鍵 <b>")
    assert "The passkey is added" in page.text
    assert "<b>" not in page.html
    assert "青い鍵 <b>" in page.text
    elsewhere = another(at)
    assert (await use(elsewhere, key)).path == "/"
    session = session_of(elsewhere)
    assert session is not None
    assert (session.handle, session.how) == ("sato", "passkey")
    (kept,) = await passkeys(at)
    assert (kept.count, kept.host, kept.used is not None) == (1, "localhost", True)
    assert text(kept.key) in options(await elsewhere.get("/account")), "no second one is made on the same device"


async def test_several_passkeys_are_told_apart_and_the_last_way_in_stays(at: Browser) -> None:
    await add(at, Authenticator(ORIGIN, "one"), "one")
    await add(at, Authenticator(ORIGIN, "two"), "two")
    await at.get("/account")
    assert "Your password is taken away" in (await at.submit("/account/password/remove")).text
    one, two = await passkeys(at)
    page = await at.submit("/account/passkeys/remove", passkey=one.key.hex())
    assert "The passkey is removed" in page.text
    page = await at.submit("/account/passkeys/remove", passkey=two.key.hex())
    assert "this is the last way by which you sign in" in page.text
    assert [each.name for each in await passkeys(at)] == ["two"]
    assert (await use(another(at), Authenticator(ORIGIN, "one"))).status == 403


@pytest.mark.parametrize("case", ["twice", "no name", "long name", "removed nothing", "ninth"])
async def test_a_passkey_that_cannot_be_added_or_removed(at: Browser, case: str) -> None:
    key = Authenticator(ORIGIN)
    if case == "twice":
        await add(at, key)
        page = await add(at, key)
        assert "this passkey is there already" in page.text
    elif case == "no name":
        assert "a passkey has a name" in (await add(at, key, " ")).text
    elif case == "long name":
        assert "at most 60 characters" in (await add(at, key, "n" * 61)).text
    elif case == "removed nothing":
        await at.get("/account")
        page = await at.post("/account/passkeys/remove", [*at.page.form("/sign-out").fields, ("passkey", "zz")])
        assert "there is no such passkey of yours" in page.text
    else:
        for number in range(10):
            await add(at, Authenticator(ORIGIN, str(number)), str(number))
        assert 'data-passkey="make"' not in (await at.get("/account")).html
        assert len(await passkeys(at)) == 10


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"origin": "https://evil.example"}, "bad-passkey"),
        ({"origin": ORIGIN + ".evil.example"}, "bad-passkey"),
        ({"host": "evil.example"}, "bad-passkey"),
        ({"verified": False}, "bad-passkey"),
        ({"changes": {"type": "webauthn.create"}}, "bad-passkey"),
        ({"changes": {"crossOrigin": True}}, "bad-passkey"),
        ({"changes": {"challenge": text(bytes(56))}}, "stale-challenge"),
        ({"changes": {"challenge": text(bytes(5))}}, "bad-passkey"),
        ({"changes": {"challenge": 5}}, "bad-passkey"),
        ({"key": b"another key"}, "unknown-passkey"),
        ({"user": b"p-aaaaaaaaaaaaaaaa"}, "unknown-passkey"),
        ({"user": b"\xff\xfe"}, "bad-passkey"),
        ({"user": b""}, "unknown-passkey"),
    ],
)
async def test_what_pretends_to_be_a_passkey_signs_nobody_in(at: Browser, change: dict[str, Any], code: str) -> None:
    key = Authenticator(ORIGIN)
    await add(at, key)
    for name, value in change.items():
        setattr(key, name, value)
    elsewhere = another(at)
    page = await use(elsewhere, key)
    assert page.status in (403, 422)
    assert session_of(elsewhere) is None
    noted = [note.code for _, note in await at.desk.access.page() if note.how == "passkey"]
    assert noted == [code]


@pytest.mark.parametrize(
    "answer", ["", "{}", "[]", "null", "{" * 5_000, '{"id":"x","response":{"clientDataJSON":"e30"}}', "x" * 40_000]
)
async def test_an_answer_that_is_none_is_refused(at: Browser, answer: str) -> None:
    elsewhere = another(at)
    await elsewhere.get("/sign-in")
    page = await elsewhere.submit("/sign-in/passkey", answer=answer)
    assert (page.status, "no answer of a passkey" in page.text) == (422, True)


BOMBS = {
    "deep": b"\x81" * 20_000,
    "deep maps": b"\xa1\x00" * 9_000,
    "deep tags": b"\xc2" * 20_000,
    "endless": b"\x9f" * 20_000,
    "a long list": b"\x9a\x7f\xff\xff\xff",
    "a long map": b"\xba\x7f\xff\xff\xff",
    "many bytes": b"\x5a\x40\x00\x00\x00",
    "a cycle": b"\xd8\x1c\x82\x00\xd8\x1d\x00",
    "a pattern": b"\xd8\x23\x78\x20" + b"(a+)+" * 6 + b"$a",
    "no list at all": b"\x00",
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_passkey_that_would_exhaust_whoever_reads_it_is_refused(at: Browser, bomb: str) -> None:
    page = await at.get("/account")
    answer = json.loads(Authenticator(ORIGIN).make(options(page)))
    answer["response"]["attestationObject"] = text(BOMBS[bomb])
    page = await at.submit("/account/passkeys", answer=json.dumps(answer), name="bomb")
    assert (page.status, "was not made for this page" in page.text) == (422, True)
    assert await passkeys(at) == ()


async def test_a_signature_of_another_key_is_refused(at: Browser) -> None:
    key, thief = Authenticator(ORIGIN), Authenticator(ORIGIN, "thief")
    await add(at, key)
    thief.key, thief.user = key.key, key.user
    assert (await use(another(at), thief)).status == 422


async def test_a_challenge_is_answered_once_soon_and_in_its_own_browser(world: World, at: Browser) -> None:
    key = Authenticator(ORIGIN)
    await add(at, key)
    first = another(at)
    answer = key.sign(options(await first.get("/sign-in")))
    stranger = another(at)
    await stranger.get("/sign-in")
    assert "open the page again" in (await stranger.submit("/sign-in/passkey", answer=answer)).text
    assert (await first.submit("/sign-in/passkey", answer=answer)).path == "/"
    await first.get("/account")
    await first.submit("/sign-out")
    page = await first.submit("/sign-in/passkey", answer=answer)
    assert "answered already" in page.text, "a challenge is taken once"
    assert session_of(first) is None

    late = another(at)
    answer = key.sign(options(await late.get("/sign-in")))
    world.clock.time += timedelta(minutes=6)
    assert "open the page again" in (await late.submit("/sign-in/passkey", answer=answer)).text
    assert session_of(late) is None


async def test_a_challenge_for_one_page_is_nothing_on_another(at: Browser) -> None:
    key = Authenticator(ORIGIN)
    await add(at, key)
    made = options(await at.get("/account"))
    body_at = await at.get("/prove")
    assert 'data-passkey="sign"' in body_at.html
    page = await at.submit("/prove/passkey", answer=key.sign(made))
    assert "open the page again" in page.text
    at.cookies[cookie(at.desk, HOST, BROWSER)] = "another"
    page = await at.get("/account")
    answer = Authenticator(ORIGIN, "two").make(options(page))
    at.cookies[cookie(at.desk, HOST, BROWSER)] = "a third"
    assert "open the page again" in (await at.submit("/account/passkeys", answer=answer, name="two")).text


async def test_a_counter_that_goes_back_is_a_copy(at: Browser) -> None:
    key = Authenticator(ORIGIN)
    await add(at, key)
    key.count = 6
    assert (await use(another(at), key)).path == "/"
    for count in (6, 0):
        key.count = count
        page = await use(another(at), key)
        assert "this passkey has counted backwards" in page.text
    key.count = 7
    assert (await use(another(at), key)).path == "/"


async def test_a_passkey_that_does_not_count_works_again_and_again(at: Browser) -> None:
    key = Authenticator(ORIGIN)
    await add(at, key)
    for _ in range(2):
        key.count = -1  # signing makes it 0
        assert (await use(another(at), key)).path == "/"


async def test_passkeys_want_a_name_and_are_bound_to_the_address_of_the_page(world: World) -> None:
    desk = new_desk(world.jp, "http://127.0.0.1:8480", public=("https://comity.mod.example",))
    app = console(desk)
    numbered = Browser(desk, app, "http://127.0.0.1:8480")
    page = await numbered.get("/sign-in")
    assert "passkeys work under a name" in page.text
    assert "data-options" not in page.html

    public = Browser(desk, app, "https://comity.mod.example")
    await with_password(public, "sato")
    await sign_in(public)
    key = Authenticator("https://comity.mod.example")
    await add(public, key)
    account = await desk.accounts.of_handle("sato")
    assert account is not None
    assert account.passkeys[0].host == "comity.mod.example"
    phished = Authenticator("http://comity.mod.example")
    phished.user = key.user
    assert (await use(Browser(desk, app, "https://comity.mod.example"), phished)).status == 422


async def test_a_passkey_proves_again_who_sits_there_but_not_somebody_else(world: World, at: Browser) -> None:
    mine, others = Authenticator(ORIGIN), Authenticator(ORIGIN, "abe's")
    await add(at, mine)
    await with_password(at, "abe")
    abe = another(at)
    await sign_in(abe, "abe", PASSWORD)
    await add(abe, others)
    world.clock.time += timedelta(minutes=6)
    session = session_of(at)
    assert session is not None
    before = session.proved
    page = await at.get("/prove?next=/tokens")
    page = await at.submit("/prove/passkey", answer=others.sign(options(page)))
    assert "that is somebody else" in page.text
    assert session.proved == before
    page = await at.submit("/prove/passkey", answer=mine.sign(options(page)))
    assert page.path == "/tokens"
    assert session.proved > before
    assert raw(text(mine.user)).startswith(b"p-")
