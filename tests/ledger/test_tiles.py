"""spec/ledger.md (10)-(14); tlog-tiles v0.1.0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Misuse, Rejected
from comity.ledger.tiles import (
    BundleId,
    TileId,
    edge_tiles,
    parse_path,
    read_bundle,
    served_tiles,
    write_bundle,
)
from ledger.reference import StoredLog, entries, mth

indexes = st.integers(0, 2**55)
widths = st.integers(1, 256)


@pytest.mark.parametrize(
    ("named", "path"),
    [
        (TileId(0, 1_234_067), "tile/0/x001/x234/067"),
        (TileId(0, 0), "tile/0/000"),
        (TileId(0, 999), "tile/0/999"),
        (TileId(1, 1000), "tile/1/x001/000"),
        (TileId(0, 273, 112), "tile/0/273.p/112"),
        (TileId(63, 0, 1), "tile/63/000.p/1"),
        (BundleId(1_234_067, 8), "tile/entries/x001/x234/067.p/8"),
        (BundleId(7), "tile/entries/007"),
    ],
)
def test_paths(named: TileId | BundleId, path: str) -> None:  # (12)
    assert named.path == path
    assert parse_path(path) == named


@given(st.integers(0, 63), indexes, widths)
def test_every_path_is_read_back(level: int, index: int, width: int) -> None:  # (12)
    for named in (TileId(level, index, width), BundleId(index, width)):
        assert parse_path(named.path) == named


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/001/234",
        "tile/0/x001",
        "tile/0/x000/001",
        "tile/0/x001/x234",
        "tile/0/X001/234",
        "tile/00/000",
        "tile/01/000",
        "tile/64/000",
        "tile/65/000.p/3",
        "tile/-1/000",
        "tile/+1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/257",
        "tile/0/000.p/07",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000/",
        "tile/0/000\n",
        "/tile/0/000",
        "tile/0/٠٠٠",
        "tile/0/../000",
        "tile/data/000",
        "tile/entries/0",
        "tile/0/" + "x999/" * 30 + "999",
        "tile/0/" + "x999/" * 3000 + "999",
        "tile/0/x009/x999/x999/x999/x999/x999/999",
    ],
)
def test_other_spellings_name_no_tile(path: str) -> None:  # (12)
    with pytest.raises(Rejected):
        parse_path(path)


def test_rows_between_levels_have_no_path() -> None:  # (11)
    with pytest.raises(Misuse):
        _ = TileId(64, 0).path


def test_the_worked_example_of_70_000_leaves() -> None:  # (13)
    assert served_tiles(70_000) == ((273, 112), (1, 17), (0, 1))
    assert served_tiles(256) == ((1, 0), (0, 1))
    assert served_tiles(0) == ()


def test_a_log_of_70_000_leaves_stores_exactly_these_tiles() -> None:  # (10) (11) (13)
    log = StoredLog()
    log.append(entries(70_000)[:69_000])
    log.append(entries(70_000)[69_000:])
    for level, (full, width) in enumerate(served_tiles(70_000)):
        stored = {index: len(hashes) // 32 for (at, index), hashes in log.rows.items() if at == level}
        assert stored == dict.fromkeys(range(full), 256) | ({full: width} if width else {})
    assert {tile for tile in edge_tiles(70_000) if tile.level < 64} == {
        TileId(0, 273, 112),
        TileId(1, 1, 17),
        TileId(2, 0, 1),
    }
    between = sum(len(hashes) for (level, _), hashes in log.rows.items() if level >= 64)
    served = sum(len(hashes) for (level, _), hashes in log.rows.items() if level < 64)
    assert between * 16 <= served


def test_a_tile_holds_the_hashes_tlog_tiles_asks_for() -> None:  # (10)
    log, leaves = StoredLog(), entries(1000)
    log.append(leaves)
    for level in (0, 1):
        for index in range(4 if level == 0 else 1):
            hashes = log.read(level, index)
            for i in range(len(hashes) // 32):
                span = 256**level
                start = (index * 256 + i) * span
                assert hashes[32 * i : 32 * i + 32] == mth(leaves[start : start + span])


def test_keys_do_not_depend_on_width_and_sort() -> None:  # (10)
    assert TileId(0, 5, 7).key == TileId(0, 5).key
    ids = [TileId(0, 0), TileId(0, 9), TileId(0, 10), TileId(1, 0), TileId(64, 0), TileId(64, 2**55)]
    assert sorted(tile.key for tile in ids) == [tile.key for tile in ids]


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=256))
def test_bundles_are_read_back(bundle: list[bytes]) -> None:  # (14)
    data = write_bundle(bundle)
    assert list(read_bundle(data, len(bundle))) == bundle
    for wrong in (data + b"\x00", data[:-1], data + b"\x00\x00"):
        with pytest.raises(Rejected):
            read_bundle(wrong, len(bundle))
    with pytest.raises(Rejected):
        read_bundle(data, len(bundle) + 1)


def test_a_bundle_as_bytes() -> None:  # (14)
    assert write_bundle([b"ab", b""]) == b"\x00\x02ab\x00\x00"
    assert read_bundle(write_bundle([b"x" * 65_535]), 1) == (b"x" * 65_535,)


@pytest.mark.parametrize("bundle", [[], [b""] * 257, [b"x" * 65_536]])
def test_what_a_bundle_cannot_hold(bundle: list[bytes]) -> None:  # (14)
    with pytest.raises(Misuse):
        write_bundle(bundle)
