"""Giving in a browser: from a dropped file to what its reader opens (``spec/contents.md`` steps 5 to 13)."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from comity.console.pages import give as give_page
from comity.flows.agreeing.founding import IssueCard, issue_card
from comity.flows.house import House
from comity.flows.people.enrolment import EnrolPerson, enrol_person
from console.browser import Browser, Page, browser, outside_addresses
from console.test_every_page import mistakes_of
from flows.test_opening import KEY
from world import RELATIONSHIP, ROOT, StandingClock, World, new_house

MARKER = b"the first line of the plan, planted to be looked for"
WISH = {
    "mark": "極秘",
    "topic": "missiles",
    "subject": "defence",
    "form": "electronic",
    "purpose": "air defence",
    "title": "",
    "rights": "",
}


@pytest.fixture
async def sato(world: World) -> Browser:
    return await browser(world.jp, "sato", upload_bytes=2_000_000)


async def wish(world: World, **changes: str) -> dict[str, str]:
    return {**WISH, "recipients": await world.pseudonym("kim"), **changes}


def typed(page: Page, fields: dict[str, str]) -> list[tuple[str, str]]:
    """The form of a page as somebody fills it in."""
    form = next(each for each in page.forms if each.action == "/give")
    return [*((name, value) for name, value in form.fields if name not in fields), *fields.items()]


async def look(at: Browser, fields: dict[str, str], content: bytes | None = MARKER, name: str = "計画.txt") -> Page:
    """Fill in the form, choose a file, press Look."""
    page = await at.get("/give")
    files = [] if content is None else [("file", name, "text/plain", content)]
    page = await at.upload("/give", typed(page, fields), files)
    assert mistakes_of(page) == []
    return page


async def ask(at: Browser) -> Page:
    """Press Ask for release on the page one is on."""
    form = next(each for each in at.page.forms if each.action == "/give")
    page = await at.post("/give/ask", form.fields)
    assert mistakes_of(page) == []
    return page


def on_disk(*folders: Path) -> Iterator[Path]:
    for folder in folders:
        for path in folder.rglob("*"):
            if path.is_file() and MARKER in path.read_bytes():
                yield path


async def test_the_whole_story_between_two_houses(world: World, sato: Browser, tmp_path: Path) -> None:
    page = await look(sato, await wish(world))
    assert page.status == 200
    assert "Here, sealed: 計画.txt" in page.text
    assert "somebody has to act first" in page.text
    assert "군사 Ⅱ급 비밀" in page.text
    assert "kim's desk , Ministry of Defence (KR): of the government; the other party's node keeps the key" in page.text
    assert outside_addresses(page.html) == []
    page = await ask(sato)
    assert re.fullmatch("/releases/r-[a-z2-7]{16}", page.path)
    assert "It is sealed and asked for; nothing has left yet." in page.text
    assert "You asked for this; somebody else answers it." in page.text
    assert not sato.desk.spool._held
    request = page.path.rpartition("/")[2]
    assert list(on_disk(tmp_path)) == []
    await world.exchange()

    lee = await browser(world.kr, "lee")
    await lee.get("/releases")
    assert request in lee.page.text
    await lee.get(f"/assurances/{RELATIONSHIP}/{request}")
    assert "kim's desk" in lee.page.text or "kim's desk" in lee.page.html
    page = await lee.submit("/assurances/", answer="grant")
    assert "the other party is told that this recipient meets" in page.text
    await world.exchange()

    abe = await browser(world.jp, "abe")
    await abe.get("/releases")
    assert "計画.txt" in abe.page.text
    await abe.get(f"/releases/{request}/answer")
    for word in ("sato", "air defence", "極秘", "kim's desk", f"{len(MARKER)} bytes", "missiles"):
        assert word in abe.page.text
    page = await abe.submit("/answer", answer="grant", reason="needed")
    assert "nothing was missing any more, and it was sent" in page.text
    await world.exchange()
    page = await sato.get(f"/releases/{request}")
    assert "✓ Received by the other party" in page.text

    kim = await browser(world.kr, "kim")
    item = f"i-{request.removeprefix('r-')}"
    await kim.get(f"/items/{item}/open")
    page = await kim.submit("/open")
    assert MARKER.decode() in page.text
    assert list(on_disk(tmp_path)) == []
    told = await kim.get(f"{page.path}/file")
    assert told.headers["content-disposition"].endswith("filename*=UTF-8''%E8%A8%88%E7%94%BB.txt")


async def test_what_is_typed_is_decided_as_it_is_typed_and_not_recorded(world: World, sato: Browser) -> None:
    """(9)"""
    page = await sato.get("/give")
    before = _records(world.jp)

    async def live(**fields: str) -> Page:
        return await sato.post("/give/live", typed(page, fields))

    assert "Not there yet: File, Mark, Topic, Purpose and Recipients" in (await live()).text.replace(
        ",  and", " and"
    ).replace(", and", " and")
    found = await live(**await wish(world))
    assert "somebody has to act first" in found.text
    assert "<html" not in found.html
    assert "Recorded as" not in found.text
    found = await live(**await wish(world, mark="機密"))
    assert "Article 4.1" in found.text
    assert _records(world.jp) == before
    await look(sato, await wish(world))
    assert _records(world.jp) > before
    assert "Recorded as" in sato.page.text


def _records(house: House) -> int:
    return sum(head.size for head in house.sequencer.heads().values())


async def test_a_file_that_was_chosen_stays_when_the_form_is_shown_again(world: World, sato: Browser) -> None:
    """(8)"""
    page = await look(sato, await wish(world, topic="", title="<i>a title</i>"))
    assert page.status == 422
    assert "Topic: this must not be empty" in page.text
    assert "Here, sealed: 計画.txt" in page.text
    assert ("title", "<i>a title</i>") in next(each for each in page.forms if each.action == "/give").fields
    assert "<i>a title" not in page.html
    page = await sato.upload("/give", typed(page, await wish(world)), [])
    assert (page.status, "somebody has to act first" in page.text) == (200, True)
    first = dict(typed(page, {}))["spool"]
    page = await sato.upload("/give", typed(page, {}), [("file", "other.txt", "text/plain", b"other")])
    assert "Here, sealed: other.txt" in page.text
    assert dict(typed(page, {}))["spool"] != first
    assert len(sato.desk.spool._held) == 1
    page = await sato.post("/give/drop", typed(page, {}))
    assert "thrown away" in page.text
    assert not sato.desk.spool._held


async def test_a_script_sends_the_file_by_itself(world: World, sato: Browser) -> None:
    page = await sato.get("/give")
    part = await sato.upload("/give/file", typed(page, {}), [("file", "a.txt", "text/plain", MARKER)])
    assert "Here, sealed: a.txt" in part.text
    assert "<html" not in part.html
    part = await sato.upload("/give/file", typed(page, {}), [("file", "a.txt", "text/plain", bytes(2_000_001))])
    assert (part.status, "more than 2000000 bytes" in part.text) == (200, True)


async def test_a_file_that_is_too_large_is_refused_and_nothing_typed_is_lost(world: World, sato: Browser) -> None:
    page = await look(sato, await wish(world), bytes(2_000_001))
    assert page.status == 413
    assert "more than 2000000 bytes" in page.text
    assert ("topic", "missiles") in typed(page, {})
    assert not sato.desk.spool._held


NAMES = (
    ("../../../etc/passwd", "passwd"),
    ("..\\\\plan.exe", "plan.exe"),
    ("plan\u202efdp.exe", "planfdp.exe"),
    ("CON.txt", "_CON.txt"),
    ("<script>alert(1)<%2Fscript>", "<script>alert(1)<%2Fscript>"),
    ("계획" * 100, ("계획" * 100)[:66]),
)


async def test_a_name_is_shown_as_given_and_kept_without_tricks(world: World, sato: Browser) -> None:
    """(7)"""
    for name, kept in NAMES:
        page = await look(sato, await wish(world), name=name)
        assert page.status == 200
        assert "<script>alert" not in page.html
        assert next(iter(sato.desk.spool._held.values())).name == kept
        assert (f"kept as {kept}" in page.text) == (kept != name.replace("\\\\", "\\"))
        page = await ask(sato)
        assert page.path.startswith("/releases/")


REFUSED: tuple[tuple[dict[str, str], str, int], ...] = (
    ({"mark": "機密"}, "Article 4.1", 200),
    ({"mark": "極密"}, "choose one of those listed", 422),
    ({"recipients": "n-aaaaaaaaaaaaaaaa"}, "choose one of those listed", 422),
    ({"subject": "weather"}, "choose one of those listed", 422),
    ({"purpose": "x" * 1_001}, "at most 1,000 characters", 422),
    ({"purpose": "air \u202edefence"}, "people cannot see", 422),
    ({"topic": "mi\u200bssiles"}, "people cannot see", 422),
)


async def test_each_refusal_says_why(world: World, sato: Browser) -> None:
    for changes, says, status in REFUSED:
        page = await look(sato, await wish(world, **changes))
        assert (page.status, says in page.text) == (status, True), (changes, page.text)


async def test_what_is_forbidden_is_recorded_and_not_asked(world: World, sato: Browser) -> None:
    await look(sato, await wish(world, mark="機密"))
    page = await ask(sato)
    assert page.status == 403
    assert "Article 4.1" in page.text
    assert "What would change it" in page.text
    assert "Here, sealed" in page.text


async def test_scripts_and_every_script_are_text(world: World, sato: Browser) -> None:
    strange = "</textarea><script>alert(1)</script> 迎撃 요격 \"'&${7*7} العربية"
    for field in ("topic", "purpose", "title", "rights"):
        page = await look(sato, await wish(world, **{field: strange}))
        assert page.status == 200
        assert "<script>alert" not in page.html
        assert dict(typed(page, {}))[field] == strange
        page = await ask(sato)
        assert page.path.startswith("/releases/")
        assert "<script>alert" not in page.html
    page = await sato.get("/releases")
    assert "<script>alert" not in page.html


async def test_only_an_officer_gives(world: World) -> None:
    for handle in ("abe", "ito"):
        at = await browser(world.jp, handle)
        page = await at.get("/give")
        assert (page.status, "no-role" in page.text) == (403, True)
        token = at.desk.sessions.of(next(iter(at.cookies.values())))
        assert token is not None
        page = await at.upload("/give", [("token", token.token)], [("file", "a", "text/plain", MARKER)])
        assert page.status == 403
        assert not at.desk.spool._held


async def test_a_form_that_is_sent_twice_asks_once(world: World, sato: Browser) -> None:
    """(11)"""
    await look(sato, await wish(world))
    form = next(each for each in sato.page.forms if each.action == "/give").fields
    one, two = await asyncio.gather(*(_sent(sato, form) for _ in range(2)))
    assert one.headers["location"] == two.headers["location"]
    page = await sato.post("/give/ask", form)
    assert "This was asked already; it is done once." in page.text
    page = await sato.get("/releases")
    assert page.text.count("計画.txt") == 1


async def _sent(at: Browser, form: list[tuple[str, str]]) -> Page:
    other = Browser(at.desk, at.app)
    other.cookies = dict(at.cookies)
    kind = {"content-type": "application/x-www-form-urlencoded"}
    return await other.send("POST", "/give/ask", urlencode(form).encode(), kind)


async def test_a_file_that_is_only_named_is_not_given(world: World, sato: Browser) -> None:
    """Ask, pressed with another file chosen, would give the one before."""
    await look(sato, await wish(world))
    form = next(each for each in sato.page.forms if each.action == "/give").fields
    page = await sato.post("/give/ask", [*form, ("file", "other.txt")])
    assert (page.status, "press Look" in page.text) == (422, True)


async def test_another_sessions_file_and_what_was_opened_are_not_given(world: World, sato: Browser) -> None:
    """(4)"""
    await look(sato, await wish(world))
    form = next(each for each in sato.page.forms if each.action == "/give").fields
    other = await Browser(sato.desk, sato.app).sign_in("sato")
    await other.get("/give")
    mine = dict(typed(other.page, {}))
    page = await other.post(
        "/give/ask",
        [*((n, v) for n, v in form if n not in ("token", "fresh")), ("token", mine["token"]), ("fresh", mine["fresh"])],
    )
    assert (page.status, "File: choose one" in page.text) == (422, True)
    held = next(iter(sato.desk.spool._held.values()))
    held.about = "something else"
    page = await sato.post("/give/ask", form)
    assert (page.status, "File: choose one" in page.text) == (422, True)


async def test_a_release_wants_a_fresh_sign_in_and_loses_nothing(world: World) -> None:
    """(11)"""
    sato = await browser(world.jp, "sato", fresh_minutes=5)
    await look(sato, await wish(world))
    world.clock.time += timedelta(minutes=6)
    form = next(each for each in sato.page.forms if each.action == "/give").fields
    sent = await _sent(sato, form)
    assert (sent.status, sent.headers["location"].startswith("/prove")) == (303, True)
    session = sato.desk.sessions.of(next(iter(sato.cookies.values())))
    assert session is not None
    session.proved = world.clock.now()
    page = await sato.post("/give/ask", form)
    assert page.path.startswith("/releases/")


async def test_a_session_that_has_ended_before_the_file_came_keeps_what_was_typed(world: World) -> None:
    sato = await browser(world.jp, "sato")
    page = await sato.get("/give")
    fields = typed(page, await wish(world))
    world.clock.time += timedelta(minutes=20)
    sent = await sato.upload("/give", fields, [("file", "a.txt", "text/plain", MARKER * 1000)])
    assert sent.path.startswith("/sign-in") or sent.status in (400, 401)
    assert not sato.desk.spool._held
    held = list(sato.desk.held._held.values())
    assert [each for each in held[0].fields if each[0] == "topic"] == [("topic", "missiles")]


async def test_what_was_typed_is_there_again_after_signing_in(world: World, sato: Browser) -> None:
    """(8) The file is to be chosen again: nobody had shown whose it was."""
    page = await sato.get("/give")
    fields = [*typed(page, await wish(world)), ("file", "a.txt")]
    page = await sato.post("/give", [each for each in fields if each[0] != "file"])
    assert page.status == 422
    assert "File: choose one; it is not here, or not any more" in page.text
    assert dict(typed(page, {}))["topic"] == "missiles"
    page = await sato.post("/give", [*fields, ("token", "0" * 64)])
    assert (page.status, "stale-form" in page.text) == (422, True)


async def test_a_session_that_ends_while_the_file_comes_keeps_what_was_typed(world: World, sato: Browser) -> None:
    """(6)"""
    page = await sato.get("/give")
    fields = "".join(
        f'--B\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in typed(page, await wish(world))
    )
    head = '--B\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    pieces = [(fields + head).encode() + bytes(1_100_000), bytes(500_000), b"\r\n--B--\r\n"]
    said: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        if len(pieces) == 2:
            sato.desk.sessions.end_all((await world.jp.person("sato")).person)
        return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}

    async def send(message: dict[str, object]) -> None:
        said.append(message)

    headers = {
        "host": "localhost:8480",
        "origin": "http://localhost:8480",
        "content-type": "multipart/form-data; boundary=B",
        "cookie": "; ".join(f"{name}={value}" for name, value in sato.cookies.items()),
    }
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/give",
        "raw_path": b"/give",
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8480),
    }
    await sato.app(scope, receive, send)
    told = dict(said[0]["headers"])  # type: ignore[call-overload]  # as ASGI has it
    assert said[0]["status"] == 303
    assert told[b"location"].startswith(b"/sign-in?next=%2Fheld%2F")
    held = next(iter(sato.desk.held._held.values()))
    assert dict(held.fields)["topic"] == "missiles"
    assert not sato.desk.spool._held


async def test_sealing_that_takes_longer_is_told_about(
    world: World, sato: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(11)"""
    monkeypatch.setattr(give_page, "PATIENCE_SECONDS", 0)
    page = await look(sato, await wish(world), MARKER * 30_000)
    page = await ask(sato)
    seen = []
    for _ in range(200):
        seen.append("Sealing" in page.text)
        if not seen[-1]:
            break
        await asyncio.sleep(0.02)
        page = await sato.get(page.path)
    assert seen[0]
    assert "It is sealed and asked for" in page.text


async def until_sealed(at: Browser) -> Page:
    """Look at the page of a request until its sealing is over."""
    for _ in range(500):
        if "is being sealed" not in at.page.text:
            break
        await asyncio.sleep(0.02)
        await at.get(at.page.path)
    return at.page


async def test_what_came_of_a_sealing_is_shown_as_often_as_somebody_looks(
    world: World, sato: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(11) The form is there on every look, until it is asked again, and then with another file, too."""
    monkeypatch.setattr(give_page, "PATIENCE_SECONDS", 0)
    await look(sato, await wish(world, mark="機密"))
    await ask(sato)
    page = await until_sealed(sato)
    request = page.path
    for _ in range(2):
        assert (page.path, page.status, "Article 4.1" in page.text) == (request, 403, True)
        page = await sato.get(request)
    assert dict(typed(page, {}))["topic"] == "missiles"
    page = await sato.upload("/give", typed(page, await wish(world)), [("file", "other.txt", "text/plain", MARKER)])
    assert (page.status, "Here, sealed: other.txt" in page.text) == (200, True)
    await ask(sato)
    page = await until_sealed(sato)
    assert (page.path, page.status) == (request, 200)
    assert "It is sealed and asked for" in page.text
    assert "It is sealed and asked for" not in (await sato.get(request)).text
    assert not sato.desk.spool._held


async def test_a_sealing_ends_with_the_console(world: World, sato: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(give_page, "PATIENCE_SECONDS", 0)

    class Endless:
        request = sato.desk.flows["give"].request

        async def run(self, _house: House, _request: object) -> None:
            await asyncio.Event().wait()

    await look(sato, await wish(world))
    sato.desk.flows = {**sato.desk.flows, "give": Endless()}
    page = await ask(sato)
    assert "is being sealed" in page.text
    (file,) = sato.desk.spool._held.values()
    assert isinstance(file.about, give_page.Sealing)
    await sato.desk.close()
    assert file.about.task.cancelled()


async def test_the_same_file_is_asked_for_again_after_it_was_refused(world: World, sato: Browser) -> None:
    await look(sato, await wish(world, mark="機密"))
    page = await ask(sato)
    assert page.status == 403
    page = await sato.post("/give/ask", typed(page, {"mark": "極秘"}))
    assert "It is sealed and asked for" in page.text


async def test_whoever_keeps_his_own_key_is_shown_what_he_signs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.person(
        "jp",
        "goto",
        roles=("officer",),
        custody="strict",
        recipient=(await world.jp.person("sato")).recipient,
        signing_key=KEY.public_key().public_bytes_raw(),
    )
    goto = await browser(world.jp, "goto")
    page = await look(goto, await wish(world))
    monkeypatch.setattr(give_page, "PATIENCE_SECONDS", 0)
    await ask(goto)
    page = await until_sealed(goto)
    assert "this is what you are to sign" in page.text
    page = await goto.get(page.path)
    monkeypatch.undo()
    message = base64.b64decode(_to_sign(page))
    signature = base64.b64encode(KEY.sign(message)).decode()
    page = await goto.submit("/give/ask", signature=signature)
    assert page.path.startswith("/releases/")
    assert "It is sealed and asked for" in page.text


def _to_sign(page: Page) -> str:
    found = re.search(r'<textarea id="to-sign"[^>]*>([^<]*)<', page.html)
    assert found is not None
    return found[1]


async def test_an_agreement_is_chosen_where_there_are_several(world: World, sato: Browser) -> None:
    page = await sato.get("/give?to=nowhere/at.all")
    assert page.status == 404
    page = await sato.get(f"/give?to={RELATIONSHIP}")
    assert page.status == 200


async def test_without_an_agreement_the_page_says_what_to_do(tmp_path: Path) -> None:
    house = await new_house("jp", tmp_path, StandingClock())
    await issue_card(house, IssueCard(name="JP", certificate=bytes(32)))
    await enrol_person(
        house,
        EnrolPerson(
            handle="sato",
            name="S",
            function="f",
            body="b",
            nationality="jp",
            serves="jp",
            roles=("officer",),
            actor=ROOT,
        ),
    )
    at = await browser(house, "sato")
    assert "No agreement runs here yet" in (await at.get("/give")).text
    await house.close()
