"""What stands before every page (``spec/console.md`` steps 1 to 8)."""

from __future__ import annotations

from datetime import timedelta, tzinfo

import pytest

from comity.console.desk import Desk
from comity.errors import Unavailable
from console.browser import ORIGIN, Browser, browser, outside_addresses
from world import World


@pytest.fixture
async def at(world: World) -> Browser:
    return await browser(world.jp, "sato")


async def test_a_page_says_what_it_is_for_and_names_no_outside_address(at: Browser) -> None:
    page = await at.get("/custody")
    assert page.status == 200
    assert page.read.title.startswith("Who can read what here")
    assert outside_addresses(page.html) == []
    assert "style=" not in page.html
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:8480@evil.example", "LOCALHOST:8480.evil"])
async def test_a_forged_host_is_refused(at: Browser, host: str) -> None:
    page = await at.get("/custody", host=host)
    assert (page.status, "not served under this address" in page.text) == (422, True)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "-"},
        {"origin": "-", "referer": "https://evil.example/custody"},
        {"origin": ORIGIN + ".evil.example"},
    ],
)
async def test_a_form_of_another_site_is_refused(at: Browser, headers: dict[str, str]) -> None:
    before = dict(at.cookies)
    kind = {"content-type": "application/x-www-form-urlencoded", **headers}
    page = await at.send("POST", "/language", b"language=ja", kind)
    assert (page.status, "cross-site" in page.text) == (403, True)
    assert at.cookies == before


async def test_a_form_without_the_token_of_its_session_is_refused(at: Browser) -> None:
    page = await at.post("/language", [("language", "ja"), ("token", "0" * 64)])
    assert (page.status, "stale-form" in page.text) == (422, True)
    assert "comity-language" not in at.cookies


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"language=ja", "text/plain", "wrong-form"),
        (b"language=ja", "multipart/form-data; boundary=x", "wrong-form"),
        (b"language=%ff", "application/x-www-form-urlencoded", "wrong-form"),
        (b"language=%00", "application/x-www-form-urlencoded", "control-character"),
        (b"language=%1b[2J", "application/x-www-form-urlencoded", "control-character"),
        (b"a=1&" * 600, "application/x-www-form-urlencoded", "wrong-form"),
        (b"language=" + b"a" * 300_000, "application/x-www-form-urlencoded", "too-large"),
    ],
)
async def test_a_form_that_is_none_is_refused(at: Browser, body: bytes, kind: str, code: str) -> None:
    page = await at.send("POST", "/language", body, {"content-type": kind})
    assert page.status >= 400
    assert code in page.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PATCH"])
async def test_other_methods_are_refused(at: Browser, method: str) -> None:
    assert (await at.send(method, "/custody")).status == 405


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "//evil.example/", "/static/../desk.py", "/static/0/console.css", "/static/0/" + "x" * 300, "/a\\b"],
)
async def test_no_other_path_leads_anywhere(at: Browser, path: str) -> None:
    assert (await at.send("GET", path)).status in (400, 404)


@pytest.mark.parametrize(("path", "status"), [("/custody", 503), ("/nowhere", 503), ("//evil.example/", 404)])
async def test_a_house_that_cannot_be_read_is_told_on_a_page(
    at: Browser, path: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: Desk) -> tzinfo:
        raise Unavailable("the store does not answer", code="store-failed")

    monkeypatch.setattr(Desk, "zone", lost)
    page = await at.send("GET", path)
    assert page.status == status
    assert page.html.count("<h1") == 1


async def test_the_language_is_chosen_by_the_person_and_leads_back(at: Browser) -> None:
    await at.get("/custody")
    page = await at.submit("/language", _button=("language", "ko"))
    assert (page.path, 'html lang="ko"' in page.html) == ("/custody", True)


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_a_form_leads_to_pages_of_the_console_only(at: Browser, back: str) -> None:
    form = [
        ("language", "ja"),
        ("token", next(iter(at.desk.sessions.of_person(await person(at)))).token),
        ("next", back),
    ]
    from urllib.parse import urlencode

    kind = {"content-type": "application/x-www-form-urlencoded"}
    page = await at.send("POST", "/language", urlencode(form).encode(), kind)
    assert (page.status, page.headers["location"]) == (303, "/")


async def test_whoever_does_nothing_is_signed_out(world: World, at: Browser) -> None:
    assert at.desk.sessions.of(session(at)) is not None
    world.clock.time += timedelta(minutes=16)
    assert at.desk.sessions.of(session(at)) is None


async def test_a_session_lasts_a_day_at_most(world: World, at: Browser) -> None:
    for _ in range(12 * 6 + 1):
        world.clock.time += timedelta(minutes=10)
        at.desk.sessions.of(session(at))
    assert at.desk.sessions.of(session(at)) is None


async def test_what_the_browser_holds_is_not_what_the_node_holds(at: Browser) -> None:
    held = at.desk.sessions.__dict__
    assert session(at) not in repr(held)


def session(at: Browser) -> str:
    return at.cookies["comity-jp"]


async def person(at: Browser) -> str:
    return (await at.desk.house.person("sato")).person
