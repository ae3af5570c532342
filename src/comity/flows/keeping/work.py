"""Work: the facts as a batch would leave them, while the batch is being put together (``spec/sequencer.md``).

A ``Work`` is a view over a store with changes that are not committed yet. Each job gets a child of the batch's work; if
the job fails the child is dropped and nothing of it remains, if it succeeds the batch absorbs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar, cast

import msgspec

from comity.errors import Misuse
from comity.flows.keeping.committed import CommittedRows
from comity.ledger.leaf import record_leaf
from comity.ledger.tree import Frontier, TreeHead
from comity.ports import Entropy, JournalEntry, Put, Signer, Store
from comity.record.bodies import Body
from comity.record.encoding import encode
from comity.record.statement import (
    DOMESTIC,
    NOTHING,
    SUITE,
    VERSION,
    Record,
    SeenCheckpoint,
    Statement,
    chain_id,
    write,
)
from comity.register.restoring import RECOVERED, Mirror
from comity.register.rows import Key, Row, encode_row
from comity.register.step import reads, reads_more, step
from comity.register.verdict import RULES_VERSION, Changes, Context, Verdict

R = TypeVar("R", bound=Row)


CARD = "card"
"""Side table: this party's own card, key ``self``."""


class Draft(msgspec.Struct, frozen=True):
    """A record to be: the sequencer gives it its place, its time and its signature."""

    relationship: str
    body: Body
    on_behalf_of: str = ""


class Tip(msgspec.Struct, frozen=True):
    """The end of a chain as this work would leave it: its size and the id of its last record."""

    size: int
    last: bytes


class Work:
    """Facts, and changes to them, that are committed together or not at all."""

    def __init__(self, base: Base, context: Context, parent: Work | None = None) -> None:
        self.base = base
        self.context = context
        self.parent = parent
        self.rows: dict[Key, Row | None] = {}
        self.side: dict[Key, bytes | None] = {}
        self.tips: dict[str, Tip] = {}
        self.leaves: dict[str, list[bytes]] = {}
        self.entries: list[JournalEntry] = []

    @property
    def at(self) -> datetime:
        """The instant of this work, aware UTC."""
        return self.context.now

    def child(self, context: Context) -> Work:
        """A work on top of this one."""
        return Work(self.base, context, self)

    def absorb(self, child: Work) -> None:
        """Take over what ``child`` changed."""
        self.rows.update(child.rows)
        self.side.update(child.side)
        self.tips.update(child.tips)
        self.entries.extend(child.entries)
        for chain, leaves in child.leaves.items():
            self.leaves.setdefault(chain, []).extend(leaves)

    # ---- reading -----------------------------------------------------------------------------------------------

    async def facts(self, keys: Iterable[Key]) -> dict[Key, Row | None]:
        """The rows with these keys, as this work would leave them."""
        found: dict[Key, Row | None] = {}
        absent: list[Key] = []
        for key in keys:
            work: Work | None = self
            while work is not None:
                if key in work.rows:
                    found[key] = work.rows[key]
                    break
                work = work.parent
            else:
                absent.append(key)
        if absent:
            found.update(await self.base.rows.get(absent))
        return found

    async def row(self, kind: type[R], key: str) -> R | None:
        """One row by its kind and key."""
        return cast("R | None", (await self.facts([(kind.table, key)]))[kind.table, key])

    async def need(self, kind: type[R], key: str, what: str) -> R:
        """One row that must be there.

        Raises:
            Misuse: there is none.
        """
        row = await self.row(kind, key)
        if row is None:
            raise Misuse(f"there is no {what} {key!r}", code=f"unknown-{kind.table}")
        return row

    async def side_value(self, table: str, key: str) -> bytes | None:
        """A value of side data (not rebuilt from the journal)."""
        work: Work | None = self
        while work is not None:
            if (table, key) in work.side:
                return work.side[table, key]
            work = work.parent
        return await self.base.rows.side(table, key)

    def side_pending(self, table: str) -> set[str]:
        """Keys of the side data of a table that this work, or one it stands on, has written or removed."""
        keys: set[str] = set()
        work: Work | None = self
        while work is not None:
            keys.update(key for of, key in work.side if of == table)
            work = work.parent
        return keys

    async def entry(self, record: bytes) -> JournalEntry | None:
        """The newest journal entry of a record, as this work would leave the journal."""
        work: Work | None = self
        while work is not None:
            for entry in reversed(work.entries):
                if entry.record == record:
                    return entry
            work = work.parent
        return await self.base.store.find(record)

    async def tip(self, chain: str) -> Tip:
        """Where ``chain`` would end."""
        work: Work | None = self
        while work is not None:
            if chain in work.tips:
                return work.tips[chain]
            work = work.parent
        head = (await self.base.store.heads([chain])).get(chain)
        return Tip(head.size, head.last) if head else Tip(0, NOTHING)

    async def root(self, chain: str) -> TreeHead:
        """Size and ledger root of ``chain`` as this work would leave it."""
        leaves: list[bytes] = []
        work: Work | None = self
        while work is not None:
            leaves[:0] = work.leaves.get(chain, [])
            work = work.parent
        frontier, _ = (await self.base.frontier(chain)).append(leaves)
        return frontier.head()

    # ---- changing ----------------------------------------------------------------------------------------------

    def put_side(self, table: str, key: str, value: bytes | None) -> None:
        """Write side data in the same commit."""
        self.side[table, key] = value

    async def say(self, draft: Draft) -> Record:
        """Write, sign, step and append a record of this house.

        Raises:
            Misuse: the register does not accept it; nothing of it remains.
        """
        chain = chain_id(draft.relationship, self.context.party)
        tip = await self.tip(chain)
        statement = Statement(
            version=VERSION,
            suite=SUITE,
            relationship=draft.relationship,
            author=self.context.party,
            sequence=tip.size,
            previous=tip.last,
            at=self.at,
            seen=None if draft.relationship == DOMESTIC else self.base.seen.get(draft.relationship),
            on_behalf_of=draft.on_behalf_of,
            type=draft.body.kind,
            body=msgspec.Raw(encode(draft.body)),
        )
        signer = await self.signer()
        record = write(statement, draft.body, [(signer.public, signer.sign)])  # (2)
        verdict = await self.judge(record)
        if not isinstance(verdict, Changes):  # (4)
            raise Misuse(verdict.sentence, code=verdict.code)
        self.append(record, self.base.entropy(32), verdict)
        return record

    async def signer(self) -> Signer:
        """The node-sign key that this house's own card names, as this work would leave it."""
        return self.base.signing(await self.side_value(CARD, "self"))

    async def judge(self, record: Record) -> Verdict:
        """The verdict on a record that stands at the end of its chain; its changes become facts of this work."""
        facts = await self.facts(reads(self.context, record))
        while more := reads_more(self.context, facts, record):
            facts.update(await self.facts(more))
        verdict = step(self.context, facts, record)
        if isinstance(verdict, Changes):
            for put in verdict.puts:
                self.rows[put.key] = put.row
        return verdict

    async def judge_recovered(self, record: Record, peer: str) -> Verdict:
        """The verdict on an own record that ``peer`` gave back: here, or else as it was made there."""
        verdict = await self.judge(record)
        if isinstance(verdict, Changes):
            return verdict
        mirror = Mirror(self.context, peer, record)
        known = mirror.there(await self.facts([*reads(mirror.context, record), *mirror.requests]))
        while more := reads_more(mirror.context, known, record):
            known.update(mirror.there(await self.facts(more)))
        as_there = step(mirror.context, known, record)
        if not isinstance(as_there, Changes):
            return verdict
        for put in mirror.here(as_there.puts):
            self.rows[put.key] = put.row
        return as_there

    def append(self, record: Record, salt: bytes, verdict: Verdict, *, recovered: bool = False) -> None:
        """Journal a record that extends its chain, with its verdict and its ledger leaf."""
        chain = record.statement.chain
        self.leaves.setdefault(chain, []).append(record_leaf(salt, record.envelope).data)  # (2)
        self.tips[chain] = Tip(record.statement.sequence + 1, record.id)
        self.journal(record, salt, verdict, extends=True, recovered=recovered)

    def journal(self, record: Record, salt: bytes, verdict: Verdict, *, extends: bool, recovered: bool = False) -> None:
        """Journal a record with its verdict."""
        statement = record.statement
        self.entries.append(
            JournalEntry(
                chain=statement.chain,
                sequence=statement.sequence,
                record=record.id,
                envelope=record.envelope,
                salt=salt,
                verdict=verdict.word,
                reason=verdict.code or (RECOVERED if recovered else ""),
                extends=extends,
                rules=RULES_VERSION,
                at=self.at,
            )
        )

    def last_instant(self) -> datetime | None:
        """The instant of the last journal entry that this work, or one it stands on, would write."""
        work: Work | None = self
        while work is not None:
            if work.entries:
                return work.entries[-1].at
            work = work.parent
        return None

    def puts(self) -> Sequence[Put]:
        """Every row and side value this work writes, in the form a store takes."""
        rows = [Put(table, key, None if row is None else encode_row(row)) for (table, key), row in self.rows.items()]
        return [*rows, *(Put(table, key, value) for (table, key), value in self.side.items())]


class Base(msgspec.Struct):
    """What every work of a house stands on.

    Attributes:
        store: side data comes from here.
        rows: committed rows come from here.
        signing: the node-sign key that the house's own card names.
        entropy: salts come from here.
        seen: newest verified checkpoint of the other party, by relationship.
        frontier: the committed frontier of a chain.
    """

    store: Store
    rows: CommittedRows
    signing: Callable[[bytes | None], Signer]
    entropy: Entropy
    seen: dict[str, SeenCheckpoint]
    frontier: Callable[[str], Awaitable[Frontier]]
