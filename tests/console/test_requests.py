"""Consents on both consoles: asked, granted on conditions, refused, dropped, taken back (Articles 6(a), 6(c))."""

from __future__ import annotations

from comity.flows.actors import Actor
from comity.flows.consenting.consent_register import ListConsents, list_consents
from comity.flows.consenting.granting import AnswerConsent, answer_consent
from console.browser import Browser, browser, outside_addresses
from world import RELATIONSHIP, World

UNTIL = "2027-01-31"


async def ask(at: Browser, item: str, **changes: str) -> None:
    await at.get("/requests/ask")
    fields = {
        "item": item,
        "acts": "pass-on",
        "beneficiary": "us",
        "kind": "government",
        "purpose": "air defence",
        "reason": 'an exercise <img src=x onerror="alert(1)">',
        "until": UNTIL,
        **changes,
    }
    await at.submit("/requests/ask", **fields)


async def asked(world: World) -> tuple[Browser, Browser, str]:
    """Lee asks in Seoul; Abe in Tokyo has heard of it."""
    given = await world.given()
    lee, abe = await browser(world.kr, "lee"), await browser(world.jp, "abe")
    await ask(lee, given.item)
    assert lee.page.status == 200, lee.page.text
    await world.exchange()
    (line,) = (await list_consents(world.jp, ListConsents())).asked
    return lee, abe, line.request


async def test_asked_in_seoul_granted_in_tokyo_and_taken_back(world: World) -> None:
    lee, abe, request = await asked(world)
    assert "Asked JP for its consent" in lee.page.text
    assert "no answer yet" in lee.page.text
    page = await abe.get("/requests")
    assert (page.status, outside_addresses(page.html)) == (200, [])
    assert "<img src=x" not in page.html
    assert "lee&#39;s desk" in page.html
    assert ">lee<" not in page.html  # which person asks stays in Seoul
    await abe.get(f"/requests/{request}/grant")
    assert "What will follow" in abe.page.text
    await abe.submit("/grant", conditions="on paper only\nno copies", until="2026-12-31", reason="agreed")
    assert "Granted: c-" in abe.page.text
    await world.exchange()
    page = await lee.get("/requests")
    assert "on paper only" in page.text
    assert "no copies" in page.text
    consent = (await list_consents(world.jp, ListConsents())).consents[0].consent
    await abe.get(f"/requests/consents/{consent}/withdraw")
    await abe.submit("/withdraw", reason="the exercise is over")
    assert "Look twice" in abe.page.text
    assert (await list_consents(world.jp, ListConsents())).consents[0].standing == "holds"
    await abe.submit("/withdraw", _button=("sure", "yes"))
    assert "Taken back" in abe.page.text
    await world.exchange()
    assert "withdrawn" in (await lee.get("/requests")).text


async def test_two_answer_at_once_and_the_second_is_told_of_the_first(world: World) -> None:
    _, abe, request = await asked(world)
    await world.person("jp", "baba", roles=("release-authority",))
    await abe.get(f"/requests/{request}/grant")
    await answer_consent(world.jp, AnswerConsent(request=request, granted=False, reason="not now", actor=Actor("baba")))
    await abe.submit("/grant", conditions="on paper only", reason="agreed")
    assert abe.page.status == 409
    assert "baba (JP) did something meanwhile" in abe.page.text
    assert "on paper only" in abe.page.html
    await abe.submit("/grant")
    assert abe.page.status >= 400
    (line,) = (await list_consents(world.jp, ListConsents())).consents
    assert line.standing == "refused"


async def test_refused_and_dropped(world: World) -> None:
    lee, abe, request = await asked(world)
    await abe.get(f"/requests/{request}/refuse")
    await abe.submit("/refuse", reason="not while it lasts")
    assert "Refused: c-" in abe.page.text
    await world.exchange()
    page = await lee.get("/requests")
    assert "not while it lasts" in page.text
    item = (await list_consents(world.kr, ListConsents())).asked[0].item
    await ask(lee, item, purpose="another exercise")
    line = next(each for each in (await list_consents(world.kr, ListConsents())).asked if each.answer == "silent")
    await lee.get(f"/requests/{line.request}/drop")
    await lee.submit("/drop", reason="cancelled")
    await lee.submit("/drop", _button=("sure", "yes"))
    assert "Dropped: r-" in lee.page.text


async def test_a_consent_unasked_to_a_pattern(world: World) -> None:
    abe = await browser(world.jp, "abe")
    await abe.get("/requests/consent")
    fields = {
        "relationship": RELATIONSHIP,
        "acts": ["pass-on", "show"],
        "beneficiaries": "us",
        "purpose": "air defence",
        "until": UNTIL,
        "reason": "trilateral",
        "topic": "missiles",
    }
    await abe.submit("/requests/consent", **{**fields, "topic": ""})
    assert abe.page.status >= 400  # about nothing
    assert "trilateral" in abe.page.html
    await abe.submit("/requests/consent", **fields)
    assert "Granted: c-" in abe.page.text
    await world.exchange()
    assert "missiles" in (await (await browser(world.kr, "lee")).get("/requests")).text


async def test_what_cannot_be_asked_is_said_and_kept(world: World) -> None:
    given = await world.given()
    lee, park = await browser(world.kr, "lee"), await browser(world.kr, "park")
    for day in ("2027-02-30", "tomorrow", "0001-01-01", "9999-12-31", "2027-1-1", "2027-01-01T00:00"):
        await ask(lee, given.item, until=day)
        assert (lee.page.status, "this is no day" in lee.page.text) == (422, True), day
        assert day in lee.page.html
    await ask(lee, given.item, acts="open", beneficiary="kr")
    assert (lee.page.status, "asks nobody" in lee.page.text) == (400, True)
    await ask(lee, given.item, acts="dance")
    assert lee.page.status == 422
    await ask(park, given.item)
    hidden = park.page
    await ask(park, "i-aaaaaaaaaaaaaaaa")
    assert hidden.status == park.page.status
    assert hidden.text.replace(given.item, "I") == park.page.text.replace("i-aaaaaaaaaaaaaaaa", "I")
    assert (await list_consents(world.kr, ListConsents())).asked == ()


async def test_a_request_that_is_not_his_is_unknown(world: World) -> None:
    _, abe, request = await asked(world)
    park = await browser(world.kr, "park")
    assert request not in (await park.get("/requests")).text
    not_his = await park.get(f"/requests/{request}/drop")
    unknown = await park.get("/requests/r-aaaaaaaaaaaaaaaa/drop")
    assert not_his.status == unknown.status == 400
    assert not_his.text.replace(request, "R") == unknown.text.replace("r-aaaaaaaaaaaaaaaa", "R")
    kim = await browser(world.kr, "kim")
    assert (await kim.get("/requests/c-aaaaaaaaaaaaaaaa/grant")).status == 400
    await abe.get(f"/requests/{request}/grant")
    unseen = await abe.get("/requests/consents/c-aaaaaaaaaaaaaaaa/withdraw")
    assert "there is no consent" in unseen.text


async def test_only_a_release_authority_answers(world: World) -> None:
    _, _, request = await asked(world)
    sato = await browser(world.jp, "sato")
    page = await sato.get("/requests")
    assert "Grant" not in page.text.split("Asked of us")[1].split("Asked by us")[0]
    await sato.get(f"/requests/{request}/grant")
    await sato.submit("/grant", reason="why not")
    assert (sato.page.status, "does not have the role" in sato.page.text) == (400, True)


async def test_a_feed_is_asked_about_where_the_agreement_asks_for_consent(world: World) -> None:
    lee = await browser(world.kr, "lee")
    await lee.get("/requests/ask-feed")
    await lee.submit(
        "/requests/ask-feed",
        feed="launches",
        mark="no such mark",
        topic="missiles",
        beneficiary="us",
        purpose="missile warning",
        reason="the three share it",
        until=UNTIL,
        relationship=RELATIONSHIP,
    )
    assert lee.page.status in (400, 422)
    assert "no such mark" in lee.page.html


async def test_one_request_is_shown_with_its_answer_by_either_name(world: World) -> None:
    lee, abe, request = await asked(world)
    page = await lee.get(f"/consents/{request}")
    assert (page.status, "no answer yet" in page.text, "극비" in page.html or "極秘" in page.html) == (200, True, True)
    await abe.get(f"/requests/{request}/grant")
    await abe.submit("/grant", conditions="on paper only", reason="agreed")
    await world.exchange()
    consent = (await list_consents(world.kr, ListConsents())).consents[0].consent
    for name in (request, consent):
        page = await lee.get(f"/consents/{name}")
        assert (page.status, "on paper only" in page.text) == (200, True)
    park = await browser(world.kr, "park")
    not_his, unknown = await park.get(f"/consents/{request}"), await park.get("/consents/r-aaaaaaaaaaaaaaaa")
    assert not_his.status == unknown.status == 400
    assert not_his.text.replace(request, "R") == unknown.text.replace("r-aaaaaaaaaaaaaaaa", "R")
