"""Incidents on both consoles: report, what is affected, investigate, result, close (Article 17)."""

from __future__ import annotations

import pytest

from comity.flows.actors import Actor
from comity.flows.incidents.investigating import Investigate, ListIncidents, investigate, list_incidents
from console.browser import Browser, browser, outside_addresses
from world import World

TRICKY = '<script>alert(1)</script> "서울" ابجد'


async def report(at: Browser, item: str, **changes: str) -> None:
    await at.get("/incidents/report")
    fields = {"items": item, "what": "suspected", "circumstances": TRICKY, **changes}
    await at.submit("/incidents/report", **fields)


async def test_a_loss_is_reported_investigated_told_and_closed_on_both_consoles(world: World) -> None:
    given = await world.given()
    kim, lee = await browser(world.kr, "kim"), await browser(world.kr, "lee")
    page = await kim.get("/incidents")
    assert "No incident." in page.text
    page = await kim.get("/incidents/report")
    assert "What will follow" in page.text
    assert "jp-kr-2016, Article 17" in page.text
    await report(kim, given.item, what="lost", copies="1")
    assert kim.page.status == 200, kim.page.text
    assert "Reported. Items affected: 1; copies: 1" in kim.page.text
    assert "<script>alert" not in kim.page.html
    assert "<bdi>&lt;script&gt;alert(1)" in kim.page.html
    incident = kim.page.path.rpartition("/")[2]
    assert "What this affects" in kim.page.text
    assert "1: " in kim.page.text
    await world.exchange()

    ito = await browser(world.jp, "ito")
    page = await ito.get(f"/incidents/{incident}")
    assert (page.status, outside_addresses(page.html)) == (200, [])
    assert "Registered in" in page.text

    await lee.get(f"/incidents/{incident}")
    await lee.get(f"/incidents/{incident}/investigate")
    await lee.submit("/investigate", note="security branch")
    assert "The incident is now: under investigation." in lee.page.text
    await lee.get(f"/incidents/{incident}/result")
    await lee.submit("/result", result="misfiled", measures="counted every evening")
    assert "result and measures told" in lee.page.text
    await lee.get(f"/incidents/{incident}/close")
    await lee.submit("/close", reason="the report is made")
    assert "Look twice" in lee.page.text  # nothing is closed yet
    assert len(await list_incidents(world.kr, ListIncidents())) == 1
    await lee.submit("/close", _button=("sure", "yes"))
    assert "The incident is now: closed." in lee.page.text
    assert await list_incidents(world.kr, ListIncidents()) == []
    assert "No incident." in (await lee.get("/incidents")).text
    assert incident in (await lee.get("/incidents?all=yes")).text


async def test_what_was_typed_stays_where_it_is_refused(world: World) -> None:
    given = await world.given()
    kim = await browser(world.kr, "kim")
    await report(kim, given.item, circumstances="")
    assert kim.page.status == 422
    assert "Circumstances: this must not be empty" in kim.page.text
    assert given.item in kim.page.html
    assert 'href="#circumstances"' in kim.page.html
    await report(kim, given.item, copies="one")
    assert (kim.page.status, "whole number" in kim.page.text) == (400, True)
    await report(kim, given.item, what="burnt")
    assert (kim.page.status, "choose one of those listed" in kim.page.text) == (422, True)
    await report(kim, given.item, circumstances="open \u202erood")
    assert (kim.page.status, "which people cannot see" in kim.page.text) == (400, True)
    assert "open \u202erood" in kim.page.html
    await report(kim, given.item, circumstances="x" * 5_000)
    assert "at most 4,000 characters" in kim.page.text
    assert await list_incidents(world.kr, ListIncidents()) == []


async def test_what_somebody_may_not_see_is_unknown_to_him(world: World) -> None:
    given = await world.given()
    park, kim = await browser(world.kr, "park"), await browser(world.kr, "kim")
    await report(park, given.item)
    hidden = park.page.text.replace(given.item, "ITEM")
    await report(park, "i-aaaaaaaaaaaaaaaa")
    assert hidden == park.page.text.replace("i-aaaaaaaaaaaaaaaa", "ITEM")
    await report(kim, given.item)
    incident = kim.page.path.rpartition("/")[2]
    assert incident not in (await park.get("/incidents")).text
    not_his = await park.get(f"/incidents/{incident}")
    unknown = await park.get("/incidents/x-aaaaaaaaaaaaaaaa")
    assert not_his.status == unknown.status
    assert not_his.text.replace(incident, "X") == unknown.text.replace("x-aaaaaaaaaaaaaaaa", "X")


async def test_a_form_that_somebody_else_was_faster_with_says_who(world: World) -> None:
    given = await world.given()
    kim, lee = await browser(world.kr, "kim"), await browser(world.kr, "lee")
    await world.person("kr", "yun", roles=("security-officer",))
    await report(kim, given.item)
    incident = kim.page.path.rpartition("/")[2]
    await lee.get(f"/incidents/{incident}/investigate")
    await investigate(world.kr, Investigate(incident=incident, note="by me", actor=Actor("yun")))
    await lee.submit("/investigate", note="by me, too")
    assert lee.page.status == 409
    assert "yun (KR) did something meanwhile" in lee.page.text
    assert "by me, too" in lee.page.html
    await lee.submit("/investigate")
    assert lee.page.status in (400, 422)  # it is under investigation already
    assert "by me, too" in lee.page.html


async def test_only_a_security_officer_goes_on(world: World) -> None:
    given = await world.given()
    kim = await browser(world.kr, "kim")
    await report(kim, given.item)
    incident = kim.page.path.rpartition("/")[2]
    assert "Open the investigation" not in kim.page.text
    await kim.get(f"/incidents/{incident}/investigate")
    await kim.submit("/investigate", note="I do it")
    assert kim.page.status == 400
    assert "does not have the role" in kim.page.text
    assert "I do it" in kim.page.html


@pytest.mark.parametrize("language", ["ja", "ko"])
async def test_it_is_told_in_the_readers_language(world: World, language: str) -> None:
    given = await world.given()
    kim = await browser(world.kr, "kim", language)
    page = await kim.get("/incidents/report")
    assert f'html lang="{language}"' in page.html
    await report(kim, given.item)
    assert kim.page.status == 200
