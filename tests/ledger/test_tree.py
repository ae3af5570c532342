"""spec/ledger.md (3)-(6), (15), (20)-(22)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.ledger.tiles import TileId, edge_tiles
from comity.ledger.tree import EMPTY_ROOT, Frontier, TreeHead, leaf_hash, stored_node
from ledger.reference import StoredLog, entries, log_of, mth

# The eight leaves and roots of the Certificate Transparency reference implementations.
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def test_root_of_nothing_is_the_hash_of_nothing() -> None:  # (3)
    assert Frontier().root() == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_reference_roots_of_certificate_transparency() -> None:  # (4) (5) (6)
    frontier = Frontier()
    for leaf, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        frontier, _ = frontier.append([leaf])
        assert frontier.root().hex() == root


def test_one_by_one_gives_every_root_of_rfc_6962() -> None:
    log = log_of(600)
    for size in [*range(70), 255, 256, 257, 511, 512, 513, 600]:
        assert log.heads[size].root == mth(entries(size))


@given(st.lists(st.integers(0, 700), max_size=6))
def test_batches_do_not_matter(counts: list[int]) -> None:  # (20)
    once, stepwise = StoredLog(), StoredLog()
    everything = entries(sum(counts))
    once.append(everything)
    done = 0
    for count in counts:
        stepwise.append(everything[done : done + count])
        done += count
    assert stepwise.frontier == once.frontier
    assert stepwise.table == once.table
    assert once.frontier.root() == mth(everything)


@given(st.integers(0, 66_000), st.integers(0, 300))
def test_restart_from_tiles_gives_the_same_frontier(size: int, more: int) -> None:  # (21)
    log = _big_log(size)
    read: set[tuple[int, int]] = set()

    def read_tile(level: int, index: int) -> bytes:
        read.add((level, index))
        return log.read(level, index)

    restored = Frontier.restore(log.heads[size], read_tile)
    assert restored == log.frontier
    assert read == {(tile.level, tile.index) for tile in edge_tiles(size)}
    assert restored.append(entries(more)) == log.frontier.append(entries(more))


@given(st.integers(0, 600))
def test_restart_at_an_older_head_reads_the_beginning_of_wider_tiles(size: int) -> None:  # (21)
    log = log_of(600)
    assert Frontier.restore(log.heads[size], log.read).append(entries(600)[size:])[0] == log.frontier


def test_restart_refuses_tiles_that_do_not_give_the_root() -> None:  # (21)
    log = log_of(600)
    with pytest.raises(Rejected, match="do not give the root recorded at size 600") as caught:
        Frontier.restore(TreeHead(600, EMPTY_ROOT), log.read)
    assert caught.value.code == "wrong-root"


@pytest.mark.parametrize("size", [1, 15, 16, 300, 352, 512, 600])
def test_restart_checks_every_hash_it_would_write_again(size: int) -> None:  # (21)
    """Also those of complete subtrees, whose roots a higher row has."""
    log = StoredLog()
    head = log.append(entries(size))
    assert edge_tiles(size)
    for tile in edge_tiles(size):
        for byte in range(0, tile.width * 32, 31):

            def altered(level: int, index: int, tile: TileId = tile, byte: int = byte) -> bytes:
                hashes = bytearray(log.read(level, index))
                if (level, index) == (tile.level, tile.index):
                    hashes[byte] ^= 1
                return bytes(hashes)

            with pytest.raises(Rejected) as caught:
                Frontier.restore(head, altered)
            assert caught.value.code == "wrong-root"


@pytest.mark.parametrize("size", [1, 16, 300, 352, 600])
def test_restart_refuses_a_tile_that_lost_its_end(size: int) -> None:  # (15) (21)
    log = StoredLog()
    head = log.append(entries(size))
    for tile in edge_tiles(size):

        def cut(level: int, index: int, tile: TileId = tile) -> bytes:
            hashes = log.read(level, index)
            return hashes[:-32] if (level, index) == (tile.level, tile.index) else hashes

        with pytest.raises(Rejected, match=f"tile {tile.index} of level {tile.level} ends before") as caught:
            Frontier.restore(head, cut)
        assert caught.value.code == "short-tile"


def test_stored_nodes_are_the_roots_of_their_subtrees() -> None:  # (15)
    log, leaves = log_of(600), entries(600)
    for height in range(10):
        for index in range(600 >> height):
            span = leaves[index << height : (index + 1) << height]
            assert stored_node(log.read, height, index) == mth(span)


def test_a_mirror_agrees_with_the_author() -> None:  # (22)
    author, mirror = Frontier(), Frontier()
    author, _ = author.append(entries(300))
    for entry in entries(300):
        mirror, _ = mirror.append([entry])
    assert mirror.head() == author.head()
    assert mirror.append([b"one thing"])[0].root() != author.append([b"another"])[0].root()


def test_a_failed_commit_needs_no_undoing() -> None:  # (20)
    before, _ = Frontier().append(entries(300))
    root = before.root()
    before.append(entries(5))
    assert before.root() == root
    assert before.append([])[0] == before
    assert before.append([])[1] == ()


def test_appending_hands_out_at_most_one_partial_tile_a_row() -> None:  # (20)
    _, tiles = Frontier().append(entries(700))
    assert [(tile.id.level, tile.id.index, tile.id.width) for tile in tiles] == [
        (0, 0, 256),
        (0, 1, 256),
        (0, 2, 188),
        (64, 0, 43),
        (1, 0, 2),
    ]


def test_leaf_and_node_hashes_cannot_be_confused() -> None:  # (4) (5)
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    assert leaf_hash(left + right) != mth([b"a", b"b"])


def _big_log(size: int) -> StoredLog:
    log = StoredLog()
    log.append(entries(66_000)[:size])
    return log
