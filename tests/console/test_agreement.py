"""The pages of an agreement: on any day, by each reading, article by article, and what would follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity.agreement.load import parse_agreement
from console.browser import Browser, browser, outside_addresses
from world import RELATIONSHIP, World, adopt, library

HERE = f"/agreement/{RELATIONSHIP}"


@pytest.fixture
async def at(world: World) -> Browser:
    return await browser(world.jp, "sato")


async def test_the_list_says_with_whom_and_how_each_stands(at: Browser) -> None:
    page = await at.get("/agreements")
    assert page.status == 200
    assert HERE in page.read.links
    assert "As KR reads it in force" in page.text
    assert "Acknowledged by JP and KR" in page.text


@pytest.mark.parametrize(
    ("language", "title"), [("ja", "日本国政府と大韓民国政府"), ("ko", "대한민국 정부와 일본국 정부")]
)
@pytest.mark.parametrize("path", ["/agreements", HERE, "/visits/ask", "/"])
async def test_its_title_is_in_the_readers_language_wherever_it_stands(
    world: World, path: str, language: str, title: str
) -> None:
    page = await (await browser(world.jp, "sato", language)).get(path)
    assert title in page.text
    assert "Agreement between" not in page.text


async def test_a_house_without_an_agreement_says_what_to_do_first(tmp_path: Path) -> None:
    from comity.flows.people.enrolment import EnrolPerson, enrol_person
    from world import ROOT, StandingClock, new_house

    house = await new_house("jp", tmp_path, StandingClock())
    person = EnrolPerson(
        handle="sato",
        name="佐藤",
        function="officer",
        body="mod",
        employer="government",
        nationality="jp",
        serves="jp",
        roles=("officer",),
        actor=ROOT,
    )
    await enrol_person(house, person)
    page = await (await browser(house, "sato")).get("/agreements")
    assert "comity agreement adopt" in page.text
    await house.close()


async def test_every_article_stands_there_with_what_is_done_for_it(at: Browser) -> None:
    page = await at.get(HERE)
    agreement = parse_agreement(library("jp-kr-2016.toml"), "jp-kr-2016.toml")
    assert {f"clause-{clause.id}" for clause in agreement.clauses} <= set(page.read.ids)
    assert "gives no basis for what is not defence-related" in page.text
    assert "comity give --subject" in page.text
    assert "The tests that show what is done ran on another text" not in page.text
    assert len(page.body) < 200_000
    assert outside_addresses(page.html) == []
    assert " style=" not in page.html


async def test_ladders_and_course_are_drawn_and_told_in_tables(at: Browser) -> None:
    page = await at.get(HERE)
    assert page.html.count('role="img"') == 2
    assert "군사 Ⅱ급 비밀" in page.text
    assert "The course of the agreement, as each party reads it" in page.text


async def test_each_event_has_its_sources_and_what_others_say_of_it(at: Browser) -> None:
    page = await at.get(HERE)
    assert "[P]" in page.text
    assert "[S]" in page.text


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2016-11-22", "As Government of Japan reads it not signed"),
        ("2016-11-23", "in force"),
        ("2019-09-01", "notice given"),
        ("2020-01-01", "notice suspended"),
        ("2026-11-21", "in force"),
    ],
)
async def test_a_day_shows_how_each_party_read_it(at: Browser, day: str, said: str) -> None:
    page = await at.get(f"{HERE}?on={day}")
    assert page.status == 200
    assert said in page.text


async def test_what_is_contested_on_a_day_is_named(at: Browser) -> None:
    page = await at.get(f"{HERE}?on=2020-06-01")
    assert "Contested: how it can be ended" in page.text


async def test_the_slider_leads_to_the_same_day_as_the_date(at: Browser) -> None:
    by_date = await at.get(f"{HERE}?on=2020-06-01")
    await at.get(HERE)
    place = dict(at.page.forms[-1].fields)  # what a script would send is what the form sends
    assert "place" in place
    page = await at.get(f"{HERE}?place={_place(by_date.html)}")
    assert 'value="2020-06-01"' in page.html


def _place(html: str) -> str:
    slider = html[html.index('id="place"') :]
    return slider[slider.index('value="') + 7 :].partition('"')[0]


async def test_a_script_gets_the_part_of_the_page_alone(at: Browser) -> None:
    page = await at.get(f"{HERE}?on=2020-06-01", hx_request="true")
    assert page.html.lstrip().startswith('<div id="standing">')
    assert "<html" not in page.html


@pytest.mark.parametrize(
    "query",
    [
        "on=yesterday",
        "on=2020-02-30",
        "on=1000-01-01",
        "on=9999-12-31",
        "place=-1",
        "place=12345678",
        "place=%D9%A3",
        "on=%00",
    ],
)
async def test_a_day_that_is_none_is_said_beside_its_field_and_the_page_stays(at: Browser, query: str) -> None:
    page = await at.get(f"{HERE}?{query}")
    assert 400 <= page.status < 500
    assert "This was not done" in page.text
    assert 'aria-invalid="true"' in page.html
    assert "How it stands on" in page.text


@pytest.mark.parametrize("path", ["/agreement/jp-kr-2016/jp.us", "/agreement/none/jp.kr", "/agreement/%2e%2e/jp.kr"])
async def test_an_agreement_that_does_not_run_is_refused(at: Browser, path: str) -> None:
    for end in ("", "/text", "/what-if", "/versions"):
        page = await at.get(path + end)
        assert 400 <= page.status < 500


@pytest.mark.parametrize(("language", "title"), [("en", "Everything"), ("ja", "秘密"), ("ko", "비밀")])
async def test_the_whole_text_is_told_in_the_readers_language(world: World, language: str, title: str) -> None:
    page = await (await browser(world.jp, "sato", language)).get(f"{HERE}/text")
    assert page.status == 200
    assert f'lang="{language}"' in page.html
    assert title in page.text


async def test_what_if_says_what_stops_whom_to_tell_and_what_survives(at: Browser) -> None:
    page = await at.get(f"{HERE}/what-if")
    assert "Nothing is changed by asking" in page.text
    page = await at.submit("what-if", step="notice", by="kr", day="2026-12-01")
    assert page.status == 200
    assert "Supposed: kr gives notice of the end on 1 December 2026" in page.text
    assert "What may be done give: stops at" in page.text
    assert "survives" in page.text
    assert "In the register of this house" in page.text


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("step=notice&day=&by=jp", "day"),
        ("step=notice&day=soon&by=jp", "day"),
        ("step=war&day=2026-12-01&by=jp", "step"),
        ("step=notice&day=2026-12-01&by=us", "by"),
        ("step=withdrawal&day=2026-12-01&by=jp", "day"),
        ("step=notice&day=2026-12-01&by=%3Cscript%3E", "by"),
    ],
)
async def test_what_cannot_be_supposed_is_said_and_what_was_typed_stays(at: Browser, query: str, field: str) -> None:
    page = await at.get(f"{HERE}/what-if?{query}")
    assert 400 <= page.status < 500
    assert f'href="#{field}"' in page.html
    assert "<script>" not in page.html.replace("<script src", "")
    assert "What would follow if" in page.text


async def test_what_if_shows_nobody_what_he_may_not_see(world: World) -> None:
    officer = await (await browser(world.jp, "sato")).get(f"{HERE}/what-if?step=notice&day=2026-12-01&by=kr")
    assert "Requests that wait none" in officer.text


async def test_versions_are_listed_and_compared(tmp_path: Path) -> None:
    world = await World.make(tmp_path, acknowledge=False)
    at = await browser(world.jp, "sato")
    page = await at.get(f"{HERE}/versions")
    assert "there is nothing to compare it with" in page.text
    other = library("jp-kr-2016.toml").replace('version = "2016-11-23"', 'version = "2027"').replace("P90D", "P60D")
    await adopt(world.jp, "kr", "jp-kr-2016.history.toml", ("house.toml",), other)
    page = await at.get(f"{HERE}/versions")
    assert "From version 2016-11-23 to version 2027" in page.text
    assert "60" in page.text
    first = at.page.form("versions").fields[0][1]
    page = await at.submit("versions", first=first, second=first)
    assert "do not differ in anything" in page.text
    for wrong in ("00", "%3Cscript%3E", "%F0%9F%92%A9"):
        page = await at.get(f"{HERE}/versions?first={wrong}")
        assert 400 <= page.status < 500
    await world.close()
