"""A family of items: what a decision is told of it, who sees it, and what it costs to find."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from comity.decision import model as decision
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deciding.cases import handling_case
from comity.flows.deciding.lineage import ancestors_of, ancestry, originals, relationships_of
from comity.flows.deriving.descent import ShowLineage, descendants, known_in, show_lineage
from comity.flows.ending.recalls import Recall, recall
from comity.flows.handling.custody import copies_seen
from comity.flows.house import House
from comity.flows.incidents.affected import affected_by
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.flows.looking.evidence import ExportEvidence, export_evidence
from comity.flows.looking.views import ShowRegister, show_register
from comity.register.rows import AgreementRow, CopyRow, ItemRow
from comity.register.rows.lineage import ChildRow, DerivativeRow
from flows.test_deriving import cleared, made
from three import Three
from world import RELATIONSHIP, World


async def family(world: World) -> tuple[str, str, str, str]:
    """An item, its translation, an extract of that, and a document that contains the extract and the item."""
    given = (await world.given()).item
    translation = (await made(world, given)).item
    extract = (await made(world, translation, relation="extract")).item
    brief = (await made(world, given, extract, relation="contains")).item
    return given, translation, extract, brief


async def described(house: House, row: AgreementRow, item: str) -> decision.Item:
    """An item as a decision under one agreement is told of it."""
    registered = await house.need(ItemRow, item, "item")
    return (await ancestry(house, house.sequencer.rows.get, row, registered, "")).item


async def test_a_decision_meets_each_ancestor_once(world: World) -> None:
    given, translation, extract, brief = await family(world)
    row = await world.kr.agreement_row(RELATIONSHIP)
    item = await described(world.kr, row, brief)
    assert [(each.id, each.relation) for each in item.lineage] == [
        (name, relation) for name, relation in sorted(((given, "original"), (extract, "extract")))
    ]
    (through,) = [each for each in item.lineage if each.id == extract]
    assert [each.id for each in through.lineage] == [translation]
    assert through.lineage[0].lineage == ()  # the item itself was met already
    assert (item.relation, item.purpose, item.label.policy) == ("contains", "air defence", "kr")
    assert through.lineage[0].label.mark == "군사 Ⅱ급 비밀"


async def test_a_decision_knows_what_was_recalled_and_what_is_suspected(world: World) -> None:
    given, translation, _, _ = await family(world)
    await recall(world.jp, Recall(item=given, asks="return", reason="in error", actor=Actor("abe")))
    await world.exchange()
    await report_incident(
        world.kr, ReportIncident(items=(translation,), what="suspected", circumstances="?", actor=Actor("kim"))
    )
    row = await world.kr.agreement_row(RELATIONSHIP)
    item = await described(world.kr, row, translation)
    assert (item.suspected, item.recalled) == (True, False)
    assert [(each.id, each.suspected, each.recalled) for each in item.lineage] == [(given, False, True)]


async def test_an_act_takes_its_method_and_what_others_said(world: World) -> None:
    given = (await world.given()).item
    row = await world.kr.agreement_row(RELATIONSHIP)
    item = await world.kr.need(ItemRow, given, "item")
    person = await world.kr.person("kim")
    case = await handling_case(
        world.kr, row, item, person, "destroy", "", world.kr.now(), method="shred", request="d-1"
    )
    assert (case.method, case.request, case.act) == ("shred", "d-1", "destroy")
    both = await handling_case(
        world.kr, row, item, person, "extract", "", world.kr.now(), beside=(person, await world.kr.person("park"))
    )
    assert [each.pseudonym for each in both.recipients] == [await world.pseudonym("kim"), await world.pseudonym("park")]


async def test_both_sides_draw_the_same_family(world: World) -> None:
    given, translation, extract, brief = await family(world)
    await world.exchange()
    for house in (world.jp, world.kr):
        below = await show_lineage(house, ShowLineage(item=given))
        assert {line.item: line.ancestors for line in below.descendants} == {
            translation: (given,),
            extract: (translation,),
            brief: tuple(sorted((given, extract))),
        }
        above = await show_lineage(house, ShowLineage(item=brief))
        assert {line.item for line in above.ancestors} == {given, translation, extract}
        assert above.item.maker == "kr"
        assert above.item.copies == {"held": 1}
    assert (await show_lineage(world.jp, ShowLineage(item=given))).item.title == "report.txt"
    assert (await show_lineage(world.jp, ShowLineage(item=brief))).item.title == ""  # what Seoul calls it stays there


async def test_who_sees_what_of_a_family(world: World) -> None:
    given, translation, _, _ = await family(world)
    await cleared(world, "park")
    mine = (await made(world, translation, relation="extract", topic="radars", holders=("kim",))).item
    seen = await show_lineage(world.kr, ShowLineage(item=given, actor=Actor("park")))
    assert mine not in {line.item for line in seen.descendants}  # another list than hers
    assert mine in {line.item for line in (await show_lineage(world.kr, ShowLineage(item=given))).descendants}
    for item in (given, "i-aaaaaaaaaaaaaaaa"):
        with pytest.raises(Misuse) as refused:
            await show_lineage(world.kr, ShowLineage(item=item, actor=Actor("choi")))
        assert refused.value.sentence == f"there is no item {item!r}"
    await world.exchange()
    at_home = await show_lineage(world.jp, ShowLineage(item=translation, actor=Actor("sato")))
    assert [line.item for line in at_home.ancestors] == [given]  # what he gave he follows


async def test_where_an_item_belongs(world: World) -> None:
    given, translation, _, _ = await family(world)
    await world.exchange()
    assert await relationships_of(world.kr, given) == (RELATIONSHIP,)
    assert await relationships_of(world.jp, given) == ()  # its own
    assert await known_in(world.jp, given) == (RELATIONSHIP,)  # though given there
    assert await relationships_of(world.jp, translation) == (RELATIONSHIP,)
    assert await relationships_of(world.kr, "i-aaaaaaaaaaaaaaaa") == ()
    row = await world.kr.need(DerivativeRow, f"{RELATIONSHIP}/{translation}", "derivative")
    assert [each.item for each in await originals(world.kr, RELATIONSHIP, row)] == [given]


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[Three]:
    world = await Three.three(tmp_path)
    yield world
    await world.close()


async def test_in_another_relationship_the_item_stands_beside_itself(three: Three) -> None:
    japanese, american = (await three.given()).item, (await three.given_by_us()).item
    brief = (await made(three, japanese, american, relation="contains")).item
    further = (await made(three, brief, relation="extract")).item
    row = await three.kr.agreement_row(RELATIONSHIP)
    item = await described(three.kr, row, further)
    above, beside = item.lineage
    assert (above.id, above.agreement, [each.id for each in above.lineage]) == (brief, "jp-kr-2016", [japanese])
    assert (beside.id, beside.agreement) == (further, "kr-us-test")
    (other,) = beside.lineage
    assert (other.id, other.agreement, [each.id for each in other.lineage]) == (brief, "kr-us-test", [american])
    case = await handling_case(
        three.kr,
        row,
        await three.kr.need(ItemRow, further, "item"),
        await three.kr.person("kim"),
        "open",
        "air defence",
        three.kr.now(),
    )
    assert {standing.agreement for standing in case.facts.standings} == {"jp-kr-2016", "kr-us-test"}
    assert (await ancestors_of(three.kr, further))[0] == brief
    assert set(await ancestors_of(three.kr, further)) == {brief, japanese, american}


class Counted:
    """A store that counts what is scanned."""

    def __init__(self, house: House) -> None:
        self.scans = 0
        self._scan = house.store.scan

    async def scan(self, *given: object, **named: object) -> object:
        self.scans += 1
        return await self._scan(*given, **named)  # type: ignore[arg-type]  # as it was called


async def test_finding_what_is_affected_costs_what_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten other families in the register make no difference to the number of looks."""
    given, *rest = await family(world)
    counted = Counted(world.kr)
    monkeypatch.setattr(world.kr.store, "scan", counted.scan)
    assert set(await descendants(world.kr, [given])) == {given, *rest}
    await affected_by(world.kr, [given])
    first, counted.scans = counted.scans, 0
    for _ in range(10):
        await family(world)
    counted.scans = 0
    assert set(await descendants(world.kr, [given])) == {given, *rest}
    await affected_by(world.kr, [given])
    assert counted.scans == first
    assert len([row async for row in world.kr.rows(ChildRow)]) == 11 * 4
    assert len([row async for row in world.kr.rows(CopyRow)]) == 11 * 4


async def test_the_giver_sees_where_copies_of_what_was_made_are(world: World) -> None:
    _, translation, _, _ = await family(world)
    await world.exchange()
    for who in (None, Actor("sato"), Actor("ito")):
        copies = [copy.state async for _, copy in copies_seen(world.jp, translation, who)]
        assert copies == ["held"]
        (line, *_) = await show_register(world.jp, ShowRegister(actor=who))
        assert (translation, "translation", {"held": 1}) in [
            (each.item, each.relation, each.copies) for each in line.made
        ]


async def test_what_was_made_from_theirs_is_no_item_of_our_own(world: World) -> None:
    """A release authority sees what this house may release; what was made from received information is not that."""
    await world.both_ways()
    _, translation, _, _ = await family(world)
    assert not any(line.item == translation for line in await show_register(world.kr, _as("yoon")))
    assert any(line.item == translation for line in await show_register(world.kr, _as("kim")))


def _as(handle: str) -> ShowRegister:
    return ShowRegister(actor=Actor(handle))


async def test_evidence_is_of_what_was_given(world: World) -> None:
    _, translation, _, _ = await family(world)
    path = str(world.folder / "item.evidence")
    with pytest.raises(Misuse) as refused:
        await export_evidence(world.kr, ExportEvidence(item=translation, path=path, actor=Actor("lee")))
    assert refused.value.code == "not-given"
