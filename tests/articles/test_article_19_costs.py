"""Article 19: each side bears its own costs."""

from __future__ import annotations

from clauses import article
from comity.flows.actors import Actor
from comity.flows.agreeing.outlays import ListOutlays, NoteOutlay, list_outlays, note_outlay
from comity.record.statement import chain_id
from world import RELATIONSHIP, World


@article(
    "19",
    does="notes what a side spends in its own house, with sums by currency; nothing of it crosses",
    command="comity cost note",
)
async def test_each_side_notes_its_own_costs_for_itself(world: World) -> None:
    await world.person("jp", "mori", roles=("agreement-authority",))
    await world.exchange()
    sizes = [world.jp.sequencer.head(chain_id(RELATIONSHIP, "jp")).size]
    await note_outlay(
        world.jp,
        NoteOutlay(
            relationship=RELATIONSHIP,
            amount="1200.50",
            currency="JPY",
            day="2026-11-21",
            purpose="courier to Seoul",
            actor=Actor("mori"),
        ),
    )
    sizes.append(world.jp.sequencer.head(chain_id(RELATIONSHIP, "jp")).size)
    assert sizes[0] == sizes[1]
    assert (await list_outlays(world.jp, ListOutlays())).sums == {"JPY": "1200.50"}
    await world.exchange()
    assert (await list_outlays(world.kr, ListOutlays())).outlays == ()
