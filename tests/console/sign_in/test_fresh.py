"""Showing again that it is you, and forms that came too late (``spec/console.md`` steps 7, 20 and 21)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from starlette.responses import PlainTextResponse, Response

from comity.console.application import Console
from comity.console.cookies import cookie
from comity.console.held import BYTES_MAX, FORMS_MAX, FORMS_OF_ONE_MAX, LASTS, HeldForms
from comity.console.pages import account, accounts, sign_in
from comity.console.visit import Entry, Form, Visit, check_typed
from comity.flows.people.leaving import RemovePerson, remove_person
from console.browser import Browser, Page, new_desk
from console.sign_in.test_sign_in import HOST, PASSWORD, another, session_of, with_password
from console.sign_in.test_sign_in import sign_in as signing_in
from world import ROOT, SeededEntropy, StandingClock, World

DONE: list[tuple[str, tuple[tuple[str, str], ...]]] = []
HOSTILE = '<script>alert(1)</script>\u202e"秘密"'


async def release(visit: Visit) -> Response:
    """What asks for a fresh sign-in."""
    if visit.request.method == "GET":
        return visit.show("about/custody.html")
    visit.check_fresh()
    DONE.append((visit.signed_in.handle, visit.form.fields))
    return visit.to("/account", "released")


async def plain(visit: Visit) -> Response:
    DONE.append((visit.signed_in.handle, visit.form.fields))
    return PlainTextResponse("done")


async def upload(visit: Visit) -> Response:
    return PlainTextResponse("uploaded")


async def late(visit: Visit) -> Response:
    """What a page with a file does when the session has ended: keep what was typed."""
    assert visit.former is not None
    check_typed(visit.former.person)
    return visit.to("/sign-in", next=visit.hold(Form([("title", "a report"), ("token", "x")])))


ENTRIES = (
    Entry("/release", release, ("GET", "POST")),
    Entry("/looked", release, ("GET",), fresh=True),
    Entry("/plain", plain, ("POST",)),
    Entry("/secret", plain, ("POST",), kept=False),
    Entry("/upload", upload, ("POST",), raw=True),
    Entry("/upload/kept", upload, ("POST",), raw=True, late=late),
    *(entry for module in (sign_in, account, accounts) for entry in module.ROUTES),
)


@pytest.fixture
async def at(world: World) -> Browser:
    DONE.clear()
    desk = new_desk(world.jp)
    made = Browser(desk, Console(desk, ENTRIES, PlainTextResponse("api")))
    await with_password(made, "sato")
    await with_password(made, "abe")
    await signing_in(made)
    return made


async def send(at: Browser, path: str, *fields: tuple[str, str]) -> Page:
    """A form of the page one is on, with its token."""
    session = session_of(at)
    former = at.desk.sessions.former(at.cookies.get(cookie(at.desk, HOST)))
    token = session.token if session is not None else former.token if former is not None else ""
    return await at.post(path, [("token", token), *fields])


async def test_what_is_asked_right_after_signing_in_is_done(at: Browser) -> None:
    page = await send(at, "/release", ("item", "i-1"))
    assert "released" in page.text
    assert len(DONE) == 1


async def test_later_it_is_kept_until_he_has_shown_who_he_is_and_says_send(world: World, at: Browser) -> None:
    world.clock.time += timedelta(minutes=6)
    page = await send(at, "/release", ("item", "i-1"), ("reason", HOSTILE), ("seen", "abc"))
    assert page.path.startswith("/prove?next=%2Fheld%2F")
    assert DONE == []
    page = await at.submit("/prove", password="wrong password!")
    assert page.status == 403
    page = await at.submit("/prove", password=PASSWORD)
    assert page.path.startswith("/held/")
    assert page.read.title.startswith("Send it now?")
    assert HOSTILE in page.text
    assert "<script>alert" not in page.html
    assert DONE == [], "nothing is sent by itself"
    page = await at.submit("/release")
    assert "released" in page.text
    ((who, fields),) = DONE
    assert who == "sato"
    assert {("item", "i-1"), ("reason", HOSTILE), ("seen", "abc")} <= set(fields)


async def test_a_page_that_wants_it_comes_after_it(world: World, at: Browser) -> None:
    world.clock.time += timedelta(minutes=6)
    page = await at.get("/looked?x=1")
    assert page.path == "/prove?next=%2Flooked%3Fx%3D1"
    page = await at.submit("/prove", password=PASSWORD)
    assert page.path == "/looked?x=1"


async def test_a_form_that_comes_when_the_session_has_ended_is_kept_for_its_person(world: World, at: Browser) -> None:
    world.clock.time += timedelta(minutes=16)
    page = await send(at, "/plain", ("text", "typed for an hour"))
    assert page.path.startswith("/sign-in?next=%2Fheld%2F")
    kept = page.path.partition("next=")[2].replace("%2F", "/")
    assert DONE == []

    other = another(at)
    await signing_in(other, "abe")
    assert (await other.get(kept)).status == 404
    assert "typed for an hour" not in other.page.text
    never = (await other.get("/held/" + "0" * 32)).html
    assert other.page.html.replace("0" * 32, "") == never.replace("0" * 32, "")

    page = await at.submit("/sign-in", handle="sato", password=PASSWORD)
    assert (page.path, "typed for an hour" in page.text) == (kept, True)
    await at.submit("/plain")
    ((who, fields),) = DONE
    assert who == "sato"
    assert ("text", "typed for an hour") in fields


async def test_somebody_else_who_signs_in_there_does_not_see_it(world: World, at: Browser) -> None:
    world.clock.time += timedelta(minutes=16)
    await send(at, "/plain", ("text", "typed for an hour"))
    page = await at.submit("/sign-in", handle="abe", password=PASSWORD)
    assert page.status == 404
    assert "typed for an hour" not in page.text


async def test_what_is_kept_is_thrown_away(world: World, at: Browser) -> None:
    world.clock.time += timedelta(minutes=16)
    await send(at, "/plain", ("text", "one"))
    page = await at.submit("/sign-in", handle="sato", password=PASSWORD)
    kept = page.path
    page = await at.submit(f"{kept}/forget")
    assert (await at.get(kept)).status == 404

    world.clock.time += timedelta(minutes=16)
    await send(at, "/plain", ("text", "two"))
    world.clock.time += LASTS
    assert (await at.submit("/sign-in", handle="sato", password=PASSWORD)).status == 404


async def test_a_form_with_a_secret_in_it_is_not_kept(world: World, at: Browser) -> None:
    world.clock.time += timedelta(minutes=16)
    page = await send(at, "/secret", ("password", "a secret"))
    assert (page.status, "signed-out" in page.text) == (400, True)
    page = await send(at, "/account/password", ("password", PASSWORD), ("again", PASSWORD))
    assert "signed-out" in page.text


async def test_a_changed_password_asks_for_the_old_one_again(world: World, at: Browser) -> None:
    await at.get("/account")
    world.clock.time += timedelta(minutes=6)
    at.headers["referer"] = "http://localhost:8480/account"
    new = "four whales sing at dawn"
    page = await at.submit("/account/password", password=new, again=new)
    assert page.path == "/prove?next=%2Faccount"
    assert new not in page.html
    assert (await at.submit("/prove", password=PASSWORD)).path == "/account"


@pytest.mark.parametrize("token", ["", "0" * 64])
async def test_a_late_form_without_the_token_of_its_session_is_refused(world: World, at: Browser, token: str) -> None:
    world.clock.time += timedelta(minutes=16)
    page = await at.post("/plain", [("text", "x"), ("token", token)])
    assert (page.status, "stale-form" in page.text) == (422, True)


@pytest.mark.parametrize("case", ["nobody", "forged", "a day later"])
async def test_a_form_of_nobody_is_not_kept(world: World, at: Browser, case: str) -> None:
    world.clock.time += timedelta(hours=25 if case == "a day later" else 1)
    assert (await at.get("/account")).path.startswith("/sign-in")
    if case == "nobody":
        at.cookies.clear()
    elif case == "forged":
        at.cookies[cookie(at.desk, HOST)] = "0" * 64
    else:
        world.clock.time += timedelta(hours=25)
    page = await at.post("/plain", [("text", "x"), ("token", "")])
    assert (page.status, "signed-out" in page.text) == (400, True)


async def test_what_was_typed_beside_a_file_is_kept_by_the_page_that_takes_it(world: World, at: Browser) -> None:
    world.clock.time += timedelta(minutes=16)
    assert "signed-out" in (await at.upload("/upload", [], [])).text
    page = await at.upload("/upload/kept", [], [("file", "a.txt", "text/plain", b"x")])
    page = await at.submit("/sign-in", handle="sato", password=PASSWORD)
    assert ("title", "a report") in page.form("/upload/kept").fields
    assert ("token", "x") not in page.form("/upload/kept").fields


async def test_whoever_signs_out_leaves_nothing_behind(world: World, at: Browser) -> None:
    await at.get("/account")
    world.clock.time += timedelta(minutes=6)
    page = await send(at, "/release", ("text", "typed"))
    kept = page.path.partition("next=")[2].replace("%2F", "/")
    await at.submit("/sign-out")
    await signing_in(at)
    assert (await at.get(kept)).status == 404


async def test_whoever_was_removed_is_not_asked(world: World, at: Browser) -> None:
    await remove_person(world.jp, RemovePerson(handle="sato", reason="left", actor=ROOT))
    await send(at, "/plain", ("text", "typed"))
    page = await at.submit("/sign-in", handle="sato", password=PASSWORD)
    assert page.status == 403
    assert DONE == []


def test_what_is_kept_is_bounded() -> None:
    held = HeldForms(StandingClock(), SeededEntropy("held"))
    his = [held.keep("p-1", "/give", [("n", str(number))]) for number in range(FORMS_OF_ONE_MAX + 2)]
    assert [held.of("p-1", each) is not None for each in his] == [False] * 2 + [True] * FORMS_OF_ONE_MAX
    for number in range(FORMS_MAX):
        held.keep(f"p-{number + 2}", "/give", [("n", "x")])
    assert [held.of("p-1", each) for each in his] == [None] * len(his)
    assert len(held._held) == FORMS_MAX
    large = [held.keep(f"p-{number}", "/give", [("text", "x" * 2**20)]) for number in range(12)]
    assert sum(each.size for each in held._held.values()) <= BYTES_MAX
    assert held.of("p-11", large[-1]) is not None
