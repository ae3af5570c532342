"""The inbox whole: what is asked and told stands there until it is over, for those who may know (step 32)."""

from __future__ import annotations

from datetime import timedelta

from comity.flows.actors import Actor
from comity.flows.agreeing.disputes import AnswerDispute, OpenDispute, answer_dispute, open_dispute
from comity.flows.calls import show_whole_inbox
from comity.flows.consenting.granting import AnswerConsent, answer_consent
from comity.flows.ending.recalls import LiftRecall, Recall, lift, recall
from comity.flows.house import House
from comity.flows.incidents.investigating import CloseIncident, close_incident
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.flows.looking.views import Inbox, ShowInbox
from comity.flows.people.permitting import RefuseVisit, refuse_visit
from comity.flows.people.visits import AskVisit, ask_visit
from flows.consenting import ask_other_use
from world import RELATIONSHIP, TODAY, World


async def inbox(house: House, handle: str | None = None) -> Inbox:
    return await show_whole_inbox(house, ShowInbox(actor=None if handle is None else Actor(handle)))


async def kinds(house: House, handle: str | None = None) -> list[str]:
    return [call.kind for call in (await inbox(house, handle)).calls]


async def test_a_consent_is_asked_for_until_it_is_answered(world: World) -> None:
    item = (await world.given()).item
    asked = await ask_other_use(world, item)
    (call,) = (await inbox(world.jp)).calls
    assert (call.kind, call.subject) == ("consent", asked.request)
    assert asked.request in call.next
    assert await kinds(world.kr) == []
    answer = AnswerConsent(request=asked.request, granted=False, reason="no", actor=Actor("abe"))
    await answer_consent(world.jp, answer)
    assert await kinds(world.jp) == []


async def test_a_recall_is_told_to_who_may_see_the_item_until_every_copy_is_answered_for(world: World) -> None:
    item = (await world.given()).item
    await recall(world.jp, Recall(item=item, asks="return", reason="by mistake", actor=Actor("abe")))
    await world.exchange()
    assert await kinds(world.kr) == ["recall"]
    assert await kinds(world.kr, "kim") == ["recall"]
    assert await kinds(world.kr, "park") == []
    assert await kinds(world.jp) == []
    await lift(world.jp, LiftRecall(item=item, reason="it was right", actor=Actor("abe")))
    await world.exchange()
    assert await kinds(world.kr) == []


async def test_an_incident_there_is_told_here_until_it_is_closed(world: World) -> None:
    item = (await world.given()).item
    told = await report_incident(
        world.kr, ReportIncident(items=(item,), what="suspected", circumstances="an open door", actor=Actor("kim"))
    )
    await world.exchange()
    assert await kinds(world.jp) == ["incident"]
    assert await kinds(world.kr) == []
    closing = CloseIncident(incident=told.incident, reason="the guard", actor=Actor("lee"), false_alarm=True)
    await close_incident(world.kr, closing)
    await world.exchange()
    assert await kinds(world.jp) == []


async def test_a_visit_is_for_whoever_may_permit_it(world: World) -> None:
    wanted = AskVisit(
        relationship=RELATIONSHIP,
        facility="yokota",
        topic="missiles",
        scope="the hall",
        purpose="air defence",
        mark="秘",
        visitors=("kim",),
        starts=TODAY + timedelta(days=1),
        ends=TODAY + timedelta(days=2),
        actor=Actor("lee"),
    )
    visit = (await ask_visit(world.kr, wanted)).visit
    await world.exchange()
    assert await kinds(world.jp) == await kinds(world.jp, "ito") == ["visit"]
    assert await kinds(world.jp, "sato") == []
    refusal = RefuseVisit(relationship=RELATIONSHIP, visit=visit, reason="not now", actor=Actor("ito"))
    await refuse_visit(world.jp, refusal)
    assert await kinds(world.jp) == []


async def test_a_consultation_waits_for_this_sides_position(world: World) -> None:
    for party, handle in (("jp", "mori"), ("kr", "yun")):
        await world.person(party, handle, roles=("agreement-authority",))
    await world.exchange()
    opened = await open_dispute(
        world.jp,
        OpenDispute(
            relationship=RELATIONSHIP,
            about="reading",
            subject="21.3",
            question="may it be suspended?",
            position="it may",
            actor=Actor("mori"),
        ),
    )
    await world.exchange()
    assert await kinds(world.kr) == ["dispute"]
    assert await kinds(world.jp) == []
    await answer_dispute(world.kr, AnswerDispute(dispute=opened.dispute, says="it may not", actor=Actor("yun")))
    assert await kinds(world.kr) == []


async def test_what_is_owed_is_counted(world: World) -> None:
    assert (await inbox(world.kr)).duties == 0
    await world.ask()
    await world.exchange()
    assert ((await inbox(world.kr)).duties, (await inbox(world.kr)).overdue) == (1, 0)
