"""What stands under several agreements carries the conditions of all, whatever way it goes (``spec/routes.md`` step 1).

Permissions intersect and restrictions unite: what is made of two parties' information, and what is handed on from one
agreement into another.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.consenting.granting import ConsentShown
from comity.flows.deciding.recorded import recorded
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.giving.opening import Open, open_item
from comity.register.rows import DecisionRow, ItemRow
from trilateral import FIRST, JP_US, KR_US, PURPOSE, SECOND, Trilateral

MAKES = """
[[rule]]
id = "makes"
clause = "{clause}"
acts = ["extract"]
permits = true
"""
"""A rule that the bilateral agreements lack, as far as they were read: something may be made from what was given."""
STRICT = """
[layer]
format = 1
id = "tokyo-strict"
version = "1"
kind = "house"
title = { en = "A stricter rule of the first leg" }

[[clause]]
id = "seoul"
heading = { en = "Secrets" }
says = "What is secret goes to nobody of that body."
provenance = "P"
source = "a test"

[[rule]]
id = "seoul"
clause = "seoul"
acts = ["give"]
when = { level-at-least = "SECRET", purpose = ["%s"], holder = "recipient" }
forbids = true
"""


async def test_what_the_first_agreement_forbids_no_second_one_permits(tmp_path: Path) -> None:
    """Washington keeps a stricter rule on what came under the agreement of 2007; that of 1987 has none of the kind."""
    world = await Trilateral.make(tmp_path, (JP_US, KR_US), layers={JP_US: (STRICT % PURPOSE,)})
    try:
        given = await world.given(JP_US)
        await world.consent(await world.ask_consent(given.item, beneficiary_kind="government"))
        asked = await world.ask_on(given.item, relationship=KR_US)
        assert asked.outcome == "forbidden"
        (reason,) = [each for each in asked.decision.reasons if each.effect == "forbids"]
        assert (reason.step, reason.instrument, reason.clause) == (18, "tokyo-strict", "seoul")
    finally:
        await world.close()


async def test_one_purpose_stays_one_purpose_under_an_agreement_that_has_none(tmp_path: Path) -> None:
    world = await Trilateral.make(tmp_path)
    try:
        given = await world.given(FIRST)
        await world.consent(await world.ask_consent(given.item))
        assert (await world.ask_on(given.item, relationship=KR_US)).outcome == "needs-consent"
        other = await world.ask_on(given.item, relationship=KR_US, purpose="the exercise in March")
        assert other.outcome == "no-basis"
        codes = {(each.step, each.instrument, each.code) for each in other.decision.reasons if each.effect == "lacks"}
        assert codes == {(18, "tisa-2014", "purpose-outside")}
    finally:
        await world.close()


async def test_what_is_made_of_two_needs_both_originators(tmp_path: Path) -> None:
    """A summary of Tokyo's and Seoul's; somebody in Washington who serves a fourth state wants to read it."""
    more = {"jp-us-2007": MAKES.format(clause="access"), "us-kr-1987": MAKES.format(clause="3.a")}
    world = await Trilateral.make(tmp_path, (JP_US, KR_US), more=more)
    us = world.houses["us"]
    try:
        await world.enrol("us", "reed", (), serves="au")
        await world.exchange()
        ours = [await world.given(JP_US), await world.given(KR_US, giver="kr", path=world.document(b"seen", "k.txt"))]
        made = await derive(
            us,
            Derive(
                path=world.document(b"both", "both.txt"),
                relation="contains",
                ancestors=tuple(each.item for each in ours),
                purpose=PURPOSE,
                actor=Actor("jones"),
                topic="test-site",
                subject="defence",
            ),
        )
        assert made.item
        await world.exchange()
        assert await missing(world, made.item) == {"jp", "kr"}
        await consent(world, made.item, JP_US, "jp")
        assert await missing(world, made.item) == {"kr"}
        shown = await consent(world, made.item, KR_US, "kr")
        assert await missing(world, made.item) == set()
        assert shown.row.until is not None
        world.clock.time = shown.row.until + timedelta(seconds=1)
        assert "kr" in await missing(world, made.item)
    finally:
        await world.close()


async def missing(world: Trilateral, item: str) -> set[str]:
    """Whose consent is missing before he may open it; he holds no copy, and gets no further than the decision."""
    us = world.houses["us"]
    wish = Open(item=item, purpose=PURPOSE, path=str(world.folder / "both-read.txt"), actor=Actor("reed"))
    with suppress(Refused, Misuse):
        await open_item(us, wish)
    (*_, decided) = [each async for _, each in us.rows(DecisionRow, f"{item}/")]
    found = await recorded(us, decided.record)
    assert found is not None
    asked = [each for each in found.outcome.reasons if each.code == "consent-missing"]
    return {each.parameters[2 if each.step == 18 else 0] for each in asked}


async def consent(world: Trilateral, item: str, relationship: str, by: str) -> ConsentShown:
    wanted = await world.ask_consent(
        item,
        acts=("open",),
        beneficiary="au",
        beneficiary_kind="government",
        relationship=relationship,
        until=world.clock.time + timedelta(days=30),
    )
    return await world.consent(wanted, by)


@pytest.mark.parametrize("second", [SECOND, KR_US])
async def test_at_its_end_it_stands_under_one_agreement_and_its_originators_consent(
    tmp_path: Path, second: str
) -> None:
    world = await Trilateral.make(tmp_path)
    try:
        given = await world.given(FIRST)
        await world.consent(await world.ask_consent(given.item), conditions=("on paper only",))
        await world.approve_on(await world.ask_on(given.item, relationship=second))
        there = await world.houses["kr"].need(ItemRow, given.item, "item")
        assert (there.relationship, there.provided) == (second, PURPOSE)
    finally:
        await world.close()
