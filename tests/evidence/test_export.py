"""Exporting: a decided act of a person, whatever becomes of the agreement."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from comity.errors import Misuse
from comity.evidence.model import Shown
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AdoptAgreement, adopt_agreement
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.looking.evidence import ExportEvidence
from comity.flows.table import FLOWS
from comity.register.rows import DecisionRow
from evidence.made import SHOW_ALL, Made, codes, contents, told
from world import RELATIONSHIP, StandingClock, World, hand_over, library

HYPOTHETICAL = "jp-kr-2016.hypothetical.history.toml"


@pytest.fixture
async def fresh(tmp_path: Path) -> AsyncIterator[Made]:
    made = Made(await World.make(tmp_path))
    made.item = (await made.world.given()).item
    yield made
    await made.world.close()


async def test_an_export_is_decided_and_recorded(fresh: Made) -> None:
    """(6) (26)"""
    exported = await fresh.export("a")
    assert (exported.outcome, exported.withheld, exported.unwitnessed) == ("permit", 1, 0)
    assert exported.size == len(fresh.others["a"])
    rows = [row async for _, row in fresh.world.jp.rows(DecisionRow) if row.act == "export-evidence"]
    assert [(row.record.hex(), row.outcome) for row in rows] == [(exported.decision_record, "permit")]
    assert contents(fresh.others["a"]).decision == rows[0].record


async def test_an_embedded_third_country_officer_exports_nothing(fresh: Made) -> None:
    """(6): Article 6(a) stands before what he takes away, however high his clearance."""
    exported = await fresh.export("a", "kr", "smith")
    assert (exported.outcome, exported.path, exported.size) == ("needs-consent", "", 0)
    assert any(reason.clause == "6.a" and reason.effect == "needs" for reason in exported.decision.reasons)
    assert not (fresh.world.folder / "a.evidence").exists()
    rows = [row.outcome async for _, row in fresh.world.kr.rows(DecisionRow) if row.act == "export-evidence"]
    assert rows == ["needs-consent"]


async def test_what_was_never_given_has_no_evidence(fresh: Made) -> None:
    asked = await fresh.world.ask()
    given, fresh.item = fresh.item, asked.item
    with pytest.raises(Misuse, match="was never given"):
        await fresh.export("a")
    fresh.item = "i-unknown"
    with pytest.raises(Misuse, match="there is no item"):
        await fresh.export("a")
    fresh.item = given
    with pytest.raises(Misuse, match="there is nobody called"):
        await fresh.export("a", actor="nobody")


async def test_a_file_is_never_written_over(fresh: Made) -> None:
    await fresh.export("a")
    before = (fresh.world.folder / "a.evidence").read_bytes()
    with pytest.raises(Misuse):
        await fresh.export("a")
    assert (fresh.world.folder / "a.evidence").read_bytes() == before


async def test_what_the_other_party_has_not_cosigned_stands_by_its_author_alone(fresh: Made) -> None:
    """(3) (11) (15) (30): an opening that the giver has not seen yet."""
    await fresh.open_it()
    exported = await fresh.export("tail", "kr")
    assert exported.unwitnessed == 1
    verified = told(fresh.others["tail"])
    assert verified.chains[0].beyond == 1
    opening = next(each for each in verified.lines if each.code == "opening/1")
    assert (opening.status, opening.ground, opening.before) == ("attested", "one-party", None)
    tail = contents(fresh.others["tail"]).chains[0].records[-1]
    assert isinstance(tail, Shown)
    assert tail.path == ()
    await fresh.world.exchange()
    await fresh.export("seen", "kr")
    opening = next(each for each in told(fresh.others["seen"]).lines if each.code == "opening/1")
    assert opening.ground == "witnessed"


async def test_before_the_other_party_answered(fresh: Made) -> None:
    """(3) (30): given, and not receipted: sent is shown as sent."""
    world = fresh.world
    asked = await world.ask()
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await hand_over(world.kr, world.jp)
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    fresh.item = asked.item
    assert (await fresh.export("sent")).unwitnessed == 1
    verified = told(fresh.others["sent"])
    assert "receipt/1" not in codes(verified)
    given = next(each for each in verified.lines if each.code == "consignment/1")
    assert (given.status, given.word_of) == ("attested", "jp")


async def test_many_records_and_proofs_over_several_tiles(fresh: Made) -> None:
    """(5) (15): the item's records are found and proved among those of others."""
    item = fresh.item
    for _ in range(3):
        await fresh.world.given()
    fresh.item = item
    await fresh.export("a", withhold=SHOW_ALL)
    verified = told(fresh.others["a"])
    assert codes(verified).count("consignment/1") == 1
    assert verified.chains[0].size > 10


async def test_an_agreement_adopted_anew_leaves_the_old_decisions_as_they_were(fresh: Made) -> None:
    """(17) (23): the giving was decided under the first adoption, the export under the second."""
    await adopt_agreement(
        fresh.world.jp,
        AdoptAgreement(
            peer="kr",
            text=library("jp-kr-2016.toml"),
            history=library("jp-kr-2016.history.toml") + "\n# read again\n",
            layers=(),
            names=("a", "b"),
        ),
    )
    await fresh.export("a")
    verified = told(fresh.others["a"])
    assert codes(verified).count("agreement/1") == 2
    giving, export = [each for each in verified.lines if each.code == "decision/1"]
    assert "comity-house two-people" in giving.clauses
    assert giving.ground == export.ground == "replayed"


class Past(World):
    """The same two houses in November 2018."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock = StandingClock(datetime(2018, 11, 21, 3, 0, tzinfo=UTC))


async def test_evidence_after_the_agreement_lapsed(tmp_path: Path) -> None:
    """(6): under the hypothetical history nothing is given any more, and what was given can still be shown."""
    made = Made(await Past.make(tmp_path, HYPOTHETICAL))
    made.item = (await made.world.given()).item
    made.world.clock.time = datetime(2021, 1, 1, tzinfo=UTC)
    refused = await made.world.ask()
    assert refused.outcome == "no-basis"
    exported = await made.export("lapsed")
    assert exported.outcome == "permit"
    verified = told(made.others["lapsed"])
    assert verified.hypothetical is not None
    assert "not suspended" in verified.hypothetical
    export = [each for each in verified.lines if each.code == "decision/1"][-1]
    assert "21.4" in export.clauses
    await made.world.close()


def test_the_flow_is_in_the_table() -> None:
    flow = FLOWS["evidence.export"]
    assert flow.request is ExportEvidence
    plain = {"item": "i", "path": "p", "actor": {"handle": "sato"}}
    assert msgspec.convert(plain, flow.request).withhold == ("access", "other-decisions")
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**plain, "withhold": ["everything"]}, flow.request)
