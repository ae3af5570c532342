"""CloudEvents in JSON, in and out (``spec/doors.md`` steps 4, 5 and 7)."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from comity.doors import events
from comity.doors.passing import DOCUMENT_BYTES_MAX, Counted, Setting, written
from comity.doors.table import DOORS
from comity.feed.schema import Reader, Refused, parse_schema
from doors.keys import NOW

SCHEMA = """
[schema]
format = 1
id = "sensor"
title = { en = "Sensor" }
[[type]]
id = "reading"
time = "ce_time"
source = "ce_source"
[type.fields]
ce_id = { kind = "text" }
ce_source = { kind = "text" }
ce_time = { kind = "instant" }
ce_subject = { kind = "text", optional = true }
ce_dataschema = { kind = "text", optional = true }
ce_turn = { kind = "integer", optional = true }
ce_sampled = { kind = "boolean", optional = true }
value = { kind = "number" }
"""
SENSOR = parse_schema(SCHEMA, "sensor.toml")
SETTING = Setting(now=lambda: NOW, prefix="org.example.", schema=SENSOR)
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "A234-1234-1234",
    "source": "/sensors/7",
    "type": "org.example.reading",
    "datacontenttype": "application/json",
    "dataschema": "https://example.org/reading",
    "subject": "deck 2",
    "time": "2026-11-20T01:02:03Z",
    "sampled": True,
    "turn": 12,
    "data": {"value": 4.5},
}
MESSAGE = {
    "type": "reading",
    "ce_id": "A234-1234-1234",
    "ce_source": "/sensors/7",
    "ce_dataschema": "https://example.org/reading",
    "ce_subject": "deck 2",
    "ce_time": "2026-11-20T01:02:03Z",
    "ce_sampled": True,
    "ce_turn": 12,
    "value": 4.5,
}


def read(event: object) -> list[bytes | Refused]:
    return list(events.read(json.dumps(event).encode(), SETTING))


def codes(found: list[bytes | Refused]) -> list[str]:
    return [each.code if isinstance(each, Refused) else "passed" for each in found]


def test_an_event_is_a_message_of_the_type_that_it_names() -> None:
    (message,) = read(EVENT)
    assert isinstance(message, bytes)
    assert json.loads(message) == MESSAGE
    assert not isinstance(Reader(SENSOR).read(message), Refused)


def test_it_is_written_again_in_one_spelling() -> None:
    (message,) = read(dict(reversed(EVENT.items())))
    assert isinstance(message, bytes)
    (written,) = events.write([(0, message)], SETTING)
    assert isinstance(written, bytes)
    assert written == json.dumps(EVENT, separators=(",", ":")).encode()


def test_a_null_attribute_is_as_if_it_were_not_there() -> None:
    (message,) = read(EVENT | {"subject": None, "data_base64": None})
    assert isinstance(message, bytes)
    assert "ce_subject" not in json.loads(message)


def test_of_a_batch_each_is_taken_or_refused_alone() -> None:
    found = read([EVENT, EVENT | {"specversion": "0.3"}, 7, EVENT])
    assert codes(found) == ["passed", "bad-attribute", "malformed", "passed"]
    assert read([]) == []
    passed = [(number, each) for number, each in enumerate(found) if isinstance(each, bytes)]
    (batch,) = written(events.Batched(SETTING), passed)
    assert isinstance(batch, bytes)
    assert json.loads(batch) == [EVENT, EVENT]
    assert list(written(events.Batched(SETTING), [])) == []


def test_a_batch_is_written_when_it_is_full_and_no_longer_than_a_document() -> None:
    long = json.dumps({"type": "reading", "ce_id": "1", "ce_source": "a", "value": "x" * 400_000}).encode()
    writer = events.Batched(SETTING, 3)
    sizes = []
    for number in range(8):
        for batch in writer.take(number, json.dumps(MESSAGE).encode()):
            assert isinstance(batch, bytes)
            sizes.append(len(json.loads(batch)))
    assert sizes == [3, 3]
    assert [len(json.loads(each)) for each in writer.end() if isinstance(each, bytes)] == [2]
    assert list(writer.end()) == []
    longest = list(written(events.Batched(SETTING), [(number, long) for number in range(5)]))
    assert [len(json.loads(each)) for each in longest if isinstance(each, bytes)] == [2, 2, 1]
    assert all(len(each) <= DOCUMENT_BYTES_MAX for each in longest if isinstance(each, bytes))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"id": ""}, "bad-attribute"),
        ({"id": 7}, "bad-attribute"),
        ({"source": "a b"}, "bad-attribute"),
        ({"source": "a%zz"}, "bad-attribute"),
        ({"source": "2026:a"}, "bad-attribute"),
        ({"source": "a#b#c"}, "bad-attribute"),
        ({"source": "a[1]"}, "bad-attribute"),
        ({"source": "甲"}, "bad-attribute"),
        ({"source": "//" + "a" * 100_000 + "^"}, "bad-attribute"),
        ({"source": ""}, "bad-attribute"),
        ({"specversion": "1.1"}, "bad-attribute"),
        ({"specversion": 1}, "bad-attribute"),
        ({"subject": ""}, "bad-attribute"),
        ({"subject": "a\nb"}, "bad-attribute"),
        ({"subject": "\ud800"}, "malformed"),
        ({"time": "2026-11-20"}, "bad-attribute"),
        ({"time": "2026-11-20T01:02:03"}, "bad-attribute"),
        ({"time": "2026-13-20T01:02:03Z"}, "bad-attribute"),
        ({"time": True}, "bad-attribute"),
        ({"dataschema": "reading"}, "bad-attribute"),
        ({"turn": 2**31}, "bad-attribute"),
        ({"turn": 1.5}, "bad-attribute"),
        ({"turn": {}}, "bad-attribute"),
        ({"Turn": 1}, "bad-attribute"),
        ({"the_turn": 1}, "bad-attribute"),
        ({"t" * 62: 1}, "bad-attribute"),
        ({"type": "com.other.reading"}, "unknown-type"),
        ({"type": "org.example."}, "unknown-type"),
        ({"datacontenttype": "text/plain"}, "not-json"),
        ({"datacontenttype": "application/json; charset=latin-1"}, "not-json"),
        ({"data_base64": "AAAA"}, "not-json"),
        ({"data": None}, "malformed"),
        ({"data": [1]}, "malformed"),
        ({"data": "4.5"}, "malformed"),
        ({"data": {"type": "reading"}}, "reserved-name"),
        ({"data": {"ce_id": "another"}}, "reserved-name"),
        ({"data": {"value": "\ud800"}}, "malformed"),
    ],
)
def test_what_the_standard_does_not_allow_is_refused(change: dict[str, object], code: str) -> None:
    assert codes(read(EVENT | change)) == [code]


@pytest.mark.parametrize("missing", ["specversion", "id", "source", "type"])
def test_a_required_attribute_must_be_there(missing: str) -> None:
    assert codes(read({name: value for name, value in EVENT.items() if name != missing})) == ["bad-attribute"]


@pytest.mark.parametrize(
    "source",
    [
        "/",
        "a",
        "./2026:a",
        "//[2001:db8::7]:8080/a?b=/?#/?",
        "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
        "mailto:a@b",
        "?",
        "#",
    ],
)
def test_every_kind_of_reference_is_one(source: str) -> None:
    assert codes(read(EVENT | {"source": source})) == ["passed"]


@pytest.mark.parametrize("content", ["application/json; charset=utf-8", "application/geo+json", "text/json"])
def test_other_json_is_json(content: str) -> None:
    assert codes(read(EVENT | {"datacontenttype": content})) == ["passed"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{",
        b"\xff",
        b'{"id":"a","id":"b"}',
        b'{"specversion":"1.0","id":"a","source":"/","type":"org.example.reading","data":{"value":1,"value":2}}',
        b'{"id":NaN}',
        b"[" * 100_000,
        b'{"id":1e999}',
        b"7",
    ],
)
def test_what_is_no_event_in_strict_json_is_refused(document: bytes) -> None:
    assert set(codes(list(events.read(document, SETTING)))) <= {"malformed", "bad-attribute"}


def test_of_a_stream_each_line_is_a_document_and_one_that_is_too_long_is_refused_alone() -> None:
    line = json.dumps(EVENT).encode() + b"\n"
    stream = io.BytesIO(line + b"\n" + b"[" * (3 * DOCUMENT_BYTES_MAX) + b"\n" + line + b"{\n" + line.strip())
    counted = Counted(DOORS["cloudevents"].messages(stream, SETTING))
    assert codes(list(counted)) == ["passed", "too-large", "passed", "malformed", "passed"]
    assert (counted.passed, dict(counted.refused)) == (3, {"too-large": 1, "malformed": 1})


def test_a_message_that_was_no_event_gets_its_number_and_the_address_of_its_feed() -> None:
    setting = Setting(now=lambda: NOW, origin="https://example.org/feeds/air-picture")
    (written,) = events.write([(41, b'{"type":"track","track":7}')], setting)
    assert isinstance(written, bytes)
    assert json.loads(written) == {
        "specversion": "1.0",
        "id": "41",
        "source": "https://example.org/feeds/air-picture",
        "type": "track",
        "datacontenttype": "application/json",
        "data": {"track": 7},
    }


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b'{"type":"reading","value":1}', "incomplete"),
        (b'{"type":"reading","ce_id":"1"}', "incomplete"),
        (b'{"type":"reading","ce_source":"1"}', "incomplete"),
        (b'{"type":"reading","ce_id":"1","ce_source":"a b"}', "bad-attribute"),
        (b'{"type":"reading","ce_id":"1","ce_source":"a","ce_big":1.5}', "bad-attribute"),
        (b'{"type":"reading","ce_id":"1","ce_source":"a","ce_specversion":"1.0"}', "bad-attribute"),
        (b'{"value":1}', "malformed"),
        (b"[]", "malformed"),
    ],
)
def test_a_message_that_can_be_no_event_is_refused(message: bytes, code: str) -> None:
    assert codes(list(events.write([(0, message)], SETTING))) == [code]
    assert codes(list(written(events.Batched(SETTING), [(0, message)]))) == [code]
