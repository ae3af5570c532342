"""What is kept of a feed is what it was, whenever it is read (``spec/feed.md`` step 15)."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from comity.errors import Rejected
from comity.flows.feeding.shelf import CLAIMS_MAX, EVIDENCE_MAX, LOG, LOG_BATCHES, Shelf, State
from comity.ledger.tiles import TILE_WIDTH
from comity.ledger.tree import Frontier
from comity.ports import Batch, Put
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk

ORIGIN = "comity/jp-kr-2016/jp.kr/jp/feed/air-picture"


def bytes_of(count: int) -> bytes:
    return bytes(count)


async def test_the_log_is_read_as_it_was_written_at_every_size_and_however_many_batches_a_commit_has() -> None:
    store = MemoryStore(MemoryDisk())
    shelf, state = Shelf(store, ORIGIN, bytes(32), bytes_of), State(Frontier(), 0)
    together = 1
    while state.size <= 2 * TILE_WIDTH + 1:
        puts = []
        for _ in range(together):
            log, tiles = state.log.append([state.size.to_bytes(32, "big")])
            puts += shelf.batch(b"frame", tiles, log)
            state = replace(state, log=log, first=state.first + 3)
        state = replace(state, acknowledged=state.size - 1, cosigned=b"note", heads=(("track", 1, 2),))
        await shelf.commit([*puts, shelf.state(state)])
        assert await shelf.read_state() == state
        together = together % 5 + 1
    assert await Shelf(store, ORIGIN, bytes(32), bytes_of).read_state() == state


async def test_what_a_commit_writes_of_a_log_does_not_grow_with_it() -> None:
    shelf, log = Shelf(MemoryStore(MemoryDisk()), ORIGIN, bytes(32), bytes_of), Frontier()
    log, _ = log.append([bytes(32)] * (TILE_WIDTH * 40 + TILE_WIDTH - 1))
    assert len(shelf.state(State(log, 0)).value or b"") < 32 * LOG_BATCHES + 100


async def test_a_log_that_does_not_go_with_its_state_is_damaged() -> None:
    store = MemoryStore(MemoryDisk())
    shelf = Shelf(store, ORIGIN, bytes(32), bytes_of)
    log, tiles = Frontier().append([bytes(32)] * LOG_BATCHES)
    await shelf.commit([*shelf.batch(b"frame", tiles, log), shelf.state(State(log, 1))])
    await store.commit(Batch(puts=(Put(LOG, ORIGIN, None),)), {})
    with pytest.raises(Rejected, match="another size") as caught:
        await shelf.read_state()
    assert caught.value.code == "damaged"


async def test_what_is_only_claimed_takes_no_place_from_what_was_signed_and_the_first_stays() -> None:
    store = MemoryStore(MemoryDisk())
    shelf = Shelf(store, ORIGIN, bytes(32), bytes_of)
    await shelf.keep_evidence([b"signed once", b"signed otherwise"])
    for number in range(3 * EVIDENCE_MAX):
        await shelf.keep_evidence([b"ours", b"%d" % (number // 2)], signed=False)
    assert len(await shelf.read_evidence()) == CLAIMS_MAX + 1
    for number in range(2 * EVIDENCE_MAX):
        await Shelf(store, ORIGIN, bytes(32), bytes_of).keep_evidence([b"more", b"%d" % number])
    kept = await shelf.read_evidence()
    assert len(kept) == EVIDENCE_MAX
    assert kept[:2] == [[b"ours", b"0"], [b"ours", b"1"]]
    assert kept[CLAIMS_MAX] == [b"signed once", b"signed otherwise"]
