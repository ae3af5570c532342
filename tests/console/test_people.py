"""People and places on the console: enrolled, cleared, listed, briefed, posted, gone, forgotten (6(e), 7, 16)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.flows.actors import Actor
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.flows.people.person_views import ListPeople, list_people
from console.browser import Browser, browser, outside_addresses
from world import ROOT, TODAY, World

NAME = '<script>alert("김")</script> 佐藤 ابجد'
MARK = "군사 Ⅱ급 비밀"


async def enrol(at: Browser, **changes: str | list[str]) -> None:
    await at.get("/people/enrol")
    fields: dict[str, str | list[str]] = {
        "handle": "han",
        "name": NAME,
        "function": "Air <b>defence</b> desk",
        "body": "Ministry of National Defense",
        "roles": ["reader", "officer"],
        **changes,
    }
    await at.submit("/people/enrol", **fields)


async def at_person(at: Browser, world: World, handle: str, end: str = "") -> None:
    person = (await world.kr.person(handle)).person
    await at.get(f"/people/{person}{end}")


async def test_somebody_is_enrolled_cleared_listed_and_changed(world: World) -> None:
    lee = await browser(world.kr, "lee")
    await enrol(lee)
    assert lee.page.status == 200, lee.page.text
    assert "Enrolled: han." in lee.page.text
    assert "<b>defence" not in lee.page.html
    assert "<bdi>Air &lt;b&gt;defence" in lee.page.html
    await at_person(lee, world, "han", "/clear")
    await lee.submit("/clear", mark=MARK, until="2027-11-21", basis="vetting 81/2026")
    assert (lee.page.status, "all available information" in lee.page.text) == (403, True)
    assert "vetting 81/2026" in lee.page.html
    await lee.submit("/clear", all_information="yes")
    assert "Cleared: han." in lee.page.text
    assert MARK in lee.page.text
    await at_person(lee, world, "han", "/list")
    await lee.submit("/list", topic="missiles", listed="yes")
    assert "The lists are changed" in lee.page.text
    await at_person(lee, world, "han", "/change")
    assert "Ministry of National Defense" in lee.page.html  # as it is
    await lee.submit("/change", function="Second desk", roles="reader")
    assert "Changed: han." in lee.page.text
    assert "Second desk" in lee.page.text
    await at_person(lee, world, "han", "/key")
    await lee.submit("/key", sure="yes")
    assert "A new signing key is in use" in lee.page.text
    await world.exchange()
    ito = await browser(world.jp, "ito")
    page = await ito.get("/people/directory")
    assert (page.status, "Second desk" in page.text, outside_addresses(page.html)) == (200, True, [])
    assert "김" not in page.text  # the name does not cross


async def test_a_clearance_that_ends_soon_stands_first_and_is_withdrawn(world: World) -> None:
    lee = await browser(world.kr, "lee")
    page = await lee.get("/people")
    assert "No clearance ends within three months" in page.text
    given = await world.given()
    until = TODAY + timedelta(days=20)
    await grant_clearance(
        world.kr,
        GrantClearance(handle="choi", mark=MARK, until=until, basis="b", actor=ROOT, all_information=True),
    )
    page = await lee.get("/people")
    soon = page.text.split("Clearances that end soon")[1].split("People of this house")[0]
    assert "choi" in soon
    assert "kim" not in soon
    await at_person(lee, world, "kim", "/unclear")
    assert "What will follow" in lee.page.text
    await lee.submit("/unclear", reason="left the office")
    assert "Look twice" in lee.page.text
    await lee.submit("/unclear", _button=("sure", "yes"))
    assert "Withdrawn: kim" in lee.page.text
    assert f"{given.item}, 1" in lee.page.text  # to be handed over
    page = await lee.get("/people")
    assert f"{given.item}, 1" in page.text
    await at_person(lee, world, "kim", "/leave")
    await lee.submit("/leave", reason="gone", sure="yes")
    assert (lee.page.status, "copies in hand" in lee.page.text) == (400, True)


async def test_a_person_leaves_and_a_name_is_forgotten(world: World) -> None:
    lee = await browser(world.kr, "lee")
    person = (await world.kr.person("park")).person
    await at_person(lee, world, "park", "/forget")
    await lee.submit("/forget")
    assert "Look twice" in lee.page.text
    assert (await world.kr.person("park")).person == person
    await lee.submit("/forget", _button=("sure", "yes"))
    assert "The name is erased." in lee.page.text
    assert "park" not in [each.handle for each in await list_people(world.kr, ListPeople())]
    await at_person(lee, world, "smith", "/leave")
    await lee.submit("/leave", reason="went home", sure="yes")
    assert "Removed. The handle is erased." in lee.page.text
    assert "has left" in lee.page.text


async def test_what_cannot_be_enrolled_is_said_and_kept(world: World) -> None:
    lee = await browser(world.kr, "lee")
    for changes, said in (
        ({"handle": "no handle"}, "cannot be a handle"),
        ({"handle": "kim"}, "already somebody called"),
        ({"function": ""}, "must not be empty"),
        ({"roles": ["king"]}, "choose one of those listed"),
        ({"roles": ["auditor", "registry"]}, "nobody audits"),
        ({"custody": "strict"}, "give his age recipient"),
        ({"custody": "strict", "recipient": "age1x", "signing_key": "zz"}, "64 hexadecimal digits"),
        ({"function": "desk \u202eksed"}, "which people cannot see"),
    ):
        await enrol(lee, **changes)  # type: ignore[arg-type]  # lists and words
        assert lee.page.status >= 400, changes
        assert said in lee.page.text, lee.page.text
        assert "Ministry of National Defense" in lee.page.html
    assert len(await list_people(world.kr, ListPeople())) == 6


async def test_two_change_a_person_at_once(world: World) -> None:
    lee = await browser(world.kr, "lee")
    await world.person("kr", "yun", roles=("security-officer",))
    await at_person(lee, world, "kim", "/change")
    await change_list(world.kr, ChangeList(topic="radar", handle="kim", listed=True, actor=Actor("yun")))
    await lee.submit("/change", function="Other desk")
    assert (lee.page.status, "yun (KR) did something meanwhile" in lee.page.text) == (409, True)
    assert "Other desk" in lee.page.html


async def test_a_reader_sees_himself_and_nobody_else(world: World) -> None:
    kim = await browser(world.kr, "kim")
    page = await kim.get("/people")
    assert "kim" in page.text
    for other in ("park", "choi", "lee", "hong"):
        assert f">{other}<" not in page.html
    person = (await world.kr.person("park")).person
    not_his = await kim.get(f"/people/{person}")
    unknown = await kim.get("/people/p-aaaaaaaaaaaaaaaa")
    assert not_his.status == unknown.status == 400
    assert not_his.text.replace(person, "P") == unknown.text.replace("p-aaaaaaaaaaaaaaaa", "P")
    await enrol(kim)
    assert (kim.page.status, "does not have the role" in kim.page.text) == (400, True)
    assert (await kim.get("/sites")).status == 403
    assert "No function that you may see" in (await kim.get("/people/directory")).text


async def test_nobody_clears_himself(world: World) -> None:
    lee = await browser(world.kr, "lee")
    await at_person(lee, world, "lee")
    assert "Nobody changes his own entry" in lee.page.text
    await at_person(lee, world, "lee", "/clear")
    await lee.submit("/clear", mark=MARK, until="2027-11-21", basis="me", all_information="yes")
    assert lee.page.status >= 400
    await at_person(lee, world, "kim", "/clear")
    await lee.submit("/clear", mark="very secret", until="2027-11-21", basis="b", all_information="yes")
    assert (lee.page.status, "very secret" in lee.page.html) == (422, True)


async def test_a_briefing_is_acknowledged_by_who_was_briefed(world: World) -> None:
    kim = await browser(world.kr, "kim")
    await kim.get("/people/briefing")
    await kim.submit("/people/briefing", on="duties", material="order 3", given_by="park")
    assert kim.page.status >= 400
    assert "order 3" in kim.page.html
    await kim.submit("/people/briefing", given_by="lee")
    assert "You are briefed on: duties." in kim.page.text


async def test_a_site_is_registered_evidenced_inspected_and_staffed(world: World) -> None:
    lee, ito = await browser(world.kr, "lee"), await browser(world.jp, "ito")
    page = await lee.get("/sites")
    assert "No site yet." in page.text
    await lee.get("/sites/register")
    site = {"mark": MARK, "until": "2027-11-21", "evidence": "order 8", "nature": "contractor"}
    await lee.submit("/sites/register", facility="hanbit_works", **{**site, "mark": "none such"})
    assert (lee.page.status, "none such" in lee.page.html) == (422, True)
    await lee.submit("/sites/register", facility="hanbit-works", **site)
    assert "Registered: hanbit-works." in lee.page.text, lee.page.text
    assert "never inspected" in lee.page.text
    assert "missing" in lee.page.text
    await lee.get("/sites/hanbit-works/condition")
    first = lee.page.form("/condition").fields
    condition = next(value for name, value in first if name == "condition")
    await lee.submit("/condition", condition=condition, evidence="a letter", met="yes")
    assert "a letter" in lee.page.text
    await lee.get("/sites/hanbit-works/inspect")
    await lee.submit("/inspect", findings="all well", due="2027-05-01")
    assert "all well" in lee.page.text
    await lee.get("/sites/hanbit-works/officer")
    await lee.submit("/officer", handle="kim", authority="order 9")
    assert "order 9" in lee.page.text
    await lee.get("/sites/hanbit-works/post")
    await lee.submit("/post", handle="park", posted="yes")
    assert lee.page.status >= 400  # park is not cleared
    await lee.submit("/post", handle="hong", posted="yes")
    assert lee.page.status in (200, 400, 422)
    assert "there is no" in (await ito.get("/sites/hanbit-works")).text


@pytest.mark.parametrize("language", ["ja", "ko"])
async def test_every_page_is_told_in_the_readers_language(world: World, language: str) -> None:
    lee = await browser(world.kr, "lee", language)
    for path in ("/people", "/people/enrol", "/people/directory", "/sites", "/sites/register", "/people/briefing"):
        page = await lee.get(path)
        assert (page.status, f'html lang="{language}"' in page.html) == (200, True)
