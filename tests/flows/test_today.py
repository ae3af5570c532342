"""Today: what waits for whom, what is owed, and how agreements, other parties and feeds stand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Misuse
from comity.flows.actors import Actor
from comity.flows.calls import show_whole_inbox
from comity.flows.consenting.consent_requests import AskConsent, ask_consent
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.ending.recalls import Recall, recall
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.finding import waiting
from comity.flows.finding.today import ShowToday, Today, show_today
from comity.flows.finding.waiting import Waits, to_approve
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.house import House
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.looking.views import ShowInbox
from comity.ports.index import Entry
from comity.stores.index import SqliteIndex
from world import RELATIONSHIP, TODAY, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path, layers=("jp-kr-arrangement.example.toml",))
    yield made
    await made.close()


async def today(house: House, handle: str | None = None, limit: int = 20) -> Today:
    return await show_today(house, ShowToday(actor=None if handle is None else Actor(handle), limit=limit))


async def waits(house: House, handle: str | None = None) -> dict[str, Waits]:
    return {each.kind: each for each in (await today(house, handle)).waits}


async def test_a_request_waits_for_whom_it_is_and_then_for_the_next(world: World) -> None:
    jp, kr = world.jp, world.kr
    asked = await world.ask(title="Radar")
    told = await waits(jp, "abe")
    assert set(told) == {"approve"}
    (wait,) = told["approve"].first
    assert (wait.subject, wait.item, wait.title, wait.by) == (asked.request, asked.item, "Radar", "sato")
    assert (wait.parameters["recipients"], wait.parameters["approvals"], wait.parameters["act"]) == ("1", "0", "give")
    assert wait.parameters["halted"] == ""
    assert set(await waits(jp, "sato")) == {"asked"}
    assert set(await waits(jp)) == {"approve"}
    assert await waits(jp, "ito") == {}
    assert await waits(kr, "lee") == {}
    await world.exchange()
    (assurance,) = (await waits(kr, "lee"))["assure"].first
    assert (assurance.subject, assurance.by, assurance.parameters["answered"]) == (asked.request, "jp", "0")
    assert await waits(kr, "kim") == {}
    await approve(jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))
    assert await waits(jp, "abe") == {}  # it waits for the other party
    assert (await waits(jp, "sato"))["asked"].first[0].parameters["approvals"] == "1"
    kim = await world.pseudonym("kim")
    await assure(kr, Assure(request=asked.request, relationship=RELATIONSHIP, recipient=kim, actor=Actor("lee")))
    assert await waits(kr, "lee") == {}
    await jp.take_reply(RELATIONSHIP, write_parcel(await kr.pack(RELATIONSHIP)))  # and nothing goes back yet
    told = await waits(jp, "sato")
    assert set(told) == {"receipt"}
    assert told["receipt"].first[0].item == asked.item
    assert set(await waits(jp, "ito")) == set(await waits(jp, "abe")) == {"receipt"}
    await world.exchange()
    assert await waits(jp, "sato") == await waits(jp) == {}


@pytest.mark.parametrize("answered", ["the oldest", "the newest", "every other", "all but one", "all", "none"])
@pytest.mark.parametrize("oldest_first", [True, False])
async def test_what_he_has_answered_does_not_wait_for_him_however_much_that_is(
    answered: str, oldest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "PORTION_MAX", 16)
    many = 120
    his = {
        "the oldest": set(range(100)),
        "the newest": set(range(20, many)),
        "every other": set(range(0, many, 2)),
        "all but one": set(range(many)) - {70},
        "all": set(range(many)),
        "none": set(),
    }[answered]
    index = SqliteIndex(None)
    names = {number: ("approve", *(["approve/him"] if number in his else [])) for number in range(many)}
    await index.change([Entry(f"approve/{n:03d}", TODAY + timedelta(seconds=n), names[n], b"") for n in range(many)])
    left = [f"approve/{number:03d}" for number in sorted(set(range(many)) - his, reverse=not oldest_first)]
    for limit in (1, 5, 30, 200):
        found = await to_approve(index, "him", limit, oldest_first=oldest_first)
        assert [each.key for each in found] == left[:limit]
    assert len(await to_approve(index, "", 200, oldest_first=oldest_first)) == many
    await index.close()


async def test_a_refused_request_waits_for_nobody(world: World) -> None:
    asked = await world.ask()
    await approve(world.jp, Approve(request=asked.request, granted=False, reason="no", actor=Actor("abe")))
    assert await waits(world.jp, "abe") == await waits(world.jp, "sato") == {}


async def test_a_consent_waits_until_it_lapses(world: World) -> None:
    given = await world.given()
    await ask_consent(
        world.kr,
        AskConsent(
            item=given.item,
            acts=("pass-on",),
            beneficiary="us",
            beneficiary_kind="government",
            purpose="air defence",
            reason="they ask",
            until=TODAY + timedelta(days=30),
            answer_by=TODAY + timedelta(days=10),
            actor=Actor("lee"),
        ),
    )
    await world.exchange()
    (wait,) = (await waits(world.jp, "abe"))["consent"].first
    assert (wait.item, wait.by, wait.due) == (given.item, "kr", TODAY + timedelta(days=10))
    assert wait.parameters["acts"] == "pass-on"
    assert "consent" in await waits(world.jp)
    assert "consent" not in await waits(world.jp, "sato")
    world.clock.time = TODAY + timedelta(days=10, seconds=1)
    assert "consent" not in await waits(world.jp, "abe")


async def test_a_recall_waits_as_long_as_something_is_left(tmp_path: Path) -> None:
    world = await World.make(tmp_path)
    given = await world.given()
    await recall(world.jp, Recall(item=given.item, asks="either", reason="replaced", actor=Actor("abe")))
    await world.exchange()
    for handle in ("lee", "kim", None):
        (wait,) = (await waits(world.kr, handle))["recall"].first
        assert (wait.subject, wait.by, wait.parameters) == (
            given.item,
            "jp",
            {"asks": "either", "reason": "replaced"},
        )
    assert await waits(world.kr, "choi") == {}
    assert "recall" not in await waits(world.jp)
    await destroy(world.kr, Destroy(item=given.item, copy=1, method="erase-key", reason="recalled", actor=Actor("kim")))
    assert "recall" not in await waits(world.kr)


async def test_duties_are_those_of_the_list_in_its_order(world: World) -> None:
    for _ in range(3):
        given = await world.given()
        await recall(world.jp, Recall(item=given.item, asks="either", reason="replaced", actor=Actor("abe")))
    await world.exchange()
    for days in (0, 400):
        world.clock.time = TODAY + timedelta(days=days)
        for handle in (None, "lee", "kim", "choi"):
            actor = None if handle is None else Actor(handle)
            listed = await list_duties(world.kr, ListDuties(whose="mine", actor=actor))
            told = (await today(world.kr, handle)).duties
            assert [each.subject for each in told.first] == [each.subject for each in listed.duties][:20]
            assert (told.open, told.overdue, told.more) == (len(listed.duties), listed.overdue, False)
    assert told.open == 0  # somebody on no list, without a copy
    assert (await today(world.kr, limit=1)).duties.first == (await today(world.kr)).duties.first[:1]


async def test_agreements_peers_and_feeds_are_told_with_codes_and_dates(world: World) -> None:
    told = await today(world.jp)
    (agreement,) = told.agreements
    assert (agreement.relationship, agreement.peer, agreement.in_force) == (RELATIONSHIP, "kr", True)
    assert {each.party: each.phase for each in agreement.readings}.keys() == {"jp", "kr"}
    assert agreement.next is None or agreement.next > told.at
    (peer,) = told.peers
    assert peer.records == peer.delivered > 0
    assert peer.waiting_since is None
    assert peer.heard is not None
    await world.ask()
    (peer,) = (await today(world.jp)).peers
    assert peer.records > peer.delivered
    assert peer.waiting_since is not None
    assert (await today(world.jp, "sato")).peers == ()
    assert (await today(world.jp, "ito")).peers != ()
    assert told.feeds == ()


async def test_it_tells_of_what_the_inbox_tells(world: World) -> None:
    given = await world.given()
    await recall(world.jp, Recall(item=given.item, asks="either", reason="replaced", actor=Actor("abe")))
    await world.exchange()
    inbox = await show_whole_inbox(world.kr, ShowInbox())
    told = await waits(world.kr)
    assert {(call.kind, call.subject) for call in inbox.calls} <= {
        (each.kind, each.subject) for some in told.values() for each in some.first
    }


@pytest.mark.parametrize("limit", [0, 101])
async def test_a_list_of_no_length_is_refused(world: World, limit: int) -> None:
    with pytest.raises(Misuse) as caught:
        await today(world.jp, limit=limit)
    assert caught.value.code == "bad-page"
