"""Passing on, showing and other use on the consoles: by consent, by a second person, and recorded (6(a), 6(c), 7.5)."""

from __future__ import annotations

import io

from comity.flows.actors import Actor
from comity.flows.consenting.passed_on import ListPassedOn, list_passed_on
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.seal.age import open_header, read_header
from console.browser import browser
from flows.consenting import US, answer, ask, ask_other_use, staffed
from world import RELATIONSHIP, World


async def test_another_use_is_refused_and_then_permitted_by_consent(world: World) -> None:
    item = (await world.given()).item
    kim = await browser(world.kr, "kim")
    await kim.get("/onward/use")
    await kim.submit("/onward/use", item=item, purpose="training")
    assert kim.page.status == 403
    assert "What would change it" in kim.page.text
    assert "Article 6.c" in kim.page.text
    assert "training" in kim.page.html
    assert 'href="/agreement/jp-kr-2016/jp.kr#clause-6.c"' in kim.page.html
    assert "A consent is asked for by an officer or a registry officer" in kim.page.text
    await kim.get("/onward/use")
    await kim.submit("/onward/use", item=item, purpose="training")
    await answer(world, (await ask_other_use(world, item)).request, conditions=("no notes",))
    await kim.submit("/onward/use")
    assert "You may use" in kim.page.text
    assert "On condition: no notes." in kim.page.text


async def test_a_copy_is_passed_on_by_consent_and_its_file_fetched(world: World) -> None:
    await staffed(world)
    item = (await world.given()).item
    kim = await browser(world.kr, "kim")
    fields = {
        "item": item,
        "copy": "1",
        "beneficiary": "us",
        "kind": "government",
        "recipient": str(US.recipient),
        "purpose": "air defence",
    }
    await kim.get("/onward/pass-on")
    await kim.submit("/onward/pass-on", **fields)
    assert (kim.page.status, "What would change it" in kim.page.text) == (403, True)
    await kim.submit("/onward/pass-on", recipient="age1nothing")
    assert (kim.page.status, "is no age recipient" in kim.page.text) == (400, True)
    await answer(world, (await ask(world, item)).request)
    await kim.submit("/onward/pass-on", **fields)
    assert "Asked: r-" in kim.page.text
    request = kim.page.text.split("Asked: ")[1].split(".")[0]
    await kim.get(f"/onward/pass-on/{request}/seal")
    await kim.submit("/seal")
    await kim.submit("/seal", _button=("sure", "yes"))
    assert kim.page.status == 403  # nobody has approved it
    await approve(world.kr, Approve(request=request, reason="needed", actor=Actor("baek")))
    await kim.get(f"/onward/pass-on/{request}/file")
    await kim.submit("/fetch")
    assert "was not carried out yet" in kim.page.text  # taking the file seals nothing
    await kim.get(f"/onward/pass-on/{request}/seal")
    await kim.submit("/seal")
    assert "Look twice" in kim.page.text
    await kim.submit("/seal", _button=("sure", "yes"))
    assert "Sealed to us and recorded" in kim.page.text
    await kim.submit("/fetch")
    assert kim.page.status == 200
    assert "attachment" in kim.page.headers["content-disposition"]

    header, _ = read_header(io.BytesIO(kim.page.body))
    assert len(open_header(header, [US])) == 16
    (line,) = await list_passed_on(world.kr, ListPassedOn())
    await kim.get("/onward")
    await kim.get(f"/onward/receipt?item={item}&copy={line.copy}")
    assert item in kim.page.html
    await kim.submit("/onward/receipt", receipt="no. 14/2026")
    assert "Recorded: us has" in kim.page.text
    await world.exchange()
    ito = await browser(world.jp, "ito")
    assert "no. 14/2026" in (await ito.get("/onward")).text
    park = await browser(world.kr, "park")
    assert item not in (await park.get("/onward")).html


async def test_a_file_that_was_not_sealed_is_not_to_be_fetched(world: World) -> None:
    kim = await browser(world.kr, "kim")
    await kim.get("/onward/pass-on/r-aaaaaaaaaaaaaaaa/file")
    await kim.submit("/fetch")
    assert (kim.page.status, "there is no request" in kim.page.text) == (400, True)


async def test_something_is_shown_once_it_was_assured_and_approved(world: World) -> None:
    sato = await browser(world.jp, "sato")
    await sato.get("/onward/show")
    fields = {
        "relationship": RELATIONSHIP,
        "recipients": await world.pseudonym("kim"),
        "manner": "oral",
        "purpose": "air defence",
    }
    await sato.submit("/onward/show", **fields)
    assert (sato.page.status, "its mark, its topic and a title" in sato.page.text) == (400, True)
    await sato.submit("/onward/show", **fields, mark="極秘", topic="missiles", title="what the radar <b>saw</b>")
    assert "Asked: r-" in sato.page.text
    assert "<b>saw" not in sato.page.html
    assert "kim&#39;s desk" in sato.page.html
    request = sato.page.text.split("Asked: ")[1].split(".")[0]
    await sato.get(f"/onward/show/{request}/done")
    await sato.submit("/done")
    assert (sato.page.status, "What would change it" in sato.page.text) == (403, True)
    await world.exchange()
    await assure(world.kr, Assure(request=request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    await approve(world.jp, Approve(request=request, reason="needed", actor=Actor("abe")))
    await sato.get(f"/onward/show/{request}/done")
    for none in ("1999-01-01", "yesterday", "2027-02-31T10:00", "0001-01-01T00:00"):
        await sato.submit("/done", at=none)
        assert (sato.page.status, "this is no day and time" in sato.page.text) == (422, True)
    await sato.submit("/done", at="1999-01-01T10:00")
    assert (sato.page.status, "before it was asked for" in sato.page.text) == (400, True)
    await sato.submit("/done", at="")
    assert "Recorded as shown" in sato.page.text
    again = await sato.get(f"/onward/show/{request}/done")
    assert (again.status, "there is no request" in again.text) == (400, True)
