"""Article 13: how what was received is destroyed; what witnesses and certificates there are comes from elsewhere."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from clauses import against, article
from comity.errors import Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.ending.certificates import ShowCertificate, show_certificate
from comity.flows.ending.destruction import Destroy, Destruction, WitnessDestruction, destroy, witness
from comity.flows.ending.recalls import Recall, ShowRecall, recall, show_recall
from comity.flows.giving.opening import Open, open_item
from comity.flows.handling.handing_over import TakeOver, take_over
from comity.flows.keeping.erasing import HEADER
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.people.clearances import GrantClearance, grant_clearance
from comity.register.rows import CopyRow
from comity.stores.memory_disk import MemoryDisk
from world import RELATIONSHIP, ROOT, TODAY, World, new_house

EXAMPLE = "jp-kr-arrangement.example.toml"
KIM, LEE = Actor("kim"), Actor("lee")


async def destroyed(world: World, item: str, **changes: object) -> Destruction:
    request = {"item": item, "copy": 1, "method": "erase-key", "reason": "no longer needed", "actor": KIM, **changes}
    return await destroy(world.kr, Destroy(**request))


async def held(world: World, item: str, party: str = "kr") -> CopyRow:
    return await world.house(party).need(CopyRow, f"{RELATIONSHIP}/{item}/000001", "copy")


async def arranged(make_world: Any) -> World:
    """Both sides run the example arrangement, and ``lee`` is cleared to stand by."""
    world: World = await make_world(layers=(EXAMPLE,))
    until = TODAY + timedelta(days=365)
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="lee", mark="군사 Ⅱ급 비밀", until=until, basis="vetted", actor=ROOT, all_information=True
        ),
    )
    await world.exchange()
    return world


@article(
    "13",
    does="gives each destroyed copy a certificate that both registers have, and erases its key here and there",
    command="comity destroy",
    rests_on=("return-or-destroy",),
)
async def test_a_destroyed_copy_has_a_certificate_and_no_key(world: World) -> None:
    given = await world.given()
    told = await destroyed(world, given.item)
    assert told.certificate is not None
    await world.exchange()
    for party in ("jp", "kr"):
        house = world.house(party)
        row = await held(world, given.item, party)
        assert row.state == "destroyed"
        assert await house.side(HEADER, row.header.hex()) is None
        shown = await show_certificate(house, ShowCertificate(certificate=told.certificate.certificate))
        assert (shown.state, shown.method, shown.by.function) == ("complete", "erase-key", "kim's desk")
        assert "attested" in shown.attested


@article(
    "13",
    does="warns, and no more, where papers, media or equipment are destroyed in a way the article does not name",
    command="comity destroy",
    rests_on=("destroyed-beyond-recovery", "destroyed-beyond-rebuilding"),
)
@pytest.mark.parametrize(
    ("form", "method", "warned"),
    [("documentary", "shred", False), ("documentary", "crush", True), ("equipment", "shred", True)],
)
async def test_the_ways_of_the_article_are_named(world: World, form: str, method: str, warned: bool) -> None:
    given = await world.given(form=form)
    await take_over(world.kr, TakeOver(item=given.item, copy=1, actor=KIM))
    told = await destroyed(world, given.item, method=method)
    assert told.outcome == "permit"
    (reason,) = [each for each in told.decision.reasons if each.clause == "13"]
    assert (reason.effect, reason.provenance) == ("warns" if warned else "holds", "K")


@article(
    "13",
    does="asks no witness of its own; where an arrangement asks one, the copy is closed until he has signed",
    command="comity destroy witness",
    rests_on=("jp-kr-arrangement.example:destruction-witness",),
)
async def test_a_witness_is_asked_by_the_arrangement_and_cited_as_its(make_world: Any) -> None:
    plain: World = await make_world()
    item = (await plain.given()).item
    assert (await destroyed(plain, item)).outcome == "permit"
    world = await arranged(make_world)
    given = await world.given()
    told = await destroyed(world, given.item)
    assert against(told.decision) == {"jp-kr-arrangement.example:4.3"}
    assert told.certificate is not None
    request = Open(item=given.item, purpose="air defence", path=str(world.folder / "closed"), actor=KIM)
    with pytest.raises(Refused) as caught:
        await open_item(world.kr, request)
    assert caught.value.code == "copy-closed"
    done = await witness(world.kr, WitnessDestruction(certificate=told.certificate.certificate, actor=LEE))
    assert (done.state, (await held(world, given.item)).state) == ("complete", "destroyed")


@article(
    "13",
    does="returns instead of destroying, and names the methods, where an arrangement says so",
    command="comity destroy",
    rests_on=(
        "jp-kr-arrangement.example:returned-not-destroyed",
        "jp-kr-arrangement.example:destroy-electronic",
    ),
)
async def test_what_an_arrangement_forbids_is_cited_as_its(make_world: Any) -> None:
    world = await arranged(make_world)
    kept = await world.given(mark="特定秘密")
    assert "jp-kr-arrangement.example:4.4" in against((await destroyed(world, kept.item)).decision)
    other = await world.given(path=world.document(b"another", "another.txt"))
    told = await destroyed(world, other.item, method="burn")
    assert told.outcome == "forbidden"
    assert "jp-kr-arrangement.example:4.2" in against(told.decision)


@article(
    "13",
    does="destroys at once in a crisis where an arrangement lets it, and keeps the duty to tell the originator open "
    "until its node has heard",
    command="comity destroy certify --crisis",
    rests_on=("jp-kr-arrangement.example:a-crisis",),
)
async def test_in_a_crisis_it_is_destroyed_and_then_told(make_world: Any) -> None:
    world = await arranged(make_world)
    given = await world.given(mark="特定秘密")
    told = await destroyed(world, given.item, crisis=True, reason="the gate is breached")
    assert told.certificate is not None
    for party, done in (("kr", False), ("kr", True), ("jp", True)):
        if done:
            await world.exchange()
        (duty,) = [
            each
            for each in (await list_duties(world.house(party), ListDuties(item=given.item))).duties
            if each.obligation == "a-crisis"
        ]
        assert (duty.discharged is not None) is done


@article(
    "13",
    does="erases a destroyed key again before anything can be opened, when a copy of the database is put back",
    command="comity open",
    rests_on=("return-or-destroy",),
)
async def test_a_restored_database_opens_nothing_that_was_destroyed(world: World) -> None:
    given = await world.given()
    disk = world.kr.store._disk
    assert isinstance(disk, MemoryDisk)
    backup = copy.deepcopy(disk.database)
    await destroyed(world, given.item)
    await world.exchange()
    assert (await held(world, given.item)).state == "destroyed"
    await world.kr.close()
    disk.database = backup
    disk.sizes.clear()
    world.kr = await new_house("kr", world.folder, world.clock, disk)
    with pytest.raises(Rejected) as caught:
        await open_item(
            world.kr,
            Open(item=given.item, purpose="air defence", path=str(world.folder / "restored"), actor=KIM),
        )
    assert caught.value.code == "missing-header"


@article(
    "6.h",
    does="says who has answered a recall, for which copy, and who has not since when; what obliges is an arrangement",
    command="comity recall",
    rests_on=("jp-kr-arrangement.example:a-recall", "return-or-destroy"),
)
async def test_a_recall_is_answered_copy_by_copy(make_world: Any) -> None:
    world = await arranged(make_world)
    given = await world.given()
    (told,) = await recall(
        world.jp, Recall(item=given.item, asks="either", reason="sent by mistake", actor=Actor("abe"))
    )
    assert (told.clause, told.unanswered) == ("jp-kr-arrangement.example:4.1", 1)
    await world.exchange()
    (there,) = await show_recall(world.kr, ShowRecall(item=given.item))
    assert (there.by, there.unanswered) == ("jp", 1)
    gone = await destroyed(world, given.item)
    assert gone.certificate is not None
    await witness(world.kr, WitnessDestruction(certificate=gone.certificate.certificate, actor=LEE))
    await world.exchange()
    (told,) = await show_recall(world.jp, ShowRecall(item=given.item))
    assert told.unanswered == 0
    assert told.reached[0].answered is not None
