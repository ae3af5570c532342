"""Who said the last of something, and what an event would oblige to."""

from __future__ import annotations

from datetime import timedelta

import pytest

from articles.visiting import asked
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.consenting.consent_register import ListConsents, list_consents
from comity.flows.deciding.said import said_in
from comity.flows.handling.copies import ListCopies, list_copies
from comity.flows.incidents.investigating import Investigate, ListIncidents, investigate, list_incidents
from comity.flows.incidents.reporting import ReportIncident, report_incident
from comity.flows.looking.foreseen import ForeseeDuties, foresee_duties
from comity.flows.people.clearances import ChangeList, change_list
from comity.flows.people.person_views import ListPeople, list_people
from comity.flows.people.places import RegisterFacility, register_facility
from comity.flows.people.visit_views import ShowVisit, show_visit
from flows.consenting import answer, ask
from world import RELATIONSHIP, ROOT, TODAY, World


async def test_of_this_house_the_person_is_named_and_of_the_other_the_function(world: World) -> None:
    given = await world.given()
    told = await report_incident(
        world.kr, ReportIncident(items=(given.item,), what="suspected", circumstances="open door", actor=Actor("kim"))
    )
    await world.exchange()
    (here,) = await list_incidents(world.kr, ListIncidents())
    (there,) = await list_incidents(world.jp, ListIncidents())
    assert here.last is not None
    assert there.last is not None
    assert (here.last.by, here.last.party, here.last.kind) == ("kim", "kr", "incident/1")
    assert (there.last.by, there.last.party) == ("kim's desk", "kr")
    assert here.last.record == there.last.record
    await investigate(world.kr, Investigate(incident=told.incident, note="security", actor=Actor("lee")))
    again = await report_incident(
        world.kr, ReportIncident(items=(given.item,), what="suspected", circumstances="again", actor=Actor("kim"))
    )
    assert [each.incident for each in await list_incidents(world.kr, ListIncidents(limit=1))] == [again.incident]
    here, _ = await list_incidents(world.kr, ListIncidents())
    assert here.last is not None
    assert (here.last.by, here.last.kind) == ("lee", "investigation/1")
    (copy,) = await list_copies(world.kr, ListCopies(item=given.item))
    assert copy.last is not None
    assert copy.last.party == "jp"


async def test_of_the_books_of_the_house_whoever_signed_is_named(world: World) -> None:
    await change_list(world.kr, ChangeList(topic="radar", handle="kim", listed=True, actor=Actor("lee")))
    (kim,) = await list_people(world.kr, ListPeople(Actor("kim")))
    assert kim.last is not None
    assert (kim.last.by, kim.last.kind) == ("lee", "need-to-know/1")
    await change_list(world.kr, ChangeList(topic="radar", handle="kim", listed=False, actor=ROOT))
    (kim,) = await list_people(world.kr, ListPeople(Actor("kim")))
    assert kim.last is not None
    assert kim.last.by == "root"
    shown = await register_facility(
        world.jp,
        RegisterFacility(
            facility="yokota",
            mark="極秘",
            until=TODAY + timedelta(days=9),
            conditions=(),
            evidence="order 8",
            actor=Actor("ito"),
        ),
    )
    assert shown.last is not None
    assert shown.last.by == "ito"


async def test_one_of_many_is_found_by_its_id_and_the_others_are_not_told(world: World) -> None:
    given = await world.given()
    first = await ask(world, given.item)
    second = await ask(world, given.item, purpose="another exercise")
    consent = (await answer(world, second.request)).consent
    (one,) = (await list_consents(world.kr, ListConsents(about=first.request))).asked
    assert one.request == first.request
    shown = await list_consents(world.kr, ListConsents(about=consent))
    assert ([each.consent for each in shown.consents], shown.asked) == ([consent], ())
    (two,) = (await list_consents(world.kr, ListConsents(about=second.request))).asked
    assert two.answered is not None
    assert (two.answer, two.answered.party) == ("granted", "jp")
    newest = await list_consents(world.kr, ListConsents(limit=1))
    assert ([each.request for each in newest.asked], newest.more) == ([second.request], True)
    assert not (await list_consents(world.kr, ListConsents())).more
    nothing = await list_consents(world.kr, ListConsents(about=first.request, actor=Actor("park")))
    assert (nothing.asked, nothing.consents) == ((), ())
    visit = await asked(world)
    assert (await show_visit(world.jp, ShowVisit(visit=visit.visit))).visit == visit.visit
    with pytest.raises(Misuse, match="there is no visit"):
        await show_visit(world.kr, ShowVisit(visit=visit.visit, actor=Actor("park")))
    with pytest.raises(Misuse, match="there is no visit"):
        await show_visit(world.kr, ShowVisit(visit="v-aaaaaaaaaaaaaaaa"))
    kim = (await world.kr.person("kim")).person
    (person,) = await list_people(world.kr, ListPeople(person=kim))
    assert person.handle == "kim"
    assert await list_people(world.kr, ListPeople(Actor("park"), kim)) == []
    assert await list_people(world.kr, ListPeople(person="p-aaaaaaaaaaaaaaaa")) == []


async def test_a_record_that_is_not_here_was_said_by_nobody(world: World) -> None:
    assert await said_in(world.kr, bytes(32)) is None


async def test_what_an_event_would_oblige_to_is_said_before_it_happens(world: World) -> None:
    told = await foresee_duties(world.kr, ForeseeDuties(events=("loss-suspected",)))
    assert {(each.relationship, each.instrument, each.clause) for each in told} == {(RELATIONSHIP, "jp-kr-2016", "17")}
    assert any("investigat" in each.says for each in told)
    assert await foresee_duties(world.kr, ForeseeDuties(events=("loss-suspected",), relationship="other/a.b")) == []
    korean = await foresee_duties(world.kr, ForeseeDuties(events=("loss-suspected",), language="ko"))
    assert len(korean) == len(told)
    assert korean[0].says != told[0].says
    with pytest.raises(Misuse):
        await foresee_duties(world.kr, ForeseeDuties(events=("loss-suspected",), language="xx"))
