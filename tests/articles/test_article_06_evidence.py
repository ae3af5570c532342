"""Article 6(f): control of what there is shows itself to a stranger, and only as far as the agreement lets it out."""

from __future__ import annotations

from pathlib import Path

from clauses import against, article
from comity.flows.actors import Actor
from comity.flows.looking.evidence import EvidenceExported, ExportEvidence, export_evidence
from world import World


async def exported(world: World, item: str, name: str, actor: str = "ito") -> EvidenceExported:
    path = str(world.folder / name)
    return await export_evidence(world.jp, ExportEvidence(item=item, path=path, actor=Actor(actor)))


@article(
    "6.f",
    does="decides and records before evidence about an item leaves the house, and writes nothing when it may not",
    command="comity evidence export",
    rests_on=("export-evidence",),
)
async def test_evidence_leaves_by_a_recorded_decision(world: World) -> None:
    given = await world.given()
    told = await exported(world, given.item, "item.evidence")
    assert told.outcome == "permit"
    assert any(each.code == "permitted" and each.clause == "6.f" for each in told.decision.reasons)
    assert Path(world.folder / "item.evidence").exists()


@article(
    "6.a",
    does="gives no evidence to somebody of a third country without the originator's consent",
    command="comity evidence export",
    rests_on=("third-party",),
)
async def test_evidence_is_not_for_somebody_who_serves_a_third_country(world: World) -> None:
    await world.both_ways()
    await world.person("jp", "jones", nationality="us", serves="us", roles=("registry",))
    back = await world.given_back()
    told = await exported(world, back.item, "third.evidence", "jones")
    assert told.outcome == "needs-consent"
    assert "jp-kr-2016:6.a" in against(told.decision)
    assert not Path(world.folder / "third.evidence").exists()
