"""Pages of the register, looked up in the index: the same as a full reading gives, whatever happened before."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Misuse, Unavailable
from comity.flows.actors import Actor
from comity.flows.finding.pages import Facets, Page, ShowFacets, ShowIndex, read_page, show_facets, show_index
from comity.flows.finding.questions import ReadPage
from comity.flows.giving.opening import Open, open_item
from comity.flows.house import House
from comity.flows.indexing import upkeep
from comity.flows.looking.views import ShowRegister, show_register
from world import RELATIONSHIP, World

HANDLES = {"jp": ("sato", "abe", "ito", "mori"), "kr": ("kim", "lee", "choi", "park", "hong", "smith", "han", "yoon")}


async def page(house: House, handle: str | None = None, **asked: object) -> Page:
    return await read_page(house, ReadPage(actor=None if handle is None else Actor(handle), **asked))


async def items(house: House, handle: str | None = None, **asked: object) -> list[str]:
    return [line.item for line in (await page(house, handle, **asked)).lines]


async def same(house: House, handle: str | None) -> int:
    """The whole register in pages of two is what a full reading gives; how many lines it has."""
    told = await show_register(house, ShowRegister(actor=None if handle is None else Actor(handle)))
    told.sort(key=lambda line: (line.registered, line.item), reverse=True)
    found = await page(house, handle, limit=2)
    lines = list(found.lines)
    assert found.newer == ""
    assert found.total == len(told)
    while found.older:
        before, found = found, await page(house, handle, limit=2, after=found.older)
        assert found.lines
        lines += found.lines
        again = await page(house, handle, limit=2, before=found.newer)
        assert again.lines == before.lines
    assert [line.item for line in lines] == [line.item for line in told]
    for line, other in zip(lines, told, strict=True):
        for name in ("title", "label", "alternative", "topic", "subject", "form", "originator", "rights", "registered"):
            assert getattr(line, name) == getattr(other, name)
        assert line.copies == other.copies[:20]
        assert line.holders == len(other.copies)
    return len(lines)


@pytest.fixture
async def world(tmp_path: Path) -> World:
    """Three reports from Tokyo and one from Seoul, two of them opened."""
    world = await World.make(tmp_path)
    await world.both_ways()
    await world.given(title="Radar data of the north sea 北方のレーダー情報")
    await world.given(title="Missile 미사일 분석 보고서")
    await world.given(title="", subject="defence")
    await world.given_back(title="작전 보고서를 위한 RADAR 자료")
    return world


async def test_pages_are_what_a_full_reading_gives_to_everybody(world: World) -> None:
    seen = {
        (house.party, who): await same(house, who)
        for house in (world.jp, world.kr)
        for who in (None, *HANDLES[house.party])
    }
    assert seen["jp", None] == seen["kr", None] == 4
    assert seen["kr", "kim"] == 4
    assert seen["kr", "choi"] == 0
    assert seen["kr", "park"] == 0
    assert seen["jp", "mori"] == 4
    await world.close()


async def test_filters_and_words_find_what_they_say(world: World) -> None:
    jp = world.jp
    all_items = await items(jp)
    theirs, *ours = all_items
    assert await items(jp, box="in") == [theirs]
    assert await items(jp, box="own") == ours == await items(jp, box="out")
    assert await items(jp, peer="kr") == all_items == await items(jp, relationship=RELATIONSHIP)
    assert await items(jp, peer="us") == []
    assert await items(jp, mark="極秘") == ours
    assert await items(jp, mark="極秘", box="in") == []
    assert await items(jp, form="documentary") == []
    assert await items(jp, state="held") == all_items
    assert await items(jp, state="destroyed") == []
    holder = await world.pseudonym("kim")
    assert await items(jp, holder=holder) == ours == await items(jp, holder=holder, state="held")
    instant = (await page(jp)).lines[1].registered
    assert await items(jp, since=instant) == all_items[:2]
    assert await items(jp, until=instant) == all_items[2:]
    assert await items(jp, since=instant, until=instant + timedelta(microseconds=1)) == all_items[1:2]
    for text, found in (
        ("radar", all_items[3:]),
        ("RAD", all_items[3:]),
        ("adar", []),
        ("レーダー", all_items[3:]),
        ("ーダ", all_items[3:]),
        ("情", all_items[3:]),
        ("보고서", all_items[2:3]),
        ("분석 미사", all_items[2:3]),
        ("radar 미사일", []),
        ("north, sea!", all_items[3:]),
        ("\u3000北方\u3000\tレーダー\n\u200f", all_items[3:]),
        ("missiles", all_items),
        (all_items[2], all_items[2:3]),
        ("!!", []),
        ("no hit", []),
    ):
        assert await items(jp, text=text) == found, text
    assert await items(world.kr, "han", text="작전") == [theirs]
    assert await items(world.kr, "choi", text="작전") == []
    await world.close()


async def test_a_page_shows_what_was_just_done(world: World) -> None:  # (7)
    kr, kim = world.kr, "kim"
    item = (await items(kr, kim))[-1]
    before = (await page(kr, kim, text=item)).lines[0]
    assert [copy.openings for copy in before.copies] == [0]
    path = str(world.folder / "opened.txt")
    await open_item(kr, Open(item=item, purpose="air defence", path=path, actor=Actor(kim)))
    assert [copy.openings for copy in (await page(kr, kim, text=item)).lines[0].copies] == [1]
    given = await world.given(title="one more")
    assert (await items(kr, kim))[0] == given.item
    assert (await items(world.jp, "sato"))[0] == given.item
    await world.close()


async def test_what_can_be_filtered_by_is_what_the_viewer_sees(world: World) -> None:
    whole = await show_facets(world.kr, ShowFacets())
    assert whole == Facets(
        relationships=(RELATIONSHIP,),
        peers=("jp",),
        marks=("極秘", "군사 Ⅲ급 비밀"),
        topics=("missiles",),
        forms=("electronic",),
    )
    assert await show_facets(world.kr, ShowFacets(actor=Actor("choi"))) == Facets(
        relationships=(), peers=(), marks=(), topics=(), forms=()
    )
    assert await show_facets(world.kr, ShowFacets(actor=Actor("kim"))) == whole
    await world.close()


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"text": "a" * 201}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"holder": "\ud800"}, "holder"),
        ({"after": "x"}, "after"),
        ({"before": "20261121T030000000000Z."}, "before"),
        ({"after": "99999999T999999999999Z.i-a"}, "after"),
        ({"after": "20261121T030000000000Z.i-a", "before": "20261121T030000000000Z.i-a"}, "before"),
    ],
)
async def test_a_question_that_is_none_is_refused(tmp_path: Path, asked: dict[str, object], place: str) -> None:
    world = await World.make(tmp_path)
    with pytest.raises(Misuse) as caught:
        await page(world.jp, **asked)
    assert (caught.value.code, caught.value.place) == ("bad-page", place)
    await world.close()


async def test_a_span_of_time_has_zones_and_does_not_end_before_it_begins(world: World) -> None:
    instant = (await page(world.jp)).lines[0].registered
    for asked in ({"since": instant, "until": instant - timedelta(days=1)}, {"since": instant.replace(tzinfo=None)}):
        with pytest.raises(Misuse) as caught:
            await page(world.jp, **asked)
        assert caught.value.code == "bad-page"
    await world.close()


async def test_a_place_is_gone_on_from_though_nothing_is_there(world: World) -> None:  # (12)
    newest, second, *_ = await items(world.jp)
    given = (await page(world.jp, limit=1)).older
    assert given.endswith(f".{newest}")
    assert (await items(world.jp, after=given.replace(newest, "i-aaaaaaaaaaaaaaaa"), limit=1))[0] in (newest, second)
    assert await items(world.jp, after="20200101T000000000000Z.i-a") == []
    assert len(await items(world.jp, before="20200101T000000000000Z.i-a")) == 4
    await world.close()


async def test_while_the_index_is_being_made_pages_say_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # (7)
    monkeypatch.setattr(upkeep, "PATIENCE_SECONDS", 0.05)
    assert not (await show_index(world.jp, ShowIndex())).ready
    await page(world.jp)
    assert (await show_index(world.jp, ShowIndex())).ready
    state = world.jp.unindexed
    state.forget()
    async with state.turn:
        state.done, state.of = 30, 120
        with pytest.raises(Unavailable, match="30 of about 120") as caught:
            await page(world.jp)
        assert caught.value.code == "index-behind"
        told = await show_index(world.jp, ShowIndex())
        assert (told.ready, told.done, told.of) == (False, 30, 120)
    assert len(await items(world.jp)) == 4
    await world.close()


async def test_a_house_without_an_index_says_so(world: World) -> None:
    world.jp.index = None
    with pytest.raises(Unavailable) as caught:
        await page(world.jp)
    assert caught.value.code == "no-index"
    await world.close()
