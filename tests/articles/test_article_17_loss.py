"""Article 17: the originator is told at once; an investigation; the result, and the measures against recurrence."""

from __future__ import annotations

from typing import Literal

import pytest

from articles.conftest import MakeWorld
from clauses import article
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, open_item
from comity.flows.incidents.investigating import (
    CloseIncident,
    Investigate,
    ReleaseItems,
    TellResult,
    close_incident,
    investigate,
    release_items,
    tell_result,
)
from comity.flows.incidents.reporting import IncidentTold, ReportIncident, report_incident
from comity.flows.looking.duties import DutyShown, ListDuties, list_duties
from comity.register.rows import CopyRow
from comity.register.rows.incidents import IncidentRow
from world import RELATIONSHIP, World

LEE = Actor("lee")


async def reported(world: World, item: str, what: Literal["lost", "compromised", "suspected"] = "lost") -> IncidentTold:
    return await report_incident(
        world.kr,
        ReportIncident(items=(item,), what=what, circumstances="not in the safe on Monday", actor=Actor("kim")),
    )


async def duties(world: World, incident: str, item: str) -> dict[str, DutyShown]:
    """The duties about an incident, as the originator sees them."""
    await world.exchange()
    told = await list_duties(world.jp, ListDuties(item=item))
    return {each.obligation: each for each in told.duties if each.subject == incident}


@pytest.mark.parametrize("what", ["lost", "compromised", "suspected"])
@article(
    "17",
    does="tells the originator at once of a loss or compromise, actual or possible, in one command",
    command="comity incident report",
    rests_on=("o-17-notify",),
)
async def test_the_originator_is_told_at_once(world: World, what: Literal["lost", "compromised", "suspected"]) -> None:
    given = await world.given()
    told = await reported(world, given.item, what)
    owed = await duties(world, told.incident, given.item)
    notice = owed["o-17-notify"]
    assert (notice.clause, notice.who, notice.to, notice.within, notice.due) == ("17", "kr", "jp", "immediately", None)
    assert notice.discharged is not None
    row = await world.jp.need(IncidentRow, f"{RELATIONSHIP}/{told.incident}", "incident")
    assert (row.what, row.circumstances) == (what, "not in the safe on Monday")
    (copy,) = [copy async for _, copy in world.jp.rows(CopyRow, f"{RELATIONSHIP}/{given.item}/")]
    assert copy.state == ("lost" if what == "lost" else "held")


@article(
    "17",
    does="owes an investigation from the report on, until one is opened",
    command="comity incident investigate",
    rests_on=("o-17-investigate",),
)
async def test_an_investigation_is_owed_and_opened(world: World) -> None:
    given = await world.given()
    incident = (await reported(world, given.item)).incident
    assert (await duties(world, incident, given.item))["o-17-investigate"].discharged is None
    await investigate(world.kr, Investigate(incident=incident, note="the security branch", actor=LEE))
    assert (await duties(world, incident, given.item))["o-17-investigate"].discharged is not None


@article(
    "17",
    does="owes the result and the measures against recurrence once the investigation ends, and closes nothing before",
    command="comity incident result",
    rests_on=("o-17-report",),
)
async def test_result_and_measures_are_told(world: World) -> None:
    given = await world.given()
    incident = (await reported(world, given.item)).incident
    await investigate(world.kr, Investigate(incident=incident, note="the security branch", actor=LEE))
    await tell_result(world.kr, TellResult(incident=incident, result="misfiled", actor=LEE))
    assert (await duties(world, incident, given.item))["o-17-report"].discharged is None
    closing = CloseIncident(incident=incident, reason="all is told", actor=LEE)
    with pytest.raises(Misuse):
        await close_incident(world.kr, closing)
    await tell_result(world.kr, TellResult(incident=incident, measures="counted each evening", actor=LEE))
    assert (await duties(world, incident, given.item))["o-17-report"].discharged is not None
    assert (await close_incident(world.kr, closing)).stage == "closed"


@article(
    "17",
    "5",
    does="suspends opening of what is affected until released, where the arrangement says so, citing the arrangement",
    command="comity incident release",
    rests_on=("jp-kr-arrangement.example:suspended",),
)
async def test_an_arrangement_suspends_opening(make_world: MakeWorld) -> None:
    world = await make_world(layers=("jp-kr-arrangement.example.toml",))
    given = await world.given()

    async def opens() -> tuple[str, set[str]]:
        path = world.folder / "read.txt"
        path.unlink(missing_ok=True)
        told = await open_item(
            world.kr, Open(item=given.item, purpose="air defence", path=str(path), actor=Actor("kim"))
        )
        cited = {f"{each.instrument}:{each.clause}" for each in told.decision.reasons if each.effect == "forbids"}
        return told.outcome, cited

    incident = (await reported(world, given.item, "suspected")).incident
    assert await opens() == ("forbidden", {"jp-kr-arrangement.example:2.2"})
    await release_items(world.kr, ReleaseItems(incident=incident, reason="the seal was whole", actor=LEE))
    assert await opens() == ("permit", set())
