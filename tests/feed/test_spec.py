"""The literal examples of spec/feed.md are true, and its bounds are those of the code."""

from __future__ import annotations

from comity.feed import batch
from comity.feed.cut import cutters
from comity.feed.schema import MESSAGE_BYTES_MAX, NUMBER_MAX, TEXT_CHARACTERS_MAX, Reader, Refused
from feed.examples import SPEC, example, release, schema


def test_the_message_of_the_example_crosses_as_it_says() -> None:
    published, crossed = example()
    message = Reader(schema()).read(published)
    assert not isinstance(message, Refused)
    assert cutters(schema(), release().postures["normal"])["track"].view(message) == crossed


def test_the_bounds_are_those_of_the_code() -> None:
    assert f"at most {MESSAGE_BYTES_MAX:,} bytes" in SPEC
    assert f"at most {TEXT_CHARACTERS_MAX:,} characters" in SPEC
    assert NUMBER_MAX == 10**15
    assert "10^15" in SPEC
    assert f"{batch.MESSAGES_MAX:,} messages or {batch.VIEWS_BYTES_MAX:,} bytes" in SPEC
    assert f"at most {batch.FRAME_BYTES_MAX:,} bytes" in SPEC.lower()
    assert batch.EPOCH_BATCHES_MAX == 2**20
    assert "2^20 batches" in SPEC
