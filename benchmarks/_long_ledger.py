"""A ledger of any length in the data folder of a real node: real rows, real envelopes, every signature made.

Two houses are founded, introduced and brought into agreement as people would do it, and one of them registers one item.
What it wrote then (an ``item/1`` record of 881 bytes in its chain ``domestic/jp``, and the row of the register) is the
pattern. Every further record is what the house would write: its place, the id of the record before it, an instant, a
fresh item, a fresh salt, and an Ed25519 signature by the house's own key; with it come the journal's indexes, the row,
the leaf, the tiles and the head. What is cheaper than the house is only how: the ids are chained in one process, others
sign, and the database is written in one transaction that is not synced. So all that a house checks holds for such a
ledger, and its node goes on from it as from any other.
"""

from __future__ import annotations

import asyncio
import os
import random
from base64 import b32encode, b64encode
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from multiprocessing import get_context
from pathlib import Path

import apsw

from benchmarks.gives import set_up
from comity.flows.house import House
from comity.flows.keeping.sequencer import TILE, tile_key
from comity.flows.keeping.work import Draft, Work
from comity.ledger.leaf import record_leaf
from comity.ledger.tiles import TileId
from comity.ledger.tree import Frontier, TreeHead
from comity.marking.label import Label
from comity.node.run import opened
from comity.ports import Signer
from comity.record import bodies, dsse
from comity.record.contexts import RECORD
from comity.record.encoding import encode
from comity.record.statement import DOMESTIC, Record
from comity.register.rows import ItemRow, PersonRow, encode_row
from comity.stores.schema import SET_ROW

CHAIN = f"{DOMESTIC}/jp"
PORTION = 4_096
"""Records that one process signs at once: sixteen tiles."""
CACHE_KIBIBYTES = 4 * 2**20
"""Room for the pages of the index of records, which are written in no order; at 10 million it has some 700 MB."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Pattern:
    """What the house wrote about one item, split where another one differs.

    Attributes:
        statement: before and after sequence, previous id, instant, item, and digest of the content.
        row: before and after item, digest of the content, and instant.
    """

    statement: tuple[bytes, ...]
    row: tuple[bytes, ...]


@dataclass
class Ledger:
    """A data folder whose own chain can be made longer."""

    folder: Path
    pattern: Pattern
    signer: Signer

    @property
    def database(self) -> Path:
        """The database of its node."""
        return self.folder / "comity.sqlite"


def item(number: bytes, by: str) -> bodies.ItemRegistered:
    """An item to be registered, named by ten bytes."""
    return bodies.ItemRegistered(
        item=_name(number),
        label=Label(policy="jp", mark="極秘", originator="jp"),
        form="electronic",
        topic="missile-warning",
        subject="defence",
        size=4096,
        content=sha256(number).digest(),
        by=by,
        originator="jp",
    )


async def register(house: House, by: str) -> Record:
    """Have a house register an item of a fresh name."""
    body = item(os.urandom(10), by)

    async def say(work: Work) -> Record:
        return await work.say(Draft(DOMESTIC, body))

    return await house.sequencer.submit(say)


async def officer(house: House) -> str:
    """Somebody in the house who registers items."""
    async for _, row in house.rows(PersonRow):
        return row.person
    raise ValueError("nobody is enrolled")


def begin(folder: Path) -> Ledger:
    """Two houses in a folder; the ledger is the first one's."""
    (folder / "houses").mkdir()
    jp, _ = set_up(folder / "houses")
    return asyncio.run(_begin(Path(jp.node.folder)))


async def _begin(folder: Path) -> Ledger:
    async with opened(folder) as house:
        record = await register(house, await officer(house))
        said = record.body
        assert isinstance(said, bodies.ItemRegistered)
        row = await house.row(ItemRow, said.item)
        assert row is not None
        statement = record.statement
        content = b64encode(said.content)
        signed = dsse.read(record.envelope, RECORD).payload
        variable = (b"%d" % statement.sequence, b64encode(statement.previous), _instant(statement.at))
        pattern = Pattern(
            _split(signed, *variable, said.item.encode(), content),
            _split(encode_row(row), said.item.encode(), content, _instant(statement.at)),
        )
        return Ledger(folder, pattern, house.keys.record)


def grow(ledger: Ledger, to: int, processes: int) -> None:
    """Make the chain so many records long; the node does not run."""
    connection = apsw.Connection(str(ledger.database))
    for setting in ("journal_mode = OFF", "synchronous = OFF", f"cache_size = -{CACHE_KIBIBYTES}"):
        connection.execute(f"PRAGMA {setting}")
    connection.execute("BEGIN IMMEDIATE")
    size, last, root = connection.execute("SELECT size, last, root FROM heads WHERE chain = ?", (CHAIN,)).get
    position, at = connection.execute("SELECT position + 1, at FROM journal ORDER BY position DESC LIMIT 1").get
    growing = _Growing(ledger.pattern, random.Random(to), size, last, at)
    frontier = _frontier(connection, TreeHead(size, root))
    tiles: dict[TileId, bytes] = {}
    for signed in _signed(ledger.signer, growing.portions(to - size), processes):
        sequence = frontier.size
        connection.executemany(
            "INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, 'changes', '', 1, 1, ?)",
            [
                (position + number, CHAIN, sequence + number, each.record, envelope, salt, each.at)
                for number, (each, envelope, salt, _) in enumerate(signed)
            ],
        )
        connection.executemany(SET_ROW, [(ItemRow.table, each.item, each.row) for each, *_ in signed])
        frontier, grown = frontier.append([leaf for *_, leaf in signed])
        tiles.update((TileId(tile.id.level, tile.id.index), tile.hashes) for tile in grown)
        full = [tile for tile, hashes in tiles.items() if len(hashes) == 8192]
        _put_tiles(connection, {tile: tiles.pop(tile) for tile in full})
        position += len(signed)
    _put_tiles(connection, tiles)
    head = (frontier.size, growing.last, frontier.root(), CHAIN)
    connection.execute("UPDATE heads SET size = ?, last = ?, root = ? WHERE chain = ?", head)
    moved = b'{"at":"%b"}' % _instant(EPOCH + growing.at * MICROSECOND)
    connection.execute("""UPDATE rows SET value = ? WHERE "table" = 'chain' AND key = ?""", (moved, CHAIN))
    connection.execute("COMMIT")
    connection.close()


@dataclass(frozen=True, slots=True)
class _Said:
    """A record that has its place and is not signed yet, and the row that it makes."""

    record: bytes
    at: int
    item: str
    row: bytes
    statement: bytes


class _Growing:
    """The chain as it grows: what is said next, after what."""

    def __init__(self, pattern: Pattern, chance: random.Random, size: int, last: bytes, at: int) -> None:
        self._statement = b"%b".join(each.replace(b"%", b"%%") for each in pattern.statement)
        self._row = b"%b".join(each.replace(b"%", b"%%") for each in pattern.row)
        self._chance = chance
        self._size = size
        self.last = last
        self.at = at

    def portions(self, count: int) -> Iterator[list[_Said]]:
        """``count`` records in portions; the items' names lie evenly among those there are, and ascend."""
        for start in range(0, count, PORTION):
            yield [self._said(number, count) for number in range(start, min(start + PORTION, count))]

    def _said(self, number: int, count: int) -> _Said:
        name = (number * 2**80 // count + self._chance.randrange(2**80 // count)).to_bytes(10, "big")
        item, content = _name(name), b64encode(sha256(name).digest())
        self.at += 1
        instant = _instant(EPOCH + self.at * MICROSECOND)
        statement = self._statement % (b"%d" % self._size, b64encode(self.last), instant, item.encode(), content)
        row = self._row % (item.encode(), content, instant)
        self._size += 1
        self.last = sha256(dsse.pae(RECORD, statement)).digest()
        return _Said(self.last, self.at, item, row, statement)


_Signed = tuple[_Said, bytes, bytes, bytes]
"""A record, its envelope, its salt, and the data of its leaf."""


def _signed(signer: Signer, portions: Iterator[list[_Said]], processes: int) -> Iterator[list[_Signed]]:
    """The records in their order, signed in other processes, which share this one's memory from before."""
    waiting: deque[tuple[list[_Said], Future[list[tuple[bytes, bytes, bytes]]]]] = deque()
    _SIGNER[:] = [signer]
    with ProcessPoolExecutor(processes, mp_context=get_context("fork")) as pool:
        for portion in portions:
            waiting.append((portion, pool.submit(_sign, [each.statement for each in portion])))
            if len(waiting) > 2 * processes:
                yield _joined(*waiting.popleft())
        while waiting:
            yield _joined(*waiting.popleft())


def _joined(portion: list[_Said], signed: Future[list[tuple[bytes, bytes, bytes]]]) -> list[_Signed]:
    return [(each, *rest) for each, rest in zip(portion, signed.result(), strict=True)]


_SIGNER: list[Signer] = []


def _sign(statements: Sequence[bytes]) -> list[tuple[bytes, bytes, bytes]]:
    (signer,) = _SIGNER
    found = []
    for statement in statements:
        envelope, salt = dsse.sign(RECORD, statement, [(signer.public, signer.sign)]), os.urandom(32)
        found.append((envelope, salt, record_leaf(salt, envelope).data))
    return found


def _frontier(connection: apsw.Connection, head: TreeHead) -> Frontier:
    def read(level: int, index: int) -> bytes:
        key = tile_key(CHAIN, TileId(level, index))
        found = connection.execute('SELECT value FROM rows WHERE "table" = ? AND key = ?', (TILE, key)).get
        return bytes(found or b"")

    return Frontier.restore(head, read)


def _put_tiles(connection: apsw.Connection, tiles: dict[TileId, bytes]) -> None:
    connection.executemany(SET_ROW, [(TILE, tile_key(CHAIN, tile), hashes) for tile, hashes in tiles.items()])


def _name(number: bytes) -> str:
    return f"i-{b32encode(number).decode().lower()}"


def _instant(at: datetime) -> bytes:
    return encode(at).strip(b'"')


def _split(whole: bytes, *parts: bytes) -> tuple[bytes, ...]:
    """What stands between some parts that follow on one another."""
    found = []
    for part in parts:
        before, _, whole = whole.partition(part)
        found.append(before)
    return (*found, whole)
