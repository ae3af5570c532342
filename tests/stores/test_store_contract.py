"""The contract of ``ports.Store``, the same for every adapter (``spec/store.md`` 1 to 14)."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from comity.errors import Misuse
from comity.ports import Batch, Conflict, Head, Put, Store
from comity.stores.memory import MemoryStore
from comity.stores.memory_disk import MemoryDisk
from comity.stores.sqlite import SqliteStore
from stores.samples import AT, batch, entry, expected, head

HOME = "jp-kr-2016/jp"
AWAY = "jp-kr-2016/kr"


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path) -> AsyncIterator[Store]:
    opened = MemoryStore(MemoryDisk()) if request.param == "memory" else await SqliteStore.open(tmp_path / "store")
    yield opened
    await opened.close()


async def stream(puts: Sequence[Put]) -> AsyncIterator[Put]:
    for put in puts:
        yield put


async def test_an_empty_store_answers_every_question(store):
    assert await store.heads() == {}
    assert await store.heads([HOME]) == {}
    assert await store.get("items", ["a"]) == [None]
    assert await store.get("items", []) == []
    assert await store.scan("items", limit=5) == []
    assert await store.journal(0, 5) == []
    assert await store.chain(HOME, 0, 5) == []
    assert await store.find(bytes(32)) is None


async def test_a_commit_is_there_whole_and_returns_the_size_of_the_journal(store):
    assert await store.commit(batch(HOME, 0, 2, Put("items", "a", b"1")), {HOME: None}) == 2
    assert await store.commit(batch(AWAY, 0), {HOME: head(HOME, 2), AWAY: None}) == 3
    assert await store.heads() == {HOME: head(HOME, 2), AWAY: head(AWAY, 1)}
    assert await store.heads([AWAY, "nobody"]) == {AWAY: head(AWAY, 1)}
    assert await store.journal(0, 10) == [entry(HOME, 0), entry(HOME, 1), entry(AWAY, 0)]
    assert await store.get("items", ["b", "a", "a"]) == [None, b"1", b"1"]


async def test_an_entry_comes_back_as_it_went_in(store):
    written = entry(HOME, 0, extends=False)
    await store.commit(Batch(entries=(written,)), {})
    (read,) = await store.journal(0, 1)
    assert read == written
    assert type(read.extends) is bool
    assert read.at.isoformat() == "2016-11-23T01:02:03.456789+00:00"


async def test_the_journal_is_read_in_portions(store):
    await store.commit(batch(HOME, 0, 5), {HOME: None})
    assert [found.sequence for found in await store.journal(1, 2)] == [1, 2]
    assert [found.sequence for found in await store.journal(4, 2)] == [4]
    assert await store.journal(5, 2) == []
    assert await store.journal(0, 0) == []


@pytest.mark.parametrize(
    "wrong",
    [{HOME: None}, {HOME: head(HOME, 2)}, {HOME: msgspec.structs.replace(head(HOME, 1), root=bytes(32))}],
    ids=["none", "ahead", "another-root"],
)
async def test_a_head_that_moved_is_a_conflict_and_nothing_is_written(store, wrong):  # (3)
    await store.commit(batch(HOME, 0), {HOME: None})
    with pytest.raises(Conflict, match=r"stands at 1 records .* nothing was written") as caught:
        await store.commit(batch(HOME, 1, 1, Put("items", "a", b"1")), wrong)
    assert caught.value.place == HOME
    assert await store.heads() == {HOME: head(HOME, 1)}
    assert len(await store.journal(0, 9)) == 1
    assert await store.get("items", ["a"]) == [None]


async def test_a_missing_chain_is_a_conflict(store):
    with pytest.raises(Conflict, match="does not exist"):
        await store.commit(Batch(), {HOME: head(HOME, 1)})


async def test_a_head_may_be_watched_without_moving_it(store):
    await store.commit(batch(HOME, 0), {HOME: None})
    await store.commit(Batch(puts=(Put("items", "a", b"1"),)), {HOME: head(HOME, 1)})
    with pytest.raises(Conflict):
        await store.commit(Batch(puts=(Put("items", "a", b"2"),)), {HOME: None})
    assert await store.get("items", ["a"]) == [b"1"]


async def test_of_many_that_expect_the_same_head_one_wins(store):
    """A hundred rivals at once: one history, and each loser knows that nothing of its batch is there."""
    rivals = [
        store.commit(batch(HOME, 0, 1, Put("items", str(n), b"x"), salt=n), {HOME: None, AWAY: None})
        for n in range(100)
    ]
    outcomes = await asyncio.gather(*rivals, return_exceptions=True)
    (winner,) = [n for n, outcome in enumerate(outcomes) if outcome == 1]
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 99
    assert await store.heads() == {HOME: head(HOME, 1, winner)}
    assert await store.scan("items", limit=200) == [(str(winner), b"x")]


async def test_one_conflict_among_a_hundred_good_commits_harms_nobody(store):  # (6)
    good = [store.commit(batch(f"r/{n}", 0, 1, Put("items", f"{n:03}", b"x")), {f"r/{n}": None}) for n in range(100)]
    bad = store.commit(batch(HOME, 5, 1, Put("items", "bad", b"x")), expected(HOME, 5))
    outcomes = await asyncio.gather(*good[:50], bad, *good[50:], return_exceptions=True)
    assert isinstance(outcomes.pop(50), Conflict)
    assert sorted(outcomes) == list(range(1, 101))
    assert [key for key, _ in await store.scan("items", limit=200)] == [f"{n:03}" for n in range(100)]


async def test_a_chain_of_commits_in_one_group_follows_itself(store):  # (6)
    """Each expects the head its predecessor leaves, before that predecessor has returned."""
    await asyncio.gather(*(store.commit(batch(HOME, n), expected(HOME, n)) for n in range(50)))
    assert await store.heads() == {HOME: head(HOME, 50)}
    assert [found.sequence for found in await store.chain(HOME, 0, 99)] == list(range(50))


async def test_a_sequence_number_is_extended_once_and_the_neighbours_go_on(store):  # (7, 8)
    await store.commit(batch(HOME, 0), {HOME: None})
    fork = Batch(entries=(entry(HOME, 0, salt="fork"),), puts=(Put("items", "fork", b"x"),))
    twice = Batch(entries=(entry(AWAY, 0), entry(AWAY, 0, salt="fork")))
    outcomes = await asyncio.gather(
        store.commit(batch("r/1", 0), {"r/1": None}),
        store.commit(fork, {}),
        store.commit(twice, {}),
        store.commit(batch("r/2", 0), {"r/2": None}),
        return_exceptions=True,
    )
    assert [getattr(outcome, "code", outcome) for outcome in outcomes] == [2, "sequence-taken", "sequence-taken", 3]
    assert await store.get("items", ["fork"]) == [None]


async def test_a_held_record_and_the_entry_that_settles_it(store):
    held, settled = entry(HOME, 3, extends=False), entry(HOME, 3)
    await store.commit(Batch(entries=(held,)), {})
    assert await store.find(held.record) == held
    assert await store.chain(HOME, 0, 9) == []
    await store.commit(Batch(entries=(settled,)), {})
    assert await store.find(held.record) == settled
    assert await store.chain(HOME, 0, 9) == [settled]
    assert await store.journal(0, 9) == [held, settled]


async def test_a_chain_is_read_by_sequence_number_whatever_the_order_of_the_journal(store):
    entries = (entry(HOME, 2), entry(HOME, 0), entry(HOME, 1), entry(AWAY, 1))
    await store.commit(Batch(entries=entries), {})
    assert [found.sequence for found in await store.chain(HOME, 0, 9)] == [0, 1, 2]
    assert [found.sequence for found in await store.chain(HOME, 1, 1)] == [1]


async def test_the_later_of_two_puts_to_one_key_wins(store):
    puts = (Put("t", "a", b"1"), Put("t", "a", None), Put("t", "b", None), Put("t", "b", b"2"), Put("u", "a", b"3"))
    await store.commit(Batch(puts=(Put("t", "a", b"0"),)), {})
    await store.commit(Batch(puts=puts), {})
    assert await store.scan("t", limit=9) == [("b", b"2")]
    assert await store.get("u", ["a"]) == [b"3"]


async def test_deleting_a_row_that_is_not_there_is_no_error(store):
    await store.commit(Batch(puts=(Put("t", "a", None),)), {})
    assert await store.get("t", ["a"]) == [None]


async def test_an_empty_value_is_a_row(store):
    await store.commit(Batch(puts=(Put("t", "", b""),)), {})
    assert await store.get("t", [""]) == [b""]
    assert await store.scan("t", limit=1) == [("", b"")]


async def test_keys_order_by_their_utf8_bytes(store):
    keys = ["", "A", "B", "a", "a/", "a0", "é", "日本", "\uffff", "𝄞"]
    await store.commit(Batch(puts=tuple(Put("t", key, key.encode()) for key in reversed(keys))), {})
    assert [key for key, _ in await store.scan("t", limit=99)] == sorted(keys, key=str.encode)
    assert [key for key, _ in await store.scan("t", limit=99, newest_first=True)] == keys[::-1]


async def test_a_scan_has_bounds_and_a_limit(store):
    await store.commit(Batch(puts=tuple(Put("t", key, b"") for key in "abcde")), {})
    await store.commit(Batch(puts=(Put("s", "c", b""), Put("tt", "c", b""))), {})

    async def keys(*bounds: str | None, limit: int = 9, newest_first: bool = False) -> str:
        return "".join(key for key, _ in await store.scan("t", *bounds, limit=limit, newest_first=newest_first))

    assert await keys("b", "d") == "bc"
    assert await keys("b", None) == "bcde"
    assert await keys("b", "d", newest_first=True) == "cb"
    assert await keys("b", limit=2) == "bc"
    assert await keys("b", limit=2, newest_first=True) == "ed"
    assert await keys("bb", "bb") == ""
    assert await keys("d", "b") == ""
    assert await keys(limit=0) == ""


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (Batch(puts=(Put("t", "a\0", b""),)), "store-text"),
        (Batch(puts=(Put("t", "日\ud800", b""),)), "store-text"),
        (Batch(puts=(Put("t\0", "a", b""),)), "store-text"),
        (Batch(entries=(entry("r/\0", 0),)), "store-text"),
        (Batch(entries=(msgspec.structs.replace(entry(HOME, 0), rules=2**63),)), "store-integer"),
        (Batch(entries=(msgspec.structs.replace(entry(HOME, 0), sequence=-1),)), "store-integer"),
        (Batch(entries=(msgspec.structs.replace(entry(HOME, 0), at=AT.replace(tzinfo=None)),)), "naive-instant"),
        (Batch(heads={HOME: Head(1, bytes(32), bytes(32))}), "head-not-expected"),
    ],
)
async def test_a_batch_no_store_could_hold_is_refused_by_all(store, bad, code):  # (1, 2)
    with pytest.raises(Misuse) as caught:
        await store.commit(bad, {AWAY: None})
    assert caught.value.code == code
    assert await store.journal(0, 9) == []


async def test_a_negative_limit_is_refused(store):
    for reading in (store.scan("t", limit=-1), store.journal(0, -1), store.chain(HOME, 0, -1)):
        with pytest.raises(Misuse, match="negative"):
            await reading


async def test_replace_rows_replaces_whole_tables_and_no_others(store):  # (14)
    await store.commit(Batch(puts=(Put("a", "1", b"old"), Put("b", "1", b"old"), Put("c", "1", b"old"))), {})
    new = [Put("a", f"{n:05}", b"%d" % n) for n in range(1300)]
    await store.replace_rows(["a", "b"], stream([*new, Put("a", "00000", None)]))
    assert await store.scan("a", limit=2000) == [(put.key, put.value) for put in new[1:]]
    assert await store.scan("b", limit=9) == []
    assert await store.scan("c", limit=9) == [("1", b"old")]


async def test_replace_rows_that_fails_half_way_changes_nothing(store):  # (14)
    await store.commit(Batch(puts=(Put("a", "1", b"old"),)), {})

    async def breaks() -> AsyncIterator[Put]:
        for n in range(700):
            yield Put("a", str(n), b"new")
        raise KeyError("the rebuild found a fault")

    with pytest.raises(KeyError):
        await store.replace_rows(["a"], breaks())
    with pytest.raises(Misuse, match="not being replaced"):
        await store.replace_rows(["a"], stream([Put("a", "2", b"new"), Put("b", "2", b"new")]))
    assert await store.scan("a", limit=9) == [("1", b"old")]
    await store.commit(batch(HOME, 0), {HOME: None})


async def test_commits_wait_while_rows_are_replaced(store):  # (14)
    """What the rebuild reads does not move under it."""
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[Put]:
        started.set()
        await go_on.wait()
        yield Put("a", "1", b"rebuilt")

    rebuild = asyncio.create_task(store.replace_rows(["a"], slowly()))
    await started.wait()
    commit = asyncio.create_task(store.commit(Batch(puts=(Put("a", "1", b"later"),)), {}))
    await asyncio.sleep(0.02)
    assert not commit.done()
    assert await store.get("a", ["1"]) == [None]
    go_on.set()
    await asyncio.gather(rebuild, commit)
    assert await store.get("a", ["1"]) == [b"later"]


async def test_reads_see_what_a_neighbour_committed(store):
    async def writer() -> None:
        for n in range(30):
            await store.commit(batch(HOME, n, 1, Put("t", "n", b"%d" % n)), expected(HOME, n))
            assert (await store.heads([HOME]))[HOME].size == n + 1
            assert await store.get("t", ["n"]) == [b"%d" % n]

    await writer()


async def test_close_is_idempotent_and_final(store):
    await store.commit(batch(HOME, 0), {HOME: None})
    await store.close()
    await store.close()
    for late in (store.commit(batch(HOME, 1), expected(HOME, 1)), store.heads(), store.get("t", ["a"])):
        with pytest.raises(Misuse, match="closed"):
            await late
