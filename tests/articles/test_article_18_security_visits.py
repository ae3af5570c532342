"""Article 18: security representatives visit after prior consultation; what they find is followed up."""

from __future__ import annotations

import pytest

from articles.conftest import MakeWorld
from articles.visiting import AUTHORITY, DAY, HOST, STARTS, asked, permitted, radar_hall, representative
from clauses import article
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.people.visit_views import ShowVisit, show_visit
from comity.flows.people.visits import CloseFinding, EndVisit, MakeFinding, close_finding, end_visit, make_finding
from world import RELATIONSHIP, World

FOLLOW_UP = """
[layer]
format = 1
id = "findings-arrangement"
version = "1"
kind = "arrangement"
on = "jp-kr-2016"
title = { en = "An invented arrangement on findings" }

[[clause]]
id = "f1"
heading = { en = "Follow-up" }
says = "What security representatives find is followed up within sixty days."
provenance = "P"
source = "an invented example"

[[obligation]]
id = "follow-up"
clause = "f1"
on = "finding-made"
who = "host-authority"
act = "close-finding"
to = "visiting-authority"
within = "P60D"
evidence = "what shows that it was followed up"
"""


async def found(world: World, visit: str, actor: str = "han", **changes: object) -> str:
    fields: dict[str, object] = {
        "relationship": RELATIONSHIP,
        "visit": visit,
        "says": "nobody logs who enters the hall",
        "wanted": "a log",
        "actor": Actor(actor),
        **changes,
    }
    shown = await make_finding(world.kr, MakeFinding(**fields))  # type: ignore[arg-type]  # by name
    await world.exchange()
    return shown.findings[-1].finding


def closing(visit: str, finding: str, actor: Actor = HOST) -> CloseFinding:
    evidence = "a log is kept since 1 March"
    return CloseFinding(relationship=RELATIONSHIP, visit=visit, finding=finding, evidence=evidence, actor=actor)


@article(
    "18",
    does="consults beforehand on visits of security representatives, and decides them as inspections too",
    command="comity visit ask --security",
    rests_on=("inspect",),
)
async def test_representatives_visit_after_consultation(world: World) -> None:
    await radar_hall(world)
    await representative(world)
    visit = await asked(world, visitors=("han",), security=True, purpose="comparing how both protect")
    with pytest.raises(Misuse) as raised:  # nobody was consulted yet
        await found(world, visit.visit)
    assert raised.value.code == "visit-dates"
    told = await permitted(world, visit)
    assert told.outcome == "permit"
    assert {each.clause for each in told.decision.reasons if each.step == 9} == {"18"}


@article(
    "18",
    does="records what the representatives found, and closes each finding with what shows that it was followed up",
    command="comity visit finding",
)
async def test_findings_are_followed_up(make_world: MakeWorld) -> None:
    world = await make_world(layers=(FOLLOW_UP,))
    await radar_hall(world)
    await representative(world)
    visit = (await permitted(world, await asked(world, visitors=("han",), security=True))).visit.visit
    plain = (await permitted(world, await asked(world))).visit.visit
    world.clock.time = STARTS + DAY
    with pytest.raises(Misuse) as raised:
        await found(world, plain, "kim")
    assert raised.value.code == "not-security"
    with pytest.raises(Misuse) as raised:
        await found(world, visit, "kim")
    assert raised.value.code == "unknown-visit"
    with pytest.raises(Misuse) as raised:
        await found(world, visit, "lee")
    assert raised.value.code == "other-visitor"
    finding = await found(world, visit)
    for house in (world.jp, world.kr):
        (duty,) = [each for each in (await list_duties(house, ListDuties())).duties if each.deed == "close-finding"]
        assert (duty.who, duty.to, duty.instrument, duty.due is not None) == ("jp", "kr", "findings-arrangement", True)
    with pytest.raises(Misuse) as raised:
        await close_finding(world.kr, closing(visit, finding, AUTHORITY))
    assert raised.value.code == "not-host"
    await close_finding(world.jp, closing(visit, finding))
    await world.exchange()
    seen = await show_visit(world.kr, ShowVisit(relationship=RELATIONSHIP, visit=visit))
    assert [(each.says, each.evidence) for each in seen.findings] == [
        ("nobody logs who enters the hall", "a log is kept since 1 March")
    ]
    assert not [each for each in (await list_duties(world.jp, ListDuties())).duties if each.deed == "close-finding"]
    with pytest.raises(Misuse) as raised:
        await close_finding(world.jp, closing(visit, finding))
    assert raised.value.code == "finding-closed"
    request = EndVisit(relationship=RELATIONSHIP, visit=visit, report="the systems compare", actor=Actor("han"))
    assert (await end_visit(world.kr, request)).state == "ended"
