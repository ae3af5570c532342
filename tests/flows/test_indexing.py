"""How the index keeps up, what is left of what was erased, and who is found what (``spec/index.md``)."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from comity.errors import Unavailable
from comity.flows.actors import Actor
from comity.flows.ending.destruction import Destroy, destroy
from comity.flows.finding.pages import ShowIndex, read_page, show_index
from comity.flows.finding.questions import ReadPage
from comity.flows.house import House
from comity.flows.indexing import upkeep
from comity.flows.indexing.upkeep import catch_up, forget_titles, keep_up
from comity.flows.indexing.words import folded, needles_of, words_of
from comity.flows.keeping import unindexed
from comity.flows.keeping.periods import Periods
from comity.flows.keeping.unindexed import Unindexed
from comity.flows.maintaining import retention
from comity.flows.maintaining.rebuilding import Rebuild, rebuild
from comity.flows.maintaining.retention import ApplyRetention, apply_retention
from comity.flows.people.clearances import ChangeList, GrantClearance, change_list, grant_clearance
from comity.ports import DiskFull
from comity.ports.index import Entry, Watermark
from comity.stores.index import SqliteIndex
from indexed import differences
from world import ROOT, TODAY, World

TITLE = "Zugzwang in the north 極東情勢"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = await World.make(tmp_path)
    yield made
    await made.close()


async def items(house: House, handle: str | None = None, **asked: object) -> list[str]:
    found = await read_page(house, ReadPage(actor=None if handle is None else Actor(handle), **asked))
    return [line.item for line in found.lines]


def again(house: House, index: SqliteIndex) -> None:
    """As after a start: nothing is known of what was told before."""
    house.index, house.unindexed = index, Unindexed()
    house.sequencer.changed = house.unindexed.told


# ---- keeping up ------------------------------------------------------------------------------------------------------


async def test_after_a_start_only_what_came_since_is_taken_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    jp, index = world.jp, world.jp.index
    assert isinstance(index, SqliteIndex)
    first = (await world.given()).item
    assert await items(jp) == [first]
    again(jp, index)
    second = (await world.given()).item
    monkeypatch.setattr(upkeep, "_make", None)  # (6)
    assert await items(jp) == [second, first]
    assert await differences(jp) == {}


@pytest.mark.parametrize("how", ["too far back", "another journal", "a longer journal"])
async def test_what_does_not_fit_is_made_anew(world: World, how: str, monkeypatch: pytest.MonkeyPatch) -> None:  # (3)
    jp, index = world.jp, world.jp.index
    assert isinstance(index, SqliteIndex)
    given = [(await world.given()).item]
    assert await items(jp) == given
    mark = await index.watermark()
    assert mark is not None
    again(jp, index)
    if how == "too far back":
        monkeypatch.setattr(upkeep, "CATCH_UP_MAX", 0)
        given.insert(0, (await world.given()).item)
    else:
        other = Watermark(mark.entries, bytes(32)) if how == "another journal" else Watermark(10_000, mark.last)
        await index.change([], [f"line/{given[0]}"], other)
    assert await items(jp) == given
    assert await differences(jp) == {}


async def test_what_is_committed_while_it_is_made_is_taken_up_afterwards(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:  # (7)
    jp, kr, make = world.jp, world.kr, upkeep._make
    first = (await world.given()).item
    later: list[str] = []

    async def slowly(house: House, index: SqliteIndex, end: Watermark) -> None:
        await make(house, index, end)
        if house is jp:
            later.append((await world.given()).item)

    monkeypatch.setattr(upkeep, "_make", slowly)
    assert await items(jp) == [*later, first]
    assert later
    assert await differences(jp) == await differences(kr) == {}


async def test_too_much_at_once_while_it_is_made_is_found_in_the_journal(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:  # (7)
    jp, make = world.jp, upkeep._make
    first = (await world.given()).item
    later: list[str] = []

    async def slowly(house: House, index: SqliteIndex, end: Watermark) -> None:
        await make(house, index, end)
        later.append((await world.given()).item)
        assert not jp.unindexed.resumed

    monkeypatch.setattr(upkeep, "_make", slowly)
    monkeypatch.setattr(unindexed, "KEYS_MAX", 3)
    assert await items(jp) == [*later, first]
    assert later


async def test_a_page_does_not_wait_until_all_of_it_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """(7) Also the page that finds nobody at it; it is made once, though nobody waits any longer."""
    jp, make, made, free = world.jp, upkeep._make, [], asyncio.Event()
    given = (await world.given()).item

    async def slowly(house: House, index: SqliteIndex, end: Watermark) -> None:
        await free.wait()
        made.append(end)
        await make(house, index, end)

    monkeypatch.setattr(upkeep, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(upkeep, "_make", slowly)
    for _ in range(3):
        with pytest.raises(Unavailable, match="brought up to date") as caught:
            await items(jp)
        assert caught.value.code == "index-behind"
        assert not (await show_index(jp, ShowIndex())).ready
    gone = asyncio.create_task(items(jp))
    await asyncio.sleep(0.01)
    gone.cancel()
    monkeypatch.setattr(upkeep, "PATIENCE_SECONDS", 60.0)
    pages = [asyncio.create_task(items(jp)) for _ in range(3)]
    await asyncio.sleep(0.01)
    free.set()
    assert await asyncio.gather(*pages) == [[given]] * 3
    assert len(made) == 1
    assert (await show_index(jp, ShowIndex())).ready


async def test_what_nobody_waits_for_ends_with_the_house(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # (7)
    async def never(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(upkeep, "PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(upkeep, "_make", never)
    page = asyncio.create_task(items(world.jp))
    await asyncio.sleep(0.05)
    await world.jp.close()
    with pytest.raises(Unavailable) as caught:
        await page
    assert caught.value.code == "index-behind"
    assert [each for each in asyncio.all_tasks() if each.get_name() == "taking up"] == []
    assert not world.jp.unindexed.turn.locked()


async def test_what_was_not_taken_up_though_nobody_waited_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = (await world.given()).item
    free = asyncio.Event()

    async def fails(*_: object) -> None:
        await free.wait()
        raise DiskFull("no room", code="disk-full")

    with monkeypatch.context() as patched:
        patched.setattr(upkeep, "PATIENCE_SECONDS", 0.05)
        patched.setattr(upkeep, "_make", fails)
        with pytest.raises(Unavailable, match="brought up to date"):
            await items(world.jp)
        free.set()
        await asyncio.sleep(0.05)
    assert await items(world.jp) == [given]


async def test_an_index_that_is_lost_on_the_way_is_made_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    jp, index = world.jp, world.jp.index
    assert isinstance(index, SqliteIndex)
    await items(jp)
    given = (await world.given()).item
    change = index.change

    async def lost(*_: object, **__: object) -> None:
        await index.clear()
        monkeypatch.setattr(index, "change", change)
        raise Unavailable("the index was damaged", code="index-lost")

    monkeypatch.setattr(index, "change", lost)
    with pytest.raises(Unavailable, match="damaged"):
        await items(jp)
    assert await items(jp) == [given]
    assert await differences(jp) == {}


async def test_what_there_was_no_room_for_is_taken_up_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    jp, index = world.jp, world.jp.index
    assert isinstance(index, SqliteIndex)
    await items(jp)
    given = (await world.given()).item

    async def full(*_: object, **__: object) -> None:
        raise DiskFull("no room", code="disk-full")

    with monkeypatch.context() as patched:
        patched.setattr(index, "change", full)
        with pytest.raises(DiskFull):
            await items(jp)
    assert await items(jp) == [given]
    assert await differences(jp) == {}


async def test_of_too_much_at_once_the_journal_is_asked(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await items(world.jp)
    monkeypatch.setattr(unindexed, "KEYS_MAX", 3)
    given = (await world.given()).item
    assert not world.jp.unindexed.resumed
    assert await items(world.jp) == [given]
    assert await differences(world.jp) == {}


async def test_in_the_background_it_keeps_up_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:  # (4)
    monkeypatch.setattr(upkeep, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(upkeep, "GATHER_SECONDS", 0.0)
    jp, index, failed = world.jp, world.jp.index, []
    assert isinstance(index, SqliteIndex)
    watermark = index.watermark

    async def at_first_not() -> Watermark | None:
        if not failed:
            failed.append(1)
            raise DiskFull("no room", code="disk-full")
        return await watermark()

    monkeypatch.setattr(index, "watermark", at_first_not)
    task = asyncio.create_task(keep_up(jp))
    given = (await world.given()).item
    for _ in range(200):
        await asyncio.sleep(0.01)
        if not jp.unindexed.any and await index.get([f"line/{given}"]) != [None]:
            break
    assert failed
    assert await index.get([f"line/{given}"]) != [None]
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert jp.after_commit == []


async def test_a_register_that_is_written_anew_is_read_anew(world: World) -> None:
    given = (await world.given()).item
    assert await items(world.jp) == [given]
    await rebuild(world.jp, Rebuild())
    assert isinstance(world.jp.index, SqliteIndex)
    assert await world.jp.index.watermark() is None
    assert await items(world.jp) == [given]


# ---- what is erased --------------------------------------------------------------------------------------------------


async def one_is_over(world: World) -> tuple[str, str]:
    """An item that was destroyed, so that retention erases its title at once; and another one."""
    world.jp.periods = Periods(titles="at-once")
    other = (await world.given(title="Rochade")).item
    item = (await world.given(title=TITLE)).item
    await destroy(world.kr, Destroy(item=item, copy=1, method="erase-key", reason="old", actor=Actor("kim")))
    await world.exchange()
    return item, other


@pytest.mark.parametrize("known", ["kept up", "closed since", "of another journal", "failing", "never made"])
async def test_a_title_is_gone_from_every_file_when_retention_returns(
    world: World, tmp_path: Path, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # (8)
    jp, path = world.jp, tmp_path / "index.sqlite"
    again(jp, SqliteIndex(path))
    item, other = await one_is_over(world)
    if known != "never made":
        assert await items(jp, text="zugz 極東") == [item]
        assert "極東".encode() in path.read_bytes() + path.with_name("index.sqlite-wal").read_bytes()
    if known == "of another journal":
        assert jp.index is not None
        await jp.index.change([], (), Watermark(1, b"?"))
    if known in ("closed since", "of another journal"):
        assert jp.index is not None
        await jp.index.close()
        again(jp, SqliteIndex(path))
    if known == "failing":

        async def full(*_: object) -> None:
            raise DiskFull("no room", code="disk-full")

        monkeypatch.setattr(upkeep, "_take_up", full)
    done = await apply_retention(jp, ApplyRetention(actor=Actor("ito")))
    assert [each.subject for each in done.erased] == [item]
    left = b"".join(each.read_bytes() for each in tmp_path.glob("index.sqlite*"))
    for word in ("zugzwang", "Zugzwang", "極東", "情勢"):
        assert word.encode() not in left
    monkeypatch.undo()
    assert await items(jp, text="zugz") == []
    assert await items(jp, text="roch") == [other]
    assert await items(jp) == [item, other]
    assert await differences(jp) == {}
    assert jp.index is not None
    await jp.index.close()


async def test_an_index_that_could_not_be_scrubbed_is_made_anew_and_not_taken_for_whole(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # (8)
    """A page, or the background, comes before retention and finds no room for the copy without the title."""
    jp, path = world.jp, tmp_path / "index.sqlite"
    again(jp, SqliteIndex(path))
    item, other = await one_is_over(world)
    assert await items(jp) == [item, other]

    def full(_: Path, __: Path) -> Path:
        raise OSError(errno.ENOSPC, "no room")

    async def not_yet(_: House) -> None:
        pass

    monkeypatch.setattr(retention, "forget_titles", not_yet)
    await apply_retention(jp, ApplyRetention(actor=Actor("ito")))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        with pytest.raises(Unavailable, match="no room"):
            await items(jp)
    assert await items(jp) == [item, other]
    assert await differences(jp) == {}
    assert jp.index is not None
    await jp.index.close()
    again(jp, SqliteIndex(path))
    assert await items(jp) == [item, other]
    assert await differences(jp) == {}
    assert "極東".encode() not in b"".join(each.read_bytes() for each in tmp_path.glob("index.sqlite*"))
    await jp.index.close()


async def test_a_page_that_meets_damage_has_the_index_made_anew(world: World) -> None:  # (3)
    """Whoever meets it, and though nothing was committed since."""
    jp, given = world.jp, (await world.given()).item
    assert await items(jp) == [given]
    assert jp.index is not None
    await jp.index.clear()
    assert await items(jp) == [given]
    assert await differences(jp) == {}


async def test_a_house_without_an_index_forgets_titles_too(world: World) -> None:
    world.jp.index = None
    await forget_titles(world.jp)


# ---- who is found what -----------------------------------------------------------------------------------------------


async def test_what_somebody_is_found_follows_his_clearance_and_his_lists_at_once(world: World) -> None:  # (10)
    kr = world.kr
    given = (await world.given()).item
    assert await items(kr, "park") == await items(kr, "choi") == []
    await world.person("kr", "seo")
    until = TODAY + timedelta(hours=1)
    mark = "군사 Ⅱ급 비밀"
    cleared = GrantClearance(handle="seo", mark=mark, until=until, basis="vetted", actor=ROOT, all_information=True)
    await grant_clearance(kr, cleared)
    assert await items(kr, "seo") == []
    await change_list(kr, ChangeList(topic="missiles", handle="seo", listed=True, actor=ROOT))
    assert await items(kr, "seo") == [given]
    await change_list(kr, ChangeList(topic="missiles", handle="seo", listed=False, actor=ROOT))
    assert await items(kr, "seo") == []
    await change_list(kr, ChangeList(topic="missiles", handle="seo", listed=True, actor=ROOT))
    world.clock.time = until - timedelta(seconds=1)
    assert await items(kr, "seo") == [given]
    world.clock.time = until
    assert await items(kr, "seo") == []


async def test_a_line_that_the_index_has_wrongly_is_not_shown(world: World) -> None:  # (11)
    given, index = (await world.given()).item, world.kr.index
    assert isinstance(index, SqliteIndex)
    assert await items(world.kr) == [given]
    (entry,) = await index.get([f"line/{given}"])
    assert entry is not None
    found = {name for name, _ in await index.names([("class/", "class0")], 10)}
    choi = await world.pseudonym("choi")
    await index.change([Entry(entry.key, entry.at, ("line", f"h/{choi}", *found), entry.about)])
    assert await items(world.kr, "choi") == []
    assert await items(world.kr) == [given]


# ---- words -----------------------------------------------------------------------------------------------------------


def test_words_are_found_by_their_beginnings_and_in_close_script_by_their_parts() -> None:  # (14)
    assert words_of("The Radar, 2016!") == ["the", "radar", "2016"]
    assert words_of("ＲＡＤＡＲ") == ["radar"]
    assert words_of("レーダー") == ["レー", "ーダ", "ダー", "ー"]
    assert words_of("F15K전투기") == ["f15k", "전투", "투기", "기"]
    assert words_of("Straße") == ["strasse"]
    assert words_of("x" * 100) == ["x" * 24]
    assert len(words_of(" ".join(f"word{n}" for n in range(1_000)))) == 64
    assert folded("The Radar-북방") == " the radar 북방"
    for question, text in (("rad", "Radar"), ("ーダ", "レーダー"), ("투", "F15K전투기"), ("straß", "STRASSE")):
        (needle,) = needles_of(question)
        assert needle.part in folded(text)
        assert any(needle.names[0] <= word < needle.names[1] for word in words_of(text))
    assert needles_of("adar")[0].part not in folded("Radar")
    assert needles_of("…") == []
    assert len(needles_of(" ".join(f"word{n}" for n in range(1_000)))) == 8


async def test_a_name_of_a_very_long_word_is_cut_and_the_word_is_found_all_the_same(world: World) -> None:
    long = "antidisestablishmentarianism"
    given = (await world.given(title=f"On {long}")).item
    assert await items(world.jp, text=long) == [given]
    assert await items(world.jp, text=f"{long}s") == []
    await catch_up(world.jp)
