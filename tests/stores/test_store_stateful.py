"""Memory and SQLite stay equal under random operations, reopenings and conflicts (``spec/store.md`` 1 to 14)."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from comity.errors import ComityError
from comity.ports import Batch, Put, Store
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk
from comity.stores.sqlite import SqliteStore
from stores.samples import entry, head

CHAINS = st.sampled_from(["r/jp", "r/kr"])
TABLES = st.sampled_from(["t", "u"])
KEYS = st.text(st.sampled_from("a/0é日𝄞\uffff"), max_size=3)
VALUES = st.none() | st.binary(max_size=3)
PUTS = st.lists(st.builds(Put, TABLES, KEYS, VALUES), max_size=6).map(tuple)
SIZES = st.integers(0, 5)


class StoresAgree(RuleBasedStateMachine):
    """Every operation is done to both; what they answer and what they hold is the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.loop = asyncio.new_event_loop()
        self.disk = MemoryDisk()
        self.memory: Store = MemoryStore(self.disk)
        self.sqlite: Store = self.run(SqliteStore.open(self.folder / "store"))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def both(self, work) -> None:
        assert self.run(self.outcomes(self.memory, work)) == self.run(self.outcomes(self.sqlite, work))

    @staticmethod
    async def outcomes(store: Store, work) -> list[Any]:
        """What each of some operations started at once gives, errors by their kind and code."""
        found = await asyncio.gather(*work(store), return_exceptions=True)
        return [(type(one), one.code) if isinstance(one, ComityError) else one for one in found]

    @rule(
        batches=st.lists(
            st.tuples(CHAINS, SIZES, st.integers(0, 3), st.booleans(), st.booleans(), PUTS), min_size=1, max_size=4
        )
    )
    def commit_at_once(self, batches) -> None:
        def work(store: Store):
            for number, (chain, start, count, extends, grows, puts) in enumerate(batches):
                entries = tuple(
                    entry(chain, sequence, extends=extends, salt=number) for sequence in range(start, start + count)
                )
                heads = {chain: head(chain, start + count)} if grows else {}
                wanted = {chain: head(chain, start) if start else None} if grows else {}
                yield store.commit(Batch(entries, heads, puts), wanted)

        self.both(work)

    @rule(tables=st.lists(TABLES, max_size=2), puts=PUTS)
    def replace_rows(self, tables, puts) -> None:
        async def stream():
            for put in puts:
                yield put

        self.both(lambda store: [store.replace_rows(tables, stream())])

    @rule(table=TABLES, first=KEYS, before=st.none() | KEYS, limit=st.integers(-1, 4), newest_first=st.booleans())
    def scan(self, table, first, before, limit, newest_first) -> None:
        self.both(lambda store: [store.scan(table, first, before, limit=limit, newest_first=newest_first)])

    @rule(table=TABLES, keys=st.lists(KEYS, max_size=4), chain=CHAINS, start=SIZES, limit=st.integers(0, 3), salt=SIZES)
    def read(self, table, keys, chain, start, limit, salt) -> None:
        self.both(
            lambda store: [
                store.get(table, keys),
                store.chain(chain, start, limit),
                store.journal(start, limit),
                store.heads([chain, "nobody"]),
                store.find(entry(chain, start, salt=salt).record),
            ]
        )

    @rule()
    def reopen(self) -> None:
        self.run(self.sqlite.close())
        self.sqlite = self.run(SqliteStore.open(self.folder / "store"))
        self.disk.crash(unsynced_kept=False)
        self.memory = MemoryStore(self.disk)

    @invariant()
    def hold_the_same(self) -> None:
        self.both(lambda store: [store.heads(), store.journal(0, 10_000)])
        self.both(lambda store: [store.scan(table, limit=1000) for table in ("t", "u")])
        self.both(lambda store: [store.chain(chain, 0, 1000) for chain in ("r/jp", "r/kr")])

    def teardown(self) -> None:
        self.run(self.sqlite.close())
        self.loop.close()
        shutil.rmtree(self.folder)


StoresAgree.TestCase.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
test_memory_and_sqlite_stay_equal = StoresAgree.TestCase
