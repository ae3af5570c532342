"""Accounts of the house, tokens, and who asked for which page (``spec/console.md`` steps 10 to 12, 22 to 25)."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from datetime import timedelta

import msgspec
import pytest

from comity.console import access as access_book
from comity.console.access import WRITTEN_SECONDS, Access, Note
from comity.console.application import console
from comity.errors import InternalError, Refused
from comity.flows.people.leaving import ChangePerson, change_person
from comity.ports import Clock, DiskFull
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import Fault, MemoryDisk
from console.browser import Browser, Page, browser
from console.sign_in.test_sign_in import PASSWORD, another, come_in, session_of, sign_in, with_password
from world import ROOT, StandingClock, World

CLOCK = StandingClock()


def note(clock: Clock, did: str, person: str = "p-1", path: str = "", code: str = "") -> Note:
    """Somebody's note of now."""
    return Note(at=clock.now(), person=person, did=did, path=path, code=code)


@pytest.fixture
async def at(world: World) -> Browser:
    """A browser of the administrator ``ueda``."""
    await world.person("jp", "ueda", roles=("administrator",))
    await world.person("jp", "mori", roles=("auditor",))
    return await browser(world.jp, "ueda")


async def signed_in(at: Browser, handle: str) -> Browser:
    return await another(at).sign_in(handle)


async def invite(at: Browser, handle: str) -> str:
    await at.get("/accounts")
    page = await at.submit("/accounts/invite", handle=handle)
    found = re.search(r"\b(?:[a-z2-7]{4}-){4}[a-z2-7]{4}\b", page.text)
    return found[0] if found else ""


async def test_an_administrators_code_leads_nowhere_until_a_security_officer_has_vouched(at: Browser) -> None:
    code = await invite(at, "sato")
    assert "a security officer vouches for him" in at.page.text
    assert code not in (await at.get("/accounts")).text, "it is shown once"
    his = another(at)
    page = await come_in(his, code, "sato")
    number = re.search(r"\b\d{3} \d{3}\b", page.text)
    assert number is not None
    page = await his.submit("/account/password", password=PASSWORD, again=PASSWORD)
    assert "a security officer has to know that it is you" in page.text
    for elsewhere in ("/", "/tokens", "/custody"):
        page = await his.get(elsewhere)
        assert page.path == ("/custody" if elsewhere == "/custody" else "/account")
    again = another(at)
    assert (await sign_in(again)).path == "/account", "a password that was set meanwhile leads no further"

    await at.get("/accounts")
    assert "/accounts/vouch" not in [form.action for form in at.page.forms]
    officer = await signed_in(at, "ito")
    page = await officer.get("/accounts")
    page = await officer.submit("/accounts/vouch", number="000 000")
    assert (page.status, "this is not the number on the page" in page.text) == (422, True)
    page = await officer.submit("/accounts/vouch", number=number[0])
    assert "The account leads on from now" in page.text
    assert (await his.get("/tokens")).path == "/tokens"
    assert (await sign_in(another(at))).path == "/"
    page = await officer.post("/accounts/vouch", [*officer.page.form("/sign-out").fields, ("person", "p-x")])
    assert page.status == 400


async def test_a_security_officers_code_needs_nobodys_word(at: Browser) -> None:
    officer = await signed_in(at, "ito")
    code = await invite(officer, "sato")
    his = another(at)
    await come_in(his, code, "sato")
    await his.submit("/account/password", password=PASSWORD, again=PASSWORD)
    assert (await his.get("/tokens")).path == "/tokens"
    assert "made by ito" in (await his.get("/account")).text


async def test_an_administrator_who_uses_a_code_himself_gets_no_further(at: Browser) -> None:
    await with_password(at, "sato")
    his = another(at)
    await sign_in(his)
    code = await invite(at, "sato")
    thief = another(at)
    await come_in(thief, code, "sato")
    await thief.submit("/account/password", password=PASSWORD + "!", again=PASSWORD + "!")
    assert (await thief.get("/tokens")).path == "/account"
    assert (await his.get("/account")).path.startswith("/sign-in"), "he notices, and tells the officer"


async def test_nobody_vouches_for_himself_and_nobody_else_vouches(world: World, at: Browser) -> None:
    code = await invite(at, "ito")
    account = await at.desk.accounts.redeem("ito", code)
    assert account.waiting is not None
    for handle in ("ito", "ueda", "sato"):
        with pytest.raises(Refused):
            await at.desk.accounts.vouch(account.person, account.waiting.number, await world.jp.person(handle))


@pytest.mark.parametrize("handle", ["sato", "abe", "mori"])
async def test_accounts_are_for_administrators_and_security_officers(at: Browser, handle: str) -> None:
    other = await signed_in(at, handle)
    assert (await other.get("/accounts")).status == 403
    session = session_of(other)
    assert session is not None
    for action in ("invite", "vouch", "end-sessions", "remove"):
        fields = [("token", session.token), ("handle", "ito"), ("person", (await at.desk.house.person("ito")).person)]
        assert (await other.post(f"/accounts/{action}", fields)).status == 403
    assert await at.desk.accounts.sweep() == []


@pytest.mark.parametrize("handle", ["nobody", "", "<b>x</b>", "\u202ex", "佐藤"])
async def test_nobody_is_let_in_who_is_not_of_the_house(at: Browser, handle: str) -> None:
    assert await invite(at, handle) == ""
    assert at.page.status == 400
    assert "<b>x" not in at.page.html
    assert await at.desk.accounts.sweep() == []


async def test_somebodys_sessions_end_and_his_account_goes(at: Browser) -> None:
    await with_password(at, "sato")
    his = another(at)
    await sign_in(his)
    written, _ = await at.desk.tokens.make((await at.desk.house.person("sato")).person, "n", ("read",), 1)
    await at.get("/accounts")
    page = await at.submit("/accounts/end-sessions")
    assert "1 session is ended" in page.text
    assert session_of(his) is None
    await sign_in(his)
    await at.get("/accounts")
    page = await at.submit("/accounts/remove")
    assert "The account is taken away" in page.text
    assert session_of(his) is None
    assert await at.desk.tokens.verify(written) is None
    assert (await sign_in(his)).status == 403


async def test_an_account_that_a_disk_keeps_half_lets_nobody_in(at: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    await with_password(at, "sato")
    person = (await at.desk.house.person("sato")).person
    his = another(at)
    await sign_in(his)
    written, _ = await at.desk.tokens.make(person, "n", ("read",), 1)

    async def broken(_person: str) -> None:
        raise DiskFull("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(at.desk.accounts, "remove", broken)
        with pytest.raises(DiskFull):
            await at.desk.remove_account(person)
    assert session_of(his) is None
    assert await at.desk.tokens.verify(written) is None
    assert await at.desk.accounts.of(person) is not None
    assert await at.desk.remove_account(person) == 0
    assert await at.desk.accounts.of(person) is None


async def test_a_defect_of_ours_is_logged_and_not_told(
    at: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_given: object) -> None:
        raise InternalError("the invariant of ours")

    monkeypatch.setattr(at.desk.accounts, "invite", broken)
    assert await invite(at, "sato") == ""
    assert (at.page.status, "invariant" in at.page.text) == (500, False)
    assert "the invariant of ours" in caplog.text


async def test_letting_somebody_in_asks_who_one_is(world: World, at: Browser) -> None:
    await at.get("/accounts")
    world.clock.time += timedelta(minutes=6)
    page = await at.submit("/accounts/invite", handle="sato")
    assert page.path.startswith("/prove")
    assert await at.desk.accounts.sweep() == []


async def test_the_administrator_is_told_what_his_role_does_not_see(at: Browser) -> None:
    page = await at.get("/accounts")
    assert "sees no content, no titles and no register" in page.text


# ---- tokens --------------------------------------------------------------------------------------------------------


async def test_a_token_is_shown_once_and_revoked(at: Browser) -> None:
    await at.get("/tokens")
    page = await at.submit("/tokens", name="<i>nightly</i>", scopes=["read", "approve"], more="assure", days="7")
    written = re.search(r"comity-[a-z2-7]{16}-[0-9a-f]{64}", page.text)
    assert written is not None
    assert "<i>nightly" not in page.html
    bearer = await at.desk.tokens.verify(written[0])
    assert bearer is not None
    assert (bearer.handle, bearer.token.scopes) == ("ueda", ("approve", "assure", "read"))
    page = await at.get("/tokens")
    assert written[0] not in page.html
    page = await at.submit("/tokens/revoke")
    assert "worth nothing any more" in page.text
    assert await at.desk.tokens.verify(written[0]) is None
    page = await at.submit("/sign-out")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": ""}, "a token has a name"),
        ({"scopes": []}, "a token without a scope"),
        ({"scopes": ["everything"]}, "there is no scope"),
        ({"more": "assure everything"}, "there is no scope"),
        ({"days": "0"}, "a token lasts"),
        ({"days": "-1"}, "a token lasts"),
        ({"days": "９"}, "a token lasts"),
        ({"days": "99999999999"}, "a token lasts"),
    ],
)
async def test_a_token_that_cannot_be_is_told_with_what_was_typed(
    at: Browser, changes: dict[str, str | list[str]], told: str
) -> None:
    await at.get("/tokens")
    page = await at.submit("/tokens", **{"name": "nightly", "scopes": ["read"], "days": "7", **changes})
    assert (page.status, told in page.text) == (400, True)
    assert 'value="nightly"' in page.html or "name" in changes


async def test_nobody_revokes_the_token_of_somebody_else(at: Browser) -> None:
    written, token = await at.desk.tokens.make((await at.desk.house.person("sato")).person, "n", ("read",), 1)
    await at.get("/tokens")
    fields = [*at.page.form("/sign-out").fields, ("token-number", token.token)]
    page = await at.post("/tokens/revoke", fields)
    assert (page.status, "there is no such token of yours" in page.text) == (400, True)
    assert await at.desk.tokens.verify(written) is not None


# ---- the book of access --------------------------------------------------------------------------------------------


async def test_who_asked_for_what_is_noted_and_nothing_that_was_typed(at: Browser) -> None:
    await with_password(at, "sato")
    his = another(at)
    await sign_in(his, password="a wrong password")
    await sign_in(his, "a secret typed as a handle")
    await sign_in(his)
    await his.get("/account?mark=%E6%A5%B5%E7%A7%98&search=radar")
    await his.submit("/language", language="ja")
    notes = [note for _, note in reversed(await at.desk.access.page())]
    person = (await at.desk.house.person("sato")).person
    assert [(note.person, note.did, note.method, note.status, note.how, note.code) for note in notes] == [
        (person, "sign-in", "POST", 403, "password", "wrong-sign-in"),
        ("", "sign-in", "POST", 403, "password", "wrong-sign-in"),
        (person, "sign-in", "POST", 200, "password", ""),
        *[note for note in [(person, "/", "GET", 200, "password", "")] if "/" in {each.did for each in notes}],
        (person, "/account", "GET", 200, "password", ""),
        (person, "/language", "POST", 303, "password", ""),
        (person, "/account", "GET", 200, "password", ""),
    ]
    kept = repr(await at.desk.store.scan("access", limit=100))
    for typed in ("secret", "radar", "極秘", "wrong password", "ja"):
        assert typed not in kept


async def test_whoever_is_not_known_does_not_fill_the_book(world: World, at: Browser) -> None:
    await with_password(at, "sato")
    stranger = another(at)
    for number in range(20):
        await sign_in(stranger, f"nobody{number}", "a wrong password")
        await stranger.submit("/sign-in/passkey", answer="{}")
        await sign_in(stranger, "sato", "a wrong password")
    notes = [(note.person != "", note.how, note.code) for _, note in reversed(await at.desk.access.page())]
    assert sorted(notes) == [
        (False, "passkey", "bad-passkey"),
        (False, "password", "wrong-sign-in"),
        (True, "password", "too-soon"),
        *[(True, "password", "wrong-sign-in")] * 3,
    ]
    world.clock.time += timedelta(minutes=1)
    await sign_in(stranger, "nobody", "a wrong password")
    assert len(await at.desk.access.page()) == len(notes) + 1


async def test_refused_pages_and_acts_are_noted_with_why(at: Browser) -> None:
    his = await signed_in(at, "sato")
    await his.get("/accounts")
    await his.post("/accounts/remove", [("token", "forged")])
    notes = [note for _, note in await at.desk.access.page()]
    assert [(note.did, note.status, note.code) for note in notes] == [
        ("/accounts/remove", 422, "stale-form"),
        ("/accounts", 403, "no-role"),
    ]


async def test_an_auditor_reads_it_by_page_and_takes_all_of_it(at: Browser) -> None:
    person = (await at.desk.house.person("sato")).person
    for number in range(150):
        at.desk.access.note(note(at.desk.clock, "/items/{item}", person, path=f"/items/i-{number}"))
    at.desk.access.note(note(at.desk.clock, "/x", person, path="=1+1", code="@x"))
    auditor = await signed_in(at, "mori")
    page = await auditor.get("/access")
    assert "/items/i-149" in page.text
    assert "/items/i-0" not in page.text.split()
    older = next(link for link in page.read.links if link.startswith("/access?before="))
    page = await auditor.get(older)
    assert "/items/i-0" in page.text.split()
    lines = list(csv.reader(io.StringIO((await auditor.get("/access.csv")).body.decode())))
    assert lines[0] == ["at", "who", "did", "path", "method", "status", "how", "code"]
    assert lines[1][1:4] == ["sato", "/items/{item}", "/items/i-0"]
    assert [lines[151][3], lines[151][7]] == ["'=1+1", "'@x"]
    document = msgspec.json.decode((await auditor.get("/access.json")).body)
    assert len(document) >= 152
    assert {each["who"] for each in document} == {"sato", "mori"}


async def test_an_administrator_sees_pages_by_their_kind(at: Browser) -> None:
    person = (await at.desk.house.person("sato")).person
    at.desk.access.note(note(at.desk.clock, "/items/{item}", person, path="/items/i-7"))
    for path in ("/access", "/access.csv", "/access.json"):
        page = await at.get(path)
        assert "i-7" not in page.html
        assert "/items/{item}" in page.html


@pytest.mark.parametrize("path", ["/access", "/access.csv", "/access.json"])
@pytest.mark.parametrize("handle", ["sato", "ito"])
async def test_nobody_else_reads_it(at: Browser, path: str, handle: str) -> None:
    other = await signed_in(at, handle)
    page = await other.get(path)
    assert (page.status, "no-role" in page.text) == (403, True)


@pytest.mark.parametrize("before", ["x", "\u202e", "0" * 3000, "%00"])
async def test_a_page_of_it_that_is_none_is_empty_or_the_first(at: Browser, before: str) -> None:
    from urllib.parse import quote

    page: Page = await at.get(f"/access?before={quote(before)}")
    assert page.status in (200, 400, 422)


async def test_notes_are_kept_as_long_as_the_settings_say() -> None:
    clock = StandingClock()
    book = Access(MemoryStore(MemoryDisk()), clock, 30)
    book.note(note(clock, "/old"))
    await book.flush()
    clock.time += timedelta(days=30, seconds=1)
    book.note(note(clock, "/new"))
    assert [note.did for _, note in await book.page()] == ["/new"]
    await book.close()


async def test_notes_are_written_together_and_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_book, "WRITTEN_SECONDS", WRITTEN_SECONDS / 100)
    store = MemoryStore(MemoryDisk())
    book = Access(store, StandingClock(), 30)
    for number in range(20):
        book.note(note(CLOCK, f"/{number}"))
    assert await store.scan("access", limit=100) == []
    for _ in range(1_000):
        if len(await store.scan("access", limit=100)) == 20:
            break
        await asyncio.sleep(0.01)
    assert len(await store.scan("access", limit=100)) == 20
    await book.close()


async def test_what_closes_writes_what_waits() -> None:
    store = MemoryStore(MemoryDisk())
    book = Access(store, StandingClock(), 30)
    book.note(note(CLOCK, "/last"))
    await book.close()
    assert len(await store.scan("access", limit=10)) == 1


@pytest.mark.parametrize("fault", [each for each in Fault if "CRASH" not in each.name])
async def test_what_a_disk_did_not_write_at_once_is_written_once(fault: Fault) -> None:
    faults = iter([fault])
    store = MemoryStore(MemoryDisk(lambda _point: next(faults, None)))
    book = Access(store, StandingClock(), 30)
    book.note(note(CLOCK, "/one"))
    book.note(note(CLOCK, "/two"))
    assert [note.did for _, note in await book.page()] == ["/two", "/one"]


async def test_without_a_disk_nothing_more_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_book, "WAITING_MAX", 2)
    broken = [Fault.DISK_FULL] * 10
    store = MemoryStore(MemoryDisk(lambda _point: broken.pop() if broken else None))
    book = Access(store, StandingClock(), 30)
    for number in range(3):
        await book.ready()
        book.note(note(CLOCK, f"/{number}"))
    with pytest.raises(DiskFull):
        await book.ready()
    broken.clear()
    await book.ready()
    assert len(await book.page()) == 3


async def test_a_live_page_is_noted_once_a_minute_and_nothing_else_is_left_out(world: World, at: Browser) -> None:
    for _ in range(3):
        await at.get("/account", hx_request="true")
    await at.get("/account")
    await at.get("/account")
    assert len(await at.desk.access.page()) == 3
    world.clock.time += timedelta(minutes=1)
    await at.get("/account", hx_request="true")
    assert len(await at.desk.access.page()) == 4


async def test_roles_are_those_of_now(world: World, at: Browser) -> None:
    await change_person(world.jp, ChangePerson(handle="ueda", roles=("reader",), actor=ROOT))
    assert (await at.get("/accounts")).path.startswith("/sign-in")


def test_a_console_stands_by_itself(at: Browser) -> None:
    assert console(at.desk) is not at.app
