"""A register of any number of lines at one house, on SQLite, for pages: one real give, written again under other names.

Half of the lines came from Japan, half are Korea's own and given to Japan; these have titles in three scripts. Marks,
topics, forms, states, holders and instants vary. Each line has the rows that pages read: the item, its copy, its
consignment and passage, what is left of it; a tenth has an open duty, a thousandth waits for an approval, for a receipt
or is asked back. The journal is that of the one give: pages do not read it.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from base64 import b32encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
from msgspec.structs import replace

from benchmarks._big_register import database
from benchmarks.gives import set_up
from comity.cli.demonstration.cast import RELATIONSHIP, TOPIC
from comity.flows.actors import Actor
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.release import ITEM_TITLE, Give, give
from comity.flows.house import House
from comity.marking.label import Label
from comity.node.run import opened
from comity.register.rows import ConsignmentRow, CopyRow, ItemRow, PassageRow, RequestRow, Row, encode_row
from comity.register.rows.duties import DutiesRow, Duty, OpenDutyRow, open_duty_key
from comity.register.rows.ending import HoldingRow, RecallRow
from comity.stores.schema import SET_ROW

REGISTRY, READER = Actor("lee"), Actor("kim")
TOPICS = (TOPIC, "submarines", "satellites", "exercises", "procurement")
FORMS = ("electronic", "documentary", "magnetic")
OURS, THEIRS = ("군사 Ⅱ급 비밀", "군사 Ⅲ급 비밀"), ("極秘", "秘")
STATES = ("held",) * 7 + ("returned", "destroyed", "in transit")
HOLDERS = 200
READERS_COPIES = 100
"""Copies of the reader; the others have the rest."""
START = datetime(2019, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORDS = ("radar", "sonar", "orbit", "convoy", "harbour", "signal", "weather", "fuel", "bridge", "range")
PHRASES = ("北方海域の動向", "미사일 분석 보고서", "衛星画像の評価", "작전 계획 요약")
COMMON, RARE = "assessment", "zugzwang"
RARE_LINES = 5
"""The common word stands in half of the titles, the rare one in five."""


@dataclass
class Pattern:
    """What one real give left with the receiver."""

    folder: Path
    item: ItemRow
    copy: CopyRow
    consignment: ConsignmentRow
    holding: HoldingRow
    person: str
    reader: str


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of a line beside its rows, for the peer."""

    item: str
    registered: int
    way: str
    mark: str
    topic: str
    form: str
    state: str
    holder: str
    title: str
    due: int | None


def tell(folder: Path) -> Pattern:
    """Found two houses in a folder, and give one item."""
    _, kr_stage = set_up(folder)
    kim = kr_stage.people["kim"]

    async def happen() -> Pattern:
        async with opened(folder / "jp") as jp, opened(folder / "kr") as kr:
            document = folder / "document.txt"
            document.write_bytes(os.urandom(512))
            asked = await give(
                jp,
                Give(
                    path=str(document),
                    relationship=RELATIONSHIP,
                    mark="極秘",
                    topic=TOPIC,
                    recipients=(kim,),
                    purpose="air defence",
                    actor=Actor("sato"),
                ),
            )
            await _exchange(jp, kr)
            await assure(kr, Assure(request=asked.request, relationship=RELATIONSHIP, recipient=kim, actor=REGISTRY))
            await _exchange(jp, kr)
            assert (await approve(jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))).given
            await _exchange(jp, kr)
            item = await kr.need(ItemRow, asked.item, "item")
            consignment = await kr.need(ConsignmentRow, item.consignments[0].hex(), "consignment")
            copy = await kr.need(CopyRow, f"{RELATIONSHIP}/{asked.item}/000001", "copy")
            holding = await kr.need(HoldingRow, f"{RELATIONSHIP}/{asked.item}", "holding")
            person = (await kr.person("kim")).person
            return Pattern(folder, item, copy, consignment, holding, person, kim)

    return asyncio.run(happen())


async def _exchange(jp: House, kr: House) -> None:
    for _ in range(2):
        for sender, receiver in ((jp, kr), (kr, jp)):
            parcel = write_parcel(await sender.pack(RELATIONSHIP))
            await sender.take_reply(RELATIONSHIP, await receiver.take_parcel(sender.party, RELATIONSHIP, parcel))


class Writing:
    """The lines of one register, and their rows."""

    def __init__(self, pattern: Pattern, size: int) -> None:
        self.lines: list[Line] = []
        self.now = datetime.now(UTC)
        self._pattern = pattern
        self._size = size
        self._random = random.Random(f"lines {size}")
        self._holders = [f"n-{self._name()}" for _ in range(HOLDERS)]
        self._rare = set(self._random.sample(range(size // 2), RARE_LINES))

    def rows(self) -> Iterator[tuple[str, str, bytes]]:
        """Table, key and value of every row, in no order."""
        self._note(self._pattern.item, self._pattern.copy, "", None)
        for number in range(self._size):
            for table, key, row in self._line(number):
                yield table, key, row if isinstance(row, bytes) else encode_row(row)

    def _name(self) -> str:
        return b32encode(self._random.randbytes(10)).decode().lower()

    def _line(self, number: int) -> Iterator[tuple[str, str, Row | bytes]]:
        pattern, chance = self._pattern, self._random
        item, record = f"i-{self._name()}", chance.randbytes(32)
        own = number % 2 == 1
        at = START + timedelta(microseconds=number * 137_000_000 + chance.randrange(1_000_000))
        mark = (OURS if own else THEIRS)[number % 3 == 0]
        topic, form, state = chance.choice(TOPICS), chance.choice(FORMS), chance.choice(STATES)
        mine = number % (self._size // READERS_COPIES) == 0
        holder = pattern.reader if mine else chance.choice(self._holders)
        party, copies = ("kr" if own else "jp"), pattern.copy
        row = replace(
            pattern.item,
            item=item,
            label=Label(policy=party, mark=mark, originator=party),
            alternative=None if own else pattern.item.alternative,
            form=form,
            topic=topic,
            originator=party,
            registered=at,
            relationship="domestic" if own else RELATIONSHIP,
            provided=None if own else pattern.item.provided,
            consignments=(record,),
        )
        key = f"{RELATIONSHIP}/{item}"
        waits = own and number % 1_000 == 501
        yield "item", item, row
        copy = replace(copies, item=item, holder=holder, state=state, consignment=record, last=record)  # type: ignore[arg-type]  # one of the six states
        yield "copy", f"{key}/000001", copy
        sequence = number + 1_000  # beyond what was really said
        given = replace(pattern.consignment, record=record, author=party, sequence=sequence, item=item, at=at)
        given = replace(given, received=None if waits else at)
        yield "consignment", record.hex(), given
        yield "passage", f"{RELATIONSHIP}/{party}/{sequence:012d}", PassageRow(consignment=record)
        yield "holding", key, replace(pattern.holding, left=int(state == "held"), keeper="jp" if own else "kr")
        title = ""
        if own:
            words = [chance.choice(WORDS), str(number), chance.choice(PHRASES), *([COMMON] if number % 4 == 1 else [])]
            title = " ".join([*words, *([RARE] if number // 2 in self._rare else [])])
            yield ITEM_TITLE, item, title.encode()
        due = None
        if number % 10 == 0:
            due = self.now + timedelta(seconds=37 * (number - self._size // 20))
            duty = Duty(
                obligation="answer-recall",
                instrument="jp-kr-2016",
                clause="6.h",
                provenance="P",
                event="recalled",
                deed="answer-recall",
                who="kr",
                to="jp",
                item=item,
                opened=record,
                at=at,
                evidence="",
                due=due,
            )
            duties = DutiesRow(relationship=RELATIONSHIP, subject=f"{item}/{record.hex()[:16]}", duties=(duty,))
            yield "duty", f"{RELATIONSHIP}/{duties.subject}", duties
            yield *open_duty_key(duties, 0), OpenDutyRow(duty=f"{RELATIONSHIP}/{duties.subject}", place=0)
        if number % 1_000 == 0:
            yield (
                "recall",
                key,
                RecallRow(
                    recall=f"k-{self._name()}",
                    record=record,
                    last=record,
                    author="jp",
                    sequence=sequence,
                    asks="either",
                    reason="replaced",
                    clause="",
                    by="n-x",
                    at=at,
                ),
            )
        if waits:
            request = f"r-{self._name()}"
            yield (
                "request",
                request,
                RequestRow(
                    request=request,
                    record=record,
                    item=item,
                    relationship=RELATIONSHIP,
                    recipients=(holder,),
                    purpose="air defence",
                    by=pattern.person,
                    at=at,
                ),
            )
        self._note(row, copy, title, due)

    def _note(self, row: ItemRow, copy: CopyRow, title: str, due: datetime | None) -> None:
        self.lines.append(
            Line(
                item=row.item,
                registered=(row.registered - EPOCH) // timedelta(microseconds=1),
                way="own" if row.relationship == "domestic" else "in",
                mark=row.label.mark,
                topic=row.topic,
                form=row.form,
                state=copy.state,
                holder=copy.holder,
                title=title,
                due=None if due is None else int(due.timestamp()),
            )
        )


def grow(pattern: Pattern, folder: Path, size: int) -> list[Line]:
    """A copy of the receiver's folder with so many lines, written into its database in bulk; what the lines say."""
    shutil.copytree(pattern.folder / "kr", folder / "kr", ignore=shutil.ignore_patterns("node.sock", "index.sqlite*"))
    writing = Writing(pattern, size)
    with closing(database(folder, "kr")) as connection:
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -524288", "temp_store = FILE"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute('CREATE TEMP TABLE made ("table" TEXT, key TEXT, value BLOB)')
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO made VALUES (?, ?, ?)", writing.rows())
        connection.executemany(SET_ROW, connection.execute("SELECT * FROM made ORDER BY 1, 2"))
        connection.execute("COMMIT")
    return writing.lines


def flat(lines: list[Line], path: Path) -> apsw.Connection:
    """The same facts in one flat table, with an index for each question and SQLite's own full text search."""
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -524288")
    connection.execute(
        """
        BEGIN;
        CREATE TABLE line (id INTEGER PRIMARY KEY, item TEXT, registered INTEGER, way TEXT, mark TEXT, topic TEXT,
            form TEXT, state TEXT, holder TEXT, title TEXT, due INTEGER);
        CREATE VIRTUAL TABLE word USING fts5(title, content = 'line', content_rowid = 'id');
        """
    )
    columns = "item, registered, way, mark, topic, form, state, holder, title, due"
    rows = ((e.item, e.registered, e.way, e.mark, e.topic, e.form, e.state, e.holder, e.title, e.due) for e in lines)
    connection.executemany(f"INSERT INTO line ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.execute(
        """
        INSERT INTO word (word) VALUES ('rebuild');
        CREATE INDEX by_item ON line (item);
        CREATE INDEX by_registered ON line (registered);
        CREATE INDEX by_mark ON line (mark, registered);
        CREATE INDEX by_topic ON line (topic, mark, registered);
        CREATE INDEX by_state ON line (state, registered);
        CREATE INDEX by_holder ON line (holder, registered);
        CREATE INDEX by_due ON line (due);
        COMMIT;
        """
    )
    return connection
