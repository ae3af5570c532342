"""The sequencer: the only writer of a house's chains (``spec/sequencer.md``).

It takes jobs in order, gathers those that wait into one batch, gives records their place, time and signature, commits
the batch with compare-and-set, writes the high-water mark, and only then answers. Many callers share one fsync.
Acknowledged means durable.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from comity.errors import ComityError, InternalError, Rejected
from comity.flows.committed import CommittedRows
from comity.flows.work import Base, Work
from comity.ledger.tiles import TileId, edge_tiles
from comity.ledger.tree import Frontier, TreeHead
from comity.ports import Ambiguous, Batch, Clock, Conflict, Entropy, Head, HighWaterMark, Put, Signer, Store
from comity.record.statement import NOTHING, SeenCheckpoint
from comity.register.verdict import Context

T = TypeVar("T")
Job = Callable[[Work], Awaitable[T]]
"""What a caller wants done: read facts from the work, say records through it, return a result."""

BATCH_JOBS_MAX = 256
"""Most jobs that share one commit, so that the first of them does not wait long for the last."""
TILE = "tile"
"""Table of ledger tiles; key ``chain/row/index``, value the tile's hashes."""


class Sequencer:
    """One per house and process. Start it, submit jobs, close it."""

    def __init__(
        self,
        store: Store,
        signer: Signer,
        entropy: Entropy,
        clock: Clock,
        mark: HighWaterMark,
        context: Callable[[datetime], Context],
        own: str,
    ) -> None:
        self.seen: dict[str, SeenCheckpoint] = {}
        self.rows = CommittedRows(store)
        self._base = Base(store, self.rows, signer, entropy, self.seen, self._frontier)
        self._store = store
        self._clock = clock
        self._mark = mark
        self._context = context
        self._own = f"/{own}"
        self._queue: asyncio.Queue[tuple[Job[Any], asyncio.Future[Any]]] = asyncio.Queue(maxsize=4 * BATCH_JOBS_MAX)
        self._frontiers: dict[str, Frontier] = {}
        self._sizes: dict[str, int] = {}
        self._heads: dict[str, Head] = {}
        self._last: datetime | None = None
        self._task: asyncio.Task[None] | None = None
        self.committed: Callable[[Mapping[str, Head]], None] = lambda _: None

    async def start(self) -> None:
        """Read the heads and begin. The clock starts no earlier than the last instant in the journal.

        Raises:
            Rejected: the database is older than the mark kept beside it: signing would make a second history.
        """
        await self._reload()
        for chain, size in (await self._mark.read()).items():
            if self.head(chain).size < size:
                raise Rejected(
                    f"the database ends at record {self.head(chain).size} of {chain!r}, but {size} were signed: it is "
                    "an older copy. Put the newest database back; signing from here would make a second history",
                    code="restored-database",
                )
        count = await self._journal_size()
        if count:
            self._last = (await self._store.journal(count - 1, 1))[0].at
        self._task = asyncio.create_task(self._run(), name="sequencer")

    async def close(self) -> None:
        """Finish the batch under way and stop; jobs still waiting are refused."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        while not self._queue.empty():
            _, future = self._queue.get_nowait()
            future.cancel()

    async def submit(self, job: Job[T]) -> T:
        """Run ``job`` in its turn; on return what it said is durable, and may leave.

        Raises:
            ComityError: whatever the job raised; nothing of it was written.
            Unavailable: the commit failed; nothing was written, or (``Ambiguous``, settled) it is not there.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._queue.put((job, future))
        return await future

    def now(self) -> datetime:
        """The instant for a new act: never before the last one, even when the clock stepped back."""
        now = self._clock.now()
        if self._last is not None and now < self._last:
            now = self._last
        self._last = now
        return now

    def head(self, chain: str) -> Head:
        """The committed head of a chain."""
        return self._heads.get(chain) or Head(0, NOTHING, Frontier().root())

    def heads(self) -> Mapping[str, Head]:
        """The committed heads of all chains."""
        return self._heads

    async def _run(self) -> None:
        while True:
            waiting = [await self._queue.get()]
            while len(waiting) < BATCH_JOBS_MAX and not self._queue.empty():
                waiting.append(self._queue.get_nowait())
            try:
                await self._batch(waiting)
            except asyncio.CancelledError:
                for _, future in waiting:
                    future.cancel()
                raise
            except Exception as error:  # noqa: BLE001 - the sequencer outlives any one batch; callers get the error
                for _, future in waiting:
                    if not future.done():
                        future.set_exception(error if isinstance(error, ComityError) else InternalError(repr(error)))

    async def _batch(self, waiting: list[tuple[Job[Any], asyncio.Future[Any]]]) -> None:
        batch = Work(self._base, self._context(self.now()))
        results: list[tuple[asyncio.Future[Any], Any]] = []
        for job, future in waiting:
            if future.cancelled():
                continue
            work = batch.child(self._context(self.now()))
            try:
                result = await job(work)
            except ComityError as error:
                future.set_exception(error)
                continue
            batch.absorb(work)
            results.append((future, result))
        await self._commit(batch)
        for future, result in results:
            if not future.cancelled():
                future.set_result(result)

    async def _commit(self, batch: Work) -> None:
        frontiers: dict[str, Frontier] = {}
        heads: dict[str, Head] = {}
        tiles: list[Put] = []
        for chain, leaves in batch.leaves.items():
            frontier, grown = (await self._frontier(chain)).append(leaves)
            frontiers[chain] = frontier
            heads[chain] = Head(frontier.size, batch.tips[chain].last, frontier.root())
            tiles.extend(Put(TILE, tile_key(chain, tile.id), tile.hashes) for tile in grown)
        puts = (*batch.puts(), *tiles)
        if not puts and not batch.entries:
            return
        try:
            await self._store.commit(
                Batch(tuple(batch.entries), heads, puts), {chain: self._heads.get(chain) for chain in heads}
            )
        except Ambiguous:
            await self._reload()
            if any(self._heads.get(chain) != head for chain, head in heads.items()) or not heads:
                raise
        except Conflict:
            await self._reload()
            raise
        self._heads.update(heads)
        self._frontiers.update(frontiers)
        self.rows.update(batch.rows)
        own = {chain: head.size for chain, head in heads.items() if chain.endswith(self._own)}
        if own:
            self._sizes.update(own)
            await self._mark.write(self._sizes)
        self.committed(heads)

    async def _frontier(self, chain: str) -> Frontier:
        frontier = self._frontiers.get(chain)
        if frontier is None:
            head = self._heads.get(chain)
            frontier = Frontier()
            if head is not None:
                frontier = await restore_frontier(self._store, chain, TreeHead(head.size, head.root))
            self._frontiers[chain] = frontier
        return frontier

    async def _reload(self) -> None:
        self._heads = await self._store.heads()
        self._frontiers.clear()
        self.rows.clear()
        self._sizes = {chain: head.size for chain, head in self._heads.items() if chain.endswith(self._own)}

    async def _journal_size(self) -> int:
        return await self._store.commit(Batch(), {})


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
