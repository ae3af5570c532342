"""Article 7(5): what is assured before anything is handed over or shown."""

from __future__ import annotations

from clauses import against, article
from comity.flows.actors import Actor
from comity.flows.consenting.showing import AskShow, DoneShow, ShowTold, ask_show, done_show
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.looking.views import ShowInbox, ShowOutbox, show_inbox, show_outbox
from world import RELATIONSHIP, World

CONDITIONS = {"jp-kr-2016:7.5.a", "jp-kr-2016:7.5.b", "jp-kr-2016:7.5.c"}


async def asked_to_show(world: World) -> ShowTold:
    told = await ask_show(
        world.jp,
        AskShow(
            relationship=RELATIONSHIP,
            recipients=(await world.pseudonym("kim"),),
            manner="oral",
            purpose="air defence",
            actor=Actor("sato"),
            mark="極秘",
            topic="missiles",
            title="what the radar saw",
        ),
    )
    await world.exchange()
    return told


@article(
    "7.5",
    "7.5.a",
    "7.5.b",
    "7.5.c",
    does="hands nothing over before the recipient has assured clearance, need and equal protection for each person",
    command="comity assure",
    rests_on=("assurance", "assurance-before-giving"),
)
async def test_nothing_is_handed_over_before_the_three_assurances(world: World) -> None:
    asked = await world.ask()
    assert against(asked.decision) >= CONDITIONS
    await world.exchange()
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    await world.exchange()
    assert not (await show_inbox(world.kr, ShowInbox())).received
    refusal = Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee"), refuse="on leave")
    assert (await assure(world.kr, refusal)).conditions == ()
    await world.exchange()
    (waiting,) = (await show_outbox(world.jp, ShowOutbox())).waiting
    assert list(waiting.assurance_refused.values()) == ["on leave"]
    assert not (await show_inbox(world.kr, ShowInbox())).received
    given = await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    assert {f"jp-kr-2016:{each}" for each in given.conditions} == CONDITIONS
    await world.exchange()
    assert len((await show_inbox(world.kr, ShowInbox())).received) == 1


@article(
    "7.5",
    does="shows nothing, by word or sight, before the same assurance; no copy is made",
    command="comity show ask",
    rests_on=("give", "assurance-before-showing"),
)
async def test_nothing_is_shown_before_the_assurance(world: World) -> None:
    asked = await asked_to_show(world)
    assert against(asked.decision) == {*CONDITIONS, "comity-house:two-people"}
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    done = DoneShow(request=asked.request, actor=Actor("sato"))
    assert against((await done_show(world.jp, done)).decision) == CONDITIONS
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    told = await done_show(world.jp, done)
    assert told.record is not None
    assert not (await show_inbox(world.kr, ShowInbox())).received


@article(
    "7.2",
    does="lets what was received be shown on to those of the recipient's who are cleared and need it, and to no other",
    command="comity show ask --here",
    rests_on=("access-when-shown-on",),
)
async def test_what_was_received_is_shown_on_by_need_and_clearance(world: World) -> None:
    item = (await world.given()).item
    await world.person("kr", "jang", roles=("officer", "registry"))
    await world.exchange()
    for handle, missing in (("kim", set()), ("park", {"jp-kr-2016:7.2"}), ("choi", {"jp-kr-2016:7.2"})):
        asked = await ask_show(
            world.kr,
            AskShow(
                relationship=RELATIONSHIP,
                recipients=(await world.pseudonym(handle),),
                manner="visual",
                purpose="air defence",
                actor=Actor("jang"),
                item=item,
            ),
        )
        assert against(asked.decision) == {*missing, "comity-house:two-people"}


@article(
    "7.5",
    does="counts the assurance as owed from the question on, and as given with the answer about the last recipient",
    command="comity duties",
    rests_on=("o-7.5",),
)
async def test_the_assurance_is_owed_from_the_question_on(world: World) -> None:
    async def owed() -> int:
        duties = (await list_duties(world.kr, ListDuties(whose="mine"))).duties
        return sum(each.obligation == "o-7.5" for each in duties)

    asked = await asked_to_show(world)
    assert await owed() == 1
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    assert await owed() == 0
