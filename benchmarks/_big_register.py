"""A register of any size, on SQLite, between two houses: what one real story wrote, written again under other names.

Two nodes are founded, introduced and brought into agreement as people would do it. One item is then given to ten
readers, two of them open it, and it is asked back by a day; another is given, and something is made from it. The rows
that this wrote are the pattern: for every further item they are put into both databases in bulk, with fresh names for
the item, the request, the recall and every record, and another day. What many items add up to (tallies) is added up by
the register's own functions. Sealed content and headers of copies are those of the pattern, for nobody opens them here;
of the journal there are the pattern's records about each item's name: every opening, and every decision about
``Register.sample``. A record's name is the digest of what it says; an opening has the signature of the pattern's. The
rest of the journal is left out: the questions that are measured do not read it.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import shutil
from base64 import b32encode, b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TypeVar, cast

import apsw
from msgspec.structs import replace

from benchmarks.gives import set_up
from comity.api import read_text
from comity.cli.demonstration.cast import RELATIONSHIP, TOPIC, Role
from comity.cli.demonstration.cast import House as Stage
from comity.flows.actors import Actor
from comity.flows.agreeing.agreements import AdoptAgreement
from comity.flows.deriving.derivation import Derive, derive
from comity.flows.ending.recalls import Recall, recall
from comity.flows.exchanging.parcel import write_parcel
from comity.flows.giving.answering import Approve, Assure, approve, assure
from comity.flows.giving.opening import Open, open_item
from comity.flows.giving.release import Give, give
from comity.flows.house import House
from comity.flows.pouch import ExportPouch, ImportPouch
from comity.node.run import opened
from comity.ports import Signer
from comity.record import dsse
from comity.record.encoding import encode
from comity.record.statement import RECORD
from comity.register.rows import TABLES, CopyRow, Row, decode_row, encode_row
from comity.register.rows.inventory import (
    TallyItemRow,
    TallyPartRow,
    TallyRow,
    tally_item_key,
    tally_key,
    tally_part_key,
)
from comity.register.tally import NOTHING, PARTS, added, copy_line, item_sum, part_of
from comity.stores.schema import SET_ROW

PARTIES = ("jp", "kr")
TEXTS = ("jp-kr-2016", "jp-kr-2016.history", "house", "jp-kr-arrangement.example")
"""The arrangement puts a number of days to what is asked back."""
COPIES_EACH = 10
"""Copies of every item, each with a reader of its own."""
OPENED = 2
FAN_OUT = 10
"""How many things are made from each thing of the family, until it is large enough."""
PURPOSE = "air defence"
READERS = tuple(
    Role(
        handle=f"desk{number}",
        name=f"Desk {number}",
        function=f"Early warning desk {number}",
        body="Ministry of National Defence, Seoul",
        cleared=True,
        listed=True,
    )
    for number in range(COPIES_EACH)
)
NOT_OF_ONE = frozenset({"chain", "passage", TallyRow.table, TallyPartRow.table, TallyItemRow.table})
"""Tables whose rows are those of a place in a chain, or are added up here."""

Rows = dict[tuple[str, str], bytes]
R = TypeVar("R", bound=Row)
Slots = Callable[[Sequence[str]], object]


# ---- the story -------------------------------------------------------------------------------------------------------


@dataclass
class Written:
    """What one item's story wrote: the names in it, and the rows and journal entries of each party."""

    names: dict[str, str] = field(default_factory=dict)
    """What stands in rows and keys for a name that every item has for itself, with what it is called here."""
    rows: dict[str, Rows] = field(default_factory=dict)
    entries: dict[str, dict[bytes, tuple[object, ...]]] = field(default_factory=dict)
    """The journal entries that stories read, by the record: openings, and what happened at home."""


@dataclass
class Story:
    """A folder with two houses, and what was written in it."""

    folder: Path
    document: str
    """The item that has a family."""
    item: Written
    child: Written
    signers: dict[str, Signer]
    """What each house signs its records with."""


def tell(folder: Path) -> Story:
    """Found two houses in a folder, and let the pattern of all items happen in them."""
    stages = set_up(folder)
    stages[1].enrol(READERS, "군사 Ⅱ급 비밀")
    text, history, *layers = [read_text(name)[0] for name in TEXTS]
    for stage, peer in zip(stages, reversed(PARTIES), strict=True):
        stage.ask(AdoptAgreement(peer=peer, text=text, history=history, layers=tuple(layers), names=TEXTS))
    for number, (sender, receiver) in enumerate((stages, stages[::-1])):
        path = str(folder / f"readers-{number}.pouch")
        sender.ask(ExportPouch(relationship=RELATIONSHIP, path=path))
        receiver.ask(ImportPouch(path=path))
    return asyncio.run(_happen(folder, stages))


async def _happen(folder: Path, stages: Sequence[Stage]) -> Story:
    async with opened(folder / "jp") as jp, opened(folder / "kr") as kr:
        before = _dumped(folder)
        item, request = await _give(folder, stages, jp, kr)
        for reader in READERS[:OPENED]:
            path = str(folder / f"opened-{reader.handle}")
            await open_item(kr, Open(item=item, purpose=PURPOSE, path=path, actor=Actor(reader.handle)))
        await recall(jp, Recall(item=item, asks="either", reason="replaced", actor=Actor("abe")))
        await _exchange(jp, kr)
        given = _dumped(folder)
        document, _ = await _give(folder, stages, jp, kr)
        then = _dumped(folder)
        path = folder / "extract.txt"
        path.write_bytes(os.urandom(256))
        ancestors = (document,)
        made = await derive(
            kr,
            Derive(path=str(path), relation="extract", ancestors=ancestors, purpose=PURPOSE, actor=Actor("desk0")),
        )
        assert made.made
        await _exchange(jp, kr)
        last = _dumped(folder)
        signers = {house.party: house.keys.record for house in (jp, kr)}
    (due,) = [key.split("/")[2] for table, key in given["kr"].rows if table == "open-duty" and key.startswith("kr/1/")]
    named = {"item": item, "request": request, "due key": due, "due": due.replace(".000000Z", "Z")}
    return Story(
        folder,
        document,
        _written(before, given, named),
        _written(then, last, {"item": made.item, "parent": document}),
        signers,
    )


async def _give(folder: Path, stages: Sequence[Stage], jp: House, kr: House) -> tuple[str, str]:
    document = folder / "document.txt"
    document.write_bytes(os.urandom(512))
    recipients = tuple(stages[1].people[each.handle] for each in READERS)
    asked = await give(
        jp,
        Give(
            path=str(document),
            relationship=RELATIONSHIP,
            mark="極秘",
            topic=TOPIC,
            recipients=recipients,
            purpose=PURPOSE,
            actor=Actor("sato"),
        ),
    )
    await _exchange(jp, kr)
    for recipient in recipients:
        request = Assure(request=asked.request, relationship=RELATIONSHIP, recipient=recipient, actor=Actor("lee"))
        await assure(kr, request)
    await _exchange(jp, kr)
    assert (await approve(jp, Approve(request=asked.request, reason="needed", actor=Actor("abe")))).given is not None
    await _exchange(jp, kr)
    return asked.item, asked.request


async def _exchange(jp: House, kr: House) -> None:
    for _ in range(2):
        for sender, receiver in ((jp, kr), (kr, jp)):
            parcel = write_parcel(await sender.pack(RELATIONSHIP))
            await sender.take_reply(RELATIONSHIP, await receiver.take_parcel(sender.party, RELATIONSHIP, parcel))


# ---- the pattern -----------------------------------------------------------------------------------------------------


@dataclass
class _Dump:
    rows: Rows
    entries: dict[bytes, tuple[object, ...]]


def database(folder: Path, party: str) -> apsw.Connection:
    """The database of a house."""
    return apsw.Connection(str(folder / party / "comity.sqlite"))


def _dumped(folder: Path) -> dict[str, _Dump]:
    found = {}
    for party in PARTIES:
        connection = database(folder, party)
        rows = {(table, key): value for table, key, value in connection.execute('SELECT "table", key, value FROM rows')}
        entries = {entry[3]: entry for entry in connection.execute("SELECT * FROM journal")}
        found[party] = _Dump(rows, entries)
        connection.close()
    return found


def _written(before: dict[str, _Dump], after: dict[str, _Dump], named: dict[str, str]) -> Written:
    written = Written()
    written.names = {text: name for name, text in named.items()}
    for party in PARTIES:
        new = {record: e for record, e in after[party].entries.items() if record not in before[party].entries}
        for number, record in enumerate(new):
            if record.hex() not in written.names:
                name = f"{party}{number}"
                written.names[record.hex()] = f"{name} hex"
                written.names[b64encode(record).decode()] = f"{name} base64"
    for party in PARTIES:
        rows = {at: value for at, value in after[party].rows.items() if at not in before[party].rows}
        written.rows[party] = {at: value for at, value in rows.items() if at[0] not in NOT_OF_ONE and _is_text(value)}
        for (table, _), value in written.rows[party].items():
            if table == "recall":
                written.names[re.findall(rb'"recall":"(k-[a-z2-7]{16})"', value)[0].decode()] = "recall"
    used = re.compile("|".join(map(re.escape, written.names)))
    for rows in written.rows.values():
        for at in [at for at, value in rows.items() if not used.search(at[1]) and not used.search(value.decode())]:
            del rows[at]
    for party in PARTIES:
        opened_by = {
            opening
            for (table, _), value in written.rows[party].items()
            if table == CopyRow.table and isinstance(row := decode_row(table, value), CopyRow)
            for opening in row.openings
        }
        written.entries[party] = {
            record: entry
            for record, entry in after[party].entries.items()
            if record not in before[party].entries
            and (record in opened_by or entry[1] == f"domestic/{party}")
            and _says(entry, written)
        }
    return written


def _says(entry: tuple[object, ...], written: Written) -> bool:
    """Whether it is about the item by name: what does not is no item's own."""
    item = next(text for text, name in written.names.items() if name == "item")
    return item.encode() in dsse.read(cast("bytes", entry[4]), RECORD).payload


def _is_text(value: bytes) -> bool:
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


class Pattern:
    """One text with the names in it left open."""

    def __init__(self, text: str, names: dict[str, str], order: Sequence[str]) -> None:
        parts = re.split("(" + "|".join(map(re.escape, sorted(names, key=len, reverse=True))) + ")", text)
        self.first = names[parts[1]] if len(parts) > 1 else ""
        self.start = parts[0]
        self._format = "%s".join(part.replace("%", "%%") for part in parts[::2])
        places = [order.index(names[part]) for part in parts[1::2]]
        self._slots: Slots = itemgetter(*places) if places else lambda _: ()

    def __call__(self, names: Sequence[str]) -> str:
        return self._format % self._slots(names)


class Said:
    """What a record of the pattern says, about whichever item."""

    def __init__(self, entry: tuple[object, ...], item: str) -> None:
        self._envelope = dsse.read(cast("bytes", entry[4]), RECORD)
        self._parts = self._envelope.payload.split(item.encode())

    def payload(self, item: str) -> bytes:
        """What it says."""
        return item.encode().join(self._parts)

    def record(self, item: str) -> bytes:
        """The name of a record that says so."""
        return sha256(dsse.pae(RECORD, self.payload(item))).digest()

    def envelope(self, item: str, signer: Signer | None = None) -> bytes:
        """The record, signed anew or with the signature of the pattern's, where nobody verifies it again."""
        if signer is None:
            return encode(replace(self._envelope, payload=self.payload(item)))
        return dsse.sign(RECORD, self.payload(item), [(signer.public, signer.sign)])


class Names:
    """The names of many items of one pattern, the same for both parties."""

    def __init__(self, written: Written, seed: str) -> None:
        self.of = written.names
        self.order = sorted(set(written.names.values()))
        self._records = [name[:-4] for name in self.order if name.endswith(" hex")]
        item = next(text for text, name in written.names.items() if name == "item")
        self.read = {
            written.names[record.hex()][:-4]: Said(entry, item)
            for entries in written.entries.values()
            for record, entry in entries.items()
        }
        self._random = random.Random(seed)

    def fresh(self, due: datetime, parent: str = "") -> tuple[str, ...]:
        """Names that nothing has yet."""
        values = {
            "item": self._name("i"),
            "request": self._name("r"),
            "recall": self._name("k"),
            "due key": f"{due:%Y-%m-%dT%H:%M:%S}.000000Z",
            "due": f"{due:%Y-%m-%dT%H:%M:%SZ}",
            "parent": parent,
        }
        for name in self._records:
            said = self.read.get(name)
            record = said.record(values["item"]) if said else self._random.randbytes(32)
            values[f"{name} hex"], values[f"{name} base64"] = record.hex(), b64encode(record).decode()
        return tuple(values[name] for name in self.order)

    def _name(self, prefix: str) -> str:
        return f"{prefix}-{b32encode(self._random.randbytes(10)).decode().lower()}"


# ---- the register ----------------------------------------------------------------------------------------------------


@dataclass
class Register:
    """Two houses with registers of a size.

    Attributes:
        folder: where they are.
        copies: how many copies each register has besides those of the family.
        document: the item from which the family was made.
        sample: some of the other items.
    """

    folder: Path
    copies: int
    document: str
    sample: list[str]


def grow(story: Story, folder: Path, copies: int, family: int) -> Register:
    """A copy of the story's houses with so many copies more, and a family of so many things made from one."""
    for party in PARTIES:
        shutil.copytree(story.folder / party, folder / party, ignore=shutil.ignore_patterns("node.sock"))
    kind = Names(story.item, f"items {copies}")
    start = datetime.now(UTC) + timedelta(days=1)
    items = sorted(
        (kind.fresh(start + timedelta(seconds=37 * number)) for number in range(copies // COPIES_EACH)),
        key=itemgetter(kind.order.index("item")),
    )
    kin = Names(story.child, "family")
    place = kin.order.index("item")
    children: list[tuple[str, ...]] = []
    for number in range(family):
        above = story.document if number < FAN_OUT else children[(number - FAN_OUT) // FAN_OUT][place]
        children.append(kin.fresh(start, above))
    step = max(1, len(items) // 200)
    sample = [each[kind.order.index("item")] for each in items[::step]]
    for party in PARTIES:
        connection = database(folder, party)
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -524288", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        for written, names, some in (
            (story.item, kind, items),
            (story.child, kin, sorted(children, key=itemgetter(place))),
        ):
            _put_rows(connection, written.rows[party], names, some)
            _put_entries(connection, party, written, names, some, set(sample), story.signers[party])
        _put_tallies(connection, ((story.item, kind, items), (story.child, kin, children)), story.folder, party)
        connection.execute("COMMIT")
        connection.close()
    return Register(folder, copies, story.document, sample)


def _put_rows(connection: apsw.Connection, rows: Rows, names: Names, items: Sequence[tuple[str, ...]]) -> None:
    """Table by table in the order of keys, as far as that can be had, so that the tree grows at its end."""
    made = [
        (table, Pattern(key, names.of, names.order), Pattern(value.decode(), names.of, names.order))
        for (table, key), value in sorted(rows.items())
    ]
    for (table, _start, first), group in groupby(made, lambda each: (each[0], each[1].start, each[1].first)):
        patterns = list(group)
        found: Iterable[tuple[str, str, bytes]] = (
            (table, key(item), value(item).encode()) for item in items for _, key, value in patterns
        )
        connection.executemany(SET_ROW, found if first == "item" else sorted(found))


def _put_entries(
    connection: apsw.Connection,
    party: str,
    written: Written,
    names: Names,
    items: Sequence[tuple[str, ...]],
    sample: set[str],
    signer: Signer,
) -> None:
    """The records that stories read: every opening, and of the sample whatever happened at home."""
    place = names.order.index("item")
    position = connection.execute("SELECT max(position) + 1 FROM journal").get
    for record, entry in written.entries[party].items():
        name = names.of[record.hex()]
        said, hexadecimal = names.read[name.removesuffix(" hex")], names.order.index(name)
        at_home = entry[1] == f"domestic/{party}"
        some = [item for item in items if item[place] in sample] if at_home else items
        rows = (
            (
                position + number,
                *entry[1:3],
                bytes.fromhex(item[hexadecimal]),
                said.envelope(item[place], signer if at_home else None),
                *entry[5:8],
                False,
                *entry[9:],
            )
            for number, item in enumerate(some)
        )
        connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        position = connection.execute("SELECT max(position) + 1 FROM journal").get


def _put_tallies(
    connection: apsw.Connection,
    kinds: Sequence[tuple[Written, Names, Sequence[tuple[str, ...]]]],
    folder: Path,
    party: str,
) -> None:
    """What all of it adds up to, on top of what was there."""
    parts: dict[int, tuple[int, int, bytes]] = {}
    before = database(folder, party)
    for written, names, items in kinds:
        place = names.order.index("item")
        original = next(text for text, name in names.of.items() if name == "item")
        key, value = before.execute(
            'SELECT key, value FROM rows WHERE "table" = ? AND key LIKE ?', (TallyItemRow.table, f"%/{original}")
        ).get
        tally = Pattern(value.decode(), names.of, names.order)
        copies = [
            Pattern(value.decode(), names.of, names.order)
            for (table, _), value in sorted(written.rows[party].items())
            if table == CopyRow.table
        ]
        lines: list[tuple[str, bytes]] = []
        for item in items:
            row = _row(TallyItemRow, tally(item))
            digest = item_sum(item[place], row, [copy_line(_row(CopyRow, copy(item))) for copy in copies])
            part = part_of(RELATIONSHIP, item[place])
            kept = TallyItemRow(mark=row.mark, marked=row.marked, last=row.last, copies=len(copies), digest=digest)
            lines.append((tally_item_key(RELATIONSHIP, part, item[place])[1], encode_row(kept)))
            count, total, so_far = parts.get(part, (0, 0, NOTHING))
            parts[part] = count + 1, total + len(copies), added(so_far, digest)
        assert key
        connection.executemany(SET_ROW, [(TallyItemRow.table, *line) for line in sorted(lines)])
    before.close()
    buckets: dict[int, tuple[int, int, bytes]] = {}
    for part, (items_, copies_, digest) in parts.items():
        count, total, so_far = buckets.get(part // PARTS, (0, 0, NOTHING))
        buckets[part // PARTS] = count + items_, total + copies_, added(so_far, digest)
    for kind, sums, key_of in ((TallyPartRow, parts, tally_part_key), (TallyRow, buckets, tally_key)):
        for number, plus in sums.items():
            _add(connection, kind, key_of(RELATIONSHIP, number)[1], plus)


def _add(
    connection: apsw.Connection, kind: type[TallyRow | TallyPartRow], key: str, plus: tuple[int, int, bytes]
) -> None:
    value = connection.execute('SELECT value FROM rows WHERE "table" = ? AND key = ?', (kind.table, key)).get
    row = _row(kind, value.decode()) if value is not None else kind(items=0, copies=0, digest=NOTHING)
    now = kind(items=row.items + plus[0], copies=row.copies + plus[1], digest=added(row.digest, plus[2]))
    connection.execute(SET_ROW, (kind.table, key, encode_row(now)))


def _row(kind: type[R], text: str) -> R:
    row = decode_row(kind.table, text.encode())
    assert isinstance(row, kind)
    return row


def counted(folder: Path, party: str) -> Iterator[tuple[str, int]]:
    """How many rows each table of a house's register has."""
    connection = database(folder, party)
    for table, count in connection.execute('SELECT "table", count(*) FROM rows GROUP BY 1'):
        if table in TABLES:
            yield table, count
    connection.close()
