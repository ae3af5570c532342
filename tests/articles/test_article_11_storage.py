"""Article 11: stored so that only those who are allowed to can get at it. Unchecked: it warns; a layer may refuse."""

from __future__ import annotations

from datetime import timedelta

from articles.conftest import MakeWorld
from clauses import against, article
from comity.decision.model import Outcome
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, OpenedItem, open_item
from comity.flows.people.places import PostPerson, RegisterFacility, post_person, register_facility
from world import ROOT, TODAY, World

STRICT = """
[layer]
format = 1
id = "kr-storage"
version = "1"
kind = "domestic"
on = "jp-kr-2016"
party = "kr"
title = { en = "Storage, as Seoul has it" }

[[clause]]
id = "s1"
heading = { en = "At an approved site only" }
says = "What was received is opened at sites that are approved for its level, and nowhere else."
provenance = "P"
source = "an invented example"

[[rule]]
id = "approved-site"
clause = "s1"
acts = ["open"]
requires = ["facility"]
"""


async def opened(world: World, item: str, name: str) -> OpenedItem:
    path = str(world.folder / name)
    return await open_item(world.kr, Open(item=item, purpose="air defence", path=path, actor=Actor("kim")))


def about_storage(decision: Outcome) -> list[tuple[str, str, str, str]]:
    return [
        (reason.code, reason.clause, reason.provenance, reason.effect)
        for reason in decision.reasons
        if reason.step == 16 and reason.instrument == "jp-kr-2016"
    ]


async def at_a_site(world: World, mark: str) -> None:
    await register_facility(
        world.kr,
        RegisterFacility(
            facility="air-staff",
            mark=mark,
            until=TODAY + timedelta(days=365),
            conditions=(),
            evidence="order 3",
            actor=ROOT,
        ),
    )


@article(
    "11",
    does="warns where information is handled at a site that is not approved for its level",
    command="comity facility post",
    rests_on=("storage",),
)
async def test_storage_warns_and_refuses_nothing(world: World) -> None:
    given = await world.given()
    told = await opened(world, given.item, "nowhere.txt")
    assert told.opening is not None
    assert about_storage(told.decision) == [("facility-missing", "11", "K", "warns")]
    await at_a_site(world, "군사 Ⅲ급 비밀")
    await post_person(world.kr, PostPerson(handle="kim", facility="air-staff", actor=ROOT))
    assert about_storage((await opened(world, given.item, "low.txt")).decision) == [
        ("facility-missing", "11", "K", "warns")
    ]
    await at_a_site(world, "군사 Ⅱ급 비밀")
    assert about_storage((await opened(world, given.item, "high.txt")).decision) == [
        ("facility-approved", "11", "K", "holds")
    ]


@article(
    "11",
    does="refuses it where a layer makes that a rule of its own, citing the layer",
    command="comity agreement adopt --layer",
)
async def test_a_layer_may_refuse_what_the_treaty_only_warns_of(make_world: MakeWorld) -> None:
    world = await make_world(layers=(STRICT,))
    given = await world.given()
    told = await opened(world, given.item, "nowhere.txt")
    assert told.opening is None
    assert against(told.decision) == {"kr-storage:s1"}
    await at_a_site(world, "군사 Ⅱ급 비밀")
    await post_person(world.kr, PostPerson(handle="kim", facility="air-staff", actor=ROOT))
    assert (await opened(world, given.item, "there.txt")).opening is not None
