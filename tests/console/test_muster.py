"""Musters on the console: begun, counted by labels, signed, explained; two registers compared (Article 6(f))."""

from __future__ import annotations

from comity.flows.actors import Actor
from comity.flows.handling.copies import ListCopies, list_copies
from comity.flows.looking.findings import ShowMusters, show
from comity.flows.looking.muster import CountCopies, SignMuster, count, sign
from console.browser import Browser, browser, outside_addresses
from flows.test_reconciling import connect
from world import World


async def begun(world: World) -> tuple[Browser, str]:
    lee = await browser(world.kr, "lee")
    page = await lee.get("/muster")
    assert "No muster yet." in page.text
    await lee.get("/muster/begin")
    await lee.submit("/muster/begin")
    return lee, lee.page.path.rpartition("/")[2]


async def test_begun_counted_and_signed(world: World) -> None:
    item = (await world.given()).item
    second = (await world.given(path=world.document(b"more", "more.txt"))).item
    lee, muster = await begun(world)
    assert "Begun. 2 copies are expected." in lee.page.text
    (copy,) = await list_copies(world.kr, ListCopies(item=item))
    await lee.get(f"/muster/{muster}/count")
    await lee.submit("/count", references=f"{copy.reference}\r\n{second}/1\r\n")
    assert "Counted: 2; left: 0." in lee.page.text
    await lee.get(f"/muster/{muster}/sign")
    assert 'name="tell" value="yes" checked' in lee.page.html
    await lee.submit(f"/{muster}/sign")
    assert "Look twice" in lee.page.text
    assert (await show(world.kr, ShowMusters())).musters[0].signed is None
    await lee.submit(f"/{muster}/sign", _button=("sure", "yes"))
    assert "Everything is as the register says." in lee.page.text
    page = await lee.get("/muster")
    assert (page.status, outside_addresses(page.html)) == (200, [])
    assert "No finding is open." in page.text


async def test_what_is_missed_is_a_finding_and_explained(world: World) -> None:
    item = (await world.given()).item
    lee, muster = await begun(world)
    await lee.get(f"/muster/{muster}/count")
    for typed, said in (("what?", "is no copy"), ("", "must not be empty"), ("c-x", "is no copy")):
        await lee.submit("/count", references=typed)
        assert lee.page.status >= 400
        assert said in lee.page.text
    await lee.submit("/count", references="c-aaaaaaaaaaaaaaaa")
    assert "no copy of the register" in lee.page.text
    await lee.get(f"/muster/{muster}/count")
    await lee.submit("/count", references="c-aaaaaaaaaaaaaaaa")
    assert (lee.page.status, "counted twice" in lee.page.text) == (400, True)
    await lee.get(f"/muster/{muster}/sign")
    await lee.submit(f"/{muster}/sign", sure="yes")
    assert "Signed. 2 findings are to be explained." in lee.page.text
    assert f"items={item}" in lee.page.html  # to report the loss
    (explain, other) = [link for link in lee.page.read.links if "/muster/findings/" in link]
    await lee.get(explain)
    await lee.submit("/muster/findings", reason="in the <i>duty</i> officer's safe", record="00")
    assert (lee.page.status, "there is no record" in lee.page.text) == (400, True)
    await lee.submit("/muster/findings", record="")
    assert "Explained:" in lee.page.text
    await lee.get(f"/muster/{muster}")
    assert "<i>duty" not in lee.page.html
    again = await lee.get(explain)
    unknown = await lee.get("/muster/findings/m-aaaaaaaaaaaaaaaa/1")
    assert (again.status, unknown.status) == (400, 400)
    assert (await lee.get(other)).status == 200


async def test_a_muster_that_is_over_is_not_counted_on(world: World) -> None:
    item = (await world.given()).item
    lee, muster = await begun(world)
    await lee.get(f"/muster/{muster}/count")
    await count(world.kr, CountCopies(references=(f"{item}/1",), actor=Actor("lee")))
    await sign(world.kr, SignMuster(actor=Actor("lee")))
    await lee.submit("/count", references=f"{item}/1")
    assert (lee.page.status, "has changed since you opened the form" in lee.page.text) == (409, True)
    assert f"{item}/1" in lee.page.html


async def test_a_muster_is_given_up(world: World) -> None:
    lee, muster = await begun(world)
    await lee.get(f"/muster/{muster}/drop")
    await lee.submit("/drop", sure="yes")
    assert "Given up" in lee.page.text
    assert (await lee.get(f"/muster/{muster}")).status == 400


async def test_whoever_does_not_answer_for_the_register_counts_nothing(world: World) -> None:
    for handle in ("kim", "park"):
        at = await browser(world.kr, handle)
        assert (await at.get("/muster")).status == 403
        assert (await at.get("/muster/m-aaaaaaaaaaaaaaaa")).status == 403
        await at.get("/muster/begin")
        await at.submit("/muster/begin")
        assert at.page.status == 403
    assert (await show(world.kr, ShowMusters())).musters == ()


async def test_two_registers_are_compared_over_the_wire(world: World) -> None:
    await world.given()
    ito = await browser(world.jp, "ito")
    await ito.get("/muster/compare")
    await ito.submit("/muster/compare")
    assert (ito.page.status, "nothing connects this house" in ito.page.text) == (503, True)
    connect(world)
    await ito.submit("/muster/compare", recount="yes")
    assert ito.page.status == 200, ito.page.text
    assert "Both registers say the same." in ito.page.text
    assert "as kept" in ito.page.text
    await ito.get("/muster/compare")
    await ito.submit("/muster/compare", whose="xx other/xx.yy")
    assert (ito.page.status, "choose one of those listed" in ito.page.text) == (422, True)
