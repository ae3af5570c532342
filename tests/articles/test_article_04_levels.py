"""Article 4(1) and 4(2): which levels cross, what corresponds, how what is received is marked."""

from __future__ import annotations

from typing import Any

import pytest

from clauses import against, article
from comity.decision.wording import reason_wording
from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.giving.marks import MarkItem, mark_item
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Give, preview
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.looking.views import ShowInbox, show_inbox
from world import RELATIONSHIP, World


async def asked(world: World, mark: str) -> Any:
    request = Give(
        path=world.document(),
        relationship=RELATIONSHIP,
        mark=mark,
        topic="missiles",
        recipients=(await world.pseudonym("kim"),),
        purpose="air defence",
        actor=Actor("sato"),
    )
    return await preview(world.jp, request)


@article(
    "4",
    "4.1",
    does="lets exactly the listed levels cross and refuses the top level by name, before anything is sealed",
    command="comity give --mark",
    rests_on=("give",),
)
async def test_exactly_the_listed_levels_cross(world: World) -> None:
    for mark in ("極秘", "特定秘密", "秘"):
        told = await asked(world, mark)
        assert told.outcome == "needs-consent"
        assert any(each.code == "permitted" and each.clause == "4.1" for each in told.decision.reasons)
    told = await asked(world, "機密")
    assert told.outcome == "forbidden"
    (reason,) = [each for each in told.decision.reasons if each.step == 6]
    assert (reason.code, reason.clause) == ("above-ceiling", "4.1")
    assert "機密" in reason_wording(reason)
    with pytest.raises(Rejected) as raised:
        await asked(world, "極祕")
    assert "極秘" in str(raised.value)


@article(
    "4.2",
    does="marks what was received with the provider's name and its own equivalent level, by the clause",
    command="comity open",
    rests_on=("equivalence", "marking"),
)
async def test_what_was_received_carries_the_providers_name_and_the_own_level(world: World) -> None:
    given = await world.given()
    told = await open_item(
        world.kr,
        Open(item=given.item, purpose="air defence", path=str(world.folder / "opened"), actor=Actor("kim")),
    )
    assert told.banner is not None
    lines = {(line.kind, line.language): (line.text, line.clause) for line in told.banner.lines}
    assert lines["provided-by", "ko"] == ("제공처: 일본국 정부", "4.2")
    assert lines["mark", "ko"] == ("군사 Ⅱ급 비밀 (SECRET)", "4.2")
    assert "極秘" in lines["originator-mark", "en"][0]  # the originator's own label stays


@article(
    "4.2",
    does="leaves a person to choose where two marks correspond, and guesses none",
    command="comity inbox mark",
    rests_on=("equivalence", "o-4.2"),
)
async def test_the_way_back_has_two_marks_and_a_person_chooses(world: World) -> None:
    await world.both_ways()
    back = await world.given_back(mark="군사 Ⅱ급 비밀")
    (line,) = (await show_inbox(world.jp, ShowInbox())).received
    assert line.alternative is None
    open_now = [each for each in await owed(world, back.item) if each.discharged is None]
    assert [(each.obligation, each.who, each.within) for each in open_now] == [("o-4.2", "jp", "at-receipt")]
    request = Open(item=back.item, purpose="air defence", path=str(world.folder / "x"), actor=Actor("mori"))
    with pytest.raises(Refused, match="'極秘' or '特定秘密'") as raised:
        await open_item(world.jp, request)
    assert raised.value.place == "4.2"
    with pytest.raises(Misuse, match="'秘' is not among 極秘, 特定秘密"):
        await mark_item(world.jp, MarkItem(item=back.item, mark="秘", actor=Actor("ito")))
    shown = await mark_item(world.jp, MarkItem(item=back.item, mark="特定秘密", actor=Actor("ito")))
    assert shown.alternative.mark == "特定秘密"
    assert all(each.discharged for each in await owed(world, back.item) if each.obligation == "o-4.2")
    assert (await open_item(world.jp, request)).outcome == "permit"


async def owed(world: World, item: str) -> list[Any]:
    shown = await list_duties(world.jp, ListDuties(item=item, whose="mine"))
    return list(shown.duties)


@article(
    "4.2",
    does="discharges the duty to mark where one mark corresponds, as soon as the item is received",
    command="comity duties --item",
    rests_on=("o-4.2",),
)
async def test_where_one_mark_corresponds_it_is_marked_at_receipt(world: World) -> None:
    given = await world.given()
    for house in (world.jp, world.kr):
        shown = await list_duties(house, ListDuties(item=given.item))
        (duty,) = [each for each in shown.duties if each.obligation == "o-4.2"]
        assert (duty.clause, duty.who, duty.within) == ("4.2", "kr", "at-receipt")
        assert duty.discharged
        assert duty.due is None  # "at receipt" is a word, and no number is made of it
    assert against(given.decision) == set()
