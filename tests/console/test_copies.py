"""Copies on both consoles: from hand to hand, lost and found, sent back, destroyed before a witness, asked back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from comity.flows.actors import Actor
from comity.flows.ending.destruction import WitnessDestruction, witness
from comity.flows.handling.copies import ListCopies, list_copies
from comity.flows.handling.losing import LoseCopy, lose_copy
from console.browser import Browser, browser, outside_addresses
from flows.test_destruction import EXAMPLE, clear, second
from world import World


@pytest.fixture
async def arranged(tmp_path: Path) -> AsyncIterator[World]:
    """Both sides run the example arrangement, which asks for witnesses; ``lee`` is cleared."""
    made = await World.make(tmp_path, layers=(EXAMPLE,))
    await clear(made, "lee")
    yield made
    await made.close()


async def state(world: World, party: str, item: str) -> str:
    (copy,) = await list_copies(world.house(party), ListCopies(item=item))
    return copy.state


async def test_a_copy_goes_from_hand_to_hand(world: World) -> None:
    item = (await world.given()).item
    await second(world)
    kim, yun = await browser(world.kr, "kim"), await browser(world.kr, "yun")
    page = await kim.get(f"/copies/{item}")
    assert (page.status, outside_addresses(page.html)) == (200, [])
    assert "군사 Ⅱ급 비밀" in page.html  # the banner, in the words of the reader's own side
    assert re.search(r"\bn-[a-z2-7]{16}", page.text) is None  # a reader is told who holds it, not by which pseudonym
    page = await kim.get(f"/copies/{item}/1")
    assert "Chain of custody" in page.text
    assert "Hand it over" in page.text
    await kim.get(f"/copies/{item}/1/hand-over")
    await kim.submit("/hand-over", taker="park")
    assert (kim.page.status, "What would change it" in kim.page.text) == (403, True)
    assert "park" in kim.page.html
    await kim.submit("/hand-over", taker="nobody_here")
    assert (kim.page.status, "nobody_here" in kim.page.html) == (400, True)
    await kim.submit("/hand-over", taker="yun")
    assert "Handed over to yun" in kim.page.text
    assert await state(world, "kr", item) == "in transit"
    page = await yun.get(f"/copies/{item}/1")
    assert "Sign for it" in page.text
    await yun.get(f"/copies/{item}/1/take-over")
    await yun.submit("/take-over", condition="a corner is torn")
    assert "Signed for; you hold the copy now." in yun.page.text
    assert "a corner is torn" in yun.page.text
    await world.exchange()
    ito = await browser(world.jp, "ito")
    assert "yun&#39;s desk" in (await ito.get(f"/copies/{item}/1")).html


async def test_copies_are_made_lost_and_found(world: World) -> None:
    item = (await world.given()).item
    await second(world)
    kim = await browser(world.kr, "kim")
    await kim.get(f"/copies/{item}/1/copy")
    await kim.submit("/copy", holders="yun\nkim", purpose="air defence")
    assert kim.page.status == 200, kim.page.text
    assert "Made: 1001 (yun) and 1002 (kim)" in kim.page.text
    await kim.get(f"/copies/{item}/1002/lost")
    assert "What will follow" in kim.page.text
    await kim.submit("/lost", circumstances="not in its safe")
    assert "The copy is now: lost." in kim.page.text
    await kim.get(f"/copies/{item}/1002/found")
    await kim.submit("/found", circumstances="behind the safe")
    assert "The copy is now: held." in kim.page.text


async def test_it_is_sent_back_after_a_second_look_and_signed_for(world: World) -> None:
    item = (await world.given()).item
    kim, ito = await browser(world.kr, "kim"), await browser(world.jp, "ito")
    await kim.get(f"/copies/{item}/1/return")
    await kim.submit("/return", reason="done with it")
    assert "Look twice" in kim.page.text
    assert "done with it" in kim.page.text
    assert await state(world, "kr", item) == "held"
    await kim.submit("/return", _button=("sure", "yes"))
    assert "Sent back to JP" in kim.page.text
    await world.exchange()
    assert "Sign for its return" in (await ito.get(f"/copies/{item}/1")).text
    await ito.get(f"/copies/{item}/1/take-back")
    await ito.submit("/take-back")
    assert "the copy is returned" in ito.page.text
    await world.exchange()
    assert await state(world, "kr", item) == "returned"
    again = await kim.get(f"/copies/{item}/1/return")
    await kim.submit("/return", reason="again")
    await kim.submit("/return", _button=("sure", "yes"))
    assert (again.status, kim.page.status, "copy 1 is returned" in kim.page.text) == (200, 403, True)


async def test_it_is_destroyed_before_a_witness(arranged: World) -> None:
    item = (await arranged.given()).item
    kim, lee = await browser(arranged.kr, "kim"), await browser(arranged.kr, "lee")
    await kim.get(f"/copies/{item}/1/destroy")
    assert "What will follow" in kim.page.text
    await kim.submit("/destroy", method="erase-key", reason="no longer <i>needed</i>")
    assert "its key erased" in kim.page.text.split("Look twice")[1]  # as its reader calls it
    await kim.submit("/destroy", _button=("sure", "yes"))
    assert kim.page.status == 200, kim.page.text
    assert "until its witnesses have signed" in kim.page.text
    assert "<i>needed" not in kim.page.html
    certificate = kim.page.path.rpartition("/")[2]
    await kim.get(f"/certificates/{certificate}/witness")
    await kim.submit("/witness")
    await kim.submit("/witness", _button=("sure", "yes"))
    assert (kim.page.status, "cannot witness it" in kim.page.text) == (403, True)
    await lee.get(f"/certificates/{certificate}/witness")
    await lee.submit("/witness")
    await lee.submit("/witness", _button=("sure", "yes"))
    assert "The certificate: complete." in lee.page.text
    assert "attested by its holder" in lee.page.text
    await arranged.exchange()
    ito = await browser(arranged.jp, "ito")
    assert "its key erased" in (await ito.get(f"/certificates/{certificate}")).text
    park = await browser(arranged.kr, "park")
    not_his = await park.get(f"/certificates/{certificate}")
    unknown = await park.get("/certificates/t-aaaaaaaaaaaaaaaa")
    assert not_his.status == unknown.status == 400
    assert not_his.text.replace(certificate, "T") == unknown.text.replace("t-aaaaaaaaaaaaaaaa", "T")


async def test_two_witnesses_at_once(arranged: World) -> None:
    item = (await arranged.given()).item
    kim, lee = await browser(arranged.kr, "kim"), await browser(arranged.kr, "lee")
    await kim.get(f"/copies/{item}/1/destroy")
    await kim.submit("/destroy", method="erase-key", reason="no longer needed", sure="yes")
    certificate = kim.page.path.rpartition("/")[2]
    await lee.get(f"/certificates/{certificate}/deny")
    await witness(arranged.kr, WitnessDestruction(certificate=certificate, actor=Actor("hong")))
    await lee.submit("/deny", reason="I saw nothing")
    assert (lee.page.status, "I saw nothing" in lee.page.html) == (409, True)


async def test_what_may_not_be_done_so_is_refused_with_its_article(arranged: World) -> None:
    item = (await arranged.given()).item
    kim = await browser(arranged.kr, "kim")
    await kim.get(f"/copies/{item}/1/destroy")
    await kim.submit("/destroy", method="shred", reason="no longer needed", sure="yes")
    assert kim.page.status == 403
    assert "Recorded as" in kim.page.text
    assert await state(arranged, "kr", item) == "held"
    await kim.get(f"/copies/{item}/1/destroy")
    await kim.submit("/destroy", method="by magic", reason="x", sure="yes")
    assert kim.page.status == 422


async def test_an_item_is_recalled_answered_for_and_the_recall_taken_back(world: World) -> None:
    item = (await world.given()).item
    abe, kim, lee = [
        await browser(house, who) for house, who in ((world.jp, "abe"), (world.kr, "kim"), (world.kr, "lee"))
    ]
    await abe.get(f"/copies/{item}/recall")
    assert "Nobody asks for it back" in abe.page.text
    await abe.get(f"/copies/{item}/recall/ask")
    await abe.submit("/recall/ask", asks="return", reason="sent by mistake", answer_by="2026-12-31")
    assert "1 copy is to be answered for" in abe.page.text
    assert "Nothing obliges the other side" in abe.page.text
    await world.exchange()
    assert "sent by mistake" in (await kim.get(f"/copies/{item}/recall")).text
    await abe.get(f"/copies/{item}/recall/lift")
    await abe.submit("/recall/lift", reason="it was right")
    assert "The recall is taken back." in abe.page.text
    await world.exchange()
    await lee.get(f"/copies/{item}/recall/purpose-ended")
    await lee.submit("/purpose-ended", reason="the exercise is over")
    await lee.submit("/purpose-ended", _button=("sure", "yes"))
    assert "Not needed since" in lee.page.text
    await kim.get(f"/copies/{item}/recall/ask")
    await kim.submit("/recall/ask", asks="return", reason="I want it")
    assert kim.page.status == 400
    assert "I want it" in kim.page.html


async def test_a_level_is_changed_and_one_that_is_none_is_not(world: World) -> None:
    item = (await world.given()).item
    abe = await browser(world.jp, "abe")
    await abe.get(f"/copies/{item}/levels/change")
    await abe.submit("/levels/change", mark="very secret", reason="why not")
    assert (abe.page.status, "very secret" in abe.page.html) == (422, True)
    await abe.submit("/levels/change", mark="", reason="why not")
    assert (abe.page.status, "name the new mark" in abe.page.text) == (400, True)
    await abe.submit("/levels/change", mark="秘", reason="no longer current", review="2027-11-21")
    assert "Changed. Notified:" in abe.page.text
    await world.exchange()
    lee = await browser(world.kr, "lee")
    assert "no longer current" in (await lee.get(f"/copies/{item}/levels")).text
    await lee.get(f"/copies/{item}/levels/change")
    await lee.submit("/levels/change", mark="군사 Ⅲ급 비밀", reason="mine now")
    assert lee.page.status in (400, 403)


async def test_what_is_not_his_is_unknown(world: World) -> None:
    item = (await world.given()).item
    park, kim = await browser(world.kr, "park"), await browser(world.kr, "kim")
    for end in ("", "/1", "/1/hand-over", "/1/destroy", "/recall", "/levels", "/recall/ask", "/levels/change"):
        not_his = await park.get(f"/copies/{item}{end}")
        unknown = await park.get(f"/copies/i-aaaaaaaaaaaaaaaa{end}")
        assert not_his.status == unknown.status, end
        assert "there is no" in unknown.text, end
        assert not_his.text.replace(item, "I") == unknown.text.replace("i-aaaaaaaaaaaaaaaa", "I")
    for number in ("7", "x", "-1", "99999999999999999999"):
        assert (await kim.get(f"/copies/{item}/{number}")).status == 403
    await scanned(park, item, world)


async def scanned(park: Browser, item: str, world: World) -> None:
    (copy,) = await list_copies(world.kr, ListCopies(item=item))
    page = await park.get(f"/copies?reference={copy.reference}")
    unknown = await park.get("/copies?reference=c-aaaaaaaaaaaaaaaa")
    assert page.status == unknown.status == 400
    assert page.text.replace(copy.reference, "C") == unknown.text.replace("c-aaaaaaaaaaaaaaaa", "C")
    lee = await browser(world.kr, "lee")
    assert (await lee.get(f"/copies?reference={copy.reference}")).path.startswith(f"/copies/{item}/1")


async def test_a_form_for_a_state_that_is_over_says_who_did_what(world: World) -> None:
    item = (await world.given()).item
    kim = await browser(world.kr, "kim")
    await kim.get(f"/copies/{item}/1/return")
    await lose_copy(world.kr, LoseCopy(item=item, copy=1, circumstances="gone", actor=Actor("lee")))
    await kim.submit("/return", reason="done with it")
    assert (kim.page.status, "lee (KR) did something meanwhile" in kim.page.text) == (409, True)
    assert "done with it" in kim.page.html


async def test_a_carrier_signs_by_the_label_and_learns_nothing(world: World) -> None:
    item = (await world.given()).item
    await second(world)
    kim = await browser(world.kr, "kim")
    await kim.get(f"/copies/{item}/1/hand-over")
    await kim.submit("/hand-over", taker="yun")
    (copy,) = await list_copies(world.kr, ListCopies(item=item))
    park = await browser(world.kr, "park")
    await park.get("/copies/carry")
    await park.submit("/copies/carry", reference=copy.reference, means="crate", inner_mark="x")
    assert (park.page.status, "not both" in park.page.text) == (400, True)
    await park.submit("/copies/carry", means="", inner_mark="")
    assert "Signed for as carrier" in park.page.text
    assert item not in park.page.html
