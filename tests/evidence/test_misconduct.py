"""What the other party did wrong can be shown, and it cannot spoil the file by doing it (``spec/evidence.md``)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comity.errors import Rejected
from comity.flows.house import House
from comity.flows.keeping.work import Draft, Work
from comity.record import bodies
from comity.record.bodies import Body
from comity.record.person_act import sign_act
from comity.record.statement import Record, SeenCheckpoint, read
from comity.register.rows import ConsignmentRow
from comity.register.verdict import Changes, Verdict
from evidence.made import Made, codes, told
from world import RELATIONSHIP, World


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Made]:
    made = Made(await World.make(tmp_path))
    made.item = (await made.world.given()).item
    yield made
    await made.world.close()


async def say_whatever(house: House, body: Body) -> None:
    """Say something that the house's own register would never accept, as a party that runs other software can."""

    async def job(work: Work) -> None:
        async def accept(_: Record) -> Verdict:
            return Changes(())

        work.judge = accept  # to say what the register would refuse
        await work.say(Draft(RELATIONSHIP, body))

    await house.sequencer.submit(job)


async def consignment(made: Made) -> ConsignmentRow:
    rows = [row async for _, row in made.world.jp.rows(ConsignmentRow) if row.item == made.item]
    return rows[-1]


async def misdeeds(made: Made) -> dict[str, Body]:
    given = (await consignment(made)).record
    kim, hong = await made.world.pseudonym("kim"), await made.world.pseudonym("hong")
    basis = bytes(32)
    opened: dict[str, Any] = {"consignment": given, "item": made.item, "copy": 1, "purpose": "p", "basis": basis}
    jp = made.world.jp.keys.log
    return {
        "not-holder": bodies.Opened(holder=hong, **opened),
        "other-copy": bodies.Unopenable(consignment=given, item=made.item, copy=9, code="c", reason="r"),
        "already-received": bodies.Received(consignment=given, item=made.item, copies=(1,)),
        "copies-differ": bodies.Received(consignment=given, item=made.item, copies=(1, 2)),
        "missing-record": bodies.Received(consignment=bytes(32), item=made.item, copies=(1,)),
        "unknown-key": sign_act(bodies.Opened(holder=kim, **opened), RELATIONSHIP, "kr", kim, jp.public, jp.sign),
    }


@pytest.mark.parametrize(
    "code", ["not-holder", "other-copy", "already-received", "copies-differ", "missing-record", "unknown-key"]
)
async def test_a_wrong_that_was_returned_is_told(fresh: Made, code: str) -> None:
    """(19)"""
    await say_whatever(fresh.world.kr, (await misdeeds(fresh))[code])
    await fresh.world.exchange()
    await fresh.export("shown")
    verified = told(fresh.others["shown"])
    assert [each.code for each in verified.open] == [code]
    assert verified.open[0].says.startswith("it was returned for it: ")
    verdict = next(each for each in verified.lines if each.code == "verdict/1")
    assert (verdict.party, verdict.status) == ("jp", "proved")
    assert codes(verified).count("consignment/1") == 1


async def test_a_wrong_of_ones_own_that_nobody_returned_is_refused(fresh: Made) -> None:
    """(22)"""
    await say_whatever(fresh.world.kr, (await misdeeds(fresh))["not-holder"])
    await fresh.export("shown", "kr")
    with pytest.raises(Rejected) as caught:
        told(fresh.others["shown"])
    assert caught.value.code == "not-holder"


@pytest.mark.parametrize(
    "changes",
    [{"purpose": "commerce"}, {"topic": "ships"}, {"form": "documentary"}],
    ids=lambda changes: next(iter(changes)),
)
async def test_what_was_given_on_other_terms_than_were_assured_is_refused(
    fresh: Made, changes: dict[str, object]
) -> None:
    """(21)"""
    entry = await fresh.world.jp.store.find((await consignment(fresh)).record)
    assert entry is not None
    body = read(entry.envelope, [fresh.world.jp.keys.record.public]).body
    assert isinstance(body, bodies.Consigned)
    copies = (msgspec.structs.replace(body.copies[0], number=2),)
    await say_whatever(fresh.world.jp, msgspec.structs.replace(body, copies=copies, **changes))
    await fresh.export("shown")
    with pytest.raises(Rejected) as caught:
        told(fresh.others["shown"])
    assert caught.value.code == "other-terms"


async def test_a_checkpoint_that_was_never_signed_is_seen(fresh: Made) -> None:
    """(27): the other party cites a checkpoint of ours that is another than the one it cosigned."""
    kr = fresh.world.kr
    genuine = kr.sequencer.seen[RELATIONSHIP]
    kr.sequencer.seen[RELATIONSHIP] = SeenCheckpoint(genuine.size, bytes(32))
    await fresh.open_it()
    await fresh.world.exchange(1)
    fresh.world.kr.sequencer.seen[RELATIONSHIP] = genuine
    await fresh.export("cited")
    found = told(fresh.others["cited"])
    assert [each.code for each in found.open] == ["two-histories"]
    assert found.open[0].place.startswith("the opening")


async def test_two_records_that_claim_to_follow_each_other(fresh: Made) -> None:
    """(27) (28): the story is told all the same."""
    fresh.world.kr.sequencer.seen[RELATIONSHIP] = SeenCheckpoint(1000, bytes(32))
    await fresh.open_it()
    for _ in range(2):  # so that the giver, who answers, has seen the opening before
        await say_whatever(fresh.world.kr, (await misdeeds(fresh))["other-copy"])
        await fresh.world.exchange()
    await fresh.export("crossed")
    verified = told(fresh.others["crossed"])
    assert {"opening/1", "verdict/1"} <= set(codes(verified))
    assert [each.code for each in verified.open] == ["other-copy", "other-copy", "order"]
