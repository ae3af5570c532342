"""Article 2: what is covered and how it is identified, whose role is whose, who is cleared. (2(d): authorities.)"""

from __future__ import annotations

from datetime import timedelta

import pytest

from clauses import against, article
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, OpenedItem
from comity.flows.giving.release import Give, preview
from comity.flows.people.clearances import GrantClearance, WithdrawClearance, grant_clearance, withdraw_clearance
from openings import asked_to_open
from world import ROOT, TODAY, World


async def opened(world: World, item: str, reader: str, name: str = "opened.txt") -> OpenedItem:
    path = str(world.folder / name)
    asked = Open(item=item, purpose="air defence", path=path, actor=Actor(reader))
    return await asked_to_open(world.kr, asked)


@article(
    "2",
    "2.a",
    does="gives no basis for what is not defence-related",
    command="comity give --subject",
    rests_on=("scope.subjects",),
)
async def test_what_is_not_defence_related_is_not_covered(world: World) -> None:
    assert (await world.ask()).outcome == "needs-consent"
    asked = await world.ask(subject="trade")
    assert asked.outcome == "no-basis"
    assert "jp-kr-2016:2.a" in against(asked.decision)


@pytest.mark.parametrize("form", ["electronic", "magnetic", "documentary", "equipment", "technology"])
@article("2.a", does="covers every form in which a copy changes hands", command="comity give --form")
async def test_every_form_is_covered(world: World, form: str) -> None:
    asked = await world.ask(form=form)
    (reason,) = [each for each in asked.decision.reasons if each.step == 5]
    assert (reason.code, reason.clause, reason.effect) == ("form-covered", "2.a", "holds")


@article(
    "2.a",
    does="puts the identification mark on what was received, in each party's language",
    command="comity open",
    rests_on=("marking", "marking.identification"),
)
async def test_the_identification_mark_stands_on_what_was_received(world: World) -> None:
    given = await world.given()
    told = await opened(world, given.item, "kim")
    assert told.banner is not None
    lines = {(line.language, line.text): line.clause for line in told.banner.lines if line.kind == "identification"}
    assert lines[("en", "CLASSIFIED MILITARY INFORMATION")] == "2.a"
    assert lines[("ko", "군사비밀정보")] == "2.a"


@article(
    "2.b",
    "2.c",
    does="knows per item who provides and who receives: the same act is one side's here and the other's there",
    command="comity give",
    rests_on=("give", "assurance", "assurance-before-giving"),
)
async def test_the_roles_belong_to_the_item(world: World) -> None:
    await world.both_ways()
    there = await world.given()
    back = await world.given_back()
    for given, provider, receiver in ((there, world.jp, world.kr), (back, world.kr, world.jp)):
        assert any(each.code == "conditions-met" and each.clause == "7.5" for each in given.decision.reasons)
        (assured,) = {each.by for each in await _attestations(given.decision_record, provider)}
        assert assured == receiver.party  # whoever receives assures, whichever country that is
    for house in (world.jp, world.kr):
        from comity.flows.looking.views import ShowRegister, show_register

        own = {line.item: line.label.originator for line in await show_register(house, ShowRegister())}
        assert own[there.item] == "jp"
        assert own[back.item] == "kr"


async def _attestations(record: str, house: object) -> tuple[object, ...]:
    from comity.flows.deciding.decisions import AskDecision, ask_decision

    shown = await ask_decision(house, AskDecision(record=record))  # type: ignore[arg-type]  # either house
    return shown.case.facts.attestations


@article(
    "2.e",
    does="holds a clearance of each individual, with what it rests on and its end; without one nothing opens",
    command="comity clearance grant",
    rests_on=("access",),
)
async def test_a_clearance_is_an_individuals_and_ends(world: World) -> None:
    given = await world.given()
    assert "jp-kr-2016:7.2" in against((await opened(world, given.item, "park")).decision)
    until = TODAY + timedelta(days=30)
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="park",
            mark="군사 Ⅱ급 비밀",
            until=until,
            basis="vetted by the agency",
            actor=ROOT,
            all_information=True,
        ),
    )
    with pytest.raises(Refused) as raised:  # cleared now, and on the list: all that he lacks is a copy
        await opened(world, given.item, "park")
    assert raised.value.code == "not-holder"
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
    told = await opened(world, given.item, "kim")
    assert "jp-kr-2016:7.2" in against(told.decision)
    assert told.opening is None


@article(
    "2.a", does="asks beforehand, without giving anything, whether an item is covered", command="comity give --preview"
)
async def test_whether_it_is_covered_is_asked_before_anything_is_sealed(world: World) -> None:
    asked = Give(
        path=world.document(),
        relationship="jp-kr-2016/jp.kr",
        mark="極秘",
        topic="missiles",
        recipients=(await world.pseudonym("kim"),),
        purpose="air defence",
        subject="trade",
        actor=Actor("sato"),
    )
    told = await preview(world.jp, asked)
    assert told.outcome == "no-basis"
    assert await world.jp.blobs.all() == []
