"""Article 15: translated by cleared people only; a translation carries its marks, and the note in its language."""

from __future__ import annotations

import pytest

from clauses import against, article
from comity.errors import Refused
from comity.flows.actors import Actor
from comity.flows.deriving.derivation import Derive, DerivedItem, derive
from comity.flows.giving.opening import Open, open_item
from comity.flows.people.clearances import WithdrawClearance, withdraw_clearance
from comity.register.rows import CopyRow
from comity.register.rows.lineage import DerivativeRow
from world import RELATIONSHIP, ROOT, World


async def translated(world: World, item: str, **changes: object) -> DerivedItem:
    request = {
        "path": world.document("레이더가 본 것".encode(), "report.ko.txt"),
        "relation": "translation",
        "ancestors": (item,),
        "purpose": "air defence",
        "actor": Actor("kim"),
        "language": "ko",
        **changes,
    }
    return await derive(world.kr, Derive(**request))


@article(
    "15",
    does="lets a cleared person translate what he holds",
    command="comity translate",
    rests_on=("translate",),
)
async def test_who_is_cleared_translates(world: World) -> None:
    given = await world.given()
    translation = await translated(world, given.item)
    assert translation.made
    path = world.folder / "read.txt"
    opened = await open_item(
        world.kr, Open(item=translation.item, purpose="air defence", path=str(path), actor=Actor("kim"))
    )
    assert opened.outcome == "permit"
    assert path.read_text() == "레이더가 본 것"


@article(
    "15",
    does="refuses a translator without clearance, and whoever would get a copy without one",
    command="comity translate",
    rests_on=("cleared-translator",),
)
async def test_only_who_is_cleared_translates(world: World) -> None:
    given = await world.given()
    handed = await translated(world, given.item, holders=("kim", "park"))  # park holds no clearance
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="left the branch", actor=ROOT))
    refusal = await translated(world, given.item)
    for each in (handed, refusal):
        assert not each.made
        assert "jp-kr-2016:15" in against(each.asked[0].decision)


@article(
    "15",
    does="puts the note on a translation in the language of translation, and refuses a language without words for it",
    command="comity translate",
    rests_on=("marking.translation-note",),
)
async def test_a_translation_says_in_its_language_what_it_is(world: World) -> None:
    given = await world.given()
    translation = await translated(world, given.item)
    assert translation.banner is not None
    (note,) = [line for line in translation.banner.lines if line.kind == "translation-note"]
    assert (note.language, note.clause) == ("ko", "15")
    await world.exchange()
    row = await world.jp.need(DerivativeRow, f"{RELATIONSHIP}/{translation.item}", "derivative")
    assert (row.language, row.note) == ("ko", note.text)  # what the originator's register has
    with pytest.raises(Refused) as refused:
        await translated(world, given.item, language="fr")
    assert refused.value.place == "15"


@article(
    "15",
    does="numbers the few copies of a translation and registers each with its holder on both sides",
    command="comity lineage",
    rests_on=("translate",),
)
async def test_its_copies_are_few_and_controlled(world: World) -> None:
    given = await world.given()
    translation = await translated(world, given.item)
    await world.exchange()
    for house in (world.jp, world.kr):
        copies = [copy async for _, copy in house.rows(CopyRow, f"{RELATIONSHIP}/{translation.item}/")]
        assert [(copy.number, copy.holder, copy.state) for copy in copies] == [
            (1, await world.pseudonym("kim"), "held")
        ]
