"""Article 6(g): a change of level is notified by the originator, and the recipient re-marks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clauses import against, article
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.ending.level_books import ListReviews, ShowLevels, list_reviews, show_levels
from comity.flows.ending.levels import Reclassification, Reclassify, reclassify
from comity.flows.giving.marks import MarkItem, mark_item
from comity.flows.giving.opening import Open, open_item
from comity.flows.looking.duties import ListDuties, list_duties
from comity.register.rows.lineage import DerivativeRow
from world import RELATIONSHIP, TODAY, World

THIRD = "군사 Ⅲ급 비밀"


async def changed(world: World, item: str, mark: str = "秘", **changes: object) -> Reclassification:
    request = {"item": item, "mark": mark, "reason": "no longer current", "actor": Actor("abe"), **changes}
    return await reclassify(world.jp, Reclassify(**request))


async def discharged(world: World, party: str, item: str) -> dict[str, bool]:
    found = (await list_duties(world.house(party), ListDuties(item=item))).duties
    return {each.obligation: each.discharged is not None for each in found if each.clause == "6.g"}


@article(
    "6.g",
    does="lets the originator's release authority change a level, and notifies it in the same moment",
    command="comity reclassify",
    rests_on=("reclassify", "o-6g-notice"),
)
async def test_the_originator_changes_a_level_and_notifies_it(world: World) -> None:
    given = await world.given()
    told = await changed(world, given.item)
    assert told.done
    (asked,) = told.asked
    assert any(each.code == "permitted" and each.clause == "6.g" for each in asked.decision.reasons)
    assert (await discharged(world, "jp", given.item))["o-6g-notice"]


@article(
    "6.g",
    does="refuses a change by anybody but the originator, and records that it was asked",
    command="comity reclassify",
    rests_on=("reclassify",),
)
async def test_nobody_else_changes_it(world: World) -> None:
    await world.person("kr", "yoon", roles=("release-authority", "registry"))
    given = await world.given()
    refused = await reclassify(
        world.kr, Reclassify(item=given.item, mark="秘", reason="it looks old", actor=Actor("yoon"))
    )
    assert not refused.done
    (asked,) = refused.asked
    assert asked.outcome == "no-basis"
    assert against(asked.decision) == {"nothing-permits"}
    assert (await changed(world, given.item)).done  # the rule is there, for whom it is
    with pytest.raises(Misuse) as caught:
        await changed(world, given.item, "極秘", actor=Actor("sato"))
    assert caught.value.code == "no-role"


@article(
    "6.g",
    does="re-marks every copy and everything made from it there, and shows the originator the proof",
    command="comity levels",
    rests_on=("o-6g-mark", "equivalence"),
)
async def test_it_is_re_marked_there_with_all_that_was_made_from_it(world: World) -> None:
    given = await world.given()
    child = await derive(
        world.kr,
        Derive(
            relation="translation",
            ancestors=(given.item,),
            path=world.document(b"translated", "translated"),
            purpose="air defence",
            language="ko",
            actor=Actor("kim"),
        ),
    )
    await world.exchange()
    await changed(world, given.item)
    assert await discharged(world, "jp", given.item) == {"o-6g-notice": True, "o-6g-mark": False}
    await world.exchange()
    assert await discharged(world, "jp", given.item) == {"o-6g-notice": True, "o-6g-mark": True}
    (there,) = (await show_levels(world.jp, ShowLevels(item=given.item))).relationships
    assert (there.marked, [(each.item, each.mark) for each in there.made]) == (THIRD, [(child.item, THIRD)])
    made = await world.jp.need(DerivativeRow, f"{RELATIONSHIP}/{child.item}", "derivative")
    assert made.label.mark == THIRD
    opened = await open_item(
        world.kr, Open(item=given.item, purpose="air defence", path=str(world.folder / "o"), actor=Actor("kim"))
    )
    assert opened.banner is not None
    assert any(line.kind == "mark" and line.text.startswith(THIRD) for line in opened.banner.lines)


@article(
    "6.g",
    does="waits for somebody to stamp what is not electronic, and to sign for it",
    command="comity inbox mark",
    rests_on=("o-6g-mark",),
)
async def test_what_is_stamped_is_signed_for(world: World) -> None:
    given = await world.given(form="documentary")
    await changed(world, given.item)
    await world.exchange()
    assert (await discharged(world, "jp", given.item))["o-6g-mark"] is False
    await mark_item(world.kr, MarkItem(item=given.item, mark=THIRD, actor=Actor("lee")))
    await world.exchange()
    assert (await discharged(world, "jp", given.item))["o-6g-mark"] is True


@article(
    "6.g",
    "4.1",
    does="refuses a level above the ceiling for what has crossed: it has to be recalled",
    command="comity reclassify",
    rests_on=("reclassify",),
)
async def test_above_the_ceiling_it_is_recalled_instead(world: World) -> None:
    given = await world.given()
    refused = await changed(world, given.item, "機密")
    assert not refused.done
    (asked,) = refused.asked
    assert asked.outcome == "forbidden"
    assert "jp-kr-2016:4.1" in against(asked.decision)
    assert (await changed(world, given.item)).done


@article(
    "6.g",
    does="lists what is to be reviewed when its day has come, and keeps the level with a new day",
    command="comity reviews",
    rests_on=("reclassify",),
)
async def test_reviews_come_when_they_are_due(world: World) -> None:
    given = await world.given()
    day = TODAY + timedelta(days=30)
    await changed(world, given.item, "極秘", review=day)
    assert await list_reviews(world.jp, ListReviews()) == []
    world.clock.time = day + timedelta(days=1)
    (line,) = await list_reviews(world.jp, ListReviews())
    assert (line.item, line.review, line.due) == (given.item, day, True)
