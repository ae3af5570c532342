"""Article 5: an implementing arrangement puts in the numbers, and is cited for them itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from clauses import article
from comity.errors import Rejected
from comity.flows.looking.duties import ListDuties, list_duties
from world import World, adopt, library

ARRANGEMENT = "jp-kr-arrangement.example.toml"
NAME = "jp-kr-arrangement.example"


@article(
    "5",
    does="takes a number from an arrangement, counts by it, and cites the arrangement and not the agreement",
    command="comity agreement adopt --layer",
    rests_on=("o-12", f"{NAME}:deadline"),
)
async def test_a_number_comes_from_the_arrangement_and_cites_it(make_world: Any) -> None:
    with_numbers: World = await make_world(layers=(ARRANGEMENT,))
    without: World = await make_world()
    for world, limit in ((with_numbers, ("P30D", f"{NAME}:3.1")), (without, ("", ""))):
        given = await world.given(form="documentary")
        for house in (world.jp, world.kr):
            shown = await list_duties(house, ListDuties(item=given.item))
            (duty,) = [each for each in shown.duties if each.obligation == "o-12"]
            assert (duty.instrument, duty.clause) == ("jp-kr-2016", "12")  # who lays it; the number is the layer's
            assert (duty.limit, duty.limit_from) == limit
            assert (duty.due is not None) == bool(limit[0])
            if duty.due is not None:
                assert timedelta(days=30) <= duty.due - duty.at < timedelta(days=31)


@article(
    "5",
    does="keeps arrangements below the agreement: what they lay, ask or forbid is theirs by name",
    command="comity agreement check --layer",
)
async def test_an_arrangement_stays_below_the_agreement(world: World) -> None:
    text = library(ARRANGEMENT)
    for old, new, code in (
        ("forbids = true", "permits = true", "layer-permits"),
        ('clause = "2.2"\nacts', 'clause = "17"\nacts', "cites-agreement"),
        ('on = "jp-kr-2016"', 'on = "jp-us-2007"', "other-agreement"),
        ('obligation = "o-12"', 'obligation = "o-121"', "unknown-obligation"),
    ):
        assert old in text
        with pytest.raises(Rejected) as raised:
            await adopt(world.jp, "kr", "jp-kr-2016.history.toml", ("house.toml", text.replace(old, new, 1)))
        assert raised.value.code == code


@article(
    "5",
    does="lays duties of the arrangement's own beside the agreement's, under its own clauses",
    command="comity duties",
    rests_on=(f"{NAME}:a-consent",),
)
async def test_an_arrangement_lays_duties_of_its_own(make_world: Any) -> None:
    from comity.flows.agreeing.agreements import ListAgreements, list_agreements

    world: World = await make_world(layers=(ARRANGEMENT,))
    for house in (world.jp, world.kr):
        (shown,) = await list_agreements(house, ListAgreements())
        assert NAME in shown.layers
        running = await house.library.load(await house.agreement_row(shown.relationship))
        duties = {duty.obligation: duty for duty in running.compiled.duties_on("consent-wanted")}
        assert set(duties) == {"a-consent"}
        duty = duties["a-consent"]
        assert (duty.instrument, duty.clause, duty.who, duty.act, duty.within) == (
            NAME,
            "3.2",
            "originator",
            "answer-request",
            "P30D",
        )
