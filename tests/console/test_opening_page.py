"""Opening in a browser: purpose, decision, content under its banner, and nothing that stays (``spec/contents.md``)."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO

import pytest
from msgspec.structs import replace

from comity.agreement.model import Agreement
from comity.console.desk import Desk
from comity.console.pages import opening
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import Why, why
from comity.flows.looking.item_story import ShowItem, show_item
from comity.flows.people.clearances import ChangeList, change_list
from comity.seal.age import open_header, open_payload_bytes, read_header
from comity.seal.keys import generate_identity
from console.browser import Browser, Page, browser, outside_addresses
from console.test_contents import GIF, PDF, SCRIPT, jpeg, png
from console.test_every_page import mistakes_of
from flows.test_deriving import made as translated
from flows.test_opening import strict_reader
from world import ROOT, SeededEntropy, World

MARKER = "요격 계획의 첫 줄 <script>alert(1)</script> \u202egnp.exe"


async def opened(
    world: World, content: bytes, name: str = "plan.txt", kim: Browser | None = None, **settings: int
) -> tuple[Browser, str, Page]:
    given = await world.given(path=world.document(content, name))
    kim = kim or await browser(world.kr, "kim", **settings)
    await kim.get(f"/items/{given.item}/open")
    page = await kim.submit(f"/items/{given.item}/open")
    assert mistakes_of(page) == []
    return kim, given.item, page


def said(page: Page) -> str:
    """What a page says, without the menu of whoever asked."""
    return page.text.partition("This was not done")[2].partition("This was not done")[2]


async def test_a_text_is_shown_under_its_banner_with_copy_and_holder(world: World) -> None:
    _kim, item, page = await opened(world, MARKER.encode())
    assert page.status == 200
    assert "요격 계획의 첫 줄 <script>alert(1)</script> U+202E gnp.exe" in page.text
    assert "<script>alert" not in page.html
    assert "\u202e" not in page.html
    assert page.text.count("군사 Ⅱ급 비밀") >= 3
    assert page.text.count(f"Item {item}, copy 1, held by kim's desk , Ministry of Defence") == 2
    assert "Opened for air defence" in page.text
    assert page.headers["cache-control"] == "no-store"
    assert outside_addresses(page.html) == []
    told = await why(world.kr, Why(of=item, actor=Actor("kim")))
    assert [each.told.outcome for each in told if each.act == "open"] == ["permit"]


async def test_the_purpose_is_suggested_and_needed(world: World) -> None:
    """(14)"""
    given = await world.given()
    kim = await browser(world.kr, "kim")
    page = await kim.get(f"/items/{given.item}/open")
    assert ("purpose", "air defence") in page.form("/open").fields
    page = await kim.submit("/open", purpose="  ")
    assert (page.status, "must not be empty" in page.text) == (422, True)
    page = await kim.submit("/open", purpose="x" * 1_001)
    assert page.status == 422


async def test_another_purpose_is_refused_with_its_article_and_recorded(world: World) -> None:
    """(14)"""
    given = await world.given()
    kim = await browser(world.kr, "kim")
    await kim.get(f"/items/{given.item}/open")
    page = await kim.submit("/open", purpose="trade \u202e")
    assert (page.status, "people cannot see" in page.text) == (400, True)
    page = await kim.submit("/open", purpose="trade <b>talks</b>")
    assert page.status == 403
    assert "Article 6.c" in page.text
    assert "What would change it" in page.text
    assert "Nothing was opened" in page.text
    assert "<b>talks" not in page.html
    told = await why(world.kr, Why(of=given.item, actor=Actor("lee")))
    assert told[-1].told.outcome == "needs-consent"


async def test_who_may_not_know_of_it_is_told_that_it_is_not_there(world: World) -> None:
    given = await world.given()
    choi = await browser(world.kr, "choi")
    there = await choi.get(f"/items/{given.item}/open")
    nowhere = await choi.get("/items/i-aaaaaaaaaaaaaaaa/open")
    assert there.status == nowhere.status
    assert there.text.replace(given.item, "…") == nowhere.text.replace("i-aaaaaaaaaaaaaaaa", "…")


async def test_who_holds_no_copy_is_told_so_and_nothing_is_left(world: World) -> None:
    given = await world.given()
    lee = await browser(world.kr, "lee")
    await lee.get(f"/items/{given.item}/open")
    page = await lee.submit("/open")
    assert page.status in (403, 422)
    assert not lee.desk.spool._held


SHOWN = (
    (png(after=SCRIPT), "map.png", "image/png"),
    (jpeg(), "계획.jpg", "image/jpeg"),
    (GIF, "a.gif", "image/gif"),
    (PDF, "plan.pdf", "application/pdf"),
    (PDF + SCRIPT, "plan.html", "application/pdf"),
)


async def test_a_picture_or_a_document_is_shown_from_an_address_of_its_own(world: World) -> None:
    """(15) (18)"""
    kim = None
    for content, name, media_type in SHOWN:
        kim, _item, page = await opened(world, content, name, kim)
        at = f"{page.path}/content"
        assert f'src="{at}"' in page.html
        found = await kim.get(at)
        assert (found.status, found.body, found.headers["content-type"]) == (200, content, media_type)
        assert "sandbox" in found.headers["content-security-policy"]
        framed = media_type == "application/pdf"
        assert found.headers["x-frame-options"] == ("SAMEORIGIN" if framed else "DENY")
        part = await kim.get(at, range="bytes=3-6")
        assert (part.status, part.body) == (206, content[3:7])
        saved = await kim.get(f"{page.path}/file")
        assert (saved.body, saved.headers["content-type"]) == (content, "application/octet-stream")
        assert saved.headers["content-disposition"].startswith("attachment; ")


async def test_what_something_is_is_looked_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """(18) Not for each part that a browser asks for, of which there are many."""
    content = png(after=SCRIPT)
    kim, _item, page = await opened(world, content, "map.png")
    monkeypatch.setattr(opening, "shape_of", None)
    monkeypatch.setattr(opening, "_head", None)
    for first in range(5):
        part = await kim.get(f"{page.path}/content", range=f"bytes={first}-{first + 3}")
        assert (part.status, part.body) == (206, content[first : first + 4])
        assert part.headers["content-type"] == "image/png"


async def test_anything_else_is_saved(world: World) -> None:
    """(16)"""
    kim = None
    for content in (b"PK\x03\x04" + bytes(50), b"\x89PNG\r\n\x1a\n" + SCRIPT + b"\0", png(60_000, 60_000)):
        kim, _item, page = await opened(world, content, "plan.png", kim)
        assert "cannot be shown in a page" in page.text
        assert "/content" not in page.html
        for at in ("content", "file"):
            found = await kim.get(f"{page.path}/{at}")
            assert (found.body, found.headers["content-type"]) == (content, "application/octet-stream")
            assert found.headers["content-disposition"].startswith('attachment; filename="plan.png"')


async def test_what_could_act_is_shown_as_the_text_it_is(world: World) -> None:
    kim = None
    for content in (SCRIPT, b'<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>'):
        kim, _item, page = await opened(world, content, "plan.svg", kim)
        assert content.decode() in page.text
        assert "<svg" not in page.html.split("<main")[1]
        found = await kim.get(f"{page.path}/content")
        assert found.headers["content-type"] == "application/octet-stream"


async def test_a_reader_chooses_how_bytes_of_an_old_script_are_read(world: World) -> None:
    """(17)"""
    kim, _item, page = await opened(world, "요격 계획".encode("cp949"))
    assert "요격" not in page.text
    chosen = await kim.get(f"{page.path}?as=euc_kr")
    assert "요격 계획" in chosen.text
    wrong = await kim.get(f"{page.path}?as=utf_7")
    assert "요격" not in wrong.text


async def test_it_is_there_for_its_session_alone_and_not_for_long(world: World) -> None:
    """(4) (15)"""
    kim, item, page = await opened(world, b"content", idle_minutes=60)
    other = await Browser(kim.desk, kim.app).sign_in("kim")
    lee = await Browser(kim.desk, kim.app).sign_in("lee")
    nowhere = await lee.get("/opened/" + "0" * 32)
    for stranger in (other, lee):
        for at in ("", "/content", "/file"):
            found = await stranger.get(page.path + at)
            assert found.status == nowhere.status
            assert said(found) == said(nowhere)
    world.clock.time += timedelta(minutes=14)
    assert (await kim.get(page.path)).status == 200
    world.clock.time += timedelta(minutes=2)
    assert said(await kim.get(page.path)) == said(nowhere)
    assert not kim.desk.spool._held
    await kim.get(f"/items/{item}/open")


async def test_it_goes_when_it_is_closed_and_when_its_reader_signs_out(world: World) -> None:
    """(2)"""
    kim, item, _page = await opened(world, b"content")
    await kim.submit("/close")
    assert kim.page.path == f"/items/{item}"
    assert not kim.desk.spool._held
    await kim.get(f"/items/{item}/open")
    await kim.submit("/open")
    assert kim.desk.spool._held
    kim.desk.sessions.end_all((await world.kr.person("kim")).person)
    assert not kim.desk.spool._held


async def test_each_time_it_is_fetched_it_is_decided_again(world: World) -> None:
    """(15) A clearance that was taken away, a list left: what lies open is thrown away, and that is recorded."""
    kim = None
    for at in ("", "/content", "/file"):
        kim, item, page = await opened(world, png(), kim=kim)
        await change_list(world.kr, ChangeList(topic="missiles", handle="kim", listed=False, actor=ROOT))
        before = len(await why(world.kr, Why(of=item, actor=Actor("lee"))))
        refused = await kim.get(page.path + at)
        assert refused.status == 403
        assert "thrown away" in refused.text
        assert "image/png" not in refused.headers["content-type"]
        assert not kim.desk.spool._held
        assert len(await why(world.kr, Why(of=item, actor=Actor("lee")))) == before + 1
        await change_list(world.kr, ChangeList(topic="missiles", handle="kim", listed=True, actor=ROOT))


async def test_opening_above_the_lowest_level_wants_a_fresh_sign_in(world: World) -> None:
    """``spec/console.md`` step 7"""
    given = await world.given()
    low = await world.given(mark="秘", path=world.document(b"low", "low.txt"))
    kim = await browser(world.kr, "kim", fresh_minutes=5)
    world.clock.time += timedelta(minutes=6)
    await kim.get(f"/items/{low.item}/open")
    assert "low" in (await kim.submit("/open")).text
    await kim.get(f"/items/{given.item}/open")
    form = kim.page.form("/open")
    sent = await kim.send(
        "POST",
        form.action,
        "&".join(f"{name}={value.replace(' ', '+')}" for name, value in form.fields).encode(),
        {"content-type": "application/x-www-form-urlencoded"},
    )
    assert sent.status == 303
    assert sent.headers["location"].startswith("/prove")


async def test_a_mark_that_another_agreement_ranks_higher_is_not_the_lowest(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``spec/console.md`` step 7: nor does its banner show the colour of the lower rank."""
    low = await world.given(mark="秘", path=world.document(b"low", "low.txt"))
    kim = await browser(world.kr, "kim", fresh_minutes=5)
    (ours,) = await kim.desk.agreements()
    above = [replace(level, rank=level.rank + 1) for level in ours.levels if level.party == "kr"]
    below = replace(above[0], mark="대외비", rank=1)
    other = replace(ours, levels=(below, *above))

    async def both(_: Desk) -> list[Agreement]:
        return [ours, other]

    monkeypatch.setattr(Desk, "agreements", both)
    assert 'class="banner rank-2' in (await kim.get(f"/items/{low.item}/open")).html
    world.clock.time += timedelta(minutes=6)
    await kim.get(f"/items/{low.item}/open")
    assert "low" not in (await kim.submit("/open")).text
    assert kim.page.path.startswith("/prove")


async def test_in_strict_custody_the_sealed_copy_is_handed_over(world: World) -> None:
    """(20) Downloading it opens nothing."""
    purpose = 'air "defence"; $(id)'
    reader = await strict_reader(world)
    given = await world.given(path=world.document(MARKER.encode()), recipients=(reader,), purpose=purpose)
    han = await browser(world.kr, "han")
    await han.get(f"/items/{given.item}/open")
    page = await han.submit("/open")
    assert f"comity open {given.item} --purpose '{purpose}' --out" in page.text  # whoever pastes it runs nothing else
    assert "첫 줄" not in page.text
    sealed = await han.get(f"{page.path}/file")
    assert sealed.body.startswith(b"age-encryption.org/v1\n")
    assert sealed.headers["content-disposition"].startswith(f'attachment; filename="{given.item}.age"')
    header, _payload = read_header(BytesIO(sealed.body))
    file_key = open_header(header, [generate_identity(SeededEntropy("han"))])
    assert MARKER.encode() in open_payload_bytes(file_key, sealed.body[len(header) :])
    story = await show_item(world.kr, ShowItem(item=given.item, actor=Actor("lee")))
    assert story.copies[0].openings == 0


async def test_what_was_made_here_from_it_is_opened_likewise(world: World) -> None:
    """A translation has no purpose of its own; whoever opens it says his."""
    given = await world.given()
    made = await translated(world, given.item)
    assert made.item is not None
    kim = await browser(world.kr, "kim")
    page = await kim.get(f"/items/{made.item}")
    assert f"/items/{made.item}/open" in page.html
    await kim.get(f"/items/{made.item}/open")
    page = await kim.submit("/open", purpose="air defence")
    assert "레이더가 본 것" in page.text
    assert "군사 Ⅱ급 비밀" in page.text
    assert "copy 1" in page.text
