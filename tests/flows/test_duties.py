"""What is owed, as this house and each of its people may see it (``spec/duties.md`` steps 7 and 8)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import get_args

import pytest

from comity.agreement.vocabulary import Deed, Event
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.ending.levels import Reclassify, reclassify
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.marks import MarkItem, mark_item
from comity.flows.looking.duties import DutiesShown, ListDuties, list_duties
from comity.flows.looking.duty_words import WORDS
from world import RELATIONSHIP, World

ARRANGEMENT = """
[layer]
format = 1
id = "arrangement-2017"
version = "1"
kind = "arrangement"
on = "jp-kr-2016"
title = { en = "Implementing arrangement" }

[[clause]]
id = "3"
heading = { en = "Answers" }
says = "An assurance is given or refused within five days."
provenance = "P"
source = "written for this test"

[[deadline]]
obligation = "o-7.5"
clause = "3"
within = "P5D"

[[deadline]]
obligation = "o-12"
clause = "3"
within = "PT1H"
"""


@pytest.fixture
async def arranged(tmp_path: Path) -> AsyncIterator[World]:
    world = await World.make(tmp_path, layers=(ARRANGEMENT,))
    yield world
    await world.close()


async def listed(world: World, party: str, **wishes: object) -> DutiesShown:
    return await list_duties(world.house(party), ListDuties(**wishes))


async def test_a_question_is_owed_by_one_side_and_seen_by_both(world: World) -> None:
    asked = await world.ask()
    await world.exchange()
    mine, theirs = await listed(world, "kr", whose="mine"), await listed(world, "jp", whose="theirs")
    assert [(each.who, each.to, each.obligation, each.clause) for each in mine.duties] == [("kr", "jp", "o-7.5", "7.5")]
    assert mine.duties[0].next == f"comity assure {asked.request} --as HANDLE"
    assert mine.duties[0].says.startswith("assure the originator")
    assert theirs.duties[0].next == ""
    assert theirs.duties[0].opened == mine.duties[0].opened
    assert (await listed(world, "jp", whose="mine")).duties == ()
    assert {each.deed for each in mine.standing} >= {"keep-register", "keep-inventory", "protect"}
    request = Assure(
        request=asked.request,
        relationship=RELATIONSHIP,
        recipient=await world.pseudonym("kim"),
        actor=Actor("lee"),
    )
    await assure(world.kr, request)
    await world.exchange()
    assert (await listed(world, "kr", whose="mine")).duties == ()
    assert (await listed(world, "jp", whose="theirs")).duties == ()


async def test_nothing_is_overdue_by_a_word(world: World) -> None:  # (8)
    await world.ask()
    await world.exchange()
    world.clock.time += timedelta(days=3650)
    found = await listed(world, "kr")
    assert found.overdue == 0
    assert [each.overdue for each in found.duties] == [False]
    assert (await listed(world, "kr", overdue=True)).duties == ()


async def test_what_an_arrangement_puts_a_number_on_becomes_overdue(arranged: World) -> None:  # (8)
    await arranged.ask()
    await arranged.exchange()
    found = await listed(arranged, "kr", overdue=True)
    assert (found.duties, found.overdue) == ((), 0)
    arranged.clock.time += timedelta(days=6)
    for party, whose in (("kr", "mine"), ("jp", "theirs")):
        found = await listed(arranged, party, overdue=True, whose=whose)
        assert [(each.obligation, each.limit, each.limit_from) for each in found.duties] == [
            ("o-7.5", "P5D", "arrangement-2017:3")
        ]
        assert found.overdue == 1
        assert found.standing == ()


async def test_what_rests_on_an_unchecked_clause_is_overdue_quietly(arranged: World) -> None:  # (8)
    asked = await arranged.given(path=arranged.document())
    assert asked.consignment is not None
    found = await listed(arranged, "kr", item=asked.item)
    assert {each.obligation: each.discharged is not None for each in found.duties} == {
        "o-7.5": True,
        "o-12": True,
        "o-4.2": True,
    }
    await arranged.ask(path=arranged.document(b"another", "other.txt"))
    unchecked = next(each for each in found.duties if each.obligation == "o-12")
    assert (unchecked.unchecked, unchecked.provenance, unchecked.limit) == (True, "K", "PT1H")


async def test_an_unanswered_unchecked_duty_makes_no_noise(arranged: World) -> None:  # (8)
    asked = await arranged.ask()
    await arranged.exchange()
    recipient = await arranged.pseudonym("kim")
    await assure(
        arranged.kr,
        Assure(request=asked.request, relationship=RELATIONSHIP, recipient=recipient, actor=Actor("lee")),
    )
    await arranged.exchange()
    await approve(arranged.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    arranged.clock.time += timedelta(hours=2)  # it is on its way, and nobody has signed for it
    found = await listed(arranged, "jp", overdue=True)
    assert [(each.obligation, each.overdue, each.unchecked) for each in found.duties] == [("o-12", True, True)]
    assert found.overdue == 0


async def test_a_person_sees_no_duty_about_what_he_may_not_see(world: World) -> None:  # (8)
    await world.ask()
    await world.exchange()
    seen = {
        handle: [each.obligation for each in (await listed(world, "kr", whose="mine", actor=Actor(handle))).duties]
        for handle in ("lee", "kim", "park", "choi")
    }
    assert seen["lee"] == ["o-7.5"]
    assert seen["park"] == seen["choi"] == []
    everybody = [(await listed(world, "kr", actor=Actor(handle))).standing for handle in ("lee", "park")]
    assert everybody[0] == everybody[1]


async def test_naming_an_item_that_one_may_not_see_is_naming_one_that_is_not_there(world: World) -> None:
    given = await world.given()
    assert (await listed(world, "kr", item=given.item, actor=Actor("lee"))).duties
    said = []
    for item in (given.item, "i-aaaaaaaaaaaaaaaa"):
        with pytest.raises(Misuse) as refused:
            await listed(world, "kr", item=item, actor=Actor("park"))
        said.append((refused.value.code, refused.value.sentence.replace(item, "ID")))
    assert said[0] == said[1]


async def test_a_list_stops_where_it_was_told_to(world: World) -> None:  # (7)
    for number in range(3):
        await world.ask(path=world.document(b"%d" % number, f"{number}.txt"))
    await world.exchange()
    found = await listed(world, "kr", whose="mine", limit=2)
    assert (len(found.duties), found.more) == (2, True)
    whole = await listed(world, "kr", whose="mine")
    assert (len(whole.duties), whole.more) == (3, False)
    assert whole.duties[:2] == found.duties  # what presses most comes first
    assert [each.at for each in whole.duties] == sorted(each.at for each in whole.duties)


def test_every_deed_has_its_words() -> None:
    assert set(get_args(Deed)) <= set(WORDS)
    for key, words in WORDS.items():
        if isinstance(key, tuple):
            assert key[0] in get_args(Deed)
            assert key[1] in get_args(Event)
        assert words.says
        assert words.says[0].islower()
        assert not words.says.endswith(".")


SECOND = "군사 Ⅱ급 비밀"
THIRD = "군사 Ⅲ급 비밀"


async def marking_duties(world: World, item: str) -> list[tuple[str | None, bool]]:
    """What both sides see of the duty to mark at receipt: the same."""
    found = [
        [
            (each.discharged, each.void)
            for each in (await listed(world, party, whose=whose, item=item)).duties
            if each.obligation == "o-4.2"
        ]
        for party, whose in (("jp", "mine"), ("kr", "theirs"))
    ]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("raised_meanwhile", [False, True])
async def test_a_mark_chosen_at_receipt_is_seen_by_both_in_one_record(world: World, raised_meanwhile: bool) -> None:
    """``spec/ending.md`` step 13: two Japanese marks correspond, somebody in Tokyo chooses."""
    await world.both_ways()
    item = (await world.given_back(mark=THIRD if raised_meanwhile else SECOND)).item
    if raised_meanwhile:  # one mark corresponds to the one given, and two to what it is raised to
        assert [done is not None for done, _ in await marking_duties(world, item)] == [True]
        await reclassify(world.kr, Reclassify(item=item, mark=SECOND, reason="it matters", actor=Actor("yoon")))
        await world.exchange()
    else:
        assert await marking_duties(world, item) == [(None, False)]
    await mark_item(world.jp, MarkItem(item=item, mark="極秘", actor=Actor("ito")))
    await world.exchange()
    ((done, void),) = await marking_duties(world, item)
    assert done is not None
    assert not void


async def test_a_mark_still_to_be_chosen_is_chosen_for_the_newest_level(world: World) -> None:
    """What was given with two marks to choose from, and changed its level before anybody chose."""
    await world.both_ways()
    item = (await world.given_back(mark=SECOND)).item
    await reclassify(world.kr, Reclassify(item=item, mark=THIRD, reason="it is old", actor=Actor("yoon")))
    await world.exchange()  # one mark corresponds now, and the node marks by itself
    ((done, _),) = await marking_duties(world, item)
    assert done is not None
