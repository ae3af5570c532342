"""The index as an adapter: what stands where, in which order, and what is left of what was removed."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.errors import Misuse, Unavailable
from comity.ports import DiskFull
from comity.ports.index import Entry, Index, Place, Watermark
from comity.stores.index import SqliteIndex
from stores.faulty_vfs import faulty_file_system

START = datetime(2026, 11, 21, tzinfo=UTC)
KEYS = "abcdef"
NAMES = ("one", "two", "three", "線", "three/é")


def entry(key: str, minute: int, *names: str, about: bytes = b"") -> Entry:
    return Entry(key, START + timedelta(minutes=minute), names, about)


@pytest.fixture(params=["file", "memory"])
async def index(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteIndex]:
    made = SqliteIndex(tmp_path / "index.sqlite" if request.param == "file" else None)
    yield made
    await made.close()
    await made.close()


async def keys(index: Index, *names: str, limit: int = 100, beyond: Place | None = None, oldest: bool = False) -> str:
    found = await index.walk(names, limit=limit, beyond=beyond, oldest_first=oldest)
    return "".join(each.key for each in found)


async def test_what_stands_under_names_is_found_newest_first(index: SqliteIndex) -> None:  # (2)
    assert await index.watermark() is None
    await index.change(
        [entry("a", 1, "one"), entry("b", 3, "one", "two"), entry("d", 2, "two"), entry("c", 2, "two", about=b"c")]
    )
    assert await keys(index, "one") == "ba"
    assert await keys(index, "one", "two", "nobody") == "bdca"
    assert await keys(index, "one", "two", oldest=True) == "acdb"
    assert await keys(index, "one", "two", limit=2) == "bd"
    assert await index.get(["c", "x"]) == [Entry("c", START + timedelta(minutes=2), (), b"c"), None]
    assert [each and each.key for each in await index.newest(["two", "one", "nobody"])] == ["b", "b", None]


async def test_a_walk_goes_on_beyond_a_place_though_nothing_stands_there(index: SqliteIndex) -> None:  # (12)
    await index.change([entry("a", 1, "one"), entry("b", 2, "one"), entry("d", 2, "one"), entry("e", 3, "one")])
    place = Place(START + timedelta(minutes=2), "c")
    assert await keys(index, "one", beyond=place) == "ba"
    assert await keys(index, "one", beyond=place, oldest=True) == "de"
    assert await keys(index, "one", beyond=Place(START, "z")) == ""


async def test_entries_are_counted_up_to_a_limit_and_before_an_instant(index: SqliteIndex) -> None:  # (15)
    await index.change(
        [entry(key, minute, "one", *(("two",) if minute % 2 else ())) for minute, key in enumerate(KEYS)]
    )
    assert await index.count(["one"], limit=100) == 6
    assert await index.count(["one"], limit=4) == 4
    assert await index.count(["one", "two"], limit=100) == 6
    assert await index.count(["one"], limit=100, before=START + timedelta(minutes=2)) == 2
    assert await index.count(["nobody"], limit=100) == 0


async def test_a_name_is_there_as_long_as_something_stands_under_it(index: SqliteIndex) -> None:
    await index.change([entry("a", 1, "x/radar", "x/rain"), entry("b", 1, "x/radar", "y/radar")])
    ranges = [("x/ra", "x/rb"), ("y/", "y0")]
    assert await index.names(ranges, 10) == [("x/radar", 2), ("x/rain", 1), ("y/radar", 1)]
    assert await index.names(ranges, 2) == [("x/radar", 2), ("x/rain", 1)]
    await index.change([entry("a", 2, "x/radar")], ["b", "nobody"])
    assert await index.names(ranges, 10) == [("x/radar", 1)]


async def test_the_watermark_comes_with_what_it_is_about(index: SqliteIndex) -> None:  # (3)
    await index.change([entry("a", 1, "one")], watermark=Watermark(7, b"record"))
    await index.change([entry("b", 1, "one")])
    assert await index.watermark() == Watermark(7, b"record")
    await index.clear()
    assert await index.watermark() is None
    assert await keys(index, "one") == ""


changes = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(KEYS),
            st.integers(min_value=0, max_value=3),
            st.lists(st.sampled_from(NAMES), unique=True, max_size=3),
        ),
        st.sampled_from(KEYS),
    ),
    max_size=12,
)


@settings(max_examples=100, deadline=None)
@given(
    changes, st.lists(st.sampled_from(NAMES), max_size=3), st.integers(min_value=0, max_value=3), st.sampled_from(KEYS)
)
def test_it_answers_as_a_list_would(made: list[object], names: list[str], minute: int, key: str) -> None:
    async def compare() -> None:
        index = SqliteIndex(None)
        known: dict[str, Entry] = {}
        for each in made:
            if isinstance(each, str):
                known.pop(each, None)
                await index.change([], [each])
            else:
                assert isinstance(each, tuple)
                known[each[0]] = entry(each[0], each[1], *each[2])
                await index.change([known[each[0]]])
        some = [each for each in known.values() if set(each.names) & set(names)]
        some.sort(key=lambda each: (each.at, each.key), reverse=True)
        place = Place(START + timedelta(minutes=minute), key)
        later = [each for each in some if (each.at, each.key) < (place.at, key)]
        sooner = [each for each in some if (each.at, each.key) > (place.at, key)]
        assert await keys(index, *names) == "".join(each.key for each in some)
        assert await keys(index, *names, beyond=place) == "".join(each.key for each in later)
        assert await keys(index, *names, beyond=place, oldest=True) == "".join(each.key for each in reversed(sooner))
        assert await index.count(names, limit=100) == len(some)
        before = sum(each.at < place.at for each in some)
        assert await index.count(names, limit=100, before=place.at) == before
        counted = {name: sum(name in each.names for each in known.values()) for name in NAMES}
        assert dict(await index.names([("", "\U0010ffff")], 100)) == {name: n for name, n in counted.items() if n}
        await index.close()

    asyncio.run(compare())


# ---- the file --------------------------------------------------------------------------------------------------------


async def test_it_is_there_again_when_it_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    index = SqliteIndex(path)
    await index.change([entry("a", 1, "one")], watermark=Watermark(1, b"r"))
    await index.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    index = SqliteIndex(path)
    assert await keys(index, "one") == "a"
    await index.close()
    with pytest.raises(Misuse):
        await index.watermark()


@pytest.mark.parametrize("what", ["another version", "another program", "no database", "torn"])
async def test_a_file_that_is_not_this_index_is_made_anew(tmp_path: Path, what: str) -> None:  # (3)
    path = tmp_path / "index.sqlite"
    index = SqliteIndex(path)
    await index.change([entry(f"a{n}", n, "one", f"name {n}") for n in range(500)], watermark=Watermark(1, b"r"))
    await index.close()
    if what in ("another version", "another program"):
        database = apsw.Connection(str(path))
        database.execute("PRAGMA user_version = 99" if what == "another version" else "PRAGMA application_id = 1")
        database.close()
    elif what == "no database":
        path.write_bytes(b"something else, which is long enough to have a head" * 20)
    else:
        kept = bytearray(path.read_bytes())
        kept[100:] = bytes(len(kept) - 100)
        path.write_bytes(kept)
    index = SqliteIndex(path)
    assert await index.watermark() is None
    assert await keys(index, "one") == ""
    await index.close()


async def test_damage_met_on_the_way_is_said_and_the_file_deleted(tmp_path: Path) -> None:  # (3)
    path = tmp_path / "index.sqlite"
    index = SqliteIndex(path)
    await index.change(
        [entry(f"a{n:04d}", n, "one", about=bytes(500)) for n in range(4_000)], watermark=Watermark(1, b"r")
    )
    await index.close()
    kept = bytearray(path.read_bytes())
    kept[8192:-4096] = b"\xff" * (len(kept) - 12288)
    path.write_bytes(kept)
    index = SqliteIndex(path)
    with pytest.raises(Unavailable, match="made anew"):
        await index.walk(["one"], limit=4_000)
    assert await index.watermark() is None
    await index.close()


async def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "index.sqlite").symlink_to(tmp_path / "elsewhere")
    index = SqliteIndex(tmp_path / "index.sqlite")
    with pytest.raises(Unavailable):
        await index.watermark()
    assert (tmp_path / "elsewhere").read_bytes() == b""
    await index.close()


async def test_nothing_is_changed_where_there_is_no_room(tmp_path: Path) -> None:
    index = SqliteIndex(tmp_path / "index.sqlite")
    await index.change([entry("a", 1, "one")], watermark=Watermark(1, b"r"))
    assert index._open is not None
    index._open.execute("PRAGMA max_page_count = 12")
    with pytest.raises(DiskFull):
        await index.change(
            [entry(f"b{n}", 1, "one", about=bytes(4096)) for n in range(50)], watermark=Watermark(2, b"s")
        )
    assert await index.watermark() == Watermark(1, b"r")
    assert await keys(index, "one") == "a"
    await index.close()


async def test_nothing_is_left_of_what_was_removed(tmp_path: Path) -> None:  # (8)
    """Neither in free pages nor in pages that were split and moved, nor in the log."""
    path = tmp_path / "index.sqlite"
    index = SqliteIndex(path)
    many = [
        entry(f"item {n:05d}", n % 700, "all", f"x/secretword{n}", about=f"a SecretTitle {n}".encode() * 9)
        for n in range(3_000)
    ]
    for start in range(0, len(many), 100):
        await index.change(many[start : start + 100])
    bare = [Entry(each.key, each.at, ("all",), b"") for each in many[::2]]
    await index.change(bare, [each.key for each in many[1::2]], Watermark(9, b"r"), scrub=True)
    left = b"".join(each.read_bytes() for each in sorted(tmp_path.iterdir()))
    assert left
    assert b"ecret" not in left
    assert len(await index.walk(["all"], limit=5_000)) == 1_500
    assert await index.watermark() == Watermark(9, b"r")
    assert [each.name for each in tmp_path.iterdir() if stat.S_IMODE(each.stat().st_mode) != 0o600] == []
    await index.close()


async def test_where_it_cannot_be_scrubbed_it_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # (8)
    path = tmp_path / "index.sqlite"
    index = SqliteIndex(path)
    await index.change([entry("a", 1, "x/secretword")], watermark=Watermark(1, b"r"))

    def fails(_: Path, __: Path) -> Path:
        raise OSError(5, "the disk is gone")

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(Unavailable, match="the disk is gone"):
        await index.change([], ["a"], scrub=True)
    assert b"".join(each.read_bytes() for each in tmp_path.iterdir()) == b""
    assert await index.watermark() is None
    await index.close()


async def test_a_disk_that_is_full_leaves_an_index_as_it_was_or_none(tmp_path: Path) -> None:  # (8)
    """Whichever write finds no room, what is left is whole and says how far it is, or has no watermark."""
    removed, left = [entry(f"a{n}", n, "x/secretword", about=bytes(900)) for n in range(9)], [entry("b", 1, "one")]
    met = set()
    with faulty_file_system() as disk:
        for write in range(1, 500):
            path = tmp_path / f"index{write}.sqlite"
            index = SqliteIndex(path)
            await index.change([*removed, *left], watermark=Watermark(1, b"r"))

            def full(number: int, operation: str, write: int = write) -> None:
                if number >= write and operation == "write":
                    raise apsw.FullError("no room")

            disk.arm(full)
            try:
                await index.change([], [each.key for each in removed], Watermark(2, b"s"), scrub=True)
                break
            except DiskFull:
                met.add("disk-full")
                assert await keys(index, "x/secretword") == "".join(each.key for each in reversed(removed))
                assert await index.watermark() == Watermark(1, b"r")
            except Unavailable as error:
                met.add(error.code)
                assert b"".join(each.read_bytes() for each in tmp_path.glob(f"{path.name}*")) == b""
                disk.fault = None
                assert await index.watermark() is None
            finally:
                disk.fault = None
                await index.close()
    assert met == {"disk-full", "index-lost"}
    assert b"secretword" not in path.read_bytes()


async def test_what_was_not_scrubbed_before_the_process_died_is_not_opened_again(tmp_path: Path) -> None:  # (8)
    path = tmp_path / "index.sqlite"
    index = SqliteIndex(path)
    await index.change([entry("a", 1, "x/secretword"), entry("b", 1, "one")], watermark=Watermark(1, b"r"))
    index._scrub = lambda _: None  # type: ignore[method-assign]  # the process died before it
    await index.change([], ["a"], scrub=True)
    await index.close()
    index = SqliteIndex(path)
    assert await index.watermark() is None
    await index.close()
    assert b"secretword" not in b"".join(each.read_bytes() for each in tmp_path.iterdir())
