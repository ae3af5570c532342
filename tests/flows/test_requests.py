"""Requests as their approvers see them, and what is decided while it is typed (``spec/contents.md`` 9 to 15)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from comity.errors import ComityError, Misuse, Refused
from comity.flows.actors import Actor
from comity.flows.deciding.explaining import Why, why
from comity.flows.finding.releases import ListRequests, list_requests
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, StillOpen, open_item, still_open
from comity.flows.giving.release import Give, look, preview
from comity.flows.looking.requests import ShowRequest, show_request
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from world import RELATIONSHIP, ROOT, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path)
    await made.person("jp", "baba", roles=("release-authority",))
    yield made
    await made.close()


async def wish(world: World, **changes: object) -> Give:
    given: dict[str, object] = {
        "path": world.document(),
        "relationship": RELATIONSHIP,
        "mark": "極秘",
        "topic": "missiles",
        "recipients": (await world.pseudonym("kim"),),
        "purpose": "air defence",
        "actor": Actor("sato"),
        **changes,
    }
    return Give(**given)  # type: ignore[arg-type]  # a test says which


def size(world: World) -> int:
    return sum(head.size for head in world.jp.sequencer.heads().values())


async def test_what_is_typed_is_decided_as_a_question_is_and_not_recorded(world: World) -> None:
    """(9)"""
    before = size(world)
    for changes in ({}, {"mark": "機密"}, {"recipients": ()}, {"subject": "weather"}):
        looked = await look(world.jp, await wish(world, **changes))
        assert (size(world), looked.decision_record) == (before, "")
        asked = await preview(world.jp, await wish(world, **changes))
        before = size(world)
        assert (looked.outcome, looked.alternative) == (asked.outcome, asked.alternative)
        assert [each.code for each in looked.decision.reasons] == [each.code for each in asked.decision.reasons]


async def test_a_mark_that_is_not_on_the_ladder_is_named_while_it_is_typed(world: World) -> None:
    with pytest.raises(ComityError, match="極秘"):
        await look(world.jp, await wish(world, mark="極密"))


async def test_a_request_goes_from_asked_to_received(world: World) -> None:
    """(12)"""
    asked = await world.ask()
    shown = await show_request(world.jp, ShowRequest(request=asked.request, actor=Actor("abe")))
    assert (shown.sealed, shown.sent, shown.received, shown.mine) == (True, None, None, False)
    assert shown.outcome is not None
    assert type(shown.outcome).__name__ == "NeedsConsent"
    assert shown.assurances[0].conditions is None
    assert (shown.line.by, shown.newest and shown.newest.by) == ("sato", "sato")
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    shown = await show_request(world.jp, ShowRequest(request=asked.request, actor=Actor("abe")))
    assert shown.assurances[0].conditions
    await approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    shown = await show_request(world.jp, ShowRequest(request=asked.request, actor=Actor("sato")))
    assert (shown.sealed, shown.sent is None, shown.received, shown.outcome, shown.mine) == (
        False,
        False,
        None,
        None,
        True,
    )
    assert [(each.granted, each.reason, each.said and each.said.by) for each in shown.answers] == [
        (True, "needed", "abe")
    ]
    await world.exchange()
    shown = await show_request(world.jp, ShowRequest(request=asked.request, actor=Actor("ito")))
    assert shown.received is not None


async def test_each_sees_what_waits_for_him(world: World) -> None:
    asked = await world.ask()
    await world.exchange()

    async def waits(handle: str, party: str = "jp") -> tuple[list[str], list[str], list[str]]:
        found = await list_requests(world.house(party), ListRequests(actor=Actor(handle)))
        return ([x.request for x in found.approve], [x.request for x in found.assure], [x.request for x in found.own])

    one = [asked.request]
    assert await waits("sato") == ([], [], one)
    assert await waits("abe") == await waits("baba") == (one, [], [])
    assert await waits("ito") == ([], [], [])
    assert await waits("lee", "kr") == ([], one, [])
    assert await waits("kim", "kr") == ([], [], [])
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    assert await waits("lee", "kr") == ([], [], [])
    await approve(world.jp, Approve(request=asked.request, reason="no", granted=False, actor=Actor("abe")))
    assert await waits("abe") == await waits("baba") == ([], [], [])
    assert await waits("sato") == ([], [], one)


async def test_a_request_is_not_there_for_whoever_has_nothing_to_do_with_it(world: World) -> None:
    asked = await world.ask()
    await world.person("jp", "mori")
    await world.person("jp", "kato", roles=("officer",))
    for handle in ("mori", "kato"):
        told = []
        for request in (asked.request, "r-aaaaaaaaaaaaaaaa"):
            with pytest.raises(Misuse) as refused:
                await show_request(world.jp, ShowRequest(request=request, actor=Actor(handle)))
            told.append(str(refused.value).replace(request, "…"))
        assert told[0] == told[1]


async def test_two_who_approve_at_once_do_it_once(world: World) -> None:
    asked = await world.ask()
    await world.exchange()
    await assure(world.kr, Assure(request=asked.request, relationship=RELATIONSHIP, actor=Actor("lee")))
    await world.exchange()
    both = await asyncio.gather(
        *(
            approve(world.jp, Approve(request=asked.request, reason="needed", actor=Actor(each)))
            for each in ("abe", "baba")
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(each, BaseException) for each in both) == 1
    shown = await show_request(world.jp, ShowRequest(request=asked.request, actor=Actor("baba")))
    assert (len(shown.answers), shown.sent is not None) == (1, True)


async def test_what_lies_open_is_decided_again(world: World, tmp_path: Path) -> None:
    """(15) A permit rests on the opening that is recorded; a refusal is recorded by itself."""
    given = await world.given()
    still = StillOpen(item=given.item, purpose="air defence", actor=Actor("kim"))
    opened = await open_item(
        world.kr, Open(item=given.item, purpose="air defence", path=str(tmp_path / "out"), actor=Actor("kim"))
    )
    assert opened.copy == 1
    before = sum(head.size for head in world.kr.sequencer.heads().values())
    again = await still_open(world.kr, still)
    assert (again.outcome, again.copy, again.decision_record) == ("permit", 1, "")
    assert sum(head.size for head in world.kr.sequencer.heads().values()) == before
    other = await still_open(world.kr, msgspec.structs.replace(still, purpose="something else"))
    assert (other.outcome, bool(other.decision_record)) == ("needs-consent", True)
    world.clock.time += timedelta(days=1)
    await change_list(world.kr, ChangeList(topic="missiles", handle="kim", listed=False, actor=ROOT))
    refused = await still_open(world.kr, still)
    assert refused.outcome != "permit"
    told = await why(world.kr, Why(of=given.item, actor=Actor("lee")))
    assert [each.record for each in told[-2:]] == [other.decision_record, refused.decision_record]
    with pytest.raises(Misuse, match="there is no item"):
        await still_open(world.kr, msgspec.structs.replace(still, actor=Actor("choi")))
    await world.person("kr", "oh")
    await change_list(world.kr, ChangeList(topic="missiles", handle="oh", listed=True, actor=ROOT))
    await _clear(world, "oh")
    with pytest.raises(Refused, match="holds no copy"):
        await still_open(world.kr, msgspec.structs.replace(still, actor=Actor("oh")))


async def _clear(world: World, handle: str) -> None:
    until = world.clock.time + timedelta(days=90)
    cleared = GrantClearance(
        handle=handle, mark="군사 Ⅱ급 비밀", until=until, basis="vetted", actor=ROOT, all_information=True
    )
    await grant_clearance(world.kr, cleared)
