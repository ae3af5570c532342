"""What is asked of a register later: what is due, an item's story, what a loss affects, where two registers differ.

Two houses on SQLite with 10,000, 100,000 and 1,000,000 copies and a tenth as many open duties, beside a family of
10,000 things made from one item. ``_big_register.py`` writes them in bulk: the rows are those of one real story between
two nodes, under other names; nobody lived through a million gives. Every question is asked through the flow that a user
asks, with the house's row cache emptied before. The peer is plain SQL on one flat SQLite file with the same facts,
asked the same in the same run, in turns; the answers are compared. A figure is the best turn of its side, because
others use the machine too.

What is due is the first hundred duties of the recipient; a story has ten copies, their openings, decisions and duties;
a loss affects 10,000 descendants with a copy each; the recipient has said of ten copies that they are lost, and the
giver, who has not heard of it yet, reconciles with it, questions and answers written and read as over the wire.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw

from benchmarks._big_register import COPIES_EACH, Register, Story, database, grow, tell
from comity.flows.actors import Actor
from comity.flows.handling.losing import LoseCopy, lose_copy
from comity.flows.house import House
from comity.flows.incidents.affected import affected_by
from comity.flows.looking.duties import ListDuties, list_duties
from comity.flows.looking.item_story import ShowItem, show_item
from comity.flows.looking.reconciling import Reconcile, reconcile
from comity.node.run import opened
from comity.record.statement import peek
from comity.register.rows import ConsignmentRow, CopyRow, DecisionRow, ItemRow, Row, decode_row
from comity.register.rows.duties import DutiesRow
from comity.register.rows.ending import RecallRow
from comity.register.rows.lineage import ChildRow
from comity.register.tally import copy_line

SIZES, QUICK_SIZES = (10_000, 100_000, 1_000_000), (1_000, 10_000)
FAMILY, QUICK_FAMILY = 10_000, 1_000
DUE = 100
LOST = 10
TURNS = {"due": 40, "story": 40, "story of a reader": 40, "affected": 5, "reconciliation": 10}
SAID = {
    "due": "what is due, the first 100",
    "story": "one item's whole story",
    "story of a reader": "the same, as a reader may see it",
    "affected": "what a loss with {family:,} descendants affects",
    "reconciliation": "two registers that differ in 10 lines",
}
AIMS = {"due": "at most 50 ms", "story": "at most 50 ms"}
GROWTH = {"due": 2, "story": 2, "story of a reader": 2, "affected": 2, "reconciliation": 8}
"""How much slower with a hundred times the register. Reconciling goes down from 256 sums to the 256 below each that
differs; in a small register most of those are empty, so it grows until none is."""

Ask = Callable[[int], Awaitable[object]]
Same = Callable[[int], object]


@dataclass
class Race:
    """One question, asked of both in turns; milliseconds."""

    ours: list[float] = field(default_factory=list)
    flat: list[float] = field(default_factory=list)

    async def turn(self, number: int, ask: Ask, same: Same | None) -> None:
        """Ask once of each, and compare what they say."""
        gc.collect()
        start = time.perf_counter()
        said = await ask(number)
        self.ours.append((time.perf_counter() - start) * 1000)
        if same is not None:
            start = time.perf_counter()
            other = same(number)
            self.flat.append((time.perf_counter() - start) * 1000)
            assert said == other, f"the answers differ: {str(said)[:300]} and {str(other)[:300]}"


def run(quick: bool) -> list[dict[str, object]]:
    """Rows: each question at each size, and how it grows from the smallest to the largest."""
    sizes, family = (QUICK_SIZES, QUICK_FAMILY) if quick else (SIZES, FAMILY)
    found: dict[tuple[str, int], Race] = {}
    with tempfile.TemporaryDirectory(prefix="comity-after-", dir=os.environ.get("COMITY_BENCH_FOLDER")) as name:
        folder = Path(name)
        (folder / "story").mkdir()
        story = tell(folder / "story")
        for size in sizes:
            for question, race in _measured(story, folder / str(size), size, family).items():
                found[question, size] = race
    return [*_figures(found, sizes, family), *_growth(found, sizes)]


def _figures(found: dict[tuple[str, int], Race], sizes: tuple[int, ...], family: int) -> Iterator[dict[str, object]]:
    for question, said in SAID.items():
        for size in sizes:
            ours, times = min(found[question, size].ours), found[question, size].flat
            flat = min(times) if times else None
            yield {
                "name": f"{said.format(family=family)}; {size:,} copies",
                "ours": ours,
                "peer": flat,
                "peer_name": f"flat tables, SQLite {apsw.sqlite_lib_version()}" if times else "",
                "unit": "ms",
                "ratio": flat / ours if flat else None,
                "aim": AIMS.get(question),
            }


def _growth(found: dict[tuple[str, int], Race], sizes: tuple[int, ...]) -> Iterator[dict[str, object]]:
    few, many = sizes[0], sizes[-1]
    for question, said in SAID.items():
        before, after = (min(found[question, size].ours) for size in (few, many))
        yield {
            "name": f"{said.split(' with')[0]}, from {few:,} to {many:,} copies",
            "ours": after,
            "peer": before,
            "peer_name": f"ours at {few:,} copies",
            "unit": "ms",
            "ratio": after / before,
            "aim": f"at most {GROWTH[question]}",
        }


def _measured(story: Story, folder: Path, size: int, family: int) -> dict[str, Race]:
    folder.mkdir()
    register = grow(story, folder, size, family)
    flat = _flat(register)
    try:
        return asyncio.run(_raced(register, flat, family))
    finally:
        flat.close()
        shutil.rmtree(folder)


async def _raced(register: Register, flat: apsw.Connection, family: int) -> dict[str, Race]:
    races = {question: Race() for question in SAID}
    async with opened(register.folder / "jp") as jp, opened(register.folder / "kr") as kr:
        for item in register.sample[:LOST]:
            lost = LoseCopy(item=item, copy=1, circumstances="not in the safe", actor=Actor("lee"))
            await lose_copy(kr, lost)
            flat.execute("UPDATE copy SET state = 'lost' WHERE item = ? AND number = 1", (item,))
        jp.ask_peer = lambda _peer, relationship, question: kr.answer_question("jp", relationship, question)
        sides: dict[str, tuple[Ask, Same | None]] = {
            "due": (_due(kr), lambda _: _flat_due(flat)),
            "story": (_story(kr, register, None), lambda number: _flat_story(flat, register.sample[number])),
            "story of a reader": (_story(kr, register, Actor("desk1")), None),
            "affected": (_affected(kr, register.document, family), lambda _: _flat_affected(flat, register.document)),
            "reconciliation": (_reconciled(jp, kr), lambda _: _flat_reconciled(flat)),
        }
        for question, (ask, same) in sides.items():
            for number in range(TURNS[question]):
                for house in (jp, kr):
                    house.sequencer.rows.clear()
                await races[question].turn(LOST + number, ask, same)
    return races


# ---- ours ------------------------------------------------------------------------------------------------------------


def _due(kr: House) -> Ask:
    async def ask(_: int) -> object:
        told = await list_duties(kr, ListDuties(whose="mine", limit=DUE))
        return [(each.due.isoformat() if each.due else None, each.subject) for each in told.duties]

    return ask


def _story(kr: House, register: Register, actor: Actor | None) -> Ask:
    async def ask(number: int) -> object:
        told = await show_item(kr, ShowItem(item=register.sample[number], actor=actor))
        copies = [(copy.number, copy.holder, copy.state) for copy in told.copies]
        return copies, sorted(event.what for event in told.events), len(told.duties)

    return ask


def _affected(kr: House, document: str, family: int) -> Ask:
    async def ask(_: int) -> object:
        affected = await affected_by(kr, [document])
        assert affected.copies >= family + COPIES_EACH
        return {(item.item, copy.number, copy.holder) for item in affected.items for _, copy in item.copies}

    return ask


def _reconciled(jp: House, kr: House) -> Ask:
    async def ask(_: int) -> object:
        told = await reconcile(jp, Reconcile(peer=kr.party))
        assert told.complete
        assert not told.unexplained
        return {(each.item, each.copy) for each in told.differences}

    return ask


# ---- plain SQL -------------------------------------------------------------------------------------------------------


def _flat(register: Register) -> apsw.Connection:
    """The same facts in flat tables of one file."""
    flat = apsw.Connection(str(register.folder / "flat.sqlite"))
    flat.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -524288")
    flat.execute(
        """
        BEGIN;
        CREATE TABLE item (item TEXT PRIMARY KEY, mark TEXT, topic TEXT, subject TEXT, registered TEXT) WITHOUT ROWID;
        CREATE TABLE copy (item TEXT, number INTEGER, holder TEXT, state TEXT, last BLOB, opening BLOB,
            PRIMARY KEY (item, number)) WITHOUT ROWID;
        CREATE TABLE there (item TEXT, number INTEGER, holder TEXT, state TEXT, last BLOB, opening BLOB,
            PRIMARY KEY (item, number)) WITHOUT ROWID;
        CREATE TABLE event (item TEXT, at TEXT, what TEXT, copy INTEGER);
        CREATE TABLE duty (who TEXT, due TEXT, item TEXT, subject TEXT, clause TEXT, evidence TEXT, open INTEGER);
        CREATE TABLE derived (ancestor TEXT, item TEXT, PRIMARY KEY (ancestor, item)) WITHOUT ROWID;
        """
    )
    with closing(database(register.folder, "kr")) as kr, closing(database(register.folder, "jp")) as jp:
        copies = "(?, ?, ?, ?, ?, ?)"
        flat.executemany(f"INSERT INTO copy VALUES {copies}", _copies(kr))
        flat.executemany(f"INSERT INTO there VALUES {copies}", _copies(jp))
        flat.executemany("INSERT INTO item VALUES (?, ?, ?, ?, ?)", _items(kr))
        flat.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", _events(kr))
        flat.executemany("INSERT INTO duty VALUES (?, ?, ?, ?, ?, ?, ?)", _duties(kr))
        flat.executemany("INSERT INTO derived VALUES (?, ?)", _children(kr))
    flat.execute(
        """
        CREATE INDEX event_of ON event (item, at);
        CREATE INDEX duty_due ON duty (who, open, due);
        CREATE INDEX duty_of ON duty (item);
        COMMIT;
        """
    )
    return flat


def _rows(house: apsw.Connection, kind: type[Row]) -> Iterator[tuple[str, Any]]:
    for key, value in house.execute('SELECT key, value FROM rows WHERE "table" = ? ORDER BY key', (kind.table,)):
        yield key, decode_row(kind.table, value)


def _copies(house: apsw.Connection) -> Iterator[tuple[object, ...]]:
    for key, row in _rows(house, CopyRow):
        line = copy_line(row)
        yield key.split("/")[2], line.number, line.holder, line.state, line.last, line.opening


def _items(house: apsw.Connection) -> Iterator[tuple[object, ...]]:
    for key, row in _rows(house, ItemRow):
        yield key, row.label.mark, row.topic, row.subject, row.registered.isoformat()


def _events(house: apsw.Connection) -> Iterator[tuple[object, ...]]:
    given: dict[bytes, str] = {}
    for key, row in _rows(house, ItemRow):
        yield key, row.registered.isoformat(), "received" if row.provided and not row.contains else "registered", None
        given.update(dict.fromkeys(row.consignments, key))
    for key, row in _rows(house, DecisionRow):
        yield key.partition("/")[0], row.at.isoformat(), "decided", None
    for _key, row in _rows(house, ConsignmentRow):
        yield given[row.record], row.at.isoformat(), "given", None
        yield given[row.record], row.received.isoformat(), "receipted", None
    for key, row in _rows(house, CopyRow):
        for opening in row.openings:
            envelope = house.execute("SELECT envelope FROM journal WHERE record = ?", (opening,)).get
            yield key.split("/")[2], peek(envelope).at.isoformat(), "opened", row.number
    for key, row in _rows(house, RecallRow):
        yield key.rpartition("/")[2], row.at.isoformat(), "recalled", None


def _duties(house: apsw.Connection) -> Iterator[tuple[object, ...]]:
    for _key, row in _rows(house, DutiesRow):
        for duty in row.duties:
            due = duty.due.isoformat() if duty.due else None
            yield duty.who, due, duty.item, row.subject, duty.clause, duty.evidence, duty.open


def _children(house: apsw.Connection) -> Iterator[tuple[object, ...]]:
    for key, row in _rows(house, ChildRow):
        yield key.split("/")[2], row.item


def _flat_due(flat: apsw.Connection) -> object:
    query = "SELECT * FROM duty WHERE who = 'kr' AND open AND due IS NOT NULL ORDER BY due LIMIT ?"
    return [(due, subject) for _, due, _, subject, *_ in flat.execute(query, (DUE,)).fetchall()]


def _flat_story(flat: apsw.Connection, item: str) -> object:
    flat.execute("SELECT * FROM item WHERE item = ?", (item,)).fetchall()
    copies = flat.execute("SELECT * FROM copy WHERE item = ? ORDER BY number", (item,)).fetchall()
    events = flat.execute("SELECT * FROM event WHERE item = ? ORDER BY at", (item,)).fetchall()
    duties = flat.execute("SELECT * FROM duty WHERE item = ?", (item,)).fetchall()
    return [each[1:4] for each in copies], sorted(what for _, _, what, _ in events), len(duties)


def _flat_affected(flat: apsw.Connection, document: str) -> object:
    query = """
        WITH RECURSIVE below (item) AS
            (SELECT ? UNION SELECT derived.item FROM derived JOIN below ON derived.ancestor = below.item)
        SELECT copy.item, number, holder FROM below JOIN copy ON copy.item = below.item
    """
    return set(flat.execute(query, (document,)).fetchall())


def _flat_reconciled(flat: apsw.Connection) -> object:
    query = """
        SELECT item, number FROM (SELECT * FROM copy EXCEPT SELECT * FROM there)
        UNION SELECT item, number FROM (SELECT * FROM there EXCEPT SELECT * FROM copy)
    """
    return set(flat.execute(query).fetchall())
