"""Visits on both consoles: asked, permitted or refused, ended, found and mended; a month as a real table (8, 18)."""

from __future__ import annotations

import pytest

from articles.visiting import HOST, asked, permitted, radar_hall, representative
from comity.flows.actors import Actor
from comity.flows.people.permitting import RefuseVisit, refuse_visit
from comity.flows.people.visit_views import ListVisits, list_visits
from console.browser import Browser, browser, outside_addresses
from world import RELATIONSHIP, World


async def ask(at: Browser, world: World, **changes: str) -> None:
    await at.get("/visits/ask")
    fields = {
        "relationship": RELATIONSHIP,
        "facility": "yokota",
        "topic": "missiles",
        "scope": "the radar <u>hall</u>",
        "purpose": "joint exercise",
        "mark": "極秘",
        "visitors": await world.pseudonym("kim"),
        "starts": "2027-01-11",
        "ends": "2027-01-12",
        **changes,
    }
    await at.submit("/visits/ask", **fields)


async def test_asked_in_seoul_permitted_in_tokyo_and_ended(world: World) -> None:
    await radar_hall(world)
    lee, ito, kim = [
        await browser(house, who) for house, who in ((world.kr, "lee"), (world.jp, "ito"), (world.kr, "kim"))
    ]
    await ask(lee, world)
    assert lee.page.status == 200, lee.page.text
    assert "Asked. The host permits it or refuses it." in lee.page.text
    assert "<u>hall" not in lee.page.html
    visit = lee.page.path.rpartition("/")[2]
    await world.exchange()
    page = await ito.get("/visits?month=2027-01")
    assert (page.status, outside_addresses(page.html)) == (200, [])
    assert "Waiting for an answer" in page.text
    assert '<td colspan="2"><a' in page.html.replace("\n", "")  # two days in a row of seven
    assert "Visits in January 2027" in page.text
    assert "極秘" in page.html
    await ito.get(f"/visits/{visit}/permit")
    await ito.submit("/permit")
    assert (ito.page.status, "nobody answers for" in ito.page.text) == (400, True)
    await ito.submit("/permit", told="Base security")
    assert "Permitted. Base security was told" in ito.page.text
    await world.exchange()
    assert "Base security" in (await kim.get(f"/visits/{visit}")).text
    await lee.get(f"/visits/{visit}/end")
    await lee.submit("/end", report="nothing special")
    assert "Look twice" in lee.page.text
    await lee.submit("/end", _button=("sure", "yes"))
    assert "the visit is over" in lee.page.text
    await world.exchange()
    assert "nothing special" in (await ito.get(f"/visits/{visit}")).text


async def test_a_visit_above_what_may_be_permitted_is_refused_with_reasons(world: World) -> None:
    await radar_hall(world, mark="秘")
    visit = await asked(world)
    ito = await browser(world.jp, "ito")
    await ito.get(f"/visits/{visit.visit}/permit")
    await ito.submit("/permit", told="Base security", scope="only the gate")
    assert (ito.page.status, "may hold up to" in ito.page.text) == (400, True)
    assert "only the gate" in ito.page.html
    await ito.get(f"/visits/{visit.visit}/refuse")
    await ito.submit("/refuse", reason="not in winter", sure="yes")
    assert "Refused. The other party is told why." in ito.page.text
    await world.exchange()
    assert "not in winter" in (await (await browser(world.kr, "lee")).get(f"/visits/{visit.visit}")).text


async def test_two_answer_at_once(world: World) -> None:
    await radar_hall(world)
    visit = await asked(world)
    await world.person("jp", "ueda", roles=("security-officer",))
    ito = await browser(world.jp, "ito")
    await ito.get(f"/visits/{visit.visit}/permit")
    await refuse_visit(
        world.jp, RefuseVisit(relationship=RELATIONSHIP, visit=visit.visit, reason="no", actor=Actor("ueda"))
    )
    await ito.submit("/permit", told="Base security")
    assert (ito.page.status, "ueda (JP) did something meanwhile" in ito.page.text) == (409, True)
    assert "Base security" in ito.page.html
    (shown,) = await list_visits(world.jp, ListVisits())
    assert shown.state == "refused"


async def test_a_finding_is_recorded_and_mended(world: World) -> None:
    await radar_hall(world)
    await representative(world)
    visit = await asked(world, visitors=("han",), security=True)
    await permitted(world, visit, conditions=())
    world.clock.time = visit.starts
    han, ito = await browser(world.kr, "han"), await browser(world.jp, "ito")
    await han.get(f"/visits/{visit.visit}/finding")
    await han.submit("/finding", says="a door stood open", wanted="a lock")
    assert "The host has to mend it" in han.page.text, han.page.text
    await world.exchange()
    await ito.get(f"/visits/{visit.visit}")
    assert "a door stood open" in ito.page.text
    (close,) = [link for link in ito.page.read.links if link.endswith("/close")]
    await ito.get(close)
    await ito.submit("/close", evidence="a lock is there")
    assert "the finding is closed" in ito.page.text
    await ito.get(close)
    await ito.submit("/close", evidence="again")
    assert ito.page.status >= 400
    missing = await ito.get(f"/visits/{visit.visit}/findings/f-aaaaaaaaaaaaaaaa/close")
    assert (missing.status, "there is no finding" in missing.text) == (400, True)


async def test_what_cannot_be_asked_is_said_and_kept(world: World) -> None:
    lee = await browser(world.kr, "lee")
    for changes, said in (
        ({"starts": "2027-02-31"}, "this is no day"),
        ({"ends": "2026-01-01"}, ""),
        ({"mark": "no such mark"}, "no such mark"),
        ({"visitors": "n-aaaaaaaaaaaaaaaa"}, "choose one of those listed"),
        ({"purpose": ""}, "must not be empty"),
        ({"scope": "x\u202ey"}, "which people cannot see"),
    ):
        await ask(lee, world, **changes)
        assert lee.page.status >= 400, changes
        assert said in lee.page.text
        assert "yokota" in lee.page.html
    assert await list_visits(world.kr, ListVisits()) == []


async def test_a_visit_that_is_not_his_is_unknown(world: World) -> None:
    visit = (await asked(world)).visit
    park = await browser(world.kr, "park")
    assert visit not in (await park.get("/visits?month=2026-12")).html
    for end in ("", "/end", "/permit", "/finding"):
        not_his = await park.get(f"/visits/{visit}{end}")
        unknown = await park.get(f"/visits/v-aaaaaaaaaaaaaaaa{end}")
        assert not_his.status == unknown.status == 400
        assert not_his.text.replace(visit, "V") == unknown.text.replace("v-aaaaaaaaaaaaaaaa", "V")
    kim = await browser(world.kr, "kim")
    await kim.get(f"/visits/{visit}")
    assert kim.page.status == 200
    assert f">{HOST.handle}<" not in kim.page.html


@pytest.mark.parametrize("month", ["", "2027-13", "x", "0001-01", "9999-12", "2027-1", "2027-01-01"])
async def test_a_month_that_is_none_is_this_one(world: World, month: str) -> None:
    lee = await browser(world.kr, "lee")
    page = await lee.get(f"/visits?month={month}")
    assert (page.status, "Visits in November 2026" in page.text) == (200, True)


async def test_the_calendar_begins_its_weeks_as_the_language_does(world: World) -> None:
    lee = await browser(world.kr, "lee", "ko")
    page = await lee.get("/visits?month=2027-01")
    assert page.html.index("일요일") < page.html.index("월요일")
    assert "2027년 1월" in page.html
