"""Duties on both consoles: by the clock, by whom, with the page on which each is done, as each reader may see them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.console.pages.duties import PAGES, clock_of
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.looking.duty_words import RECEIPTS, WORDS
from console.browser import browser, outside_addresses
from flows.test_destruction import EXAMPLE
from world import TODAY, World


async def reported(world: World) -> tuple[str, str]:
    """Kim reports what may be a compromise: the investigation is owed by Seoul."""
    given = await world.given()
    kim = await browser(world.kr, "kim")
    await kim.get("/incidents/report")
    await kim.submit("/incidents/report", items=given.item, what="suspected", circumstances="an open door")
    await world.exchange()
    return given.item, kim.page.path.rpartition("/")[2]


async def test_what_is_owed_stands_under_its_clock_and_leads_to_its_page(world: World) -> None:
    lee, ito = await browser(world.kr, "lee"), await browser(world.jp, "ito")
    page = await lee.get("/duties?whose=mine")
    assert "Nothing is owed now" in page.text
    assert "For as long as the agreement stands" in page.text
    item, incident = await reported(world)
    page = await lee.get("/duties")
    assert (page.status, outside_addresses(page.html)) == (200, [])
    assert "Without a day" in page.text
    assert "open an investigation" in page.text
    assert "KR (us)" in page.text
    assert f'href="/incidents/{incident}/investigate"' in page.html
    assert 'href="/agreement/jp-kr-2016/jp.kr#clause-17"' in page.html
    page = await lee.get(f"/duties?item={item}")
    assert item in page.text
    assert "open an investigation" not in (await lee.get("/duties?whose=theirs")).text
    page = await ito.get("/duties?whose=theirs")
    assert "open an investigation" in page.text
    assert "Do it" not in page.text  # it is not ours


async def test_what_is_overdue_comes_first(tmp_path: Path) -> None:
    world = await World.make(tmp_path, layers=(EXAMPLE,))
    await reported(world)
    world.clock.time += timedelta(days=400)
    lee = await browser(world.kr, "lee")
    page = await lee.get("/duties?overdue=yes")
    assert "For as long as the agreement stands" not in page.text
    assert "overdue: " in page.text
    assert "0 duties are overdue" not in page.text
    page = await lee.get("/duties")
    assert page.text.index("Overdue") < page.text.index("For as long as the agreement stands")
    await world.close()


async def test_a_reader_sees_what_is_about_what_he_sees(world: World) -> None:
    given = await world.given()
    park = await browser(world.kr, "park")
    page = await park.get("/duties")
    assert page.status == 200
    assert given.item not in page.html
    hidden = await park.get(f"/duties?item={given.item}")
    unknown = await park.get("/duties?item=i-aaaaaaaaaaaaaaaa")
    assert hidden.status == unknown.status >= 400
    assert hidden.text.replace(given.item, "I") == unknown.text.replace("i-aaaaaaaaaaaaaaaa", "I")


@pytest.mark.parametrize("query", ["whose=nobody", "whose=%3Cscript%3E", "overdue=maybe", "item=", "whose="])
async def test_filters_that_are_none_are_left_out(world: World, query: str) -> None:
    lee = await browser(world.kr, "lee")
    page = await lee.get(f"/duties?{query}")
    assert page.status == 200
    assert "<script>" not in page.html.replace("<script src", "")


def test_every_command_of_a_duty_has_its_page() -> None:
    elsewhere = {"authority", "law", "agreement", "dispute"}
    commands = [each.command for each in WORDS.values() if each.command] + list(RECEIPTS.values())
    for command in commands:
        words = command.split()[1:]
        if words[0] in elsewhere:
            continue
        assert any(tuple(words[: len(known)]) == known for known, _ in PAGES), command


async def test_a_day_that_has_passed_is_said_to_be_overdue(world: World) -> None:
    await reported(world)
    found = await list_duties(world.kr, ListDuties())
    one = found.duties[0]

    def clock(**changes: object) -> str:
        return clock_of(msgspec.structs.replace(one, **{"overdue": False, "now": False, "due": None, **changes}), TODAY)

    assert clock(overdue=True) == "overdue"
    assert clock(now=True) == "now"
    assert clock(due=TODAY + timedelta(days=3)) == "week"
    assert clock(due=TODAY + timedelta(days=30)) == "later"
    assert clock() == "undated"
