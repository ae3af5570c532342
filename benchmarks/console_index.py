"""Pages of a register of 10,000, 100,000 and 1,000,000 lines: newest, filtered, searched, far back; an item; today.

One house on SQLite with the index of its register. Each question is asked through the flow that the console asks, as a
registry officer, who sees all of it, and as a reader, who sees one topic of five and his own copies; the house's row
cache is emptied before each. ``_page_register.py`` writes the register in bulk. A figure is the 95th percentile of its
turns. The peer is one flat SQLite table with an index for each question and FTS5, asked the same in the same run, by
whoever may see everything; its answers are compared with the registry officer's.

What the application adds to a page, its guard, session and template, is measured besides: whole pages as a browser asks
for them (``_pages_side.py``), without the network.
"""

from __future__ import annotations

import asyncio
import gc
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw

from benchmarks._page_register import COMMON, RARE, READER, REGISTRY, THEIRS, TOPICS, Line, Pattern, flat, grow, tell
from benchmarks._pages_side import visitor
from comity.flows.actors import Actor
from comity.flows.finding.pages import Page, read_page
from comity.flows.finding.questions import ReadPage, cursor
from comity.flows.finding.today import ShowToday, show_today
from comity.flows.house import House
from comity.flows.indexing.upkeep import catch_up
from comity.flows.looking.item_story import ShowItem, show_item
from comity.node.run import opened
from comity.ports.index import Place

SIZES, QUICK_SIZES = (10_000, 100_000, 1_000_000), (500, 2_000)
TURNS, QUICK_TURNS = 60, 4
LIMIT = 50
AIM = "at most 50 ms"
GROWTH = 3
"""How much slower with a hundred times the lines: trees are deeper, and of what is rare more has to be looked at."""
MARK, TOPIC = THEIRS[0], TOPICS[1]

Ask = Callable[[House, Actor, Line], Awaitable[object]]
Same = Callable[[apsw.Connection, Line], object]


@dataclass
class Race:
    """One question; milliseconds of its turns."""

    ours: list[float] = field(default_factory=list)
    flat: list[float] = field(default_factory=list)

    def at_95(self) -> tuple[float, float | None]:
        """The 95th percentile of both."""
        return _at_95(self.ours), _at_95(self.flat) if self.flat else None


def _at_95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20, method="inclusive")[-1]


def _page(**asked: object) -> Ask:
    async def ask(house: House, actor: Actor, _: Line) -> object:
        return _items(await read_page(house, ReadPage(limit=LIMIT, actor=actor, **asked)))  # type: ignore[arg-type]  # as asked

    return ask


async def _deep(house: House, actor: Actor, line: Line) -> object:
    found = await read_page(house, ReadPage(limit=LIMIT, actor=actor, after=_cursor(line)))
    return _items(found)


async def _item(house: House, actor: Actor, line: Line) -> object:
    return (await show_item(house, ShowItem(item=line.item, actor=actor))).item


async def _today(house: House, actor: Actor, _: Line) -> object:
    told = await show_today(house, ShowToday(actor=actor))
    return [duty.item for duty in told.duties.first]


def _items(page: Page) -> list[str]:
    return [line.item for line in page.lines]


def _cursor(line: Line) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=line.registered)
    return cursor(Place(at, f"line/{line.item}"))


def _sql(where: str, *values: object) -> Same:
    def ask(table: apsw.Connection, _: Line) -> object:
        query = f"SELECT * FROM line WHERE {where} ORDER BY registered DESC LIMIT {LIMIT}"
        return [row[1] for row in table.execute(query, values).fetchall()]  # type: ignore[arg-type]  # every value is a text or a number

    return ask


def _words(text: str) -> Same:
    return _sql("id IN (SELECT rowid FROM word WHERE word MATCH ?)", text)


def _sql_deep(table: apsw.Connection, line: Line) -> object:
    return _sql("registered < ?", line.registered)(table, line)


def _sql_item(table: apsw.Connection, line: Line) -> object:
    return table.execute("SELECT * FROM line WHERE item = ?", (line.item,)).fetchall()[0][1]


def _sql_today(table: apsw.Connection, _: Line) -> object:
    query = "SELECT * FROM line WHERE due IS NOT NULL ORDER BY due LIMIT 20"
    return [row[1] for row in table.execute(query).fetchall()]


BOTH = (REGISTRY, READER)
PAGES = {"Today": "/", "Register": "/register", "Register, a word": f"/register?text={COMMON}", "Item": "/items/{item}"}


def questions(reader: str) -> dict[str, tuple[Ask, Same, tuple[Actor, ...]]]:
    """What is asked, the same of the flat table, and who asks; ``reader`` is his name among the holders."""
    return {
        "register, the newest": (_page(), _sql("true"), BOTH),
        "register, far back": (_deep, _sql_deep, BOTH),
        "a word in half of the titles": (_page(text=COMMON), _words(COMMON), BOTH),
        "a word in five titles": (_page(text=RARE), _words(RARE), BOTH),
        "two words, one in no title": (_page(text=f"{COMMON} xylograph"), _words(f"{COMMON} xylograph"), BOTH),
        "inbox, one mark and topic": (
            _page(box="in", mark=MARK, topic=TOPIC),
            _sql("way = 'in' AND mark = ? AND topic = ?", MARK, TOPIC),
            (REGISTRY,),
        ),
        "copies destroyed": (_page(state="destroyed"), _sql("state = 'destroyed'"), BOTH),
        "copies of one holder": (_page(holder=reader), _sql("holder = ?", reader), BOTH),
        "today": (_today, _sql_today, BOTH),
        "one item's whole story": (_item, _sql_item, (REGISTRY,)),
    }


def run(quick: bool) -> list[dict[str, object]]:
    """Rows: each question at each size, and how it grows from the smallest to the largest."""
    sizes, turns = (QUICK_SIZES, QUICK_TURNS) if quick else (SIZES, TURNS)
    found: dict[tuple[str, int], Race] = {}
    made: dict[int, float] = {}
    with tempfile.TemporaryDirectory(prefix="comity-pages-", dir=os.environ.get("COMITY_BENCH_FOLDER")) as name:
        folder = Path(name)
        (folder / "give").mkdir()
        pattern = tell(folder / "give")
        for size in sizes:
            (folder / str(size)).mkdir()
            races, made[size] = asyncio.run(_measured(pattern, folder / str(size), size, turns))
            found |= {(question, size): race for question, race in races.items()}
            shutil.rmtree(folder / str(size))
    return [*_figures(found, sizes), *_growth(found, sizes), *_making(made)]


def _figures(found: dict[tuple[str, int], Race], sizes: tuple[int, ...]) -> Iterator[dict[str, object]]:
    for question in dict.fromkeys(question for question, _ in found):
        for size in sizes:
            ours, peer = found[question, size].at_95()
            yield {
                "name": f"{question}; {size:,} lines, p95",
                "ours": ours,
                "peer": peer,
                "peer_name": f"flat table, SQLite {apsw.sqlite_lib_version()}" if peer else "",
                "unit": "ms",
                "ratio": peer / ours if peer else None,
                "aim": AIM,
            }


def _growth(found: dict[tuple[str, int], Race], sizes: tuple[int, ...]) -> Iterator[dict[str, object]]:
    few, many = sizes[0], sizes[-1]
    for question in dict.fromkeys(question for question, _ in found):
        before, after = (statistics.median(found[question, size].ours) for size in (few, many))
        yield {
            "name": f"{question}, from {few:,} to {many:,} lines, median",
            "ours": after,
            "peer": before,
            "peer_name": f"ours at {few:,} lines",
            "unit": "ms",
            "ratio": after / before,
            "aim": f"at most {GROWTH}",
        }


def _making(made: dict[int, float]) -> Iterator[dict[str, object]]:
    for size, seconds in made.items():
        yield {
            "name": f"making the index of {size:,} lines anew",
            "ours": size / seconds,
            "peer": None,
            "peer_name": "",
            "unit": "lines/s",
            "ratio": None,
            "aim": None,
        }


async def _measured(pattern: Pattern, folder: Path, size: int, turns: int) -> tuple[dict[str, Race], float]:
    lines = grow(pattern, folder, size)
    races: dict[str, Race] = {}
    async with opened(folder / "kr") as house:
        start = time.perf_counter()
        await catch_up(house)
        made = time.perf_counter() - start
        with closing(flat(lines, folder / "flat.sqlite")) as table:
            gc.collect()
            gc.freeze()  # what the peer is compared with stays
            for question, (ask, same, actors) in questions(pattern.reader).items():
                for actor in actors:
                    asks = f"{question}; as {'a registry officer' if actor == REGISTRY else 'a reader'}"
                    chance = random.Random(question)
                    races[asks] = Race()
                    for turn in range(turns + 1):
                        line = chance.choice(lines)
                        house.sequencer.rows.clear()
                        before = time.perf_counter()
                        said = await ask(house, actor, line)
                        after = time.perf_counter()
                        other = same(table, line) if actor == REGISTRY else None
                        if turn:  # the first fills the caches of both
                            races[asks].ours.append((after - before) * 1000)
                            if actor == REGISTRY:
                                races[asks].flat.append((time.perf_counter() - after) * 1000)
                        assert other is None or said == other, f"{asks}: {str(said)[:200]} and {str(other)[:200]}"
            races |= await _whole_pages(house, lines, folder, turns)
    return races, made


async def _whole_pages(house: House, lines: list[Line], folder: Path, turns: int) -> dict[str, Race]:
    """Pages as a browser gets them."""
    races: dict[str, Race] = {}
    for actor in BOTH:
        somebody = await visitor(house, actor.handle, folder)
        for page, address in PAGES.items():
            if page == "Item" and actor == READER:
                continue  # most items are not there for him
            name = f"page {page}; as {'a registry officer' if actor == REGISTRY else 'a reader'}"
            chance = random.Random(name)
            races[name] = Race()
            for turn in range(turns + 1):
                path = address.format(item=chance.choice(lines).item)
                house.sequencer.rows.clear()
                before = time.perf_counter()
                await somebody.get(path)
                if turn:
                    races[name].ours.append((time.perf_counter() - before) * 1000)
    return races
