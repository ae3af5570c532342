"""Pages lead their reader on: what is the next step is said, once, and can be reached."""

from __future__ import annotations

import pytest

from console.browser import browser
from world import World


async def test_an_item_that_is_not_there_for_him_is_asked_for_of_whoever_named_it(world: World) -> None:
    given = await world.given()
    park = await browser(world.kr, "park")
    for path in ("/items/{}", "/items/{}/open", "/copies/{}", "/items/{}/why"):
        hidden, nowhere = await park.get(path.format(given.item)), await park.get(path.format("i-" + 16 * "a"))
        assert "ask whoever sent it to you" in hidden.text, path
        assert hidden.text.replace(given.item, "") == nowhere.text.replace("i-" + 16 * "a", ""), path
    assert "ask whoever sent it to you" not in (await park.get("/incidents/x")).text


@pytest.mark.parametrize("handle", ["kim", None])
async def test_what_the_footer_names_can_be_read_in_a_browser(world: World, handle: str | None) -> None:
    at = await browser(world.kr, handle)
    page = await at.get("/" if handle else "/sign-in")
    assert "SECURITY.md" not in page.html
    assert "/custody#approvals" in page.read.links
    page = await at.get("/custody")
    assert (page.status, "approvals" in page.read.ids) == (200, True)
    assert "no outside audit" in page.text


async def test_a_month_without_visits_is_said_to_be_one_once(world: World) -> None:
    lee = await browser(world.kr, "lee")
    page = await lee.get("/visits?month=2031-04")
    assert page.text.count("No visit in this month") == 1
    assert "A visit to a site of the other side is asked for by your authority." in page.text
