"""Items chosen on forms, and the way from a refusal to the consent that would change it."""

from __future__ import annotations

import re

import pytest

from comity.console import picking
from comity.errors import Unavailable
from comity.flows.finding.questions import ReadPage
from comity.flows.people.leaving import ChangePerson, change_person
from console.browser import Page, browser
from console.test_every_page import mistakes_of
from world import ROOT, World

FORMS = ("/incidents/report", "/requests/ask", "/onward/use", "/onward/pass-on", "/ledger")


def offered(page: Page) -> list[str]:
    return re.findall(r'<option value="(i-[^"]*)"', page.html)


async def test_forms_offer_what_their_reader_may_see_and_bear_its_banner(world: World) -> None:
    first, second = await world.given(title="one"), await world.given(title="two")
    kim, park = await browser(world.kr, "kim"), await browser(world.kr, "park")
    for path in FORMS:
        page = await kim.get(path)
        assert offered(page) == [second.item, first.item], path
        assert f"missiles, registered on 21 November 2026 – {first.item}" in page.text, path
        assert 'class="banner rank-' in page.html, path
        assert mistakes_of(page) == [], path
        assert first.item not in (await park.get(path)).html
    sato = await browser(world.jp, "sato")
    assert f"two – {second.item}" in (await sato.get("/ledger")).text
    assert offered(await sato.get("/requests/ask")) == []  # what is this house's own needs nobody's consent


async def test_what_is_chosen_and_what_is_typed_are_reported_together(world: World) -> None:
    first, second = await world.given(), await world.given()
    kim = await browser(world.kr, "kim")
    await kim.get(f"/incidents/report?item={first.item}")
    page = await kim.submit("/incidents/report", circumstances="", items=[first.item, second.item])
    assert page.status == 422
    assert f'<option value="{first.item}" dir="auto" selected' in page.html
    assert re.search(rf"<textarea[^>]*>\s*{second.item}</textarea>", page.html)
    page = await kim.submit("/incidents/report", circumstances="an open door")
    assert "Items affected: 2" in page.text


async def test_one_is_chosen_or_typed_and_not_both(world: World) -> None:
    given = await world.given()
    lee = await browser(world.kr, "lee")
    for path, action in (("/ledger", "/ledger/evidence"), ("/onward/use", "/onward/use")):
        await lee.get(path)
        page = await lee.submit(action, item=[given.item, "i-another"], purpose="training")
        assert page.status == 422
        assert "choose one of those listed, or type another one, not both" in page.text
        assert 'value="i-another"' in page.html
        await lee.get(path)
        page = await lee.submit(action, item=["", ""], purpose="training")
        assert (page.status, "must not be empty" in page.text) == (422, True)
        await lee.get(path)
        page = await lee.submit(action, item=[given.item, given.item], purpose="training")
        assert "not both" not in page.text


async def test_an_older_item_that_an_address_names_stands_on_top_by_its_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await world.given()
    new = await world.given()
    monkeypatch.setattr(picking, "OFFERED", 1)
    kim, park = await browser(world.kr, "kim"), await browser(world.kr, "park")
    assert offered(await kim.get("/requests/ask")) == [new.item]
    assert offered(await kim.get(f"/requests/ask?item={old.item}")) == [old.item, new.item]
    hidden, nowhere = await park.get(f"/requests/ask?item={old.item}"), await park.get("/requests/ask?item=i-none")
    assert hidden.text == nowhere.text
    assert hidden.html.count(old.item) == nowhere.html.count("i-none")


async def test_while_the_index_is_made_a_loss_is_reported_by_its_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await world.given()
    kim = await browser(world.kr, "kim")
    flow = kim.desk.flows["register.page"]

    async def behind(_house: object, _request: ReadPage) -> None:
        raise Unavailable("the index is being made", code="index-behind")

    flows = {
        **kim.desk.flows,
        "register.page": type("Flow", (), {"request": flow.request, "run": staticmethod(behind)})(),
    }
    monkeypatch.setattr(kim.desk, "flows", flows)
    page = await kim.get("/incidents/report")
    assert (page.status, offered(page)) == (200, [])
    page = await kim.submit("/incidents/report", items=given.item, circumstances="an open door")
    assert "Items affected: 1" in page.text


async def test_a_refusal_for_the_purpose_leads_whoever_may_ask_to_the_consent(world: World) -> None:
    given = await world.given()
    kim = await browser(world.kr, "kim")
    purpose = "trade & <b>talks</b>"
    for path in (f"/items/{given.item}/open", "/onward/use"):
        await kim.get(path)
        page = await kim.submit(path, item=given.item, purpose=purpose)
        assert page.status == 403
        assert "A consent is asked for by an officer or a registry officer" in page.text
        assert "/requests/ask?" not in page.html
    await change_person(world.kr, ChangePerson(handle="kim", roles=("reader", "officer"), actor=ROOT))
    await kim.sign_in("kim")
    for path, act in ((f"/items/{given.item}/open", "open"), ("/onward/use", "use-for"), (None, "use-for")):
        if path is None:  # where all decisions are, the newest first
            page = await kim.get(f"/items/{given.item}/why")
        else:
            await kim.get(path)
            page = await kim.submit(path, item=given.item, purpose=purpose)
            assert page.status == 403
        link = next(each for each in page.read.links if each.startswith("/requests/ask?"))
        page = await kim.get(link)
        wanted = {"item": given.item, "purpose": purpose, "beneficiary": "kr"}
        assert wanted.items() <= dict(each for each in page.form("/requests/ask").fields if each[1]).items()
        assert ("acts", act) in page.form("/requests/ask").fields
        assert "<b>talks" not in page.html
    await kim.submit("/requests/ask", reason="talks begin", until="2027-01-31")
    assert "Asked JP for its consent" in kim.page.text


async def test_what_no_consent_changes_leads_nowhere(world: World) -> None:
    given = await world.given()
    abe = await browser(world.jp, "abe")
    page = await abe.get(f"/items/{given.item}/why")
    assert "/requests/ask" not in page.html.split("<main")[1]
    assert "A consent is asked for" not in page.text
