"""The tally: sums of lines, kept as records take effect (``spec/inventory.md`` steps 7 to 9)."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from comity.register.rows import CopyRow
from comity.register.rows.inventory import TallyItemRow
from comity.register.tally import MODULUS, NOTHING, added, copy_digest, copy_line, item_sum, mark_digest, part_of

DIGESTS = st.binary(min_size=32, max_size=32)
COPY = CopyRow(
    item="i-1", number=1, holder="n-a", state="held", consignment=bytes(32), header=bytes(32), last=b"r" * 32
)


@given(st.lists(DIGESTS), st.randoms(use_true_random=False))
def test_the_order_does_not_matter_and_what_is_taken_out_is_gone(digests: list[bytes], random: object) -> None:  # (8)
    shuffled = list(digests)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a Random
    assert added(NOTHING, *digests) == added(NOTHING, *shuffled)
    assert added(added(NOTHING, *digests), minus=shuffled) == NOTHING


def test_a_sum_wraps_around_at_its_modulus() -> None:  # (8)
    largest = (MODULUS - 1).to_bytes(32, "big")
    assert added(largest, (1).to_bytes(32, "big")) == NOTHING
    assert added(NOTHING, minus=[(1).to_bytes(32, "big")]) == largest


def test_every_field_of_a_line_counts() -> None:  # (7)
    changes = ({"number": 2}, {"holder": "n-b"}, {"state": "lost"}, {"last": b"s" * 32}, {"openings": (b"o" * 32,)})
    rows = [COPY, *(msgspec.structs.replace(COPY, **change) for change in changes)]
    digests = {copy_digest("i-1", copy_line(row)) for row in rows} | {copy_digest("i-2", copy_line(COPY))}
    marks = {mark_digest("i-1", *marks) for marks in (("a", ""), ("b", ""), ("a", "b"), ("", "ab"), ("ab", ""))}
    assert len(digests | marks) == 12


def test_that_a_copy_does_not_open_is_no_state_of_it() -> None:  # (7)
    assert copy_line(msgspec.structs.replace(COPY, trouble="it does not open")) == copy_line(COPY)


def test_a_part_is_of_one_relationship() -> None:  # (8)
    assert part_of("a/b", "i-1") != part_of("a/c", "i-1")
    assert 0 <= part_of("a/b", "i-1") < 65_536


def test_the_sum_of_an_item_is_that_of_its_lines() -> None:  # (7)
    row = TallyItemRow(mark="極秘", last=bytes(32), copies=1, digest=NOTHING)
    line = copy_digest("i-1", copy_line(COPY))
    assert item_sum("i-1", row, [copy_line(COPY)]) == added(mark_digest("i-1", "極秘", ""), line)
