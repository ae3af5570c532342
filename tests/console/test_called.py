"""Items by what people call them, and nothing of those that somebody may not see (``spec/visibility.md`` step 8)."""

from __future__ import annotations

import pytest

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.flows.looking.called import ITEMS_MAX, ItemNamed, NameItems, name_items
from console.browser import browser
from world import World

NOWHERE = "i-aaaaaaaaaaaaaaaa"


async def named(world: World, party: str, handle: str | None, *items: str) -> list[ItemNamed]:
    actor = None if handle is None else Actor(handle)
    return await name_items(world.house(party), NameItems(items=items, actor=actor))


async def test_an_item_has_its_title_at_home_and_topic_and_day_there(world: World) -> None:
    given = await world.given(title="Radar sites of the north")
    (at_home,) = await named(world, "jp", "sato", given.item)
    (there,) = await named(world, "kr", "kim", given.item)
    assert (at_home.title, there.title) == ("Radar sites of the north", "")
    assert there.topic == at_home.topic == "missiles"
    assert there.alternative is not None


async def test_what_somebody_may_not_see_is_left_out_like_what_is_not_there(world: World) -> None:
    """(5) (8)"""
    first = await world.given(title="one")
    second = await world.given(title="two")
    for handle in ("choi", "park"):
        assert await named(world, "kr", handle, first.item, NOWHERE, second.item) == []
    asked = (second.item, NOWHERE, first.item, second.item, "", "i-", "x/y", "\ud800")
    for handle in ("kim", "lee", None):
        assert [each.item for each in await named(world, "kr", handle, *asked)] == [second.item, first.item]


async def test_no_more_are_named_than_a_page_has(world: World) -> None:
    with pytest.raises(Misuse, match="at most") as caught:
        await named(world, "kr", "kim", *[NOWHERE] * (ITEMS_MAX + 1))
    assert caught.value.code == "too-many-lines"


async def test_the_register_names_what_has_no_title_by_topic_and_day(world: World) -> None:
    given = await world.given(title="Radar sites of the north")
    kim = await browser(world.kr, "kim")
    page = await kim.get("/register")
    assert f"missiles, registered on 21 November 2026 {given.item}" in page.text
    assert "Radar sites" not in page.html
    for path in (f"/items/{given.item}", f"/items/{given.item}/why", f"/items/{given.item}/open"):
        assert "missiles, registered on 21 November 2026" in (await kim.get(path)).read.title, path
    for path in (f"/copies/{given.item}", f"/copies/{given.item}/1", f"/copies/{given.item}/levels"):
        assert f"missiles, registered on 21 November 2026 ({given.item})" in (await kim.get(path)).read.title, path
    sato = await browser(world.jp, "sato")
    assert "Radar sites of the north" in (await sato.get("/register")).text


async def test_duties_are_about_items_by_their_names_under_their_banner(world: World) -> None:
    given = await world.given(title="Radar sites of the north")
    request = ReportIncident(items=(given.item,), what="suspected", circumstances="an open door", actor=Actor("kim"))
    await report_incident(world.kr, request)
    await world.exchange()
    ito = await browser(world.jp, "ito")
    page = await ito.get("/duties")
    assert f'<a href="/items/{given.item}"><bdi>Radar sites of the north</bdi></a>' in page.html
    assert 'class="banner rank-' in page.html
    lee = await browser(world.kr, "lee")
    page = await lee.get("/duties")
    assert f'href="/items/{given.item}"' in page.html
    assert "Radar sites" not in page.html
    assert 'class="banner rank-' in page.html


async def test_today_leads_to_the_assurance_and_names_what_it_is_about(world: World) -> None:
    asked = await world.ask(title="Radar sites of the north")
    await world.exchange()
    lee = await browser(world.kr, "lee")
    page = await lee.get("/")
    where = f"/assurances/jp-kr-2016/jp.kr/{asked.request}"
    assert f'<a href="{where}"><bdi>missiles</bdi></a>' in page.html
    assert f"<code>{asked.item}</code>" in page.html
    assert f'href="/items/{asked.item}"' not in page.html  # it is not here yet
    duties = page.html.partition('id="duties"')[2]
    assert f'href="{where}"' in duties
    assert (await lee.get(where)).status == 200
    assert f'href="{where}"' in (await lee.get("/duties")).html


async def test_today_says_of_what_the_next_date_is(world: World) -> None:
    page = await (await browser(world.kr, "kim")).get("/")
    assert "Next date:" in page.text
    assert ", last day for a notice" in page.text or ", renewed by itself" in page.text


async def test_whoever_may_not_give_is_not_told_to_drop_a_file(world: World) -> None:
    kim, sato = await browser(world.kr, "kim"), await browser(world.jp, "sato")
    assert "drop a file" not in (await kim.get("/")).text
    assert "To read what came, open the register." in kim.page.text
    assert "drop a file" in (await sato.get("/")).text


@pytest.mark.parametrize("path", ["/", "/duties", "/register", "/requests", "/incidents", "/onward", "/copies"])
async def test_lists_tell_nothing_of_what_somebody_may_not_see(world: World, path: str) -> None:
    """(8) Before anything is given, and after."""
    park = await browser(world.kr, "park")
    before = await park.get(path)
    given = await world.given(title="Radar sites of the north")
    after = await park.get(path)
    assert given.item not in after.html
    assert after.text == before.text
