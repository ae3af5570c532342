"""The story of a copy through many hands verifies for a stranger; a chain of custody that was bent does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from comity.errors import Rejected
from comity.evidence.chains import Stood
from comity.evidence.custody import check_hands, hands_before
from comity.evidence.exhibits import Exhibits
from comity.evidence.wording import line_wording
from comity.flows.actors import Actor
from comity.flows.handling.copying import MakeCopies, make_copies
from comity.flows.handling.handing_over import Carry, HandOver, TakeOver, carry, hand_over, take_over
from comity.flows.handling.losing import FindCopy, LoseCopy, find_again, lose_copy
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.record.bodies import Body
from comity.record.bodies.custody import Carried, CopyFound, HandedOver, Reproduced, TakenOver
from evidence.made import Made, codes, told
from world import ROOT, TODAY, World


async def through_hands(folder: Path) -> Made:
    """A paper that was carried, taken over, opened, copied, handed over, lost and found."""
    made = Made(await World.make(folder))
    world = made.world
    await world.person("kr", "yoon")
    until = TODAY.replace(year=TODAY.year + 1)
    grant = GrantClearance(
        handle="yoon", mark="군사 Ⅱ급 비밀", until=until, basis="vetted", all_information=True, actor=ROOT
    )
    await grant_clearance(world.kr, grant)
    await change_list(world.kr, ChangeList(topic="missiles", handle="yoon", listed=True, actor=ROOT))
    item = made.item = (await world.given(form="documentary")).item
    kim, yoon = Actor("kim"), Actor("yoon")
    await carry(world.kr, Carry(item=item, copy=1, actor=Actor("lee")))
    await take_over(world.kr, TakeOver(item=item, copy=1, actor=kim))
    await make_copies(world.kr, MakeCopies(item=item, copy=1, holders=("yoon",), purpose="air defence", actor=kim))
    await made.open_it()
    await hand_over(world.kr, HandOver(item=item, copy=1, taker="yoon", actor=kim))
    await take_over(world.kr, TakeOver(item=item, copy=1, actor=yoon))
    await lose_copy(world.kr, LoseCopy(item=item, copy=1_001, circumstances="not in its safe", actor=yoon))
    await find_again(world.kr, FindCopy(item=item, copy=1_001, circumstances="behind it", actor=yoon))
    await hand_over(world.kr, HandOver(item=item, copy=1_001, taker="kim", actor=yoon))
    await take_over(world.kr, TakeOver(item=item, copy=1_001, actor=kim))
    await made.open_it("again.txt")
    await world.exchange()
    return made


async def test_both_parties_show_the_whole_chain(tmp_path: Path) -> None:
    made = await through_hands(tmp_path)
    for party in ("jp", "kr"):
        await made.export(party, party, withhold=())
        verified = told(made.others[party])
        custody = [code for code in codes(verified) if code.split("/")[0] in KINDS]
        assert custody == [
            "carriage/1",
            "take-over/1",
            "reproduction/1",
            "opening/1",
            "hand-over/1",
            "take-over/1",
            "copy-lost/1",
            "copy-found/1",
            "hand-over/1",
            "take-over/1",
            "opening/1",
        ]
        by_code = {line.code: line for line in verified.lines}
        assert (by_code["take-over/1"].status, by_code["hand-over/1"].status) == ("proved", "attested")
        assert by_code["take-over/1"].clauses == ("12",)
        assert by_code["reproduction/1"].clauses == ("14",)
        assert "made copy 1001 for n-" in line_wording(by_code["reproduction/1"])
        assert all(line_wording(line) for line in verified.lines)
    await made.world.close()


KINDS = ("reproduction", "hand-over", "carriage", "take-over", "copy-lost", "copy-found", "opening")


# ---- bent chains: what no honest register would have taken, one record changed at a time -----------------------------


async def exhibits_of(made: Made) -> Exhibits:
    """The verified records of an export, as the checks see them."""
    from comity.evidence import verify as verifying

    caught: list[Exhibits] = []
    before = verifying.check_crossing

    def catch(exhibits: Exhibits) -> None:
        caught.append(exhibits)
        before(exhibits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifying, "check_crossing", catch)
        await made.export("whole", "kr", withhold=())
        told(made.others["whole"])
    return caught[0]


Bend = Callable[[Any], Body]
BENT: list[tuple[type[Body], int, Bend, str]] = [
    (TakenOver, 0, lambda body: msgspec.structs.replace(body, by="n-other"), "not-taker"),
    (TakenOver, 1, lambda body: msgspec.structs.replace(body, after=bytes(32)), "broken-custody"),
    (TakenOver, 1, lambda body: msgspec.structs.replace(body, copy=7), "other-copy"),
    (HandedOver, 0, lambda body: msgspec.structs.replace(body, after=bytes(32)), "broken-custody"),
    (HandedOver, 1, lambda body: msgspec.structs.replace(body, copy=9), "other-copy"),
    (Reproduced, 0, lambda body: msgspec.structs.replace(body, by="n-other"), "not-holder"),
    (
        Reproduced,
        0,
        lambda body: msgspec.structs.replace(body, copies=(msgspec.structs.replace(body.copies[0], number=1),)),
        "copy-number",
    ),
    (CopyFound, 0, lambda body: msgspec.structs.replace(body, after=bytes(32)), "broken-custody"),
    (Carried, 0, lambda body: msgspec.structs.replace(body, copy=7), "other-copy"),
]


async def test_a_bent_chain_is_refused(tmp_path: Path) -> None:
    made = await through_hands(tmp_path)
    exhibits = await exhibits_of(made)
    for kind, which, bend, code in BENT:
        stood = [each for each, _ in exhibits.of(kind)][which]
        check_hands(exhibits, stood)
        bent = msgspec.structs.replace(stood, body=bend(stood.body))
        with pytest.raises(Rejected) as refused:
            check_hands(exhibits, bent)
        assert refused.value.code == code, (kind, code)
        assert refused.value.place == stood.place
    await made.world.close()


async def test_a_copy_out_of_hand_is_neither_copied_nor_handed_on(tmp_path: Path) -> None:
    made = await through_hands(tmp_path)
    exhibits = await exhibits_of(made)
    sent, arrived = next(exhibits.of(HandedOver))[0], [each for each, _ in exhibits.of(TakenOver)][1]
    in_between = msgspec.structs.replace(arrived, body=msgspec.structs.replace(sent.body, after=sent.record.id))
    with pytest.raises(Rejected) as refused:
        check_hands(exhibits, in_between)
    assert refused.value.code == "not-held"
    holders = {number: hands.holder for number, hands in hands_before(exhibits, last_of(exhibits)).items()}
    kim, yoon = await made.world.pseudonym("kim"), await made.world.pseudonym("yoon")
    assert holders == {1: yoon, 1_001: kim}
    await made.world.close()


def last_of(exhibits: Exhibits) -> Stood:
    return exhibits.own.records[-1]
