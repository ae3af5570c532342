"""Pages lead their reader on: what is the next step is said, once, and can be reached."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from console.browser import STATIC, browser
from world import World

TEMPLATES = Path(__file__).parents[2] / "src/comity/console/templates"
FETCHED = (
    "register/lines",
    "give/live",
    "give/file",
    "give/request",
    "ledger/progress",
    "feed/messages",
    "agreement/standing",
)
"""Parts of pages that are fetched anew by themselves, or while somebody types."""


@pytest.mark.parametrize("part", FETCHED)
def test_of_a_part_that_is_fetched_anew_a_short_line_is_said_and_not_the_whole(part: str) -> None:
    """Nothing around it is live: one place of every page says what changed."""
    text = (TEMPLATES / f"{part}.html").read_text(encoding="utf-8")
    assert "data-said" in text
    assert 'role="status"' not in text
    assert not re.search(r"data-said[^>]*>\s*<(?:table|ul|ol|dl|form|section)", text)


def test_no_part_of_a_page_is_live_but_the_place_that_says_what_changed() -> None:
    live = [file.name for file in TEMPLATES.rglob("*.html") if "aria-live" in file.read_text(encoding="utf-8")]
    assert live == []
    assert '<p id="said" class="hidden-but-read" role="status"></p>' in (TEMPLATES / "base.html").read_text("utf-8")
    assert 'getElementById("said")' in (STATIC / "console.js").read_text("utf-8")


async def test_the_register_says_in_a_line_how_much_of_it_is_there(world: World) -> None:
    for _ in range(2):
        await world.given()
    kim = await browser(world.kr, "kim")
    said = re.compile(r"<p[^>]* data-said>([^<]*)</p>")
    assert said.findall((await kim.get("/register")).html) == ["2 items"]
    assert said.findall((await kim.get("/register?text=nowhere", hx_request="true")).html) == [
        "Nothing here fits what you asked for."
    ]


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
