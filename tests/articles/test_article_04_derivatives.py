"""Article 4(3): documents that the recipient makes and that contain supplied information are marked too."""

from __future__ import annotations

import pytest

from clauses import article
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.deriving.derivation import Derive, DerivedItem, derive
from comity.flows.deriving.descent import ShowLineage, show_lineage
from comity.flows.looking.duties import ListDuties, list_duties
from comity.register.rows.lineage import DerivativeRow
from world import RELATIONSHIP, World


async def contained(world: World, *items: str, **changes: object) -> DerivedItem:
    request = {
        "path": world.document(b"a brief of ours", "brief.txt"),
        "relation": "contains",
        "ancestors": items,
        "purpose": "air defence",
        "actor": Actor("kim"),
        **changes,
    }
    return await derive(world.kr, Derive(**request))


@article(
    "4",
    "4.3",
    does="marks a document that contains what was received with the highest level, and as containing it",
    command="comity contain",
    rests_on=("marking.derivative", "extract"),
)
async def test_what_contains_received_information_is_marked_so(world: World) -> None:
    secret, confidential = await world.given(), await world.given(mark="秘")
    brief = await contained(world, confidential.item, secret.item)
    assert brief.banner is not None
    lines = [(line.kind, line.clause) for line in brief.banner.lines if line.kind in {"mark", "derivative"}]
    assert lines == [("mark", "4.3"), *[("derivative", "4.3")] * 3]
    assert brief.label is not None
    assert brief.label.mark == "군사 Ⅱ급 비밀"
    with pytest.raises(Refused) as refused:
        await contained(world, confidential.item, secret.item, mark="군사 Ⅲ급 비밀")
    assert (refused.value.code, refused.value.place) == ("lower-mark", "4.3")


@article(
    "4.3",
    does="owes the marking when something is made, and has it done by the record that says so",
    command="comity extract",
    rests_on=("o-4.3",),
)
async def test_the_marking_is_owed_and_done_at_creation(world: World) -> None:
    given = await world.given()
    extract = await contained(world, given.item, relation="extract")
    await world.exchange()
    for house in (world.jp, world.kr):
        told = await list_duties(house, ListDuties(item=extract.item))
        (duty,) = [each for each in told.duties if each.subject == extract.item]
        assert (duty.clause, duty.who, duty.within) == ("4.3", "kr", "at-creation")
        assert duty.discharged is not None


@article(
    "4.3",
    does="shows the originator what was made from its information, and where every copy of it is",
    command="comity lineage",
    rests_on=("extract",),
)
async def test_the_originator_sees_what_was_made(world: World) -> None:
    given = await world.given()
    brief = await contained(world, given.item)
    await world.exchange()
    shown = await show_lineage(world.jp, ShowLineage(item=given.item))
    assert [(line.item, line.relation, line.copies) for line in shown.descendants] == [
        (brief.item, "contains", {"held": 1})
    ]
    row = await world.jp.need(DerivativeRow, f"{RELATIONSHIP}/{brief.item}", "derivative")
    assert row.maker == "kr"
