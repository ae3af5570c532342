"""What the agreement says is done once the other party signed two histories (``spec/contradictions.md`` 30 to 33)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Misuse, Refused, Rejected
from comity.flows.actors import Actor
from comity.flows.calls import show_whole_inbox
from comity.flows.feeding.gates import Gates
from comity.flows.feeding.names import FeedName
from comity.flows.house import House
from comity.flows.looking.views import ShowInbox
from comity.flows.maintaining.rebuilding import Rebuild, rebuild
from comity.flows.vouching.contradictions import (
    ContradictionShown,
    ListContradictions,
    SettleContradiction,
    list_contradictions,
    settle_contradiction,
)
from comity.register.rows import ConsignmentRow
from flows.parcels import KR, listed, parcel_with, record_of
from flows.test_releasing_feeds import FEED, released, text
from world import RELATIONSHIP, ROOT, World

LAYER = """
[layer]
format = 1
id = "jp-answers"
version = "1"
kind = "house"
title = { en = "What Tokyo does", ja = "東京の対応", ko = "도쿄의 대응" }

[[clause]]
id = "two-histories"
heading = { en = "Two histories", ja = "二つの履歴", ko = "두 개의 이력" }
says = "Nothing more is given to a party that is proved to have signed two histories, until both have consulted."
provenance = "P"
source = "an example"

[response]
clause = "two-histories"
two-histories = ["freeze", "consult"]
"""


@pytest.fixture
async def frozen(tmp_path: Path) -> AsyncIterator[World]:
    world = await World.make(tmp_path, layers=(LAYER,))
    yield world
    await world.close()


async def lie(world: World, name: str = "n-other") -> ContradictionShown:
    """Seoul signs another record in a place that Tokyo has."""
    previous = (await world.jp.store.chain(KR, 0, 1))[0].record
    other = record_of(world.kr, listed(world.kr, name), sequence=1, previous=previous)
    with pytest.raises(Rejected):
        await world.jp.exchange.unpack("kr", await parcel_with(world.kr, other))
    return next(each for each in await list_contradictions(world.jp, ListContradictions()) if not each.settled)


async def calls(house: House, actor: Actor | None = None) -> list[tuple[str, str]]:
    inbox = await show_whole_inbox(house, ShowInbox(actor=actor))
    return [(call.kind, call.says) for call in inbox.calls if call.kind == "contradiction"]


async def test_giving_stops_with_its_clause_and_goes_on_when_it_is_settled(frozen: World) -> None:  # (32, 33)
    await frozen.ask()
    found = await lie(frozen)
    assert found.response == ("freeze", "consult")
    with pytest.raises(Refused) as caught:
        await frozen.ask()
    assert (caught.value.code, caught.value.place) == ("frozen", "jp-answers:two-histories")
    assert found.contradiction in caught.value.sentence
    settled = await settle_contradiction(
        frozen.jp, SettleContradiction(contradiction=found.contradiction, reason="a restored copy", actor=ROOT)
    )
    assert settled.settled == "a restored copy"
    assert settled.kind == "two-records"  # the proof stays
    await frozen.ask()
    assert (await rebuild(frozen.jp, Rebuild())).rows
    await frozen.ask()
    await lie(frozen, "n-third")  # another one
    with pytest.raises(Refused):
        await frozen.ask()


async def test_what_was_asked_for_before_waits(frozen: World) -> None:  # (32)
    await frozen.ask()
    await frozen.exchange()
    await lie(frozen)
    with pytest.raises(Refused) as caught:
        await frozen.given()
    assert caught.value.code == "frozen"
    assert [row async for _, row in frozen.jp.rows(ConsignmentRow)] == []


async def test_the_other_side_goes_on_being_heard(frozen: World) -> None:  # (32)
    await lie(frozen)
    await frozen.exchange()
    before = frozen.jp.sequencer.head(KR).size
    await frozen.person("kr", "yoon")
    await frozen.exchange()
    assert frozen.jp.sequencer.head(KR).size >= before


async def test_it_is_asked_to_consult(frozen: World) -> None:  # (31, 33)
    assert await calls(frozen.jp) == []
    await lie(frozen)
    (call,) = await calls(frozen.jp)
    assert call[1] == "kr signed two things that cannot both be true; a consultation is asked for"
    assert await calls(frozen.jp, Actor("sato")) == []  # an officer who deals with other things


async def test_where_the_text_says_nothing_it_is_told_and_no_more(tmp_path: Path) -> None:  # (30, 31)
    world = await World.make(tmp_path)
    found = await lie(world)
    assert found.response == ()
    (call,) = await calls(world.jp)
    assert call[1] == "kr signed two things that cannot both be true"
    await world.ask()
    await world.close()


async def test_our_own_contradiction_and_one_without_a_proof_freeze_nothing(frozen: World) -> None:  # (32)
    from comity.flows.exchanging.exchange import CONFLICT
    from comity.ports import Batch, Put

    puts = (Put(CONFLICT, f"{KR}/{99:012d}/{'0' * 64}", b"{}"), Put(CONFLICT, f"{KR}/{98:012d}/{'0' * 64}", b"{}"))
    await frozen.jp.store.commit(Batch(puts=puts), {})
    await frozen.ask()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"reason": ""}, "no-reason"),
        ({"contradiction": "ff"}, "unknown-contradiction"),
        ({"actor": Actor("sato")}, "no-role"),
    ],
)
async def test_who_may_not_settle_it_or_how(frozen: World, changes: dict[str, object], code: str) -> None:  # (33)
    found = await lie(frozen)
    asked = {"contradiction": found.contradiction, "reason": "why", "actor": ROOT, **changes}
    with pytest.raises(Misuse) as caught:
        await settle_contradiction(frozen.jp, SettleContradiction(**asked))  # type: ignore[arg-type]  # as they are
    assert caught.value.code == code


async def test_it_is_settled_once(frozen: World) -> None:  # (33)
    found = await lie(frozen)
    request = SettleContradiction(contradiction=found.contradiction, reason="why", actor=ROOT)
    await settle_contradiction(frozen.jp, request)
    frozen.jp.clock.time += timedelta(seconds=1)  # type: ignore[attr-defined]  # it stands
    with pytest.raises(Misuse) as caught:
        await settle_contradiction(frozen.jp, request)
    assert caught.value.code == "settled-before"


async def test_a_feed_stops_too(tmp_path: Path) -> None:  # (32)
    world = await World.make(tmp_path, text=text(), layers=(LAYER,))
    await released(world)
    gates, name = Gates(world.jp), FeedName(RELATIONSHIP, "jp", FEED)
    assert (await gates.gate(name)).stands
    found = await lie(world)
    gate = await gates.gate(name)
    assert (gate.stands, gate.why) == (False, "frozen")
    request = SettleContradiction(contradiction=found.contradiction, reason="a restored copy", actor=ROOT)
    await settle_contradiction(world.jp, request)
    assert (await gates.gate(name)).stands
    await world.close()
