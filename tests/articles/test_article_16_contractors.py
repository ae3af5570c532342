"""Article 16: fifteen conditions for contractors and sub-contractors; each has its evidence, each refuses alone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clauses import against, article
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.giving.answering import Assure, assure
from comity.flows.giving.opening import Open, OpenedItem, open_item
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.flows.people.places import (
    EvidenceCondition,
    GiveBriefing,
    InspectFacility,
    RegisterFacility,
    evidence_condition,
    give_briefing,
    inspect_facility,
    register_facility,
)
from comity.flows.people.site_registers import FacilityShown
from world import RELATIONSHIP, ROOT, TODAY, World

YEAR = timedelta(days=365)
SITE = "hanbit-works"
CONDITIONS = tuple(f"16.{letter}" for letter in "abcdefghijklmno")


async def site(world: World, name: str = SITE, **changes: object) -> FacilityShown:
    fields: dict[str, object] = {
        "facility": name,
        "mark": "군사 Ⅱ급 비밀",
        "until": TODAY + YEAR,
        "conditions": (),
        "evidence": "contract 7",
        "actor": ROOT,
        "nature": "contractor",
        **changes,
    }
    return await register_facility(world.kr, RegisterFacility(**fields))  # type: ignore[arg-type]  # by name


async def evidence(world: World, condition: str, name: str = SITE, **changes: object) -> FacilityShown:
    fields: dict[str, object] = {
        "facility": name,
        "condition": condition,
        "evidence": f"file on {condition}",
        "actor": ROOT,
        **changes,
    }
    return await evidence_condition(world.kr, EvidenceCondition(**fields))  # type: ignore[arg-type]  # by name


async def withdraw(world: World, condition: str, name: str = SITE) -> FacilityShown:
    return await evidence(world, condition, name, met=False, evidence="")


async def opened(world: World, item: str, reader: str = "hong", name: str = "opened.txt") -> OpenedItem:
    path = str(world.folder / name)
    return await open_item(world.kr, Open(item=item, purpose="air defence", path=path, actor=Actor(reader)))


async def given_to_hong(world: World) -> str:
    return (await world.given(recipients=(await world.pseudonym("hong"),))).item


async def assured(world: World, request: str) -> None:
    await assure(
        world.kr,
        Assure(
            request=request,
            relationship=RELATIONSHIP,
            recipient=await world.pseudonym("hong"),
            actor=Actor("lee"),
        ),
    )


@article(
    "16",
    *CONDITIONS,
    does="asks all fifteen conditions at a contractor's site, each with evidence: any one missing refuses alone",
    command="comity facility condition",
    rests_on=("contractor",),
)
async def test_each_of_the_fifteen_conditions_refuses_alone(world: World) -> None:
    await site(world)
    for condition in CONDITIONS:
        shown = await evidence(world, condition)
    assert [each.state for each in shown.conditions] == ["met"] * 15
    item = await given_to_hong(world)
    asked = await world.ask(recipients=(await world.pseudonym("hong"),), path=world.document(b"more", "more.txt"))
    await world.exchange()
    for condition in CONDITIONS:
        shown = await withdraw(world, condition)
        assert [each.condition for each in shown.conditions if each.state != "met"] == [condition]
        told = await opened(world, item)
        assert (told.outcome, against(told.decision)) == ("needs-consent", {f"jp-kr-2016:{condition}"})
        with pytest.raises(Misuse) as raised:  # and nothing more is given: it is not assured
            await assured(world, asked.request)
        assert raised.value.code == "contractor-conditions"
        assert f" {condition};" in raised.value.sentence
        await evidence(world, condition)
    assert (await opened(world, item)).opening is not None
    await assured(world, asked.request)


@article(
    "16",
    does="decides without the assurance of the conditions that nothing is given to a contractor's person",
    command="comity give --preview",
    rests_on=("contractor",),
)
async def test_nothing_is_given_to_a_contractors_person_without_the_conditions(world: World) -> None:
    asked = await world.ask(recipients=(await world.pseudonym("hong"),))
    assert {f"jp-kr-2016:{condition}" for condition in CONDITIONS} <= against(asked.decision)
    assert not any(each.startswith("jp-kr-2016:16") for each in against((await world.ask()).decision))


@article(
    "16",
    "16.b",
    does="counts evidence that has ended as missing",
    command="comity facility condition --until",
    rests_on=("contractor",),
)
async def test_evidence_that_ended_is_missing(world: World) -> None:
    await site(world)
    for condition in CONDITIONS:
        await evidence(world, condition, until=TODAY + timedelta(days=5 if condition == "16.b" else 300))
    item = await given_to_hong(world)
    assert (await opened(world, item)).opening is not None
    world.clock.time += timedelta(days=6)
    assert against((await opened(world, item, name="late.txt")).decision) == {"jp-kr-2016:16.b"}


@article(
    "16",
    does="asks of a sub-contractor's site what its parent firm's must meet too",
    command="comity facility add --under",
    rests_on=("contractor",),
)
async def test_a_sub_contractor_needs_the_conditions_of_its_parent_too(world: World) -> None:
    await site(world)
    await site(world, "second-works", parent=SITE)
    for name in (SITE, "second-works"):
        for condition in CONDITIONS:
            await evidence(world, condition, name)
    await world.person("kr", "nam", employer="contractor", firm="second-works")
    await grant_clearance(
        world.kr,
        GrantClearance(
            handle="nam", mark="군사 Ⅱ급 비밀", until=TODAY + YEAR, basis="vetted", actor=ROOT, all_information=True
        ),
    )
    await change_list(world.kr, ChangeList(topic="missiles", handle="nam", listed=True, actor=ROOT))
    await world.exchange()
    item = (await world.given(recipients=(await world.pseudonym("nam"),))).item
    assert (await opened(world, item, "nam")).opening is not None
    await withdraw(world, "16.k")  # at the parent's
    assert against((await opened(world, item, "nam", "again.txt")).decision) == {"jp-kr-2016:16.k"}
    shown = await evidence(world, "16.a", "second-works")
    assert {each.condition: each.state for each in shown.conditions}["16.k"] == "missing above"


@article(
    "16.f",
    does="lets evidence be borne out by the person's own acknowledged briefing on duties",
    command="comity briefing give",
    rests_on=("contractor",),
)
async def test_each_person_is_told_of_his_duties(world: World) -> None:
    await site(world, conditions=tuple(each for each in CONDITIONS if each != "16.f"))
    await evidence(world, "16.f", borne_out="briefings")
    asked = await world.ask(recipients=(await world.pseudonym("hong"),))
    await world.exchange()
    with pytest.raises(Misuse) as raised:
        await assured(world, asked.request)
    assert " 16.f;" in raised.value.sentence
    briefing = GiveBriefing(on="duties", material="instruction 4", given_by="lee", actor=Actor("hong"))
    assert await give_briefing(world.kr, briefing) == ("duties",)
    await assured(world, asked.request)


@article(
    "16.g",
    does="owes the first and each further inspection of a contractor's site, by the day the last one named",
    command="comity facility inspect",
    rests_on=("o-16-inspect", "contractor"),
)
async def test_sites_are_inspected_first_and_then_periodically(world: World) -> None:
    async def owed() -> list[tuple[str, object, bool]]:
        duties = await list_duties(world.kr, ListDuties(whose="mine"))
        return [(each.clause, each.due, each.overdue) for each in duties.duties if each.deed == "inspect-site"]

    await site(world, conditions=tuple(each for each in CONDITIONS if each != "16.g"))
    assert await owed() == [("16.g", None, False)]  # the text has no number, and nobody invents one
    await evidence(world, "16.g", borne_out="inspections")
    due = TODAY + timedelta(days=90)
    inspect = InspectFacility(facility=SITE, findings="two locks to replace", actor=ROOT, due=due)
    shown = await inspect_facility(world.kr, inspect)
    assert (shown.inspection_due, [each.findings for each in shown.inspections]) == (due, ["two locks to replace"])
    assert await owed() == [("16.g", due, False)]
    item = await given_to_hong(world)
    assert (await opened(world, item)).opening is not None
    world.clock.time += timedelta(days=91)
    assert await owed() == [("16.g", due, True)]
    assert against((await opened(world, item, name="late.txt")).decision) == {"jp-kr-2016:16.g"}
    await inspect_facility(world.kr, InspectFacility(facility=SITE, findings="in order", actor=ROOT))
    assert await owed() == []
    assert (await opened(world, item, name="after.txt")).opening is not None


@article(
    "16",
    does="opens the duty to secure the conditions before anything goes to a contractor's person, on both sides",
    command="comity duties",
    rests_on=("o-16-conditions",),
)
async def test_the_conditions_are_owed_before_release(world: World) -> None:
    await site(world, conditions=CONDITIONS)
    asked = await world.ask(recipients=(await world.pseudonym("hong"),))
    await world.exchange()
    for house, whose in ((world.kr, "mine"), (world.jp, "theirs")):
        duties = await list_duties(house, ListDuties(whose=whose))  # type: ignore[arg-type]  # one of its words
        (duty,) = [each for each in duties.duties if each.obligation == "o-16-conditions"]
        assert (duty.who, duty.within, duty.due) == ("kr", "before", None)
    await assured(world, asked.request)
    await world.exchange()
    for house in (world.kr, world.jp):
        duties = await list_duties(house, ListDuties())
        assert not [each for each in duties.duties if each.obligation == "o-16-conditions"]
