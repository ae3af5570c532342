"""People and places: who is changed or leaves, who keeps the node, who is briefed (``spec/places.md``)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.decision import model as decision
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, OpenedItem, open_item
from comity.flows.giving.release import Give, give
from comity.flows.handling.hands import in_hand
from comity.flows.house import HANDLE, PERSON_NAME
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.flows.people.clearances import GrantClearance, WithdrawClearance, grant_clearance, withdraw_clearance
from comity.flows.people.directory import ListDirectory, list_directory
from comity.flows.people.leaving import ChangePerson, RemovePerson, change_person, remove_person
from comity.flows.people.person_views import ListPeople, list_people
from comity.flows.people.places import (
    EvidenceCondition,
    GiveBriefing,
    InspectFacility,
    PostPerson,
    RegisterFacility,
    evidence_condition,
    give_briefing,
    inspect_facility,
    post_person,
    register_facility,
)
from comity.flows.people.site_registers import AskPersons, ListFacilities, list_facilities, show_persons
from world import RELATIONSHIP, ROOT, TODAY, World

SECRET = "군사 Ⅱ급 비밀"
LAYER = """
[layer]
format = 1
id = "kr-inspections"
version = "1"
kind = "domestic"
on = "jp-kr-2016"
party = "kr"
title = { en = "Inspections, as Seoul has them" }

[[clause]]
id = "i1"
heading = { en = "Every year" }
says = "Each contractor's site is inspected again within a year."
provenance = "P"
source = "an invented example"

[[interval]]
of = "inspection"
clause = "i1"
length = "P1Y"
"""


async def opened(world: World, item: str, reader: str, name: str = "opened.txt") -> OpenedItem:
    path = str(world.folder / name)
    return await open_item(world.kr, Open(item=item, purpose="air defence", path=path, actor=Actor(reader)))


async def cleared(world: World, handle: str) -> None:
    until = TODAY + timedelta(days=365)
    request = GrantClearance(handle=handle, mark=SECRET, until=until, basis="vetted", actor=ROOT, all_information=True)
    await grant_clearance(world.kr, request)


async def site(world: World, **changes: object) -> None:
    fields: dict[str, object] = {
        "facility": "works",
        "mark": SECRET,
        "until": TODAY + timedelta(days=365),
        "conditions": (),
        "evidence": "contract 7",
        "actor": ROOT,
        **changes,
    }
    await register_facility(world.kr, RegisterFacility(**fields))  # type: ignore[arg-type]  # by name


async def listed(world: World, handle: str) -> tuple[bool, bool, str] | None:
    """How Tokyo sees somebody of Seoul: withdrawn, receives, function."""
    await world.exchange()
    name = world.kr.pseudonym(RELATIONSHIP, (await world.kr.person(handle)).person)
    found = [each for each in await list_directory(world.jp, ListDirectory()) if each.pseudonym == name]
    return (found[0].withdrawn, found[0].receives, found[0].function) if found else None


# ---- changing and leaving -------------------------------------------------------------------------------------------


async def test_a_change_is_recorded_and_told_and_the_name_is_not(world: World) -> None:  # (1)
    shown = await change_person(
        world.kr, ChangePerson(handle="kim", function="Second desk", name="Kim M.", new_handle="minji", actor=ROOT)
    )
    assert (shown.handle, shown.function, shown.clearance, shown.topics) == (
        "minji",
        "Second desk",
        SECRET,
        ("missiles",),
    )
    assert await listed(world, "minji") == (False, True, "Second desk")
    assert await world.kr.side(HANDLE, "kim") is None
    assert await world.kr.side(PERSON_NAME, shown.person) == b"minji\nKim M."
    heads = world.kr.sequencer.head("domestic/kr").size
    await change_person(world.kr, ChangePerson(handle="minji", name="Kim Min-ji", actor=Actor("lee")))
    assert world.kr.sequencer.head("domestic/kr").size == heads  # a name stands in no record


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "nothing-changed"),
        ({"new_handle": "park"}, "handle-taken"),
        ({"new_handle": "root"}, "bad-handle"),
        ({"name": "Somebody", "actor": Actor("park")}, "no-role"),
        ({"function": "Other", "actor": Actor("park")}, "no-role"),
        ({"roles": ("auditor", "officer")}, "roles-apart"),
        ({"handle": "lee", "function": "Other", "actor": Actor("lee")}, "self-enrolment"),
    ],
)
async def test_a_change_is_refused(world: World, changes: dict[str, object], code: str) -> None:
    fields: dict[str, object] = {"handle": "kim", "actor": ROOT, **changes}
    with pytest.raises(Misuse) as raised:
        await change_person(world.kr, ChangePerson(**fields))  # type: ignore[arg-type]  # by name
    assert raised.value.code == code


async def test_who_leaves_hands_over_first_and_leaves_no_name(world: World) -> None:  # (2)
    await world.given()
    leaving = RemovePerson(handle="kim", reason="left the service", actor=ROOT)
    with pytest.raises(Misuse) as raised:
        await remove_person(world.kr, leaving)
    assert (raised.value.code, raised.value.place) == ("holds-copies", "6.f")
    shown = await remove_person(world.kr, RemovePerson(handle="choi", reason="left the service", actor=ROOT))
    assert (shown.removed, shown.roles, shown.clearance, shown.handle) == (True, (), None, shown.person)
    for table, key in ((HANDLE, "choi"), (PERSON_NAME, shown.person)):
        assert await world.kr.side(table, key) is None
    assert await listed(world, shown.person) == (True, False, "choi's desk")
    with pytest.raises(Misuse):
        await world.kr.person("choi")
    await world.person("kr", "choi")  # the handle is free again, for somebody else
    assert (await verify_ledger(world.kr, VerifyLedger())).findings == ()


async def test_what_somebody_has_in_hand_is_found_by_holder(world: World) -> None:  # (6)
    first = await world.given()
    await world.given(path=world.document(b"second", "second.txt"))
    kim = (await world.kr.person("kim")).person
    assert len(held := await in_hand(world.kr, kim)) == 2
    assert first.item in {each.item for each in held}
    assert await in_hand(world.kr, (await world.kr.person("park")).person) == ()
    people = {each.handle: each for each in await list_people(world.kr, ListPeople())}
    assert people["kim"].to_hand_over == ()  # cleared: nothing is to be handed over
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
    people = {each.handle: each for each in await list_people(world.kr, ListPeople())}
    assert len(people["kim"].to_hand_over) == 2


# ---- who keeps the node, who audits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["administrator", "auditor"])
async def test_who_keeps_the_node_or_audits_is_in_no_directory_and_opens_nothing(world: World, role: str) -> None:
    """(3)"""
    given = await world.given()
    await world.person("kr", "moon", roles=(role,))
    assert await listed(world, "moon") is None
    await change_person(world.kr, ChangePerson(handle="kim", roles=(role,), actor=ROOT))
    assert await listed(world, "kim") == (True, True, "kim's desk")
    with pytest.raises(Refused) as raised:
        await opened(world, given.item, "kim")
    assert raised.value.code == "no-reader"
    asked = await world.ask(recipients=(world.kr.pseudonym(RELATIONSHIP, (await world.kr.person("kim")).person),))
    assert asked.outcome == "forbidden"


async def test_who_audits_releases_nothing(world: World) -> None:  # (3)
    await world.person("jp", "endo", roles=("auditor",))
    with pytest.raises(Misuse) as raised:
        await give(
            world.jp,
            Give(
                path=world.document(),
                relationship=RELATIONSHIP,
                mark="極秘",
                topic="missiles",
                recipients=(await world.pseudonym("kim"),),
                purpose="air defence",
                actor=Actor("endo"),
            ),
        )
    assert raised.value.code == "no-role"


# ---- briefings ------------------------------------------------------------------------------------------------------


async def test_a_category_opens_to_who_was_briefed_on_it(world: World) -> None:  # (7)
    given = await world.given(categories=("crypto",))
    told = await opened(world, given.item, "kim")
    assert [each.code for each in told.decision.reasons if each.step == 15] == ["category-missing"]
    assert isinstance(told.decision, decision.NeedsConsent)
    briefing = GiveBriefing(on="crypto", material="instruction 9", given_by="lee", actor=Actor("kim"))
    assert await give_briefing(world.kr, briefing) == ("crypto",)
    assert (await opened(world, given.item, "kim")).opening is not None


@pytest.mark.parametrize(
    ("given_by", "code"), [("kim", "self-briefing"), ("park", "no-role"), ("nobody", "unknown-person")]
)
async def test_a_briefing_is_given_by_an_officer(world: World, given_by: str, code: str) -> None:  # (7)
    briefing = GiveBriefing(on="duties", material="instruction 4", given_by=given_by, actor=Actor("kim"))
    with pytest.raises(Misuse) as raised:
        await give_briefing(world.kr, briefing)
    assert raised.value.code == code


# ---- sites ----------------------------------------------------------------------------------------------------------


async def test_a_condition_that_no_agreement_asks_is_told_with_the_nearest(world: World) -> None:
    await site(world, nature="contractor")
    with pytest.raises(Misuse) as raised:
        await evidence_condition(
            world.kr, EvidenceCondition(facility="works", condition="16.z", evidence="file", actor=ROOT)
        )
    assert raised.value.code == "unknown-condition"
    assert "16." in raised.value.sentence
    with pytest.raises(Misuse) as raised:
        await site(world, conditions=("7.1",))
    assert raised.value.code == "unknown-condition"


async def test_a_register_says_who_is_not_cleared_any_more(world: World) -> None:  # (9)
    await site(world)
    await post_person(world.kr, PostPerson(handle="kim", facility="works", actor=Actor("lee")))
    world.clock.time += timedelta(days=400)
    shown = await show_persons(world.kr, AskPersons(facility="works"))
    assert [(each.handle, each.cleared) for each in shown.persons] == [("kim", False)]
    await cleared_again(world)
    await post_person(world.kr, PostPerson(handle="kim", facility="works", actor=Actor("lee"), posted=False))
    assert (await show_persons(world.kr, AskPersons(facility="works"))).persons == ()


async def cleared_again(world: World) -> None:
    until = world.clock.time + timedelta(days=10)
    await grant_clearance(
        world.kr,
        GrantClearance(handle="kim", mark=SECRET, until=until, basis="again", actor=ROOT, all_information=True),
    )


async def test_somebody_posted_elsewhere_moves(world: World) -> None:  # (9)
    await site(world)
    await site(world, facility="tower")
    await post_person(world.kr, PostPerson(handle="kim", facility="works", actor=ROOT))
    before = world.clock.now()
    await post_person(world.kr, PostPerson(handle="kim", facility="tower", actor=ROOT))
    sites = {each.facility: each.posted for each in await list_facilities(world.kr, ListFacilities())}
    assert sites == {"works": 0, "tower": 1}
    assert (await show_persons(world.kr, AskPersons(facility="works"))).persons == ()
    (then,) = (await show_persons(world.kr, AskPersons(facility="works", at=before))).persons
    assert then.handle == "kim"


async def test_the_next_inspection_is_due_when_a_layer_says(tmp_path: object) -> None:  # (10)
    world = await World.make(tmp_path, layers=(LAYER,))  # type: ignore[arg-type]  # a folder
    try:
        await site(world, nature="contractor")
        shown = await inspect_facility(world.kr, InspectFacility(facility="works", findings="in order", actor=ROOT))
        assert shown.inspection_due is not None
        assert shown.inspection_due.date() == (TODAY + timedelta(days=365)).date()
        late = TODAY + timedelta(days=500)
        with pytest.raises(Refused) as raised:
            await inspect_facility(
                world.kr, InspectFacility(facility="works", findings="in order", actor=ROOT, due=late)
            )
        assert (raised.value.code, raised.value.place) == ("inspection-too-late", "kr-inspections:i1")
    finally:
        await world.close()


async def test_all_of_it_can_be_made_again_from_the_journal(world: World) -> None:
    await site(world, nature="contractor")
    await inspect_facility(world.kr, InspectFacility(facility="works", findings="in order", actor=ROOT))
    await post_person(world.kr, PostPerson(handle="kim", facility="works", actor=ROOT))
    await world.given()
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
    await cleared(world, "kim")
    verified = await verify_ledger(world.kr, VerifyLedger())
    assert verified.findings == ()
