"""Rebuilding and verifying: the journal stepped again, against the tables, the ledgers and their witnesses.

The journal is the source. ``verify_ledger`` reads it in order, checks every signature, link, leaf and verdict, and
compares what comes out with what stands in the store; ``rebuild`` puts what comes out in its place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from hashlib import sha256

import msgspec

from comity.errors import Rejected
from comity.flows.exchange import CONFLICT, COSIGNED, THEIR_CHECKPOINT
from comity.flows.house import House
from comity.flows.witnessing import read_head
from comity.ledger.leaf import Leaf, LeafKind
from comity.ledger.tree import Frontier, TreeHead
from comity.ports import JournalEntry, Put
from comity.record.card import read_card
from comity.record.statement import NOTHING, Record, read
from comity.register.rows import TABLES, Key, PeerRow, Row, decode_row, encode_row
from comity.register.step import reads, step
from comity.register.verdict import Changes, Context, Held

JOURNAL_READ = 1_000
"""Journal entries read at once."""
LOOKS_MAX = 100
"""How often rows that change while they are compared are looked at again."""


class VerifyLedger(msgspec.Struct, frozen=True):
    """Check everything this node keeps against its journal, its ledgers and what others have cosigned."""


class Rebuild(msgspec.Struct, frozen=True):
    """Make the register's tables anew from the journal."""


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it must be: where, and what."""

    place: str
    says: str


class LedgerVerified(msgspec.Struct, frozen=True, kw_only=True):
    """What was checked, and what was found.

    Attributes:
        entries: journal entries checked, each with its signatures.
        rows: rows of the register compared.
        chains: size of every chain whose ledger was recomputed.
        witnessed: for each own chain, how much the other party has cosigned.
        findings: what is wrong; empty when all is well.
    """

    entries: int
    rows: int
    chains: dict[str, int]
    witnessed: dict[str, int]
    findings: tuple[Finding, ...]


class _Replay:
    """The journal stepped again into memory."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.rows: dict[Key, Row | None] = {}
        self.frontiers: dict[str, Frontier] = {}
        self.last: dict[str, bytes] = {}
        self.heads: dict[str, list[TreeHead]] = {}
        self.keys: dict[str, tuple[bytes, ...]] = {house.party: (house.keys.record.public,)}
        self.findings: list[Finding] = []
        self.entries = 0

    async def run(self, marks: dict[str, set[int]]) -> None:
        """Step every entry not stepped before; remember the ledger heads at the sizes in ``marks``."""
        while batch := await self.house.store.journal(self.entries, JOURNAL_READ):
            for entry in batch:
                place = f"journal entry {self.entries}"
                try:
                    self._entry(entry, place, marks.get(entry.chain, set()))
                except Rejected as error:
                    self.findings.append(Finding(place, error.sentence))
                self.entries += 1

    def _entry(self, entry: JournalEntry, place: str, marks: set[int]) -> None:
        author = entry.chain.rpartition("/")[2]
        record = read(entry.envelope, self.keys.get(author, ()), place)
        if (record.id, record.statement.chain, record.statement.sequence) != (
            entry.record,
            entry.chain,
            entry.sequence,
        ):
            raise Rejected("the record is not the one its entry names", code="altered-entry", place=place)
        if entry.extends:
            self._extend(entry, record, place, marks)
        if entry.reason == "missing-predecessor":
            return
        verdict = self._step(entry, record)
        word = "changes" if isinstance(verdict, Changes) else "held" if isinstance(verdict, Held) else "rejected"
        if word != entry.verdict:
            raise Rejected(f"stepped again it is {word}, the journal says {entry.verdict}", code="verdict", place=place)
        if isinstance(verdict, Changes):
            for put in verdict.puts:
                self.rows[put.key] = put.row
                if isinstance(put.row, PeerRow):
                    self.keys[put.row.party] = read_card(put.row.card).node_sign

    def _extend(self, entry: JournalEntry, record: Record, place: str, marks: set[int]) -> None:
        frontier = self.frontiers.get(entry.chain, Frontier())
        if entry.sequence != frontier.size or record.statement.previous != self.last.get(entry.chain, NOTHING):
            raise Rejected("the record does not follow the one before it in its chain", code="link", place=place)
        leaf = Leaf(LeafKind.RECORD, entry.salt, sha256(entry.envelope).digest())
        frontier, _ = frontier.append([leaf.data])
        self.frontiers[entry.chain] = frontier
        self.last[entry.chain] = entry.record
        if frontier.size in marks:
            self.heads.setdefault(entry.chain, []).append(frontier.head())

    def _step(self, entry: JournalEntry, record: Record) -> object:
        house = self.house
        context = Context(house.party, house.keys.root_public, entry.at, house.library.agreement)
        facts = {key: self.rows.get(key) for key in reads(context, record)}
        return step(context, facts, record)


async def verify_ledger(house: House, _: VerifyLedger) -> LedgerVerified:
    """Check journal, chains, ledgers, cosignatures and tables against one another, while the house works on.

    What the journal must bear out is read before the journal; a row that differs is looked at again after it.
    """
    marks: dict[str, set[int]] = {}
    stated: list[tuple[str, str, TreeHead]] = []
    heads = await house.store.heads()
    for chain, head in heads.items():
        marks.setdefault(chain, set()).add(head.size)
    for table in (COSIGNED, THEIR_CHECKPOINT):
        for chain, note in await _side(house, table):
            seen = read_head(note)
            stated.append((table, chain, seen))
            marks.setdefault(chain, set()).add(seen.size)
    replay = _Replay(house)
    await replay.run(marks)
    findings = replay.findings
    for chain, head in heads.items():
        if TreeHead(head.size, head.root) not in replay.heads.get(chain, []):
            findings.append(Finding(chain, f"its head of {head.size} records is not what the journal gives"))
    for table, chain, seen in stated:
        if seen not in replay.heads.get(chain, []):
            who = "the other party cosigned" if table == COSIGNED else "the other party signed"
            findings.append(
                Finding(chain, f"{who} a checkpoint over {seen.size} records that the records here do not give")
            )
    for key, proof in await _side(house, CONFLICT):
        findings.append(Finding(key, f"two histories were signed; the proof has {len(proof)} bytes"))
    rows = await _compare(house, replay, findings)
    return LedgerVerified(
        entries=replay.entries,
        rows=rows,
        chains={chain: frontier.size for chain, frontier in sorted(replay.frontiers.items())},
        witnessed={chain: seen.size for table, chain, seen in stated if table == COSIGNED},
        findings=tuple(findings),
    )


async def rebuild(house: House, _: Rebuild) -> LedgerVerified:
    """Replace the register's tables by what the journal gives, atomically, then verify.

    Raises:
        Rejected: the journal itself is damaged; nothing was replaced.
    """
    replay = _Replay(house)

    async def puts() -> AsyncIterator[Put]:
        await replay.run({})  # nothing is committed by now, so nothing is left out
        if replay.findings:
            first = replay.findings[0]
            raise Rejected(first.says, code="damaged-journal", place=first.place)
        for (table, key), row in replay.rows.items():
            if row is not None:
                yield Put(table, key, encode_row(row))

    await house.sequencer.alone(lambda: house.store.replace_rows(tuple(TABLES), puts()))
    return await verify_ledger(house, VerifyLedger())


async def _compare(house: House, replay: _Replay, findings: list[Finding]) -> int:
    """Compare the stored tables with the replayed ones; returns how many rows there are."""
    count = 0
    differ: set[Key] = set()
    left = {key for key, row in replay.rows.items() if row is not None}
    for table, kind in TABLES.items():
        async for key, row in house.rows(kind):
            count += 1
            if replay.rows.get((table, key)) != row:
                differ.add((table, key))
            left.discard((table, key))
    differ |= left
    for _ in range(LOOKS_MAX):
        await replay.run({})
        expected = {key: replay.rows.get(key) for key in differ}
        stored = {key: await _stored(house, key) for key in differ}
        await replay.run({})
        moved = {key for key in differ if replay.rows.get(key) != expected[key]}
        for table, key in sorted(differ - moved):
            if stored[table, key] != expected[table, key]:
                says = "the row is missing" if stored[table, key] is None else "the row is not what the journal gives"
                findings.append(Finding(f"{table} {key}", says))
        differ = moved
        if not differ:
            break
    findings.extend(Finding(f"{table} {key}", "the row changes too fast to be compared") for table, key in differ)
    return count


async def _stored(house: House, key: Key) -> Row | None:
    value = (await house.store.get(key[0], [key[1]]))[0]
    return None if value is None else decode_row(key[0], value)


async def _side(house: House, table: str) -> list[tuple[str, bytes]]:
    return await house.store.scan(table, limit=JOURNAL_READ)
