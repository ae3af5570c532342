"""Article 8: visits to sites that hold the information, from authority to authority, permitted by the host alone."""

from __future__ import annotations

import pytest

from articles.conftest import MakeWorld
from articles.visiting import AUTHORITY, DAY, ENDS, HOST, STARTS, asked, permitted, radar_hall
from clauses import against, article
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.consenting.showing import AskShow, DoneShow, ShowTold, ask_show, done_show
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.keeping.work import Draft, Work
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.people.permitting import PermitVisit, RefuseVisit, permit_visit, refuse_visit
from comity.flows.people.visit_views import ListVisits, ShowVisit, list_visits, show_visit
from comity.record.bodies.visits import VisitAsked
from comity.record.person_act import unsigned
from world import RELATIONSHIP, TODAY, World

LEAD = """
[layer]
format = 1
id = "visits-arrangement"
version = "1"
kind = "arrangement"
on = "jp-kr-2016"
title = { en = "An invented arrangement on visits" }

[[clause]]
id = "v1"
heading = { en = "Lead" }
says = "A visit is asked for thirty days before it begins."
provenance = "P"
source = "an invented example"

[[clause]]
id = "v2"
heading = { en = "Recurring visits" }
says = "A recurring visit is permitted for twelve months at most."
provenance = "P"
source = "an invented example"

[[interval]]
of = "visit-lead"
clause = "v1"
length = "P30D"

[[interval]]
of = "recurring-visit"
clause = "v2"
length = "P12M"
"""


@article(
    "8",
    does="asks for a visit from authority to authority, with topic, scope, highest level and people; the host decides",
    command="comity visit ask",
    rests_on=("visit", "visit-permission", "o-8-request", "o-8-brief"),
)
async def test_the_host_permits_and_tells_the_site(world: World) -> None:
    await radar_hall(world)
    visit = await asked(world)
    with pytest.raises(Misuse) as raised:
        await asked(world, actor=Actor("kim"))  # no authority
    assert raised.value.code == "no-role"
    told = await permitted(world, visit)
    (met,) = [each for each in told.decision.reasons if each.step == 12 and each.clause == "8"]
    assert (told.outcome, met.code) == ("permit", "conditions-met")
    there = await show_visit(world.kr, ShowVisit(relationship=RELATIONSHIP, visit=visit.visit))
    assert (there.state, there.told, there.topic, there.scope, there.mark) == (
        "permitted",
        "Base security",
        "missiles",
        "the radar hall",
        "極秘",
    )
    for house in (world.jp, world.kr):
        duties = await list_duties(house, ListDuties(item=visit.visit))
        told_of = {each.obligation: (each.who, each.discharged is not None) for each in duties.duties}
        assert told_of == {"o-8-request": ("kr", True), "o-8-brief": ("jp", True)}


@article(
    "8",
    does="lets nobody but the party on whose territory the site lies permit a visit",
    command="comity visit approve",
)
async def test_only_the_host_answers(world: World) -> None:
    await radar_hall(world)
    visit = await asked(world)
    with pytest.raises(Misuse) as raised:
        await permit_visit(
            world.kr, PermitVisit(relationship=RELATIONSHIP, visit=visit.visit, actor=AUTHORITY, told="ourselves")
        )
    assert (raised.value.code, raised.value.place) == ("not-host", "8")
    with pytest.raises(Misuse) as raised:
        await refuse_visit(
            world.kr, RefuseVisit(relationship=RELATIONSHIP, visit=visit.visit, reason="no", actor=AUTHORITY)
        )
    assert raised.value.code == "not-host"
    refused = await refuse_visit(
        world.jp, RefuseVisit(relationship=RELATIONSHIP, visit=visit.visit, reason="closed in January", actor=HOST)
    )
    assert (refused.state, refused.reason) == ("refused", "closed in January")


@article(
    "8",
    "7.5",
    does="wants every visitor assured before anything may be shown to him",
    command="comity visit ask",
    rests_on=("assurance-before-showing",),
)
async def test_a_visitor_who_is_not_assured_is_not_let_in(world: World) -> None:
    await radar_hall(world)
    for visitor in ("park", "choi"):  # not cleared; cleared, and needs to know nothing of it
        with pytest.raises(Misuse) as raised:
            await asked(world, visitors=(visitor,))
        assert raised.value.code in {"no-clearance", "no-need-to-know"}
    lee = await world.kr.person("lee")
    by = await world.pseudonym("lee")
    body = VisitAsked(
        visit="v-forged",
        facility="yokota",
        topic="missiles",
        scope="everything",
        subject="defence",
        purpose="joint exercise",
        mark="極秘",
        visitors=(await world.pseudonym("park"),),
        starts=STARTS,
        ends=ENDS,
        conditions=(),  # their node would never have left it out
        by=by,
        signature=unsigned(),
    )
    signed = await world.kr.sign(body, RELATIONSHIP, AUTHORITY, by)

    async def say(work: Work) -> None:
        await work.say(Draft(RELATIONSHIP, signed, lee.function))

    await world.kr.sequencer.submit(say)
    await world.exchange()
    (visit,) = await list_visits(world.jp, ListVisits(open=True))
    told = await permitted(world, visit)
    assert told.outcome == "needs-consent"
    assert against(told.decision) == {f"jp-kr-2016:7.5.{letter}" for letter in "abc"}
    assert (await show_visit(world.kr, ShowVisit(relationship=RELATIONSHIP, visit="v-forged"))).state == "asked"


@article(
    "8",
    "6.a",
    does="asks the host's own consent before a national of a third country may visit",
    command="comity visit approve",
    rests_on=("third-party",),
)
async def test_a_visitor_who_serves_a_third_party_needs_consent(world: World) -> None:
    await radar_hall(world)
    told = await permitted(world, await asked(world, visitors=("smith",)))
    assert against(told.decision) == {"jp-kr-2016:6.a"}


@article(
    "8",
    does="permits less than was asked for, never more, and nothing that the site may not hold",
    command="comity visit approve --level",
)
async def test_a_permission_is_what_was_asked_for_or_less(world: World) -> None:
    await radar_hall(world, mark="秘")
    visit = await asked(world)
    with pytest.raises(Misuse) as raised:
        await permitted(world, visit)
    assert raised.value.code == "above-site"
    with pytest.raises(Misuse) as raised:
        await permitted(world, visit, mark="秘", ends=ENDS + DAY)
    assert raised.value.code == "dates"
    with pytest.raises(Misuse) as raised:
        await permitted(world, visit, mark="秘", told=None)  # nobody answers for the site: nobody was told
    assert (raised.value.code, raised.value.place) == ("nobody-told", "8")
    told = await permitted(world, visit, mark="秘", scope="the hall, not the roof", ends=STARTS + DAY)
    assert (told.visit.mark, told.visit.scope, told.visit.ends) == ("秘", "the hall, not the roof", STARTS + DAY)


@article(
    "8",
    does="takes lead times and the length of recurring visits from arrangements and layers only, and cites them",
    command="comity visit ask --recurring",
)
async def test_numbers_come_from_arrangements(make_world: MakeWorld) -> None:
    free = await make_world()
    await radar_hall(free)
    soon = {"starts": free.clock.time + DAY, "ends": free.clock.time + 2 * DAY}
    assert (await asked(free, **soon)).state == "asked"  # the treaty has no number
    world = await make_world(layers=(LEAD,))
    await radar_hall(world)
    with pytest.raises(Refused) as raised:
        await asked(world, **soon)
    assert (raised.value.code, raised.value.place) == ("visit-lead", "visits-arrangement:v1")
    visit = await asked(world, recurring=True, ends=STARTS + 400 * DAY)
    with pytest.raises(Misuse) as outlasts:  # the site's own approval ends before
        await permitted(world, visit)
    assert outlasts.value.code == "site-ended"
    await radar_hall(world, until=TODAY + 900 * DAY)
    with pytest.raises(Refused) as raised:
        await permitted(world, visit)
    assert (raised.value.code, raised.value.place) == ("visit-length", "visits-arrangement:v2")
    assert (await permitted(world, visit, ends=STARTS + 300 * DAY)).outcome == "permit"


async def shown_request(world: World, mark: str = "極秘") -> str:
    """Sato asks to show something to Kim; it is assured and approved."""
    recipient = await world.pseudonym("kim")
    told = await ask_show(
        world.jp,
        AskShow(
            relationship=RELATIONSHIP,
            recipients=(recipient,),
            manner="visual",
            purpose="joint exercise",
            actor=Actor("sato"),
            mark=mark,
            topic="missiles",
            title="the radar picture",
        ),
    )
    await world.exchange()
    await assure(
        world.kr, Assure(request=told.request, relationship=RELATIONSHIP, recipient=recipient, actor=Actor("lee"))
    )
    await world.exchange()
    await approve(world.jp, Approve(request=told.request, reason="needed", actor=Actor("abe")))
    return told.request


async def show(world: World, request: str, visit: str) -> ShowTold:
    return await done_show(world.jp, DoneShow(request=request, actor=Actor("sato"), visit=visit))


@article(
    "8",
    does="records what was shown during a visit against it, within its days, people, topic and highest level",
    command="comity show done --visit",
)
async def test_what_was_shown_is_recorded_against_the_visit(world: World) -> None:
    await radar_hall(world)
    low = (await permitted(world, await asked(world), mark="秘")).visit
    high = (await permitted(world, await asked(world))).visit
    unanswered = await asked(world)
    request = await shown_request(world)
    for visit, code in (
        (high.visit, "visit-dates"),  # it has not begun
        ("v-nothing", "unknown-visit"),
        (unanswered.visit, "visit-not-permitted"),
    ):
        with pytest.raises(Misuse) as raised:
            await show(world, request, visit)
        assert raised.value.code == code
    world.clock.time = STARTS + DAY
    with pytest.raises(Misuse) as raised:
        await show(world, request, low.visit)
    assert raised.value.code == "above-visit"
    told = await show(world, request, high.visit)
    assert told.record is not None
    await world.exchange()
    for house in (world.jp, world.kr):
        seen = await show_visit(house, ShowVisit(relationship=RELATIONSHIP, visit=high.visit))
        assert [(each.item, each.mark, each.manner, each.record) for each in seen.shown] == [
            (told.item, "極秘", "visual", told.record)
        ]
    lower = await shown_request(world, mark="秘")
    assert (await show(world, lower, low.visit)).record is not None
    again = await shown_request(world)
    world.clock.time = ENDS + DAY
    with pytest.raises(Misuse) as raised:
        await show(world, again, high.visit)
    assert raised.value.code == "visit-dates"
    over = await show_visit(world.jp, ShowVisit(relationship=RELATIONSHIP, visit=high.visit))
    assert over.state == "over"
