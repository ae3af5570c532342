"""Today, the register and an item, as their readers may see them (``spec/console.md`` step 8)."""

from __future__ import annotations

import pytest

from comity.register.rows import ItemRow
from console.browser import Browser, browser, outside_addresses
from world import World


@pytest.fixture
async def item(world: World) -> str:
    await world.given(title="Radar sites of the north")
    await world.exchange()
    return next(iter([row.item async for _, row in world.kr.rows(ItemRow)]))


async def test_the_first_day_of_a_house_says_what_to_do_first(world: World) -> None:
    at = await browser(world.jp, "ito")
    page = await at.get("/")
    assert page.status == 200
    assert "Nothing waits for you" in page.text
    assert "in force" in page.text.lower()
    page = await at.get("/register")
    assert "The register is empty" in page.text


async def test_what_waits_is_there_for_whoever_it_waits_for(world: World) -> None:
    await world.ask(title="Radar sites")
    assert "Releases to approve" in (await (await browser(world.jp, "abe")).get("/")).text
    sato = await (await browser(world.jp, "sato")).get("/")
    assert "wait for somebody else" in sato.text
    assert "Releases to approve" not in sato.text
    await world.exchange()
    assert "Assurances to give" in (await (await browser(world.kr, "lee")).get("/")).text
    assert "Assurances" not in (await (await browser(world.kr, "park")).get("/")).text


async def test_an_item_tells_its_whole_story(world: World, item: str) -> None:
    at = await browser(world.jp, "ito")
    page = await at.get(f"/items/{item}")
    assert page.status == 200
    for word in ("Radar sites of the north", "極秘", "Custody", "receipted", "Copy 1"):
        assert word in page.text
    assert 'class="banner rank-' in page.html
    assert page.html.count('class="banner rank-') == 2
    assert outside_addresses(page.html) == []
    page = await at.get(f"/items/{item}/why")
    assert "comes out the same today" in page.text


async def test_the_banner_is_in_the_words_of_the_own_side(world: World, item: str) -> None:
    jp = await (await browser(world.jp, "ito")).get(f"/items/{item}")
    kr = await (await browser(world.kr, "lee")).get(f"/items/{item}")
    assert '<span lang="ja">極秘</span>' in jp.html
    assert '<span lang="ko">군사 Ⅱ급 비밀</span>' in kr.html


@pytest.mark.parametrize("handle", ["park", "choi"])
async def test_what_somebody_may_not_see_is_not_there(world: World, item: str, handle: str) -> None:
    at = await browser(world.kr, handle)
    unknown = await at.get("/items/i-aaaaaaaaaaaaaaaa")
    hidden = await at.get(f"/items/{item}")
    assert (hidden.status, unknown.status) == (404, 404)
    assert hidden.html.replace(item, "X") == unknown.html.replace("i-aaaaaaaaaaaaaaaa", "X")
    page = await at.get("/register")
    assert "The register is empty" in page.text
    assert item not in page.html


async def test_the_register_is_searched_and_filtered(world: World, item: str) -> None:
    at = await browser(world.jp, "ito")
    page = await at.get("/register")
    assert item in page.html
    for query, found in (("text=radar", True), ("text=nothing", False), ("box=out", True), ("box=in", False)):
        assert (item in (await at.get(f"/register?{query}")).html) is found, query
    page = await at.get("/register?text=nothing")
    assert "Nothing here fits" in page.text


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("box=elsewhere", "choose one of those listed"),
        ("since=2027-02-30", "this is no day"),
        ("since=2027-03-01&until=2027-02-01", ""),
        ("after=zzz", ""),
        ("after=1&before=1", ""),
        ("mark=%3Cscript%3E", "choose one of those listed"),
        ("text=" + "x" * 1_001, "at most"),
    ],
)
async def test_a_question_that_is_none_is_said_at_its_field(world: World, query: str, said: str) -> None:
    at = await browser(world.jp, "ito")
    page = await at.get(f"/register?{query}")
    assert page.status in (400, 422)
    assert "This was not done" in page.text
    assert said in page.text


async def test_a_part_of_the_register_is_what_a_script_asks_for(world: World, item: str) -> None:
    at = await browser(world.jp, "ito")
    page = await at.get("/register?text=radar", hx_request="true")
    assert item in page.html
    assert "<html" not in page.html


TITLE = "<script>alert(1)</script> \u202egnp.exe\u202c 極秘の件 비밀 \"' & %s %(x)s {{7*7}}"


async def test_a_title_is_never_more_than_text(world: World) -> None:
    await world.given(title=TITLE)
    for language in ("en", "ja", "ko"):
        at = await browser(world.jp, "ito", language)
        for path in ("/", "/register", f"/items/{(await first(world)).item}"):
            page = await at.get(path)
            assert page.status == 200
            assert "<script>alert" not in page.html
            assert "49" not in page.text or "{{7*7}}" in page.text
    assert TITLE.split("<", maxsplit=1)[0] in page.text


async def first(world: World) -> ItemRow:
    return next(iter([row async for _, row in world.jp.rows(ItemRow)]))


async def test_an_administrator_sees_no_register(world: World, item: str) -> None:
    await world.person("jp", "keeper", roles=("administrator",))
    at = await browser(world.jp, "keeper")
    assert item not in (await at.get("/register")).html
    assert (await at.get(f"/items/{item}")).status == 404


@pytest.mark.parametrize("path", ["/", "/register", "/items/i-aaaaaaaaaaaaaaaa"])
async def test_whoever_is_not_signed_in_is_led_to_the_sign_in(world: World, path: str) -> None:
    at: Browser = await browser(world.jp)
    page = await at.send("GET", path)
    assert (page.status, page.headers["location"].startswith("/sign-in?next=")) == (303, True)
