"""A loss or compromise: reported in one command, told to each originator, followed to its end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor, NeedsSignature
from comity.flows.deriving.descent import ShowLineage, show_lineage
from comity.flows.handling.losing import FindCopy, find_again
from comity.flows.incidents.affected import affected_by
from comity.flows.incidents.investigating import (
    CloseIncident,
    Investigate,
    ListIncidents,
    ReleaseItems,
    ShowIncident,
    TellResult,
    close_incident,
    investigate,
    list_incidents,
    release_items,
    show_incident,
    tell_result,
)
from comity.flows.incidents.reporting import IncidentTold, ReportIncident, report_incident
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.maintaining.rebuilding import VerifyLedger, verify_ledger
from comity.record.bodies.incidents import AffectedCopy, IncidentAffected, IncidentOpened
from comity.record.encoding import encode
from comity.record.statement import DOMESTIC, chain_id, read
from comity.register.rows import CopyRow
from comity.register.rows.incidents import AffectedRow, IncidentRow, SuspicionRow
from flows.test_deriving import cleared, made
from flows.test_deriving import read as read_item
from flows.test_opening import KEY, strict_reader
from three import BESIDE, Three
from world import RELATIONSHIP, World, library

LEE = Actor("lee")
ARRANGEMENT = library("jp-kr-arrangement.example.toml")


async def report(world: World, *items: str, **changes: Any) -> IncidentTold:
    """Kim reports that his copy is lost, unless it is said otherwise."""
    wanted = {
        "items": items,
        "what": "lost",
        "circumstances": "not in the safe on Monday",
        "actor": Actor("kim"),
        **changes,
    }
    return await report_incident(world.kr, ReportIncident(**wanted))


async def states(world: World, item: str, place: str = RELATIONSHIP) -> list[str]:
    """Of the copies of an item, the same on both sides."""
    other = world.jp if place == RELATIONSHIP else world.us  # type: ignore[attr-defined]  # of three houses
    both = [[copy.state async for _, copy in house.rows(CopyRow, f"{place}/{item}/")] for house in (world.kr, other)]
    assert both[0] == both[1]
    return both[0]


async def owed(world: World, incident: str) -> set[str]:
    """What is open about an incident, as both sides see it."""
    found = []
    for house in (world.jp, world.kr):
        told = await list_duties(house, ListDuties())
        found.append({line.obligation for line in told.duties if line.subject == incident})
    assert found[0] == found[1]
    return found[0]


async def test_one_command_tells_the_originator_and_marks_what_is_lost(world: World) -> None:
    given = await world.given()
    told = await report(world, given.item)
    assert (set(told.told), told.lost, told.suspended) == ({RELATIONSHIP}, {given.item: (1,)}, ())
    await world.exchange()
    assert await states(world, given.item) == ["lost"]
    for house in (world.jp, world.kr):
        row = await house.need(IncidentRow, f"{RELATIONSHIP}/{told.incident}", "incident")
        assert (row.author, row.items, row.copies) == ("kr", (given.item,), ((given.item, 1),))
        assert row.circumstances == "not in the safe on Monday"
    assert await owed(world, told.incident) == {"o-17-investigate"}


async def test_everything_it_affects_is_found_and_recorded(world: World) -> None:
    """A translation is lost: what it was made from, what was made from it, and every copy of each."""
    given = await world.given()
    await cleared(world, "park")
    translation = await made(world, given.item, holders=("kim", "park"))
    extract = await made(world, translation.item, relation="extract")
    brief = await made(world, extract.item, relation="contains", holders=("park",))
    other = await world.given()
    told = await report(world, translation.item, copies=(2,))
    assert (told.items, told.copies, told.holders) == (4, 5, 2)
    bodies = [body async for body in _house_records(world)]
    (opened,) = [body for body in bodies if isinstance(body, IncidentOpened)]
    parts = [body for body in bodies if isinstance(body, IncidentAffected)]
    items = [item for part in parts for item in part.items]
    copies = [copy for part in parts for copy in part.copies]
    assert set(items) == {given.item, translation.item, extract.item, brief.item}
    assert other.item not in items
    assert sha256(encode((items, copies))).digest() == opened.digest
    assert AffectedCopy(RELATIONSHIP, translation.item, 2, await world.pseudonym("park"), "held") in copies
    shown = await show_incident(world.kr, ShowIncident(incident=told.incident))
    assert {(line.item, line.number, line.state) for line in shown.copies if line.kin == "itself"} == {
        (translation.item, 1, "held"),
        (translation.item, 2, "lost"),
    }
    await world.exchange()
    abroad = await show_incident(world.jp, ShowIncident(incident=told.incident))
    assert {line.item for line in abroad.copies} == set(items)


async def _house_records(world: World) -> AsyncIterator[object]:
    for entry in await world.kr.store.chain(chain_id(DOMESTIC, "kr"), 0, 1_000):
        yield read(entry.envelope, [world.kr.keys.record.public]).body


async def test_from_the_report_to_the_end(world: World) -> None:
    given = await world.given()
    incident = (await report(world, given.item)).incident
    assert (await investigate(world.kr, Investigate(incident=incident, note="the branch", actor=LEE))).stage == (
        "under investigation"
    )
    await world.exchange()
    assert await owed(world, incident) == set()
    told = await tell_result(world.kr, TellResult(incident=incident, result="misfiled", actor=LEE))
    assert told.stage == "result told, measures still to come"
    await world.exchange()
    assert await owed(world, incident) == {"o-17-report"}
    with pytest.raises(Misuse) as refused:
        await close_incident(world.kr, CloseIncident(incident=incident, reason="done", actor=LEE))
    assert refused.value.code == "not-reported"
    await tell_result(world.kr, TellResult(incident=incident, measures="counted each evening", actor=LEE))
    await world.exchange()
    assert await owed(world, incident) == set()
    assert (
        await close_incident(world.kr, CloseIncident(incident=incident, reason="done", actor=LEE))
    ).stage == "closed"
    await world.exchange()
    for house in (world.jp, world.kr):
        assert await list_incidents(house, ListIncidents()) == []
        (line,) = await list_incidents(house, ListIncidents(everything=True))
        assert (line.stage, line.result, line.measures) == ("closed", "misfiled", "counted each evening")
        assert (await verify_ledger(house, VerifyLedger())).findings == ()


async def test_a_false_alarm_is_closed_with_its_reason_and_the_copy_found(world: World) -> None:
    given = await world.given()
    incident = (await report(world, given.item)).incident
    await find_again(
        world.kr, FindCopy(item=given.item, copy=1, circumstances="in the copying room", actor=Actor("kim"))
    )
    closing = CloseIncident(incident=incident, reason="it was in the copying room", false_alarm=True, actor=LEE)
    assert (await close_incident(world.kr, closing)).stage == "false alarm"
    await world.exchange()
    assert await owed(world, incident) == set()
    assert await states(world, given.item) == ["held"]


BAD: list[tuple[str, type[Exception], dict[str, Any]]] = [
    ("no-item", Misuse, {"items": ()}),
    ("unknown-item", Misuse, {"items": ("i-aaaaaaaaaaaaaaaa",)}),
    ("not-holder", Refused, {"copies": (9,)}),
    ("bad-name", Misuse, {"incident": "x-1"}),
    ("not-third-ground", Misuse, {"ground": "jp"}),
    ("unknown-person", Misuse, {"actor": Actor("nobody")}),
]


@pytest.mark.parametrize(("code", "error", "changes"), BAD)
async def test_what_cannot_be_reported(
    world: World, code: str, error: type[Exception], changes: dict[str, Any]
) -> None:
    given = await world.given()
    wanted = {"items": (given.item,), **changes}
    with pytest.raises(error) as refused:
        await report(world, *wanted.pop("items"), **wanted)
    assert getattr(refused.value, "code", "") == code
    assert await states(world, given.item) == ["held"]
    assert [row async for row in world.kr.rows(AffectedRow)] == []


async def test_which_copy_is_said_where_there_are_several_and_once(world: World) -> None:
    given = await world.given()
    await cleared(world, "park")
    translation = await made(world, given.item, holders=("kim", "park"))
    with pytest.raises(Misuse) as refused:
        await report(world, translation.item)
    assert refused.value.code == "which-copy"
    assert "(1, 2)" in refused.value.sentence
    with pytest.raises(Misuse) as refused:
        await report(world, translation.item, given.item, copies=(1,))
    assert refused.value.code == "which-item"
    await report(world, translation.item, copies=(1,))
    with pytest.raises(Refused) as lost:
        await report(world, translation.item, copies=(1,))
    assert lost.value.code == "copy-state"
    assert (await report(world, translation.item)).lost == {
        translation.item: (2,)
    }  # now there is one that can be meant
    with pytest.raises(Misuse) as refused:
        await report(world, translation.item)
    assert "no copy" in refused.value.sentence


async def test_what_is_the_houses_own_is_reported_by_who_was_given_it(world: World) -> None:
    await world.both_ways()
    own = await world.given_back()
    with pytest.raises(Misuse) as refused:
        await report(world, own.item, actor=LEE, what="compromised")
    assert refused.value.code == "own-item"


async def test_who_may_not_see_it_learns_nothing(world: World) -> None:
    given = await world.given()
    incident = (await report(world, given.item)).incident
    for item in (given.item, "i-aaaaaaaaaaaaaaaa"):
        with pytest.raises(Misuse) as refused:
            await report(world, item, actor=Actor("choi"))
        assert refused.value.sentence == f"there is no item {item!r}"
    assert await list_incidents(world.kr, ListIncidents(actor=Actor("choi"))) == []
    for name in (incident, "x-aaaaaaaaaaaaaaaa"):
        with pytest.raises(Misuse) as refused:
            await show_incident(world.kr, ShowIncident(incident=name, actor=Actor("choi")))
        assert refused.value.sentence == f"there is no incident {name!r}; 'comity incident list' shows them"
    (line,) = await list_incidents(world.kr, ListIncidents(actor=Actor("kim")))
    assert line.incident == incident


async def test_only_a_security_officer_goes_on_with_it(world: World) -> None:
    given = await world.given()
    incident = (await report(world, given.item)).incident
    kim = Actor("kim")
    for act in (
        investigate(world.kr, Investigate(incident=incident, note="", actor=kim)),
        tell_result(world.kr, TellResult(incident=incident, result="nothing", actor=kim)),
        release_items(world.kr, ReleaseItems(incident=incident, reason="", actor=kim)),
        close_incident(world.kr, CloseIncident(incident=incident, reason="x", false_alarm=True, actor=kim)),
    ):
        with pytest.raises(Misuse) as refused:
            await act
        assert refused.value.code == "no-role"
    with pytest.raises(Misuse) as refused:
        await investigate(world.kr, Investigate(incident="x-aaaaaaaaaaaaaaaa", note="", actor=LEE))
    assert refused.value.code == "unknown-incident"


# ---- suspension -----------------------------------------------------------------------------------------------------


async def test_the_agreement_itself_suspends_nothing(world: World) -> None:
    given = await world.given()
    told = await report(world, given.item, what="suspected")
    assert told.suspended == ()
    assert (await read_item(world, given.item)).opening is not None


async def test_an_arrangement_suspends_opening_until_it_is_released(tmp_path: Path) -> None:
    world = await World.make(tmp_path, layers=(ARRANGEMENT,))
    given = await world.given()
    translation = await made(world, given.item)
    told = await report(world, given.item, what="suspected")
    assert [(each.instrument, each.clause) for each in told.suspended] == [("jp-kr-arrangement.example", "2.2")]
    for item, step in ((given.item, 10), (translation.item, 18)):
        refusal = await read_item(world, item)
        against = [each for each in refusal.decision.reasons if each.effect == "forbids"]
        assert {(each.step, each.instrument, each.clause) for each in against} == {
            (step, "jp-kr-arrangement.example", "2.2")
        }
    await world.exchange()
    assert await world.jp.row(SuspicionRow, f"{RELATIONSHIP}/{given.item}") is not None
    await release_items(world.kr, ReleaseItems(incident=told.incident, reason="the seal was whole", actor=LEE))
    assert (await show_incident(world.kr, ShowIncident(incident=told.incident))).suspended == ()
    for item in (given.item, translation.item):
        assert (await read_item(world, item)).opening is not None
    await world.close()


# ---- custody of keys, several agreements ----------------------------------------------------------------------------


async def test_who_keeps_his_own_key_signs_each_thing_that_is_said(world: World) -> None:
    given = await world.given(recipients=(await strict_reader(world),))
    wanted = {"actor": Actor("han"), "incident": "x-aaaaaaaaaaaaaaaa"}
    signatures: list[bytes] = []
    for _ in range(3):  # the report of the house, the one to Tokyo, the loss of the copy
        with pytest.raises(NeedsSignature) as asked:
            await report(world, given.item, **wanted)
        signatures.append(KEY.sign(asked.value.message))
        wanted["actor"] = Actor("han", tuple(signatures))
    assert (await report(world, given.item, **wanted)).incident == "x-aaaaaaaaaaaaaaaa"


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    world = await Three.three(tmp_path)
    yield world
    await world.close()


async def test_a_lost_document_is_told_to_the_originator_of_each_part(three: Three) -> None:
    japanese, american = await three.given(), await three.given_by_us()
    brief = await made(three, japanese.item, american.item, relation="contains")
    extract = await made(three, american.item, relation="extract")
    told = await report(three, brief.item)
    assert (set(told.told), told.possible) == ({RELATIONSHIP, BESIDE}, ())
    await three.everybody_exchanges()
    for place in (RELATIONSHIP, BESIDE):
        assert await states(three, brief.item, place) == ["lost"]
    shown = await show_incident(three.us, ShowIncident(incident=told.incident))
    assert {line.item for line in shown.copies} == {brief.item, american.item}
    assert extract.item not in {line.item for line in shown.copies}
    assert japanese.item not in str(shown)  # Washington does not learn of Tokyo's part
    for what in (await show_lineage(three.jp, ShowLineage(item=brief.item)),):
        assert [line.item for line in what.ancestors] == [japanese.item]


async def test_a_lost_copy_is_not_told_to_who_gave_nothing_that_was_in_it(three: Three) -> None:
    japanese, american = await three.given(), await three.given_by_us()
    brief = await made(three, japanese.item, american.item, relation="contains")
    told = await report(three, japanese.item)
    assert set(told.told) == {RELATIONSHIP}
    assert told.items == 2
    assert (await affected_by(three.kr, [japanese.item])).of("made from it")[0].item == brief.item


async def test_what_became_known_may_have_come_from_what_contains_it(three: Three) -> None:
    """Nobody knows from which paper: the originator of what stands beside it there is told of a possible compromise."""
    japanese, american = await three.given(), await three.given_by_us()
    brief = await made(three, japanese.item, american.item, relation="contains")
    further = await made(three, brief.item, relation="extract")
    told = await report(three, japanese.item, what="compromised")
    assert (set(told.told), told.possible) == ({RELATIONSHIP, BESIDE}, (BESIDE,))
    await three.everybody_exchanges()
    row = await three.us.need(IncidentRow, f"{BESIDE}/{told.incident}", "incident")
    assert (row.what, row.items, row.copies) == ("suspected", (brief.item,), ())
    assert further.item not in row.items  # it is below the one that is named
    changed = await close_incident(
        three.kr, CloseIncident(incident=told.incident, reason="a newspaper guessed", false_alarm=True, actor=LEE)
    )
    assert set(changed.records) == {RELATIONSHIP, BESIDE}


async def test_more_items_than_one_record_names_follow_in_further_ones(
    three: Three, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("comity.flows.incidents.reporting.LIST_ENTRIES_MAX", 2)
    monkeypatch.setattr("comity.flows.incidents.reporting.PART_COPIES", 2)
    japanese, american = await three.given(), await three.given_by_us()
    briefs = [(await made(three, japanese.item, american.item, relation="contains")).item for _ in range(5)]
    told = await report(three, japanese.item, what="compromised")
    await three.everybody_exchanges()
    row = await three.us.need(IncidentRow, f"{BESIDE}/{told.incident}", "incident")
    assert (len(row.items), row.parts) == (2, 2)
    suspected = {key.rpartition("/")[2] async for key, _ in three.us.rows(SuspicionRow, f"{BESIDE}/")}
    assert suspected == set(briefs)
    await release_items(three.kr, ReleaseItems(incident=told.incident, reason="guessed", actor=LEE))
    await three.everybody_exchanges()
    assert [row async for row in three.us.rows(SuspicionRow)] == []


async def test_on_third_ground_the_giver_investigates_where_it_chooses(world: World) -> None:
    given = await world.given()
    incident = (await report(world, given.item, ground="ocean-shipping")).incident
    await world.exchange()
    await investigate(world.jp, Investigate(incident=incident, note="ours", actor=Actor("ito")))
    await investigate(world.kr, Investigate(incident=incident, note="theirs", actor=LEE))
    await world.exchange()
    for house in (world.jp, world.kr):
        (line,) = await list_incidents(house, ListIncidents())
        assert (line.ground, line.investigation) == ("ocean-shipping", "theirs")
        assert line.followed is not None
        assert line.investigated is not None
