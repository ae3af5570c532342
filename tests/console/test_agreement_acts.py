"""What an agreement authority and a release authority say on pages: texts, notes, designations, postures, feeds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from comity.errors import Rejected
from comity.flows.agreeing.agreements import ListAgreements, list_agreements
from comity.flows.agreeing.end_notes import ListEndNotes, list_end_notes
from comity.flows.agreeing.notices import ListDesignations, list_designations
from comity.flows.feeding.listing import ListFeeds, list_feeds
from comity.flows.feeding.postures import ShowPostures, show_postures
from comity.flows.vouching.contradictions import ListContradictions, list_contradictions
from console.browser import Browser, browser
from feeds import FeedWorld
from flows.parcels import listed, parcel_with, record_of
from world import RELATIONSHIP, World

HERE = f"/agreement/{RELATIONSHIP}"
JP = f"{RELATIONSHIP}/jp"
TRICKY = '<script>alert(1)</script> "서울" ابجد'


async def authority(world: World, party: str = "jp", handle: str = "mori") -> Browser:
    await world.person(party, handle, roles=("agreement-authority",))
    return await browser(world.house(party), handle)


async def test_the_text_is_acknowledged_after_a_second_look(tmp_path: Path) -> None:
    world = await World.make(tmp_path, acknowledge=False)
    at = await authority(world)
    page = await at.get(HERE)
    assert "nobody yet: nothing crosses before both have" in page.text
    assert f"{HERE}/acknowledge" in page.read.links
    await at.get(f"{HERE}/acknowledge")
    page = await at.submit("/acknowledge")
    assert "Look twice" in page.text
    assert (await list_agreements(world.jp, ListAgreements()))[0].acknowledged == ()
    page = await at.submit("/acknowledge", _button=("sure", "yes"))
    assert "Recorded" in page.text
    assert (await list_agreements(world.jp, ListAgreements()))[0].acknowledged == ("jp",)
    assert f"{HERE}/acknowledge" not in page.read.links
    await world.close()


async def test_a_note_is_told_and_acted_on(world: World) -> None:
    at = await authority(world, "kr", "yun")
    await at.get(f"{HERE}/notice")
    await at.submit("/notice", step="notice", note=TRICKY, day="2026-11-20")
    page = await at.submit("/notice", _button=("sure", "yes"))
    assert page.path == HERE
    assert "<script>alert" not in page.html
    (told,) = (await list_end_notes(world.kr, ListEndNotes(relationship=RELATIONSHIP))).notes
    assert (told.step, told.note, told.day) == ("notice", TRICKY, "2026-11-20")
    await at.get(f"{HERE}/notice")
    await at.submit("/notice", step="withdrawal", note="KR-2", day="2026-11-21", notice=told.notice)
    page = await at.submit("/notice", _button=("sure", "yes"))
    assert "no: it changes no decision yet" in page.text
    assert len((await list_end_notes(world.kr, ListEndNotes(relationship=RELATIONSHIP))).notes) == 2


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"step": "notice", "note": "", "day": "2026-11-20"}, "note"),
        ({"step": "notice", "note": "KR-1", "day": "soon"}, "day"),
        ({"step": "war", "note": "KR-1", "day": "2026-11-20"}, "step"),
        ({"step": "notice", "note": "x" * 1_001, "day": "2026-11-20"}, "note"),
    ],
)
async def test_a_note_that_is_none_is_said_at_its_field(world: World, typed: dict[str, str], field: str) -> None:
    at = await authority(world)
    await at.get(f"{HERE}/notice")
    page = await at.submit("/notice", **typed)
    assert page.status == 422
    assert f'href="#{field}"' in page.html
    assert (await list_end_notes(world.jp, ListEndNotes(relationship=RELATIONSHIP))).notes == ()


async def test_what_acts_on_no_notice_is_refused(world: World) -> None:
    at = await authority(world)
    await at.get(f"{HERE}/notice")
    await at.submit("/notice", step="withdrawal", note="JP-1", day="2026-11-20")
    page = await at.submit("/notice", _button=("sure", "yes"))
    assert 400 <= page.status < 500
    assert "names the notice that it acts on" in page.text


async def test_a_form_for_another_state_of_the_notes_is_not_taken(world: World) -> None:
    first, second = await authority(world), await authority(world, handle="tani")
    for at in (first, second):
        await at.get(f"{HERE}/notice")
        await at.submit("/notice", step="notice", note="JP-1", day="2026-11-20")
    await first.submit("/notice", _button=("sure", "yes"))
    page = await second.submit("/notice", _button=("sure", "yes"))
    assert page.status == 409
    assert len((await list_end_notes(world.jp, ListEndNotes(relationship=RELATIONSHIP))).notes) == 1


async def test_a_body_is_designated_and_its_designation_ended(world: World) -> None:
    at = await authority(world)
    await at.get(f"{HERE}/designate")
    page = await at.submit("/designate", authority=TRICKY, since="2026-12-01", note="JP-7")
    assert "<script>alert" not in page.html
    end = next(link for link in page.read.links if link.endswith("/end"))
    await at.get(end)
    await at.submit("/end", since="2027-01-01", note="JP-8")
    page = await at.submit("/end", _button=("sure", "yes"))
    assert "1 January 2027" in page.text
    (told,) = [each for each in await list_designations(world.jp, ListDesignations()) if each.designation]
    assert (told.authority, told.since, told.until) == (TRICKY, "2026-12-01", "2027-01-01")
    assert 400 <= (await at.get(f"{HERE}/designations/d-none/end")).status < 500


async def test_whoever_has_not_the_role_is_not_offered_it_and_refused(world: World) -> None:
    at = await browser(world.jp, "sato")
    page = await at.get(HERE)
    assert not [link for link in page.read.links if link.endswith(("/notice", "/designate", "/acknowledge"))]
    await at.get(f"{HERE}/designate")
    page = await at.submit("/designate", authority="us", since="2026-12-01", note="JP-7")
    assert 400 <= page.status < 500
    assert [each for each in await list_designations(world.jp, ListDesignations()) if each.designation] == []


async def test_a_contradiction_is_settled_with_a_reason(world: World) -> None:
    previous = (await world.kr.store.chain(JP, 0, 1))[0].record
    other = record_of(world.jp, listed(world.jp), sequence=1, previous=previous)
    with pytest.raises(Rejected):
        await world.kr.exchange.unpack("jp", await parcel_with(world.jp, other))
    at = await authority(world, "kr", "yun")
    page = await at.get("/ledger")
    link = next(link for link in page.read.links if link.endswith("/settle"))
    await at.get(link)
    page = await at.submit("/settle", reason="")
    assert page.status == 422
    await at.submit("/settle", reason="a restored copy")
    page = await at.submit("/settle", _button=("sure", "yes"))
    assert "It is settled" in page.text
    assert "a restored copy" in page.text
    assert [each.settled for each in await list_contradictions(world.kr, ListContradictions())] == ["a restored copy"]
    assert 400 <= (await at.get("/ledger/contradictions/00/settle")).status < 500


@pytest.fixture
async def feeds(tmp_path: Path) -> AsyncIterator[FeedWorld]:
    made = await FeedWorld.make(tmp_path)
    yield made
    await made.close()


async def test_a_release_authority_declares_a_posture(feeds: FeedWorld) -> None:
    at = await browser(feeds.world.jp, "abe")
    await at.get(f"{HERE}/posture")
    page = await at.submit("/posture", posture="crisis", reason="a launch", until="")
    assert 400 <= page.status < 500
    page = await at.submit("/posture", posture="war", reason="a launch", until="2026-11-25")
    assert page.status == 422
    page = await at.submit("/posture", posture="crisis", reason="a launch", until="2026-11-25")
    assert "Declared" in page.text
    shown = await show_postures(feeds.world.jp, ShowPostures(relationship=RELATIONSHIP))
    assert next(each for each in shown.declared if each.party == "jp").posture == "crisis"
    assert shown.holds == "normal"


async def test_a_release_is_ended_after_a_second_look_and_by_nobody_else(feeds: FeedWorld) -> None:
    (line,) = await list_feeds(feeds.world.jp, ListFeeds())
    await feeds.world.person("jp", "kudo", roles=("auditor",))
    other = await browser(feeds.world.jp, "kudo")
    assert f"/feed/{line.release}/end" not in (await other.get(f"/feed/{line.release}")).read.links
    await other.get(f"/feed/{line.release}/end")
    await other.submit("/end", reason="enough")
    assert 400 <= (await other.submit("/end", _button=("sure", "yes"))).status < 500
    at = await browser(feeds.world.jp, "abe")
    page = await at.get(f"/feed/{line.release}")
    assert f"/feed/{line.release}/end" in page.read.links
    await at.get(f"/feed/{line.release}/end")
    await at.submit("/end", reason="enough")
    assert len(await list_feeds(feeds.world.jp, ListFeeds())) == 1
    page = await at.submit("/end", _button=("sure", "yes"))
    assert "The release has ended" in page.text
    assert await list_feeds(feeds.world.jp, ListFeeds()) == []
    assert 400 <= (await at.get("/feed/f-none/end")).status < 500
