"""Article 2(d): each side tells the other which authorities are competent, and both keep a dated register."""

from __future__ import annotations

from typing import Any

import pytest

from clauses import article
from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.agreeing.notices import (
    Designate,
    DesignationShown,
    EndDesignation,
    ListDesignations,
    designate,
    end_designation,
    list_designations,
)
from comity.flows.house import House
from comity.flows.looking.duties import ListDuties, list_duties
from comity.register.rows.duties import DutiesRow, Duty
from world import RELATIONSHIP, World

ENVOY = Actor("mori")


async def told(world: World) -> DesignationShown:
    await world.person("jp", "mori", roles=("agreement-authority",))
    made = await designate(
        world.jp,
        Designate(
            relationship=RELATIONSHIP,
            authority="Ministry of Defense",
            since="2026-12-01",
            note="note 12/2026",
            actor=ENVOY,
        ),
    )
    await world.exchange()
    return made


async def laid(house: House, subject: str) -> list[Duty]:
    rows = [row async for _, row in house.rows(DutiesRow, f"{RELATIONSHIP}/{subject}")]
    return [duty for row in rows for duty in row.duties]


@article(
    "2.d",
    does="records a designation with its day and its note on both sides, and shows that the other was told",
    command="comity authority designate",
    rests_on=("o-2d",),
)
async def test_a_designation_is_told_and_the_duty_to_tell_it_is_done(world: World) -> None:
    made = await told(world)
    for house in (world.jp, world.kr):
        (shown,) = [each for each in await list_designations(house, ListDesignations(on="2026-12-01")) if each.record]
        assert (shown.party, shown.authority, shown.note) == ("jp", "Ministry of Defense", "note 12/2026")
        assert await list_designations(house, ListDesignations(on="2026-11-30")) == []
        (duty,) = await laid(house, made.designation)
        assert (duty.obligation, duty.clause, duty.who, duty.to) == ("o-2d", "2.d", "jp", "kr")
        assert duty.discharged == bytes.fromhex(made.record)


@article("2.d", does="ends a designation from a day on, by another note", command="comity authority end")
async def test_a_designation_ends_on_its_day(world: World) -> None:
    made = await told(world)
    await end_designation(
        world.jp,
        EndDesignation(
            relationship=RELATIONSHIP, designation=made.designation, since="2027-12-01", note="note 3", actor=ENVOY
        ),
    )
    await world.exchange()
    held = [await list_designations(world.kr, ListDesignations(on=day)) for day in ("2027-11-30", "2027-12-01")]
    assert [len(each) for each in held] == [1, 0]


@article("2.d", does="lets nobody but an agreement authority designate", command="comity authority designate")
async def test_nobody_else_designates(world: World) -> None:
    with pytest.raises(Misuse, match="agreement-authority"):
        await designate(
            world.jp,
            Designate(
                relationship=RELATIONSHIP, authority="A desk", since="2026-12-01", note="none", actor=Actor("sato")
            ),
        )


@article(
    "2.d",
    does="begins the register with the authorities that the agreement file lists",
    command="comity authority list",
)
async def test_the_agreement_file_is_the_beginning(make_world: Any) -> None:
    world: World = await make_world()
    agreement = (await world.jp.library.load(await world.jp.agreement_row(RELATIONSHIP))).agreement
    listed = await list_designations(world.jp, ListDesignations())
    assert [(each.party, each.authority, each.since) for each in listed] == [
        (each.party, each.name.en, each.valid_from) for each in agreement.authorities
    ]
    found = await list_duties(world.jp, ListDuties(whose="mine"))
    assert [each.obligation for each in found.duties if each.event == "designation-changed"] == []
