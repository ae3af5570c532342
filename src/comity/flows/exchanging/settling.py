"""Settling: records held in their chain are stepped again when their time has come (``spec/exchange.md`` step 15).

A record is held because its instant is still to come, or because this program does not know its type, version or
suite. It stands in its chain and is in the journal; what waits is its effect. Looked at when a node starts and whenever
another record of a peer is taken.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import msgspec

from comity.errors import InternalError, Rejected
from comity.flows.keeping.work import Work
from comity.ports import Store
from comity.record.encoding import Digest, Instant, decode, encode
from comity.record.statement import Record, read_kept, understand
from comity.register.step import CLOCK_SKEW_MAX, FUTURE_TIME
from comity.register.verdict import Held, Rejection, Verdict

HELD = "held"
"""Side table: records held in their chain; key ``chain/sequence``, so that they settle in order."""
HELD_READ = 1_000
"""Held records read at once."""
FOREVER = datetime.max.replace(tzinfo=UTC)

Answer = Callable[[Work, Record, Verdict], Awaitable[None]]
"""What is said to the author about a verdict."""


class HeldBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A held record: its id, and its own instant where it waits for that."""

    record: Digest
    until: Instant | None


class Settling:
    """The held records of one house, and when to look at them next."""

    def __init__(self, store: Store, answer: Answer) -> None:
        self._store = store
        self._answer = answer
        self._next = datetime.min.replace(tzinfo=UTC)

    def due(self, at: datetime) -> bool:
        """Whether a held record may settle at ``at``: always at first, when the program may be a new one."""
        return at + CLOCK_SKEW_MAX >= self._next

    async def holds(self, chain: str) -> bool:
        """Whether a record of a chain is held."""
        return bool(await self._store.scan(HELD, f"{chain}/", f"{chain}0", limit=1))  # "0" follows on "/"

    def hold(self, work: Work, record: Record, verdict: Held) -> None:
        """Keep a record that was held in its chain for later."""
        until = record.statement.at if verdict.code == FUTURE_TIME else None
        work.put_side(HELD, _key(record), encode(HeldBack(record.id, until)))
        self._next = min(self._next, until or FOREVER)

    async def settle(self, work: Work, answer: Answer | None = None) -> None:
        """Step again, in the order of their chains, every held record that no longer need be held.

        Args:
            work: at whose instant it is.
            answer: what is done about each verdict in the place of the answer.
        """
        if not self.due(work.at):
            return
        later, settled = FOREVER, False
        async for key in self._keys(work):
            value = await work.side_value(HELD, key)
            held = decode(value, HeldBack) if value is not None else None
            if held is None:
                continue
            if held.until is not None and held.until > work.at + CLOCK_SKEW_MAX:
                later = min(later, held.until)
            else:
                settled |= await self._settle(work, key, held.record, answer or self._answer)
        if not settled and not work.side_pending(HELD):  # else look once more: this batch may fail
            self._next = later

    async def _keys(self, work: Work) -> AsyncIterator[str]:
        """Keys of held records in the order of their chains: committed ones, then those this batch has just held."""
        first = ""
        while found := await self._store.scan(HELD, first, limit=HELD_READ):
            for key, _ in found:
                yield key
            first = found[-1][0] + "\0"
        for key in sorted(work.side_pending(HELD)):
            yield key

    async def _settle(self, work: Work, key: str, held: bytes, answer: Answer) -> bool:
        entry = await work.entry(held)
        if entry is None:
            raise InternalError(f"held record {held.hex()[:16]}… is not in the journal")
        record = read_kept(entry.envelope, held)
        verdict: Verdict
        try:
            record = understand(record)
        except Rejected as error:
            verdict = Rejection(error.code, error.sentence)
        else:
            verdict = await work.judge(record)
        if isinstance(verdict, Held):
            return False
        work.put_side(HELD, key, None)
        work.journal(record, entry.salt, verdict, extends=False)
        await answer(work, record, verdict)
        return True


def _key(record: Record) -> str:
    return f"{record.statement.chain}/{record.statement.sequence:012d}"
