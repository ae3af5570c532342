"""Article 10: each government answers for its facilities, and names a qualified officer at each."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clauses import article
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.people.clearances import GrantClearance, WithdrawClearance, grant_clearance, withdraw_clearance
from comity.flows.people.places import NameOfficer, RegisterFacility, name_officer, register_facility
from comity.flows.people.site_registers import FacilityShown, ShowFacility, show_facility
from world import ROOT, TODAY, World

YEAR = timedelta(days=365)


async def facility(world: World, name: str = "air-staff", **changes: object) -> FacilityShown:
    fields: dict[str, object] = {
        "facility": name,
        "mark": "군사 Ⅱ급 비밀",
        "until": TODAY + YEAR,
        "conditions": (),
        "evidence": "order 3",
        "actor": ROOT,
        **changes,
    }
    return await register_facility(world.kr, RegisterFacility(**fields))  # type: ignore[arg-type]  # by name


def warned(shown: FacilityShown) -> set[tuple[str, tuple[tuple[str, str], ...]]]:
    return {(each.code, tuple((cite.clause, cite.provenance) for cite in each.cites)) for each in shown.warnings}


async def named(world: World, handle: str | None, actor: Actor = ROOT) -> FacilityShown:
    authority = "security course 2026, order 12" if handle else ""
    request = NameOfficer(facility="air-staff", handle=handle, authority=authority, actor=actor)
    return await name_officer(world.kr, request)


@article(
    "10",
    does="names a cleared and qualified officer for each facility, and warns where there is none",
    command="comity facility officer",
    rests_on=("o-10",),
)
async def test_a_facility_without_a_responsible_officer_is_shown_as_such(world: World) -> None:
    shown = await facility(world)
    assert warned(shown) == {("no-officer", (("10", "K"),))}  # unchecked: it warns, and refuses nothing
    for handle in ("park", "hong"):  # not cleared; cleared, but to nothing yet that the site may hold
        if handle == "hong":
            await grant_clearance(
                world.kr,
                GrantClearance(
                    handle="hong",
                    mark="군사 Ⅲ급 비밀",
                    until=TODAY + YEAR,
                    basis="vetted",
                    actor=ROOT,
                    all_information=True,
                ),
            )
        with pytest.raises(Misuse) as raised:
            await named(world, handle)
        assert raised.value.code in {"not-cleared", "clearance-too-low"}
    shown = await named(world, "kim")
    assert (shown.officer, shown.authority, shown.warnings) == ("kim", "security course 2026, order 12", ())
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
    assert warned(await show_facility(world.kr, ShowFacility("air-staff"))) == {("officer-not-cleared", (("10", "K"),))}
    assert warned(await named(world, None)) == {("no-officer", (("10", "K"),))}


@article(
    "10",
    does="registers sites and systems with the highest level they may hold, and until when",
    command="comity facility add",
)
async def test_sites_and_systems_are_approved_up_to_a_level_until_a_day(world: World) -> None:
    system = await facility(world, "seoul-node", nature="system", mark="군사 Ⅲ급 비밀")
    assert (system.nature, system.mark, system.warnings) == ("system", "군사 Ⅲ급 비밀", ())
    await facility(world, until=TODAY + timedelta(days=3))
    world.clock.time += timedelta(days=4)
    assert "site-ended" in {code for code, _ in warned(await show_facility(world.kr, ShowFacility("air-staff")))}
