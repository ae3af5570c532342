"""A proof shows that a message crossed and whence it came, and nothing of what did not (``spec/feed.md`` step 18)."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from comity.errors import Rejected
from comity.feed.batch import FORMAT, Contents, Place, root_of, seal_batch, view_leaves
from comity.feed.cut import cutters
from comity.feed.originals import Committer
from comity.feed.proof import FORMAT as PROOF
from comity.feed.proof import Proof, original_tree, prove_original, prove_view, read_proof, verify_proof, write_proof
from comity.feed.schema import Reader
from comity.ledger.tree import Frontier
from feed.examples import LOG, LOG_KEY, ORIGIN, messages, release, schema, written

NAMES = tuple(schema().types["track"].fields)
KINDS = {"track": Committer(NAMES)}
CUTTER = cutters(schema(), release().postures["normal"])["track"]
CROSSED = ("track", "observed", "latitude", "longitude", "speed")


def made(
    raws: list[bytes], place: int, show: tuple[str, ...] = ("track",), batches: int = 3, view: bytes | None = None
) -> Proof:
    """A feed of some batches that all hold the same messages, and the proof of one of them; ``view`` crossed as all."""
    reader = Reader(schema())
    read: list[Any] = [reader.read(raw) for raw in raws]
    views = tuple(CUTTER.view(message) if view is None else view for message in read)
    log, tiles, roots, tree = Frontier(), {}, [], None
    for batch in range(batches):
        seed, first = bytes([batch]) * 32, batch * len(raws)
        leaves = view_leaves(seed, first, views)
        contents = Contents(seed, (), ("",), (0,) * len(raws), tuple(range(len(raws))), (0,) * len(raws), views)
        frame, log, grown = seal_batch(
            Place(FORMAT, ORIGIN, 1, batch, first, len(raws), "time"), contents, leaves, bytes(32), bytes(32), log, LOG
        )
        tiles.update({(tile.id.level, tile.id.index): tile.hashes for tile in grown})
        tree = original_tree(b"h" * 32, read, leaves, KINDS)
        roots.append(tree.root)
    assert tree is not None
    note = msgspec.msgpack.decode(frame)[3]
    proved = prove_view(
        origin=ORIGIN,
        seed=bytes([batches - 1]) * 32,
        first=(batches - 1) * len(raws),
        views=views,
        place=place,
        leaf_salt=bytes(32),
        batch=batches - 1,
        size=batches,
        read_tile=lambda level, index: tiles[level, index],
        checkpoint=note,
    )
    original = prove_original(tree, place, read[place], KINDS["track"], show, roots, batches - 1)
    assert original.record_root == root_of(roots)
    return Proof(format=PROOF, view=proved, original=original)


def verified(proof: Proof):  # type: ignore[no-untyped-def]  # Proved
    return verify_proof(read_proof(write_proof(proof)), ORIGIN, [LOG_KEY], [])


@settings(max_examples=40)
@given(st.lists(messages(), min_size=1, max_size=9), st.data())
def test_every_message_can_be_proved(found: list[dict[str, object]], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(found) - 1))
    raws = [written(message) for message in found]
    proof = made(raws, place, CROSSED)
    proved = verified(proof)
    assert proved.number == 2 * len(found) + place
    assert {each.name for each in proved.shown} == set(CROSSED)
    assert "track" in proved.same
    assert json.loads(proved.view)["track"] == found[place]["track"]


@settings(max_examples=25)
@given(messages(), messages())
def test_a_proof_has_the_same_size_whatever_was_removed(one: dict[str, object], two: dict[str, object]) -> None:
    """What is not shown is there as 32 bytes each, and as many as a power of two."""
    hidden = {name: two[name] for name in ("height", "sensor", "method", "quality")}
    first, second = (made([written(message)], 0, CROSSED) for message in (one, one | hidden))
    assert len(write_proof(first)) == len(write_proof(second))
    assert first.original is not None
    assert second.original is not None
    same = {each.place for each in first.original.shown} | set(range(9, 16))
    for place in range(16):
        at = slice(32 * place, 32 * place + 32)
        alike = first.original.commitments[at] == second.original.commitments[at]
        assert alike or place not in same


RAWS = [
    written(
        {
            "type": "track",
            "track": f"T-{n}",
            "observed": "2026-11-20T01:02:03Z",
            "latitude": 1.0,
            "longitude": 2.0,
            "height": 3.0,
            "sensor": "s",
            "method": "m",
            "quality": n,
        }
    )
    for n in range(5)
]


def test_whatever_is_altered_no_longer_proves_it() -> None:
    good = msgspec.json.decode(write_proof(made(RAWS, 3)))
    whole = verified(made(RAWS, 3))
    refused: list[tuple[Any, ...]] = []

    def walk(node: Any, path: tuple[Any, ...]) -> None:
        if isinstance(node, dict):
            for key, value in node.items():
                walk(value, (*path, key))
        elif isinstance(node, list):
            for key, value in enumerate(node):
                walk(value, (*path, key))
        else:
            bad = msgspec.json.decode(write_proof(made(RAWS, 3)))
            at = bad
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = node + 1 if isinstance(node, int) else ("B" if node[:1] == "A" else "A") + node[1:]
            try:  # how many there are beside it in its tree is not proved, and nothing is said of it
                proved = verify_proof(read_proof(msgspec.json.encode(bad)), ORIGIN, [LOG_KEY], [])
            except Rejected:
                refused.append(path)
            else:
                assert proved == whole, path
                assert path[-1] == "count" or path[-2:] == ("batches", 0)

    walk(good, ())
    assert len(refused) > 20


@pytest.mark.parametrize("view", [b"", b"\xff", b"[]", b'{"track":"\xff"}', b'{"track":' + b"[" * 50_000])
def test_what_a_publisher_logged_that_is_no_message_proves_nothing(view: bytes) -> None:
    proof = made(RAWS, 1, view=view)
    for each in (proof, replace(proof, original=None)):
        with pytest.raises(Rejected) as caught:
            verified(each)
        assert caught.value.code == "bad-proof"


def test_a_field_is_shown_by_its_own_name_alone() -> None:
    """``track:"a:b"`` is not to be read as the field ``track:"a`` with the value ``b"``."""
    proof = made([written(msgspec.json.decode(RAWS[0]) | {"track": "a:b"})], 0)
    assert proof.original is not None
    (shown,) = proof.original.shown
    for name, value in (('track:"a', b'b"'), ("trac", b'k:"a:b"')):
        bad = replace(proof, original=replace(proof.original, shown=(replace(shown, name=name, value=value),)))
        with pytest.raises(Rejected) as caught:
            verified(bad)
        assert caught.value.code == "bad-proof"


@pytest.mark.parametrize("data", [b"", b"{}", b"[" * 10_000, b"\xff", bytes(2**20 + 1)])
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(Rejected) as caught:
        read_proof(data)
    assert caught.value.code == "bad-proof"


def test_a_proof_of_another_feed_or_with_odd_commitments_is_refused() -> None:
    proof = made(RAWS, 0)
    with pytest.raises(Rejected) as caught:
        verify_proof(proof, ORIGIN + "-2", [LOG_KEY], [])
    assert caught.value.code == "other-feed"
    assert proof.original is not None
    for commitments in (b"", bytes(31), bytes(96)):
        with pytest.raises(Rejected):
            verified(replace(proof, original=replace(proof.original, commitments=commitments)))
