"""spec/ledger.md (30)-(34), against RFC 6962 as written and against pymerkle."""

from __future__ import annotations

import pymerkle
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from comity.errors import Misuse, Rejected
from comity.ledger.proof import (
    Consistency,
    Inclusion,
    consistency_path,
    inclusion_path,
    tiles_for_consistency,
    tiles_for_inclusion,
    verify_consistency,
    verify_inclusion,
)
from comity.ledger.tree import EMPTY_ROOT, TreeHead, leaf_hash, node_hash
from ledger.reference import entries, log_of, path, subproof

SIZE = 600

sizes = st.integers(1, SIZE)
pairs = st.tuples(sizes, sizes).map(sorted)


def test_every_inclusion_proof_of_every_small_tree() -> None:  # (31) (33)
    log = log_of(SIZE)
    for size in range(1, 40):
        for index in range(size):
            proof = inclusion_path(log.read, index, size)
            assert list(proof) == path(index, entries(size))
            leaf = leaf_hash(entries(size)[index])
            assert verify_inclusion(leaf, index, log.heads[size], proof) == Inclusion(index, leaf, log.heads[size])


def test_every_index_of_a_tree_of_several_tiles() -> None:  # (31) (33)
    log = log_of(SIZE)
    for index, entry in enumerate(entries(SIZE)):
        verify_inclusion(leaf_hash(entry), index, log.heads[SIZE], inclusion_path(log.read, index, SIZE))


def test_every_consistency_proof_of_every_small_tree() -> None:  # (32) (34)
    log = log_of(SIZE)
    for new in range(40):
        for old in range(new + 1):
            proof = consistency_path(log.read, old, new)
            assert list(proof) == (subproof(old, entries(new), True) if old else [])
            assert verify_consistency(log.heads[old], log.heads[new], proof) == Consistency(
                log.heads[old], log.heads[new]
            )


@given(pairs)
@example([256, 600])
@example([255, 257])
@example([512, 513])
def test_consistency_between_any_two_sizes(pair: list[int]) -> None:  # (32) (34)
    old, new = pair
    log = log_of(SIZE)
    verify_consistency(log.heads[old], log.heads[new], consistency_path(log.read, old, new))


@given(sizes, st.data())
def test_an_inclusion_proof_with_any_byte_altered_fails(size: int, data: st.DataObject) -> None:  # (33)
    log = log_of(SIZE)
    index = data.draw(st.integers(0, size - 1))
    proof = list(inclusion_path(log.read, index, size))
    leaf = leaf_hash(entries(SIZE)[index])
    pieces = [leaf, log.heads[size].root, *proof]
    piece, byte = data.draw(st.integers(0, len(pieces) - 1)), data.draw(st.integers(0, 31))
    pieces[piece] = _altered(pieces[piece], byte, data.draw(st.integers(1, 255)))
    with pytest.raises(Rejected) as caught:
        verify_inclusion(pieces[0], index, TreeHead(size, pieces[1]), pieces[2:])
    assert caught.value.code == "not-included"


@given(pairs, st.data())
def test_a_consistency_proof_with_any_byte_altered_fails(pair: list[int], data: st.DataObject) -> None:  # (34)
    old, new = pair
    log = log_of(SIZE)
    pieces = [log.heads[old].root, log.heads[new].root, *consistency_path(log.read, old, new)]
    piece, byte = data.draw(st.integers(0, len(pieces) - 1)), data.draw(st.integers(0, 31))
    pieces[piece] = _altered(pieces[piece], byte, data.draw(st.integers(1, 255)))
    with pytest.raises(Rejected) as caught:
        verify_consistency(TreeHead(old, pieces[0]), TreeHead(new, pieces[1]), pieces[2:])
    assert caught.value.code == "inconsistent"


@given(sizes, st.data())
def test_a_proof_holds_for_no_other_index_and_no_longer_or_shorter(size: int, data: st.DataObject) -> None:  # (33)
    log = log_of(SIZE)
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(0, size + 1))
    leaf, proof = leaf_hash(entries(SIZE)[index]), inclusion_path(log.read, index, size)
    if other != index:
        with pytest.raises(Rejected):
            verify_inclusion(leaf, other, log.heads[size], proof)
    for wrong in (proof[:-1], proof[1:], (*proof, EMPTY_ROOT)):
        if wrong != proof:
            with pytest.raises(Rejected):
                verify_inclusion(leaf, index, log.heads[size], wrong)


@given(pairs)
def test_a_consistency_proof_of_another_length_fails(pair: list[int]) -> None:  # (34)
    old, new = pair
    log = log_of(SIZE)
    proof = consistency_path(log.read, old, new)
    for wrong in (proof[:-1], proof[1:], (*proof, EMPTY_ROOT)):
        if wrong != proof:
            with pytest.raises(Rejected):
                verify_consistency(log.heads[old], log.heads[new], wrong)


@pytest.mark.parametrize("index", [-1, 7, 8])
def test_an_index_outside_the_tree(index: int) -> None:  # (33)
    head = log_of(SIZE).heads[7]
    with pytest.raises(Rejected, match=f"index {index} is not in a tree of 7 leaves") as caught:
        verify_inclusion(EMPTY_ROOT, index, head, ())
    assert caught.value.code == "bad-size"
    with pytest.raises(Misuse):
        inclusion_path(log_of(SIZE).read, index, 7)


def test_a_log_never_shrinks() -> None:  # (34)
    log = log_of(SIZE)
    with pytest.raises(Rejected) as caught:
        verify_consistency(log.heads[8], log.heads[7], ())
    assert caught.value.code == "bad-size"
    for old, new in ((8, 7), (-1, 7)):
        with pytest.raises(Misuse):
            consistency_path(log.read, old, new)


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 7), (7, 7)])
def test_no_growth_to_prove_needs_and_allows_no_hashes(old: int, new: int) -> None:  # (34)
    heads = log_of(SIZE).heads
    verify_consistency(heads[old], heads[new], ())
    with pytest.raises(Rejected):
        verify_consistency(heads[old], heads[new], (heads[7].root,))
    with pytest.raises(Rejected):
        verify_consistency(TreeHead(old, heads[3].root), heads[new], ())


def test_an_empty_tree_has_one_root() -> None:  # (34)
    with pytest.raises(Rejected):
        verify_consistency(TreeHead(0, EMPTY_ROOT), TreeHead(0, bytes(32)), ())


def test_growth_to_prove_needs_hashes() -> None:  # RFC 9162 §2.1.4.2 step 1
    heads = log_of(SIZE).heads
    with pytest.raises(Rejected):
        verify_consistency(heads[4], heads[7], ())


# A root does not bind the size, so whoever states a false size can choose hashes that fold to the root all the same.
# What then stands between a false claim and its acceptance is the length that the size asks of a proof.

A, B, C, D = (leaf_hash(entry) for entry in entries(4))


def test_an_inclusion_proof_too_short_for_the_stated_size() -> None:  # RFC 9162 §2.1.3.2 step 5
    with pytest.raises(Rejected):
        verify_inclusion(A, 0, TreeHead(8, node_hash(A, B)), (B,))


def test_an_inclusion_proof_too_long_for_the_stated_size() -> None:  # RFC 9162 §2.1.3.2 step 4.a
    with pytest.raises(Rejected):
        verify_inclusion(B, 0, TreeHead(1, node_hash(A, B)), (A,))


def test_a_consistency_proof_too_short_for_the_stated_size() -> None:  # RFC 9162 §2.1.4.2 step 7
    with pytest.raises(Rejected):
        verify_consistency(TreeHead(1, A), TreeHead(8, node_hash(A, B)), (B,))


def test_a_consistency_proof_too_long_for_the_stated_size() -> None:  # RFC 9162 §2.1.4.2 step 6.a
    old = node_hash(D, node_hash(C, A))
    new = node_hash(D, node_hash(C, node_hash(A, B)))
    with pytest.raises(Rejected):
        verify_consistency(TreeHead(3, old), TreeHead(4, new), (A, B, C, D))


def test_bounds_on_a_proof() -> None:  # (33) (34)
    heads = log_of(SIZE).heads
    with pytest.raises(Rejected) as caught:
        verify_inclusion(EMPTY_ROOT, 0, heads[2], (EMPTY_ROOT,) * 64)
    assert caught.value.code == "path-too-long"
    with pytest.raises(Rejected) as caught:
        verify_consistency(heads[1], heads[2], (b"short",))
    assert caught.value.code == "bad-hash"
    with pytest.raises(Rejected) as caught:
        verify_inclusion(EMPTY_ROOT, 0, TreeHead(2**63, EMPTY_ROOT), ())
    assert caught.value.code == "bad-size"


@given(pairs, st.data())
def test_the_tiles_named_beforehand_are_the_tiles_read(pair: list[int], data: st.DataObject) -> None:  # (30)
    old, new = pair
    log = log_of(SIZE)
    index = data.draw(st.integers(0, new - 1))
    for named, make in (
        (tiles_for_inclusion(index, new), lambda read: inclusion_path(read, index, new)),
        (tiles_for_consistency(old, new), lambda read: consistency_path(read, old, new)),
    ):
        tiles = {(tile.level, tile.index): log.read(tile.level, tile.index)[: 32 * tile.width] for tile in named}
        used = set()

        def read(level: int, place: int, tiles: dict[tuple[int, int], bytes] = tiles, used: set = used) -> bytes:
            used.add((level, place))
            return tiles[level, place]

        assert make(read) == make(log.read)
        assert used == set(tiles)


def test_few_tiles_are_read_however_large_the_log() -> None:  # (30)
    assert len(tiles_for_inclusion(123_456, 1_000_000)) <= 2 * 5
    assert len(tiles_for_consistency(123_456, 2**40)) <= 2 * 10


# pymerkle counts leaves from 1 and puts the leaf itself first in an inclusion path. Its consistency path goes down to
# the first leaf after the old tree, where RFC 6962 stops at the subtree that begins there, and repeats the old root
# where RFC 6962 leaves it out (when the old size is a power of two). Folding that subtree's hashes gives the RFC's.


def _peer(size: int) -> pymerkle.InmemoryTree:
    return pymerkle.InmemoryTree.init_from_entries(entries(size))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 70, 256, 300])
def test_pymerkle_agrees_on_roots_and_inclusion_both_ways(size: int) -> None:
    peer, log = _peer(size), log_of(SIZE)
    head = log.heads[size]
    assert peer.get_root() == head.root
    for index in {0, 1, size // 2, size - 1} & set(range(size)):
        theirs, leaf = peer.prove_inclusion(index + 1, size), leaf_hash(entries(size)[index])
        verify_inclusion(leaf, index, head, theirs.path[1:])
        theirs.path = [leaf, *inclusion_path(log.read, index, size)]
        pymerkle.verify_inclusion(leaf, head.root, theirs, index=index + 1, size=size)


@pytest.mark.parametrize(
    ("old", "new"), [(1, 1), (1, 2), (3, 7), (4, 7), (6, 8), (64, 70), (65, 70), (255, 300), (256, 300)]
)
def test_pymerkle_agrees_on_consistency(old: int, new: int) -> None:
    peer, log = _peer(new), log_of(SIZE)
    before, after = log.heads[old], log.heads[new]
    theirs = peer.prove_consistency(old, new)
    proof = consistency_path(log.read, old, new)
    assert proof == _as_rfc_6962(theirs, old)
    verify_consistency(before, after, _as_rfc_6962(theirs, old))
    pymerkle.verify_consistency(before.root, after.root, theirs, prior_size=old, later_size=new)


def _as_rfc_6962(theirs: pymerkle.ConsistencyProof, old: int) -> tuple[bytes, ...]:
    if old == theirs.size:
        return ()
    after, *others = theirs.path
    in_old = theirs.subset.index(1)
    for sibling in others[: in_old - 1]:
        after = node_hash(after, sibling)
    before, *rest = others[in_old - 1 :]
    return (after, *rest) if old & old - 1 == 0 else (before, after, *rest)


def _altered(data: bytes, at: int, mask: int) -> bytes:
    return data[:at] + bytes([data[at] ^ mask]) + data[at + 1 :]
