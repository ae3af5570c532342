"""Signing in through an organisation's own login (``spec/console.md`` steps 19 and 20)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from comity.console.application import console
from comity.console.cookies import BROWSER, cookie
from comity.console.organisations import ASKED_AT_ONCE, KEPT, LOOKED_AGAIN, Login
from comity.console.settings import Organisation
from comity.errors import Unavailable
from comity.node.outward import fetch
from console.browser import Browser, Page, new_desk
from console.provider import CLIENT, SECRET, Provider, by_published, by_secret, provider, unsigned
from console.sign_in.test_sign_in import HOST, another, session_of
from world import World

EVIL = ECKey.generate_key("P-256", {"kid": "1"})


@pytest.fixture
async def there(world: World) -> AsyncIterator[Provider]:
    async with provider(world.clock) as made:
        yield made


@pytest.fixture
async def at(world: World, there: Provider) -> Browser:
    """A browser of nobody, at a house where ``sato`` has an account."""
    desk = new_desk(world.jp)
    settings = Organisation(name="Ministry <b>", issuer=there.address, client=CLIENT, secret="file")
    desk.organisation = Login(settings, SECRET, fetch, clock=desk.clock, entropy=desk.entropy)
    await desk.accounts.invite("sato", None)
    return Browser(desk, console(desk))


async def go(at: Browser, there: Provider, path: str = "/sign-in/organisation?next=/account") -> str:
    """To the login and back, up to the page that goes on by itself; where that leads."""
    away = await at.send("GET", path)
    assert away.status == 303
    page = await at.send("GET", "/sign-in/organisation/back?" + there.authorise(away.headers["location"]))
    assert page.status == 200
    assert 'http-equiv="refresh"' in page.html
    return next(link for link in page.read.links if "/organisation/done" in link)


async def sign_in(at: Browser, there: Provider) -> Page:
    return await at.get(await go(at, there))


async def test_whoever_has_an_account_signs_in_and_comes_back_where_he_was(at: Browser, there: Provider) -> None:
    page = await at.get("/sign-in?next=/account")
    assert "Sign in through Ministry <b>" in page.text
    assert "Ministry <b>" not in page.html
    page = await sign_in(at, there)
    assert page.path == "/account"
    session = session_of(at)
    assert session is not None
    assert (session.handle, session.how, session.limited) == ("sato", "organisation", False)
    assert SECRET not in "".join(repr(each) for each in at.set_cookies)
    assert there.asked == ["discovery", "token", "keys"]
    await sign_in(another(at), there)
    assert there.asked == ["discovery", "token", "keys", "token"], "what it says of itself is kept for an hour"


async def test_nothing_of_it_is_there_without_settings(world: World) -> None:
    desk = new_desk(world.jp)
    at = Browser(desk, console(desk))
    assert "/organisation" not in (await at.get("/sign-in")).html
    assert (await at.get("/sign-in/organisation")).status == 404
    assert (await at.get("/sign-in/organisation/done?code=x&state=y")).status == 404


@pytest.mark.parametrize("person", ["abe", "nobody", "", "x" * 300, "sato\n", 5, None, ["sato"], "\u202eotas"])
async def test_whom_this_house_does_not_know_is_refused(at: Browser, there: Provider, person: object) -> None:
    there.claims["preferred_username"] = person
    page = await sign_in(at, there)
    assert page.status == 403
    assert "unknown-person-there" in page.text or "no-claim" in page.text
    assert session_of(at) is None


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another client"},
        {"aud": [CLIENT, "another client"]},
        {"aud": [CLIENT, "another client"], "azp": "another client"},
        {"aud": CLIENT, "azp": "another client"},
        {"aud": []},
        {"aud": None},
        {"nonce": "x"},
        {"nonce": None},
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": float("nan")},
        {"exp": 1e300},
        {"iat": 9_999_999_999},
        {"nbf": 9_999_999_999},
        {"sub": None},
        {"sub": ""},
    ],
)
async def test_a_token_that_is_not_for_us_and_of_now_is_refused(
    at: Browser, there: Provider, claims: dict[str, Any]
) -> None:
    there.claims = claims
    page = await sign_in(at, there)
    assert (page.status, "bad-id-token" in page.text) == (422, True), page.text
    assert session_of(at) is None


async def test_several_clients_are_named_with_the_one_that_asked(at: Browser, there: Provider) -> None:
    there.claims = {"aud": [CLIENT, "another client"], "azp": CLIENT}
    assert (await sign_in(at, there)).path == "/account"


def signed_by(key: ECKey | RSAKey | OKPKey, **header: Any) -> Callable[[dict[str, Any]], str]:
    said = {"alg": "ES256", "kid": "1", **header}
    return lambda claims: jwt.encode(said, claims, key, algorithms=[said["alg"]])


FORGERIES: dict[str, Callable[[Provider], Callable[[dict[str, Any]], str]]] = {
    "alg none": lambda _: unsigned,
    "by our secret": lambda _: by_secret,
    "by its public key": lambda there: by_published(there.key),
    "another key": lambda _: signed_by(EVIL),
    "another key, in the header": lambda _: signed_by(EVIL, jwk=EVIL.as_dict(private=False)),
    "an unknown key": lambda _: signed_by(EVIL, kid="2"),
    "no token": lambda _: lambda _claims: "x",
    "empty": lambda _: lambda _claims: "",
    "five parts": lambda _: lambda _claims: "a.b.c.d.e",
    "no JSON": lambda _: lambda _claims: "e30.e30.e30",
    "changed": lambda there: lambda claims: changed(there, claims),
    "large": lambda _: lambda _claims: "x" * 100_001,
}


def changed(there: Provider, claims: dict[str, Any]) -> str:
    head, body, signature = signed_by(there.key)(claims).split(".")
    return ".".join((head, body[:-2] + ("AA" if body[-2:] != "AA" else "BB"), signature))


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_token_that_the_issuer_did_not_sign_is_refused(at: Browser, there: Provider, forgery: str) -> None:
    there.sign = FORGERIES[forgery](there)
    page = await sign_in(at, there)
    assert page.status in (422, 503), page.text
    assert "bad-id-token" in page.text or "organisation-unavailable" in page.text
    assert session_of(at) is None


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("kind", ["RS256", "PS256", "EdDSA"])
async def test_every_algorithm_that_is_allowed_works(at: Browser, there: Provider, kind: str) -> None:
    there.algorithm = kind
    there.key = (
        OKPKey.generate_key("Ed25519", {"kid": "1"}) if kind == "EdDSA" else RSAKey.generate_key(2048, {"kid": "1"})
    )
    assert (await sign_in(at, there)).path == "/account"


async def test_a_new_key_of_the_issuer_is_found_and_a_strange_one_does_not_make_us_ask_again(
    world: World, at: Browser, there: Provider
) -> None:
    await sign_in(at, there)
    there.key = ECKey.generate_key("P-256", {"kid": "2"})
    world.clock.time += LOOKED_AGAIN
    assert (await sign_in(another(at), there)).path == "/account"
    asked = there.asked.count("keys")
    for _ in range(3):
        there.sign = signed_by(EVIL, kid="3")
        assert (await sign_in(another(at), there)).status == 422
    assert there.asked.count("keys") == asked


async def test_keys_of_kinds_that_nobody_here_knows_are_passed_over(at: Browser, there: Provider) -> None:
    there.published = [
        {"kty": "strange", "kid": "0"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "9"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "8"},
        {"kid": "7"},
        EVIL.as_dict(private=False) | {"use": "enc", "kid": "6"},
        there.key.as_dict(private=False),
    ]
    assert (await sign_in(at, there)).path == "/account"


@pytest.mark.parametrize(
    "case", ["forged", "empty", "another browser", "no browser", "late", "twice", "changed", "code"]
)
async def test_what_was_not_asked_from_this_browser_is_refused(
    world: World, at: Browser, there: Provider, case: str
) -> None:
    done = await go(at, there)
    if case == "forged":
        done = "/sign-in/organisation/done?code=x&state=" + "A" * 80 + ".W10"
    elif case == "empty":
        done = "/sign-in/organisation/done"
    elif case == "another browser":
        at = another(at)
        await at.get("/sign-in")
    elif case == "no browser":
        at.cookies.pop(cookie(at.desk, HOST, BROWSER))
    elif case == "late":
        world.clock.time += timedelta(minutes=6)
    elif case == "twice":
        first = another(at)
        first.cookies = dict(at.cookies)
        assert (await first.get(done)).path == "/account"
    elif case == "changed":  # another page to go on to than the one that was asked for
        from base64 import urlsafe_b64encode

        told = urlsafe_b64encode(json.dumps(["sign-in", "//evil.example"]).encode()).rstrip(b"=").decode()
        done = done.rpartition(".")[0] + "." + told
    else:
        done = done.replace("code-0", "code-7")
    page = await at.get(done)
    assert page.status == 422
    assert "stale-challenge" in page.text or (case == "code" and "refused-there" in page.text)
    assert session_of(at) is None


async def test_a_flood_of_codes_is_not_passed_on(at: Browser, there: Provider) -> None:
    browsers = [another(at) for _ in range(ASKED_AT_ONCE + 4)]
    done = [await go(each, there) for each in browsers]
    pages = await asyncio.gather(*(each.get(path) for each, path in zip(browsers, done, strict=True)))
    assert sorted(page.status for page in pages) == [200] * ASKED_AT_ONCE + [503] * 4
    assert there.asked.count("token") == ASKED_AT_ONCE
    assert (await sign_in(another(at), there)).path == "/account"


async def test_whom_the_organisation_refuses_is_told(at: Browser, there: Provider) -> None:
    done = await go(at, there)
    state = done.partition("state=")[2]
    page = await at.get(f"/sign-in/organisation/done?error=access_denied&state={state}")
    assert (page.status, "refused-there" in page.text) == (403, True)


@pytest.mark.parametrize(
    "says",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://evil.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": ""},
        {"token_endpoint": 5},
        {"jwks_uri": None},
    ],
)
async def test_an_issuer_that_says_what_it_must_not_is_not_asked(
    at: Browser, there: Provider, says: dict[str, Any]
) -> None:
    there.says = says
    page = await at.get("/sign-in/organisation")
    assert (page.status, "organisation-unavailable" in page.text) == (503, True)
    assert there.asked == ["discovery"]


async def test_an_issuer_that_does_not_answer_is_told(at: Browser, there: Provider) -> None:
    there.status = 500
    assert (await at.get("/sign-in/organisation")).status == 503
    login = at.desk.organisation
    assert login is not None

    async def nobody(_url: str, _body: bytes | None, _headers: object) -> tuple[int, bytes]:
        raise Unavailable("no", code="unreachable")

    login._fetch = nobody
    assert (await at.get("/sign-in/organisation")).status == 503


async def test_a_login_that_is_down_is_asked_by_one_and_once_a_minute(world: World, at: Browser) -> None:
    """Each who is not even signed in would have it asked anew, ten seconds long, one behind the other."""
    login = at.desk.organisation
    assert login is not None
    asked, answer = [], asyncio.Event()

    async def silent(_url: str, _body: bytes | None, _headers: object) -> tuple[int, bytes]:
        asked.append(world.clock.now())
        await answer.wait()
        raise Unavailable("no answer in 10 seconds", code="unreachable")

    login._fetch = silent
    first = [asyncio.create_task(another(at).get("/sign-in/organisation")) for _ in range(5)]
    while not asked:
        await asyncio.sleep(0)
    answer.set()
    assert {(await each).status for each in first} == {503}
    page = await at.get("/sign-in/organisation")
    assert (page.status, "no answer in 10 seconds" in page.text, len(asked)) == (503, True, 1)
    world.clock.time += LOOKED_AGAIN + timedelta(seconds=1)
    answer.clear()
    again = asyncio.create_task(another(at).get("/sign-in/organisation"))
    while len(asked) < 2:
        await asyncio.sleep(0)
    assert (await at.get("/sign-in/organisation")).status == 503, "nobody else waits for it"
    answer.set()
    assert (await again).status == 503
    assert len(asked) == 2


async def test_what_it_says_of_itself_is_read_again_after_an_hour(world: World, at: Browser, there: Provider) -> None:
    await sign_in(at, there)
    world.clock.time += KEPT
    await sign_in(another(at), there)
    assert there.asked.count("discovery") == 2


async def test_it_shows_again_who_sits_there_where_it_has_just_asked_him(
    world: World, at: Browser, there: Provider
) -> None:
    await sign_in(at, there)
    world.clock.time += timedelta(minutes=6)
    session = session_of(at)
    assert session is not None
    before = session.proved
    page = await at.get("/prove?next=/tokens")
    assert "Show it through" in page.text
    path = "/prove/organisation?next=/tokens"
    there.claims = {"auth_time": int(before.timestamp())}
    assert "not-asked-there" in (await at.get(await go(at, there, path))).text
    there.claims = {"auth_time": None}
    assert "not-asked-there" in (await at.get(await go(at, there, path))).text
    assert session.proved == before
    there.claims = {}
    assert (await at.get(await go(at, there, path))).path == "/tokens"
    assert session.proved > before

    await at.desk.accounts.invite("abe", None)
    there.person = "abe"
    assert "other-person" in (await at.get(await go(at, there, path))).text
    there.person = "sato"
    done = await go(at, there, path)
    at.cookies.pop(cookie(at.desk, HOST))
    assert (await at.get(done)).path.startswith("/sign-in"), "what was asked to show it again signs nobody in"
