"""Batches open to what was sealed; what was altered, replayed or left out is refused (``spec/feed.md``, 11 to 14)."""

from __future__ import annotations

from hashlib import sha256

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import InternalError, Rejected
from comity.feed.batch import (
    FORMAT,
    FRAME_BYTES_MAX,
    INSTANT_MAX,
    VIEW_CONTEXT,
    Closed,
    Contents,
    Dropped,
    Frame,
    Opened,
    Place,
    is_same,
    open_batch,
    read_frame,
    root_of,
    seal_batch,
    signed_anew,
    view_leaves,
)
from comity.feed.originals import salts
from comity.ledger.checkpoint import Checkpoint, sign_checkpoint
from comity.ledger.leaf import batch_root_leaf
from comity.ledger.note import KeyType, VerifierKey
from comity.ledger.tree import Frontier
from feed.examples import LOG, LOG_KEY, ORIGIN, Key

KEY = b"k" * 32
VIEWS = st.lists(st.binary(max_size=60), min_size=1, max_size=20).map(tuple)


def contents(views: tuple[bytes, ...], seed: bytes = bytes(32)) -> Contents:
    count = len(views)
    dropped = (Dropped("track", "rate", 3, 1_763_600_000_000_000, 1_763_600_000_900_000),)
    return Contents(seed, dropped, ("s1", "s2"), (1,) * count, tuple(range(count)), (7,) * count, views)


def sealed(
    views: tuple[bytes, ...], log: Frontier, batch: int = 0, first: int = 0, *, origin: str = ORIGIN, key: Key = LOG
) -> tuple[bytes, Frontier]:
    inside = contents(views)
    place = Place(FORMAT, origin, 1, batch, first, len(views), "full")
    leaves = view_leaves(inside.seed, first, views)
    data, after, _ = seal_batch(place, inside, leaves, KEY, b"s" * 32, log, key)
    return data, after


def opened(data: bytes, log: Frontier) -> Opened:
    return open_batch(read_frame(data), ORIGIN, KEY, log, [LOG_KEY])


@given(st.lists(VIEWS, min_size=1, max_size=4))
def test_batches_open_to_what_was_sealed(batches: list[tuple[bytes, ...]]) -> None:
    log = mirror = Frontier()
    first = 0
    for number, views in enumerate(batches):
        data, log = sealed(views, log, number, first)
        found = opened(data, mirror)
        mirror = found.frontier
        assert found.contents == contents(views)
        assert (found.place.first, found.place.count) == (first, len(views))
        assert found.checkpoint.checkpoint.head == log.head() == mirror.head()
        first += len(views)


@given(VIEWS)
def test_a_batch_that_another_key_signs_is_the_same_batch(views: tuple[bytes, ...]) -> None:
    good, after = sealed(views, Frontier())
    other = Key(bytes(31) + b"\x07")
    anew = signed_anew(good, other)
    assert anew != good
    assert signed_anew(good, LOG) == good == signed_anew(anew, LOG)
    assert is_same(read_frame(good), read_frame(anew))
    assert not is_same(read_frame(good), read_frame(sealed((*views, b"more"), Frontier())[0]))
    with pytest.raises(Rejected):
        opened(anew, Frontier())
    key = VerifierKey(ORIGIN, KeyType.ED25519, other.public)
    assert open_batch(read_frame(anew), ORIGIN, KEY, Frontier(), [key]).frontier == after


@given(VIEWS, st.data())
def test_any_altered_byte_is_refused(views: tuple[bytes, ...], data: st.DataObject) -> None:
    good, _ = sealed(views, Frontier())
    at = data.draw(st.integers(0, len(good) - 1))
    other = data.draw(st.integers(1, 255))
    with pytest.raises(Rejected):
        opened(good[:at] + bytes([good[at] ^ other]) + good[at + 1 :], Frontier())


@given(VIEWS, st.binary(min_size=1, max_size=8))
def test_what_is_cut_short_or_goes_on_is_refused(views: tuple[bytes, ...], more: bytes) -> None:
    good, _ = sealed(views, Frontier())
    for bad in (good[: -len(more)], good + more, more + good, more):
        with pytest.raises(Rejected):
            opened(bad, Frontier())


def test_a_batch_that_comes_again_or_too_early_is_no_continuation() -> None:
    one, log = sealed((b"a",), Frontier())
    two, _ = sealed((b"b",), log, 1, 1)
    after = opened(one, Frontier()).frontier
    for data, at in ((one, after), (two, Frontier())):
        with pytest.raises(Rejected) as caught:
            opened(data, at)
        assert caught.value.code == "two-histories"


def code_of(data: bytes) -> str:
    with pytest.raises(Rejected) as caught:
        opened(data, Frontier())
    return caught.value.code


def test_the_place_is_covered_by_the_seal() -> None:
    good, _ = sealed((b"a", b"b"), Frontier())
    frame = msgspec.msgpack.decode(good, type=Frame)
    changes: list[dict[str, object]] = [
        {"epoch": 2},
        {"batch": 1},
        {"first": 9},
        {"count": 1},
        {"closed": "posture"},
    ]
    for change in changes:
        place = msgspec.structs.replace(frame.place, **change)
        bad = msgspec.msgpack.encode(msgspec.structs.replace(frame, place=place))
        assert code_of(bad) == "altered-batch", change
    other = msgspec.structs.replace(frame.place, origin=ORIGIN + "-2")
    assert code_of(msgspec.msgpack.encode(msgspec.structs.replace(frame, place=other))) == "other-feed"
    older = msgspec.structs.replace(frame.place, format="comity-feed-batch/0")
    assert code_of(msgspec.msgpack.encode(msgspec.structs.replace(frame, place=older))) == "bad-frame"


@pytest.mark.parametrize(
    "change",
    [
        {"batch": 2**20},
        {"batch": -1},
        {"count": 0},
        {"count": 1001},
        {"first": -1},
        {"first": 2**60},
        {"epoch": -1},
        {"epoch": 2**60},
        {"closed": "bored"},
    ],
)
def test_a_place_that_no_batch_has_is_refused(change: dict[str, object]) -> None:
    good, _ = sealed((b"a",), Frontier())
    frame = msgspec.msgpack.decode(good, type=Frame)
    place = msgspec.structs.replace(frame.place, **change)
    assert code_of(msgspec.msgpack.encode(msgspec.structs.replace(frame, place=place))) == "bad-frame"


def test_a_frame_has_one_spelling_and_a_bound() -> None:
    good, _ = sealed((b"a",), Frontier())
    assert good[0] == 0x94
    assert code_of(b"\xdc\x00\x04" + good[1:]) == "bad-frame"
    assert code_of(bytes(FRAME_BYTES_MAX + 1)) == "too-large"


def test_only_a_key_of_the_log_makes_a_checkpoint() -> None:
    stranger = Key(bytes(31) + b"\x02")
    assert code_of(sealed((b"a",), Frontier(), key=stranger)[0]) == "no-trusted-signature"


CROOKED: list[dict[str, object]] = [
    {"views": (b"a",)},
    {"source": (0, 2)},
    {"source": (0, -1)},
    {"turn": (0,)},
    {"at": (0, 0, 0)},
    {"seed": bytes(31)},
    {"turn": (0, -1)},
    {"turn": (0, 2**60)},
    {"at": (0, -1)},
    {"at": (0, INSTANT_MAX + 1)},
    {"dropped": (Dropped("track", "rate", 0, 0, 0),)},
    {"dropped": (Dropped("track", "rate", 1, 0, 2**63),)},
]


@pytest.mark.parametrize("change", CROOKED)
def test_contents_that_a_true_key_sealed_and_that_are_not_in_order_are_refused(change: dict[str, object]) -> None:
    inside = msgspec.structs.replace(contents((b"a", b"b")), **change)
    place = Place(FORMAT, ORIGIN, 1, 0, 0, 2, "full")
    leaves = view_leaves(bytes(32), 0, (b"a", b"b"))
    # what an honest publisher does not do is done here by way of the parts
    good, _, _ = seal_batch(place, contents((b"a", b"b")), leaves, KEY, b"s" * 32, Frontier(), LOG)
    encode = msgspec.msgpack.Encoder().encode
    bad = ChaCha20Poly1305(KEY).encrypt(bytes(12), encode(inside), encode(place))
    frame = msgspec.structs.replace(msgspec.msgpack.decode(good, type=Frame), sealed=bad)
    assert code_of(encode(frame)) == "bad-batch"


def test_one_altered_message_under_a_true_key_is_not_what_was_logged() -> None:
    good, _ = sealed((b"a", b"b", b"c"), Frontier())
    frame = msgspec.msgpack.decode(good, type=Frame)
    encode = msgspec.msgpack.Encoder().encode
    inside = contents((b"a", b"B", b"c"))
    bad = ChaCha20Poly1305(KEY).encrypt(bytes(12), encode(inside), encode(frame.place))
    assert code_of(encode(msgspec.structs.replace(frame, sealed=bad))) == "two-histories"
    for sealed_part in (b"", frame.sealed[:-1], frame.sealed + b"\0", bytes(16)):
        assert code_of(encode(msgspec.structs.replace(frame, sealed=sealed_part))) == "altered-batch"


def test_a_true_checkpoint_of_another_size_or_root_or_feed_is_not_that_of_the_batch() -> None:
    good, log = sealed((b"a",), Frontier())
    frame = msgspec.msgpack.decode(good, type=Frame)
    later, _ = sealed((b"b",), log, 1, 1)
    other, _ = sealed((b"z",), Frontier())
    elsewhere = sign_checkpoint(Checkpoint(ORIGIN + "-2", log.head()), LOG).encode()
    notes = [msgspec.msgpack.decode(each, type=Frame).note for each in (later, other)]
    assert {code_of(msgspec.msgpack.encode(msgspec.structs.replace(frame, note=each))) for each in notes} == {
        "two-histories"
    }
    for note in (elsewhere, b"", frame.note[:-1], frame.note + b"x"):
        assert code_of(msgspec.msgpack.encode(msgspec.structs.replace(frame, note=note)))
    salted = msgspec.structs.replace(frame, salt=b"t" * 32)
    assert code_of(msgspec.msgpack.encode(salted)) == "two-histories"
    for salt in (b"", b"s" * 31, b"s" * 33):
        assert code_of(msgspec.msgpack.encode(msgspec.structs.replace(frame, salt=salt))) == "bad-frame"


def test_a_batch_counts_its_messages_and_its_epoch_ends() -> None:
    inside = contents((b"a", b"b"))
    reasons: tuple[Closed, ...] = ("full", "time")
    for place in (
        Place(FORMAT, ORIGIN, 1, 0, 0, 1, reasons[0]),
        Place(FORMAT, ORIGIN, 1, 2**20, 0, 2, reasons[1]),
    ):
        with pytest.raises(InternalError):
            seal_batch(place, inside, view_leaves(bytes(32), 0, inside.views), KEY, b"s" * 32, Frontier(), LOG)


def test_a_leaf_is_of_the_salt_the_number_and_the_view() -> None:
    seed, views = b"\x07" * 32, (b"one", b"two")
    leaves = view_leaves(seed, 41, views)
    salted = salts(seed, 2)
    assert leaves[1] == sha256(VIEW_CONTEXT + salted[16:32] + (42).to_bytes(8, "big") + b"two").digest()
    _, log = sealed(views, Frontier())
    plain = view_leaves(bytes(32), 0, views)
    assert log.root() == Frontier().append([batch_root_leaf(b"s" * 32, root_of(plain)).data])[0].root()
