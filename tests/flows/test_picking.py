"""Several agreements between the same two houses: one is picked, the others are named (``spec/routes.md`` 13 to 15)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from comity.errors import Misuse, Rejected
from comity.flows.actors import Actor
from comity.flows.consenting.showing import AskShow, ask_show
from comity.flows.deciding.explaining import Why, why
from comity.flows.deciding.picking import Place
from comity.flows.deciding.recorded import recorded
from comity.flows.giving.release import Give, Given, give, preview
from comity.register.rows import RequestRow
from trilateral import ACROSS, FIRST, JP_US, PURPOSE, SECOND, SECRET, Trilateral

DIRECT = "tisa-2014/jp.kr"
"""The arrangement between the two that it lets share by way of Washington only."""


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Trilateral]:
    made = await Trilateral.make(tmp_path, (JP_US, FIRST, ACROSS, DIRECT))
    yield made
    await made.close()


async def wish(world: Trilateral, *relationships: str, reader: str = "jones", **changes: object) -> Give:
    """Tokyo wants to give a report to somebody, under the first agreement or one of the others."""
    party = {"jones": "us", "kim": "kr"}[reader]
    first, *others = [
        Place(relationship=each, recipients=(await world.pseudonym(party, reader, each),)) for each in relationships
    ]
    return Give(
        **{
            "path": world.document(),
            "relationship": first.relationship,
            "mark": SECRET["jp"],
            "topic": "test-site",
            "recipients": first.recipients,
            "purpose": PURPOSE,
            "actor": Actor("sato"),
            "otherwise": tuple(others),
            **changes,
        }
    )


def tried(given: Given) -> dict[str, str]:
    return {each.relationship: each.outcome for each in given.tried}


async def test_what_one_agreement_has_no_basis_for_goes_under_the_other(world: Trilateral) -> None:
    asked = await preview(world.houses["jp"], await wish(world, FIRST, JP_US, purpose="the exercise in March"))
    assert (asked.relationship, asked.outcome) == (JP_US, "needs-consent")
    assert tried(asked) == {FIRST: "no-basis"}
    (arrangement,) = asked.tried
    assert any("the exercise in March" in each for each in arrangement.against)


async def test_the_arrangement_lets_nothing_go_directly_and_says_so(world: Trilateral) -> None:
    asked = await preview(world.houses["jp"], await wish(world, DIRECT, ACROSS, reader="kim"))
    assert asked.relationship == ACROSS
    assert tried(asked) == {DIRECT: "forbidden"}


async def test_of_several_that_go_equally_far_the_most_binding_is_picked(world: Trilateral) -> None:
    for relationships in ((FIRST, JP_US), (JP_US, FIRST)):
        asked = await preview(world.houses["jp"], await wish(world, *relationships))
        assert asked.relationship == JP_US
        assert tried(asked) == {FIRST: "needs-consent"}


async def test_the_record_of_the_decision_names_the_others_with_theirs(world: Trilateral) -> None:  # (15)
    jp = world.houses["jp"]
    asked = await give(jp, await wish(world, FIRST, JP_US, purpose="the exercise in March"))
    assert (await jp.need(RequestRow, asked.request, "request")).relationship == JP_US
    found = await recorded(jp, bytes.fromhex(asked.decision_record))
    assert found is not None
    (named,) = found.body.tried
    other = await recorded(jp, named.decision)
    assert other is not None
    assert (other.body.relationship, other.body.outcome, other.case.item.agreement) == (FIRST, "no-basis", "tisa-2014")
    told = await why(jp, Why(of=asked.decision_record))
    assert [(each.relationship, each.outcome) for each in told[0].tried] == [(FIRST, "no-basis")]


async def test_what_none_allows_is_refused_under_the_one_that_goes_farthest(world: Trilateral) -> None:
    asked = await give(world.houses["jp"], await wish(world, DIRECT, ACROSS, reader="kim", mark="機密"))
    assert asked.outcome == "forbidden"
    assert (asked.relationship, tried(asked)) == (ACROSS, {DIRECT: "forbidden"})
    asked = await give(world.houses["jp"], await wish(world, FIRST, JP_US, purpose="tea", subject="fisheries"))
    assert (asked.outcome, asked.relationship, tried(asked)) == ("no-basis", JP_US, {FIRST: "no-basis"})
    assert await world.houses["jp"].row(RequestRow, asked.request) is None


async def test_a_mark_that_one_agreement_does_not_know_goes_under_another(world: Trilateral) -> None:
    asked = await preview(world.houses["jp"], await wish(world, DIRECT, ACROSS, reader="kim", mark="特定秘密"))
    assert (asked.relationship, asked.outcome) == (ACROSS, "needs-consent")


async def test_the_mild_halves_of_two_do_not_make_a_whole(world: Trilateral) -> None:
    """The arrangement covers no equipment; the agreement of 2007 knows the subject of defence only."""
    jp = world.houses["jp"]
    both = await preview(jp, await wish(world, FIRST, JP_US, form="equipment", subject="fisheries"))
    assert (both.outcome, tried(both)) == ("no-basis", {FIRST: "no-basis"})
    alone = await preview(jp, await wish(world, FIRST, JP_US, form="equipment"))
    assert (alone.outcome, alone.relationship) == ("needs-consent", JP_US)
    alone = await preview(jp, await wish(world, FIRST, JP_US, subject="fisheries"))
    assert (alone.outcome, alone.relationship) == ("needs-consent", FIRST)


async def test_one_party_at_a_time_and_a_mark_of_some_ladder(world: Trilateral) -> None:
    jp = world.houses["jp"]
    asked = await wish(world, JP_US)
    kim = Place(relationship=ACROSS, recipients=(await world.pseudonym("kr", "kim", ACROSS),))
    with pytest.raises(Misuse, match="one party") as raised:
        await give(jp, msgspec.structs.replace(asked, otherwise=(kim,)))
    assert raised.value.code == "several-parties"
    with pytest.raises(Rejected):
        await give(jp, await wish(world, JP_US, FIRST, mark="SECRETT"))


async def test_handing_on_picks_too(tmp_path: Path) -> None:
    world = await Trilateral.make(tmp_path, (JP_US, FIRST, SECOND, "us-kr-1987/kr.us"))
    try:
        given = await world.given(JP_US, purpose="the exercise in March")
        wanted = {"beneficiary_kind": "government", "purpose": "the exercise in March"}
        await world.consent(await world.ask_consent(given.item, **wanted))
        other = Place(
            relationship="us-kr-1987/kr.us", recipients=(await world.pseudonym("kr", "kim", "us-kr-1987/kr.us"),)
        )
        asked = await world.ask_on(given.item, purpose="the exercise in March", otherwise=(other,))
        assert (asked.relationship, tried(asked)) == ("us-kr-1987/kr.us", {SECOND: "no-basis"})
        assert (await world.approve_on(asked)).given is not None
    finally:
        await world.close()


async def test_showing_picks_too(world: Trilateral) -> None:
    jp = world.houses["jp"]
    other = Place(relationship=JP_US, recipients=(await world.pseudonym("us", "jones", JP_US),))
    request = AskShow(
        relationship=FIRST,
        recipients=(await world.pseudonym("us", "jones", FIRST),),
        manner="oral",
        purpose="the exercise in March",
        mark=SECRET["jp"],
        topic="test-site",
        title="what the station saw",
        actor=Actor("sato"),
        otherwise=(other,),
    )
    told = await ask_show(jp, request)
    assert (told.relationship, told.outcome) == (JP_US, "needs-consent")
    assert [(each.relationship, each.outcome) for each in told.tried] == [(FIRST, "no-basis")]
    assert (await jp.need(RequestRow, told.request, "request")).relationship == JP_US
    with pytest.raises(Rejected):
        await ask_show(jp, msgspec.structs.replace(request, mark="SECRETT"))
