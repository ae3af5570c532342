"""Article 3: each side tells of laws that bear on protection, unprompted and when it is asked."""

from __future__ import annotations

from typing import Any

from clauses import article
from comity.flows.actors import Actor
from comity.flows.agreeing.notices import (
    AnswerLaws,
    AskLaws,
    ListLaws,
    NotifyLaw,
    answer_laws,
    ask_laws,
    list_laws,
    notify_law,
)
from comity.flows.house import House
from comity.flows.looking.duties import DutyShown, ListDuties, list_duties
from comity.record.bodies.notices import LawChange
from comity.register.rows.duties import DutiesRow
from world import RELATIONSHIP, World

ENVOY, LEGATE = Actor("mori"), Actor("yun")


async def authorities(world: World) -> None:
    await world.person("jp", "mori", roles=("agreement-authority",))
    await world.person("kr", "yun", roles=("agreement-authority",))
    await world.exchange()


async def tell(world: World, change: LawChange = "amended", law: str | None = None) -> str:
    told = await notify_law(
        world.jp,
        NotifyLaw(
            relationship=RELATIONSHIP,
            title="Act on the Protection of Specially Designated Secrets",
            change=change,
            in_force="2027-04-01",
            says="who may be cleared, and by whom",
            note="note 14/2026",
            actor=ENVOY,
            law=law,
            known=law is not None,
        ),
    )
    await world.exchange()
    return told.law


async def owed(house: House, event: str) -> list[DutyShown]:
    found = await list_duties(house, ListDuties())
    return [each for each in found.duties if each.event == event]


@article(
    "3",
    does="tells of a change of law unprompted, with its note, and shows that the other side was told",
    command="comity law notify",
    rests_on=("o-3-change",),
)
async def test_a_change_of_law_is_told_unprompted(world: World) -> None:
    await authorities(world)
    law = await tell(world, "stated")
    await tell(world, "amended", law)
    for house in (world.jp, world.kr):
        (shown,) = (await list_laws(house, ListLaws())).laws
        assert (shown.party, shown.change, shown.in_force, shown.note) == (
            "jp",
            "amended",
            "2027-04-01",
            "note 14/2026",
        )
        rows = [row async for _, row in house.rows(DutiesRow, f"{RELATIONSHIP}/{law}/")]
        (duty,) = [duty for row in rows for duty in row.duties]  # what is told as it stands is no change
        assert (duty.obligation, duty.clause, duty.who, duty.to) == ("o-3-change", "3", "jp", "kr")
        assert duty.discharged == duty.opened


@article(
    "3",
    does="answers what the other side asks about laws; the question is owed until it is answered",
    command="comity law answer",
    rests_on=("o-3-request",),
)
async def test_a_question_about_laws_is_owed_until_it_is_answered(world: World) -> None:
    await authorities(world)
    law = await tell(world, "stated")
    asked = await ask_laws(world.kr, AskLaws(relationship=RELATIONSHIP, matter="who may be cleared", actor=LEGATE))
    await world.exchange()
    for house in (world.jp, world.kr):
        (duty,) = await owed(house, "law-requested")
        assert (duty.obligation, duty.clause, duty.who, duty.to) == ("o-3-request", "3", "jp", "kr")
        assert (duty.due, duty.within) == (None, "")  # the article has no number
    (mine,) = await owed(world.jp, "law-requested")
    assert mine.next.startswith(f"comity law answer {asked.request}")
    await answer_laws(
        world.jp,
        AnswerLaws(
            relationship=RELATIONSHIP,
            request=asked.request,
            laws=(law,),
            says="its chapter 5",
            note="note 16/2026",
            actor=ENVOY,
        ),
    )
    await world.exchange()
    for house in (world.jp, world.kr):
        assert await owed(house, "law-requested") == []
        (shown,) = (await list_laws(house, ListLaws())).requests
        assert (shown.laws, shown.says) == ((law,), "its chapter 5")


@article(
    "3",
    "5",
    does="counts an answer about laws by the number of an arrangement, and cites the arrangement for it",
    command="comity duties",
    rests_on=("o-3-request", "jp-kr-arrangement.example:deadline"),
)
async def test_an_arrangement_puts_a_number_on_the_answer(make_world: Any) -> None:
    world: World = await make_world(layers=("jp-kr-arrangement.example.toml",))
    await authorities(world)
    await ask_laws(world.kr, AskLaws(relationship=RELATIONSHIP, matter="who may be cleared", actor=LEGATE))
    await world.exchange()
    (duty,) = await owed(world.jp, "law-requested")
    assert (duty.clause, duty.limit, duty.limit_from) == ("3", "P30D", "jp-kr-arrangement.example:3.2")
    assert duty.due is not None
