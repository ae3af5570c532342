"""The sequencer: the only writer of a house's chains (``spec/sequencer.md``).

It takes jobs in order, gathers those that wait into one batch, gives records their place, time and signature, commits
the batch with compare-and-set, and only then answers. Many callers share one fsync. Acknowledged means durable.

Whenever it does not know what is durable, it reads the heads again before it signs anything more. What leaves the house
is under the high-water mark first: what could not be marked yet is done, but nobody outside sees it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from comity.errors import ComityError, Unavailable
from comity.flows.keeping.committed import CommittedRows
from comity.flows.keeping.erasing import Erasing
from comity.flows.keeping.high_water_mark import check_high_water_mark
from comity.flows.keeping.work import Base, Work
from comity.ledger.tiles import TileId, edge_tiles
from comity.ledger.tree import Frontier, TreeHead
from comity.ports import Ambiguous, Batch, Clock, Entropy, Head, HighWaterMark, Put, Signer, Store
from comity.ports.index import Watermark
from comity.record.statement import NOTHING, SeenCheckpoint
from comity.register.rows import Key
from comity.register.verdict import Context

T = TypeVar("T")
Job = Callable[[Work], Awaitable[T]]
"""What a caller wants done: read facts from the work, say records through it, return a result."""
_Waiting = tuple[Job[Any], "asyncio.Future[Any]"]

BATCH_JOBS_MAX = 64
"""Most jobs that share one commit, so that the first of them does not wait long for the last."""
TILE = "tile"
"""Table of ledger tiles; key ``chain/row/index``, value the tile's hashes."""


class Sequencer:
    """One per house and process. Start it, submit jobs, close it.

    Attributes:
        seen: newest verified checkpoint of the other party, by relationship; records cite it.
        rows: committed rows.
        last_instant: of the last journal entry; None before the first.
        committed: called with the new heads after each commit.
        changed: called before that with the keys of the rows and of the side data that it wrote, or may have written,
            and with the end of the journal, where that is certain.
    """

    def __init__(
        self,
        store: Store,
        signing: Callable[[bytes | None], Signer],
        entropy: Entropy,
        clock: Clock,
        mark: HighWaterMark,
        erasing: Erasing,
        context: Callable[[datetime], Context],
        own: str,
    ) -> None:
        self.seen: dict[str, SeenCheckpoint] = {}
        self.last_instant: datetime | None = None
        self.rows = CommittedRows(store)
        self.committed: Callable[[Mapping[str, Head]], None] = lambda _: None
        self.changed: Callable[[Iterable[Key], Watermark | None], None] = lambda *_: None
        self._base = Base(store, self.rows, signing, entropy, self.seen, self._frontier)
        self._store = store
        self._clock = clock
        self._mark = mark
        self._erasing = erasing
        self._context = context
        self._own = f"/{own}"
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(maxsize=4 * BATCH_JOBS_MAX)
        self._turn = asyncio.Lock()
        self._marking = asyncio.Lock()
        self._heads: dict[str, Head] = {}
        self._marked: dict[str, Head] = {}
        self._frontiers: dict[str, Frontier] = {}
        self._settled = False
        self._held: Unavailable | None = None
        self._last: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self, held: Unavailable | None = None) -> None:
        """Read the heads and begin. The clock starts no earlier than the last instant in the journal.

        Args:
            held: what whoever wants something written or handed out is told, until ``release``.

        Raises:
            Rejected: the database is older than the mark kept beside it: signing would make a second history.
        """
        check_high_water_mark(await self._store.heads(), await self._mark.read())  # (7)
        await self._settle()
        await self.raise_mark()
        self._held = held
        entries = await self._store.commit(Batch(), {})  # an empty commit tells how long the journal is
        if entries:
            self._last = self.last_instant = (await self._store.journal(entries - 1, 1))[0].at  # (3)
        self._task = asyncio.create_task(self._run(), name="sequencer")

    async def close(self) -> None:
        """Finish the batch under way and stop; jobs still waiting are refused."""
        task, self._task = self._task, None
        if task is None:
            return
        async with self._turn:  # (9)
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def check_free(self) -> None:
        """Nothing keeps this house from writing and handing out.

        Raises:
            Unavailable: it is held.
        """
        if self._held is not None:
            raise self._held

    @property
    def is_held(self) -> bool:
        """Whether nothing is written or handed out."""
        return self._held is not None

    def release(self) -> None:
        """Write and hand out again."""
        self._held = None

    async def submit(self, job: Job[T], *, catching_up: bool = False) -> T:
        """Run ``job`` in its turn; on return what it said is durable, and may leave.

        Args:
            job: what to do.
            catching_up: also while the sequencer is held: it takes up what was said before.

        Raises:
            ComityError: whatever the job raised; nothing of it was written.
            Conflict, DiskFull, Unavailable: nothing was written.
            Ambiguous: it may be written or not; ask the register before asking again.
        """
        if self._task is None or self._task.done():
            raise Unavailable("this house is closed; nothing was written", code="closed")
        if not catching_up:
            self.check_free()
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._queue.put((job, future))
        return await future

    async def alone(self, action: Callable[[], Awaitable[T]]) -> T:
        """Run ``action`` while nothing is committed, and read what is committed anew afterwards."""
        async with self._turn:
            self._settled = False
            try:
                return await action()
            finally:
                self.rows.clear()

    def now(self) -> datetime:
        """The instant for a new act: never before the last one, even when the clock stepped back."""
        now = max(filter(None, (self._clock.now(), self._last, self.last_instant)))  # (3)
        self._last = now
        return now

    def look(self) -> Work:
        """What is committed, at this instant, as a work has it; nothing that is done with it is ever written."""
        return Work(self._base, self._context(self.now()))

    def head(self, chain: str) -> Head:
        """The head of a chain, as far as it is durable."""
        return self._heads.get(chain) or Head(0, NOTHING, Frontier().root())

    def heads(self) -> Mapping[str, Head]:
        """The heads of all chains, as far as they are durable."""
        return self._heads

    def marked(self, chain: str) -> Head:
        """The head of a chain, as far as it is under the high-water mark and may leave this house."""
        return self._marked.get(chain) or Head(0, NOTHING, Frontier().root())

    def frontier_at_hand(self, chain: str) -> Frontier | None:
        """The right edge of a ledger, as far as it is durable; None where nothing was appended since the start."""
        return self._frontiers.get(chain)

    async def raise_mark(self) -> None:
        """Mark what is durable; until then it does not leave. Whoever is about to hand something out calls this.

        What was erased is on its list first, outside the database (``spec/ending.md`` step 42).

        Raises:
            Unavailable, DiskFull: the mark, or the list, cannot be written now.
        """
        self.check_free()
        async with self._marking:
            await self._erasing.write()
            lagging = {chain: head for chain, head in self._heads.items() if self._marked.get(chain) != head}
            own = {chain: head.size for chain, head in lagging.items() if chain.endswith(self._own)}
            if own:
                await self._mark.write(own)  # (7)
            self._marked.update(lagging)

    async def _run(self) -> None:
        waiting: list[_Waiting] = []
        try:
            while True:
                waiting = [await self._queue.get()]
                async with self._turn:
                    while len(waiting) < BATCH_JOBS_MAX and not self._queue.empty():  # (1)
                        waiting.append(self._queue.get_nowait())
                    await self._batch(waiting)
        finally:
            while not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            _answer_all(waiting, Unavailable("this house is closing; nothing was written", code="closed"))

    async def _batch(self, waiting: list[_Waiting]) -> None:
        try:
            if not self._settled:
                await self._settle()
            done = await self._work(waiting)
        except Exception as error:  # noqa: BLE001 - the sequencer outlives any one batch; the callers get the error
            _answer_all(waiting, error)
        except BaseException:
            _answer_all(waiting, Ambiguous("this node stopped; look whether it was written", code="stopped"))
            raise
        else:
            for future, result in done:
                if not future.done():
                    future.set_result(result)  # (8)

    async def _work(self, waiting: list[_Waiting]) -> list[tuple[asyncio.Future[Any], Any]]:
        """Run the jobs, each in a work of its own, and commit those that went well."""
        batch = Work(self._base, self._context(self.now()))
        done: list[tuple[asyncio.Future[Any], Any]] = []
        for job, future in waiting:
            if future.done():
                continue
            work = batch.child(self._context(self.now()))
            try:
                result = await job(work)
            except Exception as error:  # noqa: BLE001 - one caller's failure is his alone (4)
                _answer(future, error)
                continue
            batch.absorb(work)
            done.append((future, result))
        await self._commit(batch)
        return done

    async def _commit(self, batch: Work) -> None:
        frontiers: dict[str, Frontier] = {}
        heads: dict[str, Head] = {}
        tiles: list[Put] = []
        for chain, leaves in batch.leaves.items():
            frontier, grown = (await self._frontier(chain)).append(leaves)
            frontiers[chain] = frontier
            heads[chain] = Head(frontier.size, batch.tips[chain].last, frontier.root())
            tiles.extend(Put(TILE, tile_key(chain, tile.id), tile.hashes) for tile in grown)
        erasing = self._erasing.in_commit(batch.side)
        puts = (*batch.puts(), *tiles, *erasing)
        if not puts and not batch.entries:
            return
        expected = {chain: self._heads.get(chain) for chain in heads}
        keys, end = (*batch.rows, *batch.side), None
        try:
            entries = await self._store.commit(Batch(tuple(batch.entries), heads, puts), expected)  # (5)
            end = Watermark(entries, batch.entries[-1].record) if batch.entries else None
        except ComityError as error:
            self._settled = False
            if not isinstance(error, Ambiguous):
                raise
            self.changed(keys, None)
            await self._settle()  # (6)
            if not heads or any(self._heads.get(chain) != head for chain, head in heads.items()):
                raise
        self._heads.update(heads)
        self._frontiers.update(frontiers)
        if batch.entries:
            self.last_instant = batch.entries[-1].at
        self.rows.update(batch.rows, batch.side)
        self._erasing.committed(batch.side, erasing)
        self.changed(keys, end)
        self.committed(heads)

    async def _settle(self) -> None:
        """Find out what is durable."""
        self._heads = await self._store.heads()
        self._frontiers.clear()
        self.rows.clear()
        self._settled = True

    async def _frontier(self, chain: str) -> Frontier:
        frontier = self._frontiers.get(chain)
        if frontier is None:
            head = self._heads.get(chain)
            frontier = Frontier()
            if head is not None:
                frontier = await restore_frontier(self._store, chain, TreeHead(head.size, head.root))
            self._frontiers[chain] = frontier
        return frontier


def _answer_all(waiting: list[_Waiting], error: Exception) -> None:
    for _, future in waiting:
        _answer(future, error)


def _answer(future: asyncio.Future[Any], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def tile_key(chain: str, tile: TileId) -> str:
    """Key of a tile's row; a wider tile replaces the narrower one."""
    return f"{chain}/{tile.key}"


async def restore_frontier(store: Store, chain: str, head: TreeHead) -> Frontier:
    """The frontier of a stored chain, read from its tiles.

    Raises:
        Rejected: the tiles do not give the root recorded with the head.
    """
    wanted = edge_tiles(head.size)
    values = await store.get(TILE, [tile_key(chain, tile) for tile in wanted])
    tiles = {(tile.level, tile.index): value or b"" for tile, value in zip(wanted, values, strict=True)}
    return Frontier.restore(head, lambda level, index: tiles.get((level, index), b""))
