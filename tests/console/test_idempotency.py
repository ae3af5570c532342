"""The same request sent twice is done once, and what was answered is kept for a day (``spec/api.md`` step 5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from comity.console.api.idempotency import KEPT, SWEEP_EVERY, Idempotency
from comity.errors import Misuse
from comity.ports import Ambiguous
from comity.stores.memory import MemoryDisk, MemoryStore
from world import StandingClock

PERSON = "p-aaaaaaaaaaaaaaaa"


class Book:
    """A book of answers, and how often something was done."""

    def __init__(self) -> None:
        self.clock = StandingClock()
        self.store = MemoryStore(MemoryDisk())
        self.book = Idempotency(self.store, self.clock)
        self.done = 0

    async def ask(self, key: str, asked: bytes = b"give", fails: Exception | None = None) -> bytes:
        async def do() -> bytes:
            self.done += 1
            if fails is not None:
                raise fails
            return f"answer {self.done}".encode()

        return await self.book.once(PERSON, key, asked, do)

    async def rows(self) -> dict[str, bytes]:
        return dict(await self.store.scan("idempotency", "", None, limit=10_000))


async def test_the_sweep_takes_what_is_over_and_reads_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Book()
    for number in range(SWEEP_EVERY - 10):
        await kept.ask(f"old-{number}")
    kept.clock.time += KEPT / 2
    for number in range(5):
        await kept.ask(f"new-{number}")
    kept.clock.time += KEPT / 2
    again = await kept.ask("old-7")
    assert again == f"answer {kept.done}".encode()
    scanned = []
    scan = kept.store.scan

    async def seen(*given: object, **named: object) -> list[tuple[str, bytes]]:
        found = await scan(*given, **named)
        scanned.extend(value for _, value in found)
        return found

    monkeypatch.setattr(kept.store, "scan", seen)
    for number in range(10):
        await kept.ask(f"newest-{number}")
    assert len(scanned) == SWEEP_EVERY - 11
    assert not [value for value in scanned if b"answer" in value]
    monkeypatch.undo()
    rows = await kept.rows()
    assert len(rows) == 2 * (5 + 1 + 10)
    assert sum(key.startswith("at/") for key in rows) == 5 + 1 + 10
    done = kept.done
    assert (await kept.ask("old-7"), await kept.ask("new-3"), kept.done) == (again, b"answer 250", done)


async def test_what_was_not_done_leaves_nothing() -> None:
    kept = Book()
    with pytest.raises(Misuse, match="no such"):
        await kept.ask("a", fails=Misuse("no such item", code="unknown-item"))
    assert await kept.rows() == {}
    assert await kept.ask("a") == b"answer 2"


async def test_what_may_have_been_done_is_not_done_again_for_a_day() -> None:
    kept = Book()
    with pytest.raises(Ambiguous):
        await kept.ask("a", fails=Ambiguous("perhaps", code="perhaps"))
    with pytest.raises(Misuse) as told:
        await kept.ask("a")
    assert (told.value.code, kept.done) == ("outcome-unknown", 1)
    kept.clock.time += timedelta(hours=24)
    assert await kept.ask("a") == b"answer 2"
