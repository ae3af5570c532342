"""Article 6(e): each facility keeps a register of individuals who are cleared and authorised."""

from __future__ import annotations

from datetime import timedelta

from clauses import article
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.people.clearances import WithdrawClearance, withdraw_clearance
from comity.flows.people.places import PostPerson, RegisterFacility, post_person, register_facility
from comity.flows.people.site_registers import AskPersons, show_persons
from world import ROOT, TODAY, World

YEAR = timedelta(days=365)


async def air_staff(world: World) -> None:
    await register_facility(
        world.kr,
        RegisterFacility(
            facility="air-staff",
            mark="군사 Ⅱ급 비밀",
            until=TODAY + YEAR,
            conditions=(),
            evidence="order 3",
            actor=ROOT,
        ),
    )


@article(
    "6.e",
    does="keeps a register of cleared and authorised persons for each facility, as it stood on any day",
    command="comity facility persons",
    rests_on=("o-6e",),
)
async def test_each_facility_keeps_a_register_of_persons(world: World) -> None:
    await air_staff(world)
    before = world.clock.now()
    world.clock.time += timedelta(days=1)
    shown = await post_person(world.kr, PostPerson(handle="kim", facility="air-staff", actor=ROOT))
    assert [(each.handle, each.clearance, each.cleared, each.topics) for each in shown.persons] == [
        ("kim", "군사 Ⅱ급 비밀", True, ("missiles",))
    ]
    assert [(cite.instrument, cite.clause, cite.provenance) for cite in shown.under] == [("jp-kr-2016", "6.e", "P")]
    world.clock.time += timedelta(days=1)
    between = world.clock.now()
    world.clock.time += timedelta(days=1)
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))

    async def on(at: object) -> list[str]:
        asked = AskPersons(facility="air-staff", at=at)  # type: ignore[arg-type]  # an instant, or none for now
        return [each.handle for each in (await show_persons(world.kr, asked)).persons]

    assert (await on(before), await on(between), await on(None)) == ([], ["kim"], [])
    duties = await list_duties(world.kr, ListDuties(whose="mine"))
    (duty,) = [each for each in duties.standing if each.obligation == "o-6e"]  # owed as long as the agreement stands
    assert duty.shown is not None
