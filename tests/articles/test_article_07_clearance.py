"""Article 7.3 and 7.4: what a clearance rests on, how it is come to, and what its withdrawal closes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from clauses import against, article
from comity.errors import Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.giving.opening import Open, OpenedItem
from comity.flows.handling.copies import ListCopies, list_copies
from comity.flows.handling.handing_over import HandOver, TakeOver, hand_over, take_over
from comity.flows.people.clearances import (
    ChangeList,
    GrantClearance,
    WithdrawClearance,
    change_list,
    grant_clearance,
    withdraw_clearance,
)
from comity.flows.people.person_views import ListClearances, list_clearances
from openings import asked_to_open
from world import ROOT, TODAY, World

SECRET = "군사 Ⅱ급 비밀"


async def granted(world: World, handle: str, **changes: object) -> object:
    fields: dict[str, object] = {
        "handle": handle,
        "mark": SECRET,
        "until": TODAY + timedelta(days=365),
        "basis": "vetting 81/2026",
        "actor": ROOT,
        "all_information": True,
        **changes,
    }
    return await grant_clearance(world.kr, GrantClearance(**fields))  # type: ignore[arg-type]  # by name


async def opened(world: World, item: str, reader: str = "kim", name: str = "opened.txt") -> OpenedItem:
    path = str(world.folder / name)
    return await asked_to_open(world.kr, Open(item=item, purpose="air defence", path=path, actor=Actor(reader)))


@article(
    "7.3",
    does="grants a clearance only with the assurance that it rests on all available information",
    command="comity clearance grant --all-information",
    rests_on=("access",),
)
async def test_a_clearance_rests_on_all_available_information(world: World) -> None:
    given = await world.given()
    with pytest.raises(Refused) as raised:
        await granted(world, "park", all_information=False)
    assert (raised.value.code, raised.value.place) == ("not-all-information", "7.3")
    assert "jp-kr-2016:7.2" in against((await opened(world, given.item, "park")).decision)  # and so nothing opens
    shown = await granted(world, "park")
    assert shown.all_information


@article(
    "7.4",
    does="records who decided on a clearance and who signed, never the person himself; lists which end soon",
    command="comity clearance list --expiring",
)
async def test_who_decided_and_who_signed(world: World) -> None:
    shown = await granted(world, "park", decided_by="the vetting board", actor=Actor("lee"))
    assert (shown.decided_by, shown.signed_by, shown.clearance_basis) == (
        "the vetting board",
        "lee",
        "vetting 81/2026",
    )
    shown = await granted(world, "park", decided_by="kim", actor=Actor("lee"))
    assert (shown.decided_by, shown.signed_by) == ("kim", "lee")
    for changes in ({"handle": "lee", "actor": Actor("lee")}, {"handle": "park", "decided_by": "park"}):
        with pytest.raises(Misuse) as raised:
            await granted(world, **changes)  # type: ignore[arg-type]  # by name
        assert raised.value.code == "own-clearance"
    await granted(world, "choi", until=TODAY + timedelta(days=20))
    ending = await list_clearances(world.kr, ListClearances(TODAY + timedelta(days=30)))
    assert [each.handle for each in ending] == ["choi"]


@article(
    "7",
    "7.2",
    does="closes with a clearance what it opened: opening stops at that instant, copies are to be handed over",
    command="comity clearance withdraw",
    rests_on=("access",),
)
async def test_withdrawing_a_clearance_closes_what_is_open(world: World) -> None:
    given = await world.given()
    assert (await opened(world, given.item)).opening is not None
    shown = await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
    assert [(each.item, each.number, each.state) for each in shown.to_hand_over] == [(given.item, 1, "held")]
    after = await opened(world, given.item, name="again.txt")
    assert after.opening is None
    assert against(after.decision) == {"jp-kr-2016:7.2"}
    (first,) = (await list_clearances(world.kr, ListClearances()))[:1]  # and it stays a finding until it is done
    assert (first.handle, len(first.to_hand_over)) == ("kim", 1)
    (line,) = await list_copies(world.kr, ListCopies(item=given.item))
    assert line.to_hand_over
    await world.exchange()
    asked = await world.ask()  # the other party knows that nothing new may go to him
    assert (asked.outcome, against(asked.decision)) == ("forbidden", {"no-recipients"})
    await granted(world, "kim")
    await world.exchange()
    assert (await world.ask()).outcome == "needs-consent"
    assert (await opened(world, given.item, name="third.txt")).opening is not None


@article(
    "7.2",
    does="lets whoever lost his clearance do one thing with his copies: hand them over",
    command="comity hand-over",
    rests_on=("access",),
)
async def test_whoever_lost_his_clearance_hands_over_what_he_has(world: World) -> None:
    given = await world.given()
    await change_list(world.kr, ChangeList(topic="missiles", handle="choi", listed=True, actor=ROOT))
    await withdraw_clearance(world.kr, WithdrawClearance(handle="kim", reason="moved", actor=ROOT))
    handing = HandOver(item=given.item, copy=1, taker="park", actor=Actor("kim"))
    refused = await hand_over(world.kr, handing)
    assert against(refused.decision) == {"jp-kr-2016:7.2"}  # nor to somebody who is not cleared either
    handed = await hand_over(world.kr, HandOver(item=given.item, copy=1, taker="choi", actor=Actor("kim")))
    assert handed.records
    await take_over(world.kr, TakeOver(item=given.item, copy=1, actor=Actor("choi")))
    assert not any(each.to_hand_over for each in await list_clearances(world.kr, ListClearances()))
    await world.exchange()
    (line,) = await list_copies(world.jp, ListCopies(item=given.item))
    assert line.holder == await world.pseudonym("choi")  # and the originator sees it
