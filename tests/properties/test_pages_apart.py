"""Pages of a register in which there is more than their reader may see: the same bytes, and only his rows are touched.

``spec/visibility.md`` step 8 and ``spec/index.md`` steps 9 to 13, for every filter, word and cursor.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from comity.errors import ComityError
from comity.flows.actors import Actor
from comity.flows.deciding.lineage import registered
from comity.flows.deciding.visibility import Sight, may_see, sees_all
from comity.flows.finding import searching
from comity.flows.finding.pages import Page, ShowFacets, read_page, show_facets
from comity.flows.finding.questions import Question, ReadPage, checked
from comity.flows.finding.scope import about_of, scope_of
from comity.flows.finding.searching import Search
from comity.flows.finding.today import ShowToday, show_today
from comity.flows.house import House
from comity.flows.indexing.entries import names_of
from comity.flows.indexing.upkeep import up_to_date
from comity.flows.indexing.words import needles_of
from comity.ports.index import Entry
from comity.register.rows import CopyRow, ItemRow
from comity.stores.index import SqliteIndex
from indexed import contents
from properties.secrets_kept import BESIDE, SECRETS, Told, common, in_secret, two_worlds

READERS = ("kim", "park", "choi", "hong", "smith", "adam", "han", "mun")
OFFICERS = ("sato", "mori", "okada")
WORDS = ("report", "contains", "not given", "missiles", "submarines", "def", "레이더", "i-", "zzz")


async def questions(house: House) -> list[dict[str, Any]]:
    """Every filter with every word that a register knows, and all places after which a page can begin."""
    found: dict[tuple[str, Any], None] = {("box", box): None for box in ("all", "in", "out", "own")}
    found |= {("text", text): None for text in WORDS}
    async for item, row in house.rows(ItemRow):
        found[("text", item)] = found[("topic", row.topic)] = found[("mark", row.label.mark)] = None
        found[("form", row.form)] = found[("since", row.registered)] = found[("until", row.registered)] = None
        found[("after", f"{row.registered:%Y%m%dT%H%M%S%f}Z.{item}")] = None
        found[("before", f"{row.registered:%Y%m%dT%H%M%S%f}Z.{item}")] = None
    async for _, copy in house.rows(CopyRow):
        found[("state", copy.state)] = found[("holder", copy.holder)] = None
    for relationship, peer in await house.relationships():
        found[("relationship", relationship)] = found[("peer", peer)] = None
    return [{name: value} for name, value in found]


async def told(house: House, handle: str, asked: dict[str, Any]) -> list[Page]:
    """What somebody reads, page after page."""
    found: list[Page] = []
    while True:
        found.append(await read_page(house, ReadPage(actor=Actor(handle), limit=2, **asked)))
        if not found[-1].older or "before" in asked:
            return found
        asked = {**asked, "after": found[-1].older}


@pytest.mark.parametrize("looked_at", [4_000, 3])
@pytest.mark.parametrize(("party", "users"), [("kr", READERS), ("jp", OFFICERS)])
async def test_a_reader_reads_the_same_without_what_he_may_not_see(
    party: str, users: tuple[str, ...], looked_at: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # visibility.md (8), (12), (13)
    monkeypatch.setattr(searching, "LOOKED_AT_MAX", looked_at)
    monkeypatch.setattr(searching, "PORTION", min(looked_at, 64))
    without, with_secrets = await two_worlds(tmp_path)
    await in_secret(with_secrets, [*SECRETS, *(BESIDE if party == "kr" else ())])
    one, other = without.world.house(party), with_secrets.world.house(party)
    read = 0
    for handle in users:
        for asked in await questions(other):
            expected, found = await told(one, handle, asked), await told(other, handle, asked)
            read += sum(len(page.lines) for page in found)
            assert msgspec.json.encode(found) == msgspec.json.encode(expected), f"{handle}: {asked}"
        facets = [await show_facets(house, ShowFacets(actor=Actor(handle))) for house in (one, other)]
        assert facets[0] == facets[1], handle
    assert read > 50
    for each in (without, with_secrets):
        await each.world.close()


class Watched(SqliteIndex):
    """An index that sees to it that nobody reads an entry about something that he may not see."""

    def __init__(self, house: House) -> None:
        super().__init__(None)
        self.house = house
        self.reader = ""
        self.read = 0

    async def walk(self, names: Sequence[str], **asked: Any) -> list[Entry]:
        found = await super().walk(names, **asked)
        if self.reader:
            for entry in found:
                await self._check(entry)
        return found

    async def get(self, keys: Sequence[str]) -> list[Entry | None]:
        found = await super().get(keys)
        if self.reader:
            for entry in found:
                if entry is not None:
                    await self._check(entry)
        return found

    async def _check(self, entry: Entry) -> None:
        kind, _, name = entry.key.partition("/")
        person = await self.house.person(self.reader)
        row = await registered(self.house, name.rpartition("/")[2])
        if kind not in ("line", "recall") or row is None or sees_all(person):
            return
        self.read += 1
        assert await may_see(self.house, row, person), f"{self.reader} reads {entry.key}"


@pytest.fixture
async def story(tmp_path: Path) -> AsyncIterator[Told]:
    told = await common(tmp_path)
    await in_secret(told, [*SECRETS, *BESIDE])
    yield told
    await told.world.close()


async def test_no_entry_is_read_for_somebody_who_may_not_see_what_it_is_about(story: Told) -> None:  # (9)
    for house, users in ((story.world.kr, (*READERS, "lim")), (story.world.jp, (*OFFICERS, "abe"))):
        watched = house.index = Watched(house)
        house.unindexed.forget()
        await read_page(house, ReadPage())
        for watched.reader in users:
            for asked in await questions(house):
                await told(house, watched.reader, asked)
            await show_facets(house, ShowFacets(actor=Actor(watched.reader)))
            await show_today(house, ShowToday(actor=Actor(watched.reader)))
        watched.reader = ""
        assert watched.read > 50


async def test_every_line_is_reached_also_where_each_page_looks_at_few(
    story: Told, monkeypatch: pytest.MonkeyPatch
) -> None:  # (13)
    house = story.world.kr
    for asked in await questions(house):
        if {"after", "before", "text"}.isdisjoint(asked):
            whole = [line.item for line in (await read_page(house, ReadPage(limit=200, **asked))).lines]
            with monkeypatch.context() as patched:
                patched.setattr(searching, "LOOKED_AT_MAX", 2)
                patched.setattr(searching, "PORTION", 2)
                found = await told_with(house, asked, limit=1)
            assert found == whole, asked


async def test_a_search_looks_under_names_that_every_line_it_means_stands_under(story: Told) -> None:  # (9)
    """Whichever names it takes for the fewest entries: they are spelled as those of the lines are."""
    for house, users in ((story.world.kr, (None, *READERS, "lim")), (story.world.jp, (None, *OFFICERS, "abe"))):
        index = await up_to_date(house)
        assert isinstance(index, SqliteIndex)
        lines = {key: each for key, each in contents(index).items() if key.startswith("line/")}
        for each in lines.values():
            words = [name.split("/", 2)[2] for name in each.names if name.startswith("x/")]
            assert each.names == tuple(sorted(names_of(about_of(each), words)))
        met, peers = 0, dict(await house.relationships())
        for handle in users:
            person = None if handle is None else await house.person(handle)
            scope = await scope_of(house, index, person)
            his = [
                each for each in lines.values() if scope.everything or not set(each.names).isdisjoint(scope.all_names())
            ]
            for asked in await questions(house):
                request = ReadPage(**asked)
                question = Question(request, checked(request), scope, peers, tuple(needles_of(request.text)))
                names = set(await Search(index, question, Sight(house, person))._names())
                for each in his:
                    if question.fits(about_of(each)):
                        met += 1
                        assert not names.isdisjoint(each.names), f"{handle}: {asked}"
        assert met > 500


@pytest.mark.parametrize("handle", ["choi", "kim"])
async def test_no_cursor_names_a_line_that_is_not_shown_for_what_the_index_has_wrongly(
    story: Told, handle: str, monkeypatch: pytest.MonkeyPatch
) -> None:  # (11) (12)
    """The index says that every line is his: no page, no cursor and no instant tells of one that he may not see."""
    house = story.world.kr
    asked_for = await questions(house)
    right = [await told(house, handle, asked) for asked in asked_for]
    index, name = house.index, await story.world.pseudonym(handle)
    assert index is not None
    lines = await index.walk(["line"], limit=100)
    found = await index.names([("class/", "class0"), ("x/", "x0"), ("s/", "s0")], 10_000)
    names = ("line", "fw", f"h/{name}", f"h/{name}/held", *(each for each, _ in found))
    await index.change([Entry(each.key, each.at, names, each.about) for each in lines])
    house.unindexed.changes += 1
    for few in (4_000, 1, 2):
        monkeypatch.setattr(searching, "LOOKED_AT_MAX", few)
        monkeypatch.setattr(searching, "PORTION", min(few, 64))
        for asked, expected in zip(asked_for, right, strict=True):
            pages = await told(house, handle, asked)
            assert [line.item for page in pages for line in page.lines] == [
                line.item for page in expected for line in page.lines
            ]
            if handle == "choi":  # he sees nothing at all
                assert [replace(page, total=None) for page in pages] == [replace(page, total=None) for page in expected]
            for page in pages:
                for cursor in {page.older, page.newer} - {"", asked.get("after"), asked.get("before")}:
                    row = await registered(house, cursor.partition(".")[2])
                    assert row is not None
                    assert await may_see(house, row, await house.person(handle)), asked
                    assert page.searched_to in (None, row.registered) or page.lines


async def told_with(house: House, asked: dict[str, Any], limit: int) -> list[str]:
    found: list[str] = []
    after, ended = "", 0
    while True:
        page = await read_page(house, ReadPage(limit=limit, after=after, **asked))
        found += [line.item for line in page.lines]
        ended += page.searched_to is not None
        if not page.older:
            return found
        after = page.older


async def test_a_filter_finds_every_line_that_says_so_whatever_the_newest_of_its_class_says(story: Told) -> None:
    """(10) Also of items that are alike but for their form, of which the newest has another one."""
    for form in ("documentary", "electronic"):
        path = story.world.document(form.encode(), f"{form}.txt")
        await story.world.given(path=path, form=form)
        await story.world.ask(path=path, form=form)
    read = 0
    for house, users in ((story.world.kr, (*READERS, "lim")), (story.world.jp, (*OFFICERS, "abe"))):
        for handle in (None, *users):
            actor = None if handle is None else Actor(handle)
            whole = (await read_page(house, ReadPage(actor=actor, limit=200))).lines
            read += len(whole)
            facets = await show_facets(house, ShowFacets(actor=actor))
            for name, told_of in (("form", facets.forms), ("topic", facets.topics), ("mark", facets.marks)):
                says = {getattr(line, name, line.label.mark) for line in whole}
                assert set(told_of) == says, f"{handle}: {name}"
                for value in says:
                    found = await read_page(house, ReadPage(actor=actor, limit=200, **{name: value}))
                    expected = [line for line in whole if getattr(line, name, line.label.mark) == value]
                    assert list(found.lines) == expected, f"{handle}: {name} {value}"
            for box in ("in", "own"):
                found = await read_page(house, ReadPage(actor=actor, limit=200, box=box))
                assert list(found.lines) == [line for line in whole if box in line.way], f"{handle}: {box}"
    assert read > 50


async def test_what_is_asked_about_another_time_is_answered_likewise(story: Told) -> None:
    """A reader whose clearance has run out keeps what is in his name, and loses what he saw for what it was."""
    house = story.world.kr
    before = [line.item for line in (await read_page(house, ReadPage(actor=Actor("kim")))).lines]
    story.world.clock.time += timedelta(days=500)
    after = [line.item for line in (await read_page(house, ReadPage(actor=Actor("kim")))).lines]
    assert set(after) <= set(before)
    seen = []
    for item in before:
        row = await registered(house, item)
        assert row is not None
        try:
            if await may_see(house, row, await house.person("kim")):
                seen.append(item)
        except ComityError:
            pytest.fail("nobody hears an error about what he may see")
    assert after == seen
