"""What messages there are, and what of them is refused, each alone (``spec/feed.md`` steps 1 and 2)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity.errors import Rejected
from comity.feed.schema import MESSAGE_BYTES_MAX, Reader, Refused, parse_schema
from feed.examples import SCHEMA_TEXT, example, messages, schema, written

GOOD = example()[0]


def changed(**fields: object) -> bytes:
    return json.dumps(json.loads(GOOD) | fields).encode()


def without(name: str) -> bytes:
    return json.dumps({key: value for key, value in json.loads(GOOD).items() if key != name}).encode()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", "malformed"),
        (b"\xff", "malformed"),
        (b"[]", "malformed"),
        (GOOD[:-1], "malformed"),
        (GOOD + b"{}", "malformed"),
        (b"[" * 60_000, "malformed"),
        (GOOD + b" " * MESSAGE_BYTES_MAX, "too-large"),
        (changed(type="trick"), "unknown-type"),
        (changed(type=""), "unknown-type"),
        (changed(type=7), "bad-field"),
        (without("type"), "missing-field"),
        (changed(weather="rain"), "unknown-field"),
        (without("quality"), "missing-field"),
        (changed(quality="7"), "bad-field"),
        (changed(quality=7.5), "bad-field"),
        (changed(quality=2**53), "bad-field"),
        (changed(latitude=2e15), "bad-field"),
        (changed(latitude=None), "bad-field"),
        (GOOD.replace(b"38.0213", b"1e999"), "bad-field"),
        (GOOD.replace(b"38.0213", b"NaN"), "malformed"),
        (changed(observed="2026-11-20T01:02:03"), "bad-field"),
        (changed(observed="yesterday"), "bad-field"),
        (changed(track="x" * 10_001), "bad-field"),
        (changed(track=["T-71"]), "bad-field"),
    ],
)
def test_what_is_not_in_order_is_refused_alone(message: bytes, code: str) -> None:
    reader = Reader(schema())
    found = reader.read(message)
    assert isinstance(found, Refused)
    assert found.code == code, found
    assert found.sentence
    assert not isinstance(reader.read(GOOD), Refused)


def test_an_optional_field_may_be_missing() -> None:
    assert not isinstance(Reader(schema()).read(without("speed")), Refused)


@given(messages())
def test_what_the_schema_says_is_taken(message: dict[str, object]) -> None:
    assert not isinstance(Reader(schema()).read(written(message)), Refused)


@given(st.binary(max_size=300) | messages().map(written).flatmap(lambda text: st.sampled_from([text[:-1], text[1:]])))
def test_no_message_breaks_the_reader(message: bytes) -> None:
    assert isinstance(Reader(schema()).read(message), Refused)


@pytest.mark.parametrize(
    ("old", "new", "code", "line"),
    [
        ('kind = "integer"', 'kind = "whole"', "unknown-word", 20),
        ("format = 1", "format = 2", "unknown-format", 2),
        ('time = "observed" ', 'time = "sensor" ', "bad-field-name", 8),
        ('source = "sensor"', 'source = "speed"', "bad-field-name", 9),
        ('track      = { kind = "text"', 'type      = { kind = "text"', "reserved-name", 12),
        ('quality    = { kind = "integer" }', '"1st" = { kind = "integer" }', "wrong-type", 1),
        ('speed      = { kind = "number",', 'speed      = { kind = "number", role = "pace",', "unknown-word", 17),
        ('id = "track"', 'id = "Track"', "bad-identifier", 7),
        ('time = "observed"', 'time = "ob served"', "bad-field-name", 8),
    ],
)
def test_a_schema_that_is_not_in_order_is_rejected(old: str, new: str, code: str, line: int) -> None:
    assert old in SCHEMA_TEXT
    with pytest.raises(Rejected) as caught:
        parse_schema(SCHEMA_TEXT.replace(old, new, 1), "schema.toml")
    assert (caught.value.code, caught.value.place) == (code, f"schema.toml:{line}")


def test_a_type_is_there_once() -> None:
    second = SCHEMA_TEXT[SCHEMA_TEXT.index("[[type]]") :]
    with pytest.raises(Rejected) as caught:
        parse_schema(SCHEMA_TEXT + second, "schema.toml")
    assert caught.value.code == "twice"


def test_another_schema_has_another_digest() -> None:
    assert schema().digest != parse_schema(SCHEMA_TEXT.replace("Air picture", "Air"), "schema.toml").digest
